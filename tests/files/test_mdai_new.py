"""Fresh MD.ai documents for masks of any dataset, read by `json` and drawn by OpenCV."""

import json
import re
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from mdai_samples import OTHER_SOP, SERIES, SOP, STUDY

from napari_chest.errors import SaveError
from napari_chest.files.mdai import Add, MdaiSlice, new_mdai, parse_mdai
from napari_chest.model import Segment
from napari_chest.rings import encode_mask

NOW = datetime(2024, 2, 3, 4, 5, 6, 789_000, UTC)
SEGMENTS = (Segment(1, "Ground glass", "#56B4E9", "GG"), Segment(2, "Größe", "#E69F00"))


def noise(seed):
    return cv2.GaussianBlur(np.random.default_rng(seed).random((32, 40)), (0, 0), 1.5) > 0.5


def slices():
    rings = [encode_mask(noise(seed)) for seed in range(3)]
    return [
        MdaiSlice(STUDY, SERIES, SOP, 32, 40, {"Ground glass": rings[0], "Größe": rings[1]}),
        MdaiSlice(STUDY, SERIES, OTHER_SOP, 32, 40, {"Größe": rings[2], "Ground glass": []}),
    ]


def test_masks_come_back():
    content = json.loads(new_mdai("MosMed study_0255", SEGMENTS, slices(), NOW))
    labels = {one["id"]: one for one in content["labelGroups"][0]["labels"]}
    annotations = content["datasets"][0]["annotations"]
    for sop, name, seed in ((SOP, "Ground glass", 0), (SOP, "Größe", 1), (OTHER_SOP, "Größe", 2)):
        mask = np.zeros((32, 40), np.uint8)
        for one in annotations:
            if one["SOPInstanceUID"] == sop and labels[one["labelId"]]["name"] == name:
                cv2.fillPoly(mask, [np.int32(one["data"]["vertices"])], 1)
        np.testing.assert_array_equal(mask > 0, noise(seed))
    assert len(annotations) == sum(len(r) for one in slices() for r in one.rings.values())


def test_form():
    text = new_mdai("Größe", SEGMENTS, slices(), NOW).decode()
    content = json.loads(text)
    assert "Größe" in text
    assert not re.search(r"\s", text.replace("Ground glass", "").replace("napari-chest", ""))
    assert (content["name"], content["updatedAt"]) == ("Größe", "2024-02-03T04:05:06.789Z")
    (group,) = content["labelGroups"]
    assert [(one["name"], one["shortName"], one["color"]) for one in group["labels"]] == [
        ("Ground glass", "GG", "#56b4e9"),
        ("Größe", "", "#e69f00"),
    ]
    for one in group["labels"]:
        assert (one["type"], one["scope"], one["annotationMode"]) == (
            "LOCAL",
            "INSTANCE",
            "freeform",
        )
    (dataset,) = content["datasets"]
    assert dataset["studies"] == [{"StudyInstanceUID": STUDY, "number": 1}]
    for number, one in enumerate(dataset["annotations"], 1):
        assert (one["StudyInstanceUID"], one["SeriesInstanceUID"]) == (STUDY, SERIES)
        assert (one["height"], one["width"], one["annotationNumber"]) == (32, 40, number)
        assert (one["isImported"], one["groupId"]) == (True, group["id"])
    ids = [one["id"] for one in (*dataset["annotations"], *group["labels"], group, dataset)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[ALGD]_[0-9A-Za-z]{6}", one) for one in ids)


def test_it_can_be_read_and_corrected():
    file = parse_mdai(new_mdai("x", SEGMENTS, slices(), NOW), "x.json")
    assert file.problems == []
    label = file.groups[0].labels[1].id
    edit = Add(label, STUDY, SERIES, SOP, 32, 40, {"vertices": [[1, 2], [3, 4], [5, 6]]})
    after = parse_mdai(file.changed([edit], NOW, None), "x.json")
    assert len(after.annotations) == len(file.annotations) + 1


def test_without_slices():
    file = parse_mdai(new_mdai("x", SEGMENTS, [], NOW), "x.json")
    assert (file.annotations, file.studies) == ((), ())


def test_unknown_label():
    one = MdaiSlice(STUDY, SERIES, SOP, 32, 40, {"Other": encode_mask(noise(0))})
    with pytest.raises(SaveError, match="Other is none of the labels Ground glass, Größe"):
        new_mdai("x", SEGMENTS, [one], NOW)

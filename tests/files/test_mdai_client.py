"""MD.ai's own library reads the same before and after a correction, except for the correction."""

import json
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from mdai_samples import (
    OTHER_SOP,
    SERIES,
    SOP,
    STUDY,
    STYLES,
    annotation,
    answer,
    dataset,
    export,
    ring,
)

from napari_chest.files.mdai import (
    Add,
    Delete,
    MdaiSlice,
    ReplaceData,
    new_mdai,
    parse_mdai,
    ring_data,
)
from napari_chest.model import Segment
from napari_chest.rings import encode_mask

client = pytest.importorskip("mdai.utils.common_utils")

NOW = datetime(2024, 2, 3, 4, 5, 6, 789_000, UTC)
EXPORT = export(
    dataset(
        answer("A_glob01", note="größer"),
        ring("A_free01"),
        annotation("A_null01", sop=OTHER_SOP),
        ring("A_free02"),
    )
)


def frame(content, path):
    """The annotations as the library's loader gives them, by their ids."""
    path.write_bytes(content)
    return client.json_to_dataframe(str(path))["annotations"].set_index("id")


def rows(table, without=()):
    """The table as JSON, in which what is missing equals what is missing."""
    table = table.drop(columns=list(without))
    return {name: json.loads(row.to_json()) for name, row in table.iterrows()}


def lesion():
    mask = np.zeros((32, 40), bool)
    mask[3:20, 4:30] = True
    mask[6:9, 7:12] = mask[15, 20] = False
    return mask


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_only_the_correction_differs(tmp_path, style):
    content = style(EXPORT).encode()
    data = ring_data(encode_mask(lesion())[0])
    edits = [
        ReplaceData(1, data),
        Delete(3),
        Add("L_opac01", STUDY, SERIES, SOP, 32, 40, data, like=1),
        Add("L_typ001", STUDY, note="mine"),
    ]
    after = parse_mdai(content, "x.json").changed(edits, NOW, None)
    old, new = (frame(c, tmp_path / f"{n}.json") for n, c in enumerate((content, after)))
    assert list(new.columns) == list(old.columns)
    before, found = rows(old), rows(new)
    added = found.keys() - before.keys()
    assert before.keys() - found.keys() == {"A_free02"}
    assert len(added) == 2
    for name in ("A_glob01", "A_null01"):
        assert found[name] == before[name]
    changes = {"data": data, "updatedAt": "2024-02-03T04:05:06.789Z"}
    assert found["A_free01"] == before["A_free01"] | changes
    first, second = sorted(added, key=lambda name: found[name]["data"] is None)
    assert (found[first]["labelName"], found[first]["data"]) == ("Infectious opacity", data)
    assert (found[second]["labelName"], found[second]["note"]) == ("Typical", "mine")
    assert found[second]["SOPInstanceUID"] is None


def test_a_fresh_document(tmp_path):
    mask = lesion()
    slices = [MdaiSlice(STUDY, SERIES, SOP, 32, 40, {"Ground glass": encode_mask(mask)})]
    segments = (Segment(1, "Ground glass", "#56B4E9"),)
    table = frame(new_mdai("MosMed", segments, slices, NOW), tmp_path / "x.json")
    drawn = np.zeros(mask.shape, np.uint8)
    for _, row in table.iterrows():
        assert (row.labelName, row.SOPInstanceUID, row.number) == ("Ground glass", SOP, 1)
        cv2.fillPoly(drawn, np.int32([row.data["vertices"]]), 1)  # as its `load_mask` does
    np.testing.assert_array_equal(drawn > 0, mask)

"""Masks of any dataset as MD.ai documents: what other programs draw from them is what was meant."""

import json
from datetime import UTC, datetime

import cv2
import numpy as np
import pytest
from skimage.draw import polygon

from napari_chest import open_dataset
from napari_chest.cli import main
from napari_chest.errors import SaveError
from napari_chest.export.mdai import export_mdai
from napari_chest.phantom import make_mosmed, make_ricord

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


@pytest.fixture(scope="module")
def mosmed(tmp_path_factory):
    return open_dataset(make_mosmed(tmp_path_factory.mktemp("m") / "set", shape=(12, 48, 48)).root)


@pytest.fixture(scope="module")
def ricord(tmp_path_factory):
    return open_dataset(make_ricord(tmp_path_factory.mktemp("r") / "set", shape=(24, 64, 64)).root)


def masked(dataset):
    return next(c.id for c in dataset.cases() if any(m.labels.any() for m in masks(dataset, c.id)))


def masks(dataset, case):
    return [mask for reading in dataset.readings(case) for mask in reading.masks]


def drawn(annotations, draw):
    """Union of rings by image, as another program draws them."""
    found = {}
    for one in annotations:
        plane = found.setdefault(
            one["SOPInstanceUID"], np.zeros((one["height"], one["width"]), np.uint8)
        )
        draw(plane, np.array(one["data"]["vertices"], float))
    return found


def truncated(plane, ring):
    cv2.fillPoly(plane, [np.int32(ring)], 1)


def rounded(plane, ring):
    cv2.fillPoly(plane, [np.int32(np.rint(ring))], 1)


def centred(plane, ring):
    plane[polygon(ring[:, 1], ring[:, 0], plane.shape)] = 1


@pytest.mark.parametrize("draw", [truncated, rounded, centred])
def test_every_program_draws_the_mask(mosmed, tmp_path, draw):
    case = masked(mosmed)
    proof = export_mdai(mosmed, [case], tmp_path / "out", now=NOW)
    assert proof.holds, proof.lines()
    (document,) = [json.loads(p.read_bytes()) for p in (tmp_path / "out").iterdir()]
    planes = drawn(document["datasets"][0]["annotations"], draw)
    (mask,) = masks(mosmed, case)
    expected = [plane for plane in mask.labels if plane.any()]
    assert len(planes) == len(expected)
    for plane, wanted in zip(planes.values(), expected, strict=True):
        np.testing.assert_array_equal(plane, wanted)
    assert document["labelGroups"][0]["labels"][0]["name"] == "GGO or consolidation"
    assert any("UIDs made of their names" in line for line in proof.lines())


def test_images_with_uids_keep_them(ricord, tmp_path):
    case = masked(ricord)
    proof = export_mdai(ricord, [case], tmp_path / "out", now=NOW)
    assert proof.holds, proof.lines()
    uids = {header.sop_instance_uid for header in ricord.source_headers(case)}
    for path in (tmp_path / "out").iterdir():
        for one in json.loads(path.read_bytes())["datasets"][0]["annotations"]:
            assert one["SOPInstanceUID"] in uids
            assert one["createdAt"] == "2026-01-02T03:04:05.000Z"


def test_the_same_uids_every_time(mosmed, tmp_path):
    case = masked(mosmed)
    for name in ("a", "b"):
        export_mdai(mosmed, [case], tmp_path / name, now=NOW)
    uids = [
        [a["SOPInstanceUID"] for a in json.loads(p.read_bytes())["datasets"][0]["annotations"]]
        for name in ("a", "b")
        for p in (tmp_path / name).iterdir()
    ]
    assert uids[0] == uids[1]


def test_nothing_is_written_into_the_dataset(mosmed):
    with pytest.raises(SaveError, match="inside the dataset"):
        export_mdai(mosmed, [masked(mosmed)], mosmed.root / "out")
    with pytest.raises(SaveError, match="no case nobody"):
        export_mdai(mosmed, ["nobody"], mosmed.root.parent / "out")


@pytest.mark.parametrize("form", ["mdai", "dicom-seg"])
def test_the_command_line_exports_and_proves(ricord, tmp_path, capsys, form):
    case = masked(ricord)
    out = tmp_path / "out"
    command = ["export", str(ricord.root), "--to", form, "--out", str(out), "--case", case]
    assert main(command) == 0
    assert capsys.readouterr().out.startswith("Proved: ")
    assert list(out.rglob("*.*"))

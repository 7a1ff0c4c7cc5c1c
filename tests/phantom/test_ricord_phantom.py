"""The synthetic RICORD-1A and 1C: their files must have what the published ones have."""

import csv
import datetime as dt
import hashlib
import json
import re
from collections import Counter

import cv2
import imagecodecs
import numpy as np
import pydicom
import pytest
import python_calamine
from pydicom.encaps import generate_frames

from napari_chest.errors import SaveError
from napari_chest.phantom import make_ricord, make_ricord_1c
from napari_chest.phantom.ricord.javascript import javascript

SHAPE = (24, 60, 64)
SIZE = (48, 52)
PURPLE, ORANGE, ADJUDICATION = "Purple Group 1", "Orange Group 2", "Adjudication Group"
LOSSLESS, EXPLICIT = "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.1"
FINDINGS = {
    "Infectious opacity",
    "Infectious TIB/micronodules",
    "Infectious cavity",
    "Noninfectious nodule/mass",
    "Atelectasis",
    "Other noninfectious opacity",
}
NAME = r"1-\d{3}\.dcm"


@pytest.fixture(scope="module")
def progress():
    return []


@pytest.fixture(scope="module")
def phantom(tmp_path_factory, progress):
    root = tmp_path_factory.mktemp("ricord") / "RICORD"
    return make_ricord(root, SHAPE, progress=lambda *done: progress.append(done))


@pytest.fixture(scope="module")
def chests(tmp_path_factory, progress):
    return make_ricord_1c(tmp_path_factory.mktemp("ricord-1c") / "RICORD", SIZE)


def document(phantom):
    return json.loads(phantom.annotations.read_bytes())


def rows(phantom):
    return document(phantom)["datasets"][0]["annotations"]


def labels(phantom):
    """(group name, label) by label id."""
    return {
        label["id"]: (group["name"], label)
        for group in document(phantom)["labelGroups"]
        for label in group["labels"]
    }


def stored(path):
    """Header and stored values of a file."""
    image = pydicom.dcmread(path)
    if image.file_meta.TransferSyntaxUID == LOSSLESS:
        frame = next(generate_frames(image.PixelData, number_of_frames=1))
        pixels = imagecodecs.jpeg8_decode(frame)
        return image, pixels.view(np.int16) if image.PixelRepresentation else pixels
    return image, image.pixel_array


def filled(vertices, shape):
    mask = np.zeros(shape, np.uint8)
    cv2.fillPoly(mask, [np.int32(vertices)], 1)
    return mask > 0


def dice(a, b):
    return 2 * (a & b).sum() / (a.sum() + b.sum())


def every_series(phantom):
    return [(study, series) for study in phantom.studies for series in study.series]


def tails(study_uid, date, description):
    return f"{date[4:6]}-{date[6:]}-{date[:4]}-NA-{description or 'NA'}-{study_uid[-5:]}"


def test_folders_have_the_names_of_the_downloader(phantom):
    assert {path.name for path in phantom.root.iterdir()} == {
        "manifest-1608266677008",
        "MIDRC-RICORD-1a_annotations_labelgroup_all_2020-Dec-8.json",
        "MIDRC-RICORD-1a-Clinical-Data-Jan-13-2021.xlsx",
    }
    assert {path.name for path in phantom.images.iterdir()} == {"MIDRC-RICORD-1A", "metadata.csv"}
    for study, series in every_series(phantom):
        image = pydicom.dcmread(next(series.folder.glob("*.dcm")), stop_before_pixels=True)
        said = image.get("StudyDescription", "").replace("/", "")
        assert series.folder.relative_to(phantom.images).parts == (
            "MIDRC-RICORD-1A",
            study.patient,
            tails(study.uid, image.StudyDate, said),
            f"{image.SeriesNumber:.6f}-{series.description or 'NA'}-{series.uid[-5:]}",
        )
        files = {path.name for path in series.folder.iterdir()}
        assert files == {*series.files, *series.duplicates}
        assert all(re.fullmatch(NAME, name) for name in files)


def test_the_table_of_the_download_lists_every_series(phantom):
    table = list(csv.DictReader((phantom.images / "metadata.csv").read_text().splitlines()))
    assert [row["Series UID"] for row in table] == [s.uid for _, s in every_series(phantom)]
    for row, (study, series) in zip(table, every_series(phantom), strict=True):
        assert (row["Study UID"], row["Subject ID"]) == (study.uid, study.patient)
        folder = phantom.images.joinpath(*row["File Location"].split("\\"))
        assert folder == series.folder
        assert int(row["Number of Images"]) == len(list(folder.iterdir()))
        assert row["SOP Class Name"] == "CT Image Storage"


def test_series_are_of_all_the_published_kinds(phantom):
    assert len(phantom.studies) == 5
    assert len({study.patient for study in phantom.studies}) == 4
    kinds = [[series.kind for series in study.series] for study in phantom.studies]
    assert kinds == [["scout", "axial", "coronal"], *[["axial"]] * 4]
    found = Counter()
    for study, series in every_series(phantom):
        image = pydicom.dcmread(series.folder / series.files[0], stop_before_pixels=True)
        syntax = str(image.file_meta.TransferSyntaxUID)
        assert (syntax == LOSSLESS) == ("-419639-" in study.patient)
        found[syntax, image.PixelRepresentation] += 1
        assert image.get("SeriesDescription", "") == series.description
        named = not study.patient.split("-")[3].startswith(("660042", "SITE2"))
        assert ("SeriesDescription" in image) == ("StudyDescription" in image) == named
        assert str(image.file_meta.MediaStorageSOPInstanceUID) == image.SOPInstanceUID
    assert set(found) == {(LOSSLESS, 0), (LOSSLESS, 1), (EXPLICIT, 0), (EXPLICIT, 1)}


def test_slices_decode_to_the_truth_in_the_order_of_their_positions(phantom):
    for study, series in every_series(phantom):
        images, pixels = zip(*[stored(series.folder / name) for name in series.files], strict=True)
        assert tuple(image.SOPInstanceUID for image in images) == series.sops
        assert {image.StudyInstanceUID for image in images} == {study.uid}
        assert {image.SeriesInstanceUID for image in images} == {series.uid}
        assert {image.PatientID for image in images} == {study.patient}
        for image, values, true in zip(images, pixels, series.voxels, strict=True):
            shown = values.astype(np.int32)
            if series.kind != "scout":
                shown = shown * int(image.RescaleSlope) + int(image.RescaleIntercept)
                shown[values == image.get("PixelPaddingValue", -32768)] = -1024
            assert np.array_equal(shown, true)
        if series.kind == "scout":
            assert len(images) == 2
            assert images[0].ImageType[2] == "LOCALIZER"
            continue
        places = np.array([image.ImagePositionPatient for image in images], float)
        normal = np.cross(*np.reshape(images[0].ImageOrientationPatient, (2, 3)))
        steps = np.diff(places @ normal)
        assert np.allclose(abs(steps), float(images[0].SliceThickness))
        assert (steps > 0).all() if series.kind == "coronal" else (steps < 0).all()


def test_axial_and_coronal_slices_agree_in_the_patient(phantom):
    series = {one.kind: one for one in phantom.studies[0].series}
    places = {"axial": 0, "coronal": 9}
    axial, coronal = (
        stored(series[kind].folder / series[kind].files[at])[0] for kind, at in places.items()
    )
    y = float(coronal.ImagePositionPatient[1] - axial.ImagePositionPatient[1])
    row = round(y / float(axial.PixelSpacing[0]))
    seen = series["axial"].voxels[:, row].mean(axis=1)
    across = series["coronal"].voxels[9].mean(axis=1)
    depth = float(coronal.ImagePositionPatient[2] - axial.ImagePositionPatient[2])
    z = (np.arange(len(across)) * float(coronal.PixelSpacing[0]) - depth) / float(
        axial.SliceThickness
    )
    inside = (z > 0) & (z < len(seen) - 1)
    assert abs(across - np.interp(z, np.arange(len(seen)), seen))[inside].max() < 5


def test_files_are_in_no_order_of_slices(phantom):
    orders = {study.patient: list(study.axial.files) for study in phantom.studies}
    assert all(files != sorted(files) for files in orders.values())
    assert orders["MIDRC-RICORD-1A-419639-990001"] == sorted(
        orders["MIDRC-RICORD-1A-419639-990001"], reverse=True
    )
    shuffled = orders["MIDRC-RICORD-1A-660042-990003"]
    assert shuffled != sorted(shuffled, reverse=True)


def test_one_slice_is_there_twice(phantom):
    (series,) = [series for _, series in every_series(phantom) if series.duplicates]
    (name,) = series.duplicates
    again = pydicom.dcmread(series.folder / name, stop_before_pixels=True).SOPInstanceUID
    assert series.sops.count(again) == 1
    original = series.folder / series.files[series.sops.index(again)]
    assert original.read_bytes() == (series.folder / name).read_bytes()


def test_padding_lies_around_the_circle_of_reconstruction(phantom):
    series = phantom.studies[1].axial
    image, values = stored(series.folder / series.files[0])
    assert image.PixelPaddingValue == -2000
    assert values[0, 0] == values[-1, -1] == -2000
    assert values[SHAPE[1] // 2, SHAPE[2] // 2] > -1024


def test_the_nodule_and_the_opacities_are_in_the_picture(phantom):
    study = phantom.studies[3]
    assert study.nodule.any()
    assert (study.axial.voxels[study.nodule] == 35).all()
    for study in phantom.studies[:4]:
        voxels = study.axial.voxels
        assert voxels[study.opacity == 1].mean() > -780
        assert voxels[study.opacity == 2].mean() > -350
    assert not phantom.studies[4].opacity.any()


def test_the_annotations_are_written_as_javascript_writes(phantom, chests):
    for found in (phantom, chests):
        text = found.annotations.read_bytes().decode()
        outside = re.sub(r'"(\\.|[^"\\])*"', '""', text)
        assert not re.search(r"\s", outside)
        assert not re.search(r"\d\.0+\b(?!\d)|e-0|\bNaN|Infinity", outside)
        assert "\\u" not in text
        assert javascript(json.loads(text)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (12.0, "12"),
        (-0.0, "0"),
        (131.84615384615384, "131.84615384615384"),
        (1.2e-5, "0.000012"),
        (1e-7, "1e-7"),
        (1.5e-10, "1.5e-10"),
        (1e20, "100000000000000000000"),
        (1e21, "1e+21"),
        ([True, None, {"ü\u2028": '"\n'}], '[true,null,{"ü\u2028":"\\"\\n"}]'),
    ],
)
def test_numbers_and_text_as_javascript_prints_them(value, text):
    assert javascript(value) == text


def test_groups_have_the_same_names_under_ids_of_their_own(phantom):
    groups = document(phantom)["labelGroups"]
    assert [group["name"] for group in groups] == [PURPLE, ORANGE, ADJUDICATION]
    known = labels(phantom)
    assert len(known) == sum(len(group["labels"]) for group in groups)
    for group in groups:
        drawn = {one["name"] for one in group["labels"] if one["annotationMode"] == "freeform"}
        assert drawn == FINDINGS
        said = {one["name"]: one for one in group["labels"] if one["scope"] == "STUDY"}
        assert {"Typical", "Effusion", "Negative for pneumonia"} < set(said)
        assert any("Inadequate" in name for name in said)
        assert all(one["annotationMode"] is None for one in said.values())
        parent = said["Typical"]["parentId"]
        assert known[parent][1]["name"] == "Infectious lung disease"
        assert known[parent][0] == group["name"]
        assert all(one["type"] == "GLOBAL" for one in said.values())
    modes = {one["annotationMode"] for one in groups[2]["labels"]}
    assert modes == {"freeform", "bbox", "polygon", "line", "location", "mask", "sphere", None}


def test_ids_are_unique(phantom, chests):
    for found in (phantom, chests):
        whole = document(found)
        ids = [row["id"] for row in rows(found)] + list(labels(found))
        ids += [one["id"] for one in whole["labelGroups"] + whole["users"]]
        assert len(ids) == len(set(ids))
        users = {user["id"] for user in whole["users"]}
        assert {row["createdById"] for row in rows(found)} <= {*users, None}


def test_masks_are_the_union_of_the_rings_in_the_file(phantom):
    known, found = labels(phantom), rows(phantom)
    for study in phantom.studies:
        drawn = {}
        for row in found:
            sop, data = row.get("SOPInstanceUID"), row["data"] or {}
            if sop not in study.axial.sops or row["labelId"] not in known:
                continue
            group, label = known[row["labelId"]]
            rings = data.get("foreground", [data["vertices"]] if "vertices" in data else [])
            if not rings or label["annotationMode"] == "line":
                continue
            key = group, row["createdById"] or "", label["name"]
            mask = drawn.setdefault(key, np.zeros(SHAPE, bool))[study.axial.sops.index(sop)]
            for ring in rings:
                mask |= filled(ring, SHAPE[1:])
            for ring in data.get("background", []):
                mask &= ~filled(ring, SHAPE[1:])
        true = {
            (reading.group, reading.creator, label): mask
            for reading in study.readings
            for label, mask in reading.masks.items()
        }
        assert set(true) == set(drawn)
        assert all(np.array_equal(true[key], drawn[key]) for key in true)


def test_truth_names_the_rings_of_the_file(phantom):
    by_id = {row["id"]: row for row in rows(phantom)}
    order = {row["id"]: place for place, row in enumerate(rows(phantom))}
    count = 0
    for study in phantom.studies:
        for reading in study.readings:
            places = [order[ring.annotation] for ring in reading.rings]
            assert places == sorted(places)
            for ring in reading.rings:
                row = by_id[ring.annotation]
                assert row["data"]["vertices"] == ring.vertices.tolist()
                assert row["SOPInstanceUID"] == study.axial.sops[ring.z]
                assert (row["height"], row["width"]) == SHAPE[1:]
                assert len(ring.vertices) >= 4
                assert (ring.vertices >= 0).all()
                assert (ring.vertices < SHAPE[:0:-1]).all()
            count += len(reading.rings)
    assert count > 150


def test_rings_follow_the_opacities(phantom):
    for study in phantom.studies[:4]:
        for reading in study.readings:
            if not reading.creator:
                continue
            names = ("Infectious opacity", "Infectious TIB/micronodules")
            drawn = np.any([reading.masks[one] for one in names if one in reading.masks], axis=0)
            assert dice(drawn, study.opacity > 0) > 0.6
            shifted = np.roll(drawn, (2, 2), (1, 2))
            assert dice(shifted, study.opacity > 0) < dice(drawn, study.opacity > 0)


def test_rings_overlap_within_a_label_and_between_labels(phantom):
    study = phantom.studies[2]
    reading = next(one for one in study.readings if one.group == ORANGE)
    layers = np.zeros(SHAPE, int)
    for ring in reading.rings:
        layers[ring.z] += filled(ring.vertices, SHAPE[1:])
    assert set(reading.masks) == {"Infectious opacity"}
    assert layers.max() == 2
    both = next(one for one in phantom.studies[0].readings if "Atelectasis" in one.masks)
    assert (both.masks["Atelectasis"] & both.masks["Infectious opacity"]).any()
    opaque = phantom.studies[0].union(PURPLE, "Infectious opacity")
    assert (opaque & phantom.studies[0].union(ORANGE, "Infectious opacity")).any()


def test_every_reading_is_one_person_of_one_group(phantom):
    first = phantom.studies[0]
    keys = [(one.group, one.creator) for one in first.readings]
    assert len(set(keys)) == len(keys) == 5
    assert [group for group, _ in keys] == [PURPLE, PURPLE, ORANGE, ORANGE, ADJUDICATION]
    assert [creator == "" for _, creator in keys] == [False, False, False, True, False]
    (ring,) = first.readings[3].rings
    row = next(row for row in rows(phantom) if row["id"] == ring.annotation)
    assert row["createdById"] is None
    assert row["isImported"] is True
    assert row["modelId"].startswith("M_")
    assert all(not one.rings for one in phantom.studies[4].readings)


def test_answers_are_the_rows_of_whole_studies(phantom):
    known, found = labels(phantom), rows(phantom)
    for study in phantom.studies:
        for reading in study.readings:
            said = [
                known[row["labelId"]][1]["name"]
                for row in found
                if row["StudyInstanceUID"] == study.uid
                and known.get(row["labelId"], [""])[0] == reading.group
                and (row["createdById"] or "") == reading.creator
                and known[row["labelId"]][1]["scope"] == "STUDY"
            ]
            assert tuple(said) == reading.answers
            if reading.answers and reading.group == ADJUDICATION:
                assert set(study.labels) == set(reading.answers)


def test_rows_of_studies_lack_the_keys_of_images(phantom):
    known = labels(phantom)
    scopes = Counter()
    for row in rows(phantom):
        scope = known[row["labelId"]][1]["scope"] if row["labelId"] in known else "INSTANCE"
        scopes[scope] += 1
        assert ("SeriesInstanceUID" in row) == (scope != "STUDY")
        assert ("SOPInstanceUID" in row) == (scope == "INSTANCE")
        if scope != "INSTANCE":
            nothing = {row[key] for key in ("data", "height", "width", "annotationNumber")}
            assert nothing == {None}
    assert scopes["SERIES"] == 1
    assert scopes["STUDY"] > 20


def test_sublabels_name_the_annotation_that_they_are_part_of(phantom):
    known, found = labels(phantom), {row["id"]: row for row in rows(phantom)}
    parts = [row for row in found.values() if row.get("parentId")]
    assert parts
    for row in parts:
        above = found[row["parentId"]]
        assert above["StudyInstanceUID"] == row["StudyInstanceUID"]
        assert above["createdById"] == row["createdById"]
        assert known[row["labelId"]][1]["parentId"] == above["labelId"]


def test_odd_annotations(phantom):
    known, found = labels(phantom), rows(phantom)
    first = phantom.studies[0].axial
    empty = [row for row in found if row.get("SOPInstanceUID") and row["data"] is None]
    assert len(empty) == 2
    assert {row["SOPInstanceUID"] for row in empty} <= set(first.sops)
    (gone,) = [row for row in found if row["labelId"] not in known]
    assert gone["labelId"] == "L_gone99"
    assert "annotationNumber" not in gone
    shapes = {
        known[row["labelId"]][1]["annotationMode"]: row["data"]
        for row in found
        if row is not gone and row["data"]
    }
    assert set(shapes["bbox"]) == {"x", "y", "width", "height"}
    assert set(shapes["location"]) == {"x", "y"}
    assert set(shapes["mask"]) == {"foreground", "background"}
    assert set(shapes["sphere"]) == {"center", "radius"}
    (masked,) = [
        row for row in found
        if row is not gone and "foreground" in (row["data"] or {})
        and known[row["labelId"]][1]["annotationMode"] == "freeform"
    ]  # fmt: skip
    assert known[masked["labelId"]][1]["name"] == "Other noninfectious opacity"
    assert any(row.get("confidence") == 1e-7 for row in found)
    assert any(row.get("updateHistory") for row in found)
    assert any(row.get("reviews") and row["reviewsPositiveCount"] == 1 for row in found)
    notes = {row["note"] for row in found if row.get("note")}
    assert any(not note.isascii() and "\\" in note and "\n" in note for note in notes)
    assert any("\u2028" in note for note in notes)
    assert "groupId" not in min(found, key=len)
    assert {len(row) for row in found} > {19}


def test_annotated_but_not_in_the_download(phantom):
    whole = document(phantom)
    listed = {study["StudyInstanceUID"]: study for study in whole["datasets"][0]["studies"]}
    annotated = {row["StudyInstanceUID"] for row in rows(phantom)}
    here = {study.uid for study in phantom.studies}
    absent, unlisted = phantom.absent
    assert annotated == here | {absent, unlisted}
    assert set(listed) == here | {absent}
    assert listed[absent]["number"] == "99"
    sops = {sop for _, series in every_series(phantom) for sop in series.sops}
    away = [row for row in rows(phantom) if row.get("SeriesInstanceUID") == phantom.absent_series]
    assert len(away) == 3
    assert {row["StudyInstanceUID"] for row in away} == {phantom.studies[3].uid}
    assert sops.isdisjoint(row["SOPInstanceUID"] for row in away)


def test_mistakes_are_where_the_readers_erred(phantom):
    found = {mistake.kind: mistake for mistake in phantom.mistakes}
    assert set(found) == {"false ring", "missing slice", "wrong exam label"}
    assert len(phantom.mistakes) == 3

    def reading(mistake):
        readings = phantom.study(mistake.study).readings
        return next(one for one in readings if one.creator == mistake.creator)

    false = found["false ring"]
    drawn = reading(false).masks[false.label]
    assert (drawn & false.voxels).sum() == false.voxels.sum() > 0
    assert not (false.voxels & (phantom.study(false.study).opacity > 0)).all(axis=0).any()
    missing = found["missing slice"]
    (z,) = missing.slices
    opacity = phantom.study(missing.study).opacity > 0
    assert np.array_equal(missing.voxels[z], opacity[z])
    slices = {ring.z for ring in reading(missing).rings}
    assert z not in slices
    assert {z - 1, z + 1} <= slices
    wrong = found["wrong exam label"]
    assert reading(wrong).answers == (wrong.said,) == ("Negative for pneumonia",)
    assert "Typical" in wrong.true
    assert (phantom.study(wrong.study).opacity > 0).any()


def test_clinical_workbook(phantom):
    table = sheet(phantom.clinical, "CT Pos - TCIA Submission")
    assert "Result " in table[0]
    assert "Anon Study UID" in table[0]
    assert [row[1] for row in table[1:]] == [study.uid for study in phantom.studies]
    assert table[1][0] == "419639-990001"


def sheet(path, name):
    book = python_calamine.CalamineWorkbook.from_path(str(path))
    assert book.sheet_names == [name]
    return book.get_sheet_by_name(name).to_python()


def test_progress_is_told_after_each_study(phantom, progress):
    assert progress == [(done, 5) for done in range(1, 6)]


def content(root):
    return {
        path.relative_to(root): hashlib.sha256(path.read_bytes()).digest()
        for path in root.rglob("*")
        if path.is_file()
    }


@pytest.mark.parametrize(
    ("make", "small"), [(make_ricord, (12, 32, 32)), (make_ricord_1c, (32, 35))]
)
def test_the_same_seed_gives_the_same_bytes(tmp_path, make, small):
    first, again, other = (
        make(tmp_path / name, small, seed).root for name, seed in (("a", 3), ("b", 3), ("c", 4))
    )
    assert content(first) == content(again)
    assert set(content(first).values()).isdisjoint(
        one for path, one in content(other).items() if path.name != "LICENSE"
    )


@pytest.mark.parametrize("make", [make_ricord, make_ricord_1c])
def test_nothing_is_written_beside_other_files(tmp_path, make):
    (tmp_path / "own.txt").write_text("mine")
    with pytest.raises(SaveError, match="is not empty"):
        make(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["own.txt"]


def test_radiographs_decode_to_the_truth(chests):
    assert chests.annotations.name.startswith("1c_mdai_rsna_project_")
    files = set(chests.images.rglob("*.dcm"))
    assert files == {shot.path for exam in chests.exams for shot in exam.shots}
    found = set()
    for exam in chests.exams:
        for shot in exam.shots:
            image, values = stored(shot.path)
            assert np.array_equal(values, shot.pixels)
            assert values.shape == SIZE
            assert values.max() < 2**image.BitsStored
            assert (image.SOPInstanceUID, image.SeriesInstanceUID) == (shot.sop, shot.series)
            assert (image.PatientID, image.StudyInstanceUID) == (exam.patient, exam.uid)
            assert image.Modality == shot.modality
            assert (image.PhotometricInterpretation == "MONOCHROME1") == shot.inverted
            assert shot.inverted == ("-SITE2-" in exam.patient)
            assert "SeriesDescription" in image or not shot.description
            assert not (shot.inverted and "SeriesDescription" in image)
            # Air beside the patient.
            assert (values[-6:, :2].mean() > 0.5 * values.max()) == shot.inverted
            found.add((str(image.file_meta.TransferSyntaxUID), shot.modality))
    assert found == {(LOSSLESS, "CR"), (LOSSLESS, "DX"), (EXPLICIT, "CR")}
    assert sorted(len(exam.shots) for exam in chests.exams) == [1, 1, 1, 2, 2, 2]
    together = chests.exams[1].shots
    assert together[0].series == together[1].series
    assert not np.array_equal(together[0].pixels, together[1].pixels)


def test_groups_of_readers(chests):
    names = [group["name"] for group in document(chests)["labelGroups"]]
    assert len(names) == 6
    studies = {name: set() for name in names}
    for row in rows(chests):
        if row["labelId"] in labels(chests):
            studies[labels(chests)[row["labelId"]][0]].add(row["StudyInstanceUID"])
    counts = sorted(len(found) for found in studies.values())
    assert counts[:3] == [1, 2, 2]
    assert min(counts[3:]) >= 8
    assert len(studies["Adjudication Group"]) == 2
    descriptions = {one["name"]: one["description"] for _, one in labels(chests).values()}
    assert descriptions["Negative for Pneumonia"] == "No lung opacities"


def test_answers_about_radiographs_are_those_of_the_file(chests):
    known = labels(chests)
    for exam in chests.exams:
        said = {}
        for row in rows(chests):
            if row["StudyInstanceUID"] == exam.uid and row["labelId"] in known:
                group, label = known[row["labelId"]]
                said.setdefault(group, []).append(label["name"])
        assert said == {one.group: list(one.answers) for one in exam.readings}


def test_majority_of_three(chests):
    typical, _, split, negative, _, twice = chests.exams
    assert typical.majority == ("Typical Appearance", "Severe (>4 zones)")
    assert split.appearance == "Atypical Appearance"
    assert not any("Appearance" in label for label in split.majority)
    assert split.said("Adjudication Group")
    assert "Atypical Appearance" in split.said("Adjudication Group")
    assert negative.majority == ("Negative for Pneumonia",)
    assert negative.said("Red Group") == ()
    assert negative.grade == ""
    two = {"Typical Appearance", "Indeterminate Appearance"}
    assert two < set(twice.said("Blue Group"))
    assert "Typical Appearance" in twice.majority


def test_withdrawn_and_unlisted_exams(chests):
    listed = {one["StudyInstanceUID"] for one in document(chests)["datasets"][0]["studies"]}
    annotated = {row["StudyInstanceUID"] for row in rows(chests)}
    here = {exam.uid for exam in chests.exams}
    assert listed == here | set(chests.withdrawn)
    assert annotated == listed | {chests.unlisted}
    assert len(chests.withdrawn) == 2


def test_one_exam_label_of_the_radiographs_is_wrong(chests):
    (mistake,) = chests.mistakes
    exam = chests.exam(mistake.study)
    assert exam.said(mistake.group) == (mistake.said,)
    assert mistake.true == f"{exam.appearance}, {exam.grade}"
    assert mistake.said not in mistake.true


def test_no_place_is_annotated_on_radiographs_but_one(chests):
    assert all("SOPInstanceUID" not in row for row in rows(chests))
    assert [row["data"] for row in rows(chests) if row["data"]] == [{"x": 12, "y": 30.5}]


def test_clinical_workbook_of_radiographs(chests):
    assert chests.clinical.name == "MIDRC-RICORD-1c Clinical Data Jan 13 2021 .xlsx"
    table = sheet(chests.clinical, "CR Pos - TCIA Submission")
    header = table[0]
    assert "Anon MRN " in header
    assert [name.strip() for name in header][:4] == [
        "Anon MRN", "Anon TCIA Study Date", "Anon Exam Description", "Anon Study UID"
    ]  # fmt: skip
    for row, exam in zip(table[1:], chests.exams, strict=True):
        assert f"MIDRC-RICORD-1C-{row[0]}" == exam.patient
        assert row[3] == exam.uid
    assert table[1][1] == dt.date(2004, 3, 18)
    assert table[2][1] == "4/1/2004"

"""MIDRC-RICORD: what is found, who said what, and where it is drawn."""

import json
import shutil
from threading import Event

import numpy as np
import pytest
import ricord_sample as sample
from dicom_samples import write_slice
from mosmed_sample import workbook
from skimage.draw import polygon

import napari_chest
from napari_chest.datasets import Ricord
from napari_chest.errors import ChestError, UnknownDatasetError

OPACITY = "Infectious opacity"


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    folder = tmp_path / "cache"
    monkeypatch.setenv("NAPARI_CHEST_CACHE", str(folder))
    return folder


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    return sample.build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def root(built, tmp_path):
    return shutil.copytree(built, tmp_path / "ricord")


@pytest.fixture
def root_1c(tmp_path):
    folder = tmp_path / "ricord-1c"
    folder.mkdir()
    return sample.build_1c(folder)


def changed(root, change):
    """The dataset after its export was changed as Python values."""
    values = json.loads((root / sample.DOCUMENT).read_bytes())
    change(values)
    (root / sample.DOCUMENT).write_bytes(sample.text_of(values))
    (root / sample.ZIPPED).unlink()
    return Ricord(root)


def annotation(values, code):
    annotations = values["datasets"][0]["annotations"]
    return next(one for one in annotations if one["id"] == f"A_{code}")


def texts(problems):
    return [problem.text for problem in problems]


def masks(dataset, case, reader):
    (reading,) = [one for one in dataset.readings(case) if one.reader == reader]
    return {mask.name: mask for mask in reading.masks}


# Cases


def test_annotated_series_come_first_then_axial_ones_then_the_rest(root):
    infos = Ricord(root).cases()
    assert [info.title for info in infos] == [
        "1A-419639-000082 · 4",
        "1A-440808-000012 · 4",
        "1A-440808-000012 · 1",
        "1A-440808-000012 · 6",
    ]
    assert [info.facts["Kind"] for info in infos] == ["axial", "axial", "scout", "COR"]
    assert dict(infos[1].facts) == {
        "Collection": "1A",
        "Kind": "axial",
        "Slices": "5",
        "Annotations": "9",
        "Readers": "3",
    }
    assert [info.id for info in infos[:2]] == [sample.AXIAL_82, sample.AXIAL_12]


def test_case_is_the_same_in_any_folders(root, tmp_path):
    """Identity comes from the headers: not from folders, file names or instance numbers."""
    flat = tmp_path / "flat" / "images"
    flat.mkdir(parents=True)
    for number, path in enumerate(sorted(root.rglob("*.dcm"))):
        shutil.copy(path, flat / f"IM{number * 7 % 13:04}{number}")
    shutil.copy(root / sample.DOCUMENT, flat.parent)
    here, there = napari_chest.open_dataset(root), napari_chest.open_dataset(flat.parent)
    assert [case.id for case in here.cases()] == [case.id for case in there.cases()]
    for case in here.cases():
        for one, other in zip(here.readings(case.id), there.readings(case.id), strict=True):
            assert not napari_chest.changes.compare(one, other)


def test_titles_are_all_different(root_1c):
    infos = Ricord(root_1c).cases()
    assert [info.title for info in infos[:2]] == [
        "1C-SITE2-000001 · 4 · image 1",
        "1C-SITE2-000001 · 4 · image 2",
    ]
    assert len({info.title for info in infos}) == len(infos) == 4


def test_series_that_is_annotated_but_broken_is_a_case(root):
    for path in sample.images(root, sample.AXIAL_12):
        path.write_bytes(b"no image")
    dataset = Ricord(root)
    assert sample.AXIAL_12 in {case.id for case in dataset.cases()}
    (problem,) = [p for p in dataset.problems(sample.AXIAL_12) if p.level == "error"]
    assert "none of its 5 files can be read" in problem.text
    assert all(reading.masks == () for reading in dataset.readings(sample.AXIAL_12))


def test_1b_has_images_and_no_annotations(root):
    (root / sample.DOCUMENT).unlink()
    (root / sample.ZIPPED).unlink()
    dataset = napari_chest.open_dataset(root)
    assert type(dataset) is Ricord
    assert [dataset.readings(case.id) for case in dataset.cases()] == [()] * 4
    assert dataset.annotation_files() == ()
    assert "There is no annotation export here, so nothing is annotated." in texts(
        dataset.problems()
    )


# Recognising


def test_folder_of_images_names_the_annotations_above(root):
    inner = root / sample.TREE
    with pytest.raises(UnknownDatasetError) as error:
        napari_chest.open_dataset(inner)
    assert error.value.nearby == root
    (lack,) = Ricord.missing(inner)
    assert sample.DOCUMENT in lack
    assert str(root) in lack


def test_folder_with_other_datasets_is_not_one(root):
    """A folder that holds a RICORD and something else is left to whoever opens the right one."""
    for name in ("holiday", "mine"):
        (root.parent / name).mkdir()
    assert Ricord.missing(root.parent)


def test_export_without_images_is_not_a_dataset(root):
    shutil.rmtree(root / "manifest-1608266677008")
    (lack,) = Ricord.missing(root)
    assert lack == f"DICOM images below the folder that holds {sample.DOCUMENT}"


def test_look_alike_is_told(root):
    """The other export of MD.ai has no annotations; it is named and is no annotation file."""
    values = {"datasets": [{"id": "D_1", "dicomMetadata": [{"StudyInstanceUID": "1.2"}]}]}
    (root / "dicom-metadata.json").write_text(json.dumps(values))
    dataset = Ricord(root)
    (problem,) = [p for p in dataset.problems() if p.files == ("dicom-metadata.json",)]
    assert "DICOM metadata" in problem.text
    assert "dicom-metadata.json" not in {path.name for path in dataset.annotation_files()}
    case = sample.AXIAL_12
    assert dataset.write(case, dataset.readings(case), root) == []


def test_zip_alone_is_read(root):
    plain = Ricord(root).readings(sample.AXIAL_12)
    (root / sample.DOCUMENT).unlink()
    zipped = napari_chest.open_dataset(root).readings(sample.AXIAL_12)
    assert [one.reader for one in zipped] == [one.reader for one in plain]
    for one, other in zip(plain, zipped, strict=True):
        assert not napari_chest.changes.compare(one, other)


def test_second_export_of_the_same_dataset_is_passed_over(root):
    (root / f"copy of {sample.DOCUMENT}").write_bytes((root / sample.DOCUMENT).read_bytes())
    dataset = Ricord(root)
    told = [p for p in dataset.problems() if "another export" in p.text]
    assert {p.files for p in told} == {(f"copy of {sample.DOCUMENT}",), (sample.ZIPPED,)}
    assert len(dataset.readings(sample.AXIAL_12)) == 3


def test_headers_are_remembered(root, cache):
    calls = []
    Ricord(root).prepare(lambda done, total: calls.append((done, total)))
    assert calls[-1] == (14, 14)
    (remembered,) = (path for path in cache.rglob("*") if path.is_file())
    assert b"RICORD" not in remembered.read_bytes()


def test_reading_headers_can_be_stopped(root):
    stop = Event()
    stop.set()
    with pytest.raises(ChestError, match="stop"):
        Ricord(root).prepare(stop=stop)


# Readers


def test_every_group_and_creator_is_a_reader(root):
    readings = Ricord(root).readings(sample.AXIAL_12)
    assert [reading.reader for reading in readings] == [
        sample.PURPLE,
        f"{sample.BLUE} · U_bbbbb1",
        f"{sample.BLUE} · U_bbbbb2",
    ]


def test_groups_of_one_name_are_told_apart(root):
    def rename(values):
        for group in values["labelGroups"]:
            group["name"] = "Team"

    names = [r.reader for r in changed(root, rename).readings(sample.AXIAL_12)]
    assert names == ["Team (G_purpl)", "Team (G_bluuu) · U_bbbbb1", "Team (G_bluuu) · U_bbbbb2"]


def test_masks_are_the_rings_as_opencv_draws_them(root):
    dataset = Ricord(root)
    grid = dataset.stream(sample.AXIAL_12).volume.grid
    assert grid.slice_ids == tuple(sample.sop_uid(12, 4, z) for z in range(5))
    own = masks(dataset, sample.AXIAL_12, sample.PURPLE)
    for name, label in ((OPACITY, "purplop"), ("Infectious cavity", "purplca")):
        for z in range(5):
            expected = sample.labels_of(root, sample.DOCUMENT, label, z)
            np.testing.assert_array_equal(own[name].labels[z] != 0, expected)
    # The overlap of two labels is in both.
    assert ((own[OPACITY].labels != 0) & (own["Infectious cavity"].labels != 0)).sum() == 25
    (segment,) = own[OPACITY].segments
    assert (segment.value, segment.color, segment.code) == (1, "#D500F9", "OP")


def test_rule_of_centres_can_be_chosen(root):
    own = masks(Ricord(root, rule="center"), sample.AXIAL_82, sample.PURPLE)
    ring = np.array([[3, 3], [6, 3], [6, 6.25], [3, 6]])
    expected = np.zeros(sample.SIZE, bool)
    expected[polygon(ring[:, 1], ring[:, 0], sample.SIZE)] = True
    np.testing.assert_array_equal(own[OPACITY].labels[1] != 0, expected)


def test_box_and_line_are_drawn(root):
    def add(values):
        line = sample.drawn("L1", "bluuuln", 12, 0, [[2, 6], [13, 6]], "U_bbbbb1")
        values["datasets"][0]["annotations"].append(line)

    dataset = changed(root, add)
    box = masks(dataset, sample.AXIAL_12, f"{sample.BLUE} · U_bbbbb2")["Suspicious box"]
    assert box.labels[1, 3:6, 2:7].all()
    assert box.labels.sum() == 15
    line = masks(dataset, sample.AXIAL_12, f"{sample.BLUE} · U_bbbbb1")["Measured line"]
    assert line.labels[0, 6, 2:14].all()


def test_study_labels_are_answered_with_the_first_case_of_a_study(root):
    dataset = Ricord(root)
    with_answers = [case.id for case in dataset.cases() if dataset.readings(case.id)[0].answers]
    assert with_answers == [sample.AXIAL_82, sample.AXIAL_12]
    assert dataset.readings(sample.AXIAL_12)[0].answers == {
        "exam:G_purpl": ("Infectious lung disease", "Infectious lung disease: Typical")
    }
    purple, blue = dataset.questions
    assert purple.text == f"Exam labels ({sample.PURPLE})"
    assert purple.several
    assert blue.choices == (
        "Infectious lung disease",
        "Infectious lung disease: Typical",
        "Effusion",
    )


def test_series_labels_are_answered_with_their_series(root):
    def add(values):
        label = sample.label("purpl", "ws", "Wrong series", "#000000")
        values["labelGroups"][0]["labels"].append(label | {"scope": "SERIES"})
        said = sample.of_study("S1", "purplws", 12, "U_aaaaa1")
        said["SeriesInstanceUID"] = sample.COR_12
        values["datasets"][0]["annotations"].append(said)

    dataset = changed(root, add)
    said = {case.id: dataset.readings(case.id)[0].answers for case in dataset.cases()}
    assert said[sample.COR_12] == {"exam:G_purpl": ("Wrong series",)}
    assert said[sample.SCOUT_12] == {"exam:G_purpl": ()}
    assert "Wrong series" not in said[sample.AXIAL_12]["exam:G_purpl"]


def test_offers_are_the_labels_that_can_be_drawn_and_are_not(root):
    dataset = Ricord(root)
    purple, blue, _ = dataset.readings(sample.AXIAL_12)
    assert dataset.offers(sample.AXIAL_12, purple) == ()
    (offer,) = dataset.offers(sample.AXIAL_12, blue)
    assert (offer.text, offer.name) == ("Add Infectious cavity", "Infectious cavity")


def test_annotations_are_listed_by_slice(root):
    listed = Ricord(root).annotations(sample.AXIAL_12)
    assert [(one.slice, one.text.split(" · ")[1]) for one in listed] == [
        *((1, f"A_{code}free") for code in ("P1", "P2", "P3", "P5", "B1", "B3")),
        *((2, f"A_{code}free") for code in ("P4", "B2")),
    ]
    assert listed[0].text == "freeform · A_P1free · first"
    y0, y1, x0, x1 = listed[2].box
    assert (y0 <= 1, y1 >= 3, x0 <= 12, x1 >= 14) == (True,) * 4


def test_source_headers_are_in_display_order(root):
    headers = Ricord(root).source_headers(sample.AXIAL_12)
    assert [h.sop_instance_uid for h in headers] == [sample.sop_uid(12, 4, z) for z in range(5)]


# What cannot be shown


def test_annotation_for_an_image_of_another_size_is_not_shown(root):
    def resize(values):
        annotation(values, "P1free")["width"] = 512

    dataset = changed(root, resize)
    own = masks(dataset, sample.AXIAL_12, sample.PURPLE)[OPACITY]
    assert not own.labels[1, 3, 3]
    (text,) = [t for t in texts(dataset.problems(sample.AXIAL_12)) if "A_P1free" in t]
    assert "12 rows and 512 columns, this one has 12 and 16" in text


def test_annotation_without_a_place_is_told(root):
    told = texts(Ricord(root).problems(sample.AXIAL_12))
    assert "Annotation A_P6free is not shown, but kept: it says nothing of where." in told


def test_annotation_on_an_image_that_is_left_out_of_the_stack_is_told(root):
    path = sample.images(root, sample.AXIAL_12)[3]  # numbered from the feet
    stored = sample.stored_values(1, (20, 20))
    more = {"StudyInstanceUID": sample.study_uid(12), "SeriesInstanceUID": sample.AXIAL_12}
    more["PatientID"] = "MIDRC-RICORD-1A-440808-000012"
    write_slice(path, 47.5, 4, stored=stored, SOPInstanceUID=sample.sop_uid(12, 4, 1), **more)
    dataset = Ricord(root)
    own = masks(dataset, sample.AXIAL_12, sample.PURPLE)
    assert own[OPACITY].labels.shape == (4, *sample.SIZE)
    assert own[OPACITY].labels.sum() == sample.labels_of(root, sample.DOCUMENT, "purplop", 2).sum()
    told = " ".join(texts(dataset.problems(sample.AXIAL_12)))
    assert "6 annotations (A_P1free, A_P2free, A_P3free and 3 more) are not shown" in told


def test_part_of_an_annotation_that_is_gone_is_told(root):
    def part(values):
        annotation(values, "G1glob")["parentId"] = "A_gone01"

    told = texts(changed(root, part).problems(sample.AXIAL_12))
    assert "Annotation A_G1glob is part of an annotation that is not there." in told


def test_images_without_a_public_code_are_named_after_their_study(root):
    for path in root.rglob("*.dcm"):
        path.write_bytes(path.read_bytes().replace(b"MIDRC-RICORD-1A", b"ANOTHER-PATIENT"))
    infos = napari_chest.open_dataset(root).cases()
    assert {info.title[:6] for info in infos} == {"…20000"}
    assert len({info.title for info in infos}) == 4
    assert all("Collection" not in info.facts for info in infos)


def test_what_is_not_in_the_download_is_counted(root):
    shutil.rmtree(root / sample.TREE / "MIDRC-RICORD-1A-440808-000012")
    (text,) = [t for t in texts(Ricord(root).problems()) if "not in this download" in t]
    assert "1 study" in text
    assert sample.study_uid(12) in text
    assert "their 9 annotations of images are not shown, but kept" in text


def test_annotated_series_that_is_missing_is_counted(root):
    for path in sample.images(root, sample.AXIAL_12):
        path.unlink()
    dataset = Ricord(root)
    assert sample.AXIAL_12 not in {case.id for case in dataset.cases()}
    (text,) = [t for t in texts(dataset.problems()) if "not in this download" in t]
    assert f"1 series ({sample.AXIAL_12})" in text


def test_image_of_another_patient_under_the_same_uid_is_an_error(root):
    folder = root / sample.TREE / "MIDRC-RICORD-1A-999999-000001"
    folder.mkdir()
    write_slice(
        folder / "1-001.dcm",
        SOPInstanceUID=sample.sop_uid(12, 4, 1),
        PatientID="MIDRC-RICORD-1A-999999-000001",
        StudyInstanceUID="1.2.9",
        SeriesInstanceUID="1.2.9.9",
    )
    errors = [p for p in Ricord(root).problems() if p.level == "error"]
    assert any("different patients" in p.text for p in errors)


def test_truncated_export_is_an_error_and_images_are_shown(root):
    content = (root / sample.DOCUMENT).read_bytes()
    (root / sample.DOCUMENT).write_bytes(content[: len(content) // 2])
    (root / sample.ZIPPED).unlink()
    dataset = napari_chest.open_dataset(root)
    (problem,) = [p for p in dataset.problems() if p.level == "error"]
    assert problem.files == (sample.DOCUMENT,)
    assert dataset.volume(sample.AXIAL_12).voxels.size


# Facts


def test_clinical_rows_are_joined_by_study(root):
    groups = {group.title: dict(group.rows) for group in Ricord(root).about(sample.AXIAL_12)}
    assert groups[sample.CLINICAL]["Result"] == "DETECTED"
    assert groups[sample.CLINICAL]["Age"] == "61"
    assert "metadata.csv" not in groups
    assert groups["Notes"]["Slice 2"] == f"{OPACITY}, {sample.PURPLE}: first"
    assert groups["Readers"][sample.PURPLE] == (
        "Infectious lung disease, Infectious lung disease: Typical"
    )


def test_clinical_rows_of_1c_are_joined_by_patient(root_1c):
    rows = (("Anon MRN", "Anon Exam Description "), ("SITE2-000002", "XR CHEST"))
    (root_1c / "MIDRC-RICORD-1c Clinical Data Jan 13 2021 .xlsx").write_bytes(workbook(rows))
    dataset = Ricord(root_1c)
    titles = [[g.title for g in dataset.about(case.id)] for case in dataset.cases()]
    assert ["Clinical" in " ".join(one) for one in titles] == [False, False, True, False]


# 1C


def test_readers_of_radiographs_stand_side_by_side(root_1c):
    dataset = Ricord(root_1c)
    one = dataset.cases()[0]
    assert one.modality == "CR"
    readings = dataset.readings(one.id)
    assert [r.reader for r in readings] == ["Reader A", "Reader B", "Reader C", "Adjudication"]
    assert readings[0].answers == {"exam:G_0": ("Typical Appearance", "Mild (1-2 zones)")}
    groups = {group.title: group.rows for group in dataset.about(one.id)}
    assert groups["Readers"] == (
        ("Reader A", "Typical Appearance, Mild (1-2 zones)"),
        ("Reader B", "Typical Appearance"),
        ("Reader C", "Atypical Appearance"),
        ("Adjudication", "Typical Appearance"),
        ("Class, majority", "Typical Appearance"),
        ("Class, adjudicated", "Typical Appearance"),
        ("Grade, majority", "no majority"),
    )


def test_majority_is_told_beside_what_was_adjudicated(root_1c):
    facts = [case.facts for case in Ricord(root_1c).cases()]
    assert [one.get("Class") for one in facts] == [
        "Typical Appearance",
        "Typical Appearance",  # both images are of one study
        "no majority",
        "no majority",  # the sparse group has no vote
    ]
    assert [one.get("Adjudicated") for one in facts] == [
        "Typical Appearance",
        "Typical Appearance",
        "Indeterminate Appearance",
        None,
    ]


def test_study_of_two_images_is_answered_once(root_1c):
    dataset = Ricord(root_1c)
    first, second = (dataset.readings(case.id) for case in dataset.cases()[:2])
    assert all(reading.answers for reading in first)
    assert not any(reading.answers for reading in second)


def test_unlisted_and_withdrawn_studies_are_told(root_1c):
    told = " ".join(texts(Ricord(root_1c).problems()))
    assert "a study that is not listed" in told
    assert f"1 study ({sample.study_uid(9)})" in told


def test_adjudication_can_be_answered_where_nobody_did(root_1c):
    dataset = Ricord(root_1c)
    last = dataset.readings(dataset.cases()[3].id)[-1]
    assert (last.reader, last.answers) == ("Adjudication", {"exam:G_4": ()})

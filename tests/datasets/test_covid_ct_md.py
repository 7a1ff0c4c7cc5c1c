"""COVID-CT-MD: rows, columns, versions and the quirks of real downloads."""

import os
import shutil

import numpy as np
import pytest
from covid_ct_md_sample import (
    CAP001,
    LABEL_INDEX,
    LOBE,
    LOBE_1,
    NORMAL001,
    P001,
    P002,
    SLICE,
    SLICE_1,
    SLICES,
    flip_one,
    flipped_records,
    index_text,
    lobe_labels,
    make_case,
    records,
    save_index,
)

from napari_chest import open_dataset
from napari_chest.changes import CellChange, compare
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.model import Reading, SliceLabels

COLUMNS = ("LLL", "LUL", "RLL", "RML", "RUL", "infected")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def values(dataset, case=P001, reader="updated-1", at=None):
    """The table of one reader, as numbers."""
    (found,) = [r for r in dataset.readings(case, at=at) if r.reader == reader]
    return found.slice_labels.values.astype(int)


def expected(row, version="updated-1", slices=SLICES):
    lobes = lobe_labels(version)[row, :slices]
    return np.concatenate([lobes, lobes.any(axis=1, keepdims=True)], axis=1).astype(int)


def readers(dataset, case=P001):
    return [reading.reader for reading in dataset.readings(case)]


def told(problems, word):
    """The one problem whose text holds the word."""
    found = [problem for problem in problems if word in str(problem)]
    assert len(found) == 1, [str(p) for p in problems]
    return found[0]


def with_row(reading, changes):
    """The reading with these (slice, column) cells set to these values, others as they are."""
    table = reading.slice_labels
    changed = table.values.copy()
    for (z, column), value in changes.items():
        changed[z, table.columns.index(column)] = value
    return Reading(reading.reader, slice_labels=table.with_values(changed))


def pairs_of(root):
    return {path.name: np.load(path) for path in root.glob("*.npy")}


def rewrite(root, change):
    """Replace every label array by ``change(name, array)``."""
    for name, array in pairs_of(root).items():
        np.save(root / name, change(name, array))


# Columns: head to feet


@pytest.mark.parametrize(("case", "row"), [(P001, 0), (P002, 1), (CAP001, 3)])
def test_column_k_is_the_kth_slice_from_head_to_feet(root, case, row):
    """Neither the order of file names nor ascending Slice Location, which would look plausible."""
    dataset = open_dataset(root)
    volume = dataset.volume(case)
    heights = [volume.grid.position(z, 0, 0)[2] for z in range(SLICES)]
    assert heights == sorted(heights, reverse=True)
    found = values(dataset, case)
    np.testing.assert_array_equal(found, expected(row))
    assert (found != found[::-1]).any(), "the sample can tell the directions apart"
    assert dataset.readings(case)[0].slice_labels.columns == COLUMNS
    assert dataset.readings(case)[0].slice_labels.any_column == "infected"


def test_missing_slice_keeps_labels_on_their_slices(root, out):
    """Slice 5 was lost: the labels below stay where they belong and its own are kept."""
    (root / P002 / "IM0005.dcm").unlink()
    dataset = open_dataset(root)
    np.testing.assert_array_equal(values(dataset, P002), np.delete(expected(1), 4, axis=0))
    assert "skip 5" in told(dataset.problems(P002), "labels are matched by Instance Number").text
    assert "columns without a slice" in str(dataset.problems(P002))
    edited = with_row(
        dataset.readings(P002)[0], {(4, "RML"): 1, (10, "RML"): 1, (10, "infected"): 1}
    )
    dataset.write(P002, [edited], out)
    was, now = records(root), records(out)
    changed = {record: now[record] for record in was if was[record] != now[record]}
    assert changed == {  # display slices 4 and 10 are columns 5 and 11, and 5 was infected before
        (LOBE_1, 1, 5, 3): 1,
        (LOBE_1, 1, 11, 3): 1,
        (SLICE_1, 1, 11): 1,
    }
    (found,) = dataset.compare(root, out)
    assert found.reading == compare(dataset.readings(P002)[0], edited)


def test_missing_last_slice_keeps_its_label(root, out):
    (root / P002 / "IM0012.dcm").unlink()
    rewrite(root, lambda name, array: _set(array, (1, 11), 1))
    dataset = open_dataset(root)
    np.testing.assert_array_equal(values(dataset, P002), expected(1)[:11])
    assert told(dataset.problems(P002), "updated-1 has labels in columns").level == "warning"
    dataset.write(P002, [flip_one(dataset.readings(P002)[0])], out)
    assert np.load(out / LOBE_1)[1, 11].all()
    assert np.load(out / SLICE_1)[1, 11] == 1


def _set(array, where, value):
    array[where] = value
    return array


@pytest.mark.parametrize(
    "numbers",
    [
        range(SLICES, 0, -1),
        [7] * SLICES,
        [0, *range(1, SLICES)],
        [*range(1, SLICES), 2_000_000_000],
    ],
    ids=["feet first", "all alike", "from zero", "absurd"],
)
def test_instance_numbers_that_count_no_slices_are_not_used(root, numbers):
    """Labels then follow the positions; and no memory is taken for two thousand million slices."""
    shutil.rmtree(root / P002)
    (root / P002).mkdir()
    for z, number in enumerate(numbers):
        make_case(root / "tmp", numbers=[z + 1])
        file = next((root / "tmp").iterdir())
        _renumber(file, number)
        file.rename(root / P002 / f"IM{z + 1:04}.dcm")
        (root / "tmp").rmdir()
    dataset = open_dataset(root)
    np.testing.assert_array_equal(values(dataset, P002), expected(1))


def _renumber(path, number):
    import warnings

    import pydicom

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        dataset.InstanceNumber = number
        dataset.save_as(path, enforce_file_format=False)


def test_series_longer_than_the_arrays(root, out):
    """Slices beyond the arrays show no labels and take none, others work."""
    rewrite(root, lambda name, array: array[:, :10])
    dataset = open_dataset(root)
    found = values(dataset)
    np.testing.assert_array_equal(found[:10], expected(0)[:10])
    assert not found[10:].any()
    ends = [p for p in dataset.problems(P001) if "arrays end at slice 10" in p.text]
    assert [problem.files[0] for problem in ends] == [LOBE_1, LOBE]  # once for each version
    reading = dataset.readings(P001)[0]
    with pytest.raises(SaveError, match="room for 10 slices"):
        dataset.write(P001, [with_row(reading, {(10, "LUL"): True})], out)
    assert not out.exists()
    dataset.write(P001, [flip_one(reading)], out)
    assert np.load(out / LOBE_1).shape == (4, 10, 5)


# Rows


def test_rows_are_positions_in_the_index_not_label_indices(root):
    """Label Index skips 2: cap001 has Label Index 4 and stands in the fourth row."""
    dataset = open_dataset(root)
    assert LABEL_INDEX[3] == 4
    np.testing.assert_array_equal(values(dataset, CAP001), expected(3))
    assert [c.id for c in dataset.cases()] == [P001, P002, CAP001, NORMAL001]


def test_old_arrays_are_in_the_order_of_label_index(root, out):
    """The 80-row arrays of 2020: a row for every Label Index, also for the one taken out."""

    def spread(name, array):
        old = np.zeros((max(LABEL_INDEX) + 1, *array.shape[1:]), array.dtype)
        old[list(LABEL_INDEX)] = array
        old[2, :3] = 1  # the patient that was taken out
        return old

    rewrite(root, spread)
    for name, old_name in ((SLICE, "Slice_level_labels.npy"), (LOBE, "Lobe_level_labels.npy")):
        (root / name).rename(root / old_name)
    dataset = open_dataset(root)
    assert dataset.problems() == []
    assert readers(dataset) == ["updated-1", "original"]
    np.testing.assert_array_equal(values(dataset, CAP001), expected(3))
    np.testing.assert_array_equal(values(dataset, P001, "original"), expected(0, "original"))
    original = dataset.readings(CAP001)[1]
    written = dataset.write(CAP001, [flip_one(original)], out)
    assert {path.name for path in written} == {"Slice_level_labels.npy", "Lobe_level_labels.npy"}
    assert np.load(out / "Lobe_level_labels.npy")[4, 0, 3] == 1
    assert {path.name for path in out.iterdir()} == {
        "Index.csv", SLICE_1, LOBE_1, "Slice_level_labels.npy", "Lobe_level_labels.npy",
    }  # fmt: skip


@pytest.mark.parametrize("rows", [3, 6, 80, 0])
def test_arrays_that_fit_neither_are_refused(root, out, rows):
    """Never guess: with neither order explained, no case shows labels."""

    def resized(name, array):
        return np.resize(array, (rows, *array.shape[1:])) if rows else array[:0]

    rewrite(root, resized)
    dataset = open_dataset(root)
    assert readers(dataset) == readers(dataset, CAP001) == []
    problem = told(dataset.problems(), f"updated-1 is not shown: its arrays have {rows} rows")
    assert problem.level == "error"
    assert set(problem.files) == {SLICE_1, LOBE_1}
    with pytest.raises(SaveError, match="no row"):
        dataset.write(P001, [_reading()], out)
    assert not out.exists()


def _reading(reader="updated-1", slices=SLICES):
    table = SliceLabels(COLUMNS, np.ones((slices, 6), bool), "infected")
    return Reading(reader, slice_labels=table)


def test_one_version_may_fit_and_the_other_not(root):
    for name in (SLICE_1, LOBE_1):
        np.save(root / name, np.load(root / name)[:3])
    dataset = open_dataset(root)
    assert readers(dataset) == ["original"]
    told(dataset.problems(), "updated-1 is not shown")


def test_row_without_a_label_index_in_old_arrays_is_not_guessed(root):
    rewrite(root, lambda name, array: np.resize(array, (5, *array.shape[1:])))
    text = index_text().replace("\r\n0,", "\r\n,")
    (root / "Index.csv").write_text(text, newline="")
    dataset = open_dataset(root)
    assert readers(dataset, P001) == []
    assert readers(dataset, P002) == ["updated-1", "original"]
    assert [p for p in dataset.problems() if "is not shown" in p.text] == []


def test_label_index_of_thousands_of_digits(root):
    """Python refuses to read such numbers, with an error that is not ours."""
    text = index_text().replace("\r\n0,", "\r\n" + "9" * 5000 + ",")
    (root / "Index.csv").write_text(text, newline="")
    assert readers(open_dataset(root)) == ["updated-1", "original"]


# Versions


def test_newest_version_comes_first(root):
    for version in ("updated-10", "updated-2", "mine"):
        np.save(root / f"Slice-level-labels-{version}.npy", np.load(root / SLICE))
        np.save(root / f"Lobe-level-labels-{version}.npy", np.load(root / LOBE))
    dataset = open_dataset(root)
    assert readers(dataset) == ["updated-10", "updated-2", "updated-1", "mine", "original"]
    assert dataset.new_reader() == "updated-11"


def test_unlabelled_is_not_all_negative(root):
    rewrite(root, lambda name, array: _set(array, 1, 0))
    dataset = open_dataset(root)
    assert dataset.readings(NORMAL001) == ()
    assert not values(dataset, P002).any()
    labels = {case.id: case.facts["Labels"] for case in dataset.cases()}
    assert labels == {
        P001: "9 infected",
        P002: "none infected",
        CAP001: "7 infected",
        NORMAL001: "not labelled",
    }


@pytest.mark.parametrize("gone", [SLICE_1, LOBE_1])
def test_half_a_pair(root, out, gone):
    """With the lobes alone, infected follows them; with the slices alone, no lobe is known."""
    (root / gone).unlink()
    dataset = open_dataset(root)
    reading = dataset.readings(P001)[0]
    assert reading.reader == "updated-1"
    if gone == SLICE_1:
        assert reading.slice_labels.columns == COLUMNS
        np.testing.assert_array_equal(values(dataset), expected(0))
        edited = flip_one(reading)
        changed = {(LOBE_1, 0, 0, 3): 1}
    else:
        assert reading.slice_labels.columns == ("infected",)
        assert reading.slice_labels.any_column is None
        np.testing.assert_array_equal(values(dataset)[:, 0], expected(0)[:, 5])
        edited = with_row(reading, {(0, "infected"): True})
        changed = {(SLICE_1, 0, 0): 1}
    dataset.write(P001, [edited], out)
    assert gone not in {path.name for path in out.iterdir()}
    was, now = records(root), records(out)
    assert {r: now[r] for r in was if was[r] != now[r]} == changed
    (found,) = dataset.compare(root, out)
    assert found.reading == compare(reading, edited)
    assert not compare(edited, dataset.readings(P001, at=out)[0])


def test_two_files_of_one_kind(root):
    """Old and new names side by side: the present release's name wins, and a problem says so."""
    np.save(root / "Slice_level_labels.npy", np.zeros_like(np.load(root / SLICE)))
    dataset = open_dataset(root)
    problem = told(dataset.problems(), "Both hold the slice labels of version original")
    assert set(problem.files) == {SLICE, "Slice_level_labels.npy"}
    np.testing.assert_array_equal(values(dataset, reader="original"), expected(0, "original"))


def test_dtype_and_padding_are_kept(root, out):
    dataset = open_dataset(root)
    dataset.write(P001, [flip_one(reading) for reading in dataset.readings(P001)], out)
    assert {name: array.dtype.str for name, array in pairs_of(out).items()} == {
        SLICE: "<i8", LOBE: "<f8", SLICE_1: "<i4", LOBE_1: "<f8",
    }  # fmt: skip
    for name, array in pairs_of(out).items():
        assert array.shape[:2] == (4, 200)
        assert not array[:, SLICES:].any()
        assert (out / name).stat().st_size == (root / name).stat().st_size


@pytest.mark.parametrize("dtype", [">i2", "|b1", "<f4", "<u8"])
def test_other_dtypes_and_orders_are_kept(root, out, dtype):
    rewrite(root, lambda name, array: np.asfortranarray(array.astype(dtype)))
    dataset = open_dataset(root)
    dataset.write(P002, [flip_one(dataset.readings(P002)[0])], out)
    was, now = records(root), records(out)
    assert {r: now[r] for r in was if was[r] != now[r]} == flipped_records(P002)
    assert np.load(out / LOBE_1).flags.f_contiguous
    np.testing.assert_array_equal(values(dataset, P002, at=out)[1:], expected(1)[1:])


def test_one_cell_is_its_bytes_and_no_others(root, out):
    dataset = open_dataset(root)
    dataset.write(P002, [flip_one(dataset.readings(P002)[0])], out)
    for name, at, size in ((LOBE_1, (1 * 200 + 0) * 5 + 3, 8), (SLICE_1, 1 * 200, 4)):
        was = np.frombuffer((root / name).read_bytes(), np.uint8)
        now = np.frombuffer((out / name).read_bytes(), np.uint8)
        start = 128 + at * size
        assert set(np.flatnonzero(was != now)) <= set(range(start, start + size))
        assert (was != now).any()


def test_untouched_cells_of_an_edited_row_keep_their_bytes(root, out):
    """Even a negative zero, which is equal to zero and has other bytes."""
    lobes = np.load(root / LOBE_1)
    lobes[1, 11] = -0.0
    np.save(root / LOBE_1, lobes)
    dataset = open_dataset(root)
    dataset.write(P002, [flip_one(dataset.readings(P002)[0])], out)
    now = np.load(out / LOBE_1)
    assert np.signbit(now[1, 11]).all()
    assert now[1, 0].tolist() == [0, 0, 0, 1, 0]


# Labels that are odd


@pytest.mark.parametrize("value", [2, -1, 0.5, np.nan, np.inf])
def test_other_values_refuse_only_that_reading(root, out, value):
    lobes = np.load(root / LOBE_1)
    lobes[1, 3, 2] = value
    np.save(root / LOBE_1, lobes)
    dataset = open_dataset(root)
    assert readers(dataset, P002) == ["original"]
    assert readers(dataset, P001) == ["updated-1", "original"]
    problem = told(dataset.problems(P002), "expected 0 and 1 only, found")
    assert problem.level == "error"
    assert f"{value:g}" in problem.text
    assert not [p for p in dataset.problems(P001) if p.level == "error"]
    with pytest.raises(SaveError, match="values other than 0 and 1"):
        dataset.write(P002, [_reading()], out)
    dataset.write(P001, [flip_one(dataset.readings(P001)[0])], out)
    dataset.write(P002, [flip_one(dataset.readings(P002)[0])], out)
    kept = np.load(out / LOBE_1)[1, 3, 2]
    assert kept == value or np.isnan([kept, value]).all()
    assert {change.case for change in dataset.compare(root, out)} == {"P001", "P002"}


def test_other_values_in_the_padding_refuse_too(root):
    slices = np.load(root / SLICE_1)
    slices[1, 150] = 9
    np.save(root / SLICE_1, slices)
    assert readers(open_dataset(root), P002) == ["original"]


def test_labels_beyond_the_last_slice_are_kept_and_told(root, out):
    rewrite(root, lambda name, array: _set(array, (0, 50), 1))
    dataset = open_dataset(root)
    for version in ("original", "updated-1"):
        assert told(dataset.problems(P001), f"version {version} has labels").level == "warning"
    assert not [p for p in dataset.problems(P002) if "beyond" in p.text or "columns" in p.text]
    reading = dataset.readings(P001)[0]
    cleared = reading.slice_labels.with_values(np.zeros((SLICES, 6), bool))
    dataset.write(P001, [Reading(reading.reader, slice_labels=cleared)], out)
    assert np.load(out / LOBE_1)[0].sum() == 5
    assert np.load(out / LOBE_1)[0, 50].all()
    assert np.load(out / SLICE_1)[0].sum() == np.load(out / SLICE_1)[0, 50] == 1


def test_infected_without_a_lobe_is_kept_until_edited(root, out):
    slices = np.load(root / SLICE_1)
    slices[0, 0] = 1
    np.save(root / SLICE_1, slices)
    dataset = open_dataset(root)
    assert "1 slices are infected without a lobe" in str(dataset.problems(P001))
    reading = dataset.readings(P001)[0]
    assert values(dataset)[0].tolist() == [0, 0, 0, 0, 0, 1]
    dataset.write(P001, [with_row(reading, {(1, "LUL"): True, (1, "infected"): True})], out)
    assert np.load(out / SLICE_1)[0, :2].tolist() == [1, 1]
    dataset.write(P001, [with_row(reading, {(0, "infected"): False})], out)
    assert np.load(out / SLICE_1)[0, :2].tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "array"),
    [
        (SLICE_1, np.zeros((4, 200, 5), np.int32)),
        (SLICE_1, np.zeros(4, np.int32)),
        (SLICE_1, np.int32(3)),
        (LOBE_1, np.zeros((4, 200))),
        (LOBE_1, np.zeros((4, 200, 6))),
        (LOBE_1, np.zeros((4, 199, 5))),
        (LOBE_1, np.zeros((5, 200, 5))),
        (SLICE_1, np.zeros((4, 200), "<c16")),
        (SLICE_1, np.zeros((4, 200), "<U3")),
    ],
)
def test_wrong_shape_or_type_leaves_that_version_out(root, name, array):
    np.save(root / name, array)
    dataset = open_dataset(root)
    assert readers(dataset) == ["original"]
    problem = told(dataset.problems(), "Label version updated-1 is not shown")
    assert problem.level == "error"
    assert "expected" in problem.text


class Bomb:
    def __init__(self, target):
        self.target = target

    def __reduce__(self):
        return os.mkdir, (os.fspath(self.target),)


def test_pickled_labels_are_never_unpickled(root, out, tmp_path):
    array = np.empty((4, 200), object)
    array[0, 0] = Bomb(tmp_path / "owned")
    np.save(root / SLICE_1, array, allow_pickle=True)
    dataset = open_dataset(root)
    assert readers(dataset) == ["original"]
    told(dataset.problems(), "never opened")
    dataset.problems(P001)
    before = (root / SLICE_1).read_bytes()
    for target in (out, root):
        dataset.write(P001, [flip_one(dataset.readings(P001)[0])], target)
        dataset.compare(root, target)
    assert (root / SLICE_1).read_bytes() == before
    assert not (tmp_path / "owned").exists()


# Index.csv


def save_text(root, text, encoding="utf-8"):
    (root / "Index.csv").write_bytes(text.encode(encoding))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(",", ";"),
        lambda text: text.replace(",", "\t"),
        lambda text: text.replace("\r\n", "\n") + "\n",
        lambda text: text.replace("Relative Path,Folder/ID", "Path,Folder"),
        lambda text: text.replace("Label Index", "label index"),
        lambda text: text.replace("\r\n", "\r\n\r\n"),
        lambda text: text.replace("cap001", "CAP001").replace("P001", "p001"),
        lambda text: text.replace("P001", '"P001 "'),
    ],
    ids=["semicolon", "tab", "LF", "old header", "case", "blank lines", "other case", "quotes"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1"])
def test_index_as_programs_save_it(root, out, change, encoding):
    save_text(root, change(index_text()), encoding)
    dataset = open_dataset(root)
    for case, row in ((P001, 0), (P002, 1), (CAP001, 3)):
        np.testing.assert_array_equal(values(dataset, case), expected(row))
    assert dataset.problems() == []
    dataset.write(P001, dataset.readings(P001), out)
    assert (out / "Index.csv").read_bytes() == (root / "Index.csv").read_bytes()


def test_index_in_latin_1_with_a_name(root):
    save_text(root, index_text().replace("./CAP/", "./Lungenentzündung/"), "latin-1")
    assert readers(open_dataset(root), CAP001) == ["updated-1", "original"]


@pytest.mark.parametrize(
    "content",
    [
        None,
        b"",
        b"\r\n",
        b"a,b,c\r\n1,2,3",
        b"Label Index,Diagnosis,Relative Path,Folder/ID",
        b"\xff\xfe",
        bytes(200),
        b"\0" * 10 + b"Folder/ID\n",
        "folder",
        "pipe",
    ],
)
def test_useless_index_shows_no_labels_and_says_why(root, out, content):
    (root / "Index.csv").unlink()
    if content == "folder":
        (root / "Index.csv").mkdir()
    elif content == "pipe":
        os.mkfifo(root / "Index.csv")
    elif content is not None:
        (root / "Index.csv").write_bytes(content)
    dataset = open_dataset(root)
    assert [case.id for case in dataset.cases()] == [P001, P002, CAP001, NORMAL001]
    assert readers(dataset) == []
    assert {case.facts["Labels"] for case in dataset.cases()} == {"not labelled"}
    assert [p for p in dataset.problems() if p.level == "error"]
    assert dataset.volume(P001).voxels.any()
    with pytest.raises(SaveError, match="no row"):
        dataset.write(P001, [_reading()], out)
    assert not out.exists()


def test_repeated_rows_use_the_first(root):
    save_index(root, leaves=("P001", "P002", "P002", "cap001"))
    dataset = open_dataset(root)
    np.testing.assert_array_equal(values(dataset, P002), expected(1))
    assert "more than one row" in told(dataset.problems(), "P002").text


def test_index_that_contradicts_the_folders(root):
    save_text(root, index_text().replace("1,COVID-19,", "1,CAP,"))
    dataset = open_dataset(root)
    assert told(dataset.problems(P002), "Index.csv says CAP").level == "warning"
    assert dataset.problems(P001) == []


# Folders


@pytest.mark.parametrize(
    ("covid", "cap"),
    [
        ("COVID-19 subjects", "CAP subjects"),
        ("COVID-19 Cases", "Cap Cases"),
        ("covid", "cap"),
        ("./COVID-19", "CAP"),
    ],
)
@pytest.mark.parametrize("inner", ["Sample data", "."])
def test_folder_names_drift(built, tmp_path, covid, cap, inner):
    root = tmp_path / "root"
    (root / inner).mkdir(parents=True)
    for name in (SLICE, LOBE, "Index.csv"):
        shutil.copy(built / name, root)
    shutil.copytree(built / P001, root / inner / covid / "p001")
    shutil.copytree(built / CAP001, root / inner / cap / "CAP001")
    dataset = open_dataset(root)
    cases = dataset.cases()
    assert [case.title for case in cases] == ["p001", "CAP001"]
    assert [case.facts["Diagnosis"] for case in cases] == ["COVID-19", "CAP"]
    for case, row in zip(cases, (0, 3), strict=True):
        np.testing.assert_array_equal(
            values(dataset, case.id, "original"), expected(row, "original")
        )


def test_clutter_is_no_case_and_no_slice(root):
    for name in ("P001 copy", "P", "x001", ".P009", "cap003"):
        (root / P001).parent.joinpath(name).mkdir()
    (root / P001).parent.joinpath("P010").write_text("a file")
    (root / P001 / "notes.txt").write_text("mine")
    (root / P001 / "._98C14734-ASSH_1.dcm").write_bytes(b"\0\5\x16\7")
    dataset = open_dataset(root)
    assert [case.title for case in dataset.cases()] == ["P001", "P002", "cap001", "normal001"]
    assert dataset.cases()[0].facts["Slices"] == "12"
    assert dataset.volume(P001).voxels.shape[0] == SLICES


def test_cases_are_ordered_as_people_count(root):
    for name in ("P10", "P9", "P100"):
        make_case((root / P001).parent / name, numbers=[1])
    titles = [case.title for case in open_dataset(root).cases()]
    assert titles == ["P001", "P002", "P9", "P10", "P100", "cap001", "normal001"]


def test_repeated_folders_show_no_labels(root, out):
    """Two folders named P001: nobody can say which one is labelled."""
    again = "COVID-19 Cases/p001"
    shutil.copytree(root / P001, root / again)
    dataset = open_dataset(root)
    assert {P001, again} <= {case.id for case in dataset.cases()}
    for case in (P001, again):
        assert readers(dataset, case) == []
        assert told(dataset.problems(case), "More than one folder is named").level == "error"
        assert dataset.volume(case).voxels.any()
    assert readers(dataset, P002) == ["updated-1", "original"]
    with pytest.raises(SaveError, match="no row"):
        dataset.write(P001, [_reading()], out)


def test_case_folder_that_leads_outside(root, tmp_path):
    outside = tmp_path / "private"
    shutil.move(root / P002, outside)
    (root / P002).symlink_to(outside)
    dataset = open_dataset(root)
    assert P002 not in {case.id for case in dataset.cases()}
    assert told(dataset.problems(), "leads outside the dataset").files == (P002,)
    inside = root / "elsewhere"
    shutil.move(root / CAP001, inside)
    (root / CAP001).symlink_to(inside)
    np.testing.assert_array_equal(values(open_dataset(root), CAP001), expected(3))


def test_slice_that_leads_outside_is_neither_shown_nor_read_for_facts(root, tmp_path):
    first = min((root / P001).glob("*.dcm"))
    shutil.copytree(root / P001, tmp_path / "private")
    for path in (root / P001).glob("*.dcm"):
        path.unlink()
        path.symlink_to(tmp_path / "private" / path.name)
    dataset = open_dataset(root)
    (case,) = [case for case in dataset.cases() if case.id == P001]
    assert "Sex" not in case.facts
    with pytest.raises(ReadError):
        dataset.volume(P001)
    assert first.is_symlink()
    assert readers(dataset, P002)


def test_label_array_that_leads_outside(root, out, tmp_path):
    outside = tmp_path / "private.npy"
    (root / LOBE_1).rename(outside)
    (root / LOBE_1).symlink_to(outside)
    dataset = open_dataset(root)
    assert readers(dataset) == ["original"]
    told(dataset.problems(), "leads outside the dataset")
    before = outside.read_bytes()
    dataset.write(P001, [flip_one(dataset.readings(P001)[0])], root)
    with pytest.raises(SaveError):
        dataset.write(P001, [_reading("updated-1")], root)
    assert outside.read_bytes() == before


def test_pipe_among_the_slices_does_not_hang(root):
    for number in range(5):
        os.mkfifo(root / P001 / f"00{number}.dcm")
    dataset = open_dataset(root)
    assert dataset.cases()
    assert dataset.volume(P001).voxels.shape[0] == SLICES


# Images


def test_slice_that_vanishes_after_the_listing(root):
    dataset = open_dataset(root)
    dataset.readings(P002)
    stream = dataset.stream(P002, first=0)
    (root / P002 / "IM0007.dcm").unlink()
    volume = stream.complete()
    assert told(stream.problems, "IM0007.dcm").level == "error"
    assert len(np.unique(volume.voxels[6])) == 1
    assert np.ptp(volume.voxels[5]) > 0
    np.testing.assert_array_equal(values(dataset, P002), expected(1))


@pytest.mark.parametrize("content", [b"", b"no DICOM at all", "half", "header"])
def test_damaged_slices_stop_nothing_else(root, content):
    """Labels stay on their slices, the rest is shown, and other cases are as ever."""
    path = root / P002 / "IM0003.dcm"
    whole = path.read_bytes()
    path.write_bytes({"half": whole[:-200], "header": whole[:300]}.get(content, content))
    dataset = open_dataset(root)
    stream = dataset.stream(P002)
    volume = stream.complete()
    said = [*dataset.problems(P002), *stream.problems]
    assert any("IM0003.dcm" in str(problem) for problem in said)
    lost = SLICES - len(volume.voxels)
    assert lost == (0 if content == "half" else 1)
    kept = np.delete(expected(1), [2], axis=0) if lost else expected(1)
    np.testing.assert_array_equal(values(dataset, P002), kept)
    assert dataset.problems(P001) == []
    assert np.ptp(dataset.volume(P001).voxels) > 0


def test_case_without_any_slice(root):
    for path in (root / P001).iterdir():
        path.unlink()
    dataset = open_dataset(root)
    assert dataset.cases()[0].facts["Slices"] == "0"
    for read in (dataset.volume, dataset.readings):
        with pytest.raises(ReadError, match="no readable DICOM slices"):
            read(P001)
    assert told(dataset.problems(P001), "image cannot be shown").level == "error"
    assert readers(dataset, P002)


# Writing


def test_new_version_is_a_new_pair(root, out):
    """A reader ``updated-2`` becomes two new files, made from the newest pair, in its dtypes."""
    dataset = open_dataset(root)
    assert dataset.new_reader() == "updated-2"
    newest = dataset.readings(P001)[0]
    edited = flip_one(Reading("updated-2", slice_labels=newest.slice_labels))
    written = dataset.write(P001, [edited], out)
    names = {"Slice-level-labels-updated-2.npy", "Lobe-level-labels-updated-2.npy"}
    assert {path.name for path in written} == names
    for name in (SLICE, LOBE, SLICE_1, LOBE_1, "Index.csv"):
        assert (out / name).read_bytes() == (root / name).read_bytes()
    lobes = np.load(out / "Lobe-level-labels-updated-2.npy")
    assert np.argwhere(lobes != np.load(root / LOBE_1)).tolist() == [[0, 0, 3]]
    assert np.load(out / "Slice-level-labels-updated-2.npy").dtype == np.int32
    assert {path.name for path in root.glob("*.npy")} == {SLICE, LOBE, SLICE_1, LOBE_1}
    (found,) = dataset.compare(root, out)
    assert found.reading == compare(newest, edited)
    assert dataset.readings(P001, at=out)[0].reader == "updated-2"
    # A second case goes into the same new version, and a third version follows on the newest.
    other = dataset.readings(P002)[0]
    dataset.write(P002, [flip_one(Reading("updated-2", slice_labels=other.slice_labels))], out)
    lobes = np.load(out / "Lobe-level-labels-updated-2.npy")
    assert np.argwhere(lobes != np.load(root / LOBE_1)).tolist() == [[0, 0, 3], [1, 0, 3]]
    third = dataset.readings(P002, at=out)[0].slice_labels
    dataset.write(P002, [Reading("updated-3", slice_labels=third)], out)
    assert (out / "Lobe-level-labels-updated-3.npy").read_bytes() == (
        out / "Lobe-level-labels-updated-2.npy"
    ).read_bytes()


def test_new_version_in_the_dataset_itself(root):
    dataset = open_dataset(root)
    before = {path.name: path.read_bytes() for path in root.glob("*.npy")}
    table = dataset.readings(P001)[0].slice_labels
    dataset.write(P001, [flip_one(Reading("updated-2", slice_labels=table))], root)
    assert {name: (root / name).read_bytes() for name in before} == before
    assert readers(dataset) == readers(open_dataset(root)) == ["updated-2", "updated-1", "original"]
    assert dataset.new_reader() == "updated-3"


@pytest.mark.parametrize("reader", ["you", "updated-3", "updated-02", "", "../x", "updated-2/x"])
def test_other_new_readers_are_refused(root, out, reader):
    dataset = open_dataset(root)
    for target in (out, root):
        with pytest.raises(SaveError, match="no label version of this dataset"):
            dataset.write(P001, [_reading(reader)], target)
    assert not out.exists()
    assert {path.name for path in root.glob("*.npy")} == {SLICE, LOBE, SLICE_1, LOBE_1}


@pytest.mark.parametrize("damaged", ["in the dataset", "in out"])
def test_new_version_never_takes_the_place_of_an_unreadable_one(root, out, damaged):
    """Somebody's updated-2 that we cannot read is still somebody's work."""
    name = "Lobe-level-labels-updated-2.npy"
    folder = root if damaged == "in the dataset" else out
    folder.mkdir(exist_ok=True)
    (folder / name).write_bytes(b"precious")
    dataset = open_dataset(root)
    table = dataset.readings(P001)[0].slice_labels
    with pytest.raises(SaveError):
        dataset.write(P001, [Reading("updated-2", slice_labels=table)], folder)
    assert (folder / name).read_bytes() == b"precious"
    if damaged == "in the dataset":
        assert dataset.new_reader() == "updated-3"
        dataset.write(P001, [Reading("updated-3", slice_labels=table)], root)
        assert (root / "Lobe-level-labels-updated-3.npy").exists()


def test_unreadable_labels_in_out_are_not_overwritten(root, out):
    dataset = open_dataset(root)
    dataset.write(P001, dataset.readings(P001), out)
    (out / SLICE_1).write_bytes(b"cut short by a crash")
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    with pytest.raises(SaveError, match="Move that file away"):
        dataset.write(P001, [flip_one(dataset.readings(P001)[0])], out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before


def test_links_that_lead_nowhere_or_out_are_not_written_through(root, out, tmp_path):
    out.mkdir()
    (out / LOBE_1).symlink_to(tmp_path / "not there.npy")
    dataset = open_dataset(root)
    with pytest.raises(SaveError, match="leads out of"):
        dataset.write(P001, [flip_one(dataset.readings(P001)[0])], out)
    assert not (tmp_path / "not there.npy").exists()
    assert [path.name for path in out.iterdir()] == [LOBE_1]


def test_label_version_that_appeared_meanwhile(root, out):
    """Somebody wrote updated-2 while we were at work: it is not corrected blindly."""
    dataset = open_dataset(root)
    table = dataset.readings(P001)[0].slice_labels
    name = "Lobe-level-labels-updated-2.npy"
    shutil.copy(root / LOBE_1, root / name)
    before = (root / name).read_bytes()
    for target in (root, out):
        with pytest.raises(ChangedOnDiskError) as error:
            dataset.write(P001, [flip_one(Reading("updated-2", slice_labels=table))], target)
        assert error.value.path == root / name
    assert (root / name).read_bytes() == before
    assert not out.exists()


def test_folder_with_labels_of_another_index_is_refused(root, out):
    out.mkdir()
    (out / "Index.csv").write_text("Folder/ID\nP777")
    dataset = open_dataset(root)
    with pytest.raises(SaveError, match=r"another Index\.csv"):
        dataset.write(P001, dataset.readings(P001), out)
    assert [path.name for path in out.iterdir()] == ["Index.csv"]


@pytest.mark.parametrize(
    "reading",
    [
        _reading(slices=SLICES - 1),
        _reading(slices=SLICES + 1),
        Reading("updated-1"),
        Reading("updated-1", slice_labels=SliceLabels(("infected",), np.ones((SLICES, 1), bool))),
        Reading(
            "updated-1",
            slice_labels=SliceLabels(COLUMNS[::-1], np.ones((SLICES, 6), bool), "infected"),
        ),
    ],
    ids=["too short", "too long", "no table", "other columns", "other order"],
)
def test_readings_that_do_not_fit_are_refused(root, out, reading):
    dataset = open_dataset(root)
    good = flip_one(dataset.readings(P001)[1])
    with pytest.raises(SaveError, match="Nothing was written"):
        dataset.write(P001, [good, reading], out)
    assert not out.exists()


def test_unlabelled_case_cannot_be_written(root, out):
    dataset = open_dataset(root)
    with pytest.raises(SaveError, match="no row"):
        dataset.write(NORMAL001, [_reading()], out)
    assert not out.exists()


# Comparing


def test_compare_tells_every_version_and_row(root, out):
    dataset = open_dataset(root)
    shutil.copytree(root, out)
    lobes, slices = np.load(out / LOBE), np.load(out / SLICE_1)
    lobes[2, 7, 4] = 1 - lobes[2, 7, 4]  # P003, which has no folder
    slices[3, 60] = 1  # padding of cap001
    np.save(out / LOBE, lobes)
    np.save(out / SLICE_1, slices)
    found = {(c.case, c.reading.reader): c.reading.cells for c in dataset.compare(root, out)}
    assert found == {
        ("row 2", "original"): (CellChange(7, "RUL", before=True, after=False),),
        ("cap001", "updated-1"): (CellChange(60, "infected", before=False, after=True),),
    }


@pytest.mark.parametrize("value", [2, np.nan])
def test_compare_sees_values_that_are_no_labels(root, out, value):
    dataset = open_dataset(root)
    shutil.copytree(root, out)
    lobes = np.load(out / LOBE)
    lobes[0, 4, 1] = value  # where 1 stood
    np.save(out / LOBE, lobes)
    (found,) = dataset.compare(root, out)
    assert [(cell.slice, cell.column) for cell in found.reading.cells] == [(4, "LUL")]
    assert dataset.compare(out, out) == ()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda out: (out / LOBE).unlink(),
        lambda out: [(out / LOBE).unlink(), (out / SLICE).unlink()],
        lambda out: (out / LOBE).write_bytes(b"torn"),
        lambda out: (out / SLICE).write_bytes((out / SLICE).read_bytes() + b"!"),
        lambda out: np.save(out / SLICE, np.load(out / SLICE).astype(np.int32)),
        lambda out: np.save(out / LOBE, np.asfortranarray(np.load(out / LOBE))),
        lambda out: np.save(out / LOBE, np.load(out / LOBE)[:, :150]),
    ],
    ids=["half gone", "gone", "torn", "longer", "dtype", "order", "trimmed"],
)
def test_compare_does_not_call_equal_what_differs_in_more_than_labels(root, out, spoil):
    dataset = open_dataset(root)
    shutil.copytree(root, out)
    spoil(out)
    with pytest.raises(ReadError):
        dataset.compare(root, out)


# Clinical facts


def clinical(root, text, name="clinical_data_COVID_CT_MD.csv"):
    (root / name).write_bytes(text.encode())


def test_clinical_facts_are_joined_by_folder(root):
    clinical(root, "Folder,Patient Gender,Patient Age,Fever\r\np001,F,061Y,1\r\nCAP001,M,040Y,0")
    dataset = open_dataset(root)
    facts = {case.id: case.facts for case in dataset.cases()}
    assert facts[P001]["Fever"] == "1"
    assert facts[CAP001]["Fever"] == "0"
    assert "Fever" not in facts[P002]
    assert not [p for p in dataset.problems(P001) if "disagree" in p.text]
    text = told(dataset.problems(CAP001), "disagree").text
    assert "sex M in the clinical table, F in the images" in text
    assert told(dataset.problems(CAP001), "disagree").level == "warning"


def test_clinical_age_that_contradicts(root):
    clinical(root, "Folder/ID,Gender,Age\nP001,Female,62")
    dataset = open_dataset(root)
    assert "age 62" in told(dataset.problems(P001), "disagree").text


def test_published_clinical_table_is_not_joined(root):
    """It has a running index and no folder, and counts patients otherwise than the release."""
    clinical(
        root, ",Diagnosis,Patient Gender,Patient Age,Fever\r\n0,COVID-19,F,061Y,1\r\n1,CAP,M,,"
    )
    dataset = open_dataset(root)
    assert "Fever" not in dataset.cases()[0].facts
    problem = told(dataset.problems(), "no column that names the case folder")
    assert problem.level == "note"
    assert problem.files == ("clinical_data_COVID_CT_MD.csv",)


def test_clinical_table_that_cannot_be_read(root):
    clinical(root, "")
    (root / "clinical folder.csv").mkdir()
    os.mkfifo(root / "clinical pipe.csv")
    dataset = open_dataset(root)
    assert dataset.cases()
    notes = [p for p in dataset.problems() if "Clinical facts are not shown" in p.text]
    assert len(notes) == 3
    assert readers(dataset) == ["updated-1", "original"]


# The published files


@pytest.fixture
def real(real_covid_ct_md):
    return open_dataset(real_covid_ct_md)


REAL_P001 = "Sample data/COVID-19 subjects/P001"
REAL_CAP002 = "Sample data/Cap subjects/cap002"
NAMES = (SLICE, LOBE, SLICE_1, LOBE_1)


def test_real_rows_and_columns(real):
    arrays = {name: np.load(real.root / name) for name in NAMES}
    assert [case.id for case in real.cases()] == [REAL_P001, REAL_CAP002]
    lines = (real.root / "Index.csv").read_text().splitlines()[1:]
    assert lines[55].startswith("56,CAP") and lines[55].endswith("cap002")  # noqa: PT018
    for case, row, count in ((REAL_P001, 0, 148), (REAL_CAP002, 55, 131)):
        assert readers(real, case) == ["updated-1", "original"]
        for reader, slices, lobes in (("original", SLICE, LOBE), ("updated-1", SLICE_1, LOBE_1)):
            found = values(real, case, reader)
            assert found.shape == (count, 6)
            np.testing.assert_array_equal(found[:, :5], arrays[lobes][row, :count])
            np.testing.assert_array_equal(found[:, 5], arrays[slices][row, :count])
        assert real.problems(case) == []
    infected = values(real, REAL_CAP002)[:, 5]
    assert np.flatnonzero(infected).tolist() == list(range(89, 119))
    assert real.problems() == []


def test_real_slices_run_from_head_to_feet(real):
    """cap002 is ill at the bases: in the other order its labels would lie in the upper lobes."""
    for case in (REAL_P001, REAL_CAP002):
        grid = real.stream(case).volume.grid
        heights = [grid.position(z, 0, 0)[2] for z in range(grid.shape[0])]
        np.testing.assert_allclose(np.diff(heights), -2, atol=1e-6)
    lobes = values(real, REAL_CAP002)
    assert lobes[:, [0, 2]].any()
    assert not lobes[:65].any()


def test_real_unedited_write_is_byte_identical(real, out):
    for case in real.cases():
        assert real.write(case.id, real.readings(case.id), out) == []
    for name in (*NAMES, "Index.csv"):
        assert (out / name).read_bytes() == (real.root / name).read_bytes()
    assert {path.name for path in out.iterdir()} == {*NAMES, "Index.csv"}


@pytest.mark.parametrize("case", [REAL_P001, REAL_CAP002])
@pytest.mark.parametrize("index", [0, 1], ids=["updated-1", "original"])
def test_real_one_cell_edit(real, out, case, index):
    row = {REAL_P001: 0, REAL_CAP002: 55}[case]
    slice_name, lobe_name = ((SLICE_1, LOBE_1), (SLICE, LOBE))[index]
    reading = real.readings(case)[index]
    table = reading.slice_labels.values
    free = int(np.flatnonzero(~table[:, 5])[3])
    ill = int(np.flatnonzero(table[:, 5] & ~table[:, 3])[0])
    for z, changed in ((free, 2), (ill, 1)):
        edited = with_row(reading, {(z, "RML"): True, (z, "infected"): True})
        folder = out / str(z)
        real.write(case, [edited], folder)
        lobe_change = np.argwhere(np.load(real.root / lobe_name) != np.load(folder / lobe_name))
        slice_change = np.argwhere(np.load(real.root / slice_name) != np.load(folder / slice_name))
        assert lobe_change.tolist() == [[row, z, 3]]
        assert slice_change.tolist() == ([[row, z]] if changed == 2 else [])
        same = {*NAMES, "Index.csv"} - {lobe_name} - ({slice_name} if changed == 2 else set())
        for name in same:
            assert (folder / name).read_bytes() == (real.root / name).read_bytes()
        (found,) = real.compare(real.root, folder)
        assert {(c.slice, c.column) for c in found.reading.cells} == (
            {(z, "RML"), (z, "infected")} if changed == 2 else {(z, "RML")}
        )

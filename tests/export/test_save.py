"""A save and its proof: what is on disk, what the proof says, and when it must not hold."""

import dataclasses
import errno
import os
import shutil
import sys
import tempfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from covid_ct_md_sample import (
    CAP001,
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
    records,
)

from napari_chest import open_dataset
from napari_chest.changes import AnswerChange, CaseChange, CellChange, MaskChange, ReadingChange
from napari_chest.datasets import CovidCtMd
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError
from napari_chest.export import Proof, export_readings, save, write_back
from napari_chest.export.proof import describe
from napari_chest.model import Reading, SliceLabels
from napari_chest.review.folder import review_folder, stamp

NAMES = {SLICE, LOBE, SLICE_1, LOBE_1, "Index.csv"}
FLIPPED = (  # what flip_one changes
    CellChange(0, "RML", before=False, after=True),
    CellChange(0, "infected", before=False, after=True),
)


@pytest.fixture
def dataset(root):
    return open_dataset(root)


@pytest.fixture
def review(root):
    return root.with_name("covid-ct-md-review")


@pytest.fixture
def clock(monkeypatch):
    """A clock that stands still."""
    monkeypatch.setattr(save, "stamp", lambda: "2026-01-02T03-04-05")
    return "2026-01-02T03-04-05"


def newest(dataset, case=P001):
    return dataset.readings(case)[0]


def corrected(dataset, *cases):
    return {case: [flip_one(newest(dataset, case))] for case in cases}


def changed(case):
    return CaseChange(case, ReadingChange("updated-1", FLIPPED))


def differing(before, after):
    was, now = records(before), records(after)
    assert was.keys() == now.keys()
    return {record: now[record] for record in was if was[record] != now[record]}


def tree(folder):
    return {path: path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def kept_texts(review):
    return [path.read_text() for path in sorted((review / "proof").iterdir())]


# Export


def test_export_is_proved_and_says_exactly_the_cells(dataset, root, review):
    before = tree(root)
    proof = export_readings(dataset, corrected(dataset, P001))
    assert proof.holds
    assert proof.kind == "export"
    assert proof.folder == review / "export"
    assert proof.meant == proof.found == proof.since_dataset == (changed("P001"),)
    assert proof.changed_files == (LOBE_1, SLICE_1)
    assert set(proof.identical_files) == {LOBE, SLICE, "Index.csv"}
    assert proof.refused == {}
    assert proof.doubts == proof.remarks == ()
    assert proof.backup is None
    assert differing(root, proof.folder) == flipped_records(P001)
    assert tree(root) == before
    assert proof.headline == "Proved: exactly 2 changes on disk, everything else identical."
    assert proof.lines() == [
        proof.headline,
        "  P001, updated-1: RML set on slice 1",
        "  P001, updated-1: infected set on slice 1",
        f"Changed file: {LOBE_1}",
        f"Changed file: {SLICE_1}",
        f"Byte for byte the same: Index.csv, {LOBE}, {SLICE}",
        f"Export: {review / 'export'}",
    ]


def test_proof_is_kept_as_text_in_the_review_folder(dataset, review):
    proof = export_readings(dataset, corrected(dataset, P001))
    assert kept_texts(review) == ["\n".join(proof.lines()) + "\n"]
    (path,) = (review / "proof").iterdir()
    assert path.name.endswith("-export.txt")
    datetime.strptime(path.name.removesuffix("-export.txt"), "%Y-%m-%dT%H-%M-%S")


def test_two_proofs_within_a_second_are_both_kept(dataset, review, clock):
    first = export_readings(dataset, corrected(dataset, P001))
    second = export_readings(dataset, corrected(dataset, P002))
    names = [f"{clock}-export-2.txt", f"{clock}-export.txt"]
    assert [path.name for path in sorted((review / "proof").iterdir())] == names
    assert kept_texts(review) == ["\n".join(p.lines()) + "\n" for p in (second, first)]


def test_earlier_exports_accumulate_and_are_listed(dataset, root, review):
    export_readings(dataset, corrected(dataset, P001))
    proof = export_readings(open_dataset(root), corrected(dataset, P002))
    assert proof.holds
    assert proof.found == proof.meant == (changed("P002"),)
    assert proof.since_dataset == (changed("P001"), changed("P002"))
    assert "With earlier saves, the export differs from the dataset in:" in proof.lines()
    assert "  P001, updated-1: RML set on slice 1" in proof.lines()
    expected = flipped_records(P001) | flipped_records(P002)
    assert differing(root, review / "export") == expected


def test_several_cases_and_versions_at_once(dataset, root, tmp_path):
    out = tmp_path / "elsewhere" / "out"
    wanted = corrected(dataset, P001, CAP001)
    wanted[P001].append(flip_one(dataset.readings(P001)[1]))
    proof = export_readings(dataset, wanted, out)
    assert proof.holds
    assert proof.folder == out
    assert {(c.case, c.reading.reader) for c in proof.found} == {
        ("P001", "updated-1"), ("P001", "original"), ("cap001", "updated-1"),
    }  # fmt: skip
    assert proof.headline == "Proved: exactly 6 changes on disk, everything else identical."
    expected = flipped_records(P001) | flipped_records(CAP001)
    expected |= {(LOBE, 0, 0, 3): 1, (SLICE, 0, 0): 1}
    assert differing(root, out) == expected


def test_unedited_export_is_proved_identical(dataset, root, review):
    proof = export_readings(dataset, {P001: dataset.readings(P001)})
    assert proof.holds
    assert proof.meant == proof.found == ()
    assert proof.headline == "Proved: nothing differed, every file is byte for byte the same."
    assert set(proof.identical_files) == NAMES
    for name in NAMES:
        assert (review / "export" / name).read_bytes() == (root / name).read_bytes()


def test_taking_back_an_earlier_export(dataset, root, review):
    original = newest(dataset)
    export_readings(dataset, corrected(dataset, P001))
    proof = export_readings(dataset, {P001: [original]})
    assert proof.holds
    assert [cell.after for cell in proof.found[0].reading.cells] == [False, False]
    assert proof.since_dataset == ()
    assert differing(root, review / "export") == {}


def test_new_version_is_proved_against_the_newest(dataset, root, review):
    table = newest(dataset).slice_labels
    reading = flip_one(Reading("updated-2", slice_labels=table))
    proof = export_readings(dataset, {P001: [reading]})
    assert proof.holds
    assert proof.found == (CaseChange("P001", ReadingChange("updated-2", FLIPPED)),)
    names = ("Lobe-level-labels-updated-2.npy", "Slice-level-labels-updated-2.npy")
    assert proof.changed_files == names
    assert set(proof.identical_files) == NAMES
    # The version after it is made from it, and proved against it.
    table = dataset.readings(P001, at=review / "export")[0].slice_labels
    third = np.array(table.values)
    third[1, [1, 5]] = True
    reading = Reading("updated-3", slice_labels=table.with_values(third))
    proof = export_readings(dataset, {P001: [reading]})
    assert proof.holds
    assert {cell.slice for cell in proof.found[0].reading.cells} == {1}


# Write back


def test_write_back_keeps_a_dated_backup_of_the_old_bytes(dataset, root, review):
    old = {name: (root / name).read_bytes() for name in NAMES}
    images = {path: c for path, c in tree(root).items() if path.suffix == ".dcm"}
    proof = write_back(dataset, corrected(dataset, P002))
    assert proof.holds
    assert proof.kind == "write back"
    assert proof.folder == root
    assert proof.backup.parent == review / "backup"
    datetime.strptime(proof.backup.name, "%Y-%m-%dT%H-%M-%S")
    assert {p.name: p.read_bytes() for p in proof.backup.iterdir()} == old
    assert proof.found == (changed("P002"),)
    assert differing(proof.backup, root) == flipped_records(P002)
    assert {p: c for p, c in tree(root).items() if p.suffix == ".dcm"} == images
    assert f"Backup of the files as they were: {proof.backup}" in proof.lines()
    assert f"Dataset: {root}" in proof.lines()
    assert kept_texts(review) == ["\n".join(proof.lines()) + "\n"]
    assert newest(open_dataset(root), P002).slice_labels.values[0, 3]


def test_backups_within_a_second_are_all_kept(dataset, root, review, clock):
    first = {name: (root / name).read_bytes() for name in NAMES}
    write_back(dataset, corrected(dataset, P001))
    proof = write_back(dataset, corrected(dataset, P002))
    assert proof.holds
    assert proof.backup.name == f"{clock}-2"
    backup = review / "backup" / clock
    assert {p.name: p.read_bytes() for p in backup.iterdir()} == first
    assert differing(backup, proof.backup) == flipped_records(P001)


def test_backup_that_cannot_be_made_stops_the_write(dataset, root, review):
    review.mkdir()
    (review / "backup").write_text("in the way")
    before = tree(root)
    with pytest.raises(SaveError, match="No backup can be made"):
        write_back(dataset, corrected(dataset, P001))
    assert tree(root) == before


def test_backup_that_is_cut_short_stops_the_write(dataset, root, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device")

    before = tree(root)
    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(SaveError, match=r"the disk is full\. Nothing was changed"):
        write_back(dataset, corrected(dataset, P001))
    assert tree(root) == before


# The proof must not hold


class Tampered(CovidCtMd):
    """A dataset whose write does something else besides."""

    def __init__(self, root, tamper):
        super().__init__(root)
        self.tamper = tamper

    def write(self, case_id, readings, out):
        written = super().write(case_id, readings, out)
        self.tamper(out)
        return written


def flip(name, *where, value=None):
    def tamper(out):
        array = np.load(out / name)
        array[where] = 1 - array[where] if value is None else value
        np.save(out / name, array)

    tamper.__name__ = f"{name} {where}"
    return tamper


def append(name):
    def tamper(out):
        (out / name).write_bytes((out / name).read_bytes() + b"\n")

    tamper.__name__ = f"append to {name}"
    return tamper


def remove(name):
    def tamper(out):
        (out / name).unlink()

    tamper.__name__ = f"remove {name}"
    return tamper


def retype(out):
    np.save(out / LOBE_1, np.load(out / LOBE_1).astype(np.float32))


@pytest.mark.parametrize("kind", ["export", "write back"])
@pytest.mark.parametrize(
    "tamper",
    [
        flip(LOBE_1, 0, 3, 3),  # the same case, another slice
        flip(LOBE_1, 1, 3, 3),  # another case
        flip(LOBE, 0, 3, 3),  # another version
        flip(SLICE_1, 2, 5),  # a case without images
        flip(LOBE_1, 0, 150, 0),  # padding
        flip(LOBE_1, 0, 0, 3),  # the edited cell, taken back
        flip(LOBE_1, 0, 2, 1, value=2),  # still true, but another number
        flip(LOBE_1, 1, 2, 1, value=np.nan),
        append(LOBE_1),
        append(SLICE),
        append("Index.csv"),
        remove(SLICE),
        remove(LOBE_1),
        remove("Index.csv"),
        retype,
    ],
    ids=lambda tamper: tamper.__name__,
)
def test_anything_else_that_changes_breaks_the_proof(root, review, kind, tamper):
    dataset = Tampered(root, tamper)
    run = export_readings if kind == "export" else write_back
    proof = run(dataset, corrected(dataset, P001))
    assert not proof.holds
    assert proof.headline.startswith("NOT proved")
    assert any("Meant:" in line for line in proof.lines())
    assert "    P001, updated-1: RML set on slice 1" in proof.lines()
    assert kept_texts(review) == ["\n".join(proof.lines()) + "\n"]


@pytest.mark.parametrize("tamper", [flip(LOBE, 0, 3, 3), append(SLICE), append("Index.csv")])
def test_unedited_save_that_changes_something_is_not_proved(root, tamper):
    dataset = Tampered(root, tamper)
    proof = export_readings(dataset, {P001: dataset.readings(P001)})
    assert not proof.holds
    assert proof.headline.startswith("NOT proved")


def test_write_that_does_nothing_is_not_proved(dataset, root, monkeypatch):
    monkeypatch.setattr(CovidCtMd, "write", lambda *args: [])
    proof = write_back(dataset, corrected(dataset, P001))
    assert not proof.holds
    assert proof.found == ()


def test_refusal_does_not_hide_that_something_else_changed(root):
    dataset = Tampered(root, flip(LOBE_1, 2, 3, 3))
    proof = export_readings(dataset, corrected(dataset, P001) | {NORMAL001: [newest(dataset)]})
    assert "normal001" in proof.refused
    assert proof.headline.startswith("NOT proved")


# Refusals


def unfit(dataset):
    """A reading of a slice too few."""
    table = newest(dataset).slice_labels
    return Reading("updated-1", slice_labels=table.with_values(table.values[:-1]))


@pytest.mark.parametrize("what", ["unlabelled", "unfit", "no table", "unknown reader", "no image"])
def test_refused_case_is_told_and_the_others_are_saved(dataset, root, review, what):
    bad = {
        "unlabelled": (NORMAL001, newest(dataset)),
        "unfit": (CAP001, unfit(dataset)),
        "no table": (CAP001, Reading("updated-1")),
        "unknown reader": (CAP001, Reading("you", slice_labels=newest(dataset).slice_labels)),
        "no image": (CAP001, newest(dataset)),
    }
    case, reading = bad[what]
    good = corrected(dataset, P001)
    if what == "no image":
        shutil.rmtree(root / CAP001)
        (root / CAP001).mkdir()
        dataset = open_dataset(root)
    proof = export_readings(dataset, {case: [reading], **good})
    title = case.rpartition("/")[2]
    assert list(proof.refused) == [title]
    assert not proof.holds
    assert proof.headline == "Not everything was saved: 1 case refused."
    assert any(line.startswith(f"  Refused {title}: ") for line in proof.lines())
    assert proof.found == proof.meant == (changed("P001"),)
    assert differing(root, review / "export") == flipped_records(P001)


def test_temporary_folder_that_cannot_be_made_stops_the_export(dataset, review, monkeypatch):
    def full(*_args, **_kwargs):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tempfile, "mkdtemp", full)
    with pytest.raises(SaveError, match="the disk is full"):
        export_readings(dataset, corrected(dataset, P001))
    assert not review.exists()


def test_case_that_is_not_there_is_refused_by_its_id(dataset):
    wanted = corrected(dataset, P001) | {"no such case": dataset.readings(P001)}
    proof = export_readings(dataset, wanted)
    assert list(proof.refused) == ["no such case"]
    assert proof.as_meant


def test_dataset_that_cannot_be_compared_says_nothing_against_the_export(
    dataset, root, monkeypatch
):
    """Of what was written now the proof is that it was read back."""
    compare = type(dataset).compare

    def compared(self, before, after):
        if before == root:
            raise ReadError(before, "it changed meanwhile")
        return compare(self, before, after)

    monkeypatch.setattr(type(dataset), "compare", compared)
    proof = export_readings(dataset, corrected(dataset, P001))
    assert proof.holds
    assert proof.since_dataset == ()
    assert "cannot be told" in proof.lines()[-1]
    assert "it changed meanwhile" in proof.lines()[-1]


def test_refused_reading_refuses_its_whole_case(dataset, root, review):
    readings = [
        flip_one(newest(dataset)),
        Reading("you", slice_labels=newest(dataset).slice_labels),
    ]
    proof = write_back(dataset, {P001: readings, **corrected(dataset, P002)})
    assert list(proof.refused) == ["P001"]
    assert differing(proof.backup, root) == flipped_records(P002)


@pytest.mark.parametrize("run", [export_readings, write_back])
def test_nothing_saved_raises(dataset, root, review, run):
    before = tree(root)
    for wanted in ({NORMAL001: [newest(dataset)]}, {P001: [unfit(dataset)]}, {}):
        with pytest.raises(SaveError, match="Nothing was written"):
            run(dataset, wanted)
    assert tree(root) == before
    assert not (review / "export").exists()
    assert not (review / "proof").exists()


@pytest.mark.parametrize("run", [export_readings, write_back])
def test_changed_original_is_refused(dataset, root, review, run):
    wanted = corrected(dataset, P001)
    np.save(root / LOBE, np.load(root / LOBE) * 0)
    before = tree(root)
    with pytest.raises(ChangedOnDiskError):
        run(dataset, wanted)
    assert tree(root) == before
    assert not (review / "export").exists()


def test_export_into_the_dataset_itself_is_refused(dataset, root, tmp_path):
    """Picked by mistake in a dialog, it would be a write back without a backup."""
    (tmp_path / "link").symlink_to(root)
    before = tree(root)
    for out in (root, tmp_path / "link", root / "x" / ".."):
        with pytest.raises(SaveError, match="is the dataset itself"):
            export_readings(dataset, corrected(dataset, P001), out)
    with pytest.raises(SaveError, match="inside the dataset"):
        export_readings(dataset, corrected(dataset, P001), root / "inner")
    assert tree(root) == before


def test_proof_that_cannot_be_kept_is_shown_all_the_same(dataset, root, review):
    """The corrections are in the dataset by then: an error would say otherwise."""
    review.mkdir()
    (review / "proof").write_text("in the way")
    proof = write_back(dataset, corrected(dataset, P001))
    assert proof.holds
    assert differing(proof.backup, root) == flipped_records(P001)
    assert "This proof is not kept" in proof.lines()[-1]


def test_failed_write_leaves_no_half_export(dataset, root, review, monkeypatch):
    export_readings(dataset, corrected(dataset, P002))
    before = {p.name: p.read_bytes() for p in (review / "export").iterdir()}

    def full(handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(SaveError, match="the disk is full"):
        export_readings(dataset, corrected(dataset, P001))
    assert {p.name: p.read_bytes() for p in (review / "export").iterdir()} == before


# In words


def proof_of(meant=(), found=(), **more):
    values = {"changed_files": (), "identical_files": (), "refused": {}} | more
    return Proof("export", Path("out"), meant, found, **values)


def test_order_of_changes_does_not_matter():
    cells = ReadingChange("r", FLIPPED)
    turned = ReadingChange("r", FLIPPED[::-1])
    assert proof_of((CaseChange("a", cells),), (CaseChange("a", turned),)).holds
    assert not proof_of((CaseChange("a", cells),), (CaseChange("b", cells),)).holds
    other = dataclasses.replace(cells, reader="s")
    assert not proof_of((CaseChange("a", cells),), (CaseChange("a", other),)).holds
    assert not proof_of((), (CaseChange("a", cells),)).holds
    assert not proof_of(doubts=("x",)).holds
    assert not proof_of(refused={"a": "b"}).holds
    assert proof_of().holds


def test_change_in_words():
    cells = [CellChange(z, "LUL", before=False, after=True) for z in (0, 1, 2, 6)]
    cells.append(CellChange(4, "LUL", before=True, after=False))
    masks = (MaskChange("lesions", 9, 5), MaskChange("lesions", 10, 7))
    assert describe(CaseChange("P001", ReadingChange("you", tuple(cells), masks))) == [
        "P001, you: LUL set on slices 1-3, 7",
        "P001, you: LUL cleared on slice 5",
        "P001, you: lesions, 12 voxels on slices 10-11",
    ]


# The review folder


def test_review_folder_is_beside_the_dataset(root, review):
    assert review_folder(root) == review
    assert review_folder(root / "x" / "..") == review
    assert not review.exists()
    link = root.with_name("link")
    link.symlink_to(root)
    assert review_folder(link) == review, "one folder, however the dataset is reached"


@pytest.mark.skipif(sys.platform != "linux", reason="XDG_DATA_HOME is Linux's")
def test_review_folder_in_the_users_data_folder(dataset, root, review, monkeypatch, tmp_path):
    """Where the folder beside the dataset cannot be written, as on a server or a CD."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "home"))
    real = os.access
    closed = {root.parent}
    monkeypatch.setattr(os, "access", lambda p, mode: Path(p) not in closed and real(p, mode))
    folder = review_folder(root)
    assert folder.is_relative_to(tmp_path / "home" / "napari-chest")
    assert folder.name.startswith("covid-ct-md-")
    assert folder.name.endswith("-review")
    assert review_folder(root) == folder
    proof = export_readings(dataset, corrected(dataset, P001))
    assert proof.holds
    assert proof.folder == folder / "export"
    assert not review.exists()
    other = tmp_path / "other" / root.name
    other.mkdir(parents=True)
    closed.add(other.parent)
    assert review_folder(other) != folder, "datasets of one name have folders of their own"
    review.mkdir()  # made by somebody who may: it is used although the parent is closed
    assert review_folder(root) == review
    closed.add(review)
    assert review_folder(root) == folder


def test_review_folder_of_a_whole_disk(monkeypatch, tmp_path):
    """The topmost folder of a disk has no name and nothing beside it."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    top = Path(Path.cwd().anchor)
    assert review_folder(top).name.startswith("dataset-")
    assert review_folder(top).name.endswith("-review")


def test_stamps_sort_by_time():
    moments = [datetime(2026, 1, 2, 3, 4, s) for s in (5, 6)] + [datetime(2026, 11, 1)]
    stamps = [stamp(moment) for moment in moments]
    assert stamps[0] == "2026-01-02T03-04-05"
    assert stamps == sorted(stamps)
    assert Path(stamp()).name == stamp(), "it is a file name"


def test_paths_that_are_no_text(built, tmp_path):
    """File names on Linux are bytes; a proof that tells of such a folder is kept all the same."""
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/covid-\xff"))
    try:
        shutil.copytree(built, root)
    except OSError:
        pytest.skip("this disk only takes names that are text")
    dataset = open_dataset(root)
    proof = export_readings(dataset, corrected(dataset, P001))
    assert proof.holds
    assert kept_texts(review_folder(root))[0].startswith("Proved")


def test_all_false_reading_can_be_saved(dataset, root, review):
    """Every label taken away: a case that is labelled, with none infected."""
    reading = newest(dataset)
    table = SliceLabels(reading.slice_labels.columns, np.zeros((SLICES, 6), bool), "infected")
    proof = export_readings(dataset, {P001: [Reading(reading.reader, slice_labels=table)]})
    assert proof.holds
    assert not np.load(review / "export" / LOBE_1)[0].any()
    (case,) = [c for c in open_dataset(root).cases() if c.id == P001]
    assert case.facts["Labels"] == "9 infected", "the dataset itself is untouched"


def test_questions_are_told_in_their_own_words():
    change = CaseChange("A", ReadingChange("you", answers=(AnswerChange("q1", ("x",), ()),)))
    assert describe(change, {"q1": "Severity"}) == ["A, you: Severity: now no answer"]
    assert describe(change) == ["A, you: q1: now no answer"]

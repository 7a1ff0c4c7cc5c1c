"""What every dataset promises, one rule per test. To add a dataset: add a `Sample` to SAMPLES."""

import errno
import hashlib
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bimcv_sample
import covid_ct_md_sample
import generic_sample
import mosmed_sample
import numpy as np
import pytest
import ricord_sample

import napari_chest
from napari_chest import changes
from napari_chest.datasets import DATASETS, Bimcv, CovidCtMd, Generic, MosMed, Ricord
from napari_chest.errors import (
    ChangedOnDiskError,
    ChestError,
    ReadError,
    SaveError,
    UnknownDatasetError,
)


def _files_in(root, case_id):
    return [path for path in (root / case_id).rglob("*") if path.is_file()]


@dataclass(frozen=True)
class Sample:
    """A small dataset and how to judge it without our own code.

    Attributes
    ----------
    build : makes it in a folder.
    edit : a reading with one record changed.
    edited_records : what `edit` of a case's first reading does to `records`, in all files.
    records : every record of the annotation files in a folder, by a reader that is not ours.
    add_unknown : adds content to the annotation files, and files, that no reader knows.
    images : the files of a case's image; by default those in the folder that is its id.
    remembers_headers : whether the case list is told by every header, which the user's cache folder
        remembers.
    """

    dataset: type[napari_chest.Dataset]
    build: Callable[[Path], Any]
    edit: Callable[[napari_chest.Reading], napari_chest.Reading]
    edited_records: Callable[[str], dict[Any, Any]]
    records: Callable[[Path], dict[Any, Any]]
    add_unknown: Callable[[Path], None]
    images: Callable[[Path, str], list[Path]] = _files_in
    remembers_headers: bool = False


SAMPLES = [
    Sample(
        CovidCtMd,
        covid_ct_md_sample.build,
        covid_ct_md_sample.flip_one,
        covid_ct_md_sample.flipped_records,
        covid_ct_md_sample.records,
        covid_ct_md_sample.add_unknown,
    ),
    Sample(
        MosMed,
        mosmed_sample.build,
        mosmed_sample.paint_one,
        mosmed_sample.painted_records,
        mosmed_sample.records,
        mosmed_sample.add_unknown,
        mosmed_sample.images,
    ),
    Sample(
        Bimcv,
        bimcv_sample.build,
        bimcv_sample.paint_one,
        bimcv_sample.painted_records,
        bimcv_sample.records,
        bimcv_sample.add_unknown,
        bimcv_sample.images,
    ),
    Sample(
        Ricord,
        ricord_sample.build,
        ricord_sample.paint_one,
        ricord_sample.painted_records,
        ricord_sample.records,
        ricord_sample.add_unknown,
        ricord_sample.images,
        remembers_headers=True,
    ),
    Sample(
        Generic,
        generic_sample.build,
        generic_sample.paint_one,
        generic_sample.painted_records,
        generic_sample.records,
        generic_sample.add_unknown,
        generic_sample.images,
    ),
]

# Everything the process opens for writing, renames, links, removes or makes, while it is watched.
_watched: list[str] | None = None
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_opened: list[str] = []
CACHE = "NAPARI_CHEST_CACHE"


def _audit(event, arguments):
    if _watched is None:
        return
    if event == "open" and isinstance(arguments[0], str | bytes | os.PathLike):
        name = os.fsdecode(arguments[0])
        _opened.append(name)
        if isinstance(arguments[2], int) and arguments[2] & _WRITES:
            _watched.append(name)
    elif event in {"os.rename", "os.link", "os.symlink"}:
        _watched.extend(os.fsdecode(name) for name in arguments[:2])
    elif event in {"os.remove", "os.mkdir", "os.rmdir", "os.truncate", "os.chmod", "os.utime"}:
        _watched.append(os.fsdecode(arguments[0]))


sys.addaudithook(_audit)


@contextmanager
def watching():
    """Lists of the paths that are written and of those that are opened meanwhile."""
    global _watched
    _watched, written = [], []
    _opened.clear()
    try:
        yield written, _opened
    finally:
        cache = os.environ[CACHE]  # which is meant to be written
        written += [path for path in _watched if not Path(path).is_relative_to(cache)]
        _watched = None


def tree(folder):
    """Every path below a folder with its bytes' hash, mode and time."""
    found = {}
    for path in sorted(folder.rglob("*")):
        stat = path.lstat()
        content = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
        found[path.relative_to(folder).as_posix()] = (content, stat.st_mode, stat.st_mtime_ns)
    return found


def contents(folder):
    return {path: entry[0] for path, entry in tree(folder).items()}


@pytest.fixture(autouse=True)
def cache(tmp_path_factory, monkeypatch):
    """What programs remember for the user is not remembered from one test to the next."""
    monkeypatch.setenv(CACHE, str(tmp_path_factory.mktemp("cache")))


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    folders = {}
    for sample in SAMPLES:
        folder = tmp_path_factory.mktemp("built") / "dataset"
        folder.mkdir()
        sample.build(folder)
        folders[sample.dataset] = folder
    return folders


@pytest.fixture(params=SAMPLES, ids=lambda sample: sample.dataset.name)
def sample(request):
    return request.param


@pytest.fixture
def root(sample, built, tmp_path):
    folder = tmp_path / "data" / "dataset"
    shutil.copytree(built[sample.dataset], folder, symlinks=True)
    return folder


@pytest.fixture
def dataset(root):
    return napari_chest.open_dataset(root)


@pytest.fixture
def out(tmp_path):
    """A folder that does not exist yet."""
    return tmp_path / "data" / "elsewhere" / "out"


def read_cases(dataset):
    """Cases about which something is said."""
    return [case.id for case in dataset.cases() if dataset.readings(case.id)]


def edited(sample, dataset, case_id, at=None):
    """The case's first reading with one record changed."""
    return sample.edit(dataset.readings(case_id, at=at)[0])


def differing(sample, before, after):
    was, now = sample.records(before), sample.records(after)
    assert was.keys() == now.keys()
    return {record: now[record] for record in was if was[record] != now[record]}


def files_of(records):
    return {record[0] for record in records}


# Recognising


def test_every_dataset_has_a_sample():
    assert {sample.dataset for sample in SAMPLES} == set(DATASETS)
    assert len({dataset.name for dataset in DATASETS}) == len(DATASETS)


def test_recognises_its_own_folder_alone(sample, root):
    """A dataset is recognised by its own class first, and by no other but general ones."""
    takers = [d for d in DATASETS if not d.missing(root)]
    assert takers[0] is sample.dataset
    assert all(d.general for d in takers[1:])
    dataset = napari_chest.open_dataset(str(root))
    assert type(dataset) is sample.dataset
    assert dataset.root == root
    assert dataset.title
    assert dataset.name


@pytest.mark.parametrize("what", ["empty", "file", "nothing", "random", "link loop"])
def test_says_why_not(sample, tmp_path, what):
    """Anything else is refused, and every dataset says what it missed."""
    path = tmp_path / "thing"
    if what in {"empty", "random"}:
        path.mkdir()
    if what == "random":
        (path / "holiday").mkdir()
        (path / "holiday" / "IMG_0001.jpg").write_bytes(b"\xff\xd8\xff")
        (path / "data.csv").write_text("a,b\n1,2\n")
    if what == "file":
        path.write_text("no folder")
    if what == "link loop":
        path.symlink_to(path)
    lacks = sample.dataset.missing(path)
    assert lacks
    assert all(isinstance(one, str) and one for one in lacks)
    with pytest.raises(UnknownDatasetError) as error:
        napari_chest.open_dataset(path)
    assert error.value.nearby is None
    assert set(error.value.missing) == {d.title for d in DATASETS}
    for title, missed in error.value.missing.items():
        assert title in str(error.value)
        assert all(one in str(error.value) for one in missed)
    assert str(path) in str(error.value)


def test_one_level_too_deep_names_the_folder_above(sample, root):
    """Opening a folder inside a dataset leads to the dataset, though it may hold images."""
    if sample.dataset.general:
        pytest.skip("every folder of images is one")
    inner = next(path for path in sorted(root.iterdir()) if path.is_dir())
    with pytest.raises(UnknownDatasetError) as error:
        napari_chest.open_dataset(inner)
    assert error.value.nearby == root
    assert f"open {root} instead" in str(error.value)


# Reading


def test_cases_are_stable(dataset, root):
    """The same folder gives the same cases, in the same order, with unique ids."""
    first, again = dataset.cases(), napari_chest.open_dataset(root).cases()
    assert list(first) == list(again) == list(dataset.cases())
    assert len(first) >= 2
    assert len({case.id for case in first}) == len(first)
    for case in first:
        assert case.title
        assert all(isinstance(v, str) and v for v in case.facts.values())
        assert {"Patient", "Name"}.isdisjoint(case.facts)


def test_cases_are_cheap(sample, dataset, monkeypatch):
    """A case list decodes no pixel and opens few of the image files."""

    def refuse(*args, **kwargs):
        raise AssertionError("a pixel was decoded for the case list")

    monkeypatch.setattr("napari_chest.files.dicom.pixels.decode_into", refuse)
    monkeypatch.setattr("napari_chest.files.dicom.stream.decode_into", refuse)
    with watching() as (_, opened):
        count = len(dataset.cases())
    images = [name for name in opened if name.endswith((".dcm", ".nii", ".nii.gz", ".png"))]
    if dataset.general:  # only the headers tell how many cases a folder holds
        assert len(images) == len(set(images))
    elif not sample.remembers_headers:
        assert len(set(images)) <= 3 * count
    with watching() as (_, opened):
        dataset.cases()
    assert opened == []


def test_volume_is_read_only_and_on_its_grid(dataset):
    """A volume is (Z, Y, X), cannot be written to, and its grid is that shape."""
    for case in dataset.cases():
        volume = dataset.volume(case.id)
        assert volume.voxels.ndim == 3
        assert volume.voxels.shape == volume.grid.shape
        assert volume.modality == case.modality
        assert len(volume.grid.slice_ids) == len(set(volume.grid.slice_ids)) == len(volume.voxels)
        assert np.isfinite(volume.grid.affine).all()
        assert abs(np.linalg.det(volume.grid.affine[:3, :3])) > 0
        assert min(volume.grid.spacing) > 0
        assert np.ptp(volume.voxels) > 0
        with pytest.raises(ValueError, match="read-only"):
            volume.voxels[0, 0, 0] = 1
        with pytest.raises(ValueError, match="read-only"):
            volume.grid.affine[0, 0] = 1


def test_stream_starts_where_asked_and_may_stop(dataset):
    """The slice asked for comes first and is whole; every slice comes once; stopping is safe."""
    case = dataset.cases()[0].id
    whole = dataset.volume(case).voxels
    for first in (0, len(whole) - 1, len(whole) // 2):
        stream = dataset.stream(case, first=first)
        assert next(stream.slices) == first
        np.testing.assert_array_equal(stream.volume.voxels[first], whole[first])
        stream.slices.close()
        assert list(stream.slices) == []
    stream = dataset.stream(case)
    assert sorted(stream.slices) == list(range(len(whole)))
    assert stream.problems == []
    np.testing.assert_array_equal(stream.volume.voxels, whole)


def test_readings_are_read_only_and_fit_the_volume(dataset):
    """What is said about a case has the case's shape and cannot be written to."""
    seen = 0
    for case in dataset.cases():
        shape = dataset.stream(case.id).volume.grid.shape
        readings = dataset.readings(case.id)
        assert len({reading.reader for reading in readings}) == len(readings)
        for reading in readings:
            seen += 1
            for mask in reading.masks:
                assert mask.labels.shape == shape
                assert mask.labels.dtype in (np.uint8, np.uint16)
                assert not mask.labels.flags.writeable
                assert set(np.unique(mask.labels)) <= {0} | {s.value for s in mask.segments}
            if reading.slice_labels is not None:
                table = reading.slice_labels
                assert table.values.shape == (shape[0], len(table.columns))
                assert table.values.dtype == bool
                assert not table.values.flags.writeable
                assert table.any_column is None or table.any_column in table.columns
            assert set(reading.answers) <= {question.key for question in dataset.questions}
    assert seen >= 2


def test_what_is_adjudicated_is_written_under_a_reader_that_is_there(dataset):
    for case in dataset.cases():
        readings = dataset.readings(case.id)
        target = dataset.adjudicated_as(readings)
        assert target in {reading.reader for reading in readings} if readings else target is None


def test_a_blank_reading_says_nothing_and_fits_the_volume(dataset):
    for case in dataset.cases():
        shape = dataset.volume(case.id).grid.shape
        blank = dataset.blank(case.id, shape[0])
        assert not any(mask.labels.any() for mask in blank.masks)
        assert not any(blank.answers.values())
        if blank.slice_labels is not None:
            assert len(blank.slice_labels.values) == shape[0]
            assert not blank.slice_labels.values.any()


def test_sound_sample_has_no_errors(dataset):
    """Nothing is called an error where nothing is wrong."""
    told = [*dataset.problems(), *(p for c in dataset.cases() for p in dataset.problems(c.id))]
    assert [str(problem) for problem in told if problem.level == "error"] == []


def test_reading_leaves_no_file_open(dataset):
    """After a volume, a stream stopped early and the readings, no file is open."""
    process = pytest.importorskip("psutil").Process()
    before = {file.path for file in process.open_files()}
    for case in dataset.cases():
        dataset.volume(case.id)
        stream = dataset.stream(case.id)
        next(stream.slices)
        stream.slices.close()
        dataset.readings(case.id)
        dataset.problems(case.id)
    assert {file.path for file in process.open_files()} <= before


def test_reading_writes_nothing(sample, root):
    """Everything that only reads leaves the dataset, and the rest of the disk, as it was."""
    before = tree(root)
    with watching() as (written, _):
        dataset = napari_chest.open_dataset(root)
        for case in dataset.cases():
            dataset.volume(case.id)
            dataset.readings(case.id)
            dataset.problems(case.id)
        dataset.problems()
        dataset.annotation_files()
        dataset.compare(root, root)
        dataset.new_reader()
    assert written == []
    assert tree(root) == before


@pytest.mark.skipif(os.name == "nt", reason="Windows has no read-only folders")
def test_read_only_folder_can_be_read_and_written_from(sample, built):
    """A dataset on a read-only medium opens, and its corrections go elsewhere."""
    with tempfile.TemporaryDirectory() as folder, unprivileged(Path(folder), built, sample) as root:
        out = root.with_name("out")
        with pytest.raises(PermissionError):
            (root / "probe").touch()
        dataset = napari_chest.open_dataset(root)
        case = read_cases(dataset)[0]
        assert dataset.volume(case).voxels.size
        dataset.write(case, [edited(sample, dataset, case)], out)
        assert differing(sample, root, out) == sample.edited_records(case)
        before = tree(root)
        with pytest.raises(SaveError, match="permission"):
            dataset.write(case, [edited(sample, dataset, case)], root)
        assert tree(root) == before


@contextmanager
def unprivileged(folder, built, sample):
    """The dataset read-only in a folder of nobody's; root, whom nothing stops, is nobody here."""
    root = folder / "place" / "dataset"
    shutil.copytree(built[sample.dataset], root)
    for path in (root, *root.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    privileged = os.geteuid() == 0
    if privileged:
        read_cases(napari_chest.open_dataset(root))  # imports what nobody might not be let to
        folder.chmod(0o755)
        for path in (root.parent, root, *root.rglob("*")):
            os.chown(path, 65534, 65534)
        os.seteuid(65534)
    try:
        yield root
    finally:
        if privileged:
            os.seteuid(0)
        for path in (root, *root.rglob("*")):
            path.chmod(0o755)


def test_unknown_case_is_a_read_error(dataset, out):
    asked = (
        lambda: dataset.stream("no such case"),
        lambda: dataset.write("no such case", [napari_chest.Reading("nobody")], out),
    )
    for ask in asked:
        with pytest.raises((ReadError, SaveError)):
            ask()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such folders")
@pytest.mark.parametrize("mode", [0o000, 0o600])
def test_folders_that_may_not_be_looked_into_stop_nothing_else(sample, built, mode):
    """Whatever is in them, what they say is a problem or an error of ours."""
    with tempfile.TemporaryDirectory() as folder, unprivileged(Path(folder), built, sample) as root:
        for inner in [path for path in root.rglob("*") if path.is_dir()]:
            inner.chmod(mode)
            with suppress(ChestError):
                dataset = napari_chest.open_dataset(root)
                for case in read_cases(dataset):
                    dataset.problems(case)
            inner.chmod(0o755)


# Writing


def test_unedited_write_is_byte_identical(sample, dataset, root, out):
    """Readings written as they were read give the same files, byte for byte, case by case."""
    for case in read_cases(dataset):
        assert dataset.write(case, dataset.readings(case), out) == []
    names = {path.as_posix() for path in dataset.annotation_files()}
    assert names == set(tree(out)) - {p for p in tree(out) if (out / p).is_dir()}
    for name in names:
        assert (out / name).read_bytes() == (root / name).read_bytes(), name
    assert dataset.compare(root, out) == ()
    assert dataset.compare(out, root) == ()


def test_unedited_write_into_the_root_writes_nothing(dataset, root):
    """Not even a time changes."""
    before = tree(root)
    with watching() as (written, _):
        for case in read_cases(dataset):
            assert dataset.write(case, dataset.readings(case), root) == []
    assert written == []
    assert tree(root) == before


@pytest.mark.parametrize("into", ["out", "root"])
def test_one_edit_changes_one_record(sample, dataset, root, out, tmp_path, into):
    """Exactly the edited record differs, in exactly the files that hold it."""
    case = read_cases(dataset)[1]
    shutil.copytree(root, before := tmp_path / "before")
    reading = dataset.readings(case)[0]
    after = sample.edit(reading)
    meant = changes.compare(reading, after)
    assert meant
    target = root if into == "root" else out
    written = dataset.write(case, [after], target)
    expected = sample.edited_records(case)
    assert differing(sample, before, target) == expected
    assert {path.relative_to(target).as_posix() for path in written} == files_of(expected)
    assert all(path.is_absolute() for path in written)
    (found,) = dataset.compare(before, target)
    assert found.reading == meant
    assert found.case == next(c.title for c in dataset.cases() if c.id == case)
    same = {
        name for name in contents(before) if contents(before)[name] == contents(target).get(name)
    }
    assert {p.as_posix() for p in dataset.annotation_files()} - same == files_of(expected)


def test_edit_is_read_back(sample, dataset, root, out):
    """Whoever opens what was written sees the edited reading, and the others as they were."""
    case = read_cases(dataset)[0]
    first, *others = dataset.readings(case)
    after = sample.edit(first)
    dataset.write(case, [after], out)
    now = dataset.readings(case, at=out)
    assert not changes.compare(after, now[0])
    for was, still in zip(others, now[1:], strict=True):
        assert not changes.compare(was, still)
    assert changes.compare(first, dataset.readings(case)[0]) == changes.compare(first, first)
    dataset.write(case, [after], root)
    assert not changes.compare(after, dataset.readings(case)[0])
    assert not changes.compare(after, napari_chest.open_dataset(root).readings(case)[0])


def test_writing_twice_is_writing_once(sample, dataset, out):
    """The second write of the same reading finds nothing to do."""
    case = read_cases(dataset)[0]
    after = edited(sample, dataset, case)
    assert dataset.write(case, [after], out)
    before = tree(out)
    assert dataset.write(case, [after], out) == []
    assert tree(out) == before


def test_undone_edit_gives_the_original_bytes(sample, dataset, root, out):
    """Saved, taken back and saved again: the original, byte for byte, there and in the root."""
    case = read_cases(dataset)[0]
    reading = dataset.readings(case)[0]
    original = contents(root)
    for target in (out, root):
        dataset.write(case, [sample.edit(reading)], target)
        assert contents(target) != {n: c for n, c in original.items() if n in contents(target)}
        dataset.write(case, [reading], target)
        assert contents(target) == {n: c for n, c in original.items() if n in contents(target)}


def test_cases_edited_in_turn_both_survive(sample, dataset, root, out):
    """A second case does not undo the first, in a folder or in the root, session after session."""
    one, two = read_cases(dataset)[:2]
    expected = sample.edited_records(one) | sample.edited_records(two)
    original = sample.records(root)
    dataset.write(one, [edited(sample, dataset, one)], out)
    again = napari_chest.open_dataset(root)
    again.write(two, [edited(sample, again, two)], out)
    assert differing(sample, root, out) == expected
    dataset.write(one, [edited(sample, dataset, one)], root)
    dataset.write(two, [edited(sample, dataset, two)], root)
    now = sample.records(root)
    assert {r: now[r] for r in now if now[r] != original[r]} == expected


def test_unknown_content_survives(sample, root, out):
    """What no reader knows is carried along, and other people's files are let alone."""
    sample.add_unknown(root)
    dataset = napari_chest.open_dataset(root)
    case = read_cases(dataset)[0]
    out.mkdir(parents=True)
    (out / "notes.txt").write_text("mine")
    dataset.write(case, [edited(sample, dataset, case)], out)
    assert differing(sample, root, out) == sample.edited_records(case)
    for name in map(str, dataset.annotation_files()):
        was, now = (root / name).read_bytes(), (out / name).read_bytes()
        if name not in files_of(sample.edited_records(case)):
            assert now == was
    assert (out / "notes.txt").read_text() == "mine"
    before = tree(root)
    dataset.write(case, [edited(sample, dataset, case)], root)
    moved = {name for name, entry in tree(root).items() if entry != before[name]}
    assert {name for name in moved if (root / name).is_file()} == files_of(
        sample.edited_records(case)
    )
    dataset.write(case, [dataset.readings(case)[0]], root)
    assert set(tree(root)) == set(before)


def test_writing_elsewhere_leaves_the_dataset_untouched(sample, dataset, root, out, tmp_path):
    """Only ``out`` is written: the dataset keeps bytes and times, and nothing lands beside it."""
    before = tree(root)
    with watching() as (written, _):
        for case in read_cases(dataset):
            dataset.write(case, [edited(sample, dataset, case)], out)
    assert written
    strayed = [path for path in written if not Path(path).is_relative_to(out)]
    assert {Path(path) for path in strayed} <= {out.parent}  # which had to be made
    assert tree(root) == before
    assert {path.name for path in (tmp_path / "data").iterdir()} == {"dataset", "elsewhere"}
    assert not [name for name in tree(out) if Path(name).name.startswith(".")]


@pytest.mark.parametrize("how", ["changed", "gone", "cut short"])
def test_changed_original_is_refused(sample, dataset, root, out, how):
    """Where any annotation file changed since it was read, nothing is written anywhere."""
    case = read_cases(dataset)[0]
    after = edited(sample, dataset, case)
    for name in dataset.annotation_files():
        content = (root / name).read_bytes()
        if how == "changed":
            (root / name).write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
        elif how == "cut short":
            (root / name).write_bytes(content[:-1])
        else:
            (root / name).unlink()
        before = tree(root)
        for target in (out, root):
            with pytest.raises(ChangedOnDiskError) as error:
                dataset.write(case, [after], target)
            assert error.value.path == root / name
            assert str(root / name) in str(error.value)
        assert not out.exists()
        assert tree(root) == before
        (root / name).write_bytes(content)
    assert dataset.write(case, [after], out)  # as it was again


def test_out_inside_the_dataset_is_refused(sample, dataset, root, tmp_path):
    """The dataset's folder is only written by writing back into it, also not through a link."""
    case = read_cases(dataset)[0]
    before = tree(root)
    inner = next(path for path in sorted(root.iterdir()) if path.is_dir())
    (tmp_path / "link").symlink_to(inner)
    for target in (root / "new" / "folder", inner, tmp_path / "link", root / "x" / ".." / "y"):
        with pytest.raises(SaveError, match="inside the dataset"):
            dataset.write(case, [edited(sample, dataset, case)], target)
    assert tree(root) == before


def test_links_in_out_do_not_lead_into_the_dataset(sample, dataset, root, out):
    """A folder of links to the originals, made to save space, is no way to change them."""
    case = read_cases(dataset)[0]
    out.mkdir(parents=True)
    for name in dataset.annotation_files():
        (out / name).parent.mkdir(parents=True, exist_ok=True)
        (out / name).symlink_to(root / name)
    before = tree(root)
    try:
        dataset.write(case, [edited(sample, dataset, case)], out)
    except SaveError:
        assert differing(sample, root, out) == {}
    else:
        assert differing(sample, root, out) == sample.edited_records(case)
    assert tree(root) == before


@pytest.mark.parametrize("step", ["fsync", "first swap", "second swap"])
@pytest.mark.parametrize("into", ["new", "existing", "root"])
def test_failed_write_changes_nothing(sample, dataset, root, out, monkeypatch, step, into):
    """A disk that fails at any step leaves every file as it was, and no scraps."""
    one, two = read_cases(dataset)[:2]
    if step == "second swap" and into != "new" and len(files_of(sample.edited_records(one))) == 1:
        pytest.skip("one file is swapped")
    target = root if into == "root" else out
    if into == "existing":
        dataset.write(two, [edited(sample, dataset, two)], out)
    before = contents(target) if target.exists() else None
    after = edited(sample, dataset, one)
    with monkeypatch.context() as patch:
        fail_at(patch, step)
        with pytest.raises(SaveError, match="the disk is full"):
            dataset.write(one, [after], target)
    if before is None:
        assert not out.exists() or contents(out) == {}
    else:
        assert contents(target) == before
    dataset.write(one, [after], target)  # once there is room again
    assert sample.records(target).items() >= sample.edited_records(one).items()


def fail_at(patch, step):
    if step == "fsync":
        patch.setattr(os, "fsync", _full)
        return
    swaps, real = [], Path.replace

    def replace(self, target):
        if self.name.endswith(".new"):
            swaps.append(self)
            if len(swaps) == (1 if step == "first swap" else 2):
                _full()
        return real(self, target)

    patch.setattr(Path, "replace", replace)


def _full(*args):
    raise OSError(errno.ENOSPC, "No space left on device")


def test_annotation_files_are_there_and_inside(dataset, root):
    """They are named relative to the folder, and a folder that holds none names none."""
    names = dataset.annotation_files()
    assert names
    assert all((root / name).is_file() and not name.is_absolute() for name in names)
    assert ".." not in {part for name in names for part in name.parts}
    assert dataset.annotation_files(root.parent) == ()
    assert dataset.annotation_files(root / "is not there") == ()


def test_case_without_images_does_not_stop_the_others(sample, root, out):
    """A case whose images cannot be read says so; every other case works on."""
    one, two = read_cases(napari_chest.open_dataset(root))[:2]
    images = sample.images(root, one)
    assert images
    for path in images:
        path.write_bytes(b"")
    dataset = napari_chest.open_dataset(root)
    assert {one, two} <= {case.id for case in dataset.cases()}
    with pytest.raises(ReadError):
        dataset.volume(one)
    assert any(problem.level == "error" for problem in dataset.problems(one))
    assert dataset.volume(two).voxels.size
    dataset.write(two, [edited(sample, dataset, two)], out)
    assert differing(sample, root, out) == sample.edited_records(two)
    assert len(dataset.compare(root, out)) == 1


# What other formats need


def test_source_headers_stand_for_the_slices(dataset):
    """Either there is one header per slice, in display order, or there are none."""
    for case in dataset.cases():
        try:
            grid = dataset.volume(case.id).grid
        except ReadError:
            continue
        headers = dataset.source_headers(case.id)
        assert len(headers) in {0, grid.shape[0]}
        if grid.placed:
            for z, header in enumerate(headers):
                np.testing.assert_allclose(header.position, grid.position(z, 0, 0), atol=1e-3)


def test_annotations_lie_on_the_volume(dataset):
    for case in dataset.cases():
        readers = {reading.reader for reading in dataset.readings(case.id)}
        for one in dataset.annotations(case.id):
            shape = dataset.volume(case.id).grid.shape
            top, bottom, left, right = one.box
            assert 0 <= one.slice < shape[0]
            assert 0 <= top <= bottom < shape[1]
            assert 0 <= left <= right < shape[2]
            assert one.reader in readers

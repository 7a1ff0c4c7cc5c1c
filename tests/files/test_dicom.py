"""CT series: which files belong together, their order and grid, and how their voxels arrive."""

import threading
import warnings

import imagecodecs
import numpy as np
import pydicom
import pytest
from dicom_samples import (
    AXIAL,
    JPEG_LOSSLESS_SV1,
    LOSSLESS,
    slice_dataset,
    stored_values,
    write_dataset,
    write_frames,
    write_slice,
    write_stack,
)

from napari_chest import geometry
from napari_chest.errors import ReadError
from napari_chest.files.dicom import AIR_HU, index_folder, main_series, stream_series
from napari_chest.files.dicom.ordering import natural_key
from napari_chest.files.dicom.stream import outwards


def only_series(folder, **how):
    found, problems = index_folder(folder, **how)
    assert problems == []
    (series,) = found
    return series


def names(series):
    return [header.path.name for header in series.slices]


def told(problems, word):
    """The one problem whose text holds the word."""
    (found,) = [problem for problem in problems if word in problem.text]
    return found


@pytest.fixture
def many(tmp_path):
    """Ten slices in a folder of their own, and their HU."""
    return tmp_path / "ct", write_stack(tmp_path / "ct", 10)


# Order and grid


@pytest.mark.parametrize("syntax", LOSSLESS)
def test_stack_in_every_encoding(tmp_path, syntax):
    expected = write_stack(tmp_path / "ct", 4, syntax=syntax)
    series = only_series(tmp_path / "ct")
    assert series.problems == ()
    stream = stream_series(series)
    volume = stream.complete()
    assert stream.problems == []
    assert (volume.voxels.dtype, volume.modality) == (np.int16, "CT")
    np.testing.assert_array_equal(volume.voxels, expected)


def test_grid_facts_and_window(tmp_path):
    write_stack(tmp_path / "ct", 4)
    series = only_series(tmp_path / "ct")
    grid = series.grid
    assert (grid.shape, grid.placed, series.n_slices) == ((4, 12, 10), True, 4)
    np.testing.assert_allclose(grid.spacing, (2.5, 0.7, 0.8))
    np.testing.assert_allclose(grid.position(0, 0, 0), (-100.5, -90.25, 50))
    np.testing.assert_allclose(grid.position(3, 1, 2), (-98.9, -89.55, 42.5))
    assert grid.slice_ids == tuple(header.sop_instance_uid for header in series.slices)
    assert series.facts["Scanner"] == "Maker Scanner 3"
    assert series.facts["Slices"] == "4"
    assert "Secret" not in str(series.facts)
    assert series.window == (-600, 1200)  # of two, the one nearest to the lung's


@pytest.mark.parametrize(("centers", "widths"), [(None, None), (["40"], ["0"]), ("", "")])
def test_no_window(tmp_path, centers, widths):
    write_stack(tmp_path / "ct", 2, WindowCenter=centers, WindowWidth=widths)
    assert only_series(tmp_path / "ct").window is None


def test_file_names_and_instance_numbers_do_not_decide(tmp_path):
    tops = [10.0, -5.0, 20.0, 0.0, -15.0, 5.0, 15.0, -10.0]
    for number, top in enumerate(tops, 1):
        write_slice(tmp_path / f"ct_{number}.dcm", top, number)
    series = only_series(tmp_path)
    assert [header.position[2] for header in series.slices] == sorted(tops, reverse=True)


@pytest.mark.parametrize(
    ("orientation", "move", "first"),
    [
        (AXIAL, (0, 0, 3), 5),  # from feet to head: turned
        (AXIAL, (0, 0, -3), 1),
        ([-1, 0, 0, 0, -1, 0], (0, 0, -3), 1),  # prone
        ([-1, 0, 0, 0, -1, 0], (0, 0, 3), 5),
        ([1, 0, 0, 0, 0, -1], (0, 3, 0), 1),  # coronal: front to back
        ([1, 0, 0, 0, 0, -1], (0, -3, 0), 5),
        ([0, 1, 0, 0, 0, -1], (3, 0, 0), 1),  # sagittal: right to left
        ([0, 1, 0, 0, 0, -1], (-3, 0, 0), 5),
        ([1, 0, 0, 0, 0.8, 0.6], (0, 1.8, -2.4), 1),  # oblique, nearest to axial
    ],
)
def test_reading_order_of_each_plane(tmp_path, orientation, move, first):
    for n in range(5):
        position = [float(v) for v in np.array([-20.0, 7.0, 9.0]) + n * np.array(move)]
        write_slice(
            tmp_path / f"{n + 1}.dcm", number=n + 1,
            ImageOrientationPatient=orientation, ImagePositionPatient=position,
        )  # fmt: skip
    series = only_series(tmp_path)
    assert series.problems == ()
    numbers = [header.instance_number for header in series.slices]
    assert numbers == sorted(numbers, reverse=first == 5)
    step = series.grid.affine[:3, 0]
    np.testing.assert_allclose(np.linalg.norm(step), 3)
    assert step @ geometry.reading_direction(orientation) > 2.9


def test_gantry_tilt_is_a_note_and_stays_in_the_affine(tmp_path):
    tilt = np.deg2rad(20)
    orientation = [1, 0, 0, 0, float(np.cos(tilt)), float(np.sin(tilt))]
    for n in range(6):
        position = [0.0, 0.0, -3.0 * n]  # the table moves along z, the slices lean
        write_slice(
            tmp_path / f"{n}.dcm", number=n,
            ImageOrientationPatient=orientation, ImagePositionPatient=position,
        )  # fmt: skip
    series = only_series(tmp_path)
    assert told(series.problems, "gantry").level == "note"
    assert "20.0 degrees" in told(series.problems, "gantry").text
    np.testing.assert_allclose(series.grid.affine[:3, 0], (0, 0, -3), atol=1e-9)
    np.testing.assert_allclose(series.grid.affine[:3, 1], 0.7 * np.array(orientation[3:]))


def test_slices_beside_the_line_are_told(tmp_path):
    write_stack(tmp_path / "ct", 5)
    write_slice(tmp_path / "ct/s03.dcm", 45, 3, ImagePositionPatient=[-90.0, -90.25, 45.0])
    problem = told(only_series(tmp_path / "ct").problems, "one behind the other")
    assert problem.files == ("s03.dcm",)


def test_single_slice(tmp_path):
    write_stack(tmp_path / "ct", 1)
    series = only_series(tmp_path / "ct")
    assert series.problems == ()
    np.testing.assert_allclose(series.grid.spacing, (2.5, 0.7, 0.8))  # from Slice Thickness
    assert list(stream_series(series).slices) == [0]


# Slices that do not say where they lie


def test_slice_location_where_position_is_missing(tmp_path):
    tops = [0.0, 9.0, 3.0, 6.0]
    for number, top in enumerate(tops, 1):
        write_slice(tmp_path / f"{number}.dcm", top, number, ImagePositionPatient=None)
    series = only_series(tmp_path)
    assert [header.slice_location for header in series.slices] == [9, 6, 3, 0]
    assert "Slice Location" in told(series.problems, "ordered").text
    assert not series.grid.placed
    np.testing.assert_allclose(series.grid.spacing, (3, 0.7, 0.8))


def test_a_slice_without_position_is_named(many):
    folder, _ = many
    write_slice(folder / "s04.dcm", 42.5, 4, ImagePositionPatient=None)
    series = only_series(folder)
    assert told(series.problems, "Slice Location").files == ("s04.dcm",)
    assert names(series) == [f"s{n:02}.dcm" for n in range(1, 11)]


@pytest.mark.parametrize("numbered", [True, False])
def test_instance_number_then_natural_file_name(tmp_path, numbered):
    for n in range(1, 12):
        write_slice(
            tmp_path / f"ct_{n}.dcm", number=12 - n if numbered else 1,
            ImagePositionPatient=None, SliceLocation=None,
        )  # fmt: skip
    series = only_series(tmp_path)
    expected = [f"ct_{n}.dcm" for n in range(1, 12)]
    assert names(series) == (expected[::-1] if numbered else expected)
    basis = "instance number" if numbered else "file name"
    assert basis in told(series.problems, "ordered").text
    assert not series.grid.placed


def test_no_pixel_spacing(tmp_path):
    write_stack(tmp_path / "ct", 3, PixelSpacing=None)
    series = only_series(tmp_path / "ct")
    assert told(series.problems, "Pixel Spacing")
    assert not series.grid.placed


def test_nonsense_orientation(tmp_path):
    write_stack(tmp_path / "ct", 3, ImageOrientationPatient=[0, 0, 0, 0, 0, 0])
    series = only_series(tmp_path / "ct")
    assert told(series.problems, "no orientation")
    assert names(series) == ["s01.dcm", "s02.dcm", "s03.dcm"]


def test_natural_key():
    shuffled = ["b1", "a10.dcm", "a2.dcm", "A1.dcm", "10", "9", "a", ""]
    ordered = ["", "9", "10", "a", "A1.dcm", "a2.dcm", "a10.dcm", "b1"]
    assert sorted(shuffled, key=natural_key) == ordered


# Slices that do not fit


def test_missing_slices_are_named(many):
    folder, _ = many
    (folder / "s04.dcm").unlink()
    (folder / "s07.dcm").unlink()
    (folder / "s08.dcm").unlink()
    problems = only_series(folder).problems
    one, two = [problem for problem in problems if "missing" in problem.text]
    assert one.files == ("s03.dcm", "s05.dcm")
    assert "1 slice is missing" in one.text
    assert "5 mm" in one.text
    assert two.files == ("s06.dcm", "s09.dcm")
    assert "2 slices are missing" in two.text
    assert "7.5 mm" in two.text


def test_very_many_gaps_are_summed_up(tmp_path):
    top = 0.0
    for n in range(40):
        write_slice(tmp_path / f"{n:02}.dcm", top, n)
        top -= 4 if n % 5 == 0 else 2
    problems = [p for p in only_series(tmp_path).problems if "missing" in p.text]
    assert len(problems) == 6
    assert len(problems[-1].files) == 3


def test_uneven_steps_are_named(many):
    folder, _ = many
    write_slice(folder / "s05.dcm", 50 - 2.5 * 4 - 0.8, 5)
    problem = told(only_series(folder).problems, "uneven")
    assert problem.files == ("s04.dcm", "s05.dcm")
    assert "3.3 mm" in problem.text


def test_duplicates_keep_the_common_scan_then_the_lowest_number(many):
    folder, _ = many
    write_slice(folder / "again.dcm", 45, 99)
    write_slice(folder / "other kernel.dcm", 40, 0, ConvolutionKernel="B31f")
    series = only_series(folder)
    assert series.n_slices == 10
    assert told(series.problems, "where another one does").files == (
        "again.dcm",
        "other kernel.dcm",
    )


def test_localizer_is_left_out(many):
    folder, _ = many
    write_slice(folder / "scout.dcm", 0, 0, ImageType=["ORIGINAL", "PRIMARY", "LOCALIZER"])
    series = only_series(folder)
    assert series.n_slices == 10
    assert told(series.problems, "localizer").files == ("scout.dcm",)


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"ImageOrientationPatient": [1, 0, 0, 0, 0, -1]}, "plane"),
        ({"stored": stored_values(shape=(14, 10))}, "matrix"),
        ({"PixelSpacing": ["0.5", "0.5"]}, "pixel spacing"),
    ],
)
def test_images_that_do_not_fit_are_left_out(many, changes, word):
    folder, expected = many
    write_slice(folder / "odd.dcm", 12, 11, **changes)
    series = only_series(folder)
    assert told(series.problems, word).files == ("odd.dcm",)
    np.testing.assert_array_equal(stream_series(series).complete().voxels, expected)


def test_missing_rescale_is_told(many):
    folder, _ = many
    write_slice(folder / "s02.dcm", 47.5, 2, RescaleIntercept=None)
    assert told(only_series(folder).problems, "Rescale").files == ("s02.dcm",)


def test_other_modality_is_told(tmp_path):
    write_stack(tmp_path / "ct", 3, Modality="MR")
    assert "MR" in told(only_series(tmp_path / "ct").problems, "modality").text


# Several series, odd folders


def test_main_series_is_the_largest_ct_and_names_the_others(many):
    folder, _ = many
    for n in range(12):
        write_slice(folder / f"mr{n}.dcm", n, n, SeriesInstanceUID="1.2.9", Modality="MR")
    for n in range(3):
        write_slice(folder / f"short{n}.dcm", n, n, SeriesInstanceUID="1.2.8", SeriesNumber="7")
    scout = {"SeriesInstanceUID": "1.2.7", "ImageType": ["ORIGINAL", "PRIMARY", "LOCALIZER"]}
    for n in range(11):
        write_slice(folder / f"scout{n}.dcm", n, n, **scout)
    found, _ = index_folder(folder)
    assert [one.n_slices for one in found] == [10, 3, 11, 12]
    chosen = main_series(found[::-1])
    assert names(chosen)[0] == "s01.dcm"
    problem = told(chosen.problems, "4 series")
    assert "series 7 Thorax with 3 slices" in problem.text
    assert {"short0.dcm", "scout10.dcm", "mr11.dcm"} <= set(problem.files)


def test_main_series_of_nothing():
    with pytest.raises(ReadError, match="no series"):
        main_series([])


@pytest.mark.parametrize(
    "uids",
    [
        {"SOPInstanceUID": "", "SeriesInstanceUID": "", "StudyInstanceUID": ""},
        {"SOPInstanceUID": "1.2.3.4", "SeriesInstanceUID": "7afb0d48-ec01-4941-9a58-66d15cab76fb"},
    ],
)
def test_empty_shared_and_invalid_uids(tmp_path, uids):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        write_stack(tmp_path / "ct", 4, **uids)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series = only_series(tmp_path / "ct")
    assert series.problems == ()
    assert series.grid.slice_ids == ("s01.dcm", "s02.dcm", "s03.dcm", "s04.dcm")


def test_clutter(many):
    folder, _ = many
    for name in (".DS_Store", "._s01.dcm", "DICOMDIR", "Index.csv", "labels.npy", "note.txt"):
        (folder / name).write_bytes(b"clutter")
    (folder / "folder.dcm").mkdir()
    (folder / "s01.dcm").rename(folder / "s01")
    (folder / "s02.dcm").rename(folder / "1.2.840.5")
    (folder / "s03.dcm").rename(folder / "S03.IMA")
    assert only_series(folder).n_slices == 10
    (folder / "broken.dcm").write_bytes(b"not at all")
    (folder / "README").write_bytes(b"read me")
    (folder / "empty.dcm").touch()
    found, problems = index_folder(folder)
    assert found[0].n_slices == 10
    assert [(p.level, p.files) for p in problems] == [
        ("note", ("README",)),
        ("warning", ("broken.dcm",)),
        ("warning", ("empty.dcm",)),
    ]
    assert not any(str(folder) in problem.text for problem in problems)


def test_links_out_of_the_root_are_not_followed(many, tmp_path):
    folder, _ = many
    write_slice(tmp_path / "outside.dcm", 0, 99)
    (folder / "link.dcm").symlink_to(tmp_path / "outside.dcm")
    (folder / "inner.dcm").symlink_to(folder / "s01.dcm")
    (folder / "dead.dcm").symlink_to(folder / "none")
    (folder / "loop.dcm").symlink_to(folder / "loop.dcm")
    (series,), problems = index_folder(folder)
    assert [problem.files for problem in problems] == [("dead.dcm",), ("link.dcm",), ("loop.dcm",)]
    assert "link.dcm" not in names(series)
    assert told(series.problems, "where another").files  # the inner link was read
    (series,), problems = index_folder(folder, root=tmp_path)
    assert [problem.files for problem in problems] == [("dead.dcm",), ("loop.dcm",)]
    assert "link.dcm" in names(series)


def test_folder_without_images_and_no_folder(tmp_path):
    assert index_folder(tmp_path) == ([], [])
    with pytest.raises(ReadError, match="cannot be read"):
        index_folder(tmp_path / "none")


# Multi-frame


@pytest.mark.parametrize("syntax", [LOSSLESS[0], JPEG_LOSSLESS_SV1])
def test_enhanced_multi_frame(tmp_path, syntax):
    frames = [stored_values(n) for n in range(5)]
    tops = [0.0, 15.0, 5.0, 20.0, 10.0]
    write_frames(tmp_path / "e.dcm", frames, tops, syntax=syntax)
    series = only_series(tmp_path)
    assert [header.frame for header in series.slices] == [3, 1, 4, 2, 0]
    assert series.problems == ()
    assert series.grid.slice_ids[0].endswith("#4")
    assert series.window == (-500, 1500)
    np.testing.assert_allclose(series.grid.spacing, (5, 0.7, 0.8))
    voxels = stream_series(series).complete().voxels
    for z, frame in enumerate([3, 1, 4, 2, 0]):
        np.testing.assert_array_equal(voxels[z], frames[frame].astype(int) - 1024 + frame)


def test_plain_multi_frame_keeps_the_order_of_its_frames(tmp_path):
    frames = [stored_values(n) for n in range(3)]
    write_frames(tmp_path / "m.dcm", frames, [0.0] * 3, enhanced=False)
    series = only_series(tmp_path)
    assert [header.frame for header in series.slices] == [0, 1, 2]
    assert told(series.problems, "ordered")
    np.testing.assert_array_equal(
        stream_series(series).complete().voxels, np.stack(frames).astype(int) - 1024
    )


def test_frames_that_are_not_described(tmp_path):
    frames = [stored_values(n) for n in range(3)]
    write_frames(tmp_path / "e.dcm", frames, [0.0, 1.0])
    found, problems = index_folder(tmp_path)
    assert found == []
    assert "3 frames but describes 2" in problems[0].text


# Streaming


def test_the_slice_looked_at_comes_first_and_the_rest_is_air(many):
    folder, expected = many
    stream = stream_series(only_series(folder), first=7, workers=1)
    voxels = stream.volume.voxels
    assert (voxels == AIR_HU).all()
    seen = []
    for index in stream.slices:
        seen.append(index)
        np.testing.assert_array_equal(voxels[index], expected[index])
    assert seen == [7, 8, 6, 9, 5, 4, 3, 2, 1, 0] == outwards(7, 10)
    assert not voxels.flags.writeable


@pytest.mark.parametrize(("first", "expected"), [(None, 5), (0, 0), (9, 9), (99, 9), (-3, 0)])
def test_first(many, first, expected):
    with_many_workers = stream_series(only_series(many[0]), first=first, workers=4)
    indices = list(with_many_workers.slices)
    assert indices[0] == expected
    assert sorted(indices) == list(range(10))


def test_an_unreadable_slice_stays_air_and_is_named(many):
    folder, expected = many
    data = (folder / "s04.dcm").read_bytes()
    series = only_series(folder)
    (folder / "s04.dcm").write_bytes(data[:-30])
    (folder / "s06.dcm").unlink()
    stream = stream_series(series)
    voxels = stream.complete().voxels
    assert (voxels[[3, 5]] == AIR_HU).all()
    expected[[3, 5]] = AIR_HU
    np.testing.assert_array_equal(voxels, expected)
    assert sorted(problem.files for problem in stream.problems) == [("s04.dcm",), ("s06.dcm",)]
    assert all(problem.level == "error" for problem in stream.problems)
    assert not any(str(folder) in problem.text for problem in stream.problems)


def test_a_truncated_slice_keeps_its_place(many):
    """Labels are counted by slice, so a damaged one must not move the others up."""
    folder, expected = many
    data = (folder / "s04.dcm").read_bytes()
    (folder / "s04.dcm").write_bytes(data[:-30])
    series = only_series(folder)
    assert series.n_slices == 10
    stream = stream_series(series)
    np.testing.assert_array_equal(stream.complete().voxels[4:], expected[4:])
    assert stream.problems[0].files == ("s04.dcm",)


def test_a_truncated_slice_does_not_decide_the_size(tmp_path):
    dataset, _ = slice_dataset(Rows=4000, Columns=4000)
    path = write_dataset(tmp_path / "a.dcm", dataset, bytes(32_000_000))
    path.write_bytes(path.read_bytes()[:5000])
    found, problems = index_folder(tmp_path)
    assert found == []
    assert told(problems, "end too early").files == ("a.dcm",)


def test_nothing_readable_is_an_error(many):
    folder, _ = many
    series = only_series(folder)
    for path in folder.iterdir():
        path.unlink()
    stream = stream_series(series)
    with pytest.raises(ReadError, match="no slice can be read"):
        stream.complete()
    assert len(stream.problems) == 10


def test_closing_early_stops_the_work_and_frees_the_files(many):
    folder, _ = many
    before = threading.active_count()
    stream = stream_series(only_series(folder), workers=2)
    next(stream.slices)
    stream.slices.close()
    assert threading.active_count() == before
    assert list(stream.slices) == []
    unused = stream_series(only_series(folder))
    unused.slices.close()
    assert threading.active_count() == before


def test_no_file_stays_open(many):
    proc = pytest.importorskip("psutil").Process()
    stream = stream_series(only_series(many[0]))
    next(stream.slices)
    stream.slices.close()
    assert not [file for file in proc.open_files() if file.path.startswith(str(many[0]))]


@pytest.mark.parametrize("syntax", [LOSSLESS[0], LOSSLESS[1], JPEG_LOSSLESS_SV1])
def test_random_damage_raises_nothing_but_read_errors(tmp_path, syntax):
    folder = tmp_path / "ct"
    write_stack(folder, 4, syntax=syntax)
    good = {path: np.frombuffer(path.read_bytes(), np.uint8) for path in folder.iterdir()}
    random = np.random.default_rng(8)
    for _ in range(60):
        for path, data in good.items():
            bad = data.copy()
            where = random.integers(132, len(bad), 5)
            bad[where] = random.choice(np.frombuffer(b"\x00\x01\x7f\xff-.9\\eN", np.uint8), 5)
            path.write_bytes(bad.tobytes())
        try:
            found, _ = index_folder(folder)
            stream_series(main_series(found)).complete()
        except ReadError:
            continue


# The published sample


@pytest.mark.parametrize(
    ("case", "count"), [("COVID-19 subjects/P001", 148), ("Cap subjects/cap002", 131)]
)
def test_real_series(real_covid_ct_md, case, count):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        series = only_series(real_covid_ct_md / "Sample data" / case, root=real_covid_ct_md)
    assert series.problems == ()
    assert [header.instance_number for header in series.slices] == list(range(1, count + 1))
    assert np.allclose(np.diff([header.position[2] for header in series.slices]), -2)
    np.testing.assert_allclose(series.grid.spacing[0], 2)
    assert series.window == (-600, 1200)
    voxels = stream_series(series).complete().voxels
    for header, slice_hu in zip(series.slices, voxels, strict=True):
        np.testing.assert_array_equal(slice_hu, independent_hu(header.path))


def independent_hu(path):
    """HU by pydicom and another JPEG decoder; a plain pydicom has none for this syntax."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        dataset = pydicom.dcmread(path)
        frame = pydicom.encaps.get_frame(dataset.PixelData, 0, number_of_frames=1)
        stored = imagecodecs.jpegsof3_decode(frame).astype(np.int32)
        return stored * int(dataset.RescaleSlope) + int(dataset.RescaleIntercept)

"""Radiographs: what a sidecar says of an image, and what is left of it when it says nonsense."""

import re

import imageio.v3 as imageio
import numpy as np
import pytest

from napari_chest.errors import ReadError
from napari_chest.files.radiograph import read_radiograph, view_of
from napari_chest.files.sidecar import Sidecar
from napari_chest.geometry import edge_letters
from napari_chest.model import Window

IMAGE = np.random.default_rng(4).integers(100, 4000, (30, 20)).astype(np.uint16)
SMALLEST, LARGEST = int(IMAGE.min()), int(IMAGE.max())
LPS = {
    "R": (-1, 0, 0), "L": (1, 0, 0), "A": (0, -1, 0), "P": (0, 1, 0), "F": (0, 0, -1),
    "H": (0, 0, 1),
}  # fmt: skip
SANE = {
    "00200020": ("L", "F"),
    "00181164": (0.2, 0.3),
    "00280010": (30.0,),
    "00280011": (20.0,),
    "00280004": ("MONOCHROME2",),
    "00281050": (2000.0,),
    "00281051": (1000.0,),
}


def sidecar(**changes):
    """A sane sidecar with other values for some elements, ``_00280030=(0.1, 0.1)``."""
    values = SANE | {tag[1:]: value for tag, value in changes.items()}
    return Sidecar({tag: value for tag, value in values.items() if value is not None})


@pytest.fixture
def read(tmp_path):
    def read(sidecar, image=IMAGE, modality="CR"):
        path = tmp_path / "sub-S1_run-1_bp-chest_cr.png"
        imageio.imwrite(path, image)
        volume, problems = read_radiograph(path, sidecar, modality)
        assert all(problem.files == (path.name,) for problem in problems)
        return volume, [f"{problem.level}: {problem.text}" for problem in problems]

    return read


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2", " monochrome1 "])
def test_voxels_are_those_of_the_file_and_read_only(read, dtype, photometric):
    image = (IMAGE // 20).astype(dtype)
    told = sidecar(_00280004=(photometric,), _00281050=(100,), _00281051=(50,))
    volume, problems = read(told, image, "DX")
    assert volume.voxels.dtype == dtype
    np.testing.assert_array_equal(volume.voxels, image[None])
    with pytest.raises(ValueError, match="read-only"):
        volume.voxels[0, 0, 0] = 1
    assert volume.inverted == (photometric != "MONOCHROME2")
    assert (volume.modality, volume.grid.slice_ids, problems) == ("DX", ("0",), [])
    assert volume.grid.shape == (1, 30, 20)


def test_without_a_sidecar_nothing_is_guessed(read):
    volume, problems = read(None)
    np.testing.assert_array_equal(volume.voxels[0], IMAGE)
    assert (volume.window, volume.inverted) == (None, False)
    assert (volume.grid.placed, volume.grid.calibration) == (False, "unknown")
    assert volume.grid.spacing == (1, 1, 1)
    assert len(problems) == 1
    assert problems[0].startswith("note: The image has no sidecar")


def test_an_empty_sidecar_tells_nothing(read):
    volume, problems = read(Sidecar({}))
    assert (volume.window, volume.inverted) == (None, False)
    assert (volume.grid.placed, volume.grid.calibration) == (False, "unknown")
    assert ["spacing" in problems[0], "left and right" in problems[1]] == [True, True]
    assert len(problems) == 2


def test_an_unreadable_image_is_refused(tmp_path):
    (tmp_path / "image.png").write_bytes(b"")
    with pytest.raises(ReadError, match="the file is empty"):
        read_radiograph(tmp_path / "image.png", None, "CR")


# Window


def test_the_files_window_and_of_several_the_first(read):
    assert read(sidecar())[0].window == Window(2000, 1000)
    several = sidecar(_00281050=(2100.0, 50.0), _00281051=(3000.0, 400.0))
    assert read(several)[0].window == Window(2100, 3000)


@pytest.mark.parametrize(("slope", "intercept"), [(2.0, -1000.0), (0.5, 0.0), (1.0, 300.0)])
def test_a_window_is_restated_in_stored_values(read, slope, intercept):
    told = sidecar(_00281053=(slope,), _00281052=(intercept,))
    volume, _ = read(told)
    stored = volume.voxels[0]
    rescaled = stored * slope + intercept
    darkest, brightest = volume.window.limits
    np.testing.assert_array_equal(stored < darkest, rescaled < 2000 - 500)
    np.testing.assert_array_equal(stored > brightest, rescaled > 2000 + 500)


@pytest.mark.parametrize("photometric", ["MONOCHROME1", "MONOCHROME2"])
def test_a_negative_slope_turns_the_grey_scale_round(read, photometric):
    told = sidecar(_00281053=(-1,), _00281052=(4095,), _00280004=(photometric,))
    volume, _ = read(told)
    assert volume.window == Window(2095, 1000)
    assert volume.inverted == (photometric == "MONOCHROME2")


@pytest.mark.parametrize("slope", [0, None])
def test_a_slope_that_is_none_is_one(read, slope):
    assert read(sidecar(_00281053=(slope,)))[0].window == Window(2000, 1000)


@pytest.mark.parametrize(
    ("center", "width", "words"),
    [
        ((2000,), (0,), "width is 0"),
        ((2000,), (-5,), "width is -5"),
        ((1.7e308,), (1.7e308,), "and the image has values from"),
        ((-600,), (1000,), f"it shows -1100 to -100, and the image has values from {SMALLEST} to"),
        ((9000,), (1000,), f"it shows 8500 to 9500, .* to {LARGEST}"),
        ((2000, 1000), (500,), "do not pair"),
        ((2000,), (), "do not pair"),
        ((), (500,), "do not pair"),
        ((2000,), ("wide",), "do not pair"),
    ],
)
def test_a_window_that_is_none_is_left_out_with_its_reason(read, center, width, words):
    volume, problems = read(sidecar(_00281050=center, _00281051=width))
    assert volume.window is None
    assert len(problems) == 1
    assert re.fullmatch(rf"note: The sidecar's window is not used: .*{words}.*", problems[0])


def test_a_window_that_no_number_can_state(read):
    volume, problems = read(sidecar(_00281053=(1e-307,)))
    assert volume.window is None
    assert problems == ["note: The sidecar's window is not used: its width is inf."]


def test_a_window_over_the_edge_of_the_image_stands(read):
    for center in (SMALLEST - 400, LARGEST + 400):
        assert read(sidecar(_00281050=(center,)))[0].window == Window(center, 1000)


def test_a_window_for_more_bits_than_the_image_has(read):
    told = sidecar(_00280101=(12,))
    image = (IMAGE // 16).astype(np.uint8)
    volume, problems = read(told, image)
    assert volume.window is None
    assert "12 bits" in problems[0]
    assert read(told)[0].window == Window(2000, 1000)


def test_a_voi_lut_is_named_only_where_there_is_no_window(read):
    lut = ({"00283006": (1, 2, 3)},)
    assert read(sidecar(_00283010=lut))[1] == []
    volume, problems = read(sidecar(_00283010=lut, _00281050=None, _00281051=None))
    assert volume.window is None
    assert problems == ["note: The sidecar gives a VOI LUT, which is not applied."]
    assert read(sidecar(_00283010=(), _00281050=None, _00281051=None))[1] == []


# Spacing


@pytest.mark.parametrize(
    ("pixel", "imager", "spacing", "calibration"),
    [
        ((0.1, 0.15), None, (0.1, 0.15), "patient"),
        ((0.1, 0.15), (0.2, 0.3), (0.1, 0.15), "patient"),
        (None, (0.2, 0.3), (0.2, 0.3), "detector"),
        ((0.2, 0.3), (0.2, 0.3), (0.2, 0.3), "detector"),
        ((0.14300001, 0.143), (0.143, 0.143), (0.143, 0.143), "detector"),
        ((0.2,), (0.2, 0.3), (0.2, 0.3), "detector"),
        ((0, 0), (0.2, 0.3), (0.2, 0.3), "detector"),
        (("0.2\\0.3",), None, (0.2, 0.3), "patient"),
        ((0.2, 0.3), (-0.2, 0.3), (0.2, 0.3), "patient"),
        (None, None, (1, 1), "unknown"),
        ((0.2, None), None, (1, 1), "unknown"),
        (("nan", 0.2), (0.0, 0.2), (1, 1), "unknown"),
        ((0.2, 0.2, 0.2), ("a", "b"), (1, 1), "unknown"),
        ((10.1, 10.1), None, (1, 1), "unknown"),
        ((float("inf"), 1), (float("nan"), 1), (1, 1), "unknown"),
    ],
)
def test_spacing(read, pixel, imager, spacing, calibration):
    """Rows first; the spacing that differs from the detector's is the one that was calibrated."""
    volume, problems = read(sidecar(_00280030=pixel, _00181164=imager))
    assert volume.grid.spacing == pytest.approx((1, *spacing), rel=1e-5)
    assert volume.grid.calibration == calibration
    assert bool(problems) == (calibration == "unknown")


# Orientation


@pytest.mark.parametrize(
    "told",
    [("L", "F"), ("L\\F",), ("LP", "FA"), ("LP\\F",), ("l", "f"), (" L ", "F ")],
)
def test_patient_orientation_as_it_is_written(read, told):
    grid = read(sidecar(_00200020=told))[0].grid
    assert grid.placed
    np.testing.assert_array_equal(
        grid.affine, [[0, 0, 0.3, 0], [1, 0, 0, 0], [0, -0.2, 0, 0], [0, 0, 0, 1]]
    )


@pytest.mark.parametrize("right", "LRAPHF")
@pytest.mark.parametrize("down", "LRAPHF")
def test_every_orientation(read, right, down):
    grid = read(sidecar(_00200020=(right, down)))[0].grid
    if np.dot(LPS[right], LPS[down]) != 0:
        assert not grid.placed
        return
    assert grid.placed
    letters = edge_letters(grid, vertical_axis=1, horizontal_axis=2)
    assert (letters.right, letters.bottom) == (right, down)
    there = 7 * 0.3 * np.array(LPS[right]) + 10 * 0.2 * np.array(LPS[down])
    np.testing.assert_allclose(grid.position(0, 10, 7), there)
    axes = grid.affine[:3, :3] / np.linalg.norm(grid.affine[:3, :3], axis=0)
    np.testing.assert_allclose(axes.T @ axes, np.eye(3), atol=1e-12)
    np.testing.assert_allclose(axes[:, 0], np.cross(LPS[right], LPS[down]))


@pytest.mark.parametrize(
    "told", [None, (), ("",), ("L",), ("L", ""), ("L", "F", "P"), ("X", "F"), ("L", None), (1, 2)]
)
def test_an_orientation_that_is_none_is_not_guessed(read, told):
    volume, problems = read(sidecar(_00200020=told))
    assert not volume.grid.placed
    assert volume.grid.spacing == (1, 0.2, 0.3)
    assert edge_letters(volume.grid, 1, 2).left == "?"
    assert len(problems) == 1
    assert "left and right are not known" in problems[0]


# Another image's sidecar


@pytest.mark.parametrize(("rows", "columns"), [(31, 20), (30, 19), (20, 30), (1760.0, 2140.0)])
def test_another_size_is_a_warning_that_names_both(read, rows, columns):
    volume, problems = read(sidecar(_00280010=(rows,), _00280011=(columns,)))
    assert volume.voxels.shape == (1, 30, 20)
    assert len(problems) == 1
    assert problems[0].startswith("warning: The image has 30 rows and 20 columns")
    assert f"{rows:g} and {columns:g}" in problems[0]


def test_a_size_that_is_not_told_is_no_warning(read):
    assert read(sidecar(_00280010=None, _00280011=("",)))[1] == []


# View


@pytest.mark.parametrize(
    ("name", "told", "view"),
    [
        ("sub-S1_ses-E1_run-1_bp-chest_vp-pa_cr.png", "", "PA"),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-ap_dx.png", "", "AP"),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-ll_cr.png", "", "LL"),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-lateral_cr.png", "", "lateral"),
        ("sub-S1_ses-E1_run-1_bp-chest_VP-PA_cr.png", "", "PA"),
        ("sub-S1_ses-E1_run-1_bp-chest_cr.png", "", ""),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-pax_cr.png", "", ""),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-pa_cr.png", "AP", "AP"),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-pa_cr.png", " ll ", "LL"),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-pa_cr.png", "LATERAL", "lateral"),
        ("sub-S1_ses-E1_run-1_bp-chest_cr.png", "RL", "lateral"),
        ("sub-S1_ses-E1_run-1_bp-chest_vp-pa_cr.png", "OBLIQUE", "PA"),
        ("", "", ""),
    ],
)
def test_view(name, told, view):
    assert view_of(name, Sidecar({"00185101": (told,)})) == view
    if not told:
        assert view_of(name, None) == view_of(name, Sidecar({})) == view

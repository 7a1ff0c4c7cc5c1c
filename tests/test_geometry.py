"""Orientation letters, affines and reading directions, for every way a patient can lie."""

import warnings

import numpy as np
import pytest

from napari_chest.geometry import (
    EdgeLetters,
    acquisition_plane,
    direction_letters,
    distances_along,
    edge_letters,
    reading_direction,
    series_affine,
    slice_normal,
    spacing_affine,
)
from napari_chest.model import Grid

# Image Orientation (Patient): row direction, then column direction, in LPS.
SUPINE = (1, 0, 0, 0, 1, 0)  # head first supine, and feet first supine as scanners write it
PRONE = (-1, 0, 0, 0, -1, 0)
CORONAL = (1, 0, 0, 0, 0, -1)
SAGITTAL = (0, 1, 0, 0, 0, -1)
Z, Y, X = 0, 1, 2


def turned(degrees):
    """Axial slices turned about the patient's long axis."""
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    return (c, s, 0, -s, c, 0)


def placed(orientation, step=None, count=3, placed=True):
    """A grid of slices at 2 mm, or along a step of their own."""
    step = 2 * reading_direction(orientation) if step is None else np.array(step, float)
    positions = np.array([-10.0, -20.0, 30.0]) + np.outer(np.arange(count), step)
    affine = series_affine(orientation, (0.7, 0.8), positions, 2.0)
    return Grid((count, 4, 4), affine, tuple(map(str, range(count))), placed=placed), positions


def letters(grid, down, right):
    edges = edge_letters(grid, down, right)
    return edges.left, edges.right, edges.top, edges.bottom


# Letters


def test_supine_stands_in_the_radiological_convention():
    """In all three views: the patient's right is on the left, head and front are on top."""
    grid, _ = placed(SUPINE)
    assert letters(grid, Y, X) == ("R", "L", "A", "P")
    assert letters(grid, Z, X) == ("R", "L", "H", "F")
    assert letters(grid, Z, Y) == ("A", "P", "H", "F")


def test_prone_is_told_by_the_letters_and_not_turned():
    grid, _ = placed(PRONE)
    assert letters(grid, Y, X) == ("L", "R", "P", "A")
    assert letters(grid, Z, X) == ("L", "R", "H", "F")


def test_feet_first_files_come_out_head_to_feet():
    """Files of a feet-first scan have the same cosines; only their order on disk differs."""
    grid, positions = placed(SUPINE)
    assert positions[0, 2] > positions[-1, 2]
    assert letters(grid, Z, X)[2:] == ("H", "F")
    against, _ = placed(SUPINE, step=(0, 0, 2))  # a series that could only be read upwards
    assert letters(against, Z, X)[2:] == ("F", "H")


def test_feet_first_with_mirrored_rows():
    grid, _ = placed((-1, 0, 0, 0, 1, 0))
    assert letters(grid, Y, X) == ("L", "R", "A", "P")
    assert letters(grid, Z, X)[2:] == ("H", "F")


def test_coronal_and_sagittal_acquisitions():
    coronal, _ = placed(CORONAL)
    assert letters(coronal, Y, X) == ("R", "L", "H", "F")
    assert letters(coronal, Z, X) == ("R", "L", "A", "P")
    sagittal, _ = placed(SAGITTAL)
    assert letters(sagittal, Y, X) == ("A", "P", "H", "F")
    assert letters(sagittal, Z, X) == ("A", "P", "R", "L")


@pytest.mark.parametrize(
    ("degrees", "right", "bottom"),
    [
        (10, "L", "P"),
        (20, "LP", "PR"),
        (44, "LP", "PR"),
        (46, "PL", "RP"),
        (-20, "LA", "PL"),
        (80, "P", "R"),
    ],
)
def test_oblique_slices_have_two_letters(degrees, right, bottom):
    opposite = str.maketrans("LRAPHF", "RLPAFH")
    expected = (right.translate(opposite), right, bottom.translate(opposite), bottom)
    assert letters(placed(turned(degrees))[0], Y, X) == expected


def test_double_oblique_has_three_letters_the_strongest_first():
    assert direction_letters(np.array([3.0, -2.0, 1.5])) == "LAH"
    assert direction_letters(np.array([-1.0, 9.0, 0.0])) == "P"
    assert direction_letters(np.array([0.0, 0.0, -0.001])) == "F"


def test_unplaced_grids_have_question_marks():
    grid, _ = placed(SUPINE, placed=False)
    assert edge_letters(grid, Y, X) == EdgeLetters("?", "?", "?", "?")


# Affines


@pytest.mark.parametrize("orientation", [SUPINE, PRONE, CORONAL, SAGITTAL, turned(30)])
def test_affine_by_the_standards_own_equation(orientation):
    """P = S + row * column spacing * i + column * row spacing * j (DICOM PS3.3 C.7.6.2.1.1)."""
    grid, positions = placed(orientation, count=5)
    row, column = np.array(orientation[:3]), np.array(orientation[3:])
    for z, y, x in [(0, 0, 0), (4, 0, 0), (2, 3, 1), (1, 2, 3)]:
        expected = positions[z] + row * 0.8 * x + column * 0.7 * y
        np.testing.assert_allclose(grid.position(z, y, x), expected)
    assert grid.spacing == pytest.approx((2, 0.7, 0.8))


def test_rows_and_columns_spacing_are_not_exchanged():
    affine = series_affine(SUPINE, (0.7, 0.8), np.array([[0.0, 0, 0], [0, 0, -2]]), 9)
    assert affine[0, X] == 0.8  # from column to column, towards the left
    assert affine[1, Y] == 0.7


def test_gantry_tilt_stays_a_shear():
    """Each slice is shifted against the one before; every slice keeps its real place."""
    step = (0, 0.5, -2)
    grid, positions = placed(SUPINE, step=step, count=7)
    np.testing.assert_allclose(grid.affine[:3, Z], step)
    for z in range(7):
        np.testing.assert_allclose(grid.position(z, 0, 0), positions[z], atol=1e-12)
    assert grid.spacing[0] == pytest.approx(np.hypot(0.5, 2))
    assert abs(grid.affine[:3, Z] @ grid.affine[:3, Y]) > 0.1


def test_uneven_steps_give_the_mean_step():
    positions = np.array([[0.0, 0, 0], [0, 0, -1], [0, 0, -6]])
    affine = series_affine(SUPINE, (1, 1), positions, 99)
    np.testing.assert_allclose(affine[:3, Z], (0, 0, -3))


def test_single_slice_uses_the_thickness_in_reading_direction():
    affine = series_affine(SUPINE, (1, 1), np.array([[1.0, 2, 3]]), 5)
    np.testing.assert_allclose(affine[:3, Z], (0, 0, -5))
    np.testing.assert_allclose(affine[:3, 3], (1, 2, 3))
    np.testing.assert_allclose(
        series_affine(CORONAL, (1, 1), np.zeros((1, 3)), 5)[:3, Z], (0, 5, 0), atol=1e-12
    )


def test_spacing_affine_is_an_axial_one():
    grid = Grid((1, 1, 1), spacing_affine((3, 2, 1)), ("a",))
    assert grid.spacing == (3, 2, 1)
    assert letters(grid, Y, X) == ("R", "L", "A", "P")
    assert letters(grid, Z, X)[2:] == ("H", "F")


# Reading directions


@pytest.mark.parametrize(
    ("orientation", "plane", "direction"),
    [
        (SUPINE, "axial", (0, 0, -1)),
        (PRONE, "axial", (0, 0, -1)),
        ((-1, 0, 0, 0, 1, 0), "axial", (0, 0, -1)),
        ((0, 1, 0, 1, 0, 0), "axial", (0, 0, -1)),
        (CORONAL, "coronal", (0, 1, 0)),
        ((-1, 0, 0, 0, 0, -1), "coronal", (0, 1, 0)),
        (SAGITTAL, "sagittal", (1, 0, 0)),
        ((0, -1, 0, 0, 0, -1), "sagittal", (1, 0, 0)),
    ],
)
def test_slices_are_counted_as_they_are_read(orientation, plane, direction):
    """Head to feet, front to back, right to left, however rows and columns run."""
    assert acquisition_plane(orientation) == plane
    np.testing.assert_allclose(reading_direction(orientation), direction, atol=1e-12)


def test_tilted_slices_are_still_counted_head_to_feet():
    c, s = np.cos(0.4), np.sin(0.4)
    direction = reading_direction((1, 0, 0, 0, c, s))
    assert acquisition_plane((1, 0, 0, 0, c, s)) == "axial"
    np.testing.assert_allclose(direction, (0, s, -c))


def test_distances_grow_along_the_direction():
    positions = np.array([[5.0, 5, 10], [7, 3, 8], [0, 0, 12]])
    np.testing.assert_allclose(distances_along(positions, np.array([0.0, 0, -1])), [-10, -8, -12])


def test_normal_is_of_unit_length_for_rounded_cosines():
    rounded = (0.98, 0.17, 0, -0.17, 0.98, 0)
    normal = slice_normal(rounded)
    assert np.linalg.norm(normal) == pytest.approx(1)
    np.testing.assert_allclose(normal, (0, 0, 1), atol=1e-9)


@pytest.mark.parametrize(
    "bad",
    [
        (0, 0, 0, 0, 0, 0),
        (1, 0, 0, 1, 0, 0),
        (1, 0, 0, 0.5, 0.866, 0),
        (2, 0, 0, 0, 2, 0),
        (2, 0, 0, 0, 0.5, 0),  # their product has length 1, they have not
        (0.1, 0, 0, 0, 10, 0),
        (float("nan"), 0, 0, 0, 1, 0),
        (1, 0, 0, 0, float("inf"), 0),
        (1, 0, 0),
        (1, 0, 0, 0, 1),
        (1, 0, 0, 0, 1, 0, 0),
        (),
    ],
)
def test_bad_cosines_are_refused(bad):
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecationWarning)
        for function in (slice_normal, acquisition_plane, reading_direction):
            with pytest.raises(ValueError, match="direction cosines"), np.errstate(all="ignore"):
                function(bad)

"""Orientation letters, affines and reading directions, for every way a patient can lie."""

import itertools
import warnings

import numpy as np
import pytest

from napari_chest.geometry import (
    EdgeLetters,
    acquisition_plane,
    direction_letters,
    display_affine,
    display_order,
    distances_along,
    edge_letters,
    reading_direction,
    series_affine,
    slice_normal,
    spacing_affine,
    to_display,
    to_stored,
)
from napari_chest.model import Grid, Stored

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


# Volumes stored in any order


def stored_affine(directions, spacing, origin=(10, 20, 30)):
    """RAS+ affine of axes that run towards these letters, one each."""
    columns = {"R": (1, 0, 0), "A": (0, 1, 0), "S": (0, 0, 1)}
    columns |= {"L": (-1, 0, 0), "P": (0, -1, 0), "I": (0, 0, -1)}
    affine = np.eye(4)
    affine[:3, :3] = np.transpose([columns[letter] for letter in directions]) * spacing
    affine[:3, 3] = origin
    return affine


def shown(affine, shape=(4, 5, 6)):
    """Where z, y and x of the display run to, one letter each."""
    stored = display_order(affine, shape)
    columns = display_affine(affine, shape, stored)[:3, :3]
    return "".join(direction_letters(columns[:, axis])[0] for axis in (Z, Y, X))


ALL_ORDERS = [
    "".join(letters)
    for axes in itertools.permutations(("LR", "AP", "SI"))
    for letters in itertools.product(*axes)
]


@pytest.mark.parametrize("directions", ALL_ORDERS)
def test_isotropic_volumes_open_axially(directions):
    assert shown(stored_affine(directions, (1, 1, 1))) == "FPL"


@pytest.mark.parametrize("directions", ALL_ORDERS)
@pytest.mark.parametrize("thick", [0, 1, 2])
def test_thick_slices_stay_as_they_were_acquired(directions, thick):
    spacing = np.full(3, 0.7)
    spacing[thick] = 3
    affine = stored_affine(directions, spacing)
    views = {"SI": "FPL", "AP": "PFL", "LR": "LFP"}
    assert shown(affine) == next(views[ends] for ends in views if directions[thick] in ends)
    assert display_order(affine, (4, 5, 6)).axes[0] == thick


@pytest.mark.parametrize(
    ("spacing", "expected"),
    [((1, 1.24, 1), "FPL"), ((1, 1.26, 1), "PFL"), ((1.26, 1, 1.26), "FPL"), ((3, 3, 1), "FPL")],
)
def test_slices_are_thick_from_a_quarter_more_than_both_others(spacing, expected):
    assert shown(stored_affine("LAS", spacing)) == expected


@pytest.mark.parametrize(
    ("shape", "expected"),
    [((1, 5, 6), "LFP"), ((4, 1, 6), "PFL"), ((4, 5, 1), "FPL"), ((1, 1, 6), "FPL")],
)
def test_a_single_slice_is_shown_as_one(shape, expected):
    """Whatever its thickness, and also where its pixels are not square."""
    assert shown(stored_affine("LAS", (1, 1, 1)), shape) == expected
    if shape.count(1) == 1:
        spacing = np.where(np.array(shape) == 1, 0.2, (1, 2, 3))
        assert shown(stored_affine("LAS", spacing), shape) == expected


@pytest.mark.parametrize("degrees", [-40, -10, 10, 30, 44])
@pytest.mark.parametrize(("one", "other"), [(0, 1), (0, 2), (1, 2)])
@pytest.mark.parametrize("directions", ["LAS", "RPI", "SLA", "PIR"])
def test_turned_volumes_keep_to_the_nearest_directions(directions, one, other, degrees):
    c, s = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    turn = np.eye(4)
    turn[[one, one, other, other], [one, other, one, other]] = c, -s, s, c
    assert shown(turn @ stored_affine(directions, (1, 1, 1))) == "FPL"


def test_a_gantry_tilt_stays_as_a_shear():
    affine = stored_affine("LAS", (0.7, 0.7, 5))
    affine[1, 2] = 1.5
    stored = display_order(affine, (4, 5, 6))
    assert stored == Stored((2, 1, 0), (True, True, False))
    columns = display_affine(affine, (4, 5, 6), stored)[:3, :3]
    np.testing.assert_allclose(columns[:, Z], (0, 1.5, -5))


@pytest.mark.parametrize("directions", ALL_ORDERS)
@pytest.mark.parametrize("spacing", [(1, 1, 1), (3, 0.7, 0.8), (0.7, 3, 0.8)])
def test_every_voxel_keeps_its_place_in_the_patient(directions, spacing):
    shape = (2, 3, 4)
    affine = stored_affine(directions, spacing)
    stored = display_order(affine, shape)
    numbers = np.arange(24).reshape(shape)
    turned_numbers = to_display(numbers, stored)
    grid_affine = display_affine(affine, shape, stored)
    for index in np.ndindex(turned_numbers.shape):
        ras = affine @ (*np.argwhere(numbers == turned_numbers[index])[0], 1)
        np.testing.assert_allclose(grid_affine @ (*index, 1), ras * (-1, -1, 1, 1))


def test_turning_there_and_back_copies_nothing():
    numbers = np.arange(24).reshape(2, 3, 4)
    for axes in itertools.permutations(range(3)):
        for flipped in itertools.product((False, True), repeat=3):
            there = to_display(numbers, Stored(axes, flipped))
            back = to_stored(there, Stored(axes, flipped))
            np.testing.assert_array_equal(back, numbers)
            assert np.shares_memory(there, numbers)
            assert np.shares_memory(back, numbers)
    np.testing.assert_array_equal(
        to_display(numbers, Stored((2, 0, 1), (True, False, False))),
        numbers[:, :, ::-1].transpose(2, 0, 1),
    )

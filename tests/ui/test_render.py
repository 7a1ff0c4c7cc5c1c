"""Slices as pixels: which voxel stands where, which grey it has, what lies over it."""

import numpy as np
import pytest

from napari_chest.geometry import display_affine, display_order, edge_letters, spacing_affine
from napari_chest.model import Grid, Window
from napari_chest.ui.planes import render
from napari_chest.ui.planes.facing import facings
from napari_chest.ui.planes.place import fitted

SHAPE = (4, 5, 6)


def grid(affine, shape=SHAPE):
    return Grid(shape, affine, tuple(map(str, range(shape[0]))))


def axial(spacing=(3.0, 1.0, 1.0)):
    return grid(spacing_affine(spacing))


def stored(ras_affine, shape=SHAPE):
    """The grid of a volume that a file stores with this RAS+ affine, turned for display."""
    turned = display_order(ras_affine, shape)
    display = tuple(shape[axis] for axis in turned.axes)
    return grid(display_affine(ras_affine, shape, turned), display)


def test_the_planes_of_an_axial_ct_stand_head_or_front_up():
    faces = facings(axial())
    assert [face.plane for face in faces] == ["axial", "coronal", "sagittal"]
    assert [face.order for face in faces] == [(0, 1, 2), (1, 0, 2), (2, 0, 1)]
    tops = [edge_letters(axial(), face.down, face.right).top for face in faces]
    lefts = [edge_letters(axial(), face.down, face.right).left for face in faces]
    assert tops == ["A", "H", "H"]
    assert lefts == ["R", "R", "A"]


@pytest.mark.parametrize("thick", [0, 1, 2])
def test_however_a_volume_was_acquired_each_plane_stands_upright(thick):
    # Thick slices from right to left, from back to front, from feet to head.
    spacing = [1.0, 1.0, 1.0, 1.0]
    spacing[thick] = 5.0
    place = stored(np.diag(spacing))
    seen = {
        face.plane: (
            edge_letters(place, face.down, face.right).top,
            edge_letters(place, face.down, face.right).left,
        )
        for face in facings(place)
    }
    assert seen == {"axial": ("A", "R"), "coronal": ("H", "R"), "sagittal": ("H", "A")}


def test_a_volume_turned_by_half_a_right_angle_still_has_three_planes():
    angle = np.pi / 4
    affine = spacing_affine((1.0, 1.0, 1.0))
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    assert {face.plane for face in facings(grid(turn @ affine))} == {
        "axial",
        "coronal",
        "sagittal",
    }


def test_a_slice_is_cut_as_it_faces_a_person():
    voxels = np.arange(np.prod(SHAPE)).reshape(SHAPE)
    top, front, side = (
        render.cut(voxels, face, index)
        for face, index in zip(facings(axial()), (3, 2, 1), strict=True)
    )
    np.testing.assert_array_equal(top, voxels[3])
    np.testing.assert_array_equal(front, voxels[:, 2])
    np.testing.assert_array_equal(side, voxels[:, :, 1])
    assert side.flags.c_contiguous


def test_a_slice_is_turned_where_down_comes_after_right():
    place = stored(np.diag([5.0, 1.0, 1.0, 1.0]))  # slices from right to left
    face = next(face for face in facings(place) if face.plane == "coronal")
    voxels = np.arange(np.prod(place.shape)).reshape(place.shape)
    found = render.cut(voxels, face, 2)
    assert found.shape == (place.shape[face.down], place.shape[face.right])
    at = [0, 0, 0]
    at[face.axis], at[face.down], at[face.right] = 2, 1, 3
    assert found[1, 3] == voxels[tuple(at)]


@pytest.mark.parametrize("dtype", [np.int16, np.float32, np.int32])
def test_greys_go_from_the_lower_to_the_upper_end_of_the_window(dtype):
    voxels = np.array([[-3000, -1350, -600, 150, 3000]], dtype)
    pixels = render.grey_pixels(voxels, Window(-600, 1500))
    assert pixels.tolist() == [[0xFF000000, 0xFF000000, 0xFF808080, 0xFFFFFFFF, 0xFFFFFFFF]]


def test_inverted_greys_go_the_other_way_round():
    pixels = render.grey_pixels(np.array([[-1350, 150]]), Window(-600, 1500), inverted=True)
    assert pixels.tolist() == [[0xFFFFFFFF, 0xFF000000]]


def test_a_window_without_width_parts_black_from_white():
    pixels = render.grey_pixels(np.array([[9, 11]]), Window(10, 0))
    assert pixels.tolist() == [[0xFF000000, 0xFFFFFFFF]]


def test_the_box_of_a_mask_is_as_small_as_what_it_holds():
    labels = np.zeros((8, 9), np.uint8)
    labels[2, 3], labels[5, 7] = 1, 2
    box, top, left = render.filled_box(labels)
    assert (top, left, box.shape) == (2, 3, (4, 5))
    np.testing.assert_array_equal(box, labels[2:6, 3:8])
    assert render.filled_box(np.zeros((8, 9), np.uint8)) is None


def test_colours_are_mixed_at_their_opacity():
    colors = {None: "#ffffff", 0: "transparent", 1: "#ff0000", 2: "transparent"}
    table = render.color_table(colors, 0.4)
    assert table[0].tolist() == table[2].tolist() == [0, 0, 0, 0]
    assert table[1].tolist() == [255, 0, 0, 102]
    assert table[3].tolist() == [255, 255, 255, 102]
    labels = np.array([[0, 1, 2]], np.uint8)
    pixels = render.label_pixels(labels, render.packed(table))
    assert pixels.tolist() == [[0, 0x66660000, 0]]  # premultiplied


def test_values_beyond_the_table_have_the_colour_of_the_unknown():
    table = render.color_table({None: "#00ff00", 0: "transparent", 300: "#0000ff"}, 1.0)
    lut = render.packed(table)
    labels = np.array([[300, 301, 65535]], np.uint16)
    pixels = render.label_pixels(labels, lut)
    assert pixels.tolist() == [[0xFF0000FF, 0xFF00FF00, 0xFF00FF00]]


def outline(labels, rows, columns):
    table = render.color_table({None: "#ffffff", 0: "transparent"}, 1.0)
    return render.outline_pixels(labels, render.packed(table), rows, columns) != 0


def test_an_outline_is_as_thick_on_screen_however_large_the_voxels_are():
    labels = np.ones((10, 10), np.uint8)
    for zoom in (1, 4, 13):
        at = (np.arange(10 * zoom) + 0.5) / zoom - 0.5
        found = outline(labels, at, at)
        edge = render.OUTLINE
        assert found[:edge].all()
        assert found[:, -edge:].all()
        assert not found[edge:-edge, edge:-edge].any()


def test_an_outline_parts_two_segments_that_touch():
    labels = np.ones((9, 20), np.uint8)
    labels[:, 10:] = 2
    at = np.arange(9.0), np.arange(20.0)
    found = outline(labels, *at)
    assert found[4].tolist() == [i in (0, 1, 8, 9, 10, 11, 18, 19) for i in range(20)]


def test_what_lies_beside_a_mask_has_no_outline():
    found = outline(np.ones((3, 3), np.uint8), np.arange(-5.0, 8.0), np.arange(-5.0, 8.0))
    assert found.any()
    assert not found[:5].any()
    assert not found[8:].any()


def test_a_slice_is_fitted_in_mm_and_every_voxel_found_again():
    place = fitted((10, 40), (8.0, 1.0), (300, 200), 2)
    left, top, width, height = place.area
    assert height / width == pytest.approx(80 / 40)
    assert height == pytest.approx(196)
    assert (left + width / 2, top + height / 2) == pytest.approx((150, 100))
    for moved in (place, place.zoomed(3.0, 17, 90), place.moved(-33, 8)):
        assert moved.to_slice(*moved.to_pixels(3, 21)) == pytest.approx((3, 21))


def test_zooming_leaves_in_place_what_is_under_the_pointer():
    place = fitted((10, 40), (8.0, 1.0), (300, 200), 2)
    larger = place.zoomed(2.0, 140, 60)
    assert larger.scale == pytest.approx(2 * place.scale)
    assert larger.to_slice(140, 60) == pytest.approx(place.to_slice(140, 60))

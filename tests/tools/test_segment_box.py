"""The box of a segment, in any memory order."""

import numpy as np
import pytest

from napari_chest.tools.base import segment_box


def extent(labels, value):
    found = np.argwhere(labels == value)
    return tuple(slice(a, b + 1) for a, b in zip(found.min(0), found.max(0), strict=True))


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
@pytest.mark.parametrize("turned", [False, True])
def test_box_of_each_segment(dtype, axes, turned):
    labels = np.zeros((6, 7, 8), dtype)
    labels[1, 2, 3] = labels[4, 5, 6] = 1
    labels[0, 0, 0] = labels[5, 6, 7] = 2
    labels[3, 0, 7] = 3
    labels = labels.transpose(axes)
    labels = labels[::-1, :, ::-1] if turned else labels
    for value in (1, 2, 3):
        assert segment_box(labels, value) == extent(labels, value)


def test_absent_segments_have_no_box():
    labels = np.full((2, 3, 4), 255, np.uint8)
    assert segment_box(labels, 1) is None
    assert segment_box(labels, 300) is None
    assert segment_box(np.zeros((0, 3, 4), np.uint8), 1) is None
    assert segment_box(labels, 255) == (slice(0, 2), slice(0, 3), slice(0, 4))


def test_a_wide_value_is_not_mistaken_for_its_low_byte():
    labels = np.zeros((2, 2, 2), np.uint16)
    labels[1, 0, 1] = 257
    assert segment_box(labels, 1) is None
    assert segment_box(labels, 257) == (slice(1, 2), slice(0, 1), slice(1, 2))


def test_bool_arrays_of_other_dimensions():
    plane = np.zeros((4, 5), bool)
    plane[1, 2:4] = True
    assert segment_box(plane, value=True) == (slice(1, 2), slice(2, 4))

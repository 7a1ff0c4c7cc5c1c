"""Numbering connected parts, also of arrays that are one voxel thin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from scipy import ndimage

from napari_chest.tools.parts import numbered_parts

SHAPES = arrays.array_shapes(min_dims=3, max_dims=3, max_side=7)


@pytest.mark.parametrize("shape", [(1, 1, 3), (1, 3, 1), (3, 1, 1)])
def test_a_line_with_a_gap_has_two_parts(shape):
    inside = np.array([True, False, True]).reshape(shape)
    np.testing.assert_array_equal(numbered_parts(inside, 26).ravel(), [1, 0, 2])


@given(SHAPES.flatmap(lambda shape: arrays.arrays(bool, shape)), st.sampled_from([6, 26]))
def test_parts_are_those_of_scipy(inside, connectivity):
    structure = ndimage.generate_binary_structure(3, {6: 1, 26: 3}[connectivity])
    wanted, count = ndimage.label(inside, structure)
    found = numbered_parts(inside, connectivity)
    assert found.shape == inside.shape
    pairs = set(zip(wanted.ravel().tolist(), found.ravel().tolist(), strict=True))
    assert len(pairs) == count + (not inside.all() if inside.size else 0)
    assert (found == 0).tolist() == (~inside).tolist()

"""Surfaces of segments: closed, in mm, the right way round."""

import numpy as np
import pytest

from napari_chest.measure.surface import surface

SPACING = (2.0, 0.7, 0.8)


def volume_of(found):
    """Signed volume in mm³ in the frame (z, y, x): positive where triangles face outwards."""
    a, b, c = found.vertices.astype(float)[found.faces].transpose(1, 0, 2)
    return float(np.einsum("ij,ij->i", a, np.cross(b, c)).sum() / 6)


def is_closed(found):
    """Whether every edge is run through as often one way as the other."""
    edges = found.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2)
    there, ways = np.unique(edges, axis=0, return_counts=True)
    back, ways_back = np.unique(edges[:, ::-1], axis=0, return_counts=True)
    return np.array_equal(there, back) and np.array_equal(ways, ways_back)


def ball(shape=(24, 60, 60), center=(11, 30, 28), radius=14.0, spacing=SPACING):
    away = [(i - c) * s for i, c, s in zip(np.indices(shape), center, spacing, strict=True)]
    return (np.sqrt(sum(a * a for a in away)) < radius).astype(np.uint8)


def test_ball_is_closed_of_its_size_and_at_its_place():
    labels = ball() * 3
    found = surface(labels, 3, SPACING)
    expected = 4 / 3 * np.pi * 14**3
    assert is_closed(found)
    assert volume_of(found) == pytest.approx(expected, rel=0.03)
    center = np.multiply((11, 30, 28), SPACING)
    assert found.vertices.mean(axis=0) == pytest.approx(center, abs=0.3)
    away = np.linalg.norm(found.vertices - center, axis=1)
    assert away.min() > 11.5
    assert away.max() < 15.5
    assert found.vertices.dtype == np.float32
    assert found.faces.dtype == np.int32


def test_patient_frame_is_not_mirrored():
    """In LPS, which is (x, y, -z), triangles still face outwards."""
    found = surface(ball(), 1, SPACING)
    z, y, x = found.vertices.T.astype(float)
    patient = np.stack([x, y, -z], axis=1)
    a, b, c = patient[found.faces].transpose(1, 0, 2)
    assert np.einsum("ij,ij->i", a, np.cross(b, c)).sum() > 0


def test_closed_at_the_end_of_the_volume():
    labels = ball()[11:, 30:]
    found = surface(labels, 1, SPACING)
    assert is_closed(found)
    voxels = np.count_nonzero(labels) * np.prod(SPACING)
    assert volume_of(found) == pytest.approx(voxels, rel=0.05)


def test_single_voxel_and_thin_sheet_have_a_surface():
    labels = np.zeros((5, 40, 40), np.uint8)
    labels[2, 20, 20] = 1
    labels[3, 5:30, 5:30] = 2
    for value in (1, 2):
        found = surface(labels, value, SPACING)
        assert is_closed(found)
        assert volume_of(found) > 0


def test_other_segments_do_not_show():
    labels = ball() * 2
    labels[0, 0, 0] = 1
    found = surface(labels, 1, SPACING)
    assert np.abs(found.vertices).max() < 2.0
    assert surface(labels, 7, SPACING) is None


def test_smoothing_takes_the_steps_off():
    """Normals of a smoothed ball point away from its middle better than a stair's would."""
    found = surface(ball(), 1, SPACING)
    a, b, c = found.vertices.astype(float)[found.faces].transpose(1, 0, 2)
    normals = np.cross(b - a, c - a)
    areas = np.linalg.norm(normals, axis=1)
    out = (a + b + c) / 3 - np.multiply((11, 30, 28), SPACING)
    cosines = np.einsum("ij,ij->i", normals, out) / areas / np.linalg.norm(out, axis=1)
    assert np.average(cosines, weights=areas) > 0.95


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (5.0, 0.7, 0.7)])
def test_large_segment_has_fewer_triangles_at_the_same_place(spacing):
    labels = np.zeros((60, 260, 260), np.uint8)
    labels[2:58, 4:255, 6:257] = 1
    found = surface(labels, 1, spacing)
    sides = np.multiply((56, 251, 251), spacing)
    assert is_closed(found)
    assert volume_of(found) == pytest.approx(np.prod(sides), rel=0.03)
    middle = (found.vertices.max(axis=0) + found.vertices.min(axis=0)) / 2
    assert middle == pytest.approx(np.multiply((29.5, 129, 131), spacing), abs=1.5 * max(spacing))
    assert len(found.faces) < 2 * 2 * (251 * 251 + 2 * 56 * 251)

"""Small scenes for tools, and what a mask looks like after one."""

import numpy as np

from napari_chest.tools.base import Scene

THICK = (5.0, 0.7, 0.7)
EVEN = (1.0, 1.0, 1.0)


def scene_of(labels, value=1, spacing=EVEN, **more):
    labels = np.asarray(labels)
    labels = labels.astype(np.uint8) if labels.dtype.kind in "bi" else labels.copy()
    labels.flags.writeable = False
    return Scene(labels, value, spacing, **more)


def after(scene, painted):
    """The whole mask after a tool, once its box is known to be the smallest that holds all."""
    before = scene.labels[painted.box]
    assert painted.labels.dtype == scene.labels.dtype
    assert painted.labels.shape == before.shape
    different = np.argwhere(painted.labels != before)
    assert (different.min(axis=0) == 0).all(), "the box begins before the first change"
    assert (different.max(axis=0) + 1 == before.shape).all(), "the box ends after the last change"
    whole = scene.labels.copy()
    whole[painted.box] = painted.labels
    return whole


def blobs(shape, seed=0, share=0.3, sigma=1.5):
    """A ragged region with islands, holes and tunnels."""
    from scipy import ndimage

    noise = ndimage.gaussian_filter(np.random.default_rng(seed).normal(size=shape), sigma)
    return noise > np.quantile(noise, 1 - share)


def ball(shape, centre, radius, spacing=EVEN):
    """Voxels whose centre is at most this many mm from a voxel."""
    places = np.moveaxis(np.indices(shape), 0, -1)
    away = np.linalg.norm((places - np.asarray(centre)) * spacing, axis=-1)
    return away <= radius + 1e-6

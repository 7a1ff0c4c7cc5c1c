"""The model's values: frozen, read-only, and in words."""

import dataclasses

import numpy as np
import pytest

from napari_chest import model
from napari_chest.model import (
    CaseInfo,
    Grid,
    Mask,
    Problem,
    Question,
    Reading,
    Segment,
    SliceLabels,
    Stored,
    Volume,
    VolumeStream,
    Window,
)


def grid(shape=(3, 2, 2), affine=None):
    return Grid(shape, np.eye(4) if affine is None else affine, tuple("abc"[: shape[0]]))


VALUES = [
    Window(-600, 1500),
    Problem("note", "text"),
    Stored(),
    grid(),
    Volume(np.zeros((3, 2, 2), np.int16), grid(), "CT"),
    Segment(1, "GGO", "#aabbcc"),
    Mask("lesions", np.zeros((3, 2, 2), np.uint8), ()),
    SliceLabels(("infected",), np.zeros((3, 1), bool)),
    Question("q", "?", ("yes",)),
    Reading("you"),
    CaseInfo("id", "title", "CT"),
]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_values_are_frozen(value):
    names = getattr(value, "_fields", None) or [f.name for f in dataclasses.fields(value)]
    for name in names:
        with pytest.raises(AttributeError):  # FrozenInstanceError is one
            setattr(value, name, None)


def test_every_array_that_a_value_holds_is_read_only():
    labels = np.zeros((3, 2, 2), np.uint8)
    table = np.zeros((3, 1), bool)
    voxels = np.zeros((3, 2, 2), np.int16)
    held = (
        Mask("m", labels, ()).labels,
        SliceLabels(("infected",), table).values,
        Volume(voxels, grid(), "CT").voxels,
        grid().affine,
    )
    for array in held:
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 1
    assert not any(array.flags.writeable for array in held)


def test_who_makes_a_volume_keeps_the_one_handle_to_fill_it():
    voxels = np.zeros((3, 2, 2), np.int16)
    volume = Volume(voxels, grid(), "CT")
    voxels[1] = 7
    assert (volume.voxels[1] == 7).all()
    assert voxels.flags.writeable
    assert np.shares_memory(voxels, volume.voxels)


def test_window_limits():
    assert Window(-600, 1500).limits == (-1350, 150)
    assert Window(40, 1).limits == (39.5, 40.5)


def test_problem_as_a_sentence():
    assert str(Problem("warning", "Odd.")) == "warning: Odd."
    assert str(Problem("error", "Bad.", ("a", "b"))) == "error: Bad. (a, b)"
    many = Problem("note", "Many.", tuple("abcdefg"))
    assert str(many) == "note: Many. (a, b, c, d, e and 2 more)"


def test_grid_spacing_and_position():
    affine = np.array([[0, 0, 0.8, -100], [0, 0.7, 0, -90], [-2.5, 0, 0, 50], [0, 0, 0, 1]])
    placed = grid(affine=affine)
    assert placed.spacing == pytest.approx((2.5, 0.7, 0.8))
    assert placed.position(0, 0, 0) == pytest.approx((-100, -90, 50))
    assert placed.position(2, 1, 3) == pytest.approx((-97.6, -89.3, 45))
    assert placed.position(0.5, 0, 0) == pytest.approx((-100, -90, 48.75))


def test_grid_keeps_a_tilt_as_its_shear():
    affine = np.eye(4)
    affine[:3, :3] = [[0, 0, 1], [1.5, 1, 0], [-2, 0, 0]]
    assert grid(affine=affine).spacing[0] == pytest.approx(2.5)
    assert grid(affine=affine).affine[1, 0] == 1.5


def test_slice_labels_with_other_values_do_not_follow_the_array():
    labels = SliceLabels(("LUL", "infected"), np.zeros((2, 2), bool), any_column="infected")
    values = np.ones((2, 2), bool)
    other = labels.with_values(values)
    values[:] = False
    assert other.values.all()
    assert (other.columns, other.any_column) == (labels.columns, "infected")
    assert not labels.values.any()


def test_unlabelled_is_not_all_negative():
    assert Reading("you").slice_labels is None
    negative = SliceLabels(("infected",), np.zeros((2, 1), bool))
    assert Reading("you", slice_labels=negative).slice_labels is negative


def test_complete_reads_what_is_left():
    read = []

    def slices():
        for z in (1, 0, 2):
            read.append(z)
            yield z

    volume = Volume(np.zeros((3, 2, 2), np.int16), grid(), "CT")
    stream = VolumeStream(volume, slices())
    assert next(stream.slices) == 1
    assert stream.complete() is volume
    assert read == [1, 0, 2]
    assert stream.complete() is volume


def test_words_are_the_front_door():
    import napari_chest

    for name in ("Grid", "Mask", "Reading", "Segment", "SliceLabels", "Volume", "Window"):
        assert getattr(napari_chest, name) is getattr(model, name)
    assert set(napari_chest.__all__) <= set(dir(napari_chest))

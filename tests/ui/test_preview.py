"""What a tool would change, over the image: where it lies on each plane, and that it is seen."""

import numpy as np
import painted
import pytest
from qtpy.QtGui import QColor
from qtpy.QtWidgets import QWidget

from napari_chest.ui.canvas.overlay import Overlay
from napari_chest.ui.canvas.preview import Preview
from napari_chest.ui.tool_jobs import COMES, GOES

BOX = (slice(3, 5), slice(10, 13), slice(20, 24))
WHITE, RED, NOTHING = 0xCCC0C1C2, 0xCCCC6E62, 0


class PaperAxes:
    """A view of ten pixels a millimetre, at voxel 3, 11, 22."""

    def __init__(self, order=(0, 1, 2)):
        self.order = order
        self.grid = painted.grid(painted.SHAPE, painted.SPACING)
        self.at = [3, 11, 22]
        self.flat = True

    def index(self, axis):
        return self.at[axis]

    def to_pixels(self, vertical, horizontal):
        return 10 * horizontal, 10 * vertical


@pytest.fixture
def difference():
    found = np.zeros((2, 3, 4), np.uint8)
    found[0, 1] = COMES
    found[:, :, 2] = GOES
    return found


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (2, 0, 1), (0, 2, 1)])
def test_a_preview_lies_where_the_voxels_of_the_plane_are(order, difference):
    axes = PaperAxes(order)
    preview = Preview(axes)
    preview.show(BOX, difference)
    picture = preview.picture()
    axis, down, right = order
    plane = np.moveaxis(difference, order, (0, 1, 2))[axes.at[axis] - BOX[axis].start]
    colors = np.array([NOTHING, WHITE, RED])
    np.testing.assert_array_equal(picture.pixels, colors[plane])
    edges = [(BOX[right].start, right), (BOX[down].start, down)]
    edges += [(BOX[right].stop, right), (BOX[down].stop, down)]
    expected = [10 * (place - 0.5) * painted.SPACING[k] for place, k in edges]
    np.testing.assert_allclose(picture.area, expected)


def test_a_preview_is_seen_on_its_slices_alone_and_not_in_3d(difference):
    axes = PaperAxes()
    preview = Preview(axes)
    assert preview.picture() is None
    preview.show(BOX, difference)
    for z, seen in ((2, False), (3, True), (4, True), (5, False)):
        axes.at[0] = z
        assert (preview.picture() is not None) == seen
    axes.at[0], axes.flat = 3, False
    assert preview.picture() is None
    axes.flat = True
    preview.drop()
    assert preview.picture() is None


def test_the_overlay_draws_a_preview_also_where_it_shows_no_text(qtbot, difference):
    canvas = QWidget()
    canvas.resize(400, 400)
    qtbot.addWidget(canvas)
    overlay = Overlay(canvas)
    preview = Preview(PaperAxes())
    preview.show(BOX, difference)
    overlay.set_preview(preview.picture())
    left, top, right, bottom = preview.picture().area
    middle = round(left + 2.5 / 4 * (right - left)), round((top + bottom) / 2)

    def reddish():
        color = QColor(overlay.grab().toImage().pixel(*middle))
        return color.red() > color.blue() + 60

    for _ in range(3):
        assert reddish()
        overlay.cycle_detail()
    overlay.set_preview(None)
    assert not reddish()

"""Tools at work on a canvas of paper: asked for, done on a thread, previewed, kept, refused."""

from dataclasses import replace
from threading import Event

import numpy as np
import painted
import pytest
from psygnal import Signal
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QPushButton, QVBoxLayout, QWidget
from superqt.utils import WorkerBase

from napari_chest.edits import LUNGS, Protection
from napari_chest.errors import StoppedError
from napari_chest.model import CaseInfo, Mask, Reading, Volume
from napari_chest.tools.base import Painted, Parameter, Tool, ToolError
from napari_chest.tools.lungs import Lungs
from napari_chest.ui import live_numbers, tooling
from napari_chest.ui.open_case import OpenCase
from napari_chest.ui.session import Session
from napari_chest.ui.tool_jobs import COMES
from napari_chest.ui.tooling import Tooling
from napari_chest.ui.widgets.numbers import NumbersLine
from napari_chest.ui.widgets.preview_bar import PreviewBar
from napari_chest.ui.widgets.protection import ProtectionRow
from napari_chest.ui.widgets.tool_form import ToolForm
from napari_chest.ui.widgets.tool_menu import ToolMenu
from napari_chest.ui.widgets.tools import ToolBar

ML = float(np.prod(painted.SPACING)) / 1000
LESION = painted.lesions() == 1


class PaperPreview:
    def __init__(self):
        self.shown = None

    def show(self, box, difference):
        self.shown = box, difference

    def drop(self):
        self.shown = None


class PaperMasks:
    segment_picked = Signal(str, int)
    tool_changed = Signal(str)

    def __init__(self):
        self.preview = PaperPreview()
        self.selected = ("lesions", 1)
        self.hidden_values = frozenset()
        self.tool = "pan_zoom"

    def shown(self, name):
        return True

    def hidden(self, name):
        return self.hidden_values

    def select(self, name, value):
        self.selected = (name, value)
        self.segment_picked.emit(name, value)

    def set_tool(self, tool):
        self.tool = tool
        self.tool_changed.emit(tool)


class PaperCanvas:
    voxel_clicked = Signal(object)
    slice_changed = Signal(int)

    def __init__(self, volume):
        self.volume = volume
        self.masks = PaperMasks()
        self.slice = 5
        self.voxel_under_pointer = (5, 25, 15)
        self.keys = {}
        self.boxes = []

    def bind_for_now(self, acts):
        self.keys = acts

    def unbind_now(self):
        self.keys = {}

    def show_box(self, box):
        self.boxes.append(box)

    def set_focus(self):
        pass

    def flush(self):
        pass


class PaperBench(QWidget):
    def __init__(self):
        super().__init__()
        self.tools = ToolBar()
        self.tool_menu = ToolMenu()
        self.tool_form = ToolForm()
        self.preview = PreviewBar()
        self.protection = ProtectionRow()
        self.numbers = NumbersLine()
        self.cancel_button = QPushButton()
        layout = QVBoxLayout(self)
        for widget in [part for part in vars(self).values() if isinstance(part, QWidget)]:
            layout.addWidget(widget)
        self.messages = []
        self.busy = ""

    def show_message(self, text, state=""):
        self.messages.append(text)

    def show_busy(self, text):
        self.busy = text

    def show_idle(self):
        self.busy = ""


class Desk:
    """A session with one case open, and what tools need of a window."""

    def __init__(self, qtbot, modality="CT", readings=None):
        self.qtbot = qtbot
        shape = painted.SHAPE if modality == "CT" else (1, 60, 50)
        rng = np.random.default_rng(1)
        voxels = rng.integers(-900, 100, shape).astype(np.int16)
        how = {} if modality == "CT" else {"calibration": "unknown"}
        self.volume = Volume(voxels, painted.grid(shape, painted.SPACING, **how), modality)
        labels = painted.lesions() if modality == "CT" else painted.square(5, 25, 1)
        mine = Reading("me", (Mask("lesions", labels, painted.LESIONS),))
        self.session = Session()
        self.canvas = PaperCanvas(self.volume)
        self.bench = PaperBench()
        qtbot.addWidget(self.bench)
        self.tooling = Tooling(self.session, self.bench, self.canvas)
        info = CaseInfo("case", "case", modality)
        self.session.show_case(OpenCase(info, self.volume, readings or (mine,)))
        self.tooling.begin_case()
        self.tooling.complete_case()
        self.settle()

    @property
    def draft(self):
        return self.session.draft

    @property
    def labels(self):
        return self.draft.mask_labels("lesions")

    @property
    def said(self):
        return self.bench.messages[-1] if self.bench.messages else ""

    def settle(self):
        self.qtbot.waitUntil(lambda: not (self.tooling.busy or self.tooling.numbers.busy))

    def use(self, tool, at=None):
        self.tooling.use(tool, at)
        self.settle()

    def dab(self, z=8):
        """A stroke of somebody's brush."""
        box = (slice(z, z + 1), slice(50, 52), slice(40, 42))
        self.session.paint("dab", "lesions", box, np.ones((1, 2, 2), np.uint8))


@pytest.fixture
def desk(qtbot):
    desk = Desk(qtbot)
    yield desk
    desk.tooling.close()
    WorkerBase.await_workers(5000)


def fill_slice(scene, z=8, value=None):
    """A tool: part of one slice becomes the segment."""
    box = (slice(z, z + 1), slice(0, 10), slice(0, 10))
    return Painted(box, np.full((1, 10, 10), scene.value if value is None else value, np.uint8))


FILL = Tool("fill_slice", "Fill it", "Fills it.", "Fill", fill_slice)
PREVIEWED = replace(FILL, preview=True)
BOX = (slice(8, 9), slice(0, 10), slice(0, 10))


class Slow:
    """A tool that waits until it is let go on."""

    def __init__(self):
        self.began, self.go_on, self.stopped = Event(), Event(), False

    def __call__(self, scene, **how):
        self.began.set()
        while not self.go_on.wait(0.01):
            try:
                scene.go_on()
            except StoppedError:
                self.stopped = True
                raise
        return fill_slice(scene)

    @property
    def tool(self):
        return replace(FILL, run=self)


# At once


def test_a_tool_makes_one_edit_that_can_be_undone(desk):
    before = desk.labels.copy()
    desk.use(FILL)
    assert (desk.labels[BOX] == 1).all()
    assert desk.draft.undoable.name == "Fill it: Ground glass on slice 9"
    assert desk.said == f"Fill it: +{100 * ML:.1f} ml on slice 9"
    assert desk.canvas.boxes == [BOX]
    desk.session.undo()
    np.testing.assert_array_equal(desk.labels, before)


def test_a_tool_sees_what_stands_now(desk):
    seen = []
    desk.dab()
    desk.canvas.slice = 7
    desk.use(replace(FILL, run=lambda scene: seen.append(scene) or fill_slice(scene)))
    (scene,) = seen
    assert scene.labels[8, 50, 40] == 1
    assert (scene.value, scene.slice, scene.spacing) == (1, 7, painted.SPACING)
    assert scene.voxels is desk.volume.voxels or np.shares_memory(scene.voxels, desk.volume.voxels)
    scene_before = scene.labels.copy()
    desk.dab(2)
    np.testing.assert_array_equal(scene.labels, scene_before)


def test_protection_holds_for_tools(desk):
    desk.session.protect(Protection(slices=(0, 7)))
    desk.use(FILL)
    assert not desk.labels[BOX].any()
    assert desk.draft.undoable is None
    assert desk.said == "Fill it: what it would change is protected."


def test_a_tool_with_nothing_to_do_says_so(desk):
    desk.use(replace(FILL, run=lambda scene: fill_slice(scene, value=0)))
    assert desk.said == "Fill it: nothing to change."


def test_what_a_tool_has_to_say_is_told(desk):
    desk.use(replace(FILL, run=lambda s: replace(fill_slice(s), note="stopped at 50 ml")))
    assert desk.said.endswith("on slice 9. stopped at 50 ml")


def test_the_sentence_of_a_tool_that_cannot_is_told(desk):
    def cannot(scene):
        raise ToolError("There is no gap. Outline two slices first.")

    desk.use(replace(FILL, run=cannot))
    assert desk.said == "There is no gap. Outline two slices first."
    assert desk.draft.undoable is None


def test_a_mistake_of_ours_is_not_hidden(desk, qtbot):
    def broken(scene):
        raise ZeroDivisionError("oops")

    with qtbot.captureExceptions() as raised:
        desk.use(replace(FILL, run=broken))
    assert [kind for kind, *_ in raised] == [ZeroDivisionError]
    assert "oops" in desk.said


# Refused


@pytest.mark.parametrize(
    ("hinder", "why"),
    [
        (lambda d: d.session.lock(frozenset({("lesions", 1)})), "Ground glass is locked"),
        (lambda d: setattr(d.canvas.masks, "hidden_values", {1}), "Ground glass is hidden"),
        (lambda d: setattr(d.canvas.masks, "selected", None), "Choose a segment"),
        (lambda d: setattr(d.canvas.masks, "selected", ("lesions", 77)), "Choose a segment"),
        (lambda d: setattr(d.draft, "read_only", "Open elsewhere."), "Open elsewhere."),
        (lambda d: d.tooling.begin_case(), "still being read"),
        (lambda d: setattr(d.session, "draft", None), "no reading"),
    ],
)
def test_tools_are_refused_with_a_reason(desk, hinder, why):
    ran = []
    hinder(desk)
    desk.use(replace(FILL, run=lambda scene: ran.append(1) or fill_slice(scene)))
    assert why in desk.said
    assert not ran
    desk.tooling.ask(FILL)
    assert not ran


def test_an_empty_segment_is_refused_only_where_it_matters(desk):
    whole = tuple(slice(0, n) for n in painted.SHAPE)
    desk.session.paint("clear", "lesions", whole, np.zeros(painted.SHAPE, np.uint8))
    desk.use(FILL)
    assert "Ground glass is empty" in desk.said
    desk.use(replace(FILL, needs="nothing"))
    assert (desk.labels[BOX] == 1).all()


def test_an_image_without_hounsfield_units(qtbot):
    desk = Desk(qtbot, "DX")
    desk.use(replace(FILL, run=lambda scene: scene.hounsfield()))
    assert "no Hounsfield units" in desk.said
    desk.tooling.find_lungs()
    assert "this image has none" in desk.said
    desk.tooling.close()


# While it is at work


def test_a_stroke_meanwhile_drops_the_result(desk):
    slow = Slow()
    desk.tooling.use(slow.tool)
    assert slow.began.wait(5)
    desk.dab()
    slow.go_on.set()
    desk.settle()
    assert "the masks changed meanwhile" in desk.said
    assert not desk.labels[8, :10, :10].any()
    assert desk.draft.undoable.name == "dab"


def test_protection_meanwhile_drops_the_result(desk):
    slow = Slow()
    desk.tooling.use(slow.tool)
    assert slow.began.wait(5)
    desk.session.lock(frozenset({("lesions", 1)}))
    slow.go_on.set()
    desk.settle()
    np.testing.assert_array_equal(desk.labels, painted.lesions())


def test_another_case_meanwhile_drops_the_result(desk):
    slow = Slow()
    desk.tooling.use(slow.tool)
    assert slow.began.wait(5)
    before = desk.draft
    desk.session.show_case(replace(desk.session.open_case, info=CaseInfo("b", "b", "CT")))
    assert not desk.tooling.busy
    slow.go_on.set()
    QTest.qWait(50)
    assert desk.draft is not before
    assert desk.draft.undoable is None
    np.testing.assert_array_equal(before.mask_labels("lesions"), painted.lesions())


def test_long_work_can_be_stopped_by_escape_and_button(desk):
    for stop in (lambda: desk.canvas.keys["Escape"](), desk.bench.cancel_button.click):
        slow = Slow()
        desk.tooling.use(slow.tool)
        desk.qtbot.waitUntil(lambda: desk.bench.busy == "Fill it")
        stop()
        desk.qtbot.waitUntil(lambda slow=slow: slow.stopped)
        assert desk.said == "Fill it: stopped, nothing was changed."
        assert (desk.bench.busy, desk.canvas.keys) == ("", {})
    np.testing.assert_array_equal(desk.labels, painted.lesions())


# Previews


def test_a_preview_changes_nothing_until_it_is_kept(desk):
    desk.use(PREVIEWED)
    box, difference = desk.canvas.masks.preview.shown
    assert box == BOX
    assert (difference == COMES).all()
    assert desk.bench.preview.text.text() == f"Fill it: +{100 * ML:.1f} ml on slice 9"
    np.testing.assert_array_equal(desk.labels, painted.lesions())
    desk.canvas.keys["Enter"]()
    assert (desk.labels[BOX] == 1).all()
    assert desk.canvas.masks.preview.shown is None
    assert desk.bench.preview.isHidden()
    assert desk.canvas.keys == {}


def test_a_preview_is_dropped_by_escape(desk):
    desk.use(PREVIEWED)
    desk.canvas.keys["Escape"]()
    assert desk.canvas.masks.preview.shown is None
    desk.tooling.keep()
    np.testing.assert_array_equal(desk.labels, painted.lesions())
    assert desk.draft.undoable is None


@pytest.mark.parametrize(
    "change",
    [
        lambda desk: desk.dab(),
        lambda desk: desk.session.protect(Protection(slices=(0, 3))),
        lambda desk: desk.session.choose_reader("me"),
    ],
)
def test_a_preview_of_another_state_is_dropped(desk, change):
    desk.use(PREVIEWED)
    change(desk)
    assert desk.canvas.masks.preview.shown is None
    desk.tooling.keep()
    assert not desk.labels[8, :10, :10].any()


def test_the_next_tool_takes_the_place_of_a_preview(desk):
    desk.use(PREVIEWED)
    desk.use(replace(PREVIEWED, run=lambda scene: fill_slice(scene, 9)))
    assert desk.canvas.masks.preview.shown[0][0] == slice(9, 10)
    desk.tooling.keep()
    assert not desk.labels[8, :10, :10].any()
    assert (desk.labels[9, :10, :10] == 1).all()


# Forms and pointing


def test_a_tool_with_parameters_is_asked_about_first(desk):
    given = []
    tool = replace(
        FILL,
        run=lambda scene, **how: given.append(how) or fill_slice(scene),
        parameters=(
            Parameter("mm", "Size", "number", 3.0, 1.0, 9.0, "mm"),
            Parameter("to", "To", "segment"),
        ),
    )
    desk.tooling.ask(tool)
    assert not given
    assert not desk.bench.tool_form.isHidden()
    desk.bench.tool_form.fields["mm"].setValue(5)
    QTest.keyClick(desk.bench.tool_form, Qt.Key.Key_Return)
    desk.settle()
    assert given == [{"mm": 5.0, "to": 2}]
    desk.bench.tool_form.cancel.click()
    assert desk.bench.tool_form.isHidden()
    desk.tooling.use_here(tool, {"mm": 8.0})
    desk.settle()
    assert given[1] == {"mm": 8.0, "to": 2}


def test_a_segment_that_is_chosen_now_is_not_taken_as_the_other(desk):
    given = []
    tool = replace(
        FILL,
        run=lambda scene, to: given.append((scene.value, to)) or fill_slice(scene),
        parameters=(Parameter("to", "To", "segment"),),
    )
    desk.tooling.ask(tool)
    desk.bench.tool_form.apply.click()
    desk.settle()
    desk.bench.tool_form.hide_tool()
    desk.canvas.masks.select("lesions", 2)
    desk.use(tool)
    assert given == [(1, 2), (2, 1)]


def test_clicks_go_to_the_tool_that_was_asked_for(desk):
    places = []
    tool = replace(
        FILL, needs="voxel", run=lambda scene, at: places.append(at) or fill_slice(scene)
    )
    desk.canvas.voxel_clicked.emit((1, 2, 3))
    desk.tooling.ask(tool)
    assert desk.canvas.masks.tool == "click"
    assert desk.bench.tool_form.title.text() == "Fill it: click in the image"
    desk.canvas.voxel_clicked.emit((5, 25, 15))
    desk.settle()
    assert places == [(5, 25, 15)]
    desk.canvas.masks.set_tool("paint")
    assert desk.bench.tool_form.isHidden()


def test_a_key_works_where_the_pointer_is(desk):
    places = []
    tool = replace(
        FILL, needs="voxel", run=lambda scene, at: places.append(at) or fill_slice(scene)
    )
    desk.tooling.use_here(tool, {})
    desk.settle()
    desk.canvas.voxel_under_pointer = None
    desk.tooling.use_here(tool, {})
    assert places == [(5, 25, 15)]
    assert "point at a voxel" in desk.said


def test_growing_is_told_where_protection_lets_it_go(desk):
    labels = np.zeros(painted.SHAPE, np.uint8)
    labels[5], labels[6] = 1, 2
    desk.session.lungs_begun(labels)
    desk.canvas.masks.select("lesions", 1)
    desk.session.protect(Protection(inside=(LUNGS, frozenset({2}))))
    seen = []
    tool = replace(FILL, needs="voxel", run=lambda s, at: seen.append(s) or fill_slice(s, 6))
    desk.use(tool, (6, 1, 1))
    np.testing.assert_array_equal(seen[0].within, labels == 2)
    assert (desk.labels[6, :10, :10] == 1).all()


# The tools there are


def test_the_keys_use_the_tools_that_they_name(desk):
    actions = desk.tooling.actions()
    wanted = {"interpolate", "remove_island", "holes", "clear_slice", "lungs", "tool_menu"}
    assert wanted | {"copy_mask_previous", "copy_mask_next", "grow"} <= actions.keys()
    actions["remove_island"]()
    desk.settle()
    assert not (desk.labels == 1).any()
    assert (desk.labels == 2).sum() == 50
    assert desk.said.startswith(f"Remove this island: -{300 * ML:.1f} ml on slices 5-7")
    assert desk.draft.undoable.name == "Remove this island: Ground glass on slices 5-7"


def test_copying_to_the_slices_beside(desk):
    actions = desk.tooling.actions()
    desk.canvas.slice = 6
    actions["copy_mask_next"]()
    desk.settle()
    np.testing.assert_array_equal(desk.labels[7] == 1, LESION[6])
    desk.canvas.slice = 4
    actions["copy_mask_previous"]()
    desk.settle()
    np.testing.assert_array_equal(desk.labels[3] == 1, LESION[4])


def test_an_island_of_another_segment_is_named(desk):
    desk.canvas.voxel_under_pointer = (5, 42, 35)
    desk.tooling.actions()["remove_island"]()
    desk.settle()
    assert not (desk.labels == 2).any()
    assert desk.draft.undoable.name == "Remove this island: Consolidation on slice 6"
    assert desk.said.startswith(f"Remove this island: -{50 * ML:.1f} ml on slice 6")


def theirs():
    labels = np.zeros(painted.SHAPE, np.uint8)
    labels[5, 25:35, 10:20] = 2
    return Reading("them", (Mask("lesions", labels, painted.LESIONS),))


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("unite", lambda mine, other: mine | other),
        ("subtract", lambda mine, other: mine & ~other),
        ("intersect", lambda mine, other: mine & other),
    ],
)
def test_other_readers_masks_are_combined(qtbot, key, expected):
    mine = Reading("me", (Mask("lesions", painted.lesions(), painted.LESIONS),))
    desk = Desk(qtbot, readings=(mine, theirs()))
    desk.bench.tool_menu.actions_by_key[key].trigger()
    field = desk.bench.tool_form.fields["other"]
    names = [field.itemText(i) for i in range(field.count())]
    assert names == [
        "Consolidation",
        "them: Ground glass (lesions)",
        "them: Consolidation (lesions)",
    ]
    field.setCurrentIndex(2)
    desk.bench.tool_form.apply.click()
    desk.settle()
    desk.tooling.keep()
    other = theirs().masks[0].labels == 2
    np.testing.assert_array_equal(desk.labels == 1, expected(LESION, other))
    desk.tooling.close()


# Lungs and protection


@pytest.fixture
def found(monkeypatch):
    labels = np.zeros(painted.SHAPE, np.uint8)
    labels[:, 15:35, 5:15], labels[:, 15:35, 15:25] = 1, 2

    def lungs(voxels, spacing, stopped):
        assert spacing == painted.SPACING
        return Lungs(labels, ("The left lung touches the edge.",))

    monkeypatch.setattr(tooling, "lungs", lungs)
    return labels


def test_lungs_become_a_mask_that_helps(desk, found):
    desk.bench.tool_menu.lungs.trigger()
    desk.settle()
    np.testing.assert_array_equal(desk.draft.mask_labels(LUNGS), found)
    assert not desk.draft.change
    assert desk.said.endswith("The left lung touches the edge.")
    assert desk.canvas.masks.selected == ("lesions", 1)
    desk.settle()
    inside = np.count_nonzero(LESION & (found > 0)) / np.count_nonzero(found)
    assert f"{100 * inside:.1f} % of lungs" in desk.bench.numbers.parts


def test_inside_the_lungs_finds_them_first(desk, found):
    row = desk.bench.protection
    row.popup.inside.click()
    assert desk.draft.protection.inside is None
    desk.settle()
    assert desk.draft.protection.inside == (LUNGS, frozenset({1, 2}))
    assert row.words.text() == "Protected: inside lungs"


def test_the_row_keeps_the_locks(desk):
    desk.session.lock(frozenset({("lesions", 2)}))
    desk.bench.protection.popup.keep_others.click()
    assert desk.draft.protection == Protection(frozenset({("lesions", 2)}), keep_others=True)
    desk.bench.protection.clear_button.click()
    assert desk.draft.protection == Protection(frozenset({("lesions", 2)}))


def test_the_row_follows_the_session(desk):
    desk.session.protect(Protection(hounsfield=(-700, -200)))
    assert desk.bench.protection.words.text() == "Protected: HU -700 to -200"
    desk.canvas.slice_changed.emit(3)
    desk.bench.protection.popup.this_slice.click()
    assert desk.draft.protection == Protection(hounsfield=(-700, -200), slices=(3, 3))


# Numbers


def expected_numbers(desk, value=1):
    here = desk.labels == value
    mean = desk.volume.voxels[here].mean()
    slices = np.count_nonzero(here.any(axis=(1, 2)))
    return (
        f"{np.count_nonzero(here) * ML:.1f} ml",
        f"mean {mean:.0f} HU",
        f"{slices} slice" if slices == 1 else f"{slices} slices",
    )


def test_numbers_of_the_selected_segment(desk):
    assert desk.bench.numbers.parts == expected_numbers(desk)
    desk.canvas.masks.select("lesions", 2)
    assert desk.bench.numbers.parts == expected_numbers(desk, 2)
    desk.canvas.masks.selected = None
    desk.canvas.masks.segment_picked.emit("lesions", 0)
    assert desk.bench.numbers.isHidden()


def test_numbers_follow_edits_back_and_forth(desk):
    first = desk.bench.numbers.parts
    desk.use(FILL)
    desk.dab(2)
    after = expected_numbers(desk)
    assert desk.bench.numbers.parts == after
    assert after != first
    desk.session.undo()
    desk.session.undo()
    assert desk.bench.numbers.parts == first
    desk.session.redo()
    desk.session.redo()
    assert desk.bench.numbers.parts == after


def test_after_a_large_edit_they_are_counted_on_a_thread(desk, monkeypatch):
    monkeypatch.setattr(live_numbers, "_MOST_AT_ONCE", 1)
    first = desk.bench.numbers.parts
    for change in (lambda: desk.dab(2), desk.session.undo, desk.session.redo):
        change()
        assert desk.tooling.numbers.busy
        assert desk.bench.numbers.parts == expected_numbers(desk)[:1]
        desk.settle()
        assert desk.bench.numbers.parts == expected_numbers(desk)
    assert desk.bench.numbers.parts != first


def test_a_stroke_while_they_are_counted_is_counted(desk):
    desk.tooling.numbers.count()
    desk.dab()
    desk.settle()
    assert desk.bench.numbers.parts == expected_numbers(desk)


def test_the_lungs_lie_in_themselves_also_when_they_are_edited(desk, found):
    desk.tooling.find_lungs()
    desk.settle()
    desk.canvas.masks.select(LUNGS, 1)
    box = (slice(4, 7), slice(20, 30), slice(10, 20))
    for value in (0, 2, 1):
        desk.session.paint("edit", LUNGS, box, np.full((3, 10, 10), value, np.uint8))
        now = desk.draft.mask_labels(LUNGS)
        share = 100 * np.count_nonzero(now == 1) / np.count_nonzero(now)
        assert f"{share:.1f} % of lungs" in desk.bench.numbers.parts


def test_a_tool_inside_lungs_that_were_undone_says_so(desk):
    desk.session.lungs_begun(np.ones(painted.SHAPE, np.uint8))
    desk.session.protect(Protection(inside=(LUNGS, frozenset({1, 2}))))
    desk.session.undo()
    desk.tooling.use(replace(FILL, needs="voxel"), (5, 25, 15))
    desk.settle()
    assert "there is no such mask" in desk.said


def test_edits_of_the_lungs_change_the_share(desk, found):
    desk.tooling.find_lungs()
    desk.settle()
    box = (slice(4, 7), slice(20, 30), slice(10, 20))
    desk.session.paint("erase", LUNGS, box, np.zeros((3, 10, 10), np.uint8))
    assert "0.0 % of lungs" in desk.bench.numbers.parts
    desk.session.undo()
    share = 100 * 300 / np.count_nonzero(found)
    assert f"{share:.1f} % of lungs" in desk.bench.numbers.parts


def test_until_the_case_is_complete_there_is_only_the_volume(desk):
    desk.tooling.begin_case()
    desk.tooling.numbers.count()
    assert desk.bench.numbers.parts == (f"{300 * ML:.1f} ml",)


def test_a_radiograph_of_unknown_scale_is_counted_in_pixels(qtbot):
    desk = Desk(qtbot, "DX")
    assert desk.bench.numbers.parts == ("400 px",)
    desk.tooling.close()


def test_an_empty_segment_has_no_numbers(desk):
    whole = tuple(slice(0, n) for n in painted.SHAPE)
    desk.session.paint("clear", "lesions", whole, np.zeros(painted.SHAPE, np.uint8))
    assert desk.bench.numbers.parts == ("empty",)


# The end


def test_a_closed_dock_hears_nothing_more(desk):
    desk.tooling.close()
    shown = desk.bench.numbers.parts
    desk.dab()
    assert desk.bench.numbers.parts == shown

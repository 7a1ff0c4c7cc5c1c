"""Disagreements in the window: walked through, decided, logged, undone; what is left as it was."""

from dataclasses import replace

import numpy as np
import painted
import pytest
from hands import CTRL, go_to
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication
from superqt.utils import WorkerBase

from napari_chest.edits import Protection
from napari_chest.model import Mask, Reading, SliceLabels
from napari_chest.phantom import make_ricord_1c
from napari_chest.review.acts import Enrol, OpenRound
from napari_chest.review.store import open_store
from napari_chest.review.words import ADJUDICATED

LARGE, MIDDLE, SMALL = (
    (slice(1, 4), slice(10, 20), slice(10, 20)),
    (slice(6, 8), slice(30, 38), slice(30, 38)),
    (slice(9, 10), slice(50, 53), slice(5, 9)),
)
AGREED = (slice(4, 6), slice(2, 6), slice(40, 46))
EFFUSION = (slice(0, 1), slice(40, 44), slice(40, 44))
COLUMNS = ("upper", "lower", "infected")


def lesions(*parts):
    labels = np.zeros(painted.SHAPE, np.uint8)
    labels[AGREED] = 1
    for box, value in parts:
        labels[box] = value
    return labels


SAYS = {
    "Anna": lesions((LARGE, 1), (SMALL, 2)),
    "Ben": lesions((MIDDLE, 1), (SMALL, 1)),
    "Cleo": lesions((LARGE, 2), (MIDDLE, 1), (SMALL, 1)),
}


def table(rows):
    values = np.zeros((painted.SHAPE[0], 3), bool)
    for z, upper, lower in rows:
        values[z] = upper, lower, upper or lower
    return SliceLabels(COLUMNS, values, "infected")


class Disputed(painted.Painted):
    """Three readers of the first case, two of the second, one of the third."""

    name, title = "disputed", "Disputed"

    def __init__(self, root):
        super().__init__(root)
        three = [self._reading(name, labels) for name, labels in SAYS.items()]
        effusion = np.zeros(painted.SHAPE, np.uint8)
        effusion[EFFUSION] = 1
        tables = table([(2, 1, 0), (3, 1, 0)]), table([(3, 1, 1)])
        with_more = [
            replace(one, slice_labels=labels, answers={"severity": said})
            for one, labels, said in zip(three, tables, (("mild",), ("severe",)), strict=False)
        ]
        with_more[0] = replace(
            with_more[0],
            masks=(*with_more[0].masks, Mask("effusion", effusion, painted.WHOLE)),
        )
        self.state = {"three": three, "two": with_more, "one": three[:1]}

    def _reading(self, reader, labels):
        return Reading(reader, (Mask("lesions", labels, painted.LESIONS),))

    def readings(self, case_id, at=None):
        return tuple(self.state[case_id])


@pytest.fixture
def ct(bench, tmp_path):
    """The case of three readers, nothing decided yet."""
    dataset = Disputed(tmp_path / "disputed")
    bench.controller.opening._on_dataset_read(dataset, dataset.cases())
    settle(bench)
    bench.viewer.window._qt_window.activateWindow()
    QTest.qWait(50)
    return bench


def settle(work):
    busy = lambda: work.controller.opening.reader.busy or adjudicating(work).finding.busy  # noqa: E731
    work.wait(lambda: work.session.open_case is not None and not busy())
    if work.session.desk is not None:
        work.wait(lambda: work.session.desk.state.connected)
    QApplication.processEvents()


def adjudicating(work):
    return work.controller.adjudicating


def panel(work):
    return work.dock.work.adjudication


def step(work, key=Qt.Key.Key_Period):
    work.key(key)
    settle(work)


def take(work, digit):
    work.key(getattr(Qt.Key, f"Key_{digit}"), CTRL)
    settle(work)


def now(work, mask="lesions"):
    assert work.session.draft.saved.reader == ADJUDICATED
    return work.session.draft.mask_labels(mask)


def logged(work):
    """What the store itself has of decisions: the acts, in its order."""
    desk = work.session.desk
    assert desk.sent(20)
    folder = work.session.dataset.root
    store = open_store(folder.with_name(f"{folder.name}-review") / "review.sqlite", "disputed")
    try:
        return [e for e in store.log() if e.what in ("adjudicate", "take back")]
    finally:
        store.close()


def said(work):
    return work.dock.message.text()


def test_keys_walk_from_the_largest_disagreement_on(ct):
    canvas = ct.controller.canvas
    seen = []
    for _ in range(3):
        step(ct)
        seen.append((adjudicating(ct).current.voxels, canvas.slice))
    assert seen == [(300, 1), (128, 6), (12, 9)]
    step(ct, Qt.Key.Key_Comma)
    assert adjudicating(ct).current.voxels == 128
    step(ct, Qt.Key.Key_Period)
    step(ct, Qt.Key.Key_Period)
    assert adjudicating(ct).current.voxels == 300
    assert panel(ct).toggle.text() == "Disagreements: 0 of 3 decided"
    assert [row.what for row in ct.dock.work.disagreements.rows] == [
        "Ground glass / Consolidation",
        "Ground glass",
        "Ground glass / Consolidation",
    ]


def test_a_component_is_taken_and_all_else_stays(ct):
    step(ct)
    take(ct, 1)
    expected = lesions((LARGE, 1))
    np.testing.assert_array_equal(now(ct), expected)
    (entry,) = logged(ct)
    assert (entry.what, entry.who, entry.case) == ("adjudicate", ct.session.person, "three")
    (decision,) = ct.session.desk.book.decisions("three")
    assert (decision.choice, decision.scope, decision.mask) == ("A", "component", "lesions")
    assert decision.readers == ("Anna", "Ben", "Cleo")
    assert decision.box == tuple((part.start, part.stop) for part in LARGE)
    assert decision.about == "component of 300 voxels on slices 2-4"
    assert panel(ct).toggle.text() == "Disagreements: 1 of 3 decided"
    for name, labels in SAYS.items():
        np.testing.assert_array_equal(ct.session.standing(name).masks[0].labels, labels)


def test_what_is_left_open_is_told_before_it_is_handed_in(ct):
    step(ct)
    take(ct, 1)
    ct.controller.act("submit")
    assert said(ct).startswith("2 disagreements are open")
    assert ct.session.desk.book.work(0, "three", ADJUDICATED).state == "in progress"
    ct.controller.act("submit")
    assert ct.session.desk.book.work(0, "three", ADJUDICATED).state == "submitted"


def test_undo_takes_a_decision_back_and_redo_makes_it_again(ct):
    step(ct)
    take(ct, 2)
    np.testing.assert_array_equal(now(ct), lesions())
    step(ct)
    take(ct, 1)
    take(ct, 2)
    np.testing.assert_array_equal(now(ct), lesions((MIDDLE, 1)))
    ct.controller.act("undo")
    np.testing.assert_array_equal(now(ct), lesions())
    assert [one.undone for one in ct.session.desk.book.decisions("three")] == [False, False, True]
    ct.controller.act("redo")
    np.testing.assert_array_equal(now(ct), lesions((MIDDLE, 1)))
    assert [e.what for e in logged(ct)] == [*["adjudicate"] * 3, "take back", "take back"]
    assert not any(one.undone for one in ct.session.desk.book.decisions("three"))


@pytest.mark.parametrize(
    ("digit", "large", "middle", "small"),
    [(1, 1, 0, 2), (2, 0, 1, 1), (3, 1, 1, 2), (4, 0, 0, 0), (5, 0, 1, 1)],
)
def test_every_choice_takes_what_it_says(ct, digit, large, middle, small):
    for _ in range(3):
        step(ct)
        take(ct, digit)
    expected = lesions((LARGE, large), (MIDDLE, middle), (SMALL, small))
    np.testing.assert_array_equal(now(ct), expected)
    choice = ("A", "B", "union", "intersection", "majority")[digit - 1]
    assert {one.choice for one in ct.session.desk.book.decisions("three")} == {choice}
    step(ct)
    assert "Every disagreement" in said(ct)


def test_staple_weighs_whole_masks_on_a_thread(ct):
    step(ct)
    panel(ct).consensus_button.menu().actions()[1].trigger()
    assert panel(ct).consensus == "STAPLE"
    step(ct)
    take(ct, 5)
    # Two of three readers see it, and nothing tells that they should be trusted less.
    np.testing.assert_array_equal(now(ct), lesions((MIDDLE, 1)))
    assert [one.choice for one in ct.session.desk.book.decisions("three")] == ["STAPLE"]


def test_what_is_protected_stays_and_the_message_says_so(ct):
    step(ct)
    ct.controller.act("take_intersection")
    settle(ct)
    first = replace(Protection(), slices=(2, 11))
    ct.session.protect(first)
    take(ct, 1)
    expected = lesions((LARGE, 1))
    expected[1] = 0
    np.testing.assert_array_equal(now(ct), expected)
    assert "100 protected voxels" in said(ct)
    ct.session.protect(replace(Protection(), slices=(11, 11)))
    before = len(logged(ct))
    take(ct, 2)
    np.testing.assert_array_equal(now(ct), expected)
    assert "protected" in said(ct)
    assert len(logged(ct)) == before


def test_a_whole_slice_is_taken(ct):
    step(ct)
    step(ct)
    panel(ct).scope.setCurrentIndex(panel(ct).scope.findData("slice"))
    take(ct, 2)
    expected = lesions((MIDDLE, 1))
    expected[7][30:38, 30:38] = 0
    np.testing.assert_array_equal(now(ct), expected)
    (decision,) = ct.session.desk.book.decisions("three")
    assert (decision.scope, decision.box[0]) == ("slice", (6, 7))
    go_to(ct, 11)
    take(ct, 1)
    assert said(ct) == "Nothing differs on slice 12."
    # The component has another slice, which is still open.
    assert panel(ct).toggle.text() == "Disagreements: 0 of 3 decided"
    go_to(ct, 7)
    take(ct, 2)
    assert panel(ct).toggle.text() == "Disagreements: 1 of 3 decided"


def open_two(ct):
    ct.controller.opening.open_case("two")
    ct.wait(lambda: ct.session.open_case.info.id == "two")
    settle(ct)


def test_a_whole_case_is_one_decision_that_one_undo_takes_back(ct):
    open_two(ct)
    step(ct)
    take(ct, 4)  # begins the adjudicated reading
    before = len(logged(ct))
    start = now(ct).copy()
    panel(ct).scope.setCurrentIndex(panel(ct).scope.findData("case"))
    panel(ct).reason.setText("as the first reader saw it")
    take(ct, 1)
    draft = ct.session.draft
    anna = ct.session.standing("Anna")
    np.testing.assert_array_equal(now(ct), SAYS["Anna"])
    np.testing.assert_array_equal(now(ct, "effusion"), anna.masks[1].labels)
    np.testing.assert_array_equal(draft.labels.values, anna.slice_labels.values)
    assert draft.answers == {"severity": ("mild",)}
    (entry,) = logged(ct)[before:]
    assert entry.reason == "as the first reader saw it"
    assert panel(ct).reason.text() == ""
    total = len(adjudicating(ct).finding.found.items)
    assert panel(ct).toggle.text() == f"Disagreements: {total} of {total} decided"
    ct.controller.act("undo")
    np.testing.assert_array_equal(now(ct), start)
    assert not draft.mask_labels("effusion").any() if has(draft, "effusion") else True
    assert draft.labels.values.sum() == 2  # slice 4: what both said, and infected with it
    assert draft.answers == {"severity": ()}
    assert ct.session.desk.book.decisions("two")[-1].undone
    ct.controller.act("redo")
    np.testing.assert_array_equal(now(ct), SAYS["Anna"])
    np.testing.assert_array_equal(now(ct, "effusion"), anna.masks[1].labels)
    assert draft.answers == {"severity": ("mild",)}
    assert not ct.session.desk.book.decisions("two")[-1].undone


def has(draft, mask):
    return mask in {one.name for one in draft.masks()}


def test_slice_labels_are_decided_run_by_run_and_the_rule_is_kept(ct):
    open_two(ct)
    step(ct)
    rows = ct.dock.work.disagreements.rows
    upper = next(i for i, row in enumerate(rows) if row.what == "upper")
    ct.dock.work.disagreements.row_requested.emit(upper)
    assert ct.controller.canvas.slice == 2
    take(ct, 1)
    values = ct.session.draft.labels.values
    assert values[2].tolist() == [True, False, True]
    assert values[3].tolist() == [True, False, True]
    assert values.sum() == 4
    decision = ct.session.desk.book.decisions("two")[-1]
    assert (decision.mask, decision.box, decision.about) == ("", ((2, 3),), "upper on slice 3")


def test_answers_stand_side_by_side_and_a_click_takes_one(ct):
    open_two(ct)
    step(ct)
    answers = ct.dock.work.answers
    row = next(i for i, one in enumerate(answers.rows) if one.name == "Severity")
    assert answers.rows[row].cells == ("mild", "severe", "–")
    assert answers.item(row, 0).text().startswith("≠")
    answers.cellClicked.emit(row, 2)
    assert ct.session.draft.answers == {"severity": ("severe",)}
    decision = ct.session.desk.book.decisions("two")[-1]
    assert (decision.choice, decision.readers) == ("A", ("Ben", "Anna"))
    answers.cellClicked.emit(row, 3)
    assert "has no such answer" in said(ct)
    assert ct.session.draft.answers == {"severity": ("severe",)}


def test_painted_by_hand_is_decided_without_a_step(ct):
    step(ct)
    take(ct, 4)
    ct.session.paint("by hand", "lesions", SMALL, np.full((1, 3, 4), 2, np.uint8))
    small = next(i for i in adjudicating(ct).finding.found.items if i.voxels == 12)
    ct.dock.work.disagreements.row_requested.emit(adjudicating(ct).finding.found.items.index(small))
    panel(ct).buttons["painted"].click()
    settle(ct)
    np.testing.assert_array_equal(now(ct), lesions((SMALL, 2)))
    assert ct.session.draft.undoable.name == "by hand"
    assert ct.session.desk.book.decisions("three")[-1].choice == "painted"
    assert panel(ct).reopen.isVisible()
    panel(ct).reopen.click()
    assert ct.session.desk.book.decisions("three")[-1].undone
    np.testing.assert_array_equal(now(ct), lesions((SMALL, 2)))
    assert panel(ct).toggle.text() == "Disagreements: 1 of 3 decided"


def test_reopening_undoes_what_was_taken_last(ct):
    step(ct)
    take(ct, 1)
    panel(ct).reopen.click()
    np.testing.assert_array_equal(now(ct), lesions())
    assert [one.undone for one in ct.session.desk.book.decisions("three")] == [True]


def test_what_is_taken_is_how_a_reading_stands_now(ct):
    step(ct)
    assert adjudicating(ct).current.voxels == 300
    assert ct.session.draft.saved.reader == "Anna"
    grown = (slice(1, 4), slice(20, 22), slice(10, 20))
    ct.session.paint("more", "lesions", grown, np.full((3, 2, 10), 2, np.uint8))
    step(ct)
    assert adjudicating(ct).current.voxels == 360
    take(ct, 1)
    np.testing.assert_array_equal(now(ct), lesions((LARGE, 1), (grown, 2)))
    ct.session.choose_reader("Anna")
    ct.controller.act("undo")
    QTest.qWait(300)
    settle(ct)
    # Another component than the one that was decided about.
    assert panel(ct).toggle.text() == "Disagreements: 0 of 3 decided"


def test_what_was_left_unsaved_of_a_reading_counts_before_it_is_looked_at(ct):
    ct.session.paint("more", "lesions", AGREED, np.full((2, 4, 6), 2, np.uint8))
    ct.session.choose_reader("Ben")
    open_two(ct)
    ct.controller.opening.open_case("three")
    ct.wait(lambda: ct.session.open_case.info.id == "three")
    settle(ct)
    assert ct.session.draft.saved.reader == "Ben"
    step(ct)
    assert [one.voxels for one in adjudicating(ct).finding.found.components] == [300, 128, 48, 12]


def test_decisions_are_known_when_the_case_is_opened_again(ct):
    step(ct)
    take(ct, 1)
    open_two(ct)
    ct.controller.opening.open_case("three")
    ct.wait(lambda: ct.session.open_case.info.id == "three")
    settle(ct)
    assert panel(ct).toggle.text() == "Disagreements: 1 of 3 decided"
    step(ct)
    assert adjudicating(ct).current.voxels == 128
    ct.session.choose_reader(ADJUDICATED)
    np.testing.assert_array_equal(now(ct), lesions((LARGE, 1)))
    ct.controller.act("undo")
    np.testing.assert_array_equal(now(ct), lesions())
    assert ct.session.desk.book.decisions("three")[0].undone


def test_other_readings_are_chosen_and_stay_chosen(ct):
    step(ct)
    view = panel(ct)
    view.b.setCurrentIndex(view.b.findData("Cleo"))
    view.b.activated.emit(view.b.currentIndex())
    settle(ct)
    assert adjudicating(ct).finding.compared == ("Anna", "Cleo")
    assert [one.voxels for one in adjudicating(ct).finding.found.components] == [300, 128, 12]
    view.more.menu().actions()[0].setChecked(True)
    settle(ct)
    assert adjudicating(ct).finding.compared == ("Anna", "Cleo", "Ben")


def test_what_differs_is_coloured_and_nothing_else_moves(ct):
    canvas = ct.controller.canvas
    layers, active = [*ct.viewer.layers], ct.viewer.layers.selection.active
    step(ct)
    (layer,) = canvas.differences.layers
    assert [one for one in ct.viewer.layers if one is not layer] == layers
    assert ct.viewer.layers.selection.active is active
    assert not layer.editable
    kinds = np.zeros(painted.SHAPE, np.uint8)
    kinds[LARGE], kinds[MIDDLE], kinds[SMALL] = 1, 2, 3
    np.testing.assert_array_equal(layer.data % 16, kinds)
    # The one that is looked at stands out.
    np.testing.assert_array_equal(layer.data // 16 != 0, kinds == 1)
    colors = [layer.colormap.color_dict[kind] for kind in (1, 2, 17)]
    np.testing.assert_allclose(colors[0][:3], (0, 0xC0 / 255, 1), atol=0.01)
    np.testing.assert_allclose(colors[1][:3], (1, 0xC0 / 255, 0x18 / 255), atol=0.01)
    assert colors[2][3] > colors[0][3]
    step(ct)
    np.testing.assert_array_equal(layer.data // 16 != 0, kinds == 2)
    ct.key(Qt.Key.Key_G)
    assert not layer.visible
    ct.key(Qt.Key.Key_G)
    assert layer.visible
    panel(ct).toggle.setChecked(False)
    assert not layer.visible
    ct.key(Qt.Key.Key_G)
    ct.key(Qt.Key.Key_G)
    assert not layer.visible


def test_another_case_begins_without_the_colours_of_the_one_before(ct):
    step(ct)
    panel(ct).toggle.setChecked(False)
    (layer,) = ct.controller.canvas.differences.layers
    ct.controller.opening.open_case("one")
    ct.wait(lambda: ct.session.open_case.info.id == "one")
    assert not layer.visible
    assert not layer.data.any()
    assert layer in ct.viewer.layers
    assert ct.viewer.dims.range[0].stop == pytest.approx((painted.SHAPE[0] - 1) * 8)
    assert ct.viewer.dims.range[0].step == pytest.approx(8)


def test_the_view_stays_where_the_disagreement_can_be_seen(ct):
    before = ct.viewer.scene.camera.center, ct.viewer.scene.camera.zoom
    step(ct)
    assert (ct.viewer.scene.camera.center, ct.viewer.scene.camera.zoom) == before
    ct.viewer.scene.camera.zoom *= 6
    ct.viewer.scene.camera.center = (0, 2, 2)
    step(ct)
    _, y, x = adjudicating(ct).current.voxel
    assert ct.viewer.scene.camera.center[-2:] == pytest.approx((y * 0.8, x * 0.8))
    zoomed = ct.viewer.scene.camera.center, ct.viewer.scene.camera.zoom
    take(ct, 1)
    assert ct.viewer.scene.camera.zoom == pytest.approx(zoomed[1])
    assert ct.viewer.scene.camera.center == pytest.approx(zoomed[0])


def test_a_reader_sees_it_all_and_decides_nothing(ct):
    desk = ct.session.desk
    desk.do(Enrol(who=ct.session.person, person="Ada", role="adjudicator"))
    desk.do(Enrol(who="Ada", person=ct.session.person, role="reader"))
    step(ct)
    assert adjudicating(ct).current.voxels == 300
    assert "Only adjudicators" in panel(ct).words.text()
    assert not any(button.isEnabled() for button in panel(ct).buttons.values())
    take(ct, 1)
    assert "Only adjudicators" in said(ct)
    assert ADJUDICATED not in {reading.reader for reading in ct.session.open_case.readings}
    assert logged(ct) == []


def test_nothing_is_shown_to_who_reads_blind(ct):
    person = ct.session.person
    ct.session.desk.do(OpenRound(who=person, number=1, title="First", readers=(person,)))
    ct.session.choose_round(1)
    ct.controller.opening.open_case("three")
    ct.wait(lambda: bool(ct.session.open_case.blind))
    settle(ct)
    step(ct)
    assert said(ct) == ct.session.open_case.blind
    panel(ct).toggle.setChecked(True)
    assert panel(ct).words.text() == ct.session.open_case.blind
    assert adjudicating(ct).finding.found is None
    assert not ct.controller.canvas.differences.visible
    assert panel(ct).a.count() == 0


def test_one_reading_differs_from_nothing(ct):
    ct.controller.opening.open_case("one")
    ct.wait(lambda: ct.session.open_case.info.id == "one")
    step(ct)
    assert "only one reading" in said(ct)
    assert not panel(ct).isVisible()


# The model cases


def test_three_readers_of_ricord_1c_become_the_adjudication(bench, tmp_path):
    bench.open(make_ricord_1c(tmp_path / "ricord-1c").root)
    case = next(case for case in bench.session.cases if "991005" in case.title)
    bench.controller.opening.open_case(case.id)
    bench.wait(lambda: bench.session.open_case.info.id == case.id)
    settle(bench)
    step(bench)
    assert adjudicating(bench).finding.compared == ("Green Group", "Red Group", "Blue Group")
    answers = bench.dock.work.answers
    marks = {row.name: row.cells for row in answers.rows}
    assert marks["Typical Appearance"] == ("✓", "✓", "✓", "✓")
    assert marks["Severe (>4 zones)"] == ("✓", "·", "✓", "✓")
    assert marks["Indeterminate Appearance"] == ("·", "·", "✓", "·")
    assert [row.name for row in answers.rows if not row.differs] == ["Typical Appearance"]
    row = next(i for i, one in enumerate(answers.rows) if one.name == "Severe (>4 zones)")
    answers.cellClicked.emit(row, 4)  # the majority
    now_said = {key: set(said) for key, said in bench.session.draft.answers.items() if said}
    assert [*now_said.values()] == [{"Typical Appearance", "Severe (>4 zones)"}]
    questions = {one.key: one.text for one in bench.session.dataset.questions}
    assert [questions[key] for key in now_said] == ["Exam labels (Adjudication Group)"]
    answers.cellClicked.emit(row, 3)  # Blue Group
    (given,) = (set(said) for said in bench.session.draft.answers.values() if said)
    assert given == {"Typical Appearance", "Indeterminate Appearance", "Severe (>4 zones)"}
    assert bench.session.desk.book.decisions(case.id)[-1].readers[0] == "Blue Group"


def test_label_versions_of_covid_ct_md_are_decided_on(opened):
    first, second = (reading.slice_labels.values for reading in opened.session.open_case.readings)
    differing = np.argwhere(first[:, :5] != second[:, :5])
    assert len(differing)
    settle(opened)
    step(opened)
    found = adjudicating(opened).finding.found
    assert sum(run.last - run.first + 1 for run in found.runs) == len(differing)
    panel(opened).scope.setCurrentIndex(panel(opened).scope.findData("case"))
    take(opened, 2)
    assert opened.session.draft.saved.reader == ADJUDICATED
    np.testing.assert_array_equal(opened.session.draft.labels.values, second)


@pytest.fixture(autouse=True)
def no_threads_left():
    yield
    WorkerBase.await_workers(5000)

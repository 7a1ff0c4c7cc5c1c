"""The session: what is open, what was corrected, what is unsaved; without any window."""

import subprocess
import sys

import numpy as np
import pytest

from napari_chest.changes import CellChange
from napari_chest.model import CaseInfo, Grid, Reading, SliceLabels, Volume
from napari_chest.ui.open_case import OpenCase
from napari_chest.ui.session import Session

COLUMNS = ("LUL", "RUL", "infected")
SLICES = 6


def info(name):
    return CaseInfo(name, name.upper(), "CT")


def reading(reader, rows=(), *, table=True):
    values = np.zeros((SLICES, 3), bool)
    for row in rows:
        values[row, [0, 2]] = True
    labels = SliceLabels(COLUMNS, values, "infected") if table else None
    return Reading(reader, slice_labels=labels, answers={"severity": ("mild",)})


def case(name, *readings):
    grid = Grid((SLICES, 2, 2), np.eye(4), tuple(map(str, range(SLICES))))
    return OpenCase(info(name), Volume(np.zeros(grid.shape, np.int16), grid, "CT"), readings)


@pytest.fixture
def session():
    session = Session()
    session.open_dataset(object(), [info("a"), info("b"), info("c")])
    session.show_case(case("a", reading("updated-1", [2]), reading("original")))
    return session


@pytest.fixture
def heard(session):
    """What the session announced since, by name."""
    heard = []
    for name in ("reading_chosen", "edited"):
        getattr(session, name).connect(lambda value, name=name: heard.append((name, value)))
    session.unsaved_changed.connect(lambda: heard.append(("unsaved_changed",)))
    return heard


def true_cells(session):
    labels = session.draft.labels
    return {(int(z), labels.columns[c]) for z, c in np.argwhere(labels.values)}


def test_needs_no_window():
    code = (
        "import sys, napari_chest.ui.session;"
        "print([m for m in ('napari', 'qtpy', 'vispy', 'superqt') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# What is open


def test_first_reading_is_shown_first(session):
    assert session.draft.saved.reader == "updated-1"
    assert session.open_case.info.id == "a"
    assert true_cells(session) == {(2, "LUL"), (2, "infected")}


def test_reader_stays_chosen_from_case_to_case(session):
    session.choose_reader("original")
    session.show_case(case("b", reading("updated-1"), reading("original")))
    assert session.draft.saved.reader == "original"
    session.show_case(case("c", reading("updated-1")))
    assert session.draft.saved.reader == "updated-1"


def test_unlabelled_case_has_no_draft(session, heard):
    session.show_case(case("b"))
    assert session.draft is None
    assert heard == [("reading_chosen", None)]
    assert session.set_cells([0], "LUL", value=True) is None
    assert session.set_only([0], "LUL") is None
    assert session.clear([0]) is None
    assert session.copy_from(0, [1]) is None
    assert session.undo() is None
    assert session.redo() is None
    assert session.unsaved() == []


def test_reading_without_a_table_takes_no_slice_labels(session):
    session.show_case(case("b", reading("masks", table=False), reading("original")))
    session.choose_reader("masks")
    assert session.draft.labels is None
    assert session.set_cells([0], "LUL", value=True) is None
    assert session.draft.undoable is None
    session.choose_reader("original")
    assert session.draft.labels is not None


def test_neighbours(session):
    order = ["a", "b", "c"]
    assert session.neighbour(1, order) == "b"
    assert session.neighbour(-1, order) is None
    assert session.neighbour(3, order) is None
    assert session.neighbour(1, ["b", "c"]) == "b"  # the open one is filtered out
    assert session.neighbour(1, []) is None
    session.open_case = None
    assert session.neighbour(1, order) == "a"


# Corrections


def test_set_cells_keeps_the_rule(session):
    edit = session.set_cells([0, 1], "RUL", value=True)
    assert edit.name == "RUL on slices 1-2"
    assert true_cells(session) == {
        *((z, name) for z in (0, 1) for name in ("RUL", "infected")),
        (2, "LUL"),
        (2, "infected"),
    }
    assert session.set_cells([2], "LUL", value=False).name == "not LUL on slice 3"
    assert (2, "infected") not in true_cells(session)


def test_set_only_clear_and_copy(session):
    assert session.set_only([2, 3], "RUL").name == "only RUL on slices 3-4"
    assert true_cells(session) == {(z, n) for z in (2, 3) for n in ("RUL", "infected")}
    assert session.copy_from(3, [0, 5]).name == "copy slice 4 to slices 1, 6"
    assert {z for z, _ in true_cells(session)} == {0, 2, 3, 5}
    assert session.clear([0, 2, 3]).name == "clear slices 1, 3-4"
    assert true_cells(session) == {(5, "RUL"), (5, "infected")}


def test_set_only_keeps_slices_that_are_so_already(session):
    """A slice that already has only this column, and so is infected, must not be cleared."""
    session.set_cells([3], "RUL", value=True)
    session.set_only([2, 3], "RUL")
    assert true_cells(session) == {(z, n) for z in (2, 3) for n in ("RUL", "infected")}


def test_slices_outside_are_left_out(session):
    before = true_cells(session)
    assert session.set_cells([-1, SLICES, 99], "LUL", value=True) is None
    assert session.set_cells([], "LUL", value=True) is None
    assert session.copy_from(-1, [0]) is None
    assert session.copy_from(SLICES, [0]) is None
    assert true_cells(session) == before
    session.set_cells([SLICES - 1, SLICES], "LUL", value=True)
    assert true_cells(session) == before | {(SLICES - 1, "LUL"), (SLICES - 1, "infected")}


def test_refused_edit_is_no_step_but_is_announced(session, heard):
    """A view that painted the refused cell has to take it back."""
    assert session.set_cells([0], "infected", value=True) is None
    assert heard == [("edited", None)]
    assert session.draft.undoable is None
    assert session.unsaved() == []


def test_every_edit_is_announced_with_itself(session, heard):
    edit = session.set_cells([0], "LUL", value=True)
    assert heard == [("edited", edit), ("unsaved_changed",)]
    heard.clear()
    session.undo()
    session.redo()
    assert [h for h in heard if h[0] == "edited"] == [("edited", edit)] * 2


def test_undo_and_redo_are_exact(session):
    before = session.draft.labels.values.copy()
    session.set_cells([0, 1], "LUL", value=True)
    session.set_only([2], "RUL")
    after = session.draft.labels.values.copy()
    session.undo()
    session.undo()
    np.testing.assert_array_equal(session.draft.labels.values, before)
    assert session.undo() is None
    session.redo()
    session.redo()
    np.testing.assert_array_equal(session.draft.labels.values, after)
    assert session.redo() is None


def test_inconsistent_row_stays_until_it_is_edited():
    values = np.zeros((SLICES, 3), bool)
    values[1, 2] = values[4, 2] = True  # infected without a lobe
    session = Session()
    session.open_dataset(object(), [info("a")])
    odd = Reading("r", slice_labels=SliceLabels(COLUMNS, values, "infected"))
    session.show_case(case("a", odd))
    session.set_cells([0], "LUL", value=True)
    assert {(1, "infected"), (4, "infected")} <= true_cells(session)
    session.set_cells([1], "infected", value=False)
    assert (1, "infected") not in true_cells(session)
    session.undo()
    session.undo()
    np.testing.assert_array_equal(session.draft.labels.values, values)


def test_the_reading_on_disk_is_never_touched(session):
    original = session.open_case.readings[0].slice_labels.values.copy()
    session.set_cells(range(SLICES), "RUL", value=True)
    np.testing.assert_array_equal(session.open_case.readings[0].slice_labels.values, original)
    np.testing.assert_array_equal(session.draft.saved.slice_labels.values, original)


def test_a_reading_taken_does_not_follow_later_edits(session):
    session.set_cells([0], "LUL", value=True)
    taken = session.draft.reading
    session.set_cells([1], "LUL", value=True)
    assert not taken.slice_labels.values[1].any()
    assert taken.answers == {"severity": ("mild",)}
    assert taken.slice_labels.any_column == "infected"


# Drafts


def test_drafts_outlive_case_switches(session):
    session.set_cells([0], "LUL", value=True)
    draft = session.draft
    session.show_case(case("b", reading("updated-1")))
    assert true_cells(session) == set()
    session.show_case(case("a", reading("updated-1", [2]), reading("original")))
    assert session.draft is draft
    assert (0, "LUL") in true_cells(session)
    session.undo()
    assert (0, "LUL") not in true_cells(session)


def test_readers_have_drafts_of_their_own(session):
    session.set_cells([0], "LUL", value=True)
    session.choose_reader("original")
    assert true_cells(session) == set()
    session.set_cells([5], "RUL", value=True)
    session.choose_reader("updated-1")
    assert (0, "LUL") in true_cells(session)
    assert (5, "RUL") not in true_cells(session)
    assert [one.reader for one in session.unsaved()] == ["updated-1", "original"]


def test_unsaved_are_told_in_the_order_of_the_list(session):
    session.show_case(case("c", reading("updated-1")))
    session.set_cells([0], "LUL", value=True)
    session.show_case(case("b", reading("updated-1")))
    session.set_cells([0], "LUL", value=True)
    session.show_case(case("a", reading("updated-1")))
    assert [one.case.id for one in session.unsaved()] == ["b", "c"]


def test_an_edit_that_is_taken_back_is_not_unsaved(session):
    session.set_cells([0], "LUL", value=True)
    assert len(session.unsaved()) == 1
    session.set_cells([0], "LUL", value=False)
    assert session.unsaved() == []
    session.undo()
    assert session.unsaved()[0].change.cells == (
        CellChange(0, "LUL", before=False, after=True),
        CellChange(0, "infected", before=False, after=True),
    )


def test_edits_made_while_saving_stay_unsaved(session, heard):
    session.set_cells([0], "LUL", value=True)
    handed = [(one.case.id, session.draft_of(one).reading) for one in session.unsaved()]
    session.set_cells([1], "LUL", value=True)
    heard.clear()
    session.mark_saved(handed)
    assert heard == [("unsaved_changed",)]
    (one,) = session.unsaved()
    assert one.change.slices == (1,)
    session.undo()
    assert session.unsaved() == []
    session.undo()  # behind what was saved: the difference to the disk is unsaved again
    assert session.unsaved()[0].change.slices == (0,)


def test_marking_an_unknown_reading_saved_changes_nothing(session):
    session.set_cells([0], "LUL", value=True)
    session.mark_saved([("a", reading("somebody")), ("zzz", reading("updated-1"))])
    assert len(session.unsaved()) == 1


def test_a_new_dataset_starts_anew(session, heard):
    session.set_cells([0], "LUL", value=True)
    heard.clear()
    other = object()
    session.open_dataset(other, [info("a")])
    assert session.draft is None
    assert session.open_case is None
    assert session.unsaved() == []
    assert heard == [("unsaved_changed",)]
    session.show_case(case("a", reading("updated-1")))
    assert true_cells(session) == set()

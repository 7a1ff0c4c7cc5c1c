"""The session and its journal, without any window: what was left is there again."""

from threading import Event

import numpy as np
import pytest

import napari_chest
from napari_chest.errors import SaveError
from napari_chest.ui.loading import FirstImage, read_case
from napari_chest.ui.resuming import all_unsaved, take_up
from napari_chest.ui.session import Session


class Window:
    """A session on a dataset, with its journal in a folder."""

    def __init__(self, root, folder):
        self.dataset = napari_chest.open_dataset(root)
        self.session = Session()
        self.session.open_dataset(self.dataset, self.dataset.cases(), folder)

    def open(self, index):
        info = self.session.cases[index]
        for part in read_case(self.dataset, info, Event(), self.session.journal):
            if isinstance(part, FirstImage):
                self.session.show_case(part.case)
        return self.session.draft

    def toggle(self, z, column=0):
        labels = self.session.draft.labels
        value = not labels.values[z, column]
        return self.session.set_cells([z], labels.columns[column], value=value)


@pytest.fixture
def windows(root, tmp_path):
    opened = []

    def open_one():
        opened.append(Window(root, tmp_path / "review"))
        return opened[-1]

    yield open_one
    for window in opened:
        window.session.close()


def unsaved(window):
    return [one.case.id for one in window.session.unsaved()]


def test_the_last_stroke_is_there_in_another_session(windows):
    first = windows()
    draft = first.open(0)
    before = draft.labels.values.copy()
    first.toggle(1)
    first.toggle(2)
    first.session.undo()
    first.session.close()
    second = windows()
    again = second.open(0)
    np.testing.assert_array_equal(again.labels.values, draft.labels.values)
    assert second.session.redo().name == draft.redoable.name
    second.session.undo()
    second.session.undo()
    np.testing.assert_array_equal(again.labels.values, before)


def test_what_sessions_before_left_is_found_without_opening_it(windows):
    first = windows()
    for index in (0, 1):
        first.open(index)
        first.toggle(1)
    left = first.session.unsaved()
    first.session.close()
    second = windows()
    found = all_unsaved(second.session.journal, second.dataset, second.session.cases)
    assert found == left
    second.open(0)
    second.session.undo()
    second.session.remember_left(found)
    assert unsaved(second) == [second.session.cases[1].id]


def test_only_the_open_case_is_in_memory(windows):
    window = windows()
    window.open(0)
    window.toggle(1)
    (one,) = window.session.unsaved()
    assert window.session.draft_of(one) is window.session.draft
    window.open(1)
    assert window.session.unsaved() == [one]
    assert window.session.draft_of(one) is None
    taken = take_up(window.session.journal, window.dataset, one)
    assert taken.change == one.change


def test_a_session_without_a_journal_keeps_its_drafts(root):
    window = Window(root, None)
    first = window.open(0)
    window.toggle(1)
    window.open(1)
    assert window.session.draft_of(window.session.unsaved()[0]) is first
    assert window.open(0) is first
    assert not window.session.flush()


def test_a_save_is_known_to_the_next_session(windows):
    first = windows()
    draft = first.open(0)
    first.toggle(1)
    reading = first.session.hand_over(draft)
    first.toggle(2)
    first.session.mark_saved([(draft.case.id, reading)])
    first.session.close()
    second = windows()
    again = second.open(0)
    assert again.change.slices == (2,)
    assert again.change_to_dataset.slices == (1, 2)


def test_a_reading_left_in_another_window_is_not_taken_up(windows):
    first, second = windows(), windows()
    first.open(0)
    first.toggle(1)
    (one,) = first.session.unsaved()
    first.session.flush()
    with pytest.raises(SaveError, match="another window"):
        take_up(second.session.journal, second.dataset, one)


def test_a_read_only_case_is_looked_at_as_it_stands(windows):
    first, second = windows(), windows()
    first.open(0)
    first.toggle(1)
    first.session.flush()
    refused = []
    second.session.refused.connect(refused.append)
    draft = second.open(0)
    np.testing.assert_array_equal(draft.labels.values, first.session.draft.labels.values)
    assert second.toggle(2) is None
    assert refused == [draft.read_only]
    assert unsaved(second) == []
    first.toggle(3)
    first.open(1)
    first.session.flush()
    again = second.open(0)
    assert again.read_only == ""
    assert again.change.slices == (1, 3)


def test_discarded_work_does_not_come_back(windows):
    first = windows()
    draft = first.open(0)
    first.toggle(1)
    first.session.drop([(draft.case.id, draft.reading)])
    first.session.close()
    second = windows()
    assert second.open(0).undoable is None
    assert second.session.journal.in_progress() == []

"""A session in a reading round: blind, submitted, adjudicated, and there again tomorrow."""

import time
from threading import Event

import numpy as np
import pytest

import napari_chest
from napari_chest.edits import LUNGS
from napari_chest.export import export_readings, plan_release, released
from napari_chest.review.acts import Decide, OpenRound
from napari_chest.review.desk import Desk
from napari_chest.review.packed import unpack_reading
from napari_chest.review.words import ADJUDICATED
from napari_chest.ui.loading import FirstImage, read_case
from napari_chest.ui.session import Session


class Window:
    """A session of somebody on a dataset, with a journal of their own and a store for all."""

    def __init__(self, root, folder, store, person):
        self.dataset = napari_chest.open_dataset(root)
        self.session = Session()
        desk = Desk(store, folder, self.dataset.name, person, every=0.05)
        self.session.open_dataset(self.dataset, self.dataset.cases(), folder, desk)
        self.case = next(c for c in self.session.cases if self.dataset.readings(c.id))
        self.told = []
        self.session.refused.connect(self.told.append)

    @property
    def desk(self):
        return self.session.desk

    def open(self, number=0):
        self.session.choose_round(number)
        session = self.session
        for part in read_case(self.dataset, self.case, Event(), session.journal, session.seat):
            if isinstance(part, FirstImage):
                session.show_case(part.case)
        return session.draft

    def set(self, z, column, value=True):
        return self.session.set_cells([z], self.session.draft.labels.columns[column], value=value)

    def wait(self, holds):
        until = time.monotonic() + 10
        while not holds() and time.monotonic() < until:
            time.sleep(0.02)
        return holds()

    def stored(self):
        assert self.desk.sent()
        return {one.name: one for one in self.desk.readings(self.case.id)}

    def readers(self):
        return [reading.reader for reading in self.session.open_case.readings]


@pytest.fixture
def windows(root, tmp_path):
    opened = []

    def sit(person, folder=None):
        folder = tmp_path / (folder or person)
        opened.append(Window(root, folder, tmp_path / "team.sqlite", person))
        return opened[-1]

    yield sit
    for window in opened:
        window.session.close()


@pytest.fixture
def ada(windows):
    window = windows("Ada")
    window.desk.do(OpenRound(who="Ada", number=1, title="First", readers=("Ben", "Cleo")))
    assert window.desk.sent()
    return window


def own_values(window):
    return window.session.draft.labels.values


def test_a_blind_reading_is_submitted_as_a_whole_and_then_all_is_shown(ada, windows):
    ben = windows("Ben")
    draft = ben.open(1)
    assert ben.readers() == ["Ben · round 1"]
    assert ben.session.open_case.info.facts == {}
    ben.set(3, 0)
    assert ben.session.unsaved() == []  # which is about the dataset
    assert [one.reader for one in ben.session.unsubmitted()] == ["Ben · round 1"]
    assert ben.session.submit()
    assert ben.session.unsubmitted() == []
    values = unpack_reading(ben.stored()["Ben · round 1"].payload).slice_labels.values
    np.testing.assert_array_equal(values, draft.labels.values)
    assert values[3, 0]
    assert ben.desk.book.work(1, ben.case.id, "Ben").state == "submitted"
    ben.open(1)
    assert len(ben.readers()) > 1


def test_work_on_ones_own_reading_goes_on_tomorrow_and_undo_with_it(ada, windows):
    ben = windows("Ben")
    ben.open(1)
    ben.set(3, 0)
    ben.session.close()
    again = windows("Ben")
    again.open(1)
    assert own_values(again)[3, 0]
    again.session.undo()
    assert not own_values(again)[3, 0]


def test_a_submitted_reading_goes_on_from_there_and_can_be_undone_beyond_it(ada, windows):
    ben = windows("Ben")
    ben.open(1)
    ben.set(3, 0)
    ben.session.submit()
    ben.set(4, 1)
    assert ben.desk.sent()
    ben.session.close()
    again = windows("Ben")
    again.open(1)
    assert own_values(again)[3, 0]
    assert own_values(again)[4, 1]
    assert again.session.unsubmitted()[0].change.slices == (4,)
    again.session.undo()
    again.session.undo()
    assert not own_values(again)[3, 0]


def test_on_another_computer_work_goes_on_from_what_was_submitted(ada, windows):
    ben = windows("Ben")
    ben.open(1)
    ben.set(3, 0)
    ben.session.submit()
    assert ben.desk.sent()
    ben.session.close()
    elsewhere = windows("Ben", "another computer")
    elsewhere.open(1)
    assert own_values(elsewhere)[3, 0]
    elsewhere.set(5, 2)
    elsewhere.session.submit()
    values = unpack_reading(elsewhere.stored()["Ben · round 1"].payload).slice_labels.values
    assert values[3, 0]
    assert values[5, 2]


def test_a_reader_cannot_change_the_reading_of_another_an_adjudicator_can(ada, windows):
    ben, cleo = windows("Ben"), windows("Cleo")
    for window in (ben, cleo):
        window.open(1)
        window.set(3, 0)
        window.session.submit()
        assert window.desk.sent()
    cleo.open(1)
    cleo.session.choose_reader("Ben · round 1")
    assert cleo.set(6, 0) is None
    assert "belongs to Ben" in cleo.told[-1]
    ada.open()
    ada.session.choose_reader("Ben · round 1")
    assert ada.set(6, 0) is None  # Ben still has it
    assert "Ben" in ada.told[-1]
    ben.session.close()
    ada.open()
    ada.session.choose_reader("Ben · round 1")
    assert ada.set(6, 0) is not None
    assert ada.session.submit()
    stored = ada.stored()["Ben · round 1"]
    assert unpack_reading(stored.payload).slice_labels.values[6, 0]
    assert ada.desk.book.work(1, ada.case.id, "Ben").by == "Ada"


def test_who_reads_a_case_blind_does_not_see_it_outside_the_round(ada, windows):
    ben = windows("Ben")
    assert ben.open() is None
    assert "Choose that round" in ben.session.open_case.blind


def facts(window):
    return {case.id: dict(case.facts) for case in window.session.listed()}


def test_the_list_tells_no_facts_of_what_is_read_blind_until_it_is_submitted(ada, windows):
    ben, all_facts = windows("Ben"), facts(ada)
    assert all_facts[ada.case.id]
    ben.open()
    assert not any(facts(ben).values())
    ben.open(1)
    assert not any(facts(ben).values())
    assert ben.session.submit()
    assert [case for case, told in facts(ben).items() if told] == [ben.case.id]
    assert facts(ada) == all_facts


def test_two_windows_cannot_correct_one_reading_at_once(ada, windows):
    ada.open()
    assert ada.set(2, 0) is not None
    dora = windows("Dora")
    dora.open()
    assert dora.set(2, 0) is None
    assert "Ada" in dora.told[-1]


def test_corrections_of_the_datasets_reading_are_handed_in_beside_it(ada, windows):
    dora = windows("Dora")
    draft = dora.open()
    before = draft.labels.values.copy()
    reader = draft.saved.reader
    dora.set(0, 0, not before[0, 0])
    assert dora.session.submit()
    name = f"{reader} · corrected by Dora"
    stored = dora.stored()[name]
    assert stored.of == reader
    values = unpack_reading(stored.payload).slice_labels.values
    assert values[0, 0] != before[0, 0]
    # It is still to be exported, and not shown twice to who made it.
    assert [one.reader for one in dora.session.unsaved()] == [reader]
    dora.open()
    assert name not in dora.readers()
    ada.open()
    assert name in ada.readers()


def test_who_agrees_with_the_dataset_hands_in_nothing_else(ada, windows):
    dora = windows("Dora")
    dora.open()
    assert dora.session.submit()
    assert dora.stored() == {}
    assert dora.desk.book.work(0, dora.case.id, "Dora").state == "submitted"


def decide(ada, reader, state):
    """Let Ada decide about what somebody submitted outside rounds."""
    case = ada.case.id
    assert ada.wait(lambda: ada.desk.book.work(0, case, reader).state == "submitted")
    seen = ada.desk.book.work(0, case, reader).version
    ada.desk.do(Decide(who="Ada", case=case, reader=reader, state=state, seen=seen))
    assert ada.desk.sent()


def test_a_correction_that_was_sent_back_and_taken_back_is_not_released(ada, windows, tmp_path):
    dora = windows("Dora")
    draft = dora.open()
    reader, before = draft.saved.reader, draft.labels.values.copy()
    dora.set(0, 0, not before[0, 0])
    dora.session.submit()
    assert dora.desk.sent()
    decide(ada, "Dora", "needs fix")
    assert dora.wait(lambda: dora.desk.book.work(0, dora.case.id, "Dora").state == "needs fix")
    dora.session.undo()
    assert dora.session.submit()
    stored = dora.stored()[f"{reader} · corrected by Dora"]
    np.testing.assert_array_equal(unpack_reading(stored.payload).slice_labels.values, before)
    decide(ada, "Dora", "approved")
    release = plan_release(ada.dataset, ada.desk.book)
    parts = released(ada.dataset, ada.desk.book, ada.desk.readings, release)
    assert export_readings(ada.dataset, parts, tmp_path / "release").holds
    after = {one.reader: one for one in ada.dataset.readings(ada.case.id, tmp_path / "release")}
    np.testing.assert_array_equal(after[reader].slice_labels.values, before)


def test_a_correction_taken_back_on_another_day_is_handed_in_as_taken_back(ada, windows):
    dora = windows("Dora")
    draft = dora.open()
    reader, before = draft.saved.reader, draft.labels.values.copy()
    dora.set(0, 0, not before[0, 0])
    dora.session.submit()
    assert dora.desk.sent()
    dora.session.close()
    again = windows("Dora")
    again.open()
    again.session.undo()
    assert again.session.submit()
    stored = again.stored()[f"{reader} · corrected by Dora"]
    np.testing.assert_array_equal(unpack_reading(stored.payload).slice_labels.values, before)


def test_a_correction_that_was_left_is_handed_in_though_another_reading_is_shown(windows):
    dora = windows("Dora")
    dora.case = next(c for c in dora.session.cases if len(dora.dataset.readings(c.id)) > 1)
    dora.open()
    readers = dora.readers()
    for reader in readers:
        dora.session.choose_reader(reader)
        dora.set(0, 0, not own_values(dora)[0, 0])
    dora.session.close()
    again = windows("Dora")
    again.case = dora.case
    again.open()
    assert again.session.submit()
    assert set(again.stored()) == {f"{reader} · corrected by Dora" for reader in readers}


def test_what_was_approved_is_not_handed_in_again_by_its_reader(ada, windows):
    dora = windows("Dora")
    dora.open()
    assert dora.session.submit()
    assert dora.desk.sent()
    ada.desk.do(Decide(who="Ada", case=dora.case.id, reader="Dora", state="approved", seen=1))
    assert ada.desk.sent()
    assert dora.wait(lambda: dora.desk.book.work(0, dora.case.id, "Dora").state == "approved")
    dora.set(0, 0)
    assert not dora.session.submit()
    assert "approved" in dora.told[-1]


def test_the_adjudicated_reading_begins_with_what_all_agree_on_and_is_kept(ada):
    ada.open()
    first = ada.session.draft.reading
    ada.session.adjudicate(first)
    assert ada.session.draft.saved.reader == ADJUDICATED
    np.testing.assert_array_equal(own_values(ada), first.slice_labels.values)
    ada.session.close()


def test_an_adjudicated_reading_that_was_begun_is_there_tomorrow(ada, windows):
    ada.open()
    first = ada.session.draft.reading
    ada.session.adjudicate(first)
    assert ada.session.flush(5)
    ada.desk.sent()
    ada.session.close()
    again = windows("Ada")
    again.open()
    assert ADJUDICATED in again.readers()
    again.session.choose_reader(ADJUDICATED)
    np.testing.assert_array_equal(own_values(again), first.slice_labels.values)
    assert again.session.submit()
    assert again.stored()[ADJUDICATED].of == first.reader
    assert LUNGS not in {m.name for m in unpack_reading(again.stored()[ADJUDICATED].payload).masks}
    assert again.session.unsubmitted() == []

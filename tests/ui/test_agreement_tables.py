"""Agreement as tables and files, and over all cases, without a window."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime
from threading import Event

import numpy as np
import painted
import pytest
from two_readers import ANNA, BERT, CARL, TwoReaders, anna, bert, dice, mask

from napari_chest.errors import ReadError
from napari_chest.measure import agreement as measuring
from napari_chest.measure.agreement import agreement
from napari_chest.measure.resampling import Estimate
from napari_chest.model import Reading
from napari_chest.review.acts import Enrol, OpenRound
from napari_chest.review.all_readings import readings_of
from napari_chest.review.book import Book
from napari_chest.review.casework import Seat
from napari_chest.review.packed import pack_reading
from napari_chest.review.words import StoredReading
from napari_chest.ui.agreement import run
from napari_chest.ui.agreement.run import Measured, all_cases
from napari_chest.ui.agreement.tables import (
    Column,
    Names,
    Row,
    Table,
    as_csv,
    as_json,
    as_tsv,
    columns_table,
    confusion_table,
    segments_table,
    told,
)

NAMES = Names({ANNA: ANNA, BERT: BERT}, {ANNA: "#00C0FF", BERT: "#FFC018"})


def measured(readings):
    return agreement(readings, painted.grid(), case="pair")


def readings(tmp_path, case="pair"):
    return TwoReaders(tmp_path).readings(case)


# Tables


def test_the_table_of_masks_has_the_numbers_of_every_pair_and_segment(tmp_path):
    table = segments_table(measured(readings(tmp_path)), NAMES)
    first, second = table.rows
    titles = [column.title for column in table.columns]
    got = dict(zip(titles, first.cells, strict=True))
    assert got["A – B"] == ("1 – 2", (ANNA, BERT))
    assert got["Segment"] == f"lesions: {painted.LESIONS[0].name}"
    assert got["Dice"] == pytest.approx(dice(anna() == 1, bert() == 1))
    voxel = np.prod(painted.SPACING) / 1000
    assert got["A (ml)"] == pytest.approx((anna() == 1).sum() * voxel)
    assert got["B − A (ml)"] == pytest.approx(((bert() == 1).sum() - (anna() == 1).sum()) * voxel)
    assert second.cells[1] == f"lesions: {painted.LESIONS[1].name}"
    assert all(c.definition for c in table.columns if c.title not in ("Segment",))


def test_slice_labels_have_percent_agreement_and_kappa(tmp_path):
    table = columns_table(measured(readings(tmp_path)), NAMES)
    left, right = table.rows
    assert left.cells[0] == "left"
    assert left.cells[4].value == pytest.approx(100 * 11 / 12)
    assert left.cells[4].low < left.cells[4].value < left.cells[4].high
    # Anna 2 of 12, Bert 1 of 12, both 1: by hand.
    chance = (2 * 1 + 10 * 11) / 144
    assert left.cells[2].value == pytest.approx((11 / 12 - chance) / (1 - chance))
    assert right.cells[2].value == pytest.approx(1)
    counts = confusion_table(left.about[1], NAMES)
    assert [row.cells for row in counts.rows] == [("no", 10, 0), ("yes", 1, 1)]
    assert ANNA in counts.columns[0].definition


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, "–"),
        (0.91234, "0.91"),
        (float("nan"), "–"),
        (True, "yes"),
        (12, "12"),
        (Estimate(0.5, 0.25, 0.75, 9), "0.50 [0.25, 0.75]"),
        (Estimate(0.5, None, None, 9), "0.50"),
        (Estimate(None, None, None, 0), "–"),
    ],
)
def test_a_cell_as_a_person_reads_it(cell, text):
    assert told(cell, 2) == text


def test_csv_has_full_numbers_full_names_and_no_formula():
    table = Table(
        "t",
        (Column("A – B"), Column("Segment"), Column("Dice")),
        (
            Row((NAMES.readers((ANNA, BERT)), "=cmd()", Estimate(1 / 3, 0.1, 0.9, 4))),
            Row((NAMES.readers((ANNA, BERT, CARL)), "b", None), note="why"),
        ),
    )
    first, second = csv.DictReader(io.StringIO(as_csv(table)))
    assert (first["A"], first["B"]) == (ANNA, BERT)
    assert first["Segment"] == "'=cmd()"
    assert float(first["Dice"]) == 1 / 3
    assert (first["Dice low"], first["Dice high"]) == ("0.1", "0.9")
    assert second["A"] == f"{ANNA} / {BERT} / {CARL}"
    assert (second["Dice"], second["Note"]) == ("", "why")


def test_json_tells_what_each_number_means(tmp_path):
    found = json.loads(as_json([segments_table(measured(readings(tmp_path)), NAMES)]))["Masks"]
    assert "MedPy" in found["definitions"]["HD95 (mm)"]
    assert found["rows"][0]["Dice"] == pytest.approx(dice(anna() == 1, bert() == 1))


def test_the_clipboard_takes_what_is_on_screen(tmp_path):
    table = columns_table(measured(readings(tmp_path)), NAMES)
    lines = as_tsv(table, [1]).split("\n")
    assert lines[0].split("\t")[0] == "Column"
    assert lines[1].split("\t")[:3] == ["right", "1 – 2", "1.00"]
    assert len(lines) == 2


# Which readings


class Desk:
    """Keeps what was submitted."""

    person = "Dora"

    def __init__(self, book, *stored):
        self.book, self._stored = book, stored

    def readings(self, case):
        return self._stored


def stored(reading, **how):
    known = {"id": "1", "case": "pair", "round": 0, "owner": BERT, "of": ANNA, "base": ""}
    known |= {"name": reading.reader, "at": datetime.now(UTC), "payload": pack_reading(reading)}
    return StoredReading(**known | how)


def test_readings_of_a_case_are_the_datasets_and_those_submitted(tmp_path):
    dataset, shape = TwoReaders(tmp_path), painted.SHAPE
    assert [r.reader for r in readings_of(dataset, None, "pair", shape).readings] == [ANNA, BERT]
    handed = Reading(f"{ANNA} · corrected by {BERT}", (mask(bert()),))
    broken = stored(replace(handed, reader="broken"), payload=b"no reading", id="2")
    seat = Seat(Desk(Book(), stored(handed), broken))
    found = readings_of(dataset, seat, "pair", shape)
    assert [r.reader for r in found.readings] == [ANNA, BERT, handed.reader]
    np.testing.assert_array_equal(found.readings[2].masks[0].labels, bert())
    assert len(found.problems) == 1
    assert "broken" in found.problems[0]


def in_round(*stored, blind):
    acts = (
        Enrol(who="Dora", person="Dora"),
        OpenRound(who="Dora", number=1, title="First", blind=blind, readers=("Dora", BERT)),
    )
    book = Book()
    for act in acts:
        book = book.with_act(act)
    return Seat(Desk(book, *stored), 1)


def test_readings_are_hidden_while_the_case_is_read_blind(tmp_path):
    dataset = TwoReaders(tmp_path)
    found = readings_of(dataset, in_round(blind=True), "pair", painted.SHAPE)
    assert found.readings == ()
    assert "blind" in found.blind
    _, cases = last(
        all_cases(dataset, dataset.cases(), in_round(blind=True), (), Measured(()), Event())
    )
    assert (cases.blind, cases.alone, cases.agreement.cases, cases.readers) == (4, 0, (), ())


def test_a_reading_that_was_only_begun_does_not_count(tmp_path):
    dataset, shape = TwoReaders(tmp_path), painted.SHAPE
    own, other = "Dora · round 1", f"{BERT} · round 1"
    handed = stored(Reading(other, (mask(bert()),)), round=1, of="")
    found = readings_of(dataset, in_round(handed, blind=False), "pair", shape)
    assert [one.reader for one in found.readings] == [ANNA, BERT, other]
    mine = stored(Reading(own, (mask(anna()),)), round=1, of="", owner="Dora", id="2")
    found = readings_of(dataset, in_round(handed, mine, blind=False), "pair", shape)
    assert {one.reader for one in found.readings} == {ANNA, BERT, other, own}


def last(generator):
    steps = []
    while True:
        try:
            steps.append(next(generator))
        except StopIteration as end:
            return steps, end.value


def test_all_cases_are_held_against_each_other_and_one_that_fails_stops_none(tmp_path):
    class Broken(TwoReaders):
        def stream(self, case_id, first=None):
            if case_id == "trio":
                raise ReadError("trio", "no image")
            return super().stream(case_id, first)

    dataset = Broken(tmp_path)
    run_ = all_cases(dataset, dataset.cases(), None, (), Measured(()), Event())
    steps, found = last(run_)
    assert [(step.done, step.of) for step in steps] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert [case.case for case in found.agreement.cases] == ["pair", "bare"]
    assert (found.alone, found.blind, found.stopped) == (1, 0, False)
    assert found.problems == (("trio", "trio: no image"),)
    assert found.readers == (ANNA, BERT)


def test_a_reader_left_out_leaves_cases_with_too_few(tmp_path):
    dataset = TwoReaders(tmp_path)
    _, found = last(all_cases(dataset, dataset.cases(), None, {BERT}, Measured(()), Event()))
    assert [case.readers for case in found.agreement.cases] == [(ANNA, CARL)]
    assert found.alone == 3
    assert found.readers == (ANNA, BERT, CARL)


def test_the_same_readings_are_measured_once_and_changed_ones_anew(tmp_path, monkeypatch):
    told_of = []

    def counting(readings, grid, **how):
        told_of.append(how["case"])
        return measuring.agreement(readings, grid, **how)

    monkeypatch.setattr(run, "agreement", counting)
    dataset, remembered = TwoReaders(tmp_path), Measured(())
    for _ in range(2):
        last(all_cases(dataset, dataset.cases(), None, (), remembered, Event()))
    assert told_of == ["pair", "trio", "bare"]
    first, second = dataset.state["pair"]
    dataset.state["pair"] = (first, replace(second, masks=(mask(anna()),)))
    last(all_cases(dataset, dataset.cases(), None, (), remembered, Event()))
    assert told_of == ["pair", "trio", "bare", "pair"]


def test_stopped_before_the_last_case(tmp_path):
    dataset, stop = TwoReaders(tmp_path), Event()
    run_ = all_cases(dataset, dataset.cases(), None, (), Measured(()), stop)
    next(run_)
    stop.set()
    _, found = last(run_)
    assert found.stopped
    assert [case.case for case in found.agreement.cases] == ["pair"]

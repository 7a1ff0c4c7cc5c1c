"""The outbox: what is put in is on disk in its order, and damaged files are kept."""

import sqlite3
from datetime import UTC, datetime

import acting
import pytest
from hypothesis import given
from hypothesis import strategies as st

from napari_chest.errors import ReadError
from napari_chest.review.acts import Adjudicate, Assign, Prioritise, Rate, Remark, decode_act
from napari_chest.review.book import Book, Snapshot
from napari_chest.review.desk.outbox import Outbox, Refused
from napari_chest.review.desk.remembered import book_of, pack_rows, unpack_rows
from napari_chest.review.words import StoredReading

NOON = datetime(2024, 2, 3, 12, tzinfo=UTC)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "set-review" / "outbox.sqlite"


@pytest.fixture
def outbox(path):
    box = Outbox(path)
    yield box
    box.close()


def remarks(count):
    return [Remark(who="Bob", case="c", text=f"no. {n}") for n in range(count)]


def payloads(path, where="1"):
    with sqlite3.connect(path) as connection:
        rows = connection.execute(f"SELECT payload FROM acts WHERE {where} ORDER BY number")
        found = [decode_act(payload) for (payload,) in rows]
    connection.close()
    return found


def test_looking_makes_no_file(outbox, path):
    assert outbox.pending() == []
    assert outbox.refused() == []
    assert outbox.remembered("s") == []
    assert outbox.kept_readings("s", "c") == []
    outbox.sent(["x"])
    assert not path.parent.exists()


def test_acts_are_on_disk_in_their_order(outbox, path):
    acts = [*remarks(20), acting.submit("c", "Bob", payload=bytes(100_000))]
    outbox.put(acts[:10])
    outbox.put(acts[5:])  # again in part, as after a disk that failed
    assert payloads(path) == acts
    other = Outbox(path)
    assert other.pending() == acts
    assert other.pending({acts[0].id, acts[7].id}) == [*acts[1:7], *acts[8:]]
    other.close()


def test_sent_acts_are_forgotten(outbox, path):
    acts = remarks(5)
    outbox.put(acts)
    outbox.sent([acts[1].id, acts[3].id, "unknown"])
    assert payloads(path) == [acts[0], acts[2], acts[4]]


def test_refused_acts_are_kept_with_why_and_wait_no_more(outbox, path):
    first, second, third = remarks(3)
    outbox.put([first, second])
    outbox.refuse(Refused(first, "Somebody was faster."))
    outbox.refuse(Refused(third, "It was never put."))
    other = Outbox(path)
    assert other.pending() == [second]
    assert other.refused() == [
        Refused(first, "Somebody was faster."),
        Refused(third, "It was never put."),
    ]
    other.sent([first.id])
    assert [one.act for one in other.refused()] == [third]
    other.close()


def test_what_a_newer_program_put_is_kept_and_told(outbox, path):
    acts = remarks(2)
    outbox.put(acts)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE acts SET payload = x'C1' WHERE id = ?", (acts[0].id,))
    connection.close()
    assert outbox.pending() == [acts[1]]
    assert "update napari-chest" in outbox.notice
    with sqlite3.connect(path) as connection:
        assert connection.execute("SELECT count(*) FROM acts").fetchone() == (2,)
    connection.close()


def test_a_damaged_outbox_is_kept_under_another_name(path):
    path.parent.mkdir()
    path.write_bytes(b"no database" * 1000)
    box = Outbox(path)
    acts = remarks(1)
    box.put(acts)
    box.close()
    (kept,) = path.parent.glob("outbox-damaged-*.sqlite")
    assert kept.read_bytes() == b"no database" * 1000
    assert kept.name in box.notice
    assert payloads(path) == acts


def test_an_outbox_that_is_damaged_inside_is_set_aside_too(outbox, path):
    outbox.put(remarks(200))
    outbox.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:] = bytes(len(damaged) - 4096)
    path.write_bytes(damaged)
    acts = remarks(3)
    outbox.put(acts)
    assert payloads(path) == acts
    (kept,) = path.parent.glob("outbox-damaged-*.sqlite")
    assert kept.read_bytes() == damaged


def test_a_database_of_something_else_is_not_written_to(path):
    path.parent.mkdir()
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE mine (x)")
    connection.close()
    box = Outbox(path)
    box.put(remarks(1))
    box.close()
    (kept,) = path.parent.glob("outbox-damaged-*.sqlite")
    with sqlite3.connect(kept) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("mine",)]
    connection.close()


def test_an_outbox_of_a_newer_program_stays_as_it_is(outbox, path):
    outbox.put(remarks(1))
    outbox.close()
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 9")
    connection.close()
    before = path.read_bytes()
    with pytest.raises(ReadError, match="version 9, of a newer"):
        Outbox(path).put(remarks(1))
    assert path.read_bytes() == before


def test_a_file_that_went_away_is_begun_anew_and_a_folder_is_not(outbox, path):
    outbox.put(remarks(1))
    path.unlink()
    acts = remarks(2)
    outbox.put(acts)
    assert payloads(path) == acts
    assert outbox.openings == 2
    path.parent.rename(path.parent.with_name("away"))
    with pytest.raises(ReadError, match=r"no longer there.*put the folder back"):
        outbox.put(remarks(1))
    assert not path.parent.exists()
    path.parent.with_name("away").rename(path.parent)
    assert outbox.pending() == acts


def reviewed():
    """A book with something of every kind."""
    book = acting.enrolled(Book())
    for act in (
        acting.open_round(1, readers=("Bob", "Cy"), cases=("c", "d")),
        acting.begin("c", "Bob"),
        acting.submit("c", "Bob"),
        acting.decide("c", "Bob", "needs fix", 2, reason="extent", note="Größer"),
        acting.begin("d", "Cy", round_number=1),
        Assign(who="Ada", cases=("c", "d"), reader="Cy"),
        Rate(who="Bob", case="c", reader="Bob", difficulty=4),
        Prioritise(who="Ada", cases=("d",), priority=3),
        Remark(who="Cy", case="d", text="here", voxel=(1, 2, 3), id="r"),
        Adjudicate(
            who="Ada", case="c", choice="STAPLE", scope="component", readers=("Bob", "Cy"),
            about="component of 9 voxels", mask="m", box=((0, 1), (2, 3), (4, 5)),
        ),
    ):  # fmt: skip
        book = book.with_act(act)
    return book


def rows_of(book, number=0):
    cases = ("c", "d")
    return Snapshot(
        people=book.people,
        rounds=book.rounds,
        works=tuple(book.works.values()),
        priorities=book.priorities,
        comments=tuple(one for case in cases for one in book.comments(case)),
        decisions=tuple(one for case in cases for one in book.decisions(case)),
        number=number,
    )


def test_what_a_store_said_is_remembered(outbox, path):
    rows = rows_of(reviewed(), 7)
    assert all((rows.people, rows.rounds, rows.works, rows.priorities, rows.comments))
    outbox.remember("s", Snapshot(people={"Zoe": "reader"}, number=3), anew=True)
    outbox.remember("s", rows, anew=True)
    later = Snapshot(people={"Dot": "reader"}, number=8)
    outbox.remember("s", later)
    outbox.remember("other", Snapshot(number=99), anew=True)
    box = Outbox(path)
    book = book_of(box.remembered("s"))
    box.close()
    assert rows_of(book, 7) == Snapshot(**{**vars(rows), "people": {**rows.people, **later.people}})
    assert book.number == 8


@given(st.binary(max_size=60))
def test_bytes_that_are_no_rows_are_refused(data):
    with pytest.raises(ValueError, match="no rows of a store"):
        unpack_rows(data)


def test_of_damaged_rows_the_ones_before_are_used(outbox, path):
    outbox.remember("s", rows_of(reviewed(), 7), anew=True)
    outbox.remember("s", Snapshot(number=8))
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE rows SET payload = x'00' WHERE number = 2")
    connection.close()
    assert [rows.number for rows in outbox.remembered("s")] == [7]


def test_rows_are_small():
    book = Book()
    acts = [acting.begin(f"case-{n:05}", "Bob") for n in range(500)]
    for act in acts:
        book = book.with_act(act)
    assert len(pack_rows(rows_of(book))) < 100 * len(acts)


def a_reading(name, payload=b"x", case="c"):
    return StoredReading(f"id-{name}", case, 1, name, "Bob", "L1", "f00", NOON, payload)


def test_readings_are_kept_per_store_and_case(outbox, path):
    outbox.keep_readings("s", "c", [a_reading("a"), a_reading("b")])
    outbox.keep_readings("s", "d", [a_reading("a", case="d")])
    outbox.keep_readings("s", "c", [a_reading("b", b"new")])
    box = Outbox(path)
    (found,) = box.kept_readings("s", "c")
    assert vars(found) == vars(a_reading("b", b"new"))
    assert box.kept_readings("t", "c") == []
    assert [one.case for one in box.kept_readings("s", "d")] == ["d"]
    box.close()

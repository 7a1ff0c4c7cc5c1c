"""The review on the command line: what it prints, what it writes, how it ends."""

import csv
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import napari_chest
from napari_chest.cli import main
from napari_chest.edits import fingerprint
from napari_chest.model import Reading
from napari_chest.phantom import make_covid_ct_md
from napari_chest.review.acts import Packed, Submit
from napari_chest.review.packed import pack_reading
from napari_chest.review.store import open_store
from napari_chest.review.words import corrected_name


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_covid_ct_md(tmp_path_factory.mktemp("cli_review") / "set", shape=(12, 32, 32)).root


@pytest.fixture
def root(made, tmp_path, monkeypatch):
    """A dataset whose review folder is the test's own."""
    monkeypatch.delenv("NAPARI_CHEST_STORE", raising=False)
    monkeypatch.delenv("NAPARI_CHEST_PERSON", raising=False)
    link = tmp_path / "set-review" / "review.sqlite"
    monkeypatch.setattr("napari_chest.cli.review.review_folder", lambda _: link.parent)
    return made


@pytest.fixture
def review(root, capsys):
    """Run a command; returns its exit code and what it printed."""

    def run(job, *arguments):
        code = main(["review", job, str(root), *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def table(text):
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_listing_a_review_that_nobody_began_makes_nothing(review, tmp_path):
    for job in ("list", "log", "rounds"):
        code, out, err = review(job)
        assert (code, err) == (0, "")
    assert not (tmp_path / "set-review").exists()
    code, out, _ = review("list")
    assert [row["state"] for row in table(out)] == ["not started"] * 6


def test_a_review_from_assignment_to_approval(review):
    cases = [row["case"] for row in table(review("list")[1])]
    assert review("enrol", "--person", "Bob", "--as", "Ada") == (
        0, "Bob takes part as reader\n", ""
    )  # fmt: skip
    code, out, _ = review(
        "assign", "--reader", "Bob", "--case", cases[1], "--case", cases[0], "--as", "Ada"
    )
    assert (code, out) == (0, "2 cases given to Bob\n")
    mine = table(review("list", "--mine", "Bob")[1])
    assert [(row["case"], row["assigned"]) for row in mine] == [(case, "yes") for case in cases[:2]]
    code, out, _ = review(
        "decide", "--case", cases[0], "--reader", "Bob", "--state", "approved", "--note", "=fine",
        "--as", "Ada",
    )  # fmt: skip
    assert (code, out) == (0, f"{cases[0]} of Bob is approved\n")
    (row,) = json.loads(review("list", "--state", "approved", "--format", "json")[1])
    assert (row["case"], row["reader"], row["by"], row["note"]) == (cases[0], "Bob", "Ada", "=fine")
    log = table(review("log")[1])
    assert [row["what"] for row in log] == ["enrol", "assign", "decide"]
    assert {row["who"] for row in log} == {"Ada"}
    assert [row["what"] for row in table(review("log", "--case", cases[0])[1])] == ["decide"]
    assert [row["number"] for row in table(review("log", "--after", "2")[1])] == ["3"]
    assert review("assign", "--reader", "Bob", "--all", "--take-back", "--as", "Ada")[1] == (
        "6 cases taken back from Bob\n"
    )


def test_rounds_are_opened_with_the_next_number_and_closed(review):
    assert review("open-round", "--title", "First", "--as", "Ada")[1] == "Round 1 is open\n"
    more = ("--not-blind", "--start", "dataset", "--reader", "Bob", "--reader", "Cy")
    assert review("open-round", "--title", "Second", *more, "--as", "Ada")[1] == "Round 2 is open\n"
    assert review("close-round", "--round", "1", "--as", "Ada")[0] == 0
    first, second = table(review("rounds")[1])
    assert (first["title"], first["blind"], first["start"], first["closed"], first["readers"]) == (
        "First", "yes", "scratch", "yes", ""
    )  # fmt: skip
    assert (second["blind"], second["start"], second["closed"], second["readers"]) == (
        "no", "dataset", "no", "Bob; Cy"
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("decide", "--case", "P9", "--reader", "Ada", "--state", "deferred"), "no case P9"),
        (("assign", "--reader", "Bob", "--case", "P9"), "no case P9"),
        (("log", "--case", "P9"), "no case P9"),
        (("open-round", "--title", "x", "--case", "P9"), "no case P9"),
        (("close-round", "--round", "4"), "no round 4"),
        (("assign", "--reader", "Bob", "--all", "--round", "-3"), "cannot be kept"),
        (("enrol", "--person", " "), "name is empty"),
        (("list", "--store", "oracle://x/y"), "A store cannot be in oracle"),
    ],
)
def test_what_cannot_be_done_ends_with_2_and_says_why(review, arguments, words):
    mine = () if arguments[0] in ("list", "log") else ("--as", "Ada")
    code, out, err = review(arguments[0], *arguments[1:], *mine)
    assert (code, out) == (2, "")
    assert err.startswith("napari-chest: ")
    assert words in err


def test_a_reader_may_not_do_what_adjudicators_do(review):
    review("enrol", "--person", "Bob", "--as", "Ada")
    code, _, err = review("open-round", "--title", "Mine", "--as", "Bob")
    assert code == 2
    assert "Bob is a reader" in err


def test_a_decision_about_what_was_not_seen_is_refused(review):
    case = table(review("list")[1])[0]["case"]
    decide = ("decide", "--case", case, "--reader", "Ada", "--as", "Ada", "--state")
    assert review(*decide, "deferred")[0] == 0
    code, _, err = review(*decide, "approved", "--seen", "0")
    assert code == 2
    assert '"approved" was not taken over' in err


def test_people_and_stores_come_from_the_environment(review, root, tmp_path, monkeypatch):
    monkeypatch.setenv("NAPARI_CHEST_PERSON", "Envy")
    monkeypatch.setenv("NAPARI_CHEST_STORE", str(tmp_path / "env.sqlite"))
    assert review("enrol", "--person", "Bob")[0] == 0
    assert (
        review("enrol", "--person", "Cy", "--as", "Ada", "--store", str(tmp_path / "o.db"))[0] == 0
    )
    for name, people in (("env.sqlite", {"Envy", "Bob"}), ("o.db", {"Ada", "Cy"})):
        store = open_store(tmp_path / name, "covid-ct-md")
        assert set(store.snapshot().people) == people
        store.close()
    assert not (tmp_path / "set-review").exists()
    monkeypatch.delenv("NAPARI_CHEST_PERSON")
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "login")
    assert review("enrol", "--person", "Dot")[0] == 2  # Envy adjudicates in this store
    assert review("enrol", "--person", "login")[0] == 0


def test_the_store_of_another_dataset_is_refused(review, tmp_path):
    open_store(tmp_path / "other.sqlite", "mosmed").close()
    code, out, err = review("list", "--store", str(tmp_path / "other.sqlite"))
    assert (code, out) == (2, "")
    assert "mosmed" in err
    assert "covid-ct-md" in err


def test_tables_are_written_outside_the_dataset_only(review, root, tmp_path):
    out = tmp_path / "new" / "work.csv"
    assert review("list", "--out", str(out))[1] == f"Wrote 6 rows to {out}\n"
    assert out.read_bytes().startswith(b"round,case,title,")
    assert out.read_bytes().count(b"\r\n") == 7
    code, _, err = review("list", "--out", str(root / "work.csv"))
    assert code == 2
    assert "inside the dataset" in err
    assert not (root / "work.csv").exists()


def pipe_to_nobody(*arguments):
    """How a command ends whose reader went away before it wrote."""
    reading, writing = os.pipe()
    os.close(reading)
    try:
        return subprocess.run(
            [sys.executable, "-m", "napari_chest", *arguments],
            stdout=writing, stderr=subprocess.PIPE, text=True, check=False, timeout=60,
        )  # fmt: skip
    finally:
        os.close(writing)


@pytest.mark.parametrize("command", [["info"], ["info", "--json"], ["check"], ["review", "list"]])
def test_a_closed_pipe_is_no_error(made, command):
    job = [*command[:2], str(made)] if command[0] == "review" else [command[0], str(made)]
    done = pipe_to_nobody(*job, *(command[1:] if command[0] != "review" else ()))
    assert (done.returncode, done.stderr) == (0, "")


def test_a_whole_folder_is_piped_without_loss(made):
    done = subprocess.run(
        [sys.executable, "-m", "napari_chest", "review", "list", str(made)],
        capture_output=True, check=True, timeout=60,
    )  # fmt: skip
    assert done.stdout.count(b"\r\n") == 7
    assert not Path(f"{made}-review").exists()


def test_what_was_approved_is_exported_and_proved(review, root, tmp_path):
    dataset = napari_chest.open_dataset(root)
    case = next(one.id for one in dataset.cases() if dataset.readings(one.id))
    first = dataset.readings(case)[0]
    values = first.slice_labels.values.copy()
    values[0] = ~values[0, 0]  # all columns alike, so that the slice's own column holds
    name = corrected_name(first.reader, "Ada")
    reading = Reading(name, (), first.slice_labels.with_values(values))
    part = Packed(name, first.reader, fingerprint(first), pack_reading(reading))
    store = open_store(tmp_path / "set-review" / "review.sqlite", dataset.name)
    store.do(Submit(who="Ada", case=case, reader="Ada", readings=(part,)))
    store.close()
    out = tmp_path / "release"
    code, _, said = review("export", "--out", str(out))
    assert code == 1
    assert f"{case} is left out: It is submitted and not approved." in said
    assert not out.exists()
    decided = ("--case", case, "--reader", "Ada", "--state", "approved", "--as", "Ada")
    assert review("decide", *decided)[0] == 0
    code, said, _ = review("export", "--out", str(out))
    assert code == 0
    assert said.startswith("Proved: exactly 6 changes on disk, everything else identical.")
    after = dataset.readings(case, out)[0].slice_labels.values
    np.testing.assert_array_equal(after, values)


def test_exporting_a_review_that_nobody_began_exports_nothing(review, tmp_path):
    code, _, said = review("export", "--out", str(tmp_path / "release"))
    assert code == 1
    assert "nothing was reviewed yet" in said

"""``napari-chest compare``: what it prints, what it writes, how it ends."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest

from napari_chest.cli import main
from napari_chest.datasets import open_dataset
from napari_chest.phantom import make_covid_ct_md
from napari_chest.phantom.ricord import make_ricord_1c


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_covid_ct_md(tmp_path_factory.mktemp("compare") / "set", shape=(12, 32, 32)).root


def test_label_versions_are_compared_case_by_case_and_overall(root, capsys):
    assert main(["compare", str(root)]) == 0
    text = capsys.readouterr().out
    assert text.startswith("COVID-CT-MD: 4 cases compared, 2 without two readings to compare\n")
    cases, _, overall = text.partition("All cases")
    assert "COVID-19 subjects/P001: slice labels infected, updated-1 / original: Cohen" in cases
    assert "slice labels infected, updated-1 / original: Cohen 0.875 [" in overall
    assert "Cohen's kappa of two readers: agreement beyond chance" in overall
    assert "Bartoli" not in overall  # there are no masks


def test_one_case_into_files_with_full_numbers(root, tmp_path, capsys):
    case = "COVID-19 subjects/P001"
    out = tmp_path / "numbers.csv"
    assert main(["compare", str(root), "--case", case, "--out", str(out)]) == 0
    rows = list(csv.DictReader(out.open(newline="", encoding="utf-8")))
    assert {row["case"] for row in rows} == {case, ""}
    infected = [r for r in rows if r["item"] == "infected" and r["case"] and r["number"] == "Cohen"]
    a, b = (
        reading.slice_labels.values[:, reading.slice_labels.columns.index("infected")]
        for reading in open_dataset(root).readings(case)
    )
    same = np.mean(a == b)
    chance = np.mean(a) * np.mean(b) + np.mean(~a) * np.mean(~b)
    assert float(infected[0]["value"]) == pytest.approx((same - chance) / (1 - chance))
    out = tmp_path / "numbers.json"
    assert main(["compare", str(root), "--case", case, "--out", str(out)]) == 0
    document = json.loads(out.read_text(encoding="utf-8"))
    assert len(document["numbers"]) == len(rows)
    assert "Cohen" in document["definitions"]
    capsys.readouterr()


def test_an_export_is_compared_reader_by_reader(root, tmp_path, capsys):
    dataset = open_dataset(root)
    reading = dataset.readings("COVID-19 subjects/P001")[0]
    labels = reading.slice_labels
    changed = labels.values.copy()
    changed[3] ^= True
    out = tmp_path / "export"
    corrected = replace(reading, slice_labels=labels.with_values(changed))
    dataset.write("COVID-19 subjects/P001", [corrected], out)
    assert main(["compare", str(root), str(out), "--case", "COVID-19 subjects/P001"]) == 0
    text = capsys.readouterr().out
    assert f"B is {out}" in text
    (line,) = [x for x in text.splitlines() if "P001: slice labels LLL, updated-1 / upd" in x]
    assert "percent agreement 0.917" in line
    assert "original / original (B): Cohen" in text
    assert "updated-1 / original" not in text


def test_readers_choose_and_order(tmp_path, capsys):
    root = make_ricord_1c(tmp_path / "set", size=(64, 56)).root
    chosen = ["Red Group", "Green Group"]
    assert main(["compare", str(root), "--readers", *chosen]) == 0
    text = capsys.readouterr().out
    assert "question exam, Red Group / Green Group: Cohen" in text
    assert "question exam · Typical Appearance, Red Group / Green Group: Cohen" in text
    cases = text.partition("All cases")[0]
    assert "percent agreement 0.000 (Red Group: " in cases
    assert "percent agreement 1.000" not in cases
    assert "Blue Group" not in text
    assert main(["compare", str(root), "--readers", "Red Group", "Nobody"]) == 2
    error = capsys.readouterr().err
    assert "Nobody: nobody of this name read these cases. Readers are: " in error
    assert "Green Group" in error


def test_bad_input_is_told_in_words(root, tmp_path, capsys):
    expected = {
        ("--case", "P999"): "there is no case P999. `napari-chest info` lists them.",
        ("--out", str(tmp_path / "numbers.txt")): "choose a name that ends in .csv or .json",
        ("--out", str(root / "numbers.csv")): "lies inside the dataset",
        (str(tmp_path / "nowhere"),): "there is no such folder",
        (str(tmp_path),): "there are no annotation files of COVID-CT-MD",
    }
    for arguments, words in expected.items():
        assert main(["compare", str(root), *arguments]) == 2
        captured = capsys.readouterr()
        assert words in captured.err
        assert captured.out == ""
    assert not (root / "numbers.csv").exists()


def test_a_case_that_cannot_be_compared_leaves_the_others(root, tmp_path, capsys):
    copy = tmp_path / "set"
    shutil.copytree(root, copy)
    for path in (copy / "Cap subjects" / "cap001").glob("*.dcm"):
        path.write_bytes(b"no image")
    assert main(["compare", str(copy)]) == 1
    captured = capsys.readouterr()
    assert "3 cases compared" in captured.out
    assert "Cap subjects/cap001: " in captured.err

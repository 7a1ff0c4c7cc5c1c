"""The command line: what it prints, what it writes, how it ends."""

import json

import pytest

from napari_chest.cli import PHANTOMS, main
from napari_chest.phantom import LAYOUTS, make_covid_ct_md


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    return make_covid_ct_md(tmp_path_factory.mktemp("cli") / "set", shape=(12, 32, 32)).root


def test_info_lists_cases_and_readings(root, capsys):
    assert main(["info", str(root)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"COVID-CT-MD: 6 cases in {root}"
    assert any("P001: COVID-19" in x and "readings: updated-1, original" in x for x in lines)
    assert any("P003" in x and x.endswith("readings: none") for x in lines)


def test_info_as_json(root, capsys):
    assert main(["info", str(root), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dataset"] == "covid-ct-md"
    cases = {case["title"]: case for case in document["cases"]}
    assert cases["cap001"]["readings"] == ["updated-1", "original"]
    assert cases["cap001"]["facts"]["Diagnosis"] == "CAP"
    assert cases["normal001"]["facts"]["Labels"] == "not labelled"


def test_check_finds_nothing_wrong_with_a_sound_dataset(root, capsys):
    assert main(["check", str(root)]) == 0
    assert capsys.readouterr().out.endswith("6 cases checked, 0 errors\n")


def test_check_names_what_is_wrong_and_exits_with_1(tmp_path, capsys):
    root = make_covid_ct_md(tmp_path / "set", shape=(12, 32, 32)).root
    for path in (root / "Cap subjects" / "cap001").glob("*.dcm"):
        path.write_bytes(b"no image")
    assert main(["check", str(root), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert document["errors"] >= 1
    assert any("cap001" in case for case in document["problems"])


def test_an_unknown_folder_is_explained_without_a_traceback(tmp_path, capsys):
    assert main(["info", str(tmp_path)]) == 2
    captured = capsys.readouterr()
    assert "is not a dataset that napari-chest knows" in captured.err
    assert "COVID-CT-MD: a label array" in captured.err
    assert captured.out == ""


def test_open_says_so_before_any_window(tmp_path, capsys):
    assert main(["open", str(tmp_path / "nowhere")]) == 2
    assert "nowhere is not a dataset" in capsys.readouterr().err


def test_make_demo_writes_into_an_empty_folder_only(tmp_path, capsys, monkeypatch):
    make = LAYOUTS["covid-ct-md"]
    small = {"shape": (12, 32, 32)}
    monkeypatch.setitem(LAYOUTS, "covid-ct-md", lambda out, **more: make(out, **small, **more))
    out = tmp_path / "demo"
    assert main(["make-demo", "covid-ct-md", str(out)]) == 0
    assert (out / "Index.csv").is_file()
    before = sorted(path.name for path in out.iterdir())
    assert main(["make-demo", "covid-ct-md", str(out)]) == 2
    assert "not an empty folder" in capsys.readouterr().err
    assert sorted(path.name for path in out.iterdir()) == before


def test_every_layout_of_the_phantom_can_be_asked_for():
    assert set(PHANTOMS) == set(LAYOUTS)


@pytest.mark.parametrize("layout", ["mosmed", "bimcv"])
def test_every_phantom_opens_as_its_dataset(tmp_path, capsys, layout):
    small = {"shape": (12, 32, 32)} if layout == "mosmed" else {"size": (64, 70)}
    root = LAYOUTS[layout](tmp_path / "set", **small).root
    assert main(["info", str(root), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["dataset"] == layout
    assert len(document["cases"]) > 5

"""Many cases one after the other, what is kept of them, and the command."""

import json

import contradicting as small
import mosmed_sample
import numpy as np
import pytest

from napari_chest.cli import main
from napari_chest.errors import ReadError, SaveError
from napari_chest.model import FactGroup
from napari_chest.review.contradictions import Checked, Found, Key, Queue, check_all
from napari_chest.review.contradictions.kept import NAME

LESION = small.mask(np.s_[3:6, 8:32, 8:26])
KEY = Key("stray values", "a", "A", "opacities")


def dataset(tmp_path, **more):
    """Case a contradicts itself without its image, b only with it, c cannot be read, d is sound."""
    state = {
        "a": (small.reading(LESION, category=("CT-0",)),),
        "b": (small.reading(LESION, category=("CT-4",)),),
        "c": ReadError("c", "it is no case."),
        "d": (small.reading(small.mask(), category=("CT-0",)),),
    }
    volumes = {name: small.volume() for name in "abd"}
    return small.Small(tmp_path, state, volumes=volumes, **more)


def run(data, before=None, **more):
    return {one.case: one for one in check_all(data, data.cases(), before or {}, **more)}


def found(results):
    return {case: [one.kind for one in r.checked.found] for case, r in results.items()}


def test_no_image_is_opened_unless_wanted(tmp_path):
    data = dataset(tmp_path)
    results = run(data)
    assert found(results) == {"a": ["category mask"], "b": [], "c": [], "d": []}
    assert data.opened == []
    assert [r.done for r in results.values()] == [1, 2, 3, 4]


def test_with_images_only_those_are_opened_in_which_lesions_are_drawn(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "napari_chest.review.contradictions.running.find_lungs", lambda *_: small.lungs()
    )
    data = dataset(tmp_path)
    assert found(run(data, images=True))["b"] == ["category share"]
    assert data.opened == ["a", "b"]


def test_a_case_that_cannot_be_read_is_told_and_the_others_go_on(tmp_path):
    results = run(dataset(tmp_path))
    assert results["c"].checked.failed == "c: it is no case."
    assert [case for case, r in results.items() if r.checked.failed] == ["c"]


def test_a_mistake_of_a_check_does_not_hide_the_other_cases(tmp_path):
    data = dataset(tmp_path)
    data.state["b"] = (object(),)
    results = run(data)
    assert "Something unexpected" in results["b"].checked.failed
    assert found(results)["a"] == ["category mask"]


def test_a_second_run_looks_at_what_changed(tmp_path):
    data = dataset(tmp_path)
    before = {case: r.checked for case, r in run(data).items()}
    assert [r.anew for r in run(data, before).values()] == [False, False, True, False]
    data.state["d"] = (small.reading(LESION, category=("CT-0",)),)
    data.told["b"] = (FactGroup("Report", (("", "Consolidation."),)),)
    again = run(data, before)
    assert [case for case, r in again.items() if r.anew] == ["b", "c", "d"]
    assert found(again)["d"] == ["category mask"]
    # With images b is looked at anew, d not: nothing was drawn in it.
    known = {case: r.checked for case, r in run(dataset(tmp_path)).items()}
    fresh = run(dataset(tmp_path), known, images=True)
    assert [case for case, r in fresh.items() if r.anew] == ["a", "b", "c"]


def test_a_run_can_be_stopped(tmp_path):
    asked = iter([False, True])
    data = dataset(tmp_path)
    assert len(run(data, stopped=lambda: next(asked, True))) <= 1


def test_readings_as_they_stand_are_looked_at(tmp_path):
    data = dataset(tmp_path)
    mended = run(data, readings_of=lambda case: (small.reading(LESION, category=("CT-1",)),))
    assert found(mended) == {"a": [], "b": [], "c": [], "d": []}


# What is kept


def one(case="a", text="What contradicts itself."):
    return Found("stray values", case, "A", "warning", text, "opacities", (3, 2, 1), 3, ("Clear",))


def test_what_was_found_and_dismissed_is_there_again(tmp_path):
    queue = Queue(tmp_path, "small")
    queue.remember("a", Checked("mark", True, (one(),)))
    queue.dismiss(KEY, "Anna", "a calcified node")
    queue.save()
    again = Queue(tmp_path, "small")
    assert again.cases["a"].found == (one(),)
    assert again.dismissed[one().key].why == "a calcified node"
    again.restore(KEY, "Anna")
    again.save()
    assert Queue(tmp_path, "small").dismissed == {}
    assert json.loads((tmp_path / NAME).read_bytes())["cases"]["a"]["found"][0]["voxel"] == [
        3,
        2,
        1,
    ]


def test_two_windows_keep_what_the_other_one_found(tmp_path):
    first, second = Queue(tmp_path, "small"), Queue(tmp_path, "small")
    first.remember("a", Checked("m", False, (one("a"),), at=1.0))
    first.dismiss(KEY, "Anna", "seen")
    first.save()
    second.remember("b", Checked("m", False, (one("b"),), at=2.0))
    second.remember("a", Checked("older", False, at=0.5))
    second.save()
    last = Queue(tmp_path, "small")
    assert set(last.cases) == {"a", "b"}
    assert last.cases["a"].mark == "m"
    assert set(last.dismissed) == {KEY}


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"version": "x"}', b"[" * 100_000])
def test_a_damaged_file_is_kept_aside_and_told(tmp_path, content):
    (tmp_path / NAME).write_bytes(content)
    queue = Queue(tmp_path, "small")
    assert "could not be read and is kept as" in queue.problem
    aside = [path for path in tmp_path.iterdir() if path.suffix == ".damaged"]
    assert [path.read_bytes() for path in aside] == [content]
    queue.remember("a", Checked("m", False))
    queue.save()
    assert set(Queue(tmp_path, "small").cases) == {"a"}


def test_a_later_programs_file_and_that_of_another_dataset_stay_as_they_are(tmp_path):
    for content in (
        b'{"version": 9, "dataset": "small", "cases": {}}',
        b'{"version": 1, "dataset": "other", "cases": {}}',
    ):
        (tmp_path / NAME).write_bytes(content)
        queue = Queue(tmp_path, "small")
        assert "later program or of another dataset" in queue.problem
        queue.remember("a", Checked("m", False))
        with pytest.raises(SaveError, match="not kept"):
            queue.save()
        assert (tmp_path / NAME).read_bytes() == content


def test_without_a_folder_nothing_is_written():
    queue = Queue(None, "small")
    queue.dismiss(KEY, "Anna", "seen")
    queue.save()
    assert set(queue.dismissed) == {KEY}


# The command


@pytest.fixture
def root(tmp_path):
    """MosMedData in which study_0256 lies among healthy lungs, and has a mask."""
    root = mosmed_sample.build(tmp_path / "set")
    study = "study_0256.nii.gz"
    (root / "studies" / "CT-0").mkdir()
    (root / "studies" / "CT-1" / study).rename(root / "studies" / "CT-0" / study)
    return root


def test_the_command_names_them_and_exits_with_1(root, capsys, tmp_path):
    assert main(["contradictions", str(root), "--case", "study_0257"]) == 0
    assert capsys.readouterr().out == "1 cases checked, 0 contradictions, 0 failed\n"
    out = tmp_path / "found.json"
    assert main(["contradictions", str(root), "--images", "--out", str(out)]) == 1
    assert "study_0256 (authors, slice 2): warning: The category is CT-0" in capsys.readouterr().out
    document = json.loads(out.read_bytes())
    assert [one["case"] for one in document["contradictions"]] == ["study_0256"]
    assert document["contradictions"][0]["fixes"] == ["Set category to CT-1"]


def test_the_command_writes_nothing_unasked(root, capsys):
    before = sorted(root.rglob("*"))
    assert main(["contradictions", str(root), "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [one["kind"] for one in document["contradictions"]] == ["category mask"]
    assert [path.name for path in root.parent.iterdir()] == ["set"]
    assert main(["contradictions", str(root), "--out", str(root / "found.json")]) == 2
    assert "lies inside the dataset" in capsys.readouterr().err
    assert sorted(root.rglob("*")) == before


def test_the_command_leaves_out_what_was_dismissed(root, capsys):
    queue = Queue(root.with_name("set-review"), "mosmed")
    queue.dismiss(Key("category mask", "study_0256", "authors", "opacities"), "Anna", "old scars")
    queue.save()
    assert main(["contradictions", str(root)]) == 0
    assert main(["contradictions", str(root), "--dismissed"]) == 1


def test_the_command_knows_no_other_cases(root, capsys):
    assert main(["contradictions", str(root), "--case", "study_9999"]) == 2
    assert "no case study_9999" in capsys.readouterr().err

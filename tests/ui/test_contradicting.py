"""Contradictions in the window: found as one works, gone to, fixed, dismissed."""

import json
import shutil

import mosmed_sample
import numpy as np
import pytest
from hands import go_to
from qtpy.QtCore import Qt
from qtpy.QtTest import QTest
from qtpy.QtWidgets import QApplication

from napari_chest.phantom import make_mosmed
from napari_chest.review.acts import OpenRound
from napari_chest.review.contradictions import Queue
from napari_chest.review.contradictions.kept import NAME


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """MosMedData with voxels of value 7 in one mask and healthy lungs over another."""
    root = mosmed_sample.build(tmp_path_factory.mktemp("contradicting") / "set")
    (root / "masks/study_0255_mask_split.nii.gz").unlink()
    stray = mosmed_sample.lesions(255)
    stray[8, 6, 2] = 7
    mosmed_sample.save(root / mosmed_sample.MASK.format("0255"), stray)
    study = "study_0256.nii.gz"
    (root / "studies" / "CT-0").mkdir()
    (root / "studies" / "CT-1" / study).rename(root / "studies" / "CT-0" / study)
    return root


@pytest.fixture
def work(bench, made, tmp_path):
    bench.open(shutil.copytree(made, tmp_path / "set"))
    wait(bench)
    return bench


def part(work):
    return work.dock.work.contradictions


def wait(work):
    """Until the case was looked at and the list shows it."""
    busy = work.controller.contradicting
    work.wait(lambda: not work.controller.opening.reader.busy and not busy.busy)


def told(work):
    return [(row.case, row.is_here, row.fixes) for row in part(work).rows]


def check_all(work, *, images=False):
    part(work).images.setChecked(images)
    part(work).check_button.click()
    wait(work)


def review_file(work):
    folder = work.controller.preferences.journal_folder(work.session.dataset.root)
    return folder / NAME


def test_the_open_case_is_looked_at_and_a_fix_is_one_step_that_can_be_undone(work):
    assert work.session.open_case.info.id == "study_0255"
    ((_, is_here, fixes),) = told(work)
    assert is_here
    assert fixes == ("Clear 1 voxel of value 7", "Make value 7 GGO or consolidation")
    assert part(work).toggle.text() == "Contradictions: 1 here, 1 in all"
    part(work).toggle.setChecked(True)
    part(work).list.setCurrentRow(0)
    before = work.session.draft.mask_labels("opacities").copy()
    assert [button.accessibleName() for button in part(work).fixes] == list(fixes)
    part(work).fixes[0].click()
    assert set(np.unique(work.session.draft.mask_labels("opacities"))) == {0, 1}
    wait(work)
    assert told(work) == []
    work.controller.act("undo")
    np.testing.assert_array_equal(work.session.draft.mask_labels("opacities"), before)
    wait(work)
    assert len(told(work)) == 1
    work.controller.act("redo")
    wait(work)
    assert told(work) == []


def test_what_is_protected_stays_and_is_told(work):
    part(work).toggle.setChecked(True)
    part(work).list.setCurrentRow(0)
    work.session.lock(frozenset({("opacities", 7)}))
    part(work).fixes[0].click()
    assert 7 in work.session.draft.mask_labels("opacities")
    assert "nothing changed, because it is protected" in work.dock.message.text()


def test_all_cases_are_looked_at_and_a_row_opens_its_case_at_its_voxel(work):
    check_all(work)
    assert [case for case, _, _ in told(work)] == ["study_0255", "study_0256"]
    assert part(work).toggle.text() == "Contradictions: 1 here, 2 in all"
    go_to(work, 0)
    part(work).toggle.setChecked(True)
    part(work).list.setFocus()
    part(work).list.setCurrentRow(1)
    assert part(work).fixes == []  # its case is not open
    QTest.keyClick(part(work).list, Qt.Key.Key_Return)
    work.wait(lambda: work.session.open_case.info.id == "study_0256")
    wait(work)
    z = work.controller.canvas.slice
    assert work.session.draft.mask_labels("opacities")[z].any()
    assert part(work).chosen.case == "study_0256"
    part(work).fixes[0].click()
    assert work.session.draft.answers["category"] == ("CT-1",)
    wait(work)
    assert [case for case, _, _ in told(work)] == ["study_0255"]


def test_the_keys_unfold_the_list_and_go_from_one_to_the_next(work):
    check_all(work)
    work.key(Qt.Key.Key_F9, Qt.KeyboardModifier.ShiftModifier)
    assert part(work).body.isVisible()
    assert part(work).list.hasFocus()
    work.key(Qt.Key.Key_F9, Qt.KeyboardModifier.AltModifier)
    assert part(work).chosen.case == "study_0255"
    wait(work)
    work.key(Qt.Key.Key_F9, Qt.KeyboardModifier.AltModifier)
    work.wait(lambda: work.session.open_case.info.id == "study_0256")
    wait(work)
    work.key(Qt.Key.Key_F9, Qt.KeyboardModifier.AltModifier)
    assert work.dock.message.text() == "No contradiction further on."
    work.key(Qt.Key.Key_F9, Qt.KeyboardModifier.ShiftModifier)
    assert not part(work).body.isVisible()


def test_one_is_dismissed_with_a_reason_that_is_kept_and_can_be_taken_back(work):
    part(work).toggle.setChecked(True)
    part(work).list.setCurrentRow(0)
    part(work).dismiss_button.click()
    assert part(work).why.hasFocus()
    assert not part(work).keep_button.isEnabled()
    QTest.keyClicks(part(work).why, "a clip")
    QTest.keyClick(part(work).why, Qt.Key.Key_Return)
    assert told(work) == []
    kept = json.loads(review_file(work).read_bytes())["dismissed"]
    assert [(one["case"], one["why"]) for one in kept] == [("study_0255", "a clip")]
    comments = work.session.desk.book.comments("study_0255")
    assert "Why: a clip" in comments[0].text
    check_all(work)
    assert [case for case, _, _ in told(work)] == ["study_0256"]
    part(work).show_dismissed.click()
    assert [bool(row.dismissed) for row in part(work).rows] == [True, False]
    part(work).list.setCurrentRow(0)
    assert "Dismissed: a clip" in part(work).text.text()
    assert part(work).fixes == []
    part(work).dismiss_button.click()
    part(work).show_dismissed.click()
    assert [case for case, _, _ in told(work)] == ["study_0255", "study_0256"]


def test_what_was_found_is_there_when_the_dataset_is_opened_again(work):
    check_all(work)
    root = work.session.dataset.root
    work.open(root, "study_0257")
    wait(work)
    assert [case for case, _, _ in told(work)] == ["study_0255", "study_0256"]
    assert part(work).empty.isHidden()


def test_the_work_list_knows_the_cases(work):
    heard = []
    work.controller.contradicting.marked.connect(heard.append)
    check_all(work)
    assert heard[-1] == {"study_0255", "study_0256"}


def test_corrections_that_are_not_saved_count(work):
    part(work).toggle.setChecked(True)
    part(work).list.setCurrentRow(0)
    part(work).fixes[0].click()
    work.open_case("study_0257")
    check_all(work)
    assert [case for case, _, _ in told(work)] == ["study_0256"]


def test_an_empty_list_says_what_to_do(bench, made, tmp_path):
    assert "as far as it was looked at" in bench.dock.work.contradictions.empty.text()
    bench.open(shutil.copytree(made, tmp_path / "set"), "study_0257")
    wait(bench)
    assert part(bench).rows == ()
    assert "“Check all” looks at the other cases" in part(bench).empty.text()
    part(bench).toggle.setChecked(True)
    wait(bench)
    bench.controller.act("contradiction_next")
    assert "“Check all”" in bench.dock.message.text()
    check_all(bench)
    assert "Check all" not in part(bench).empty.text()


def test_one_bad_case_does_not_stop_the_others(work):
    (work.session.dataset.root / "masks" / "study_0256_mask.nii.gz").write_bytes(b"no mask")
    (work.session.dataset.root / "studies" / "CT-1" / "study_0257.nii.gz").write_bytes(b"no image")
    check_all(work, images=True)
    assert [case for case, _, _ in told(work)] == ["study_0255"]
    assert not part(work)._running.isVisible()


def test_a_damaged_file_is_told_and_kept(bench, made, tmp_path):
    root = shutil.copytree(made, tmp_path / "set")
    folder = tmp_path / "set-review"
    folder.mkdir()
    (folder / NAME).write_bytes(b"{")
    bench.open(root)
    assert "could not be read and is kept as" in bench.dock.message.text()
    assert [path.read_bytes() for path in folder.glob("*.damaged")] == [b"{"]


def test_in_a_blind_round_nothing_of_others_is_listed(work):
    check_all(work)
    desk = work.session.desk
    desk.do(OpenRound(who=desk.person, number=1, title="Blind", blind=True))
    work.session.choose_round(1)
    work.controller.opening.open_case("study_0255")
    work.wait(lambda: work.session.open_case.blind != "")
    wait(work)
    assert told(work) == []
    before = review_file(work).read_bytes()
    check_all(work)
    assert told(work) == []
    assert set(json.loads(review_file(work).read_bytes())["cases"]) == set(
        json.loads(before)["cases"]
    )


@pytest.fixture(scope="module")
def chests(tmp_path_factory):
    return make_mosmed(tmp_path_factory.mktemp("chests") / "set", shape=(40, 64, 64)).root


def test_the_lungs_are_looked_for_once_the_list_is_open(bench, chests, tmp_path):
    bench.open(shutil.copytree(chests, tmp_path / "set"), "study_0257")
    wait(bench)
    assert told(bench) == []
    bench.controller.act("contradictions")
    QApplication.processEvents()
    wait(bench)
    ((case, _, fixes),) = told(bench)
    assert (case, fixes) == ("study_0257", ("Set category to CT-2",))
    part(bench).list.setCurrentRow(0)
    part(bench).fixes[0].click()
    assert bench.session.draft.answers["category"] == ("CT-2",)
    wait(bench)
    assert told(bench) == []


def test_everything_is_reached_by_tab_and_has_a_name(work):
    check_all(work)
    part(work).toggle.setChecked(True)
    part(work).list.setCurrentRow(0)
    QApplication.processEvents()
    widgets = [
        part(work).toggle,
        part(work).list,
        *part(work).fixes,
        part(work).next_button,
        part(work).dismiss_button,
        part(work).check_button,
        part(work).images,
        part(work).show_dismissed,
    ]
    for widget in widgets:
        assert widget.focusPolicy() & Qt.FocusPolicy.TabFocus
        assert widget.accessibleName() or widget.text()
    assert part(work).minimumSizeHint().width() <= 260


def test_closing_keeps_what_was_found(work):
    wait(work)
    work.controller.close()
    kept = Queue(review_file(work).parent, "mosmed")
    assert [one.kind for one in kept.cases["study_0255"].found] == ["stray values"]

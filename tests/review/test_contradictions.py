"""Every check on a planted contradiction, and beside it on a case that must not be told."""

from pathlib import Path

import contradicting as small
import numpy as np
import pytest

from napari_chest import findings
from napari_chest.datasets import MosMed, open_dataset
from napari_chest.model import Annotation, FactGroup, Mask, Reading, Segment, Volume
from napari_chest.phantom import make_bimcv, make_mosmed, make_ricord, make_ricord_1c
from napari_chest.review.contradictions import SetAnswer, SetCells, SetVoxels, check_all, find
from napari_chest.review.contradictions.category import contradicts, shares
from napari_chest.review.contradictions.sides import sides_in, sides_of_opacities

RIGHT_LUNG = np.s_[3:6, 10:20, 10:20]
LEFT_LUNG = np.s_[3:6, 10:20, 36:46]
EXAM = small.EXAM.choices
LOBES = ("LLL", "LUL", "RLL", "RML", "RUL", "infected")


def look(*readings, volume=None, lungs=None, told=(), marks=(), alone=False, **more):
    dataset = small.Small(Path("nowhere"), {"c": readings}, {"c": told}, {"c": marks}, **more)
    case = small.info("c", "DX" if volume is not None and volume.modality == "DX" else "CT")
    return find(dataset, case, readings, volume, lungs, alone=alone)


def kinds(found):
    return [one.kind for one in found]


def report(text, title="Report"):
    return (FactGroup(title, (("", text),)),)


# The category


def test_a_healthy_category_over_a_lesion_and_a_sick_one_over_an_empty_mask():
    lesion = small.mask(RIGHT_LUNG)
    (one,) = look(small.reading(lesion, category=("CT-0",)))
    assert one.kind == "category mask"
    assert lesion.labels[one.voxel] == 1
    assert one.fixes == (SetAnswer("Set category to CT-1", "category", ("CT-1",)),)
    (other,) = look(small.reading(small.mask(), category=("CT-2",)))
    assert "CT-2, and the mask is empty" in other.text
    assert other.fixes[0].answers == ("CT-0",)
    assert look(small.reading(lesion, category=("CT-2",))) == []
    assert look(small.reading(small.mask(), category=("CT-0",))) == []
    assert look(small.reading(category=("CT-3",))) == []  # no mask: nobody drew any


def test_a_category_is_told_only_where_both_shares_contradict_it():
    lungs = small.lungs()
    lesion = small.mask(np.s_[3:5, 8:32, 8:26])  # two of ten slices of the right lung
    found = shares(lesion.labels == 1, lungs)
    assert found == pytest.approx((0.1, 0.2))
    for category, is_told in (("CT-1", False), ("CT-2", True), ("CT-4", True)):
        told = look(small.reading(lesion, category=(category,)), volume=small.volume(), lungs=lungs)
        assert kinds(told) == (["category share"] if is_told else [])
    (one,) = look(small.reading(lesion, category=("CT-2",)), volume=small.volume(), lungs=lungs)
    assert "10 % of the lungs (CT-1) and 20 % of the worse one (CT-1)" in one.text
    assert one.fixes == (SetAnswer("Set category to CT-1", "category", ("CT-1",)),)
    # 20 % of both is CT-1 and 40 % of the worse one CT-2: either may be meant.
    half = small.mask(np.s_[3:7, 8:32, 8:26])
    for category, count in (("CT-1", 0), ("CT-2", 0), ("CT-3", 1)):
        told = look(small.reading(half, category=(category,)), volume=small.volume(), lungs=lungs)
        assert len(told) == count
    texts = [fix.text for fix in told[0].fixes]
    assert texts == ["Set category to CT-1", "Set category to CT-2"]


def test_dense_disease_that_the_lungs_lack_counts_as_lung():
    lungs = small.lungs()
    lungs[5:11, :, :30] = 0  # the right lung's lower part is white and was not found
    lesion = small.mask(np.s_[5:11, 8:32, 8:26])
    assert shares(lesion.labels == 1, lungs) == pytest.approx((0.3, 0.6))


def test_shares_of_a_lung_that_was_not_found_are_not_told():
    lungs = small.lungs()
    lungs[lungs == 2] = 0
    assert shares(small.mask(RIGHT_LUNG).labels == 1, lungs) is None


@pytest.mark.parametrize(
    ("category", "share", "is_wrong"),
    [(1, 0.27, False), (1, 0.29, True), (2, 0.23, False), (2, 0.21, True), (0, 0.0, False),
     (0, 0.01, True), (4, 1.0, False), (4, 0.7, True), (3, 0.0, True)],
)  # fmt: skip
def test_slack_at_the_cuts(category, share, is_wrong):
    assert contradicts(category, share) is is_wrong


# Labels of exams


def test_a_class_of_pneumonia_without_an_opacity():
    empty = small.mask(name="Infectious opacity")
    (one,) = look(small.reading(empty, exam=("Typical",)))
    assert one.kind == "exam opacity"
    assert one.fixes == (SetAnswer("Set to Negative for pneumonia", "exam", (EXAM[3],)),)
    assert look(small.reading(small.mask(RIGHT_LUNG), exam=("Typical",))) == []
    assert look(small.reading(empty, exam=("Negative for pneumonia",))) == []
    assert look(small.reading(empty, exam=())) == []


def test_what_another_person_of_the_group_drew_counts_and_is_not_asked_for_when_blind():
    mine = small.reading(reader="G · one", exam=("Typical",))
    theirs = small.reading(small.mask(RIGHT_LUNG), reader="G · two", exam=())
    assert look(mine, theirs) == []
    assert kinds(look(mine, theirs, alone=True)) == ["exam opacity"]


def test_what_is_drawn_on_another_series_of_the_study_counts(tmp_path):
    def studies(other):
        rows = {"p · 1": "1.2", "p · 2": other}
        return {name: (FactGroup("Image", (("Study", uid),)),) for name, uid in rows.items()}

    answered = small.reading(exam=("Typical",))
    drawn = small.reading(small.mask(RIGHT_LUNG))
    for other, count in (("1.2", 0), ("1.3", 1)):
        dataset = small.Small(tmp_path, {"p · 1": (answered,), "p · 2": (drawn,)}, studies(other))
        cases = [small.info("p · 1"), small.info("p · 2", Annotations="3")]
        dataset.cases = lambda cases=cases: cases
        assert len(find(dataset, cases[0], (answered,))) == count


def test_a_negative_exam_with_an_opacity_and_one_with_what_is_no_infection():
    told = ("Negative for pneumonia",)
    (one,) = look(small.reading(small.mask(LEFT_LUNG, name="Infectious opacity"), exam=told))
    assert one.fixes == (SetAnswer("Remove Negative for pneumonia", "exam", ()),)
    assert one.voxel[0] in (3, 4, 5)
    nodule = Segment(1, "Noninfectious nodule/mass", "#A84800", "NO")
    other = Segment(1, "Other noninfectious opacity", "#4878FF", "OT")
    for segment in (nodule, other):
        drawn = small.mask(LEFT_LUNG, name=segment.name, segments=(segment,))
        assert look(small.reading(drawn, exam=told)) == []


def test_classes_and_grades_that_exclude_each_other():
    lesion = small.mask(RIGHT_LUNG)
    (two,) = look(small.reading(lesion, exam=("Typical", "Atypical")))
    assert two.kind == "exam labels"
    assert [fix.answers for fix in two.fixes] == [("Typical",), ("Atypical",)]
    (graded,) = look(small.reading(exam=("Negative for pneumonia", "Mild (1-2 zones)")))
    assert "Negative for pneumonia and Mild (1-2 zones)" in graded.text
    assert look(small.reading(lesion, exam=("Typical", "Mild (1-2 zones)"))) == []


# The slice table


def test_an_any_column_that_is_not_any():
    rows = {2: ("RLL", "infected"), 4: ("infected",), 5: ("infected",), 8: ("LLL",)}
    labels = small.table(rows, LOBES, "infected")
    (one,) = look(small.reading(labels=labels))
    assert one.kind == "slice rule"
    assert one.slice == 4
    assert "Slices 5-6: infected without any other." in one.text
    assert "Slice 9: another without infected." in one.text
    cells = ((4, "infected", False), (5, "infected", False), (8, "infected", True))
    assert one.fixes[0].cells == cells
    sound = small.table({2: ("RLL", "infected")}, LOBES, "infected")
    assert look(small.reading(labels=sound)) == []
    assert look(small.reading(labels=small.table({2: ("RLL",)}, LOBES))) == []  # no such rule


def test_labelled_slices_without_a_lesion_and_lesions_on_clean_slices():
    labels = small.table({4: ("infected",), 5: ("infected",), 9: ("infected",)})
    lesion = small.mask(RIGHT_LUNG)  # slices 3 to 5
    empty, clean = look(small.reading(lesion, labels=labels))
    assert (empty.kind, empty.slice) == ("slice without lesion", 9)
    assert empty.fixes == (SetCells("Clear slice 10", ((9, "infected", False),)),)
    assert (clean.kind, clean.slice) == ("lesion on clean slice", 3)
    assert clean.fixes[0] == SetCells("Mark slice 4 infected", ((3, "infected", True),))
    erase = clean.fixes[1]
    assert np.argwhere(lesion.labels[erase.box])[:, 0].tolist() == [0] * erase.where.sum()
    agreeing = small.table(dict.fromkeys((3, 4, 5), ("infected",)))
    assert look(small.reading(lesion, labels=agreeing)) == []
    assert look(small.reading(small.mask(), labels=labels)) == []  # nothing is drawn at all


def test_of_several_lobes_nobody_can_say_which_is_meant():
    labels = small.table({4: ("RLL", "infected")}, LOBES, "infected")
    (clean,) = look(small.reading(small.mask(RIGHT_LUNG), labels=labels))
    assert [type(fix) for fix in clean.fixes] == [SetVoxels]


def test_a_table_and_masks_in_two_readings_of_a_dataset():
    labels = small.reading(labels=small.table({9: ("infected",)}), reader="labels")
    masks = small.reading(small.mask(RIGHT_LUNG), reader="masks")
    assert kinds(look(labels, masks)) == ["slice without lesion", "lesion on clean slice"]
    assert look(labels, masks, alone=True) == []


# Values


def test_stray_values_and_what_can_be_made_of_them():
    lesion = small.mask(RIGHT_LUNG)
    labels = lesion.labels.copy()
    labels[8, 30, 40:43] = 7
    (one,) = look(small.reading(Mask("opacities", labels, (small.OPACITY,))))
    assert one.kind == "stray values"
    assert one.voxel == (8, 30, 41)
    assert [fix.text for fix in one.fixes] == [
        "Clear 3 voxels of value 7",
        "Make value 7 GGO or consolidation",
    ]
    assert [fix.value for fix in one.fixes] == [0, 1]
    for fix in one.fixes:
        changed = labels.copy()
        changed[fix.box][fix.where] = fix.value
        assert set(np.unique(changed)) == {0, 1}
    assert look(small.reading(lesion)) == []


def test_a_value_that_is_only_called_by_its_number_is_stray_unless_all_are():
    numbered = Segment(2, "value 2", "#4878FF")
    stray = small.mask(LEFT_LUNG, segments=(small.OPACITY, numbered), value=2)
    assert kinds(look(small.reading(stray))) == ["stray values"]
    unnamed = small.mask(LEFT_LUNG, segments=(numbered,), value=2)
    assert look(small.reading(unnamed)) == []


# The lungs


def outside(*boxes, lungs=None):
    return look(
        small.reading(small.mask(*boxes)),
        volume=small.volume(),
        lungs=small.lungs() if lungs is None else lungs,
    )


def test_an_island_outside_the_lungs_is_noted_and_can_be_cleared():
    table = np.s_[5:7, 37:40, 26:34]  # behind the back, far from both lungs
    lesion = small.mask(RIGHT_LUNG, table)
    (one,) = outside(RIGHT_LUNG, table)
    assert (one.kind, one.level) == ("outside lungs", "note")
    fix = one.fixes[0]
    changed = lesion.labels.copy()
    changed[fix.box][fix.where] = fix.value
    np.testing.assert_array_equal(changed, small.mask(RIGHT_LUNG).labels)
    assert lesion.labels[one.voxel] == 1
    assert one.voxel[1] >= 37


def test_what_touches_a_lung_or_lies_close_to_it_is_no_island():
    assert outside(RIGHT_LUNG) == []
    assert outside(np.s_[5:7, 28:34, 12:20]) == []  # dense, reaching 8 mm beyond the lung
    assert outside(np.s_[11:12, 12:20, 12:20]) == []  # one slice of 5 mm below
    assert outside(np.s_[5:6, 38:39, 27:32]) == []  # a speck of 0.4 ml


def test_a_large_part_beyond_the_lungs_is_noted_without_a_fix():
    (one,) = outside(np.s_[4:9, 26:40, 10:24])
    assert one.fixes == ()
    assert "the lungs lack dense disease" in one.text


def test_with_one_lung_only_nothing_is_said_of_what_lies_outside():
    lungs = small.lungs()
    lungs[lungs == 2] = 0
    assert outside(LEFT_LUNG, lungs=lungs) == []


def test_effusions_do_not_belong_into_the_lungs():
    fluid = findings.PLEURAL_EFFUSION.segment(1)
    drawn = small.mask(np.s_[5:7, 37:40, 26:34], segments=(fluid,))
    assert look(small.reading(drawn), volume=small.volume(), lungs=small.lungs()) == []


# Sides


@pytest.mark.parametrize("mirrored", [False, True])
def test_the_side_is_that_of_the_patient_and_not_of_the_array(mirrored):
    image, lungs = small.volume(mirrored=mirrored), small.lungs(mirrored=mirrored)
    drawn = small.reading(small.mask(RIGHT_LUNG))  # low x: the patient's left where mirrored
    said, other = ("left", "right") if not mirrored else ("right", "left")
    for known in (lungs, None):  # without lungs the body's middle does
        (one,) = look(drawn, volume=image, lungs=known, told=report(f"Consolidation, {said} lung."))
        assert one.kind == "text side"
        assert f"names the {said} side only" in one.text
        assert f"the patient's {other}" in one.text
        assert look(drawn, volume=image, told=report(f"Consolidation, {other} lung.")) == []


@pytest.mark.parametrize(
    "text",
    [
        "Consolidation in both lungs, more on the left.",
        "Consolidation on the left. Ground glass on the right.",
        "Left pleural effusion. Catheter from the left.",
        "No consolidation on the left.",
        "Consolidation.",
        "",
    ],
)
def test_reports_that_do_not_name_one_side_of_an_opacity(text):
    drawn = small.reading(small.mask(RIGHT_LUNG))
    assert look(drawn, volume=small.volume(), told=report(text)) == []


def test_a_list_of_localizations_alone_is_a_note():
    drawn = small.reading(small.mask(RIGHT_LUNG))
    told = report("loc left", "Localizations")
    (one,) = look(drawn, volume=small.volume(), told=told)
    assert one.level == "note"
    both = FactGroup("Localizations", (("", "loc left"), ("", "loc right")))
    assert look(drawn, volume=small.volume(), told=(both,)) == []
    assert look(drawn, volume=small.volume(), told=told, alone=True) == []


def test_lesions_on_both_sides_or_in_the_middle_belong_to_either():
    told = report("Consolidation on the left.")
    for boxes in ((RIGHT_LUNG, LEFT_LUNG), (np.s_[3:6, 10:20, 27:30],)):
        drawn = small.reading(small.mask(*boxes))
        assert look(drawn, volume=small.volume(), lungs=small.lungs(), told=told) == []


def test_an_image_that_does_not_say_where_it_lies_tells_no_side():
    drawn = small.reading(small.mask(RIGHT_LUNG))
    image = small.volume(placed=False)
    assert look(drawn, volume=image, told=report("Consolidation on the left.")) == []


def test_lobes_of_one_side_over_lesions_of_the_other():
    labels = small.table(dict.fromkeys((3, 4, 5), ("LLL", "infected")), LOBES, "infected")
    drawn = small.reading(small.mask(RIGHT_LUNG), labels=labels)
    assert kinds(look(drawn, volume=small.volume(), lungs=small.lungs())) == ["lobe side"]
    there = small.reading(small.mask(LEFT_LUNG), labels=labels)
    assert look(there, volume=small.volume(), lungs=small.lungs()) == []


def test_a_note_of_one_annotation_on_the_other_side():
    def mark(text, reader="A"):
        return Annotation(4, reader, "Infectious opacity", text, (10, 19, 10, 19), "#C090C0")

    drawn = small.reading(small.mask(RIGHT_LUNG))
    (one,) = look(drawn, volume=small.volume(), marks=(mark("freeform · A_1 · left base"),))
    assert one.kind == "note side"
    assert one.voxel == (4, 14, 14)
    for marks in ((mark("freeform · A_1 · right base"),), (mark("left", "B"),)):
        assert look(drawn, volume=small.volume(), marks=marks) == []
    moved = small.reading(small.mask(LEFT_LUNG))  # it was erased since
    assert look(moved, volume=small.volume(), marks=(mark("left"),)) == []


def test_a_radiograph_is_parted_in_its_middle():
    image = Volume(np.zeros((1, 40, 60), np.uint16), small.grid((1, 40, 60)), "DX")
    drawn = small.reading(small.mask(np.s_[0:1, 5:9, 8:20], shape=(1, 40, 60)))
    told = report("Áreas de consolidación en el hemitórax izquierdo.")
    assert kinds(look(drawn, volume=image, told=told)) == ["text side"]
    from_the_side = small.grid((1, 40, 60)).affine.copy()
    from_the_side[:3, 2], from_the_side[:3, 1] = (0, 2, 0), (0, 0, -2)
    turned = Volume(image.voxels, type(image.grid)((1, 40, 60), from_the_side, ("0",)), "DX")
    assert look(drawn, volume=turned, told=told) == []


@pytest.mark.parametrize(
    ("text", "sides"),
    [
        ("loc left lower lobe", {"left"}),
        ("C0444532", {"right"}),
        ("LLL, RUL", {"left", "right"}),
        ("loc bilateral", {"left", "right"}),
        ("brightness", set()),
        ("hemitórax derecho", {"right"}),
    ],
)
def test_words_for_sides(text, sides):
    assert sides_in(text) == sides


def test_only_sentences_about_opacities_count():
    text = "Catéter por vía derecha. Infiltrado en base izquierda; sin consolidación derecha."
    assert sides_of_opacities(text) == {"left"}


# Whole datasets


def all_of(root, *, images):
    dataset = open_dataset(root)
    dataset.prepare()
    return {
        (result.case, one.kind, one.reader): one
        for result in check_all(dataset, dataset.cases(), {}, images=images)
        for one in result.checked.found
    }


def test_the_planted_contradiction_of_mosmed_and_no_other(tmp_path):
    phantom = make_mosmed(tmp_path / "set", shape=(40, 64, 64))
    planted = next(one for one in phantom.mistakes if one.kind == "category")
    (((case, kind, _), found),) = all_of(phantom.root, images=True).items()
    assert (case, kind) == (f"study_{planted.number:04}", "category share")
    assert found.fixes == (f"Set category to {planted.true}",)


def test_the_planted_contradictions_of_ricord_and_no_others(tmp_path):
    phantom = make_ricord(tmp_path / "set", shape=(24, 96, 96))
    wrong = {one.creator for one in phantom.mistakes if one.kind == "wrong exam label"}
    found = all_of(phantom.root, images=True)
    opacity = [key for key in found if key[1] == "exam opacity"]
    assert {reader.rpartition(" ")[2] for _, _, reader in opacity} == wrong
    told = {tuple(sorted(o.answers)) for s in phantom.studies for o in s.readings}
    several = {key for key in found if key[1] == "exam labels"}
    assert set(found) == several | set(opacity)
    assert any({"Indeterminate", "Atypical"} <= set(answers) for answers in told) == bool(several)


def test_radiographs_with_two_classes_of_one_reader(tmp_path):
    phantom = make_ricord_1c(tmp_path / "set", size=(64, 56))
    classes = {"Typical Appearance", "Indeterminate Appearance", "Atypical Appearance"}
    planted = {
        (shot.sop, one.group)
        for exam in phantom.exams
        for one in exam.readings
        for shot in exam.shots[:1]
        if len(classes & set(one.answers)) > 1
    }
    found = all_of(phantom.root, images=False)
    assert {(case, reader) for case, _, reader in found} == planted
    assert {kind for _, kind, _ in found} == {"exam labels"}


def test_the_outlines_over_the_wrong_lung_of_bimcv_and_no_others(tmp_path):
    phantom = make_bimcv(tmp_path / "set", (96, 105))
    found = all_of(phantom.root, images=True)
    assert [(Path(case).name, kind) for case, kind, _ in found] == [
        ("sub-S00002_ses-E00003_run-1_bp-chest_vp-ap_dx.png", "text side")
    ]


REAL = Path(__file__).parents[3] / "shared" / "data" / "mosmed"


@pytest.mark.skipif(not REAL.is_dir(), reason="the real files are not here")
def test_real_masks_of_mosmed_contradict_nothing_but_a_wrong_category():
    dataset = MosMed(REAL)
    for case in dataset.cases():
        (real,) = dataset.readings(case.id)
        assert find(dataset, case, (real,)) == []
        wrong = Reading(real.reader, real.masks, answers={"category": ("CT-0",)})
        assert kinds(find(dataset, case, (wrong,))) == ["category mask"]

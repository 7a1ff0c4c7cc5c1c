"""MIDRC-RICORD: what a correction changes in an export, and what other programs then draw."""

import json
import re
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest
import ricord_sample as sample
from skimage.draw import polygon

from napari_chest import changes, open_dataset
from napari_chest.changes import Correction, compare
from napari_chest.datasets import Ricord
from napari_chest.datasets.ricord import writing
from napari_chest.errors import ReadError, SaveError
from napari_chest.export.save import export_readings, write_back
from napari_chest.phantom import make_ricord

OPACITY, CAVITY, BOX = "Infectious opacity", "Infectious cavity", "Suspicious box"
KEY = "exam:G_purpl"


@pytest.fixture(autouse=True)
def no_cache(monkeypatch):
    monkeypatch.setenv("NAPARI_CHEST_CACHE", "")


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = sample.build(tmp_path_factory.mktemp("built"))
    (folder / sample.ZIPPED).unlink()
    return folder


@pytest.fixture
def root(built, tmp_path):
    return shutil.copytree(built, tmp_path / "ricord")


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


def reading_of(dataset, reader=sample.PURPLE, case=sample.AXIAL_12, at=None):
    return next(one for one in dataset.readings(case, at=at) if one.reader == reader)


def painted(reading, name, change):
    """The reading after a mask's labels were changed in place."""
    masks = []
    for mask in reading.masks:
        labels = mask.labels.copy()
        if mask.name == name:
            change(labels)
        masks.append(replace(mask, labels=labels))
    return replace(reading, masks=tuple(masks))


def answered(reading, *names):
    return replace(reading, answers={next(iter(reading.answers)): names})


def values_of(folder, name=sample.DOCUMENT):
    (dataset,) = json.loads((folder / name).read_bytes())["datasets"]
    return {one["id"]: one for one in dataset["annotations"]}


def texts_of(folder, name=sample.DOCUMENT):
    """The bytes of every annotation by its id, cut out of one line of JSON."""
    content = (folder / name).read_bytes()
    parts = re.findall(rb'\{"id":"A_.*?\}(?=,\{"id":"A_|\]\}\]\})', content)
    return {re.match(rb'\{"id":"(\w+)"', part)[1].decode(): part for part in parts}


def differing(root, out):
    was, now = texts_of(root), texts_of(out)
    assert len(was) == 13
    touched = {key for key in was.keys() & now.keys() if was[key] != now[key]}
    return touched, now.keys() - was.keys(), was.keys() - now.keys()


def write(dataset, reading, out, case=sample.AXIAL_12):
    dataset.write(case, [reading], out)
    assert not changes.compare(reading, reading_of(dataset, reading.reader, case, at=out))


# Rings


def test_ring_that_is_touched_keeps_all_but_what_it_draws(root, out):
    dataset = Ricord(root)

    def paint(labels):
        labels[1, 4, 2] = 1

    write(dataset, painted(reading_of(dataset), OPACITY, paint), out)
    assert differing(root, out) == ({"A_P1free"}, set(), set())
    was, now = values_of(root)["A_P1free"], values_of(out)["A_P1free"]
    assert {key for key in was if was[key] != now[key]} == {"data", "updatedAt"}
    assert list(was) == list(now)
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", now["updatedAt"])
    assert now["updatedAt"] > was["updatedAt"]
    assert b'"data":{"vertices":[[' in texts_of(out)["A_P1free"]


def test_erased_ring_goes_and_its_neighbour_stays(root, out):
    dataset = Ricord(root)

    def erase(labels):
        labels[1, :, 11:] = 0

    write(dataset, painted(reading_of(dataset), OPACITY, erase), out)
    assert differing(root, out) == (set(), set(), {"A_P3free"})


def test_new_island_is_a_new_annotation_of_the_reader(root, out):
    dataset = Ricord(root)

    def paint(labels):
        labels[1, 10, 1:3] = 1

    write(dataset, painted(reading_of(dataset), OPACITY, paint), out)
    touched, added, gone = differing(root, out)
    assert (touched, gone) == (set(), set())
    (key,) = added
    one, sibling = values_of(out)[key], values_of(root)["A_P1free"]
    assert list(one) == list(sibling)
    same = ("createdById", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "labelId")
    assert [one[name] for name in same] == [sibling[name] for name in same]
    assert (one["height"], one["width"], one["note"], one["isImported"]) == (12, 16, None, True)
    assert one["annotationNumber"] == 15


def test_ring_cut_in_two_is_one_old_and_one_new(root, out):
    dataset = Ricord(root)

    def cut(labels):
        labels[2, :, 4] = 0

    write(dataset, painted(reading_of(dataset), OPACITY, cut), out)
    touched, added, gone = differing(root, out)
    assert (touched, len(added), gone) == ({"A_P4free"}, 1, set())
    (new,) = added
    larger, smaller = (sample.pixels(values_of(out)[key]["data"]) for key in ("A_P4free", new))
    assert larger.sum() == 8
    assert smaller.sum() == 4


def test_rings_that_are_joined_become_the_one_with_more_in_common(root, out):
    dataset = Ricord(root)

    def join(labels):
        labels[1, 2, 5:15] = 1

    write(dataset, painted(reading_of(dataset), OPACITY, join), out)
    touched, added, gone = differing(root, out)
    assert (touched, added) == ({"A_P1free"}, set())
    assert gone == {"A_P3free"}  # the ring that only overlaps is kept
    assert texts_of(out)["A_P2free"] == texts_of(root)["A_P2free"]


def test_other_labels_and_readers_are_not_touched(root, out):
    dataset = Ricord(root)

    def erase(labels):
        labels[:] = 0

    write(dataset, painted(reading_of(dataset), OPACITY, erase), out)
    assert differing(root, out) == (set(), set(), {f"A_P{n}free" for n in range(1, 5)})
    assert reading_of(dataset, at=out).masks[0].name == CAVITY


def test_mask_that_a_reading_has_no_more_is_emptied(root, out):
    dataset = Ricord(root)
    reading = reading_of(dataset)
    dataset.write(sample.AXIAL_12, [replace(reading, masks=reading.masks[1:])], out)
    assert differing(root, out)[2] == {f"A_P{n}free" for n in range(1, 5)}


def test_new_mask_is_made_by_the_reader_who_is_corrected(root, out):
    dataset = Ricord(root)
    reading = reading_of(dataset, f"{sample.BLUE} · U_bbbbb2")
    (offer,) = dataset.offers(sample.AXIAL_12, reading)
    labels = np.zeros_like(reading.masks[0].labels)
    labels[4, 2:4, 2:4] = 1
    mask = replace(reading.masks[0], name=offer.name, labels=labels, segments=offer.segments)
    write(dataset, replace(reading, masks=(*reading.masks, mask)), out)
    (key,) = differing(root, out)[1]
    one = values_of(out)[key]
    assert (one["createdById"], one["labelId"]) == ("U_bbbbb2", "L_bluuuca")
    assert one["SOPInstanceUID"] == sample.sop_uid(12, 4, 4)


@pytest.mark.parametrize("seed", range(12))
def test_any_mask_is_drawn_the_same_by_every_program(root, out, seed):
    """Noise, holes, islands in holes, diagonals and single pixels, by three rules."""
    dataset = Ricord(root)
    random = np.random.default_rng(seed)
    wanted = random.random((3, *sample.SIZE)) < random.uniform(0.1, 0.9)

    def paint(labels):
        labels[1:4] = wanted

    write(dataset, painted(reading_of(dataset), OPACITY, paint), out)
    for z in range(3):
        drawn = rings_of(out, z + 1)
        kept = {"A_P1free", "A_P2free", "A_P3free", "A_P4free"} & {
            key for key in drawn if texts_of(out)[key] == texts_of(root).get(key)
        }
        assert not kept
        for draw in (truncated, rounded, centred):
            union = np.zeros(sample.SIZE, bool)
            for ring in drawn.values():
                union |= draw(ring)
            np.testing.assert_array_equal(union, wanted[z])
    others = {key for key, one in values_of(root).items() if one["labelId"] != "L_purplop"}
    assert all(texts_of(out)[key] == texts_of(root)[key] for key in others)


def rings_of(folder, z):
    uid = sample.sop_uid(12, 4, z)
    return {
        key: np.array(one["data"]["vertices"])
        for key, one in values_of(folder).items()
        if one.get("SOPInstanceUID") == uid and one["labelId"] == "L_purplop" and one["data"]
    }


def truncated(ring):
    return _filled(ring.astype(np.int32))


def rounded(ring):
    return _filled(np.rint(ring).astype(np.int32))


def _filled(ring):
    mask = np.zeros(sample.SIZE, np.uint8)
    cv2.fillPoly(mask, [ring], 1)
    return mask.astype(bool)


def centred(ring):
    mask = np.zeros(sample.SIZE, bool)
    mask[polygon(ring[:, 1], ring[:, 0], sample.SIZE)] = True
    return mask


@pytest.mark.parametrize("seed", range(8))
def test_random_edits_touch_only_what_is_near_them(root, out, seed):
    """An annotation is rewritten only if a pixel in it or next to it changed."""
    dataset = Ricord(root)
    random = np.random.default_rng(seed)
    y, x = random.integers(0, 10), random.integers(0, 14)

    def paint(labels):
        labels[1, y : y + 2, x : x + 2] ^= 1

    write(dataset, painted(reading_of(dataset), OPACITY, paint), out)
    touched, _, gone = differing(root, out)
    near = np.zeros(sample.SIZE, bool)
    near[max(y - 1, 0) : y + 3, max(x - 1, 0) : x + 3] = True
    for key in ("A_P1free", "A_P2free", "A_P3free"):
        overlaps = (sample.pixels(values_of(root)[key]["data"]) & near).any()
        assert (key in touched | gone) == overlaps
    assert touched | gone <= {"A_P1free", "A_P2free", "A_P3free"}


@pytest.mark.parametrize("into", ["out", "root"])
def test_every_correction_can_be_taken_back_to_the_byte(root, out, into):
    """Deleted, added and rewritten annotations and answers, also one part after the other."""
    original = (root / sample.DOCUMENT).read_bytes()
    dataset = Ricord(root)
    target = out if into == "out" else root
    reading = reading_of(dataset)

    def wreck(labels):
        labels[1] = 0
        labels[1, 9:11, 1:4] = 1
        labels[2, :, 4] = 0
        labels[3, 1, 1] = 1

    wrecked = answered(painted(reading, OPACITY, wreck), "Effusion")
    write(dataset, wrecked, target)
    assert (target / sample.DOCUMENT).read_bytes() != original

    def half(labels):
        labels[1] = reading.masks[0].labels[1]

    write(dataset, painted(wrecked, OPACITY, half), target)
    write(dataset, reading, target)
    assert (target / sample.DOCUMENT).read_bytes() == original


def test_correction_of_repeated_ids_can_be_taken_back(root, out):
    content = (root / sample.DOCUMENT).read_bytes()
    (root / sample.DOCUMENT).write_bytes(content.replace(b"A_P3free", b"A_P1free"))
    dataset = Ricord(root)
    reading = reading_of(dataset)

    def erase(labels):
        labels[1, :, 11:] = 0

    write(dataset, painted(reading, OPACITY, erase), out)
    write(dataset, reading, out)
    assert (out / sample.DOCUMENT).read_bytes() == (root / sample.DOCUMENT).read_bytes()


def test_box_stays_a_box(root, out):
    dataset = Ricord(root)
    reader = f"{sample.BLUE} · U_bbbbb2"

    def widen(labels):
        labels[1, 3:6, 7:10] = 1

    write(dataset, painted(reading_of(dataset, reader), BOX, widen), out)
    assert values_of(out)["A_B3free"]["data"] == {"x": 2, "y": 3, "width": 7, "height": 2}

    def dent(labels):
        labels[1, 3, 2] = 0

    with pytest.raises(SaveError, match="a box can only be corrected to another box"):
        dataset.write(sample.AXIAL_12, [painted(reading_of(dataset, reader), BOX, dent)], root)


def test_line_is_no_mask_to_correct(root, out):
    values = json.loads((root / sample.DOCUMENT).read_bytes())
    line = sample.drawn("L1", "purplln", 12, 0, [[2, 6], [13, 6]], "U_aaaaa1")
    values["datasets"][0]["annotations"].append(line)
    (root / sample.DOCUMENT).write_bytes(sample.text_of(values))
    dataset = Ricord(root)

    def erase(labels):
        labels[0, 6, 6] = 0

    reading = painted(reading_of(dataset), "Measured line", erase)
    with pytest.raises(SaveError, match="a line cannot be corrected as a mask"):
        dataset.write(sample.AXIAL_12, [reading], out)
    assert not out.exists()


def test_annotation_that_is_not_shown_is_not_touched(root, out):
    """Its image has another size than it tells, so nobody can say what painting over it means."""
    values = json.loads((root / sample.DOCUMENT).read_bytes())
    for one in values["datasets"][0]["annotations"]:
        if one["id"] == "A_P1free":
            one["height"] = 512
    (root / sample.DOCUMENT).write_bytes(sample.text_of(values))
    dataset = Ricord(root)

    def paint(labels):
        labels[1, 2:8, 2:8] = 1

    write(dataset, painted(reading_of(dataset), OPACITY, paint), out)
    assert differing(root, out)[0] == {"A_P2free"}


# Answers


def test_answers_are_added_and_withdrawn(root, out):
    dataset = Ricord(root)
    write(dataset, answered(reading_of(dataset), "Infectious lung disease", "Effusion"), out)
    touched, added, gone = differing(root, out)
    assert (touched, len(added), gone) == (set(), 1, {"A_G1glob"})
    one = values_of(out)[added.pop()]
    assert list(one) == list(values_of(root)["A_G2glob"])  # no key of series or image
    assert (one["labelId"], one["createdById"], one["data"]) == ("L_purplef", "U_aaaaa1", None)
    assert one["StudyInstanceUID"] == sample.study_uid(12)


def test_study_is_answered_with_its_first_case_only(root, out):
    dataset = Ricord(root)
    reading = replace(reading_of(dataset, case=sample.SCOUT_12), answers={KEY: ("Effusion",)})
    with pytest.raises(SaveError, match="answered with its first case"):
        dataset.write(sample.SCOUT_12, [reading], out)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda r: replace(r, reader="nobody"), "nobody is no reader"),
        (lambda r: replace(r, answers={KEY: ("Cheerful",)}), "no label Cheerful"),
        (lambda r: replace(r, answers={"mood": ("good",)}), "nothing asks mood"),
        (lambda r: replace(r, masks=(replace(r.masks[0], name="Moon"),)), "no label Moon"),
        (lambda r: replace(r, masks=(r.masks[0], r.masks[0])), "two masks have one name"),
        (
            lambda r: replace(r, masks=(replace(r.masks[0], labels=r.masks[0].labels[:2]),)),
            "has the shape",
        ),
    ],
)
def test_what_the_export_has_no_room_for_is_refused(root, out, change, message):
    dataset = Ricord(root)
    with pytest.raises(SaveError, match=message):
        dataset.write(sample.AXIAL_12, [change(reading_of(dataset))], out)
    assert not out.exists()


def test_indented_export_stays_indented(tmp_path):
    """Withdrawing and adding an answer changes the lines of these annotations alone."""
    root = tmp_path / "ricord-1c"
    root.mkdir()
    sample.build_1c(root)
    dataset = Ricord(root)
    case = dataset.cases()[2]
    reading = dataset.readings(case.id)[0]
    dataset.write(case.id, [answered(reading, "Indeterminate Appearance")], tmp_path / "out")
    was, now = (
        (folder / sample.DOCUMENT_1C).read_text().splitlines()
        for folder in (root, tmp_path / "out")
    )
    assert len(was) == len(now)
    added = [line for line in now if line not in was]
    keys = {re.match(r' {5}"(\w+)": ', line)[1] for line in added}
    assert keys == {"id", "isImported", "createdAt", "updatedAt", "labelId"}
    assert '     "labelId": "L_01",' in now


# Zipped exports and folders


@pytest.mark.parametrize("into", ["out", "root"])
def test_zip_is_corrected_beside_itself(root, out, into):
    content = sample.zipped({"a.json": (root / sample.DOCUMENT).read_bytes()})
    (root / sample.DOCUMENT).unlink()
    (root / sample.ZIPPED).write_bytes(content)
    dataset = Ricord(root)
    target = out if into == "out" else root

    def paint(labels):
        labels[1, 4, 2] = 1

    after = painted(reading_of(dataset), OPACITY, paint)
    written = dataset.write(sample.AXIAL_12, [after], target)
    assert written == [target / sample.DOCUMENT]
    assert (target / sample.ZIPPED).read_bytes() == content
    assert not changes.compare(after, reading_of(dataset, at=target))
    if into == "root":
        assert not changes.compare(after, reading_of(Ricord(root)))


def test_file_in_the_way_is_not_written_over(root, out):
    dataset = Ricord(root)
    out.mkdir()
    (out / sample.DOCUMENT).write_text('{"mine": 1}')

    def paint(labels):
        labels[1, 4, 2] = 1

    with pytest.raises(SaveError, match="stands where the corrected annotations go"):
        dataset.write(sample.AXIAL_12, [painted(reading_of(dataset), OPACITY, paint)], out)
    assert (out / sample.DOCUMENT).read_text() == '{"mine": 1}'


# Comparing and proving


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (b'"name":"RICORD', b'"name":"OTHER', "more than its annotations changed"),
        (b'A_P7free","parentId":null', b'A_P7free","parentId":"A"', "nothing that is here"),
    ],
)
def test_change_that_no_correction_makes_is_told(root, out, old, new, message):
    shutil.rmtree(root / sample.TREE / "MIDRC-RICORD-1A-419639-000082")
    out.mkdir()
    content = (root / sample.DOCUMENT).read_bytes()
    assert content.count(old) == 1
    (out / sample.DOCUMENT).write_bytes(content.replace(old, new))
    with pytest.raises(ReadError, match=message):
        Ricord(root).compare(root, out)


def test_export_and_write_back_are_proved(root, tmp_path):
    dataset = Ricord(root)
    reading = reading_of(dataset)

    def paint(labels):
        labels[1, 10, 1:3] = 1
        labels[2, :, 4] = 0

    after = answered(painted(reading, OPACITY, paint), "Effusion")
    correction = {sample.AXIAL_12: [changes.Correction(reading, after)]}
    proof = export_readings(dataset, correction, tmp_path / "out")
    assert proof.holds, proof.lines()
    assert proof.changed_files == (sample.DOCUMENT,)
    proof = write_back(dataset, correction)
    assert proof.holds, proof.lines()
    assert not changes.compare(after, reading_of(Ricord(root)))


def test_taking_back_brings_no_other_reader_back_who_has_the_same_id(root, out):
    blue = f"{sample.BLUE} · U_bbbbb2"
    values = values_of(root).items()
    drawn = [key for key, one in values if one["createdById"] == "U_bbbbb2" and one.get("data")]
    path = root / sample.DOCUMENT
    content = path.read_bytes()
    for key in (*drawn, "A_P1free"):
        content = content.replace(f'"id":"{key}"'.encode(), b'"id":"A_twice1"')
    path.write_bytes(content)
    dataset = Ricord(root)
    reading = reading_of(dataset)
    for name in (sample.PURPLE, blue):
        erased = replace(reading_of(dataset, name), masks=())
        dataset.write(sample.AXIAL_12, [erased], out)
    dataset.write(sample.AXIAL_12, [reading], out)
    assert not changes.compare(reading, reading_of(dataset, at=out))
    (standing,) = json.loads((out / sample.DOCUMENT).read_bytes())["datasets"]
    twice = [one for one in standing["annotations"] if one["id"] == "A_twice1"]
    assert len(twice) == 1
    assert twice[0]["createdById"] != "U_bbbbb2"


def test_labels_in_any_order_and_a_reader_erased_and_back_are_proved(tmp_path):
    """Answers in the order of clicks; all that a reader said gone, then said anew."""
    root = make_ricord(tmp_path / "set", shape=(24, 64, 64)).root
    dataset = open_dataset(root)
    case = dataset.cases()[0].id
    for reading in dataset.readings(case):
        key = next(iter(reading.answers))
        choices = next(q.choices for q in dataset.questions if q.key == key)
        answers = {key: (choices[-1], *reading.answers[key][::-1], choices[0])}
        answered = replace(reading, answers={key: tuple(dict.fromkeys(answers[key]))})
        empty = tuple(replace(m, labels=np.zeros_like(m.labels)) for m in reading.masks)
        gone = replace(reading, masks=empty, answers={key: ()})
        for before, after in ((reading, answered), (answered, gone), (gone, reading)):
            proof = export_readings(dataset, {case: [Correction(before, after)]}, tmp_path / "out")
            assert proof.holds, proof.lines()
        found = next(
            r for r in dataset.readings(case, at=tmp_path / "out") if r.reader == reading.reader
        )
        assert not compare(reading, found)


def test_taking_back_never_touches_what_others_said(tmp_path, monkeypatch):
    """Were the restored text wrong anywhere else, nothing would be written."""
    root = make_ricord(tmp_path / "set", shape=(24, 64, 64)).root
    dataset, out = open_dataset(root), tmp_path / "out"
    case = dataset.cases()[0].id
    reading = next(r for r in dataset.readings(case) if r.masks)
    empty = tuple(replace(m, labels=np.zeros_like(m.labels)) for m in reading.masks)
    gone = replace(reading, masks=empty)
    assert export_readings(dataset, {case: [Correction(reading, gone)]}, out).holds
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    restored = writing.restored
    monkeypatch.setattr(
        writing,
        "restored",
        lambda *parts: restored(*parts).replace(b'"note":"', b'"note":"x', 1),
    )
    with pytest.raises(SaveError, match="would change other annotations"):
        export_readings(dataset, {case: [Correction(gone, reading)]}, out)
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before

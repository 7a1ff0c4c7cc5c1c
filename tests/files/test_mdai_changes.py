"""Corrections of MD.ai exports: only what is corrected changes, in the file's own style."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from mdai_samples import (
    OTHER_SOP,
    OTHER_STUDY,
    SERIES,
    SOP,
    STUDY,
    STYLES,
    TIME,
    Number,
    annotation,
    annotation_texts,
    answer,
    around,
    compact,
    dataset,
    export,
    member,
    ring,
    without,
    written,
)

from napari_chest.errors import SaveError
from napari_chest.files.mdai import (
    Add,
    Delete,
    ReplaceData,
    mask_of,
    parse_mdai,
    ring_data,
)
from napari_chest.files.mdai import (
    file as mdai_file,
)
from napari_chest.rings import encode_mask

NOW = datetime(2024, 2, 3, 4, 5, 6, 789_999, UTC)
NOW_TEXT = "2024-02-03T04:05:06.789Z"
TRIANGLE = {"vertices": [[1, 2], [30.49, 2], [30.49, 0.00001]]}
LOOSE = [[Number("1e-7"), Number("0.1000")], [Number("256.00"), Number("-0")], [3, 4.5]]
EDITED = ("data", "updatedAt")
styles = pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)

EXPORT = export(
    dataset(
        answer("A_glob01", note="größer", reviews=[{"by": "x", "at": [1, 2]}]),
        ring("A_free01", LOOSE, unknownKey={"a": [Number("1.0"), None]}),
        annotation("A_null01", sop=OTHER_SOP),
        ring("A_free02"),
    ),
    dataset(answer("A_late01", study=OTHER_STUDY), id_="D_demo02", studies=[(OTHER_STUDY, 7)]),
    dataset(id_="D_none03"),
)


def changed(text, *edits, person=None, now=NOW):
    return parse_mdai(text.encode(), "x.json").changed(edits, now, person).decode()


def flat(text):
    return [one for array in annotation_texts(text) for one in array]


def ids(text):
    return [[json.loads(one)["id"] for one in array] for array in annotation_texts(text)]


def new_ring(sop=SOP, **other):
    known = {"height": 32, "width": 40, "data": TRIANGLE}
    return Add("L_opac01", STUDY, SERIES, sop, **(known | other))


# Nothing, new data, deletion


@styles
def test_no_correction_returns_the_very_bytes(style):
    content = style(EXPORT).encode()
    assert parse_mdai(content, "x.json").changed([], NOW, "U_me") is content


@styles
def test_new_data_changes_two_values(style):
    before = style(EXPORT)
    after = changed(before, ReplaceData(1, TRIANGLE))
    assert around(after) == around(before)
    old, new = flat(before), flat(after)
    assert [a == b for a, b in zip(old, new, strict=True)] == [True, False, True, True, True]
    assert without(new[1], EDITED) == without(old[1], EDITED)
    assert json.loads(new[1])["data"] == TRIANGLE
    assert json.loads(new[1])["updatedAt"] == NOW_TEXT
    assert json.loads(new[1])["updatedById"] == "U_aaaaa1"


@styles
def test_new_data_is_written_as_the_file_writes(style):
    """As if the whole export were written again in its style."""
    before = style(EXPORT)
    value = json.loads(compact(EXPORT))
    value["datasets"][0]["annotations"][3] |= {"data": {"vertices": [[1, 2], [3.5, 4], [5, 6]]}}
    value["datasets"][0]["annotations"][3]["updatedAt"] = NOW_TEXT
    points = np.array([(1.0, 2.0), (3.5, 4.0), (5.0, 6.0)])
    after = changed(before, ReplaceData(3, ring_data(points)))
    assert flat(after)[3] == flat(style(value))[3]


def test_the_person_is_written_where_one_is_given():
    before = compact(EXPORT)
    after = changed(before, ReplaceData(1, TRIANGLE), person="U_me0001")
    keys = (*EDITED, "updatedById")
    assert json.loads(flat(after)[1])["updatedById"] == "U_me0001"
    assert json.loads(flat(after)[1])["createdById"] == "U_aaaaa1"
    assert without(flat(after)[1], keys) == without(flat(before)[1], keys)


def test_absent_keys_stay_absent():
    bare = {"id": "A_bare", "StudyInstanceUID": STUDY, "labelId": "L_opac01"}
    before = compact(export(dataset(bare, {}, ring("A_2"))))
    after = changed(before, ReplaceData(0, TRIANGLE), ReplaceData(1, TRIANGLE), person="U_me")
    assert flat(after)[0] == compact(bare | {"data": TRIANGLE}).replace("1e-05", "0.00001")
    assert flat(after)[1] == compact({"data": TRIANGLE}).replace("1e-05", "0.00001")
    assert flat(after)[2] == flat(before)[2]


@styles
def test_null_data_gets_a_drawing(style):
    before = style(EXPORT)
    after = changed(before, ReplaceData(2, {"vertices": [[1, 2], [3, 4], [5, 6]]}))
    value = json.loads(compact(EXPORT))["datasets"][0]["annotations"][2]
    value |= {"data": {"vertices": [[1, 2], [3, 4], [5, 6]]}, "updatedAt": NOW_TEXT}
    whole = json.loads(compact(EXPORT))
    whole["datasets"][0]["annotations"][2] = value
    assert flat(after)[2] == flat(style(whole))[2]


def test_a_repeated_key_is_changed_where_it_counts():
    before = compact(export(dataset(ring("A_1")))).replace('"note":null', '"data":null')
    after = changed(before, ReplaceData(0, TRIANGLE))
    assert json.loads(flat(after)[0])["data"] == TRIANGLE
    assert "[9.25,8.125]" in flat(after)[0]  # of the earlier one


@styles
@pytest.mark.parametrize(
    "gone", [(0,), (3,), (1, 2), (0, 3), (2, 3), (0, 1, 2, 3), (4,), (0, 1, 2, 3, 4)]
)
def test_deletion_leaves_what_the_file_would_be_without(style, gone):
    value = json.loads(compact(EXPORT))
    kept = EXPORT["datasets"][0]["annotations"] + EXPORT["datasets"][1]["annotations"]
    left = [index for index in range(5) if index not in gone]
    value["datasets"][0]["annotations"] = [kept[index] for index in left if index < 4]
    value["datasets"][1]["annotations"] = [kept[index] for index in left if index == 4]
    assert changed(style(EXPORT), *map(Delete, gone)) == style(value)


# New annotations


@styles
def test_new_annotation_has_the_form_of_its_sibling(style):
    before = style(EXPORT)
    after = changed(before, new_ring(like=1, note="größer ☺"))
    assert around(after) == around(before)
    assert flat(after)[:4] == flat(before)[:4]
    assert flat(after)[5:] == flat(before)[4:]
    new = json.loads(flat(after)[4])
    assert re.fullmatch("A_[0-9A-Za-z]{6}", new.pop("id"))
    assert new == {
        "parentId": None,
        "isImported": True,
        "createdAt": NOW_TEXT,
        "createdById": None,
        "updatedAt": NOW_TEXT,
        "updatedById": None,
        "modelId": None,
        "StudyInstanceUID": STUDY,
        "SeriesInstanceUID": SERIES,
        "SOPInstanceUID": SOP,
        "labelId": "L_opac01",
        "annotationNumber": 13,
        "height": 32,
        "width": 40,
        "data": TRIANGLE,
        "note": "größer ☺",
        "radlexTagIds": [],
        "reviewsPositiveCount": 0,
        "reviewsNegativeCount": 0,
        "unknownKey": None,
    }
    assert list(json.loads(flat(after)[4])) == list(json.loads(flat(before)[1]))


@styles
def test_new_annotation_is_written_as_the_file_writes(style):
    after = changed(style(EXPORT), replace(new_ring(), note="größer", data={"x": 1, "y": 2.5}))
    whole = json.loads(compact(EXPORT))
    whole["datasets"][0]["annotations"].append(json.loads(flat(after)[4]))
    whole["datasets"][0]["annotations"][1] = EXPORT["datasets"][0]["annotations"][1]
    assert after == style(whole)


@styles
def test_first_annotation_of_an_empty_dataset(style):
    after = changed(style(EXPORT), new_ring(dataset="D_none03"), new_ring(dataset="D_none03"))
    whole = json.loads(compact(EXPORT))
    new = [json.loads(one) for one in annotation_texts(after)[2]]
    whole["datasets"][2]["annotations"] = new
    whole["datasets"][0]["annotations"][1] = EXPORT["datasets"][0]["annotations"][1]
    assert len({one["id"] for one in new}) == 2
    assert after.replace("0.00001", "1e-05") == style(whole)


@styles
def test_first_annotation_of_an_empty_export(style):
    before = style(export(dataset()))
    after = changed(before, new_ring())
    new = json.loads(flat(after)[0])
    assert around(after) == around(before)
    assert (new["isImported"], new["height"], new["note"], new["data"]) == (
        True,
        32,
        None,
        TRIANGLE,
    )
    if style is not STYLES["one per line"]:  # of which an empty export shows nothing
        assert after.replace("0.00001", "1e-05") == style(export(dataset(new)))


@styles
def test_deletion_and_addition_at_once(style):
    before = style(EXPORT)
    after = changed(before, *map(Delete, range(4)), new_ring(like=0), Delete(4))
    assert [len(array) for array in annotation_texts(after)] == [1, 0, 0]
    assert style(json.loads(after)) == after.replace("0.00001", "1e-05")
    again = changed(after, Delete(0), new_ring(like=0), new_ring())
    assert [len(array) for array in annotation_texts(again)] == [2, 0, 0]
    assert style(json.loads(again)) == again.replace("0.00001", "1e-05")


def test_answers():
    before = compact(EXPORT)
    after = changed(before, Add("L_typ001", OTHER_STUDY, like=0), Add("L_typ001", STUDY), Delete(4))
    assert ids(after)[0][:4] == ids(before)[0]
    first, second = (json.loads(one) for one in flat(after)[4:])
    for one in (first, second):
        assert "SOPInstanceUID" not in one
        assert "SeriesInstanceUID" not in one
        values = [one[key] for key in ("data", "height", "annotationNumber")]
        assert values == [None, None, None]
        assert one["reviews"] == []
    assert (first["StudyInstanceUID"], second["StudyInstanceUID"]) == (OTHER_STUDY, STUDY)


def test_sibling_of_another_scope():
    """Keys of an image are put where they usually stand, or left out."""
    only = export(dataset(answer("A_1", isInterpolated=False, groupId="G_purpl1")))
    new = json.loads(flat(changed(compact(only), new_ring(like=0)))[1])
    keys = list(new)
    assert keys[keys.index("StudyInstanceUID") + 1 :][:2] == ["SeriesInstanceUID", "SOPInstanceUID"]
    assert (new["height"], new["isInterpolated"], new["groupId"]) == (32, False, "G_purpl1")
    assert new["annotationNumber"] is None
    only = export(dataset(ring("A_1")))
    new = json.loads(flat(changed(compact(only), Add("L_typ001", STUDY, like=0)))[1])
    assert "SOPInstanceUID" not in new
    assert "SeriesInstanceUID" not in new


def test_the_creator_of_a_new_annotation_is_never_lost():
    bare = {"id": "A_1", "StudyInstanceUID": STUDY, "labelId": "L_opac01"}
    after = changed(compact(export(dataset(bare))), new_ring(like=0), person="U_me0001")
    new = json.loads(flat(after)[1])
    keys = ["id", "createdById", "StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]
    assert list(new) == [*keys, "labelId", "height", "width", "data"]
    assert new["createdById"] == "U_me0001"


def test_dataset_of_a_new_annotation():
    value = export(
        dataset(ring("A_1"), studies=[(STUDY, 1)]),
        dataset(answer("A_2"), id_="D_2", studies=[(OTHER_STUDY, 1)]),
    )
    before = compact(value)
    for edit, counts in (
        (new_ring(), [2, 1]),
        (Add("L_typ001", OTHER_STUDY), [1, 2]),
        (Add("L_typ001", "9.9"), [2, 1]),
        (Add("L_typ001", "9.9", like=1), [1, 2]),
        (Add("L_typ001", STUDY, dataset="D_2"), [1, 2]),
    ):
        after = changed(before, edit)
        assert [len(array) for array in annotation_texts(after)] == counts


def test_fresh_ids_collide_with_none(monkeypatch):
    taken = [f"A_{digit * 6}" for digit in "012"]
    drawn = iter("000000" + "111111" + "222222" + "333333" + "333333" + "444444")
    monkeypatch.setattr("secrets.choice", lambda _: next(drawn))
    after = changed(compact(export(dataset(*map(ring, taken)))), new_ring(), new_ring())
    assert ids(after) == [[*taken, "A_333333", "A_444444"]]


def test_names_beyond_ascii_as_the_file_writes_them():
    edit = Add("L_typ001", STUDY, note="größer ☺")
    raw, escaped = '"größer ☺"', '"gr\\u00f6\\u00dfer \\u263a"'
    for note, expected in (("é", raw), ("\\\\u00e9", raw), ("plain \\u0041", raw)):
        text = compact(export(dataset(answer("A_1", note="NOTE")))).replace("NOTE", note)
        assert f'"note":{expected}' in changed(text, edit)
    text = compact(export(dataset(answer("A_1", note="NOTE")))).replace("NOTE", "\\\\\\u00e9")
    assert f'"note":{escaped}' in changed(text, edit)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (12.0, "12"),
        (-0.0, "0"),
        (0.1, "0.1"),
        (1e-5, "0.00001"),
        (1.5e-6, "0.0000015"),
        (1e-7, "1e-7"),
        (-1.25e-9, "-1.25e-9"),
        (123456789012345680000.0, "123456789012345680000"),
        (1e21, "1e+21"),
        (-1.5e300, "-1.5e+300"),
        (7, "7"),
    ],
)
def test_numbers_as_javascript_writes_them(number, text):
    after = changed(compact(EXPORT), ReplaceData(1, {"x": number, "y": [True, None, "1"]}))
    assert f'"data":{{"x":{text},"y":[true,null,"1"]}}' in flat(after)[1]


def test_times():
    east = NOW.astimezone(timezone(timedelta(hours=5)))
    local = NOW.astimezone().replace(tzinfo=None)
    for now in (east, local):
        after = changed(compact(EXPORT), ReplaceData(1, TRIANGLE), now=now)
        assert json.loads(flat(after)[1])["updatedAt"] == NOW_TEXT


def test_the_mask_that_was_drawn_comes_back():
    mask = np.zeros((32, 40), bool)
    mask[3:20, 4:30] = True
    mask[6:9, 7:12] = mask[15, 20] = False
    data = ring_data(encode_mask(mask)[0])
    after = parse_mdai(changed(compact(EXPORT), ReplaceData(1, data)).encode(), "x.json")
    for rule in ("fillpoly", "center"):
        y, x, patch = mask_of(after.annotations[1].shape, mask.shape, rule)
        found = np.zeros_like(mask)
        found[y : y + patch.shape[0], x : x + patch.shape[1]] = patch
        np.testing.assert_array_equal(found, mask)


# Encodings and odd files


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16", "utf-16-be", "utf-32-le"])
def test_encoding_is_kept(codec):
    before = compact(EXPORT)
    after = parse_mdai(before.encode(codec), "x.json").changed(
        [ReplaceData(3, TRIANGLE)], NOW, None
    )
    assert after == changed(before, ReplaceData(3, TRIANGLE)).encode(codec)


def test_what_strict_readers_refuse_is_kept():
    text = (
        compact(EXPORT).replace('"größer"', r'"\ud800"').replace('"unknownKey":{', '"u":NaN,"v":{')
    )
    after = changed(text, ReplaceData(1, TRIANGLE), Delete(3))
    assert flat(after)[0] == flat(text)[0]
    assert without(flat(after)[1], EDITED) == without(flat(text)[1], EDITED)


def test_text_that_is_not_utf_8_is_kept():
    content = compact(EXPORT).encode("latin-1")
    after = parse_mdai(content, "x.json").changed([Delete(3)], NOW, None)
    assert after.decode("latin-1") == changed(compact(EXPORT), Delete(3))


def test_repeated_keys_of_the_file():
    text = compact(export(dataset(ring("A_1"), ring("A_2"))))
    text = text.replace('"type":"DICOM"', '"annotations":[{"id":"A_0"}]')
    after = changed(text, Delete(0), ReplaceData(1, TRIANGLE))
    assert '"annotations":[{"id":"A_0"}]' in after
    annotations = json.loads(after)["datasets"][0]["annotations"]
    assert [one["id"] for one in annotations] == ["A_2"]
    assert annotations[0]["data"] == TRIANGLE


# What is refused


@pytest.mark.parametrize(
    ("edits", "words"),
    [
        ([Delete(1), ReplaceData(1, TRIANGLE)], "A_free01 has two corrections at once"),
        ([Delete(1), Delete(1)], "A_free01 has two corrections at once"),
        ([ReplaceData(1, {"x": float("nan")})], "JSON cannot say"),
        ([new_ring(data={"x": float("inf")})], "JSON cannot say"),
        ([new_ring(dataset="D_gone")], "has no dataset D_gone"),
        ([Delete(5)], "no annotation number 6"),
        ([ReplaceData(-1, TRIANGLE)], "no annotation number 0"),
        ([new_ring(like=5)], "no annotation number 6"),
    ],
)
def test_corrections_that_cannot_be_made(edits, words):
    with pytest.raises(SaveError, match=words):
        changed(compact(EXPORT), *edits)


def test_annotations_without_keys_can_only_be_deleted():
    text = compact(export(dataset(None, [1, 2], ring("A_1"))))
    with pytest.raises(SaveError, match="number 1 has no keys"):
        changed(text, ReplaceData(0, TRIANGLE))
    with pytest.raises(SaveError, match="number 2 has no keys"):
        changed(text, new_ring(like=1))
    assert flat(changed(text, Delete(0), Delete(1))) == flat(text)[2:]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("A_free02", "A_other2", "A_other2 would be read other than was meant"),
        ("RICORD demo", "RICORD dema", "the text around the annotations"),
        ("[30.49,2]", "[30.48,2]", "A_free01 would be read other than was meant"),
        (NOW_TEXT, TIME, "A_free01 would be read other than was meant"),
        ('"unknownKey"', '"unknownkey"', "A_free01 would be read other than was meant"),
        ("256.00", "256.0", "A_glob01 would be read"),
        ("größer", "", "A_glob01 would be read"),
        ("]}]}", "]}}", "could not be read again"),
    ],
)
def test_a_broken_correction_is_never_returned(monkeypatch, old, new, words):
    text = compact(EXPORT).replace('"größer"', '"größer 256.00"')
    write = mdai_file.text_with
    monkeypatch.setattr(
        mdai_file, "text_with", lambda *a: write(*a).replace(old.encode(), new.encode())
    )
    with pytest.raises(SaveError, match=words):
        changed(text, ReplaceData(1, TRIANGLE))


def test_another_value_beside_a_new_key_is_noticed(monkeypatch):
    text = compact(export(dataset({"id": "A_1", "note": "mine"})))
    write = mdai_file.text_with
    monkeypatch.setattr(mdai_file, "text_with", lambda *a: write(*a).replace(b"mine", b"ours"))
    with pytest.raises(SaveError, match="A_1 would be read other than was meant"):
        changed(text, ReplaceData(0, TRIANGLE))


def test_a_lost_annotation_is_noticed(monkeypatch):
    lose = changed(compact(EXPORT), Delete(2))
    monkeypatch.setattr(mdai_file, "text_with", lambda *_: lose.encode())
    with pytest.raises(SaveError, match="the number of annotations"):
        changed(compact(EXPORT), Delete(2), Delete(3))


def test_styles_of_the_samples_are_what_they_say():
    assert STYLES["indent 2"](EXPORT["users"]) == json.dumps(EXPORT["users"], indent=2)
    assert written({"a": Number("1.00")}, ",", ":") == '{"a":1.00}'
    assert member('{"a": [1, 2], "b": 3}', "b") == "3"
    assert "\n   {" in STYLES["one per line"](EXPORT)

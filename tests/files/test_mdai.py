"""MD.ai exports: what they say, in whatever encoding; look-alikes and hostile ones refused."""

import gc
import json
import zipfile

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mdai_samples import (
    OPACITY,
    OTHER_SOP,
    OTHER_STUDY,
    SERIES,
    SOP,
    SQUARE,
    STUDY,
    STYLES,
    TYPICAL,
    annotation,
    annotation_texts,
    answer,
    compact,
    dataset,
    export,
    group,
    label,
    ring,
)

from napari_chest.errors import ReadError
from napari_chest.files.mdai import container, is_mdai, parse_mdai, read_mdai

EXPORT = export(
    dataset(
        answer("A_glob01", note="motion at the bases"),
        ring("A_free01", frameNumber=3),
        ring("A_null01", sop=OTHER_SOP) | {"data": None},
    ),
    dataset(answer("A_late01", study=OTHER_STUDY), id_="D_demo02", studies=[(OTHER_STUDY, 7)]),
)


def parsed(value, style=compact):
    return parse_mdai(style(value).encode(), "x.json")


def texts(file):
    return [str(problem) for problem in file.problems]


def refused(content):
    with pytest.raises(ReadError) as caught:
        parse_mdai(content if isinstance(content, bytes) else content.encode(), "x.json")
    return str(caught.value)


# What an export says


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_annotations(style):
    file = parsed(EXPORT, style)
    assert [one.id for one in file.annotations] == ["A_glob01", "A_free01", "A_null01", "A_late01"]
    assert [one.index for one in file.annotations] == [0, 1, 2, 3]
    answered, drawn, empty, late = file.annotations
    assert (answered.study_uid, answered.series_uid, answered.sop_uid) == (STUDY, "", "")
    assert (answered.label_id, answered.note, answered.creator) == (
        "L_typ001",
        "motion at the bases",
        "U_aaaaa1",
    )
    assert (answered.height, answered.number, answered.frame) == (None, None, None)
    assert (drawn.series_uid, drawn.sop_uid, drawn.frame) == (SERIES, SOP, 3)
    assert (drawn.height, drawn.width, drawn.number) == (32, 40, 12)
    assert drawn.shape.kind == "ring"
    np.testing.assert_array_equal(drawn.shape.points, SQUARE)
    assert (empty.shape.kind, answered.shape.kind) == ("nothing", "nothing")
    assert (drawn.dataset, late.dataset) == ("D_demo01", "D_demo02")
    assert file.of_sop(SOP) == (drawn,)
    assert file.of_sop("") == ()
    assert file.of_study(STUDY) == (answered, drawn, empty)
    assert file.of_study("1.2") == ()
    assert file.studies == (
        ("D_demo01", STUDY, 1),
        ("D_demo01", OTHER_STUDY, 2),
        ("D_demo02", OTHER_STUDY, 7),
    )


@pytest.mark.parametrize("style", STYLES.values(), ids=STYLES)
def test_spans(style):
    text = style(EXPORT | {"note": "größer ☺"})
    file = parse_mdai(text.encode(), "x.json")
    expected = [one for array in annotation_texts(text) for one in array]
    spans = [one.span for one in file.annotations]
    assert [file.content[start:stop].decode() for start, stop in spans] == expected


def test_labels():
    other = label("L_blue01", "Infectious opacity", type="local", scope="Exam", annotationMode=None)
    old = {key: v for key, v in OPACITY.items() if key not in ("parentId", "shortName")}
    groups = [group(), group("G_blue01", "Blue", [other, old | {"id": "L_old001"}])]
    file = parsed(export(dataset(), groups=groups))
    assert [(one.id, one.name, one.type) for one in file.groups] == [
        ("G_purpl1", "Purple Group 1", "STANDARD"),
        ("G_blue01", "Blue", "STANDARD"),
    ]
    assert [one.id for one in file.groups[1].labels] == ["L_blue01", "L_old001"]
    opacity, typical, blue = (file.labels[k] for k in ("L_opac01", "L_typ001", "L_blue01"))
    assert (opacity.mode, opacity.type, opacity.scope) == ("freeform", "LOCAL", "INSTANCE")
    assert (opacity.short_name, opacity.color, opacity.group) == ("IN", "#d500f9", "G_purpl1")
    assert (typical.mode, typical.type, typical.parent_id) == (None, "GLOBAL", "L_inf001")
    assert (blue.type, blue.scope, blue.group) == ("LOCAL", "STUDY", "G_blue01")
    assert (file.labels["L_old001"].short_name, file.labels["L_old001"].parent_id) == ("", None)


def test_children():
    file = parsed(export(dataset(answer("A_1"), ring("A_2", parentId="A_1"), answer("A_3"))))
    assert [one.id for one in file.children(0)] == ["A_2"]
    assert file.children(2) == ()


def test_nothing_to_say_about_a_clean_export():
    assert texts(parsed(export(dataset(answer("A_1"), ring("A_2"))))) == []


def test_the_collector_is_left_as_it_was():
    assert gc.isenabled()
    parsed(EXPORT)
    assert gc.isenabled()
    gc.disable()
    try:
        parsed(EXPORT)
        assert not gc.isenabled()
    finally:
        gc.enable()


# Encodings, and what strict readers refuse


@pytest.mark.parametrize(
    "codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-be"]
)
def test_encodings(codec):
    content = compact(export(dataset(ring("A_1", note="größer ☺ 𝄞")))).encode(codec)
    file = parse_mdai(content, "x.json")
    assert file.annotations[0].note == "größer ☺ 𝄞"
    assert file.changed([], None, None) == content
    assert is_mdai(content)


@pytest.mark.parametrize(
    ("note", "reads_as"),
    [("NaN", ""), ("1e400", ""), (r'"half \ud800 pair"', "half ? pair"), ("9" * 5000, None)],
)
def test_what_json_accepts(note, reads_as):
    text = compact(export(dataset(ring("A_1", note="NOTE"), ring("A_2")))).replace('"NOTE"', note)
    file = parse_mdai(text.encode(), "x.json")
    assert [one.id for one in file.annotations] == ["A_1", "A_2"]
    assert [one.shape.kind for one in file.annotations] == ["ring", "ring"]
    assert reads_as is None or file.annotations[0].note == reads_as
    start, stop = file.annotations[0].span
    assert file.content[start:stop].decode() == annotation_texts(text)[0][0]


def test_text_that_is_not_utf_8():
    text = compact(export(dataset(ring("A_1", note="größer"), ring("A_2"))))
    file = parse_mdai(text.encode("latin-1"), "x.json")
    assert file.annotations[0].note == "gr??er"
    assert file.annotations[0].shape.kind == "ring"
    assert file.annotations[1].id == "A_2"
    assert texts(file) == ["warning: 1 annotation with text that is not UTF-8: A_1. It is kept."]
    assert "not UTF-8" in file.annotations[0].problem.text
    assert file.changed([], None, None) == text.encode("latin-1")


def test_numbers_as_texts():
    file = parsed(export(dataset(ring("A_1", height="32", width=40.0, annotationNumber=" 7 "))))
    one = file.annotations[0]
    assert (one.height, one.width, one.number, one.id) == (32, 40, 7, "A_1")


def test_values_of_other_types():
    odd = {"id": 7, "labelId": ["x"], "height": "tall", "width": True, "note": {"a": 1}}
    one = parsed(export(dataset(ring("A_1", **odd)))).annotations[0]
    assert (one.id, one.label_id, one.height, one.width, one.note) == ("7", "", None, None, "")
    assert one.sop_uid == SOP


def test_numbers_of_studies():
    studies = [(STUDY, "003"), (OTHER_STUDY, None), ("1.2", "x"), ("1.3", 4.0), (5, 10**300)]
    found = parsed(export(dataset(studies=studies))).studies
    assert [number for *_, number in found] == [3, None, None, 4, None]


# What a person should know


def test_problems_name_the_annotations():
    keys = ("StudyInstanceUID", "SOPInstanceUID")
    cut = [{k: v for k, v in ring(f"A_cut{n}").items() if k != key} for n, key in enumerate(keys)]
    file = parsed(
        export(
            dataset(
                ring("A_same"),
                ring("A_same"),
                ring("A_gone", label_id="L_gone"),
                *cut,
                None,
                [1],
                annotation("A_null"),
                ring("A_else", study="9.9"),
                *(ring("", note=str(n)) for n in range(7)),
            )
        )
    )
    found = texts(file)
    assert "warning: 2 annotations without keys: number 6, number 7. They are kept." in found
    assert "warning: 2 annotations with the id of another one: A_same, A_same. They are kept." in (
        found
    )
    assert "warning: 1 annotation with a label that is not defined: A_gone. It is kept." in found
    assert "warning: 1 annotation without a study: A_cut0. It is kept." in found
    assert (
        "warning: 1 annotation with a label of images, but without an image: A_cut1. It is kept."
    ) in found
    assert (
        "note: 1 annotation with a label that is drawn, but without a drawing: A_null. It is kept."
    ) in found
    assert "note: 1 annotation of a study that is not listed: A_else. It is kept." in found
    assert (
        "warning: 7 annotations without an id: number 10, number 11, number 12, number 13, "
        "number 14 and 2 more. They are kept."
    ) in found
    assert len(found) == 8
    assert len(file.annotations) == 16


def test_repeated_label_ids_and_unknown_modes():
    labels = [OPACITY, OPACITY | {"name": "Other"}, label("L_new001", "New", mode="volume")]
    file = parsed(export(dataset(ring("A_1", label_id="L_new001")), groups=[group(labels=labels)]))
    assert texts(file) == [
        "warning: 2 labels have the id 'L_opac01'; the first counts.",
        "note: Labels of the mode 'volume' are not known; what they draw is not shown, but kept.",
    ]
    assert file.labels["L_opac01"].name == "Infectious opacity"
    assert file.annotations[0].shape.kind == "unknown"
    assert "A_1" in file.annotations[0].problem.text
    assert "'volume' is not known" in file.annotations[0].problem.text


def test_repeated_keys_read_as_json_reads_them():
    twice = compact(export(dataset(ring("A_1")), dataset(ring("A_2"))))
    twice = twice.replace('"type":"DICOM"', '"annotations":[{"id":"A_0"},{"id":"A_9"}]')
    file = parse_mdai(twice.encode(), "x.json")
    expected = [one["id"] for d in json.loads(twice)["datasets"] for one in d["annotations"]]
    assert [one.id for one in file.annotations] == expected == ["A_1", "A_2"]
    assert texts(file) == ["warning: The key 'annotations' stands twice; the later value counts."]
    whole = twice.replace('"isPrivate":true', '"datasets":[]')
    assert len(parse_mdai(whole.encode(), "x.json").annotations) == 2
    start, stop = file.annotations[1].span
    assert json.loads(file.content[start:stop])["id"] == "A_2"


def test_a_repeated_key_of_an_annotation():
    text = compact(export(dataset(ring("A_1"), ring("A_2"))))
    text = text.replace('"note":null', '"data":null', 1)
    file = parse_mdai(text.encode(), "x.json")
    assert file.annotations[0].shape.kind == "nothing"
    assert "A_1 has the key 'data' 2 times" in file.annotations[0].problem.text
    assert file.annotations[1].problem is None


def test_a_dataset_without_annotations():
    bare = {key: value for key, value in dataset().items() if key != "annotations"}
    file = parsed(export(bare, dataset(ring("A_1")), None))
    assert [one.id for one in file.annotations] == ["A_1"]
    assert texts(file) == ["note: 2 datasets have no list of annotations."]


# What is refused


def metadata_export():
    rows = [{"StudyInstanceUID": STUDY, "Modality": "CT"}]
    return {"id": "x", "datasets": [{"id": "D_1", "dicomMetadata": rows, "videoMetadata": []}]}


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (metadata_export(), ["MD.ai's other export, of DICOM metadata", "word annotations"]),
        ({"images": [], "annotations": [], "categories": []}, ["COCO"]),
        ({"type": "FeatureCollection"}, ["without a list of labelGroups and datasets"]),
        ({"labelGroups": [], "datasets": []}, ["without a list of annotations"]),
        ({"labelGroups": [], "datasets": {"a": 1}}, ["without a list of datasets"]),
        ({"datasets": [dataset()]}, ["without a list of labelGroups."]),
        ([1, 2], ["JSON that is no object"]),
        (None, ["JSON that is no object"]),
    ],
)
def test_look_alikes(value, words):
    message = refused(json.dumps(value))
    assert message.startswith("x.json: expected an annotation export of MD.ai")
    assert all(word in message for word in words)


def test_guess_from_the_beginning():
    assert is_mdai(compact(EXPORT).encode()[:300])
    assert is_mdai(b'\xef\xbb\xbf \r\n{"labelGroups": [')
    assert is_mdai(json.dumps(metadata_export()).encode())  # so that it is told why not
    assert not is_mdai(b'{"ResultSet": {"Result": []}}')
    assert not is_mdai(b'["datasets"]')
    assert not is_mdai(b"")
    assert not is_mdai(b"\x00\x01\x02\x03")


def test_truncated_text_names_the_annotation_before():
    text = compact(export(dataset(ring("A_1"), ring("A_2"), ring("A_3"))))
    message = refused(text[: text.index("A_3") + 40])
    assert "found an error at byte" in message
    assert "after 2 annotations, the last one A_2" in message
    assert "Copy or download it again" in message


def test_broken_text_names_the_line():
    text = STYLES["indent 2"](EXPORT)
    broken = text.replace('"width": 40', '"width" 40', 1)
    line = next(n for n, one in enumerate(broken.split("\n"), 1) if '"width" 40' in one)
    assert f"in line {line:,}" in refused(broken)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"   ",
        b"{",
        b'{"a"}',
        b'{"a":1',
        b'{"a":1]',
        b"[1}",
        b'{"a":1} x',
        b"{'a':1}",
        rb'{"\q":1}',
        b'{"datasets":[{"annotations":[1',
        b'{"datasets":[{"annotations":[1}]}',
        b'{"datasets":[{"annotations":[,]}]}',
        b"\x89PNG\r\n\x1a\n\0\0\0",
        b"\xff\xfe{",
    ],
)
def test_no_json(content):
    assert refused(content).startswith("x.json: expected")


@pytest.mark.parametrize("where", ["top", "annotation", "data", "labels"])
def test_deep_nesting(where):
    deep = "[" * 200_000 + "]" * 200_000
    text = {
        "top": deep,
        "annotation": compact(export(dataset("DEEP"))).replace('"DEEP"', deep),
        "data": compact(export(dataset(annotation("A_1", "DEEP")))).replace('"DEEP"', deep),
        "labels": compact(export(dataset(), groups=["DEEP"])).replace('"DEEP"', deep),
    }[where]
    assert "nested too deeply" in refused(text)


@given(st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 255)), min_size=1, max_size=3))
@settings(deadline=None, max_examples=300)
def test_damaged_text_is_read_as_json_reads_it_or_refused(damages):
    content = bytearray(STYLES["spaced"](EXPORT).encode())
    for place, byte in damages:
        content[place % len(content)] = byte
    try:
        value = json.loads(bytes(content))
    except ValueError:
        value = None
    try:
        file = parse_mdai(bytes(content), "x.json")
    except ReadError:
        assert value is None or "labelGroups" not in value or "datasets" not in value
        return
    if value is not None:
        rows = [one for array in value["datasets"] for one in array.get("annotations", ())]
        assert len(file.annotations) == len(rows)
        for found, row in zip(file.annotations, rows, strict=True):
            assert found.id == row.get("id", "")
            assert json.loads(file.text.text[slice(*found.span)]) == row
    assert [one.shape.kind for one in file.annotations]


# Files


def test_read_from_disk(tmp_path):
    path = tmp_path / "x 2.json"
    path.write_bytes(compact(EXPORT).encode())
    assert read_mdai(path).content == compact(EXPORT).encode()
    with pytest.raises(ReadError, match="no longer there"):
        read_mdai(tmp_path / "none.json")


def test_two_gigabytes_are_refused_unread(tmp_path):
    path = tmp_path / "x.json"
    with path.open("wb") as file:
        file.truncate(2 * 2**30)
    with pytest.raises(ReadError, match=r"expected at most 1,073,741,824 bytes, found 2,147,483,"):
        read_mdai(path)


def zipped(path, **members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def test_zip(tmp_path):
    content = compact(EXPORT).encode()
    path = zipped(
        tmp_path / "x.json_.zip",
        **{
            "readme.txt": b"x",
            "__MACOSX/._x.json": b"\0",
            "../../x.JSON": content,
            "other.json": b"{}",
        },
    )
    assert read_mdai(path).content == content
    assert sorted(tmp_path.iterdir()) == [path]


def test_zip_without_json(tmp_path):
    with pytest.raises(ReadError, match="expected a JSON file in the zip archive, found none"):
        read_mdai(zipped(tmp_path / "x.zip", **{"a.txt": b"x"}))


def test_zip_bomb(tmp_path):
    path = zipped(tmp_path / "x.zip", **{"x.json": b" " * 20_000_000})
    with pytest.raises(ReadError, match="in the zip archive, found more"):
        read_mdai(path)


def test_zip_that_lies_about_its_size(tmp_path, monkeypatch):
    monkeypatch.setattr(container, "MAX_BYTES", 2**21)
    path = zipped(tmp_path / "x.zip", **{"x.json": b" " * 2**24})
    content = path.read_bytes().replace((2**24).to_bytes(4, "little"), b"\x10\0\0\0")
    path.write_bytes(content)
    with pytest.raises(ReadError, match="zip archive"):
        read_mdai(path)


@pytest.mark.parametrize("cut", [4, 40, -30])
def test_broken_zip(tmp_path, cut):
    path = zipped(tmp_path / "x.zip", **{"x.json": compact(EXPORT)})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(ReadError, match="expected a zip archive, found a broken one"):
        read_mdai(path)


def test_types_of_a_label_without_any():
    file = parsed(export(dataset(), groups=[{"labels": [{"id": "L_1"}, None]}, None]))
    assert (file.labels["L_1"].scope, file.labels["L_1"].mode) == ("", None)
    assert TYPICAL["id"] not in file.labels

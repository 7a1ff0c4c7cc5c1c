"""Sidecars: DICOM elements in JSON as published files have them, and strange ones."""

import codecs
import json

import pytest

from napari_chest.errors import ReadError
from napari_chest.files.sidecar import Sidecar, read_sidecar

PLAIN = {
    "00080018": {"Value": ["1.2.840.113654.2.70.1.5"], "vr": "UI"},
    "00080060": {"Value": ["CR"], "vr": "CS"},
    "00080008": {"Value": ["ORIGINAL", "PRIMARY", ""], "vr": "CS"},
    "00100010": {"Value": [{"Alphabetic": "284108"}], "vr": "PN"},
    "00100040": {"vr": "CS"},
    "00181164": {"Value": [0.143, 0.1435], "vr": "DS"},
    "00280010": {"Value": [1760.0], "vr": "US"},
    "00281050": {"Value": [2047, "1024.5"], "vr": "UN"},
    "00283010": {"Value": [{"00283006": {"Value": [0, 5], "vr": "US"}}], "vr": "SQ"},
}


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "image.json"
        if not isinstance(content, str | bytes):
            content = json.dumps(content)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_sidecar(path)

    return read


def test_dicom_json(read):
    sidecar = read(PLAIN)
    assert sidecar.text("00080018") == "1.2.840.113654.2.70.1.5"
    assert sidecar.text("00080008") == "ORIGINAL\\PRIMARY\\"
    assert sidecar.text("00100010") == "284108"
    assert sidecar.text("00100040") == ""
    assert sidecar.values["00100040"] == ()
    assert sidecar.text("00280010") == "1760"
    assert sidecar.number("00280010") == 1760
    assert sidecar.numbers("00181164") == (0.143, 0.1435)
    assert sidecar.numbers("00281050") == (2047, 1024.5)
    assert sidecar.values["00283010"][0]["00283006"] == (0, 5)
    assert "00100040" in sidecar.values
    assert (sidecar.text("00180015"), sidecar.numbers("00180015")) == ("", ())
    assert sidecar.number("00180015") is None


def test_the_list_of_an_older_header_dump(read):
    rows = [
        {"tag1": "(0008,0018)", "vr": "UI", "value": "1.2.3", "tag2": "", "desc": "SOP"},
        {"tag1": "(0008,0008)", "vr": "CS", "value": "DERIVED\\PRIMARY", "desc": "Image Type"},
        {"tag1": "(0028,0030)", "vr": "DS", "value": "0.2\\0.3", "desc": "Pixel Spacing"},
        {"tag1": "(0040,0275)", "tag2": "(0008,0018)", "vr": "UI", "value": "9.9"},
        {"tag1": "(0008,0018)", "vr": "UI", "value": "another"},
        {"tag1": "(0008,103e)", "vr": "LO", "value": "THORAX"},
        {"tag1": "", "value": "no tag"},
        {"value": "no tag"},
        "no row",
        {"tag1": "(0010,0040)", "vr": "CS", "value": None},
    ]
    sidecar = read({"ResultSet": {"Result": rows, "totalRecords": "9"}})
    assert sidecar.text("00080018") == "1.2.3"
    assert sidecar.values["00080008"] == ("DERIVED", "PRIMARY")
    assert sidecar.numbers("00280030") == (0.2, 0.3)
    assert sidecar.text("0008103E") == "THORAX"
    assert sidecar.values.keys() == {"00080018", "00080008", "00280030", "0008103E", "00100040"}


def test_a_list_of_one(read):
    assert read([PLAIN]) == read(PLAIN)
    with pytest.raises(ReadError, match="of one image"):
        read([PLAIN, PLAIN])


def test_tags_in_any_spelling(read):
    names = ("0008103e", "0008103E", "(0008,103e)", "0008,103E", " 0008103e ")
    for name in names:
        sidecar = read({name: {"vr": "LO", "Value": ["RX"]}})
        assert sidecar.text("0008103E") == sidecar.text("0008103e") == "RX"
    assert read({"SeriesDescription": "x", "0008103": 1, **PLAIN}).values == read(PLAIN).values


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "latin-1", "cp1252"])
def test_encodings(read, encoding):
    content = '{"00081030": {"Value": ["TÓRAX ñ"], "vr": "LO"}}'.encode(encoding)
    assert read(content).text("00081030") == "TÓRAX ñ"


def test_what_went_wrong_before_is_left_as_it_is(read):
    for text in ("TÃ²RAX", "T?RAX", "a\nb", "tab\there"):
        raw = '{"00081030": {"Value": ["' + text + '"], "vr": "LO"}}'
        assert read(raw).text("00081030") == text


def test_no_text_is_unfit_for_show(read):
    found = read(r'{"00081030": {"Value": ["a\ud800b \u0000"], "vr": "LO"}}').text("00081030")
    assert found.encode() == b"a?b"


def test_numbers_that_are_none_are_left_out(read):
    raw = '{"00281050": {"Value": [NaN, Infinity, -Infinity, 1e999, null, "x", "", " 7 ", "nan"]}}'
    sidecar = read(raw)
    assert sidecar.values["00281050"][:3] == (None, None, None)
    assert sidecar.numbers("00281050") == (7,)
    assert sidecar.number("00281050") == 7
    assert sidecar.text("00281050") == "\\\\\\\\\\x\\\\7\\nan"


@pytest.mark.parametrize(
    "value",
    [
        None, True, False, 5, 5.5, -1e300, "", "x", "1\\2", [], {}, [[]], [[[1]]], [{}], [None],
        {"Value": 1}, {"Value": "1\\2"}, {"Value": {}}, {"Value": [{}]}, {"Value": [[1, [2]]]},
        {"Value": [{"Alphabetic": None}]}, {"Value": [{"Alphabetic": 5}]}, {"vr": 5}, {"vr": []},
        {"Value": [{"Ideographic": {"Alphabetic": []}}]}, {"Value": [True, {"x": 1}]},
        {"InlineBinary": "AAAA", "vr": "OW"}, {"BulkDataURI": "file:///etc/passwd", "vr": "OB"},
        {"Value": ["1_0", "0x10", "1e5", "٣"]}, {"Value": ["9" * 5000]},
    ],
)  # fmt: skip
def test_strange_values_never_raise(read, value):
    sidecar = read({"00280010": value, **{k: v for k, v in PLAIN.items() if k != "00280010"}})
    assert isinstance(sidecar.text("00280010"), str)
    numbers = sidecar.numbers("00280010")
    assert all(isinstance(number, float) and abs(number) < 1e301 for number in numbers)
    assert sidecar.number("00280010") == (numbers[0] if numbers else None)
    assert sidecar.text("00080060") == "CR"


@pytest.mark.parametrize("digits", ["1" + "0" * 400, "1" + "0" * 5000])
def test_integers_of_any_length(read, digits):
    assert read('{"00280010": {"Value": [' + digits + ", 3]}}").numbers("00280010") == (3,)


def test_values_without_their_list(read):
    assert read({"00280010": {"Value": 12}}).number("00280010") == 12
    assert read({"00280010": 12}).number("00280010") == 12
    assert read({"00280030": {"Value": "0.2\\0.3"}}).numbers("00280030") == (0.2, 0.3)


def test_of_two_elements_of_one_tag_the_last_stands(read):
    assert read('{"00080060": {"Value": ["CR"]}, "00080060": {"Value": ["DX"]}}') == Sidecar(
        {"00080060": ("DX",)}
    )


@pytest.mark.parametrize("content", [b"", b"\n  \n", b"\0\0\0", codecs.BOM_UTF8, b"\xff\xfe"])
def test_empty_files(read, content):
    with pytest.raises(ReadError, match="the file is empty"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"{", b'{"00080060": ', b"no json", b"<html></html>", b"\x89PNG\r\n\x1a\n", b"{'a': 1}",
        b'{"00080060": {"Value": ["CR"], "vr": "CS"}} {}', b"\xff\xfe{", b"\xff",
        b'{"a": "\\x"}', b'{"a": "\\u12"}',
    ],
)  # fmt: skip
def test_what_is_no_json(read, content):
    with pytest.raises(ReadError, match="expected JSON, found text that is none"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        {}, [], [[]], None, 5, '"text"', {"Modality": "CR"}, {"shapes": [], "version": "5"},
        {"ResultSet": {"Result": []}}, {"ResultSet": []}, {"ResultSet": {"Result": [{"tag1": 5}]}},
        [{}], ["00080060"],
    ],
)  # fmt: skip
def test_other_json(read, content):
    with pytest.raises(ReadError, match="expected the DICOM elements of one image"):
        read(content)


@pytest.mark.parametrize(
    "opening", ["[", '{"a":', '{"00080060":', '{"00080060":{"Value":[', '[{"":']
)
def test_deep_nesting(read, opening):
    for closing in ("", "".join({"[": "]", "{": "}"}.get(c, "") for c in opening)[::-1] * 50_000):
        with pytest.raises(ReadError, match="too deeply nested"):
            read(opening * 50_000 + ("1" + closing if closing else ""))


def test_too_much(tmp_path, read):
    with pytest.raises(ReadError, match="expected at most 1,000,000 values"):
        read("[" + "{}," * 600_000 + "{}]")
    path = tmp_path / "large.json"
    with path.open("wb") as file:
        file.truncate(64 * 2**20 + 1)  # a sparse file
    with pytest.raises(ReadError, match="expected at most"):
        read_sidecar(path)


def test_no_message_quotes_the_file(read):
    with pytest.raises(ReadError) as caught:
        read('{"00100010": {"Value": [{"Alphabetic": "Garcia Lopez"}}')
    assert "Garcia" not in str(caught.value)


def test_missing_file(tmp_path):
    with pytest.raises(ReadError, match="no longer there"):
        read_sidecar(tmp_path / "none.json")

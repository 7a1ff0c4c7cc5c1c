"""Excel workbooks as Excel, LibreOffice and scripts save them, and as an enemy would."""

import io
import struct
import zipfile

import pytest
from mosmed_sample import MAIN, workbook, zipped

from napari_chest.errors import ReadError
from napari_chest.files import workbook as module
from napari_chest.files.table import Table
from napari_chest.files.workbook import read_workbook

SHEET, SHARED = "xl/worksheets/sheet1.xml", "xl/sharedStrings.xml"


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "table.xlsx"
        path.write_bytes(content)
        return read_workbook(path)

    return read


def sheet(rows, before=""):
    return f"<worksheet {MAIN}>{before}<sheetData>{rows}</sheetData></worksheet>"


def book(rows, **parts):
    return zipped({SHEET: sheet(rows), **parts})


def text(place, content):
    return f'<c r="{place}" t="inlineStr"><is><t>{content}</t></is></c>'


def number(place, content):
    return f'<c r="{place}"><v>{content}</v></c>'


HEADER = f'<row r="1">{text("A1", "a")}{text("B1", "b")}</row>'


def test_texts_and_whole_numbers(read):
    rows = (("study_id", "category", "file"), (1, "CT-0", "/a.nii.gz"), (1110, "CT-4", ""))
    assert read(workbook(rows)) == Table(
        ("study_id", "category", "file"), (("1", "CT-0", "/a.nii.gz"), ("1110", "CT-4", ""))
    )


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        (number("A2", "3"), "3"),
        (number("A2", "3.0"), "3"),
        (number("A2", "-0.25"), "-0.25"),
        (number("A2", "1E3"), "1000"),
        ('<c r="A2" t="b"><v>1</v></c>', "True"),
        (text("A2", "  0255 "), "0255"),
        (text("A2", "Öffnung &amp; mehr"), "Öffnung & mehr"),
        ('<c r="A2" t="str"><f>1+1</f><v>two</v></c>', "two"),
    ],
)
def test_cells(read, cell, expected):
    assert read(book(f'{HEADER}<row r="2">{cell}{text("B2", "x")}</row>')).rows == (
        (expected, "x"),
    )


def test_dates_are_iso(read):
    styles = (
        f'<styleSheet {MAIN}><cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14"/></cellXfs>'
        "</styleSheet>"
    )
    rows = f'{HEADER}<row r="2"><c r="A2" s="1"><v>43949</v></c>{text("B2", "x")}</row>'
    (row,) = read(zipped({SHEET: sheet(rows), "xl/styles.xml": styles})).rows
    assert row[0].startswith("2020-04-28")


def test_blank_rows_and_an_empty_corner_are_skipped(read):
    rows = (
        f'<row r="3">{text("B3", "a")}{text("C3", "b")}</row>'
        f'<row r="5">{text("C5", "only b")}</row><row r="9">{text("B9", " ")}</row>'
    )
    assert read(book(rows)) == Table(("a", "b"), (("", "only b"),))


def test_cells_without_a_place_follow_one_another(read):
    """Some programs write no references."""
    rows = (
        '<row><c t="inlineStr"><is><t>a</t></is></c><c t="inlineStr"><is><t>b</t></is></c></row>'
        "<row><c><v>1</v></c><c><v>2.5</v></c></row>"
    )
    assert read(book(rows)) == Table(("a", "b"), (("1", "2.5"),))


def test_many_rows_without_references_are_not_too_many(read):
    row = "<row>" + "<c><v>7</v></c>" * 4 + "</row>"
    assert len(read(book(row * 1111)).rows) == 1110


def test_themes_and_pictures_do_not_matter(read):
    """A theme says r="-80000" about colours, and pictures may be large."""
    theme = '<a:theme xmlns:a="x"><a:fillToRect l="5" t="-80000" r="-80000" b="180000"/></a:theme>'
    extras = {"xl/theme/theme1.xml": theme, "xl/media/image1.png": bytes(100)}
    assert read(zipped({SHEET: sheet(HEADER), **extras})).columns == ("a", "b")


# What is refused


def refused(read, content, match):
    with pytest.raises(ReadError, match=match) as error:
        read(content)
    assert "table.xlsx" in str(error.value)


@pytest.mark.parametrize("content", [b"", b"study_id,category\n1,CT-0\n", b"PK\3\4", bytes(500)])
def test_other_files(read, content):
    refused(read, content, "found no zip")


def test_old_or_protected_workbooks_say_what_to_do(read):
    refused(read, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"Save it as .xlsx without")


def test_a_zip_of_something_else(read):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("letter.xml", "<a/>")
    refused(read, file.getvalue(), "expected an Excel workbook")


@pytest.mark.parametrize("rows", ["", f'<row r="1">{text("A1", " ")}</row>'])
def test_an_empty_sheet(read, rows):
    refused(read, book(rows), "found an empty one")


def test_cut_short(read):
    content = book(HEADER)
    for end in (len(content) // 3, len(content) - 30):
        refused(read, content[:end], "expected an Excel workbook")


def test_damaged_part(read):
    content = bytearray(book(HEADER * 50))
    at = content.index(b"xl/worksheets/sheet1.xml") + 60
    content[at : at + 8] = b"\xff" * 8
    refused(read, bytes(content), "damaged|found no zip")


def test_too_large_a_file(read, monkeypatch):
    monkeypatch.setattr(module, "MAX_BYTES", 100)
    refused(read, book(HEADER), "at most 100 bytes")


def test_zip_bomb(read):
    """80 MB of blanks pack to 80 kB."""
    content = zipped({SHEET: sheet(HEADER), "xl/big.xml": b" " * 80 * 2**20})
    assert len(content) < 200_000
    refused(read, content, "bytes unpacked")


def test_zip_bomb_that_lies_about_its_size(read):
    """Both the directory and the part itself claim ten bytes."""
    content = bytearray(zipped({SHEET: sheet(HEADER), "xl/big.xml": b" " * 80 * 2**20}))
    claimed = struct.pack("<I", 80 * 2**20)
    assert content.count(claimed) == 2
    content = bytes(content).replace(claimed, struct.pack("<I", 10))
    refused(read, content, "found no zip|damaged|bytes unpacked")


def test_many_parts(read):
    parts = {f"xl/p{n}.xml": "" for n in range(1001)}
    refused(read, zipped({SHEET: sheet(HEADER), **parts}), "1,000 parts")


@pytest.mark.parametrize(
    "rows",
    [
        f'{HEADER}<row r="1048576">{number("XFD1048576", 1)}</row>',
        f"{HEADER}<row r='9'>{number('XFD1048576', 1)}</row>".replace('"', "'"),
        f'{HEADER}<x:row xmlns:x="y" r="1048576"><x:c r="XFD1048576"><x:v>1</x:v></x:c></x:row>',
        f'{HEADER}<row r="9">{number("A99999999999999999999", 1)}</row>',
        f'{HEADER}<row r="9">{number("AAAAAAAAAAAA9", 1)}</row>',
        f'{HEADER}<row r="1048576">{"<c><v>1</v></c>" * 2000}</row>',
        f'{HEADER}<row r="1048576"/><row>{"<c><v>1</v></c>" * 2000}</row>',
        f'{HEADER}<row r="1048576"><c s=">" r="XFD1048576"><v>1</v></c></row>',
    ],
)
def test_a_sheet_that_spans_everything(read, rows):
    """Two cells in opposite corners would be 17 thousand million cells in memory."""
    refused(read, book(rows), "at most 2,000,000 cells")


def test_references_that_hide_what_they_say(read):
    refused(
        read, book(f'{HEADER}<row r="2">{number("&#88;FD1048576", 1)}</row>'), "cells such as A1"
    )


@pytest.mark.parametrize("name", ["uniqueCount", "count"])
def test_a_promise_of_texts(read, name):
    """The reader of XML makes room for as many texts as are promised."""
    shared = f'<sst {MAIN} {name}="4000000000"><si><t>a</t></si></sst>'
    refused(read, book(HEADER, **{SHARED: shared}), "at most 2,000,000 texts")


def test_a_long_text_that_many_cells_share(read):
    shared = f"<sst {MAIN}><si><t>{'x' * 1_000_000}</t></si></sst>"
    cells = "".join(f'<row r="{n}"><c r="A{n}" t="s"><v>0</v></c></row>' for n in range(1, 3000))
    refused(read, book(cells, **{SHARED: shared}), "characters, found up to 2,99")


@pytest.mark.parametrize(
    "before",
    [
        '<!DOCTYPE w [<!ENTITY x "y">]>',
        '<!DOCTYPE w SYSTEM "http://127.0.0.1/x.dtd">',
        '<!DOCTYPE w [<!ENTITY x SYSTEM "file:///etc/passwd">]>',
    ],
)
def test_entities_are_refused(read, before):
    refused(read, zipped({SHEET: before + sheet(HEADER)}), "found a DTD")


def test_other_encodings_are_refused(read):
    """They could hide a DTD or a reference."""
    refused(read, zipped({SHEET: sheet(HEADER).encode("utf-16")}), "another encoding")


@pytest.mark.parametrize(
    "rows",
    [
        '<row r="1"><c r="A1" t="s"><v>99</v></c></row>',
        '<row r="1"><c r="A1"><v>1</v>',
        '<row r="0"><c r="A0"><v>1</v></c></row>',
        '<row r="1"><c r="A"><v>1</v></c></row>',
        f'<row r="1">{text("A1", "&lol;")}</row>',
    ],
)
def test_broken_sheets_are_refused_in_words(read, rows):
    refused(read, book(rows), "expected an Excel workbook")


def test_every_cut_and_flipped_byte_is_read_or_refused_in_words(read):
    content = workbook((("a", "b"), (1, "x"), (2, "y")))
    for at in range(0, len(content), 7):
        for damaged in (
            content[:at],
            content[:at] + bytes([content[at] ^ 0x55]) + content[at + 1 :],
        ):
            try:
                table = read(damaged)
            except ReadError:
                continue
            assert all(len(row) == len(table.columns) for row in table.rows)


def test_no_file(tmp_path):
    with pytest.raises(ReadError, match="no longer there"):
        read_workbook(tmp_path / "none.xlsx")

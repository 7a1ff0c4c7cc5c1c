"""Text tables as people and programs save them."""

import csv

import pytest

from napari_chest.errors import ReadError
from napari_chest.files.table import Table, read_table

COLUMNS = ("Label Index", "Diagnosis", "Folder/ID")
ROWS = (("0", "COVID-19", "P001"), ("4", "CAP", "cap001"))
PLAIN = "Label Index,Diagnosis,Folder/ID\r\n0,COVID-19,P001\r\n4,CAP,cap001"
EXPECTED = Table(COLUMNS, ROWS)


@pytest.fixture
def read(tmp_path):
    def read(content):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path)

    return read


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-bom", "utf-16-be-bom", "latin-1"]
)
def test_encodings(read, encoding):
    marks = {"utf-16-le-bom": b"\xff\xfe", "utf-16-be-bom": b"\xfe\xff"}
    text = PLAIN.replace("CAP,", "Lungenentzündung é,")
    content = marks.get(encoding, b"") + text.encode(encoding.removesuffix("-bom"))
    assert read(content).columns == COLUMNS
    assert read(content).rows[1] == ("4", "Lungenentzündung é", "cap001")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_delimiters(read, delimiter):
    assert read(PLAIN.replace(",", delimiter)) == EXPECTED


def test_the_delimiter_is_that_of_the_header(read):
    text = "a;b\n1,5;2,5\n3,5;4,5,6,7\n"
    assert read(text) == Table(("a", "b"), (("1,5", "2,5"), ("3,5", "4,5,6,7")))


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"])
@pytest.mark.parametrize("final", [True, False])
def test_line_ends(read, end, final):
    assert read(PLAIN.replace("\r\n", end) + (end if final else "")) == EXPECTED


def test_one_column(read):
    assert read("Folder\nP001\nP002") == Table(("Folder",), (("P001",), ("P002",)))


def test_quotes_hold_delimiters_newlines_and_quotes(read):
    text = 'a,b\n"1,\n2","say ""hi"""\n"",""\n'
    assert read(text) == Table(("a", "b"), (("1,\n2", 'say "hi"'),))


def test_short_and_long_rows_get_the_headers_width(read):
    assert read("a,b,c\n1\n1,2\n1,2,3,4\n") == Table(
        ("a", "b", "c"), (("1", "", ""), ("1", "2", ""), ("1", "2", "3"))
    )


def test_blank_lines_and_outer_blanks(read):
    assert read("\n  \n a , b \n\n 1 ,\t2 \n,,\n ; \n3,4\n\n\n").columns == ("a", "b")
    assert read("\n\na,b\n\n1,2\n , \n3,4\n\n").rows == (("1", "2"), ("3", "4"))


def test_header_alone(read):
    assert read("a,b") == Table(("a", "b"), ())


@pytest.mark.parametrize("content", [b"", b"\n\r\n  \n", b"\xef\xbb\xbf", b"\xff\xfe", b",,,\n,"])
def test_empty_files_are_refused(read, content):
    with pytest.raises(ReadError, match="empty file"):
        read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"a,b\n1,2\0\n3,4\n",
        b"\0\0\0\0",
        PLAIN.encode("utf-16-le"),
        b"\xff\xfea\0",
        b"\xff\xfe\xff",
        b"\xff\xfe\x00\xd8a\0",
        b"\xef\xbb\xbf\xff,\xfe",
        b"a,b\n" + b"x" * 200_000 + b",1\n",
        b'"never closed,\n1,2\n' * 3,
        bytes(range(256)),
    ],
)
def test_hostile_content_is_read_or_refused_in_words(read, content):
    try:
        table = read(content)
    except ReadError:
        return
    assert all(len(row) == len(table.columns) for row in table.rows)


def test_fields_beyond_the_limit_are_refused_in_words(read):
    with pytest.raises(ReadError, match=r"line that is none: field larger"):
        read(b"a,b\n" + b"x" * (csv.field_size_limit() + 1) + b",1\n")


def test_find_ignores_case_and_takes_the_first_name_that_is_there(read):
    table = read("folder/id,Diagnosis,FOLDER\n1,2,3")
    assert table.find("Folder/ID", "Folder") == 0
    assert table.find("Folder", "Folder/ID") == 2
    assert table.find("absent") is None
    assert read("a,A,a\n1,2,3").find("A") == 0


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(ReadError, match="no longer there"):
        read_table(tmp_path / "none.csv")
    with pytest.raises(ReadError, match="expected a file"):
        read_table(tmp_path)

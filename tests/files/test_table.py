"""Text tables as people and programs save them."""

import csv
from random import Random

import pytest

from napari_chest.errors import ReadError
from napari_chest.files.table import Table, read_table

COLUMNS = ("Label Index", "Diagnosis", "Folder/ID")
ROWS = (("0", "COVID-19", "P001"), ("4", "CAP", "cap001"))
PLAIN = "Label Index,Diagnosis,Folder/ID\r\n0,COVID-19,P001\r\n4,CAP,cap001"
EXPECTED = Table(COLUMNS, ROWS)


@pytest.fixture
def read(tmp_path):
    def read(content, delimiter=None):
        path = tmp_path / "table.csv"
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return read_table(path, delimiter)

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


def test_a_given_delimiter_stands_whatever_the_header_looks_like(read):
    text = "a, b, c\td\n1,2\t3\n"
    assert read(text, "\t") == Table(("a, b, c", "d"), (("1,2", "3"),))
    assert read("subject\nS1\nS2\n", "\t") == Table(("subject",), (("S1",), ("S2",)))
    assert read(text, ";").columns == ("a, b, c\td",)


def test_the_header_may_begin_with_an_empty_name(read):
    assert read("\ta\tb\n0\t1\t2\n") == Table(("", "a", "b"), (("0", "1", "2"),))


def test_short_and_long_rows_get_the_headers_width_and_are_named(read):
    assert read("a,b,c\n1\n1,2\n1,2,3\n1,2,3,4\n") == Table(
        ("a", "b", "c"),
        (("1", "", ""), ("1", "2", ""), ("1", "2", "3"), ("1", "2", "3")),
        ragged=(2, 3, 5),
    )


def test_ragged_rows_are_counted_as_a_spreadsheet_counts_them(read):
    text = '\n\na,b\n\n"1\n\nstill one",2\n\n   \n1\n1,2,3\n'
    assert read(text).ragged == (8, 9)
    assert read("a,b\n1,2\n").ragged == ()


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


def test_long_cells_are_read_and_the_csv_modules_limit_is_left_alone(read):
    before = csv.field_size_limit()
    long = "x" * (before + 1)
    assert read(f"a,b\n{long},1\n").rows == ((long, "1"),)
    assert csv.field_size_limit() == before


def test_tabs_and_line_breaks_in_quotes_stay_in_their_cell(read):
    """Lists in the labels of BIMCV's first iteration are separated by tabs within quotes."""
    text = 'ses\tLabels\tCUI\nE1\t"[\'COVID 19\'\t \' mass\']"\t"[C1\tC2]"\nE2\t"a\r\n\nb"\t\n'
    assert read(text, "\t") == Table(
        ("ses", "Labels", "CUI"),
        (("E1", "['COVID 19'\t ' mass']", "[C1\tC2]"), ("E2", "a\r\n\nb", "")),
    )


def test_nul_characters_are_left_out(read):
    assert read(b"a,b\n1\0,\0002\n\0\0\n3,4\0\n") == Table(("a", "b"), (("1", "2"), ("3", "4")))
    assert read(PLAIN.encode("utf-16-le")) == EXPECTED  # without its byte order mark
    assert read(PLAIN.encode("utf-16-be")) == EXPECTED


# Quotes that are never closed


@pytest.mark.parametrize("at", [0, 1, 5, 498, 499])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_lone_quote_costs_no_other_row(read, at, end):
    rows = [[str(n), f"report {n}"] for n in range(500)]
    rows[at][1] = f'"{rows[at][1]}'
    text = end.join(["id;report", *(";".join(row) for row in rows)]) + end
    assert read(text).rows == tuple(tuple(row) for row in rows)
    assert read(text.removesuffix(end)).rows == tuple(tuple(row) for row in rows)


def test_the_row_of_a_lone_quote_is_cut_at_every_delimiter(read):
    far = "\n5,6" * 300
    table = read(f'a,b\n"1,2"",3,4{far}\n"7,8",9')
    assert table.rows[0] == ('"1', '2""')
    assert table.rows[1:] == (("5", "6"),) * 300 + (("7,8", "9"),)
    assert table.ragged == (2,)


def test_a_cell_may_have_200_lines_and_no_more(read):
    def rows(lines):
        cell = "\n".join(["line"] * lines)
        return read(f'a\n"{cell}"\nnext\n').rows

    assert rows(200) == (("\n".join(["line"] * 200),), ("next",))
    assert rows(201)[0] == ('"line',)
    assert len(rows(201)) == 202


def test_after_twenty_lone_quotes_every_quote_is_text(read):
    block = '"lone,1\n' + "2,3\n" * 250
    table = read("a,b\n" + block * 30 + '"4",5\n')
    assert len(table.rows) == 30 * 251 + 1
    assert [n for n, row in enumerate(table.rows) if row[0] == '"lone'] == list(range(0, 7530, 251))
    assert table.rows[-1] == ('"4"', "5")
    assert table.ragged == ()


def test_a_quote_on_every_line_is_no_endless_work(read):
    """Whichever quote is taken as the first, no row would end before the file does."""
    assert len(read("a,b\n" + 'x","\n' * 20_000).rows) == 20_000


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


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_what_the_csv_module_writes_is_read_as_it_was(tmp_path, delimiter):
    random = Random(7)
    parts = ["a", "é", '"', '""', "\n", ",", ";", "\t", "|", "'", "[", "x y"]
    cells = ["".join(random.choices(parts, k=random.randrange(1, 8))) for _ in range(4 * 300)]
    rows = [tuple(f"<{cell}>" for cell in cells[at : at + 4]) for at in range(0, len(cells), 4)]
    path = tmp_path / "table.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, delimiter=delimiter).writerows([("a", "b", "c", "d"), *rows])
    assert read_table(path, delimiter) == Table(("a", "b", "c", "d"), tuple(rows))

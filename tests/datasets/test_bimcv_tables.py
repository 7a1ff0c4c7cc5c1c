"""BIMCV COVID-19: cells, tables, what is told about a case, corrected labels."""

import csv
import json
from pathlib import Path

import bimcv_sample as sample
import pytest
from bimcv_sample import (
    CORRECTED,
    CR,
    CR_ROI,
    CR_UID,
    DX,
    HEAD,
    LABELS,
    SUBJECTS,
    TESTS,
    TREE,
    group,
    reading,
    rows,
    save_radiograph,
    told,
    with_answer,
    write,
)

from napari_chest import open_dataset
from napari_chest.changes import AnswerChange
from napari_chest.datasets.bimcv.cells import parse_list, parse_slots, plain_number, write_list
from napari_chest.datasets.bimcv.labels import read_labels
from napari_chest.datasets.bimcv.tables import iso_date
from napari_chest.datasets.bimcv.tree import parse_tree
from napari_chest.errors import ChangedOnDiskError, ReadError, SaveError


@pytest.fixture
def root(tmp_path):
    """A dataset of its own for each test; there are no corrected labels."""
    folder = tmp_path / "bimcv"
    sample.build(folder)
    (folder / CORRECTED).unlink()
    return folder


@pytest.fixture
def dataset(root):
    return open_dataset(root)


@pytest.fixture
def out(tmp_path):
    return tmp_path / "out"


# Cells and tables


@pytest.mark.parametrize(
    ("cell", "items"),
    [
        ("['COVID 19', ' consolidation', '']", ("COVID 19", "consolidation")),
        ("['COVID 19'\t ' consolidation']", ("COVID 19", "consolidation")),
        ("[C1\tC2]", ("C1", "C2")),
        ("['COVID 19', ' conso", ("COVID 19", "conso")),
        ("['COVID 19', ", ("COVID 19",)),
        ("['a\\", ("a",)),
        ("[[80]]", ("80",)),
        ("[80, 83]", ("80", "83")),
        ("[['chest']]", ("chest",)),
        ("[\"l'apex\", 'a\\'b']", ("l'apex", "a'b")),
        ("['uno\\ndos']", ("uno\ndos",)),
        ("['a, b', 'c']", ("a, b", "c")),
        ("CT", ("CT",)),
        *((nothing, ()) for nothing in ("", "nan", "None", "[]", "[", "['']", "[nan]", "[,]")),
    ],
)
def test_lists_in_cells(cell, items):
    assert parse_list(cell) == items


def test_empty_slots_keep_concepts_beside_their_labels():
    assert parse_slots("[C1,,C2]") == ("C1", "", "C2")
    assert parse_slots("[C1,C2,]") == ("C1", "C2", "")
    assert parse_slots("['a', '', 'b']") == ("a", "", "b")


@pytest.mark.parametrize("separator", [",", "\t"])
@pytest.mark.parametrize("items", [(), ("a",), ("a", "b's", "c\\d"), ("é", "x, y")])
def test_written_lists_are_read_back(separator, items):
    assert parse_list(write_list(items, separator)) == items


def test_lists_are_written_as_the_releases_do():
    assert write_list(("COVID 19", "consolidation")) == "['COVID 19', ' consolidation']"
    assert write_list(("C1", "", "C2"), "\t", quote="") == "[C1\t\tC2]"


@pytest.mark.parametrize(
    ("cell", "date"),
    [
        ("21.03.2020", "2020-03-21"),
        ("1/3/2020", "2020-03-01"),
        ("20200321", "2020-03-21"),
        ("20200321.0", "2020-03-21"),
        ("2020-03-21 10:00", "2020-03-21"),
        ("nan", ""),
        ("", ""),
        ("spring", "spring"),
    ],
)
def test_dates(cell, date):
    assert iso_date(cell) == date


def test_numbers_that_passed_through_pandas():
    assert [plain_number(c) for c in ("20200317.0", "7", "NaN", "2.5")] == [
        "20200317", "7", "", "2.5",
    ]  # fmt: skip


def labels_of(tmp_path, text):
    write(tmp_path / "labels.tsv", text)
    return read_labels(tmp_path, ["labels.tsv"])


def test_several_reports_of_a_session_are_one_answer(tmp_path):
    found = labels_of(
        tmp_path,
        f"{sample.COLUMNS}\n"
        "0\tsub-S1\tses-E1\tuno\t['a', ' b']\t['x']\t\t[C1,C2]\t\n"
        "1\tsub-S1\tses-E1\tdos\t['b', ' c']\t['x', 'y']\t\t[C2,,C3]\t\n"
        "2\tsub-S2\tses-E1\tnan\t['b'\t\t\t\t\n",
    )
    assert found.of(("s1", "e1")) == ("a", "b", "c")
    assert found.localizations_of(("s1", "e1")) == ("x", "y")
    assert found.cuis == {"a": "C1", "b": "C2", "c": "C3"}
    assert found.vocabulary == ("b", "a", "c")
    assert found.rows["s2", "e1"][0].report == ""


def test_ragged_rows_are_counted(tmp_path):
    text = f"{sample.COLUMNS}\n0\tsub-S1\tses-E1\tuno\t['a']\n" + "\t" * 12 + "x\n"
    (problem,) = labels_of(tmp_path, text).problems
    assert problem.level == "warning"
    assert "2 rows" in problem.text
    assert "row 2, 3" in problem.text


def test_labels_table_of_another_kind_is_told(tmp_path):
    (problem,) = labels_of(tmp_path, "a\tb\n1\t2\n").problems
    assert problem.level == "error"
    assert "found a, b" in problem.text


def test_latin_1_table_is_read(root):
    content = (root / LABELS).read_bytes()
    write(root / LABELS, content.replace(b"torax", "tórax".encode("latin-1")))
    rows = group(open_dataset(root), "Report")
    assert rows[0] == ("", "Rx de tórax, con consolidacion.")


# About a case


def test_report(dataset):
    assert group(dataset, "Report") == [
        ("", "Rx de torax, con consolidacion."),
        ("Evaluation", "Rx de torax.\nSin derrame."),
        ("Evaluation", "Control."),
    ]


def test_labels_stand_in_their_tree(dataset, root):
    assert group(dataset, "Labels") == [
        ("radiological finding", ""),
        ("  infiltrates", ""),
        ("    consolidation", "C0521530"),
        ("differential diagnosis", ""),
        ("  COVID 19", "C5203670"),
    ]
    (root / TREE).unlink()
    assert group(open_dataset(root), "Labels") == [
        ("COVID 19", "C5203670"),
        ("consolidation", "C0521530"),
    ]


def test_tree_is_parsed_line_by_line():
    terms = parse_tree("junk\n" + sample.TREE_TEXT + "│" * 10_000 + "\n")
    assert [(t.label, t.cui, t.above) for t in terms][2:4] == [
        ("interstitial pattern", "C2073538", ("radiological finding", "infiltrates")),
        ("consolidation", "C0521530", ("radiological finding", "infiltrates")),
    ]
    assert len(terms) == 7


def test_tests_over_time(dataset):
    assert group(dataset, "Tests over time") == [
        ("2020-03-02", "PCR NEGATIVO"),
        ("2020-03-21", "PCR POSITIVO"),
    ]


def test_tests_of_later_releases(root):
    write(
        root / TESTS,
        "participant\tdate\ttest\tresult\nS00001\t20200402\tIGG\tPOSITIVO\n",
    )
    assert group(open_dataset(root), "Tests over time") == [("2020-04-02", "IGG POSITIVO")]


def test_odd_cells_of_sessions_and_participants(root):
    write(
        root / SUBJECTS / "sub-S00001/sub-S00001_sessions.tsv",
        "session_id\tstudy_date\tmedical_evaluation\n"
        "ses-E00001\tnan\tnan\tmore\nses-E00002\t20200101\t['other']\n",
    )
    write(
        root / HEAD / "participants.tsv",
        "participant\tmodality_dicom\tbody_parts\tage\tgender\n"
        "derivatives\t\t\t[1]\tM\nsub-S00001\t['CR'\t[['chest']]\t[80.0, nan]\tNone\n",
    )
    dataset = open_dataset(root)
    assert group(dataset, "Report") == [("", "Rx de torax, con consolidacion.")]
    facts = dict(group(dataset, "Image"))
    assert "Study date" not in facts
    assert "Sex" not in facts
    assert facts["Age"] == "80"


def test_table_that_cannot_be_read_is_told(root):
    for name in (TESTS, f"{HEAD}/participants.tsv"):
        write(root / name, "a\tb\n1\t2\n")
    (root / LABELS).write_bytes(b"")
    dataset = open_dataset(root)
    problems = dataset.problems()
    assert {name for problem in problems for name in problem.files} == {
        TESTS,
        f"{HEAD}/participants.tsv",
        LABELS,
    }
    assert len(dataset.cases()) == 3


def test_image_facts_name_nobody(dataset):
    rows = dict(group(dataset, "Image"))
    assert rows["View"] == "AP"
    assert rows["Photometric interpretation"] == "MONOCHROME1"
    assert rows["Study date"] == "2020-03-21"
    assert rows["Manufacturer"] == "Philips"
    assert rows["Sex"] == "male"
    shown = json.dumps([[one.title, one.rows] for one in dataset.about(CR)])
    assert "284108" not in shown
    assert CR_UID not in shown


def test_files_and_partition_lists(root):
    write(
        root / HEAD / "derivatives/partitions.tsv",
        "a\tb\tc\nsub-S00001\tses-E00001\t./sub-S00001/ses-E00001/" + Path(CR).name + "\n",
    )
    rows = dict(group(open_dataset(root), "Files"))
    assert rows["ROI file"] == CR_ROI
    assert rows["Partition"] == "positive"
    assert rows["Listed in partitions.tsv as"].endswith(f"ses-E00001/{Path(CR).name}")


def test_second_image_of_a_session_names_the_first(root):
    second = (root / CR).with_name(Path(CR).name.replace("run-1", "run-2"))
    save_radiograph(second, "1.2.3.4")
    dataset = open_dataset(root)
    case = dataset.cases()[1].id
    assert case.endswith("run-2_bp-chest_vp-ap_cr.png")
    assert reading(dataset, case).answers == {}
    assert group(dataset, "Labels", case)[-1] == ("Corrected with", "S00001 E00001 run-1 AP")
    with pytest.raises(SaveError, match="S00001 E00001 run-1 AP"):
        dataset.write(case, [with_answer(reading(dataset, case), "x")], root)


# Writing labels


def test_corrected_labels_go_to_a_table_of_their_own(dataset, root, out):
    before = (root / LABELS).read_bytes()
    answer = ("COVID 19", "interstitial pattern", "made up")
    (path,) = dataset.write(CR, [with_answer(reading(dataset), *answer)], out)
    assert path == out / CORRECTED
    assert not (out / LABELS).exists()
    assert (root / LABELS).read_bytes() == before
    assert path.read_bytes().decode() == (
        f"{sample.COLUMNS}\n"
        "0\tsub-S00001\tses-E00001\tRx de torax, con consolidacion.\t"
        "\"['COVID 19'\t ' interstitial pattern'\t ' made up']\"\t"
        "\"[' loc right'\t ' loc lower lobe']\"\t[]\t"
        '"[C5203670\tC2073538\t]"\t"[C1\tC2]"\n'
    )
    assert reading(dataset, at=out).answers == {"findings": answer}
    assert reading(dataset).answers == {"findings": ("COVID 19", "consolidation")}
    (change,) = dataset.compare(root, out)
    assert change.reading.answers == (
        AnswerChange("findings", ("COVID 19", "consolidation"), answer),
    )


def test_comma_tables_are_corrected_with_commas(root):
    text = (root / LABELS).read_bytes().decode().replace("'\t '", "', '").replace("0\tC", "0,C")
    write(root / LABELS, text)
    dataset = open_dataset(root)
    dataset.write(CR, [with_answer(reading(dataset), "COVID 19", "normal")], root)
    assert rows(root / CORRECTED)[1][4] == "['COVID 19', ' normal']"
    assert rows(root / CORRECTED)[1][7] == "[C5203670,C0205307]"


def test_without_labels_table_the_documented_columns_are_written(root):
    (root / LABELS).unlink()
    dataset = open_dataset(root)
    assert reading(dataset).answers == {}
    (question,) = dataset.questions
    assert "Crazy paving" in question.choices
    dataset.write(CR, [with_answer(reading(dataset), "Consolidation")], root)
    head, row, _ = rows(root / CORRECTED)
    assert "\t".join(head) == sample.COLUMNS
    assert row == [
        "",
        "sub-S00001",
        "ses-E00001",
        "",
        "['Consolidation']",
        "",
        "",
        "[C0521530]",
        "",
    ]
    assert reading(open_dataset(root)).answers == {"findings": ("Consolidation",)}


def test_no_findings_is_an_answer(dataset, root):
    dataset.write(CR, [with_answer(reading(dataset))], root)
    assert reading(open_dataset(root)).answers == {"findings": ()}


def test_correction_taken_back_takes_its_row_along(dataset, root):
    found = reading(dataset)
    dataset.write(CR, [with_answer(found, "normal")], root)
    dataset.write(DX, [with_answer(reading(dataset, DX), "COVID 19")], root)
    assert len(rows(root / CORRECTED)) == 4
    again = open_dataset(root)
    again.write(CR, [with_answer(found, "COVID 19", "consolidation")], root)
    assert [row[1] for row in rows(root / CORRECTED)[:-1]] == ["PatientID", "sub-S00002"]
    assert reading(open_dataset(root)).answers == {"findings": ("COVID 19", "consolidation")}
    assert reading(open_dataset(root), DX).answers == {"findings": ("COVID 19",)}


def test_other_corrections_keep_their_bytes(root):
    foreign = b"9\tsub-S00009\tses-E00009\t\"a\nb\"\t[ 'x' ]\t\t\t\t\r\n"
    write(root / CORRECTED, f"{sample.COLUMNS}\n".encode() + foreign.rstrip(b"\r\n"))
    dataset = open_dataset(root)
    dataset.write(CR, [with_answer(reading(dataset), "normal")], root)
    assert foreign.rstrip(b"\r\n") + b"\n" in (root / CORRECTED).read_bytes()
    assert reading(open_dataset(root)).answers == {"findings": ("normal",)}


def test_our_table_is_no_released_one(dataset, root):
    dataset.write(CR, [with_answer(reading(dataset), "made up")], root)
    again = open_dataset(root)
    assert "made up" in again.questions[0].choices
    assert again.questions[0].choices[0] == "COVID 19"
    again.write(CR, [with_answer(reading(again), "COVID 19", "consolidation")], root)
    assert "made up" not in open_dataset(root).questions[0].choices


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"a\tb\n",
        b"\xff\xfe\x00",
        sample.COLUMNS.encode() + b"\n0\tsub-S00001\n",
        sample.COLUMNS.encode() + b"\n" + b"0\tsub-S00001\tses-E00001\t\t[]\t\t\t\t\n" * 2,
    ],
)
def test_broken_corrections_are_told_and_not_written_over(root, content):
    write(root / CORRECTED, content)
    dataset = open_dataset(root)
    assert told(dataset.problems(), "Corrected labels are not shown").level == "error"
    assert reading(dataset).answers == {"findings": ("COVID 19", "consolidation")}
    with pytest.raises(SaveError, match="Corrected labels"):
        dataset.write(CR, [with_answer(reading(dataset), "normal")], root)
    assert (root / CORRECTED).read_bytes() == content


def test_table_that_changed_after_the_list_was_made_is_not_written_over(root, out):
    """What the list told of the labels is as old as the list."""
    write(root / CORRECTED, sample.corrected_text())
    dataset, other = open_dataset(root), open_dataset(root)
    assert dataset.cases()[0].facts["Findings"] == "1"
    other.write(DX, [with_answer(reading(other, DX), "COVID 19")], root)
    content = (root / CORRECTED).read_bytes()
    with pytest.raises(ChangedOnDiskError, match="labels_corrected"):
        dataset.write(CR, [with_answer(reading(dataset), "normal")], root)
    assert (root / CORRECTED).read_bytes() == content


def test_corrections_that_lead_out_are_neither_read_nor_carried(root, out, tmp_path):
    secret = tmp_path / "secret.tsv"
    secret.write_text(sample.corrected_text())
    (root / CORRECTED).symlink_to(secret)
    dataset = open_dataset(root)
    assert reading(dataset).answers == {"findings": ("COVID 19", "consolidation")}
    told(dataset.problems(), "lead out")
    dataset.write(CR, [reading(dataset)], out)
    assert not (out / CORRECTED).exists()


def test_what_a_foreign_table_holds_is_told_in_short(root):
    for path in (CORRECTED, LABELS, f"{HEAD}/participants.tsv"):
        write(root / path, "a report " * 10_000)
    dataset = open_dataset(root)
    for word in ("Corrected labels are not shown", "The labels of this table", "names the subject"):
        assert len(told(dataset.problems(), word).text) < 600


def test_report_with_a_lone_carriage_return_is_kept(root, out):
    text = (root / LABELS).read_text()
    write(root / LABELS, text.replace("Rx de torax, con consolidacion.", '"Rx de\rtorax"'))
    dataset = open_dataset(root)
    dataset.write(CR, [with_answer(reading(dataset), "normal")], out)
    assert reading(dataset, at=out).answers == {"findings": ("normal",)}
    with (out / CORRECTED).open(newline="") as file:
        assert [row[3] for row in csv.reader(file, delimiter="\t")] == ["Report", "Rx de\rtorax"]


@pytest.mark.parametrize(
    ("was", "now"),
    [
        ("Sin hallazgos", "Con hallazgos"),  # of a row that is not corrected
        ("Rx de torax", "Rx del torax"),
        ("\tLocalizations\t", "\tLugares\t"),
    ],
)
def test_compare_refuses_other_cells_than_those_of_labels(root, out, was, now):
    write(root / CORRECTED, sample.corrected_text())
    dataset = open_dataset(root)
    dataset.write(CR, [with_answer(reading(dataset), "normal")], out)
    assert len(dataset.compare(root, out)) == 1
    write(out / CORRECTED, (out / CORRECTED).read_text().replace(was, now, 1))
    with pytest.raises(ReadError, match=r"its columns changed|more than the labels"):
        dataset.compare(root, out)


def test_choices_are_the_tables_labels_by_frequency(dataset):
    (question,) = dataset.questions
    assert question.several
    assert question.key == "findings"
    assert question.choices == ("COVID 19", "consolidation", "normal")

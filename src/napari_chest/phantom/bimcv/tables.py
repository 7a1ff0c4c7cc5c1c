"""The tables of the synthetic BIMCV COVID-19, in the shape of each release."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from napari_chest.phantom.bimcv.cases import PERSONS, session_id, subject_id

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from napari_chest.phantom.bimcv.layout import Release

_WORDS = {1: "ground glass pattern", 2: "consolidation"}
_CODES = {
    "COVID 19": "C5203670",
    "normal": "C0205307",
    "ground glass pattern": "C3544344",
    "consolidation": "C0521530",
    "loc right": "C0444532",
    "loc left": "C0443246",
    "loc bilateral": "C0238767",
}
_SPANISH = {
    1: "Se aprecian opacidades en vidrio deslustrado de predominio periférico, {side}.",
    2: "Áreas de aumento de densidad con borramiento vascular que sugieren consolidación, {side}.",
}
_SIDES = {
    "loc right": "en el hemitórax derecho",
    "loc left": "en el hemitórax izquierdo",
    "loc bilateral": "en ambos hemitórax",
}
_HEALTHY = "Sin opacidades pulmonares. Senos costofrénicos libres. Silueta cardíaca normal."
_LABELS = (
    "",  # the index of the program that wrote it
    "PatientID",
    "ReportID",
    "Report",
    "Labels",
    "Localizations",
    "LabelsLocalizationsBySentence",
    "labelCUIS",
    "LocalizationsCUIS",
)
_TESTS = (("PCR", "POSITIVO"), ("IGG", "NEGATIVO"), ("PCR", "INDETERMINADO"), ("ACT", "NEGATIVO"))


@dataclass(frozen=True)
class Session:
    """What the tables say of one session.

    Attributes
    ----------
    subject, number : of the patient and of the session.
    modality : of its images.
    date : ``YYYYMMDD``.
    findings : opacity numbers that its label row names.
    side : where they are: ``loc right``, ``loc left`` or ``loc bilateral``.
    files : its images' file names.
    """

    subject: int
    number: int
    modality: str
    date: str
    findings: tuple[int, ...]
    side: str
    files: tuple[str, ...]

    @property
    def report(self) -> str:
        """The report in Spanish."""
        sentences = [_SPANISH[kind].format(side=_SIDES[self.side]) for kind in self.findings]
        return "Tórax. " + (" ".join(sentences) or _HEALTHY)

    def labels(self, positive: bool) -> list[str]:
        """The terms of its label row."""
        terms = ["COVID 19"] if positive and self.findings else []
        return terms + [_WORDS[kind] for kind in self.findings] or ["normal"]


def side_of(lobes: Iterable[str]) -> str:
    """The term for where findings in these lobes are."""
    sides = {lobe[0] for lobe in lobes}
    return "loc bilateral" if len(sides) > 1 else {"L": "loc left", "R": "loc right"}[sides.pop()]


def labels_table(sessions: Sequence[Session], release: Release, quirks: bool) -> str:
    """The labels; lists are parted by TAB in iteration 1."""
    positive = release != "negative"
    rows = []
    for session in sessions:
        rows.append(_label_row(session, session.report, positive))
        if session.number == 1:  # a second report on the same images
            rows.append(_label_row(session, "Control sin cambios respecto al previo.", positive))
    if quirks:
        rows[-1][2] = ""
        rows[-1][3] = rows[-1][3][:-7]  # cut off in the middle of a list
        rows.append([subject_id(6), session_id(99), *rows[0][2:]])  # of no image
    table = [[str(number), *row] for number, row in enumerate(rows)]
    if release == "iteration-1":
        table = [row[:4] + [cell.replace(",", "\t") for cell in row[4:]] for row in table]
    return _tsv([_LABELS, *table])


def _label_row(session: Session, report: str, positive: bool) -> list[str]:
    labels = session.labels(positive)
    sides = [session.side] if session.findings else []
    padded = [labels[0], *(f" {label}" for label in labels[1:]), ""]
    return [
        subject_id(session.subject),
        session_id(session.number),
        report,
        repr(padded),
        repr(sides),
        repr([[label, *sides] for label in labels]),
        _cuis(labels),
        _cuis(sides),
    ]


def _cuis(terms: Iterable[str]) -> str:
    return f"[{','.join(_CODES[term] for term in terms)}]"


def tests_table(release: Release, subjects: Collection[int]) -> str:
    """The laboratory tests, with the columns of the release."""
    first = release == "iteration-1"
    header = ("participant", "Subject", "fecha", "prueba", "resultado")
    rows: list[Sequence[str]] = [header if first else ("participant", "date", "test", "result")]
    for subject in subjects:
        for day in range(1 + subject % 2):
            date = f"{10 + subject + 7 * day:02d}.03.2020"
            test, result = _TESTS[0 if day == 0 else subject % len(_TESTS)]
            number = [str(subject)] if first else []
            rows.append([subject_id(subject), *number, date, test, result])
    return _tsv(rows)


def participants_table(sessions: Sequence[Session]) -> str:
    """The patients, with a row for the folder of derivatives as it was published."""
    rows: list[Sequence[str]] = [("participant", "modality_dicom", "body_parts", "age", "gender")]
    for subject, person in PERSONS.items():
        found = sorted({s.modality for s in sessions if s.subject == subject})
        rows.append(
            [subject_id(subject), repr(found), "[['chest']]", f"[{person.age}]", person.sex]
        )
    rows.append(("derivatives", "[]", "[[]]", "[]", "None"))
    return _tsv(rows)


def sessions_table(sessions: Iterable[Session]) -> str:
    """The sessions of one patient."""
    rows: list[Sequence[str]] = [("session_id", "study_date", "medical_evaluation")]
    rows += [(session_id(s.number), s.date, repr([s.report + "\n"])) for s in sessions]
    return _tsv(rows)


def scans_table(sizes: Mapping[str, tuple[int, int]], modality: str) -> str:
    """The images of one session; ``sizes`` are rows and columns by file name."""
    header = ("filename", "Modality (0008,0060)", "Rows (0028,0010)", "Columns (0028,0011)")
    rows = [(f"mod-rx/{name}", modality, str(r), str(c)) for name, (r, c) in sizes.items()]
    return _tsv(
        [(*header, "Image Type (0008,0008)"), *((*row, "ORIGINAL\\PRIMARY") for row in rows)]
    )


def partitions_table(sessions: Iterable[Session], negative: bool) -> str:
    """Every image; the header's names are in the wrong order, and negative paths lack a folder."""
    folder = "" if negative else "mod-rx/"
    rows: list[Sequence[str]] = [("filepath", "subject", "session")]
    for session in sessions:
        subject, number = subject_id(session.subject), session_id(session.number)
        rows += [
            (subject, number, f"./{subject}/{number}/{folder}{name}") for name in session.files
        ]
    return _tsv(rows)


def term_tree(sessions: Sequence[Session], positive: bool) -> str:
    """The tree of terms with how often each occurs, one line a node, as free text."""
    lists = [session.labels(positive) for session in sessions]
    lines = [f"root[CUI:, counts:0, {len(lists)}]\\\\"]
    terms = sorted({label for labels in lists for label in labels})
    for number, term in enumerate(terms):
        branch = "└──" if number == len(terms) - 1 else "├──"
        count = sum(term in labels for labels in lists)
        lines.append(f"{branch}{term} [CUI:{_CODES[term]}, counts:{count}, {count}]\\\\")
    return "".join(f"{line}\n" for line in lines)


def joined_table() -> str:
    """Patients who are in both partitions."""
    return _tsv([("label", "covid19_neg", "covid19_posi"), ("0", subject_id(2), subject_id(90002))])


def _tsv(rows: Iterable[Sequence[str]]) -> str:
    return "".join("\t".join(map(_cell, row)) + "\n" for row in rows)


def _cell(text: str) -> str:
    if any(sign in text for sign in '\t"\n\r'):
        return '"' + text.replace('"', '""') + '"'
    return text

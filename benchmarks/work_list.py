"""How long the work list of 100 to 10,000 cases takes to open, to filter and to follow an act.

The same cases are shown by our list and by a plain ``QSortFilterProxyModel`` over a table model in
Python, both in a table of the same size that is drawn until nothing is left to draw. An act is one
decision about one of three readers' works, until its row shows it; the progress of all readers and
the time remaining are counted over all cases, which the window does a moment later.
Medians of several runs in ms; one JSON line a figure.

Run it on a screen, real or virtual: ``make bench``.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import numpy as np
from qtpy.QtCore import QAbstractTableModel, QModelIndex, QSortFilterProxyModel, Qt
from qtpy.QtWidgets import QApplication, QTableView

from napari_chest.model import CaseInfo
from napari_chest.review.acts import Decide
from napari_chest.review.book import Book, Snapshot
from napari_chest.review.words import STATES, Work, WorkKey
from napari_chest.ui.case_filter import ALL, Choice
from napari_chest.ui.widgets.case_list import CaseList
from napari_chest.ui.widgets.progress_strip import ProgressStrip
from napari_chest.ui.worklist import progress, remaining, work_rows

if TYPE_CHECKING:
    from collections.abc import Callable

GOALS_MS = {
    "open": 1000,
    "search": 50,
    "filter": 50,
    "sort": None,
    "act": 50,
    "progress": 50,
    "next": 50,
}
READERS = ("Anna", "Ben", "Cleo")
FACTS = ("Diagnosis", "Labels", "Scanner", "Age")
SIZE = (320, 400)
WORDS = "cap 7"


def make_cases(number: int) -> list[CaseInfo]:
    """Cases as a dataset tells of them."""
    kinds = ("COVID-19", "CAP", "Normal")
    return [
        CaseInfo(
            f"subjects/P{n:05}",
            f"P{n:05}",
            "CT",
            {
                "Diagnosis": kinds[n % 3],
                "Labels": f"{n % 90} infected",
                "Scanner": f"S{n % 5}",
                "Age": f"{n % 80}",
            },
        )
        for n in range(number)
    ]


def make_book(cases: list[CaseInfo]) -> Book:
    """Every reader has begun with every case, and is somewhere with it."""
    random = np.random.default_rng(0)
    states = random.choice(len(STATES), (len(cases), len(READERS)))
    now = datetime.now(UTC)
    works = tuple(
        Work(WorkKey(0, case.id, reader), STATES[state], seconds=200, version=1, by=reader, at=now)
        for case, row in zip(cases, states, strict=True)
        for reader, state in zip(READERS, row, strict=True)
    )
    people = dict.fromkeys(READERS, "reader") | {"Dora": "adjudicator"}
    return Book(Snapshot(people=people, works=works))


class Ours:
    """The work list with its progress."""

    def __init__(self, cases: list[CaseInfo], book: Book) -> None:
        self.cases, self.book = cases, book
        self.list, self.strip = CaseList(), ProgressStrip()
        self.list.add_below(self.strip)
        self.list.resize(*SIZE)
        self.list.show()
        draw()

    def open(self) -> None:
        ids = [case.id for case in self.cases]
        self.list.show_cases(self.cases, FACTS)
        self.rows = work_rows(self.book, "Anna", 0, ids)
        self.list.set_rows(self.rows)
        self.show_progress()

    def show_progress(self) -> None:
        rows = self.rows.values()
        self.strip.show_progress(progress(rows, "Anna"), remaining(rows))

    def act(self) -> None:
        """Somebody's work goes on by one state."""
        case = self.cases[len(self.cases) // 2].id
        work = self.book.work(0, case, "Ben")
        state = "approved" if work.state != "approved" else "submitted"
        decided = Decide(who="Dora", case=case, reader="Ben", state=state, seen=work.version)
        self.book = self.book.with_act(decided)
        new = work_rows(self.book, "Anna", 0, [case])
        self.rows |= new
        self.list.update_rows(new)

    def figures(self) -> dict[str, Callable[[], None]]:
        return {
            "open": self.open,
            "search": toggling(self.list.search.setText, WORDS, ""),
            "filter": toggling(self.list.choose, Choice("unreviewed"), ALL),
            "sort": toggling(
                lambda order: self.list.table.sortByColumn(0, order),
                Qt.SortOrder.DescendingOrder,
                Qt.SortOrder.AscendingOrder,
            ),
            "act": self.act,
            "progress": self.show_progress,
            "next": lambda: self.list.unreviewed_after(self.cases[-1].id),
        }


class PlainModel(QAbstractTableModel):
    """The same cells as a plain model has them."""

    def __init__(self, cases: list[CaseInfo], book: Book) -> None:
        super().__init__()
        self.rows = [
            (case.title, book.work(0, case.id, "Anna").state, *case.facts.values())
            for case in cases
        ]

    def rowCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: QModelIndex = QModelIndex()) -> int:  # noqa: B008, N802
        return 0 if parent.isValid() else 2 + len(FACTS)

    def data(self, index: QModelIndex, role: int = Qt.ItemDataRole.DisplayRole) -> str | None:
        shown = role == Qt.ItemDataRole.DisplayRole
        return self.rows[index.row()][index.column()] if shown else None


class Plain:
    """Qt's own filter over it."""

    def __init__(self, cases: list[CaseInfo], book: Book) -> None:
        self.cases, self.book = cases, book
        self.table = QTableView()
        self.proxy = QSortFilterProxyModel()
        self.proxy.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.table.setModel(self.proxy)
        self.table.setSortingEnabled(True)
        self.table.resize(*SIZE)
        self.table.show()
        draw()

    def open(self) -> None:
        self.model = PlainModel(self.cases, self.book)
        self.proxy.setSourceModel(self.model)

    def search(self, text: str) -> None:
        self.proxy.setFilterKeyColumn(-1)
        self.proxy.setFilterFixedString(text)

    def filter(self, text: str) -> None:
        self.proxy.setFilterKeyColumn(1)
        self.proxy.setFilterFixedString(text)

    def figures(self) -> dict[str, Callable[[], None]]:
        return {
            "open": self.open,
            "search": toggling(self.search, WORDS[:3], ""),
            "filter": toggling(self.filter, "progress", ""),
            "sort": toggling(
                lambda order: self.table.sortByColumn(0, order),
                Qt.SortOrder.DescendingOrder,
                Qt.SortOrder.AscendingOrder,
            ),
        }


def toggling(act: Callable, first: object, second: object) -> Callable[[], None]:
    """Do one, then the other, and so on."""
    values = [first, second]

    def go() -> None:
        act(values[0])
        values.reverse()

    return go


def draw() -> None:
    """Until nothing is left to draw."""
    for _ in range(3):
        QApplication.processEvents()


def measure(act: Callable[[], None], runs: int) -> float:
    """Median of the ms that an act and what it draws take, of the slower of there and back."""
    times = []
    for _ in range(runs):
        started = time.perf_counter()
        act()
        draw()
        times.append(1000 * (time.perf_counter() - started))
    return max(statistics.median(times[::2]), statistics.median(times[1::2]))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, nargs="+", default=[100, 1000, 10_000])
    parser.add_argument("--runs", type=int, default=10)
    args = parser.parse_args()
    app = QApplication.instance() or QApplication([])
    for number in args.cases:
        cases = make_cases(number)
        book = make_book(cases)
        ours, plain = Ours(cases, book).figures(), Plain(cases, book).figures()
        for name, act in ours.items():
            took = measure(act, args.runs)
            line = {"figure": name, "cases": number, "ours_ms": round(took, 2)}
            if name in plain:
                line["plain_ms"] = round(measure(plain[name], args.runs), 2)
            goal = GOALS_MS[name]
            if goal is not None:
                line |= {"goal_ms": goal, "met": took <= goal}
            print(json.dumps(line), flush=True)
    app.quit()


if __name__ == "__main__":
    main()

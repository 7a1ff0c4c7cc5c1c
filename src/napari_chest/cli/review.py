"""The review without a window: ``napari-chest review --help``."""

from __future__ import annotations

import getpass
import os
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from napari_chest.datasets import open_dataset
from napari_chest.errors import NotAllowedError, ReadError, SaveError
from napari_chest.files.atomic import write_together
from napari_chest.review.acts import AnyAct, Assign, CloseRound, Decide, Enrol, OpenRound
from napari_chest.review.book import Book
from napari_chest.review.desk import store_place
from napari_chest.review.folder import review_folder
from napari_chest.review.listing import (
    LOG_COLUMNS,
    ROUND_COLUMNS,
    WORK_COLUMNS,
    Row,
    as_csv,
    as_json,
    log_rows,
    round_rows,
    work_rows,
)
from napari_chest.review.naming import clean_name
from napari_chest.review.words import REASONS, STATES

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Sequence

    from napari_chest.datasets import Dataset
    from napari_chest.review.store import Store

    Commands = argparse._SubParsersAction[argparse.ArgumentParser]


def add_review(commands: Commands) -> Commands:
    """Register ``review`` and what it can do; returns where more of that is registered."""
    review = commands.add_parser("review", help="work list, rounds and who may do what")
    jobs = review.add_subparsers(required=True, metavar="JOB")
    _add_tables(jobs)
    _add_acts(jobs)
    return jobs


def add_job(
    jobs: Commands, name: str, run: Callable[[argparse.Namespace], int], text: str
) -> argparse.ArgumentParser:
    """Register something to do with a dataset's review: its path and its store are asked for."""
    job = jobs.add_parser(name, help=text)
    job.add_argument("path", type=Path, help="the dataset's folder, as it was downloaded")
    job.add_argument(
        "--store",
        metavar="ADDRESS",
        help="file or URL of the store (default: $NAPARI_CHEST_STORE, else in the review folder)",
    )
    job.set_defaults(run=run)
    return job


def store_of(options: argparse.Namespace, dataset: Dataset) -> str | Path:
    """Where the store of a dataset is, as far as a command knows."""
    address = options.store or os.environ.get("NAPARI_CHEST_STORE", "")
    return store_place(address, review_folder(dataset.root))


def person_of(options: argparse.Namespace) -> str:
    """Who gives a command: ``--as``, else ``$NAPARI_CHEST_PERSON``, else the login name.

    Raises
    ------
    NotAllowedError
        when nobody can be called so.
    """
    name = options.who or os.environ.get("NAPARI_CHEST_PERSON", "")
    if not name:
        try:
            name = getpass.getuser()
        except (OSError, KeyError, ImportError):  # nobody is logged in, as in some containers
            raise NotAllowedError("Nobody is logged in here. Say who you are: --as NAME") from None
    return clean_name(name)


def _add_tables(jobs: Commands) -> None:
    work = add_job(jobs, "list", _list, "the work list as a table")
    work.add_argument("--mine", metavar="NAME", default="", help="only the work of this reader")
    work.add_argument(
        "--state", action="append", choices=STATES, default=[], help="only this; may be repeated"
    )
    log = add_job(jobs, "log", _log, "who did what, when and why, as a table")
    log.add_argument("--case", metavar="ID", help="only what was done about this case")
    log.add_argument("--after", metavar="N", type=int, default=0, help="only after this number")
    rounds = add_job(jobs, "rounds", _rounds, "the reading rounds as a table")
    for table in (work, log, rounds):
        table.add_argument("--format", choices=("csv", "json"), default="csv")
        table.add_argument("--out", type=Path, help="a file outside the dataset (default: print)")


def _add_acts(jobs: Commands) -> None:
    assign = add_job(jobs, "assign", _assign, "give cases to a reader")
    assign.add_argument("--reader", metavar="NAME", required=True)
    assign.add_argument("--take-back", action="store_true", help="take them back instead")
    cases = assign.add_mutually_exclusive_group(required=True)
    cases.add_argument("--case", metavar="ID", action="append", help="a case; may be repeated")
    cases.add_argument("--all", action="store_true", help="all cases")

    opened = add_job(jobs, "open-round", _open_round, "begin a reading round")
    opened.add_argument("--title", required=True)
    opened.add_argument("--not-blind", action="store_true", help="readers see each other's work")
    opened.add_argument(
        "--start", choices=("scratch", "dataset"), default="scratch", help="how readings begin"
    )
    opened.add_argument(
        "--reader", metavar="NAME", action="append", default=[], help="may be repeated"
    )
    opened.add_argument("--case", metavar="ID", action="append", default=[], help="(default: all)")
    closed = add_job(jobs, "close-round", _close_round, "submit nothing more in a round")

    enrol = add_job(jobs, "enrol", _enrol, "let somebody take part, or in another role")
    enrol.add_argument("--person", metavar="NAME", required=True)
    enrol.add_argument("--role", choices=("reader", "adjudicator"), default="reader")

    decide = add_job(jobs, "decide", _decide, "set a reader's work on a case to a state")
    decide.add_argument("--case", metavar="ID", required=True)
    decide.add_argument("--reader", metavar="NAME", required=True)
    decide.add_argument("--state", choices=STATES[1:], required=True)
    decide.add_argument("--reason", choices=REASONS, default="")
    decide.add_argument("--note", default="")
    decide.add_argument(
        "--seen", metavar="N", type=int, help="the version that was looked at (default: as it is)"
    )
    for job in (assign, decide):
        job.add_argument("--round", metavar="N", type=int, default=0, help="(default: 0, none)")
    closed.add_argument("--round", metavar="N", type=int, required=True)
    for job in (assign, opened, closed, enrol, decide):
        job.add_argument("--as", dest="who", metavar="NAME", help="who does it")


def _list(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    mine = clean_name(options.mine) if options.mine else ""
    rows = work_rows(_book(options, dataset), dataset.cases(), mine, options.state)
    return _put(options, dataset, WORK_COLUMNS, rows)


def _log(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    if options.case is not None:
        _check_cases(dataset, [options.case])
    store = existing_store(options, dataset)
    if store is None:
        return _put(options, dataset, LOG_COLUMNS, [])
    with closing(store):
        rows = log_rows(store.log(options.after, case=options.case))
    return _put(options, dataset, LOG_COLUMNS, rows)


def _rounds(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    return _put(options, dataset, ROUND_COLUMNS, round_rows(_book(options, dataset)))


def _assign(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    cases = tuple(case.id for case in dataset.cases()) if options.all else tuple(options.case)
    _check_cases(dataset, cases)
    person = person_of(options)
    act = Assign(
        who=person, cases=cases, reader=options.reader, round=options.round,
        assigned=not options.take_back,
    )  # fmt: skip
    _do(options, dataset, lambda _: act)
    verb = "taken back from" if options.take_back else "given to"
    print(f"{len(cases)} {'case' if len(cases) == 1 else 'cases'} {verb} {options.reader}")
    return 0


def _open_round(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    _check_cases(dataset, options.case)
    person = person_of(options)

    def act(book: Book) -> OpenRound:
        return OpenRound(
            who=person,
            number=max((one.number for one in book.rounds), default=0) + 1,
            title=options.title,
            blind=not options.not_blind,
            start=options.start,
            readers=tuple(options.reader),
            cases=tuple(options.case),
        )

    print(f"Round {_do(options, dataset, act).number} is open")
    return 0


def _close_round(options: argparse.Namespace) -> int:
    person = person_of(options)
    dataset = open_dataset(options.path)
    _do(options, dataset, lambda _: CloseRound(who=person, number=options.round))
    print(f"Round {options.round} is closed")
    return 0


def _enrol(options: argparse.Namespace) -> int:
    act = Enrol(who=person_of(options), person=options.person, role=options.role)
    _do(options, open_dataset(options.path), lambda _: act)
    print(f"{options.person} takes part as {options.role}")
    return 0


def _decide(options: argparse.Namespace) -> int:
    dataset = open_dataset(options.path)
    person = person_of(options)
    reader = clean_name(options.reader)

    def act(book: Book) -> Decide:
        work = book.work(options.round, options.case, reader)
        if work.key not in book.works:
            _check_cases(dataset, [options.case])
        return Decide(
            who=person, case=options.case, reader=reader, state=options.state, round=options.round,
            seen=work.version if options.seen is None else options.seen, reason=options.reason,
            note=options.note,
        )  # fmt: skip

    _do(options, dataset, act)
    print(f"{options.case} of {reader} is {options.state}")
    return 0


_Act = TypeVar("_Act", bound=AnyAct)


def _do(options: argparse.Namespace, dataset: Dataset, act: Callable[[Book], _Act]) -> _Act:
    """Make an act of how the review stands, and have the store do it."""
    with closing(_opened(options, dataset)) as store:
        made = act(Book(store.snapshot()))
        store.do(made)
    return made


def _opened(options: argparse.Namespace, dataset: Dataset) -> Store:
    from napari_chest.review.store import open_store  # takes long to load

    store = open_store(store_of(options, dataset), dataset.name)
    if store.notice:
        print(f"napari-chest: {store.notice}", file=sys.stderr)
    return store


def existing_store(options: argparse.Namespace, dataset: Dataset) -> Store | None:
    """The store; None where nothing was reviewed yet and nothing has to be made to know it."""
    place = store_of(options, dataset)
    if isinstance(place, Path) and not place.exists():
        return None
    return _opened(options, dataset)


def _book(options: argparse.Namespace, dataset: Dataset) -> Book:
    store = existing_store(options, dataset)
    if store is None:
        return Book()
    with closing(store):
        return Book(store.snapshot())


def _check_cases(dataset: Dataset, cases: Sequence[str]) -> None:
    unknown = set(cases) - {case.id for case in dataset.cases()}
    if unknown:
        raise ReadError(
            dataset.root,
            f"there is no case {', '.join(sorted(unknown)[:5])}. `napari-chest info` lists them.",
        )


def _put(
    options: argparse.Namespace, dataset: Dataset, columns: Sequence[str], rows: list[Row]
) -> int:
    """Write a table into the file that was asked for, or print it."""
    text = as_csv(columns, rows) if options.format == "csv" else as_json(rows)
    data = text.encode(errors="backslashreplace")
    if options.out is None:
        sys.stdout.buffer.write(data)  # as text, its line ends would change on Windows
        return 0
    if options.out.resolve().is_relative_to(dataset.root.resolve()):
        raise SaveError(f"{options.out} lies inside the dataset. Choose a file outside of it.")
    write_together({options.out: data})
    print(f"Wrote {len(rows)} rows to {options.out}")
    return 0

"""The journal's logs as rows of its database."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from napari_chest.review.journal.replay import Log, Row

if TYPE_CHECKING:
    import sqlite3

# The last log is told by where rows stand and not by their time: a clock may have been set back.
_LAST_FIRST = """
SELECT id FROM logs WHERE case_id = ? AND reader = ?
ORDER BY (SELECT rowid FROM moves WHERE log = logs.id ORDER BY seq DESC LIMIT 1) DESC
"""
_LAST_OF_ALL = """
SELECT id, case_id, reader, begun,
    MAX(coalesce((SELECT rowid FROM moves WHERE log = logs.id ORDER BY seq DESC LIMIT 1), 0))
FROM logs
WHERE case_id = coalesce(?, case_id) GROUP BY case_id, reader ORDER BY case_id, reader
"""


def store(connection: sqlite3.Connection, log: Log) -> None:
    """Write the rows of a log that the database does not have yet."""
    tail = connection.execute(
        "SELECT seq, id FROM moves WHERE log = ? ORDER BY seq DESC LIMIT 1", (log.id,)
    ).fetchone()
    first = 0
    if tail is not None:
        first = int(tail[0]) + 1
        if first > len(log.rows) or log.rows[first - 1].id != tail[1]:
            # Another window went on with it: both keep all that they have, each in its own log.
            log.id, first = uuid4().hex, 0
    if first == 0:
        connection.execute(
            "INSERT INTO logs (id, case_id, reader, begun) VALUES (?, ?, ?, ?)",
            (log.id, log.case, log.reader, log.rows[0].at),
        )
    connection.executemany(
        "INSERT INTO moves VALUES (?, ?, ?, ?, ?, ?, ?)",
        (
            (log.id, first + n, row.id, row.kind, row.at, row.encoded(), row.fingerprint)
            for n, row in enumerate(log.rows[first:])
        ),
    )


def of_reading(connection: sqlite3.Connection, case: str, reader: str) -> list[str]:
    """The ids of the logs of a reading, the one that was last written to first."""
    return [str(log) for (log,) in connection.execute(_LAST_FIRST, (case, reader))]


def load(connection: sqlite3.Connection, log_id: str, case: str, reader: str) -> Log:
    """A log of a reading.

    Raises
    ------
    ValueError
        when rows of it are missing.
    """
    log = Log(log_id, case, reader)
    rows = connection.execute(
        "SELECT seq, id, kind, at, payload, fingerprint FROM moves WHERE log = ? ORDER BY seq",
        (log.id,),
    )
    for n, (seq, row_id, kind, at, payload, fingerprint) in enumerate(rows):
        if seq != n or not isinstance(payload, bytes | None):
            raise ValueError(f"move {n} is missing")
        log.rows.append(Row(str(row_id), str(kind), float(at), None, payload, str(fingerprint)))
    if not log.rows:
        raise ValueError("its beginning is missing")
    log.written = len(log.rows)
    return log


def kinds_of_all(
    connection: sqlite3.Connection, of_case: str | None = None
) -> list[tuple[str, str, list[str], float]]:
    """Case, reader, kinds of rows and time of the last one, of the last log of every reading."""
    found = []
    for log, case, reader, begun, _ in connection.execute(_LAST_OF_ALL, (of_case,)).fetchall():
        rows = connection.execute("SELECT kind, at FROM moves WHERE log = ? ORDER BY seq", (log,))
        kinds = rows.fetchall()
        last = float(kinds[-1][1]) if kinds else float(begun)
        found.append((str(case), str(reader), [str(kind) for kind, _ in kinds], last))
    return found

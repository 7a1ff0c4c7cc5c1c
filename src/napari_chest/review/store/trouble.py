"""What a database reports, as our errors in words that a person can act on."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from napari_chest.errors import StoreError, UnreachableError
from napari_chest.files.atomic import reason
from napari_chest.review.journal.database import in_words
from napari_chest.review.store.engine import BUSY_SECONDS, secrets

if TYPE_CHECKING:
    from collections.abc import Generator

    from napari_chest.review.store.engine import Address

DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_PASSING = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_PERM, sqlite3.SQLITE_NOMEM,
)  # fmt: skip
"""What may be over when somebody tries again."""
_LATER = ("08", "25006", "28", "3D", "40", "42501", "53", "55P03", "57", "58")
"""Beginnings of PostgreSQL's codes for the same."""
_ADVICE = {
    "25006": "The server only reads at present; write to the one that leads.",
    "42501": "Ask who keeps the database for the right to use the schema and its tables.",
    "53": "Ask who keeps the server.",
    "55P03": f"Somebody kept it locked for more than {BUSY_SECONDS:.0f} seconds.",
}
_NO_CONNECTION = (
    "Check that the server runs and that the address of the store is right, with its user and "
    "password."
)


@contextmanager
def told(address: Address) -> Generator[None, None, None]:
    """Raise our errors for those of a database.

    Raises
    ------
    UnreachableError
        when the store cannot be used now, and perhaps later.
    StoreError
        for everything else that the database refuses.
    """
    try:
        yield
    except PoolTimeoutError as error:
        raise UnreachableError(
            f"The store {address.shown} does not answer: all connections are in use."
        ) from error
    except DBAPIError as error:
        raise _in_our_words(error.orig, address) from error
    except SQLAlchemyError as error:
        raise StoreError(
            f"The store {address.shown} failed: {_hidden(str(error), address)}"
        ) from error
    except (sqlite3.Error, OSError) as error:
        raise _in_our_words(error, address) from error


def primary_code(error: BaseException | None) -> int:
    """SQLite's result code; 0 where the error has none."""
    return int(getattr(error, "sqlite_errorcode", 0)) & 0xFF


def _in_our_words(error: BaseException | None, address: Address) -> StoreError:
    if isinstance(error, OSError):
        return UnreachableError(f"The store {address.shown} cannot be used: {reason(error)}.")
    if isinstance(error, sqlite3.Error):
        return _of_sqlite(error, address)
    state = str(getattr(error, "sqlstate", None) or "")
    said = _hidden(" ".join(str(error).split()), address)
    advice = next((text for code, text in _ADVICE.items() if state.startswith(code)), "")
    if not state and said.startswith(("connection failed", "failed to resolve")):
        advice = _NO_CONNECTION
    # Without a code it is the connection that failed, or was never made.
    if not state or state.startswith(_LATER):
        return UnreachableError(
            f"The store {address.shown} cannot be reached: {said} {advice}".rstrip()
        )
    return StoreError(f"The store {address.shown} did not do this: {said}")


def _of_sqlite(error: sqlite3.Error, address: Address) -> StoreError:
    code = primary_code(error)
    if code in DAMAGED:
        return UnreachableError(
            f"The store {address.shown} is damaged. When it is opened the next time, it is kept "
            "under another name, and a new one begun."
        )
    if code in _PASSING:
        return UnreachableError(f"The store {address.shown} cannot be used: {in_words(error)}.")
    return StoreError(f"The store {address.shown} did not do this: {error}")


def _hidden(text: str, address: Address) -> str:
    for secret in secrets(address.url):
        text = text.replace(secret, "***")
    return text

"""Opening a store: its schema is made or brought up to date, and what is no store refused."""

from __future__ import annotations

import sqlite3
import unicodedata
from contextlib import closing
from importlib.resources import files
from threading import Lock
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import insert, inspect, select, text

from napari_chest.errors import StoreError
from napari_chest.review.folder import stamp
from napari_chest.review.store import schema
from napari_chest.review.store.engine import BUSY_SECONDS, for_reading
from napari_chest.review.store.trouble import DAMAGED, primary_code

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Connection, Engine

    from napari_chest.review.store.engine import Address

SUFFIX = ".sqlite"
VERSION_TABLE = "schema_version"
MIGRATIONS = str(files("napari_chest.review.store") / "migrations")
"""The folder with a module for each version of the schema."""
_LOCK_KEY = 5_402_617_130
"""Of the lock that programs take on PostgreSQL before they change the schema; any number."""
_one_at_a_time = Lock()
"""Alembic keeps what it migrates in a module."""


def set_damaged_aside(path: Path) -> str:
    """Keep a damaged file under another name; says so, or nothing where it is sound."""
    if not path.exists() or not path.stat().st_size:
        return ""
    before = path.stat()
    if not _is_damaged(path):
        return ""
    if path.suffix != SUFFIX:
        raise StoreError(
            f"{path} is no store of reviews, or a damaged one. Choose another file; one that is "
            f"named *{SUFFIX} is put aside where it is damaged."
        )
    # Another program may have put it aside already and begun a new one.
    if not path.exists() or path.stat().st_ino != before.st_ino:
        return f"The store {path} was damaged, and another program began a new one."
    kept = _beside(path, "damaged")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(kept.with_name(kept.name + suffix))
    return (
        f"The store {path} is damaged and cannot be read. It is kept as {kept.name}; a new one "
        "was begun. What was reviewed before is only in the damaged one."
    )


def _beside(path: Path, what: str) -> Path:
    """A name beside a store that no file has yet."""
    name = f"{path.stem}-{what}-{stamp()}"
    found, number = path.with_name(name + path.suffix), 2
    while found.exists():
        found, number = path.with_name(f"{name}-{number}{path.suffix}"), number + 1
    return found


def _is_damaged(path: Path) -> bool:
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as connection:
        try:
            return str(connection.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok"
        except sqlite3.DatabaseError as error:
            if primary_code(error) not in DAMAGED:
                raise
            return True


def prepare(engine: Engine, address: Address, dataset: str) -> None:
    """Make the schema or bring it up to date, and check that it serves this dataset.

    Raises
    ------
    StoreError
        when it is the store of another dataset, of a newer program, or none at all.
    sqlalchemy.exc.SQLAlchemyError
        when the database cannot be used.
    """
    newest = _newest()
    with for_reading(engine).begin() as connection:
        found = _version(connection, address, newest)
        if found == newest:
            _check_dataset(connection, address, dataset)
            return
    with _one_at_a_time, engine.begin() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK_KEY})"))
        # Another program may have done it in the meantime.
        found = _version(connection, address, newest)
        if found:
            _check_dataset(connection, address, dataset)
            if found < newest and address.path is not None:
                _copy(address.path, newest)
        if found < newest:
            _migrate(connection)
        if not found:
            _check_encoding(connection, address)
            connection.execute(insert(schema.meta).values(id=1, dataset=dataset, number=0))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", MIGRATIONS.replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    config.attributes["version_table"] = VERSION_TABLE
    return config


def _newest() -> int:
    return int(ScriptDirectory.from_config(_config()).get_current_head() or 0)


def _migrate(connection: Connection) -> None:
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _version(connection: Connection, address: Address, newest: int) -> int:
    """Which version of the schema is there; 0 where there is none."""
    tables = inspect(connection).get_table_names()
    if not tables:
        return 0
    if VERSION_TABLE not in tables or "meta" not in tables:
        raise StoreError(
            f"{address.shown} is no store of reviews: it has the tables "
            f"{', '.join(sorted(tables)[:5])}. Choose another file, or a database of its own."
        )
    found = str(connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")))  # noqa: S608
    if not found.isdecimal() or int(found) > newest:
        raise StoreError(
            f"The store {address.shown} has schema version {found}, of a newer napari-chest; this "
            f"one knows {newest}. Update napari-chest."
        )
    return int(found)


def _check_dataset(connection: Connection, address: Address, dataset: str) -> None:
    found = str(connection.scalar(select(schema.meta.c.dataset)))
    if unicodedata.normalize("NFC", found) != unicodedata.normalize("NFC", dataset):
        raise StoreError(
            f"The store {address.shown} is that of {found}, not of {dataset}. Choose another: "
            "every dataset has a store of its own."
        )


def _check_encoding(connection: Connection, address: Address) -> None:
    if connection.dialect.name != "postgresql":
        return
    found = str(connection.scalar(text("SHOW server_encoding")))
    if found != "UTF8":
        raise StoreError(
            f"The database {address.shown} keeps texts as {found}, expected UTF8. Create it anew "
            "with ENCODING 'UTF8' TEMPLATE template0."
        )


def _copy(path: Path, version: int) -> None:
    """Copy a store before it becomes another version, while this program keeps others from it."""
    kept = _beside(path, f"before-{version}")
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(kept)) as target:
        source.backup(target)

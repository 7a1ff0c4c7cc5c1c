"""Where a store is, and connections to it: an SQLite file or a PostgreSQL database."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import Double, create_engine, event, literal_column
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from napari_chest.errors import StoreError, UnreachableError

if TYPE_CHECKING:
    import sqlite3

    from sqlalchemy import ColumnElement, Connection, Engine

BUSY_SECONDS = 10.0
"""How long another program may keep a store locked."""
_CONNECT_SECONDS = 5
_SECRETS = ("password", "sslpassword")
_NOW = {
    "sqlite": "((julianday('now') - 2440587.5) * 86400.0)",
    "postgresql": "CAST(extract(epoch FROM clock_timestamp()) AS double precision)",
}


@dataclass(frozen=True)
class Address:
    """Where a store is.

    Attributes
    ----------
    url : for the database's driver.
    path : the SQLite file; None for a server.
    shown : the address as people may see it, without a password.
    """

    url: URL
    path: Path | None
    shown: str


def read_address(address: str | Path) -> Address:
    """The address of a store: the path of an SQLite file, or a URL.

    Raises
    ------
    StoreError
        when it is no address of a database that a store can be in.
    """
    if isinstance(address, Path) or "://" not in address:
        path = Path(address).expanduser().absolute()
        return Address(URL.create("sqlite", database=str(path)), path, str(path))
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):
        # The error would show the address, and with it the password.
        raise StoreError(
            "The address of the store cannot be understood. Expected the path of a file, or "
            "postgresql+psycopg://USER@HOST/DATABASE; special characters in a password are "
            "written as %XX."
        ) from None
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return read_address(Path(url.database))
    if kind in ("postgresql", "postgres"):
        url = url.set(drivername="postgresql+psycopg")
        return Address(url, None, _shown(url))
    raise StoreError(
        f"A store cannot be in {_shown(url)}. Expected the path of a file, or "
        "postgresql+psycopg://USER@HOST/DATABASE."
    )


def connect(address: Address) -> Engine:
    """Connections to a store; none is made yet.

    Raises
    ------
    UnreachableError
        when the database's driver is not installed.
    """
    if address.path is not None:
        engine = create_engine(
            address.url,
            hide_parameters=True,
            connect_args={
                "timeout": BUSY_SECONDS, "isolation_level": None, "check_same_thread": False,
            },
        )  # fmt: skip
        event.listen(engine, "connect", _set_up_sqlite)
        event.listen(engine, "begin", _begin_on_sqlite)
        return engine
    try:
        engine = create_engine(
            address.url,
            hide_parameters=True,  # errors would tell what was written about cases
            pool_pre_ping=True,
            pool_size=2,
            isolation_level="READ COMMITTED",
            connect_args=_patience(address.url),
        )
    except ModuleNotFoundError as error:
        raise UnreachableError(
            f"{address.shown} needs the package psycopg, which is not installed. Run: pip install "
            '"napari-chest[team]"'
        ) from error
    event.listen(engine, "connect", _set_up_postgresql)
    return engine


def for_reading(engine: Engine) -> Engine:
    """The same connections, each transaction seeing one moment of the store."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(reading=True)
    return engine.execution_options(isolation_level="REPEATABLE READ")


def now(connection: Connection) -> ColumnElement[float]:
    """The database's clock, in seconds since 1970."""
    return literal_column(_NOW[connection.dialect.name], Double)


def secrets(url: URL) -> list[str]:
    """What of an address nobody may see."""
    found = [url.password, *(url.query.get(name) for name in _SECRETS)]
    return [str(one) for one in found if one]


def _shown(url: URL) -> str:
    hidden = {name: "***" for name in _SECRETS if name in url.query}
    return url.update_query_dict(hidden).render_as_string(hide_password=True)


def _patience(url: URL) -> dict[str, Any]:
    """How long to wait for a server that does not answer, where the address does not say it."""
    waits = {
        "connect_timeout": _CONNECT_SECONDS,
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "client_encoding": "utf8",
        "application_name": "napari-chest",
    }
    return {name: value for name, value in waits.items() if name not in url.query}


def _set_up_sqlite(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA trusted_schema = OFF")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_on_sqlite(connection: Connection) -> None:
    # The driver would begin a transaction late, and a second writer would fail instead of waiting.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


def _set_up_postgresql(connection: Any, _: object) -> None:  # noqa: ANN401 - psycopg may be absent
    with connection.cursor() as cursor:
        cursor.execute(f"SET lock_timeout = '{BUSY_SECONDS * 1000:.0f}ms'")
        # A program that stops in the middle must not keep everybody else waiting.
        cursor.execute("SET idle_in_transaction_session_timeout = '60s'")
    connection.commit()

"""Stores to review in: an SQLite file, and a database of a PostgreSQL server of the tests' own."""

import os
from itertools import count

import postgres_server
import pytest

from napari_chest.review.store import open_store

_numbers = count()


@pytest.fixture(scope="session")
def postgres():
    """A running PostgreSQL server; tests that use it skip where none is installed, but on CI."""
    if postgres_server.programs() is None:
        told = "no PostgreSQL server is installed; `tools/setup.sh` installs it on Debian as root"
        if os.environ.get("CI"):
            pytest.fail(told)
        pytest.skip(told)
    with postgres_server.running() as server:
        # Made once, copied for each test.
        server.sql("CREATE DATABASE made")
        open_store(server.url("made"), "chests").close()
        yield server


@pytest.fixture
def empty_database(postgres):
    """URL of a database without any table."""
    yield from _database(postgres, "template1")


@pytest.fixture
def postgres_address(postgres):
    """URL of an empty store in a PostgreSQL database."""
    yield from _database(postgres, "made")


def _database(server, template):
    name = f"chest{next(_numbers)}"
    server.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
    yield server.url(name)
    server.sql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request, tmp_path):
    """Where a store is, on either database."""
    if request.param == "sqlite":
        return tmp_path / "review.sqlite"
    return request.getfixturevalue("postgres_address")


@pytest.fixture
def new_store(address):
    """Open one more connection to the store, as another program would."""
    opened = []

    def one():
        opened.append(open_store(address, "chests"))
        return opened[-1]

    yield one
    for store in opened:
        store.close()


@pytest.fixture
def store(new_store):
    return new_store()

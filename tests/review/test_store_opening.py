"""A store is made, brought up to date or refused when it is opened, on either database."""

import logging
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from acting import begin, enrolled, submit
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, text

import napari_chest
from napari_chest.errors import StoreError, UnreachableError
from napari_chest.review.acts import Enrol
from napari_chest.review.book import Book
from napari_chest.review.store import engine, open_store, opening, schema

FIRST_VERSION = Path(__file__).with_name("store_version_1.sql")
SECOND = '''
"""Version 2, as a test has it."""
from alembic import op
from sqlalchemy import Column, Text
revision = "2"
down_revision = "1"
def upgrade():
    op.add_column("meta", Column("motto", Text, nullable=False, server_default="no stroke is lost"))
'''
FAILING = (
    SECOND
    + """    raise RuntimeError("half way")
"""
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "review folder" / "review.sqlite"


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request, path):
    """Where a store can be made, on either database."""
    return path if request.param == "sqlite" else request.getfixturevalue("empty_database")


@pytest.fixture
def newer_program(tmp_path, monkeypatch):
    """Let the program know one more version of the schema."""

    def become(source=SECOND):
        folder = tmp_path / "migrations"
        shutil.copytree(opening.MIGRATIONS, folder)
        (folder / "versions" / "second.py").write_text(source)
        monkeypatch.setattr(opening, "MIGRATIONS", str(folder))

    return become


def made(address, dataset="chests"):
    """Open a store once."""
    store = open_store(address, dataset)
    store.close()
    return store


def query(address, statement):
    """What a statement gives, without our own connections."""
    url = address if isinstance(address, str) else f"sqlite:///{address}"
    with create_engine(url).begin() as connection:
        found = connection.execute(text(statement))
        return found.all() if found.returns_rows else []


def names(folder):
    return sorted(one.name for one in folder.iterdir() if not one.name.endswith(("-wal", "-shm")))


def test_a_store_is_made_with_all_its_tables(empty):
    assert made(empty).notice == ""
    assert query(empty, "SELECT dataset, number FROM meta") == [("chests", 0)]
    assert query(empty, "SELECT version_num FROM schema_version") == [("1",)]
    made(empty)


def test_migrations_leave_the_tables_that_the_program_uses(empty):
    made(empty)
    url = empty if isinstance(empty, str) else f"sqlite:///{empty}"
    with create_engine(url).connect() as connection:
        options = {"version_table": opening.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_a_store_is_one_datasets(empty):
    made(empty, "Zoë's chests")
    made(empty, "Zoe\u0308's chests")
    with pytest.raises(StoreError, match="that of Zoë's chests, not of other chests"):
        open_store(empty, "other chests")


def test_a_database_of_something_else_is_left_alone(empty):
    if isinstance(empty, Path):
        empty.parent.mkdir()
    query(empty, "CREATE TABLE patients (name TEXT)")
    with pytest.raises(StoreError, match=r"no store of reviews: it has the tables patients"):
        open_store(empty, "chests")
    query(empty, "INSERT INTO patients VALUES ('x')")
    with pytest.raises(Exception, match="meta"):
        query(empty, "SELECT * FROM meta")


@pytest.mark.parametrize("version", ["2", "ae1027a6acf"])
def test_a_store_of_a_newer_program_is_refused(empty, version):
    made(empty)
    query(empty, f"UPDATE schema_version SET version_num = '{version}'")
    with pytest.raises(StoreError, match=f"version {version}, of a newer napari-chest.*knows 1"):
        open_store(empty, "chests")


def test_a_store_of_the_first_version_is_brought_up_to_date(path, newer_program):
    path.parent.mkdir()
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(FIRST_VERSION.read_text(encoding="utf-8"))
    newer_program()
    store = open_store(path, "chests")
    assert query(path, "SELECT motto FROM meta") == [("no stroke is lost",)]
    assert query(path, "SELECT version_num FROM schema_version") == [("2",)]
    book = Book(store.snapshot())
    assert book.people == {"Ada": "adjudicator", "Bob": "reader"}
    assert book.work(0, "case 1", "Bob").state == "submitted"
    assert [one.payload for one in store.readings()] == [b"voxels"]
    assert store.do(begin("case 2", "Bob")) == 3
    store.close()
    _, kept = sorted(names(path.parent), key=len)
    assert kept.startswith("review-before-2-")
    assert query(path.with_name(kept), "SELECT version_num FROM schema_version") == [("1",)]
    assert query(path.with_name(kept), "SELECT COUNT(*) FROM log") == [(2,)]


def test_the_first_version_is_still_what_was_published(path):
    """The frozen tables are those that the migrations make."""
    made(path)
    frozen = path.with_name("frozen.sqlite")
    with closing(sqlite3.connect(frozen)) as connection:
        connection.executescript(FIRST_VERSION.read_text(encoding="utf-8"))
    tables = "SELECT type, name, sql FROM sqlite_master ORDER BY name"

    def said(address):
        return [
            (kind, name, "".join((sql or "").split())) for kind, name, sql in query(address, tables)
        ]

    assert said(frozen) == said(path)


def test_a_store_on_a_server_is_brought_up_to_date(empty_database, newer_program):
    store = open_store(empty_database, "chests")
    store.do(begin("c", "Ada"))
    newer_program()
    made(empty_database)
    assert query(empty_database, "SELECT motto, number FROM meta") == [("no stroke is lost", 1)]
    assert store.do(begin("d", "Ada")) == 2
    store.close()


def test_a_migration_that_fails_leaves_the_store_as_it_was(empty, newer_program):
    store = open_store(empty, "chests")
    store.do(begin("c", "Ada"))
    store.close()
    newer_program(FAILING)
    with pytest.raises(RuntimeError, match="half way"):
        open_store(empty, "chests")
    assert query(empty, "SELECT version_num FROM schema_version") == [("1",)]
    assert len(query(empty, "SELECT * FROM meta")[0]) == 3


def test_opening_a_store_leaves_logging_alone(path):
    root = logging.getLogger()
    before = list(root.handlers), root.level, logging.getLogger("sqlalchemy").level
    quiet = logging.getLogger("napari_chest.test")
    made(path)
    assert (list(root.handlers), root.level, logging.getLogger("sqlalchemy").level) == before
    assert not quiet.disabled


def test_a_store_is_made_by_an_installed_program(tmp_path):
    """Without the checkout: a copy of the package alone, from another folder."""
    site = tmp_path / "50 % of site-packages"
    package = Path(napari_chest.__file__).parent
    ignored = shutil.ignore_patterns("__pycache__", "ui", "phantom")
    shutil.copytree(package, site / "napari_chest", ignore=ignored)
    code = """
from napari_chest.review import store
print(store.__file__)
store.open_store("review.sqlite", "chests").close()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True,
        env={**os.environ, "PYTHONPATH": str(site)},
    )  # fmt: skip
    assert Path(done.stdout.strip()).is_relative_to(site)
    assert query(tmp_path / "review.sqlite", "SELECT dataset FROM meta") == [("chests",)]


def test_a_damaged_store_is_kept_and_a_new_one_begun(path):
    store = enrolled(open_store(path, "chests"))
    store.do(submit("c", "Bob", payload=os.urandom(50_000)))
    store.close()
    damaged = bytearray(path.read_bytes())
    damaged[4096:12288] = b"\xff" * 8192
    path.write_bytes(damaged)
    store = open_store(path, "chests")
    (kept,) = [name for name in names(path.parent) if name != "review.sqlite"]
    assert kept.startswith("review-damaged-")
    assert kept in store.notice
    assert path.with_name(kept).read_bytes() == damaged
    assert store.do(Enrol(who="Cy", person="Cy")) == 1
    store.close()
    assert made(path).notice == ""


def test_a_file_that_is_no_database_is_put_aside_only_where_it_is_named_like_a_store(path):
    path.parent.mkdir()
    path.write_bytes(b"\0" * 5000)
    assert "is damaged" in made(path).notice
    notes = path.with_name("notes.txt")
    notes.write_text("what I wanted to say\n" * 300)
    with pytest.raises(StoreError, match="no store of reviews"):
        open_store(notes, "chests")
    assert notes.read_text() == "what I wanted to say\n" * 300


def test_what_was_kept_before_stays(path):
    path.parent.mkdir()
    contents = {bytes([number]) * 5000 for number in range(3)}
    for content in contents:
        path.write_bytes(content)
        made(path)
        for part in path.parent.glob("review.sqlite*"):
            part.unlink()
    assert {one.read_bytes() for one in path.parent.iterdir()} == contents


def test_damage_that_shows_later_is_told(path):
    store = open_store(path, "chests")
    store.do(begin("c", "Ada"))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    store = open_store(path, "chests")
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (path.stat().st_size - 4096))
    with pytest.raises(UnreachableError, match="is damaged"):
        store.do(begin("d", "Ada"))
    store.close()
    assert "is damaged" in made(path).notice


def test_a_store_that_was_deleted_is_missed(path):
    store = open_store(path, "chests")
    store.do(begin("c", "Ada"))
    elsewhere = path.with_name("moved.sqlite")
    path.rename(elsewhere)
    for use in (lambda: store.do(begin("d", "Ada")), store.snapshot, store.readings):
        with pytest.raises(UnreachableError, match="no longer there"):
            use()
    assert not path.exists()
    elsewhere.rename(path)
    assert store.do(begin("d", "Ada")) == 2
    store.close()


def test_a_store_that_is_locked_for_long_is_told(path, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    store = open_store(path, "chests")
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(UnreachableError, match="another program keeps it locked"):
            store.do(begin("c", "Ada"))
        assert store.snapshot().number == 0
        other.execute("ROLLBACK")
    assert store.do(begin("c", "Ada")) == 1
    store.close()


def test_a_store_that_cannot_be_written_to_is_told(path):
    store = open_store(path, "chests")
    store.do(begin("c", "Ada"))
    store.close()
    code = f"""
import os, sys
from napari_chest.errors import UnreachableError
from napari_chest.review.acts import Begin
from napari_chest.review.store import open_store
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
try:
    open_store({str(path)!r}, "chests").do(Begin(who="Bob", case="c", reader="Bob"))
except UnreachableError as error:
    print(error)
"""
    ours = next(i for i, folder in enumerate(path.parents) if folder.name.startswith("pytest-of"))
    for folder in path.parents[: ours + 1]:
        folder.chmod(0o755)
    for one in path.parent.iterdir():
        one.chmod(0o444)
    path.parent.chmod(0o555)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    path.parent.chmod(0o755)
    assert "cannot be written to" in done.stdout or "cannot be opened" in done.stdout
    assert str(path) in done.stdout


def test_a_place_where_no_store_can_be_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(UnreachableError, match="cannot be used"):
        open_store(tmp_path / "file" / "review.sqlite", "chests")
    with pytest.raises(UnreachableError, match="cannot be opened"):
        open_store(tmp_path, "chests")


def test_a_store_is_written_safely(path):
    store = open_store(path, "chests")
    with store._engine.connect() as connection:
        said = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys")
        ]
    store.close()
    assert said == ["wal", 2, 1]


def test_an_address_may_be_a_url_of_a_file(path):
    made(path)
    store = open_store(f"sqlite:///{path}", "chests")
    assert store.address == str(path)
    store.close()


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("mysql://ada:hush@host/reviews", r"cannot be in mysql://ada:\*\*\*@host"),
        ("sqlite://", "cannot be in"),
        ("://ada:hush@host", "cannot be understood"),
        ("postgresql://ada:hush@host:port/x", "cannot be understood"),
    ],
)
def test_an_address_of_nothing_is_refused_without_its_password(address, words):
    with pytest.raises(StoreError, match=words) as caught:
        open_store(address, "chests")
    assert "hush" not in str(caught.value)
    assert caught.value.__cause__ is None

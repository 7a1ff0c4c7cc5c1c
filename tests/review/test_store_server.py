"""A store on a PostgreSQL server that is away, refuses, or goes down in the middle."""

import sys

import postgres_server
import psycopg
import pytest
from acting import begin, enrolled, submit

from napari_chest.errors import NotAllowedError, StoreError, UnreachableError
from napari_chest.review.book import Book
from napari_chest.review.store import engine, open_store
from napari_chest.review.store import store as store_module

END_OTHERS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def database(postgres_address):
    """Name of a database with an empty store."""
    return postgres_address.rpartition("/")[2]


@pytest.fixture
def store(postgres_address):
    store = open_store(postgres_address, "chests")
    yield store
    store.close()


def test_the_right_programs_are_found(monkeypatch, tmp_path):
    for name in ("initdb", "pg_ctl"):
        (tmp_path / name).touch()
    monkeypatch.setenv("PATH", str(tmp_path))
    assert postgres_server.programs() != tmp_path
    (tmp_path / "postgres").touch()
    assert postgres_server.programs() == tmp_path


def test_a_server_that_is_not_there_is_told():
    url = f"postgresql+psycopg://ada:hush@127.0.0.1:{postgres_server.free_port()}/reviews"
    with pytest.raises(UnreachableError, match=r"cannot be reached: .*refused") as caught:
        open_store(url, "chests")
    assert "ada:***@127.0.0.1" in str(caught.value)
    assert "hush" not in str(caught.value)


def test_a_wrong_password_is_told_without_showing_it(postgres):
    postgres.sql("CREATE ROLE locked LOGIN PASSWORD 'right one'")
    postgres.sql("CREATE DATABASE lockers OWNER locked")
    try:
        url = postgres.url("lockers", "locked")
        wrong = url.replace("locked@", "locked:wr%40ng@")
        for address in (wrong, f"{url}?password=wr%40ng"):
            with pytest.raises(UnreachableError, match=r"with its user and password\.$") as caught:
                open_store(address, "chests")
            assert "wr@ng" not in str(caught.value)
            assert "wr%40ng" not in str(caught.value)
        right = open_store(url.replace("locked@", "locked:right%20one@"), "chests")
        assert right.do(begin("c", "Ada")) == 1
        assert "right" not in right.address
        right.close()
    finally:
        postgres.sql("DROP DATABASE lockers WITH (FORCE)")
        postgres.sql("DROP ROLE locked")


def test_a_database_that_is_not_there_is_told(postgres):
    with pytest.raises(UnreachableError, match=r'"nowhere" does not exist'):
        open_store(postgres.url("nowhere"), "chests")


def test_the_rights_of_the_database_are_the_gate(postgres, database, empty_database):
    postgres.sql("CREATE ROLE guest LOGIN")
    try:
        for name in (database, empty_database.rpartition("/")[2]):
            with pytest.raises(UnreachableError, match="Ask who keeps the database for the right"):
                open_store(postgres.url(name, "guest"), "chests")
        postgres.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO guest", database)
        reading = open_store(postgres.url(database, "guest"), "chests")
        assert reading.snapshot().number == 0
        with pytest.raises(UnreachableError, match="permission denied"):
            reading.do(begin("c", "Ada"))
        rights = "GRANT INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO guest"
        postgres.sql(rights, database)
        assert reading.do(begin("c", "Ada")) == 1
        reading.close()
    finally:
        for name in ("postgres", database):
            postgres.sql("DROP OWNED BY guest", name)
        postgres.sql("DROP ROLE guest")


def test_a_connection_that_was_ended_is_made_anew(postgres, store, database):
    store.do(begin("c", "Ada"))
    postgres.sql(END_OTHERS, database)
    assert store.do(begin("d", "Ada")) == 2
    postgres.sql(END_OTHERS, database)
    assert store.snapshot().number == 2
    postgres.sql(END_OTHERS, database)
    assert store.lease("c", "L1", "window", "Ada", 60).held


def test_a_connection_that_ends_in_the_middle_loses_nothing(postgres, store, database, monkeypatch):
    enrolled(store)
    act = submit("c", "Bob")
    right = store_module.changes

    def ended(*about):
        postgres.sql(END_OTHERS, database)
        return right(*about)

    with monkeypatch.context() as patch:
        patch.setattr(store_module, "changes", ended)
        with pytest.raises(UnreachableError, match="cannot be reached"):
            store.do(act)
    assert store.snapshot().number == 3
    assert store.do(act) == 4
    assert len(store.readings()) == 1


def test_a_server_that_starts_again_is_used_again(postgres, store):
    store.do(begin("c", "Ada"))
    postgres.stop()
    try:
        for use in (lambda: store.do(begin("d", "Ada")), store.snapshot, store.readings):
            with pytest.raises(UnreachableError, match="cannot be reached"):
                use()
    finally:
        postgres.start()
    assert store.do(begin("d", "Ada")) == 2
    assert [entry.case for entry in store.log()] == ["c", "d"]


def test_a_store_that_somebody_keeps_locked_is_told(postgres_address, monkeypatch):
    monkeypatch.setattr(engine, "BUSY_SECONDS", 0.05)
    store = open_store(postgres_address, "chests")
    with psycopg.connect(postgres_address.replace("+psycopg", "")) as other:
        other.execute("SELECT * FROM meta FOR UPDATE")
        with pytest.raises(UnreachableError, match="kept it locked"):
            store.do(begin("c", "Ada"))
        assert store.snapshot().number == 0
    assert store.do(begin("c", "Ada")) == 1
    store.close()


def test_a_server_that_only_reads_is_told(postgres, database, postgres_address):
    postgres.sql(f"ALTER DATABASE {database} SET default_transaction_read_only = on")
    store = open_store(postgres_address, "chests")
    assert store.snapshot().number == 0
    with pytest.raises(UnreachableError, match="only reads at present"):
        store.do(begin("c", "Ada"))
    store.close()


def test_order_is_the_same_whatever_the_server_prefers(postgres, database, postgres_address):
    preferred = "SET default_transaction_isolation = 'serializable'"
    postgres.sql(f"ALTER DATABASE {database} {preferred}")
    first, second = (open_store(postgres_address, "chests") for _ in range(2))
    assert [one.do(begin("c", who)) for one, who in ((first, "Ada"), (second, "Bob"))] == [1, 2]
    with first._engine.connect() as connection:
        found = connection.exec_driver_sql("SHOW transaction_isolation").scalar()
    assert found == "read committed"
    first.close()
    second.close()


def test_a_database_that_cannot_keep_all_letters_is_refused(postgres):
    postgres.sql("CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0")
    try:
        with pytest.raises(StoreError, match=r"keeps texts as SQL_ASCII, expected UTF8"):
            open_store(postgres.url("ascii"), "chests")
        assert postgres.sql("SELECT COUNT(*) FROM pg_tables WHERE tablename = 'meta'", "ascii") == [
            (0,)
        ]
    finally:
        postgres.sql("DROP DATABASE ascii WITH (FORCE)")


def test_what_is_missing_for_a_server_is_told(monkeypatch):
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(UnreachableError, match=r'pip install "napari-chest\[team\]"'):
        open_store("postgresql://ada@127.0.0.1/reviews", "chests")


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg"])
def test_all_common_schemes_lead_to_a_server(postgres_address, scheme):
    store = open_store(postgres_address.replace("postgresql+psycopg", scheme), "chests")
    assert store.address == postgres_address
    store.close()


def test_a_refusal_leaves_the_connection_usable(store):
    enrolled(store)
    for _ in range(12):  # more than there are connections
        with pytest.raises(NotAllowedError):
            store.do(begin("c", "Bob", who="Cy"))
    store.do(begin("c", "Bob"))
    assert Book(store.snapshot()).work(0, "c", "Bob").state == "in progress"

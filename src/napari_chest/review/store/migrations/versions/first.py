"""Version 1: people, work, rounds, comments, decisions, readings, leases and the log."""

from __future__ import annotations

from alembic import op
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Text,
    UniqueConstraint,
)

revision = "1"
down_revision = None

_APPENDED = ("log", "readings")
"""Tables whose rows are never changed or removed."""


def upgrade() -> None:
    """From nothing to version 1."""
    _make_history()
    _make_state()
    for table in _APPENDED:
        if op.get_bind().dialect.name == "postgresql":
            _guard_on_postgresql(table)
        else:
            _guard_on_sqlite(table)


def _make_history() -> None:
    op.create_table(
        "meta",
        Column("id", Integer, primary_key=True, autoincrement=False),
        Column("dataset", Text, nullable=False),
        Column("number", BigInteger, nullable=False),
    )
    op.create_table(
        "log",
        Column("number", BigInteger, primary_key=True, autoincrement=False),
        Column("id", Text, nullable=False, unique=True),
        Column("who", Text, nullable=False),
        Column("what", Text, nullable=False),
        Column("at", Double, nullable=False),
        Column("stored", Double, nullable=False),
        Column("case_id", Text, nullable=False),
        Column("round", Integer, nullable=False),
        Column("reader", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("detail", Text, nullable=False),
        Index("log_of_cases", "case_id", "number"),
    )
    op.create_table(
        "readings",
        Column("id", Text, primary_key=True),
        Column("number", BigInteger, ForeignKey("log.number"), nullable=False),
        Column("case_id", Text, nullable=False),
        Column("round", Integer, nullable=False),
        Column("name", Text, nullable=False),
        Column("owner", Text, nullable=False),
        Column("of", Text, nullable=False),
        Column("base", Text, nullable=False),
        Column("at", Double, nullable=False),
        Column("payload", LargeBinary, nullable=False),
        UniqueConstraint("case_id", "name", "number", name="readings_of_cases"),
    )


def _make_state() -> None:
    op.create_table(
        "people",
        Column("name", Text, primary_key=True),
        Column("role", Text, nullable=False),
        Column("changed", BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "rounds",
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("title", Text, nullable=False),
        Column("blind", Boolean, nullable=False),
        Column("start", Text, nullable=False),
        Column("readers", Text, nullable=False),
        Column("cases", Text, nullable=False),
        Column("closed", Boolean, nullable=False),
        Column("changed", BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "work",
        Column("round", Integer, primary_key=True, autoincrement=False),
        Column("case_id", Text, primary_key=True),
        Column("reader", Text, primary_key=True),
        Column("state", Text, nullable=False),
        Column("assigned", Boolean, nullable=False),
        Column("difficulty", Integer),
        Column("seconds", Double, nullable=False),
        Column("version", Integer, nullable=False),
        Column("by", Text, nullable=False),
        Column("at", Double),
        Column("reason", Text, nullable=False),
        Column("note", Text, nullable=False),
        Column("changed", BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "priorities",
        Column("case_id", Text, primary_key=True),
        Column("priority", Integer, nullable=False),
        Column("changed", BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "comments",
        Column("id", Text, ForeignKey("log.id"), primary_key=True),
        Column("case_id", Text, nullable=False),
        Column("round", Integer, nullable=False),
        Column("author", Text, nullable=False),
        Column("at", Double, nullable=False),
        Column("text", Text, nullable=False),
        Column("voxel", Text, nullable=False),
        Column("reader", Text, nullable=False),
        Column("resolved", Text, nullable=False),
        Column("changed", BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "decisions",
        Column("id", Text, ForeignKey("log.id"), primary_key=True),
        Column("case_id", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("at", Double, nullable=False),
        Column("choice", Text, nullable=False),
        Column("scope", Text, nullable=False),
        Column("readers", Text, nullable=False),
        Column("mask", Text, nullable=False),
        Column("box", Text, nullable=False),
        Column("about", Text, nullable=False),
        Column("reason", Text, nullable=False),
        Column("undone", Boolean, nullable=False),
        Column("changed", BigInteger, nullable=False, index=True),
    )
    op.create_table(
        "leases",
        Column("case_id", Text, primary_key=True),
        Column("reading", Text, primary_key=True),
        Column("owner", Text, nullable=False),
        Column("who", Text, nullable=False),
        Column("host", Text, nullable=False),
        Column("until", Double, nullable=False),
    )


def _guard_on_sqlite(table: str) -> None:
    for verb in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, 'rows of {table} are never changed or removed'); END"
        )


def _guard_on_postgresql(table: str) -> None:
    op.execute(
        f"CREATE FUNCTION {table}_is_appended_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$BEGIN RAISE EXCEPTION 'rows of {table} are never changed or removed'; END$$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_appended_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_is_appended_only()"
    )

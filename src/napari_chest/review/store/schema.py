"""The tables of a store as the newest migration leaves them.

Times are seconds since 1970. ``changed`` is the number of the act that a row was last changed by.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("dataset", Text, nullable=False),
    Column("number", BigInteger, nullable=False),
)
"""One row: which dataset the store serves, and the number of the last act."""

log = Table(
    "log",
    metadata,
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

people = Table(
    "people",
    metadata,
    Column("name", Text, primary_key=True),
    Column("role", Text, nullable=False),
    Column("changed", BigInteger, nullable=False, index=True),
)

rounds = Table(
    "rounds",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("start", Text, nullable=False),
    Column("readers", Text, nullable=False),
    Column("cases", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
    Column("changed", BigInteger, nullable=False, index=True),
)

work = Table(
    "work",
    metadata,
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

priorities = Table(
    "priorities",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("priority", Integer, nullable=False),
    Column("changed", BigInteger, nullable=False, index=True),
)

comments = Table(
    "comments",
    metadata,
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

decisions = Table(
    "decisions",
    metadata,
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

readings = Table(
    "readings",
    metadata,
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

leases = Table(
    "leases",
    metadata,
    Column("case_id", Text, primary_key=True),
    Column("reading", Text, primary_key=True),
    Column("owner", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("until", Double, nullable=False),
)

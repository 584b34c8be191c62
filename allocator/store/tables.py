"""The store's tables. Rows are added, never changed: triggers of the first migration see to it.

contents    bytes under their own SHA-256: tables of scenarios, grants of plans; what many share is there once
scenarios   one row per input hash: everything but the tables as JSON, the tables by their content
plans       one row per save: who, when, what, by which versions, how far proved; its id is the hash of the row
decisions   words about a plan: who, when; likewise
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

REVISIONS = ("0001", "0002")  # every schema so far, oldest first; the last is ours
VERSION_TABLE = "store_version"
HISTORY = ("contents", "scenarios", "plans", "decisions")

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
_SHA, _ID, _WHEN = String(64), String(16), String(27)
_SEQUENCE = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts in a column that is called INTEGER

contents = Table(
    "contents", metadata,
    Column("sha256", _SHA, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)  # fmt: skip

scenarios = Table(
    "scenarios", metadata,
    Column("input_hash", _SHA, primary_key=True),
    Column("at", _WHEN, nullable=False),
    Column("who", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("parts", Text, nullable=False),  # JSON
    Column("territories", _SHA, ForeignKey("contents.sha256"), nullable=False),
    Column("demands", _SHA, ForeignKey("contents.sha256"), nullable=False),
    Column("prior_aid", _SHA, ForeignKey("contents.sha256")),
    Column("parts_sha256", _SHA),  # null where it was saved before 0002
)  # fmt: skip

plans = Table(
    "plans", metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", _ID, nullable=False, unique=True),
    Column("at", _WHEN, nullable=False),
    Column("who", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("scenario", Text, nullable=False),  # its name
    Column("input_hash", _SHA, ForeignKey("scenarios.input_hash"), nullable=False),
    Column("status", Text, nullable=False),
    Column("objective", Text),  # exact: "3/2"; as they are shown: euros spent are positive
    Column("bound", Text),
    Column("gap", Float(53)),
    Column("levels", Text, nullable=False),  # JSON: [[objective, bound], …], exact
    Column("certified", Boolean, nullable=False),
    Column("certificate", Text, nullable=False),  # JSON: checks, in both languages
    Column("engine", Text, nullable=False),
    Column("gap_allowed", Float(53), nullable=False),
    Column("time_limit", Float(53)),
    Column("versions", Text, nullable=False),  # JSON: ours, the engine's, Python's, libraries'
    Column("granted", BigInteger, nullable=False),  # cents
    Column("grants", _SHA, ForeignKey("contents.sha256"), nullable=False),
    Column("moved", Text, nullable=False),  # JSON: cents moved between funds
    Column("nonce", String(32), nullable=False),  # two saves of one plan are two rows
    sqlite_autoincrement=True,
)  # fmt: skip

decisions = Table(
    "decisions", metadata,
    Column("seq", _SEQUENCE, primary_key=True, autoincrement=True),
    Column("id", _ID, nullable=False, unique=True),
    Column("at", _WHEN, nullable=False),
    Column("who", Text, nullable=False),
    Column("words", Text, nullable=False),
    Column("plan", _ID, ForeignKey("plans.id"), nullable=False, index=True),
    Column("nonce", String(32), nullable=False),
    sqlite_autoincrement=True,
)  # fmt: skip

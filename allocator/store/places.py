"""Where a store is: a URL or a file, the usual place of this user; connections to it, and its writers' one lock."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, func, make_url, select, text
from sqlalchemy.exc import ArgumentError

from allocator.store.errors import refused
from allocator.texts import Text

VARIABLE = "ALLOCATOR_STORE"
SECONDS = 30  # that a writer waits for the others
_LIKE_A_URL = re.compile(r"(postgres(ql)?|sqlite)[+:]|.*:[^/\\]*@")  # without its ://
_LOCK = 5_317_204_885_091  # of our own: writers of a PostgreSQL store go one after another


def default_place() -> str:
    """`ALLOCATOR_STORE`, else `allocator/store.sqlite` where this system keeps a user's data."""
    given = os.environ.get(VARIABLE, "").strip()
    if given:
        return given
    if sys.platform == "win32":
        root = Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        root = Path.home() / "Library" / "Application Support"
    else:
        told = os.environ.get("XDG_DATA_HOME", "")
        root = Path(told) if os.path.isabs(told) else Path.home() / ".local" / "share"
    return str(root / "allocator" / "store.sqlite")


def address(place: str | os.PathLike[str] | None) -> URL:
    """The URL of a place: `sqlite:///file`, `postgresql://…`, or a file's path. `StoreError` for what is none."""
    given = os.fspath(place) if place is not None else default_place()
    forms = Text(
        "Donnez un fichier, sqlite:///fichier ou postgresql://utilisateur@serveur/base.",
        "Give a file, sqlite:///file or postgresql://user@server/database.",
    )
    unreadable = Text("cette adresse n'est pas lisible", "this address cannot be read")
    if "://" not in given:
        if _LIKE_A_URL.match(given):  # as a file it would be shown, and its password with it
            raise refused("…", unreadable, forms)
        return URL.create("sqlite", database=os.path.abspath(os.path.expanduser(given)))
    scheme = given.partition("://")[0]
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        raise refused(f"{scheme}://…", unreadable, forms) from None
    if "@" in (url.host or ""):  # the end of a password, which would be shown as the server
        quoted = Text("Dans un mot de passe, écrivez @ %40.", "In a password, write @ as %40.")
        raise refused(f"{scheme}://…", unreadable, quoted)
    kind = url.get_backend_name()
    if kind == "sqlite" and url.database and url.database != ":memory:":
        return url.set(drivername="sqlite")
    if kind in ("postgresql", "postgres"):
        return url.set(drivername="postgresql+psycopg")
    wrong = Text("un enregistrement se garde en SQLite ou PostgreSQL", "a store is kept in SQLite or PostgreSQL")
    raise refused(f"{scheme}://…", wrong, forms)


def connected(url: URL) -> Engine:
    """The engine of a URL; connects to nothing yet."""
    if url.get_backend_name() == "sqlite":
        engine = create_engine(_as_it_lies(url), connect_args={"timeout": SECONDS}, hide_parameters=True)
        event.listen(engine, "connect", _sqlite_opened)
        event.listen(engine, "begin", _sqlite_begun)
        return engine
    try:
        settings = {"connect_timeout": 10} if "connect_timeout" not in url.query else {}
        return create_engine(url, connect_args=settings, pool_pre_ping=True, hide_parameters=True)
    except ImportError:
        missing = Text("PostgreSQL demande la bibliothèque psycopg", "PostgreSQL needs the library psycopg")
        how = 'pip install "allocator-fonds-publics[postgres]"'
        raise refused("postgresql://…", missing, Text(how, how)) from None


def _as_it_lies(url: URL) -> URL:
    """A file in a folder where nothing may be written (an archive, somebody's share) is read as it lies there: SQLite
    wants to write its index of the log beside it. Where a log is there, somebody writes: then SQLite finds its way."""
    file = Path(url.database or "")
    if str(file).startswith("file:") or not file.is_file() or os.access(file.parent, os.W_OK):
        return url
    if file.with_name(file.name + "-wal").exists():
        return url
    return url.set(database=f"file:{quote(str(file))}", query={"mode": "ro", "immutable": "1", "uri": "true"})


def _sqlite_opened(connection: Any, _: Any) -> None:
    """Transactions begin when we say so; what is acknowledged is on the disk."""
    connection.isolation_level = None
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")


def _sqlite_begun(connection: Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN"))


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One connection, to read."""
    with engine.connect() as connection, connection.begin():
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One transaction, alone among writers of this store; committed whole, or nothing of it.

    Alone, because a sequence must follow the order of commits: no row appears before one that was there already.
    """
    with engine.connect() as connection:
        connection.execution_options(begin="BEGIN IMMEDIATE")
        with connection.begin():
            if connection.dialect.name == "postgresql":
                connection.execute(text(f"SET LOCAL lock_timeout = '{SECONDS}s'"))
                connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
            yield connection

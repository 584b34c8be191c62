"""Bringing a database to our schema: at first use, once, whoever comes first; what is not ours is left alone."""

from __future__ import annotations

import time
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.exc import OperationalError

from allocator.problems import Problem
from allocator.store.errors import NoStoreError, refused, shown
from allocator.store.places import SECONDS, reading, writing
from allocator.store.tables import REVISIONS, VERSION_TABLE
from allocator.texts import Text


def prepare(engine: Engine, create: bool, upgrade: bool = True) -> None:
    """Make the tables, or bring those of an earlier version up to date. `StoreError` where there is no store and none is
    to be made, where the database is another's, or of a later version than this one (or an earlier one, not to be changed)."""
    if not create and _absent(engine):
        raise _nothing_there(engine)
    with reading(engine) as connection:
        found = _revision(connection)
    if found == REVISIONS[-1]:
        return
    if found is None and not create:
        raise _nothing_there(engine)
    if found is not None and not upgrade:
        wrong = Text("cette base attend d'être mise à jour", "this database waits for its update")
        remedy = Text("Qui peut y enregistrer l'ouvre une fois.", "Someone who may save there opens it once.")
        raise refused(shown(engine.url), wrong, remedy)
    if engine.dialect.name == "sqlite":
        _write_ahead(engine)
    with writing(engine) as connection:
        if _revision(connection) != REVISIONS[-1]:  # nobody was faster
            _upgrade(connection)


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    if connection.dialect.name == "postgresql":
        encoding = connection.execute(text("SHOW server_encoding")).scalar_one()
        if encoding != "UTF8":
            wrong = Text(
                f"cette base est en {encoding}, et non en UTF8", f"this database is in {encoding}, not in UTF8"
            )
            remedy = Text("Créez-la avec ENCODING 'UTF8'.", "Create it with ENCODING 'UTF8'.")
            raise refused(shown(connection.engine.url), wrong, remedy)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _revision(connection: Connection) -> str | None:
    """The schema's version; None where the database is empty."""
    names = inspect(connection).get_table_names()
    at = shown(connection.engine.url)
    if VERSION_TABLE not in names:
        if names:
            wrong = Text("cette base sert déjà à autre chose", "this database is in use for something else")
            raise refused(at, wrong, Text("Donnez une base vide.", "Give an empty database."))
        return None
    found = connection.execute(text(f"SELECT version_num FROM {VERSION_TABLE}")).scalar_one_or_none()
    if found is not None and found not in REVISIONS:
        wrong = Text(
            f"cette base vient d'une version plus récente d'allocator (schéma {found}, ici {REVISIONS[-1]})",
            f"this database comes from a later version of allocator (schema {found}, here {REVISIONS[-1]})",
        )
        raise refused(at, wrong, Text("Mettez allocator à jour.", "Update allocator."))
    return None if found is None else str(found)


def _absent(engine: Engine) -> bool:
    file = engine.url.database or ""
    return engine.dialect.name == "sqlite" and not file.startswith("file:") and not Path(file).exists()


def _nothing_there(engine: Engine) -> Exception:
    empty = Text("rien n'a encore été enregistré ici", "nothing has been saved here yet")
    remedy = Text("Enregistrez un plan : allocator solve S --save", "Save a plan: allocator solve S --save")
    return NoStoreError([Problem("", empty, remedy, shown(engine.url))])


def _write_ahead(engine: Engine) -> None:
    """Readers and a writer at once; SQLite does not wait for others by itself where the mode changes."""
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            connection = engine.raw_connection()
            try:
                connection.cursor().execute("PRAGMA journal_mode = WAL")
            finally:
                connection.close()
            return
        except Exception as error:
            if getattr(error, "sqlite_errorname", "") != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise OperationalError(None, None, error) from None
            time.sleep(0.02)

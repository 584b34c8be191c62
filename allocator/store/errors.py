"""What a database refuses, told to the person who can do something about it. No password is ever shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

if TYPE_CHECKING:
    from sqlalchemy import URL


class StoreError(ScenarioError):
    """The store cannot be used, or does not hold what is asked of it; `problems` says why."""


class NoStoreError(StoreError):
    """Nothing has been saved there yet, and nothing was to be made."""


def refused(shown: str, message: Text, remedy: Text | None = None) -> StoreError:
    """The error with one problem, told where the store is."""
    return StoreError([Problem("", message, remedy, shown)])


def shown(url: URL) -> str:
    """A store's address without user's secrets: no password, no options."""
    if url.get_backend_name() == "sqlite":
        return str(url.database)
    return url.set(query={}, drivername="postgresql").render_as_string(hide_password=True)


@contextmanager
def told(url: URL) -> Iterator[None]:
    """Errors of the database inside become `StoreError`, without statements or parameters."""
    from sqlalchemy.exc import SQLAlchemyError

    try:
        yield
    except SQLAlchemyError as error:
        found = _problem(url, error)
    else:
        return
    raise StoreError([found]) from None


_BUSY = Text("la base est restée occupée par d'autres pendant 30 s", "the database was kept busy by others for 30 s")
_FULL = Text("le disque est plein : rien n'a été enregistré", "the disk is full: nothing was saved")
_SPACE = Text("Faites de la place, puis recommencez.", "Make room, then try again.")
_READ_ONLY = Text("lecture seule : rien ne peut y être enregistré", "read-only: nothing can be saved there")
_ELSEWHERE = Text(
    "Choisissez un autre fichier : --store ou ALLOCATOR_STORE.", "Choose another file: --store or ALLOCATOR_STORE."
)
_RIGHTS = Text("Demandez ces droits à qui gère la base.", "Ask whoever runs the database for these rights.")

# By the beginning of SQLite's own name of an error (https://www.sqlite.org/rescode.html)
_SQLITE: dict[str, tuple[Text, Text | None]] = {
    "SQLITE_BUSY": (_BUSY, Text("Recommencez.", "Try again.")),
    "SQLITE_LOCKED": (_BUSY, Text("Recommencez.", "Try again.")),
    "SQLITE_FULL": (_FULL, _SPACE),
    "SQLITE_READONLY": (_READ_ONLY, _ELSEWHERE),
    "SQLITE_CANTOPEN": (Text("impossible d'ouvrir ou de créer ce fichier", "this file cannot be opened or made"),
                        Text("Vérifiez que le dossier existe et que vous pouvez y écrire.",
                             "Check that the folder exists and that you may write there.")),
    "SQLITE_NOTADB": (Text("ce fichier n'est pas une base SQLite", "this file is not a SQLite database"), _ELSEWHERE),
    "SQLITE_CORRUPT": (Text("cette base SQLite est abîmée", "this SQLite database is damaged"),
                       Text("Reprenez une sauvegarde.", "Take a backup.")),
}  # fmt: skip
# By the beginning of PostgreSQL's code (https://www.postgresql.org/docs/current/errcodes-appendix.html)
_POSTGRESQL: dict[str, tuple[Text, Text | None]] = {
    "55P03": (_BUSY, Text("Recommencez.", "Try again.")),
    "53100": (_FULL, _SPACE),
    "25006": (_READ_ONLY, _RIGHTS),
    "42501": (Text("droits insuffisants sur cette base", "not enough rights on this database"), _RIGHTS),
}


def _problem(url: URL, error: Exception) -> Problem:
    origin = getattr(error, "orig", None) or error
    name, code = str(getattr(origin, "sqlite_errorname", "")), str(getattr(origin, "sqlstate", None) or "")
    for known, given in ((_SQLITE, name), (_POSTGRESQL, code)):
        for start, (message, remedy) in known.items():
            if given.startswith(start):
                return Problem("", message, remedy, shown(url))
    said = " ".join(_without_secrets(url, str(origin)).split())[:300] or type(origin).__name__
    if url.get_backend_name() != "sqlite" and (not code or code[:2] in ("08", "28", "3D", "57")):
        message = Text(
            f"serveur injoignable ou connexion refusée ({said})", f"server unreachable or connection refused ({said})"
        )
        remedy = Text(
            "Vérifiez l'adresse, le nom et le mot de passe. Un enregistrement interrompu a pu aboutir : « allocator history » le dit.",
            "Check address, user and password. A save that was cut off may have succeeded: “allocator history” tells.",
        )
        return Problem("", message, remedy, shown(url))
    return Problem("", Text(f"refus de la base ({said})", f"refused by the database ({said})"), None, shown(url))


def _without_secrets(url: URL, said: str) -> str:
    """What a driver says, should it ever repeat what it was given."""
    options = (str(value) for key, value in url.query.items() if "pass" in key)
    for secret in (str(url.password or ""), *options):
        said = said.replace(secret, "***") if secret else said
    return said

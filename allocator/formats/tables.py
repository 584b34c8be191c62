"""Tables of a scenario folder: a CSV file, or one whose rows are laid over those of a base.

`demands: demands.csv` is the whole table. `demands: {change: demands.csv}` says what differs from the base's, by `id` (earlier
aid: by `beneficiary` and `date`): a cell that is filled replaces the base's, an empty one keeps it; a new id is a new row;
`remove` is `true` for a row that goes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import pandas as pd

from allocator import files
from allocator.formats import csv_text
from allocator.problems import Problem, did_you_mean, near
from allocator.tables import TEXT_COLUMNS
from allocator.texts import Text

TABLES = ("territories", "demands", "prior_aid")
CHANGE, REMOVE = "change", "remove"
_TEXTS = {
    "territories": frozenset(("id", "name", "region", "departement")),
    "demands": TEXT_COLUMNS,
    "prior_aid": frozenset(("beneficiary", "date")),
}
_KEYS = {"territories": ("id",), "demands": ("id",), "prior_aid": ("beneficiary", "date")}
_NEEDED = {
    "territories": ("region", "departement", "population"),
    "demands": ("territory", "measure", "units", "asked"),
    "prior_aid": (),  # amount or cents
}  # of a new row
Place = tuple[str, Text | str]


class Rows(Protocol):
    """A table of texts, and where its cells stand."""

    header: list[str]
    rows: list[list[str]]
    texts: frozenset[str]

    def place(self, row: int | None, column: str | None) -> Place: ...
    def typed(self) -> pd.DataFrame: ...


@dataclass
class Laid:
    """Rows that come from several tables; `made_of`: whence each row comes, `cells`: whence a cell that another gave."""

    header: list[str]
    rows: list[list[str]]
    texts: frozenset[str]
    tables: tuple[Rows, Rows]
    made_of: list[tuple[Rows, int]]
    cells: dict[tuple[int, str], tuple[Rows, int]] = field(default_factory=dict)

    def place(self, row: int | None, column: str | None) -> Place:
        if row is None:
            under, over = self.tables
            return (under if column in under.header else over).place(None, column)
        table, at = self.cells.get((row, column or ""), self.made_of[row])
        return table.place(at, column)

    def typed(self) -> pd.DataFrame:
        return csv_text.frame(self.header, self.rows, self.texts)


@dataclass
class Given:
    """A table that no CSV holds: of a workbook, or of a scenario changed. Cells as they would be written."""

    header: list[str]
    rows: list[list[str]]
    texts: frozenset[str]
    where: Callable[[int | None, str | None], Place]
    frame: pd.DataFrame

    @classmethod
    def of(cls, frame: pd.DataFrame, where: Callable[[int | None, str | None], Place]) -> Given:
        from allocator.formats.saving import cell

        header = [str(name) for name in frame.columns]
        columns = [[cell(value) for value in frame[name].astype(object).tolist()] for name in frame.columns]
        rows = [list(row) for row in zip(*columns, strict=True)]
        texts = frozenset(str(name) for name in frame.columns if pd.api.types.is_string_dtype(frame[name]))
        return cls(header, rows, texts, where, frame)

    def place(self, row: int | None, column: str | None) -> Place:
        return self.where(row, column)

    def typed(self) -> pd.DataFrame:
        return self.frame


def read_bytes(path: Path, file: str, kinds: tuple[str, ...] = ()) -> tuple[bytes | None, Problem | None]:
    """A regular file's bytes, or why there are none; `kinds`: the suffixes that it may have, where a file names it."""
    try:
        return files.content(path, kinds), None
    except FileNotFoundError:
        message = Text("fichier introuvable", "file not found")
        beside = sorted(path.parent.glob(f"*{path.suffix}"))[:1000] if path.parent.is_dir() else []
        return None, Problem("", message, did_you_mean(path.name, [found.name for found in beside]), file)
    except files.Refused as error:
        return None, Problem("", error.message, error.remedy, file)


def read(
    name: str, value: Any, folder: Path, shown: Path, key: Place, problems: list[Problem]
) -> csv_text.CsvTable | None:
    """The CSV file that a key names, beside the file at `key`; None where it is not one."""
    key_file, key_place = key
    if not isinstance(value, str):
        message = Text("un nom de fichier CSV est attendu", "the name of a CSV file is expected")
        remedy = Text(f"Écrivez {name}: {name}.csv.", f"Write {name}: {name}.csv.")
        problems.append(Problem(key_place, message, remedy, key_file))
        return None
    data, problem = read_bytes(folder / value, str(shown / value), files.TABLES)
    if data is None:
        assert problem is not None
        message = Text(f"{value} : {problem.message.fr}", f"{value}: {problem.message.en}")
        problems.append(Problem(key_place, message, problem.remedy, key_file))
        return None
    found = csv_text.read(data, str(shown / value), _TEXTS[name])
    problems.extend(found.problems)
    return found


def change_named(value: Any) -> str | None:
    """The file of `{change: file.csv}`."""
    if isinstance(value, Mapping) and set(value) == {CHANGE} and isinstance(value[CHANGE], str):
        return str(value[CHANGE])
    return None


def lay(name: str, under: Rows, over: Rows, problems: list[Problem]) -> Rows:
    """The rows of `over` laid over those of `under`, by their keys; `problems` receives what is wrong."""

    def tell(row: int | None, column: str | None, message: Text, remedy: Text | None = None) -> None:
        file, place = over.place(row, column)
        problems.append(Problem(place, message, remedy, file))

    keys = _KEYS[name]
    absent = [column for column in keys if column not in over.header or column not in under.header]
    for column in absent:
        message = Text(f"la colonne {column} manque", f"the column {column} is missing")
        tell(None, None, message, did_you_mean(column, over.header))
    if absent:
        return under
    new = [c for c in over.header if c not in under.header and c != REMOVE]
    header = [*under.header, *new]
    rows = [[*row, *[""] * len(new)] for row in under.rows]
    at = {column: k for k, column in enumerate(header)}
    names = [" ".join(row[at[column]] for column in keys) for row in under.rows]
    known = {key: k for k, key in enumerate(names)}
    often = {key for key in known if names.count(key) > 1} if len(known) < len(names) else set()
    laid = Laid(header, rows, under.texts | over.texts, (under, over), [(under, k) for k in range(len(rows))])
    gone: set[int] = set()
    seen: set[str] = set()
    for rank, row in enumerate(over.rows):
        cells = {column: text for column, text in zip(over.header, row, strict=True) if text}
        own = {column: cells.pop(column, "") for column in keys}
        key = " ".join(own.values())
        if key in seen or key in often or not all(own.values()):
            empty = next((column for column, text in own.items() if not text), keys[0])
            tell(rank, empty, _not_one(key, empty, often, all(own.values())))
            continue
        seen.add(key)
        removed = cells.pop(REMOVE, "false").lower()
        missing = [column for column in _NEEDED[name] if column not in cells]
        if removed not in ("true", "false") or (removed == "true" and cells):
            tell(rank, REMOVE, Text(f"une ligne à retirer n'a que {' et '.join([*keys, 'remove'])}", f"a row to take out has only {' and '.join([*keys, 'remove'])}"),
                 Text("Écrivez true dans remove, et rien d'autre.", "Write true in remove, and nothing else."))  # fmt: skip
        elif key not in known and (removed == "true" or missing):
            whole = Text(f"Pour une ligne nouvelle, il manque {', '.join(missing)}.",
                         f"For a new row, {', '.join(missing)} is missing.")  # fmt: skip
            message = Text(f"« {key} » n'est pas dans la base", f"“{key}” is not in the base")
            tell(
                rank,
                keys[0],
                message,
                did_you_mean(key, known) if removed == "true" or near(key, list(known)) else whole,
            )
        elif removed == "true":
            gone.add(known[key])
        elif key in known:
            for column, text in cells.items():
                rows[known[key]][at[column]] = text
                laid.cells[known[key], column] = (over, rank)
        else:
            rows.append([own.get(column) or cells.get(column, "") for column in header])
            laid.made_of.append((over, rank))
    if gone:
        kept = [k for k in range(len(rows)) if k not in gone]
        moved = {k: to for to, k in enumerate(kept)}
        laid.rows, laid.made_of = [rows[k] for k in kept], [laid.made_of[k] for k in kept]
        laid.cells = {(moved[k], column): source for (k, column), source in laid.cells.items() if k in moved}
    return laid


def _not_one(key: str, column: str, often: set[str], whole: bool) -> Text:
    """Why a row's key says nothing: it is not there, or it is that of several rows."""
    if not whole:
        if column == "id":
            return Text("un identifiant est attendu", "an id is expected")
        return Text(f"une valeur est attendue dans {column}", f"a value is expected in {column}")
    if key in often:
        return Text(f"« {key} » : plusieurs lignes de la base ; donnez le fichier entier",
                    f"“{key}”: several rows of the base; give the whole file")  # fmt: skip
    return Text(f"« {key} » donné deux fois", f"“{key}” is given twice")

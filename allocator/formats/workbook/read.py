"""A scenario from a workbook: every mistake at once, each at its cell."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from allocator.formats.workbook import layout, words
from allocator.formats.workbook.cells import Attributes, Cell, CellError, fold_in, plain_text, read
from allocator.formats.workbook.example import SOURCE
from allocator.formats.workbook.grid import Grid, column_of
from allocator.formats.workbook.tables import (
    MOST_TOLD,
    SheetTable,
    below,
    header_row,
    no_header,
    read_table,
    strays,
    times,
    told_broken,
)
from allocator.problems import Problem, ScenarioError, did_you_mean, listed, near
from allocator.references import names_saved
from allocator.scenario import Path, Scenario
from allocator.selection import Columns
from allocator.tables import DEMAND_COLUMNS, TERRITORY_COLUMNS
from allocator.texts import Text

TABLES = ("territories", "demands", "prior_aid")
OPTIONAL = ("prior_aid",)
_LONG = re.compile(rf"→ (?:{words.LONG.fr}|{words.LONG.en}) ([0-9]{{1,7}})")


@dataclass
class WorkbookPlaces:
    """Cells of the keys and tables of a scenario: `Fonds!C12`."""

    file: str
    keys: dict[tuple[str, ...], str] = field(default_factory=dict)
    tables: dict[str, SheetTable] = field(default_factory=dict)

    def of_key(self, path: Path) -> tuple[str, Text | str]:
        at = tuple(map(str, path))
        for end in range(len(at), -1, -1):
            if at[:end] in self.keys:
                return self.file, self.keys[at[:end]]
        name = words.SHEETS.get(at[0] if at else "", words.SHEETS["scenario"])
        return self.file, Text(f"feuille {name.fr}", f"sheet {name.en}")

    def of_cell(self, table: str, row: int | None, column: str | None) -> tuple[str, Text | str]:
        read = self.tables.get(table)
        return self.of_key((table,)) if read is None else (self.file, read.place(row, column))


class _Unreadable:
    """Stands for a cell that is told already: no schema takes it, and what is said at its place is not repeated."""


UNREADABLE = _Unreadable()


class WorkbookReader:
    """Reads sheet after sheet; goes on after a mistake, so that all are found."""

    def __init__(self, grids: list[Grid], file: str) -> None:
        self.file = file
        self.long = next((grid for grid in grids if fold_in(grid.name, words.LONG, "")), None)
        self.problems: list[Problem] = []
        self.places = WorkbookPlaces(file)
        self.sheets = self._sheets(grids)
        self.attributes = Attributes()

    def scenario(self, parts: dict[str, Any] | None = None) -> Scenario:
        """The scenario (of `parts`, where they are read already), or `ScenarioError` with all that is wrong."""
        parts = self.parts() if parts is None else parts
        try:
            scenario = Scenario(**parts, places=self.places, problems=self.problems)
        except ScenarioError as error:
            # Of a cell that could not be read, that is the one thing to say.
            mine, rest = error.problems[: len(self.problems)], error.problems[len(self.problems) :]
            told = {str(problem.place) for problem in mine}
            found = [*mine, *(p for p in rest if str(p.place) not in told)]
            raise ScenarioError(sorted(found, key=self._order)) from None
        scenario.warnings.extend(self._rows_of_the_example(parts))
        return scenario

    def parts(self) -> dict[str, Any]:
        """What the workbook says, as the arguments of `Scenario`; what is wrong goes to `problems`."""
        frames = {name: self._frame(name) for name in TABLES}
        self.attributes = _attributes(frames)
        given = self._settings()
        lists = {noun: self._entities(noun) for noun in ("funds", "measures", "constraints")}
        parts: dict[str, Any] = {key: given.get(key) for key in ("name", "years", "objective", "base")}
        return parts | {key: given[key] for key in ("label", "description", "labels") if key in given} | lists | frames

    def _rows_of_the_example(self, parts: Mapping[str, Any]) -> Iterator[Problem]:
        """One warning for the rows that were typed over, not deleted: cells of the template's example may be left in them."""
        left = [
            self.places.keys[(noun, str(rank), "source")]
            for noun in ("funds", "measures", "constraints")
            for rank, item in enumerate(parts[noun] or ())
            if item.get("source") in (SOURCE.fr, SOURCE.en)
        ]
        if left:
            yield Problem(
                left[0],
                Text(f"source de l'exemple : d'autres cases de ces lignes en viennent peut-être aussi ({listed(left, 5)})",
                     f"the example's source: other cells of these rows may be the example's as well ({listed(left, 5)})"),
                Text("Relisez ces lignes en entier, puis écrivez votre source ou videz sa case.",
                     "Read these rows from end to end, then give your source or empty its cell."),
                self.file,
            )  # fmt: skip

    def tell(self, place: str | Text, message: Text, remedy: Text | None = None) -> None:
        self.problems.append(Problem(place, message, remedy, self.file))

    def _order(self, problem: Problem) -> tuple[int, int, int]:
        """Sheet after sheet, row after row; what has no cell last."""
        match = re.fullmatch(r"(.*)!([A-Z]*)([0-9]+)", str(problem.place), re.DOTALL)
        order = [grid.place() for grid in self.sheets.values()]
        if match is None or match[1] not in order:
            return (len(order), 0, 0)
        return (order.index(match[1]), int(match[3]), column_of(match[2]))

    # Sheets

    def _sheets(self, grids: list[Grid]) -> dict[str, Grid]:
        found: dict[str, Grid] = {}
        for noun, word in words.SHEETS.items():
            mine = [grid for grid in grids if fold_in(grid.name, word, noun)]
            if len(mine) > 1:
                self.tell(
                    mine[1].place(),
                    Text(f"deux feuilles pour « {word.fr} » : {mine[0].name}, {mine[1].name}",
                         f"two sheets for “{word.en}”: {mine[0].name}, {mine[1].name}"),
                    Text("Renommez ou supprimez l'une des deux (y compris si elle est masquée).",
                         "Rename or delete one of the two (also when it is hidden)."),
                )  # fmt: skip
            if mine:
                found[noun] = mine[0]
        if not found:
            nouns = [str(word) for word in words.SHEETS.values()]
            self.tell(
                "",
                Text("ce classeur n'est pas un scénario : aucune des feuilles attendues",
                     "this workbook is no scenario: none of the sheets expected"),
                Text(f"Feuilles : {', '.join(nouns)} (allocator template en écrit un modèle).",
                     f"Sheets: {', '.join(nouns)} (allocator template writes one)."),
            )  # fmt: skip
            raise ScenarioError(self.problems)
        spare = [grid.name for grid in grids if grid not in found.values()]
        for noun, word in words.SHEETS.items():
            close = None if noun in found else near(str(word), spare, cutoff=0.75)
            if noun not in found and (noun not in OPTIONAL or close):
                rename = Text(f"Renommez « {close} » en « {word.fr} » ?", f"Rename “{close}” to “{word.en}”?")
                self.tell(
                    self.places.of_key((noun,))[1],
                    Text("feuille absente", "the sheet is missing"),
                    rename if close else Text("Ajoutez-la, même sans ligne.", "Add it, even without a row."),
                )
        return found

    def _frame(self, name: str) -> Any:
        grid = self.sheets.get(name)
        if grid is None:
            return None
        table = read_table(name, grid, self.file, self.problems)
        if table is None:
            self.places.keys[(name,)] = grid.place()
            return None
        self.places.tables[name] = table
        if name in OPTIONAL and not table.rows:
            return None
        return table.frame

    def _settings(self) -> dict[str, Any]:
        """Sheet Scénario: a name and, in the next cell that is filled, its value."""
        grid = self.sheets.get("scenario")
        out: dict[str, Any] = {}
        if grid is None:
            return out
        for row in below(grid, -1):
            cells = list(grid.filled(row))
            if not cells or not isinstance(cells[0][1], str):
                continue
            name = cells[0][1]
            column = layout.column_named(name, "scenario")
            value = next(((at, cell) for at, cell in cells[1:]), None)
            bad = [at for (broken, at) in grid.broken if broken == row and at > cells[0][0]]
            if bad and column is not None:
                self.problems.extend(p for at in bad if (p := told_broken(grid, row, at, self.file)))
                self.places.keys[column.path] = grid.place(row, bad[0])
                continue
            if column is None:
                if value is not None and not name.startswith("#"):
                    known = [str(c.label) for c in layout.columns("scenario")]
                    self.tell(
                        grid.place(row, cells[0][0]),
                        Text(f"rubrique inconnue « {name} »", f"unknown entry “{name}”"),
                        did_you_mean(name, known),
                    )
                continue
            self.places.keys[column.path] = grid.place(row, cells[0][0] + 1)
            if value is not None:
                self._put(out, column, value[1], grid.place(row, value[0]), ())
        return out

    # Funds, measures, constraints: one a row

    def _entities(self, noun: str) -> list[Any] | None:
        grid = self.sheets.get(noun)
        if grid is None:
            return None
        head = header_row(grid, lambda header: layout.column_named(header, noun))
        if head is None:
            if below(grid, -1) or noun != "constraints":
                examples = [column.header for column in layout.columns(noun)[:4]]
                self.problems.append(no_header(grid, examples, self.file))
                self.places.keys[(noun,)] = grid.place()
            return []
        rows = below(grid, head)
        columns, taken = self._headers(noun, grid, head, rows)
        self.problems.extend(strays(grid, rows, taken, self.file))
        self.places.keys[(noun,)] = grid.place(head, min(columns, default=0))
        items: list[Any] = []
        for row in rows:
            item = self._item(noun, grid, row, columns, len(items))
            if item is not None:
                items.append(item)
        return items

    def _headers(
        self, noun: str, grid: Grid, head: int, rows: list[int]
    ) -> tuple[dict[int, tuple[layout.Column, str]], set[int]]:
        """{position: (column, unit written in its header)}, and every position about which nothing more is to be said."""
        found: dict[int, tuple[layout.Column, str]] = {}
        taken: set[int] = set()
        for at, cell in grid.filled(head):
            header = plain_text(cell)
            taken.add(at)
            if header.startswith("#"):
                continue
            column = layout.column_named(header, noun)
            if column is not None and column.path in [known.path for known, _ in found.values()]:
                self.tell(
                    grid.place(head, at),
                    Text(f"colonne « {header} » donnée deux fois", f"column “{header}” is given twice"),
                    Text("Gardez-en une.", "Keep one."),
                )
            elif column is not None:
                found[at] = (column, words.parted(header)[1])
                if words.parted(header)[1].casefold() in words.MULTIPLES and column.shape.unit != words.EUROS:
                    self.tell(
                        grid.place(head, at),
                        Text(f"« {header} » : cette colonne n'est pas un montant",
                             f"“{header}”: this column is no amount"),
                        Text(f"Écrivez « {column.label.fr} ».", f"Write “{column.label.en}”."),
                    )  # fmt: skip
            elif any(at < len(grid.rows[row]) and grid.rows[row][at] is not None for row in rows):
                known = [str(c.label) for c in layout.columns(noun)]
                ignore = Text("Pour l'ignorer, mettez « # » devant.", "To have it ignored, put “#” before it.")
                close = near(words.parted(header)[0], known)
                self.tell(
                    grid.place(head, at),
                    Text(f"colonne inconnue « {header} »", f"unknown column “{header}”"),
                    did_you_mean(header, [close]) if close else ignore,
                )
        return found, taken

    def _item(
        self, noun: str, grid: Grid, row: int, columns: Mapping[int, tuple[layout.Column, str]], rank: int
    ) -> dict[str, Any] | None:
        """One row as keys and values; None where its kind is unknown."""
        fields: Mapping[tuple[str, ...], layout.Column] | None = None
        item: dict[str, Any] = {}
        place = (noun, str(rank))
        self.places.keys[place] = grid.place(row, min(columns, default=0))
        told = len(self.problems)
        for at, (column, _) in columns.items():
            self.places.keys[(*place, *column.path)] = grid.place(row, at)
            bad = told_broken(grid, row, at, self.file)
            if bad:
                self.problems.append(bad)
                _mark_unreadable(item, column.path)
        if noun == "constraints":
            first = next((at for at, (column, _) in columns.items() if column.path == ("kind",)), None)
            cell = None if first is None else _cell(grid, row, first)
            if first is None or cell is None:
                return None if len(self.problems) > told else item
            kind = layout.kind_named(plain_text(cell))
            if kind is None:
                titles = [str(layout.title(k)) for k in layout.kinds_of_constraint()]
                self.tell(
                    grid.place(row, first),
                    Text(f"règle inconnue « {plain_text(cell)} »", f"unknown constraint “{plain_text(cell)}”"),
                    did_you_mean(plain_text(cell), titles),
                )
                return None
            item["kind"], fields = kind, layout.kinds_of_constraint()[kind]
        for at, (column, unit) in columns.items():
            cell = _cell(grid, row, at)
            if cell is None or column.path == ("kind",):
                continue
            own = column if fields is None else _own(column, fields)
            if own is None:
                title = layout.title(item["kind"])
                self.tell(
                    grid.place(row, at),
                    Text(f"la règle « {title.fr} » n'a pas de champ « {column.label.fr} »",
                         f"constraint “{title.en}” has no field “{column.label.en}”"),
                    Text("Videz cette cellule.", "Empty this cell."),
                )  # fmt: skip
                continue
            self._put(item, own, cell, grid.place(row, at), place, unit)
        if isinstance(item.get("reference"), str):  # told from the file that names it
            folder = os.path.dirname(self.file)
            if not names_saved(item["reference"], folder):
                item["reference"] = os.path.normpath(os.path.join(folder, item["reference"]))
        return item

    def _put(
        self,
        into: dict[str, Any],
        column: layout.Column,
        cell: Cell,
        place: str,
        below: tuple[str, ...],
        unit: str = "",
    ) -> None:
        """The value of a cell at its path in `into`."""
        factor = words.MULTIPLES.get(unit.casefold())
        if column.shape.unit == words.EUROS:
            cell = times(cell, factor)
        try:
            long = _LONG.fullmatch(cell) if isinstance(cell, str) else None
            value = read(cell, column.shape, self.attributes) if long is None else self._long_text(int(long[1]) - 1)
        except CellError as error:
            self.tell(place, error.message, error.remedy)
            value = UNREADABLE
        *above, last = column.path
        for key in above:
            into = into.setdefault(key, {})
            if not isinstance(into, dict):
                into = {last: None}
        if last in into or not isinstance(into, dict):
            self.tell(
                place,
                Text(f"« {column.label.fr} » est déjà donné par une autre colonne",
                     f"“{column.label.en}” is already given by another column"),
                Text("Videz l'une des deux cellules.", "Empty one of the two cells."),
            )  # fmt: skip
        elif value is not None:
            into[last] = value
        self.places.keys[(*below, *column.path)] = place

    def _long_text(self, row: int) -> Any:
        """What the row of a sheet of long texts says."""
        try:
            cells = self.long.rows[row] if self.long is not None else []
            return json.loads("".join(str(cell) for cell in cells if cell is not None))
        except (IndexError, ValueError, RecursionError):
            raise CellError(
                Text("le texte long n'est plus dans sa feuille", "the long text is no longer on its sheet"),
                Text(f"Rétablissez la feuille « {words.LONG.fr} ».", f"Bring back sheet “{words.LONG.en}”."),
            ) from None


def _mark_unreadable(into: Any, path: tuple[str, ...]) -> None:
    for key in path[:-1]:
        into = into.setdefault(key, {})
        if not isinstance(into, dict):
            return
    into[path[-1]] = UNREADABLE


def _cell(grid: Grid, row: int, column: int) -> Cell:
    return grid.rows[row][column] if column < len(grid.rows[row]) else None


def _own(column: layout.Column, fields: Mapping[tuple[str, ...], layout.Column]) -> layout.Column | None:
    """The kind's own column for a column of the sheet; a part of a field (one year) belongs to the field."""
    found = fields.get(column.path)
    return found or (column if column.path[:-1] in fields else None)


def _attributes(frames: Mapping[str, Any]) -> Attributes:
    """What a `where` may name: the columns of territories and demands, and those that are completed by default."""
    kinds = dict.fromkeys(("id", "name", "region", "departement", "beneficiary", "beneficiary_kind", "project"), "text")
    numbers = {*TERRITORY_COLUMNS, *DEMAND_COLUMNS} - {"territory", "measure", *kinds}
    kinds |= dict.fromkeys(sorted(numbers), "number")
    for name in ("territories", "demands"):
        if frames.get(name) is not None:
            columns = Columns(frames[name])
            kinds |= {key: columns[key].kind for key in columns.names if key not in kinds}
    return Attributes(kinds)


__all__ = ["MOST_TOLD", "WorkbookPlaces", "WorkbookReader"]

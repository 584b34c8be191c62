"""Territories, demands and prior aid from their sheets: whatever stands above, beside and between, and in any order."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd

from allocator.formats.csv_text import looks_like_number
from allocator.formats.workbook import words
from allocator.formats.workbook.cells import Cell, plain_text
from allocator.formats.workbook.grid import Grid
from allocator.formats.workbook.layout import table_column
from allocator.money import parse_cents, parse_decimal
from allocator.problems import Problem
from allocator.tables import TEXT_COLUMNS
from allocator.texts import Text

MOST_TOLD = 20  # of one mistake on one sheet
HEADERS_WITHIN = 60  # rows, below whatever titles and notes
_MONEY = ("asked", "cost", "other_public", "own")
_TEXTS = {
    "territories": frozenset(("id", "name", "region", "departement")),
    "demands": TEXT_COLUMNS,
    "prior_aid": frozenset(("beneficiary", "date")),
}
_FRENCH_DATE = re.compile(r"([0-3]?[0-9])[/.]([01]?[0-9])[/.]([0-9]{4})")


@dataclass
class SheetTable:
    """A table read from a sheet, and where its columns and rows stand (from 0)."""

    grid: Grid
    head: int
    columns: dict[str, int] = field(default_factory=dict)
    rows: list[int] = field(default_factory=list)
    frame: pd.DataFrame | None = None

    def place(self, row: int | None, column: str | None) -> str:
        at = self.columns.get(column) if column is not None else None
        return self.grid.place(self.head if row is None else self.rows[row], at)


def header_row(grid: Grid, known: Callable[[str], object]) -> int | None:
    """The row with the most headers that are `known`, the first of them; None where no row has any."""
    best, most = None, 0
    for row in range(min(len(grid.rows), HEADERS_WITHIN)):
        count = sum(isinstance(cell, str) and bool(known(cell)) for _, cell in grid.filled(row))
        if count > most:
            best, most = row, count
    return best


def no_header(grid: Grid, first: list[str], file: str) -> Problem:
    return Problem(
        grid.place(),
        Text("aucune ligne d'en-têtes n'est reconnue", "no row of headers is recognised"),
        Text(f"Par exemple : {', '.join(first)}.", f"For example: {', '.join(first)}."),
        file,
    )


def below(grid: Grid, head: int) -> list[int]:
    """The rows of data: those below the headers that hold anything."""
    broken = {row for row, _ in grid.broken}
    return [row for row in range(head + 1, len(grid.rows)) if row in broken or any(True for _ in grid.filled(row))]


def told_broken(grid: Grid, row: int, column: int, file: str) -> Problem | None:
    """What is wrong with a cell before anything is read from it."""
    said = grid.broken.get((row, column))
    if said is None:
        return None
    remedy = Text("Corrigez la formule, ou collez sa valeur.", "Mend the formula, or paste its value.")
    return Problem(grid.place(row, column), said, remedy, file)


def strays(grid: Grid, rows: list[int], columns: set[int], file: str) -> list[Problem]:
    """Values under no header: they mean nothing, and someone meant something."""
    found = [(row, column) for row in rows for column, _ in grid.filled(row) if column not in columns]
    told = [
        Problem(
            grid.place(row, column),
            Text(f"« {plain_text(grid.rows[row][column])[:40]} » n'est sous aucun en-tête",
                 f"“{plain_text(grid.rows[row][column])[:40]}” stands under no header"),
            Text("Donnez un en-tête à cette colonne (« # note » pour une colonne à ignorer).",
                 "Give this column a header (“# note” for one to be ignored)."),
            file,
        )
        for row, column in found[:MOST_TOLD]
    ]  # fmt: skip
    if len(found) > MOST_TOLD:
        more = len(found) - MOST_TOLD
        told.append(Problem(grid.place(), Text(f"et {more} autres cellules sans en-tête",
                                               f"and {more} more cells without a header"), None, file))  # fmt: skip
    return told


def read_table(name: str, grid: Grid, file: str, problems: list[Problem]) -> SheetTable | None:
    """The table on a sheet; `problems` receives what is wrong with its form. None where no headers are found."""
    head = header_row(grid, lambda header: table_column(header, name))
    if head is None:
        problems.append(no_header(grid, [str(word) for word in words.COLUMNS[name].values()], file))
        return None
    table = SheetTable(grid, head)
    units: dict[str, str] = {}
    width = max((len(row) for row in grid.rows), default=0)
    ignored: set[int] = set()
    for column in range(width):
        bad = told_broken(grid, head, column, file)
        cell = grid.rows[head][column] if column < len(grid.rows[head]) else None
        if bad:
            problems.append(bad)
            ignored.add(column)
        if bad or cell is None:
            continue
        header = str(cell).strip()
        if header.startswith("#"):
            ignored.add(column)
            continue
        bare, unit = words.parted(header)
        own = bare if words.fold(unit) in words.both(words.AS_TEXT) else header
        key = plain_text(own) if header.startswith('"') else table_column(header, name) or own
        if key in table.columns:
            problems.append(
                Problem(
                    grid.place(head, column),
                    Text(f"colonne « {header} » donnée deux fois", f"column “{header}” is given twice"),
                    Text("Gardez-en une.", "Keep one."),
                    file,
                )
            )
            ignored.add(column)
            continue
        table.columns[key], units[key] = column, unit
    table.rows = below(grid, head)
    taken = set(table.columns.values())
    for row in table.rows:
        for column in taken:
            bad = told_broken(grid, row, column, file)
            if bad:
                problems.append(bad)
    problems.extend(strays(grid, table.rows, taken | ignored, file))
    table.frame = pd.DataFrame(
        {key: _series(name, key, units[key], table, file, problems) for key in table.columns},
        index=pd.RangeIndex(len(table.rows)),
    )
    return table


def _series(name: str, key: str, unit: str, table: SheetTable, file: str, problems: list[Problem]) -> pd.Series:
    at, rows = table.columns[key], table.grid.rows
    cells = [rows[row][at] if at < len(rows[row]) else None for row in table.rows]
    if key in _TEXTS[name]:
        return pd.Series([_dated(cell) if key == "date" else plain_text(cell) for cell in cells], dtype="str")
    if name == "prior_aid" and key == "cents" and not words.fold(unit).startswith("cent"):
        return _cents(cells, unit, table, file, problems)
    if key in words.COLUMNS[name]:
        factor = words.MULTIPLES.get(unit.casefold()) if key in _MONEY else None
        return _numbers([times(cell, factor) for cell in cells])
    if words.fold(unit) in words.both(words.AS_TEXT):
        return pd.Series([plain_text(cell) for cell in cells], dtype="str")
    return _extra(cells)


def times(cell: Cell, factor: str | None) -> Any:
    """An amount in a column of k€ or M€ as people write it; a text that says its own unit stays."""
    if isinstance(cell, (int, float)) and not isinstance(cell, bool) and factor:
        return f"{Decimal(str(cell)):f} {factor}"
    if isinstance(cell, str) and factor and looks_like_number(cell.strip()):
        return f"{cell.strip()} {factor}"
    return plain_text(cell) if isinstance(cell, (str, date)) else cell


def _cents(cells: list[Cell], unit: str, table: SheetTable, file: str, problems: list[Problem]) -> pd.Series:
    """A column of euros as the contract's whole cents."""
    out: list[Any] = []
    for row, cell in enumerate(cells):
        try:
            out.append(parse_cents(times(cell, words.MULTIPLES.get(unit.casefold()))))
        except ValueError as error:
            problems.append(Problem(table.place(row, "cents"), error.args[0], None, file))
            out.append(0)
    return pd.Series(out, dtype=np.int64)


def _dated(cell: Cell) -> str:
    text = plain_text(cell)
    match = _FRENCH_DATE.fullmatch(text)
    return f"{match[3]}-{int(match[2]):02d}-{int(match[1]):02d}" if match else text


def _numbers(values: list[Any]) -> pd.Series:
    """int64 or float64 where possible, else the objects as they are."""
    if values and all(type(value) is int and abs(value) < 2**62 for value in values):
        return pd.Series(values, dtype=np.int64)
    if all(value is None or type(value) in (int, float) for value in values) and any(type(v) is float for v in values):
        return pd.Series([np.nan if value is None else value for value in values], dtype=np.float64)
    return pd.Series(values, dtype=object)


def _extra(cells: list[Cell]) -> pd.Series:
    """A column of one's own: texts, unless all of it are numbers (as Excel or as French people write them) or truths."""
    filled = [cell for cell in cells if cell is not None]
    texts = [cell.strip() for cell in filled if isinstance(cell, str)]
    written = [text for text in texts if looks_like_number(text)]
    of_numbers = len(filled) - len(texts) - sum(isinstance(c, (bool, date)) for c in filled) + len(written)
    if filled and 2 * of_numbers > len(filled):
        return _numbers(
            [_plain(c) if isinstance(c, str) and looks_like_number(c.strip()) else
             plain_text(c) if isinstance(c, (str, date)) else c for c in cells]
        )  # fmt: skip
    truths = {"true": True, "vrai": True, "false": False, "faux": False}
    if filled and all(isinstance(c, bool) or (isinstance(c, str) and c.strip().casefold() in truths) for c in filled):
        return pd.Series([truths[c.strip().casefold()] if isinstance(c, str) else c for c in cells], dtype=object)
    if len(texts) == len(filled):
        return pd.Series([plain_text(cell) for cell in cells], dtype="str")
    return pd.Series([plain_text(cell) if isinstance(cell, (str, date)) else cell for cell in cells], dtype=object)


def _plain(text: str) -> int | float | Decimal:
    value = parse_decimal(text)
    if value == value.to_integral_value() and abs(value) < 2**53:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else value

"""A scenario's sheets in a workbook: titles, headers with units, lists to choose from, and cells that read back the same.

Texts are only ever written as texts: `=1+1` in a label stays five characters.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
from xlsxwriter import Workbook
from xlsxwriter.exceptions import FileCreateError
from xlsxwriter.worksheet import Worksheet

from allocator.formats.csv_text import looks_like_number
from allocator.formats.saving import given_columns
from allocator.formats.workbook import layout, words
from allocator.formats.workbook.cells import MOST_LETTERS, TEXT, Attributes, Cell, CellError, Shape, write
from allocator.formats.workbook.grid import letters
from allocator.problems import Problem, ScenarioError
from allocator.scenario import Scenario
from allocator.scenario.entities import plain
from allocator.selection import Columns
from allocator.texts import Text

MOST_ROWS = 1_048_576  # of a sheet, by the format
HEAD = 3  # the row of headers (from 0): a title, a line of help and an empty line stand above
SPARE = 200  # empty rows below a table that have lists to choose from
_BLUE, _PALE, _GREY = "#1F3864", "#DDE6F3", "#E5E5E5"

HELP = {
    "scenario": Text("Le nom, les années et l'objectif.", "The name, the years and the objective."),
    "funds": Text(
        "Un fonds par ligne : son montant sur tout l'horizon, ou un montant par année.",
        "One fund a row: its amount over the horizon, or one amount a year.",
    ),
    "measures": Text("Ce qui peut être financé, une mesure par ligne.", "What may be funded, one measure a row."),
    "territories": Text(
        "Un territoire par ligne ; toute autre colonne est un attribut que les règles peuvent choisir.",
        "One territory a row; any other column is an attribute that rules may choose.",
    ),
    "demands": Text(
        "Un dossier par ligne ; toute autre colonne de nombres est un indicateur par unité, toute autre colonne de texte un attribut.",
        "One demand a row; any other column of numbers is an indicator per unit, any other column of texts an attribute.",
    ),
    "constraints": Text(
        "Une règle par ligne ; les cases grises n'existent pas pour cette règle et restent vides.",
        "One rule a row; grey cells do not exist for this rule and stay empty.",
    ),
    "prior_aid": Text("Les aides déjà reçues (de minimis).", "Aid already received (de minimis)."),
}


class Book:
    """A workbook being written: its formats, and cells that are never formulas."""

    def __init__(self, path: Any) -> None:
        self.book = Workbook(path, {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False,
                                    "nan_inf_to_errors": False})  # fmt: skip
        made = self.book.add_format
        self.title = made({"bold": True, "font_size": 15, "font_color": _BLUE})
        self.help = made({"italic": True, "font_color": "#595959"})
        self.head = made({"bold": True, "bg_color": _BLUE, "font_color": "white", "text_wrap": True, "valign": "top",
                          "border": 1, "border_color": "white"})  # fmt: skip
        self.bold = made({"bold": True})
        self.bold_euros = made({"bold": True, "num_format": '#,##0.00" €"'})
        self.bold_number = made({"bold": True, "num_format": "#,##0.##", "align": "right"})
        self.euros = made({"num_format": '#,##0.00" €"'})
        self.wrap = made({"text_wrap": True, "valign": "top"})
        self.label = made({"bold": True, "bg_color": _PALE})
        self.grey = made({"bg_color": _GREY, "font_color": "#7F7F7F", "pattern": 1})

    def close(self) -> None:
        """Write the file; `OSError` where it cannot be."""
        try:
            self.book.close()
        except FileCreateError as error:
            raise error.args[0] from None

    def sheet(self, name: str, title: str, line: str = "") -> Worksheet:
        """A sheet with its title and a line of help."""
        sheet = self.book.add_worksheet(name)
        sheet.hide_gridlines(2)
        sheet.write_string(0, 0, title, self.title)
        if line:
            sheet.write_string(1, 0, line, self.help)
        return sheet

    def cell(self, sheet: Worksheet, row: int, column: int, value: Cell, format: Any = None) -> None:
        """A text, number or truth, as such."""
        if isinstance(value, bool):
            sheet.write_boolean(row, column, value, format)
        elif isinstance(value, (int, float)):
            sheet.write_number(row, column, value, format)
        elif value is not None:
            sheet.write_string(row, column, str(value), format)

    def headers(self, sheet: Worksheet, headers: Iterable[str], row: int = HEAD, notes: Sequence[str] = ()) -> int:
        """A row of headers that stays in sight, with a note on each; how many they are."""
        count = 0
        for column, header in enumerate(headers):
            sheet.write_string(row, column, header, self.head)
            sheet.set_column(column, column, min(34, max(12, len(header) * 0.8 + 4)))
            count += 1
        for column, note in enumerate(notes):
            sheet.write_comment(row, column, note, {"x_scale": 1.6, "y_scale": 0.8})
        sheet.set_row(row, 32)
        sheet.freeze_panes(row + 1, 1)
        return count


class Sheets:
    """The sheets of one scenario, written into a `Book`."""

    def __init__(self, book: Book, scenario: Scenario, *, spare: int = SPARE) -> None:
        self.book, self.scenario, self.spare = book, scenario, spare
        kinds = {}
        for frame in (scenario.demands, scenario.territories):
            columns = Columns(frame)
            kinds.update({name: columns[name].kind for name in columns.names if name not in kinds})
        self.attributes = Attributes(kinds)
        self.lists: dict[str, str] = {}
        self.long: list[str] = []

    def write(self) -> None:
        """Every sheet. `ScenarioError` where something has no place in a workbook."""
        try:
            chosen = self._lists()
            self._settings()
            for noun, items in (
                ("funds", self.scenario.funds),
                ("measures", self.scenario.measures),
            ):
                self._entities(noun, items)
            self._table("territories", self.scenario.territories, given_columns(self.scenario, "territories"))
            self._table("demands", self.scenario.demands, given_columns(self.scenario, "demands"))
            self._entities("constraints", self.scenario.constraints)
            if self.scenario.prior_aid is not None:
                self._table("prior_aid", self.scenario.prior_aid, given_columns(self.scenario, "prior_aid"))
            sheet = self.book.book.add_worksheet(str(words.LISTS))
            sheet.hide()
            if self.long:
                self._long_texts()
            for at, values in enumerate(chosen):
                for row, value in enumerate(values):
                    sheet.write_string(row, at, value)
        except CellError as error:
            raise ScenarioError([Problem("", error.message, error.remedy)]) from None

    def _written(self, value: Any, shape: Shape) -> Cell:
        """A value's cell; where it is longer than a cell may be, the row of `LONG` that holds it."""
        if len(str(value)) < MOST_LETTERS // 2 or len(json.dumps(value, default=str)) < MOST_LETTERS:
            return write(value, shape, self.attributes)
        self.long.append(json.dumps(value, default=str))
        return f"→ {words.LONG} {len(self.long)}"

    def _long_texts(self) -> None:
        """What is longer than a cell may be (the rows of a reference), as JSON over as many cells as it takes."""
        sheet = self.book.book.add_worksheet(str(words.LONG))
        sheet.hide()
        for row, text in enumerate(self.long):
            for column, start in enumerate(range(0, len(text), MOST_LETTERS)):
                sheet.write_string(row, column, text[start : start + MOST_LETTERS])

    def _sheet(self, noun: str, rows: int) -> Worksheet:
        name = words.SHEETS[noun]
        if rows + HEAD + 1 > MOST_ROWS:
            raise CellError(
                Text(f"{name.fr} : {rows} lignes, une feuille en a {MOST_ROWS}", f"{name.en}: {rows} rows, a sheet has {MOST_ROWS}"),
                Text("Gardez ce scénario en YAML et CSV.", "Keep this scenario in YAML and CSV."),
            )  # fmt: skip
        return self.book.sheet(str(name), str(name), str(HELP[noun]))

    def _lists(self) -> list[list[str]]:
        """What may be chosen, on a sheet of its own: validation by a list of texts is limited to 255 letters."""
        scenario = self.scenario
        per = [str(word) for word in words.PER.values()] + scenario.attributes
        chosen = {
            "truth": [str(words.YES), str(words.NO)],
            "kind": [str(layout.title(kind)) for kind in layout.kinds_of_constraint()],
            "attribute": per,
            "indicator": scenario.indicators,
        }
        for column in layout.columns("constraints"):
            if column.shape.form == "choice":
                chosen["choice:" + column.path[0]] = [str(words.CHOICES.get(c, c)) for c in column.shape.choices]
        for at, (name, values) in enumerate(chosen.items()):
            if values:
                self.lists[name] = f"='{words.LISTS}'!${letters(at)}$1:${letters(at)}${len(values)}"
        for noun, count in (
            ("funds", len(scenario.funds)),
            ("measures", len(scenario.measures)),
            ("territories", len(scenario.territories)),
        ):
            self.lists[noun] = f"='{words.SHEETS[noun]}'!$A${HEAD + 2}:$A${HEAD + 1 + count + self.spare}"
        return list(chosen.values())

    def _settings(self) -> None:
        scenario = self.scenario
        said: dict[str, Any] = {"name": scenario.name, "years": list(scenario.years), "base": scenario.base or None}
        said |= {key: getattr(scenario, key) or None for key in ("label", "description", "labels")}
        said["objective"] = plain(scenario.objective)
        given = dict(_leaves(said, {column.path for column in layout.columns("scenario")}))
        known = {column.path: column for column in layout.columns("scenario")}
        sheet = self._sheet("scenario", len(known))
        sheet.set_column(0, 0, 40)
        sheet.set_column(1, 1, 90)
        shown = [path for path in known if path in given or len(path) == 1 or path[0] == "objective"]
        for row, path in enumerate([*shown, *(path for path in given if path not in known)], HEAD):
            column = known.get(path) or layout.column_named(".".join(path), "scenario")
            assert column is not None
            sheet.write_string(row, 0, str(column.label), self.book.label)
            if path in given:
                cell = self._written(given[path], column.shape)
                self.book.cell(sheet, row, 1, cell, self.book.wrap)

    def _entities(self, noun: str, items: Sequence[Any]) -> None:
        columns = self._spread(noun, items)
        paths = [column.path for column in columns]
        sheet = self._sheet(noun, len(items))
        self.book.headers(sheet, [column.header for column in columns], notes=[_note(column) for column in columns])
        for row, item in enumerate(items, HEAD + 1):
            values = plain(item)
            own = layout.kinds_of_constraint()[values["kind"]] if noun == "constraints" else {}
            for path, value in _leaves(values, set(paths)):
                at = paths.index(path)
                if path == ("kind",):
                    sheet.write_string(row, at, str(layout.title(value)))
                    continue
                column = own.get(path, columns[at])
                cell = self._written(value, column.shape)
                self.book.cell(sheet, row, at, cell, self.book.euros if column.shape.unit == words.EUROS else None)
        last = HEAD + len(items) + self.spare
        for at, column in enumerate(columns):
            self._choose(sheet, at, column, last)
            if column.kinds is not None:
                self._grey(sheet, at, column.kinds, last)
        sheet.autofilter(HEAD, 0, HEAD + max(1, len(items)), len(columns) - 1)

    def _spread(self, noun: str, items: Sequence[Any]) -> list[layout.Column]:
        """The sheet's columns for these items: one a year where euros are given by year, whole fields where needed."""
        used = [plain(item) for item in items]
        out: list[layout.Column] = []
        for column in layout.columns(noun):
            values = [value for item in used if (value := _at(item, column.path)) is not None]
            mappings = [value for value in values if isinstance(value, Mapping)]
            if column.by_year and len(column.path) == 1:
                years = {int(year) for value in mappings for year in value}
                if column.path == ("amounts",):
                    years |= set(self.scenario.years)
                out += [column.year(str(year)) for year in sorted(years)]
                if not years or any(not value for value in mappings):
                    out.append(column)
            elif column.shape.form != "selection" or column.path != ("on",) or any(not value for value in mappings):
                out.append(column)
        return out

    def _choose(self, sheet: Worksheet, at: int, column: layout.Column, last: int) -> None:
        form, key = column.shape.form, column.path[0]
        name = {"parent": "funds", "indicator": "indicator"}.get(key, f"choice:{key}" if form == "choice" else form)
        source = self.lists.get(name)
        if source:
            strict = form in ("truth", "kind", "choice")
            sheet.data_validation(HEAD + 1, at, last, at, {
                "validate": "list", "source": source, "error_type": "stop" if strict else "information",
                "error_title": str(Text("Choix", "Choice")),
                "error_message": str(Text("Choisissez dans la liste.", "Choose from the list.")),
            })  # fmt: skip

    def _grey(self, sheet: Worksheet, at: int, kinds: frozenset[str], last: int) -> None:
        """Grey where the rule of the row has no such field."""
        first = f"$A{HEAD + 2}"
        having = ",".join(f'{first}="{layout.title(kind)}"' for kind in sorted(kinds))
        sheet.conditional_format(HEAD + 1, at, last, at, {
            "type": "formula", "criteria": f'=AND({first}<>"",NOT(OR({having})))', "format": self.book.grey,
        })  # fmt: skip

    def _table(self, name: str, frame: pd.DataFrame, given: Sequence[str]) -> None:
        sheet = self._sheet(name, len(frame))
        headers = []
        for at, key in enumerate(given):
            cells, as_text = _cells(frame[key], name, key)
            header = layout.table_header(key, name)
            headers.append(f"{header} ({words.AS_TEXT})" if as_text else header)
            format = self.book.euros if header.endswith(f"({words.EUROS})") else None
            for row, cell in enumerate(cells, HEAD + 1):
                self.book.cell(sheet, row, at, cell, format)
        self.book.headers(sheet, headers, notes=[f"{Text('clé', 'key')} : {key}" for key in given])
        sheet.autofilter(HEAD, 0, HEAD + max(1, len(frame)), max(0, len(given) - 1))
        for key, source in (("measure", "measures"), ("territory", "territories")):
            if name == "demands" and key in given:
                at = list(given).index(key)
                sheet.data_validation(HEAD + 1, at, HEAD + len(frame) + self.spare, at, {
                    "validate": "list", "source": self.lists[source],
                    "error_message": str(Text("Cet identifiant n'est pas dans sa feuille.", "This id is not on its sheet.")),
                })  # fmt: skip


def _note(column: layout.Column) -> str:
    """The key of a column, by which messages may call it, and the rules that have it."""
    said = f"{Text('clé', 'key')} : {'.'.join(column.path)}"
    if column.kinds is not None:
        said += f"\n{Text('pour', 'for')} : {', '.join(str(layout.title(kind)) for kind in sorted(column.kinds))}"
    return said


def _cells(series: pd.Series, table: str, key: str) -> tuple[list[Cell], bool]:
    """A column's cells, and whether its header must say that they are texts."""
    values = series.astype(object).where(series.notna(), None).tolist()
    if (table, key) == ("prior_aid", "cents"):
        values = [_exact(Decimal(int(value)) / 100) for value in values]
    known = key in words.COLUMNS[table]
    cells = [_cell(value) for value in values]
    texts = [value for value in values if isinstance(value, str) and value]
    if known or len(texts) < len([value for value in values if value not in (None, "")]):
        return cells, False
    numbers = sum(map(looks_like_number, texts))
    truths = all(text.casefold() in ("true", "false", "vrai", "faux") for text in texts)
    return cells, bool(texts) and (2 * numbers > len(texts) or truths)


def _cell(value: Any) -> Cell:
    if value is None or value == "":
        return None
    if isinstance(value, (bool, np.bool_)):
        return bool(value)
    if isinstance(value, str):
        return write(value, TEXT)
    if isinstance(value, (int, np.integer)):
        return int(value) if abs(int(value)) < 10**15 else str(int(value))
    if isinstance(value, (float, np.floating)):
        return _exact(Decimal(repr(float(value))))
    return _exact(value) if isinstance(value, Decimal) else write(str(value), TEXT)


def _exact(value: Decimal) -> Cell:
    """A number where fifteen digits, all that a workbook keeps, are enough; else the text of it."""
    if len(value.normalize().as_tuple().digits) <= 15 and abs(value) < 10**15:
        return int(value) if value == value.to_integral_value() else float(value)
    return str(value)


def _at(item: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    value: Any = item
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def _leaves(
    item: Mapping[Any, Any], paths: set[tuple[str, ...]], above: tuple[str, ...] = ()
) -> Iterable[tuple[tuple[str, ...], Any]]:
    """Each value with the path of the column that holds it: a part's own column, else the whole field's."""
    for key, value in item.items():
        path = (*above, str(key))
        if value is None:
            continue
        below = any(other[: len(path)] == path and len(other) > len(path) for other in paths)
        if isinstance(value, Mapping) and value and (below or path == ("objective",)):
            yield from _leaves(value, paths, path)
        else:
            yield path, value


__all__ = ["Book", "Sheets"]

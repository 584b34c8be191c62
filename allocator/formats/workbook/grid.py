"""A workbook as grids of cells, each where Excel shows it; what the file itself hides from its readers is told.

python-calamine reads .xlsx and .ods: the values that were computed last, never formulas. It gives an empty cell for an
error (`#REF!`) and for a formula that was never computed, so both are looked up in the file.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook

from allocator.characters import HIDDEN, composed, told
from allocator.formats.workbook.cells import Cell
from allocator.problems import Problem
from allocator.texts import Text

MOST_BYTES = 100 * 2**20  # of the file
MOST_UNPACKED = 600 * 2**20  # of what it holds
MOST_CELLS = 20_000_000  # of one sheet, from its first to its last corner
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_REF = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>(.*?)</(?:\w+:)?v>", re.DOTALL)
_ODS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_CALC = "{urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0}"


@dataclass
class Grid:
    """One sheet: `rows` of cells from A1 (None where empty), and what is wrong with single cells, by (row, column)."""

    name: str
    rows: list[list[Cell]]
    broken: dict[tuple[int, int], Text] = field(default_factory=dict)

    def filled(self, row: int) -> Iterator[tuple[int, Cell]]:
        """The cells of a row that are not empty, with their columns."""
        return ((column, cell) for column, cell in enumerate(self.rows[row]) if cell is not None)

    def place(self, row: int | None = None, column: int | None = None) -> str:
        """`Fonds!C12`, as Excel writes it (from 0 here)."""
        name = self.name if re.fullmatch(r"\w+", self.name) else "'" + self.name.replace("'", "''") + "'"
        if row is None:
            return name
        return f"{name}!{letters(column)}{row + 1}" if column is not None else f"{name}!{row + 1}"


def letters(column: int) -> str:
    """0 → A, 26 → AA."""
    out = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        out = chr(ord("A") + rest) + out
    return out


def column_of(name: str) -> int:
    """A → 0, AA → 26."""
    total = 0
    for letter in name:
        total = total * 26 + ord(letter) - ord("A") + 1
    return total - 1


class Unreadable(Exception):
    """The file as a whole cannot be read; `args[0]` is the `Problem`."""


def grids(data: bytes, file: str) -> list[Grid]:
    """Every sheet that can be seen or is hidden, in order. Raises `Unreadable`."""
    if len(data) > MOST_BYTES:
        raise Unreadable(_too_large(file, f"{MOST_BYTES >> 20} Mo", f"{MOST_BYTES >> 20} MB"))
    try:
        with zipfile.ZipFile(BytesIO(data)) as archive:
            names = archive.namelist()
            if sum(item.file_size for item in archive.infolist()) > MOST_UNPACKED:
                raise Unreadable(_too_large(file, f"{MOST_UNPACKED >> 20} Mo", f"{MOST_UNPACKED >> 20} MB"))
            is_ods = "content.xml" in names
            broken = _ods_broken(archive, file) if is_ods else _xlsx_broken(archive, file)
        book = CalamineWorkbook.from_filelike(BytesIO(data))
        return [_grid(book, name, broken.get(name, {})) for name in _worksheets(book)]
    except Unreadable:
        raise
    except (zipfile.BadZipFile, CalamineError, ElementTree.ParseError, KeyError, ValueError, OSError, EOFError,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        encrypted = data[:4] == b"\xd0\xcf\x11\xe0"
        wrong = Text(
            "classeur protégé par un mot de passe, ou d'un ancien format (.xls)"
            if encrypted
            else f"classeur illisible ou abîmé ({error})",
            "workbook with a password, or of an old format (.xls)"
            if encrypted
            else f"unreadable or damaged workbook ({error})",
        )
        remedy = Text("Enregistrez-le en .xlsx, sans mot de passe.", "Save it as .xlsx, without a password.")
        raise Unreadable(Problem("", wrong, remedy, file)) from None


def _too_large(file: str, fr: str, en: str) -> Problem:
    remedy = Text("Gardez ces tables en CSV, dans un dossier.", "Keep these tables as CSV, in a folder.")
    return Problem("", Text(f"classeur trop grand : {fr} au plus", f"workbook too large: at most {en}"), remedy, file)


def _worksheets(book: Any) -> list[str]:
    return [sheet.name for sheet in book.sheets_metadata if "WorkSheet" in str(sheet.typ)]


def _grid(book: Any, name: str, broken: dict[tuple[int, int], Text]) -> Grid:
    rows = [[_cell(value) for value in row] for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
    return Grid(name, rows, broken | dict(_hidden(rows)))


def _hidden(rows: list[list[Cell]]) -> Iterator[tuple[tuple[int, int], Text]]:
    """Cells with a character that nobody sees."""
    for k, row in enumerate(rows):
        for column, cell in enumerate(row):
            if isinstance(cell, str) and (found := HIDDEN.search(cell)):
                yield (k, column), told(found[0])


def _cell(value: Any) -> Cell:
    """Whole floats are whole numbers; a date without an hour is a date; blank texts are nothing."""
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < 10**15 else value
    if isinstance(value, datetime):
        return value.date() if value.time() == time() else value
    if isinstance(value, str):
        return composed(value) if value.strip() else None
    return value if isinstance(value, (bool, int, date)) or value is None else str(value)


def _error(said: str) -> Text:
    return Text(f"erreur de calcul {said}", f"error value {said}")


_NEVER = Text("formule jamais calculée", "formula that was never computed")


def _xlsx_broken(archive: zipfile.ZipFile, file: str) -> dict[str, dict[tuple[int, int], Text]]:
    """Error values, and formulas without a value, by sheet. Refuses sheets whose corners lie too far apart."""
    found = {}
    for name, part in _xlsx_parts(archive):
        xml = archive.read(part)
        references = _REF.findall(xml)
        columns = max((column_of(column.decode()) for column in {c for c, _ in references}), default=0) + 1
        rows = max((int(row) for _, row in references), default=0)
        if rows * columns > MOST_CELLS:
            raise Unreadable(
                Problem(
                    name,
                    Text(f"feuille trop étendue : {rows} lignes × {columns} colonnes",
                         f"sheet too wide: {rows} rows × {columns} columns"),
                    Text("Supprimez les cellules isolées, loin du tableau.", "Delete stray cells, far from the table."),
                    file,
                )
            )  # fmt: skip
        found[name] = dict(_broken_cells(xml)) if b't="e"' in xml or b"<f" in xml or b":f>" in xml else {}
    return found


def _broken_cells(xml: bytes) -> Iterator[tuple[tuple[int, int], Text]]:
    for match in _CELL.finditer(xml):
        head, inside = match[1], match[2] or b""
        at = _REF.search(head)
        if at is None:
            continue
        value = _VALUE.search(inside)
        if b't="e"' in head:
            said = value[1].decode("utf-8", "replace") if value else "#?"
            yield (int(at[2]) - 1, column_of(at[1].decode())), _error(said)
        elif value is None and re.search(rb"<(?:\w+:)?f[\s>/]", inside):
            yield (int(at[2]) - 1, column_of(at[1].decode())), _NEVER


def _xlsx_parts(archive: zipfile.ZipFile) -> list[tuple[str, str]]:
    """(sheet name, path of its XML)"""
    present = {name.lower(): name for name in archive.namelist()}
    relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    target = {item.get("Id"): str(item.get("Target")) for item in relations}
    parts = []
    for item in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():
        if not item.tag.endswith("}sheet"):
            continue
        reference = next((value for key, value in item.attrib.items() if key.endswith("}id")), None)
        path = target.get(reference, "")
        path = path.lstrip("/") if path.startswith("/") else f"xl/{path}"
        if path.lower() in present and "worksheets" in path.lower():
            parts.append((str(item.get("name")), present[path.lower()]))
    return parts


def _ods_broken(archive: zipfile.ZipFile, file: str) -> dict[str, dict[tuple[int, int], Text]]:
    """The same for .ods, whose cells and rows may be repeated."""
    found: dict[str, dict[tuple[int, int], Text]] = {}
    table, office = _ODS % "table", _ODS % "office"
    broken: dict[tuple[int, int], Text] = {}
    row = column = widest = last = 0
    with archive.open("content.xml") as content:
        for event, item in ElementTree.iterparse(content, ("start", "end")):
            if event == "start":
                if item.tag == f"{table}table":
                    row = widest = last = 0
                    found[str(item.get(f"{table}name"))] = broken = {}
                elif item.tag == f"{table}table-row":
                    column = 0
                continue
            if item.tag in (f"{table}table-cell", f"{table}covered-table-cell"):
                times = _times(item.get(f"{table}number-columns-repeated"))
                kind = item.get(f"{office}value-type")
                said = "".join("".join(p.itertext()) for p in item)
                if item.get(f"{_CALC}value-type") == "error" or (item.get(f"{table}formula") and _is_error(said)):
                    broken[row, column] = _error(said or "#?")
                elif item.get(f"{table}formula") and kind is None:
                    broken[row, column] = _NEVER
                column += times
                if kind is not None:
                    widest, last = max(widest, column), row + 1
                item.clear()
            elif item.tag == f"{table}table-row":
                times = _times(item.get(f"{table}number-rows-repeated"))
                last = row + times if last == row + 1 else last
                row += times
                if last * widest > MOST_CELLS:
                    raise Unreadable(
                        _too_large(file, f"{MOST_CELLS} cellules par feuille", f"{MOST_CELLS} cells a sheet")
                    )
                item.clear()
    return found


def _is_error(said: str) -> bool:
    return bool(re.fullmatch(r"#[A-Z0-9/]+[!?]?|Err:[0-9]+", said))


def _times(text: str | None) -> int:
    return int(text) if text and text.isdigit() else 1

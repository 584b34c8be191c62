"""A workbook as grids of cells, each where Excel shows it; what the file itself hides from its readers is told.

python-calamine reads .xlsx and .ods: the values that were computed last, never formulas. It gives an empty cell for an
error (`#REF!`) and for a formula that was never computed, so both are looked up in the file.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from io import BytesIO
from typing import Any
from xml.etree import ElementTree

from python_calamine import CalamineError, CalamineWorkbook

from allocator import files, limits
from allocator.formats.workbook.cells import Cell
from allocator.problems import Problem
from allocator.texts import Text, composed

INDEX = ("xl/workbook.xml", "xl/_rels/workbook.xml.rels")
# A row or a cell, in whatever dress; and where it says that it is
_TAG = re.compile(rb"""<(?:[\w.-]+:)?(row|c)(?=[\s/>])((?:[^>"']++|"[^"]*+"|'[^']*+')*+)>""")
_AT = re.compile(rb"""(?:\s+[^\s=]+\s*=\s*(?:"[^"]*"|'[^']*'))*?\s+r\s*=\s*["']([^"']*)""")
_ROW = re.compile(rb"0*([0-9]{1,7})")
_PLACE = re.compile(rb"([A-Za-z]{1,3})0*([0-9]{1,7})")
_CELL = re.compile(rb"<(?:\w+:)?c\s([^>]*?)(?:/>|>(.*?)</(?:\w+:)?c>)", re.DOTALL)
_REF = re.compile(rb'\br="([A-Z]{1,3})([0-9]{1,7})"')
_VALUE = re.compile(rb"<(?:\w+:)?v>(.*?)</(?:\w+:)?v>", re.DOTALL)
_ODS = "{urn:oasis:names:tc:opendocument:xmlns:%s:1.0}"
_TABLE, _OFFICE = _ODS % "table", _ODS % "office"
_ODS_CELLS = (f"{_TABLE}table-cell", f"{_TABLE}covered-table-cell")
_OLE = b"\xd0\xcf\x11\xe0"  # how files of the old format begin, and encrypted ones
_AS_XLSX = Text("Enregistrez-le en .xlsx, sans mot de passe.", "Save it as .xlsx, without a password.")
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
    with _told(file):
        book, broken = _checked(data, file)
        return [_grid(book, name, broken.get(name, {})) for name in _worksheets(book)]


def opened(data: bytes, file: str) -> CalamineWorkbook:
    """A workbook that is no larger than it may be, of an old format too. Raises `Unreadable`."""
    with _told(file):
        return CalamineWorkbook.from_filelike(BytesIO(data)) if data[:4] == _OLE else _checked(data, file)[0]


@contextmanager
def _told(file: str) -> Iterator[None]:
    """What readers say of a file that they cannot read, as `Unreadable`."""
    try:
        yield
    except files.Refused as error:
        raise Unreadable(Problem("", error.message, error.remedy, file)) from None
    except (zipfile.BadZipFile, zlib.error, CalamineError, ElementTree.ParseError, KeyError, ValueError, OSError, EOFError,
            NotImplementedError, RuntimeError) as error:  # fmt: skip
        wrong = Text(f"classeur illisible ou abîmé ({error})", f"unreadable or damaged workbook ({error})")
        raise Unreadable(Problem("", wrong, _AS_XLSX, file)) from None


def _checked(data: bytes, file: str) -> tuple[CalamineWorkbook, dict[str, dict[tuple[int, int], Text]]]:
    """The workbook, which holds no more than was counted here, and what is wrong with single cells of each sheet."""
    if len(data) > limits.WORKBOOK_BYTES:
        size = limits.WORKBOOK_BYTES >> 20
        raise files.too_large(f"{size} Mo", f"{size} MB")
    if data[:4] == _OLE:
        raise files.Refused(Text("classeur protégé par un mot de passe, ou d'un ancien format (.xls)",
                                 "workbook with a password, or of an old format (.xls)"), _AS_XLSX)  # fmt: skip
    copy = files.repacked(data, limits.UNPACKED_BYTES, INDEX)
    with zipfile.ZipFile(copy) as archive:
        broken = _ods_broken(archive) if "content.xml" in archive.namelist() else _xlsx_broken(archive, file)
    copy.seek(0)
    return CalamineWorkbook.from_filelike(copy), broken


def _worksheets(book: Any) -> list[str]:
    return [sheet.name for sheet in book.sheets_metadata if "WorkSheet" in str(sheet.typ)]


def _grid(book: Any, name: str, broken: dict[tuple[int, int], Text]) -> Grid:
    rows = [[_cell(value) for value in row] for row in book.get_sheet_by_name(name).to_python(skip_empty_area=False)]
    return Grid(name, rows, broken)


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
    """Error values, and formulas without a value, by sheet. Refuses sheets whose corners lie too far apart.

    Every part that holds cells is looked at, whatever the workbook calls it.
    """
    found, cells = {}, 0
    names = {path: name for name, path in _xlsx_parts(archive)}
    for path in archive.namelist():
        xml = archive.read(path)
        if b"sheetData" not in xml:
            continue
        if b"<!" in xml:  # a remark could hide cells from `_corner`
            raise ValueError("<!")
        name = names.get(path, path)
        rows, columns = _corner(xml)
        cells += rows * columns
        if cells > limits.SHEET_CELLS:
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


def _corner(xml: bytes) -> tuple[int, int]:
    """How many rows and columns the reader will make room for. A row or cell that does not say where it is follows the last."""
    rows = columns = row = column = 0
    for count, found in enumerate(_TAG.finditer(xml)):
        if count > limits.SHEET_CELLS:
            raise files.too_large(f"{limits.SHEET_CELLS} cellules", f"{limits.SHEET_CELLS} cells")
        said = _AT.match(found[2])
        if found[1] == b"row":
            at = _ROW.fullmatch(said[1]) if said else None
            row, column = int(at[1]) if at else row + 1, 0
        else:
            at = _PLACE.fullmatch(said[1]) if said else None
            row, column = (int(at[2]), column_of(at[1].decode().upper()) + 1) if at else (row, column + 1)
        if said and not at:
            raise ValueError(said[0].decode("utf-8", "replace").strip())
        rows, columns = max(rows, row), max(columns, column)
    return rows, columns


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


class _Ods:
    """Looks at the cells of an .ods as they pass, of which some may stand for many; keeps no tree of them."""

    def __init__(self) -> None:
        self.found: dict[str, dict[tuple[int, int], Text]] = {}
        self.broken: dict[tuple[int, int], Text] = {}
        self.row = self.column = self.widest = self.last = self.cells = 0
        self.times = 1
        self.cell: dict[str, str] | None = None
        self.said: list[str] = []

    def start(self, tag: str, given: dict[str, str]) -> None:
        if tag == f"{_TABLE}table":
            self.row = self.widest = self.last = 0
            self.broken = self.found[str(given.get(f"{_TABLE}name"))] = {}
        elif tag == f"{_TABLE}table-row":
            self.column, self.times = 0, _times(given.get(f"{_TABLE}number-rows-repeated"))
        elif tag in _ODS_CELLS:
            self.cell, self.said = given, []

    def data(self, text: str) -> None:
        if self.cell is not None:
            self.said.append(text)

    def end(self, tag: str) -> None:
        if tag in _ODS_CELLS and self.cell is not None:
            self._cell(self.cell, "".join(self.said).strip())
            self.cell = None
        elif tag == f"{_TABLE}table-row":
            self.last = self.row + self.times if self.last == self.row + 1 else self.last
            self.row += self.times
            if self.cells + self.last * self.widest > limits.SHEET_CELLS:
                raise files.too_large(f"{limits.SHEET_CELLS} cellules", f"{limits.SHEET_CELLS} cells")
        elif tag == f"{_TABLE}table":
            self.cells += self.last * self.widest

    def _cell(self, given: dict[str, str], said: str) -> None:
        kind, formula = given.get(f"{_OFFICE}value-type"), given.get(f"{_TABLE}formula")
        if given.get(f"{_CALC}value-type") == "error" or (formula and _is_error(said)):
            self.broken[self.row, self.column] = _error(said or "#?")
        elif formula and kind is None:
            self.broken[self.row, self.column] = _NEVER
        self.column += _times(given.get(f"{_TABLE}number-columns-repeated"))
        if kind is not None or formula:
            self.widest, self.last = max(self.widest, self.column), self.row + 1


def _ods_broken(archive: zipfile.ZipFile) -> dict[str, dict[tuple[int, int], Text]]:
    """The same for .ods."""
    seen = _Ods()
    parser = ElementTree.XMLParser(target=seen)
    with archive.open("content.xml") as content:
        while chunk := content.read(1 << 20):
            parser.feed(chunk)
    parser.close()
    return seen.found


def _is_error(said: str) -> bool:
    return bool(re.fullmatch(r"#[A-Z0-9/]+[!?]?|Err:[0-9]+", said))


def _times(text: str | None) -> int:
    return int(text) if text is not None else 1

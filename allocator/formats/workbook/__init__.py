"""A scenario as an Excel or OpenDocument workbook: a sheet per noun, read whatever was done to it, written to read back.

How large it may be: `limits`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from allocator.formats.workbook.example import example
from allocator.formats.workbook.grid import Unreadable, grids
from allocator.formats.workbook.read import WorkbookPlaces, WorkbookReader
from allocator.formats.workbook.readme import write_readme
from allocator.formats.workbook.write import Book, Sheets
from allocator.problems import Problem, ScenarioError
from allocator.scenario import Scenario
from allocator.texts import Text

SUFFIXES = (".xlsx", ".xlsm", ".ods")

__all__ = ["SUFFIXES", "Book", "Sheets", "example", "load", "parts", "save"]


def load(path: str | os.PathLike[str], shown: str | None = None) -> Scenario:
    """Read a workbook. `ScenarioError` holds every mistake, each at its cell (`Fonds!C12`)."""
    file = shown if shown is not None else os.fspath(path)
    try:
        return WorkbookReader(grids(_bytes(Path(path), file), file), file).scenario()
    except Unreadable as error:
        raise ScenarioError([error.args[0]]) from None


def parts(path: Path, shown: str) -> tuple[dict[str, Any], WorkbookPlaces]:
    """What a workbook says, as the arguments of `Scenario`, and where; `ScenarioError` where that is no scenario."""
    try:
        reader = WorkbookReader(grids(_bytes(path, shown), shown), shown)
    except Unreadable as error:
        raise ScenarioError([error.args[0]]) from None
    given = reader.parts()
    reader.scenario(given)
    return given, reader.places


def save(scenario: Scenario, path: str | os.PathLike[str], lines: tuple[Text, ...] = ()) -> None:
    """Write the scenario's sheets, after one that says how to fill them in, `lines` first.

    `ScenarioError` where the scenario has no place in a workbook; `OSError` where the file cannot be written.
    """
    book = Book(os.fspath(path))
    write_readme(book, lines)
    Sheets(book, scenario).write()
    book.close()


def _bytes(path: Path, file: str) -> bytes:
    from allocator.formats.tables import read_bytes

    data, problem = read_bytes(path, file)
    if data is None:
        raise ScenarioError([problem or Problem("", Text("fichier illisible", "unreadable file"), None, file)])
    return data

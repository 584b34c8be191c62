"""Texts in tables that a spreadsheet may open: none of them is run as a formula, and all are read back as they were.

A spreadsheet takes a CSV cell that begins with `=`, `+`, `-` or `@` for a formula, whoever wrote it. Such a text is written
with an apostrophe before it, the spreadsheets' own sign for a text, and read without it. Numbers stay as they are.
Source: OWASP, "CSV Injection".
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

SIGN = "'"
MARKS = "=+-@＝＋－＠\t\r\n"
_BEGINS = re.compile(f"{SIGN}*[{re.escape(MARKS)}]")
_NUMBER = re.compile(r"[+-]?[0-9][0-9 \u00a0\u202f]*([.,][0-9]+)?([eE][+-]?[0-9]{1,3})?[ \u00a0\u202f]?[%€]?")


def guarded(text: str) -> str:
    """A text as a CSV cell that no spreadsheet runs."""
    return SIGN + text if _BEGINS.match(text) and not _NUMBER.fullmatch(text) else text


def unguarded(cell: str) -> str:
    """The text of a cell that `guarded` wrote; any other cell as it stands."""
    return cell[1:] if cell.startswith(SIGN) and _BEGINS.match(cell) else cell


def holds_guarded(text: str) -> bool:
    """Whether any cell of a file's text may be guarded: quick, where there are a million."""
    return any(SIGN + mark in text for mark in MARKS)


def csv_rows(headers: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Rows of texts as CSV: commas, a line of headers, every text guarded."""
    cells = [[guarded(text) for text in row] for row in (headers, *rows)]
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n", quoting=_quoting(cells)).writerows(cells)
    return out.getvalue()


def csv_of(table: pd.DataFrame, index: str | None = None) -> str:
    """A table as CSV, likewise. `index`: the header of its index, which is left out without one."""
    names = [guarded(str(name)) for name in table.columns]
    columns = [_guarded(table.iloc[:, k]) for k in range(len(names))]
    texts = [[value for value in column.unique() if isinstance(value, str)] for column in columns if _texts(column)]
    frame = table.set_axis(names, axis=1)
    for k, column in enumerate(columns):
        frame.isetitem(k, column.array)
    said: str = frame.to_csv(
        index=index is not None, index_label=index, lineterminator="\n", quoting=_quoting([names, *texts])
    )
    return said


def _quoting(cells: Iterable[Iterable[str]]) -> Literal[0, 1]:
    """The library leaves a lone carriage return unquoted, which ends a line to those who read it."""
    return csv.QUOTE_ALL if any("\r" in text for row in cells for text in row) else csv.QUOTE_MINIMAL


def _texts(column: pd.Series[Any]) -> bool:
    return column.dtype.kind not in "biuf"


def _guarded(column: pd.Series[Any]) -> pd.Series[Any]:
    if not _texts(column):
        return column
    changed = {value: guarded(value) for value in column.unique() if isinstance(value, str) and guarded(value) != value}
    return column.astype(object).map(lambda value: changed.get(value, value)) if changed else column

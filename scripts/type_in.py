"""A Markdown table into a sheet of a workbook, as somebody would type it (run_pages.py)."""

from __future__ import annotations

import re
from pathlib import Path

import openpyxl


def type_in(book: Path, sheet: str, table: str) -> None:
    """Cells by their names where the table's first column is `case`; else rows in place of those that were there, columns by
    their headers. `3 000 000` and `0,5` are numbers."""

    def typed(cell: str) -> str | float | None:
        plain = re.sub(r"[ \u202f]", "", cell).replace(",", ".")
        return float(plain) if re.fullmatch(r"-?\d+(\.\d+)?", plain) else cell or None

    headers, _, *rows = [
        [cell.strip(" `") for cell in line.strip().strip("|").split("|")] for line in table.splitlines()
    ]
    opened = openpyxl.load_workbook(book)
    there = opened[sheet]
    if headers[0] == "case":
        for name, value in rows:
            there[name] = typed(value)
    else:
        top = next(cell.row for (cell, *_) in there.iter_rows(max_row=20) if cell.value == headers[0])
        columns = {cell.value: cell.column for cell in there[top]}
        there.delete_rows(top + 1, there.max_row)
        for rank, row in enumerate(rows, top + 1):
            for header, value in zip(headers, row, strict=True):
                there.cell(rank, columns.setdefault(header, max(columns.values()) + 1), typed(value))
                there.cell(top, columns[header], header)
    opened.save(book)

"""CSV: commas, UTF-8, a header line; every value is a text until its whole column is something else."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from allocator.formats.yaml_text import line_place, not_utf8
from allocator.money import NumberError, parse_decimal
from allocator.problems import Problem
from allocator.spreadsheet import holds_guarded, unguarded
from allocator.texts import Text, composed

# A leading zero makes a code, not a number.
_PLAIN = re.compile(r"[-+]?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]{1,2})?")
_FRENCH = re.compile(r"[-+\u2212]?(?:0|[1-9][0-9]*|[1-9][0-9]{0,2}(?:[ \u00a0\u202f\u2009][0-9]{3})+)(?:,[0-9]+)?")
MOST_TOLD = 20


@dataclass
class CsvTable:
    """A CSV file: `frame` (None when unreadable), the texts that it was read from, and the line (as an editor counts)
    of each of its rows."""

    file: str
    frame: pd.DataFrame | None = None
    lines: list[int] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    header: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    texts: frozenset[str] = frozenset()

    def place(self, row: int | None, column: str | None) -> tuple[str, Text | str]:
        """(file, place) of a cell; without a row, of the headers."""
        line = 1 if row is None else self.lines[row]
        fr, en = ([f"ligne {line}"], [f"line {line}"]) if row is not None or column is not None else ([], [])
        if column is not None:
            fr.append(f"colonne {column}")
            en.append(f"column {column}")
        return self.file, Text(", ".join(fr), ", ".join(en))

    def typed(self) -> pd.DataFrame:
        assert self.frame is not None
        return self.frame


def read(data: bytes, file: str, texts: Iterable[str]) -> CsvTable:
    """Read CSV bytes. The columns `texts` stay text (codes keep their zeros); others become numbers or
    booleans where all their cells are.
    """
    table = CsvTable(file)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        table.problems.append(not_utf8(data, error, file))
        return table
    text = composed(text)
    header, rows = _rows(text, table)
    if header is None:
        return table
    table.header, table.rows, table.texts = header, rows, frozenset(texts)
    table.frame = frame(header, rows, table.texts)
    return table


def frame(header: Sequence[str], rows: Sequence[Sequence[str]], texts: Collection[str]) -> pd.DataFrame:
    """Rows of texts as columns of what they are; the columns `texts` stay texts."""
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(header)
    return pd.DataFrame(
        {name: column(cells, as_text=name in texts) for name, cells in zip(header, columns, strict=True)},
        index=pd.RangeIndex(len(rows)),
    )


def _rows(text: str, table: CsvTable) -> tuple[list[str] | None, list[list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    rows: list[list[str]] = []
    uneven = 0
    line = 1
    armed = holds_guarded(text)
    try:
        for record in reader:
            start, line = line, reader.line_num + 1
            if not record:
                continue
            if header is None:
                header = [unguarded(name.strip()) for name in record]
                if not _header_holds(header, start, table):
                    return None, []
            elif len(record) != len(header):
                uneven += 1
                if uneven <= MOST_TOLD:
                    table.problems.append(_uneven(len(record), len(header), start, table.file))
            else:
                rows.append([unguarded(cell) for cell in record] if armed else record)
                table.lines.append(start)
    except csv.Error as error:
        table.problems.append(
            Problem(
                line_place(line),
                Text(
                    f"CSV illisible : guillemet non fermé ? ({error})",
                    f"unreadable CSV: a quote left open? ({error})",
                ),
                Text(
                    'Un texte qui contient une virgule ou un guillemet s\'écrit "ainsi, ""comme cela""".',
                    'A text with a comma or a quote is written "so, ""like this""".',
                ),
                table.file,
            )
        )
    if uneven > MOST_TOLD:
        more = uneven - MOST_TOLD
        table.problems.append(
            Problem(
                "",
                Text(
                    f"et {more} autres lignes avec un nombre de champs faux",
                    f"and {more} more lines with a wrong number of fields",
                ),
                None,
                table.file,
            )
        )
    if header is None and not table.problems:
        table.problems.append(
            Problem(
                line_place(1),
                Text(
                    "fichier vide : une ligne d'en-têtes est attendue",
                    "empty file: a header line is expected",
                ),
                None,
                table.file,
            )
        )
    return header, rows


def _header_holds(header: list[str], line: int, table: CsvTable) -> bool:
    fine = True
    for mark, fr, en in ((";", "points-virgules", "semicolons"), ("\t", "tabulations", "tabs")):
        if len(header) == 1 and mark in header[0]:
            table.problems.append(
                Problem(
                    line_place(line),
                    Text(f"les champs sont séparés par des {fr}", f"the fields are separated by {en}"),
                    Text("Séparez-les par des virgules.", "Separate them by commas."),
                    table.file,
                )
            )
            return False
    for rank, name in enumerate(header):
        if not name:
            fine = False
            message = Text(f"la colonne {rank + 1} n'a pas de nom", f"column {rank + 1} has no name")
            table.problems.append(Problem(line_place(line), message, None, table.file))
        elif name in header[:rank]:
            fine = False
            table.problems.append(
                Problem(
                    Text(f"ligne {line}, colonne {name}", f"line {line}, column {name}"),
                    Text(f"colonne « {name} » donnée deux fois", f"column “{name}” is given twice"),
                    Text("Gardez-en une.", "Keep one."),
                    table.file,
                )
            )
    return fine


def _uneven(found: int, expected: int, line: int, file: str) -> Problem:
    return Problem(
        line_place(line),
        Text(f"{found} champs au lieu de {expected}", f"{found} fields instead of {expected}"),
        Text(
            'Un texte avec une virgule se met entre guillemets : "1 234,50".',
            'A text with a comma goes in quotes: "1 234,50".',
        ),
        file,
    )


def looks_like_number(text: str) -> bool:
    """Whether a text is a number as computers or French people write it, and not a code with a leading zero."""
    return bool(_PLAIN.fullmatch(text) or _FRENCH.fullmatch(text))


def column(cells: tuple[str, ...], *, as_text: bool) -> pd.Series:
    """A column of texts as what it is: numbers or booleans where all its cells are, else texts."""
    if as_text:
        return pd.Series(list(cells), dtype="str")
    distinct = set(cells)
    filled = distinct - {""}
    if filled and {cell.lower() for cell in filled} <= {"true", "false"} and filled:
        truths = {cell: (None if cell == "" else cell.lower() == "true") for cell in distinct}
        return pd.Series([truths[cell] for cell in cells], dtype=object if "" in distinct else bool)
    if filled and all(looks_like_number(cell) for cell in filled):
        try:
            return _numbers(cells, distinct)
        except NumberError:  # too large for any amount: told at its cell, as a text that is no number
            pass
    return pd.Series(list(cells), dtype="str")


def _numbers(cells: tuple[str, ...], distinct: set[str]) -> pd.Series:
    """int64, float64 or, for decimals that floats cannot hold, Decimal objects; empty cells are missing."""
    exact = {cell: parse_decimal(cell) for cell in distinct if cell}
    if "" not in distinct and all(re.fullmatch(r"[-+]?[0-9]{1,18}", cell) for cell in exact):
        return pd.Series(np.array(cells, dtype=np.int64))
    held = {cell: float(number) for cell, number in exact.items()}
    if all(len(exact[cell].normalize().as_tuple().digits) <= 15 for cell in exact):
        return pd.Series([held.get(cell, np.nan) for cell in cells], dtype=np.float64)
    return pd.Series([exact.get(cell) for cell in cells], dtype=object)

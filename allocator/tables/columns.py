"""A table being read, and its columns as texts, numbers, cents: every bad cell is told."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from allocator.money import MAX_CENTS, cents_column, decimals_column, parse_decimal
from allocator.problems import RETYPE, near, unseen
from allocator.texts import UNSEEN, UNSHOWN, Text

MOST_ROWS_TOLD = 20  # of one mistake in one column; the rest is counted


@dataclass(frozen=True)
class CellFinding:
    """What is wrong with a table, one of its columns, or one cell (row position in the order given)."""

    table: str
    row: int | None
    column: str | None
    message: Text
    remedy: Text | None = None


@dataclass
class Table:
    """One table being read: `frame` is completed column by column, `found` collects what is wrong."""

    name: str
    frame: pd.DataFrame
    found: list[CellFinding] = field(default_factory=list)
    warned: list[CellFinding] = field(default_factory=list)
    given: tuple[str, ...] = ()  # the columns that the user gave
    absent: bool = False

    def tell(self, column: str | None, message: Text, remedy: Text | None = None, row: int | None = None) -> None:
        self.found.append(CellFinding(self.name, row, column, message, remedy))

    def rows(
        self,
        bad: np.ndarray | Sequence[int],
        column: str,
        message: Callable[..., Text],
        remedy: Text | Callable[[Any], Text | None] | None = None,
        *,
        beside: str | None = None,
        warn: bool = False,
    ) -> None:
        """Report a mistake on each of the rows `bad` (a mask or positions).

        `message` is given the cell and, with `beside`, the cell of that column.
        """
        is_mask = isinstance(bad, np.ndarray) and bad.dtype == bool
        positions = np.flatnonzero(bad) if is_mask else np.asarray(bad, np.int64)
        into = self.warned if warn else self.found
        for row in positions[:MOST_ROWS_TOLD].tolist():
            cells = [self.frame[name].iloc[row] for name in (column, beside) if name is not None]
            said = remedy(cells[0]) if callable(remedy) else remedy
            into.append(CellFinding(self.name, row, column, message(*cells), said))
        self._rest(column, len(positions), into)

    def unreadable(self, column: str, problems: Sequence[tuple[int, Text]]) -> None:
        """Report the cells that a reader of numbers refused."""
        for row, text in problems[:MOST_ROWS_TOLD]:
            self.found.append(CellFinding(self.name, row, column, text))
        self._rest(column, len(problems), self.found)

    def _rest(self, column: str, count: int, into: list[CellFinding]) -> None:
        more = count - MOST_ROWS_TOLD
        if more > 0:
            text = Text(
                f"et {more} autres lignes avec la même erreur dans cette colonne",
                f"and {more} more rows with the same mistake in this column",
            )
            into.append(CellFinding(self.name, None, column, text))


def shown(value: object) -> str:
    """A cell for a sentence, cut where it is long."""
    text = str(value)
    return text if len(text) <= 40 else text[:37] + "…"


def frame_of(value: object, table: str, columns: Sequence[str]) -> Table:
    """A table from a DataFrame or a list of rows, with checked column names and a fresh index."""
    if value is None:
        empty = Table(table, pd.DataFrame({name: pd.Series(dtype=object) for name in columns}))
        empty.absent = True
        empty.tell(None, Text("table absente", "the table is missing"))
        return empty
    if isinstance(value, pd.DataFrame):
        frame = value.copy(deep=False)
    else:
        try:
            frame = pd.DataFrame(value)  # type: ignore[call-overload]
        except (ValueError, TypeError):
            broken = frame_of(None, table, columns)
            kind = type(value).__name__
            broken.found.clear()
            broken.tell(None, Text(f"un tableau est attendu, et non {kind}", f"a table is expected, not {kind}"))
            return broken
    if len(frame) == 0 and len(frame.columns) == 0:
        frame = pd.DataFrame({name: pd.Series(dtype=object) for name in columns})
    frame = frame.reset_index(drop=True)
    out = Table(table, frame)
    names = [str(name) for name in frame.columns]
    for name in dict.fromkeys(name for name in names if names.count(name) > 1):
        out.tell(
            name,
            Text(f"colonne « {name} » donnée deux fois", f"column “{name}” is given twice"),
            Text("Gardez-en une.", "Keep one."),
        )
    frame.columns = pd.Index(names)
    out.frame = frame.loc[:, ~frame.columns.duplicated()].copy(deep=False)
    out.given = tuple(out.frame.columns)
    return out


def require(table: Table, names: Sequence[str], optional: Sequence[str]) -> list[str]:
    """The missing ones of `names`, reported with the column that was perhaps meant."""
    present = list(table.frame.columns)
    spare = [name for name in present if name not in names and name not in optional]
    missing = [name for name in names if name not in present]
    for name in missing:
        close = near(name, spare)
        remedy = Text(
            f"Colonnes présentes : {', '.join(present) or 'aucune'}.",
            f"Columns present: {', '.join(present) or 'none'}.",
        )
        if close:
            remedy = Text(f"Renommez « {close} » en « {name} » ?", f"Rename “{close}” to “{name}”?")
        table.tell(
            name,
            Text(f"colonne obligatoire « {name} » absente", f"required column “{name}” is missing"),
            remedy,
        )
    return missing


def near_optional(table: Table, known: Sequence[str]) -> None:
    """Warn where an extra column looks like a misspelt known one: it would silently mean something else."""
    absent = [name for name in known if name not in table.frame.columns]
    for name in table.frame.columns:
        close = near(name, absent, cutoff=0.85) if name not in known else None
        if close:
            table.warned.append(
                CellFinding(
                    table.name,
                    None,
                    name,
                    Text(
                        f"colonne « {name} » lue comme une donnée supplémentaire",
                        f"column “{name}” is read as additional data",
                    ),
                    Text(f"Vouliez-vous dire « {close} » ?", f"Did you mean “{close}”?"),
                )
            )


def empty_cells(series: pd.Series) -> np.ndarray:
    """(rows,) bool: absent, NaN or an empty text."""
    gone = series.isna().to_numpy(bool)
    if series.dtype == object or pd.api.types.is_string_dtype(series):
        gone = gone | (series == "").fillna(False).to_numpy(bool)
    return gone


def as_text(table: Table, column: str, default: pd.Series | str | None = None) -> None:
    """Make a column text: whole numbers become digits; `default` fills what is empty, else a mistake."""
    frame = table.frame
    if column not in frame.columns:
        frame[column] = default
        if isinstance(default, str):
            frame[column] = pd.Series([default] * len(frame), dtype="str")
        return
    series = frame[column]
    gone = empty_cells(series)
    if not pd.api.types.is_string_dtype(series) or series.dtype == object:
        if pd.api.types.is_integer_dtype(series) and not pd.api.types.is_bool_dtype(series):
            series = series.astype("str")
        else:
            texts, bad = [], []
            for row, value in enumerate(series.astype(object).tolist()):
                if isinstance(value, str):
                    texts.append(value)
                elif gone[row]:
                    texts.append("")
                elif isinstance(value, (int, np.integer)) and not isinstance(value, (bool, np.bool_)):
                    texts.append(str(int(value)))
                elif isinstance(value, float) and value.is_integer() and gone.any():
                    texts.append(str(int(value)))  # whole numbers, made floats by the gaps among them
                else:
                    texts.append(str(value))
                    bad.append(row)
            if bad:
                table.rows(
                    np.array(bad),
                    column,
                    lambda v: Text(f"« {shown(v)} » n'est pas un texte", f"“{shown(v)}” is not a text"),
                    Text("Les identifiants et codes sont des textes.", "Ids and codes are texts."),
                )
            series = pd.Series(texts, dtype="str")
    if gone.any():
        if default is None:
            table.rows(gone, column, lambda _: Text("case vide : une valeur est attendue", "empty cell: a value is expected"))
            series = series.where(~gone, "")
        else:
            series = series.where(~gone, default)
    frame[column] = series.astype("str")
    if column != "id":  # `unique_ids` looks closer
        shown_as_they_are(table, column)


def shown_as_they_are(table: Table, column: str, banned: re.Pattern[str] = UNSHOWN) -> None:
    """Report texts that hold signs which cannot be seen, or which steer a terminal."""
    values = table.frame[column].unique().tolist()
    if banned.search(" ".join(values)):
        bad = {value for value in values if banned.search(value)}
        table.rows(table.frame[column].isin(bad).to_numpy(bool), column, lambda v: unseen(shown(v)), RETYPE)


def unique_ids(table: Table) -> None:
    ids = table.frame["id"]
    shown_as_they_are(table, "id", UNSEEN)
    if not " ".join(ids).isascii():
        forms = ids.map(lambda name: unicodedata.normalize("NFC", name))
        table.rows(
            (forms.duplicated() & ~ids.duplicated()).to_numpy(bool),
            "id",
            lambda v: Text(f"identifiant « {shown(v)} » déjà utilisé, avec d'autres signes Unicode (accents séparés)",
                           f"id “{shown(v)}” is already used, in other Unicode signs (separate accents)"),
            RETYPE,
        )  # fmt: skip
    again = (ids.duplicated() & (ids != "")).to_numpy(bool)
    table.rows(
        again,
        "id",
        lambda v: Text(f"identifiant « {shown(v)} » déjà utilisé", f"id “{shown(v)}” is already used"),
        Text("Chaque ligne a son identifiant.", "Each row has its own id."),
    )


def extra_columns(table: Table, known: Sequence[str], counted: Collection[str] = ()) -> tuple[list[str], list[str]]:
    """(numeric, other) extra columns; texts complete, numbers finite, or reported.

    One of `counted` is a column of numbers as soon as it holds one: its other cells are mistakes.
    """
    numeric, other = [], []
    frame = table.frame
    for name in frame.columns:
        if name in known:
            continue
        series = frame[name]
        if pd.api.types.is_bool_dtype(series) and not series.isna().any():
            frame[name] = series.astype(bool)
            other.append(name)
            continue
        if pd.api.types.is_datetime64_any_dtype(series):
            series = series.dt.strftime("%Y-%m-%d")
        if isinstance(series.dtype, pd.CategoricalDtype):
            series = series.astype(series.cat.categories.dtype)
        if name in counted and not pd.api.types.is_numeric_dtype(series):
            _, _, refused = decimals_column(series)
            if 0 < len(refused) < len(series):
                table.unreadable(name, refused)
                numeric.append(name)
                frame[name] = np.zeros(len(series), np.int64)
                continue
        if series.dtype == object:
            series = _one_kind(table, name, series)
        if pd.api.types.is_bool_dtype(series):
            frame[name] = series
            other.append(name)
        elif pd.api.types.is_numeric_dtype(series) or series.dtype == object:
            _, _, problems = decimals_column(series)
            table.unreadable(name, problems)
            frame[name] = series + 0.0 if pd.api.types.is_float_dtype(series) else series
            numeric.append(name)
        else:
            frame[name] = series.where(~series.isna(), "").astype("str")
            shown_as_they_are(table, name)
            other.append(name)
    return numeric, other


def _one_kind(table: Table, name: str, series: pd.Series) -> pd.Series:
    """An object column as booleans, numbers (decimals stay exact) or texts; mixtures are reported."""
    values = series.tolist()
    kinds = {"": 0, "boolean": 0, "number": 0, "text": 0}
    of_row = []
    for value in values:
        if isinstance(value, (bool, np.bool_)):
            kind = "boolean"
        elif isinstance(value, str):
            kind = "text"
        elif value is None or value is pd.NA or (isinstance(value, float) and math.isnan(value)):
            kind = ""
        else:
            try:
                parse_decimal(value)
                kind = "number"
            except ValueError:
                kind = "text" if isinstance(value, date) else "other"
                kinds.setdefault("other", 0)
        of_row.append(kind)
        kinds[kind] += 1
    main = max(("text", "number", "boolean"), key=lambda kind: kinds[kind])
    wrong = np.array([kind not in (main, "") or (kind == "" and main == "boolean") for kind in of_row], bool)
    if wrong.any():
        fr, en = {"text": ("textes", "texts"), "number": ("nombres", "numbers")}.get(
            main, ("true ou false", "true or false")
        )
        table.rows(
            wrong,
            name,
            lambda v: Text(f"« {shown(v)} » dans une colonne de {fr}", f"“{shown(v)}” in a column of {en}"),
            Text(
                "Une colonne ne mélange pas textes, nombres et booléens.",
                "A column does not mix texts, numbers and booleans.",
            ),
        )
        fill: Any = {"text": "", "number": 0}.get(main, False)
        values = [fill if bad else value for value, bad in zip(values, wrong, strict=True)]
    if main == "boolean":
        return pd.Series(values, dtype=bool)
    if main == "number":
        plain = all(isinstance(v, (int, float, np.number)) or v is None for v in values)
        return pd.Series(values) if plain else pd.Series(values, dtype=object)
    return pd.Series([None if v is None or v is pd.NA or v != v else str(v) for v in values], dtype="str")


def whole(table: Table, column: str) -> np.ndarray:
    """A column of whole numbers (rows,) int64; others are reported and read as 0."""
    numerators, scale, problems = decimals_column(table.frame[column])
    table.unreadable(column, problems)
    bad = np.asarray(numerators % scale != 0, bool)
    table.rows(
        bad,
        column,
        lambda v: Text(f"« {shown(v)} » n'est pas un nombre entier", f"“{shown(v)}” is not a whole number"),
    )
    values = numerators // scale
    huge = np.asarray(abs(values) >= MAX_CENTS, bool)
    table.rows(huge, column, lambda v: Text(f"« {shown(v)} » est trop grand", f"“{shown(v)}” is too large"))
    return np.where(bad | huge, 0, values).astype(np.int64)


def sorted_table(table: Table, first: Iterable[str]) -> pd.DataFrame:
    """The frame by id, known columns first, with a fresh index."""
    front = [name for name in first if name in table.frame.columns]
    frame = table.frame[front + [name for name in table.frame.columns if name not in front]]
    if not frame["id"].is_monotonic_increasing:
        frame = frame.sort_values("id", kind="stable")
    return frame.reset_index(drop=True)


def euro_column(table: Table, column: str, fill: pd.Series | int | None) -> np.ndarray:
    """Cents of a money column (n,); `fill` completes what is empty, or it is a mistake."""
    frame = table.frame
    derived = np.zeros(len(frame), bool)
    if column not in frame.columns:
        frame[column] = fill
        derived[:] = True
    elif fill is not None:
        derived = empty_cells(frame[column])
        if derived.any():
            filled = frame[column].astype(object)
            filled[derived] = fill[derived] if isinstance(fill, pd.Series) else fill
            frame[column] = filled.infer_objects()
    cents, problems = cents_column(frame[column])
    table.unreadable(column, [(row, text) for row, text in problems if not derived[row]])
    return cents

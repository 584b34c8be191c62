"""The tables of a scenario, read and completed: territories, demands, prior aid. Every bad cell is reported.

Rows are sorted by id, so that the order of a file never matters. Money stays in euros as given.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from allocator.money import MAX_CENTS, cents_column, decimals_column, format_euros, parse_decimal
from allocator.problems import did_you_mean, letters, near
from allocator.texts import Text

TERRITORY_COLUMNS = ("id", "name", "region", "departement", "population")
DEMAND_COLUMNS = (
    "id",
    "territory",
    "measure",
    "units",
    "asked",
    "cost",
    "other_public",
    "own",
    "min_units",
    "beneficiary",
    "beneficiary_kind",
    "first_year",
    "last_year",
    "project",
)
PRIOR_AID_COLUMNS = ("beneficiary", "date", "cents")
TEXT_COLUMNS = frozenset(
    (
        "id",
        "name",
        "region",
        "departement",
        "territory",
        "measure",
        "beneficiary",
        "beneficiary_kind",
        "project",
    )
)
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


def _shown(value: object) -> str:
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


def _require(table: Table, names: Sequence[str], optional: Sequence[str]) -> list[str]:
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


def _near_optional(table: Table, known: Sequence[str]) -> None:
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


def _missing(series: pd.Series) -> np.ndarray:
    """(rows,) bool: absent, NaN or an empty text."""
    gone = series.isna().to_numpy(bool)
    if series.dtype == object or pd.api.types.is_string_dtype(series):
        gone = gone | (series == "").fillna(False).to_numpy(bool)
    return gone


def _as_text(table: Table, column: str, default: pd.Series | str | None = None) -> None:
    """Make a column text: whole numbers become digits; `default` fills what is empty, else a mistake."""
    frame = table.frame
    if column not in frame.columns:
        frame[column] = default
        if isinstance(default, str):
            frame[column] = pd.Series([default] * len(frame), dtype="str")
        return
    series = frame[column]
    gone = _missing(series)
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
                    lambda v: Text(f"« {_shown(v)} » n'est pas un texte", f"“{_shown(v)}” is not a text"),
                    Text("Les identifiants et codes sont des textes.", "Ids and codes are texts."),
                )
            series = pd.Series(texts, dtype="str")
    if gone.any():
        if default is None:
            table.rows(gone, column, lambda _: Text(f"« {column} » est vide", f"“{column}” is empty"))
            series = series.where(~gone, "")
        else:
            series = series.where(~gone, default)
    frame[column] = series.astype("str")


def _unique_ids(table: Table) -> None:
    ids = table.frame["id"]
    again = (ids.duplicated() & (ids != "")).to_numpy(bool)
    table.rows(
        again,
        "id",
        lambda v: Text(f"identifiant « {_shown(v)} » déjà utilisé", f"id “{_shown(v)}” is already used"),
        Text("Chaque ligne a son identifiant.", "Each row has its own id."),
    )


def _extra_columns(table: Table, known: Sequence[str]) -> tuple[list[str], list[str]]:
    """(numeric, other) extra columns; texts complete, numbers finite, or reported."""
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
            lambda v: Text(f"« {_shown(v)} » dans une colonne de {fr}", f"“{_shown(v)}” in a column of {en}"),
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


def _whole(table: Table, column: str) -> np.ndarray:
    """A column of whole numbers (rows,) int64; others are reported and read as 0."""
    numerators, scale, problems = decimals_column(table.frame[column])
    table.unreadable(column, problems)
    bad = np.asarray(numerators % scale != 0, bool)
    table.rows(
        bad,
        column,
        lambda v: Text(f"« {_shown(v)} » n'est pas un nombre entier", f"“{_shown(v)}” is not a whole number"),
    )
    values = numerators // scale
    huge = np.asarray(abs(values) >= MAX_CENTS, bool)
    table.rows(huge, column, lambda v: Text(f"« {_shown(v)} » est trop grand", f"“{_shown(v)}” is too large"))
    return np.where(bad | huge, 0, values).astype(np.int64)


def territories_table(value: object) -> tuple[Table, bool]:
    """The territories completed, and whether they hold all required columns."""
    table = frame_of(value, "territories", TERRITORY_COLUMNS)
    missing = _require(table, ("id", "region", "departement", "population"), ("name",))
    frame = table.frame
    _near_optional(table, TERRITORY_COLUMNS)
    if "id" in missing:
        return table, False
    _as_text(table, "id")
    _unique_ids(table)
    for name, default in (("name", frame["id"]), ("region", ""), ("departement", "")):
        _as_text(table, name, default)
    if "population" in missing:
        frame["population"] = 0
    else:
        people = _whole(table, "population")
        table.rows(
            people < 0,
            "population",
            lambda v: Text(f"population négative : {_shown(v)}", f"negative population: {_shown(v)}"),
        )
        if not len(missing) and int(people.astype(object).sum() if len(people) else 0) >= MAX_CENTS // 100:
            table.tell("population", Text("population totale trop grande", "total population too large"))
        frame["population"] = people
    _extra_columns(table, TERRITORY_COLUMNS)
    return table, not missing and not table.absent


def sorted_table(table: Table, first: Iterable[str]) -> pd.DataFrame:
    """The frame by id, known columns first, with a fresh index."""
    front = [name for name in first if name in table.frame.columns]
    frame = table.frame[front + [name for name in table.frame.columns if name not in front]]
    if not frame["id"].is_monotonic_increasing:
        frame = frame.sort_values("id", kind="stable")
    return frame.reset_index(drop=True)


@dataclass(frozen=True)
class Demands:
    """The demands completed: indicators are the numeric extra columns, attributes the others."""

    table: Table
    complete: bool
    indicators: list[str]
    attributes: list[str]


def demands_table(
    value: object,
    *,
    years: Sequence[int],
    territories: Sequence[str] | None,
    measures: dict[str, bool] | None,
) -> Demands:
    """Read and complete the demands.

    `territories` and `measures` ({id: lumpy}) are the ids there are, None where they could not be read.
    Defaults: cost = asked, other_public = 0, own = cost − asked − other_public, min_units = 0, beneficiary
    = the territory, project = the demand, first and last year = the horizon's.
    """
    table = frame_of(value, "demands", DEMAND_COLUMNS)
    missing = _require(table, ("id", "territory", "measure", "units", "asked"), DEMAND_COLUMNS)
    _near_optional(table, DEMAND_COLUMNS)
    frame = table.frame
    for name in ("name", "region", "departement", "population"):
        if name in frame.columns:
            table.tell(
                name,
                Text(f"« {name} » est une colonne des territoires", f"“{name}” is a column of territories"),
                Text("Retirez-la ou renommez-la.", "Remove or rename it."),
            )
    _as_text(table, "id") if "id" not in missing else frame.insert(0, "id", _ranks(frame))
    _unique_ids(table)
    for name, ids in (("territory", territories), ("measure", None if measures is None else list(measures))):
        if name in missing:
            frame[name] = pd.Series([""] * len(frame), dtype="str")
            continue
        _as_text(table, name)
        if ids is not None:
            _known_ids(table, name, ids)
    for name, default in (
        ("beneficiary", frame["territory"]),
        ("beneficiary_kind", ""),
        ("project", frame["id"]),
    ):
        _as_text(table, name, default)
    _years(table, years)
    _quantities(table, missing, measures or {})
    numeric, other = _extra_columns(table, DEMAND_COLUMNS)
    return Demands(table, not missing and not table.absent, sorted(numeric), sorted(other))


def spread_over_years(table: Table, measures: Sequence[str], years: Sequence[int]) -> Table:
    """The same with the demands of these measures, asked again every year, as one per year: id "<id> <year>", one project.

    One whose window is a single year stays as it is.
    """
    frame = table.frame
    if not years or not measures:
        return table
    first = np.maximum(frame["first_year"].to_numpy(np.int64), years[0])
    last = np.minimum(frame["last_year"].to_numpy(np.int64), years[-1])
    again = frame["measure"].isin(list(measures)).to_numpy(bool) & (last > first)
    if not again.any():
        return table
    rows, when = [], []
    for row in range(len(frame)):
        mine = [year for year in years if first[row] <= year <= last[row]] if again[row] else [0]
        rows += [row] * len(mine)
        when += mine
    spread = frame.iloc[rows].reset_index(drop=True)
    year, one = np.array(when, np.int64), np.array(when) > 0
    spread["id"] = spread["id"].where(~one, spread["id"] + " " + pd.Series(year).astype(str))
    for name in ("first_year", "last_year"):
        spread[name] = np.where(one, year, spread[name])
    _, told = np.unique(spread["id"], return_counts=True)
    if (told > 1).any():
        table.tell(
            "id",
            Text(
                "un dossier annuel prend le nom « dossier année » d'un autre dossier",
                "an annual demand takes the name “demand year” of another one",
            ),
        )
    return replace(
        table, frame=spread, given=tuple(dict.fromkeys((*table.given, "first_year", "last_year", "project")))
    )


def _ranks(frame: pd.DataFrame) -> pd.Series:
    return pd.Series([str(k) for k in range(len(frame))], dtype="str")


def _known_ids(table: Table, column: str, ids: Sequence[str]) -> None:
    fr, en = {"territory": ("territoire inconnu", "unknown territory")}.get(
        column, ("mesure inconnue", "unknown measure")
    )
    bad = ~table.frame[column].isin(list(ids)).to_numpy(bool) & (table.frame[column] != "").to_numpy(bool)
    remedies: dict[Any, Text | None] = {}

    def remedy(value: Any) -> Text | None:
        if value not in remedies:
            remedies[value] = did_you_mean(value, ids)
        return remedies[value]

    table.rows(bad, column, lambda v: Text(f"{fr} « {_shown(v)} »", f"{en} “{_shown(v)}”"), remedy)


def _years(table: Table, years: Sequence[int]) -> None:
    frame = table.frame
    if not years:
        return
    for name, default in (("first_year", years[0]), ("last_year", years[-1])):
        if name not in frame.columns:
            frame[name] = np.full(len(frame), default, np.int64)
            continue
        gone = _missing(frame[name])
        if gone.any():
            frame[name] = frame[name].astype(object).where(~gone, default)
        frame[name] = _whole(table, name)
    first, last = frame["first_year"].to_numpy(np.int64), frame["last_year"].to_numpy(np.int64)
    backwards = first > last
    table.rows(
        backwards,
        "first_year",
        lambda v, end: Text(f"first_year {v} est après last_year {end}", f"first_year {v} is after last_year {end}"),
        beside="last_year",
    )
    outside = ~backwards & ((first > years[-1]) | (last < years[0]))
    table.rows(
        outside,
        "first_year",
        lambda _: Text(
            f"ce dossier ne peut rien recevoir entre {years[0]} et {years[-1]}",
            f"this demand can receive nothing between {years[0]} and {years[-1]}",
        ),
        warn=True,
    )


def _number(table: Table, column: str) -> tuple[np.ndarray, int]:
    """A numeric column as exact decimals; texts become numbers in the frame."""
    frame = table.frame
    gone = _missing(frame[column])
    numerators, scale, problems = decimals_column(
        frame[column].astype(object).where(~gone, None) if gone.any() else frame[column]
    )
    table.unreadable(column, problems)
    if not pd.api.types.is_numeric_dtype(frame[column]) and not problems:
        frame[column] = pd.to_numeric(pd.Series([float(parse_decimal(v)) for v in frame[column]]))
    return numerators, scale


def _euro_column(table: Table, column: str, fill: pd.Series | int | None) -> np.ndarray:
    """Cents of a money column (n,); `fill` completes what is empty, or it is a mistake."""
    frame = table.frame
    derived = np.zeros(len(frame), bool)
    if column not in frame.columns:
        frame[column] = fill
        derived[:] = True
    elif fill is not None:
        derived = _missing(frame[column])
        if derived.any():
            filled = frame[column].astype(object)
            filled[derived] = fill[derived] if isinstance(fill, pd.Series) else fill
            frame[column] = filled.infer_objects()
    cents, problems = cents_column(frame[column])
    table.unreadable(column, [(row, text) for row, text in problems if not derived[row]])
    return cents


def _quantities(table: Table, missing: Sequence[str], measures: dict[str, bool]) -> None:
    frame = table.frame
    if "min_units" not in frame.columns:
        frame["min_units"] = np.zeros(len(frame), np.int64)
    else:
        gone = _missing(frame["min_units"])
        if gone.any():
            frame["min_units"] = frame["min_units"].astype(object).where(~gone, 0).infer_objects()
    for name in ("units", "asked"):
        if name in missing:
            frame[name] = np.ones(len(frame), np.int64)
    units, units_scale = _number(table, "units")
    least, least_scale = _number(table, "min_units")
    for name, numerators in (("units", units), ("min_units", least)):
        negative = np.asarray(numerators < 0, bool)
        table.rows(negative, name, lambda v, n=name: Text(f"{n} négatif : {_shown(v)}", f"negative {n}: {_shown(v)}"))
    bigger = np.asarray(least.astype(object) * units_scale > units.astype(object) * least_scale, bool) & (least > 0)
    table.rows(
        bigger,
        "min_units",
        lambda v, most: Text(
            f"min_units {_shown(v)} dépasse units {_shown(most)}",
            f"min_units {_shown(v)} exceeds units {_shown(most)}",
        ),
        beside="units",
    )
    lumpy = (
        frame["measure"].map(measures).fillna(False).astype(bool).to_numpy(bool)
        if measures
        else np.zeros(len(frame), bool)
    )
    for name, numerators, scale in (("units", units, units_scale), ("min_units", least, least_scale)):
        broken = lumpy & np.asarray(numerators % scale != 0, bool)
        table.rows(
            broken,
            name,
            lambda v, n=name: Text(
                f"{n} doit être entier : la mesure ne se divise pas, et non {_shown(v)}",
                f"{n} must be whole: the measure is indivisible, not {_shown(v)}",
            ),
        )
    asked = _euro_column(table, "asked", None)
    readable = {finding.row for finding in table.found if finding.column == "asked" and finding.row is not None}
    nothing = asked <= 0
    nothing[[row for row in readable if row is not None]] = False
    table.rows(
        nothing,
        "asked",
        lambda v: Text(f"asked doit être positif, et non {_shown(v)}", f"asked must be positive, not {_shown(v)}"),
        Text(
            "asked est la subvention demandée par unité, en euros.",
            "asked is the grant asked per unit, in euros.",
        ),
    )
    cost = _euro_column(table, "cost", frame["asked"])
    other = _euro_column(table, "other_public", 0)
    # A cost that was filled in from asked is told there.
    for name, negative in (("cost", (cost < 0) & (cost != asked)), ("other_public", other < 0)):
        table.rows(
            negative,
            name,
            lambda v, n=name: Text(f"{n} négatif : {_shown(v)}", f"negative {n}: {_shown(v)}"),
        )
    default = pd.Series((cost - asked - other) / 100)
    own = _euro_column(table, "own", default)
    table.rows(
        own < 0,
        "own",
        lambda v: Text(
            f"les aides publiques dépassent le coût (part propre {_shown(v)} €)",
            f"public aid exceeds the cost (own share {_shown(v)} €)",
        ),
        Text("Vérifiez cost, asked et other_public.", "Check cost, asked and other_public."),
        warn=True,
    )
    for name, cents in (("asked", asked), ("cost", cost), ("other_public", other), ("own", own)):
        if len(cents) and float(np.abs(cents.astype(float) * (units.astype(float) / units_scale)).sum()) >= MAX_CENTS:
            limit = format_euros(MAX_CENTS, compact=True)
            table.tell(
                name,
                Text(
                    f"le total de {name} × units atteint {limit}",
                    f"the total of {name} × units reaches {limit}",
                ),
                Text("Vérifiez les unités des montants.", "Check the units of the amounts."),
            )


def prior_aid_table(value: object) -> Table | None:
    """Aid already received: beneficiary, date (ISO text, year or date), cents; None when none is given.

    Euros may be given as `amount`, as people write them, instead of `cents`.
    """
    if value is None:
        return None
    table = frame_of(value, "prior_aid", PRIOR_AID_COLUMNS)
    in_euros = "amount" in table.frame.columns
    missing = _require(table, ("beneficiary", "date", "amount") if in_euros else PRIOR_AID_COLUMNS, ())
    if in_euros and "cents" in table.frame.columns:
        table.tell(
            "amount",
            Text("amount (euros) et cents disent deux fois le montant", "amount (euros) and cents both say the amount"),
            Text("Gardez l'une des deux colonnes.", "Keep one of the two columns."),
        )
    elif not in_euros and "cents" in missing:
        table.found[-1] = replace(
            table.found[-1],
            remedy=Text("Ajoutez amount (en euros) ou cents.", "Add amount (in euros) or cents."),
        )
    if missing:
        return table
    _as_text(table, "beneficiary")
    frame = table.frame
    dates, bad = [], []
    for row, cell in enumerate(frame["date"].astype(object).tolist()):
        try:
            dates.append(_iso(cell))
        except ValueError:
            dates.append("")
            bad.append(row)
    table.rows(
        np.array(bad, int),
        "date",
        lambda v: Text(f"« {_shown(v)} » n'est pas une date", f"“{_shown(v)}” is not a date"),
        Text("Écrivez 2024-04-10, ou l'année seule.", "Write 2024-04-10, or the year alone."),
    )
    frame["date"] = pd.Series(dates, dtype="str")
    column = "amount" if in_euros else "cents"
    cents = _euro_column(table, "amount", None) if in_euros else _whole(table, "cents")
    table.rows(cents < 0, column, lambda v: Text(f"montant négatif : {_shown(v)}", f"negative amount: {_shown(v)}"))
    frame["cents"] = cents
    table.frame = frame.drop(columns="amount") if in_euros else frame
    return table


def sorted_aid(table: Table) -> pd.DataFrame:
    """Its rows in an order of their own; as they are where columns are missing."""
    known = [name for name in PRIOR_AID_COLUMNS if name in table.frame.columns]
    return table.frame.sort_values(known, kind="stable").reset_index(drop=True)


def beneficiaries_of_aid(prior: Table, demands: Table) -> None:
    """Report prior aid that would count for nobody: its beneficiary is in no demand.

    A name that differs in case, accents or spaces alone is a mistake; another is a warning, for a register of aid may
    hold many who ask for nothing here.
    """
    if "beneficiary" not in prior.frame.columns or not len(prior.frame):
        return
    asking = set(demands.frame["beneficiary"])
    names = prior.frame["beneficiary"]
    foreign = ~names.isin(asking).to_numpy(bool) & (names != "").to_numpy(bool)
    if "beneficiary" not in demands.given and foreign.all():
        demands.tell(
            "beneficiary",
            Text(
                "aides passées par bénéficiaire, mais les dossiers ne disent pas le leur",
                "prior aid is told per beneficiary, but the demands do not tell theirs",
            ),
            Text("Ajoutez la colonne beneficiary aux dossiers.", "Add the column beneficiary to the demands."),
        )
        return
    alike = {letters(name): name for name in sorted(asking)}
    misspelt = foreign & names.map(letters).isin(list(alike)).to_numpy(bool)
    prior.rows(
        misspelt,
        "beneficiary",
        lambda v: Text(
            f"« {_shown(v)} » s'écrit « {_shown(alike[letters(v)])} » dans les dossiers",
            f"“{_shown(v)}” is written “{_shown(alike[letters(v)])}” in the demands",
        ),
        Text("Écrivez les deux de même.", "Write both alike."),
    )

    def remedy(name: str) -> Text | None:
        close = None if name.isdigit() else near(name, asking, cutoff=0.85)
        return Text(f"Vouliez-vous dire « {close} » ?", f"Did you mean “{close}”?") if close else None

    prior.rows(
        foreign & ~misspelt,
        "beneficiary",
        lambda v: Text(
            f"« {_shown(v)} » ne demande rien ici : son aide passée n'y change rien",
            f"“{_shown(v)}” asks for nothing here: its prior aid changes nothing",
        ),
        remedy,
        warn=True,
    )


def _iso(cell: object) -> str:
    if isinstance(cell, date):
        return cell.isoformat()[:10]
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    text = str(cell).strip()
    if text.isdigit() and len(text) == 4:
        return text
    day, _, rest = text.partition("/")
    month, _, year = rest.partition("/")
    if len(year) == 4 and (day + month + year).isdigit():  # 10/04/2024, as the French write it
        return date(int(year), int(month), int(day)).isoformat()
    return date.fromisoformat(text).isoformat()

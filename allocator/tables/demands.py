"""The demands, read and completed; those asked again every year, one per year."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from allocator.money import MAX_CENTS, decimals_column, format_euros, parse_decimal
from allocator.problems import did_you_mean
from allocator.tables.columns import (
    Table,
    as_text,
    empty_cells,
    euro_column,
    extra_columns,
    frame_of,
    near_optional,
    require,
    shown,
    unique_ids,
    whole,
)
from allocator.texts import Text

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
    counted: Collection[str] = (),
) -> Demands:
    """Read and complete the demands.

    `territories` and `measures` ({id: lumpy}) are the ids there are, None where they could not be read. `counted`: extra
    columns that are numbers, whatever some cells say.
    Defaults: cost = asked, other_public = 0, own = cost − asked − other_public, min_units = 0, beneficiary
    = the territory, project = the demand, first and last year = the horizon's.
    """
    table = frame_of(value, "demands", DEMAND_COLUMNS)
    missing = require(table, ("id", "territory", "measure", "units", "asked"), DEMAND_COLUMNS)
    near_optional(table, DEMAND_COLUMNS)
    frame = table.frame
    for name in ("name", "region", "departement", "population"):
        if name in frame.columns:
            table.tell(
                name,
                Text(f"« {name} » est une colonne des territoires", f"“{name}” is a column of territories"),
                Text("Retirez-la ou renommez-la.", "Remove or rename it."),
            )
    as_text(table, "id") if "id" not in missing else frame.insert(0, "id", _ranks(frame))
    unique_ids(table)
    for name, ids in (("territory", territories), ("measure", None if measures is None else list(measures))):
        if name in missing:
            frame[name] = pd.Series([""] * len(frame), dtype="str")
            continue
        as_text(table, name)
        if ids is not None:
            _known_ids(table, name, ids)
    for name, default in (
        ("beneficiary", frame["territory"]),
        ("beneficiary_kind", ""),
        ("project", frame["id"]),
    ):
        as_text(table, name, default)
    _years(table, years)
    _quantities(table, missing, measures or {})
    numeric, other = extra_columns(table, DEMAND_COLUMNS, counted)
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

    table.rows(bad, column, lambda v: Text(f"{fr} « {shown(v)} »", f"{en} “{shown(v)}”"), remedy)


def _years(table: Table, years: Sequence[int]) -> None:
    frame = table.frame
    if not years:
        return
    for name, default in (("first_year", years[0]), ("last_year", years[-1])):
        if name not in frame.columns:
            frame[name] = np.full(len(frame), default, np.int64)
            continue
        gone = empty_cells(frame[name])
        if gone.any():
            frame[name] = frame[name].astype(object).where(~gone, default)
        frame[name] = whole(table, name)
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
    gone = empty_cells(frame[column])
    numerators, scale, problems = decimals_column(
        frame[column].astype(object).where(~gone, None) if gone.any() else frame[column]
    )
    table.unreadable(column, problems)
    if not pd.api.types.is_numeric_dtype(frame[column]) and not problems:
        frame[column] = pd.to_numeric(pd.Series([float(parse_decimal(v)) for v in frame[column]]))
    return numerators, scale


def _quantities(table: Table, missing: Sequence[str], measures: dict[str, bool]) -> None:
    frame = table.frame
    if "min_units" not in frame.columns:
        frame["min_units"] = np.zeros(len(frame), np.int64)
    else:
        gone = empty_cells(frame["min_units"])
        if gone.any():
            frame["min_units"] = frame["min_units"].astype(object).where(~gone, 0).infer_objects()
    for name in ("units", "asked"):
        if name in missing:
            frame[name] = np.ones(len(frame), np.int64)
    units, units_scale = _number(table, "units")
    least, least_scale = _number(table, "min_units")
    for name, numerators in (("units", units), ("min_units", least)):
        negative = np.asarray(numerators < 0, bool)
        table.rows(negative, name, lambda v, n=name: Text(f"{n} négatif : {shown(v)}", f"negative {n}: {shown(v)}"))
    bigger = np.asarray(least.astype(object) * units_scale > units.astype(object) * least_scale, bool) & (least > 0)
    table.rows(
        bigger,
        "min_units",
        lambda v, most: Text(
            f"min_units {shown(v)} dépasse units {shown(most)}",
            f"min_units {shown(v)} exceeds units {shown(most)}",
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
                f"{n} doit être entier : la mesure ne se divise pas, et non {shown(v)}",
                f"{n} must be whole: the measure is indivisible, not {shown(v)}",
            ),
        )
    asked = euro_column(table, "asked", None)
    readable = {finding.row for finding in table.found if finding.column == "asked" and finding.row is not None}
    nothing = asked <= 0
    nothing[[row for row in readable if row is not None]] = False
    table.rows(
        nothing,
        "asked",
        lambda v: Text(f"asked doit être positif, et non {shown(v)}", f"asked must be positive, not {shown(v)}"),
        Text(
            "asked est la subvention demandée par unité, en euros.",
            "asked is the grant asked per unit, in euros.",
        ),
    )
    cost = euro_column(table, "cost", frame["asked"])
    other = euro_column(table, "other_public", 0)
    # A cost that was filled in from asked is told there.
    for name, negative in (("cost", (cost < 0) & (cost != asked)), ("other_public", other < 0)):
        table.rows(
            negative,
            name,
            lambda v, n=name: Text(f"{n} négatif : {shown(v)}", f"negative {n}: {shown(v)}"),
        )
    default = pd.Series((cost - asked - other) / 100)
    own = euro_column(table, "own", default)
    table.rows(
        own < 0,
        "own",
        lambda v: Text(
            f"les aides publiques dépassent le coût (part propre {shown(v)} €)",
            f"public aid exceeds the cost (own share {shown(v)} €)",
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

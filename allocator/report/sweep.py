"""A sweep on a terminal: how its variants ended, the best and the worst, and the range of each figure by value varied."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.console import Console
from rich.table import Table

from allocator.money import format_euros
from allocator.report.console import STATUS, number
from allocator.texts import Text, language

if TYPE_CHECKING:
    from allocator.sweep import Sweep

FEW = 12  # variants up to which each is printed
NOTHING = "—"


def print_sweep(swept: Sweep, console: Console) -> None:
    """Few variants: each; many: how they ended, then for each path the values with the range of the objective."""
    table = swept.table
    paths = list(dict.fromkeys(path for changes in swept.variants for path in changes))
    count = len(table)
    console.print(
        str(
            Text(
                f"{count} variante{'s' if count > 1 else ''} de « {swept.scenario.name} »",
                f"{count} variant{'s' if count > 1 else ''} of “{swept.scenario.name}”",
            )
        ),
        highlight=False,
        markup=False,
    )
    for status, number_of in table["status"].value_counts().items():
        console.print(f"  {number_of} {STATUS[str(status)]}", highlight=False)
    if count <= FEW:
        console.print(_each(table, paths))
        return
    for path in paths:
        console.print(_by_value(table, path))


def _each(table: pd.DataFrame, paths: list[str]) -> Table:
    out = Table()
    out.add_column(str(Text("variante", "variant")), justify="right")
    for path in paths:
        out.add_column(path)
    for title in (Text("état", "status"), Text("objectif", "objective"), Text("accordé", "granted")):
        out.add_column(str(title), justify="right")
    for row in table.to_dict("records"):
        values = (NOTHING if pd.isna(row[path]) else str(row[path]) for path in paths)
        out.add_row(
            str(row["variant"]), *values, str(STATUS[row["status"]]), _points(row["objective"]), _money(row["granted"])
        )
    return out


def _by_value(table: pd.DataFrame, path: str) -> Table:
    out = Table(title=path)
    titles = (
        Text("valeur", "value"), Text("variantes", "variants"), Text("objectif, le moins", "objective, least"),
        Text("le plus", "most"), Text("accordé, le moins", "granted, least"), Text("le plus", "most"),
    )  # fmt: skip
    for title in titles:
        out.add_column(str(title), justify="right")
    for value, group in table.groupby(path, sort=False):
        with_plan = group[group["objective"].notna()]
        objective, granted = with_plan["objective"], with_plan["granted"]
        out.add_row(
            str(value), str(len(group)), _points(objective.min()), _points(objective.max()),
            *((_money(int(granted.min())), _money(int(granted.max()))) if len(granted) else (NOTHING, NOTHING)),
        )  # fmt: skip
    return out


def _points(value: float | None) -> str:
    return NOTHING if value is None or pd.isna(value) else number(float(value), 2)


def _money(cents: int) -> str:
    return format_euros(int(cents), language())

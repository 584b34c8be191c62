"""A frontier as a table on a terminal, and as files in a folder: the points, their grants, a chart."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from allocator.money import format_euros
from allocator.report.console import euros, number, print_plan, proved_gap
from allocator.report.files import replace_file
from allocator.report.frontier_chart import chart
from allocator.spreadsheet import csv_of
from allocator.texts import Text, language

if TYPE_CHECKING:
    from allocator.frontier import Frontier
    from allocator.frontier.axes import Axis

NOTHING = "—"


def shown(axis: Axis, value: float | None) -> str:
    """A value of an aim as people read it."""
    if value is None or value != value:
        return NOTHING
    if axis.name == "euros":
        return format_euros(round(value * 100), language())
    return number(value, 0 if axis.whole and float(value).is_integer() else 2)


def print_frontier(found: Frontier, console: Console) -> None:
    """A row per point, the knee marked; what is proved."""
    if found.nothing is not None:
        print_plan(found.nothing, console)
        return
    aims = " × ".join(str(axis.title) for axis in found.axes.values())
    name = escape(found.scenario.name)
    heading = Text(f"[bold]Frontière « {name} »[/bold] : {aims}", f"[bold]Frontier “{name}”[/bold]: {aims}")
    console.print(f"\n{heading}", highlight=False)
    console.print()
    table = Table(header_style="bold")
    best = Text("au mieux", "at best")
    headers = ["", *(h for axis in found.axes.values() for h in (_header(axis), str(best)))]
    for k, header in enumerate([*headers, str(Text("accordé", "granted")), str(Text("écart", "gap"))]):
        table.add_column(header, justify="right" if k else "left", no_wrap=True)
    for k, row in enumerate(found.table.to_dict("records")):
        cells = [shown(axis, row[name]) for place, axis in found.axes.items() for name in (place, f"{place}_bound")]
        mark = str(Text("coude", "knee")) if row["knee"] else ""
        rank = f"{mark} {k + 1}".strip()
        table.add_row(
            rank,
            *cells,
            euros(row["granted"]),
            str(proved_gap(row["gap"])),
            style="bold" if row["knee"] else None,
        )
    console.print(table)
    for text in found.says:
        console.print(str(text), highlight=False)


def _header(axis: Axis) -> str:
    unit = str(axis.unit)
    return f"{axis.name} ({unit})" if unit and unit != axis.name else axis.name


def write_frontier(found: Frontier, folder: str | os.PathLike[str]) -> list[Path]:
    """Write frontier.csv, grants.csv (`point`: the row of frontier.csv, from 0), frontier.json and frontier.svg, each replaced
    whole. Raises OSError when the folder cannot be written."""
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    files = {
        "frontier.csv": csv_of(found.table, index="point"),
        "grants.csv": csv_of(found.grants),
        "frontier.json": json.dumps(found.as_dict(), ensure_ascii=False, indent=2, allow_nan=False) + "\n",
    }
    if found.points:
        files["frontier.svg"] = chart(found)
    return [replace_file(root / name, text) for name, text in files.items()]

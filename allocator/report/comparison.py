"""A comparison as tables on a terminal, in French or English, and as files in a folder."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from textwrap import fill
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from rich.cells import cell_len
from rich.console import Console
from rich.segment import Segments
from rich.table import Table
from rich.text import Text as Cell

from allocator.compare import FATES, MARGINS, change_of
from allocator.explain.costs import Cost, Costs
from allocator.formats.saving import replaced
from allocator.money import format_euros
from allocator.report.console import STATUS, euros, number, proved_gap
from allocator.report.files import replace_file
from allocator.spreadsheet import csv_of
from allocator.texts import Text, language

if TYPE_CHECKING:
    from allocator.compare import Comparison
    from allocator.explain.explanation import Explanation
    from allocator.plan import Plan

MINUS = "\u2212"
NOTHING = "—"
SHORT_STATUS = STATUS | {"feasible": Text("réalisable (certifié)", "feasible (certified)")}
DIFFERENCE = Text("différence", "difference")
TITLES = {
    "fund": (Text("Par fonds", "By fund"), Text("fonds", "fund")),
    "measure": (Text("Par mesure", "By measure"), Text("mesure", "measure")),
    "region": (Text("Par région", "By region"), Text("région", "region")),
}
Reasons = Mapping[str, "Explanation"]  # of each plan by its name: what its rules cost


PLACES = {
    "territory": Text("territoires", "territories"),
    "departement": Text("départements", "departments"),
    "region": Text("régions", "regions"),
}


def signed_euros(cents: int) -> str:
    """`+1 234 €`, `−5 €`, `0 €`; in English `+€1,234`, `−€5`, `€0`."""
    return _sign(cents) + format_euros(abs(cents), language())


def _signed(value: float, digits: int) -> str:
    shown = number(abs(value), digits)
    return (_sign(value) if shown != number(0, digits) else "") + shown


def _sign(value: float) -> str:
    return "+" if value > 0 else MINUS if value < 0 else ""


def _quoted(name: str) -> str:
    return str(Text(f"« {name} »", f"“{name}”"))


def print_comparison(comparison: Comparison, console: Console, reasons: Reasons | None = None) -> None:
    """Totals; by fund, measure and region; who gains and who loses; how unequal; what is scarce; what limits each plan, and
    with `reasons` what its rules cost."""
    later = ", ".join(_quoted(name) for name in comparison.names[1:])
    against = Text(
        f"{later} par rapport à {_quoted(comparison.reference)}",
        f"{later} against {_quoted(comparison.reference)}",
    )
    console.print()
    console.print(Cell(str(against), style="bold"))
    for note in comparison.notes:
        console.print(Cell(str(Text(f"À savoir : {note.fr}", f"Note: {note.en}"))))
    tables = [_totals(comparison)]
    tables += [_fitting(partial(_margin, comparison, per), console) for per in TITLES]
    tables += [_fitting(partial(_units, comparison), console)]
    for name in comparison.names[1:]:
        tables += [_fitting(partial(_movers, comparison, name, gain), console) for gain in (True, False)]
    tables += [_fitting(partial(_fates, comparison), console), _inequality(comparison)]
    tables += [_scarce(comparison), _binding(comparison)] + ([_costs(comparison, reasons)] if reasons else [])
    for table in tables:
        console.print()
        heading, caption = (
            table.title or "",
            table.caption,
        )  # printed apart: within a table they fold to its width
        table.title = table.caption = None
        console.print(heading)
        room = console.options.update(width=max(_least(table), console.width))
        console.print(Segments(console.render(table, room)), soft_wrap=True, end="")  # runs over, never cut
        if caption:
            console.print(caption)
    console.print()
    console.print(Cell(str(_summed(comparison))))


def _summed(comparison: Comparison) -> Text:
    """Whether all that must add up does."""
    wrong = [name for name, held in comparison.checks if not held]
    if wrong:
        return Text(f"SOMMES FAUSSES : {', '.join(wrong)}", f"WRONG SUMS: {', '.join(wrong)}")
    return Text(
        "Sommes vérifiées : dans chaque tableau, les écarts font au centime celui du total.",
        "Sums checked: in every table, the differences add up to that of the total, to the cent.",
    )


def write_comparison(
    comparison: Comparison, folder: str | os.PathLike[str], reasons: Reasons | None = None
) -> list[Path]:
    """Write totals, by_*, units, indicators, inequality, demands (CSV), comparison.json and comparison.xlsx, each replaced
    whole; with `reasons` (what the rules of each plan cost, by its name) costs.csv too.

    Tables by fund, measure … have a row per value and plan, in cents and in euros; `change` is the difference
    from the reference. Raises OSError when the folder cannot be written.
    """
    root = Path(folder)
    root.mkdir(parents=True, exist_ok=True)
    tables = {"totals": _with_euros(comparison.totals, "asked", "granted", "left", "change")}
    for per in MARGINS:
        long = _long(comparison, comparison.by(per), "granted")
        tables[f"by_{per}"] = _with_euros(long, "granted", "change")
    tables["units"] = _long(comparison, comparison.units, "units")
    tables["indicators"] = _long(comparison, comparison.indicators, "total")
    tables["inequality"] = comparison.inequality
    if reasons:
        tables["costs"] = pd.DataFrame(costs_of(reasons))
    tables["demands"] = _with_euros(comparison.demands(), "before", "after", "change")
    files = {f"{name}.csv": csv_of(table) for name, table in tables.items()}
    report = json.dumps(told(comparison, reasons), ensure_ascii=False, indent=2, allow_nan=False)
    files["comparison.json"] = report + "\n"
    from allocator.report.comparison_book import write_comparison_book

    written = [replace_file(root / name, text) for name, text in files.items()]
    book = partial(write_comparison_book, comparison, reasons=reasons)
    return [*written, replaced(root / "comparison.xlsx", book)]


def told(comparison: Comparison, reasons: Reasons | None = None) -> dict[str, Any]:
    """The JSON of ``allocator compare --json``; `costs` where they were asked for."""
    costs = {"costs": {name: each.as_dict() for name, each in reasons.items()}} if reasons else {}
    return comparison.as_dict() | costs


def costs_of(reasons: Reasons) -> list[dict[str, Any]]:
    """A row per plan and rule: what the best plan without the rule regains, in words and between which limits."""
    rows = []
    for name, each in reasons.items():
        for cost in each.ranked if isinstance(each, Costs) else ():
            gain = cost.regained.over(cost.counted.size) if cost.regained is not None else None
            ends = [None if np.isinf(end) else end for end in (gain.least, gain.most)] if gain else [None, None]
            rows.append({"plan": name, "rule": cost.rule, "label": cost.label, "cost": str(_cost(cost)),
                         "at_least": ends[0], "at_most": ends[1]})  # fmt: skip
    return rows


def _cost(cost: Cost) -> Text:
    if cost.regained is None:
        return Text("aucun plan sans elle", "no plan without it")
    if cost.regained.nothing:
        return Text("rien", "nothing")
    return cost.counted.of(cost.regained) if cost.measurable else Text("non mesurable", "not measurable")


def _long(comparison: Comparison, table: pd.DataFrame, of: str) -> pd.DataFrame:
    """A row per row of `table` and plan: plan, the row's own columns, `of`, change (0 for the reference)."""
    parts = []
    for name in comparison.names:
        own = table[[c for c in ("key", "label", "unit") if c in table]]
        change = table[name] - table[comparison.reference]
        parts.append(own.assign(**{of: table[name], "change": change}))
        parts[-1].insert(0, "plan", name)
    return pd.concat(parts, ignore_index=True)


def _with_euros(table: pd.DataFrame, *columns: str) -> pd.DataFrame:
    """Each money column as `…_cents` and, exactly, as `…_euros`."""
    table = table.rename(columns={name: f"{name}_cents" for name in columns})
    for name in columns:
        cents = table[f"{name}_cents"].tolist()
        exact = [f"{'-' if c < 0 else ''}{abs(c) // 100}.{abs(c) % 100:02d}" for c in cents]
        table.insert(list(table.columns).index(f"{name}_cents") + 1, f"{name}_euros", exact)
    return table


def _table(title: Text, *columns: Text | str, left: int = 1) -> Table:
    """The first `left` columns are texts, which may wrap; the others figures, which may not."""
    table = Table(title=Cell(str(title), style="bold"), header_style="bold")
    for k, column in enumerate(columns):
        words = k < left
        head = Cell(fill(str(column), 18))
        if words:
            table.add_column(head, overflow="fold", min_width=16)
        else:
            table.add_column(head, justify="right", no_wrap=True)
    return table


def _totals(comparison: Comparison) -> Table:
    """A row per figure and a column per plan: names are long, figures few."""
    table = _table(Text("Ensemble", "Overall"), "", *comparison.names)
    totals = comparison.totals.to_dict("list")

    def row(label: Text, values: Sequence[Any], show: Callable[[Any], str]) -> None:
        table.add_row(str(label), *(NOTHING if value != value else show(value) for value in values))

    row(Text("résultat", "result"), totals["status"], lambda status: fill(str(SHORT_STATUS[status]), 12))
    row(Text("points", "points"), totals["objective"], lambda points: number(points, 2))
    row(Text("aucun plan ne dépasse", "no plan exceeds"), totals["bound"], lambda points: number(points, 2))
    row(Text("écart garanti", "gap"), totals["gap"], lambda gap: str(proved_gap(gap)))
    row(Text("demandé", "asked"), totals["asked"], euros)
    row(Text("accordé", "granted"), totals["granted"], euros)
    table.add_row(f"  {DIFFERENCE}", NOTHING, *(signed_euros(cents) for cents in totals["change"][1:]))
    row(Text("reste à attribuer", "left"), totals["left"], euros)
    return table


def _least(table: Table) -> int:
    """The fewest characters that a line of the table takes, its words folded and its figures whole."""
    for column in table.columns:
        if column.no_wrap:
            lines = [line for cell in (column.header, *column.cells) for line in str(cell).split("\n")]
            column.min_width = max(cell_len(line) for line in lines)
    return sum((column.min_width or 0) + 3 for column in table.columns) + 1


def _fitting(make: Callable[[bool], Table], console: Console) -> Table:
    """The wide form of a table if it leaves words some room on this terminal, else the narrow one."""
    wide = make(False)
    return wide if _least(wide) + 8 <= console.width else make(True)


def _columns(comparison: Comparison, narrow: bool) -> list[Text | str]:
    """Each later plan's differences beside its amounts or, where narrow, below them."""
    found: list[Text | str] = [comparison.reference]
    for name in comparison.names[1:]:
        found += [name] if narrow else [name, DIFFERENCE]
    return found


def _cells(
    comparison: Comparison,
    row: dict[str, Any],
    show: Callable[[Any], str],
    change: Callable[[Any], str],
    narrow: bool,
) -> list[str]:
    cells = [show(row[comparison.reference])]
    for name in comparison.names[1:]:
        pair = [show(row[name]), change(row[change_of(name)])]
        cells += ["\n".join(pair)] if narrow else pair
    return cells


def _margin(comparison: Comparison, per: str, narrow: bool) -> Table:
    title, what = TITLES[per]
    table = _table(title, what, *_columns(comparison, narrow))
    rows = comparison.by(per)
    for row in _rows(rows):
        table.add_row(Cell(row["label"]), *_cells(comparison, row, euros, signed_euros, narrow))
    table.add_section()
    total = {name: int(rows[name].sum()) for name in rows.columns[2:]}
    table.add_row(str(Text("total", "total")), *_cells(comparison, total, euros, signed_euros, narrow))
    return table


def _units(comparison: Comparison, narrow: bool) -> Table:
    title = Text("Unités accordées", "Units granted")
    table = _table(title, TITLES["measure"][1], Text("unité", "unit"), *_columns(comparison, narrow), left=2)
    table.columns[1].min_width = 8
    lumpy = {m.id: m.lumpy for plan in comparison.plans for m in plan.scenario.measures}
    for row in _rows(comparison.units):
        digits = 0 if lumpy[row["key"]] else 1
        show, change = partial(number, digits=digits), partial(_signed, digits=digits)
        cells = _cells(comparison, row, show, change, narrow)
        table.add_row(Cell(row["label"]), Cell(row["unit"]), *cells)
    return table


def _movers(comparison: Comparison, name: str, gain: bool, narrow: bool) -> Table:
    """Ten territories, each with its region; where narrow, without what they had and have."""
    who = Text("Qui gagne", "Who gains") if gain else Text("Qui perd", "Who loses")
    title = Text(f"{who.fr} avec {_quoted(name)}", f"{who.en} with {_quoted(name)}")
    words = [Text("territoire", "territory"), Text("région", "region")]
    amounts = [] if narrow else [comparison.reference, name]
    table = _table(title, *words, *amounts, DIFFERENCE, Text("€ par habitant", "€ per inhabitant"), left=2)
    rows = (comparison.gainers if gain else comparison.losers)(10, plan=name)
    for row in _rows(rows):
        each = row["per_inhabitant"]
        before_after = [] if narrow else [euros(row["before"]), euros(row["after"])]
        change = [signed_euros(row["change"]), NOTHING if each != each else _signed(each, 2)]
        table.add_row(Cell(row["label"]), Cell(row["region"]), *before_after, *change)
    if not len(rows):
        table.add_row(str(Text("personne", "nobody")))
    return table


def _fates(comparison: Comparison, narrow: bool) -> Table:
    table = _table(Text("Dossiers", "Demands"), "", *comparison.names[1:])
    fates = comparison.fates().set_index(["plan", "fate"])
    for fate, label in FATES.items():
        cells = []
        for name in comparison.names[1:]:
            count, change = int(fates["count"][name, fate]), int(fates["change"][name, fate])
            between = "\n" if narrow else "  "
            cells.append(number(count) + (f"{between}({signed_euros(change)})" if change else ""))
        table.add_row(str(label), *cells)
    return table


def _scarce(comparison: Comparison) -> Table:
    """How many times each fund is asked for, where that is more than it holds."""
    title = Text(
        "Fonds demandés au-delà de leur enveloppe (demandé ÷ enveloppe)",
        "Funds asked for more than they hold (asked ÷ envelope)",
    )
    table = _table(title, TITLES["fund"][1], *comparison.names)
    scarce = comparison.scarce
    for _, rows in scarce.groupby("id", sort=False):
        ratios = {row["plan"]: _times(row["asked"], row["held"]) for row in _rows(rows)}
        table.add_row(Cell(rows["label"].iloc[0]), *(ratios.get(name, NOTHING) for name in comparison.names))
    if not len(scarce):
        table.add_row(str(Text("aucun", "none")))
    return table


def _times(asked: int, held: int) -> str:
    return number(asked / held, 2) if held else "∞"


def _binding(comparison: Comparison) -> Table:
    """For each rule that limits some plan: it limits this one, it does not, or it is not there."""
    limits, free = Text("limite", "limits"), Text("ne limite pas", "does not limit")
    table = _table(Text("Ce qui limite les plans", "What limits the plans"), Text("règle", "rule"), *comparison.names)
    known = [_named_rules(plan) if plan.reading is not None else set() for plan in comparison.plans]
    binding = comparison.binding
    # by label too: a rule of one id may say 40 % here and 52 % there
    for rule, rows in binding.groupby(["kind", "id", "label"], sort=False):
        cells = [
            str(limits if name in set(rows["plan"]) else free) if rule in rules else NOTHING
            for name, rules in zip(comparison.names, known, strict=True)
        ]
        kind, label = str(rule[0]), str(rule[2])
        table.add_row(Cell(f"{Text('enveloppe', 'envelope')} {label}" if kind == "fund" else label), *cells)
    if not len(binding):
        table.add_row(str(Text("rien", "nothing")))
    absent = Text("— : règle absente du scénario, ou aucun plan", "—: the scenario lacks the rule, or has no plan")
    table.caption = Cell(str(absent))
    return table


def _costs(comparison: Comparison, reasons: Reasons) -> Table:
    """What each rule costs each plan; what costs nothing anywhere is not shown."""
    title = Text("Ce que coûtent les règles", "What rules cost")
    table = _table(title, Text("règle", "rule"), *comparison.names)
    rows: dict[tuple[str, str], dict[str, Text]] = {}
    for name, each in reasons.items():
        for cost in each.ranked if isinstance(each, Costs) else ():
            rows.setdefault((cost.rule, cost.label), {})[name] = _cost(cost)
    nothing = Text("rien", "nothing")
    for (_, label), cells in rows.items():
        if set(cells.values()) != {nothing}:
            shown = [fill(str(cells[name]), 28) if name in cells else NOTHING for name in comparison.names]
            table.add_row(Cell(label), *shown)
    if not table.row_count:
        table.add_row(str(nothing))
    return table


def _inequality(comparison: Comparison) -> Table:
    """Gini and the euros of the worst and best served, between places; a row per figure and a column per plan."""
    title = Text("Inégalités, en euros par habitant (Gini : 0 égal, 1 tout à un seul)",
                 "Inequality, in euros per inhabitant (Gini: 0 equal, 1 all to one)")  # fmt: skip
    table = _table(title, "", *comparison.names)
    found = comparison.inequality
    for per, rows in found.groupby("per", sort=False):
        between = PLACES[str(per)]
        table.add_row(f"Gini, {between}", *(number(gini, 3) for gini in rows["gini"]))
        table.add_row(f"  {DIFFERENCE}", NOTHING, *(_signed(change, 3) for change in rows["change"].iloc[1:]))
        ends = Text("  du moins au mieux servi", "  from worst to best served")
        table.add_row(str(ends), *(f"{number(low, 2)} – {number(high, 2)}" for low, high in
                                   zip(rows["least"], rows["most"], strict=True)))  # fmt: skip
    return table


def _named_rules(plan: Plan) -> set[tuple[str, str, str]]:
    rules = [rule for rule in plan.scenario.constraints if rule.enabled]
    envelopes = {("fund", fund.id, fund.label or fund.id) for fund in plan.scenario.funds}
    return envelopes | {(rule.kind, rule.id, rule.label or rule.id) for rule in rules}


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(key): value for key, value in row.items()} for row in table.to_dict("records")]


__all__ = ["costs_of", "print_comparison", "signed_euros", "told", "write_comparison"]

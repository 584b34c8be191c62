"""Last year's plan as this year's decisions: what was granted becomes a `lock`, and the past is closed."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from allocator.formats.saving import given_columns
from allocator.formats.workbook import words
from allocator.formats.workbook.grid import Grid, Unreadable, grids
from allocator.formats.workbook.tables import below, header_row
from allocator.money import format_euros, parse_cents
from allocator.problems import Problem, ScenarioError, listed
from allocator.scenario import Scenario
from allocator.texts import Text

GRANTS_SHEET = Text("Subventions", "Grants")
GRANTS = {
    "demand": Text("Dossier", "Demand"),
    "fund": Text("Fonds", "Fund"),
    "year": Text("Année", "Year"),
    "cents": Text("Accordé", "Granted"),
}


def next_scenario(scenario: Scenario, grants: pd.DataFrame, year: int | None = None, plan: str = "") -> Scenario:
    """The scenario with a `lock` for every demand that was decided, and one for those that came too late.

    `grants`: demand, fund, year, cents, as in `Plan.grants`. Decided is a demand that received something in a year before
    `year`; without `year`, any that received something. It keeps its units, and may be paid in the years of its grants
    only; every other demand may be served from `year` on. A demand that a lock names already keeps that lock. Where another
    fund or year could take the place of one before `year`, floors keep what each has committed, to the cent. Horizon,
    envelopes and rules stay: what the past took from an envelope is still counted there. `ScenarioError` where `year` is
    outside the horizon.
    """
    if year is not None and year not in scenario.years:
        years = ", ".join(map(str, scenario.years))
        wrong = Text(f"année {year} hors de l'horizon", f"year {year} is outside the horizon")
        raise ScenarioError([Problem("--year", wrong, Text(f"Années : {years}.", f"Years: {years}."))])
    unknown = sorted(set(grants["demand"]) - set(scenario.demands["id"]))
    if unknown:
        wrong = Text(f"dossiers inconnus dans les subventions : {listed(unknown)}",
                     f"unknown demands among the grants: {listed(unknown)}")  # fmt: skip
        raise ScenarioError([Problem(str(GRANTS_SHEET), wrong)])
    past = grants if year is None else grants[grants["year"] < year]
    decided = grants[grants["demand"].isin(set(past["demand"]))]
    demands = scenario.demands[given_columns(scenario, "demands")].copy()
    rows = {str(name): row for row, name in enumerate(demands["id"])}
    asked, units = scenario.cents("asked"), scenario.decimals("units")
    first, last = (scenario.demands[name].to_numpy().copy() for name in ("first_year", "last_year"))
    missed: list[str] = []
    if year is not None:
        open_ = ~demands["id"].isin(set(decided["demand"])).to_numpy()
        missed = demands["id"][open_ & (last < year)].tolist()
        first[open_ & (last >= year)] = first[open_ & (last >= year)].clip(min=year)
    locked = {name for rule in scenario.constraints if rule.kind == "lock" for name in rule.on.demands or ()}
    payers = np.sum(
        [np.ones(len(rows)) if fund.on is None else fund.on.pick(scenario).demands for fund in scenario.funds], axis=0
    )
    rules: list[dict[str, Any]] = []
    if missed:
        late = Text(f"non retenus avant {year} : leur dernière année est passée",
                    f"not chosen before {year}: their last year is past")  # fmt: skip
        rules.append({"kind": "lock", "id": "decision-delai-passe", "on": {"demands": missed}, "decision": "refuse",
                      "comment": str(late), "source": plan})  # fmt: skip
    for name, mine in decided.groupby("demand", sort=True):
        row, cents = rows[str(name)], int(mine["cents"].sum())
        first[row], last[row] = int(mine["year"].min()), int(mine["year"].max())
        if year is not None and (payers[row] > 1 or last[row] > first[row]):
            rules += _committed(str(name), mine[mine["year"] < year], [y for y in scenario.years if y < year], plan)
        if name in locked:
            continue
        whole = cents * units[1] == int(asked[row]) * int(units[0][row])
        rules.append(
            {
                "kind": "lock",
                "id": f"decision-{name}",
                "on": {"demands": [str(name)]},
                "comment": _comment(mine, cents, plan),
                "source": plan,
                **({"decision": "fund"} if whole else {"decision": "units", "units": f"{cents}/{int(asked[row])}"}),
            }
        )
    demands["first_year"], demands["last_year"] = first, last
    name = f"{scenario.name}-{year if year is not None else str(Text('suite', 'next'))}"
    return scenario.with_(
        name=name, demands=demands, constraints=[*scenario.constraints, *_named_apart(rules, scenario)]
    )


def _committed(demand: str, past: pd.DataFrame, years: list[int], plan: str) -> list[dict[str, Any]]:
    """Rules that keep what each fund has committed to a demand in each past year, and no more in those years."""
    of: Any = past.itertuples()

    def said(what: str) -> str:
        return str(Text(f"Déjà engagé : {demand}, {what}", f"Committed already: {demand}, {what}"))

    kept = [
        {"kind": "floor", "id": f"engage-{demand}-{g.fund}-{g.year}", "label": said(f"{g.fund} {g.year}"), "source": plan,
         "on": {"demands": [demand], "funds": [g.fund], "years": [g.year]}, "amount": _euros(g.cents)} for g in of
    ]  # fmt: skip
    most = {"kind": "ceiling", "id": f"engage-{demand}", "label": said(", ".join(map(str, years))), "source": plan,
            "on": {"demands": [demand], "years": years}, "amount": _euros(past["cents"].sum())}  # fmt: skip
    return [*kept, most]


def _euros(cents: float) -> str:
    return f"{int(cents) // 100}.{int(cents) % 100:02d}"


def _comment(grants: pd.DataFrame, cents: int, plan: str) -> str:
    rows: Any = grants.itertuples()
    parts = [f"{g.fund} {g.year} {format_euros(int(g.cents))}" for g in rows]
    listed = ", ".join(parts[:6]) + (" …" if len(parts) > 6 else "")
    said = Text(f"accordé : {format_euros(cents, 'fr')} ({listed})", f"granted: {format_euros(cents, 'en')} ({listed})")
    return f"{plan} — {said}" if plan else str(said)


def _named_apart(rules: list[dict[str, Any]], scenario: Scenario) -> list[dict[str, Any]]:
    taken = {rule.id for rule in scenario.constraints}
    return [rule | {"id": _free(rule["id"], taken)} for rule in rules]


def _free(name: str, taken: set[str]) -> str:
    while name in taken:
        name += "+"
    return name


def read_grants(path: str | os.PathLike[str], shown: str | None = None) -> pd.DataFrame:
    """The grants on the sheet Subventions of a result workbook: demand, fund, year, cents. `ScenarioError` where wrong."""
    from allocator.formats.tables import read_bytes

    file = shown or os.fspath(path)
    data, problem = read_bytes(Path(path), file)
    if data is None:
        raise ScenarioError([problem] if problem else [])
    try:
        sheets = grids(data, file)
    except Unreadable as error:
        raise ScenarioError([error.args[0]]) from None
    grid = next((g for g in sheets if words.fold(g.name) in words.both(GRANTS_SHEET)), None)
    head = None if grid is None else header_row(grid, _grant_column)
    if grid is None or head is None:
        wrong = Text("ce classeur ne contient pas de plan : pas de feuille « Subventions »",
                     "this workbook holds no plan: no sheet “Grants”")  # fmt: skip
        remedy = Text("Donnez le plan.xlsx écrit par solve --out.", "Give the plan.xlsx written by solve --out.")
        raise ScenarioError([Problem("", wrong, remedy, file)])
    return _grants(grid, head, file)


def _grant_column(header: str) -> str | None:
    name = words.fold(words.parted(header)[0])
    return next((key for key, word in GRANTS.items() if name in (key, *words.both(word))), None)


def _grants(grid: Grid, head: int, file: str) -> pd.DataFrame:
    at: Mapping[str, int] = {key: c for c, cell in grid.filled(head) if (key := _grant_column(str(cell)))}
    problems, rows = [], []
    for key in (key for key in GRANTS if key not in at):
        missing = Text(f"colonne « {GRANTS[key].fr} » absente", f"column “{GRANTS[key].en}” is missing")
        problems.append(Problem(grid.place(head, 0), missing, None, file))
    for row in below(grid, head) if not problems else ():
        cells = {key: grid.rows[row][column] for key, column in at.items()}
        try:
            rows.append({"demand": str(cells["demand"]), "fund": str(cells["fund"]),
                         "year": int(str(cells["year"])), "cents": parse_cents(cells["cents"])})  # fmt: skip
        except ValueError:
            wrong = Text("dossier, fonds, année et montant sont attendus", "demand, fund, year and amount are expected")
            problems.append(Problem(grid.place(row, 0), wrong, None, file))
    if problems:
        raise ScenarioError(problems)
    return pd.DataFrame(rows, columns=list(GRANTS)).astype({"year": "int64", "cents": "int64"})

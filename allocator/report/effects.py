"""What a proposition of the note changes: its scenario solved with and without it, the difference laid out."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text as Rich

from allocator.data.catalogue import Proposition
from allocator.formats import load
from allocator.money import format_euros
from allocator.plan import Plan
from allocator.report.console import number
from allocator.scenario import Scenario
from allocator.solver import solve
from allocator.texts import Text

GAP = 1e-4  # of each plan: what is less is told as not measurable
DEAREST = 64  # times the amount asked, beyond which no threshold is looked for


@dataclass(frozen=True)
class Threshold:
    """Euros per unit of a measure from which fewer units are funded; None where even `tried` does not change them."""

    measure: str
    asked: float
    euros: float | None
    tried: float


@dataclass(frozen=True)
class Effect:
    """A proposition with and without; no plans where it has no budget effect."""

    proposition: Proposition
    kept: Plan | None = None
    without: Plan | None = None
    thresholds: tuple[Threshold, ...] = ()

    @property
    def points(self) -> tuple[float, float, float] | None:
        """Points gained with it: as found, at least and at most by the bounds of both plans."""
        if self.kept is None or self.without is None:
            return None
        ends = [plan.objective for plan in (self.kept, self.without)], [plan.bound for plan in (self.kept, self.without)]
        (a, b), (upper_a, upper_b) = ends
        if a is None or b is None or upper_a is None or upper_b is None:
            return None
        return a - b, a - upper_b, upper_a - b

    def changes(self) -> list[tuple[str, float, float, int]]:
        """(measure, units with, units without, cents with less cents without), the largest change first."""
        assert self.kept is not None and self.without is not None
        (units, cents), (units_without, cents_without) = (
            tuple(plan.units.groupby("measure")[column].sum().to_dict() for column in ("units", "cents"))
            for plan in (self.kept, self.without)
        )
        found = []
        for name in units:
            more = int(cents[name]) - int(cents_without[name])
            if more or abs(units[name] - units_without[name]) > 1e-9:
                found.append((str(name), float(units[name]), float(units_without[name]), more))
        return sorted(found, key=lambda change: -abs(change[3]))

    @property
    def moved(self) -> int:
        """Cents that change hands between demands."""
        assert self.kept is not None and self.without is not None
        both = self.kept.units.set_index("demand")["cents"].sub(self.without.units.set_index("demand")["cents"], fill_value=0)
        return int(max(both.clip(lower=0).sum(), (-both).clip(lower=0).sum()))

    @property
    def demands(self) -> int:
        """How many demands get another amount."""
        assert self.kept is not None and self.without is not None
        both = self.kept.units.set_index("demand")["cents"].sub(self.without.units.set_index("demand")["cents"], fill_value=0)
        return int((both != 0).sum())


@cache
def _scenario(name: str) -> Scenario:
    return load(name)


@cache
def _plan(name: str) -> Plan:
    return solve(_scenario(name), gap=GAP)


def effect(proposition: Proposition, *, thresholds: bool = False) -> Effect:
    """Solve the proposition's scenario with and without it; with `thresholds`, where its measures' decisions flip."""
    switch = proposition.switch
    if switch is None:
        return Effect(proposition)
    scenario = _scenario(switch.scenario)
    without = solve(switch.without(scenario), gap=GAP)
    flips = []
    if thresholds and any(one.absent for one in proposition.figures):
        flips = [_threshold(switch.scenario, measure) for measure in proposition.measures]
    return Effect(proposition, _plan(switch.scenario), without, tuple(flip for flip in flips if flip))


def _threshold(name: str, measure: str) -> Threshold | None:
    """By doubling what a unit asks for (and costs), then halving the interval, each step solved."""
    scenario = _scenario(name)
    mine = scenario.demands["measure"] == measure
    if not mine.any():
        return None
    asked = float(scenario.demands.loc[mine, "asked"].astype(float).mean())
    now = float(_plan(name).units.loc[_plan(name).units["measure"] == measure, "units"].sum())
    if not now:
        return None

    def fewer(factor: float) -> bool:
        table = scenario.demands.copy()
        for column in ("asked", "cost"):
            table[column] = table[column].astype(float)
            table.loc[mine, column] = (table.loc[mine, column] * factor).round(2)
        given = [c for c in scenario.demands.columns if c not in ("own",)]
        plan = solve(scenario.with_(demands=table[given]), gap=GAP, time_limit=60)
        units = plan.units.loc[plan.units["measure"] == measure, "units"].sum()
        return float(units) < now * (1 - 1e-6)

    high = 2.0
    while not fewer(high):
        high *= 2
        if high > DEAREST:
            return Threshold(measure, asked, None, asked * DEAREST)
    low = high / 2
    while high / low > 1.01:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if fewer(middle) else (middle, high)
    return Threshold(measure, asked, asked * high, asked * high)


def print_effects(effects: list[Effect], console: Console) -> None:
    """The table with and without, proposition by proposition."""
    table = Table(header_style="bold", show_lines=True, expand=True)
    for heading, ratio in (
        (Text("n°", "no."), 0),
        (Text("proposition, et ce qui la met en œuvre", "proposal, and what carries it out"), 4),
        (Text("avec elle plutôt que sans", "with it rather than without"), 5),
        (Text("là où la note ne donne pas de montant", "where the note gives no amount"), 4),
    ):
        table.add_column(str(heading), ratio=ratio or None, justify="left" if ratio else "right", overflow="fold")
    for one in effects:
        table.add_row(str(one.proposition.number), Rich(_head(one)), Rich(_difference(one)), Rich(_absent(one)))
    console.print(table)


def _head(one: Effect) -> str:
    entry = one.proposition
    if entry.switch is None:
        return f"{entry.label}\n{entry.becomes}"
    off = [*entry.switch.disable, *entry.switch.refuse, *entry.switch.change]
    return f"{entry.label}\n{entry.switch.scenario} ; {Text('sans', 'without')} : {', '.join(off)}"


def _difference(one: Effect) -> str:
    if one.kept is None or one.without is None:
        return "—"
    if one.without.reading is None:
        return str(Text(f"sans elle, aucun plan ({one.without.status})", f"without it, no plan ({one.without.status})"))
    points = one.points
    assert points is not None
    found, least, most = points
    if least <= 0 <= most:
        gained = Text("points : rien de mesurable", "points: nothing measurable")
    else:
        gained = Text(
            f"{number(found, 1)} points (entre {number(least, 1)} et {number(most, 1)})",
            f"{number(found, 1)} points (between {number(least, 1)} and {number(most, 1)})",
        )
    lines = [str(gained)]
    labels = {m.id: m.label for m in one.kept.scenario.measures}
    for measure, here, there, cents in one.changes()[:3]:
        sign = "+" if cents > 0 else ""
        lines.append(f"· {labels[measure]} : {_units(there)} → {_units(here)} ({sign}{format_euros(cents, compact=True)})")
    lines.append(
        str(
            Text(
                f"{one.demands} dossiers changent, {format_euros(one.moved, compact=True)} changent de main",
                f"{one.demands} demands change, {format_euros(one.moved, compact=True)} change hands",
            )
        )
    )
    return "\n".join(lines)


def _units(value: float) -> str:
    return number(value, 0 if value >= 1000 or value == int(value) else 2)


def _absent(one: Effect) -> str:
    absent = [str(f.what) + (f" ({f.used})" if f.used else "") for f in one.proposition.figures if f.absent]
    lines = [f"{Text('absent de la note', 'not in the note')} : {', '.join(absent)}"] if absent else []
    for flip in one.thresholds:
        asked = format_euros(round(flip.asked * 100), compact=True)
        if flip.euros is None:
            tried = format_euros(round(flip.tried * 100), compact=True)
            lines.append(
                str(
                    Text(
                        f"· {flip.measure} ({asked}) : rien ne change jusqu'à {tried} par unité",
                        f"· {flip.measure} ({asked}): nothing changes up to {tried} a unit",
                    )
                )
            )
        else:
            limit = format_euros(round(flip.euros * 100), compact=True)
            lines.append(
                str(
                    Text(
                        f"· {flip.measure} ({asked}) : moins d'unités à partir de {limit} par unité",
                        f"· {flip.measure} ({asked}): fewer units from {limit} a unit",
                    )
                )
            )
    return "\n".join(lines) or "—"


def as_dict(one: Effect) -> dict[str, Any]:
    """One effect for JSON."""
    entry = one.proposition
    found: dict[str, Any] = {"number": entry.number, "label": str(entry.label), "scenario": None}
    if one.kept is not None and one.without is not None:
        points = one.points
        found |= {
            "scenario": one.kept.scenario.name,
            "without": {"status": one.without.status, "objective": one.without.objective, "bound": one.without.bound},
            "with": {"status": one.kept.status, "objective": one.kept.objective, "bound": one.kept.bound},
            "points": None if points is None else dict(zip(("found", "least", "most"), points, strict=True)),
            "measures": [
                {"measure": m, "with": here, "without": there, "cents": cents} for m, here, there, cents in one.changes()
            ],
            "demands": one.demands,
            "moved_cents": one.moved,
            "thresholds": [vars(flip) for flip in one.thresholds],
        }
    return found

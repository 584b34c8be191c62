"""What a proposition of the note changes: its scenario solved with and without it, the difference laid out."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text as Rich

from allocator.data.catalogue import ABSENT, Proposition, Shown
from allocator.formats import load
from allocator.formats.saving import given_columns
from allocator.money import format_euros
from allocator.plan import Plan
from allocator.report.console import number
from allocator.scenario import Scenario
from allocator.selection import Selection
from allocator.solver import solve
from allocator.texts import Text, language

GAP = 1e-4  # of each plan: what is less is told as not measurable
ROUGH = 1e-3  # of the plans that a threshold compares: seldom a proof beyond what the relaxation gives
SECONDS = 60.0  # for each of them, which takes a few: no threshold hangs on the clock
PRECISION = 0.01  # of a threshold
DEARER = (1 + PRECISION, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0)  # times the amount asked, tried in turn
ENDS = 2  # places named that gain most, and that lose most

OnStep = Callable[[str], None]


@dataclass(frozen=True)
class Threshold:
    """Euros per unit of a measure at which the plan found funds fewer units, all of its demands dearer alike; None where
    no price tried does. `below`: the dearest price tried at which it funds as many, `PRECISION` less or what is asked today.
    `status` of the plan at the threshold: it may be infeasible, or none found in time.
    """

    measure: str
    asked: float
    below: float
    euros: float | None
    status: str = "optimal"


@dataclass(frozen=True)
class Effect:
    """A proposition with and without; no plans where it has no budget effect."""

    proposition: Proposition
    kept: Plan | None = None
    without: Plan | None = None
    thresholds: tuple[Threshold, ...] = ()

    def figures(self) -> list[tuple[Shown, float | None, float | None]]:
        """(figure, without, with) of what the proposition acts through."""
        assert self.proposition.switch is not None and self.kept is not None and self.without is not None
        kept, without = self.kept, self.without
        return [(shown, measured(without, shown), measured(kept, shown)) for shown in self.proposition.switch.shows]

    @property
    def points(self) -> tuple[float, float, float] | None:
        """Points gained with it: as found, at least and at most by the bounds of both plans."""
        if self.kept is None or self.without is None:
            return None
        ends = (
            [plan.objective for plan in (self.kept, self.without)],
            [plan.bound for plan in (self.kept, self.without)],
        )
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
        own = self.proposition.measures
        return sorted(found, key=lambda change: (change[0] not in own, -abs(change[3])))

    @cached_property
    def _by_demand(self) -> pd.Series:
        """Cents with less cents without, of the demands that get another amount."""
        assert self.kept is not None and self.without is not None
        ends = [plan.units.set_index("demand")["cents"] for plan in (self.kept, self.without)]
        both = ends[0].sub(ends[1], fill_value=0).astype("int64")
        return both[both != 0]

    @property
    def moved(self) -> int:
        """Cents that change hands between demands."""
        both = self._by_demand
        return int(max(both.clip(lower=0).sum(), (-both).clip(lower=0).sum()))

    @property
    def demands(self) -> int:
        """How many demands get another amount."""
        return len(self._by_demand)

    def places(self) -> list[tuple[str, int]]:
        """(name, cents with less cents without) of each region, or territory where all is in one region; most gained first."""
        assert self.kept is not None
        scenario = self.kept.scenario
        rows = scenario.demands.set_index("id")["territory"].loc[self._by_demand.index]
        where = scenario.territories.set_index("id").loc[rows.to_numpy()]
        asking = scenario.territories.set_index("id").loc[scenario.demands["territory"].unique()]
        column = "name" if asking["region"].nunique() == 1 else "region_name" if "region_name" in where else "region"
        sums = self._by_demand.groupby(where[column].to_numpy()).sum()
        return sorted(
            ((str(name), int(cents)) for name, cents in sums.items() if cents), key=lambda one: (-one[1], one[0])
        )


def measured(plan: Plan, shown: Shown) -> float | None:
    """A figure of a plan: euros, a share (None of nothing), or units. None without a plan."""
    reading = plan.reading
    if reading is None:
        return None
    space = reading.space
    inside = reading.covered(space.groups(Selection.model_validate(shown.on))[0])
    cents, demand = reading.cents[inside], reading.demand[inside]
    if shown.of is not None:
        whole = reading.euros(space.groups(Selection.model_validate(shown.of))[0])
        return float(cents.sum() / whole) if whole else None
    if shown.units is None:
        return float(cents.sum() / 100)
    units = cents / space.asked[demand]
    if shown.units != "units":
        units = units * plan.scenario.demands[shown.units].to_numpy(float)[demand]
    return float(units.sum())


@cache
def _scenario(name: str) -> Scenario:
    return load(name)


@cache
def _plan(name: str) -> Plan:
    return solve(_scenario(name), gap=GAP)


def effect(proposition: Proposition, *, thresholds: bool = False, on_step: OnStep = lambda step: None) -> Effect:
    """Solve the proposition's scenario with and without it; with `thresholds`, where its measures' decisions flip.
    `on_step` is told which measure's threshold is looked for."""
    switch = proposition.switch
    if switch is None:
        return Effect(proposition)
    scenario = _scenario(switch.scenario)
    without = solve(switch.without(scenario), gap=GAP)
    flips: list[Threshold | None] = []
    if thresholds and any(one.absent for one in proposition.figures):
        for measure in proposition.measures:
            on_step(measure)
            flips.append(_threshold(switch.scenario, measure))
    return Effect(proposition, _plan(switch.scenario), without, tuple(flip for flip in flips if flip))


def dearer(scenario: Scenario, measure: str, factor: float) -> Scenario:
    """Units of a measure that ask for and cost `factor` times as much, to the cent: what is asked rounded down and the
    cost up, so that no demand comes to ask for more of its cost than before."""
    table = scenario.demands[given_columns(scenario, "demands")].copy()
    mine = table["measure"] == measure
    for column, rounded in (("asked", np.floor), ("cost", np.ceil)):
        if column in table:
            euros = table[column].to_numpy(float)
            table[column] = np.where(mine, rounded((euros * factor * 100).round(4)) / 100, euros)
    return scenario.with_(demands=table)


@cache
def _threshold(name: str, measure: str) -> Threshold | None:
    """A little more than a unit asks for (and costs), then doubled, then halving the interval: both ends of the last
    one are plans solved. None where no unit is funded to begin with."""
    scenario = _scenario(name)
    if measure not in set(scenario.demands["measure"]):
        return None
    asked = float(scenario.demands.loc[scenario.demands["measure"] == measure, "asked"].astype(float).mean())

    def units(plan: Plan) -> float:
        return float(plan.units.loc[plan.units["measure"] == measure, "units"].sum())

    now = units(_plan(name))
    if not now:
        return None

    def fewer(factor: float) -> str | None:
        """The status of the plan at so many times what is asked, where it funds fewer units."""
        plan = solve(dearer(scenario, measure, factor), gap=ROUGH, time_limit=SECONDS)
        return plan.status if units(plan) < now * (1 - 1e-6) else None

    low, status = 1.0, None
    for high in DEARER:
        status = fewer(high)
        if status is not None:
            break
        low = high
    else:
        return Threshold(measure, asked, asked * low, None)
    while high / low > 1 + PRECISION:
        middle = (low * high) ** 0.5
        found = fewer(middle)
        if found is None:
            low = middle
        else:
            high, status = middle, found
    return Threshold(measure, asked, asked * low, asked * high, status)


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
    return f"{entry.label}\n{Text(f'{entry.switch.scenario} ; sans : ', f'{entry.switch.scenario}; without: ')}{', '.join(off)}"


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
    colon = Text("\u00a0: ", ": ")
    lines = [
        f"▸ {shown.what}{colon}{_figure(shown, there)} → {_figure(shown, here)}" for shown, there, here in one.figures()
    ]
    lines.append(str(gained))
    labels = {m.id: m.label for m in one.kept.scenario.measures}
    for measure, here, there, cents in one.changes()[:3]:
        lines.append(f"· {labels[measure]}{colon}{_units(there)} → {_units(here)} ({_signed(cents)})")
    moved = format_euros(one.moved, language(), compact=True)
    lines.append(
        str(
            Text(
                f"{one.demands} dossiers changent, {moved} changent de main",
                f"{one.demands} demands change, {moved} change hands",
            )
        )
    )
    places = one.places()
    ends = places if len(places) <= 2 * ENDS else [*places[:ENDS], *places[-ENDS:]]
    if ends:
        lines.append(", ".join(f"{name}\u00a0{_signed(cents)}" for name, cents in ends))
    return "\n".join(lines)


def _signed(cents: int) -> str:
    return f"{'+' if cents > 0 else ''}{format_euros(cents, language(), compact=True)}".replace("-", "−")


def _figure(shown: Shown, value: float | None) -> str:
    if value is None:
        return "—"
    if shown.of is not None:
        return f"{number(100 * value, 1)}\u00a0%"
    return _units(value) if shown.units is not None else format_euros(round(100 * value), compact=True)


def _units(value: float) -> str:
    return number(value, 0 if value >= 1000 or abs(value - round(value)) < 1e-6 else 2)


def _absent(one: Effect) -> str:
    absent = [str(f.what) + (f" ({f.used})" if f.used else "") for f in one.proposition.figures if f.absent]
    lines = [f"{ABSENT}{Text(chr(160) + ': ', ': ')}{', '.join(absent)}"] if absent else []
    return "\n".join([*lines, *(_flip(flip) for flip in one.thresholds)]) or "—"


def _flip(flip: Threshold) -> str:
    asked, below = _rounded(flip.asked), _rounded(flip.below)
    if flip.euros is None:
        said = Text(f"rien ne change jusqu'à {below} par unité", f"nothing changes up to {below} a unit")
    else:
        to = _rounded(flip.euros)
        what = {
            "infeasible": Text("plus aucun plan possible", "no plan is possible"),
            "no_plan": Text("plus aucun plan trouvé", "no plan is found"),
        }.get(flip.status, Text("moins d'unités", "fewer units"))
        said = Text(
            f"autant à {below} par unité, {what.fr} à {to}",
            f"as many at {below} a unit, {what.en} at {to}",
        )
    return f"· {flip.measure} ({asked}){Text(chr(160) + ': ', ': ')}{said}"


def _rounded(euros: float) -> str:
    """Three digits."""
    return format_euros(round(float(f"{euros:.3g}") * 100), compact=True)


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
            "figures": [
                {
                    "what": str(shown.what),
                    "unit": "share" if shown.of else shown.units or "euros",
                    "with": here,
                    "without": there,
                }
                for shown, there, here in one.figures()
            ],
            "points": None if points is None else dict(zip(("found", "least", "most"), points, strict=True)),
            "measures": [
                {"measure": m, "with": here, "without": there, "cents": cents}
                for m, here, there, cents in one.changes()
            ],
            "demands": one.demands,
            "moved_cents": one.moved,
            "places": [{"name": name, "cents": cents} for name, cents in one.places()],
            "thresholds": [vars(flip) for flip in one.thresholds],
        }
    return found

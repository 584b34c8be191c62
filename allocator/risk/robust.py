"""Plans that hold up: room for the largest overruns (Bertsimas and Sim), for bad cases (CVaR), and what that costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from allocator.constraints import KINDS
from allocator.engines.base import Stop
from allocator.objectives import Minimise
from allocator.plan import Plan
from allocator.problems import Problem, ScenarioError
from allocator.risk.assess import SAMPLES, assess, turns_of
from allocator.risk.draws import Turns
from allocator.risk.uncertainty import COST, Uncertain, Uncertainty
from allocator.scenario import Scenario
from allocator.texts import Text

Solve = Callable[[Scenario], Plan]
AT_ONCE = (0, 1, 2, 5, 10, 20, 50, 100)
CASES, TAIL = 100, Fraction(1, 20)
ALL_MONEY = "risk"  # id of the one rule, where euros are minimised


@dataclass(frozen=True)
class Point:
    """One plan of the curve. `rule`: "overrun" at `at_once`, or "cvar". `need`: the most euros it needs with so many
    overruns at once (or on average in the worst cases), beside what the plan of today's scenario (`unready`) needs then,
    in the funds concerned; `probability`: that some fund falls short."""

    rule: str
    at_once: int | None
    plan: Plan
    need: int | None
    unready: int
    granted: int | None
    p90: int | None
    probability: float | None
    error: float | None

    def as_dict(self) -> dict[str, Any]:
        euros = self.plan.objective is not None and minimises(self.plan.scenario)
        return {
            "rule": self.rule, "at_once": self.at_once, "status": self.plan.status,
            "objective": None if euros else self.plan.objective, "bound": None if euros else self.plan.bound,
            "gap": self.plan.gap, "granted": self.granted, "need": self.need, "unready": self.unready,
            "p90": self.p90, "probability": self.probability, "error": self.error, "seconds": round(self.plan.seconds.total, 3),
        }  # fmt: skip


@dataclass(frozen=True, eq=False)
class Price:
    """The price of robustness: `nominal`, the plan of the scenario as it is, and a certified plan for each rule."""

    nominal: Plan
    uncertainty: Uncertainty
    points: tuple[Point, ...]
    interrupted: bool = False  # other plans were to follow

    @property
    def table(self) -> pd.DataFrame:
        """One row a point; euros in cents."""
        return pd.DataFrame([point.as_dict() for point in self.points])

    def as_dict(self) -> dict[str, Any]:
        return {
            "nominal": self.nominal.objective,
            "interrupted": self.interrupted,
            "points": [point.as_dict() for point in self.points],
        }


def weighing(uncertainty: Uncertainty) -> list[Uncertain]:
    """The uncertain costs that funds bear."""
    return [item for item in uncertainty.uncertain if item.what == COST and item.borne_by == "funds"]


def refused(scenario: Scenario, uncertainty: Uncertainty) -> list[Problem]:
    """Uncertain costs that no rule can be made of, told before anything is solved."""
    found: list[Problem] = []
    for item in weighing(uncertainty):
        try:
            _planned(scenario, item)
        except ScenarioError as error:
            found += error.problems
    return found


def minimises(scenario: Scenario) -> bool:
    """Whether a plan's worth is the euros it needs: then the worst need is made as small as can be."""
    return any(rule.id == ALL_MONEY for rule in scenario.constraints) or isinstance(scenario.objective, Minimise)


def price(
    nominal: Plan,
    uncertainty: Uncertainty,
    solve: Solve,
    *,
    at_once: Sequence[int] | None = None,
    samples: int = SAMPLES,
    seed: int = 1,
    stop: Stop | None = None,
) -> Price:
    """The curve: for each number of overruns at once, the best plan whose funds then still suffice; and the one whose funds
    suffice on average in the worst twentieth of 100 drawn cases.

    Where the objective is the fewest euros, the plan that needs the fewest euros then. Once `stop()` is true, the plans
    found so far (`interrupted`).
    """
    turns = turns_of(nominal, uncertainty)
    dear = weighing(uncertainty)
    if not dear:
        nothing = Text("aucun coût incertain ne pèse sur les fonds", "no uncertain cost weighs on the funds")
        remedy = Text("borne_by: funds sur un coût", "borne_by: funds on a cost")
        raise ScenarioError([Problem("uncertain", nothing, remedy)])
    draws = sum(len(source.names) for source in turns.sources if source.item in dear)
    counts = at_once if at_once is not None else [*(n for n in AT_ONCE if n < draws), draws]
    found: list[Point] = []
    for rule, count in [("overrun", n) for n in counts] + [("cvar", None)]:
        robust = prepared(turns, dear, rule, count, seed)
        plan = solve(robust)
        if stop is not None and stop():
            return Price(nominal, uncertainty, tuple(found), True)
        need, unready = _need(plan, robust), _need(nominal, robust)
        assert unready is not None
        granted = None if plan.reading is None else int(plan.grants["cents"].sum())
        found.append(Point(rule, count, plan, need, unready, granted, *_risk(plan, uncertainty, samples, seed)))
    return Price(nominal, uncertainty, tuple(found))


def _risk(
    plan: Plan, uncertainty: Uncertainty, samples: int, seed: int
) -> tuple[int | None, float | None, float | None]:
    """Of the fund most likely to fall short (the largest of these): its need at P90, that probability, its error."""
    if plan.reading is None:
        return None, None, None
    funds = assess(plan, uncertainty, samples, seed).funds.to_dict("records")
    worst = max(funds, key=lambda row: (row["probability"], row["need_p90"]))
    chance = worst["probability"]
    return int(worst["need_p90"]), float(chance), float(max(worst["high"] - chance, chance - worst["low"]))


def prepared(turns: Turns, dear: Sequence[Uncertain], rule: str, at_once: int | None, seed: int) -> Scenario:
    """The scenario with a rule for each fund that what is uncertain falls on; one for all money under `minimise: euros`."""
    scenario, plan = turns.plan.scenario, turns.plan
    fields: dict[str, Any] = (
        {"overruns": list(overruns(turns, dear)), "at_once": at_once}
        if rule == "overrun"
        else {"draws": list(cases(turns, dear, seed)), "tail": TAIL}
    )
    if minimises(scenario):
        every = {"kind": rule, "id": ALL_MONEY, "amount": 0, "soft": 1, **fields}
        return scenario.with_(constraints=[*scenario.constraints, every], objective={"maximise": {}})
    mine = np.zeros(len(scenario.demands), bool)
    for item in dear:
        mine |= item.on.pick(scenario).demands
    held, added = plan.held_cents(), []
    for fund in scenario.funds:
        family = [f.id for f in scenario.funds if _inside(scenario, f.id, fund.id)]
        may = [f.on.pick(scenario).demands if f.on else np.ones_like(mine) for f in scenario.funds if f.id in family]
        if (np.any(may, axis=0) & mine).any():
            amount = f"{held[fund.id] // 100}.{held[fund.id] % 100:02d}"
            added.append(
                {"kind": rule, "id": f"{ALL_MONEY}-{fund.id}", "on": {"funds": family}, "amount": amount, **fields}
            )
    return scenario.with_(constraints=[*scenario.constraints, *added])


def _inside(scenario: Scenario, fund: str | None, around: str) -> bool:
    parents = {f.id: f.parent for f in scenario.funds}
    while fund is not None and fund != around:
        fund = parents[fund]
    return fund == around


def overruns(turns: Turns, dear: Sequence[Uncertain]) -> Iterator[dict[str, Any]]:
    """The lines of an `overrun`: how much dearer each thing is at worst."""
    for item in dear:
        rate = item.highest / _planned(turns.plan.scenario, item) - 1
        if rate > 0:
            yield {"on": item.on, "by": item.by, "rate": rate}


def cases(turns: Turns, dear: Sequence[Uncertain], seed: int) -> Iterator[dict[str, Any]]:
    """The lines of a `cvar`: factors to the hundredth, drawn with this seed; never below 1 where owners keep savings."""
    least = 1.0 if turns.uncertainty.savings == "kept" else 0.0
    for source, u in zip(turns.sources, next(turns.uniforms(CASES, seed)), strict=True):
        if source.item not in dear:
            continue
        factors = np.maximum(np.round(source.item.at(u) / float(_planned(turns.plan.scenario, source.item)), 2), least)
        table = {name: [f"{f:.2f}" for f in column] for name, column in zip(source.names, factors.T, strict=True)}
        yield {"on": source.item.on, "by": source.item.by, "factors": table}


def _planned(scenario: Scenario, item: Uncertain) -> Fraction:
    """What its values are measured by: 1 for a factor, else the planned cost of its demands."""
    if item.gives == "factor":
        return Fraction(1)
    planned = set(scenario.cents(COST)[item.on.pick(scenario).demands].tolist())
    if len(planned) > 1 or 0 in planned:
        several = Text(
            f"« {item.title} » donne une valeur à des dossiers de coûts différents",
            f"“{item.title}” gives one value to demands of different costs",
        )
        remedy = Text("gives: factor, ou un élément par coût", "gives: factor, or an item for each cost")
        raise ScenarioError([Problem("uncertain", several, remedy)])
    return Fraction(planned.pop(), 100)


def _need(plan: Plan, robust: Scenario) -> int | None:
    """Cents that a plan needs by the rules added, in the fund that is closest to its amount or furthest beyond."""
    if plan.reading is None:
        return None
    added = [rule for rule in robust.constraints if rule.kind in ("overrun", "cvar") and rule.id.startswith(ALL_MONEY)]
    assert all(type(rule) is KINDS[rule.kind] for rule in added)
    levels = [level for rule in added for level in rule.check(plan.reading)]
    nearest = max(levels, key=lambda level: Fraction(level.left - (level.upper or 0)) / level.scale)
    return round(Fraction(nearest.left) * 100 / nearest.scale)

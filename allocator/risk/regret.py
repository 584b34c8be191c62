"""The plan to regret least, whichever of the named futures comes: min over plans of max over futures of what it loses there."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from allocator.changes import changed
from allocator.objectives import Lexicographic, Maximin, Objective
from allocator.plan import Plan
from allocator.problems import Problem, ScenarioError
from allocator.risk.uncertainty import Future, Uncertainty
from allocator.scenario import Fund, Scenario
from allocator.scenario.entities import plain
from allocator.texts import Text

Solve = Callable[[Scenario], Plan]
RULE = "regret"


@dataclass(frozen=True, eq=False)
class Regrets:
    """`best`: the certified plan for each future alone; `plan`: the one whose largest regret is least.

    `regret` is that regret in points, and `bound` what no plan is below, both against what `best` reach: where such a plan is
    open by a gap, a future may hold up to that much more (`room`, the largest of these gaps).
    """

    futures: tuple[Future, ...]
    best: tuple[Plan, ...]
    plan: Plan

    @property
    def regret(self) -> float | None:
        return None if self.plan.objective is None else -self.plan.objective + 0.0

    @property
    def bound(self) -> float | None:
        return None if self.plan.bound is None else max(0.0, -self.plan.bound)

    @property
    def room(self) -> float | None:
        """None where a bound is missing."""
        open_by = [None if p.bound is None or p.objective is None else abs(p.bound - p.objective) for p in self.best]
        return None if None in open_by else max(room for room in open_by if room is not None)

    @property
    def table(self) -> pd.DataFrame:
        """One row a future: what its own best plan has there, what the plan to regret least has, and what each best plan
        would lose there."""
        rows = []
        for k, (future, best) in enumerate(zip(self.futures, self.best, strict=True)):
            row: dict[str, Any] = {
                "future": future.id,
                "label": future.title,
                "status": best.status,
                "best": best.objective,
            }
            for name, plan in [("plan", self.plan), *((f.id, p) for f, p in zip(self.futures, self.best, strict=True))]:
                row[f"regret_{name}"] = None if plan.reading is None else float(_lost(self.plan.scenario, k, plan))
            rows.append(row)
        return pd.DataFrame(rows)

    def as_dict(self) -> dict[str, Any]:
        return {
            "status": self.plan.status, "regret": self.regret, "bound": self.bound, "room": self.room,
            "futures": self.table.to_dict("records"),
        }  # fmt: skip


def least_regret(scenario: Scenario, uncertainty: Uncertainty, solve: Solve) -> Regrets:
    """The plan for now that loses least in the worst of the named futures, against the plan made for each of them alone.

    Futures may change the objective, indicators of demands, and amounts of funds: the plan keeps within the least of these.
    Raises `ScenarioError` for others, or where a future has no plan.
    """
    found = [(future, changed(scenario, future.changes)) for future in uncertainty.futures]
    problems = refused(scenario, uncertainty)
    if not found:
        missing = Text("aucun avenir n'est nommé", "no future is named")
        problems.append(Problem("futures", missing, Text("donner `futures`", "give `futures`")))
    if problems:
        raise ScenarioError(problems)
    best = [solve(other) for _, other in found]
    for k, plan in enumerate(best):
        if plan.reading is None:
            none = Text("cet avenir n'a pas de plan", "this future has no plan")
            remedy = Text("voir `allocator explain`", "see `allocator explain`")
            problems.append(Problem(f"futures[{k}]", none, remedy))
    if problems:
        raise ScenarioError(problems)
    return Regrets(uncertainty.futures, tuple(best), solve(_hedged(scenario, found, best)))


def refused(scenario: Scenario, uncertainty: Uncertainty) -> list[Problem]:
    """Futures that no plan made before them could live with, told before anything is solved."""
    return [
        Problem(f"futures[{k}].changes", *told)
        for k, future in enumerate(uncertainty.futures)
        for told in _unheard_of(scenario, changed(scenario, future.changes))
    ]


def _hedged(scenario: Scenario, found: Sequence[tuple[Future, Scenario]], best: Sequence[Plan]) -> Scenario:
    """The scenario whose only points are those regretted."""
    demands = scenario.demands[[c for c in scenario.demands.columns if c in scenario._tables.demand_columns]].copy()
    futures = []
    for (future, other), plan in zip(found, best, strict=True):
        assert plan.certificate.objective is not None
        names = {}
        for name in _moved(scenario, other):
            names[name] = f"{name} ({future.id})"
            demands[names[name]] = other.demands[name].to_numpy()
        shown = plan.certificate.objective * plan.certificate.sign
        futures.append(
            {"id": future.id, "label": future.title, "best": shown, "objective": _renamed(other.objective, names)}
        )
    rule = {"kind": "regret", "id": RULE, "amount": 0, "soft": 1, "futures": futures}
    funds = [_least([other.funds[k] for _, other in found]) for k in range(len(scenario.funds))]
    return scenario.with_(
        demands=demands, funds=funds, constraints=[*scenario.constraints, rule], objective={"maximise": {}}
    )


def _moved(scenario: Scenario, other: Scenario) -> list[str]:
    """Indicators whose values a future changes."""
    names = [name for name in scenario.indicators if name in other.indicators]
    return [name for name in names if not np.array_equal(_exact(scenario, name), _exact(other, name))]


def _exact(scenario: Scenario, name: str) -> np.ndarray:
    numerators, scale = scenario.decimals(name)
    return np.array([Fraction(int(v), scale) for v in numerators], object)


def _renamed(objective: Objective, names: dict[str, str]) -> dict[str, Any]:
    said = plain(objective)
    if "maximise" in said:
        return {"maximise": {names.get(name, name): weight for name, weight in said["maximise"].items()}}
    if "maximin" in said:
        return {"maximin": {**said["maximin"], "of": names.get(said["maximin"]["of"], said["maximin"]["of"])}}
    return dict(said)


def _least(same: Sequence[Fund]) -> Fund:
    """One fund as the poorest of the futures has it, in each year."""
    first = same[0]
    if first.amounts is None:
        return first.model_copy(update={"amount": min(fund.amount or 0 for fund in same)})
    years = {year for fund in same for year in fund.amounts or {}}
    return first.model_copy(
        update={"amounts": {y: min((f.amounts or {}).get(y, 0) for f in same) for y in sorted(years)}}
    )


def _unheard_of(scenario: Scenario, other: Scenario) -> Iterator[tuple[Text, Text]]:
    """What a future changes that a plan made before it could not live with."""
    remedy = Text("un avenir change l'objectif, un indicateur ou le montant d'un fonds",
                  "a future changes the objective, an indicator or a fund's amount")  # fmt: skip

    def without_amounts(fund: Fund) -> dict[str, Any]:
        said = plain(fund)
        return {**said, "amount": said.get("amount") is not None, "amounts": said.get("amounts") is not None}

    if [without_amounts(f) for f in scenario.funds] != [without_amounts(f) for f in other.funds]:
        yield (
            Text(
                "cet avenir change un fonds, et pas seulement son montant",
                "this future changes more of a fund than its amount",
            ),
            remedy,
        )
    if [plain(c) for c in scenario.constraints] != [plain(c) for c in other.constraints] or [
        plain(m) for m in scenario.measures
    ] != [plain(m) for m in other.measures]:
        yield Text("cet avenir change une règle ou une mesure", "this future changes a rule or a measure"), remedy
    fixed = [c for c in scenario.demands.columns if c not in scenario.indicators]
    if list(scenario.demands.columns) != list(other.demands.columns) or not scenario.demands[fixed].equals(
        other.demands[fixed]
    ):
        yield Text("cet avenir change des dossiers", "this future changes demands"), remedy
    several = isinstance(other.objective, Lexicographic)
    if several or (isinstance(other.objective, Maximin) and other.objective.maximin.depth > 1):
        yield (
            Text("l'objectif de cet avenir a plusieurs niveaux", "the objective of this future has several levels"),
            Text("en garder un", "keep one of them"),
        )


def _lost(hedged: Scenario, future: int, plan: Plan) -> Fraction:
    """Points that a plan lacks in one future."""
    rule = next(c for c in hedged.constraints if c.id == RULE)
    from allocator.space import Space

    reading = plan.reading
    assert reading is not None
    alone = rule.model_copy(update={"futures": (rule.futures[future],)})
    (level,) = alone.check(reading.at(Space.of(hedged)))
    return Fraction(level.left) / level.scale

"""What limits a plan and stands against a demand: read off the plan, with no solve. Not why it is refused: `funded` says that."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np

from allocator.plan import Plan
from allocator.selection import Selection
from allocator.space import Rule
from allocator.texts import Text


def limits_on(plan: Plan, demands: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each of these demands, the labels of the envelopes and rules that limit the plan (`Plan.binding`) and have less
    room, where the demand is, than what it asks for; a sentence where no fund may pay it."""
    scenario = plan.scenario
    rows = np.flatnonzero(scenario.demands["id"].isin(set(demands)).to_numpy())
    may = {
        f.id: np.ones(len(rows), bool) if f.on is None else f.on.pick(scenario).demands[rows] for f in scenario.funds
    }
    payers = np.array([may[f.id] for f in scenario.funds])  # (funds, rows)
    for _ in scenario.funds:
        for fund in scenario.funds:
            if fund.parent is not None:
                may[fund.parent] = may[fund.parent] | may[fund.id]
    alone = ~np.logical_or.reduce(payers, axis=0)
    found: list[list[str]] = [
        [str(Text("aucun fonds ne peut le payer", "no fund may pay it"))] if x else [] for x in alone
    ]
    for rule, levels in plan.certificate.levels:
        if rule.id in plan.binding:
            mine = may[rule.id] if rule.kind == "fund" else _against(plan, rule, levels, rows, payers)
            for at in np.flatnonzero(mine & ~alone):
                found[at].append(str(rule.label or rule.id))
    names = scenario.demands["id"].to_numpy()[rows]
    return {str(name): tuple(labels) for name, labels in zip(names, found, strict=True)}


def _against(plan: Plan, rule: Rule, levels: tuple[Any, ...], rows: np.ndarray, payers: np.ndarray) -> np.ndarray:
    """(rows,) whether a rule has no room for the demand: it is named and the rule has a most, or it is outside a share
    that has a least."""

    def named(field: str) -> np.ndarray:
        side = getattr(rule, field, None)
        if not isinstance(side, Selection):
            return np.zeros(len(rows), bool)
        pick = side.pick(plan.scenario)
        return pick.demands[rows] & payers[pick.funds].any(axis=0)

    if rule.only_asks_for_more:
        return np.zeros(len(rows), bool)
    inside, around = named("on"), named("of")
    return inside & _full(plan, rule, levels, rows, "upper") | around & ~inside & _full(
        plan, rule, levels, rows, "lower"
    )


def _full(
    plan: Plan, rule: Rule, levels: tuple[Any, ...], rows: np.ndarray, side: Literal["upper", "lower"]
) -> np.ndarray:
    """(rows,) whether the rule has, on this side and for the group of each demand, less room than the demand asks for."""
    room: dict[str, float] = {}
    for level in levels:
        bound = getattr(level, side)
        if bound is not None:
            room[level.group] = min(float(abs(bound - level.left)) / level.scale, room.get(level.group, np.inf))
    wanted = plan.asked_cents()[rows] / 100 if rule.counts_euros else np.ones(len(rows))
    demands, per = plan.scenario.demands.iloc[rows], getattr(rule, "per", None)
    if per is None or per in ("fund", "year"):
        return min(room.values(), default=np.inf) < wanted
    if per == "territory" or per in demands:
        groups = demands[per]
    else:
        groups = demands["territory"].map(plan.scenario.territories.set_index("id")[per])
    return groups.astype(str).map(room).fillna(np.inf).to_numpy(float) < wanted

"""What limits a plan and stands against a demand: read off the plan, with no solve. Not why it is refused: `funded` says that."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
import pandas as pd

from allocator.explain.explanation import number
from allocator.explain.variants import enclosed, quoted, within
from allocator.plan import Plan
from allocator.reading import Level
from allocator.selection import Selection
from allocator.space import Rule, Space
from allocator.texts import Text


@dataclass(frozen=True)
class Limit:
    """A rule or fund (`id`, `label`) with less room than a demand asks for. `taken`, `most`: of a rule that counts, how
    many there are and may be, in the demand's own group (""); None of any other."""

    id: str
    label: str
    fund: bool
    group: str = ""
    taken: Fraction | None = None
    most: Fraction | None = None

    @property
    def full(self) -> bool:
        """Whether it counts, and all its places are taken."""
        return self.most is not None and self.taken == self.most

    def text(self) -> Text:
        """ "« Dix Rebonds au plus » (10 sur 10)"."""
        if self.taken is None or self.most is None:
            return quoted([self.label])
        where = f"{self.group} : " if self.group else "", f"{self.group}: " if self.group else ""
        taken, most = number(float(self.taken)), number(float(self.most))
        return Text(
            f"« {self.label} » ({where[0]}{taken.fr} sur {most.fr})",
            f"“{self.label}” ({where[1]}{taken.en} of {most.en})",
        )


def limits_on(plan: Plan, demands: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """For each of these demands, the labels of the envelopes and rules that limit the plan (`Plan.binding`) and have less
    room, where the demand is, than what it asks for; a sentence where no fund may pay it."""
    scenario = plan.scenario
    rows = np.flatnonzero(scenario.demands["id"].isin(set(demands)).to_numpy())
    alone = ~np.logical_or.reduce(_payers(plan, rows), axis=0)
    found: list[list[str]] = [
        [str(Text("aucun fonds ne peut le payer", "no fund may pay it"))] if x else [] for x in alone
    ]
    for rule, _, against in _limits(plan, rows):
        for at in np.flatnonzero(against & ~alone):
            found[at].append(str(rule.label or rule.id))
    names = scenario.demands["id"].to_numpy()[rows]
    return {str(name): tuple(labels) for name, labels in zip(names, found, strict=True)}


def limits_of(plan: Plan, demand: str) -> tuple[Limit, ...]:
    """The same of one demand, with figures: rules that count and are full first, other rules, then funds; of a fund that
    has enough money left somewhere, nothing is said."""
    row = np.flatnonzero((plan.scenario.demands["id"] == demand).to_numpy())
    asked, found = int(plan.asked_cents()[row[0]]), []
    for rule, levels, against in _limits(plan, row):
        if not against[0]:
            continue
        label = str(rule.label or rule.id)
        if rule.kind == "fund":
            if left_in(plan, rule.id) < asked:
                found.append(Limit(rule.id, label, True))
            continue
        group, named = str(_groups(plan, rule, row)[0]), getattr(rule, "per", None) is not None
        level = next((each for each in levels if each.upper is not None and each.group in (group, "")), None)
        if rule.kind != "count" or level is None or level.upper is None:
            found.append(Limit(rule.id, label, False))
            continue
        taken, most = (Fraction(side) / level.scale for side in (level.left, level.upper))
        found.append(Limit(rule.id, label, False, rule.group_text(level.group) if named else "", taken, most))
    return tuple(sorted(found, key=lambda limit: (limit.fund, not limit.full)))


def unserved(plan: Plan, fund: str) -> np.ndarray:
    """(n,) bool: demands that a fund, or one inside it, may pay and that do not have all they ask for."""
    assert plan.reading is not None
    space, payers = plan.reading.space, _payers(plan, np.arange(plan.reading.space.n))
    family = np.array([f.id in within(plan.scenario, fund) for f in plan.scenario.funds])
    return payers[family].any(axis=0) & (plan.reading.granted < space.most * space.step)


def units_in_reach(plan: Plan, fund: str) -> list[int]:
    """What the next unit (or the least there may be of them) of each waiting demand costs, cheapest first, each once: of
    those that no rule stands against, so that money is all they lack."""
    assert plan.reading is not None
    space, reached = plan.reading.space, unserved(plan, fund)
    for rule, _, against in _limits(plan, np.arange(space.n)):
        if rule.kind != "fund":
            reached &= ~against
    first = np.where(plan.reading.granted > 0, 1, space.least) * space.step
    return sorted({int(cents) for cents in first[reached]})


def limits_beside(plan: Plan, fund: str) -> list[str]:
    """Labels of the rules and other funds that limit the plan and have no room for any of the demands that wait for this
    fund."""
    assert plan.reading is not None
    rows = np.flatnonzero(unserved(plan, fund))
    family = {*within(plan.scenario, fund), *(f.id for f in enclosed(plan.scenario, fund))}
    found = ((rule, against) for rule, _, against in _limits(plan, rows) if rule.id not in family)
    return [str(rule.label or rule.id) for rule, against in found if against.all()]


def left_in(plan: Plan, fund: str) -> int:
    """At most so many cents are left to commit in a fund and in each envelope around it: over the horizon where a fund
    keeps them, else in its best year."""
    funds, account = {f.id: f for f in plan.scenario.funds}, plan.account
    found: list[int] = []
    above: str | None = fund
    while above is not None:
        years = account[(account["fund"] == above) & (account["year"].isin(plan.scenario.years))]["left"]
        keeps = funds[above].amount is not None or funds[above].carry_over
        found.append(int(years.iloc[-1] if keeps else years.max()))
        above = funds[above].parent
    return min(found)


def _payers(plan: Plan, rows: np.ndarray) -> np.ndarray:
    """(funds, rows) whether a fund may pay a demand itself."""
    scenario = plan.scenario
    every = np.ones(len(rows), bool)
    return np.array([every if f.on is None else f.on.pick(scenario).demands[rows] for f in scenario.funds])


def _limits(plan: Plan, rows: np.ndarray) -> Iterator[tuple[Any, tuple[Level, ...], np.ndarray]]:
    """Each rule and envelope that limits the plan, its levels, and (rows,) whether it has no room for a demand."""
    scenario, payers = plan.scenario, _payers(plan, rows)
    may = {f.id: mine for f, mine in zip(scenario.funds, payers, strict=True)}
    for _ in scenario.funds:
        for fund in scenario.funds:
            if fund.parent is not None:
                may[fund.parent] = may[fund.parent] | may[fund.id]
    for rule, levels in plan.certificate.levels:
        if rule.id in plan.binding:
            yield rule, levels, may[rule.id] if rule.kind == "fund" else _against(plan, rule, levels, rows, payers)


def _against(plan: Plan, rule: Rule, levels: tuple[Level, ...], rows: np.ndarray, payers: np.ndarray) -> np.ndarray:
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
    plan: Plan, rule: Rule, levels: tuple[Level, ...], rows: np.ndarray, side: Literal["upper", "lower"]
) -> np.ndarray:
    """(rows,) whether the rule has, on this side and for the group of each demand, less room than the demand asks for."""
    room: dict[str, float] = {}
    for level in levels:
        bound = getattr(level, side)
        if bound is not None:
            room[level.group] = min(float(abs(bound - level.left)) / level.scale, room.get(level.group, np.inf))
    wanted = wanted_of(plan, rule, rows)
    if getattr(rule, "per", None) in (None, "fund", "year"):
        return min(room.values(), default=np.inf) < wanted
    return pd.Series(_groups(plan, rule, rows)).map(room).fillna(np.inf).to_numpy(float) < wanted


def wanted_of(plan: Plan, rule: Any, rows: np.ndarray) -> np.ndarray:
    """(rows,) how much each demand takes of what the rule counts, all it asks for granted: euros, one place, or its
    indicator; 0 where the rule names it and counts nothing of it."""
    if rule.counts_euros:
        return np.asarray(plan.asked_cents()[rows] / 100, float)
    if rule.kind != "indicator":
        return np.ones(len(rows))
    space = Space.of(plan.scenario)
    each = np.zeros(space.n)  # per unit, where and when that is most
    for statement in rule.rows(space):
        for term in statement.terms:
            np.maximum.at(each, term.demands, (term.weights * int(term.cells.max()) / statement.scale).astype(float))
    return np.asarray(each[rows] * plan.scenario.demands["units"].to_numpy(float)[rows], float)


def _groups(plan: Plan, rule: Any, rows: np.ndarray) -> np.ndarray:
    """(rows,) the value of the rule's `per` where each demand is, "" where that is no place of a demand."""
    demands, per = plan.scenario.demands.iloc[rows], getattr(rule, "per", None)
    if per in (None, "fund", "year"):
        return np.full(len(rows), "", object)
    if per == "territory" or per in demands:
        return demands[per].astype(str).to_numpy(object)
    return demands["territory"].map(plan.scenario.territories.set_index("id")[per]).astype(str).to_numpy(object)

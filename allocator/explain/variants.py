"""Variants of a plan's scenario, each solved once: what every reason is derived from.

Nothing here is read off a dual value: what a rule, a fund or a demand is worth is the difference between two certified
plans, with the room that their two bounds leave.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import pairwise
from typing import Any

from allocator.explain.explanation import number
from allocator.explain.points import Gain, weights
from allocator.plan import Plan
from allocator.scenario import Fund, Scenario
from allocator.solver import Session
from allocator.texts import Text

SECONDS = 20.0  # for one variant: its plan is certified all the same, its bound perhaps wider
TINY = Fraction(1, 10**12)  # of the points: nothing to speak of

OnStep = Callable[[Text, float], None]
"""Told what is being solved, and the seconds since the first question."""

Stop = Callable[[], bool]
"""Asked again and again; True ends the explanation, with `Stopped`."""


class Stopped(Exception):
    """Whoever asked wants no answer any more: what a solve cut short would say is no reason for anything."""


@dataclass(eq=False)
class Variants:
    """Scenarios near that of `plan`, each solved once, to `gap` or for `time_limit` seconds."""

    plan: Plan
    gap: float = 1e-4
    time_limit: float | None = SECONDS
    on_step: OnStep | None = None
    stop: Stop | None = None
    _solved: dict[str, Plan] = field(default_factory=dict, repr=False)
    _since: float = field(default_factory=time.monotonic, repr=False)

    def __post_init__(self) -> None:
        # Ctrl-C ends it all: a solve cut short would be told as a reason
        self._session = Session(gap=self.gap, time_limit=self.time_limit, interruptible=False)
        self._solved[self.scenario.input_hash] = self.plan

    @property
    def scenario(self) -> Scenario:
        return self.plan.scenario

    def solve(self, scenario: Scenario, what: Text) -> Plan:
        """The best plan of a variant; `what` is told to whoever waits. Raises `Stopped`."""
        key = scenario.input_hash
        if key not in self._solved:
            if self.on_step is not None:
                self.on_step(what, time.monotonic() - self._since)
            plan = self._session.solve(scenario, stop=self.stop)
            if self.stop is not None and self.stop():
                raise Stopped
            self._solved[key] = plan
        return self._solved[key]

    def at(self, gap: float, time_limit: float | None = None, plan: Plan | None = None) -> Variants:
        """The same questions to another gap, within another time (None: the same), of another plan."""
        return Variants(plan or self.plan, gap, time_limit or self.time_limit, self.on_step, self.stop)

    def without(self, *rules: str) -> Plan:
        """The best plan without the constraints of these ids."""
        kept = [c.model_copy(update={"enabled": False}) if c.id in rules else c for c in self.scenario.constraints]
        label = next(c.label for c in self.scenario.constraints if c.id in rules)
        what = Text(f"sans la règle « {label} »", f"without the rule “{label}”")
        if len(rules) > 1:
            what = Text(f"sans {len(rules)} règles", f"without {len(rules)} rules")
        return self.solve(self.scenario.with_(constraints=kept), what)

    def obeying(self, *rules: dict[str, Any], what: Text) -> Plan:
        """The best plan that keeps these constraints too."""
        return self.solve(self.scenario.with_(constraints=[*self.scenario.constraints, *rules]), what)

    def with_money(self, fund: str, cents: int, *rules: dict[str, Any]) -> Plan:
        """The best plan with `cents` more (or less) in a fund, and in those around it; see `raised`."""
        scenario = raised(self.scenario, fund, cents)
        if rules:
            scenario = scenario.with_(constraints=[*scenario.constraints, *rules])
        label = next(f.label for f in self.scenario.funds if f.id == fund)
        euros = number(cents / 100)
        sign = "+" if cents >= 0 else ""
        what = Text(f"{label} : {sign}{euros.fr} €", f"{label}: {sign}{euros.en} euros")
        return self.solve(scenario, what)

    def gain(self, other: Plan, over: Plan | None = None) -> Gain:
        """How much better `other` is than the plan explained, or than `over`; both must have a plan."""
        before, after = _values(over or self.plan), _values(other)
        tiny = TINY * max(abs(before[0]), abs(after[0]))

        def size(value: Fraction) -> float:
            return 0.0 if abs(value) <= tiny else float(value)

        least = -float("inf") if before[1] is None else size(after[0] - before[1])
        most = float("inf") if after[1] is None else size(after[1] - before[0])
        room = float("inf")
        if before[1] is not None and after[1] is not None:
            room = size(before[1] - before[0]) + size(after[1] - after[0])
        return Gain(size(after[0] - before[0]), least, most, room)


def _values(plan: Plan) -> tuple[Fraction, Fraction | None]:
    """The plan's points and what no plan exceeds; costs are counted below zero, so that more is better."""
    value = plan.certificate.objective
    if value is None:
        raise ValueError(f"no plan: {plan.status}")
    return value, plan.certificate.bound


def raised(scenario: Scenario, fund: str, cents: int, year: int | None = None) -> Scenario:
    """The scenario with `cents` more (or less) in a fund, as money that comes from outside: the envelopes around it
    change as much. Years share it as they share what the fund holds, unless it all comes in one `year`. No envelope goes
    below zero."""
    changed = {fund, *(f.id for f in enclosed(scenario, fund))}
    return scenario.with_(
        funds=[
            f if f.id not in changed
            else _holding(f, total(f) + cents, scenario) if year is None or f.amounts is None
            else f.model_copy(update={"amounts": {**f.amounts, year: max(f.amounts.get(year, 0) + cents, 0)}})
            for f in scenario.funds
        ]
    )  # fmt: skip


def enclosed(scenario: Scenario, fund: str) -> list[Fund]:
    """The envelopes around a fund, the nearest first."""
    funds = {f.id: f for f in scenario.funds}
    found, above = [], funds[fund].parent
    while above is not None:
        found.append(funds[above])
        above = funds[above].parent
    return found


def enclosing(labels: Iterable[str]) -> Text:
    """That the envelopes around a fund grow with it: " (« Fonds vert », qui le contient, grandit d'autant)"."""
    labels = list(labels)
    if not labels:
        return Text("", "")
    french, english = (sep.join(labels) for sep in (" » et « ", "” and “"))
    one = len(labels) == 1
    return Text(
        f" (« {french} », qui le contien{'t' if one else 'nent'}, compte{'' if one else 'nt'} ce même argent)",
        f" (“{english}”, which hold{'s' if one else ''} it, count{'s' if one else ''} this same money)",
    )


def total(fund: Fund) -> int:
    """Cents of a fund over all years, its reserve included."""
    return int(fund.amount if fund.amount is not None else sum((fund.amounts or {}).values()))


def _holding(fund: Fund, cents: int, scenario: Scenario) -> Fund:
    cents = max(cents, 0)
    if fund.amount is not None:
        return fund.model_copy(update={"amount": cents})
    held = fund.amounts or {}
    years = [year for year, amount in held.items() if amount] or list(scenario.years)
    shares = split(cents, [held.get(year, 0) or 1 for year in years])
    return fund.model_copy(update={"amounts": dict(zip(years, shares, strict=True))})


def split(cents: int, weights: list[int]) -> list[int]:
    """Whole cents in proportion to weights, the sum exact."""
    total, ends = sum(weights), []
    for k in range(len(weights) + 1):
        ends.append(cents * sum(weights[:k]) // total)
    return [b - a for a, b in pairwise(ends)]


def within(scenario: Scenario, fund: str) -> list[str]:
    """A fund and all funds inside it."""
    found = [fund]
    for name in found:
        found += [f.id for f in scenario.funds if f.parent == name]
    return found


def granted(plan: Plan) -> dict[str, int]:
    """Cents granted to each demand."""
    return dict(zip(plan.units["demand"], plan.units["cents"].astype(int), strict=True))


def changes(before: Plan, after: Plan) -> dict[str, float]:
    """What each indicator that the objective counts gains (every indicator, where it counts none), if anything."""
    wanted = weights(before.scenario) or before.scenario.indicators
    old, new = before.summary()["indicators"], after.summary()["indicators"]
    return {
        name: round(new[name] - old[name], 6) for name in old if name in wanted and abs(new[name] - old[name]) > 1e-6
    }


def called(scenario: Scenario, demand: str) -> str:
    """A demand as people call it: its measure, its territory, its id."""
    row = scenario.demands.set_index("id").loc[demand]
    measure = next(m.label for m in scenario.measures if m.id == row["measure"])
    place = scenario.territories.set_index("id").loc[row["territory"], "name"]
    return f"{measure}, {place} ({demand})"


def subject(name: str, demand: str) -> Text:
    """A demand named by `called`, as the subject of a sentence: verbs agree with "dossier", whatever its measure is."""
    label = name.removesuffix(f" ({demand})")
    return Text(f"Le dossier « {label} » ({demand})", f"Demand “{label}” ({demand})")


def quoted(labels: Iterable[str]) -> Text:
    """Labels, all of them."""
    labels = list(labels)
    return Text(" ; ".join(f"« {label} »" for label in labels), "; ".join(f"“{label}”" for label in labels))


def listing(names: Iterable[str], most: int = 5) -> Text:
    """Some names, and how many more there are: at least two, one would have been named."""
    names = list(names)
    most = most if len(names) > most + 1 else len(names)
    shown, rest = names[:most], len(names) - most
    french, english = " ; ".join(shown), "; ".join(shown)
    more = number(rest)
    return Text(f"{french} ; et {more.fr} autres", f"{english}; and {more.en} more") if rest else Text(french, english)

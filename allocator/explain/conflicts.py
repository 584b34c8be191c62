"""Requirements that cannot hold together: a smallest set of them, and the least changes after which they can."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import reduce
from math import ceil, floor, log10
from typing import Any

from allocator.certify import Certificate, certify
from allocator.explain.explanation import money
from allocator.explain.requirements import Dial, Kept, Money, Requirement, requirements
from allocator.explain.variants import Variants
from allocator.reading import Reading
from allocator.scenario import Scenario
from allocator.solver import find_conflict
from allocator.space import Space
from allocator.texts import Text

ANY_PLAN = 1e9  # the gap of a question whose answer is yes or no
NEAR = 1e-2  # the gap of a question about how far something must give way
DIGITS = 2  # of a least change, after its first one
PROBES = 16  # solves at most to bring a change to these digits
TOGETHER = 4  # changes at most that are proposed together
KEPT = 8  # plans kept at hand, that may answer the next question without a solve


@dataclass(frozen=True)
class Change:
    """One thing that gives way: to the value `to`, the nearest round one that works (`short`: the one before, which is
    proved not to), or altogether (`to` None)."""

    requirement: Requirement
    dial: Dial | None = None
    to: Fraction | None = None
    short: Fraction | None = None
    meaning: Text = Text("", "")  # what the money that is added is

    @property
    def size(self) -> float:
        """The part of its number that gives way; 1 and more where it is dropped, or doubled."""
        if self.dial is None or self.to is None:
            return 10.0
        return float(abs(self.to - self.dial.now) / max(abs(self.dial.now), self.dial.quantum))

    @property
    def all_of_it(self) -> bool:
        """Whether nothing is left of the requirement: the same as doing without it."""
        return self.dial is not None and self.to == self.dial.far and not (self.dial.up and self.dial.quantum == 1)

    def on(self, scenario: Scenario) -> Scenario:
        if self.dial is None or self.to is None:
            return self.requirement.lifted(scenario)
        return self.dial.at(scenario, self.to)

    def text(self) -> Text:
        name, dial, to = self.requirement.short, self.dial, self.to
        if dial is None or to is None:
            return Text(f"renoncer à {name.fr}", f"give up {name.en}")
        verb = Text("porter", "raise") if dial.up else Text("ramener", "lower")
        before, after = dial.shown(dial.now), dial.shown(to)
        said = Text(
            f"{verb.fr} {name.fr} de {before.fr} à {after.fr}", f"{verb.en} {name.en} from {before.en} to {after.en}"
        )
        if not dial.money:
            return said
        cents, sign = int(abs(to - dial.now)), "+" if dial.up else "−"
        by, of = money(cents), self.meaning
        return Text(f"{said.fr} ({sign}{by.fr}{of.fr})", f"{said.en} ({sign}{by.en}{of.en})")

    def as_dict(self) -> dict[str, Any]:
        def shown(value: Fraction | None) -> float | int | None:
            return None if value is None else int(value) if value.denominator == 1 else float(value)

        return {
            "of": list(self.requirement.key), "text": str(self.text()), "drop": self.to is None,
            "from": shown(self.dial.now if self.dial else None), "to": shown(self.to), "short": shown(self.short),
        }  # fmt: skip


@dataclass(frozen=True)
class Remedy:
    """Changes after which a plan exists: `certificate` is that of one, against the scenario so changed."""

    changes: tuple[Change, ...]
    certificate: Certificate

    @property
    def size(self) -> float:
        return sum(change.size for change in self.changes)

    def text(self) -> Text:
        parts = [change.text() for change in self.changes]
        return Text(" ; et ".join(p.fr for p in parts), "; and ".join(p.en for p in parts))

    def as_dict(self) -> dict[str, Any]:
        return {"changes": [change.as_dict() for change in self.changes], "text": str(self.text())}


@dataclass(eq=False)
class Conflicts:
    """Questions to variants that differ in what they do without; soft rules are left out, they forbid nothing."""

    variants: Variants

    def __post_init__(self) -> None:
        asked, of = self.variants.scenario, self.variants
        hard = [c if c.soft is None else c.model_copy(update={"enabled": False}) for c in asked.constraints]
        self.scenario = asked.with_(constraints=hard, objective={"minimise": "euros"})
        self.all = requirements(self.scenario)
        self.yes_or_no = of.at(ANY_PLAN)
        self.how_far = of.at(NEAR)
        self.readings: list[Reading] = []

    def witness(self, scenario: Scenario, of: Requirement) -> Certificate | None:
        """The certificate of a plan of this scenario: one at hand, or found by solving. None where none is found."""
        space = Space.of(scenario)
        for reading in reversed(self.readings[-KEPT:]):
            certificate = certify(reading.at(space), None)
            if certificate.ok:
                return certificate
        plan = self.yes_or_no.solve(scenario, of.name)
        if plan.reading is None:
            return None
        self.readings.append(plan.reading)
        return plan.certificate

    def possible(self, scenario: Scenario, of: Requirement) -> bool:
        return self.witness(scenario, of) is not None

    def impossible(self, scenario: Scenario) -> bool:
        """Whether it is proved that there is no plan."""
        return self.yes_or_no.solve(scenario, Text("ce qui se contredit", "what conflicts")).status == "infeasible"

    def only(self, kept: Iterable[Requirement], scenario: Scenario) -> Scenario:
        """Without every requirement but these."""
        keys = {r.key for r in kept}
        return _without([r for r in self.all if r.key not in keys], scenario)

    # A smallest conflict

    def smallest(self, scenario: Scenario) -> list[Requirement]:
        """Requirements that cannot hold together, in the scenario's order (Junker's QuickXplain, 2004)."""
        plan = self.variants.plan if scenario is self.scenario else self.yes_or_no.solve(scenario, Text("", ""))
        named = plan.conflict
        parties = [(p.rule.kind, p.rule.id, p.group) for p in named.parties] if named else []
        guess = [r for r in self.all if any(_same(r.key, party) for party in parties)]
        among = guess if guess and self.impossible(self.only(guess, scenario)) else self.all
        found = {r.key for r in self._explained([], False, among, scenario)}
        return [r for r in self.all if r.key in found]

    def _explained(
        self, kept: list[Requirement], grown: bool, among: Sequence[Requirement], scenario: Scenario
    ) -> list[Requirement]:
        if grown and self.impossible(self.only(kept, scenario)):
            return []
        if len(among) == 1:
            return list(among)
        one, two = among[: len(among) // 2], among[len(among) // 2 :]
        later = self._explained([*kept, *one], True, two, scenario)
        earlier = self._explained([*kept, *later], bool(later), one, scenario)
        return [*earlier, *later]

    def narrowed(self, requirement: Requirement, alone: Scenario) -> Requirement:
        """A rule with the values of its `per` that are enough for the conflict, where the solver's own names some."""
        named = self.variants.plan.conflict
        per = getattr(requirement.rule, "per", None) if isinstance(requirement, Kept) else None
        if not isinstance(requirement, Kept) or named is None or per is None:
            return requirement
        values = sorted({p.group for p in named.parties if p.rule.id == requirement.rule.id and p.group})
        parts = []
        for value in values:
            chosen = _selecting(requirement.rule.on, per, value)
            if chosen is None or requirement.rule.kind not in ("floor", "ceiling", "count", "indicator"):
                return requirement
            parts.append(
                requirement.rule.model_copy(update={"id": f"{requirement.rule.id}:{value}", "per": None, "on": chosen})
            )
        if not parts:
            return requirement
        rules = [c for c in alone.constraints if c.id != requirement.rule.id]
        if not self.impossible(alone.with_(constraints=[*rules, *parts])):
            return requirement
        return replace(requirement, groups=tuple(_called(alone, per, value) for value in values))

    def reason(self, requirement: Requirement, alone: Scenario) -> Text | None:
        """What a demand itself allows, where a decision runs against that: the solver's own words."""
        conflict = find_conflict(alone)
        found = [p.asks for p in conflict.parties if p.rule.id == requirement.key[1]] if conflict else []
        return found[0] if found else None

    # The least changes

    def nearest(self, requirement: Requirement, scenario: Scenario) -> Change | None:
        """The nearest value of one of its numbers that makes the scenario possible; None where none does."""
        found = (self._least(requirement, dial, scenario) for dial in requirement.dials(self.scenario))
        return next((change for change in found if change is not None), None)

    def _least(self, requirement: Requirement, dial: Dial, scenario: Scenario) -> Change | None:
        sign, most = (1, dial.far - dial.now) if dial.up else (-1, dial.now - dial.far)
        probes = 0

        def works(change: Fraction) -> bool:
            nonlocal probes
            probes += 1
            return self.possible(dial.at(scenario, dial.now + sign * change), requirement)

        good, bad = most, Fraction(0)
        guess = self._guess(requirement, scenario)
        if guess is not None and _round(guess, dial.quantum) < most:
            good, bad = self._around(_round(guess, dial.quantum), _step(guess, dial.quantum), most, works)
        if not good or (good == most and not works(most)):
            return None
        while guess is None and not bad and good / 8 >= dial.quantum:
            less = _round(good / 8, dial.quantum)
            if not works(less):
                bad = less
            else:
                good = less
        step = _step(good, dial.quantum)
        high, low = ceil(good / step), floor(bad / step)
        while high - low > 1 and probes < PROBES:
            middle = (high + low) // 2
            if works(middle * step):
                high = middle
            else:
                low = middle
        to, short = dial.now + sign * min(high * step, good), dial.now + sign * low * step
        proved = high - low == 1 and (not low or self.impossible(dial.at(scenario, short)))
        meaning = requirement.meaning(scenario, int(abs(to - dial.now))) if dial.money else Text("", "")
        return Change(requirement, dial, to, short if proved else None, meaning)

    def _around(
        self, near: Fraction, step: Fraction, most: Fraction, works: Callable[[Fraction], bool]
    ) -> tuple[Fraction, Fraction]:
        """From a guess, a change that works and a smaller one that does not, in strides that double."""
        if works(near):
            stride = step
            while near > stride and works(near - stride):
                near, stride = near - stride, 2 * stride
            return near, max(near - stride, Fraction(0))
        stride = step
        while near + stride < most and not works(near + stride):
            near, stride = near + stride, 2 * stride
        return min(near + stride, most), near

    def _guess(self, requirement: Requirement, scenario: Scenario) -> Fraction | None:
        """By how much the requirement is missed where the rest holds and little is missed: a first guess, no more."""
        priced = _priced(requirement, scenario)
        if priced is None:
            return None
        changed, name, numbers = priced
        plan = self.how_far.solve(changed, requirement.name)
        if plan.reading is None:
            return None
        self.readings.append(plan.reading)
        levels = next((levels for rule, levels in plan.certificate.levels if rule.id == name), ())
        return max((level.breach for level in levels), default=Fraction(0)) * numbers or None

    def changes(
        self, requirement: Requirement, nearest: Change | None, others: list[tuple[Requirement, ...]]
    ) -> Iterator[list[Change]]:
        """What to change so that a plan exists, this requirement first: as little as can be, and without it. Conflicts
        that stand beside the first one are added to `others`."""
        together = [requirement]
        changed = requirement.lifted(self.scenario)
        while not self.possible(changed, requirement):
            if len(together) == TOGETHER or not self.impossible(changed):
                return
            conflict = self.smallest(changed)
            if not any({r.key for r in conflict} == {r.key for r in other} for other in others):
                others.append(tuple(conflict))
            together.append(
                min(conflict, key=lambda r: (r.key[0] != requirement.key[0], type(r) is not type(requirement)))
            )
            changed = _without(together, self.scenario)
        for one in together[1:-1]:
            if self.possible(_without([r for r in together if r is not one], self.scenario), one):
                together.remove(one)
        changes = [Change(r) for r in together]
        for k, one in enumerate(together):
            rest = reduce(
                lambda s, change: change.on(s), (c for c in changes if c.requirement is not one), self.scenario
            )
            same = nearest is not None and not k and self.possible(nearest.on(rest), one)
            found = nearest if same else self.nearest(one, rest)
            if found is not None and not (one.droppable and found.all_of_it):
                changes[k] = found
        yield changes
        if changes[0].to is not None:
            yield [Change(requirement), *changes[1:]]

    def verified(self, changes: list[Change]) -> Remedy | None:
        """These changes with a plan that they make possible; None for one that nobody can decide, or that fails."""
        if any(change.to is None and not change.requirement.droppable for change in changes):
            return None
        changed = reduce(lambda s, change: change.on(s), changes, self.scenario)
        certificate = self.witness(changed, changes[0].requirement)
        return None if certificate is None else Remedy(tuple(changes), certificate)


def within(few: Sequence[Change], many: Sequence[Change]) -> bool:
    """Whether the one asks for nothing that the other does not: the same changes, or fewer."""
    return {(c.requirement.key, c.to) for c in few} <= {(c.requirement.key, c.to) for c in many}


def _round(change: Fraction, quantum: Fraction) -> Fraction:
    """Rounded up to a change of few digits."""
    step = _step(change, quantum)
    return ceil(change / step) * step


def _without(lifted: Iterable[Requirement], scenario: Scenario) -> Scenario:
    """Without these, however many."""
    rules = {r.rule.id for r in lifted if isinstance(r, Kept)}
    if rules:
        kept = [c.model_copy(update={"enabled": False}) if c.id in rules else c for c in scenario.constraints]
        scenario = scenario.with_(constraints=kept)
    return reduce(lambda s, r: r.lifted(s), (r for r in lifted if not isinstance(r, Kept)), scenario)


def _same(key: tuple[str, ...], party: tuple[str, str, str]) -> bool:
    kind, name, group = party
    if key[0] != "fund" or kind != "fund":
        return key == (kind, name)
    if key[1] != name:
        return False
    return (
        key[2] in ("", group)
        or key[2] == "rate"
        or (key[2] == "notified" and not group[-4:].isdigit())
        or (
            group[-4:].isdigit() and not group.startswith("CP") and key[2].isdigit()  # carried over: any earlier year
        )
    )


def _step(change: Fraction, quantum: Fraction) -> Fraction:
    """The round step of a change: a power of ten of quanta, so that few digits are left."""
    return quantum * 10 ** max(0, floor(log10(change / quantum)) - DIGITS) if change > quantum else quantum


def _priced(requirement: Requirement, scenario: Scenario) -> tuple[Scenario, str, int] | None:
    """The scenario where the requirement may be missed at a price, its id there, and how many of its numbers make one
    euro or unit of breach; None where breaches are not counted in them."""
    nothing: dict[str, Any] = {"maximise": {}}
    if isinstance(requirement, Kept):
        rule = requirement.rule
        if rule.kind in ("floor", "ceiling") and rule.amount is None:
            return None
        if rule.kind not in ("floor", "ceiling", "count", "indicator"):
            return None
        soft = [c.model_copy(update={"soft": Fraction(1)}) if c.id == rule.id else c for c in scenario.constraints]
        return (
            scenario.with_(constraints=soft, objective=nothing),
            rule.id,
            100 if rule.kind in ("floor", "ceiling") else 1,
        )
    if (
        isinstance(requirement, Money)
        and not requirement.fund.returns
        and (requirement.year is None or not requirement.fund.carry_over)
    ):
        fund, within = requirement.fund, [requirement.fund.id]
        for name in within:
            within += [f.id for f in scenario.funds if f.parent == name]
        on: dict[str, Any] = {"funds": within} | ({} if requirement.year is None else {"years": [requirement.year]})
        held = int(requirement._held * (1 - fund.reserve))
        rule = {"kind": "ceiling", "id": f"money of {fund.id}", "on": on, "amount": f"{held / 100:.2f}", "soft": 1}
        changed = requirement.lifted(scenario).with_(objective=nothing)
        return changed.with_(constraints=[*changed.constraints, rule]), rule["id"], 100
    return None


def _selecting(on: Any, per: str, value: str) -> Any:
    """The selection narrowed to one value of `per`."""
    field = {"measure": "measures", "territory": "territories", "fund": "funds", "year": "years"}.get(per)
    if field is not None:
        return on.model_copy(update={field: (int(value) if per == "year" else value,)})
    return on.model_copy(update={"where": {**(on.where or {}), per: (value,)}})


def _called(scenario: Scenario, per: str, value: str) -> str:
    """A value of `per` as people call it, where the scenario has a name for it."""
    items: Any = {"measure": scenario.measures, "fund": scenario.funds}.get(per)
    if items is not None:
        return next((i.label for i in items if i.id == value), value)
    table = scenario.territories
    column, names = ("id", "name") if per == "territory" else (per, f"{per}_name")
    if names not in table or column not in table:
        return value
    found = table.loc[table[column].astype(str) == value, names]
    return str(found.iloc[0]) if len(found) else value

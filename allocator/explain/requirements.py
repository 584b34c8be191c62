"""What a scenario requires, part by part: each rule, each year of a fund's money; how to do without it, and the number in
it that may give way.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np

from allocator.explain.explanation import money, number
from allocator.explain.nouns import agreeing
from allocator.explain.points import spoken
from allocator.explain.variants import called, listing
from allocator.scenario import Fund, Scenario
from allocator.texts import Text

CENTS = ("amount", "per_inhabitant", "max_gap")
PERCENT = ("max_rate", "max_public_rate", "max_change")
WHOLE = ("max_funds", "at_most")
YIELDING = {
    "ceiling": (("amount", 1), ("per_inhabitant", 1)),
    "floor": (("amount", -1), ("per_inhabitant", -1)),
    "share": (("min", -1), ("max", 1)),
    "count": (("min", -1), ("max", 1)),
    "indicator": (("min", -1), ("max", 1)),
    "fund_rate": (("max_rate", 1),),
    "cofunding": (("max_public_rate", 1),),
    "no_stacking": (("max_funds", 1),),
    "exclusive": (("at_most", 1),),
    "min_grant": (("amount", -1),),
    "equity": (("max_ratio", 1), ("max_gap", 1)),
    "de_minimis": (("amount", 1),),
    "continuity": (("max_change", 1),),
}
"""The numbers of each kind that may give way, and whether upwards (1) or downwards (−1)."""


@dataclass(frozen=True)
class Dial:
    """A number that may give way from `now` as far as `far`, in steps no smaller than `quantum`."""

    now: Fraction
    far: Fraction
    quantum: Fraction
    at: Callable[[Scenario, Fraction], Scenario]
    shown: Callable[[Fraction], Text]
    side: Text
    money: bool = False

    @property
    def up(self) -> bool:
        return self.far > self.now


class Requirement(ABC):
    """Something that a plan must keep to, under its own name, and that a variant can do without."""

    @property
    @abstractmethod
    def key(self) -> tuple[str, ...]:
        """What tells it apart, and what the core's own conflicts call it: its id, and the part of it."""

    @property
    @abstractmethod
    def name(self) -> Text:
        """As a list names it."""

    @property
    @abstractmethod
    def label(self) -> str:
        """The label of its rule or fund."""

    @property
    @abstractmethod
    def short(self) -> Text:
        """As a sentence names it."""

    @abstractmethod
    def asks(self, scenario: Scenario) -> Text:
        """What it asks for, or what there is."""

    @abstractmethod
    def lifted(self, scenario: Scenario) -> Scenario:
        """The scenario without it."""

    def dials(self, scenario: Scenario) -> Iterator[Dial]:
        """Its numbers that may give way."""
        return iter(())

    def meaning(self, scenario: Scenario, cents: int) -> Text:
        """What so many cents more of it are, in other money; "" where there is nothing to say."""
        return Text("", "")

    @property
    def droppable(self) -> bool:
        """Whether doing without it is a decision one can take: rules are; money does not grow without limit."""
        return True


@dataclass(frozen=True)
class Kept(Requirement):
    """A constraint; `groups`: the values of its `per` that matter, where that is known."""

    rule: Any
    groups: tuple[str, ...] = ()

    @property
    def key(self) -> tuple[str, ...]:
        return (self.rule.kind, self.rule.id)

    @property
    def name(self) -> Text:
        title, short = self.rule.title, self.short
        where = f" ({', '.join(self.groups)})" if self.groups else ""
        if self.label.lower().startswith((title.fr.lower(), title.en.lower())):
            return Text(short.fr + where, short.en + where)
        return Text(f"{title.fr} {short.fr}{where}", f"{title.en} {short.en}{where}")

    @property
    def short(self) -> Text:
        return Text(f"« {self.label} »", f"“{self.label}”")

    @property
    def label(self) -> str:
        return str(self.rule.label or self.rule.id)

    def asks(self, scenario: Scenario) -> Text:
        if self.rule.kind == "lock":
            return self._decided(scenario)
        sides = [
            Text(f"{d.side.fr} {d.shown(d.now).fr}", f"{d.side.en} {d.shown(d.now).en}") for d in self.dials(scenario)
        ]
        if not sides:
            return Text(*self.rule.says)
        return Text(" et ".join(s.fr for s in sides), " and ".join(s.en for s in sides))

    def _decided(self, scenario: Scenario) -> Text:
        ids = scenario.demands["id"][self.rule.on.pick(scenario).demands].tolist()
        if self.rule.decision == "units":
            units, unit = number(float(self.rule.units)), agreeing(float(self.rule.units), Text("unités", "units"))
            what = Text(f"accorder exactement {units.fr} {unit.fr}", f"grant exactly {units.en} {unit.en}")
        elif self.rule.decision == "fund":
            what = Text("financer en entier", "fund in full")
        else:
            what = Text("refuser", "refuse")
        names = listing((called(scenario, d) for d in ids), 3)
        return Text(f"{what.fr} {names.fr}", f"{what.en} {names.en}")

    def lifted(self, scenario: Scenario) -> Scenario:
        return self._with(scenario, {"enabled": False})

    def dials(self, scenario: Scenario) -> Iterator[Dial]:
        for field, direction in YIELDING.get(self.rule.kind, ()):
            now = getattr(self.rule, field)
            if isinstance(now, int | Fraction):
                yield self._dial(scenario, field, Fraction(now), direction)

    def _dial(self, scenario: Scenario, field: str, now: Fraction, direction: int) -> Dial:
        upwards, rule = direction > 0, self.rule
        percent = field in PERCENT or rule.kind == "share"
        whole = field in WHOLE or (rule.kind == "count" and now.denominator == 1)
        if field in CENTS:
            far, quantum = Fraction(asked(scenario)) if upwards else Fraction(0), Fraction(1)
        elif percent:
            far, quantum = Fraction(1 if upwards else 0), Fraction(1, 10000)
        elif whole:
            units = float(np.ceil(scenario.demands["units"].astype(float).to_numpy().sum()))
            far, quantum = Fraction(int(units) if upwards else 0), Fraction(1)
            if field == "max_funds":
                far = Fraction(len(scenario.funds))
        else:
            far, quantum = _reach(scenario, rule, upwards), Fraction(1, 10000)
        if (far > now) != upwards:
            far = now
        said = Text("au plus", "at most") if upwards else Text("au moins", "at least")

        def at(changed: Scenario, value: Fraction) -> Scenario:
            return self._with(changed, {field: int(value) if field in CENTS or field in WHOLE else value})

        def shown(value: Fraction) -> Text:
            if field in CENTS:
                each = Text(" par habitant", " per inhabitant") if field != "amount" else Text("", "")
                return Text(money(int(value)).fr + each.fr, money(int(value)).en + each.en)
            if percent:
                share = number(100 * float(value))
                return Text(f"{share.fr} %", f"{share.en}%")
            counted = number(float(value))
            if rule.kind != "indicator":
                return counted
            unit = agreeing(float(value), spoken(scenario, rule.indicator))
            return Text(f"{counted.fr} {unit.fr}", f"{counted.en} {unit.en}")

        return Dial(now, far, quantum, at, shown, said, field in CENTS and field == "amount")

    def _with(self, scenario: Scenario, changes: dict[str, Any]) -> Scenario:
        return scenario.with_(
            constraints=[c.model_copy(update=changes) if c.id == self.rule.id else c for c in scenario.constraints]
        )


@dataclass(frozen=True)
class Money(Requirement):
    """What a fund may commit: over the horizon (`year` None), or the amount of one year."""

    fund: Fund
    year: int | None

    @property
    def key(self) -> tuple[str, ...]:
        return ("fund", self.fund.id, "" if self.year is None else str(self.year))

    @property
    def label(self) -> str:
        return self.fund.label

    @property
    def name(self) -> Text:
        label = self.fund.label
        if self.year is not None:
            return Text(f"AE {self.year} de « {label} »", f"commitments of {self.year} of “{label}”")
        if label.lower().startswith(("fonds", "fund")):
            return Text(f"« {label} »", f"“{label}”")
        return Text(f"Fonds « {label} »", f"Fund “{label}”")

    @property
    def short(self) -> Text:
        label = self.fund.label
        if self.year is None:
            return Text(f"« {label} »", f"“{label}”")
        return Text(f"les {self.name.fr}", f"the {self.name.en}")

    def asks(self, scenario: Scenario) -> Text:
        held = money(int(self._held))
        verb = Text("contient", "holds") if self.year is None else Text("ouvrent", "open")
        if self.fund.reserve:
            part = number(100 * float(self.fund.reserve))
            return Text(
                f"{verb.fr} {held.fr}, dont {part.fr} % gelés", f"{verb.en} {held.en}, of which {part.en}% frozen"
            )
        return Text(f"{verb.fr} {held.fr}", f"{verb.en} {held.en}")

    @property
    def droppable(self) -> bool:
        return False

    @property
    def _held(self) -> int:
        return int(self.fund.amount or 0) if self.year is None else int((self.fund.amounts or {}).get(self.year, 0))

    def _plenty(self, scenario: Scenario) -> int:
        """More than all demands ask for, reserve or not."""
        return self._held + int(asked(scenario) / (1 - self.fund.reserve)) + 1

    def lifted(self, scenario: Scenario) -> Scenario:
        return self._holding(scenario, self._plenty(scenario))

    def dials(self, scenario: Scenario) -> Iterator[Dial]:
        yield Dial(
            Fraction(self._held), Fraction(self._plenty(scenario)), Fraction(1),
            lambda changed, value: self._holding(changed, int(value)), lambda value: money(int(value)),
            Text("au plus", "at most"), True,
        )  # fmt: skip

    def _holding(self, scenario: Scenario, cents: int) -> Scenario:
        def changed(fund: Fund) -> Fund:
            if self.year is None:
                return fund.model_copy(update={"amount": cents})
            return fund.model_copy(update={"amounts": {**(fund.amounts or {}), self.year: cents}})

        return scenario.with_(funds=[changed(f) if f.id == self.fund.id else f for f in scenario.funds])


@dataclass(frozen=True)
class Credits(Requirement):
    """What a fund may pay in a year (CP)."""

    fund: Fund
    year: int

    @property
    def key(self) -> tuple[str, ...]:
        return ("fund", self.fund.id, f"CP {self.year}")

    @property
    def label(self) -> str:
        return self.fund.label

    @property
    def name(self) -> Text:
        return Text(f"CP {self.year} de « {self.fund.label} »", f"payments of {self.year} of “{self.fund.label}”")

    @property
    def short(self) -> Text:
        return Text(f"les {self.name.fr}", f"the {self.name.en}")

    def asks(self, scenario: Scenario) -> Text:
        most, of = money(int((self.fund.payments or {})[self.year])), self._made_of(scenario)
        return Text(f"paient au plus {most.fr}{of.fr}", f"pay at most {most.en}{of.en}")

    def _made_of(self, scenario: Scenario) -> Text:
        """The commitments paid that year, where all that the fund may pay is paid alike, and when the rest of them is: ",
        qui servent à payer 50 % des AE 2027 (le reste : 50 % en 2028)"."""
        said = []
        for year, shares in self._paid(scenario):
            here = number(100 * float(shares[self.year]))
            rest = [(number(100 * float(part)), when) for when, part in shares.items() if when != self.year]
            fr, en = (", ".join(f"{n.fr} % en {y}" for n, y in rest), ", ".join(f"{n.en}% in {y}" for n, y in rest))
            later = Text(f" (le reste : {fr})", f" (the rest: {en})") if rest else Text("", "")
            said.append(Text(
                f"{here.fr} % des AE {year}{later.fr}", f"{here.en}% of the commitments of {year}{later.en}"
            ))  # fmt: skip
        french, english = " et ".join(s.fr for s in said), " and ".join(s.en for s in said)
        return Text(f", qui servent à payer {french}", f", which are to pay {english}") if said else Text("", "")

    def _paid(self, scenario: Scenario) -> list[tuple[int, dict[int, Fraction]]]:
        """Years whose commitments are paid in part in this one: the year, and what share of them is paid when. None where
        what the fund may pay is not all paid alike."""
        can = np.ones(len(scenario.demands), bool) if self.fund.on is None else self.fund.on.pick(scenario).demands
        paid = set(scenario.demands["measure"][can])
        profiles = {tuple(m.payment_profile) for m in scenario.measures if m.id in paid}
        if len(profiles) != 1:
            return []
        (profile,) = profiles
        held, more = self.fund.amounts, self.fund.income or self.fund.returns
        can_commit = [
            y for y in scenario.years
            if held is None or more or held.get(y)
            or (self.fund.carry_over and any(before < y and cents for before, cents in held.items()))
        ]  # fmt: skip
        dated = [(y, {y + k: Fraction(share) for k, share in enumerate(profile) if share}) for y in can_commit]
        return [(year, shares) for year, shares in dated if self.year in shares]

    def meaning(self, scenario: Scenario, cents: int) -> Text:
        found = self._paid(scenario)
        if len(found) != 1:
            return Text("", "")
        ((year, shares),) = found
        whole = round(cents / shares[self.year])
        said, rest = money(whole), [(money(round(whole * part)), y) for y, part in shares.items() if y != self.year]
        fr, en = (", ".join(f"{n.fr} en {y}" for n, y in rest), ", ".join(f"{n.en} in {y}" for n, y in rest))
        later = Text(f", dont le reste est payé ailleurs : {fr}", f", the rest of which is paid elsewhere: {en}")
        later = later if rest else Text("", "")
        return Text(
            f", soit {said.fr} d'AE {year}{later.fr}", f", that is {said.en} of commitments of {year}{later.en}"
        )

    @property
    def droppable(self) -> bool:
        return False

    def lifted(self, scenario: Scenario) -> Scenario:
        return self._paying(scenario, None)

    def dials(self, scenario: Scenario) -> Iterator[Dial]:
        now = Fraction(int((self.fund.payments or {})[self.year]))
        yield Dial(
            now, now + asked(scenario), Fraction(1), lambda changed, value: self._paying(changed, int(value)),
            lambda value: money(int(value)), Text("au plus", "at most"), True,
        )  # fmt: skip

    def _paying(self, scenario: Scenario, cents: int | None) -> Scenario:
        def changed(fund: Fund) -> Fund:
            payments = {**(fund.payments or {})}
            payments.pop(self.year, None)
            if cents is not None:
                payments[self.year] = cents
            return fund.model_copy(update={"payments": payments or None})

        return scenario.with_(funds=[changed(f) if f.id == self.fund.id else f for f in scenario.funds])


@dataclass(frozen=True)
class Terms(Requirement):
    """A condition of a fund beside its money: its rate, or what it announced to regions."""

    fund: Fund
    of: str  # "rate" or "notified"

    @property
    def key(self) -> tuple[str, ...]:
        return ("fund", self.fund.id, self.of)

    @property
    def label(self) -> str:
        return self.fund.label

    @property
    def name(self) -> Text:
        said = Text("taux d'aide", "rate of aid") if self.of == "rate" else Text("parts régionales", "regional parts")
        return Text(f"{said.fr} de « {self.fund.label} »", f"{said.en} of “{self.fund.label}”")

    @property
    def short(self) -> Text:
        article = "le" if self.of == "rate" else "les"
        return Text(f"{article} {self.name.fr}", f"the {self.name.en}")

    def asks(self, scenario: Scenario) -> Text:
        if self.of == "rate":
            most = number(100 * float(self.fund.max_rate))
            return Text(f"au plus {most.fr} % du coût d'un dossier", f"at most {most.en}% of the cost of a demand")
        return Text("annoncées d'avance", "announced in advance")

    def lifted(self, scenario: Scenario) -> Scenario:
        if self.of == "rate":
            return self._with(scenario, {"max_rate": Fraction(1)})
        return self._with(scenario, {"notified": None, "notified_until": None})

    def dials(self, scenario: Scenario) -> Iterator[Dial]:
        def shown(value: Fraction) -> Text:
            most = number(100 * float(value))
            return Text(f"{most.fr} %", f"{most.en}%")

        if self.of == "rate":
            yield Dial(
                Fraction(self.fund.max_rate), Fraction(1), Fraction(1, 10000),
                lambda changed, value: self._with(changed, {"max_rate": value}), shown, Text("au plus", "at most"),
            )  # fmt: skip

    def _with(self, scenario: Scenario, changes: dict[str, Any]) -> Scenario:
        return scenario.with_(
            funds=[f.model_copy(update=changes) if f.id == self.fund.id else f for f in scenario.funds]
        )


def requirements(scenario: Scenario) -> list[Requirement]:
    """Everything that a plan must keep to: hard rules, then funds. Without all of them, granting nothing is a plan."""
    found: list[Requirement] = [Kept(c) for c in scenario.constraints if c.enabled and c.soft is None]
    for fund in scenario.funds:
        found += [Money(fund, year) for year in ([None] if fund.amounts is None else scenario.years)]
        found += [Credits(fund, year) for year in sorted(fund.payments or {})]
        found += [Terms(fund, of) for of, there in (("rate", fund.max_rate < 1), ("notified", fund.notified)) if there]
    return found


def asked(scenario: Scenario) -> int:
    """At least the cents that all demands ask for together."""
    cents = scenario.cents("asked").astype(object)
    units = np.ceil(scenario.demands["units"].astype(float).to_numpy()).astype(np.int64)
    return int((cents * units.astype(object)).sum()) + 1


def _reach(scenario: Scenario, rule: Any, upwards: bool) -> Fraction:
    """Where a number forbids nothing any more: beyond all units of all demands together."""
    units = scenario.demands["units"].astype(float).to_numpy()
    if rule.kind == "equity":
        return Fraction(10**6)
    each = np.ones(len(units))
    if rule.kind == "indicator":
        weights = [1.0, *(float(w) for of in rule.weights.values() for w in of.values())]
        each = scenario.demands[rule.indicator].astype(float).to_numpy() * max(weights)
        if min(weights) < 0:
            each = np.concatenate([each, -each])
            units = np.concatenate([units, units])
    worth = units * each
    return Fraction(int(np.ceil(worth[worth > 0].sum())) if upwards else int(np.floor(worth[worth < 0].sum())))

"""What each rule costs: what the best plan without it would regain."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.explanation import Explanation, money, number
from allocator.explain.nouns import agreeing
from allocator.explain.points import Counted, Gain, counted, weights
from allocator.explain.variants import Variants, called, changes, granted, listing
from allocator.scenario import Scenario
from allocator.texts import Text


@dataclass(frozen=True)
class Cost(Explanation):
    """A rule, and what is regained without it. `indicators`: what the objective counts and the rest, by name; `newly`
    and `no_longer`: demands funded only without it, only with it, the largest first, as people call them, and their cents;
    `equals`: how many more there are of each, alike but for the place, and their cents: which of them, nothing here decides."""

    about: ClassVar[str] = "cost"
    rule: str
    label: str
    counted: Counted
    regained: Gain | None
    indicators: dict[str, float]
    newly: tuple[tuple[str, int], ...] = ()
    no_longer: tuple[tuple[str, int], ...] = ()
    equals: tuple[int, int] = (0, 0)

    @property
    def measurable(self) -> bool:
        return self.regained is not None and self.regained.least > 0

    @property
    def answer(self) -> Text:
        if self.regained is None:
            return Text(
                f"Coût de la règle « {self.label} » : aucun plan trouvé sans elle dans les limites données.",
                f"Cost of the rule “{self.label}”: no plan found without it within the limits given.",
            )
        if not self.measurable:
            if self.regained.nothing:
                return Text(f"Respecter « {self.label} » ne coûte rien.", f"Keeping “{self.label}” costs nothing.")
            most = self.counted.of(self.regained)
            return Text(
                f"Respecter « {self.label} » : coût non mesurable ; {most.fr}, peut-être rien.",
                f"Keeping “{self.label}”: cost not measurable; {most.en}, perhaps nothing.",
            )
        found, beside = self.counted.of(self.regained), self.counted.beside(self.regained)
        return Text(
            f"Respecter « {self.label} » coûte {found.fr}{beside.fr}.",
            f"Keeping “{self.label}” costs {found.en}{beside.en}.",
        )

    @property
    def details(self) -> list[Text]:
        if not self.measurable:
            return self.counted.notes(self.regained)
        lines = []
        if self.indicators:
            said = self.counted.changes(self.indicators)
            lines.append(Text(f"Sans elle : {said.fr}.", f"Without it: {said.en}."))
        for names, said in (
            (
                self.newly,
                Text("Dans le plan recalculé, seraient financés", "In the plan solved again, would be funded"),
            ),
            (self.no_longer, Text("Ne le seraient plus", "Would no longer be")),
        ):
            if names:
                shown = [(name, money(cents)) for name, cents in names]
                french, english = (
                    listing(f"{n}, {c.fr}" for n, c in shown).fr,
                    listing(f"{n}, {c.en}" for n, c in shown).en,
                )
                all_ = money(sum(cents for _, cents in names))
                whole = Text(f" ; en tout {all_.fr}", f"; in all {all_.en}") if len(names) > 1 else Text("", "")
                lines.append(Text(f"{said.fr} : {french}{whole.fr}.", f"{said.en}: {english}{whole.en}."))
        count, cents = number(self.equals[0]), money(self.equals[1])
        if self.equals[0]:
            demand = agreeing(self.equals[0], Text("dossiers", "demands"))
            lines.append(Text(
                f"S'y ajoutent des échanges entre égaux (même mesure, même montant, mêmes effets) : {count.fr} {demand.fr} ({cents.fr}) "
                f"contre autant d'autres ; qui entre et qui sort tient ici au hasard du calcul.",
                f"There are also exchanges between equals (same measure, amount and effects): {count.en} {demand.en} ({cents.en}) for as "
                f"many others; who comes in and who goes is an accident of the computation here.",
            ))  # fmt: skip
        return [*lines, *self.counted.notes(self.regained)]

    def facts(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "label": self.label,
            "regained": self.regained.as_dict() if self.regained else None,
            "measurable": self.measurable,
            "indicators": self.indicators,
            "newly_funded": [{"name": name, "cents": cents} for name, cents in self.newly],
            "no_longer_funded": [{"name": name, "cents": cents} for name, cents in self.no_longer],
            "equals": {"count": self.equals[0], "cents": self.equals[1]},
        }


def cost(variants: Variants, rule: str) -> Cost:
    """What keeping a constraint costs, by solving without it. 0 for one that is not enabled."""
    plan, scenario = variants.plan, variants.scenario
    other = variants.without(rule)
    label = next(c.label for c in scenario.constraints if c.id == rule)
    unit = counted(plan)
    if other.reading is None:
        return Cost(rule, label, unit, None, {})
    free = variants.gain(other)
    # the plan explained keeps one rule more: the best plan without that rule is at least as good
    regained = free.never_below_zero
    return Cost(rule, label, unit, regained, changes(plan, other), *_moved(scenario, granted(plan), granted(other)))


def _moved(
    scenario: Scenario, before: dict[str, int], after: dict[str, int]
) -> tuple[tuple[tuple[str, int], ...], tuple[tuple[str, int], ...], tuple[int, int]]:
    """Who is funded only after, only before, the largest first, with their cents; and how many more of both are equals."""
    counting = ["measure", "units", *(weights(scenario) or scenario.indicators)]
    rows = dict(zip(scenario.demands["id"], scenario.demands[counting].itertuples(index=False, name=None), strict=True))

    def only(one: dict[str, int], two: dict[str, int]) -> dict[str, tuple[Any, ...]]:
        names = sorted((d for d, cents in one.items() if cents and not two[d]), key=lambda d: (-one[d], d))
        return {d: (one[d], *rows[d]) for d in names}

    came, went = only(after, before), only(before, after)
    alike = Counter(came.values()) & Counter(went.values())

    def rest(some: dict[str, tuple[Any, ...]]) -> tuple[tuple[str, int], ...]:
        equals = alike.copy()
        equals.subtract(some.values())  # below zero: how many of a kind have no equal
        left = {kind: -count for kind, count in equals.items()}
        found = []
        for d, kind in some.items():
            if left[kind] > 0:
                left[kind] -= 1
                found.append((called(scenario, d), kind[0]))
        return tuple(found)

    return rest(came), rest(went), (alike.total(), sum(kind[0] * count for kind, count in alike.items()))


@dataclass(frozen=True)
class Costs(Explanation):
    """Every enabled rule, the dearest first."""

    about: ClassVar[str] = "costs"
    ranked: tuple[Cost, ...]

    @classmethod
    def of(cls, found: Iterable[Cost]) -> Costs:
        """In order; what cannot be measured comes last."""
        dearness = sorted(found, key=lambda c: (not c.measurable, -(c.regained.found if c.regained else 0.0)))
        return cls(tuple(dearness))

    @property
    def measured(self) -> list[Cost]:
        return [cost for cost in self.ranked if cost.measurable]

    @property
    def answer(self) -> Text:
        if not self.ranked:
            return Text("Aucune règle : rien à regagner.", "No rule: nothing to regain.")
        if not self.measured:
            return Text(
                "Aucune règle n'a de coût mesurable : sans l'une ou l'autre, le meilleur plan ne vaut guère plus.",
                "No rule has a measurable cost: without one or the other, the best plan is hardly better.",
            )
        first = self.measured[0]
        assert first.regained is not None
        found, beside = first.counted.of(first.regained), first.counted.beside(first.regained)
        return Text(
            f"La règle la plus chère est « {first.label} » : la respecter coûte {found.fr}{beside.fr}.",
            f"The dearest rule is “{first.label}”: keeping it costs {found.en}{beside.en}.",
        )

    @property
    def details(self) -> list[Text]:
        lines = []
        for each in self.measured:
            assert each.regained is not None
            found, said = each.counted.of(each.regained), each.counted.changes(each.indicators)
            lines.append(Text(
                f"{found.fr} : {each.label} (sans elle : {said.fr})",
                f"{found.en}: {each.label} (without it: {said.en})",
            ))  # fmt: skip
        return [*lines, *self.beside]

    @property
    def beside(self) -> list[Text]:
        """The details, for who shows what can be measured as a table."""
        lines = []
        free = [each.label for each in self.ranked if each.regained is not None and each.regained.nothing]
        if free:
            shown = listing(free, len(free))
            lines.append(Text(f"Ne coûte rien : {shown.fr}.", f"Costs nothing: {shown.en}."))
        dim = [c for c in self.ranked if c.regained is not None and not c.measurable and not c.regained.nothing]
        rest = [each.label for each in dim]
        if rest:
            shown = listing(rest, len(rest))
            tops = [each.regained for each in dim if each.regained is not None]
            most = dim[0].counted.of(max(tops, key=lambda gain: gain.most))
            lines.append(Text(
                f"Non mesurable (chacune {most.fr}, peut-être rien) : {shown.fr}.",
                f"Not measurable (each {most.en}, perhaps nothing): {shown.en}.",
            ))  # fmt: skip
        lost = [each.label for each in self.ranked if each.regained is None]
        if lost:
            shown = listing(lost, len(lost))
            lines.append(Text(f"Aucun plan trouvé sans : {shown.fr}.", f"No plan found without: {shown.en}."))
        return lines + (self.ranked[0].counted.notes(*(each.regained for each in self.ranked)) if self.ranked else [])

    def facts(self) -> dict[str, Any]:
        return {"costs": [each.facts() for each in self.ranked]}


def costs(variants: Variants) -> Costs:
    """The cost of every enabled constraint, one solve each. What two rules cost together is not the sum."""
    return Costs.of(cost(variants, c.id) for c in variants.scenario.constraints if c.enabled)

"""What each rule costs: what the best plan without it would regain."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from allocator.explain.explanation import Explanation
from allocator.explain.points import Counted, Gain, counted
from allocator.explain.variants import Variants, called, changes, granted, listing
from allocator.texts import Text


@dataclass(frozen=True)
class Cost(Explanation):
    """A rule, and what is regained without it. `indicators`: what the objective counts and the rest, by name; `newly`
    and `no_longer`: demands funded only without it, only with it, the largest first, as people call them."""

    about: ClassVar[str] = "cost"
    rule: str
    label: str
    counted: Counted
    regained: Gain | None
    indicators: dict[str, float]
    newly: tuple[str, ...]
    no_longer: tuple[str, ...]

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
                shown = listing(names)
                lines.append(Text(f"{said.fr} : {shown.fr}.", f"{said.en}: {shown.en}."))
        return [*lines, *self.counted.notes(self.regained)]

    def facts(self) -> dict[str, Any]:
        return {
            "rule": self.rule,
            "label": self.label,
            "regained": self.regained.as_dict() if self.regained else None,
            "measurable": self.measurable,
            "indicators": self.indicators,
            "newly_funded": list(self.newly),
            "no_longer_funded": list(self.no_longer),
        }


def cost(variants: Variants, rule: str) -> Cost:
    """What keeping a constraint costs, by solving without it. 0 for one that is not enabled."""
    plan, scenario = variants.plan, variants.scenario
    other = variants.without(rule)
    label = next(c.label for c in scenario.constraints if c.id == rule)
    unit = counted(plan)
    if other.reading is None:
        return Cost(rule, label, unit, None, {}, (), ())
    free = variants.gain(other)
    # the plan explained keeps one rule more: the best plan without that rule is at least as good
    regained = free.never_below_zero
    before, after = granted(plan), granted(other)

    def only(one: dict[str, int], two: dict[str, int]) -> tuple[str, ...]:
        names = [d for d, cents in one.items() if cents and not two[d]]
        names.sort(key=lambda d: (-one[d], d))
        return tuple(called(scenario, d) for d in names)

    return Cost(rule, label, unit, regained, changes(plan, other), only(after, before), only(before, after))


@dataclass(frozen=True)
class Costs(Explanation):
    """Every enabled rule, the dearest first."""

    about: ClassVar[str] = "costs"
    ranked: tuple[Cost, ...]

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
    found = [cost(variants, c.id) for c in variants.scenario.constraints if c.enabled]
    found.sort(key=lambda each: (not each.measurable, -(each.regained.found if each.regained else 0.0)))
    return Costs(tuple(found))

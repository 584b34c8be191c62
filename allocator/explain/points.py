"""What plans are compared by, in the scenario's words: points and what they are made of, or the one thing that counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import ceil, floor, isfinite, log10
from typing import Any

from allocator.explain.explanation import number, plainly, shown
from allocator.explain.nouns import agreeing
from allocator.plan import Plan
from allocator.scenario import Scenario
from allocator.texts import Text

SEEN = 0.005  # of a figure: room that is told


@dataclass(frozen=True)
class Gain:
    """How much better one plan is than another, in points of the first level of the objective: `found` between the two
    plans, and between the two best plans that could exist, as their bounds prove, at least `least` and at most `most`
    (±inf without a bound). `room`: by how much the two plans together may fall short of those best ones (inf without a
    bound); 0 where nobody says."""

    found: float
    least: float
    most: float
    room: float = 0.0

    @property
    def measurable(self) -> bool:
        """Whether the bounds leave no doubt about its sign."""
        return self.least > 0 or self.most < 0

    @property
    def nothing(self) -> bool:
        """Whether the bounds prove that there is no gain."""
        return self.most <= 0

    @property
    def sharp(self) -> bool:
        """Whether one figure says it all."""
        return max(self.found - self.least, self.most - self.found) <= SEEN * abs(self.found)

    @property
    def loss(self) -> Gain:
        """The same seen from the other plan."""
        return Gain(-self.found, -self.most, -self.least, self.room)

    @property
    def never_below_zero(self) -> Gain:
        """The same where what is compared leaves no less than there was to choose from."""
        return replace(self, least=max(self.least, 0.0))

    def over(self, size: float) -> Gain:
        """In units of `size` points."""
        return Gain(self.found / size, self.least / size, self.most / size, self.room / size)

    @property
    def told(self) -> tuple[float, float]:
        """Least and most, no nearer to each other than as `text` tells them."""
        if self.sharp:
            said = shown(self.found)
            return min(self.least, said), max(self.most, said)
        return _outwards(self.least, self.most)

    @property
    def last(self) -> float:
        """The figure that `text` ends with, which a noun agrees with."""
        if self.sharp:
            return self.found
        least, most = _outwards(self.least, self.most)
        return most if isfinite(most) else least

    def text(self, *, signed: bool = False) -> Text:
        """What is certain of it: one figure where the bounds leave no room to speak of, else both ends, rounded outwards;
        one end where the other says nothing (no bound, or, where a gain cannot be below zero, zero)."""
        if self.sharp:
            return _signed(self.found, signed)
        least, most = _outwards(self.least if signed or self.least > 0 else -float("inf"), self.most)
        low, high = _signed(least, signed), _signed(most, signed)
        if isfinite(least) and isfinite(most):
            return Text(f"entre {low.fr} et {high.fr}", f"between {low.en} and {high.en}")
        if isfinite(most):
            return Text(f"au plus {high.fr}", f"at most {high.en}")
        if isfinite(least):
            return Text(f"au moins {low.fr}", f"at least {low.en}")
        return Text("on ne sait combien de", "an unknown number of")

    def as_dict(self) -> dict[str, Any]:
        return {**plainly({"found": self.found, "least": self.least, "most": self.most}), "measurable": self.measurable}


def _signed(value: float, signed: bool) -> Text:
    said, sign = number(value), "+" if signed and value > 0 else ""
    return Text(sign + said.fr, sign + said.en)


def _outwards(least: float, most: float) -> tuple[float, float]:
    """Two ends in few digits, the room between them never less."""
    ends = [end for end in (least, most) if isfinite(end)]
    room = most - least if len(ends) == 2 else max((abs(end) for end in ends), default=0.0)
    largest = max((abs(end) for end in ends), default=0.0)
    if not room:
        return least, most
    finest = 1.0 if largest >= 1000 else 0.1 if largest >= 100 else 0.01 if largest >= 0.1 else 0.0
    step = max(10.0 ** (floor(log10(room)) - 1), finest)
    return (
        floor(least / step + 1e-9) * step if isfinite(least) else least,
        ceil(most / step - 1e-9) * step if isfinite(most) else most,
    )


@dataclass(frozen=True)
class Counted:
    """What the first level of the objective counts: its unit, of `size` points each, and how many the plan has.
    `recipe`: what points are made of ("" where the unit says it); `gap`: how far from the best the plan may be."""

    unit: Text
    total: float
    recipe: Text
    gap: float | None
    size: float = 1.0
    least: bool = False  # the fewer the better
    names: Mapping[str, Text] = field(default_factory=dict)  # what each indicator is called

    def of(self, gain: Gain, *, signed: bool = False) -> Text:
        """ "entre 2,4 et 9,2 points"."""
        told = gain.over(self.size)
        said, unit = told.text(signed=signed), agreeing(told.last, self.unit)
        return Text(f"{said.fr} {unit.fr}", f"{said.en} {unit.en}")

    def beside(self, gain: Gain) -> Text:
        """ " sur 218 670 (moins de 0,0043 %)"; nothing where the plan's total is no measure of it."""
        counts = gain.over(self.size)
        top = counts.found if counts.sharp else _outwards(counts.least, counts.most)[1]  # as it is told
        if not isfinite(top) or self.total <= 0 or top <= 0 or top > self.total:
            return Text("", "")
        share, total = 100 * top / self.total, number(self.total)
        step = 10.0 ** (floor(log10(share)) - 1)
        part = number((round(share / step) if counts.sharp else ceil(share / step - 1e-9)) * step)
        about = Text("environ", "about") if counts.sharp else Text("moins de", "less than")
        return Text(f" sur {total.fr} ({about.fr} {part.fr} %)", f" of {total.en} ({about.en} {part.en}%)")

    def lost(self, gain: Gain) -> Text:
        """What the plan as a whole loses: "ferait perdre à l'ensemble du plan entre 2,4 et 9,2 points sur 218 670 …"."""
        size, beside = self.of(gain), self.beside(gain)
        if self.least:
            return Text(
                f"coûterait à l'ensemble du plan {size.fr} de plus{beside.fr}",
                f"would cost the plan as a whole {size.en} more{beside.en}",
            )
        return Text(
            f"ferait perdre à l'ensemble du plan {size.fr}{beside.fr}",
            f"would make the plan as a whole lose {size.en}{beside.en}",
        )

    def between(self, gain: Gain) -> Text:
        """Of a difference of which only a most is certain, what it is between the two plans solved:
        " (0,02 point entre les deux plans calculés)"."""
        if gain.found <= 0 or gain.sharp:
            return Text("", "")
        size = self.of(Gain(gain.found, gain.found, gain.found))
        return Text(f" ({size.fr} entre les deux plans calculés)", f" ({size.en} between the two plans solved)")

    def notes(self, *gains: Gain | None) -> list[Text]:
        """What points are, and why an end or two are told instead of a figure, where these gains need it: nothing where there is none."""
        told = [gain for gain in gains if gain is not None and not gain.nothing]
        lines = []
        if told and self.recipe.fr:
            total = number(self.total)
            lines.append(
                Text(f"{self.recipe.fr} ; ce plan en a {total.fr}.", f"{self.recipe.en}; this plan has {total.en}.")
            )
        if any(not gain.sharp for gain in told):
            lines.append(self._room(max(gain.room for gain in told)))
        return lines

    def _room(self, room: float) -> Text:
        """Why ends are told instead of a figure, and how far apart they are for it."""
        said = Text("« Entre », « au plus » et « au moins » donnent des limites garanties",
                    "“Between”, “at most” and “at least” give guaranteed limits")  # fmt: skip
        if not isfinite(room) or not room:
            return Text(f"{said.fr}.", f"{said.en}.")
        _, most = _outwards(0.0, room / self.size)
        size = self.of(Gain(most * self.size, most * self.size, most * self.size))
        part = Text("", "")
        if self.total > 0:
            share = 100 * most / self.total
            step = 10.0 ** (floor(log10(share)) - 1)
            rounded = number(ceil(share / step - 1e-9) * step)
            part = Text(f", {rounded.fr} % de ce qu'a ce plan", f", {rounded.en}% of what this plan has")
        return Text(
            f"{said.fr} : deux plans comparés sont, à eux deux, à {size.fr} au plus des meilleurs possibles{part.fr}.",
            f"{said.en}: two plans compared are together within {size.en} of the best possible{part.en}.",
        )

    def changes(self, found: Mapping[str, float]) -> Text:
        """Changes of indicators, the signs kept: +12 emplois, −3 hectares."""
        said = [(number(abs(v)), "+" if v > 0 else "−", agreeing(v, self.names[name])) for name, v in found.items()]
        return Text(
            ", ".join(f"{sign}{value.fr} {name.fr}" for value, sign, name in said),
            ", ".join(f"{sign}{value.en} {name.en}" for value, sign, name in said),
        )


POINTS = Text("points", "points")


def counted(plan: Plan) -> Counted:
    """What the first level of the objective counts: where that is one indicator and nothing else, the indicator."""
    scenario, weighed = plan.scenario, weights(plan.scenario)
    total, gap = float(plan.objective or 0.0), plan.gap
    names = {name: spoken(scenario, name) for name in scenario.indicators}
    aim = plan.levels[0].aim if plan.levels else None
    soft = any(c.enabled and c.soft is not None for c in scenario.constraints)
    if not weighed:
        if aim is None:
            return Counted(POINTS, total, Text("", ""), gap, names=names)
        recipe = Text("", "") if aim.sign < 0 else Text(f"Objectif : {aim.title.fr}", f"Objective: {aim.title.en}")
        return Counted(aim.unit, total, recipe, gap, least=aim.sign < 0, names=names)
    stepped = any(measure.steps for measure in scenario.measures)
    ((name, weight), *others) = weighed.items()
    if not others and weight > 0 and not soft and not stepped:
        return Counted(spoken(scenario, name), total / weight, Text("", ""), gap, weight, names=names)
    parts = [(spoken(scenario, name), number(weight)) for name, weight in weighed.items()]
    more = Text("", "")
    if stepped:
        more = Text(f"{more.fr}, selon les paliers des mesures", f"{more.en}, by the steps of measures")
    if soft:
        more = Text(f"{more.fr}, moins ce que coûtent les règles souples", f"{more.en}, less what soft rules take")
    recipe = Text(
        "Les points de ce scénario : " + ", ".join(f"{n.fr} × {w.fr}" for n, w in parts) + more.fr,
        "The points of this scenario: " + ", ".join(f"{n.en} × {w.en}" for n, w in parts) + more.en,
    )
    return Counted(POINTS, total, recipe, gap, names=names)


def weights(scenario: Scenario) -> dict[str, float]:
    """Points per unit of each indicator, in the first level of the objective; none where it counts something else."""
    first = getattr(scenario.objective, "lexicographic", (scenario.objective,))[0]
    return {name: float(weight) for name, weight in (getattr(first, "maximise", None) or {}).items()}


def spoken(scenario: Scenario, name: str) -> Text:
    """What an indicator is called: its label, else the name of its column, as one reads it aloud."""
    said = scenario.labels.get(name) or name.replace("_", " ")
    return Text(said, said) if isinstance(said, str) else Text(said["fr"], said["en"])

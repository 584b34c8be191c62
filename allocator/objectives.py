"""What makes one plan better than another: every objective, one small class each.

An objective has one or more levels, each an `Aim`: points that a plan makes as many of as it can.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from functools import partial
from itertools import pairwise
from math import gcd, lcm
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Discriminator, Field, Tag

from allocator.money import Exact
from allocator.problems import Problem, did_you_mean
from allocator.reading import Level, Reading, weighted_units
from allocator.selection import Selection
from allocator.space import Aim, Auxiliary, Group, Row, Rule, Space, Statement, Term
from allocator.texts import Text

EUROS, PER_INHABITANT = "euros", "euros_per_inhabitant"


class Wanted(Rule):
    """The aim's own rows: they say what its auxiliaries are."""

    kind = "objective"
    id = "objective"
    soft = None
    title = Text("Objectif", "Objective")

    def __init__(self, aim: Aim) -> None:
        self.aim, self.label = aim, str(aim.title)


class Reached(Rule):
    """A level of the objective keeps the value that it has reached, but for a leeway, net of what soft rules take of the
    first. The program asks for half of the leeway back: whole cents need the other half."""

    kind = "level"
    soft = None
    title = Text("Niveau atteint", "Level reached")

    def __init__(self, aim: Aim, rank: int, value: Fraction, leeway: Fraction) -> None:
        self.aim, self.rank, self.value, self.leeway = aim, rank, value, leeway
        self.id, self.label = f"level-{rank + 1}", str(aim.title)

    def rows(self, space: Space) -> Iterator[Statement]:
        for row in self.aim.rows:
            yield replace(row, defines=True)
        counted = np.flatnonzero(np.array([bool(v) for v in self.aim.values], bool))
        weighed = [*self.aim.auxiliaries]
        if self.rank == 0:
            weighed += [(a, -price) for a, price in space.losses()]
        common = lcm(self.aim.scale, *(Fraction(w).denominator for _, w in weighed))
        values = self.aim.values[counted].astype(object) * (common // self.aim.scale)
        term = Term(counted, values, np.ones(space.shape, np.int64), "units")
        auxiliaries = tuple((a, int(w * common)) for a, w in weighed)
        half = self.leeway / 2
        yield Row((term,), (self.value - half) * common, None, common, "", auxiliaries, rounding=half * common)

    def check(self, reading: Reading) -> Iterator[Level]:
        points = self.aim.value(reading) - (reading.lost if self.rank == 0 else 0)
        yield Level("", points, self.value - self.leeway, None)


class Objective(BaseModel):
    """What is to be made as large, or as small, as can be."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    def problems(self, scenario: Any) -> Iterator[Problem]:
        return iter(())

    def aims(self, space: Space) -> tuple[Aim, ...]:
        """Its levels, the first one first."""
        raise NotImplementedError

    def wanted(self, aim: Aim) -> Rule:
        """The rule behind an aim's own rows."""
        return Wanted(aim)

    def kept(self, aim: Aim, rank: int, value: Fraction, leeway: Fraction) -> Rule:
        """The rule that a level (from 0) keeps the value that it has reached, but for a leeway."""
        return Reached(aim, rank, value, leeway)


def _unknown_indicator(scenario: Any, name: str, place: str, *more: str) -> Iterator[Problem]:
    if name not in scenario.indicators and name not in more:
        known = ", ".join([*more, *scenario.indicators]) or "—"
        yield Problem(
            place=place,
            message=Text(f"indicateur inconnu « {name} »", f"unknown indicator “{name}”"),
            remedy=Text(f"colonnes numériques des dossiers : {known}", f"numeric columns of demands: {known}"),
        )


class Maximise(Objective):
    """Σ weight × indicator × units, each part of a demand's units counted with the factor of its measure's `steps`."""

    maximise: dict[str, Exact]

    def problems(self, scenario: Any) -> Iterator[Problem]:
        found = [p for name in self.maximise for p in _unknown_indicator(scenario, name, f"maximise.{name}")]
        yield from found
        stepped = [m.id for m in scenario.measures if m.steps]
        if stepped and not found:
            values, _ = self._values(Space.of(scenario))
            bent = scenario.demands["measure"].isin(stepped).to_numpy() & np.array([v < 0 for v in values], bool)
            if bent.any():
                name = scenario.demands["id"].iat[int(np.flatnonzero(bent)[0])]
                yield Problem(
                    place="maximise",
                    message=Text(
                        f"le dossier « {name} » perd des points par unité, et sa mesure a des paliers (steps)",
                        f"demand “{name}” loses points with each unit, and its measure has steps",
                    ),
                    remedy=Text("retirer les paliers, ou changer les poids", "remove the steps, or change the weights"),
                )

    def _values(self, space: Space) -> tuple[np.ndarray, int]:
        """(n,) whole numbers of points per unit, and the scale they are divided by."""
        parts = [(weight, *space.units(name)) for name, weight in self.maximise.items()]
        scale = lcm(*(weight.denominator * size for weight, _, size in parts)) if parts else 1
        total = np.zeros(space.n, object)
        for weight, numerators, size in parts:
            total = total + numerators.astype(object) * int(weight * scale / size)
        return total, scale

    def aims(self, space: Space) -> tuple[Aim, ...]:
        full, scale = self._values(space)
        steps = {k: measure.steps for k, measure in enumerate(space.scenario.measures) if measure.steps}
        title = Text("points", "points")
        if not steps:
            step = partial(_step_of, space, full, scale)
            return (Aim(title, title, full, scale, lambda reading: _worth(reading, full, scale), step=step),)
        last = {k: of[-1].value for k, of in steps.items()}
        common = lcm(*(factor.denominator for factor in last.values()))
        factors = np.full(len(space.scenario.measures), common, object)
        for k, factor in last.items():
            factors[k] = int(factor * common)
        units, size = space.units("units")
        every = np.ones(space.shape, np.int64)
        auxiliaries, rows = [], []
        for k, of in steps.items():
            for i in np.flatnonzero(space.measure == k).tolist():
                cents = Fraction(int(units[i]) * int(space.asked[i]), size)
                for rank, (here, after) in enumerate(pairwise(of)):
                    part = space.auxiliary("step", i, rank, upper=here.up_to * cents)
                    weight = (here.value - after.value) * Fraction(int(full[i]), scale * int(space.asked[i]))
                    auxiliaries.append((part, weight))
                    granted = Term(np.array([i]), -1, every)
                    rows.append(Row((granted,), None, 0, 100, "", ((part, 1),), defines=True))

        def counted(reading: Reading) -> Fraction:
            total = Fraction(0)
            for i in np.flatnonzero(reading.served).tolist():
                each, had = Fraction(int(full[i]), scale), Fraction(int(reading.granted[i]), int(space.asked[i]))
                asked, before = Fraction(int(units[i]), size), Fraction(0)
                for step in steps.get(int(space.measure[i]), ()):
                    end = min(had, step.up_to * asked)
                    total += each * step.value * max(end - before, Fraction(0))
                    before = max(end, before)
                if int(space.measure[i]) not in steps:
                    total += each * had
            return total

        values = full * factors[space.measure]
        return (Aim(title, title, values, scale * common, counted, tuple(auxiliaries), tuple(rows)),)


class Minimise(Objective):
    """As few euros as the rules allow: targets are floors of other rules."""

    minimise: Literal["euros"]

    def aims(self, space: Space) -> tuple[Aim, ...]:
        values = -space.asked.astype(object)
        title, unit = Text("euros accordés", "euros granted"), Text("€", "€")

        def step() -> Fraction | None:
            """Whole cents, or whole units of them."""
            return Fraction(gcd(*(int(v) for v in space.step[space.boxes[1] > 0])), 100) or None

        def spent(reading: Reading) -> Fraction:
            return Fraction(-int(reading.cents.sum()), 100)

        return (Aim(title, unit, values, 100, spent, step=step, sign=-1),)


class _Worst(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str = PER_INHABITANT
    per: str = "region"
    depth: Annotated[int, Field(ge=1, le=50)] = 1


class Maximin(Objective):
    """The worst-off group as well off as can be; with `depth`, then the next (leximin to that depth).

    `of`: "euros", "euros_per_inhabitant" or an indicator (Σ indicator × units); groups of `per` that have a demand
    which some fund may pay, and people where it is per inhabitant. Level k is the sum of the k smallest: making these
    as large as can be in turn is leximin (Ogryczak and Śliwiński, 2006).
    """

    maximin: _Worst

    def problems(self, scenario: Any) -> Iterator[Problem]:
        yield from _unknown_indicator(scenario, self.maximin.of, "maximin.of", EUROS, PER_INHABITANT)
        per = self.maximin.per
        known = ["measure", "territory", *scenario.territories.columns[1:], *scenario.attributes]
        known = [name for name in known if name not in ("name", "population")]
        if per not in known:
            yield Problem(
                place="maximin.per",
                message=Text(f"attribut inconnu « {per} »", f"unknown attribute “{per}”"),
                remedy=did_you_mean(per, known),
            )

    def _groups(self, space: Space) -> list[tuple[Group, int, np.ndarray, int]]:
        """Each group with its divisor, and weights (n,) and scale of what it counts."""
        of, found = self.maximin.of, []
        if of in (EUROS, PER_INHABITANT):
            numerators, scale = np.ones(space.n, np.int64), 100
        else:
            numerators, scale = space.units(of)
        for group in space.groups(Selection(), self.maximin.per):
            people = group.population if of == PER_INHABITANT else 1
            if people and len(space.candidates(group)):
                found.append((group, people, numerators, scale))
        return found

    def aims(self, space: Space) -> tuple[Aim, ...]:
        groups = self._groups(space)
        depth = min(self.maximin.depth, max(len(groups), 1))
        return tuple(self._aim(space, groups, k + 1) for k in range(depth))

    def _aim(self, space: Space, groups: list[tuple[Group, int, np.ndarray, int]], k: int) -> Aim:
        """The sum of the k smallest: k · level − Σ what each group is short of that level."""
        money = self.maximin.of in (EUROS, PER_INHABITANT)
        ranges = []
        for group, people, numerators, scale in groups:
            worth = (space.most * space.step)[group.demands].astype(object) * numerators[group.demands]
            if not money:
                worth = np.array(
                    [Fraction(int(w), int(a)) for w, a in zip(worth, space.asked[group.demands], strict=True)]
                )
            size = people * scale
            ranges.append(
                (sum(v for v in worth if v < 0) / Fraction(size), sum(v for v in worth if v > 0) / Fraction(size))
            )
        lowest = min((low for low, _ in ranges), default=Fraction(0))
        highest = max((high for _, high in ranges), default=Fraction(0))
        key = (self.maximin.of, self.maximin.per, k)
        level = space.auxiliary("level", *key, upper=highest, lower=lowest)
        auxiliaries: list[tuple[Auxiliary, Fraction]] = [(level, Fraction(k))]
        rows = []
        for group, people, numerators, scale in groups:
            size = people * scale
            term = Term(
                group.demands, -numerators[group.demands], group.cells.astype(np.int64), "cents" if money else "units"
            )
            parts = [(level, size)]
            if k > 1:
                short = space.auxiliary("short", *key, group.value, upper=highest - lowest)
                auxiliaries.append((short, Fraction(-1)))
                parts.append((short, -size))
            rows.append(Row((term,), None, 0, size, group.value, tuple(parts), defines=True))

        def counted(reading: Reading) -> Fraction:
            each = []
            for group, people, numerators, scale in groups:
                had = reading.euros(group) if money else reading.units(group, numerators)
                each.append(Fraction(had) / (people * scale))
            return sum(sorted(each)[:k], Fraction(0))

        def step() -> Fraction | None:
            whole = all(space.lumpy[group.demands].all() for group, *_ in groups)
            if not (money or whole):
                return None
            return _common(
                Fraction(
                    gcd(*(int(numerators[i]) * int(space.step[i] if money else 1) for i in group.demands)),
                    people * scale,
                )
                for group, people, numerators, scale in groups
            )

        of, per = self.maximin.of, self.maximin.per
        title = Text(
            f"{of}, {per} : {'le plus bas' if k == 1 else f'somme des {k} plus bas'}",
            f"{of}, {per}: {'the lowest' if k == 1 else f'sum of the {k} lowest'}",
        )
        unit = Text(
            "€" if self.maximin.of == EUROS else "€/hab." if money else of,
            "€" if self.maximin.of == EUROS else "€ per inhabitant" if money else of,
        )
        return Aim(title, unit, np.zeros(space.n, object), 1, counted, tuple(auxiliaries), tuple(rows), step)


def _key(value: Any) -> str:
    """Which objective a plain form or a model is: the name of its own field."""
    fields = value.keys() if isinstance(value, Mapping) else type(value).model_fields
    return f"[{next((name for name in fields if name in _SINGLE), 'maximise')}]"  # brackets: no part of the path


_SINGLE = ("maximise", "minimise", "maximin")
Single = Annotated[
    Annotated[Maximise, Tag("[maximise]")]
    | Annotated[Minimise, Tag("[minimise]")]
    | Annotated[Maximin, Tag("[maximin]")],
    Discriminator(_key),
]


class Lexicographic(Objective):
    """Objectives in order: each as good as can be without giving up what the earlier ones reached."""

    lexicographic: Annotated[tuple[Single, ...], Field(min_length=1)]

    def problems(self, scenario: Any) -> Iterator[Problem]:
        for rank, one in enumerate(self.lexicographic):
            for problem in one.problems(scenario):
                yield replace(problem, place=f"lexicographic.{rank}.{problem.place}")

    def aims(self, space: Space) -> tuple[Aim, ...]:
        return tuple(aim for one in self.lexicographic for aim in one.aims(space))


def _step_of(space: Space, values: np.ndarray, scale: int) -> Fraction | None:
    """What divides Σ values · units / scale, where only whole units count."""
    counted = np.array([bool(v) for v in values], bool) & (space.boxes[1] > 0)
    return Fraction(gcd(*(int(v) for v in values[counted])), scale) or None if space.lumpy[counted].all() else None


def _common(steps: Iterable[Fraction]) -> Fraction | None:
    """The largest number that divides all of these."""
    kept = [step for step in steps if step]
    common = lcm(*(step.denominator for step in kept))
    return Fraction(gcd(*(int(step * common) for step in kept)), common) or None


def _worth(reading: Reading, values: np.ndarray, scale: int) -> Fraction:
    return Fraction(weighted_units(values[reading.demand], reading.cents, reading.space.asked[reading.demand])) / scale


OBJECTIVES: dict[str, type[Objective]] = {
    "maximise": Maximise,
    "minimise": Minimise,
    "maximin": Maximin,
    "lexicographic": Lexicographic,
}


def parse(value: Any) -> Objective:
    """An objective from its plain form, e.g. ``{"maximise": {"emplois": 1}}``; raises pydantic's ValidationError."""
    if isinstance(value, Objective):
        return value
    named = next((name for name in OBJECTIVES if isinstance(value, Mapping) and name in value), "maximise")
    return OBJECTIVES[named].model_validate(value)

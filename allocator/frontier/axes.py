"""The aims of a frontier: what each is called, the objective that makes it large, the rules that ask for so much of it.

Values are exact and counted so that more is better: euros spent are negative.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import cached_property
from math import ceil, floor, gcd, lcm
from typing import Any

import numpy as np

from allocator.money import euros
from allocator.objectives import Lexicographic, Maximin, Objective, parse
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.reading import Reading
from allocator.scenario import Scenario
from allocator.selection import Selection
from allocator.space import Aim, Group, Space
from allocator.texts import Text

POINTS = ("points", "objectif", "objective")
EUROS = "euros"
WORST, UNITS = "maximin:", "units:"
Rules = list[dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Axis:
    """One aim of a frontier, in a scenario whose objective is put in its place."""

    name: str
    title: Text
    unit: Text
    scenario: Scenario
    objective: Any  # one level

    @property
    def sign(self) -> int:
        """Of its values where they are shown."""
        return self._aim.sign

    @cached_property
    def _space(self) -> Space:
        return Space.of(self.scenario)

    @cached_property
    def _aim(self) -> Aim:
        return parse(self.objective).aims(self._space)[0]

    @cached_property
    def step(self) -> Fraction | None:
        """What divides the value of every plan, where whole units alone count."""
        return self._aim.step()

    @property
    def whole(self) -> bool:
        """Whether its values lie so far apart that all of them can be asked for one by one."""
        return self.step is not None

    def value(self, reading: Reading) -> Fraction:
        """What a finished plan has of it."""
        return self._aim.value(reading)

    def following(self, value: Fraction) -> Fraction:
        """The least value that a plan may have beyond this one; the value itself where none is known."""
        return value if self.step is None else (value // self.step + 1) * self.step

    def at_least(self, value: Fraction) -> Rules:
        """The rules that ask for this value: plans that keep them have it, and all that have it keep them."""
        raise NotImplementedError

    def _rule(self, kind: str, **fields: Any) -> dict[str, Any]:
        label = str(Text(f"Frontière : {self.title.fr}", f"Frontier: {self.title.en}"))
        return {"kind": kind, "id": f"frontier-{self.name}", "label": label, **fields}


class Points(Axis):
    """The first level of the scenario's own objective, which soft rules take from. Never asked for by a rule."""


class Total(Axis):
    """An indicator, over all demands."""

    def at_least(self, value: Fraction) -> Rules:
        return [self._rule("indicator", indicator=self.name, min=value)]


class Count(Axis):
    """Units of a measure, counted by a column of ones."""

    def at_least(self, value: Fraction) -> Rules:
        return [self._rule("count", on={"measures": [self.name.removeprefix(UNITS)]}, min=value)]


class Spent(Axis):
    """Euros granted, as few as can be."""

    @property
    def whole(self) -> bool:
        return self.step is not None and self.step > Fraction(1, 100)

    def at_least(self, value: Fraction) -> Rules:
        return [self._rule("ceiling", amount=euros(floor(-value * 100)))]


class Worst(Axis):
    """Euros per inhabitant of the worst-off group: a floor in whole cents for each group asks for exactly that."""

    @property
    def per(self) -> str:
        return self.name.removeprefix(WORST)

    @cached_property
    def _groups(self) -> list[tuple[Group, Fraction]]:
        """Each group that counts, and the step of its euros per inhabitant."""
        found = []
        for group in self._space.groups(Selection(), self.per):
            paid = self._space.candidates(group)
            if group.population and len(paid):
                step = gcd(*(int(s) for s in self._space.step[paid]))
                found.append((group, Fraction(step, 100 * group.population)))
        return found

    @cached_property
    def whole(self) -> bool:
        return all(self._space.lumpy[self._space.candidates(group)].all() for group, _ in self._groups)

    def following(self, value: Fraction) -> Fraction:
        return min((value // step + 1) * step for _, step in self._groups)

    def at_least(self, value: Fraction) -> Rules:
        return [
            self._rule("floor", on=self._only(group.value), amount=euros(ceil(value * 100 * group.population)))
            | {"id": f"frontier-{self.name}-{group.value}"}
            for group, _ in self._groups
        ]

    def _only(self, value: str) -> dict[str, Any]:
        if self.per in ("territory", "measure"):
            return {"territories" if self.per == "territory" else "measures": [value]}
        tables = (self.scenario.demands, self.scenario.territories)
        column = next(table[self.per] for table in tables if self.per in table)
        as_given = {str(one): one for one in column.dropna().unique().tolist()}
        return {"where": {self.per: as_given[value]}}


class Both(Objective):
    """One aim plus `price` times another: what the straight parts of a frontier are found with."""

    first: Any
    second: Any
    price: Fraction

    def aims(self, space: Space) -> tuple[Aim, ...]:
        (one, *_), (two, *_) = parse(self.first).aims(space), parse(self.second).aims(space)
        price = self.price
        scale = lcm(one.scale, two.scale * price.denominator)
        values = one.values.astype(object) * (scale // one.scale)
        values = values + two.values.astype(object) * int(price * scale / two.scale)
        return (
            Aim(
                Text("somme pondérée", "weighted sum"), Text("points", "points"), values, scale,
                lambda reading: one.value(reading) + price * two.value(reading),
                (*one.auxiliaries, *((a, price * w) for a, w in two.auxiliaries)), (*one.rows, *two.rows),
            ),
        )  # fmt: skip


def axes(
    scenario: Scenario, names: Mapping[str, str], wrong: Sequence[Problem] = ()
) -> tuple[Scenario, dict[str, Axis]]:
    """The scenario to be solved, and the aim behind each name (by its place: "x", "y" …). Raises `ScenarioError` with all
    that is wrong with them, beside what was `wrong` before."""
    problems = list(wrong)
    for place, name in names.items():
        problems += _problems(scenario, place, name)
    if len(problems) == len(wrong):
        problems += _at_odds(scenario, names)
    if problems:
        raise ScenarioError(problems)
    if not any(name in POINTS for name in names.values()) and any(m.steps for m in scenario.measures):
        scenario = scenario.with_(measures=[m.model_copy(update={"steps": None}) for m in scenario.measures])
    for name in names.values():
        if name.startswith(UNITS) and name not in scenario.demands:
            ones = (scenario.demands["measure"] == name.removeprefix(UNITS)).astype(np.int64)
            scenario = scenario.with_(demands=scenario.demands.assign(**{name: ones}))
    return scenario, {place: _axis(scenario, name) for place, name in names.items()}


def _axis(scenario: Scenario, name: str) -> Axis:
    if name in POINTS:
        points = Text("points", "points")
        return Points(
            "points", Text("points de l'objectif", "points of the objective"), points, scenario, _own(scenario)
        )
    if name == EUROS:
        return Spent(name, Text("euros accordés", "euros granted"), Text("€", "€"), scenario, {"minimise": "euros"})
    if name.startswith(WORST):
        per = name.removeprefix(WORST)
        title = Text(f"euros par habitant, au plus bas ({per})", f"euros per inhabitant, lowest ({per})")
        worst = {"maximin": {"of": "euros_per_inhabitant", "per": per}}
        return Worst(name, title, Text("€/hab.", "€ per inhabitant"), scenario, worst)
    if name.startswith(UNITS):
        measure = next(m for m in scenario.measures if m.id == name.removeprefix(UNITS))
        unit = Text(measure.unit or "unités", measure.unit or "units")
        return Count(name, Text(measure.label, measure.label), unit, scenario, {"maximise": {name: 1}})
    called = scenario.labels.get(name, name)
    title = Text(called, called) if isinstance(called, str) else Text(called.get("fr", name), called.get("en", name))
    return Total(name, title, Text("", ""), scenario, {"maximise": {name: 1}})


def _own(scenario: Scenario) -> Any:
    """The first level of the scenario's objective, to a depth of one."""
    own = scenario.objective
    first = own.lexicographic[0] if isinstance(own, Lexicographic) else own
    if isinstance(first, Maximin) and first.maximin.depth > 1:
        return Maximin(maximin=first.maximin.model_copy(update={"depth": 1}))
    return first


def _problems(scenario: Scenario, place: str, name: str) -> Iterator[Problem]:
    """What is wrong with one name."""
    if name in POINTS or name == EUROS or name in scenario.indicators:
        return
    if name.startswith(WORST):
        objective = parse({"maximin": {"per": name.removeprefix(WORST)}})
        found = list(objective.problems(scenario))
        yield from (replace(problem, place=place) for problem in found)
        if not found and not _axis(scenario, name)._groups:  # type: ignore[attr-defined]
            yield Problem(
                place,
                Text("aucun groupe n'a à la fois des habitants et un dossier finançable",
                     "no group has both inhabitants and a demand that may be paid"),
            )  # fmt: skip
        return
    measures = [m.id for m in scenario.measures]
    if name.startswith(UNITS):
        if name.removeprefix(UNITS) not in measures:
            yield Problem(
                place,
                Text(f"mesure inconnue dans « {name} »", f"unknown measure in “{name}”"),
                did_you_mean(name.removeprefix(UNITS), measures),
            )
        return
    known = [*scenario.indicators, POINTS[0], EUROS, f"{WORST}region", *(UNITS + m for m in measures)]
    yield Problem(place, Text(f"objectif inconnu « {name} »", f"unknown aim “{name}”"), did_you_mean(name, known))


def _at_odds(scenario: Scenario, names: Mapping[str, str]) -> Iterator[Problem]:
    """What is wrong with several together."""
    seen: set[str] = set()
    for place, name in names.items():
        own = POINTS[0] if name in POINTS else name
        if own in seen:
            yield Problem(
                place,
                Text(f"« {name} » est déjà un des objectifs", f"“{name}” is one of the aims already"),
                Text("nommer des objectifs différents", "name different aims"),
            )
        seen.add(own)
        if own != EUROS and not own.startswith(WORST) and own not in POINTS and POINTS[0] in [
            POINTS[0] if other in POINTS else other for other in names.values()
        ] and any(m.steps for m in scenario.measures):  # fmt: skip
            yield Problem(
                place,
                Text(f"des mesures ont des paliers (steps) : les points ne comptent pas « {name} » comme un total le compte",
                     f"some measures have steps: points do not count “{name}” as a total does"),
                Text("retirer les paliers, ou choisir un autre objectif que points", "remove the steps, or an aim other than points"),
            )  # fmt: skip

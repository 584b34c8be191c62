"""What is uncertain, as people write it beside a scenario: costs and benefits, how they may turn out, whose together."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError, model_validator

from allocator.changes import changed
from allocator.formats import yaml_text
from allocator.formats.tables import read_bytes
from allocator.kinds.risk import by_problems
from allocator.money import NumberError, fraction, parse_cents, written
from allocator.problems import Problem, ScenarioError, did_you_mean, findings, path_text
from allocator.scenario import Scenario
from allocator.selection import Selection
from allocator.texts import Text

COST = "cost"
FILE = "incertitudes.yaml"
RARE = 0.99  # the end of what has no end: the value that one draw in a hundred exceeds


def _quantity(value: object) -> Fraction:
    """A number (1.2, "20 %") or euros as people write them ("780 k€")."""
    try:
        return fraction(value)
    except NumberError:
        return Fraction(parse_cents(value), 100)


Quantity = Annotated[
    Fraction, PlainValidator(_quantity, json_schema_input_type=float | str), PlainSerializer(written, return_type=Any)
]
LAWS = ("range", "triangular", "lognormal", "discrete")


class _Said(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Lognormal(_Said):
    """Half of the draws are below `median`, nine in ten below `p90`."""

    median: Annotated[Quantity, Field(gt=0)]
    p90: Annotated[Quantity, Field(gt=0)]

    @model_validator(mode="after")
    def _in_order(self) -> Lognormal:
        if self.p90 <= self.median:
            raise ValueError(Text("p90 est au-dessus de median", "p90 is above median"))
        return self


class Outcome(_Said):
    """A value and how much it weighs among the others."""

    value: Quantity
    weight: Annotated[Quantity, Field(gt=0)]


class Uncertain(_Said):
    """One thing that may turn out otherwise for the demands of `on`: their `cost` per unit, or an indicator.

    `by`: what draws alike: each `demand` by itself, `all` as one, or those of one value of an attribute (region …).
    `gives`: a `factor` of the demand's own value, or the `value` per unit itself (euros for the cost).
    One of: `range` [low, high], drawn evenly; `triangular` [low, likeliest, high]; `lognormal` {median, p90};
    `discrete` [{value, weight}]. `borne_by`: who pays a cost above the planned one: the `funds` that pay the demand, each
    as much more as it pays (the owner his own part likewise), or the `owner` alone, all of it.
    """

    id: str
    label: str = ""
    on: Selection = Selection()
    what: str = COST
    by: str = "demand"
    gives: Literal["factor", "value"] = "factor"
    range: tuple[Quantity, Quantity] | None = None
    triangular: tuple[Quantity, Quantity, Quantity] | None = None
    lognormal: Lognormal | None = None
    discrete: Annotated[tuple[Outcome, ...], Field(min_length=1)] | None = None
    borne_by: Literal["funds", "owner"] = "funds"
    source: str = ""
    as_of: str = ""
    hypothesis: bool = False

    @model_validator(mode="after")
    def _one_law(self) -> Uncertain:
        given = [name for name in LAWS if getattr(self, name) is not None]
        if len(given) != 1:
            listed = ", ".join(LAWS)
            raise ValueError(
                Text(f"un de {listed} est attendu, et un seul", f"one of {listed} is expected, and only one")
            )
        ends = self.range or self.triangular or ()
        if list(ends) != sorted(ends):
            raise ValueError(
                Text("les bornes vont de la plus basse à la plus haute", "bounds go from lowest to highest")
            )
        if self.what == COST and self.lowest < 0:
            raise ValueError(Text("un coût n'est jamais négatif", "a cost is never negative"))
        return self

    @property
    def title(self) -> str:
        return self.label or self.id

    @property
    def lowest(self) -> Fraction:
        """The least that it may be."""
        ends = self.range or self.triangular
        if ends:
            return ends[0]
        return min((one.value for one in self.discrete or ()), default=Fraction(0))

    @property
    def highest(self) -> Fraction:
        """The most that it may be; of a lognormal, what one draw in a hundred exceeds, to the thousandth."""
        ends = self.range or self.triangular
        if ends:
            return ends[-1]
        if self.discrete:
            return max(one.value for one in self.discrete)
        return Fraction(round(float(self.at(np.array([RARE]))[0]) * 1000), 1000)

    def at(self, u: np.ndarray) -> np.ndarray:
        """Values at these probabilities (the inverse of the distribution function), of the same shape."""
        if self.range is not None:
            low, high = map(float, self.range)
            return low + u * (high - low)
        if self.triangular is not None:
            low, mode, high = map(float, self.triangular)
            if high == low:
                return np.full(u.shape, low)
            rising = low + np.sqrt(u * (high - low) * (mode - low))
            falling = high - np.sqrt((1 - u) * (high - low) * (high - mode))
            return np.where(u * (high - low) < mode - low, rising, falling)
        if self.lognormal is not None:
            from scipy.special import ndtri

            spread = np.log(float(self.lognormal.p90 / self.lognormal.median)) / ndtri(0.9)
            return np.asarray(float(self.lognormal.median) * np.exp(spread * ndtri(u)))
        assert self.discrete is not None
        weights = np.cumsum([float(one.weight) for one in self.discrete])
        values = np.array([float(one.value) for one in self.discrete])
        return values[np.minimum(np.searchsorted(weights, u * weights[-1], side="right"), len(values) - 1)]

    def problems(self, scenario: Scenario, place: str) -> Iterator[Problem]:
        yield from self.on.problems(scenario, f"{place}.on")
        yield from by_problems(scenario, self.by, f"{place}.by")
        if self.on.selects_funds or self.on.selects_years:
            told = Text("un coût ou un indicateur n'est ni d'un fonds ni d'une année",
                        "a cost or an indicator is neither a fund's nor a year's")  # fmt: skip
            yield Problem(f"{place}.on", told, Text("choisir des dossiers", "select demands"))
        if self.what not in (COST, *scenario.indicators):
            unknown = Text(
                f"« {self.what} » n'est ni {COST} ni un indicateur", f"“{self.what}” is neither {COST} nor an indicator"
            )
            yield Problem(f"{place}.what", unknown, did_you_mean(self.what, [COST, *scenario.indicators]))


class Future(_Said):
    """One thing that may come, of unknown probability: changes to the scenario by dotted path (`objective.maximise.emplois`,
    `funds.friches.amount`, `demands.*.emplois`)."""

    id: str
    label: str = ""
    changes: dict[str, Any]
    source: str = ""
    hypothesis: bool = False

    @property
    def title(self) -> str:
        return self.label or self.id


class Uncertainty(_Said):
    """All that is uncertain about a scenario. `savings`: what a cost below the planned one leaves `returned` to the funds,
    which pay their part of the real cost, or `kept` by the owners."""

    uncertain: tuple[Uncertain, ...] = ()
    futures: tuple[Future, ...] = ()
    savings: Literal["returned", "kept"] = "returned"

    def problems(self, scenario: Scenario) -> Iterator[Problem]:
        """What is wrong with it for this scenario."""
        if not self.uncertain and not self.futures:
            yield Problem("uncertain", Text("rien n'est incertain", "nothing is uncertain"),
                          Text("donner `uncertain` ou `futures`", "give `uncertain` or `futures`"))  # fmt: skip
        for name in ("uncertain", "futures"):
            ids = [one.id for one in getattr(self, name)]
            for k, one in enumerate(ids):
                if one in ids[:k]:
                    twice = Text(f"identifiant « {one} » donné deux fois", f"id “{one}” is given twice")
                    yield Problem(f"{name}[{k}].id", twice, Text("en changer un", "change one of them"))
        valued: dict[str, np.ndarray] = {}
        for k, item in enumerate(self.uncertain):
            problems = list(item.problems(scenario, f"uncertain[{k}]"))
            yield from problems
            if problems or item.gives == "factor":
                continue
            mine = item.on.pick(scenario).demands
            if (mine & valued.get(item.what, np.zeros_like(mine))).any():
                twice = Text(
                    f"deux valeurs pour {item.what} d'un même dossier", f"two values for {item.what} of one demand"
                )
                yield Problem(f"uncertain[{k}].on", twice, Text("en faire un facteur", "make one a factor"))
            valued[item.what] = mine | valued.get(item.what, np.zeros_like(mine))
        for k, future in enumerate(self.futures):
            try:
                changed(scenario, future.changes)
            except ScenarioError as error:
                for problem in error.problems:
                    yield replace(problem, place=f"futures[{k}].changes.{problem.place}")

    def checked(self, scenario: Scenario, file: str = "") -> Uncertainty:
        """Itself; raises `ScenarioError` with all that is wrong with it for this scenario."""
        found = [Problem(p.place, p.message, p.remedy, file or p.file) for p in self.problems(scenario)]
        if found:
            raise ScenarioError(found)
        return self


def load(path: str | os.PathLike[str], scenario: Scenario) -> Uncertainty:
    """Read a YAML file, for this scenario; `ScenarioError` with every mistake and its line."""
    file = str(path)
    data, problem = read_bytes(Path(path), file)
    if data is None:
        assert problem is not None
        raise ScenarioError([replace(problem, remedy=Text("donner --with FICHIER.yaml", "give --with FILE.yaml"))])
    content, problems = yaml_text.read(data, file)

    def placed(path: tuple[str | int, ...]) -> Text:
        line, name = content.line(path), path_text(path)
        if line is None or not name:
            return Text(name, name) if line is None else Text(f"ligne {line}", f"line {line}")
        return Text(f"{name} (ligne {line})", f"{name} (line {line})")

    if problems:
        raise ScenarioError(problems)
    if not isinstance(content.value, dict):
        wrong = Text("ce fichier ne contient pas de clés", "this file holds no keys")
        remedy = Text(
            "Écrivez `uncertain` ou `futures` (docs/risk.md).", "Write `uncertain` or `futures` (docs/risk.md)."
        )
        raise ScenarioError([Problem("", wrong, remedy, file)])
    try:
        found = Uncertainty.model_validate(content.value)
    except ValidationError as error:
        raise ScenarioError(
            [Problem(placed(f.path), f.message, f.remedy, file) for f in findings(error, Uncertainty)]
        ) from None
    return found.checked(scenario, file)

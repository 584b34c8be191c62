"""Which variants a sweep solves: every combination, one change at a time, drawn at random, or as listed."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from math import prod
from typing import Any, Literal

import numpy as np

from allocator import limits
from allocator.changes import changed, factor_of
from allocator.money import euros, fraction, parse_cents, written
from allocator.problems import Problem, ScenarioError
from allocator.scenario import Scenario
from allocator.texts import Text

Changes = Mapping[str, Any]
Design = Literal["grid", "one", "random"]
DESIGNS = ("grid", "one", "random")
TOLD = 10  # variants whose mistakes are told


@dataclass(frozen=True)
class Range:
    """Values from `low` to `high`: both amounts, numbers, or relative (`-30 %`); `points` of them where they are listed."""

    low: Any
    high: Any
    points: int = 5

    def values(self) -> list[Any]:
        """The points, evenly spaced, both ends among them."""
        return [self.at(Fraction(k, self.points - 1)) if self.points > 1 else self.low for k in range(self.points)]

    def at(self, part: Fraction) -> Any:
        """The value at a part of the way from low to high."""
        ends = [factor_of(end) for end in (self.low, self.high)]
        if ends[0] is not None and ends[1] is not None:
            percent = (ends[0] + (ends[1] - ends[0]) * part - 1) * 100
            return f"{'+' if percent >= 0 else '-'}{float(abs(percent)):.10g} %"
        try:
            low, high = fraction(self.low), fraction(self.high)
        except ValueError:
            low, high = (Fraction(parse_cents(end)) for end in (self.low, self.high))
            return euros(round(low + (high - low) * part))
        return written(low + (high - low) * part)


def read_values(text: str) -> list[Any] | Range:
    """`100,120,+10 %` or `-30 %..+30 %/7` (without `/7`: five points). Raises ValueError with a `Text`."""
    if ".." not in text:
        return [_read(part) for part in text.split(",")]
    span, _, count = text.partition("/")
    low, _, high = span.partition("..")
    if count and not (re.fullmatch("[0-9]{1,9}", count.strip()) and 2 <= int(count) <= limits.VARIANTS):
        most = limits.VARIANTS
        raise ValueError(Text(f"« {count} » points : de 2 à {most}", f"“{count}” points: from 2 to {most}"))
    found = Range(_read(low), _read(high), int(count or 5))
    if (factor_of(found.low) is None) != (factor_of(found.high) is None):
        raise ValueError(
            Text("les deux bouts doivent être relatifs, ou aucun", "both ends must be relative, or neither")
        )
    found.at(Fraction(0))
    return found


def _read(text: str) -> Any:
    text = text.strip()
    if text.lower() in ("true", "oui", "vrai"):
        return True
    if text.lower() in ("false", "non", "faux"):
        return False
    return text


def variants(
    vary: Mapping[str, Sequence[Any] | Range], design: Design = "grid", *, count: int = 100, seed: int = 0
) -> list[dict[str, Any]]:
    """The changes of each variant, in order.

    `grid`: every combination. `one`: the scenario itself, then each value by itself. `random`: `count` draws, a range
    drawn evenly between its ends.
    """
    listed = {path: values.values() if isinstance(values, Range) else list(values) for path, values in vary.items()}
    sizes = [len(values) for values in listed.values()]
    many = {"random": count, "one": 1 + sum(sizes), "grid": prod(sizes)}[design]
    if many > limits.VARIANTS:
        message = Text(f"{many} variantes : {limits.VARIANTS} au plus", f"{many} variants: at most {limits.VARIANTS}")
        raise ScenarioError([Problem("--vary", message)])
    if design == "random":
        rng = np.random.default_rng(seed)
        return [{path: _drawn(values, rng) for path, values in vary.items()} for _ in range(count)]
    if design == "one":
        return [{}, *({path: value} for path, values in listed.items() for value in values)]
    return [dict(zip(listed, values, strict=True)) for values in product(*listed.values())]


def _drawn(values: Sequence[Any] | Range, rng: np.random.Generator) -> Any:
    if isinstance(values, Range):
        return values.at(Fraction(int(rng.integers(0, 10_001)), 10_000))
    return values[int(rng.integers(len(values)))]


def checked(scenario: Scenario, wanted: Sequence[Changes]) -> list[str]:
    """The input hash of each variant. Raises `ScenarioError` with what is wrong in the first variants that are."""
    hashes: list[str] = []
    problems: dict[str, Problem] = {}
    wrong = 0
    for changes in wanted:
        try:
            hashes.append(changed(scenario, changes).input_hash)
        except ScenarioError as error:
            problems |= {problem.text("fr"): problem for problem in error.problems}
            wrong += 1
            if wrong == TOLD:
                break
    if problems:
        raise ScenarioError(problems.values())
    return hashes

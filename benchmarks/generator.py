"""Seeded scenarios of any size, in six structures, each feasible because its rules are read off a plan that keeps them.

The plan serves, whole and from one fund in one year, the demands with the most jobs per euro (with noise, and a liking
for some regions) until two fifths of the money asked for are spent; where funds have rates, the first fund pays what is beyond them. Envelopes are two per cent above what it spends in each fund and year,
floors so much of what it gives, ceilings so much more, shares and counts its own. A territory's inhabitants follow what
it is given, so that one amount per inhabitant is as tight in a small region as in a large one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

import allocator

MEASURES = 6
PART = 0.4  # of what is asked for that the plan spends
ROOM = 1.02  # envelopes over what the plan spends: without it, whole units would have to fill years to the euro
FIRST_YEAR = 2026
ZONES = np.array(["a", "b", "c"])
RATES = {"a": 0.25, "b": 0.2, "c": 0.15}  # of the cost, that funds with a rate may pay

Rules = list[dict[str, Any]]


@dataclass(frozen=True)
class Drawn:
    """Tables as arrays, and the plan: n demands, T territories, F funds, Y years; money in whole euros per unit."""

    funds: int
    years: int
    measure: np.ndarray  # (n,)
    territory: np.ndarray  # (n,)
    departement: np.ndarray  # (T,)
    region: np.ndarray  # (T,)
    lumpy: np.ndarray  # (n,) bool
    tenths: np.ndarray  # (n,) units asked for, times ten
    asked: np.ndarray  # (n,)
    cost: np.ndarray  # (n,)
    jobs: np.ndarray  # (n,) per unit
    hectares: np.ndarray  # (n,) per unit
    zone: np.ndarray  # (n,) position in ZONES
    special: np.ndarray  # (n,) bool: those that `min_grant` and `no_stacking` speak of
    least: int  # euros: what min_grant asks for
    chosen: np.ndarray  # (n,) bool: served by the plan
    paid: np.ndarray  # (n, F) tenths of euros that the plan gives
    year: np.ndarray  # (n,) position of the year in which it does
    population: np.ndarray  # (T,)

    @property
    def given(self) -> np.ndarray:
        """(n,) tenths of euros that the plan gives."""
        return np.where(self.chosen, self.asked * self.tenths, 0)

    def sums(self, of: np.ndarray, by: np.ndarray) -> np.ndarray:
        """`of` (n,) summed by `by` (n,)."""
        return np.bincount(by, of, minlength=int(by.max()) + 1)

    def per_inhabitant(self, group: np.ndarray, factor: float, given: np.ndarray) -> str | None:
        """Euros per inhabitant of `group` (T,): of a floor below, of a ceiling above what `given` (n,) gives anyone.
        None where a floor would be nothing."""
        each = self.sums(given, group[self.territory]) / 10 / np.bincount(group, self.population)
        cents = np.floor(each.min() * factor * 100) if factor < 1 else np.ceil(each.max() * factor * 100)
        return f"{cents / 100:.2f}" if cents > 0 else None

    def euros(self, factor: float, mask: np.ndarray) -> int:
        """So much of what the plan gives where `mask` (n,) holds: rounded so that it keeps a floor or a ceiling."""
        whole = float(self.given[mask].sum()) / 10 * factor
        return int(np.floor(whole) if factor < 1 else np.ceil(whole) + 1)

    def share(self, measure: int, fund: int, factor: float) -> float:
        """The part of a fund that goes to a measure, times `factor`, to four digits."""
        paid = self.paid[:, fund]
        part = paid[self.measure == measure].sum() / max(paid.sum(), 1)
        return min(1.0, float(np.ceil(1e4 * factor * part) / 1e4))

    def total(self, indicator: np.ndarray, factor: float, mask: np.ndarray | bool = True) -> float:
        """So much of the plan's total of an indicator."""
        exact = float((indicator * self.tenths * self.chosen * np.asarray(mask)).sum()) / 10 * factor
        return float(np.floor(exact * 100) / 100 if factor < 1 else np.ceil(exact * 100) / 100)


def _amount(kind: str, drawn: Drawn, per: str, factor: float, fund: int | None = None) -> Rules:
    """A floor or ceiling per inhabitant, on one fund or all."""
    given = drawn.given if fund is None else drawn.paid[:, fund]
    each = drawn.per_inhabitant(getattr(drawn, per), factor, given)
    on = {} if fund is None else {"funds": [f"f{fund}"]}
    return [{"kind": kind, "on": on, "per": per, "per_inhabitant": each}] if each is not None else []


def _open(d: Drawn) -> Rules:
    """Loose floors, ceilings, a count and a share."""
    counted = d.sums(d.tenths * d.chosen * (d.measure == 0), d.region[d.territory])
    return [
        *_amount("floor", d, "region", 0.5),
        *_amount("ceiling", d, "region", 1.5),
        *_amount("ceiling", d, "departement", 1.5),
        {"kind": "count", "per": "region", "on": {"measures": ["m0"]}, "max": max(1, int(-(-counted.max() // 10)))},
        {"kind": "share", "on": {"measures": ["m1"], "funds": ["f0"]}, "of": {"funds": ["f0"]},
         "max": d.share(1, 0, 1.05)},
    ]  # fmt: skip


def _tight(d: Drawn) -> Rules:
    """Floors by region and measure within two per cent of the plan, ceilings by departement within five."""
    return [
        *_amount("floor", d, "region", 0.98),
        *_amount("ceiling", d, "departement", 1.05),
        *(
            {"kind": "floor", "on": {"measures": [f"m{m}"]}, "amount": d.euros(0.98, d.measure == m)}
            for m in range(MEASURES)
        ),
    ]


def _purses(d: Drawn) -> Rules:
    """What each fund gives a departement, a region, a measure: many demands that no two rows see alike."""
    rules = _amount("floor", d, "region", 0.8)
    for f in range(1, d.funds):
        rules += _amount("ceiling", d, "departement", 1.1, f) + _amount("floor", d, "region", 0.7, f)
        measure = (f + 2) % MEASURES
        rules.append(
            {"kind": "share", "on": {"measures": [f"m{measure}"], "funds": [f"f{f}"]}, "of": {"funds": [f"f{f}"]},
             "max": d.share(measure, f, 1.02)}
        )  # fmt: skip
    return rules


def _rates(d: Drawn) -> Rules:
    """Every fund but the first pays part of the cost, by zone; no two demands have the same cost for what they ask."""
    lines = [{"where": {"zone": zone}, "rate": rate} for zone, rate in RATES.items()]
    return [
        {"kind": "fund_rate", "on": {"funds": [f"f{f}" for f in range(1, d.funds)]}, "max_rate": lines},
        *_amount("floor", d, "region", 0.9),
        *_amount("ceiling", d, "region", 1.2),
        {"kind": "indicator", "indicator": "hectares", "min": d.total(d.hectares, 0.99)},
    ]


def _conditions(d: Drawn) -> Rules:
    """min_grant and no_stacking on some, decisions taken, hectares to reach in all and by measure."""
    special = {"where": {"special": "yes"}}
    return [
        {"kind": "min_grant", "on": special, "amount": d.least},
        {"kind": "no_stacking", "on": special, "max_funds": 1},
        {"kind": "lock", "on": {"where": {"decided": "fund"}}, "decision": "fund"},
        {"kind": "lock", "on": {"where": {"decided": "refuse"}}, "decision": "refuse"},
        {"kind": "indicator", "indicator": "hectares", "min": d.total(d.hectares, 0.995)},
        {"kind": "indicator", "indicator": "hectares", "on": {"measures": ["m2"]},
         "min": d.total(d.hectares, 0.95, d.measure == 2)},
        *_amount("floor", d, "region", 0.9),
        *_amount("ceiling", d, "departement", 1.2),
    ]  # fmt: skip


def _knapsacks(d: Drawn) -> Rules:
    """A tight ceiling for every departement and three scarce resources, jobs nearly following euros."""
    return [
        *_amount("ceiling", d, "departement", 1.01),
        {"kind": "indicator", "indicator": "hectares", "max": d.total(d.hectares, 1.0)},
        *(
            {"kind": "indicator", "indicator": "hectares", "on": {"measures": [f"m{m}"]},
             "max": d.total(d.hectares, 1.0, d.measure == m)}
            for m in (0, 3)
        ),
    ]  # fmt: skip


@dataclass(frozen=True)
class Structure:
    """`tail`: spread of what is asked for a unit. `like`: how far jobs follow euros. `noise`: spread of jobs besides."""

    rules: Callable[[Drawn], Rules]
    tail: float = 0.8
    like: float = 0.5
    noise: float = 0.7
    carry_over: bool = False
    rated: bool = False
    special: float = 0.0  # the part of demands with conditions of their own
    decided: float = 0.0


STRUCTURES = {
    "open": Structure(_open),
    "tight": Structure(_tight, tail=1.5, like=0.7),
    "purses": Structure(_purses, carry_over=True),
    "rates": Structure(_rates, rated=True),
    "conditions": Structure(_conditions, tail=1.2, special=0.1, decided=0.02),
    "knapsacks": Structure(_knapsacks, tail=1.0, like=1.0, noise=0.25),
}


def _spread(rng: np.random.Generator, n: int, groups: int, weights: np.ndarray) -> np.ndarray:
    """(n,) each group at least once (n ≥ groups), the rest by weight."""
    found = rng.choice(groups, n, p=weights / weights.sum())
    found[:groups] = np.arange(groups)
    return found


def draw(n: int, funds: int, years: int, structure: str, *, whole: float = 0.0, seed: int = 0) -> Drawn:
    """n ≥ 60 demands; `whole`: the share of measures whose units are whole."""
    if n < 60:
        raise ValueError(f"n = {n}: at least 60, so that every region and measure asks")
    kind = STRUCTURES[structure]
    rng = np.random.default_rng([seed, n, funds, years, list(STRUCTURES).index(structure)])
    regions, departements, territories = (
        int(np.clip(n // k, low, most)) for k, low, most in ((30, 3, 13), (25, 4, 96), (5, 12, 1255))
    )
    region_of = _spread(rng, departements, regions, 1 / np.arange(1, regions + 1))
    departement = _spread(rng, territories, departements, rng.lognormal(0, 0.5, departements))
    territory = _spread(rng, n, territories, rng.lognormal(0, 0.7, territories))
    region = region_of[departement]

    measure = _spread(rng, n, MEASURES, 1 / np.arange(2, MEASURES + 2))
    lumpy = measure < MEASURES * whole
    asked = np.maximum(1000, np.round(rng.lognormal(12, kind.tail, n))).astype(np.int64)
    tenths = np.where(lumpy, 10 * rng.choice([1, 1, 1, 2, 3], n), rng.integers(5, 81, n))
    cost = np.ceil(asked * rng.uniform(1.05, 3, n)).astype(np.int64)
    jobs = np.round(10 * (asked / 150_000) ** kind.like * rng.lognormal(0, kind.noise, n), 2) + 0.01
    hectares = np.round(rng.lognormal(0, 0.8, n), 2) + 0.01
    zone = rng.integers(0, len(ZONES), n)
    special = rng.random(n) < kind.special
    total = asked * tenths
    least = int(np.quantile(total[special], 0.25) / 10) if special.any() else 0

    liked = jobs / asked * rng.lognormal(0, 0.4, n) * rng.lognormal(0, 0.4, regions)[region[territory]]
    liked = np.where(special & (total < 10 * least), 0, liked)
    order = np.argsort(-liked, kind="stable")
    chosen = np.zeros(n, bool)
    chosen[order[np.cumsum(total[order]) <= PART * total.sum()]] = True
    chosen &= liked > 0

    may = np.array([[f == 0 or (m + f) % 3 > 0 for f in range(funds)] for m in range(MEASURES)])[measure]
    paid, left = np.zeros((n, funds), np.int64), np.where(chosen, total, 0)
    if kind.rated:
        percent = np.array([round(100 * rate) for rate in RATES.values()])[zone]
        for f in range(funds - 1, 0, -1):
            paid[:, f] = np.where(may[:, f], np.minimum(left, percent * cost * tenths // 100), 0)
            left = left - paid[:, f]
        paid[:, 0] = left
    else:
        paid[np.arange(n), np.where(may, rng.random((n, funds)), -1).argmax(axis=1)] = left
    year = rng.choice(years, n, p=np.arange(years, 0, -1) / np.arange(1, years + 1).sum())

    given = np.bincount(territory, np.where(chosen, total, 0), minlength=territories) / 10
    population = np.maximum(1, np.round(given / 100 * rng.lognormal(0, 0.02, territories))).astype(np.int64)
    return Drawn(
        funds, years, measure, territory, departement, region, lumpy, tenths, asked, cost, jobs, hectares, zone,
        special, least, chosen, paid, year, population,
    )  # fmt: skip


def tables(n: int, funds: int, years: int, structure: str, *, whole: float = 0.0, seed: int = 0) -> dict[str, Any]:
    """The arguments of `allocator.Scenario`: what an analyst has in hand when the clock starts."""
    kind, drawn = STRUCTURES[structure], draw(n, funds, years, structure, whole=whole, seed=seed)
    rng = np.random.default_rng([seed, n])
    decided = np.full(n, "", object)
    if kind.decided:
        some = rng.random(n) < kind.decided
        some[[drawn.chosen.argmax(), drawn.chosen.argmin()]] = True  # one of each at any size
        decided[some] = np.where(drawn.chosen[some], "fund", "refuse")
    names = np.char.add("t", np.char.zfill(np.arange(len(drawn.region)).astype(str), 4))
    territories = pd.DataFrame(
        {
            "id": names,
            "name": names,
            "region": np.char.add("r", np.char.zfill(drawn.region.astype(str), 2)),
            "departement": np.char.add("d", np.char.zfill(drawn.departement.astype(str), 2)),
            "population": drawn.population,
        }
    )
    demands = pd.DataFrame(
        {
            "id": np.char.add("d", np.char.zfill(np.arange(n).astype(str), 7)),
            "territory": names[drawn.territory],
            "measure": np.char.add("m", drawn.measure.astype(str)),
            "units": drawn.tenths / 10,
            "asked": drawn.asked,
            "cost": drawn.cost,
            "emplois": drawn.jobs,
            "hectares": drawn.hectares,
        }
    )
    if kind.rated:
        demands["zone"] = ZONES[drawn.zone]
    if kind.special:
        demands["special"] = np.where(drawn.special, "yes", "no")
    if kind.decided:
        demands["decided"] = decided
    span = list(range(FIRST_YEAR, FIRST_YEAR + years))
    spent = np.zeros((funds, years))
    for f in range(funds):
        spent[f] = np.bincount(drawn.year, drawn.paid[:, f], minlength=years) / 10
    purses = [
        {
            "id": f"f{f}",
            "amounts": {y: int(np.ceil(ROOM * euros)) for y, euros in zip(span, spent[f], strict=True)},
            "carry_over": kind.carry_over and f % 2 == 1,
            "on": None if f == 0 else {"measures": [f"m{m}" for m in range(MEASURES) if (m + f) % 3]},
        }
        for f in range(funds)
    ]
    return {
        "name": f"{structure} {n} x {funds} x {years}",
        "years": span,
        "funds": purses,
        "measures": [{"id": f"m{m}", "lumpy": m < MEASURES * whole} for m in range(MEASURES)],
        "territories": territories,
        "demands": demands,
        "constraints": kind.rules(drawn),
        "objective": {"maximise": {"emplois": 1}},
    }


def scenario(
    n: int, funds: int, years: int, structure: str = "open", *, whole: float = 0.0, seed: int = 0
) -> allocator.Scenario:
    """The same, read and checked."""
    return allocator.Scenario(**tables(n, funds, years, structure, whole=whole, seed=seed))

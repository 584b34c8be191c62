"""Every rule of public money, read three times: accounts over years, every kind of rule, every objective, mixed.

As in ``test_oracle``: brute force against the textbook program on tiny scenarios, both and the exact judge against
``allocator.solve``; here random scenarios draw everything there is, and the last test counts that they do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest
from brute_force import Best, TooMany, brute_force
from oracle_judge import levels_of, payments_of, rounding_worth, violations
from oracle_reading import Reading
from strategies import random_scenario
from strategies_rules import ACCOUNTS, NEW_KINDS, RISKS, counted
from textbook import solve_textbook

import allocator
from allocator.certify import certify
from allocator.constraints import KINDS
from allocator.scenario import Scenario

TINY: dict[str, Any] = {
    "tiny": True,
    "demands": (1, 3),
    "funds": (1, 3),
    "years": (1, 3),
    "constraints": (0, 3),
    "cruelty": 0.15,
    "everything": True,
}
UNITS = ("none", "some", "all")
MOST_PLANS = 50_000  # combinations for each scenario: beyond, the next seed is taken
BLOCKS, BLOCK = 6, 20  # 120 scenarios; `random_scenarios.py` draws as many as one likes
GAP = 1e-4


@cache
def solved(block: int) -> list[Any]:
    """The solver's plans of these scenarios."""
    return [allocator.solve(scenario, gap=0, time_limit=20) for _, scenario, _ in tiny(block)]


@cache
def tiny(block: int) -> list[tuple[int, Scenario, Best]]:
    """(seed, scenario, its best plan): whole units, whole cents everywhere, so that the optimum is exact."""
    found: list[tuple[int, Scenario, Best]] = []
    seed = 10_000 + 100 * block
    while len(found) < BLOCK:
        scenario = random_scenario(seed, whole_units="all", odd_cents=False, risks=True, **TINY)
        with suppress(TooMany):
            found.append((seed, scenario, brute_force(scenario, MOST_PLANS)))
        seed += 1
    return found


def grants_of(plan: dict[tuple[str, str, int], int]) -> pd.DataFrame:
    """A plan as the table that allocator.solve returns."""
    rows = [(*cell, cents) for cell, cents in sorted(plan.items())]
    return pd.DataFrame(rows, columns=["demand", "fund", "year", "cents"])


# ----------------------------------------------------------------------- the oracle against itself


@pytest.mark.parametrize("block", range(6))
def test_textbook_is_brute_force_in_whole_cents(block: int) -> None:
    """Odd cents too: payments and what comes back of them rounded down, as they are."""
    for seed in range(20 * block, 20 * (block + 1)):
        scenario = random_scenario(seed, whole_units=UNITS[seed % 3], risks=True, **TINY)
        try:
            best = brute_force(scenario, MOST_PLANS)
        except TooMany:
            continue
        told = solve_textbook(scenario, cents=True)
        assert told.status == best.status, seed
        if best.plan is not None:
            assert told.levels == pytest.approx([float(value) for value in best.levels], rel=1e-7, abs=1e-5), seed
            assert violations(scenario, grants_of(best.plan)) == [], seed
            assert tuple(levels_of(scenario, grants_of(best.plan))) == best.levels, seed


# ------------------------------------------------------------------------- the solver, 300 times


@pytest.mark.parametrize("block", range(BLOCKS))
def test_solve_finds_the_best_plan(block: int) -> None:
    """Same feasibility, same optimum at every level, certified, and a bound that is no lie."""
    optimal = 0
    for (seed, scenario, best), plan in zip(tiny(block), solved(block), strict=True):
        if best.plan is None:
            assert plan.status == "infeasible", seed
            continue
        assert plan.status in ("optimal", "feasible"), (seed, plan.status, plan.message)
        assert plan.certificate.ok, seed
        assert violations(scenario, plan.grants) == [], seed
        assert tuple(levels_of(scenario, plan.grants)) == best.levels, seed
        assert_told(plan, best.levels)
        optimal += plan.status == "optimal"
    assert optimal >= BLOCK // 2 + 2  # a few are infeasible; what comes back in cents may leave a gap


def assert_told(plan: Any, levels: tuple[Any, ...]) -> None:
    """The plan says what its levels are worth, and that none is better."""
    assert plan.objective == pytest.approx(float(levels[0]), rel=1e-12, abs=1e-12)
    for told, value in zip(plan.levels, levels, strict=True):
        assert told.objective * told.aim.sign == value
        assert told.bound >= told.objective


@pytest.mark.parametrize("block", range(2))
def test_solve_never_claims_too_much_on_odd_cents(block: int) -> None:
    """Where a cent is much, the best plan in cents may be missed; a bound below it would be a lie."""
    found = 0
    for seed in range(500 + 20 * block, 500 + 20 * (block + 1)):
        scenario = random_scenario(seed, whole_units=UNITS[seed % 3], **TINY)
        try:
            best = brute_force(scenario, MOST_PLANS)
        except TooMany:
            continue
        plan = allocator.solve(scenario, gap=0, time_limit=20)
        if best.plan is None:
            assert plan.status in ("infeasible", "no_plan"), seed
            continue
        assert plan.status != "infeasible", seed
        if plan.status == "no_plan":
            continue
        found += 1
        assert plan.certificate.ok, seed
        assert violations(scenario, plan.grants) == [], seed
        sign = plan.levels[0].aim.sign if plan.levels else 1
        assert sign * plan.bound >= sign * float(best.levels[0]) - 1e-9, seed
        assert sign * levels_of(scenario, plan.grants)[0] <= sign * best.levels[0], seed
        if plan.status == "optimal":
            assert tuple(levels_of(scenario, plan.grants)) == best.levels, seed
    assert found >= 12, "a test of missing plans tests little"


@pytest.mark.parametrize("worth", [0, -1])
@pytest.mark.parametrize("soft", [None, 5])
def test_a_cent_that_only_rounding_lets_through_is_served_too(worth: int, soft: int | None) -> None:
    """A rate of a quarter, and nobody for the rest: one cent may be granted, which is no gain but keeps the count."""
    wanted = {"kind": "count", "of": "demands", "min": 1} | ({} if soft is None else {"soft": soft})
    territories = {"id": ["t"], "name": ["T"], "region": ["11"], "departement": ["75"], "population": [1]}
    demands = {"id": ["d"], "territory": "t", "measure": "m", "units": 1, "asked": 0.02, "jobs": worth}
    scenario = Scenario(
        "cent", [2026], [{"id": "f", "amount": 1}], [{"id": "m"}], pd.DataFrame(territories), pd.DataFrame(demands),
        [wanted, {"kind": "fund_rate", "max_rate": 0.25}], {"maximise": {"jobs": 1}},
    )  # fmt: skip
    best, plan = brute_force(scenario), allocator.solve(scenario, gap=0)
    assert best.cents == 1
    assert plan.status in ("feasible", "optimal")
    assert plan.bound >= best.objective >= plan.objective
    assert plan.status == "feasible" or plan.objective == best.objective


# Plans of a few cents that only rounding makes: a rate rounded up to the cent, a payment or what comes back rounded down.
CENTS = (50554, 50556, 50770, 50875, 51055, 51335, 51393, 52360, 52490)


@pytest.mark.parametrize("seed", CENTS)
def test_a_plan_that_only_rounding_to_cents_makes_is_found(seed: int) -> None:
    scenario = random_scenario(seed, whole_units=UNITS[seed % 3], **TINY)
    best, plan = brute_force(scenario, MOST_PLANS), allocator.solve(scenario, gap=0, time_limit=20)
    assert plan.status in ("optimal", "feasible") and plan.certificate.ok
    assert violations(scenario, plan.grants) == []
    assert_told(plan, tuple(levels_of(scenario, plan.grants)))
    sign = plan.levels[0].aim.sign
    assert sign * plan.bound >= sign * float(best.levels[0]) - 1e-9


@pytest.mark.parametrize("seed", [50057, 51751, 80135, 80779, 81148])
def test_that_rounding_to_cents_makes_no_plan_is_proved(seed: int) -> None:
    """A cent more in a cell saves no more than the dearest cell in use; and the generous program proves what its parent cannot."""
    scenario = random_scenario(seed, whole_units=UNITS[seed % 3], **TINY)
    plan = allocator.solve(scenario, gap=0, time_limit=20)
    assert brute_force(scenario, MOST_PLANS).plan is None
    assert plan.status == "infeasible" and plan.certificate.ok


# ------------------------------------------------------------------------------ larger scenarios


@pytest.mark.parametrize("block", range(6))
def test_solve_is_as_good_as_the_textbook(block: int) -> None:
    """Euros by the thousand: what cents can cost is allowed for, and little else."""
    compared = 0
    for seed in range(15 * block, 15 * (block + 1)):
        scenario = random_scenario(seed, whole_units=UNITS[seed % 3], demands=(4, 10), everything=True)
        told = solve_textbook(scenario, time_limit=3)
        if told.status == "limit":  # the textbook is slow, not wrong
            continue
        plan = allocator.solve(scenario, gap=GAP, time_limit=5)
        compared += check(scenario, plan, told, seed)
    assert compared >= 9


def check(scenario: Scenario, plan: Any, told: Any, seed: int) -> bool:
    """A plan is lawful and its first level as good as the textbook's; is there one of each?"""
    if plan.status in ("infeasible", "no_plan"):
        # Rates rounded up and payments rounded down leave plans that real euros do not: those may be missed.
        above = solve_textbook(scenario, rounded_up=True)
        assert above.status == "infeasible" or (plan.status == "no_plan" and told.status == "infeasible"), seed
        return False
    assert plan.certificate.ok, seed
    assert violations(scenario, plan.grants) == [], seed
    value = float(levels_of(scenario, plan.grants)[0])
    assert plan.objective == pytest.approx(value, rel=1e-9, abs=1e-9), seed
    sign = plan.levels[0].aim.sign
    room = 3 * float(rounding_worth(scenario)) + 1e-6 * max(1.0, abs(value))
    if told.objective is not None:
        assert sign * plan.bound >= sign * told.objective - room, seed
        if plan.status == "optimal":
            assert sign * value >= sign * told.objective - GAP * abs(value) - room, seed
    if told.objective is None or sign * value > sign * told.objective + room:
        above = solve_textbook(scenario, rounded_up=True)
        assert above.objective is not None, seed
        assert sign * value <= sign * above.objective + room, seed
    return told.objective is not None


# ---------------------------------------------------------------------------------- broken plans


@pytest.mark.parametrize("block", range(3))
def test_broken_plans_are_caught(block: int) -> None:
    """Cents added, dropped, moved to another fund or year: the certificate and the judge say the same of each."""
    caught = 0
    rng = np.random.default_rng(block)
    for (seed, scenario, best), plan in zip(tiny(block), solved(block), strict=True):
        if best.plan is None:
            continue
        reading = plan.reading
        for _ in range(6):
            broken = mutated(rng, reading)
            grants = table_of(scenario, broken)
            lawful = not violations(scenario, grants)
            checks = [check for check in certify(broken, None).checks if not check.name.startswith("bound")]
            said = all(check.ok for check in checks)
            if broken.moved.any() or reading.space.moves:
                assert lawful or not said, (seed, grants)  # other moves than the plan's may make it lawful
            else:
                assert said == lawful, (
                    seed,
                    grants,
                    [c.name for c in checks if not c.ok],
                    violations(scenario, grants),
                )
            caught += not said
    assert caught >= 20


def mutated(rng: np.random.Generator, reading: Any) -> Any:
    """A reading with one grant more, less, larger, smaller, or elsewhere."""
    space = reading.space
    n, funds, years = len(space.scenario.demands), len(space.scenario.funds), len(space.scenario.years)
    cells = {
        (int(d), int(f), int(y)): int(c)
        for d, f, y, c in zip(reading.demand, reading.fund, reading.year, reading.cents, strict=True)
    }
    there = sorted(cells)
    new = (int(rng.integers(n)), int(rng.integers(funds)), int(rng.integers(years)))
    if not there or rng.random() < 0.3:
        cells[new] = cells.get(new, 0) + int(rng.integers(1, 4))
    else:
        cell = there[int(rng.integers(len(there)))]
        cents = cells.pop(cell)
        kind = rng.integers(4)
        if kind == 1:
            cells[cell] = cents + int(rng.integers(1, 3))
        elif kind == 2 and cents > 1:
            cells[cell] = cents - 1
        elif kind == 3:
            other = (cell[0], *new[1:])
            cells[other] = cells.get(other, 0) + cents
    order = sorted(cells)
    columns = [np.array([cell[k] for cell in order], np.int64) for k in range(3)]
    cents = np.array([cells[cell] for cell in order], np.int64)
    return replace(reading, demand=columns[0], fund=columns[1], year=columns[2], cents=cents)


def table_of(scenario: Scenario, reading: Any) -> pd.DataFrame:
    """The grants of a reading."""
    ids = list(scenario.demands["id"])
    return pd.DataFrame(
        {
            "demand": [ids[k] for k in reading.demand],
            "fund": [scenario.funds[k].id for k in reading.fund],
            "year": [scenario.years[k] for k in reading.year],
            "cents": reading.cents,
        }
    )


# ------------------------------------------------------------------------------ annual, payments


def test_annual_demands_are_the_same_written_out() -> None:
    """`annual` is a short way to write one demand per year."""

    def scenario(annual: bool, rows: list[tuple[str, int, int]]) -> Scenario:
        return Scenario(
            name="annual",
            years=[2026, 2027, 2028],
            funds=[{"id": "A", "amounts": {2026: 100, 2027: 50, 2028: 100}}],
            measures=[{"id": "m", "annual": annual, "lumpy": True}],
            territories=pd.DataFrame(
                {"id": ["t"], "name": ["T"], "region": ["11"], "departement": ["75"], "population": [1]}
            ),
            demands=pd.DataFrame(
                [
                    {
                        "id": name, "territory": "t", "measure": "m", "units": 2, "asked": 50, "jobs": 1,
                        "first_year": first, "last_year": last, "project": "d",
                    }
                    for name, first, last in rows
                ]
            ),
            constraints=[{"kind": "exclusive", "at_most": 2, "per": "project"}],
            objective={"maximise": {"jobs": 1}},
        )  # fmt: skip

    short = allocator.solve(scenario(True, [("d", 2026, 2028)]), gap=0)
    long = allocator.solve(scenario(False, [(f"d {year}", year, year) for year in (2026, 2027, 2028)]), gap=0)
    assert list(short.scenario.demands["id"]) == ["d 2026", "d 2027", "d 2028"]
    pd.testing.assert_frame_equal(short.grants, long.grants)
    assert short.objective == long.objective == 4


# Several grants of one fund, measure and year, each rounded by itself: other sums than if they were rounded together.
NEIGHBOURS = (2027, 2043, 2190, 2531, 2850, 2913)


@pytest.mark.parametrize("seeds", [range(700, 720), range(720, 740), NEIGHBOURS], ids=str)
def test_every_payment_is_the_one_of_the_judge(seeds: Iterable[int]) -> None:
    """Each grant's instalments, to the cent; alone of its fund, measure and year, or with neighbours."""
    between = neighbours = 0
    for seed in seeds:
        scenario = random_scenario(seed, whole_units=UNITS[seed % 3], **TINY)
        plan = allocator.solve(scenario, gap=GAP, time_limit=20)
        if plan.reading is None:
            continue
        expected = instalments(scenario, plan.grants)
        told = plan.payments.set_index(["demand", "fund", "year_committed", "year_paid"])["cents"]
        assert told.index.is_unique, seed
        assert {key: int(cents) for key, cents in told.items()} == expected, seed
        shares = {m.id: m.payment_profile for m in scenario.measures}
        grants = list(plan.grants.itertuples())
        odd = [g for g in grants if any((share * g.cents).denominator > 1 for share in shares[g.measure])]
        between += bool(odd)
        neighbours += len({(g.fund, g.measure, g.year) for g in odd}) < len(odd)
    assert between and (seeds != NEIGHBOURS or neighbours == len(NEIGHBOURS))


def instalments(scenario: Scenario, grants: pd.DataFrame) -> dict[tuple[str, str, int, int], int]:
    """{(demand, fund, year of commitment, year of payment): cents}, by the judge."""
    reading = Reading(scenario)
    return {
        (*cell, year): part
        for cell, cents in payments_of(grants).items()
        for year, part in reading.instalments(cell, cents).items()
        if part
    }


# -------------------------------------------------------------------------------------- coverage

OFTEN = 6  # of the 200


def test_everything_is_drawn() -> None:
    """Each kind, each field and each objective is in many of the 200 scenarios, hard and soft."""
    found: Counter[str] = Counter()
    soft: Counter[str] = Counter()
    statuses: Counter[str] = Counter()
    for block in range(BLOCKS):
        for _, scenario, best in tiny(block):
            found.update(counted(scenario))
            soft.update({rule.kind for rule in scenario.constraints if rule.enabled and rule.soft})
            statuses[best.status] += 1
    wanted = [
        *KINDS,
        *(f"fund.{field}" for field in (*ACCOUNTS, "notified_until")),
        *(f"measure.{field}" for field in ("steps", "annual")),
        *(f"objective.{name}" for name in ("maximise", "minimise", "maximin", "lexicographic")),
    ]
    assert {name: found[name] for name in wanted if found[name] < OFTEN} == {}
    assert all(soft[kind] for kind in (*NEW_KINDS, *RISKS)), soft
    assert statuses["optimal"] > 100 and statuses["infeasible"] >= 3, statuses

"""Numbers that are hard on floats: the right plan, or an honest status; never `optimal` for what is not.

What is right comes from trying every plan of whole units, each judged in fractions (`oracle_judge`), or from filling cents
in the order of what they are worth, which is exact where one fund is all there is.

    python tests/test_numerics.py 1000000

solves as many identical demands, and tells the time and the memory that takes.
"""

from __future__ import annotations

import resource
import sys
import time
from fractions import Fraction
from functools import cache
from itertools import product
from pathlib import Path
from typing import Any

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import pandas as pd
import pytest
from oracle_judge import levels_of, violations

import allocator
from allocator.money import cents_column
from allocator.scenario import Scenario

Rows = dict[str, list[Any]]
LARGE = 15_000_000_000  # euros
TERRITORIES = pd.DataFrame(
    {
        "id": ["a", "b", "nobody"], "name": ["A", "B", "Nobody"], "region": ["11", "53", "94"], "departement": ["75", "35", "2A"],
        "population": [1000, 3000, 0],
    }
)  # fmt: skip
WEIGHTS = {"maximise": {"pts": 1e-9, "eau": 1e9}}


def scenario(rows: Rows, fund: Any = 10, *rules: dict[str, Any], whole: bool = True, **changes: Any) -> Scenario:
    """Demands of one measure, by default each one unit in territory a; a fund of so many euros, one year."""
    table = pd.DataFrame(rows)
    given = {"id": [f"d{k}" for k in range(len(table))], "territory": "a", "measure": "m", "units": 1, "pts": 1}
    table = table.assign(**{name: value for name, value in given.items() if name not in table})
    fields: dict[str, Any] = {
        "name": "numbers", "years": [2026], "funds": [{"id": "f", "amount": fund}], "measures": [{"id": "m", "lumpy": whole}],
        "territories": TERRITORIES, "demands": table, "constraints": list(rules), "objective": {"maximise": {"pts": 1}},
    }  # fmt: skip
    return Scenario(**(fields | changes))


def granted(scenario: Scenario, cents: list[int]) -> pd.DataFrame:
    rows = [(d, "f", 2026, c) for d, c in zip(scenario.demands["id"], cents, strict=True) if c]
    return pd.DataFrame(rows, columns=["demand", "fund", "year", "cents"])


def asked_cents(scenario: Scenario) -> list[int]:
    return [int(cents) for cents in cents_column(scenario.demands["asked"])[0]]


def best_of_whole(scenario: Scenario) -> Fraction:
    """The most points of any plan, by trying every number of units of each demand."""
    asked = asked_cents(scenario)
    found = []
    for units in product(*(range(int(most) + 1) for most in scenario.demands["units"])):
        grants = granted(scenario, [u * a for u, a in zip(units, asked, strict=True)])
        if not violations(scenario, grants):
            found.append(levels_of(scenario, grants)[0])
    return max(found)


def best_of_cents(scenario: Scenario) -> Fraction:
    """The most points of any plan where one fund's euros are all that is scarce: cents worth most come first."""
    left = int(scenario.funds[0].amount)
    worth, most = [], []
    for d, (asked, units) in enumerate(zip(asked_cents(scenario), scenario.demands["units"], strict=True)):
        alone = [0] * len(scenario.demands)
        alone[d] = 1
        worth.append(levels_of(scenario, granted(scenario, alone))[0])
        most.append(int(Fraction(str(units)) * asked))
    total = Fraction(0)
    for value, cents in sorted(zip(worth, most, strict=True), reverse=True):
        if value > 0:
            total += value * min(cents, left)
            left -= min(cents, left)
    return total


def check(plan: Any, best: Fraction, proved: bool, gap: Fraction = Fraction(0)) -> None:
    """A lawful plan, whose bound is true; the best one where it says so, as it must where `proved`; else perhaps none."""
    if not proved and plan.status == "no_plan":
        return
    assert plan.status in ("optimal", "feasible") and plan.certificate.ok, plan.message
    assert violations(plan.scenario, plan.grants) == []
    [level] = plan.levels
    assert level.objective == levels_of(plan.scenario, plan.grants)[0] <= best <= level.bound
    if proved or plan.status == "optimal":
        assert plan.status == "optimal" and level.objective >= best * (1 - gap)


# asked, points, what else; the fund; rules; whether its best plan can be proved to the last digit
WHOLE: dict[str, tuple[Rows, Any, list[dict[str, Any]], bool]] = {
    "twelve orders of magnitude": (
        {"asked": [1, 10**3, 10**6, 10**9, 7, 3.33], "pts": [1e-6, 1e-3, 1, 1e6, 1e-6, 5e-6]}, 10**9 + 1007, [], False,
    ),
    "twelve orders, a cent short": (
        {"asked": [1, 10**3, 10**6, 10**9, 7, 3.33], "pts": [1e-6, 1e-3, 1, 1e6, 1e-6, 5e-6]}, "1000000010.32", [], False,
    ),
    "15 Md€ beside 1 €": ({"asked": [LARGE, 1, 1], "pts": [1, 1, 2]}, LARGE + 1, [], True),
    "15 Md€ beside 1 €, all to be spent": (
        {"asked": [LARGE, 1, 1], "pts": [1, 1, 2]}, LARGE + 1, [{"kind": "floor", "amount": LARGE + 1}], False,
    ),
    "15 Md€ beside 1 €, too much by a cent": (
        {"asked": [LARGE, 1, 1], "pts": [1, 1, 2]}, LARGE + 1, [{"kind": "ceiling", "amount": f"{LARGE}.99"}], True,
    ),
    "points of 1e12": ({"asked": [3, 4, 5, 6], "pts": [10**12, 10**12 + 1, 10**12 + 2, 1]}, 9, [], True),
    "floor = ceiling": (
        {"asked": [3, 4, 5, 6], "pts": [1, 2, 3, 4]}, 20, [{"kind": "floor", "amount": 7}, {"kind": "ceiling", "amount": 7}], True,
    ),
    "a fund of one cent": ({"asked": [3, "0.02"]}, "0.01", [], True),
    "a fund of one cent for a unit of one cent": ({"asked": ["0.01", "0.01"], "pts": [1, 2]}, "0.01", [], True),
    "an empty fund": ({"asked": [3, 4]}, 0, [], True),
    "equal scores": ({"asked": [3] * 5}, 10, [], True),
    "the same rule over and over": (
        {"asked": [3] * 5}, 10,
        [{"kind": "ceiling", "amount": 10}, {"kind": "count", "max": 3}, {"kind": "count", "max": 3, "of": "demands"},
         {"kind": "floor", "amount": 9}, {"kind": "exclusive", "at_most": 3}], True,
    ),
    "a rate of 0 %": ({"asked": [3, 4]}, 10, [{"kind": "fund_rate", "max_rate": 0}], True),
    "a rate of 100 %": ({"asked": [3, 4], "pts": [1, 2]}, 10, [{"kind": "fund_rate", "max_rate": "100 %"}], True),
    "nobody lives there": (
        {"asked": [3, 4], "territory": ["a", "nobody"]}, 10, [{"kind": "ceiling", "per": "region", "per_inhabitant": 1}], True,
    ),
}  # fmt: skip


@cache
def whole(case: str) -> tuple[Scenario, Fraction]:
    rows, fund, rules, _ = WHOLE[case]
    given = scenario(rows, fund, *rules)
    return given, best_of_whole(given)


@pytest.mark.parametrize("engine", ["auto", "cbc", "glop"])
@pytest.mark.parametrize("case", WHOLE)
def test_whole_units(case: str, engine: str) -> None:
    given, best = whole(case)
    check(allocator.solve(given, engine=engine, gap=0), best, WHOLE[case][-1])


def test_what_a_solver_does_not_see_is_no_plan() -> None:
    """1 € too much beside 15 Md€, which floats let pass: the tree goes on below such a point."""
    plan = allocator.solve(whole("15 Md€ beside 1 €, all to be spent")[0], gap=0)
    assert plan.status == "optimal" and int(plan.grants["cents"].sum()) == 100 * (LARGE + 1)


@pytest.mark.parametrize("engine", ["auto", "cbc", "glop"])
def test_weights_of_1e_minus_9_beside_1e9(engine: str) -> None:
    given = scenario({"asked": [3, 3, 3, 3], "pts": [1, 2, 3, 4], "eau": [1, 1, 1, 1]}, 6, objective=WEIGHTS)
    best = best_of_whole(given)
    check(allocator.solve(given, engine=engine, gap=0), best, False)
    plan = allocator.solve(given, engine=engine)
    assert plan.status == "optimal" and plan.levels[0].objective >= best * (1 - Fraction(1, 10**4))


CENTS: dict[str, tuple[Rows, Any, dict[str, Any]]] = {
    "twelve orders of magnitude": (
        {"asked": [1, 10**3, 10**6, 10**9, 7, 3.33], "pts": [1e-6, 1e-3, 1, 1e6, 1e-6, 5e-6]}, 10**9 + 1007, {},
    ),
    "weights of 1e-9 and 1e9": ({"asked": [3, 3, 3, 3], "pts": [1, 2, 3, 4], "eau": [1, 0, 1, 0]}, 7, {"objective": WEIGHTS}),
    "points of 1e12": ({"asked": [3, 4, 5, 6], "pts": [10**12, 10**12 + 1, 10**12 + 2, 1]}, 9, {}),
    "15 Md€ beside 1 €": ({"asked": [LARGE, 1, 1], "pts": [1, 1, 2]}, LARGE + 1, {}),
    "a fund of one cent": ({"asked": [3, 4], "pts": [1, 2]}, "0.01", {}),
    "an empty fund": ({"asked": [3, 4]}, 0, {}),
    "units of 0.0001": ({"asked": [10**9, 10**9, 100], "units": [0.0001, 0.0003, 0.0001], "pts": [1, 2, 3]}, 150_000, {}),
    "units of less than a cent": ({"asked": [100, 33.33], "units": [0.0001, 0.0001]}, 10, {}),
    "equal scores": ({"asked": [3] * 8}, 10, {}),
}  # fmt: skip


@pytest.mark.parametrize("engine", ["auto", "cbc", "pdlp"])
@pytest.mark.parametrize("case", CENTS)
def test_divisible(case: str, engine: str) -> None:
    rows, fund, changes = CENTS[case]
    given = scenario(rows, fund, whole=False, **changes)
    plan = allocator.solve(given, engine=engine, gap=1e-9)
    check(plan, best_of_cents(given), True, Fraction(1, 10**9))


def one_cent_more(case: str, cent: int) -> Scenario:
    """A scenario that can just be, or with one cent more just cannot."""

    def floor(euros: int, **where: Any) -> dict[str, Any]:
        return {"kind": "floor", "amount": f"{euros}.{cent:02}", **where}

    match case:
        case "above the ceiling":
            return scenario({"asked": [3, 4, 5]}, 10, floor(7), {"kind": "ceiling", "amount": 7}, whole=False)
        case "above the fund":
            return scenario({"asked": [3, 4, 5]}, 10, floor(10), whole=False)
        case "above a fund of 15 Md€":
            return scenario({"asked": [LARGE, 1]}, LARGE, floor(LARGE), whole=False)
        case "above what is asked":
            return scenario({"asked": [3, 4]}, 10, floor(7), whole=False)
        case "above whole units":
            return scenario({"asked": [3, 3, 3]}, 10, floor(6), {"kind": "ceiling", "amount": "8.99"})
        case "of an empty fund":
            return scenario({"asked": [3, 4]}, 0, floor(0), whole=False)
        case "of no demand":
            none: Rows = {name: [] for name in ("id", "territory", "measure", "units", "asked", "pts")}
            return scenario(none, 10, floor(0), whole=False)
        case "for two regions of a fund of 15 Md€":
            south = {"on": {"where": {"region": "53"}}, "id": "south"}
            north = {"kind": "floor", "on": {"where": {"region": "11"}}, "amount": 1, "id": "north"}
            return scenario(
                {"asked": [LARGE, LARGE], "territory": ["a", "b"]}, LARGE, floor(LARGE - 1, **south), north, whole=False
            )
    raise KeyError(case)


EDGES = (
    "above the ceiling", "above the fund", "above a fund of 15 Md€", "above what is asked", "above whole units",
    "of an empty fund", "of no demand", "for two regions of a fund of 15 Md€",
)  # fmt: skip


@pytest.mark.parametrize("case", EDGES)
def test_one_cent_more_is_impossible(case: str) -> None:
    can, cannot = (allocator.solve(one_cent_more(case, cent)) for cent in (0, 1))
    assert can.status == "optimal" and can.certificate.ok
    assert violations(can.scenario, can.grants) == []
    assert cannot.status == "infeasible" and cannot.certificate.ok
    assert cannot.conflict is not None and any(party.rule.kind == "floor" for party in cannot.conflict.parties)


def test_a_region_without_people_counts_neither_as_the_poorest_nor_in_equity() -> None:
    rows = {"asked": [8, 8, 8], "territory": ["a", "b", "nobody"], "pts": [1, 1, 2]}
    worst = allocator.solve(
        scenario(rows, 8, whole=False, objective={"maximin": {"per": "region", "of": "euros_per_inhabitant"}}), gap=0
    )
    assert worst.levels[0].objective == Fraction(2, 1000) and worst.status == "optimal"  # 2 € of 1000, 6 € of 3000
    equal = allocator.solve(scenario(rows, 16, {"kind": "equity", "per": "region", "max_ratio": 1}, whole=False))
    by = equal.grants.groupby("territory")["cents"].sum()
    assert equal.status == "optimal" and by["nobody"] == 800 and abs(3 * by["a"] - by["b"]) <= 4


def alike(count: int) -> Scenario:
    """So many identical demands, and money for a third of them."""
    return scenario({"asked": [1000] * count}, 1000 * count // 3, whole=False)


def test_identical_demands_are_one_class() -> None:
    count = 21_000
    plan = allocator.solve(alike(count))
    columns, _ = plan.size
    assert plan.status == "optimal" and plan.levels[0].objective == count // 3
    assert int(plan.grants["cents"].sum()) == 100_000 * (count // 3) and columns <= count + 1


def main() -> None:
    count = int(sys.argv[1])
    given = alike(count)
    began = time.perf_counter()
    plan = allocator.solve(given)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{count} identical demands: {plan.status}, {time.perf_counter() - began:.1f} s, {most:.0f} MB at most")


if __name__ == "__main__":
    main()

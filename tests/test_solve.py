"""`solve` from end to end: known optima, engines against each other, the same input to the same plan, honest limits."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from strategies import random_scenario

import allocator
from allocator import engines
from allocator.program import compile
from allocator.space import Space

sys.path.append(str(Path(__file__).resolve().parents[1]))

from benchmarks import petersen

ENGINES = ("highs", "glop", "cbc", "cp-sat")


@pytest.mark.skipif(not petersen.MKNAP.exists(), reason="the OR-Library file is not beside the repository")
@pytest.mark.parametrize("engine", ["highs", "glop"])
def test_petersen(engine):
    for best, arguments in petersen.problems()[: 4 if engine == "glop" else None]:
        plan = allocator.solve(allocator.Scenario(**arguments), gap=0, engine=engine)
        assert (plan.status, plan.gap) == ("optimal", 0)
        assert plan.certificate.ok
        assert plan.objective == pytest.approx(best, abs=1e-9)


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("whole", ["none", "some", "all"])
def test_engines_agree(seed, whole):
    scenario = random_scenario(1000 + seed, demands=(4, 9), whole_units=whole)
    plans = {name: allocator.solve(scenario, engine=name) for name in ENGINES}
    statuses = {name: plan.status for name, plan in plans.items()}
    assert len({"infeasible" if s == "infeasible" else "plan" for s in statuses.values()}) == 1, statuses
    if statuses["highs"] == "infeasible":
        return
    for one in plans.values():
        assert one.certificate.ok
        for other in plans.values():
            room = 2e-4 * max(abs(one.objective), abs(other.objective)) + 1e-9
            both = one.status == other.status == "optimal"
            assert not both or abs(one.objective - other.objective) <= room
            assert one.objective <= other.bound + 1e-9 * abs(other.bound) + room * 1e-3


def shuffled(scenario: allocator.Scenario, seed: int) -> allocator.Scenario:
    demands = scenario.demands.sample(frac=1, random_state=seed)
    territories = scenario.territories.sample(frac=1, random_state=seed)
    return scenario.with_(demands=demands, territories=territories)


@pytest.mark.parametrize("seed", range(12))
def test_the_same_input_gives_the_same_plan_in_any_order(seed):
    scenario = random_scenario(2000 + seed, demands=(6, 14), whole_units="some")
    one, other = allocator.solve(scenario), allocator.solve(shuffled(scenario, seed))
    pd.testing.assert_frame_equal(one.grants, other.grants)
    drop = {"seconds"}
    assert {k: v for k, v in one.summary().items() if k not in drop} == {
        k: v for k, v in other.summary().items() if k not in drop
    }


def test_built_in_scenario():
    scenario = allocator.load("propositions-2025")
    plan = allocator.solve(scenario)
    assert (plan.status, plan.certificate.ok) == ("optimal", True)
    spent = plan.grants.groupby("fund")["cents"].sum()
    held = plan.held_cents()
    assert all(spent.get(fund.id, 0) <= held[fund.id] for fund in scenario.funds)
    assert plan.units.groupby("measure")["units"].sum()["rebond"] == 10
    report = plan.summary()
    totals = report["totals"]
    for margin in ("by_fund", "by_measure", "by_region", "committed_by_year", "paid_by_year"):
        assert sum(totals[margin].values()) == totals["granted"], margin


def cheap_and_dear(**changes) -> allocator.Scenario:
    """Two demands of equal points, one cheaper; one without points."""
    territories = pd.DataFrame({"id": ["t"], "name": "t", "region": "r", "departement": "d", "population": 1})
    demands = pd.DataFrame(
        {
            "id": ["cheap", "dear", "idle"],
            "territory": "t",
            "measure": "m",
            "units": 1,
            "asked": [10, 20, 5],
            "points": [1, 1, 0],
        }
    )
    said = {
        "name": "ties", "years": [2026], "funds": [{"id": "f", "amount": 100}], "measures": [{"id": "m"}], "territories": territories,
        "demands": demands, "constraints": [{"kind": "indicator", "indicator": "points", "max": 1}],
        "objective": {"maximise": {"points": 1}},
    }  # fmt: skip
    return allocator.Scenario(**(said | changes))


@pytest.mark.parametrize("lumpy", [False, True])
def test_of_equal_plans_the_cheapest(lumpy):
    plan = allocator.solve(cheap_and_dear(measures=[{"id": "m", "lumpy": lumpy}]), engine="highs")
    if not lumpy:
        assert plan.grants["cents"].tolist() == [1000]
        assert plan.grants["demand"].tolist() == ["cheap"]
    assert "idle" not in plan.grants["demand"].tolist()


def test_a_demand_over_several_cells_is_dealt_in_the_fixed_order():
    """Nothing tells funds and years apart: the earliest year and the first fund pay first."""
    scenario = cheap_and_dear(
        years=[2026, 2027], funds=[{"id": "f", "amount": 8}, {"id": "g", "amount": 100}], constraints=[]
    )
    plan = allocator.solve(scenario)
    assert set(plan.grants["year"]) == {2026}
    assert plan.grants.groupby("fund")["cents"].sum().to_dict() == {"f": 800, "g": 2200}


def hard_scenario(n: int = 400) -> allocator.Scenario:
    """Many whole projects under many budgets: not to be closed in a moment."""
    rng = np.random.default_rng(5)
    territories = pd.DataFrame({"id": ["t"], "name": "t", "region": "r", "departement": "d", "population": 1})
    uses = {f"use{i}": rng.integers(1, 1000, n) for i in range(30)}
    demands = pd.DataFrame(
        {"id": [f"p{j:03d}" for j in range(n)], "territory": "t", "measure": "p", "units": 1, "asked": 1} | uses
    ).assign(value=lambda d: d.filter(like="use").sum(axis=1) / 30 + 100)
    rules = [{"kind": "indicator", "indicator": name, "max": int(use.sum() // 2)} for name, use in uses.items()]
    return allocator.Scenario(
        "hard", [2026], [{"id": "f", "amount": n}], [{"id": "p", "lumpy": True}], territories, demands, rules,
        {"maximise": {"value": 1}},
    )  # fmt: skip


def test_a_time_limit_gives_the_best_plan_so_far_with_its_gap():
    plan = allocator.solve(hard_scenario(), gap=0, time_limit=3)
    assert plan.status == "feasible"
    assert plan.certificate.ok
    assert 0 < plan.gap < 0.2


def test_no_time_no_plan():
    plan = allocator.solve(hard_scenario(), gap=0, time_limit=1e-9)
    assert plan.status in ("no_plan", "feasible")
    assert plan.status == "no_plan" or plan.certificate.ok


def test_ctrl_c_gives_the_best_plan_so_far():
    start, before, sent = time.monotonic(), signal.getsignal(signal.SIGINT), []

    def interrupt(progress):
        if progress.objective is not None and not sent:  # there is a plan, however slow this machine is
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)

    plan = allocator.solve(hard_scenario(), gap=0, time_limit=120, on_progress=interrupt)
    assert plan.status == "feasible"
    assert plan.certificate.ok
    assert sent and time.monotonic() - start < 100
    assert signal.getsignal(signal.SIGINT) is before


@pytest.mark.parametrize("engine", ["sifting", "highs", "cbc", "cp-sat"])
@pytest.mark.parametrize("callback", ["stop", "on_progress"])
def test_what_the_caller_raises_reaches_the_caller(engine, callback):
    """Whichever word of the solve it is: an engine may not take it for its own failure."""
    for later in (0, 1, 5):
        words = iter([False] * later)

        def raises(*_, words=words):
            for word in words:
                return word
            raise LookupError("the caller's own")

        with pytest.raises(LookupError, match="own"):
            allocator.solve(hard_scenario(60), engine=engine, gap=0, time_limit=20, **{callback: raises})


def test_progress_is_told_in_points():
    told = []
    plan = allocator.solve(hard_scenario(60), gap=1e-3, time_limit=5, on_progress=told.append)
    best = [p.objective for p in told if p.objective is not None]
    assert best and max(best) <= plan.bound * (1 + 1e-6)


def test_arguments_are_checked():
    scenario = cheap_and_dear()
    with pytest.raises(ValueError, match="gap"):
        allocator.solve(scenario, gap=-1)
    with pytest.raises(ValueError, match="gap"):
        allocator.solve(scenario, gap=float("nan"))
    with pytest.raises(ValueError, match="time_limit"):
        allocator.solve(scenario, time_limit=0)
    with pytest.raises(KeyError, match="highs"):
        allocator.solve(scenario, engine="cplex")


def test_every_engine_is_named_and_says_so():
    assert set(ENGINES) <= set(engines.ENGINES)
    for name in (*ENGINES, "scip", "pdlp", "pulp:HiGHS"):
        plan = allocator.solve(cheap_and_dear(), engine=name)
        assert plan.summary()["engine"]["name"] == name
        assert plan.objective == 1


def test_demands_that_rows_do_not_tell_apart_share_their_money():
    """Region caps and counts see no fund and no year: thousands of demands, one class, few money columns."""
    rng = np.random.default_rng(0)
    n = 3000
    territories = pd.DataFrame(
        {"id": [f"t{k:02d}" for k in range(40)], "name": "t", "region": [f"r{k % 8}" for k in range(40)],
         "departement": "d", "population": 1000}
    )  # fmt: skip
    demands = pd.DataFrame(
        {"id": [f"d{k:04d}" for k in range(n)], "territory": rng.choice(territories["id"], n), "measure": "m",
         "units": rng.integers(1, 9, n), "asked": rng.integers(10_000, 99_999, n), "points": rng.integers(1, 99, n)}
    )  # fmt: skip
    scenario = allocator.Scenario(
        "one-class", [2026, 2027, 2028], [{"id": f"f{k}", "amounts": {2026: "9 M€", 2027: "9 M€", 2028: "9 M€"}} for k in range(4)],
        [{"id": "m"}], territories, demands,
        [{"kind": "ceiling", "per": "region", "amount": "15 M€"}, {"kind": "floor", "per": "region", "amount": "5 M€"},
         {"kind": "count", "of": "units", "max": 9000}],
        {"maximise": {"points": 1}},
    )  # fmt: skip
    compiled = compile(Space.of(scenario))
    assert compiled.classes == 1
    assert compiled.program.columns == n + 12  # against n × 12 money columns in a textbook program
    plan = allocator.solve(scenario)
    assert plan.status == "optimal"
    dealt = plan.grants.groupby("demand").size()
    assert len(plan.grants) <= len(dealt) + 12 - 1


@pytest.mark.parametrize("held", [100, 50, 99.99])
@pytest.mark.parametrize("part", ["1/3", "0.1", "1/7"])
def test_an_exact_share_of_few_cents_is_found(held, part):
    plan = allocator.solve(
        cheap_and_dear(
            funds=[{"id": "f", "amount": held}],
            demands=pd.DataFrame(
                {"id": ["a", "b"], "territory": "t", "measure": "m", "units": 1, "asked": 100, "points": 1}
            ),
            constraints=[{"kind": "share", "on": {"demands": ["a"]}, "of": {}, "min": part, "max": part}],
        )
    )
    assert plan.certificate.ok
    assert plan.bound >= plan.objective >= held / 100 - 1e-9


def test_what_cents_cannot_avoid_is_in_the_bound():
    """An equality may be missed by a cent's worth, and the bound knows it."""
    plan = allocator.solve(
        cheap_and_dear(constraints=[{"kind": "indicator", "indicator": "points", "min": 1 / 3, "max": 1 / 3}])
    )
    assert plan.certificate.ok
    assert plan.bound >= plan.objective


def test_a_cent_beside_fifteen_billions():
    demands = pd.DataFrame(
        {"id": ["a", "b"], "territory": "t", "measure": "m", "units": 1, "asked": ["15 Md€", 0.01], "points": 1}
    )
    fund = [{"id": "f", "amount": "15 Md€"}]
    lock = [{"kind": "lock", "id": "tout", "on": {}, "decision": "fund"}]
    for lumpy in (True, False):
        measures = [{"id": "m", "lumpy": lumpy}]
        plan = allocator.solve(cheap_and_dear(funds=fund, measures=measures, demands=demands, constraints=lock))
        assert plan.status == "infeasible"
        assert {party.rule.id for party in plan.conflict.parties} == {"f", "tout"}


def test_no_fund_no_money():
    plan = allocator.solve(cheap_and_dear(funds=[], constraints=[]))
    assert (plan.status, plan.objective, len(plan.grants)) == ("optimal", 0, 0)


def test_a_poor_plan_is_not_preferred_to_granting_nothing():
    """One school costs more points, under a soft least grant, than it brings."""
    demands = pd.DataFrame(
        {"id": ["d"], "territory": "t", "measure": "e", "units": [3], "asked": [2000], "emplois": [8]}
    )
    place = pd.DataFrame({"id": ["t"], "region": "r", "departement": "d", "population": 1})
    rule = {"kind": "min_grant", "amount": 4000, "soft": 0.01}
    plan = allocator.solve(
        allocator.Scenario(
            "m", [2026], [{"id": "f", "amount": 3000}], [{"id": "e", "lumpy": True}], place, demands, [rule],
            {"maximise": {"emplois": 1}},
        )
    )  # fmt: skip
    assert plan.status == "optimal" and plan.objective == 0


def test_the_order_of_measures_does_not_change_which_fund_pays():
    """Two classes, told apart by their measures' payments: either may be paid by either fund."""
    territories = pd.DataFrame({"id": ["t"], "region": "r", "departement": "d", "population": 1})
    demands = pd.DataFrame(
        {
            "id": ["a", "b"],
            "territory": "t",
            "measure": ["now", "later"],
            "units": [2.5, 3],
            "asked": [333_000, 500_000],
            "jobs": 1,
        }
    )
    measures = [{"id": "now", "payment_profile": [0.3, 0.7]}, {"id": "later", "payment_profile": [0, 1]}]
    funds = [
        {"id": "f", "amount": 765_000, "payments": {2026: 612_000, 2027: 1_155_000}},
        {"id": "g", "amount": 2_303_000},
    ]
    said = {"name": "m", "years": [2026], "funds": funds, "territories": territories, "demands": demands}
    said |= {"constraints": [], "objective": {"maximise": {"jobs": 1}}}
    one, other = (allocator.solve(allocator.Scenario(measures=m, **said)) for m in (measures, measures[::-1]))
    assert one.grants["fund"].nunique() == 2
    pd.testing.assert_frame_equal(one.grants, other.grants)


def test_the_order_of_rules_does_not_change_which_year_pays():
    places = ["t0", "t1", "t2"]
    territories = pd.DataFrame(
        {"id": places, "region": "r", "departement": ["67", "59", "59"], "population": [42_000, 18_000, 0]}
    )
    demands = pd.DataFrame(
        [
            ("d0", "t2", "ecole", 3, 125_000.37, 9, 2026, 0),
            ("d1", "t0", "ecole", 4, 500_000, 1, 2027, 2),
            ("d2", "t1", "ecole", 1, 100_000, 14, 2026, 0),
            ("d3", "t0", "friche", 2.5, 333_000, 14, 2027, 1),
            ("d5", "t0", "friche", 4, 100_000, 3, 2026, 0),
        ],
        columns=["id", "territory", "measure", "units", "asked", "jobs", "first_year", "min_units"],
    )
    rules = [
        {"kind": "min_grant", "id": "c0", "on": {"measures": "friche"}, "amount": 250_000},
        {"kind": "equity", "id": "c1", "per": "territory", "max_gap": 10},
        {"kind": "ceiling", "id": "c2", "on": {"demands": ["d3", "d5"]}, "amount": 462_000, "per": "departement"},
    ]
    worst = {"maximin": {"of": "euros_per_inhabitant", "per": "departement"}}
    said = {"name": "r", "years": [2026, 2027], "territories": territories, "demands": demands}
    said |= {"funds": [{"id": "f", "amount": 1_093_000}, {"id": "g", "amount": 1_763_000}]}
    said |= {"measures": [{"id": "friche"}, {"id": "ecole", "lumpy": True}]}
    said |= {"objective": {"lexicographic": [{"maximise": {"jobs": 1}}, worst]}}
    one, *others = (
        allocator.solve(allocator.Scenario(constraints=[rules[k] for k in order], **said))
        for order in ((0, 1, 2), (0, 2, 1), (2, 0, 1), (2, 1, 0))
    )
    for other in others:
        pd.testing.assert_frame_equal(one.grants, other.grants)

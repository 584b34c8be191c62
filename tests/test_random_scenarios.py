"""A sample of the random scenarios (`random_scenarios.py`, which runs thousands), and that their judge sees what is not so."""

from __future__ import annotations

from dataclasses import replace

from random_scenarios import disagreement, faults, run, scenario_of, truth_of

import allocator


def test_a_sample_of_random_scenarios() -> None:
    report = run(2, range(18))
    assert report.faults == []
    assert sum(count for (judge, _), count in report.said.items() if judge == "brute force") >= 9
    assert sum(report.missed.values()) <= 4


def test_the_judge_sees_what_is_not_so() -> None:
    scenario, size = scenario_of(2, 0)
    plan, truth = allocator.solve(scenario, gap=0), truth_of(scenario, size)
    assert truth is not None and truth.levels is not None and plan.status == "optimal"
    assert list(faults(scenario, plan, truth, 0)) == []

    def told(plan: allocator.Plan, levels: tuple[float, ...] | None) -> str:
        return "; ".join(faults(scenario, plan, truth._replace(levels=levels), 0))

    sign = plan.levels[0].aim.sign
    better, worse = ((truth.levels[0] + more * sign, *truth.levels[1:]) for more in (1, -1))
    assert "a bound of" in told(plan, better) and "optimal with" in told(plan, better)
    assert "more than the best plan has" in told(plan, worse)
    assert "a plan where there is none" in told(plan, None)
    assert "yet there is a plan" in told(replace(plan, status="infeasible"), truth.levels)
    assert "valid certificate" in told(replace(plan, certificate=replace(plan.certificate, checks=())), truth.levels)
    assert "says levels" in told(replace(plan, levels=plan.levels[:0]), truth.levels)
    low = replace(plan, levels=(replace(plan.levels[0], bound=plan.levels[0].objective - 1), *plan.levels[1:]))
    assert list(disagreement(plan, low)) and list(disagreement(plan, replace(plan, status="infeasible")))

"""Random scenarios of every kind, each solved by two engines and judged by somebody else.

    python tests/random_scenarios.py --count 20000 --seed 1

Scenario k is drawn from (seed, k) alone: every kind of rule, hard and soft, every objective, years, whole and divisible
units, transfers, carry-over (``strategies``). It is solved by the default engine and by another one in turn. Who judges:

* brute force, exact, where a scenario is tiny; there some weights lie up to twelve orders of magnitude apart;
* the textbook program in whole cents, where it has more plans than can be listed;
* the textbook program in euros (HiGHS through SciPy), up to what rounding to cents is worth, for larger ones.

A fault is a status, a value, a bound or a certificate that is not true; or an exception. A plan that could be better and
does not say otherwise (`feasible`, `no_plan`) is none, and is counted as missed. A sample runs with the tests.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from brute_force import TooMany, brute_force
from oracle_judge import levels_of, rounding_worth, violations
from strategies import draw
from strategies_rules import counted
from textbook import solve_textbook

import allocator
from allocator.engines import ENGINES
from allocator.scenario import Scenario
from allocator.solver import LP_ENGINE

OTHERS = [name for name in ENGINES if name != LP_ENGINE]
UNITS = ("none", "some", "all")
MOST_PLANS = 20_000  # combinations that brute force looks at
TINY = {"tiny": True, "demands": (1, 3), "funds": (1, 3), "years": (1, 3), "constraints": (0, 4), "cruelty": 0.15}
LARGER = {"demands": (4, 10)}
FEW_LARGER = 0.2  # of all scenarios
FAR_APART = 0.25  # of the tiny ones
GAP = 1e-4  # asked for larger scenarios; 0 for tiny ones


class Truth(NamedTuple):
    """What a judge knows. `levels`: the best value of each level, more being better only where points are (as `Best`), None
    where there is no plan. `loose`: how far off it may be; `exact`: it is the best plan in cents."""

    judge: str
    levels: tuple[Fraction | float, ...] | None
    loose: float = 0.0
    exact: bool = True


@dataclass
class Report:
    """Counts of scenarios: by what they hold, by judge, by what was said of them. `faults`: (k, what)."""

    cases: int = 0
    held: Counter[str] = field(default_factory=Counter)
    said: Counter[tuple[str, str]] = field(default_factory=Counter)  # (judge, status)
    missed: Counter[str] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    faults: list[tuple[int, str]] = field(default_factory=list)


def scenario_of(seed: int, k: int) -> tuple[Scenario, str]:
    """Scenario k of a seed, and which it is: "tiny", "far apart" (tiny, too) or "larger"."""
    rng = random.Random(f"{seed}/{k}")
    whole, tiny = rng.choice(UNITS), rng.random() >= FEW_LARGER
    scenario = draw(
        rng, whole_units=whole, everything=True, risks=tiny, odd_cents=rng.random() < 0.5, **(TINY if tiny else LARGER)
    )
    if tiny and rng.random() < FAR_APART:
        return far_apart(rng, scenario), "far apart"
    return scenario, "tiny" if tiny else "larger"


def far_apart(rng: random.Random, scenario: Scenario) -> Scenario:
    """The same, its points and its prices of breaches weighed anew, from 1e-6 to 1e6."""

    def weight() -> Fraction:
        return Fraction(10) ** rng.randint(-6, 6)

    rules = [
        rule if rule.soft is None else rule.model_copy(update={"soft": rule.soft * weight()})
        for rule in scenario.constraints
    ]
    points = getattr(scenario.objective, "maximise", None)
    if not isinstance(points, dict):
        return scenario.with_(constraints=rules)
    weights = {name: str(weight() if value > 0 else -weight()) for name, value in points.items()}
    return scenario.with_(constraints=rules, objective={"maximise": weights})


# Judging -----------------------------------------------------------------------------------------------


def truth_of(scenario: Scenario, size: str) -> Truth | None:
    """The best there is, from who can tell; None where nobody can, or not in time."""
    tiny = size != "larger"
    if tiny:
        try:
            best = brute_force(scenario, MOST_PLANS)
            return Truth("brute force", best.levels if best.plan is not None else None)
        except TooMany:
            if size == "far apart":  # too much for floats
                return None
            told, judge = solve_textbook(scenario, cents=True, time_limit=3), "textbook, cents"
    else:
        told, judge = solve_textbook(scenario, time_limit=3), "textbook"
    if told.status == "limit":
        return None
    if told.objective is None:
        return Truth(judge, None, exact=tiny)
    loose = 1e-6 * max(1.0, abs(told.objective)) + (0.0 if tiny else 3 * float(rounding_worth(scenario)))
    return Truth(judge, told.levels, loose, tiny)


def faults(scenario: Scenario, plan: Any, truth: Truth, gap: float) -> Iterator[str]:
    """What a plan says that is not so."""
    if plan.status not in ("optimal", "feasible", "infeasible", "no_plan"):
        yield f"an unknown status {plan.status}"
    if plan.status == "no_plan":
        return
    if not plan.certificate.ok:
        yield f"{plan.status} without a valid certificate"
    if plan.status == "infeasible":
        if truth.levels is not None and (truth.exact or above(scenario) is not None):
            yield "infeasible, yet there is a plan"
        return
    broken = violations(scenario, plan.grants)
    if broken:
        yield f"breaks {broken[:2]}"
        return
    values = levels_of(scenario, plan.grants)
    said = [level.objective * level.aim.sign for level in plan.levels]
    if said != list(values)[: len(said)] or (plan.status == "optimal" and len(said) < len(values)):
        yield f"says levels {[float(v) for v in said]}, which are {[float(v) for v in values]}"
    if not plan.levels:
        return
    sign = plan.levels[0].aim.sign
    own, bound = sign * values[0], plan.levels[0].bound
    if bound is not None and bound < own:
        yield "a bound below its own plan"
    if truth.levels is None:
        if truth.exact or above(scenario) is None:
            yield "a plan where there is none"
        return
    best, loose = sign * truth.levels[0], truth.loose
    if bound is not None and bound < best - Fraction(loose):
        yield f"a bound of {float(bound)!r}, yet a plan has {float(best)!r}"
    if plan.status == "optimal" and own < best - Fraction(loose) - Fraction(gap) * abs(own):
        yield f"optimal with {float(own)!r}, yet a plan has {float(best)!r}"
    if plan.status == "optimal" and truth.judge == "brute force" and tuple(values) != tuple(truth.levels):
        yield f"optimal with levels {[float(v) for v in values]}, yet a plan has {[float(v) for v in truth.levels]}"
    if own > best + Fraction(loose):
        most = None if truth.exact else above(scenario)  # cents that rates are rounded up by beat real euros
        if most is None or own > Fraction(sign * most + loose):
            yield f"{float(own)!r}, more than the best plan has: {float(best)!r}"


def above(scenario: Scenario) -> float | None:
    """The best in euros where each rate lets a cent more through; None where even that leaves no plan."""
    return solve_textbook(scenario, rounded_up=True).objective


def disagreement(one: Any, other: Any) -> Iterator[str]:
    """What two plans of one scenario say against each other, in exact numbers."""
    for a, b in ((one, other), (other, one)):
        if a.status == "infeasible" and b.status in ("optimal", "feasible"):
            yield f"infeasible by {a.engine.name}, a plan by {b.engine.name}"
        if a.levels and b.levels and a.levels[0].bound is not None and a.levels[0].bound < b.levels[0].objective:
            yield f"{a.engine.name} bounds by {float(a.levels[0].bound)!r}, {b.engine.name} has {float(b.levels[0].objective)!r}"


def missed(plan: Any, truth: Truth) -> bool:
    """Whether a plan that there is, or a better one by more than the judge's tolerance, was not found."""
    if truth.levels is None:
        return plan.status == "no_plan"
    if plan.status == "no_plan":
        return True
    sign = plan.levels[0].aim.sign
    return bool(plan.levels[0].objective < sign * truth.levels[0] - Fraction(truth.loose))


def judge(seed: int, k: int, report: Report) -> None:
    """Draw, solve twice and judge one scenario; what is found goes into the report."""
    other = OTHERS[k % len(OTHERS)]
    report.cases += 1
    try:
        scenario, size = scenario_of(seed, k)
        report.held.update(counted(scenario))
        truth = truth_of(scenario, size)
        if truth is None:
            report.said["nobody", "-"] += 1
            return
        gap = GAP if size == "larger" else 0
        plans = [allocator.solve(scenario, engine=name, gap=gap, time_limit=10) for name in ("auto", other)]
        report.said[truth.judge, plans[0].status] += 1
        report.engines[other] += 1
        report.missed[truth.judge] += missed(plans[0], truth)
        for plan in plans:
            report.faults += [(k, f"{plan.engine.name}: {what}") for what in faults(scenario, plan, truth, gap)]
        report.faults += [(k, what) for what in disagreement(*plans)]
    except Exception as error:
        at = [f"{Path(f.filename).name}:{f.lineno}" for f in traceback.extract_tb(error.__traceback__)][-2:]
        report.faults.append((k, f"{type(error).__name__}: {str(error)[:160]} at {' < '.join(reversed(at))} ({other})"))


# Running -----------------------------------------------------------------------------------------------


def run(seed: int, numbers: range, every: int = 0) -> Report:
    """Scenarios of these numbers; where things stand is printed after each `every`, and each fault at once."""
    report, began = Report(), time.perf_counter()
    for k in numbers:
        before = len(report.faults)
        try:
            judge(seed, k, report)
        except KeyboardInterrupt:  # what is known by now is shown
            report.cases -= 1
            break
        if every:
            for number, what in report.faults[before:]:
                print(f"  --seed {seed} --first {number} --count 1: {what}", flush=True)
            if report.cases % every == 0:
                print(
                    f"{report.cases} of {len(numbers)}, {time.perf_counter() - began:.0f} s, {len(report.faults)} faults",
                    flush=True,
                )
    return report


def show(report: Report) -> None:
    """The report as tables."""
    print(f"{report.cases} scenarios, {len(report.faults)} faults")
    print(
        f"\n{'judge':16} {'optimal':>8} {'feasible':>9} {'infeasible':>11} {'no_plan':>8} {'not solved':>11} {'missed':>7}"
    )
    for name in sorted({judge for judge, _ in report.said}):
        counts = [report.said[name, status] for status in ("optimal", "feasible", "infeasible", "no_plan", "-")]
        print(
            f"{name:16} {counts[0]:8} {counts[1]:9} {counts[2]:11} {counts[3]:8} {counts[4]:11} {report.missed[name]:7}"
        )
    print("\nalso solved by " + ", ".join(f"{name} {count}" for name, count in sorted(report.engines.items())))
    print("\nholding " + ", ".join(f"{name} {count}" for name, count in sorted(report.held.items())))
    for k, what in report.faults:
        print(f"  {k}: {what}")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--first", type=int, default=0, help="number of the first scenario")
    options = parser.parse_args()
    report = run(options.seed, range(options.first, options.first + options.count), every=200)
    show(report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())

"""Every engine on the built-in scenario and on random ones: do they agree, and how long do they take?

python benchmarks/engines.py [how many random scenarios]
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests"))

from strategies import random_scenario

import allocator

ENGINES = ("highs", "glop", "cbc", "cp-sat", "scip", "pdlp", "pulp:HiGHS", "pulp:PULP_CBC_CMD")
GAP = 1e-4


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    built_in = allocator.load("propositions-2025")
    print(f"{'engine':17} {'objective':>18} {'bound':>18} {'gap':>9} {'seconds':>8}   propositions-2025")
    for name in ENGINES:
        start = time.perf_counter()
        plan = allocator.solve(built_in, engine=name, gap=GAP)
        print(
            f"{name:17} {plan.objective:18.4f} {plan.bound:18.4f} {plan.gap:9.1e} {time.perf_counter() - start:8.2f}   {plan.status}"
        )
    kinds = ("none", "some", "all")
    statuses: dict[str, dict[str, int]] = {name: {} for name in ENGINES}
    seconds: dict[str, list[float]] = {name: [] for name in ENGINES}
    apart = compared = 0
    for seed in range(count):
        scenario = random_scenario(10_000 + seed, whole_units=kinds[seed % 3])
        plans = {}
        for name in ENGINES:
            start = time.perf_counter()
            plans[name] = allocator.solve(scenario, engine=name, gap=GAP, time_limit=20)
            seconds[name].append(time.perf_counter() - start)
            statuses[name][plans[name].status] = statuses[name].get(plans[name].status, 0) + 1
        for one in plans.values():
            for other in plans.values():
                if one.status == other.status == "optimal":
                    compared += 1
                    room = 2 * GAP * max(abs(one.objective), abs(other.objective)) + 1e-9
                    apart += abs(one.objective - other.objective) > room
    print(f"\n{count} random scenarios: {compared} pairs of optimal plans compared, {apart} further apart than the gap")
    for name in ENGINES:
        print(
            f"{name:17} {statuses[name]}   median {statistics.median(seconds[name]):.3f} s, worst {max(seconds[name]):.2f} s"
        )


if __name__ == "__main__":
    main()

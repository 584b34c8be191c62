"""Questions of many solves, whose answers come piece by piece: what is found so far is drawn, and kept when stopped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import allocator
from allocator.explain import Stopped
from allocator.explain.costs import Costs, cost
from allocator.explain.variants import SECONDS, Variants
from allocator.texts import Text
from ui import work
from ui.collection import collection

if TYPE_CHECKING:
    from allocator.frontier import Frontier

POINT = 10.0  # seconds for each plan of a frontier
GAP = 1e-4


def costs(ref: str) -> work.Job:
    """What each rule of a scenario's plan costs: `explain(about="costs")`, rule by rule."""
    made = work.plan(ref)

    def found(job: work.Job) -> Costs:
        if made.result is None:
            raise made.refusal or Stopped
        variants = Variants(made.result, GAP, SECONDS, None, lambda: job.ending)
        rules = [rule for rule in variants.scenario.constraints if rule.enabled]
        each = [] if job.sofar is None else list(job.sofar.ranked)
        known = {one.rule for one in each}
        job.begun = job.share = len(each) / len(rules) if rules else 1.0
        for rule in rules:
            if rule.id in known:
                continue
            k = len(each)
            job.tell(
                Text(f"{k} sur {len(rules)} ; sans « {rule.label} »", f"{k} of {len(rules)}; without “{rule.label}”")
            )
            each.append(cost(variants, rule.id))
            job.sofar = Costs.of(each)
            job.share = len(each) / len(rules)
        return Costs.of(each)

    return work.workshop().ask(("costs", ref, str(made.rank[1])), found, later=True, after=made)


def frontier(ref: str, x: str, y: str, points: int) -> work.Job:
    """`allocator.frontier` of a scenario, plan by plan."""

    def found(job: work.Job) -> Frontier:
        def on_point(what: Text, count: int, seconds: float) -> None:
            job.said = Text(f"plans trouvés : {count}", f"plans found: {count}")

        def on_found(so_far: Frontier) -> None:
            job.sofar = so_far

        scenario = collection().scenario(ref)
        more: dict[str, Any] = {"on_point": on_point, "on_found": on_found, "stop": lambda: job.ending}
        return allocator.frontier(scenario, x, y, points=points, time_limit=POINT, **more)

    return work.workshop().ask(("frontier", ref, x, y, str(points)), found, later=True)

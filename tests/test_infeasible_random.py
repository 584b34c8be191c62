"""On random scenarios that cannot be: what is named conflicts, leaving out any part resolves it, each change works."""

from __future__ import annotations

from functools import reduce

from hypothesis import HealthCheck, assume, given, settings
from strategies import scenarios

import allocator
from allocator.explain.infeasible import Infeasible

SMALL = {"demands": (2, 5), "funds": (1, 2), "years": (1, 2), "constraints": (2, 4), "cruelty": 0.7}


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow])
@given(scenarios(**SMALL))
def test_minimal_conflicts_and_changes_that_work(question):
    plan = allocator.solve(question, time_limit=5)
    assume(plan.status == "infeasible")
    found = allocator.explain(plan, time_limit=5)
    assert isinstance(found, Infeasible)
    named = [part.requirement for part in found.parts]
    assert named
    if found.minimal:
        rules = {r.key[1] for r in named if r.key[0] != "fund"}
        hard = [c.id for c in question.constraints if c.enabled and c.soft is None and c.id not in rules]
        off = [c.model_copy(update={"enabled": False}) if c.id in hard else c for c in question.constraints]
        together = question.with_(constraints=off)
        assert allocator.solve(together, time_limit=20).status == "infeasible"
    for remedy in found.remedies:
        changed = reduce(lambda s, change: change.on(s), remedy.changes, question)
        assert remedy.certificate.ok
        assert allocator.solve(changed, gap=1e9, time_limit=20).status != "infeasible", remedy.text()

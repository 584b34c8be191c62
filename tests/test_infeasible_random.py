"""On random scenarios that cannot be: what is named conflicts, leaving out any part resolves it, each change works."""

from __future__ import annotations

from functools import reduce

from hypothesis import HealthCheck, Phase, assume, given, settings
from strategies import scenarios

import allocator
from allocator.explain.infeasible import Infeasible

SMALL = {"demands": (2, 5), "funds": (1, 2), "years": (1, 2), "constraints": (2, 4), "cruelty": 0.7}


def rich(fund, years):
    """A fund with more than anybody asks for, at any rate, whenever."""
    money = {"amount": 10**9} if fund.amounts is None else {"amounts": dict.fromkeys(years, 10**9)}
    return fund.model_copy(update={**money, "payments": None, "max_rate": 1, "notified": None, "notified_until": None})


@settings(
    max_examples=8, deadline=None, phases=[Phase.generate],  # dozens of solves each: shrinking would take an hour
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)  # fmt: skip
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
        funds = {r.key[1] for r in named if r.key[0] == "fund"}
        plenty = [f if f.id in funds else rich(f, question.years) for f in question.funds]
        together = question.with_(constraints=off, funds=plenty)
        assert allocator.solve(together, time_limit=20).status == "infeasible"
        for name in rules:
            fewer = [c.model_copy(update={"enabled": False}) if c.id == name else c for c in together.constraints]
            if not funds:  # a fund named may have other terms that stand in the way
                assert allocator.solve(together.with_(constraints=fewer), time_limit=20).status != "infeasible", name
    for remedy in found.remedies:
        changed = reduce(lambda s, change: change.on(s), remedy.changes, question)
        assert remedy.certificate.ok
        assert allocator.solve(changed, gap=1e9, time_limit=20).status != "infeasible", remedy.text()

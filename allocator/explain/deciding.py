"""Which rules decide on a demand: few of them without which it is decided the other way."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from allocator.explain.limits import wanted_of
from allocator.explain.variants import Variants
from allocator.plan import Plan
from allocator.reading import Level
from allocator.selection import Selection

RULES_TRIED = 8
RULE_SOLVES = 8  # solves at most to find which of them decide


@dataclass(frozen=True)
class Rules:
    """Rules tried by leaving them out (id, label): without all of `tried` the decision is the same, or without `deciding`
    alone, the fewest of them that were found, it is another; `fewest`: with any one of these kept, it is the same."""

    tried: tuple[tuple[str, str], ...] = ()
    deciding: tuple[tuple[str, str], ...] = ()
    fewest: bool = False


def deciding(variants: Variants, demand: str, turned: Callable[[Plan], bool]) -> Rules:
    """Few rules without which the demand is decided the other way, among those that may bind on it and those that secure
    money for others: all are left out together, then half of them, then all but one, as long as that turns the decision over
    and `RULE_SOLVES` allow."""
    binding = [(rule, levels) for rule, levels in variants.plan.certificate.levels if rule.kind != "fund"]
    its_own = {rule.id: rule for rule, levels in binding if _binds(variants, demand, rule, levels)}
    of_others = {
        rule.id: rule for rule, levels in binding
        if rule.id in variants.plan.binding and any(level.tight and level.lower is not None for level in levels)
    }  # fmt: skip
    rules = list({**its_own, **of_others}.values())[:RULES_TRIED]
    tried = tuple((str(rule.id), str(rule.label or rule.id)) for rule in rules)

    known: dict[tuple[tuple[str, str], ...], bool] = {}

    def decide(some: tuple[tuple[str, str], ...]) -> bool:
        if some not in known and len(known) < RULE_SOLVES:
            known[some] = turned(variants.without(*(rule for rule, _ in some)))
        return known.get(some, False)

    if not tried or not decide(tried):
        return Rules(tried)
    few: tuple[tuple[str, str], ...] | None = tried
    while few is not None:
        best, half = few, (len(few) + 1) // 2
        kept_one = [best[:k] + best[k + 1 :] for k in range(len(best))] if len(best) > 1 else []
        few = next(
            (some for some in (*([best[:half], best[half:]] if kept_one else []), *kept_one) if decide(some)), None
        )
    return Rules(tried, best, fewest=all(some in known for some in kept_one))


def _binds(variants: Variants, demand: str, rule: Any, levels: tuple[Level, ...]) -> bool:
    """Whether a rule speaks of the demand and of a fund that may pay it, and stands close enough to its side, where the
    demand is, for its grant to matter."""
    plan, scenario = variants.plan, variants.scenario
    if rule.id not in plan.binding and rule.kind not in ("lock", "fund_rate", "cofunding"):
        return False
    at = int((scenario.demands["id"] == demand).to_numpy().argmax())
    if not wanted_of(plan, rule, np.array([at]))[0]:
        return False
    may = np.array([f.on is None or bool(f.on.pick(scenario).demands[at]) for f in scenario.funds])
    sides: list[Any] = [getattr(rule, name, None) for name in ("on", "of")]
    picks = [side.pick(scenario) for side in sides if isinstance(side, Selection)]
    if not any(pick.demands[at] and (pick.funds & may).any() for pick in picks):
        return False
    row: Any = scenario.demands.iloc[at]
    per, asked = getattr(rule, "per", None), int(plan.asked_cents()[at]) / 100
    if per in (None, "fund", "year"):
        return True
    territory: Any = scenario.territories.set_index("id").loc[row["territory"]]
    here = row["territory"] if per == "territory" else row[per] if per in row else territory.get(per)
    return any(level.group == str(here) and (level.slack is None or level.slack <= asked) for level in levels)

"""A reason for every decision, derived by solving variants of the scenario, in the scenario's own words.

One module per question; `TOPICS` lists those that a name asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from allocator.explain.explanation import Explanation
from allocator.explain.variants import SECONDS, OnStep, Stop, Stopped, Variants
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.plan import Plan

__all__ = ["TOPICS", "Explanation", "Stopped", "explain"]


def _costs(variants: Variants) -> Explanation:
    from allocator.explain.costs import costs

    return costs(variants)


def _money(variants: Variants) -> Explanation:
    from allocator.explain.money import next_million

    return next_million(variants)


def _left(variants: Variants) -> Explanation:
    from allocator.explain.left import left

    return left(variants)


def _near(variants: Variants, brief: bool = False, demand: str | None = None) -> Explanation:
    from allocator.explain.near import BRIEF, EACH, TOLERANCES, certainty, near

    sizes = BRIEF if brief else (TOLERANCES, EACH)
    return near(variants, *sizes) if demand is None else certainty(variants, demand, *sizes)


TOPICS: dict[str, Callable[[Variants], Explanation]] = {
    "costs": _costs,
    "money": _money,
    "left": _left,
    "near": _near,
}
"""What `about` accepts beside "overview": a function of the variants of a plan each."""


def explain(
    plan: Plan,
    *,
    demand: str | None = None,
    constraint: str | None = None,
    fund: str | None = None,
    against: Plan | None = None,
    about: str = "overview",
    brief: bool = False,
    gap: float = 1e-4,
    time_limit: float | None = SECONDS,
    on_step: OnStep | None = None,
    stop: Stop | None = None,
) -> Explanation:
    """Why a plan is as it is: `.text(lang="fr"|"en")`, `.as_dict()`.

    `demand`: why it is funded or not, and what would change that. `constraint`: what the rule costs. `fund`: what more
    money buys, up to where it buys nothing, and who is next. `against`: another plan; who wins and who loses from it to
    this one. None of them: `about`, one of `TOPICS`; with a demand, `about="near"` says how certain its decision is. An
    infeasible plan is explained by what conflicts. `brief`: what takes a few solves only (no curves, lists, costs of every
    rule or least changes; of a demand, neither the rules tried nor the funds that would flip it; fewer other plans). `gap`, `time_limit`: of each variant solved; `on_step` is told
    what is being solved, and may raise; `stop`, asked again and again, ends it all with `Stopped` once it says so.
    Raises `ScenarioError` for a name that the scenario does not have, or more than one question.
    """
    variants = Variants(plan, gap, time_limit, on_step, stop)
    scenario = plan.scenario
    asked = {"demand": demand, "constraint": constraint, "fund": fund, "against": against}
    questions = {key: value for key, value in asked.items() if value is not None}
    certain = demand is not None and about == "near"
    if len(questions) > 1 or (questions and about != "overview" and not certain):
        text = Text("une seule question à la fois", "one question at a time")
        raise ScenarioError([Problem(", ".join(questions), text)])
    if against is not None:
        from allocator.explain.winners import winners

        return winners(plan, against)
    if plan.reading is None:
        from allocator.explain.infeasible import infeasible

        return infeasible(variants, brief)
    if demand is not None and certain:
        return _near(variants, brief, _known("demand", demand, scenario.demands["id"]))
    if demand is not None:
        from allocator.explain.funded import funded

        return funded(variants, _known("demand", demand, scenario.demands["id"]), brief=brief)
    funds = [f.id for f in scenario.funds]
    if constraint is not None and constraint not in funds:
        from allocator.explain.costs import cost

        return cost(variants, _known("constraint", constraint, [c.id for c in scenario.constraints]))
    if fund is not None or constraint is not None:
        from allocator.explain.money import response

        return response(variants, _known("fund", str(fund or constraint), funds), brief=brief)
    if about == "near":
        return _near(variants, brief)
    if about == "overview":
        from allocator.explain.overview import overview

        return overview(variants, brief=brief)
    return TOPICS[_known("about", about, ["overview", *TOPICS])](variants)


def _known(what: str, name: str, names: Iterable[str]) -> str:
    names = list(names)
    if name not in names:
        called = {
            "demand": Text("dossier inconnu", "unknown demand"),
            "constraint": Text("règle inconnue", "unknown constraint"),
            "fund": Text("fonds inconnu", "unknown fund"),
            "about": Text("sujet inconnu", "unknown topic"),
        }[what]
        unknown = Text(f"{called.fr} « {name} »", f"{called.en} “{name}”")
        raise ScenarioError([Problem(what, unknown, did_you_mean(name, names))])
    return name

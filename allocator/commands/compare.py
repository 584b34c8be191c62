"""`allocator compare`: several scenarios solved and laid beside each other."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from allocator.commands.common import (
    OK,
    SCENARIO,
    STATUS,
    output_options,
    solved,
    solving_options,
    steps_told,
    told,
    written,
)
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.explain import Explanation
    from allocator.plan import Plan

NAME = "compare"
HELP = Text("compare des scénarios", "compare scenarios")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenarios", nargs="+", metavar="scenario", help=str(SCENARIO))
    solving_options(parser)
    output_options(parser)
    costs = Text(
        "dire aussi ce que coûte chaque règle (un calcul par règle)", "say what each rule costs too (a solve a rule)"
    )
    parser.add_argument("--costs", action="store_true", help=str(costs))


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when every scenario has a plan, else that of the first that has none."""
    from allocator.compare import compare
    from allocator.problems import Problem, ScenarioError
    from allocator.report import comparison as report

    if len(options.scenarios) < 2:
        remedy = Text("allocator compare A B", "allocator compare A B")
        raise ScenarioError([Problem("", Text("il faut au moins deux scénarios", "two scenarios at least"), remedy)])
    plans = solved(options, options.scenarios)
    comparison = compare(plans)
    reasons = _reasons(dict(zip(comparison.names, plans, strict=True)), options) if options.costs else None
    files = written(options, lambda folder: report.write_comparison(comparison, folder, reasons))
    told(
        options,
        report.told(comparison, reasons),
        lambda console: report.print_comparison(comparison, console, reasons),
        files,
    )
    return next((STATUS[plan.status] for plan in plans if STATUS[plan.status] != OK), OK)


def _reasons(plans: dict[str, Plan], options: argparse.Namespace) -> dict[str, Explanation]:
    """What the rules of each plan cost; of those that are plans."""
    from allocator.explain import explain
    from allocator.explain.variants import SECONDS

    limit = options.time_limit or SECONDS
    with steps_told() as tell:
        return {
            name: explain(plan, about="costs", gap=options.gap, time_limit=limit, on_step=tell)
            for name, plan in plans.items()
            if plan.reading is not None
        }

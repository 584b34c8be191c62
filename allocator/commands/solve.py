"""`allocator solve`: the best plan of a scenario, printed and written."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from allocator.commands.common import (
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

NAME = "solve"
HELP = Text("calcule le meilleur plan", "find the best plan")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    solving_options(parser)
    output_options(parser)
    note = Text("écrire aussi note.pdf, deux pages pour qui décide", "also write note.pdf, two pages for who decides")
    costs = Text(
        "y dire ce que coûte chaque règle (un calcul par règle)", "say there what each rule costs (a solve a rule)"
    )
    parser.add_argument("--pdf", action="store_true", help=str(note))
    parser.add_argument("--costs", action="store_true", help=str(costs))


def run(options: argparse.Namespace) -> int:
    from allocator.report.console import print_plan
    from allocator.report.files import summary, write_plan

    _check(options)
    (plan,) = solved(options, [options.scenario])
    reasons = _reasons(plan, options) if options.costs else None
    files = written(options, lambda folder: write_plan(plan, folder, pdf=options.pdf, reasons=reasons))
    told(options, summary(plan, reasons), lambda console: print_plan(plan, console), files)
    return STATUS[plan.status]


def _check(options: argparse.Namespace) -> None:
    """What would be found out only after the solve."""
    from allocator.problems import Problem, ScenarioError

    for name in ("pdf", "costs"):
        if getattr(options, name) and not options.out:
            missing = Text(f"--{name} va avec --out", f"--{name} goes with --out")
            raise ScenarioError([Problem(f"--{name}", missing, Text("ajouter --out DOSSIER", "add --out FOLDER"))])
    if options.pdf:
        from allocator.report.document import available

        available()


def _reasons(plan: Plan, options: argparse.Namespace) -> Explanation:
    """What each rule costs; what conflicts, where there is no plan."""
    from allocator.explain import explain
    from allocator.explain.variants import SECONDS

    with steps_told() as tell:
        return explain(plan, about="costs", gap=options.gap, time_limit=options.time_limit or SECONDS, on_step=tell)

"""`allocator solve`: the best plan of a scenario, printed and written."""

from __future__ import annotations

import argparse

from allocator.commands.common import SCENARIO, STATUS, output_options, solved, solving_options, told, written
from allocator.texts import Text

NAME = "solve"
HELP = Text("calcule le meilleur plan", "find the best plan")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    solving_options(parser)
    output_options(parser)


def run(options: argparse.Namespace) -> int:
    from allocator.report.console import print_plan
    from allocator.report.files import write_plan

    (plan,) = solved(options, [options.scenario])
    files = written(options, lambda folder: write_plan(plan, folder))
    told(options, plan.summary(), lambda console: print_plan(plan, console), files)
    return STATUS[plan.status]

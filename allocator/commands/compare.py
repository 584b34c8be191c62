"""`allocator compare`: several scenarios solved and laid beside each other."""

from __future__ import annotations

import argparse

from allocator.commands.common import OK, SCENARIO, STATUS, output_options, solved, solving_options, told, written
from allocator.texts import Text

NAME = "compare"
HELP = Text("compare des scénarios", "compare scenarios")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenarios", nargs="+", metavar="scenario", help=str(SCENARIO))
    solving_options(parser)
    output_options(parser)


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when every scenario has a plan, else that of the first that has none."""
    from allocator.compare import compare
    from allocator.problems import Problem, ScenarioError
    from allocator.report.comparison import print_comparison, write_comparison

    if len(options.scenarios) < 2:
        remedy = Text("allocator compare A B", "allocator compare A B")
        raise ScenarioError([Problem("", Text("il faut au moins deux scénarios", "two scenarios at least"), remedy)])
    plans = solved(options, options.scenarios)
    comparison = compare(plans)
    files = written(options, lambda folder: write_comparison(comparison, folder))
    told(options, comparison.as_dict(), lambda console: print_comparison(comparison, console), files)
    return next((STATUS[plan.status] for plan in plans if STATUS[plan.status] != OK), OK)

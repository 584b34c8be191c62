"""`allocator compare`: several scenarios, solved, or saved plans, laid beside each other."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from allocator.commands.common import (
    OK,
    SCENARIO,
    STATUS,
    loaded,
    output_options,
    solved,
    solving_options,
    steps_told,
    store_option,
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
    saved = Text("ou l'identifiant d'un plan enregistré", "or the id of a saved plan")
    help = Text(f"{SCENARIO.fr}, {saved.fr}", f"{SCENARIO.en}, {saved.en}")
    parser.add_argument("scenarios", nargs="+", metavar="scenario", help=str(help))
    solving_options(parser)
    output_options(parser)
    costs = Text(
        "dire aussi ce que coûte chaque règle (un calcul par règle)", "say what each rule costs too (a solve a rule)"
    )
    parser.add_argument("--costs", action="store_true", help=str(costs))
    store_option(parser)


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when every scenario has a plan, else that of the first that has none."""
    from allocator.compare import compare
    from allocator.problems import Problem, ScenarioError
    from allocator.report import comparison as report

    if len(options.scenarios) < 2:
        remedy = Text("allocator compare A B", "allocator compare A B")
        raise ScenarioError([Problem("", Text("il faut au moins deux scénarios", "two scenarios at least"), remedy)])
    plans, names = _plans(options)
    comparison = compare(plans, names)
    reasons = _reasons(dict(zip(comparison.names, plans, strict=True)), options) if options.costs else None
    files = written(options, lambda folder: report.write_comparison(comparison, folder, reasons))
    told(
        options,
        report.told(comparison, reasons),
        lambda console: report.print_comparison(comparison, console, reasons),
        files,
    )
    return next((STATUS[plan.status] for plan in plans if STATUS[plan.status] != OK), OK)


def _plans(options: argparse.Namespace) -> tuple[list[Plan], list[str]]:
    """The plans of scenarios, solved, and those of the store, as they were saved; what each is called."""
    from pathlib import Path

    from allocator import data, saved
    from allocator.problems import ScenarioError

    known = set(data.names())
    ids = {name for name in options.scenarios if saved.is_id(name) and name not in known and not Path(name).exists()}
    if not ids and options.store is None:
        plans = solved(options, options.scenarios)
        return plans, [plan.scenario.name for plan in plans]
    from allocator.store import Store

    with Store(options.store, create=False) as store, saved.reading(store.plan):
        found: dict[str, Plan] = {}
        problems = []
        for name in sorted(ids):
            try:
                found[name] = store.opened(name)
            except ScenarioError as error:
                problems += error.problems
        asked = [name for name in options.scenarios if name not in ids]
        if problems:
            try:
                loaded(options, asked)
            except ScenarioError as error:
                problems += error.problems
            raise ScenarioError(problems)
        others = iter(solved(options, asked))
    plans = [found[name] if name in ids else next(others) for name in options.scenarios]
    called = [
        f"{plan.scenario.name} {name}" if name in ids else plan.scenario.name
        for name, plan in zip(options.scenarios, plans, strict=True)
    ]
    return plans, called


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

"""`allocator risk`: what a plan risks when costs or benefits turn out otherwise, and plans that hold up."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

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
    from rich.console import Console

    from allocator.plan import Plan
    from allocator.risk.uncertainty import Uncertainty
    from allocator.scenario import Scenario

NAME = "risk"
HELP = Text("ce qu'un plan risque, et des plans qui tiennent", "what a plan risks, and plans that hold up")
SECONDS = 60.0  # for each robust plan


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    uncertain = Text("ce qui est incertain ; sans elle, incertitudes.yaml à côté du scénario",
                     "what is uncertain; without it, incertitudes.yaml beside the scenario")  # fmt: skip
    robust = Text(
        "aussi le prix de la robustesse, et le moindre regret", "also the price of robustness, and least regret"
    )
    parser.add_argument("--with", dest="uncertain", metavar="F.yaml", help=str(uncertain))
    parser.add_argument("--robust", action="store_true", help=str(robust))
    parser.add_argument("--samples", type=int, default=10_000, metavar="N", help=str(Text("tirages", "draws")))
    parser.add_argument("--seed", type=int, default=1, metavar="K", help=str(Text("graine des tirages", "their seed")))
    solving_options(parser)
    output_options(parser)


def run(options: argparse.Namespace) -> int:
    from allocator.problems import Problem, ScenarioError
    from allocator.report import risk as report
    from allocator.risk.assess import assess
    from allocator.risk.influence import influence

    for name, least in (("samples", 2), ("seed", 0)):
        if getattr(options, name) < least:
            message = Text(f"un entier d'au moins {least} est attendu", f"a whole number >= {least} is expected")
            raise ScenarioError([Problem(f"--{name}", message, Text("par exemple 10000", "for example 10000"))])
    scenario, uncertainty = _uncertainty(options)
    if options.robust:
        _check_robust(options, scenario, uncertainty)
    (plan,) = solved(options, [options.scenario])
    if plan.reading is None:
        from allocator.report.console import print_plan
        from allocator.report.files import summary

        told(options, summary(plan), lambda console: print_plan(plan, console), [])
        return STATUS[plan.status]
    risk = assess(plan, uncertainty, options.samples, options.seed)
    try:
        matters = influence(plan, uncertainty, seed=options.seed)
    except ScenarioError as error:  # the library is optional
        print(error, file=sys.stderr)
        matters = None
    price, regrets = _robust(plan, uncertainty, options) if options.robust else (None, None)

    def show(console: Console) -> None:
        report.print_risk(risk, matters, console)
        if price is not None:
            report.print_price(price, console)
        if regrets is not None:
            report.print_regret(regrets, console)

    files = written(options, lambda folder: report.write_risk(folder, risk, matters, price, regrets))
    told(options, report.as_dict(risk, matters, price, regrets), show, files)
    return STATUS[plan.status]


def _uncertainty(options: argparse.Namespace) -> tuple[Scenario, Uncertainty]:
    """The scenario and what is uncertain of it, read before anything is solved; beside the scenario where none is named."""
    from allocator.formats import load
    from allocator.risk.uncertainty import load as load_uncertainty

    scenario = load(options.scenario)
    return scenario, load_uncertainty(_beside(options), scenario)


def _beside(options: argparse.Namespace) -> str:
    """The file of what is uncertain."""
    from pathlib import Path

    from allocator import data
    from allocator.risk.uncertainty import FILE

    if options.uncertain is not None:
        return str(options.uncertain)
    root = data.path(options.scenario) if options.scenario in data.names() else Path(options.scenario)
    return str((root if root.is_dir() else root.parent) / FILE)


def _robust(plan: Plan, uncertainty: Uncertainty, options: argparse.Namespace) -> tuple[Any, Any]:
    """The price of robustness where costs weigh on funds, least regret where futures are named."""
    import time

    from allocator.problems import ScenarioError
    from allocator.risk.regret import least_regret
    from allocator.risk.robust import price, weighing
    from allocator.solver import Session, interruptible

    limit = options.time_limit or SECONDS
    session = Session(engine=options.engine, gap=options.gap, time_limit=limit, interruptible=False)
    since, solved = time.monotonic(), 0
    with steps_told() as tell, interruptible() as interrupted:

        def solve(scenario: Scenario) -> Plan:
            nonlocal solved
            solved += 1
            tell(Text(f"plan robuste n° {solved}", f"robust plan no. {solved}"), 2 + time.monotonic() - since)
            return session.solve(scenario, stop=interrupted)

        curve = None
        if weighing(uncertainty):
            curve = price(plan, uncertainty, solve, samples=options.samples, seed=options.seed, stop=interrupted)
            curve = curve if curve.points else None
        if interrupted() or not uncertainty.futures:
            return curve, None
        try:
            regrets = least_regret(plan.scenario, uncertainty, solve)
        except ScenarioError:
            if not interrupted():
                raise
        if interrupted():
            print(Text("moindre regret : interrompu", "least regret: interrupted"), file=sys.stderr)
            return curve, None
        return curve, regrets


def _check_robust(options: argparse.Namespace, scenario: Scenario, uncertainty: Uncertainty) -> None:
    """What --robust would find out only after many solves."""
    from dataclasses import replace

    from allocator.problems import Problem, ScenarioError
    from allocator.risk import regret, robust

    problems = [*robust.refused(scenario, uncertainty), *regret.refused(scenario, uncertainty)]
    if not robust.weighing(uncertainty) and not uncertainty.futures:
        nothing = Text("rien à quoi être prêt : aucun coût incertain ne pèse sur les fonds, aucun avenir n'est nommé",
                       "nothing to be ready for: no uncertain cost weighs on the funds, no future is named")  # fmt: skip
        remedy = Text(
            "un coût (`what: cost`) ou `futures`, ou sans --robust",
            "a cost (`what: cost`) or `futures`, or without --robust",
        )
        problems.append(Problem("--robust", nothing, remedy))
    if problems:
        raise ScenarioError([replace(problem, file=problem.file or _beside(options)) for problem in problems])

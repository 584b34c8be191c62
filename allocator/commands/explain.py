"""`allocator explain`: why the best plan of a scenario is as it is."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from allocator.commands.common import SCENARIO, STATUS, json_option, solved, solving_options, steps_told, told
from allocator.texts import Text

if TYPE_CHECKING:
    from rich.console import Console

    from allocator.explain import Explanation
    from allocator.scenario import Scenario

NAME = "explain"
HELP = Text("dit pourquoi : un dossier, une règle, un fonds, le plan", "say why: a demand, a rule, a fund, the plan")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    of = parser.add_mutually_exclusive_group()
    of.add_argument("--demand", metavar="D", help=str(Text("pourquoi ce dossier est financé ou non", "why this demand is funded or not")))  # fmt: skip
    of.add_argument("--constraint", metavar="C", help=str(Text("ce que coûte cette règle", "what this rule costs")))
    of.add_argument("--fund", metavar="F", help=str(Text("ce qu'achète plus d'argent dans ce fonds, et la liste complémentaire", "what more money in this fund buys, and who is next")))  # fmt: skip
    of.add_argument("--against", metavar="S2", help=str(Text("qui gagne et qui perd depuis le plan de cet autre scénario", "who wins and who loses from the plan of this other scenario")))  # fmt: skip
    parser.add_argument("--about", metavar="T", default="overview", help="overview, costs, money, left, near" + str(Text(" ; avec --demand D, near : sa décision est-elle sûre", "; with --demand D, near: how certain its decision is")))  # fmt: skip
    parser.add_argument("--brief", action="store_true", help=str(Text("l'essentiel, en quelques calculs", "the essential, in a few solves")))  # fmt: skip
    solving_options(parser)
    json_option(parser)


def heading(scenario: Scenario) -> Text:
    """What a scenario is called: its label and, to type it again, its name."""
    given = scenario.label or scenario.name
    label = Text(given, given) if isinstance(given, str) else Text(given["fr"], given["en"])
    if scenario.name in label:
        return Text(f"Scénario « {label.fr} »", f"Scenario “{label.en}”")
    return Text(f"Scénario « {label.fr} » ({scenario.name})", f"Scenario “{label.en}” ({scenario.name})")


def run(options: argparse.Namespace) -> int:
    """Exit status of the plan explained."""
    from allocator.explain import explain
    from allocator.explain.variants import SECONDS

    plan, *other = solved(options, [options.scenario, *([options.against] if options.against else [])])
    with steps_told() as tell:
        found = explain(
            plan, demand=options.demand, constraint=options.constraint, fund=options.fund, against=other[0] if other else None, about=options.about, brief=options.brief,
            gap=options.gap, time_limit=options.time_limit or SECONDS, on_step=tell,
        )  # fmt: skip
    told(
        options,
        {"scenario": plan.scenario.name, **found.as_dict()},
        lambda console: show(found, console, plan.scenario),
        [],
    )
    return STATUS[plan.status]


def show(found: Explanation, console: Console, scenario: Scenario) -> None:
    """The explanation, under the name of its scenario."""
    console.print(str(heading(scenario)), markup=False, highlight=False, soft_wrap=True)
    console.print(found.text(), markup=False, highlight=False, soft_wrap=True)

"""`allocator history`: saved plans and what was decided about them; with an id, all that is known of one."""

from __future__ import annotations

import argparse

from allocator.commands.common import OK, json_option, store_option, told
from allocator.commands.replay import PLAN
from allocator.texts import Text

NAME = "history"
HELP = Text("liste les plans enregistrés et leurs décisions", "list saved plans and their decisions")
LAST = 50


def arguments(parser: argparse.ArgumentParser) -> None:
    last = Text(f"tant de plans, les derniers ({LAST})", f"so many plans, the last ones ({LAST})")
    parser.add_argument("plan", metavar="ID", nargs="?", help=str(PLAN))
    parser.add_argument("--last", type=int, default=LAST, metavar="N", help=str(last))
    store_option(parser)
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    from allocator.problems import Problem, ScenarioError
    from allocator.report.history import listed, print_list, print_saved
    from allocator.store import Store

    if options.last < 1:
        wrong = Text("un nombre positif est attendu", "a positive number is expected")
        raise ScenarioError([Problem("--last", wrong, Text("par exemple 50", "for example 50"))])
    with Store(options.store, create=False) as store:
        place, decisions = store.place, store.decisions(options.plan)
        if options.plan is None:
            plans = store.list(options.last)
            report = {"store": place, "plans": listed(plans, decisions)}
            told(options, report, lambda console: print_list(place, plans, decisions, console), [])
        else:
            saved = store.plan(options.plan)
            report = saved.as_dict() | {"decisions": [decision.as_dict() for decision in decisions]}
            told(options, report, lambda console: print_saved(saved, decisions, console), [])
    return OK

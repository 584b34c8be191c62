"""`allocator decide`: the words of a decision, added to a saved plan."""

from __future__ import annotations

import argparse

from allocator.commands.common import OK, json_option, store_option, told, who_option
from allocator.commands.replay import PLAN
from allocator.texts import Text

NAME = "decide"
HELP = Text("ajoute une décision à un plan enregistré", "add a decision to a saved plan")


def arguments(parser: argparse.ArgumentParser) -> None:
    words = Text("les mots de la décision", "the words of the decision")
    parser.add_argument("plan", metavar="ID", help=str(PLAN))
    parser.add_argument("--words", required=True, metavar="…", help=str(words))
    who_option(parser)
    store_option(parser)
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    from allocator.store import Store

    with Store(options.store, create=False) as store:
        made = store.decide(options.plan, options.words, who=options.who)
        decision = next(one for one in store.decisions(options.plan) if one.id == made)
    said = Text(f"Décision {made} sur le plan {decision.plan}", f"Decision {made} on plan {decision.plan}")
    told(options, decision.as_dict(), lambda console: console.print(str(said), highlight=False), [])
    return OK

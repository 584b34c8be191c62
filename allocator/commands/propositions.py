"""`allocator propositions`: what each proposition of the note changes in a plan, by solving with and without it."""

from __future__ import annotations

import argparse
import json
import sys

from allocator.commands.common import OK, console
from allocator.texts import Text

NAME = "propositions"
HELP = Text("ce que chaque proposition de la note change, avec et sans", "what each proposal of the note changes")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("numbers", nargs="*", type=int, metavar="N", help=str(Text("numéros", "numbers")))
    parser.add_argument(
        "--thresholds",
        action="store_true",
        help=str(
            Text(
                "le coût par unité où la décision bascule, là où la note ne donne pas de montant (plus long)",
                "the cost per unit at which the decision flips, where the note gives no amount (longer)",
            )
        ),
    )
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    from allocator.data import propositions
    from allocator.problems import Problem, ScenarioError
    from allocator.report.effects import as_dict, effect, print_effects

    known = {entry.number: entry for entry in propositions()}
    unknown = [number for number in options.numbers if number not in known]
    if unknown:
        message = Text(f"propositions inconnues : {unknown}", f"unknown proposals: {unknown}")
        raise ScenarioError([Problem("N", message, Text("de 1 à 28", "from 1 to 28"))])
    found = []
    for number in dict.fromkeys(options.numbers or sorted(known)):
        _told(f"{Text('proposition', 'proposal')} {number}")
        found.append(
            effect(
                known[number],
                thresholds=options.thresholds,
                on_step=lambda measure: _told(str(Text(f"seuil de {measure}", f"threshold of {measure}"))),
            )
        )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    if options.json:
        print(json.dumps({"propositions": [as_dict(one) for one in found]}, ensure_ascii=False, indent=2))
    else:
        print_effects(found, console())
    return OK


def _told(step: str) -> None:
    if sys.stderr.isatty():
        print(f"\r\033[K{step} …", end="", file=sys.stderr, flush=True)

"""`allocator list`: built-in scenarios, the note's 28 propositions, or the kinds of constraint."""

from __future__ import annotations

import argparse
import json

from allocator.commands.common import OK, console
from allocator.texts import Text

NAME = "list"
HELP = Text("les scénarios fournis", "built-in scenarios")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true")
    parser.add_argument(
        "--propositions",
        action="store_true",
        help=str(Text("les 28 propositions de la note", "the note's 28 propositions")),
    )
    parser.add_argument(
        "--kinds",
        action="store_true",
        help=str(
            Text("les sortes de règles, leur source, un exemple", "kinds of constraint, their source, an example")
        ),
    )


def run(options: argparse.Namespace) -> int:
    from allocator import data

    if options.propositions:
        from allocator.report.propositions import as_dicts, print_propositions

        if options.json:
            print(json.dumps(as_dicts(), ensure_ascii=False, indent=2))
        else:
            print_propositions(console())
        return OK
    if options.kinds:
        from allocator.report import kinds

        if options.json:
            print(json.dumps({"kinds": kinds.as_dicts()}, ensure_ascii=False, indent=2))
        else:
            kinds.print_kinds(console())
        return OK
    found = data.builtin()
    if options.json:
        print(
            json.dumps(
                {"scenarios": [{"id": name, "label": str(label)} for name, label in found]},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for name, label in found:
            print(f"{name:24} {label}")
    return OK

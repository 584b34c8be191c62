"""`allocator list`: built-in scenarios, the note's 28 propositions, the kinds of constraint, or the engines."""

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
    parser.add_argument(
        "--engines",
        action="store_true",
        help=str(Text("les moteurs trouvés ici", "the engines found here")),
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
    if options.engines:
        _engines(options.json)
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


def _engines(as_json: bool) -> None:
    from allocator import engines

    found = [
        {"name": each.name, "library": each.distribution, "version": each.version, "whole_units": each.whole_units}
        for each in engines.every()
    ]
    if as_json:
        print(json.dumps({"engines": found}, ensure_ascii=False, indent=2))
        return
    alone = Text("unités entières : seul", "whole units: by itself")
    helped = Text("unités entières : par notre arbre de preuve", "whole units: by our own tree of proof")
    missing = Text("absent", "missing")
    for each in found:
        library = f"{each['library']} {each['version'] or missing}"
        print(f"{each['name']:24} {library:20} {alone if each['whole_units'] else helped}")

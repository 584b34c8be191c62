"""`allocator check`: the input can be understood, and its rules can hold together."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from allocator.commands.common import INFEASIBLE, OK, SCENARIO, warn
from allocator.texts import Text

NAME = "check"
HELP = Text("vérifie un scénario", "check a scenario")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    parser.add_argument("--json", action="store_true")


def run(options: argparse.Namespace) -> int:
    """The input can be understood, and its rules can hold together."""
    from allocator.formats import load
    from allocator.solver import find_conflict

    scenario = load(options.scenario)
    found = find_conflict(scenario)
    if options.json:
        report: dict[str, Any] = {
            "scenario": scenario.name, "input_hash": scenario.input_hash, "errors": [],
            "warnings": [w.as_dict() for w in scenario.warnings],
        }  # fmt: skip
        if found is not None:
            report["conflict"] = found.as_dict()
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return OK if found is None else INFEASIBLE
    warn(scenario)
    if found is not None:
        print(found.text(), file=sys.stderr)
        return INFEASIBLE
    counts = (
        len(scenario.funds),
        len(scenario.measures),
        len(scenario.territories),
        len(scenario.demands),
        len(scenario.constraints),
    )
    print(Text(
        "{} : lu sans erreur, règles compatibles — {} fonds, {} mesures, {} territoires, {} dossiers, {} règles",
        "{}: read without error, rules compatible — {} funds, {} measures, {} territories, {} demands, {} constraints",
    ).in_().format(scenario.name, *counts))  # fmt: skip
    return OK

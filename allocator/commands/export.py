"""`allocator export`: a scenario as a workbook or as a folder of YAML and CSV."""

from __future__ import annotations

import argparse

from allocator.commands.common import OK, SCENARIO, written
from allocator.texts import Text

NAME = "export"
HELP = Text("écrit un scénario en classeur ou en dossier", "write a scenario as a workbook or a folder")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    parser.add_argument(
        "--out",
        required=True,
        metavar="X.xlsx|DIR",
        help=str(Text("classeur .xlsx, ou dossier", "a .xlsx workbook, or a folder")),
    )


def run(options: argparse.Namespace) -> int:
    from allocator.formats import load, save

    scenario = load(options.scenario)
    files = written(options, lambda out: save(scenario, out))
    print(Text("Écrit :", "Written:"), ", ".join(map(str, files)))
    return OK

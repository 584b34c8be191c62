"""`allocator diff`: what differs between two scenarios, in words, before any solving."""

from __future__ import annotations

import argparse
import json

from allocator.commands.common import OK, SCENARIO, json_option, read
from allocator.texts import Text

NAME = "diff"
HELP = Text("dit ce qui diffère entre deux scénarios", "say what differs between two scenarios")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("a", help=str(SCENARIO))
    parser.add_argument("b", help=str(SCENARIO))
    json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Exit status 0, whether they differ or not."""
    from allocator.diff import diff

    found = diff(*read((options.a, options.b)))
    if options.json:
        print(json.dumps(found.as_dict(), ensure_ascii=False, indent=2, allow_nan=False))
    else:
        print(found.text())
    return OK

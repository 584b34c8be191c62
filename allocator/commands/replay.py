"""`allocator replay`: a saved plan solved again, the same to the cent or what changed."""

from __future__ import annotations

import argparse

from allocator.commands.common import NO_PLAN, OK, output_options, steps_told, store_option, told, written
from allocator.texts import Text

NAME = "replay"
HELP = Text("recalcule un plan enregistré, ou dit ce qui a changé", "solve a saved plan again, or say what changed")
PLAN = Text("l'identifiant du plan, ou son début", "the plan's id, or its beginning")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="ID", help=str(PLAN))
    store_option(parser)
    output_options(parser)


def run(options: argparse.Namespace) -> int:
    """Exit status 0 when the plan is the same to the cent, 4 when it is not found again."""
    from allocator.report.files import write_plan
    from allocator.report.history import print_replay
    from allocator.store import Store

    with Store(options.store, create=False) as store, steps_told():
        replay = store.replay(options.plan)
    files = written(options, lambda folder: write_plan(replay.plan, folder))
    told(options, replay.as_dict(), lambda console: print_replay(replay, console), files)
    return OK if replay.same else NO_PLAN

"""`allocator frontier`: what one aim costs in terms of another, plan by plan."""

from __future__ import annotations

import argparse

from allocator.commands.common import (
    SCENARIO,
    STATUS,
    loaded,
    output_options,
    solving_options,
    steps_told,
    told,
    written,
)
from allocator.texts import Text

NAME = "frontier"
HELP = Text("l'arbitrage exact entre deux ou trois objectifs", "the exact trade-off between two or three aims")
AIM = Text(
    "un indicateur (emplois), points, euros, maximin:region, units:MESURE",
    "an indicator (emplois), points, euros, maximin:region, units:MEASURE",
)
SECONDS = 20.0  # for one point, where --time-limit says nothing


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    parser.add_argument("--x", required=True, metavar="A", help=str(AIM))
    parser.add_argument("--y", required=True, metavar="B", help=str(Text("de même", "likewise")))
    parser.add_argument("--z", metavar="C", help=str(Text("de même, un troisième", "likewise, a third one")))
    parser.add_argument(
        "--points", type=int, default=20, metavar="N", help=str(Text("au plus N points", "at most N points"))
    )
    solving_options(parser)
    output_options(parser)


def run(options: argparse.Namespace) -> int:
    from allocator.frontier import frontier
    from allocator.report.frontier import print_frontier, write_frontier

    (scenario,) = loaded(options, [options.scenario])
    with steps_told() as tell:
        found = frontier(
            scenario,
            options.x,
            options.y,
            options.z,
            points=options.points,
            engine=options.engine,
            gap=options.gap,
            time_limit=options.time_limit or SECONDS,
            on_point=lambda what, n, seconds: tell(
                Text(f"{n} points trouvés ; {what.fr}", f"{n} points found; {what.en}"), seconds
            ),
        )
    files = written(options, lambda folder: write_frontier(found, folder))
    told(options, found.as_dict(), lambda console: print_frontier(found, console), files)
    return STATUS[found.status]

"""Where the time goes at national scale, through the public interface, against the size of the textbook program.

python benchmarks/national.py [demands funds years whole]
"""

from __future__ import annotations

import sys
import time

from generator import scenario

import allocator
from allocator.space import Space


def textbook_size(space: Space) -> tuple[int, int]:
    """Columns and rows of one money column per demand × eligible (fund, year), one unit column per demand (× year where
    units are whole)."""
    cells = sum(int(p.eligible.sum()) * int((space.pattern == k).sum()) for k, p in enumerate(space.patterns))
    by_year = sum(
        int(p.years.sum()) * int(((space.pattern == k) & space.lumpy).sum()) for k, p in enumerate(space.patterns)
    )
    units = by_year + int((~space.lumpy).sum())
    return cells + units, len(space.rows) + units


def main() -> None:
    n, funds, years = (int(a) for a in (sys.argv[1:4] or ("30000", "5", "3")))
    whole = float(sys.argv[4]) if len(sys.argv) > 4 else 0.0
    start = time.perf_counter()
    asked = scenario(n, funds, years, whole=whole)
    built = time.perf_counter() - start
    plan = allocator.solve(asked)
    columns, rows = textbook_size(Space.of(asked))
    seconds = ", ".join(f"{stage} {value:.2f}" for stage, value in plan.seconds.as_dict().items())
    print(f"{n} demands x {funds} funds x {years} years, whole units {whole:.0%}: {plan.status}, gap {plan.gap:.2g}")
    print(f"scenario from tables {built:.2f} s; seconds: {seconds}")
    print(
        f"program {plan.size[0]} x {plan.size[1]}; textbook {columns} x {rows}; certificate ok: {plan.certificate.ok}"
    )


if __name__ == "__main__":
    main()

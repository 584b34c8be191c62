"""Decision 022: one tree that splits totals first, one that splits years only; both given HiGHS' plan of 8 seconds.

python benchmarks/splits.py
"""

from __future__ import annotations

import time

import numpy as np
from generator import scenario

from allocator.engines import engine
from allocator.program import compile
from allocator.relaxed import Relaxed
from allocator.space import Space
from allocator.tree import Search

GAP, NODES, SECONDS = 1e-4, 4_000, 8.0


class YearsOnly(Search):
    """As if no demand had a total."""

    def _split(self, x: np.ndarray, part: np.ndarray) -> tuple[int, float]:
        column = int(np.argmax(part))
        return column, float(x[column])


def main() -> None:
    highs = engine("highs")
    print(f"{'60 demands':12} {'HiGHS':>16} {'totals first':>28} {'years only':>28}")
    for structure in ("open", "tight", "purses", "conditions", "knapsacks"):
        compiled = compile(Space.of(scenario(60, 5, 3, structure, whole=1.0)))
        given = highs.solve(compiled.program, gap=GAP, time_limit=SECONDS)
        told = [f"{given.reason.value} {given.seconds:.1f} s".rjust(16)]
        for kind in (Search, YearsOnly):
            relaxed = Relaxed(compiled, highs)
            root, start = relaxed.solve(), time.perf_counter()
            best = -np.inf if given.objective is None else given.objective
            search = kind(relaxed, GAP, 0.0, nodes=NODES, best=best)
            found = search.run(root)
            gap, seconds = found.bound / search.best - 1, time.perf_counter() - start
            told.append(f"{found.nodes} cases, {gap:.1e}, {seconds:.1f} s".rjust(28))
        print(f"{structure:12}", *told)


if __name__ == "__main__":
    main()

"""A sweep against solving the textbook program again and again.

    python benchmarks/sweep.py [--variants 1000] [--rival 20] [--cluster]

Variants of `propositions-2025`: each fund by itself between -30 % and +30 %, drawn at random by a fixed seed. The rival is the
textbook program of the first of them through PuLP and CBC at the same gap, extrapolated. `--cluster`: once more on a Dask
scheduler with two workers on this machine, one of them killed when half is done, and the two tables compared. Prints JSON.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Any

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402

import allocator  # noqa: E402
from allocator.sweep import Progress, Range  # noqa: E402

GAP = 1e-4
LIMIT = 120.0  # seconds for one solve of the rival


def told(progress: Progress) -> None:
    if progress.done % 80 < 8:
        print(f"{progress.done}/{progress.total}, {progress.rate:.2f} a second", file=sys.stderr, flush=True)


def rival(scenario: allocator.Scenario, wanted: list[dict[str, Any]]) -> dict[str, Any]:
    """Seconds of each textbook program from rules to solution, and how it ended."""
    from rivals import RIVALS
    from textbook import textbook

    from allocator.space import Space

    chosen = RIVALS["pulp-cbc"]
    chosen.ready()
    seconds, ended = [], []
    for changes in wanted:
        space = Space.of(allocator.changed(scenario, changes))
        start = time.perf_counter()
        answer = chosen.run(textbook(space), GAP, LIMIT)
        seconds.append(time.perf_counter() - start)
        ended.append(answer.status)
    return {"solves": len(seconds), "median": median(seconds), "sum": sum(seconds),
            "ended": {one: ended.count(one) for one in sorted(set(ended))}}  # fmt: skip


def on_cluster(scenario: allocator.Scenario, wanted: list[dict[str, Any]]) -> tuple[allocator.Sweep, int]:
    """The sweep on a scheduler with two workers, and how many variants were done when one was killed."""
    from distributed import Client

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}
    dask = [sys.executable, "-m"]

    def start(*arguments: str) -> subprocess.Popen[bytes]:
        quiet = subprocess.DEVNULL
        return subprocess.Popen([*dask, *arguments], stdout=quiet, stderr=quiet, env=environment)

    scheduler = start("distributed.cli.dask_scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard")
    alone = ("--nthreads", "1", "--no-nanny", "--no-dashboard")
    workers = [start("distributed.cli.dask_worker", address, *alone) for _ in range(2)]
    killed: list[int] = []

    def kill_one(progress: Progress) -> None:
        told(progress)
        if not killed and progress.done >= progress.total / 2:
            workers[0].kill()
            killed.append(progress.done)

    try:
        with Client(address, timeout="60s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=60)
        return allocator.sweep(scenario, wanted, gap=GAP, scheduler=address, on_progress=kill_one), killed[0]
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def different(one: pd.DataFrame, other: pd.DataFrame) -> dict[str, list[Any]]:
    """By column but for seconds, the rows in which two tables differ (the first ten)."""
    found = {}
    for name in one.columns.drop("seconds"):
        a, b = one[name], other[name]
        rows = np.flatnonzero(~((a == b) | (a.isna() & b.isna())))
        if len(rows) or a.dtype != b.dtype:
            found[name] = [[int(k), str(a.iloc[k]), str(b.iloc[k])] for k in rows[:10]] or [str(a.dtype), str(b.dtype)]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--variants", type=int, default=1000)
    parser.add_argument("--rival", type=int, default=20, help="variants that the rival solves")
    parser.add_argument("--cluster", action="store_true")
    parser.add_argument("--jobs", type=int, default=0)
    asked = parser.parse_args()
    scenario = allocator.load("propositions-2025")
    from allocator.sweep.design import variants

    vary = {f"funds.{fund.id}.amount": Range("-30 %", "+30 %") for fund in scenario.funds}
    wanted = variants(vary, "random", count=asked.variants, seed=2025)
    report: dict[str, Any] = {"variants": asked.variants, "cores": len(os.sched_getaffinity(0))}

    start = time.perf_counter()
    swept = allocator.sweep(scenario, wanted, gap=GAP, jobs=asked.jobs, on_progress=told)
    wall = time.perf_counter() - start
    report |= {"wall": wall, "each": wall / asked.variants, "ended": swept.as_dict()["statuses"]}

    if asked.rival:
        report["rival"] = rival(scenario, wanted[: asked.rival])
        extrapolated = report["rival"]["sum"] / asked.rival * asked.variants
        report |= {"rival_extrapolated": extrapolated, "ratio": extrapolated / wall}
    print(json.dumps(report, indent=1), file=sys.stderr, flush=True)  # what the longer half would take with it, were it stopped
    if asked.cluster:
        start = time.perf_counter()
        again, killed = on_cluster(scenario, wanted)
        apart = different(swept.table, again.table)
        grants = pd.DataFrame(again.all_grants).equals(swept.all_grants)
        report["cluster"] = {
            "wall": time.perf_counter() - start,
            "killed_at": killed,
            "same_table": not apart,
            "apart": apart,
            "same_grants": grants,
        }
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()

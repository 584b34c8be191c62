"""Many writers on one store, some killed in the middle of it: is what was acknowledged there, whole, and replayed?

    python benchmarks/store_writers.py                                   # 8 writers, 2 000 saves, SQLite
    python benchmarks/store_writers.py --store postgresql://user@host/an-empty-database

The store is a new one: its tables are made by whichever writer comes first. Prints one JSON object; exit status 1 where
anything is missing, broken or not replayed. POSIX only (processes are forked).
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import selectors
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pandas as pd
from sqlalchemy import event

import allocator
from allocator.plan import Plan
from allocator.store import Store

VARIANTS = 20
BATCH = 5  # saves acknowledged of a writer before it may be killed: none is killed before it has begun


def variants() -> list[Plan]:
    """Plans of a tiny scenario, each of another amount: what is saved under one id must not be found under another."""
    towns = {
        "id": ["t1", "t2"],
        "name": ["A", "B"],
        "region": ["R", "R"],
        "departement": ["1", "1"],
        "population": [1, 2],
    }
    demands = {"id": ["d1", "d2"], "territory": ["t1", "t2"], "measure": ["m", "m"], "units": [4, 5],
               "asked": [500_000, 500_000], "emplois": [12, 9]}  # fmt: skip
    base: dict[str, Any] = {
        "name": "petit", "years": [2026], "measures": [{"id": "m"}], "constraints": [], "objective": {"maximise": {"emplois": 1}},
        "territories": pd.DataFrame(towns), "demands": pd.DataFrame(demands),
    }  # fmt: skip
    amounts = [1_000_000 + 100_000 * k for k in range(VARIANTS)]
    return [allocator.solve(allocator.Scenario(funds=[{"id": "f", "amount": amount}], **base)) for amount in amounts]


def writer(
    place: str, plans: Sequence[Plan], first: int, count: int, acknowledge: int, wait: tuple[int, int], cut: bool
) -> None:
    """Save plan after plan; say so of each once it is kept. With `cut`, die within a save: written, not committed."""
    if wait[1] >= 0:
        os.close(wait[1])
    with Store(place) as store:
        for k in range(first, first + count):
            if k == first + count - 1:
                os.read(wait[0], 1)  # nobody is done before the last one is killed
            if cut and k == first + BATCH:
                event.listen(store._engine, "after_cursor_execute", _die_with_the_plan_written)
            variant = k % len(plans)
            saved = store.save(plans[variant], who=f"writer {os.getpid()}", words=str(variant))
            os.write(acknowledge, f"{saved} {variant}\n".encode())


def _die_with_the_plan_written(_: Any, __: Any, statement: str, *___: Any) -> None:
    if statement.startswith("INSERT INTO plans"):
        os.kill(os.getpid(), signal.SIGKILL)


class Race:
    """Writers at once, until so many saves are acknowledged; `kills` of them are killed on the way, wherever they are,
    and one more between its INSERT and its COMMIT."""

    def __init__(self, place: str, plans: Sequence[Plan], writers: int, saves: int, kills: int) -> None:
        self.place, self.plans = place, plans
        self.acknowledged: dict[str, int] = {}
        self.killed = 0
        self.alive: dict[int, tuple[BaseProcess, list[int]]] = {}  # by pipe: the process, [saves left, acknowledged]
        self.texts: dict[int, bytes] = {}
        self.marked: set[int] = set()  # pipes of those that were killed, or die by themselves
        self.watched = selectors.DefaultSelector()
        self.wait = os.pipe()
        share = [saves // writers + (k < saves % writers) for k in range(writers)]
        self.kill_at = [saves * (k + 1) // (kills + 1) for k in range(kills)]
        started = time.monotonic()
        for k, count in enumerate(share):
            self._start(k, count, cut=k == 0)
        self._run()
        self.seconds = time.monotonic() - started

    def _start(self, first: int, count: int, cut: bool = False) -> None:
        ours, theirs = os.pipe()
        arguments = (self.place, self.plans, first, count, theirs, self.wait, cut)
        process = multiprocessing.get_context("fork").Process(target=writer, args=arguments)
        process.start()
        os.close(theirs)
        self.alive[ours] = process, [count, 0]
        self.texts[ours] = b""
        if cut:
            self.marked.add(ours)
        self.watched.register(ours, selectors.EVENT_READ)

    def _run(self) -> None:
        while self.alive:
            for key, _ in self.watched.select():
                self._heard(key.fd, os.read(key.fd, 65536))
            if self.kill_at and len(self.acknowledged) >= self.kill_at[0]:
                ready = [
                    pipe for pipe, (_, counts) in self.alive.items() if counts[1] >= BATCH and pipe not in self.marked
                ]
                if ready:
                    self.alive[ready[0]][0].kill()
                    self.marked.add(ready[0])
                    self.kill_at.pop(0)
            if not self.kill_at and self.wait[1] >= 0:
                os.close(self.wait[1])
                self.wait = self.wait[0], -1

    def _heard(self, pipe: int, data: bytes) -> None:
        process, counts = self.alive[pipe]
        if data:
            *lines, self.texts[pipe] = (self.texts[pipe] + data).split(b"\n")
            for line in lines:
                saved, variant = line.decode().split()
                self.acknowledged[saved] = int(variant)
            counts[0] -= len(lines)
            counts[1] += len(lines)
            return
        process.join()
        self.watched.unregister(pipe)
        os.close(pipe)
        del self.alive[pipe]
        self.marked.discard(pipe)
        if process.exitcode == -signal.SIGKILL:
            self.killed += 1
            self._start(counts[1], counts[0])  # another does the rest
        elif process.exitcode:
            raise SystemExit(f"a writer failed (exit status {process.exitcode})")


def judged(race: Race, replays: int | None) -> dict[str, Any]:
    """What became of every save."""
    started = time.monotonic()
    with Store(race.place, create=False) as store:
        there = store.list()
        plans = {str(saved): store.plan(str(saved)) for saved in there["id"]}  # each is checked against its own hash
        wrong = [
            saved for saved, plan in plans.items()
            if plan.input_hash != race.plans[int(plan.words)].scenario.input_hash
            or plan.grants["cents"].tolist() != race.plans[int(plan.words)].grants["cents"].tolist()
        ]  # fmt: skip
        missing = [
            saved for saved, variant in race.acknowledged.items()
            if saved not in plans or plans[saved].words != str(variant)
        ]  # fmt: skip
        read, started = time.monotonic() - started, time.monotonic()
        again = list(plans)[: len(plans) if replays is None else replays]
        different = [saved for saved in again if not store.replay(saved).same]
    return {
        "store": store.place, "acknowledged": len(race.acknowledged), "killed": race.killed,
        "seconds": round(race.seconds, 1), "saves_per_second": round(len(race.acknowledged) / race.seconds, 1),
        "in_the_store": len(plans), "not_acknowledged": len(plans.keys() - race.acknowledged.keys()),
        "missing": len(missing), "not_as_saved": len(wrong), "seconds_to_read_all": round(read, 1),
        "replayed": len(again), "not_the_same": len(different), "seconds_to_replay": round(time.monotonic() - started, 1),
    }  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument(
        "--store", metavar="URL", help="an empty database; without it, a new SQLite file that is then removed"
    )
    parser.add_argument("--writers", type=int, default=8)
    parser.add_argument("--saves", type=int, default=2000)
    parser.add_argument(
        "--kills",
        type=int,
        default=1,
        help="writers killed (SIGKILL), evenly over the run; one more dies within a save",
    )
    parser.add_argument("--replays", type=int, help="plans replayed at the end (all)")
    options = parser.parse_args(arguments)
    plans = variants()
    with tempfile.TemporaryDirectory() as folder:
        place = options.store or str(Path(folder) / "store.sqlite")
        race = Race(place, plans, options.writers, options.saves, options.kills)
        report = judged(race, options.replays)
    print(json.dumps(report, indent=2))
    whole = report["acknowledged"] == options.saves and report["killed"] == options.kills + 1
    lost = report["missing"] + report["not_as_saved"] + report["not_the_same"]
    return 0 if whole and not lost and report["not_acknowledged"] <= options.kills else 1


if __name__ == "__main__":
    sys.exit(main())

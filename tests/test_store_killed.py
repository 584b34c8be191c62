"""`kill -9` at each act of `Store.save` on SQLite: all of it is there or nothing, and the next save succeeds."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy as sa
from valley import valley

import allocator
from allocator.store import Store

# Bytes in SQLite's log before a page, and before them all (https://www.sqlite.org/fileformat2.html)
FRAME, HEADER = 24, 32


@pytest.fixture(scope="module")
def plan() -> allocator.Plan:
    return allocator.solve(valley())


def killed(place: Path, plan: allocator.Plan, at: int) -> bool:
    """A save with its decision, in a copy of this process that is killed before its statement `at`, or once all is done;
    whether it came so far."""
    child = os.fork()
    if child == 0:
        seen = 0

        def count(*_: object) -> None:
            nonlocal seen
            seen += 1
            if seen == at:
                os.kill(os.getpid(), signal.SIGKILL)

        try:
            for moment in ("before_cursor_execute", "commit"):
                sa.event.listen(sa.Engine, moment, count)
            Store(place).save(plan, who="moi", decided="adopté")
            os.kill(os.getpid(), signal.SIGUSR1)  # not closed either
        finally:
            os._exit(1)
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status in (-signal.SIGKILL, -signal.SIGUSR1)
    return status == -signal.SIGUSR1


def rows(place: Path) -> tuple[int, ...]:
    with closing(sqlite3.connect(place)) as direct:
        assert direct.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        names = ("plans", "decisions", "scenarios", "contents")
        return tuple(direct.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in names)


@pytest.mark.parametrize(("saved", "step"), [(0, 9), (1, 1)])
def test_killed_before_a_statement(tmp_path: Path, plan: allocator.Plan, saved: int, step: int) -> None:
    """Of the first save, which makes the tables too, some; of one more, each."""
    place, before = tmp_path / "s.sqlite", tmp_path / "before.sqlite"
    if saved:
        with Store(before) as store:
            store.save(plan, who="moi", decided="adopté")
    at, done = 1, False
    while not done:
        for file in tmp_path.glob("s.sqlite*"):
            file.unlink()
        if saved:
            shutil.copy(before, place)
        done = killed(place, plan, at)
        with Store(place) as store:  # the next start
            there = saved + done
            assert (len(store.list()), len(store.decisions())) == (there, there), at
            store.save(plan, who="moi", decided="adopté")
            assert len(store.list()) == there + 1
        assert rows(place)[:2] == (there + 1, there + 1)
        at += step
    assert at > 5


def test_killed_at_each_write(tmp_path: Path, plan: allocator.Plan) -> None:
    """SQLite appends a save to its log: wherever the writing ends, even in a page, the save is whole or not there."""
    place, tried = tmp_path / "s.sqlite", tmp_path / "tried.sqlite"
    with Store(place) as store:
        store.save(plan, who="moi", decided="adopté")
    before = rows(place)
    assert killed(place, plan, 0)
    log = place.with_name("s.sqlite-wal").read_bytes()
    page = int.from_bytes(log[8:12], "big")
    ends = [0, HEADER, *range(HEADER + page + FRAME, len(log) + 1, page + FRAME)]
    assert len(ends) > 4
    found = []
    for end in sorted({*ends, *(end + 100 for end in ends[:-1])}):
        shutil.copy(place, tried)
        tried.with_name("tried.sqlite-shm").unlink(missing_ok=True)
        tried.with_name("tried.sqlite-wal").write_bytes(log[:end])
        found.append(rows(tried))
    after = (before[0] + 1, before[1] + 1, *before[2:])
    assert set(found) == {before, after} and found == sorted(found)
    assert found.count(after) == 1, "only the last page says that it is all there"

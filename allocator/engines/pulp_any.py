"""Whatever solver PuLP finds (``pulp:NAME``): the one that an organisation owns, or those that PuLP brings.

PuLP lives in a process of its own (``pulp_process.py``): a solver that hangs can be stopped, one that crashes or
prints harms nobody, and its libraries never meet ours. What it says is not taken at its word:

* it says "Optimal" at a limit: nothing is optimal here that ends with the clock, or that it calls merely feasible;
* it says "no solution found" of what CBC calls "integer infeasible": its other status is read too;
* its point has eight digits from some solvers, and its duals have either sign: the duals are not read, and the point is
  where HiGHS' simplex starts (:func:`crossed_over`), with whole columns kept as they are;
* "Infeasible" may mean unbounded: asked again without an objective.
"""

from __future__ import annotations

import atexit
import os
import pickle
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from .base import Engine, Outcome, Program, Reason
from .cbc import OPTIONS as CBC_OPTIONS
from .guard import Guarded, Task, watched, without_library
from .highs import OPTIONS as HIGHS_OPTIONS
from .highs import crossed_over

PREFIX = "pulp"
_GRACE = 2.0  # seconds a solver may take beyond its limit before it is ended
_CLOSING = 0.5  # seconds for the simplex when the clock has run out
_FOUND, _FEASIBLE, _NONE, _INFEASIBLE, _UNBOUNDED = 1, 2, 0, -1, -2  # PuLP's statuses of a solution
_CBC: dict[str, Any] = {
    "options": [f"{name} {value}" for name, value in CBC_OPTIONS.items()],
    "threads": None,  # with one thread of its own CBC 2.10.3 now and then sleeps ten seconds
    "_skip_v4_deprecation": True,
}
_CBC_AGAIN = {**_CBC, "presolve": False, "options": [*_CBC["options"], "preprocess on"]}
_OWN: dict[str, tuple[dict[str, Any], ...]] = {  # for the solvers whose traps we know: options, and those of a retry
    "HiGHS": (HIGHS_OPTIONS, {**HIGHS_OPTIONS, "presolve": "off"}),
    "PULP_CBC_CMD": (_CBC, _CBC_AGAIN),
}


class Pulp(Guarded):
    whole_units = True
    distribution = "pulp"

    def __init__(self, name: str) -> None:
        """`name` with its prefix."""
        self.name = name
        self.solver = name.removeprefix(f"{PREFIX}:")

    def run(self, task: Task) -> Outcome:
        program = task.program
        said = np.isfinite(program.row_lower) | np.isfinite(program.row_upper)
        empty = program.matrix.getnnz(axis=1) == 0
        if (empty & ((program.row_lower > 0) | (program.row_upper < 0))).any():
            return Outcome(Reason.INFEASIBLE, message="a row without columns does not hold")
        if not (said & ~empty).any():  # some solvers cannot do without rows
            bare = replace(program, matrix=program.matrix[:0], row_lower=np.zeros(0), row_upper=np.zeros(0))
            outcome = without_library(bare)
            assert outcome is not None
            return replace(outcome, duals=None if outcome.duals is None else np.zeros(program.rows))
        answer = self._asked(task, program, said & ~empty)
        if isinstance(answer, Outcome):
            return answer
        solution, x = answer
        if not program.integer.any():
            return crossed_over(task, x if solution in (_FOUND, _FEASIBLE) else None)
        if solution in (_FOUND, _FEASIBLE) and np.isfinite(x).all():
            return self._closed(task, solution, x)
        if solution == _NONE and _late(task):
            return Outcome(Reason.NOTHING, message="stopped by the clock")
        boxed = bool((np.isfinite(program.lower) & np.isfinite(program.upper)).all())
        if solution == _INFEASIBLE and boxed:
            return Outcome(Reason.INFEASIBLE)
        # "infeasible" may mean "or unbounded": without an objective nothing is unbounded
        answer = self._asked(task, replace(program, objective=np.zeros(program.columns)), said & ~empty)
        if isinstance(answer, Outcome):
            return answer
        again, x = answer
        if again == _INFEASIBLE:
            return Outcome(Reason.INFEASIBLE)
        if again == _FOUND and solution in (_INFEASIBLE, _UNBOUNDED) and not boxed:
            return Outcome(Reason.UNBOUNDED)
        reason = Reason.NOTHING if _late(task) else Reason.ERROR
        return Outcome(reason, message=f"{self.solver} ended with {solution}, then {again}")

    def _closed(self, task: Task, solution: int, x: np.ndarray) -> Outcome:
        """A point for whole columns with the rest made exact."""
        program = task.program
        proved = solution == _FOUND and not _late(task)
        point = np.where(program.integer, np.rint(x), x)
        if not program.integer.all():
            kept = np.where(program.integer, point, program.lower), np.where(program.integer, point, program.upper)
            rest = replace(program.relaxed(), lower=kept[0], upper=kept[1])
            left = task.remaining()
            limit = None if left is None else task.seconds + max(left, _CLOSING)
            closed = crossed_over(replace(task, program=rest, time_limit=limit, on_progress=None), point)
            if closed.reason is Reason.UNBOUNDED:
                return closed
            point = point if closed.x is None else closed.x
        if not proved:
            return Outcome(Reason.FEASIBLE, x=point, message="stopped")
        value = float(program.objective @ point) + program.offset
        return Outcome(Reason.OPTIMAL, x=point, bound=value + task.gap * abs(value))

    def _asked(self, task: Task, program: Program, rows: np.ndarray) -> tuple[int, np.ndarray] | Outcome:
        """PuLP's status of the solution, and x (n,); an outcome where there is nothing to go on with.

        `rows` (m,) bool are those that it is told of.
        """
        a = program.matrix[rows]
        arrays = {
            "costs": -program.objective + 0.0,
            "lower": program.lower,
            "upper": program.upper,
            "integer": program.integer,
            "row_lower": program.row_lower[rows],
            "row_upper": program.row_upper[rows],
            "indptr": a.indptr,
            "indices": a.indices,
            "data": a.data,
        }
        word: str
        answer: Any
        word, answer = "error", "not asked"
        for again, own in enumerate(_OWN.get(self.solver, ({},))):
            left = task.remaining()
            wishes = {
                "msg": False,
                "mip": bool(program.integer.any()),
                "timeLimit": None if left is None else max(left, 0.01),
                "gapRel": float(task.gap),
                "gapAbs": 0.0,
                "threads": 1,
            }
            try:
                word, answer = _exchange(("solve", self.solver, arrays, wishes, own), task)
            except EOFError:
                if task.stopped() or _late(task):
                    return Outcome(Reason.NOTHING, message="stopped before it answered")
                word, answer = "error", f"the process of {self.solver} died"
            if word == "ok" and (answer[0] != _NONE or _late(task)):
                solution = int(answer[0])
                # CBC's preprocessing has brought back wrong points as optimal: what a retry finds is a point, no more
                return (_FEASIBLE if again and solution == _FOUND else solution), answer[1]
        return Outcome(Reason.ERROR, message=str(answer) if word == "error" else f"{self.solver} found nothing")


def _late(task: Task) -> bool:
    """Whether the time is nearly over: what ends then may have ended for that."""
    return task.time_limit is not None and task.seconds >= 0.95 * task.time_limit


class _Process:
    """A Python with PuLP in it, and a folder for its files; gone with all that it started when ended."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="allocator-pulp-")
        home = self._folder.name
        self._process = subprocess.Popen(
            # -P: the engines' own folder is no place to import from
            [sys.executable, "-P", "-W", "ignore", str(Path(__file__).with_name("pulp_process.py"))],
            cwd=home,
            env={**os.environ, "TMPDIR": home, "TEMP": home, "TMP": home},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is ours to pass on, and its children end with it
        )

    def ask(self, request: tuple[object, ...]) -> tuple[str, Any]:
        """("ok", answer) or ("error", text); EOFError when the process ended meanwhile."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            pickle.dump(request, self._process.stdin)
            self._process.stdin.flush()
            return pickle.load(self._process.stdout)
        except (BrokenPipeError, pickle.UnpicklingError) as error:
            raise EOFError from error

    def kill(self) -> None:
        if self._process.poll() is None:
            if os.name == "nt":
                self._process.kill()
            else:
                os.killpg(self._process.pid, signal.SIGKILL)

    def close(self) -> None:
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()
        self._folder.cleanup()


_idle: list[_Process] = []  # ready for the next request: starting one takes half a second


@atexit.register
def _close() -> None:
    while _idle:
        _idle.pop().close()


def _exchange(request: tuple[object, ...], task: Task) -> tuple[str, Any]:
    """Ask a process, ending it when the caller or the clock says so (EOFError)."""
    process = _idle.pop() if _idle else _Process()
    left = task.remaining()
    deadline = None if left is None else task.seconds + left + _GRACE
    healthy = False

    def tick() -> None:
        task.report()
        if deadline is not None and task.seconds > deadline:
            process.kill()

    try:
        answer = watched(lambda: process.ask(request), task, process.kill, tick)
        healthy = True
    finally:
        if healthy and not task.stopped():
            _idle.append(process)
        else:
            process.close()
    return answer


@cache
def names() -> tuple[str, ...]:
    """The solvers that PuLP finds here, with the prefix; none where PuLP is missing."""
    process = _idle.pop() if _idle else _Process()
    try:
        word, answer = process.ask(("solvers",))
    except EOFError:
        process.close()
        return ()
    _idle.append(process)
    return tuple(f"{PREFIX}:{name}" for name in sorted(answer)) if word == "ok" else ()


NAMED: Callable[[str], Engine] = Pulp

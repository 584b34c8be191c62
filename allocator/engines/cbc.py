"""CBC, the binary that PuLP brings along, run as a process of its own.

We write the MPS file and read the solution ourselves: PuLP's writer walks every column in Python, its text
solution keeps eight digits, and it calls any point found at a limit "Optimal". CBC minimises here, so signs
are turned once.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from .base import Outcome, Program, Reason
from .guard import Caller, Guarded, Task

OPTIONS = {
    # where preprocessing leaves no row, CBC 2.10.3 brings back a wrong point as optimal;
    # on our programs it gains no time
    "preprocess": "off",
    "timeMode": "elapsed",
    "randomSeed": "1",
    "randomCbcSeed": "1",
    "primalTolerance": "1e-9",
    "dualTolerance": "1e-9",
    "integerTolerance": "1e-9",
}
_GRACE = 2.0  # seconds CBC may take to write its best point once asked to stop
_NUMBER = r"([-+0-9.eE]+)"
_FOUND = re.compile(rf"(?:Integer solution of|[Ss]olution found of|best objective) {_NUMBER}|{_NUMBER} best solution")
_POSSIBLE = re.compile(rf"best possible {_NUMBER}")
_BOUND = re.compile(rf"^Lower bound:\s+{_NUMBER}\s*$", re.MULTILINE)


class Cbc(Guarded):
    name = "cbc"
    whole_units = True
    distribution = "pulp"

    def run(self, task: Task) -> Outcome:
        program = _pinned(task.program)
        if program is not None:
            outcome = self._once(task, program)
            if outcome.reason not in (Reason.INFEASIBLE, Reason.UNBOUNDED):
                return outcome
            boxed = np.isfinite(program.lower) & np.isfinite(program.upper)
            if outcome.reason is Reason.INFEASIBLE and boxed.all():
                return outcome
        # CBC confuses the two: without an objective nothing is unbounded
        flat = _pinned(replace(task.program, objective=np.zeros(task.program.columns)))
        assert flat is not None
        feasible = self._once(task, flat)
        if feasible.reason is Reason.OPTIMAL:
            return Outcome(Reason.UNBOUNDED)
        return replace(feasible, x=None, duals=None, bound=None)

    def _once(self, task: Task, program: Program) -> Outcome:
        outcome = self._attempt(task, program)
        if outcome.reason is Reason.ERROR:  # it crashes on some programs, most of them infeasible
            outcome = self._attempt(task, program, "-presolve", "off", "-preprocess", "on")
        return outcome

    def _attempt(self, task: Task, program: Program, *more: str) -> Outcome:
        binary = _binary()
        with tempfile.TemporaryDirectory(prefix="allocator-cbc-") as folder:
            home = Path(folder)
            order = write_mps(program, home / "program.mps")
            options = [
                *(word for name, value in OPTIONS.items() for word in (f"-{name}", value)),
                *("-ratioGap", repr(float(task.gap)), "-allowableGap", "0", *more),
            ]
            remaining = task.remaining()
            if remaining is not None:
                options += ["-seconds", repr(max(remaining, 0.01))]
            whole = bool(program.integer.any())
            if whole and task.start is not None and np.isfinite(task.start).all():
                _write_start(task.start, order, home / "start.txt")
                options += ["-mipstart", "start.txt"]
            command = [
                *(binary, "program.mps", *options, "-solve" if whole else "-initialSolve"),
                *("-saveSolution", "point.bin", "-solution", "status.txt"),
            ]
            note = _converse(command, home, task)
            return _read(home, program, order, task.gap, note)


def _binary() -> str:
    import pulp

    path = pulp.PULP_CBC_CMD.pulp_cbc_path
    found = path if os.access(path, os.X_OK) else shutil.which("cbc")
    if not found:
        raise RuntimeError(f"no CBC that can be run at {path}, nor on the PATH")
    return str(found)


def _sided(program: Program) -> np.ndarray:
    """The rows that say something, in order."""
    return np.flatnonzero(np.isfinite(program.row_lower) | np.isfinite(program.row_upper))


def _pinned(program: Program) -> Program | None:
    """The program with columns in no row fixed at their best; None when one has no best.

    CBC puts such a column at 0 when it is free, and calls that optimal.
    """
    alone = program.matrix[_sided(program)].getnnz(axis=0) == 0
    c = program.objective
    nearest = np.clip(0.0, program.lower, program.upper)
    best = np.where(c > 0, program.upper, np.where(c < 0, program.lower, nearest))
    if not np.isfinite(best[alone]).all():
        return None
    return replace(
        program,
        lower=np.where(alone, best, program.lower),
        upper=np.where(alone, best, program.upper),
    )


def write_mps(program: Program, path: Path) -> np.ndarray:
    """Write the minimisation of the negated objective as free MPS with every digit.

    Returns the order (n,) in which columns are written (whole ones last). Rows without sides are left out.
    """
    order = np.argsort(program.integer, kind="stable")
    kept = _sided(program)
    low, high = program.row_lower[kept], program.row_upper[kept]
    equal = low == high
    kind = np.where(equal, "E", np.where(np.isfinite(high), "L", "G"))
    side = np.where(np.isfinite(high), high, low)
    ranged = np.flatnonzero(np.isfinite(low) & np.isfinite(high) & ~equal)

    a = program.matrix[kept][:, order].tocsc()
    columns = np.repeat(np.arange(program.columns), np.diff(a.indptr))
    costs = -program.objective[order] + 0.0
    # the objective's entry goes first in each column, so that a column without rows exists too
    position = np.argsort(np.append(np.arange(program.columns), columns), kind="stable")
    names = np.append(np.full(program.columns, -1), a.indices)[position].tolist()
    owners = np.append(np.arange(program.columns), columns)[position].tolist()
    values = np.append(costs, a.data)[position].tolist()
    entries = [
        f" C{j} R{i} {v!r}" if i >= 0 else f" C{j} OBJ {v!r}" for j, i, v in zip(owners, names, values, strict=True)
    ]
    whole = int(np.searchsorted(owners, program.columns - int(program.integer.sum())))

    bounds: list[str] = []
    for j, (a_low, a_high) in enumerate(zip(program.lower[order].tolist(), program.upper[order].tolist(), strict=True)):
        if a_low == a_high:
            bounds.append(f" FX B C{j} {a_low!r}")
            continue
        bounds.append(f" LO B C{j} {a_low!r}" if a_low > -np.inf else f" MI B C{j}")
        bounds.append(f" UP B C{j} {a_high!r}" if a_high < np.inf else f" PL B C{j}")
    lines = [
        *("NAME allocator FREE", "ROWS", " N OBJ"),
        *(f" {k} R{i}" for i, k in enumerate(kind.tolist())),
        *("COLUMNS", *entries[:whole]),
        *(" MARKER 'MARKER' 'INTORG'", *entries[whole:], " MARKER 'MARKER' 'INTEND'"),
        *("RHS", f" RHS OBJ {program.offset!r}"),  # minus the constant, of an objective that is negated
        *(f" RHS R{i} {v!r}" for i, v in enumerate(side.tolist())),
        *("RANGES", *(f" RNG R{i} {float(high[i] - low[i])!r}" for i in ranged.tolist())),
        *("BOUNDS", *bounds, "ENDATA", ""),
    ]
    path.write_text("\n".join(lines), encoding="ascii")
    return order


def _write_start(start: np.ndarray, order: np.ndarray, path: Path) -> None:
    lines = (f"{j} C{j} {v!r} 0" for j, v in enumerate(start[order].tolist()))
    path.write_text("Stopped on iterations - objective value 0\n" + "\n".join(lines) + "\n", encoding="ascii")


def _converse(command: list[str], home: Path, task: Task) -> str:
    """Run CBC to its end; ask it to stop when the caller or the clock says so, kill it when it will not."""
    log = home / "log.txt"
    options: dict[str, object] = {"start_new_session": True}  # Ctrl-C is ours to pass on
    if os.name == "nt":
        options = {"creationflags": getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)}
    note, read = "", 0
    known: dict[str, float] = {}
    asked: float | None = None
    deadline = task.remaining()
    deadline = None if deadline is None else time.perf_counter() + deadline + 0.2
    with log.open("wb") as sink:
        process = subprocess.Popen(
            command,
            cwd=home,
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            **options,  # type: ignore[call-overload]
        )
        try:
            while True:
                try:
                    process.wait(0.05)
                    break
                except subprocess.TimeoutExpired:
                    pass
                now = time.perf_counter()
                try:
                    stopping = task.stopped()
                    if task.on_progress is not None:
                        read = _report(log, read, task, known)
                except Exception as error:
                    raise Caller from error
                if asked is None and (stopping or (deadline is not None and now > deadline)):
                    asked, note = now, "stopped" if stopping else "stopped by the clock"
                    _interrupt(process)
                elif asked is not None and now > asked + _GRACE:
                    note += ", killed"
                    process.kill()
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0 and not note:
        note = f"CBC ended with code {process.returncode}"
    return note


def _interrupt(process: subprocess.Popen[bytes]) -> None:
    """Ask: on SIGINT CBC ends its search and goes on to write what it has."""
    if os.name == "nt":
        process.terminate()
    else:
        process.send_signal(signal.SIGINT)


def _report(log: Path, read: int, task: Task, known: dict[str, float]) -> int:
    """Report what the log has told so far, kept in ``known``; returns how far the log was read."""
    with log.open("rb") as source:
        source.seek(read)
        fresh = source.read()
    end = fresh.rfind(b"\n") + 1
    text = fresh[:end].decode("ascii", "replace")
    for key, pattern in (("objective", _FOUND), ("bound", _POSSIBLE)):
        for match in pattern.finditer(text):
            word = next(filter(None, match.groups()))
            try:
                value = -float(word)
            except ValueError:
                continue
            if abs(value) < 1e49:  # CBC's "none yet" is 1e50
                known[key] = max(value, known.get(key, value)) if key == "objective" else value
    task.report(known.get("objective"), known.get("bound"))
    return read + end


def _read(home: Path, program: Program, order: np.ndarray, gap: float, note: str) -> Outcome:
    status_file, point_file = home / "status.txt", home / "point.bin"
    log = (home / "log.txt").read_text("ascii", "replace")
    if not status_file.exists():
        reason = Reason.NOTHING if note.startswith("stopped") else Reason.ERROR
        return Outcome(reason, message=note or f"CBC wrote no solution: {log[-300:].strip()}")
    with status_file.open(encoding="ascii", errors="replace") as lines:
        status = lines.readline().partition(" - objective")[0].strip()
    message = "; ".join(filter(None, ("" if status == "Optimal" else status, note)))
    if "errors on input" in log:
        return Outcome(Reason.ERROR, message="CBC could not read the program")
    if status.startswith(("Infeasible", "Integer infeasible", "Primal infeasible")):
        return Outcome(Reason.INFEASIBLE, message=message)
    if status.startswith(("Unbounded", "Dual infeasible")):
        return Outcome(Reason.UNBOUNDED, message=message)
    whole = bool(program.integer.any())
    bound = None
    printed = _BOUND.findall(log)
    if whole and printed:
        bound = -float(printed[-1]) + 0.0005  # printed with three decimals
    if "no integer solution" in status:  # the point is the relaxation's
        return Outcome(Reason.NOTHING, bound=bound, message=message)
    optimal = status.startswith("Optimal")
    if optimal and "processed model has 0 rows" in log:
        return Outcome(Reason.ERROR, message="CBC's preprocessing left no row, and its point cannot be trusted")
    if not optimal and not status.startswith("Stopped"):
        return Outcome(Reason.ERROR, message=f"CBC ended with {status!r} {note}".strip())
    if not optimal and not whole:  # at a limit the simplex is on its way, not at a point
        return Outcome(Reason.NOTHING, message=message)
    if not point_file.exists():
        return Outcome(Reason.NOTHING, message=message or "CBC wrote no point")

    # int rows, int columns, double objective, then row activities, row duals, columns, reduced costs
    raw = point_file.read_bytes()
    m, n = np.frombuffer(raw, np.int32, 2).tolist()
    kept = _sided(program)
    if (m, n) != (kept.size, program.columns) or len(raw) < 16 + 16 * (m + n):
        return Outcome(Reason.ERROR, message=f"CBC wrote a point of {m} rows and {n} columns")
    numbers = np.frombuffer(raw, np.float64, 2 * m + 2 * n, offset=16)
    x = np.empty(n)
    x[order] = numbers[2 * m : 2 * m + n]
    duals = None
    if optimal and not whole:
        duals = np.zeros(program.rows)
        duals[kept] = -numbers[m : 2 * m]
    if optimal and bound is None:
        value = float(program.objective @ x) + program.offset
        bound = value + (gap * abs(value) if whole else 0.0)
    return Outcome(Reason.OPTIMAL if optimal else Reason.FEASIBLE, x=x, duals=duals, bound=bound, message=message)


ENGINE = Cbc()

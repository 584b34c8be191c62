"""One measurement in a process of its own: `run.py` starts it, and reads the JSON that it leaves.

python benchmarks/worker.py TASK.json, with the keys `case`, `do` and `out`, and those that each of the tasks below reads.
"""

from __future__ import annotations

import json
import resource
import sys
import time
import traceback
from pathlib import Path
from typing import Any

import numpy as np
from scipy import sparse

sys.path[:0] = [str(Path(__file__).resolve().parents[1]), str(Path(__file__).resolve().parent)]

from allocator.engines.base import Program  # noqa: E402

Record = dict[str, Any]
SLACK = 1e-5  # how far rows, bounds and whole units may be missed, relative to their size, before an answer is none


def ours(task: Record) -> Record:
    """From tables to a certified plan."""
    import allocator

    read = _case(task).prepared()
    _warm(task.get("engine", "auto"))
    start = time.perf_counter()
    scenario = read()
    held = time.perf_counter()
    plan = allocator.solve(
        scenario, engine=task.get("engine", "auto"), gap=task["gap"], time_limit=max(0.1, task["limit"] - held + start)
    )
    done = time.perf_counter()
    return {
        "status": plan.status,
        "total": done - start,
        "seconds": {"tables": held - start} | plan.seconds.as_dict(),
        "objective": plan.objective,
        "gap": plan.gap,
        "certified": bool(plan.certificate.ok),
        "size": list(plan.size),
        "n": len(scenario.demands),
    }


def _warm(engine: str) -> None:
    """What is imported on first use, before the clock, as for rivals."""
    import generator

    import allocator

    allocator.solve(generator.scenario(60, 2, 2), engine=engine, time_limit=10)


def resolve(task: Record) -> Record:
    """Re-solve after amounts, weights or a bound have moved: median seconds in the engine (the plan's `solve`) of each."""
    import allocator

    scenario = _case(task).prepared()()
    _warm("auto")
    session = allocator.Session(gap=task["gap"], time_limit=task["limit"] / 40)
    session.solve(scenario)
    seconds: dict[str, list[float]] = {kind: [] for kind in MOVES}
    whole: list[float] = []
    statuses = set()
    for turn in range(1, 11):
        for kind, moved in MOVES.items():
            scenario = moved(scenario, turn)
            start = time.perf_counter()
            plan = session.solve(scenario)
            whole.append(time.perf_counter() - start)
            seconds[kind].append(plan.seconds.solve)
            statuses.add(plan.status)
    return {
        "status": statuses.pop() if len(statuses) == 1 else ", ".join(sorted(statuses)),
        "total": float(np.median(whole)),
        "seconds": {kind: float(np.median(each)) for kind, each in seconds.items()},
        "n": len(scenario.demands),
    }


def _amounts(scenario: Any, turn: int) -> Any:
    """Every fund up by one to three per cent."""
    percent = 101 + turn % 3
    funds = [
        f.model_copy(update={"amounts": {year: cents * percent // 100 for year, cents in f.amounts.items()}})
        for f in scenario.funds
    ]
    return scenario.with_(funds=funds)


def _weights(scenario: Any, turn: int) -> Any:
    return scenario.with_(objective={"maximise": {"emplois": 1, "hectares": turn / 100}})


def _bound(scenario: Any, turn: int) -> Any:
    """The first ceiling or floor a little less."""
    rules = list(scenario.constraints)
    k = next(k for k, rule in enumerate(rules) if rule.kind in ("ceiling", "floor"))
    field = "amount" if rules[k].amount is not None else "per_inhabitant"
    less = getattr(rules[k], field) * (1995 - turn) // 2000
    rules[k] = rules[k].model_copy(update={field: less})
    return scenario.with_(constraints=rules)


MOVES = {"amounts": _amounts, "weights": _weights, "bound": _bound}


def prepare(task: Record) -> Record:
    """The textbook program, or ours, as arrays in a file: each rival loads it, in a process with nothing else in it."""
    from textbook import textbook

    from allocator.program import compile
    from allocator.space import Space

    scenario = _case(task).prepared()()
    start = time.perf_counter()
    space = Space.of(scenario)
    if task["program"] == "textbook":
        _ = space.rows, space.patterns, space.boxes  # rules read: given to the rivals
        start = time.perf_counter()
        program, scale = textbook(space), 1.0
    else:
        compiled = compile(space)
        program, scale = compiled.program, compiled.objective_scale
    written = time.perf_counter() - start
    a = program.matrix
    np.savez(
        task["file"], data=a.data, indices=a.indices, indptr=a.indptr, shape=np.array(a.shape), scale=scale,
        **{name: getattr(program, name) for name in VECTORS},
    )  # fmt: skip
    return {
        "status": "written",
        "write": written,
        "sign": space.aim.sign,
        "whole": bool(program.integer.any()),
        "size": [program.columns, program.rows],
        "n": space.n,
    }


VECTORS = ("objective", "row_lower", "row_upper", "lower", "upper", "integer", "grain")


def rival(task: Record) -> Record:
    """A prepared program through somebody else's interface: seconds from rules to solution."""
    from rivals import RIVALS

    with np.load(task["file"]) as kept:
        matrix = sparse.csr_matrix((kept["data"], kept["indices"], kept["indptr"]), shape=tuple(kept["shape"]))
        program = Program(matrix=matrix, **{name: kept[name] for name in VECTORS})
        scale = float(kept["scale"])
    chosen = RIVALS[task["rival"]]
    said = chosen.ready()
    answer = chosen.run(program, task["gap"], task["limit"] - task["write"])
    objective, status = None, answer.status
    if answer.x is not None:
        objective = task["sign"] * float(program.objective @ answer.x) * scale
        said_of = missed(program, answer.x)
        if status == "optimal" and said_of:
            status = said_of
    return {
        "status": status,
        "total": task["write"] + answer.build + answer.solve,
        "seconds": {"write": task["write"], "build": answer.build, "solve": answer.solve},
        "objective": objective,
        "library": said,
        "size": [program.columns, program.rows],
    }


def missed(program: Program, x: np.ndarray) -> str:
    """Why x is no point of the program, by more than `SLACK`; nothing where it is one."""
    left, size = program.matrix @ x, 1 + np.abs(program.matrix) @ np.abs(x)
    for what, by in (
        ("rows missed", np.maximum(program.row_lower - left, left - program.row_upper) / size),
        ("bounds missed", np.maximum(program.lower - x, x - program.upper) / (1 + np.abs(x))),
        ("units not whole", np.abs(x - np.round(x))[program.integer]),
    ):
        if by.max(initial=0.0) > SLACK:
            return f"{what} by {by.max():.0e}"
    return ""


def _case(task: Record) -> Any:
    from cases import CASES

    return CASES[task["case"]]


TASKS = {"ours": ours, "resolve": resolve, "prepare": prepare, "rival": rival}


def peak() -> float:
    """MiB, the larger of ours and a child's (CBC is a process of its own).

    A process starts with the `ru_maxrss` of whoever started it, so that a small one would show its parent's: Linux's own
    high-water mark begins at zero. That of a child can only be as large as ours was, which is counted anyway.
    """
    mine, children = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    status = Path("/proc/self/status")
    if status.exists():
        mine = next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return max(mine, children) / 1024


def main() -> None:
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    if task.get("memory"):
        most = int(task["memory"] * 1e9)
        resource.setrlimit(resource.RLIMIT_AS, (most, most))
    try:
        found = TASKS[task["do"]](task)
    except MemoryError:
        found = {"status": "memory"}
    except Exception as error:
        traceback.print_exc()
        memory = "bad_alloc" in str(error) or "bad allocation" in str(error)
        plain = type(error).__name__ == "NotWritten"
        found = {"status": "memory" if memory else "not written" if plain else "error", "said": f"{error}"[:200]}
    found["memory"] = peak()
    Path(task["out"]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()

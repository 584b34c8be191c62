"""Measure: every case by every method, each run in a fresh process; results are kept line by line, then rendered.

python benchmarks/run.py [--only CASE …] [--methods METHOD …] [--repeats 5] [--limit SECONDS] [--list] …

A run that was stopped is taken up where it was. `CASE` and `METHOD` are patterns: 'whole/*', 'ours', 'textbook:*'.
Methods: `ours`, `engine:NAME` (ours through another engine), `resolve`, `textbook:RIVAL`, `own:RIVAL`, and `start`.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

Record = dict[str, Any]
GAP = 1e-4
DONE = ("optimal", "feasible")
TOO_MUCH = ("limit", "killed", "memory", "not tried")
START = {
    "python": ["-c", "pass"],
    "import": ["-c", "import allocator"],
    "list": ["-c", "import sys; from allocator.cli import main; sys.exit(main(['list']))"],
}
LIBRARIES = ("highspy", "ortools", "pulp", "linopy", "numpy", "scipy", "pandas")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", default=["*"], metavar="CASE")
    parser.add_argument("--methods", nargs="+", default=["*"], metavar="METHOD")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument(
        "--limit", type=float, help="seconds for each run; otherwise 60 for small cases, 600 for large ones"
    )
    parser.add_argument(
        "--enough", type=float, default=300, help="a method on a case is repeated no more after so many seconds (300)"
    )
    parser.add_argument("--memory", type=float, default=round(0.8 * physical(), 1), help="GB that a run may take")
    parser.add_argument("--results", type=Path, default=HERE / "results.jsonl")
    parser.add_argument("--redo", action="store_true", help="forget earlier results of these cases and methods")
    parser.add_argument("--list", action="store_true", help="what would be run, and at most how long it takes")
    parser.add_argument("--no-report", action="store_true")
    return parser.parse_args()


def physical() -> float:
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9


def machine() -> Record:
    """Cores, memory and versions: no names."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "memory": round(physical()),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "libraries": {name: version(name) for name in LIBRARIES},
    }


class Results:
    """The lines of a file, one for each run."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lines = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def add(self, record: Record) -> None:
        self.lines.append(record)
        with self.path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(record) + "\n")

    def of(self, case: str, method: str) -> list[Record]:
        return [line for line in self.lines if (line["case"], line["method"]) == (case, method)]

    def forget(self, wanted: Any) -> None:
        self.lines = [line for line in self.lines if not wanted(line["case"], line["method"])]
        self.path.write_text("".join(json.dumps(line) + "\n" for line in self.lines), encoding="utf-8")


class Bench:
    def __init__(self, asked: argparse.Namespace, folder: Path) -> None:
        self.asked, self.folder = asked, folder
        self.results = Results(asked.results)
        self.machine = machine()
        self.prepared: dict[tuple[str, str], Record] = {}

    def wants(self, case: str, method: str) -> bool:
        """Asked for by both patterns."""
        return any(fnmatch(case, p) for p in self.asked.only) and any(fnmatch(method, p) for p in self.asked.methods)

    def run(self, case: Any) -> None:
        """Round by round, so that what else the machine does falls on all methods alike."""
        methods = [m for m in methods_of(case) if self.wants(case.id, m)]
        limit = self.asked.limit or case.limit
        for turn in range(self.asked.repeats):
            for method in methods:
                known = self.known(case.id, method, limit)
                if len(known) <= turn and not self.settled(known):
                    found = self.measure(case, method, limit)
                    if found is not None:
                        self.record(case.id, method, {**found, "limit": limit})
        for program in ("textbook", "own"):
            self.file(case, program).unlink(missing_ok=True)
            self.prepared.pop((case.id, program), None)

    def known(self, case: str, method: str, limit: float) -> list[Record]:
        """Earlier runs, but for those that were given less time and did not end."""
        return [r for r in self.results.of(case, method) if r["status"] in DONE or r["limit"] >= limit]

    def settled(self, known: list[Record]) -> bool:
        """Nothing more to learn: long enough measured, or it did not end well."""
        spent = sum(record.get("wall", 0) for record in known)
        return bool(known) and (spent > self.asked.enough or known[-1]["status"] not in DONE)

    def record(self, case: str, method: str, found: Record) -> None:
        self.results.add({"case": case, "method": method, **found, "machine": self.machine})
        total = found.get("total")
        shown = found["status"] if total is None else f"{total:9.3f} s  {found['status']}"
        print(f"{time.strftime('%H:%M')}  {case:32} {method:26} {shown}", flush=True)

    def measure(self, case: Any, method: str, limit: float) -> Record | None:
        """One run; None where a method is not for programs of this kind."""
        if case.needs is not None and not case.needs.exists():
            return {"status": "no data", "said": f"{case.needs.name} is not beside the repository"}
        head, _, name = method.partition(":")
        task: Record = {"case": case.id, "gap": GAP, "limit": limit, "memory": self.asked.memory}
        if head in ("textbook", "own"):
            smaller = self.too_slow(case, method, limit)
            if smaller:
                return {"status": "not tried", "said": f"did not end at {smaller}"}
            held = self.program(case, head, task)
            if held["status"] != "written":
                return held
            from rivals import RIVALS

            rival = RIVALS[name]
            if not (rival.whole if held["whole"] else rival.divisible):
                return None
            file = str(self.file(case, head))
            task |= {"do": "rival", "rival": name, "file": file, "write": held["write"], "sign": held["sign"]}
            return self.child(task) | {"n": held["n"]}
        if head == "engine":
            task["engine"] = name
        return self.child({**task, "do": "resolve" if head == "resolve" else "ours"})

    def file(self, case: Any, program: str) -> Path:
        return self.folder / f"{case.id.replace('/', '-')}-{program}.npz"

    def program(self, case: Any, program: str, task: Record) -> Record:
        """Written once for all rivals, and its seconds given to each."""
        key = (case.id, program)
        if key not in self.prepared:
            file = str(self.file(case, program))
            self.prepared[key] = self.child({**task, "do": "prepare", "program": program, "file": file})
        return self.prepared[key]

    def too_slow(self, case: Any, method: str, limit: float) -> str | None:
        """A smaller case of the same structure that this method did not finish: divisible units only."""
        from cases import CASES

        smaller = [c for c in CASES.values() if (c.group, c.structure) == (case.group, case.structure) and c.n < case.n]
        for other in smaller if case.group == "divisible" else ():
            if any(r["status"] in TOO_MUCH for r in self.known(other.id, method, limit)):
                return other.id
        return None

    def child(self, task: Record) -> Record:
        """A fresh process; killed when it goes far beyond its limit."""
        with tempfile.TemporaryDirectory(dir=self.folder) as place:
            asked, out = Path(place) / "task.json", Path(place) / "out.json"
            asked.write_text(json.dumps({**task, "out": str(out)}), encoding="utf-8")
            start = time.perf_counter()
            command = [sys.executable, "-W", "ignore", str(HERE / "worker.py"), str(asked)]
            # where a prepared program is loaded, its reading is not in the limit
            patience = 2 * task["limit"] + 300
            try:
                done = subprocess.run(command, capture_output=True, text=True, timeout=patience, cwd=place, check=False)
            except subprocess.TimeoutExpired:
                return {"status": "killed", "said": f"after {patience:.0f} s", "wall": patience}
            wall = time.perf_counter() - start
            if not out.exists():
                said = (done.stderr.strip().splitlines() or [""])[-1][:200]
                memory = "bad_alloc" in done.stderr or done.returncode in (-9, -6)
                return {"status": "memory" if memory else "crashed", "said": said, "wall": wall}
            return json.loads(out.read_text(encoding="utf-8")) | {"wall": wall}

    def start(self) -> None:
        """Seconds until a process that does next to nothing is over."""
        for turn in range(max(self.asked.repeats, 5)):
            for name, command in START.items():
                if self.wants(f"start/{name}", "start") and len(self.results.of(f"start/{name}", "start")) <= turn:
                    began = time.perf_counter()
                    environment = os.environ | {"PYTHONPATH": str(ROOT)}
                    subprocess.run([sys.executable, *command], capture_output=True, check=True, env=environment)
                    seconds = time.perf_counter() - began
                    self.record(f"start/{name}", "start", {"status": "optimal", "total": seconds, "limit": 0.0})


def methods_of(case: Any) -> Iterator[str]:
    """`engine:` and `resolve` where they say something."""
    from rivals import RIVALS

    from allocator.engines import ENGINES

    yield "ours"
    if case.engines:
        yield from (f"engine:{name}" for name in ENGINES)
    if case.n in (2_700, 30_000):
        yield "resolve"
    whole = case.group in ("whole", "half")
    mixed = (
        case.group in ("built-in", "public") or case.structure == "conditions"
    )  # whole columns or not: the program says
    for name, rival in RIVALS.items():
        if mixed or (rival.whole if whole else rival.divisible):
            yield f"textbook:{name}"
            if name.startswith("highspy"):
                yield f"own:{name}"


def main() -> None:
    asked = arguments()
    from cases import CASES

    began = time.perf_counter()
    with tempfile.TemporaryDirectory(prefix="allocator-bench-") as folder:
        bench = Bench(asked, Path(folder))
        chosen = [c for c in CASES.values() if any(bench.wants(c.id, m) for m in methods_of(c))]
        plans = [(c, m) for c in chosen for m in methods_of(c) if bench.wants(c.id, m)]
        most = sum(
            min(asked.enough, asked.repeats * (asked.limit or c.limit)) + (asked.limit or c.limit) for c, _ in plans
        )
        print(
            f"{len(chosen)} cases, {len(plans)} measurements, up to {asked.repeats} runs each: "
            f"at the very most {most / 3600:.1f} hours; it can be stopped and taken up again."
        )
        if asked.list:
            for case, method in plans:
                print(f"  {case.id:32} {method}")
            return
        if asked.redo:
            bench.results.forget(bench.wants)
        bench.start()
        for case in chosen:
            bench.run(case)
    print(f"measured in {(time.perf_counter() - began) / 60:.1f} minutes")
    if not asked.no_report:
        from report import render

        render(asked.results)


if __name__ == "__main__":
    main()

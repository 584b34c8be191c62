"""docs/benchmarks.md and its plot, from the lines that `run.py` left: wins and losses alike.

python benchmarks/report.py [RESULTS.jsonl] [FOLDER]
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT), str(HERE)]

from cases import CASES, NATIONAL  # noqa: E402
from generator import STRUCTURES  # noqa: E402
from rivals import RIVALS  # noqa: E402

Record = dict[str, Any]
GOOD = ("optimal",)  # ended within the gap
STAGES = ("tables", "read", "compile", "solve", "settle", "certify")

HEAD = """# Benchmarks

Written by `make bench` ([benchmarks/](../benchmarks)); nothing here is typed by hand. Each run has a process of its own. One thread,
gap 1e-4 where units are whole. Medians, then the smallest and largest of so many runs in brackets; MB are the peak of the process
with its libraries. `limit`: stopped by the clock. Each figure is the machine's of the day: compare within a table.

**What is timed.** *Ours*: from tables (files, where there are files) to the certified plan. *Textbook* through a rival: from rules
that are already read, to the solution in its columns; reading and checking tables, which ours pays, is given to the rivals, and
they certify nothing. *Own program*: ours as first compiled, given to HiGHS as arrays; with compiling. Where funds have
rates, or several hundred demands have conditions of their own, we add rows as they are found broken: what HiGHS is given there is
a relaxation, easier than the question; where its objective shows that, the table says so. Library imports and a first tiny solve
come before every clock. What is not in a table has not been measured. Which aims are out of reach, and why:
[decision 029](decisions/029-first-without-years.md).

**Structures** of the generated cases ([generator.py](../benchmarks/generator.py)): {structures}.
"""


class Table:
    """The runs of a results file, by case and method."""

    def __init__(self, lines: list[Record]) -> None:
        self.lines = lines
        self.by: dict[tuple[str, str], list[Record]] = {}
        for line in lines:
            self.by.setdefault((line["case"], line["method"]), []).append(line)

    def cases(self, group: str) -> list[str]:
        return [name for name in CASES if name.startswith(f"{group}/") and any(case == name for case, _ in self.by)]

    def methods(self, case: str) -> list[str]:
        return [method for name, method in self.by if name == case]

    def ended(self, case: str, method: str) -> list[Record]:
        """Its runs, if all of them ended within the gap."""
        runs = self.by.get((case, method), [])
        return runs if runs and all(r["status"] in GOOD for r in runs) else []

    def values(self, case: str, method: str, of: Callable[[Record], float] = lambda r: r["total"]) -> list[float]:
        return [of(run) for run in self.ended(case, method)]

    def measured(self, case: str) -> bool:
        return (case, "ours") in self.by

    def apart(self, case: str, method: str) -> float:
        """How far a method's objective is from ours, relative to it: 0 within twice the gap, or where one is unknown."""
        theirs, our = (
            next((r["objective"] for r in self.by.get((case, m), []) if r.get("objective") is not None), None)
            for m in (method, "ours")
        )
        if theirs is None or our is None:
            return 0.0
        found = (theirs - our) / max(abs(our), 1e-9)
        return float(found) if abs(found) > 2e-4 else 0.0

    def named(self, case: str, method: str) -> str:
        """Its title; on our own program, whether it answered an easier question than ours."""
        easier = method.startswith("own:") and self.apart(case, method) != 0
        return titled(method) + (" (of a relaxation)" if easier else "")

    def tried(self, case: str, head: str) -> bool:
        """Whether any method of that head was run, or given up for what a smaller case showed."""
        return any(name == case and method.startswith(f"{head}:") for name, method in self.by)

    def fastest(self, case: str, head: str) -> tuple[str, list[float]] | None:
        """The method of that head with the smallest median, and its seconds."""
        known = {m: self.values(case, m) for m in self.methods(case) if m.startswith(f"{head}:")}
        known = {m: values for m, values in known.items() if values}
        return min(known.items(), key=lambda pair: median(pair[1])) if known else None


def seconds(values: list[float]) -> str:
    """Median [smallest–largest]."""
    shown = f"{median(values):.3g}"
    return shown if len(values) == 1 else f"{shown} [{min(values):.3g}–{max(values):.3g}]"


def ratio(above: list[float], below: list[float]) -> str:
    """Of medians, and how far it could be by the extremes."""
    return f"{median(above) / median(below):.3g} [{min(above) / max(below):.3g}–{max(above) / min(below):.3g}]"


NOT_ENDED = "did not end"


def shown(values: list[float], tried: bool = True) -> str:
    return seconds(values) if values else NOT_ENDED if tried else "not measured"


def compared(theirs: list[float], own: list[float], tried: bool) -> str:
    """The ratio, or who did not end: a loss is not left out."""
    if not tried:
        return "–"
    if theirs and own:
        return ratio(theirs, own)
    return "**ours did not end**" if theirs else "the other did not end" if own else "neither ended"


def titled(method: str) -> str:
    head, _, name = method.partition(":")
    if head in ("textbook", "own"):
        return f"{'textbook' if head == 'textbook' else 'own program'}, {RIVALS[name].title}"
    return f"ours, engine {name}" if head == "engine" else {"ours": "**ours**"}.get(head, head)


def program_and_solve(run: Record) -> float:
    return float(run["seconds"]["compile"] + run["seconds"]["solve"])


def around(run: Record) -> float:
    """Everything but the engine."""
    return float(run["total"] - run["seconds"]["solve"])


def rows(head: tuple[str, ...], body: list[tuple[str, ...]]) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (f"| {' | '.join(line)} |" for line in body)
    yield ""


def aims(t: Table) -> Iterator[str]:
    """The aims of the project as ratios within this run; what was not measured is not said."""
    national, big, huge = ([f"divisible/{s}-{n}" for s in STRUCTURES] for n in (NATIONAL, 300_000, 1_000_000))
    yield "## Aims\n"

    body = []
    for case in national:
        if t.measured(case):
            own, best = t.values(case, "ours"), t.fastest(case, "textbook")
            name, theirs = best or ("", [])
            body.append((
                CASES[case].structure, shown(own), titled(name) if name else "–", shown(theirs, t.tried(case, "textbook")),
                compared(theirs, own, t.tried(case, "textbook")),
            ))  # fmt: skip
    if body:
        yield "**1. 30 000 × 5 × 3, divisible, to the certified plan: 50 times the best rival on the textbook program.**\n"
        yield from rows(("structure", "ours, s", "best rival", "its s", "ratio"), body)

    body, slopes = [], []
    for s, case in zip(STRUCTURES, national, strict=True):
        each = t.values(case, "ours", lambda r: 1e6 * around(r) / r["n"])
        sizes = [
            (CASES[c].n, median(t.values(c, "ours", around)))
            for c in (case, big_of(s), huge_of(s))
            if t.values(c, "ours")
        ]
        if each:
            slope = "–"
            if len(sizes) > 1:
                slope = f"{np.polyfit(*np.log(np.array(sizes)).T, 1)[0]:.2f}"
                slopes.append(float(slope))
            body.append((s, seconds(each), slope))
    if body:
        yield "**2. Around the engine at 30 000: 15 µs per demand, and slope 1.1 up to 1 000 000.** Tables to plan, less `solve`.\n"
        yield from rows(("structure", "µs per demand", "slope"), body)

    body = []
    for case in [*t.cases("whole"), *t.cases("public")]:
        runs = t.by.get((case, "ours"), [])
        if runs:
            own, best = [r["total"] for r in runs], t.fastest(case, "own")
            gap = max((r["gap"] for r in runs if r.get("gap") is not None), default=None)
            body.append((
                case, seconds(own), runs[-1]["status"], "–" if gap is None else f"{gap:.1e}",
                shown(best[1] if best else [], t.tried(case, "own")), t.named(case, best[0]) if best else "–",
                compared(best[1] if best else [], t.values(case, "ours"), t.tried(case, "own")),
            ))  # fmt: skip
    if body:
        yield "**3. Whole units: certified 1e-4 in 2 s, never slower than HiGHS on the same program (ratio ≥ 1).**\n"
        yield from rows(("case", "ours, s", "status", "certified gap", "HiGHS, s", "on", "HiGHS / ours"), body)
    body = []
    for s in STRUCTURES:
        half, plain = t.values(f"half/{s}-{NATIONAL}", "ours"), t.values(f"divisible/{s}-{NATIONAL}", "ours")
        if half and plain:
            body.append((s, seconds(half), seconds(plain), ratio(half, plain)))
    if body:
        yield "Half of the measures whole at 30 000 × 5 × 3: within 3 times the divisible solve.\n"
        yield from rows(("structure", "half whole, s", "divisible, s", "ratio"), body)

    body, found = [], []
    for case in big:
        if t.measured(case):
            own, best = t.values(case, "ours", program_and_solve), t.fastest(case, "own")
            name, theirs = best or ("", [])
            if theirs:
                found.append(median(theirs) / median(own) if own else 0.0)  # not ended counts as lost
            body.append((
                CASES[case].structure, shown(own), t.named(case, name) if name else "–", shown(theirs, t.tried(case, "own")), compared(theirs, own, t.tried(case, "own")),
            ))  # fmt: skip
    if body:
        yield "**4. 300 000 × 6 × 6, program and solve: 8 times HiGHS on our program (median), none below 1.** Classes alone, without"
        yield "units first, have no switch in the compiler: left out.\n"
        yield from rows(("structure", "ours, s", "fastest HiGHS", "its s", "ratio"), body)
        if found:
            yield f"Median {median(found):.2g}, smallest {min(found):.2g}, of the {len(found)} that HiGHS ended.\n"
    body = [
        (CASES[c].structure, seconds(t.values(c, "ours", lambda r: r["seconds"]["solve"])), seconds(t.values(c, "ours")),
         f"{max(r['memory'] for r in t.ended(c, 'ours')) / 1000:.1f}")
        for c in huge if t.ended(c, "ours")
    ]  # fmt: skip
    if body:
        yield "1 000 000 × 6 × 6: 5 s of solving, 12 GB.\n"
        yield from rows(("structure", "solve, s", "tables to plan, s", "GB"), body)

    body = [
        (
            case,
            *(f"{1000 * value:.1f}" if value is not None else "–" for value in (run["seconds"].get(k) for k in MOVED)),
        )
        for (case, method), runs in t.by.items()
        if method == "resolve"
        for run in runs[-1:]
        if run["status"] == "optimal"
    ]
    if body:
        yield "**5. A re-solve in the engine: 10 ms at 2 700, 50 ms at 30 000.**\n"
        yield from rows(("case", *(f"{k}, ms" for k in MOVED)), body)

    started = {name: t.values(f"start/{name}", "start") for name in ("python", "import", "list")}
    if all(started.values()):
        bare = median(started["python"])
        yield "**6. Start: within half a second of bare Python.**\n"
        titles = {"python": "python", "import": "`import allocator`", "list": "`allocator list`"}
        yield from rows(
            ("command", "s", "beyond Python"),
            [(titles[k], seconds(v), f"{median(v) - bare:.3f}") for k, v in started.items()],
        )


MOVED = ("amounts", "weights", "bound")


def big_of(structure: str) -> str:
    return f"divisible/{structure}-300000"


def huge_of(structure: str) -> str:
    return f"divisible/{structure}-1000000"


def where(t: Table) -> Iterator[str]:
    """The split of our own time."""
    body = []
    for case in (f"divisible/{s}-{n}" for n in (NATIONAL, 300_000, 1_000_000) for s in STRUCTURES):
        runs = t.by.get((case, "ours"), [])
        runs = [run for run in runs if "seconds" in run]
        if runs:
            split = [median(run["seconds"].get(k, 0.0) for run in runs) for k in STAGES]
            total = median(run["total"] for run in runs)
            cells = (f"{value:.2f}" for value in (*split, total - sum(split), total))
            body.append((case, *cells, f"{max(run['memory'] for run in runs):,.0f}".replace(",", " ")))
    if body:
        yield "## Where the time goes\n"
        yield "Seconds, medians. *Tables*: `Scenario(…)`, read and checked.\n"
        yield from rows(("case", *STAGES, "other", "total", "MB"), body)


def everything(t: Table, group: str) -> Iterator[str]:
    """Each case, fastest first; then those that did not end, and why."""
    for case in t.cases(group):
        ended = [(median(t.values(case, m)), m) for m in t.methods(case) if t.ended(case, m)]
        others = [m for m in t.methods(case) if not t.ended(case, m) and m != "resolve"]
        body = []
        for method in [m for _, m in sorted(ended)] + others:
            runs = t.by[case, method]
            totals = [r["total"] for r in runs if r.get("total") is not None]
            last = runs[-1]
            said = last["status"] + (f": {last['said']}" if last.get("said") else "")
            apart = t.apart(case, method)
            if apart and said in (*GOOD, "limit"):
                said += f", objective {apart:+.1e} of ours" + (", a relaxation" if method.startswith("own:") else "")
            size = " × ".join(f"{k:,}".replace(",", " ") for k in last.get("size", []))
            body.append((
                titled(method), seconds(totals) if totals else "–", str(len(runs)), said,
                "–" if last.get("gap") is None else f"{last['gap']:.1e}", size, f"{last.get('memory', 0):,.0f}".replace(",", " "),
            ))  # fmt: skip
        yield f"### {case}\n"
        yield from rows(("method", "s", "runs", "", "certified gap", "columns × rows", "MB"), body)


def plot(t: Table, path: Path) -> None:
    """Seconds against demands, both axes logarithmic: medians over the structures of divisible cases."""
    import matplotlib

    matplotlib.use("svg")
    import matplotlib.pyplot as plt

    plt.rcParams["svg.hashsalt"] = "allocator"  # the same figures, the same file
    lines: dict[str, dict[int, list[float]]] = {}
    for case in t.cases("divisible"):
        for method in t.methods(case):
            if method.partition(":")[0] in ("ours", "textbook", "own") and t.ended(case, method):
                lines.setdefault(method, {}).setdefault(CASES[case].n, []).append(median(t.values(case, method)))
    figure, axes = plt.subplots(figsize=(9, 5.5))
    for method, found in sorted(lines.items(), key=lambda pair: (pair[0] != "ours", pair[0])):
        sizes = sorted(found)
        style = {"linewidth": 3, "color": "black"} if method == "ours" else {"linewidth": 1}
        dashes = "--" if method.startswith("own:") else "-"
        axes.loglog(
            sizes, [median(found[n]) for n in sizes], dashes, marker="o", label=titled(method).strip("*"), **style
        )
    axes.set_xlabel("demands")
    axes.set_ylabel("seconds, median over the structures that ended")
    axes.grid(which="both", linewidth=0.3)
    if lines:
        axes.legend(fontsize=8)
    figure.savefig(path, metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)


def render(results: Path, folder: Path = ROOT / "docs") -> None:
    """Both files, from all lines there are."""
    t = Table([json.loads(line) for line in results.read_text(encoding="utf-8").splitlines()])
    if not t.lines:
        print("nothing measured yet")
        return
    structures = "; ".join(f"*{name}*: {(s.rules.__doc__ or '').strip().rstrip('.')}" for name, s in STRUCTURES.items())
    text = [HEAD.format(structures=structures)]
    machines = list({json.dumps(line["machine"], sort_keys=True): line["machine"] for line in t.lines}.values())
    for one in machines:
        libraries = ", ".join(f"{name} {known}" for name, known in one["libraries"].items())
        text.append(
            f"Machine: {one['cores']} cores, {one['memory']} GB, {one['system']}, Python {one['python']}, {libraries}.\n"
        )
    if len(machines) > 1:
        text.append("**These lines come from several machines or versions: ratios between them mean little.**\n")
    text += aims(t)
    plot(t, folder / "benchmarks.svg")
    text.append("## Cost against size\n\n![seconds against demands, log-log](benchmarks.svg)\n")
    text += where(t)
    text.append("## Every measurement\n")
    for group in dict.fromkeys(case.group for case in CASES.values()):
        text += everything(t, group)
    path = folder / "benchmarks.md"
    path.write_text("\n".join(text).rstrip() + "\n", encoding="utf-8")
    print("\n".join(text[1:]))
    print(f"written: {path.name}, benchmarks.svg")


if __name__ == "__main__":
    given = [Path(argument) for argument in sys.argv[1:]]
    render(given[0] if given else HERE / "results.jsonl", *given[1:2])

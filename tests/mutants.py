"""Mutation testing of what must not be wrong: every small change to it must make a test fail.

    python tests/mutants.py --sample 200 --seed 1 [--only settle] [--minutes 30] [--list]

A mutant is one change of one place of one function (`CHANGES`): a comparison turned or moved by one, a sum for a difference,
`and` for `or`, a condition negated, a number one more, a statement dropped, the largest for the smallest. It is written
into a copy of the repository and the tests of its module (`TARGETS`) run on it, in a process of its own that is forked from
one with all libraries loaded and nothing of the package. It is killed where a test fails or time runs out, and has survived where all
pass. Survivors are listed with their place; those that no test could tell apart are in `EQUIVALENT`, with the reason.
"""

from __future__ import annotations

import argparse
import ast
import copy
import importlib
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SECONDS = 90.0  # for a mutant's tests, at least; and five times what they take unchanged
LIBRARIES = (
    "pytest", "hypothesis", "numpy", "pandas", "pydantic", "scipy.optimize", "yaml", "highspy", "ortools.linear_solver.pywraplp",
    "ortools.sat.python.cp_model", "ortools.graph.python.max_flow", "rich.console", "jsonschema", "pulp",
)  # fmt: skip

PLANS = "test_oracle_rules.py::test_solve_finds_the_best_plan[0]"
BROKEN = "test_oracle_rules.py::test_broken_plans_are_caught[0]"
EUROS = tuple(f"test_oracle.py::test_solve_is_as_good_as_the_textbook[{block}]" for block in range(2))
RULES = (
    "test_constraints.py::test_examples",
    "test_constraints.py::test_rows_and_check_count_the_same",
    "test_constraints.py::test_soft_rows_and_check_miss_the_same",
    "test_constraints.py::test_repayable_aid_counts_for_its_equivalent",
    "test_constraints.py::test_to_the_cent",
    "test_constraints.py::test_a_breach_is_told_in_its_unit",
    "test_constraints.py::test_rates_of_what_costs_less_than_is_asked",
    "test_constraints.py::test_what_is_at_its_side_is_told_and_what_counts_nothing_is_not",
)


@dataclass(frozen=True)
class Target:
    """Functions of a file (all of them, or those whose name, as `Class.function`, ends with one of these) and its tests."""

    path: str
    functions: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()


TARGETS = {
    "certify": Target(
        "allocator/certify.py",
        (),
        ("test_certificate.py::test_every_way_to_break_a_plan_is_seen", "test_certificate.py::test_a_grant_outside_the_scenario_is_no_grant",
            "test_certificate.py::test_points_lie_on_a_step_only_where_what_is_priced_is_whole",
            "test_certificate.py::test_each_level_is_counted_and_bounded_once",
            "test_certificate.py::test_a_scenario_with_plans_is_never_proved_empty", "test_certify.py", "test_objectives.py", BROKEN,),
    ),
    "settle": Target(
        "allocator/settle.py",
        (),
        (
            PLANS,
            "test_numerics.py::test_divisible",
            "test_oracle_rules.py::test_a_plan_that_only_rounding_to_cents_makes_is_found",
            EUROS[0],
        ),
    ),
    "classes": Target(
        "allocator/program.py",
        ("_Kinds.__init__", "_Part.alike", "middle", "_split_constant", "_parts", "_units_by_year", "_classify"),
        (PLANS, *EUROS, "test_numerics.py::test_identical_demands_are_one_class"),
    ),
    "patterns": Target(
        "allocator/space.py",
        ("Pattern.funds", "Pattern.tied", "Pattern.sets", "Pattern.allows", "Pattern.years", "Pattern.capped", "Space._patterns"),
        ("test_constraints.py::test_examples", PLANS, *EUROS),
    ),
    **{
        name: Target(f"allocator/kinds/{name}.py", (".check",), RULES)
        for name in ("aid", "amounts", "earlier", "fairness", "funds", "links", "numbers", "rates")
    },
    "risk": Target("allocator/kinds/risk.py", (".check",), (*RULES, "test_risk_kinds.py")),
    "envelopes": Target("allocator/envelopes.py", (".check",), ("test_envelopes.py", BROKEN)),
}  # fmt: skip

EQUIVALENT: dict[str, str] = {}
"""Survivors by "target function: before → after", and why no test can tell them from the code."""


# Making mutants ----------------------------------------------------------------------------------------

TURNED: dict[type, type] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq, ast.Is: ast.IsNot,
    ast.IsNot: ast.Is, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.FloorDiv,
    ast.FloorDiv: ast.Mult, ast.Div: ast.Mult, ast.Mod: ast.Mult, ast.BitAnd: ast.BitOr, ast.BitOr: ast.BitAnd, ast.And: ast.Or,
    ast.Or: ast.And,
}  # fmt: skip
SWAPPED = {
    "max": "min",
    "min": "max",
    "any": "all",
    "all": "any",
    "maximum": "minimum",
    "minimum": "maximum",
    "ceil": "floor",
    "floor": "ceil",
}


def changes(node: ast.AST) -> Iterator[Callable[[ast.AST], ast.AST | None]]:
    """What may be done to a node: functions from a copy of it to what stands in its place (None: nothing does)."""
    match node:
        case ast.Compare():
            for k, op in enumerate(node.ops):
                if type(op) in TURNED:
                    yield lambda n, k=k, op=op: _set(n, "ops", k, TURNED[type(op)]())
                if isinstance(op, ast.Lt | ast.LtE | ast.Gt | ast.GtE):
                    away = ast.GtE if isinstance(op, ast.Lt | ast.LtE) else ast.LtE
                    yield lambda n, k=k, away=away: _set(n, "ops", k, away())
        case ast.BinOp() | ast.BoolOp() | ast.AugAssign() if type(node.op) in TURNED:
            yield lambda n: _put(n, "op", TURNED[type(n.op)]())
        case ast.Constant(value=bool()):
            yield lambda n: ast.Constant(not n.value)
        case ast.Constant(value=int() | float()):
            yield lambda n: ast.Constant(n.value + 1)
        case ast.UnaryOp(op=ast.USub() | ast.Not() | ast.Invert()):
            yield lambda n: n.operand
        case ast.If() | ast.IfExp() | ast.While():
            yield lambda n: _put(n, "test", ast.UnaryOp(ast.Not(), n.test))
        case ast.comprehension(ifs=[_, *_]):
            yield lambda n: _set(n, "ifs", 0, ast.UnaryOp(ast.Not(), n.ifs[0]))
        case ast.Call(func=ast.Name(id=name)) if name in SWAPPED:
            yield lambda n: _put(n, "func", ast.Name(SWAPPED[n.func.id], ast.Load()))
        case ast.Call(func=ast.Attribute(attr=name)) if name in SWAPPED:
            yield lambda n: _put(n, "func", ast.Attribute(n.func.value, SWAPPED[n.func.attr], ast.Load()))
        case _:
            pass
    dropped = isinstance(node, ast.AugAssign | ast.Continue | ast.Break | ast.Raise)
    dropped |= isinstance(node, ast.Expr) and not isinstance(node.value, ast.Constant)
    dropped |= isinstance(node, ast.Assign) and not isinstance(node.targets[0], ast.Name | ast.Tuple)
    if dropped:
        yield lambda n: ast.Pass()


def _put(node: ast.AST, name: str, value: ast.AST) -> ast.AST:
    setattr(node, name, value)
    return node


def _set(node: ast.AST, name: str, k: int, value: ast.AST) -> ast.AST:
    getattr(node, name)[k] = value
    return node


@dataclass(frozen=True)
class Mutant:
    """`source()`: the whole file, changed at `line` in `function`; `what`: the text there before and after."""

    target: str
    function: str
    line: int
    what: str
    source: Callable[[], str]

    @property
    def key(self) -> str:
        return f"{self.target} {self.function}: {self.what}"


def mutants(name: str, target: Target) -> Iterator[Mutant]:
    """Every mutant of a target."""
    tree = ast.parse((ROOT / target.path).read_text(encoding="utf-8"))
    for function, body in _functions(tree, ""):
        if target.functions and not function.endswith(target.functions):
            continue
        for node in [n for statement in body.body for n in _code(statement)]:
            for rank, _ in enumerate(changes(node)):
                spot = copy.deepcopy(node)
                after = list(changes(spot))[rank](spot)
                what = f"{_text(node)} → {_text(after)}"
                line = getattr(node, "lineno", body.lineno)
                yield Mutant(name, function, line, what, partial(_replaced, tree, node, after))


def _functions(tree: ast.AST, prefix: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef):
            yield prefix + node.name, node
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, f"{prefix}{node.name}.")


def _code(node: ast.AST) -> Iterator[ast.AST]:
    """A statement and what is in it; but for what is said to people, and types."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Text", "figure"):
        return
    if isinstance(node, ast.keyword) and node.arg == "strict":  # of zip: lengths are equal, whatever it says
        return
    yield node
    for field, value in ast.iter_fields(node):
        if field not in ("annotation", "returns"):
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.AST):
                    yield from _code(child)


def _replaced(tree: ast.AST, node: ast.AST, after: ast.AST | None) -> str:
    class Replace(ast.NodeTransformer):
        def visit(self, found: ast.AST) -> ast.AST | None:
            return after if found is node else self.generic_visit(found)

    memo = {id(node): node}  # the copy shares this one node, so that it can be told
    return ast.unparse(ast.fix_missing_locations(Replace().visit(copy.deepcopy(tree, memo)))) + "\n"


def _text(node: ast.AST | None) -> str:
    if isinstance(node, ast.If | ast.While):
        return f"{type(node).__name__.lower()} {ast.unparse(node.test)}"
    text = ast.unparse(ast.fix_missing_locations(node)) if node is not None else "pass"
    return " ".join(text.split())[:100]


# Running them ------------------------------------------------------------------------------------------


def passes(home: Path, tests: tuple[str, ...], seconds: float, log: Path) -> bool:
    """Whether the tests pass in the repository at `home`, in a process of its own; one that hangs does not."""
    pid = os.fork()
    if pid == 0:
        os.setpgid(0, 0)
        sink = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(sink, 1)
        os.dup2(sink, 2)
        os.chdir(home)
        os.environ["PYTHONPATH"] = str(home)
        sys.dont_write_bytecode = True
        sys.path[:0] = [str(home), str(home / "tests")]
        import pytest

        os._exit(
            int(
                pytest.main(["-x", "-q", "-p", "no:cacheprovider", "--no-header", *(f"tests/{test}" for test in tests)])
            )
        )
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        done, status = os.waitpid(pid, os.WNOHANG)
        if done:
            code = os.waitstatus_to_exitcode(status)
            if code in (3, 4, 5):  # pytest's own trouble says nothing of the mutant
                raise RuntimeError(f"pytest ended with {code}: {log.read_text(errors='replace')[-2000:]}")
            return code == 0
        time.sleep(0.05)
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    return False


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--sample", type=int, default=200, help="of all mutants; 0: all")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", choices=list(TARGETS), help="a target; may be given again")
    parser.add_argument("--minutes", type=float, default=float("inf"), help="no mutant begins later")
    parser.add_argument("--list", action="store_true", help="only list them")
    options = parser.parse_args()
    every = [
        m for name, target in TARGETS.items() if not options.only or name in options.only for m in mutants(name, target)
    ]
    order = random.Random(options.seed).sample(range(len(every)), len(every))
    chosen = [every[k] for k in (order[: options.sample] if options.sample else sorted(order))]
    if options.list:
        for mutant in chosen:
            print(f"{TARGETS[mutant.target].path}:{mutant.line} {mutant.function}: {mutant.what}")
    print(f"{len(chosen)} of {len(every)} mutants", flush=True)
    return 0 if options.list else run(chosen, time.monotonic() + 60 * options.minutes)


def run(chosen: list[Mutant], until: float) -> int:
    """Run these mutants, as many as there is time for, and report; 1 where one survived that is not in `EQUIVALENT`."""
    for library in LIBRARIES:
        importlib.import_module(library)
    counts: Counter[tuple[str, str]] = Counter()
    survivors: list[Mutant] = []
    with tempfile.TemporaryDirectory(prefix="mutants-") as place:
        home, log = Path(place) / "repository", Path(place) / "log"
        for part in ("allocator", "tests", "docs"):
            shutil.copytree(ROOT / part, home / part, ignore=shutil.ignore_patterns("__pycache__"))
        for file in ("pyproject.toml", "README.md"):
            shutil.copy(ROOT / file, home)
        allowed: dict[tuple[str, ...], float] = {}
        for tests in dict.fromkeys(TARGETS[mutant.target].tests for mutant in chosen):
            began = time.monotonic()
            if not passes(home, tests, 3600, log):
                print(f"without any mutant, a test fails:\n{log.read_text(errors='replace')[-3000:]}")
                return 2
            allowed[tests] = max(SECONDS, 5 * (time.monotonic() - began))
            print(f"unchanged, {time.monotonic() - began:.0f} s: {', '.join(tests)}", flush=True)
        for mutant in chosen:
            if time.monotonic() > until:
                break
            target = TARGETS[mutant.target]
            (home / target.path).write_text(mutant.source(), encoding="utf-8")
            survived = passes(home, target.tests, allowed[target.tests], log)
            shutil.copy(ROOT / target.path, home / target.path)
            known = mutant.key in EQUIVALENT
            counts[mutant.target, "equivalent" if known and survived else "survived" if survived else "killed"] += 1
            if survived and not known:
                survivors.append(mutant)
                print(f"survived: {target.path}:{mutant.line} {mutant.key}", flush=True)
    print(f"\n{'target':12} {'killed':>7} {'equivalent':>11} {'survived':>9}")
    for name in TARGETS:
        row = [counts[name, what] for what in ("killed", "equivalent", "survived")]
        if any(row):
            print(f"{name:12} {row[0]:7} {row[1]:11} {row[2]:9}")
    print(f"{counts.total()} run")
    return 1 if survivors else 0


if __name__ == "__main__":
    sys.exit(main())

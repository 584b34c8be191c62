"""What commands share: exit statuses, options of a solve, the console, files written."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from allocator.texts import Text

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from allocator.engines.base import Progress
    from allocator.explain.variants import OnStep
    from allocator.plan import Plan
    from allocator.problems import Problem
    from allocator.scenario import Scenario

OK, BUG, WRONG_INPUT, INFEASIBLE, NO_PLAN = 0, 1, 2, 3, 4
STATUS = {"optimal": OK, "feasible": OK, "infeasible": INFEASIBLE, "no_plan": NO_PLAN}
SCENARIO = Text(
    "un nom fourni, un dossier, un fichier .yaml ou un classeur .xlsx ou .ods",
    "a built-in name, a folder, a .yaml file or a .xlsx or .ods workbook",
)


ENGINES = Text(
    "auto, highs, cbc, cp-sat, scip, glop, pdlp, pulp:NOM ; « allocator list --engines » dit ceux d'ici",
    "auto, highs, cbc, cp-sat, scip, glop, pdlp, pulp:NAME; “allocator list --engines” says those found here",
)


def solving_options(parser: argparse.ArgumentParser) -> None:
    """Engine, gap, time limit."""
    parser.add_argument("--engine", default="auto", metavar="E", help=str(ENGINES))
    parser.add_argument("--gap", type=float, default=1e-4, metavar="G", help=str(Text("écart toléré", "gap allowed")))
    parser.add_argument("--time-limit", type=float, metavar="S", help=str(Text("secondes", "seconds")))


def output_options(parser: argparse.ArgumentParser) -> None:
    """A folder, or JSON."""
    parser.add_argument("--out", metavar="DIR", help=str(Text("écrire dans ce dossier", "write to this folder")))
    json_option(parser)


def store_option(parser: argparse.ArgumentParser) -> None:
    """Where plans are saved."""
    place = Text(
        "où les plans sont gardés : un fichier, ou postgresql://… ; sans elle ALLOCATOR_STORE, sinon un fichier à vous",
        "where plans are kept: a file, or postgresql://…; without it ALLOCATOR_STORE, else a file of yours",
    )
    parser.add_argument("--store", metavar="URL", help=str(place))


def who_option(parser: argparse.ArgumentParser) -> None:
    """Who saves or decides."""
    name = Text(
        "qui enregistre ou décide ; sans elle ALLOCATOR_WHO, sinon le nom de la session",
        "who saves or decides; without it ALLOCATOR_WHO, else the name of the session",
    )
    parser.add_argument("--who", metavar="W", help=str(name))


def json_option(parser: argparse.ArgumentParser) -> None:
    """One JSON object on stdout."""
    parser.add_argument(
        "--json",
        action="store_true",
        help=str(Text("un objet JSON et rien d'autre", "one JSON object and nothing else")),
    )


def console() -> Console:
    """Stdout, as wide as the terminal; 140 columns into a file."""
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain() if sys.stdout.isatty() else Plain(width=140)


def warn(scenario: Scenario) -> None:
    """Warnings on stderr."""
    for warning in scenario.warnings:
        print(f"{Text('attention', 'warning')} : {warning.text()}", file=sys.stderr)


def loaded(options: argparse.Namespace, names: Sequence[str]) -> list[Scenario]:
    """Every scenario named, its warnings told; all that is wrong with any of them, or with the options, at once."""
    from allocator import engines
    from allocator.problems import Problem, did_you_mean

    problems = []
    if options.engine != "auto":
        try:
            engines.engine(options.engine)
        except engines.UnknownEngine as error:
            problems.append(Problem("--engine", error.text, did_you_mean(options.engine, ["auto", *error.known])))
    if not options.gap >= 0:
        remedy = Text("par exemple 0.0001", "for example 0.0001")
        problems.append(
            Problem("--gap", Text("un nombre positif ou nul est attendu", "a number >= 0 is expected"), remedy)
        )
    if options.time_limit is not None and not options.time_limit > 0:
        remedy = Text("par exemple 60", "for example 60")
        problems.append(
            Problem(
                "--time-limit",
                Text("un nombre de secondes est attendu", "a number of seconds is expected"),
                remedy,
            )
        )
    scenarios = read(names, problems)
    for scenario in scenarios:
        warn(scenario)
    return scenarios


def read(names: Sequence[str], problems: Sequence[Problem] = ()) -> list[Scenario]:
    """Every scenario named. `ScenarioError` with `problems` and all that is wrong with any of them."""
    from allocator.formats import load
    from allocator.problems import ScenarioError

    scenarios, told = [], [*problems]
    for name in names:
        try:
            scenarios.append(load(name))
        except ScenarioError as error:
            told += error.problems
    if told:
        raise ScenarioError(told)
    return scenarios


def solved(options: argparse.Namespace, names: Sequence[str]) -> list[Plan]:
    """Every scenario named, solved."""
    from rich.console import Console

    from allocator.solver import solve

    plans = []
    for scenario in loaded(options, names):
        watch = _Watch(Console(stderr=True))
        with stdout_for_us_alone():
            plans.append(
                solve(
                    scenario,
                    engine=options.engine,
                    gap=options.gap,
                    time_limit=options.time_limit,
                    on_progress=watch,
                )
            )
        watch.done()
    return plans


def written(options: argparse.Namespace, write: Callable[[str], list[Path]]) -> list[Path]:
    """The files of --out, if asked for."""
    from allocator.problems import ScenarioError

    if not options.out:
        return []
    try:
        return write(options.out)
    except OSError as error:
        raise ScenarioError([unwritten(error, options.out)]) from None


def unwritten(error: OSError, folder: str) -> Problem:
    """Why the files of --out cannot be written."""
    from allocator.files import reason
    from allocator.problems import Problem

    cannot = Text(f"impossible d'écrire : {reason(error).fr}", f"cannot write: {reason(error).en}")
    return Problem("--out", cannot, Text("choisir un autre dossier", "choose another folder"), folder)


def told(
    options: argparse.Namespace, report: dict[str, Any], show: Callable[[Console], None], written: list[Path]
) -> None:
    """One JSON object, or what `show` prints and where files went."""
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False))
        return
    show(console())
    if written:
        print(
            Text(f"\nÉcrit dans {options.out} :", f"\nWritten to {options.out}:"),
            ", ".join(p.name for p in written),
        )


@contextmanager
def steps_told() -> Iterator[OnStep]:
    """What is being solved for an explanation, on stderr, when someone is there to see it."""
    waiting = sys.stderr.isatty()

    def tell(what: Text, seconds: float) -> None:
        if waiting and seconds > 1:
            print(f"\r\033[K{seconds:.0f} s : {what}", end="", file=sys.stderr, flush=True)

    with stdout_for_us_alone():
        yield tell
    if waiting:
        print("\r\033[K", end="", file=sys.stderr, flush=True)


@contextmanager
def stdout_for_us_alone() -> Iterator[None]:
    """What a library's C code prints goes to stderr: HiGHS 1.13 writes to stdout now and then, whatever its options."""
    try:
        sys.stdout.flush()
        kept = os.dup(1)
    except (OSError, ValueError):
        yield
        return
    try:
        os.dup2(2, 1)
        yield
    finally:
        os.dup2(kept, 1)
        os.close(kept)


class _Watch:
    """Progress on stderr, when someone is there to see it."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.last = 0.0

    def __call__(self, progress: Progress) -> None:
        if not self.console.is_terminal or progress.seconds - self.last < 0.2:
            return
        self.last = progress.seconds
        best = "—" if progress.objective is None else f"{progress.objective:.6g}"
        bound = "—" if progress.bound is None else f"{progress.bound:.6g}"
        stage = {"solve": Text("calcul", "solve"), "prove": Text("preuve", "prove")}.get(progress.stage, progress.stage)
        text = Text(
            f"{stage} {progress.seconds:.0f} s : {best} points, au mieux {bound}",
            f"{stage} {progress.seconds:.0f} s: {best} points, at best {bound}",
        )
        self.console.print(f"\r{text}", end="", highlight=False)

    def done(self) -> None:
        if self.last:
            self.console.print()

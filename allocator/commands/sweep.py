"""`allocator sweep`: many variants of a scenario in one table."""

from __future__ import annotations

import argparse
import sys
from typing import TYPE_CHECKING, Any

from allocator.commands.common import (
    NO_PLAN,
    OK,
    SCENARIO,
    loaded,
    output_options,
    solving_options,
    stdout_for_us_alone,
    told,
    unwritten,
)
from allocator.texts import Text

if TYPE_CHECKING:
    from allocator.sweep import Progress

NAME = "sweep"
HELP = Text("calcule de nombreuses variantes", "solve many variants")
VARY = Text(
    "ce qui varie : CHEMIN=V1,V2,… ou CHEMIN=DE..À/N, par exemple 'funds.friches.amount=-30 %..+30 %/7'",
    "what varies: PATH=V1,V2,… or PATH=FROM..TO/N, for example 'funds.friches.amount=-30 %..+30 %/7'",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    parser.add_argument("--vary", action="append", default=[], metavar="PATH=VALUES", help=str(VARY).replace("%", "%%"))
    of_list = Text(
        "un fichier CSV : une variante par ligne, un chemin par colonne", "a CSV file: a variant a row, a path a column"
    )
    parser.add_argument("--list", dest="listed", metavar="F.csv", help=str(of_list))
    how = Text(
        "grid : toutes les combinaisons ; one : une valeur à la fois ; random : au hasard",
        "grid: every combination; one: a value at a time; random: at random",
    )
    parser.add_argument("--design", choices=("grid", "one", "random"), default="grid", help=str(how))
    parser.add_argument(
        "--count", type=int, default=100, metavar="N", help=str(Text("tirages (random)", "draws (random)"))
    )
    parser.add_argument("--seed", type=int, default=0, metavar="K", help=str(Text("graine (random)", "seed (random)")))
    jobs = Text("processus de cette machine (0 : un par cœur)", "processes of this machine (0: one a core)")
    parser.add_argument("--jobs", type=int, default=0, metavar="N", help=str(jobs))
    cluster = Text("un ordonnanceur Dask, tcp://… ou tls://…", "a Dask scheduler, tcp://… or tls://…")
    parser.add_argument("--scheduler", metavar="URL", help=str(cluster))
    solving_options(parser)
    output_options(parser)


def run(options: argparse.Namespace) -> int:
    """0 once every variant has an answer, infeasible ones among them; 4 where it was interrupted."""
    from allocator.problems import Problem, ScenarioError
    from allocator.report.sweep import print_sweep
    from allocator.sweep import sweep

    problems: list[Problem] = []
    vary = _vary(options, problems)
    for name, least in (("count", 1), ("seed", 0)):
        if getattr(options, name) < least:
            wrong = Text(f"un entier d'au moins {least} est attendu", f"a whole number >= {least} is expected")
            problems.append(Problem(f"--{name}", wrong, Text("par exemple 100", "for example 100")))
    scenarios = []
    try:
        scenarios = loaded(options, [options.scenario])
    except ScenarioError as error:
        problems += error.problems
    if problems:
        raise ScenarioError(problems)
    (scenario,) = scenarios
    try:
        with stdout_for_us_alone():
            found = sweep(
                scenario, vary, design=options.design, count=options.count, seed=options.seed, engine=options.engine,
                gap=options.gap, time_limit=options.time_limit, jobs=options.jobs, scheduler=options.scheduler,
                out=options.out, on_progress=_progress,
            )  # fmt: skip
    except OSError as error:
        raise ScenarioError([unwritten(error, str(options.out))]) from None
    except KeyboardInterrupt:
        if not options.out:
            raise
        again = Text(
            "interrompu : ce qui est calculé est gardé, la même commande continue",
            "interrupted: what is solved is kept, the same command goes on",
        )
        print(f"\n{again}", file=sys.stderr)
        return NO_PLAN
    finally:
        if sys.stderr.isatty():
            print(file=sys.stderr)
    from pathlib import Path

    files = (
        [Path(options.out) / name for name in ("table.parquet", "grants.parquet", "sweep.json")] if options.out else []
    )
    told(options, found.as_dict(), lambda console: print_sweep(found, console), files)
    return OK


def _vary(options: argparse.Namespace, problems: list[Any]) -> Any:
    """What varies, from --vary or --list; what is wrong with either goes to `problems`."""
    from allocator.problems import Problem
    from allocator.sweep.design import read_values

    if bool(options.vary) == bool(options.listed):
        text = Text("--vary ou --list est attendu, l'un des deux", "--vary or --list is expected, one of them")
        problems.append(Problem("--vary", text, VARY))
        return {}
    if options.listed:
        return _listed(options.listed, problems)
    found = {}
    for given in options.vary:
        path, equals, values = given.partition("=")
        try:
            if not equals or not values.strip():
                raise ValueError(Text("CHEMIN=VALEURS est attendu", "PATH=VALUES is expected"))
            if path.strip() in found:
                raise ValueError(Text("ce chemin est déjà donné : une seule fois, avec toutes ses valeurs",
                                      "this path is given already: once, with all its values"))  # fmt: skip
            found[path.strip()] = read_values(values)
        except ValueError as error:
            said = (
                error.args[0]
                if isinstance(error.args[0], Text)
                else getattr(error, "text", Text(str(error), str(error)))
            )
            problems.append(Problem(f"--vary {given}", said, VARY))
    return found


def _listed(file: str, problems: list[Any]) -> list[dict[str, Any]]:
    import csv

    from allocator.files import reason
    from allocator.problems import Problem

    try:
        with open(file, encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        said = reason(error)
        problems.append(Problem("--list", Text(f"illisible : {said.fr}", f"unreadable: {said.en}"), None, file))
        return []
    wanted = [{path: value for path, value in row.items() if path and value} for row in rows]
    for k, row in enumerate(rows, start=2):
        if None in row:
            more = Text("trop de valeurs pour les colonnes", "more values than columns")
            problems.append(Problem(Text(f"ligne {k}", f"line {k}"), more, None, file))
    return wanted


def _progress(progress: Progress) -> None:
    """How many, how fast, how long still; on stderr, when someone is there to see it."""
    if sys.stderr.isatty():
        rate = f"{progress.rate:.2g}"
        line = Text(
            f"{progress.done} sur {progress.total} variantes, {rate} par seconde, encore {_time(progress.left)}",
            f"{progress.done} of {progress.total} variants, {rate} a second, {_time(progress.left)} to go",
        )
        print(f"\r\033[K{line}", end="", file=sys.stderr, flush=True)


def _time(seconds: float) -> str:
    whole = round(seconds)
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"

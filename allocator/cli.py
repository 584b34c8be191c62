"""The command `allocator`: list, check, solve, compare. Exit status 0 a plan, 2 wrong input, 3 infeasible, 4 no plan, 1 our bug."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NoReturn

from allocator.texts import LANGUAGES, Text, set_language

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from allocator.engines.base import Progress
    from allocator.plan import Plan
    from allocator.scenario import Scenario

OK, BUG, WRONG_INPUT, INFEASIBLE, NO_PLAN = 0, 1, 2, 3, 4
STATUS = {"optimal": OK, "feasible": OK, "infeasible": INFEASIBLE, "no_plan": NO_PLAN}


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line as everything else is said."""

    def error(self, message: str) -> NoReturn:
        raise _Usage(message, self.format_usage())


class _Usage(Exception):
    pass


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status."""
    try:
        status = _run(arguments)
        sys.stdout.flush()
        return status
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return OK


def _run(arguments: Sequence[str] | None) -> int:
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    as_json, debug = "--json" in arguments, "--debug" in arguments
    for lang in LANGUAGES:
        if f"--lang={lang}" in arguments or ("--lang", lang) in pairwise(arguments):
            set_language(lang)
    from allocator.problems import Problem, ScenarioError

    try:
        options = _parser().parse_args(arguments)
        return int(options.run(options))
    except _Usage as error:
        message, usage = error.args
        wrong = Text(f"ligne de commande : {message}", f"command line: {message}")
        return _refuse([Problem("", wrong, Text(usage.strip(), usage.strip()))], as_json)
    except ScenarioError as error:
        return _refuse(error.problems, as_json)
    except BrokenPipeError:
        raise
    except KeyboardInterrupt:
        print(Text("interrompu", "interrupted"), file=sys.stderr)
        return NO_PLAN
    except Exception as error:
        if debug:
            raise
        text = Text("erreur interne", "internal error")
        hint = Text("relancer avec --debug pour la trace", "run again with --debug for the trace")
        print(
            f"allocator : {text} : {type(error).__name__}: {error} ({hint})".replace("\n", " "),
            file=sys.stderr,
        )
        return BUG


def _refuse(problems: Sequence[Any], as_json: bool) -> int:
    if as_json:
        print(json.dumps({"errors": [p.as_dict() for p in problems]}, ensure_ascii=False, indent=2))
    else:
        for problem in problems:
            print(problem.text(), file=sys.stderr)
        count = len(problems)
        print(Text(f"{count} erreur(s) dans les données", f"{count} error(s) in the input"), file=sys.stderr)
    return WRONG_INPUT


def _parser() -> _Parser:
    common = _Parser(add_help=False)
    common.add_argument("--lang", choices=LANGUAGES, default=None, help=str(Text("langue", "language")))
    common.add_argument("--debug", action="store_true", help=str(Text("trace complète des erreurs", "full traces")))
    parser = _Parser(prog="allocator", description=str(Text(
        "Répartit des fonds publics entre des dossiers, sous des règles, avec un certificat.",
        "Spreads public funds over demands, under rules, with a certificate.")), parents=[common])  # fmt: skip
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMANDE", parser_class=_Parser)

    listing = commands.add_parser(
        "list", parents=[common], help=str(Text("les scénarios fournis", "built-in scenarios"))
    )
    listing.add_argument("--json", action="store_true")
    listing.add_argument(
        "--propositions",
        action="store_true",
        help=str(Text("les 28 propositions de la note", "the note's 28 propositions")),
    )
    listing.set_defaults(run=_list)

    scenario = Text("un nom fourni, un dossier ou un fichier .yaml", "a built-in name, a folder or a .yaml file")
    check = commands.add_parser("check", parents=[common], help=str(Text("vérifie un scénario", "check a scenario")))
    check.add_argument("scenario", help=str(scenario))
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=_check)

    solve = commands.add_parser(
        "solve", parents=[common], help=str(Text("calcule le meilleur plan", "find the best plan"))
    )
    solve.add_argument("scenario", help=str(scenario))
    solve.set_defaults(run=_solve)
    compare = commands.add_parser(
        "compare", parents=[common], help=str(Text("compare des scénarios", "compare scenarios"))
    )
    compare.add_argument("scenarios", nargs="+", metavar="scenario", help=str(scenario))
    compare.set_defaults(run=_compare)
    for command in (solve, compare):
        command.add_argument("--out", metavar="DIR", help=str(Text("écrire dans ce dossier", "write to this folder")))
        command.add_argument("--engine", default="auto", metavar="E", help="auto, highs, glop, cbc, cp-sat")
        command.add_argument(
            "--gap", type=float, default=1e-4, metavar="G", help=str(Text("écart toléré", "gap allowed"))
        )
        command.add_argument("--time-limit", type=float, metavar="S", help=str(Text("secondes", "seconds")))
        command.add_argument(
            "--json",
            action="store_true",
            help=str(Text("un objet JSON et rien d'autre", "one JSON object and nothing else")),
        )
    return parser


def _list(options: argparse.Namespace) -> int:
    from allocator import data

    if options.propositions:
        from allocator.report.propositions import as_dicts, print_propositions

        if options.json:
            print(json.dumps(as_dicts(), ensure_ascii=False, indent=2))
        else:
            print_propositions(_console())
        return OK
    found = data.builtin()
    if options.json:
        print(
            json.dumps(
                {"scenarios": [{"id": name, "label": str(label)} for name, label in found]},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        for name, label in found:
            print(f"{name:24} {label}")
    return OK


def _console() -> Console:
    from rich.console import Console

    class Plain(Console):
        def on_broken_pipe(self) -> None:
            raise BrokenPipeError

    return Plain() if sys.stdout.isatty() else Plain(width=140)


def _warn(scenario: Scenario) -> None:
    for warning in scenario.warnings:
        print(f"{Text('attention', 'warning')} : {warning.text()}", file=sys.stderr)


def _check(options: argparse.Namespace) -> int:
    """The input can be understood, and its rules can hold together."""
    from allocator.formats import load
    from allocator.solver import find_conflict

    scenario = load(options.scenario)
    found = find_conflict(scenario)
    if options.json:
        report: dict[str, Any] = {
            "scenario": scenario.name, "input_hash": scenario.input_hash, "errors": [],
            "warnings": [w.as_dict() for w in scenario.warnings],
        }  # fmt: skip
        if found is not None:
            report["conflict"] = found.as_dict()
        print(json.dumps(report, ensure_ascii=False, indent=2))
        return OK if found is None else INFEASIBLE
    _warn(scenario)
    if found is not None:
        print(found.text(), file=sys.stderr)
        return INFEASIBLE
    counts = (
        len(scenario.funds),
        len(scenario.measures),
        len(scenario.territories),
        len(scenario.demands),
        len(scenario.constraints),
    )
    print(Text(
        "{} : lu sans erreur, règles compatibles — {} fonds, {} mesures, {} territoires, {} dossiers, {} règles",
        "{}: read without error, rules compatible — {} funds, {} measures, {} territories, {} demands, {} constraints",
    ).in_().format(scenario.name, *counts))  # fmt: skip
    return OK


def _solved(options: argparse.Namespace, names: Sequence[str]) -> list[Plan]:
    """Every scenario named, solved; all that is wrong with any of them, or with the options, at once."""
    from rich.console import Console

    from allocator import engines
    from allocator.formats import load
    from allocator.problems import Problem, ScenarioError, did_you_mean
    from allocator.solver import solve

    problems = []
    if options.engine != "auto" and options.engine not in engines.ENGINES:
        unknown = Text(f"moteur inconnu « {options.engine} »", f"unknown engine “{options.engine}”")
        problems.append(Problem("--engine", unknown, did_you_mean(options.engine, ["auto", *engines.ENGINES])))
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
    scenarios = []
    for name in names:
        try:
            scenarios.append(load(name))
        except ScenarioError as error:
            problems += error.problems
    if problems:
        raise ScenarioError(problems)
    plans = []
    for scenario in scenarios:
        _warn(scenario)
        watch = _Watch(Console(stderr=True))
        with _stdout_for_us_alone():
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


def _written(options: argparse.Namespace, write: Callable[[str], list[Path]]) -> list[Path]:
    """The files of --out, if asked for."""
    from allocator.problems import Problem, ScenarioError

    if not options.out:
        return []
    try:
        return write(options.out)
    except OSError as error:
        cannot = Text(f"impossible d'écrire : {error.strerror}", f"cannot write: {error.strerror}")
        remedy = Text("choisir un autre dossier", "choose another folder")
        raise ScenarioError([Problem("--out", cannot, remedy, options.out)]) from None


def _told(
    options: argparse.Namespace, report: dict[str, Any], show: Callable[[Console], None], written: list[Path]
) -> None:
    if options.json:
        print(json.dumps(report, ensure_ascii=False, indent=2, allow_nan=False))
        return
    show(_console())
    if written:
        print(
            Text(f"\nÉcrit dans {options.out} :", f"\nWritten to {options.out}:"),
            ", ".join(p.name for p in written),
        )


def _solve(options: argparse.Namespace) -> int:
    from allocator.report.console import print_plan
    from allocator.report.files import write_plan

    (plan,) = _solved(options, [options.scenario])
    written = _written(options, lambda folder: write_plan(plan, folder))
    _told(options, plan.summary(), lambda console: print_plan(plan, console), written)
    return STATUS[plan.status]


def _compare(options: argparse.Namespace) -> int:
    """Exit status 0 when every scenario has a plan, else that of the first that has none."""
    from allocator.compare import compare
    from allocator.problems import Problem, ScenarioError
    from allocator.report.comparison import print_comparison, write_comparison

    if len(options.scenarios) < 2:
        remedy = Text("allocator compare A B", "allocator compare A B")
        raise ScenarioError([Problem("", Text("il faut au moins deux scénarios", "two scenarios at least"), remedy)])
    plans = _solved(options, options.scenarios)
    comparison = compare(plans)
    written = _written(options, lambda folder: write_comparison(comparison, folder))
    _told(options, comparison.as_dict(), lambda console: print_comparison(comparison, console), written)
    return next((STATUS[plan.status] for plan in plans if STATUS[plan.status] != OK), OK)


@contextmanager
def _stdout_for_us_alone() -> Iterator[None]:
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


if __name__ == "__main__":
    sys.exit(main())

"""`allocator solve`: the best plan of a scenario, printed and written."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from allocator.commands.common import (
    SCENARIO,
    STATUS,
    WRONG_INPUT,
    output_options,
    solved,
    solving_options,
    steps_told,
    store_option,
    told,
    who_option,
    written,
)
from allocator.texts import Text

if TYPE_CHECKING:
    from rich.console import Console

    from allocator.explain import Explanation
    from allocator.plan import Plan
    from allocator.store import Store

NAME = "solve"
HELP = Text("calcule le meilleur plan", "find the best plan")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("scenario", help=str(SCENARIO))
    solving_options(parser)
    output_options(parser)
    note = Text("écrire aussi note.pdf, deux pages pour qui décide", "also write note.pdf, two pages for who decides")
    costs = Text(
        "y dire ce que coûte chaque règle (un calcul par règle)", "say there what each rule costs (a solve a rule)"
    )
    parser.add_argument("--pdf", action="store_true", help=str(note))
    parser.add_argument("--costs", action="store_true", help=str(costs))
    save = Text("garder le scénario et le plan (docs/store.md)", "keep the scenario and the plan (docs/store.md)")
    words = Text("ce que l'on veut en dire plus tard", "what one will want to say of it later")
    parser.add_argument("--save", action="store_true", help=str(save))
    parser.add_argument("--words", default="", metavar="…", help=str(words))
    who_option(parser)
    store_option(parser)


def run(options: argparse.Namespace) -> int:
    from allocator.problems import ScenarioError
    from allocator.report.console import print_plan
    from allocator.report.files import summary, write_plan

    _check(options)
    with _store(options) as store:
        (plan,) = solved(options, [options.scenario])
        reasons = _reasons(plan, options) if options.costs else None
        files = written(options, lambda folder: write_plan(plan, folder, pdf=options.pdf, reasons=reasons))
        report, lost = summary(plan, reasons), None
        try:
            saved = store.save(plan, who=options.who, words=options.words) if store and options.save else None
        except ScenarioError as error:  # what was solved is shown all the same
            saved, lost = None, error
            report |= {"errors": [problem.as_dict() for problem in error.problems]}
    if saved:
        report |= {"saved": saved}

    def show(console: Console) -> None:
        print_plan(plan, console)
        if saved:
            console.print(str(Text(f"\nEnregistré : {saved}", f"\nSaved: {saved}")), highlight=False)

    told(options, report, show, files)
    if lost is not None:
        if not options.json:
            raise lost
        return WRONG_INPUT
    return STATUS[plan.status]


@contextmanager
def _store(options: argparse.Namespace) -> Iterator[Store | None]:
    """The store, opened before a long solve is lost on it; rules that look back to a saved plan find it there."""
    if not options.save and options.store is None:
        yield None
        return
    from allocator import saved
    from allocator.store import Store, records

    if options.save:
        records.person(options.who)
        records.spoken(options.words, "--words")
    with Store(options.store, create=options.save) as store, saved.reading(store.plan):
        yield store


def _check(options: argparse.Namespace) -> None:
    """What would be found out only after the solve."""
    from allocator.problems import Problem, ScenarioError

    for name in ("who", "words"):
        if getattr(options, name) and not options.save:
            missing = Text(f"--{name} va avec --save", f"--{name} goes with --save")
            raise ScenarioError([Problem(f"--{name}", missing, Text("ajouter --save", "add --save"))])
    for name in ("pdf", "costs"):
        if getattr(options, name) and not options.out:
            missing = Text(f"--{name} va avec --out", f"--{name} goes with --out")
            raise ScenarioError([Problem(f"--{name}", missing, Text("ajouter --out DOSSIER", "add --out FOLDER"))])
    if options.pdf:
        from allocator.report.document import available

        available()


def _reasons(plan: Plan, options: argparse.Namespace) -> Explanation:
    """What each rule costs; what conflicts, where there is no plan."""
    from allocator.explain import explain
    from allocator.explain.variants import SECONDS

    with steps_told() as tell:
        return explain(plan, about="costs", gap=options.gap, time_limit=options.time_limit or SECONDS, on_step=tell)

"""`allocator template`: a workbook to fill in; or next year's, from last year's plan."""

from __future__ import annotations

import argparse
from pathlib import Path

from allocator.commands.common import OK, written
from allocator.texts import Text

NAME = "template"
HELP = Text("écrit un classeur à remplir, ou la suite d'un plan", "write a workbook to fill in, or what follows a plan")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", metavar="F.xlsx", help=str(Text("classeur à écrire", "workbook to write")))
    parser.add_argument(
        "--from",
        dest="plan",
        metavar="plan.xlsx",
        help=str(
            Text(
                "plan écrit par solve --out : ses décisions deviennent des règles « Décision acquise »",
                "a plan written by solve --out: its decisions become “Lock” rules",
            )
        ),
    )
    parser.add_argument(
        "--year",
        type=int,
        metavar="A",
        help=str(
            Text(
                "première année encore ouverte : seuls les dossiers servis avant elle sont décidés (sans : tous)",
                "first year still open: only demands served before it are decided (without: all)",
            )
        ),
    )


def run(options: argparse.Namespace) -> int:
    from allocator.formats import load, saving, workbook
    from allocator.formats.decided import next_scenario, read_grants
    from allocator.problems import Problem, ScenarioError

    problems = []
    if not options.out.lower().endswith(".xlsx"):
        problems.append(
            Problem("", Text("un nom en .xlsx est attendu", "a name in .xlsx is expected"), None, options.out)
        )
    if options.year is not None and options.plan is None:
        problems.append(Problem("--year", Text("va avec --from plan.xlsx", "goes with --from plan.xlsx")))
    if problems:
        raise ScenarioError(problems)
    lines: tuple[Text, ...] = ()
    if options.plan is None:
        scenario = workbook.example()
        lines = (Text("Les lignes présentes sont un exemple inventé : remplacez-les.",
                      "The rows below are an invented example: replace them."),)  # fmt: skip
    else:
        plan = Path(options.plan) / "plan.xlsx" if Path(options.plan).is_dir() else Path(options.plan)
        before = load(str(plan))
        name = f"{before.name} ({before.input_hash[:12]})"
        scenario = next_scenario(before, read_grants(plan), options.year, name)
        known = {rule.id for rule in before.constraints}
        count = sum(
            1
            for rule in scenario.constraints
            if rule.kind == "lock" and rule.id not in known and rule.decision != "refuse"
        )
        lines = (Text(f"Suite du plan {name} : {count} dossiers décidés, feuille Règles.",
                      f"What follows plan {name}: {count} demands decided, sheet Constraints."),)  # fmt: skip
    written(options, lambda out: [saving.replaced(Path(out), lambda at: workbook.save(scenario, at, lines))])
    print(Text(f"Écrit : {options.out}", f"Written: {options.out}"))
    for line in lines:
        print(line)
    return OK

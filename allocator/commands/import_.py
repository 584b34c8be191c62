"""`allocator import`: a public file becomes tables of a scenario, with an account of every row."""

from __future__ import annotations

import argparse

from allocator.commands.common import OK, console, json_option, told, written
from allocator.importers import importers
from allocator.texts import Text

NAME = "import"
HELP = Text("fait d'un fichier public les tables d'un scénario", "turn a public file into tables of a scenario")


def arguments(parser: argparse.ArgumentParser) -> None:
    of = parser.add_subparsers(dest="format", required=True, metavar="FORMAT")
    for importer in importers():
        about = str(Text(f"Lit : {importer.READS.fr}\nÉcrit : {importer.WRITES.fr}",
                         f"Reads: {importer.READS.en}\nWrites: {importer.WRITES.en}"))  # fmt: skip
        mine = of.add_parser(importer.FORMAT, help=str(importer.HELP), description=about,
                             formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
        least, most = importer.FILES
        mine.add_argument("files", metavar="FICHIER", nargs="+" if most != 1 else 1, help=str(_how_many(least, most)))
        mine.add_argument("--out", metavar="DIR", required=True, help=str(Text("dossier à écrire", "folder to write")))
        json_option(mine)
        mine.add_argument("--lang", help=argparse.SUPPRESS, default=argparse.SUPPRESS)
        mine.add_argument("--debug", action="store_true", help=argparse.SUPPRESS, default=argparse.SUPPRESS)
        importer.arguments(mine)
        mine.set_defaults(importer=importer)


def run(options: argparse.Namespace) -> int:
    """Read, place, account for every row, write."""
    from rich.console import Console

    from allocator.importers.writing import write
    from allocator.money import parse_cents
    from allocator.problems import Problem, ScenarioError

    importer = options.importer
    problems = []
    least, most = importer.FILES
    if not least <= len(options.files) <= most:
        wrong = Text(f"{len(options.files)} fichier(s) donné(s)", f"{len(options.files)} file(s) given")
        problems.append(Problem("import " + importer.FORMAT, wrong, _how_many(least, most)))
    if getattr(options, "fund", None) is not None:
        try:
            options.fund = parse_cents(options.fund)
            if options.fund < 0:
                raise ValueError(Text("un montant positif est attendu", "a positive amount is expected"))
        except ValueError as error:
            problems.append(Problem("--fund", error.args[0]))
            options.fund = None
    made = None
    if least <= len(options.files) <= most:
        try:
            made = importer.run(options.files, options)
        except ScenarioError as error:
            problems += error.problems
    if made is None or problems:
        raise ScenarioError(problems)
    files = made.files(importer.FORMAT)
    paths = written(options, lambda folder: write(files, folder))
    report = {"format": importer.FORMAT, **made.account.as_dict(), **made.extra, "written": [str(p) for p in paths]}

    def show(to: Console) -> None:
        for line in made.account.lines():
            to.print(line, markup=False, highlight=False, soft_wrap=True)

    told(options, report, show, paths)
    if made.next_step is not None and not options.json:
        console().print(str(made.next_step), markup=False, highlight=False, soft_wrap=True)
    return OK


def _how_many(least: int, most: int) -> Text:
    if least == most:
        return Text(f"{least} fichier(s)", f"{least} file(s)")
    return Text(f"{least} à {most} fichiers", f"{least} to {most} files")

"""The command line. Exit status 0 a plan, 2 wrong input, 3 infeasible, 4 no plan, 1 our bug."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NoReturn

from allocator.commands import commands
from allocator.commands.common import BUG, NO_PLAN, OK, WRONG_INPUT
from allocator.texts import LANGUAGES, Text, language, set_language

# What argparse says. It looks its texts up at each use in a name of its own. The other way, a catalogue of `gettext`, takes
# its language from the process's environment and compiled files; and error messages come out of argparse made up already.
_FRENCH = {
    "usage: ": "usage : ",
    "positional arguments": "arguments",
    "options": "options",
    "show this help message and exit": "affiche cette aide",
    "argument %(argument_name)s: %(message)s": "%(argument_name)s : %(message)s",
    "expected one argument": "une valeur est attendue",
    "expected at most one argument": "une valeur au plus est attendue",
    "expected at least one argument": "une valeur au moins est attendue",
    "expected %s argument": "%s valeur est attendue",
    "expected %s arguments": "%s valeurs sont attendues",
    "ignored explicit argument %r": "aucune valeur n'est attendue, et non %r",
    "not allowed with argument %s": "ne va pas avec %s",
    "the following arguments are required: %s": "il manque : %s",
    "one of the arguments %s is required": "il faut l'un de : %s",
    "unrecognized arguments: %s": "non reconnu : %s",
    "ambiguous option: %(option)s could match %(matches)s": "%(option)s peut être : %(matches)s",
    "invalid choice: %(value)r (choose from %(choices)s)": "%(value)r est inconnu ; possibles : %(choices)s",
    "invalid %(type)s value: %(value)r": "%(value)r n'est pas lisible (%(type)s)",
}


def _said(message: str) -> str:
    return _FRENCH.get(message, message) if language() == "fr" else message


argparse._ = _said  # type: ignore[attr-defined]
argparse.ngettext = lambda one, many, n: _said(one if n == 1 else many)  # type: ignore[attr-defined]


class _Parser(argparse.ArgumentParser):
    """Says what is wrong with a command line as everything else is said."""

    def error(self, message: str) -> NoReturn:
        raise _Usage(message, self.format_usage())


class _Version(argparse.Action):
    """Looked up only when asked for."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> None:
        from allocator import __version__

        print(f"allocator {__version__}")
        parser.exit()


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
        _readable(arguments)
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


def _readable(arguments: Sequence[str]) -> None:
    """`ScenarioError` where the terminal handed over bytes that are no UTF-8."""
    from allocator.problems import Problem, ScenarioError

    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            shown = argument.encode("utf-8", "replace").decode()
            wrong = Text(f"« {shown} » n'est pas en UTF-8", f"“{shown}” is not UTF-8")
            raise ScenarioError([Problem(Text("ligne de commande", "command line"), wrong)]) from None


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
    parser.add_argument(
        "--version", action=_Version, nargs=0, help=str(Text("la version installée", "the version installed"))
    )
    of = parser.add_subparsers(dest="command", required=True, metavar="COMMANDE", parser_class=_Parser)
    for command in commands():
        mine = of.add_parser(command.NAME, parents=[common], help=str(command.HELP))
        command.arguments(mine)
        mine.set_defaults(run=command.run)
    return parser


if __name__ == "__main__":
    sys.exit(main())

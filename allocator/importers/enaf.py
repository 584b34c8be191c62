"""Land taken from nature, farms and forests (Cerema, yearly, by commune, m²): hectares by EPCI, for rules on ZAN.

No sample lies beside the repository: the layout is that of Cerema's file (`idcom, naf11art12, art11act12 …`; its window of
years moves with each edition), and the tests' files are our own.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import NamedTuple

from allocator.importers.placing import Unplaced, atlas
from allocator.importers.reading import Column, hectares, source, together
from allocator.importers.report import Account, Quantity
from allocator.importers.territories import FILE, absent_from, based_scenario, onto_option, with_columns
from allocator.importers.writing import Import
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FORMAT = "enaf"
HELP = Text("consommation d'espaces par commune (Cerema)", "land take by commune (Cerema)")
READS = Text(
    "le fichier annuel par commune, en m² : idcom, naf11art12 (toute destination), art11act12 (activités) …",
    "the yearly file by commune, in m²: idcom, naf11art12 (any use), art11act12 (business) …",
)
WRITES = Text(
    "territories.csv : les EPCI avec les hectares consommés, en tout et pour l'activité, dans chaque période (--period)",
    "territories.csv: the EPCI with the hectares taken, in all and for business, in each period (--period)",
)
FILES = (1, 1)
USES = {"enaf": "naf{0:02d}art{1:02d}", "enaf_activite": "art{0:02d}act{1:02d}"}
LABELS = {
    "enaf": Text("consommés", "taken"),
    "enaf_activite": Text("consommés pour l'activité", "taken for business"),
}


class Period(NamedTuple):
    """From 1 January of `start` to 1 January of `end`."""

    start: int
    end: int

    def columns(self, use: str) -> tuple[str, ...]:
        return tuple(USES[use].format(year % 100, (year + 1) % 100) for year in range(self.start, self.end))


def arguments(parser: argparse.ArgumentParser) -> None:
    onto_option(parser)
    parser.add_argument("--period", action="append", metavar="A-B", help=str(Text(
        "du 1er janvier A au 1er janvier B, autant de fois qu'on veut ; sans elle 2011-2021 (décennie de référence de la loi "
        "Climat et résilience) et de 2021 à la fin du fichier",
        "from 1 January A to 1 January B, as often as wanted; without it 2011-2021 (the decade to which the law of 2021 "
        "refers) and from 2021 to the file's end")))  # fmt: skip


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    given, asked = together(
        lambda: source(files[0], [Column("idcom", ("idcom", "codgeo", "insee_com"))]), lambda: _asked(options.period)
    )
    known = {header.lower(): header for header in given.headers}
    last = max((2000 + int(found[2]) for header in known if (found := re.fullmatch(r"naf(\d\d)art(\d\d)", header))
                and int(found[2]) == int(found[1]) + 1), default=0)  # fmt: skip
    periods = asked or [Period(2011, 2021), *([Period(2021, last)] if last > 2021 else [])]
    sums = {f"{use}_{period.start}_{period.end}": (use, period) for period in periods for use in USES}
    absent = sorted({column for use, period in sums.values() for column in period.columns(use)} - set(known))
    if absent:
        years = sorted(2000 + int(header[3:5]) for header in known if re.fullmatch(r"naf\d\dart\d\d", header))
        held = f"{years[0]}-{last}" if years else "∅"
        raise ScenarioError([Problem(Text("ligne d'en-têtes", "line of headers"),
            Text(f"colonnes absentes : {', '.join(absent[:8])}", f"columns missing: {', '.join(absent[:8])}"),
            Text(f"Le fichier couvre {held} : donnez --period.", f"The file covers {held}: give --period."), files[0])])  # fmt: skip
    named = {name: tuple(known[column] for column in period.columns(use)) for name, (use, period) in sums.items()}
    given = given.also(*dict.fromkeys(column for columns in named.values() for column in columns))
    account = Account(
        [Quantity(name, columns, hectares, Text("ha", "ha"), _label(*sums[name])) for name, columns in named.items()]
    )
    every = set(with_columns(options.onto, {}, {}).column("id"))
    values: dict[str, dict[str, Fraction]] = {name: {} for name in named}
    placed: set[str] = set()
    negative = 0
    for row in account.read(given):
        try:
            epci = atlas().epci_of(row["idcom"])
        except Unplaced as error:
            account.refuse(row, error, Text("commune sans EPCI", "commune without an EPCI"))
            continue
        if absent_from(every, epci, row, account):
            continue
        if row["idcom"] in placed:
            account.refuse(row, Text(f"commune {row['idcom']} donnée deux fois", f"commune {row['idcom']} given twice"),
                           Text("commune en double", "given twice"))  # fmt: skip
            continue
        if any(not row[column] for columns in named.values() for column in columns):
            account.refuse(row, Text("surface absente pour une année", "no area for one of the years"))
            continue
        placed.add(row["idcom"])
        negative += any(amount < 0 for amount in row.amounts.values())
        for name, of in values.items():
            of[epci] = of.get(epci, Fraction(0)) + row.amounts[name]
    if not placed:
        nothing = Text("aucune commune ne peut être placée", "no commune can be placed")
        raise account.nothing_placed(nothing, files[0])
    return _import(account, values, len(placed), negative, periods, options.onto)


def _asked(periods: Sequence[str] | None) -> list[Period]:
    read, problems = [], []
    for text in periods or ():
        found = re.fullmatch(r"(20\d\d)\s*[-–:]\s*(20\d\d)", text.strip())
        if found is None or not int(found[1]) < int(found[2]):
            wrong = Text(f"« {text} » n'est pas une période", f"“{text}” is not a period")
            problems.append(
                Problem("--period", wrong, Text("Écrivez par exemple 2011-2021.", "Write for example 2011-2021."))
            )
        else:
            read.append(Period(int(found[1]), int(found[2])))
    if problems:
        raise ScenarioError(problems)
    return list(dict.fromkeys(read))


def _label(use: str, period: Period) -> Text:
    return Text(f"{LABELS[use].fr} {period.start}-{period.end}", f"{LABELS[use].en} {period.start}-{period.end}")


def _import(
    account: Account,
    values: dict[str, dict[str, Fraction]],
    placed: int,
    negative: int,
    periods: Sequence[Period],
    onto: str | None,
) -> Import:
    made = with_columns(onto, values, dict.fromkeys(values, 0))
    account.close(placed, {name: sum(map(Fraction, made.column(name)), Fraction(0)) for name in values})
    first = next(iter(values))
    without = len(made.rows) - len(values[first])
    if without:
        account.remark(Text(f"{without} EPCI sans aucune commune dans le fichier (Mayotte n'y est pas) ; 0 y est écrit.",
                            f"{without} EPCI without any commune in the file (Mayotte is not in it); 0 is written there."))  # fmt: skip
    if negative:
        account.remark(Text(f"{negative} communes ont une surface négative (correction de la source) : comptée telle quelle.",
                            f"{negative} communes have a negative area (a correction at the source): counted as it is."))  # fmt: skip
    account.remark(Text(
        "Consommation brute d'espaces naturels, agricoles et forestiers, pas l'artificialisation nette ; la dernière année du "
        "fichier est provisoire.",
        "Gross take of natural, farm and forest land, not net artificialisation; the file's last year is provisional."))  # fmt: skip
    comment = [
        "Les propositions de la note, sur les EPCI avec les hectares consommés (Cerema) : "
        + ", ".join(f"{period.start}-{period.end}" for period in periods) + ".",
        f"Une règle peut les désigner :  on: {{where: {{{first}: {{max: 50}}}}}}",
    ]  # fmt: skip
    return Import(
        account,
        {FILE: made},
        based_scenario("enaf", "Les propositions de la note, avec la consommation d'espaces", comment),
    )

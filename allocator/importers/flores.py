"""Jobs by EPCI (INSEE, Flores): the industrial ones as an attribute of territories.

No sample lies beside the repository: the layout is that of INSEE's files (long, `;`, quoted, one row per place, activity,
size, measure and year), and the tests' files are our own.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from allocator.importers.placing import Unplaced, atlas
from allocator.importers.reading import Column, Row, number, source
from allocator.importers.report import Account, Quantity
from allocator.importers.territories import FILE, absent_from, based_scenario, completed, onto_option, with_columns
from allocator.importers.writing import Import
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FORMAT = "flores"
HELP = Text("emplois industriels par EPCI (INSEE, Flores)", "industrial jobs by EPCI (INSEE, Flores)")
READS = Text(
    "un fichier Flores en lignes (A5, A17 … csv ou zip) : GEO, GEO_OBJECT, ACTIVITY, FLORES_MEASURE, NUMBER_EMPL, TIME_PERIOD, OBS_VALUE …",
    "a Flores file in rows (A5, A17 … csv or zip): GEO, GEO_OBJECT, ACTIVITY, FLORES_MEASURE, NUMBER_EMPL, TIME_PERIOD, OBS_VALUE …",
)
WRITES = Text(
    "territories.csv : les EPCI avec emplois_industriels (postes salariés au 31 décembre, au lieu de travail)",
    "territories.csv: the EPCI with emplois_industriels (jobs on 31 December, where people work)",
)
FILES = (1, 1)
COLUMNS = (
    Column("GEO"),
    Column("GEO_OBJECT"),
    Column("ACTIVITY"),
    Column("FLORES_MEASURE"),
    Column("NUMBER_EMPL", required=False),  # absent from the finest activities
    Column("LEGAL_FORM_WITH_PUBLIC", required=False),
    Column("OBS_STATUS", required=False),
    Column("TIME_PERIOD"),
    Column("OBS_VALUE"),
)
ALL_FORMS = ("", "_T", "1T9X7")  # every legal form; 1T9X7 is INSEE's code for employers, public ones included
ALL_SIZES = ("", "_T")


def arguments(parser: argparse.ArgumentParser) -> None:
    onto_option(parser)
    parser.add_argument(
        "--activity",
        default="BE",
        metavar="CODE",
        help=str(Text("activité (BE : industrie)", "activity (BE: industry)")),
    )
    parser.add_argument(
        "--name",
        default="emplois_industriels",
        metavar="NOM",
        help=str(Text("nom de la colonne", "name of the column")),
    )
    parser.add_argument(
        "--year",
        metavar="A",
        help=str(Text("année ; sans elle, la dernière du fichier", "year; without it, the file's last")),
    )


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    given = source(files[0], COLUMNS)
    wanted = {"GEO_OBJECT": "EPCI", "ACTIVITY": options.activity, "FLORES_MEASURE": "EMPL3112"}
    known: dict[str, Counter[str]] = {column: Counter() for column in (*wanted, "TIME_PERIOD")}
    for row in given.rows():  # what the file holds, before the year is chosen
        for column in wanted:
            known[column][row[column]] += 1
        if _cut(row, wanted) is None:
            known["TIME_PERIOD"][row["TIME_PERIOD"]] += 1
    year = options.year or max(known["TIME_PERIOD"], default="")
    if year not in known["TIME_PERIOD"]:
        raise ScenarioError(_absent(files[0], wanted, known, options.year))
    wanted["TIME_PERIOD"] = year
    jobs = Quantity("emplois", ("OBS_VALUE",), number, Text("", ""), Text("emplois", "jobs"))
    account = Account([jobs])
    every = with_columns(options.onto, {}, {}).column("id")
    here = set(every)
    values: dict[str, Fraction] = {}
    for row in account.read(given, lambda row: _cut(row, wanted)):
        code = re.search(r"\d{9}$", row["GEO"])  # 200000172, or 2025-EPCI-200000172
        try:
            epci = atlas().group(code[0] if code else row["GEO"])
        except Unplaced as error:
            account.refuse(row, error, Text("pas un EPCI de 2026", "not an EPCI of 2026"))
            continue
        if absent_from(here, epci, row, account):
            continue
        if not row["OBS_VALUE"]:
            account.refuse(row, Text("valeur absente (secret statistique ?)", "no value (statistical secrecy?)"))
        elif epci in values:
            account.refuse(
                row,
                Text(f"EPCI {epci} donné deux fois", f"EPCI {epci} given twice"),
                Text("EPCI en double", "given twice"),
            )
        else:
            values[epci] = row.amounts["emplois"]
    if not values:
        nothing = Text("aucune valeur ne peut être placée", "no value can be placed")
        raise account.nothing_placed(nothing, files[0])
    columns = completed(options.name, values, account, every)
    made = with_columns(options.onto, columns, {options.name: 0, f"{options.name}_connu": False})
    account.close(len(values), {"emplois": sum(map(Fraction, made.column(options.name)), Fraction(0))})
    account.remark(Text(
        f"{options.name} : postes salariés au 31 décembre {year}, au lieu de travail (activité {options.activity}) ; un poste "
        f"n'est pas une personne.",
        f"{options.name}: jobs on 31 December {year}, where people work (activity {options.activity}); a job is not a person."))  # fmt: skip
    comment = [
        f"Les propositions de la note, sur les EPCI avec leurs emplois (Flores {year}, activité {options.activity}).",
        f"Une règle peut les désigner :  on: {{where: {{{options.name}: {{min: 5000}}}}}}",
    ]
    return Import(
        account,
        {FILE: made},
        based_scenario("flores", "Les propositions de la note, avec les emplois industriels", comment),
    )


def _cut(row: Row, wanted: dict[str, str]) -> Text | None:
    """Which other cut of the same jobs a row belongs to, if it is not the wanted one."""
    for column, value in wanted.items():
        if row[column] != value:
            return Text(f"autre {column}", f"other {column}")
    if row["NUMBER_EMPL"] not in ALL_SIZES:
        return Text("une tranche d'effectif", "a class of size")
    if row["LEGAL_FORM_WITH_PUBLIC"] not in ALL_FORMS:
        return Text("une forme juridique", "a legal form")
    return None


def _absent(file: str, wanted: dict[str, str], known: dict[str, Counter[str]], year: str | None) -> list[Problem]:
    """What the file would need to hold."""
    missing = [(column, value) for column, value in wanted.items() if value not in known[column]]
    if not missing:
        missing = [("TIME_PERIOD", year or "…")]
    problems = []
    for column, value in missing:
        held = ", ".join(name for name, _ in known[column].most_common(8)) or "∅"
        message = Text(f"aucune ligne où {column} vaut {value}", f"no row where {column} is {value}")
        problems.append(Problem(Text(f"colonne {column}", f"column {column}"), message,
                                Text(f"Le fichier contient : {held}.", f"The file holds: {held}."), file))  # fmt: skip
    return problems

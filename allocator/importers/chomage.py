"""Unemployment by zone d'emploi (INSEE): the rate of each EPCI, the mean of its communes' zones by population."""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from allocator.importers.placing import Unplaced, atlas
from allocator.importers.reading import Column, Source, folded, number, source, together
from allocator.importers.report import Account
from allocator.importers.territories import (
    FILE,
    based_scenario,
    completed,
    main_by_epci,
    mean_by_epci,
    onto_option,
    with_columns,
)
from allocator.importers.writing import Import
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.texts import Text

FORMAT = "chomage"
HELP = Text("taux de chômage par zone d'emploi (INSEE)", "unemployment by zone d'emploi (INSEE)")
READS = Text("deux fichiers, dans un ordre ou l'autre : taux par zone (ze2020, taux…) et zone de chaque commune (codgeo, ze2020)",
             "two files, in either order: rates by zone (ze2020, taux…) and each commune's zone (codgeo, ze2020)")  # fmt: skip
WRITES = Text("territories.csv : les EPCI avec chomage (moyenne des zones de leurs communes, pesée par habitants) et zone_emploi",
              "territories.csv: the EPCI with chomage (mean of their communes' zones, weighted by people) and zone_emploi")  # fmt: skip
FILES = (2, 2)
_ZONE = Column("zone", ("ze2020", "code_ze2020", "ze", "code_ze", "zone_emploi"))
_COMMUNE = Column("commune", ("codgeo", "code_commune", "insee_com", "com", "depcom", "code_insee"))
_NAME = Column("name", ("libze2020", "libelle_ze", "lib_ze", "libelle", "nom_ze"), required=False)


def arguments(parser: argparse.ArgumentParser) -> None:
    onto_option(parser)
    parser.add_argument("--rate", metavar="COLONNE", help=str(Text(
        "colonne du taux (sinon : « taux… », ou le dernier trimestre)", "the rate's column (else “taux…”, or the last quarter)")))  # fmt: skip


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    rates, zones = _which(files)
    column = _rate_column(rates, options.rate)
    rates = rates.also(column)
    account = Account()
    rate_of: dict[str, Fraction] = {}
    name_of: dict[str, str] = {}
    rate_rows = []
    for row in account.read(rates):
        code = _zone(row["zone"])
        try:
            if not row[column]:
                raise ValueError(Text("taux absent", "no rate given"))
            rate = number(row[column])
        except ValueError as error:
            account.refuse(row, error, Text("taux absent ou illisible", "rate missing or unreadable"))
            continue
        if code in rate_of:
            account.refuse(
                row,
                Text(f"zone {code} donnée deux fois", f"zone {code} given twice"),
                Text("zone en double", "zone given twice"),
            )
            continue
        rate_of[code], name_of[code] = rate, row["name"] or code
        rate_rows.append((row, code))
    values: dict[str, Fraction] = {}
    zone_of: dict[str, str] = {}
    placed = 0
    for row in account.read(zones):
        code = _zone(row["zone"])
        if code not in rate_of:
            account.refuse(row, Text(f"zone d'emploi {code} sans taux", f"zone d'emploi {code} without a rate"))
            continue
        try:
            atlas().epci_of(row["commune"])
        except Unplaced as error:
            account.refuse(row, error, Text("commune sans EPCI", "commune without an EPCI"))
            continue
        today = atlas().commune(row["commune"]).code
        if zone_of.get(today, code) != code:
            account.refuse(row, Text(f"commune {today} déjà dans la zone {zone_of[today]} (fusion)",
                                     f"commune {today} already in zone {zone_of[today]} (merged)"),
                           Text("commune fusionnée, à cheval sur deux zones", "merged commune astride two zones"))  # fmt: skip
            continue
        placed += 1
        values[today], zone_of[today] = rate_of[code], code
    for row, code in rate_rows:
        if code not in zone_of.values():
            account.refuse(row, Text(f"aucune commune dans la zone {code}", f"no commune in zone {code}"),
                           Text("zone sans commune", "zone without a commune"))  # fmt: skip
        else:
            placed += 1
    account.close(placed, {})
    table = with_columns(options.onto, {}, {})
    columns: dict[str, Any] = completed("chomage", mean_by_epci(values), account, table.column("id"))
    columns["zone_emploi"] = main_by_epci({commune: name_of[code] for commune, code in zone_of.items()})
    account.remark(Text(
        f"chomage ({column}) : moyenne des taux des zones d'emploi, pesée par les habitants des communes de l'EPCI ; ce n'est "
        f"pas un taux mesuré à l'EPCI. zone_emploi : celle de la plupart des habitants.",
        f"chomage ({column}): mean of the rates of the zones d'emploi, weighted by the people of the EPCI's communes; it is no "
        f"rate measured for the EPCI. zone_emploi: that of most people."))  # fmt: skip
    absent = {"chomage": 0, "chomage_connu": False, "zone_emploi": ""}
    comment = [
        f"Les propositions de la note, sur les EPCI avec leur taux de chômage ({column}).",
        "Une règle peut les désigner :  on: {where: {chomage: {min: 9}}}",
    ]
    return Import(account, {FILE: with_columns(options.onto, columns, absent)},
                  based_scenario("chomage", "Les propositions de la note, avec le chômage des zones d'emploi", comment))  # fmt: skip


def _which(files: Sequence[str]) -> tuple[Source, Source]:
    """(rates by zone, zones by commune), whatever the order in which they were given."""
    columns = [_ZONE, _NAME, _COMMUNE._replace(required=False)]
    sources: list[Source] = together(*(lambda file=file: source(file, columns) for file in files))
    zones = [s for s in sources if "commune" in s.found]
    rates = [s for s in sources if "commune" not in s.found]
    if len(zones) != 1 or len(rates) != 1:
        shown = " ; ".join(f"{s.file} : {', '.join(s.headers)}" for s in sources)[:600]
        message = Text("un fichier de taux par zone et un fichier de zones par commune sont attendus",
                       "a file of rates by zone and a file of zones by commune are expected")  # fmt: skip
        raise ScenarioError([Problem("", message, Text(f"En-têtes lus : {shown}.", f"Headers read: {shown}."))])
    return rates[0], zones[0]


def _rate_column(rates: Source, wanted: str | None) -> str:
    if wanted is not None:
        for header in rates.others:
            if folded(header) == folded(wanted):
                return header
        message = Text(f"colonne « {wanted} » absente", f"column “{wanted}” is missing")
        raise ScenarioError([Problem("--rate", message, did_you_mean(wanted, rates.others), rates.file)])
    named = [header for header in rates.others if folded(header).startswith("taux")]
    quarters = sorted(header for header in rates.others if re.fullmatch(r"\d{4}.?t[1-4]", header, re.IGNORECASE))
    if len(named) == 1 or (not named and quarters):
        return named[0] if named else quarters[-1]
    message = Text("colonne du taux introuvable" if not named else "plusieurs colonnes de taux",
                   "no column for the rate" if not named else "several columns of rates")  # fmt: skip
    among = ", ".join(named or rates.others)[:300]
    raise ScenarioError([Problem("", message, Text(f"Donnez --rate : {among}.", f"Give --rate: {among}."), rates.file)])


def _zone(text: str) -> str:
    return text.zfill(4) if text.isdigit() else text  # a workbook took 0051 for 51

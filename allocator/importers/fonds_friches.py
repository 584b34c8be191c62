"""Cerema's file of applications to the fonds friches: whole projects by region, with who was funded."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from allocator.importers.placing import Unplaced, atlas
from allocator.importers.reading import Column, Row, euros, folded, number, source, together
from allocator.importers.report import Account, Quantity, grouped
from allocator.importers.writing import Import, Table, fund_lines, fund_option
from allocator.texts import Text

FORMAT = "fonds-friches"
HELP = Text("candidatures au fonds friches, lauréates ou non (Cerema)", "applications to the fonds friches (Cerema)")
READS = Text(
    "fr_g_fdfriche_r.csv (une ligne par candidature) et, si on veut, depense_t_amenagement_r.csv (dépenses par poste)",
    "fr_g_fdfriche_r.csv (a row an application) and, if wanted, depense_t_amenagement_r.csv (spending by heading)",
)
WRITES = Text(
    "un scénario : une opération entière par candidature, déficit demandé, hectares de friche, attribut laureat",
    "a scenario: one whole project per application, its deficit asked, hectares of brownfield, attribute laureat",
)
FILES = (1, 2)
NO_REGION = "sans-region"
COLUMNS = (
    Column("region", ("libreg", "region", "nom_region")),
    Column("procedure", ("num_demarche",), required=False),
    Column("funded", ("laureat_fv", "laureat")),
    Column("id", ("num_dossier",)),
    Column("zone", ("loc_abc",), required=False),
    Column("approach", ("logique_intervention",), required=False),
    Column("works", ("intervention",), required=False),
    Column("owner", ("mo_requal",), required=False),
    Column("deficit", ("deficit",)),
    Column("nature", ("nat_friche",), required=False),
    Column("area", ("friche_area", "surface_friche")),
)
HEADINGS = tuple(f"da{x}_ht" for x in ("a", "b", "c", "d", "f", "g1", "g2", "g3", "g4", "g5", "g6", "g7"))
# As they are spelt, singly or several in a cell, with commas within; the first that is found takes its words away.
NATURES = (
    ("industrielle ou minière", "friche industrielle ou miniere"),
    ("îlots anciens dégradés", "friche urbaine ilots anciens degrades"),
    ("autre urbaine", "friche urbaine autres"),
    ("urbaine", "friche urbaine"),
    ("administrative ou hospitalière", "friche administrative ou hospitaliere"),
    ("commerciale", "friche commerciale"),
    ("transports", "friche portuaire aeroportuaire routiere ou ferroviaire"),
    ("militaire", "friche militaire"),
    ("complexe", "friche complexe"),
    ("autre", "autre friche"),
    ("autre", "autre preciser"),
)
OWNERS = {
    "collectivite": "collectivité", "collectivitelocale": "collectivité",
    "epf": "EPF", "etablissementpublicfoncierepf": "EPF",
    "epa": "EPA", "etablissementpublicdamenagementepa": "EPA",
    "semspl": "SEM ou SPL", "societeeconomiemixtesem": "SEM ou SPL",
    "autre": "autre", "autrepreciser": "autre",
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    fund_option(parser)
    parser.add_argument("--max-hectares", type=Fraction, default=Fraction(500), metavar="HA", help=str(Text(
        "une surface plus grande est tenue pour des mètres carrés et signalée (500)",
        "an area as large is taken for square metres and reported (500)")))  # fmt: skip


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    applications, *more = together(
        lambda: source(files[0], COLUMNS),
        *(
            lambda file=file: source(file, [Column("id", ("num_dossier",)), *map(Column, HEADINGS)])
            for file in files[1:]
        ),
    )
    spending = more[0] if more else None
    account = Account([
        Quantity("deficits", ("deficit",), euros, Text("€", "€"), Text("déficits", "deficits")),
        Quantity("hectares", ("area",), number, Text("ha", "ha"), Text("surfaces", "areas")),
    ])  # fmt: skip
    if spending is not None:
        account.quantities = [
            *account.quantities,
            Quantity("depenses", HEADINGS, number, Text("€", "€"), Text("dépenses", "spending")),
        ]
    demands: dict[str, list[Any]] = {}
    for row in account.read(applications):
        reason = _refused(row, demands, options.max_hectares)
        if reason is not None:
            account.refuse(row, *reason)
        else:
            demands[row["id"]] = _demand(row)
    headers = ["id", "territory", "measure", "units", "asked", "hectares", "laureat", "beneficiary_kind", "nature",
               "industrielle", "zone", "logique", "demarche"]  # fmt: skip
    rows = len(demands)
    if spending is not None:
        headers.append("depenses")
        of: dict[str, Fraction] = {}
        for row in account.read(spending):
            if row["id"] not in demands or row["id"] in of:
                why = (Text("candidature déjà lue", "application read already") if row["id"] in of
                       else Text("dépenses d'une candidature qui n'est pas placée", "spending of an application that is not placed"))  # fmt: skip
                account.refuse(row, why)
                continue
            of[row["id"]] = row.amounts["depenses"]
        rows += len(of)
        for ident, cells in demands.items():
            cells.append(of.get(ident, Fraction(0)))
        unknown = sum(not of.get(ident) for ident in demands)
        account.remark(Text(f"{grouped(unknown).fr} candidatures placées sans dépenses connues (depenses : 0).",
                            f"{grouped(unknown).en} placed applications without known spending (depenses: 0)."))  # fmt: skip
    table = Table(headers, list(demands.values()))
    if not demands:
        nothing = Text("aucune candidature ne peut être placée", "no application can be placed")
        raise account.nothing_placed(nothing, files[0])
    account.close(rows, {
        "deficits": sum((Fraction(asked) for asked in table.column("asked")), Fraction(0)),
        "hectares": sum(table.column("hectares"), Fraction(0)),
        "depenses": sum(table.column("depenses"), Fraction(0)) if spending is not None else Fraction(0),
    })  # fmt: skip
    return _import(table, account, options.fund)


def _refused(row: Row, known: dict[str, Any], most: Fraction) -> tuple[Text, Text] | tuple[Text] | None:
    """Why an application is no demand, if so."""
    deficit, area = row.amounts["deficits"], row.amounts["hectares"]
    if not row["id"]:
        return (Text("sans numéro de dossier", "without a number"),)
    if row["id"] in known:
        return Text(f"dossier {row['id']} donné deux fois", f"application {row['id']} given twice"), Text(
            "dossier en double", "given twice"
        )
    if folded(row["funded"]) not in ("oui", "non"):
        return (Text("laureat_fv n'est ni Oui ni Non", "laureat_fv is neither Oui nor Non"),)
    if not row["deficit"]:
        return (Text("déficit absent", "no deficit given"),)
    if deficit == 0:
        return (Text("déficit nul : rien à demander", "deficit of 0: nothing to ask"),)
    if deficit < 0:
        return (Text("déficit négatif : l'opération est bénéficiaire", "negative deficit: the project makes money"),)
    if not row["area"]:
        return (Text("surface absente", "no area given"),)
    if area == 0:
        return (Text("surface nulle", "area of 0"),)
    if area < 0:
        return (Text("surface négative", "negative area"),)
    if area >= most:
        return (
            Text(f"{most} ha ou plus : sans doute des mètres carrés", f"{most} ha or more: square metres, most likely"),
        )
    try:
        _region(row)
    except Unplaced as error:
        return error.args[0], Text("région inconnue", "unknown region")
    return None


def _region(row: Row) -> str:
    return atlas().region(row["region"]) if row["region"] else NO_REGION


def _demand(row: Row) -> list[Any]:
    natures = _natures(row["nature"])
    return [
        row["id"], _region(row), "friche", 1, row.amounts["deficits"], row.amounts["hectares"], folded(row["funded"]) == "oui",
        OWNERS.get(folded(row["owner"]), _named(row["owner"]).lower()), " ; ".join(natures), NATURES[0][0] in natures,
        _named(row["zone"]).removeprefix("Zone "), _named(row["approach"]), f"n° {row['procedure']}" if row["procedure"] else "",
    ]  # fmt: skip


def _named(text: str) -> str:
    return "" if text == "0" else text  # the file writes 0 for what is not known


def _natures(text: str) -> list[str]:
    """The kinds of brownfield that a cell names, whatever the spelling, the order and the commas."""
    left, found = folded(text), []
    for name, words in NATURES:
        if folded(words) in left:
            left = left.replace(folded(words), " ")
            found.append(name)
    return list(dict.fromkeys(found))


def _import(table: Table, account: Account, fund: int | None) -> Import:
    territory = table.column("territory")
    people: Counter[str] = Counter()
    for epci in atlas().epci.values():
        people[epci["region"]] += int(epci["population"])
    territories = [
        [named.code, named.name, named.code, "", people[named.code]]
        for named in atlas().regions
        if named.code in people
    ]
    if NO_REGION in territory:
        territories.append([NO_REGION, "Région non précisée", NO_REGION, "", 0])
        account.remark(Text(f"{territory.count(NO_REGION)} candidatures sans région : territoire « {NO_REGION} ».",
                            f"{territory.count(NO_REGION)} applications name no region: territory “{NO_REGION}”."))  # fmt: skip
    funded = [
        (asked, ha)
        for asked, ha, won in zip(table.column("asked"), table.column("hectares"), table.column("laureat"), strict=True)
        if won
    ]
    won, hectares = sum((asked for asked, _ in funded), Fraction(0)), sum((ha for _, ha in funded), Fraction(0))
    account.remark(Text(
        f"Lauréates parmi les candidatures placées : {grouped(len(funded)).fr}, déficits {grouped(won).fr} €, {grouped(hectares).fr} ha.",
        f"Funded among the applications placed: {grouped(len(funded)).en}, deficits {grouped(won).en} €, {grouped(hectares).en} ha."))  # fmt: skip
    account.remark(Text(
        "« asked » est le déficit de l'opération, pas une subvention : le fichier n'en contient aucune.",
        "“asked” is the project's deficit, not a grant: the file holds none."))  # fmt: skip
    scenario = f"""\
# Candidatures au fonds friches (Cerema), importées. asked = DÉFICIT de l'opération, pas la subvention : le fichier ne
# contient aucune subvention. On ne peut donc que répartir un total de déficits couverts. Parmi les candidatures placées,
# {grouped(len(funded)).fr} ont été lauréates : {grouped(won).fr} € de déficits, {grouped(hectares).fr} ha (attribut laureat).
# Les lignes écartées, et pourquoi : non-places.csv.

name: fonds-friches
label: Candidatures au fonds friches, par hectares
years: [2023]  # une seule année : le fichier ne dit pas quand
{fund_lines(fund, "deficits-couverts", "Total de déficits couverts")}
measures:
  - {{id: friche, label: Opération de recyclage de friche, unit: opération, lumpy: true}}
territories: territories.csv
demands: demands.csv

# Des règles à essayer :
#  - {{kind: count, id: dix-par-region, on: {{measures: friche}}, min: 10, of: demands, per: region}}
#  - {{kind: share, id: industrielles, on: {{where: {{industrielle: true}}}}, of: {{}}, min: 30 %}}
#  - {{kind: lock, id: laureates, on: {{where: {{laureat: true}}}}, decision: fund, comment: déjà lauréates}}
constraints: []
objective:
  maximise: {{hectares: 1}}  # hectares de friche de chaque opération
"""
    tables = {
        "territories.csv": Table(["id", "name", "region", "departement", "population"], territories),
        "demands.csv": table,
    }
    return Import(account, tables, scenario)

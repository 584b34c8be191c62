"""The yearly lists of projects paid by the Fonds vert: a whole project per dossier, what the State committed.

No sample lies beside the repository: the layouts are those published (2023: `axe, nom_demarche_ds, siren …`; 2024 and
2025: `demarche, siret_beneficiaire, numero_ej …`), and the tests' files are our own.
"""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from allocator.importers.placing import Unplaced, atlas, table
from allocator.importers.reading import Column, Row, Source, euros, folded, siren, source, together
from allocator.importers.report import Account, Quantity, grouped
from allocator.importers.writing import Import, Table, cell_text, slug, yaml_text
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FORMAT = "fonds-vert"
HELP = Text("liste annuelle des projets du Fonds vert", "yearly list of projects of the Fonds vert")
READS = Text(
    "la liste publiée d'une année : numero_dossier_ds, code_commune, montant_engage, démarche, bénéficiaire (SIREN ou SIRET) …",
    "the list published for a year: numero_dossier_ds, code_commune, montant_engage, démarche, beneficiary (SIREN or SIRET) …",
)
WRITES = Text(
    "un scénario : un projet entier par dossier, dans son EPCI, demandant ce qui a été engagé ; une mesure par démarche",
    "a scenario: a whole project per dossier, in its EPCI, asking what was committed; a measure per démarche",
)
FILES = (1, 1)
COLUMNS = (
    Column("id", ("numero_dossier_ds", "numero_dossier", "numero_dossier_dn")),
    Column("commune", ("code_commune",)),
    Column("amount", ("montant_engage",)),
    Column("commune_name", ("nom_commune",), required=False),
    Column("departement", ("code_departement",), required=False),
    Column("axis", ("axe",), required=False),
    Column("procedure", ("nom_demarche_ds", "demarche", "nom_demarche_dn"), required=False),
    Column("project", ("nom_du_projet",), required=False),
    Column("name", ("nom_beneficiaire_principal", "raison_sociale_beneficiaire"), required=False),
    Column("beneficiary", ("siren", "siret_beneficiaire", "siren_beneficiaire"), required=False),
    Column("kind", ("forme_juridique_beneficiaire",), required=False),
    Column("commitment", ("numero_ej",), required=False),
)
UNNAMED = "fonds-vert"


@dataclass(frozen=True)
class Dossier:
    """The rows of one dossier that lie in one EPCI: several commitments, or corrections of one."""

    ident: str
    epci: str
    rows: list[Row]

    @property
    def amount(self) -> Fraction:
        return sum((row.amounts["engage"] for row in self.rows), Fraction(0))

    def first(self, column: str) -> str:
        return next((row[column] for row in self.rows if row[column]), "")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fund", metavar="MONTANT", help=str(Text(
        "montant du fonds ; sans lui, le total engagé des dossiers placés", "the fund; without it, all that the dossiers placed were given")))  # fmt: skip
    parser.add_argument("--year", type=int, metavar="A", help=str(Text(
        "année de la liste ; sans elle, celle du nom du fichier", "the list's year; without it, the one in the file's name")))  # fmt: skip


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    given, year = together(lambda: source(files[0], COLUMNS), lambda: _year(files[0], options.year))
    account = Account(
        [Quantity("engage", ("amount",), euros, Text("€", "€"), Text("montants engagés", "amounts committed"))]
    )
    dossiers = _dossiers(account, given)
    if not dossiers:
        nothing = Text("aucun dossier ne peut être placé", "no dossier can be placed")
        raise account.nothing_placed(nothing, files[0])
    parts = Counter(dossier.ident for dossier in dossiers)
    measures = _measures(dossiers)
    demands = [
        [dossier.ident if parts[dossier.ident] == 1 else f"{dossier.ident}@{dossier.epci}", dossier.epci,
         measures[folded(dossier.first("procedure"))][0], 1, dossier.amount, 1, dossier.ident, siren(_plain(dossier.first("beneficiary"))),
         *(dossier.first(name) for name in ("kind", "axis", "name", "project", "commune_name"))]
        for dossier in dossiers
    ]  # fmt: skip
    headers = ["id", "territory", "measure", "units", "asked", "dossiers", "project", "beneficiary", "beneficiary_kind",
               "axe", "beneficiaire", "projet", "commune"]  # fmt: skip
    made = Table(headers, demands)
    total = sum(made.column("asked"), Fraction(0))
    account.close(sum(len(dossier.rows) for dossier in dossiers), {"engage": total})
    _remarks(account, dossiers, parts)
    epci = table("epci.csv")
    tables = {"territories.csv": Table(list(epci[0]), [list(row.values()) for row in epci]), "demands.csv": made}
    return Import(account, tables, _scenario(options.fund, total, year, measures))


def _year(file: str, given: int | None) -> int:
    found = re.search(r"20\d\d", Path(file).name)
    if given is not None:
        return given
    if found is None:
        message = Text(
            "le nom du fichier ne dit pas l'année de la liste", "the file's name does not say the list's year"
        )
        raise ScenarioError(
            [Problem("--year", message, Text("Donnez par exemple --year 2023.", "Give for example --year 2023."), file)]
        )
    return int(found[0])


def _dossiers(account: Account, given: Source) -> list[Dossier]:
    """The dossiers that can be placed, in the file's order; every other row is refused."""
    read: dict[tuple[str, str], Dossier] = {}
    seen: set[tuple[tuple[str, str], ...]] = set()
    for row in account.read(given):
        known = tuple(row.cells.items())
        if not row["id"]:
            account.refuse(row, Text("sans numéro de dossier", "without a number"))
        elif not row["amount"]:
            account.refuse(row, Text("montant absent", "no amount given"))
        elif known in seen:
            account.refuse(row, Text(f"dossier {row['id']} : ligne répétée à l'identique", f"dossier {row['id']}: the same row again"),
                           Text("ligne répétée à l'identique", "the same row again"))  # fmt: skip
        elif row["commune"] in ("", "0"):
            account.refuse(row, Text("commune absente", "no commune given"))
        else:
            seen.add(known)
            try:
                epci = atlas().epci_of(row["commune"])
            except Unplaced as error:
                account.refuse(row, error, Text("commune sans EPCI", "commune without an EPCI"))
                continue
            read.setdefault((row["id"], epci), Dossier(row["id"], epci, [])).rows.append(row)
    for dossier in read.values():
        if dossier.amount <= 0:
            for row in dossier.rows:
                account.refuse(row, Text(f"dossier {dossier.ident} : montant total nul ou négatif", f"dossier {dossier.ident}: 0 or less in all"),
                               Text("montant total du dossier nul ou négatif", "0 or less in all for the dossier"))  # fmt: skip
    return [dossier for dossier in read.values() if dossier.amount > 0]


def _plain(number: str) -> str:
    return number.removesuffix(".0")  # a workbook took the SIREN for a number


def _measures(dossiers: Sequence[Dossier]) -> dict[str, tuple[str, str]]:
    """{folded name of a démarche: (id of its measure, label)}, by id."""
    spelt: dict[str, str] = {}
    for dossier in dossiers:
        spelt.setdefault(folded(dossier.first("procedure")), dossier.first("procedure"))
    named = {key: (slug(label) or UNNAMED, label or "Fonds vert") for key, label in spelt.items()}
    return dict(sorted(named.items(), key=lambda item: item[1]))


def _remarks(account: Account, dossiers: Sequence[Dossier], parts: Counter[str]) -> None:
    several = sum(len(dossier.rows) > 1 for dossier in dossiers)
    if several:
        account.remark(Text(f"{grouped(several).fr} dossiers sur plusieurs lignes : leurs montants sont additionnés.",
                            f"{grouped(several).en} dossiers on several rows: their amounts are added up."))  # fmt: skip
    spread = sum(count > 1 for count in parts.values())
    if spread:
        account.remark(Text(f"{grouped(spread).fr} dossiers dans plusieurs EPCI : un dossier par EPCI (colonne project).",
                            f"{grouped(spread).en} dossiers in several EPCI: one for each EPCI (column project)."))  # fmt: skip
    unknown = sum(not siren(_plain(dossier.first("beneficiary"))) for dossier in dossiers)
    if unknown:
        account.remark(Text(f"{grouped(unknown).fr} dossiers sans SIREN du bénéficiaire (beneficiary vide).",
                            f"{grouped(unknown).en} dossiers without their beneficiary's SIREN (beneficiary empty)."))  # fmt: skip
    account.remark(Text("« asked » est ce que l'État a engagé : la liste ne dit ni les demandes refusées, ni le coût des projets.",
                        "“asked” is what the State committed: the list names no refused demand, and no project's cost."))  # fmt: skip


def _scenario(fund: int | None, total: Fraction, year: int, measures: dict[str, tuple[str, str]]) -> str:
    worth = total if fund is None else Fraction(fund, 100)
    said = "total engagé des dossiers placés" if fund is None else "donné par --fund"
    kinds = "\n".join(
        f"  - {{id: {ident}, label: {yaml_text(label)}, unit: dossier, lumpy: true}}"
        for ident, label in measures.values()
    )
    return f"""\
# Projets du Fonds vert {year}, importés : asked = ce que l'État a ENGAGÉ pour le dossier. La liste ne contient que les
# projets retenus. Les lignes écartées, et pourquoi : non-places.csv.

name: fonds-vert-{year}
label: Projets du Fonds vert {year}
years: [{year}]
funds:
  - id: fonds-vert
    label: Fonds vert
    amount: {cell_text(worth)}  # euros, {said}
measures:
{kinds}
territories: territories.csv
demands: demands.csv

# Des règles à essayer, avec un fonds plus petit (--fund) :
#  - {{kind: share, id: par-region, on: {{}}, of: {{}}, max: 15 %, per: region}}
#  - {{kind: ceiling, id: par-beneficiaire, on: {{}}, amount: 5 M€, per: beneficiary}}
constraints: []
objective:
  maximise: {{dossiers: 1}}  # le nombre de dossiers ; la liste ne contient aucun effet chiffré
"""

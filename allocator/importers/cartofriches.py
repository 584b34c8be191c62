"""Sites of the CNIG “friches” standard (Cartofriches): one dossier a site, in hectares."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from allocator.importers.placing import Unplaced, atlas, table
from allocator.importers.reading import Column, Row, day, folded, hectares, source, together
from allocator.importers.report import Account, Quantity, grouped
from allocator.importers.writing import Import, Table, fund_lines, fund_option, yaml_text
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FORMAT = "cartofriches"
HELP = Text("sites au standard CNIG « friches » (Cartofriches)", "sites in the CNIG “friches” standard (Cartofriches)")
READS = Text("un fichier au standard CNIG : site_id, site_statut, comm_insee, unite_fonciere_surface (m²) …",
             "a file in the CNIG standard: site_id, site_statut, comm_insee, unite_fonciere_surface (m²) …")  # fmt: skip
WRITES = Text("un scénario : un dossier par site, en hectares, dans son EPCI (ou son Territoire d'industrie, --perimeters)",
              "a scenario: a demand per site, in hectares, in its EPCI (or Territoire d'industrie, --perimeters)")  # fmt: skip
FILES = (1, 1)
# The note's proposition 6 (allocator/data/propositions.yaml): 1 Md€ for 2 000 ha, and the cost of a hectare.
ASKED, COST = "500 k€", "780 k€"
COLUMNS = (
    Column("site_id"),
    Column("site_nom", required=False),
    Column("site_type", required=False),
    Column("site_statut", required=False),
    Column("site_identif_date", required=False),
    Column("comm_insee"),
    Column("comm_nom", required=False),
    Column("sol_pollution_existe", required=False),
    Column("proprio_personne", required=False),
    Column("urba_zone_formdomi", required=False),
    Column("unite_fonciere_surface"),
    Column("source_nom", required=False),
)


def arguments(parser: argparse.ArgumentParser) -> None:
    fund_option(parser)
    parser.add_argument("--asked", default=ASKED, metavar="MONTANT", help=str(Text(
        f"subvention demandée par hectare ; sans lui {ASKED}, hypothèse d'après la note (proposition 6)",
        f"grant asked per hectare; without it {ASKED}, a hypothesis after the note (proposition 6)")))  # fmt: skip
    parser.add_argument("--cost", default=COST, metavar="MONTANT", help=str(Text(
        f"coût par hectare ; sans lui {COST}, hypothèse d'après la note (proposition 6)",
        f"cost per hectare; without it {COST}, a hypothesis after the note (proposition 6)")))  # fmt: skip
    parser.add_argument("--perimeters", metavar="DIR", help=str(Text(
        "dossier écrit par « import ti --as perimeters » : les sites vont dans ces territoires",
        "folder written by “import ti --as perimeters”: sites go into these territories")))  # fmt: skip


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    (asked, cost), given, (territories, place) = together(
        lambda: _amounts(options),
        lambda: source(files[0], COLUMNS),
        lambda: _perimeters(options.perimeters) if options.perimeters else _epci(),
    )
    account = Account(
        [Quantity("hectares", ("unite_fonciere_surface",), hectares, Text("ha", "ha"), Text("surfaces", "areas"))]
    )
    spelling: dict[str, str] = {}
    demands: dict[str, list[Any]] = {}
    told: Counter[str] = Counter()
    for row in account.read(given):
        reason = _refused(row, demands)
        if reason is not None:
            account.refuse(row, *reason)
            continue
        try:
            territory = place(row["comm_insee"])
        except Unplaced as error:
            account.refuse(row, error, Text("commune sans territoire", "commune without a territory"))
            continue
        told["past"] += row["comm_insee"] not in atlas().communes
        told["potential"] += folded(row["site_statut"]) == "frichepotentielle"
        kind = spelling.setdefault(folded(row["site_type"]), row["site_type"])
        demands[row["site_id"]] = [
            row["site_id"], territory, "friche", row.amounts["hectares"], asked, cost, 1,
            kind, folded(kind) == "fricheindustrielle", row["site_statut"], row["sol_pollution_existe"], row["proprio_personne"],
            row["urba_zone_formdomi"], _identified(row, told), row["site_nom"], row["comm_nom"], row["source_nom"],
        ]  # fmt: skip
    if not demands:
        nothing = Text("aucun site ne peut être placé", "no site can be placed")
        raise account.nothing_placed(nothing, files[0])
    headers = ["id", "territory", "measure", "units", "asked", "cost", "hectares", "type", "industrielle", "statut", "pollution",
               "beneficiary_kind", "zone_plu", "identifie_le", "site", "commune", "source_site"]  # fmt: skip
    made = Table(headers, list(demands.values()))
    account.close(len(demands), {"hectares": sum(made.column("units"), Fraction(0))})
    _remarks(account, told)
    return Import(account, {"territories.csv": territories, "demands.csv": made}, _scenario(options, asked, cost))


def _amounts(options: argparse.Namespace) -> tuple[Fraction, Fraction]:
    """Euros asked and cost of a hectare."""
    from allocator.money import parse_cents

    read, problems = [], []
    for name, text in (("--asked", options.asked), ("--cost", options.cost)):
        try:
            cents = parse_cents(text)
            if cents <= 0:
                raise ValueError(Text("un montant positif est attendu", "a positive amount is expected"))
            read.append(Fraction(cents, 100))
        except ValueError as error:
            problems.append(Problem(name, error.args[0]))
    if not problems and read[0] > read[1]:
        more = Text("la subvention demandée dépasse le coût", "the grant asked exceeds the cost")
        problems.append(Problem("--asked", more, Text("Donnez aussi --cost.", "Give --cost too.")))
    if problems:
        raise ScenarioError(problems)
    return read[0], read[1]


def _epci() -> tuple[Table, Callable[[str], str]]:
    rows = table("epci.csv")
    return Table(list(rows[0]), [list(row.values()) for row in rows]), atlas().epci_of


def _perimeters(folder: str) -> tuple[Table, Callable[[str], str]]:
    """The perimeters as territories, and what places a commune in one of them."""
    at = Path(folder)
    listed = source(at / "territories.csv", [Column("id")])
    listed = listed.also(*listed.headers)
    members = source(at / "members.csv", [Column("territory"), Column("commune")])
    of: dict[str, str] = {}
    for row in members.rows():
        of.setdefault(row["commune"], row["territory"])

    def place(code: str) -> str:
        commune = atlas().commune(code)
        if commune.code not in of:
            raise Unplaced(
                Text(f"commune {commune.code} hors des périmètres", f"commune {commune.code} outside the perimeters")
            )
        return of[commune.code]

    return Table(listed.headers, [[row[name] for name in listed.headers] for row in listed.rows()]), place


def _refused(row: Row, known: dict[str, Any]) -> tuple[Text, Text] | tuple[Text] | None:
    """Why a site is no demand, if so."""
    if not row["site_id"]:
        return (Text("sans site_id", "without a site_id"),)
    if row["site_id"] in known:
        return Text(f"site {row['site_id']} donné deux fois", f"site {row['site_id']} given twice"), Text(
            "site en double", "given twice"
        )
    if folded(row["site_statut"]) == "frichereconvertie":
        return (Text("friche déjà reconvertie", "brownfield already converted"),)
    if not row["unite_fonciere_surface"]:
        return (Text("surface absente", "no area given"),)
    if row.amounts["hectares"] <= 0:
        return (Text("surface nulle ou négative", "area of 0 or less"),)
    if not row["comm_insee"]:
        return (Text("commune absente", "no commune given"),)
    return None


def _identified(row: Row, told: Counter[str]) -> str:
    text = row["site_identif_date"]
    try:
        date = day(text).isoformat() if text else ""
    except ValueError:
        told["undated"] += 1
        return ""
    told["french"] += bool(text) and not text.startswith(date)
    return date


def _remarks(account: Account, told: Counter[str]) -> None:
    several = (
        ("past", "Codes de communes anciens ou sans leur zéro, relus sur la carte d'aujourd'hui",
         "Codes of communes of the past, or without their zero, read on today's map"),
        ("french", "Dates à la française (le standard veut 2023-01-19), relues", "Dates in French order (the standard wants 2023-01-19), read"),
        ("undated", "Dates illisibles, laissées vides", "Unreadable dates, left empty"),
        ("potential", "Sites « friche potentielle », à vérifier sur place (attribut statut)",
         "Sites “friche potentielle”, to be checked on the ground (attribute statut)"),
    )  # fmt: skip
    for name, fr, en in several:
        if told[name]:
            count = grouped(told[name])
            account.remark(Text(f"{fr} : {count.fr}.", f"{en}: {count.en}."))
    account.remark(Text("La surface est celle de l'unité foncière, pas toujours celle de la friche.",
                        "The area is that of the cadastral unit, not always of the brownfield."))  # fmt: skip


def _scenario(options: argparse.Namespace, asked: Fraction, cost: Fraction) -> str:
    ours = [
        name
        for name, text, default in (("asked", options.asked, ASKED), ("cost", options.cost, COST))
        if text == default
    ]
    source_text = (
        "Note, proposition 6 (1 Md€ pour 2 000 ha ; 780 k€ de coût par ha), la même pour tous les sites : hypothèse ; le Cerema "
        "trouve 375 k€ sans pollution, 600 à 800 avec, médiane 405 (cartofriches, fonds_friches.md)"
        if ours
        else "Montants par hectare donnés à l'importation (--asked, --cost)"
    )
    return f"""\
# Sites de Cartofriches (standard CNIG), importés : un dossier par site, en hectares. Le fichier ne contient aucun coût :
# {grouped(asked).fr} € demandés et {grouped(cost).fr} € de coût par hectare, les mêmes partout (--asked, --cost).
# Les lignes écartées, et pourquoi : non-places.csv.

name: cartofriches
label: Friches de Cartofriches
years: [2026]  # à adapter
{fund_lines(options.fund, "friches", "Fonds friches")}
measures:
  - id: friche
    label: Friches recyclées
    unit: ha
    source: {yaml_text(source_text)}
    hypothesis: {"true" if ours else "false"}
territories: territories.csv
demands: demands.csv

# Des règles à essayer :
#  - {{kind: indicator, id: hectares-industriels, indicator: hectares, on: {{where: {{industrielle: true}}}}, min: 10}}
#  - {{kind: lock, id: potentielles, on: {{where: {{statut: friche potentielle}}}}, decision: refuse, comment: à vérifier}}
#  - {{kind: share, id: par-region, on: {{}}, of: {{}}, max: 30 %, per: region}}
constraints: []
objective:
  maximise: {{hectares: 1}}
"""

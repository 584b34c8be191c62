"""The Territoires d'industrie: which EPCI belong to one, or the perimeters as territories of their own."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from allocator.importers.placing import Commune, Unplaced, atlas
from allocator.importers.reading import Column, Row, Source, items, siren, source
from allocator.importers.report import Account, grouped
from allocator.importers.territories import FILE, based_scenario, onto_option, with_columns
from allocator.importers.writing import Import, Table
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FORMAT = "ti"
HELP = Text("les Territoires d'industrie", "the Territoires d'industrie")
READS = Text(
    "groupements (id_ti, lib_ti, siren_groupement) ou communes (insee_com, id_ti, lib_ti) de l'ANCT",
    "the ANCT's groupings (id_ti, lib_ti, siren_groupement) or communes (insee_com, id_ti, lib_ti)",
)
WRITES = Text(
    "territories.csv : les EPCI et leur Territoire d'industrie, ou les périmètres eux-mêmes (--as perimeters)",
    "territories.csv: the EPCI and their Territoire d'industrie, or the perimeters themselves (--as perimeters)",
)
FILES = (1, 1)
JOIN = " ; "
COLUMNS = (
    Column("ti", ("id_ti", "code_ti", "id_territoire")),
    Column("name", ("lib_ti", "nom_ti", "libelle_ti"), required=False),
    Column("siren", ("siren_groupement", "siren_epci", "siren", "code_epci", "epci"), required=False),
    Column("commune", ("insee_com", "code_insee", "codgeo", "code_commune", "insee_commune"), required=False),
    Column("label", ("lib_groupement", "lib_com"), required=False),
)
# Proposition 22 over the Territoires d'industrie themselves; the base has it outside metropolises, for want of this list.
SHARES = """
constraints:
  # Proposition 22 : la part des opérateurs va aux Territoires d'industrie (dans la base, faute de liste : hors métropoles).
  - id: part-operateurs
    label: Opérateurs, au moins 65 % dans les Territoires d'industrie
    on: {funds: [banque-des-territoires, bpifrance, ademe], where: {territoire_industrie: true}}

  # Proposition 23 : le reliquat de France 2030 vers les Territoires d'industrie ; la note ne donne pas de part, à vous :
  # - kind: share
  #   id: part-france-2030-ti
  #   on: {funds: [france-2030], where: {territoire_industrie: true}}
  #   of: {funds: [france-2030]}
  #   min: 50 %
"""


@dataclass
class Perimeter:
    """One Territoire d'industrie: its communes of today by code."""

    id: str
    name: str
    communes: dict[str, Commune] = field(default_factory=dict)

    @property
    def population(self) -> int:
        return sum(commune.population for commune in self.communes.values())


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--as", dest="made", choices=("attributes", "perimeters"), default="attributes",
                        help=str(Text("attributs des EPCI, ou un territoire par périmètre",
                                      "attributes of the EPCI, or one territory per perimeter")))  # fmt: skip
    onto_option(parser)


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    given = source(files[0], COLUMNS)
    if not {"siren", "commune"} & set(given.found):
        shown = ", ".join(given.headers)
        message = Text("ni SIREN de groupement ni code de commune", "neither a grouping's SIREN nor a commune's code")
        remedy = Text(f"Une colonne siren_groupement ou insee_com est attendue. En-têtes lus : {shown}.",
                      f"A column siren_groupement or insee_com is expected. Headers read: {shown}.")  # fmt: skip
        raise ScenarioError(
            [Problem(Text(f"ligne {given.header_line}", f"line {given.header_line}"), message, remedy, files[0])]
        )
    account = Account()
    perimeters, placed = _perimeters(given, account)
    account.close(placed, {})
    if options.made == "perimeters":
        return _as_perimeters(perimeters, account)
    return _as_attributes(perimeters, account, options.onto)


def _perimeters(given: Source, account: Account) -> tuple[list[Perimeter], int]:
    """The perimeters by id, and how many rows they hold."""
    found: dict[str, Perimeter] = {}
    placed, kinds = 0, Counter[str]()
    for row in account.read(given):
        ids, names = items(row["ti"]), items(row["name"])
        if not ids:
            account.refuse(row, Text("aucun Territoire d'industrie", "no Territoire d'industrie"))
            continue
        try:
            kind, communes = _communes(row)
        except Unplaced as error:
            account.refuse(row, error, Text("code sans place sur la carte", "code without a place on the map"))
            continue
        placed += 1
        kinds[kind] += 1
        for rank, ident in enumerate(ids):
            name = names[rank] if len(names) == len(ids) else row["name"] or ident
            mine = found.setdefault(ident, Perimeter(ident, name))
            mine.communes |= {commune.code: commune for commune in communes}
    if kinds["ept"] or (kinds["commune"] and kinds["epci"]):
        account.remark(Text(
            f"{kinds['epci']} groupements sont des EPCI ; {kinds['ept']} établissements publics territoriaux du Grand Paris et "
            f"{kinds['commune']} communes ne sont qu'une partie du leur.",
            f"{kinds['epci']} groupings are EPCI; {kinds['ept']} Grand Paris territories and {kinds['commune']} communes are "
            f"only a part of theirs."))  # fmt: skip
    twice = Counter(code for perimeter in found.values() for code in perimeter.communes)
    shared = sum(count > 1 for count in twice.values())
    if shared:
        account.remark(Text(f"{shared} communes sont dans plusieurs périmètres : leurs habitants comptent dans chacun.",
                            f"{shared} communes lie in several perimeters: their people count in each."))  # fmt: skip
    return [found[ident] for ident in sorted(found)], placed


def _communes(row: Row) -> tuple[str, list[Commune]]:
    """What a row names (epci, ept or commune), and its communes; `Unplaced` when it names none of an EPCI."""
    group = siren(row["siren"])
    if group in atlas().members:
        return ("epci" if group in atlas().epci else "ept"), atlas().members[group]
    commune = atlas().commune(row["commune"] or row["siren"])
    atlas().epci_of(commune.code)
    return "commune", [commune]


def _as_attributes(perimeters: Sequence[Perimeter], account: Account, onto: str | None) -> Import:
    covered: dict[str, dict[str, int]] = {}  # EPCI → {commune: people}
    of: dict[str, list[Perimeter]] = {}
    for perimeter in perimeters:
        for commune in perimeter.communes.values():
            covered.setdefault(commune.epci, {})[commune.code] = commune.population
            if perimeter not in (mine := of.setdefault(commune.epci, [])):
                mine.append(perimeter)
    whole = {epci: len(inside) == len(atlas().members[epci]) for epci, inside in covered.items()}
    people = {epci: sum(inside.values()) for epci, inside in covered.items()}
    columns: dict[str, dict[str, Any]] = {
        "territoire_industrie": whole,
        "ti": {epci: JOIN.join(p.id for p in mine) for epci, mine in of.items()},
        "ti_name": {epci: JOIN.join(p.name for p in mine) for epci, mine in of.items()},
        "ti_population": people,
    }
    partly = sum(not is_whole for is_whole in whole.values())
    total = grouped(sum(people.values()))
    account.remark(Text(
        f"{sum(whole.values())} EPCI entiers (territoire_industrie : true), {partly} en partie (false ; ti_population dit combien "
        f"d'habitants) ; {len(perimeters)} territoires, {total.fr} habitants.",
        f"{sum(whole.values())} whole EPCI (territoire_industrie: true), {partly} in part (false; ti_population says how many "
        f"people); {len(perimeters)} perimeters, {total.en} people."))  # fmt: skip
    absent = {"territoire_industrie": False, "ti": "", "ti_name": "", "ti_population": 0}
    comment = [
        "Les propositions de la note, sur les EPCI avec leur Territoire d'industrie. Une règle peut les désigner :",
        "  on: {where: {territoire_industrie: true}}          les EPCI entièrement dans un Territoire d'industrie",
        "  on: {where: {ti_population: {min: 1}}}             ceux qui y sont au moins en partie",
        "  per: ti                                            pour chaque valeur de ti",
    ]
    return Import(
        account,
        {FILE: with_columns(onto, columns, absent)},
        based_scenario(
            "territoires-industrie", "Les propositions de la note, avec les Territoires d'industrie", comment, SHARES
        ),
    )


def _as_perimeters(perimeters: Sequence[Perimeter], account: Account) -> Import:
    names = {named.code: named.name for named in atlas().departements}
    regions = {named.code: named.name for named in atlas().regions}
    rows: list[list[Any]] = []
    members: list[list[str]] = []
    for perimeter in perimeters:
        people: dict[str, Counter[str]] = {"region": Counter(), "departement": Counter()}
        for commune in perimeter.communes.values():
            for level in people:
                people[level][atlas().epci[commune.epci][level]] += commune.population
            members.append([perimeter.id, commune.code])
        home = {level: min(of, key=lambda code: (-of[code], code)) for level, of in people.items()}
        epci = {commune.epci for commune in perimeter.communes.values()}
        metropole = sum(
            c.population for c in perimeter.communes.values() if atlas().epci[c.epci]["metropole"] == "true"
        )
        rows.append([perimeter.id, perimeter.name, home["region"], home["departement"], perimeter.population, "TI",
                     len(epci), len(perimeter.communes), metropole, regions[home["region"]], names[home["departement"]]])  # fmt: skip
    total = grouped(sum(perimeter.population for perimeter in perimeters))
    account.remark(Text(
        f"{len(perimeters)} périmètres, {grouped(len(members)).fr} communes, {total.fr} habitants. Région et département : "
        f"ceux où vivent le plus d'habitants.",
        f"{len(perimeters)} perimeters, {grouped(len(members)).en} communes, {total.en} people. Region and department: "
        f"those where most people live."))  # fmt: skip
    headers = ["id", "name", "region", "departement", "population", "kind", "epci", "members", "metropole_population",
               "region_name", "departement_name"]  # fmt: skip
    tables = {FILE: Table(headers, rows), "members.csv": Table(["territory", "commune"], sorted(members))}
    after = Text("Des dossiers sur ces territoires : allocator import cartofriches … --perimeters DIR",
                 "Demands on these territories: allocator import cartofriches … --perimeters DIR")  # fmt: skip
    return Import(account, tables, next_step=after)

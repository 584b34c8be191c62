"""Any table with a code in each row (commune, EPCI, SIREN, department, region): columns for EPCI or for demands."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from allocator.importers.placing import Unplaced, atlas
from allocator.importers.reading import Column, Row, Source, folded, hectares, number, source
from allocator.importers.report import Account, Quantity
from allocator.importers.territories import (
    FILE,
    based_scenario,
    completed,
    main_by_epci,
    mean_by_epci,
    onto_option,
    with_columns,
)
from allocator.importers.writing import Import, Table
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.texts import Text

FORMAT = "indicators"
HELP = Text(
    "toute table dont les lignes portent un code de territoire", "any table whose rows carry a territory's code"
)
READS = Text("une table avec un code de commune, d'EPCI (SIREN ou SIRET), de département ou de région",
             "a table with the code of a commune, an EPCI (SIREN or SIRET), a department or a region")  # fmt: skip
WRITES = Text("territories.csv avec ces colonnes, ou demands.csv (--demands) où elles deviennent des indicateurs",
              "territories.csv with these columns, or demands.csv (--demands) where they become indicators")  # fmt: skip
FILES = (1, 1)
LEVELS = {
    "commune": ("codgeo", "code_insee", "insee_com", "comm_insee", "code_commune", "codecommune", "depcom", "idcom", "insee", "commune", "com"),
    "epci": ("siren_epci", "code_epci", "epci", "epci26", "epci25", "epci24", "siren_groupement", "siren", "siret", "id"),
    "departement": ("code_departement", "departement", "code_dep", "dep", "code_dept", "dept"),
    "region": ("code_region", "region", "code_reg", "reg", "libreg", "nom_region"),
}  # fmt: skip
WAYS = {
    "sum": Text("colonnes à additionner (nombres, euros)", "columns to add up (counts, euros)"),
    "hectares": Text("colonnes de m² à additionner en hectares", "columns of m² to add up in hectares"),
    "mean": Text("colonnes dont on prend la moyenne pesée par habitants (taux, parts)",
                 "columns of which to take the mean weighted by people (rates, shares)"),
    "text": Text("colonnes de textes : la valeur de la plupart des habitants", "columns of texts: the value of most people"),
}  # fmt: skip


def arguments(parser: argparse.ArgumentParser) -> None:
    for option, what in WAYS.items():
        parser.add_argument(
            f"--{option}", type=_several, action="extend", default=[], metavar="[NOM=]COLONNE,…", help=str(what)
        )
    parser.add_argument("--level", choices=tuple(LEVELS), help=str(Text("nature du code", "what the code names")))
    parser.add_argument("--key", metavar="COLONNE", help=str(Text("colonne du code", "the code's column")))
    parser.add_argument("--where", action="append", metavar="COLONNE=VALEUR", default=[], help=str(Text(
        "ne garder que ces lignes (une année, une mesure) ; peut se répéter",
        "keep these rows only (a year, a measure); may be repeated")))  # fmt: skip
    onto_option(parser)
    parser.add_argument("--demands", metavar="CSV", help=str(Text(
        "ajouter les colonnes à ce demands.csv, selon l'EPCI de chaque dossier",
        "add the columns to this demands.csv, by each demand's EPCI")))  # fmt: skip


def _several(text: str) -> list[str]:
    """`a,b=c`: columns separated by commas (a header's own comma has no weight: leave it out)."""
    return [part.strip() for part in text.split(",") if part.strip()]


@dataclass
class Asked:
    """What the options ask for: {name of the column to make: header in the file}."""

    level: str
    key: str
    sums: dict[str, str]
    hectares: frozenset[str]  # the sums that are in m²
    means: dict[str, str]
    texts: dict[str, str]
    where: dict[str, str]

    @property
    def headers(self) -> list[str]:
        return [self.key, *self.sums.values(), *self.means.values(), *self.texts.values(), *self.where]


@dataclass
class Gathered:
    """Values by EPCI (sums) or by commune of today (means and texts), as rows give them."""

    sums: dict[str, dict[str, Fraction]] = field(default_factory=dict)
    means: dict[str, dict[str, list[Fraction]]] = field(default_factory=dict)
    texts: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: set[str] = field(default_factory=set)
    placed: int = 0


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    known = [name for names in LEVELS.values() for name in names]
    named = [said.rpartition("=")[2] for way in WAYS for said in getattr(options, way)]
    given = source(
        files[0], [Column(name, required=False) for name in dict.fromkeys((options.key or "", *known, *named)) if name]
    )
    asked = _asked(given, options)
    given = given.also(*asked.headers)
    account = Account([
        Quantity(name, (header,), hectares if name in asked.hectares else number,
                 Text("ha", "ha") if name in asked.hectares else Text("", ""), Text(name, name))
        for name, header in asked.sums.items()
    ])  # fmt: skip
    gathered = Gathered()
    for row in account.read(given):
        _gather(row, asked, gathered, account)
    account.close(gathered.placed, {
        name: sum(gathered.sums.get(name, {}).values(), Fraction(0)) for name in asked.sums
    })  # fmt: skip
    if not gathered.placed:
        why = "; ".join(str(kind) for kind, _, _ in account.reasons()[:3])
        nothing = Text("aucune ligne ne peut être placée", "no row can be placed")
        raise ScenarioError([Problem(Text(f"colonne {asked.key}", f"column {asked.key}"), nothing,
                                     Text(f"{why}. Donnez --key et --level.", f"{why}. Give --key and --level."), files[0])])  # fmt: skip
    columns, absent = _columns(asked, gathered, account)
    if options.demands:
        return Import(account, {"demands.csv": _onto_demands(options.demands, columns, absent)})
    return Import(
        account,
        {FILE: with_columns(options.onto, columns, absent)},
        based_scenario("indicateurs", "Les propositions de la note, avec des indicateurs de territoire",
                       [f"Les propositions de la note, sur les EPCI avec : {', '.join(columns)}."]),
    )  # fmt: skip


def _asked(given: Source, options: argparse.Namespace) -> Asked:
    """The options against the headers; every mistake at once."""
    from allocator.tables import DEMAND_COLUMNS, TERRITORY_COLUMNS

    problems: list[Problem] = []
    by_fold: dict[str, str] = {}
    for name in given.headers:
        by_fold.setdefault(folded(name), name)

    def header(option: str, name: str) -> str:
        found = by_fold.get(folded(name))
        if found is None:
            message = Text(f"colonne « {name} » absente", f"column “{name}” is missing")
            problems.append(Problem(option, message, did_you_mean(name, [h for h in given.headers if h]), given.file))
        return found or name

    taken = (*TERRITORY_COLUMNS, *(DEMAND_COLUMNS if options.demands else ()))
    ways: dict[str, dict[str, str]] = {}
    for way in WAYS:
        ways[way] = {}
        for said in getattr(options, way):
            name, equals, column = said.partition("=")
            found = header(f"--{way}", column if equals else name)
            name = name if equals else found
            if name in taken:
                message = Text(f"« {name} » est une colonne du scénario", f"“{name}” is a column of the scenario")
                problems.append(
                    Problem(f"--{way}", message, Text(f"Écrivez AUTRE_NOM={found}", f"Write OTHER_NAME={found}"))
                )
            elif any(name in of for of in ways.values()):
                problems.append(Problem(f"--{way}", Text(f"colonne « {name} » demandée deux fois", f"column “{name}” is asked for twice"),
                                        Text(f"Écrivez AUTRE_NOM={found}", f"Write OTHER_NAME={found}")))  # fmt: skip
            ways[way][name] = found
    where = {}
    for condition in options.where:
        column, equals, value = condition.partition("=")
        if not equals:
            problems.append(Problem("--where", Text(f"« {condition} » : COLONNE=VALEUR est attendu",
                                                    f"“{condition}”: COLUMN=VALUE is expected")))  # fmt: skip
        else:
            where[header("--where", column)] = value
    key, level = (header("--key", options.key) if options.key else None), options.level
    if key is None:
        among = {level: LEVELS[level]} if level else LEVELS
        candidates = [
            (name, by_fold[folded(known)])
            for name, names in among.items()
            for known in names
            if folded(known) in by_fold
        ]
        if candidates:
            level, key = candidates[0]
    elif level is None:
        level = next((name for name, names in LEVELS.items() if folded(key) in map(folded, names)), None)
    headers = ", ".join(h for h in given.headers if h)[:400]
    if key is None or level is None:
        message = Text("code de territoire introuvable", "no code of a territory found")
        problems.append(Problem("", message, Text(f"Donnez --key et --level ({', '.join(LEVELS)}). En-têtes lus : {headers}.",
                                                  f"Give --key and --level ({', '.join(LEVELS)}). Headers read: {headers}."), given.file))  # fmt: skip
    if not any(ways.values()):
        message = Text(
            "dites comment lire chaque colonne : --sum, --mean ou --text",
            "say how to read each column: --sum, --mean or --text",
        )
        problems.append(
            Problem("", message, Text(f"En-têtes lus : {headers}.", f"Headers read: {headers}."), given.file)
        )
    if level in ("departement", "region") and (ways["sum"] or ways["hectares"]):
        problems.append(Problem("--sum", Text(f"un total par {level} ne se répartit pas entre EPCI",
                                              f"a total by {level} cannot be shared between EPCI"),
                                Text("Prenez --mean (la valeur est recopiée) ou une table par commune.",
                                     "Use --mean (the value is copied) or a table by commune."), given.file))  # fmt: skip
    if problems:
        raise ScenarioError(problems)
    assert key is not None and level is not None
    return Asked(
        level, key, ways["sum"] | ways["hectares"], frozenset(ways["hectares"]), ways["mean"], ways["text"], where
    )


def _gather(row: Row, asked: Asked, into: Gathered, account: Account) -> None:
    """Put one row where its code lies, or refuse it."""
    if any(folded(row[column]) != folded(value) for column, value in asked.where.items()):
        account.refuse(row, Text("hors du filtre --where", "outside the filter --where"))
        return
    try:
        epcis, communes = _place(asked.level, row[asked.key])
    except Unplaced as error:
        account.refuse(row, error, Text("code sans place sur la carte", "code without a place on the map"))
        return
    if (asked.means or asked.texts) and row[asked.key] in into.seen:
        account.refuse(row, Text(f"code {row[asked.key]} donné deux fois (une année, une mesure à choisir par --where ?)",
                                 f"code {row[asked.key]} given twice (a year, a measure to choose by --where?)"),
                       Text("code donné deux fois : choisir par --where ?", "code given twice: choose by --where?"))  # fmt: skip
        return
    means: dict[str, Fraction | None] = {}
    for name, header in asked.means.items():
        try:
            means[name] = number(row[header]) if row[header] else None
        except ValueError as error:
            account.refuse(row, error, Text(f"{name} illisible", f"{name} unreadable"))
            return
    if not any(row[header] for of in (asked.sums, asked.means, asked.texts) for header in of.values()):
        account.refuse(row, Text("aucune valeur", "no value"))
        return
    into.seen.add(row[asked.key])
    into.placed += 1
    for name in asked.sums:
        of = into.sums.setdefault(name, {})
        of[epcis[0]] = of.get(epcis[0], Fraction(0)) + row.amounts[name]
    for name, value in means.items():
        if value is not None:
            for commune in communes:
                into.means.setdefault(name, {}).setdefault(commune, []).append(value)
    for name, header in asked.texts.items():
        if row[header]:
            for commune in communes:
                into.texts.setdefault(name, {}).setdefault(commune, row[header])


def _place(level: str, code: str) -> tuple[list[str], list[str]]:
    """(EPCI, communes of today) that a code covers; `Unplaced` where there are none."""
    here = atlas()
    if not code:
        raise Unplaced(Text("code absent", "no code given"))
    if level in ("departement", "region"):
        found = here.departement(code) if level == "departement" else here.region(code)
        epcis = [ident for ident, row in here.epci.items() if row[level] == found]
        if not epcis:
            raise Unplaced(Text(f"aucun EPCI n'a son domicile dans « {code} »", f"no EPCI has its home in “{code}”"))
    else:
        try:
            commune = here.commune(code)
        except Unplaced:
            if level == "commune":
                raise
            epcis = [here.group(code)]
        else:
            return [here.epci_of(commune.code)], [commune.code]
    return epcis, [commune.code for epci in epcis for commune in here.members[epci]]


def _columns(asked: Asked, gathered: Gathered, account: Account) -> tuple[dict[str, Any], dict[str, Any]]:
    """({column: {EPCI: value}}, {column: value of EPCI without one})."""
    every = list(atlas().epci)
    columns: dict[str, Any] = {}
    absent: dict[str, Any] = {}
    both = sum(atlas().past.get(code) in gathered.seen for code in gathered.seen)
    if both and asked.sums:
        account.remark(Text(
            f"{both} anciennes communes (ou arrondissements) et leur commune actuelle ont chacune leur ligne : les deux "
            f"comptent ; vérifiez que le fichier ne compte pas deux fois.",
            f"{both} communes of the past (or arrondissements) and their commune of today have a row each: both count; check "
            f"that the file does not count twice."))  # fmt: skip
    for name in asked.sums:
        columns[name], absent[name] = gathered.sums.get(name, {}), 0
        without = len(every) - len(columns[name])
        if without:
            account.remark(Text(f"{name} : {without} EPCI sans aucune ligne ; 0 y est écrit.",
                                f"{name}: {without} EPCI without any row; 0 is written there."))  # fmt: skip
    for name in asked.means:
        values = {commune: sum(of, Fraction(0)) / len(of) for commune, of in gathered.means.get(name, {}).items()}
        more = completed(name, mean_by_epci(values), account, every)
        columns |= more
        absent |= {name: 0, f"{name}_connu": False}
        how = {
            "commune": Text("moyenne des communes pesée par leurs habitants", "mean of the communes weighted by their people"),
            "epci": Text("valeur de l'EPCI", "the EPCI's value"),
        }.get(asked.level, Text(f"valeur du {asked.level}, recopiée à ses EPCI (domicile)", f"the {asked.level}'s value, copied to its EPCI (home)"))  # fmt: skip
        account.remark(Text(f"{name} : {how.fr}, à six décimales.", f"{name}: {how.en}, to six decimals."))
    for name in asked.texts:
        columns[name], absent[name] = main_by_epci(gathered.texts.get(name, {})), ""
    return columns, absent


def _onto_demands(path: str, columns: Mapping[str, Mapping[str, Any]], absent: Mapping[str, Any]) -> Table:
    """demands.csv with the columns of each demand's territory; `ScenarioError` where a territory is no EPCI."""
    given = source(path, [Column("id"), Column("territory")])
    whole = given.also(*given.headers)
    kept = [name for name in given.headers if name not in columns]
    rows, problems = [], []
    for row in whole.rows():
        epci = row["territory"]
        if epci not in atlas().epci:
            problems.append(Problem(Text(f"ligne {row.line}, colonne territory", f"line {row.line}, column territory"),
                                    Text(f"« {epci} » n'est pas un EPCI", f"“{epci}” is not an EPCI"), None, path))  # fmt: skip
        rows.append([*(row[name] for name in kept), *(of.get(epci, absent[name]) for name, of in columns.items())])
    if problems:
        raise ScenarioError(problems[:20])
    return Table([*kept, *columns], rows)

"""Participatory budgets in the Pabulib format (.pb): one fund a file, whole projects, votes."""

from __future__ import annotations

import argparse
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

from allocator.importers.reading import Column, Row, Source, euros, items, number, sections, source, together
from allocator.importers.report import Account, Quantity, grouped
from allocator.importers.writing import Import, Table, cell_text, slug, yaml_text
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FORMAT = "pabulib"
HELP = Text("budget participatif au format Pabulib (.pb)", "participatory budget in the Pabulib format (.pb)")
READS = Text(
    "un fichier .pb (sections META, PROJECTS, VOTES), plusieurs, ou un dossier qui en contient : une enveloppe par fichier",
    "a .pb file (sections META, PROJECTS, VOTES), several, or a folder of them: one envelope per file",
)
WRITES = Text(
    "un scénario : un fonds par fichier (META budget), des projets entiers, le plus de votes",
    "a scenario: one fund per file (META budget), whole projects, most votes",
)
FILES = (1, 1000)
COLUMNS = (
    Column("id", ("project_id",)),
    Column("cost"),
    Column("votes", required=False),
    Column("score", required=False),
    Column("name", required=False),
    Column("category", required=False),
    Column("district", ("district", "subunit", "neighborhood"), required=False),
    Column("selected", required=False),
)
ATTRIBUTES = {"name": "project_name", "category": "category", "district": "district", "selected": "selected"}


@dataclass(frozen=True)
class Election:
    """One file. `ident`, `label`: of its fund; `budget` in euros; `ballots`: votes of each project, None without VOTES."""

    file: str
    meta: dict[str, str]
    projects: Source
    ballots: Counter[str] | None
    ident: str
    label: str
    year: int
    budget: Fraction

    @property
    def place(self) -> str:
        """Who votes: a city."""
        return self.meta.get("unit") or self.meta.get("country") or "budget"

    def has(self, column: str) -> bool:
        return column in self.projects.found


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--fund", metavar="MONTANT", help=str(Text(
        "montant du fonds de chaque fichier, au lieu de META budget", "each file's fund, instead of META budget")))  # fmt: skip
    parser.add_argument("--per-district", metavar="MONTANT", help=str(Text(
        "plafond de chaque quartier, par exemple « 400 k€ »", "ceiling of each district, such as “400 k€”")))  # fmt: skip


def run(files: Sequence[str], options: argparse.Namespace) -> Import:
    ceiling, paths = together(lambda: _ceiling(options.per_district), lambda: _paths(files))
    elections = _told_apart(together(*(lambda path=path: _election(path, options.fund) for path in paths)))
    by_ballots = not all(election.has("votes") for election in elections)  # the column is optional
    if by_ballots:
        mute = [election.file for election in elections if election.ballots is None]
        message = Text("ni colonne votes, ni section VOTES", "neither a column votes nor a section VOTES")
        if mute:
            raise ScenarioError([Problem("", message, None, file) for file in mute])
    figures = [name for name in ("votes", "score") if all(election.has(name) for election in elections)]
    more = [name for name in figures if name != "votes"]
    kept = [name for name in ATTRIBUTES if any(election.has(name) for election in elections)]
    account = Account([
        Quantity("couts", ("cost",), euros, Text("€", "€"), Text("coûts", "costs")),
        *(Quantity(name, (name,), number, Text("", ""), Text(name, name)) for name in figures),
    ])  # fmt: skip
    demands: dict[tuple[str, str], list[Any]] = {}
    for election in elections:
        differing = 0
        for row in account.read(election.projects):
            key = election.ident, row["id"]
            reason = _refused(row, key in demands)
            if reason is not None:
                account.refuse(row, *reason)
                continue
            counted = None if election.ballots is None else Fraction(election.ballots[row["id"]])
            votes = counted if by_ballots else row.amounts["votes"]
            differing += counted is not None and votes != counted
            demands[key] = [row["id"], slug(election.place), "projet", 1, row.amounts["couts"], votes,
                            *(row.amounts[name] for name in more), election.ident,
                            *(row[name] for name in kept)]  # fmt: skip
        _remarks(election, account, differing, by_ballots)
    if not demands:
        nothing = Text("aucun projet ne peut être placé", "no project can be placed")
        raise account.nothing_placed(nothing, files[0])
    if len({ident for _, ident in demands}) < len(demands):  # the same number in two files is not the same project
        for (fund, ident), cells in demands.items():
            cells[0] = f"{fund}:{ident}"
    headers = ["id", "territory", "measure", "units", "asked", "votes", *more, "envelope",
               *(ATTRIBUTES[name] for name in kept)]  # fmt: skip
    table = Table(headers, list(demands.values()))
    account.close(len(demands), {
        "couts": sum(table.column("asked"), Fraction(0)),
        **{name: sum(table.column(name), Fraction(0)) for name in figures},
    })  # fmt: skip
    if ceiling is not None and ("district" not in kept or not all(table.column("district"))):
        message = Text(
            "des projets ne nomment pas leur quartier (district, subunit)",
            "some projects name no district (district, subunit)",
        )
        raise ScenarioError([Problem("--per-district", message)])
    places = {slug(election.place): election.place for election in elections}
    account.remark(Text("La population n'est pas dans le fichier : 0 y est écrit (aucune règle par habitant).",
                        "The population is not in the file: 0 is written (no rule per inhabitant)."))  # fmt: skip
    territories = Table(["id", "name", "region", "departement", "population"],
                        [[ident, name, "", "", 0] for ident, name in places.items()])  # fmt: skip
    return Import(account, {"territories.csv": territories, "demands.csv": table}, _scenario(elections, ceiling))


def _ceiling(text: str | None) -> Fraction | None:
    if text is None:
        return None
    try:
        amount = euros(text)
        if amount < 0:
            raise ValueError(Text("un montant positif est attendu", "a positive amount is expected"))
    except ValueError as error:
        raise ScenarioError([Problem("--per-district", error.args[0])]) from None
    return amount


def _paths(files: Sequence[str]) -> list[str]:
    """The files; a folder stands for its .pb files, by name."""
    paths, problems = [], []
    for file in files:
        inside = sorted(str(path) for path in Path(file).glob("*.pb")) if Path(file).is_dir() else [file]
        paths += inside
        if not inside:
            problems.append(
                Problem("", Text("aucun fichier .pb dans ce dossier", "no .pb file in this folder"), None, file)
            )
    if problems:
        raise ScenarioError(problems)
    return list(dict.fromkeys(paths))


def _election(path: str, fund: int | None) -> Election:
    """Read all but the projects of a file; `ScenarioError` with all that is missing. `fund`: cents, instead of budget."""
    at = sections(path, ("META", "PROJECTS", "VOTES"))
    absent = [title for title in ("META", "PROJECTS") if title not in at]
    if absent:
        message = Text(f"section absente : {', '.join(absent)}", f"section missing: {', '.join(absent)}")
        remedy = Text("Un fichier Pabulib a des lignes META, PROJECTS et VOTES, chacune suivie d'une table.",
                      "A Pabulib file has lines META, PROJECTS and VOTES, each followed by a table.")  # fmt: skip
        raise ScenarioError([Problem("", message, remedy, path)])
    columns = [Column("key"), Column("value", required=False)]
    meta = {row["key"].lower(): row["value"] for row in source(path, columns, at["META"]).rows()}
    year, budget, projects, ballots = together(
        lambda: _year(path, meta),
        lambda: _budget(path, meta, fund),
        lambda: source(path, COLUMNS, at["PROJECTS"]),
        lambda: _ballots(path, at["VOTES"]) if "VOTES" in at else None,
    )
    label = " ".join(filter(None, (meta.get("subunit") or meta.get("unit"), str(year))))
    return Election(path, meta, projects, ballots, slug(label), label, year, budget)


def _year(path: str, meta: dict[str, str]) -> int:
    for key in ("instance", "date_begin", "date_end"):
        if found := re.search(r"(19|20)\d\d", meta.get(key, "")):
            return int(found[0])
    message = Text("META ne dit pas l'année", "META names no year")
    remedy = Text(
        "Ajoutez une ligne instance;2022 ou date_begin;03.10.2022.",
        "Add a line instance;2022 or date_begin;03.10.2022.",
    )
    raise ScenarioError([Problem("META", message, remedy, path)])


def _budget(path: str, meta: dict[str, str], fund: int | None) -> Fraction:
    """Euros of a file's fund; `fund`, in cents, is given instead of what META says."""
    if fund is not None:
        return Fraction(fund, 100)
    try:
        if not meta.get("budget"):
            raise ValueError(Text("budget absent", "no budget given"))
        return euros(meta["budget"])
    except ValueError as error:
        remedy = Text('Donnez --fund, par exemple --fund "8 M€".', 'Give --fund, such as --fund "8 M€".')
        raise ScenarioError([Problem("META, budget", error.args[0], remedy, path)]) from None


def _ballots(path: str, lines: tuple[int, int | None]) -> Counter[str]:
    """How many ballots name each project."""
    counted: Counter[str] = Counter()
    for row in source(path, [Column("vote")], lines).rows():
        counted.update(items(row["vote"], ","))
    return counted


def _told_apart(elections: Sequence[Election]) -> list[Election]:
    """Elections of the same name get the names of their files."""
    many = Counter(election.ident for election in elections)
    return [election if many[election.ident] == 1 else
            replace(election, ident=slug(Path(election.file).stem), label=Path(election.file).stem)
            for election in elections]  # fmt: skip


def _refused(row: Row, known: bool) -> tuple[Text, Text] | tuple[Text] | None:
    """Why a project is no demand, if so."""
    if not row["id"]:
        return (Text("sans project_id", "without a project_id"),)
    if known:
        return Text(f"projet {row['id']} donné deux fois", f"project {row['id']} given twice"), Text(
            "projet en double", "given twice"
        )
    if not row["cost"]:
        return (Text("coût absent", "no cost given"),)
    if row.amounts["couts"] <= 0:
        return (Text("coût nul ou négatif", "cost of 0 or less"),)
    if row.amounts.get("votes", Fraction(0)) < 0:
        return (Text("votes négatifs", "negative votes"),)
    return None


def _remarks(election: Election, account: Account, differing: int, by_ballots: bool) -> None:
    meta, projects = election.meta, account.rows_of[election.projects.file]
    if meta.get("num_projects", str(projects)) != str(projects):
        account.remark(Text(f"{election.file} : META annonce {meta['num_projects']} projets, la section en contient {projects}.",
                            f"{election.file}: META announces {meta['num_projects']} projects, the section holds {projects}."))  # fmt: skip
    if by_ballots:
        account.remark(Text(f"{election.label} : votes comptés dans les bulletins (section VOTES).",
                            f"{election.label}: votes counted from the ballots (section VOTES)."))  # fmt: skip
    elif election.ballots is None:
        account.remark(Text(f"{election.label} : pas de section VOTES ; les votes sont ceux que le fichier annonce.",
                            f"{election.label}: no section VOTES; the votes are those that the file announces."))  # fmt: skip
    elif differing:
        account.remark(Text(f"{election.label} : pour {differing} projets, les votes annoncés ne sont pas ceux des bulletins ; "
                            f"les votes annoncés sont gardés.",
                            f"{election.label}: for {differing} projects the votes announced are not those of the ballots; "
                            f"those announced are kept."))  # fmt: skip
    if meta.get("currency", "EUR").upper() != "EUR":
        account.remark(Text(f"{election.label} : montants en {meta['currency']}, écrits comme des euros (sans conversion).",
                            f"{election.label}: amounts in {meta['currency']}, written as euros (not converted)."))  # fmt: skip


def _scenario(elections: Sequence[Election], ceiling: Fraction | None) -> str:
    funds = "\n".join(
        f"  - id: {e.ident}\n    label: {yaml_text(e.label)}\n    amounts: {{{e.year}: {cell_text(e.budget)}}}  # euros\n"
        f"    source: {yaml_text(f'{Path(e.file).name}, META')}"
        + (f"\n    on: {{where: {{envelope: {e.ident}}}}}" if len(elections) > 1 else "")
        for e in elections
    )
    rule = "constraints: []"
    if ceiling is not None:
        rule = ("constraints:\n  - kind: ceiling\n    id: par-quartier\n"
                f"    label: {yaml_text(f'Au plus {grouped(ceiling).fr} € par quartier')}\n"
                f"    amount: {cell_text(ceiling)}\n    per: district")  # fmt: skip
    first = elections[0]
    name = first.ident if len(elections) == 1 else slug(f"{first.place} {len(elections)} enveloppes")
    label = (
        f"Budget participatif : {first.place}" if len({e.place for e in elections}) == 1 else "Budgets participatifs"
    )
    return f"""\
# Budget participatif au format Pabulib, importé : chaque projet est entier (tout ou rien), son coût est ce qu'il demande.
# Les lignes écartées, et pourquoi : non-places.csv.

name: {yaml_text(name)}
label: {yaml_text(label)}
years: {sorted({e.year for e in elections})}
funds:
{funds}
measures:
  - {{id: projet, label: Projet, unit: projet, lumpy: true}}
territories: territories.csv
demands: demands.csv
{rule}
objective:
  maximise: {{votes: 1}}
"""

"""Attributes of territories: the 1 255 EPCI (or the table given by --onto) with columns added."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from fractions import Fraction
from typing import Any

from allocator.importers.placing import atlas, table
from allocator.importers.reading import Column, Row, source
from allocator.importers.report import Account, grouped
from allocator.importers.writing import Table
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FILE = "territories.csv"
DECIMALS = 6  # of means


def onto_option(parser: argparse.ArgumentParser) -> None:
    """--onto: an import adds its columns to those of an earlier one."""
    parser.add_argument("--onto", metavar="CSV", help=str(Text(
        "ajouter les colonnes à ce territories.csv (sinon : aux 1 255 EPCI)",
        "add the columns to this territories.csv (else: to the 1,255 EPCI)")))  # fmt: skip


def with_columns(onto: str | None, columns: Mapping[str, Mapping[str, Any]], absent: Mapping[str, Any]) -> Table:
    """territories.csv with `columns`: {column: {EPCI: value}}; `absent`: {column: value of the others}.

    A column that is there already is replaced. `ScenarioError` where `onto` is not a table of EPCI.
    """
    headers, rows = _base(onto)
    replaced = {*columns, *(f"{name}_connu" for name in columns)}
    kept = [rank for rank, name in enumerate(headers) if name not in replaced]
    at = headers.index("id")
    return Table(
        [*(headers[rank] for rank in kept), *columns],
        [[*(row[rank] for rank in kept), *(values.get(row[at], absent[name]) for name, values in columns.items())]
         for row in rows],
    )  # fmt: skip


def mean_by_epci(values: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """{EPCI: mean of its communes' values, weighted by their people, to six decimals}; `values`: by commune of today.

    Communes without a value or an EPCI do not weigh. An EPCI whose people are all elsewhere is absent.
    """
    total: dict[str, Fraction] = {}
    people: dict[str, int] = {}
    for code, value in values.items():
        commune = atlas().communes[code]
        if commune.epci and commune.population:
            total[commune.epci] = total.get(commune.epci, Fraction(0)) + value * commune.population
            people[commune.epci] = people.get(commune.epci, 0) + commune.population
    return {epci: round(total[epci] / people[epci], DECIMALS) for epci in total}


def main_by_epci(values: Mapping[str, str]) -> dict[str, str]:
    """{EPCI: the value under which most of its people live}; ties: the first in the alphabet."""
    people: dict[str, Counter[str]] = {}
    for code, value in values.items():
        commune = atlas().communes[code]
        if commune.epci:
            people.setdefault(commune.epci, Counter())[value] += commune.population
    return {epci: min(of, key=lambda value: (-of[value], value)) for epci, of in people.items()}


def absent_from(ids: Collection[str], epci: str, row: Row, account: Account) -> bool:
    """Whether an EPCI is not among those of --onto; its row is refused then."""
    if epci in ids:
        return False
    account.refuse(
        row,
        Text(f"EPCI {epci} absent de --onto", f"EPCI {epci} is not in --onto"),
        Text("EPCI absent de --onto", "EPCI not in --onto"),
    )
    return True


def completed(
    name: str, values: Mapping[str, Any], account: Account, ids: Collection[str]
) -> dict[str, Mapping[str, Any]]:
    """A numeric column for every EPCI: where `values` lacks some, 0 there, told, and a column that says so.

    A scenario's numeric columns have no empty cells; `<name>_connu` keeps 0 from looking like a fact.
    """
    lacking = [ident for ident in ids if ident not in values]
    if not lacking:
        return {name: values}
    account.remark(Text(
        f"{name} : {grouped(len(lacking)).fr} territoires sans valeur ; 0 y est écrit, et {name}_connu vaut false.",
        f"{name}: {grouped(len(lacking)).en} territories without a value; 0 is written there, and {name}_connu is false."))  # fmt: skip
    return {name: values, f"{name}_connu": dict.fromkeys(values, True)}


def _base(onto: str | None) -> tuple[list[str], list[list[str]]]:
    if onto is None:
        rows = table("epci.csv")
        return list(rows[0]), [list(row.values()) for row in rows]
    given = source(onto, [Column("id")])
    whole = given.also(*given.headers)
    read = list(whole.rows())
    strangers = [row for row in read if row["id"] not in atlas().epci]
    if strangers:
        raise ScenarioError([
            Problem(Text(f"ligne {row.line}, colonne id", f"line {row.line}, column id"),
                    Text(f"« {row['id']} » n'est pas un EPCI", f"“{row['id']}” is not an EPCI"),
                    Text("--onto attend un territories.csv dont les id sont des SIREN d'EPCI.",
                         "--onto expects a territories.csv whose ids are SIRENs of EPCI."), onto)
            for row in strangers[:20]
        ])  # fmt: skip
    return list(given.headers), [[row[name] for name in given.headers] for row in read]


def based_scenario(name: str, label: str, comment: Sequence[str], constraints: str = "") -> str:
    """A scenario.yaml: the note's proposals over these territories, with `constraints` (YAML) over the base's."""
    lines = "\n".join(f"# {line}" for line in comment)
    return (f"{lines}\n\nname: {name}\nlabel: {label}\nbase: propositions-2025\n"
            f"territories: {FILE}\n{constraints}")  # fmt: skip

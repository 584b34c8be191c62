"""Attributes of territories: the 1 255 EPCI (or the table given by --onto) with columns added."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from typing import Any

from allocator.importers.placing import atlas, table
from allocator.importers.reading import Column, source
from allocator.importers.writing import Table
from allocator.problems import Problem, ScenarioError
from allocator.texts import Text

FILE = "territories.csv"


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
    kept = [rank for rank, name in enumerate(headers) if name not in columns]
    at = headers.index("id")
    return Table(
        [*(headers[rank] for rank in kept), *columns],
        [[*(row[rank] for rank in kept), *(values.get(row[at], absent[name]) for name, values in columns.items())]
         for row in rows],
    )  # fmt: skip


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


def based_scenario(name: str, label: str, comment: Sequence[str]) -> str:
    """A scenario.yaml: the note's proposals over these territories."""
    lines = "\n".join(f"# {line}" for line in comment)
    return (f"{lines}\n\nname: {name}\nlabel: {label}\nbase: propositions-2025\n"
            f"territories: {FILE}\n")  # fmt: skip

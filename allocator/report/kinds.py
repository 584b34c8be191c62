"""The kinds of constraint as a table: what each says, its fields, its source in law, an example kept and broken."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

import pandas as pd
from rich.console import Console
from rich.table import Table
from rich.text import Text as Rich

from allocator.constraints import KINDS, Constraint, Paid
from allocator.kinds import example
from allocator.money import format_euros, parse_cents
from allocator.scenario import Scenario
from allocator.texts import Text, language


def example_scenario(*constraints: Any, **parts: Any) -> Scenario:
    """The small scenario of the examples under these constraints; `parts` replace other arguments of `Scenario`."""
    given: dict[str, Any] = {
        "years": example.YEARS,
        "funds": example.FUNDS,
        "measures": example.MEASURES,
        "territories": pd.DataFrame(example.TERRITORIES),
        "demands": pd.DataFrame(example.DEMANDS),
        "prior_aid": pd.DataFrame(example.PRIOR_AID),
        "objective": example.OBJECTIVE,
    }
    return Scenario(name="example", constraints=constraints, **given | parts)


def fields(kind: type[Constraint]) -> dict[str, bool]:
    """Its own fields, and whether each must be given."""
    return {
        name: field.is_required() for name, field in kind.model_fields.items() if name not in Constraint.model_fields
    }


def as_dicts() -> list[dict[str, Any]]:
    """Every kind, plain enough for JSON."""
    return [
        {
            "kind": name,
            "title": str(kind.title),
            "says": str(kind.says),
            "fields": fields(kind),
            "in_full": " ".join(inspect.cleandoc(kind.__doc__ or "").split()),
            "source": str(kind.law),
            "not_covered": str(kind.not_covered or ""),
            "example": {
                "constraint": {"kind": name, **kind.example.fields},
                **{
                    side: [dict(zip(("demand", "fund", "year", "euros"), paid, strict=True)) for paid in grants]
                    for side, grants in (("keeps", kind.example.keeps), ("breaks", kind.example.breaks))
                },
            },
        }
        for name, kind in KINDS.items()
    ]


def _grants(grants: Iterable[Paid]) -> str:
    """`a-ecole f 2026 100 €, …`"""
    return ", ".join(
        f"{demand} {fund} {year} {format_euros(parse_cents(euros), language())}" for demand, fund, year, euros in grants
    )


def _written(value: Any) -> str:
    """A value as YAML writes it in one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_written(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_written, value)) + "]"
    return f'"{value}"' if isinstance(value, str) and value[:1].isdigit() and "%" not in value else str(value)


def print_kinds(console: Console) -> None:
    """The table, then the scenario that its examples speak of."""
    table = Table(header_style="bold", show_lines=True, expand=True)
    for heading, ratio in (
        (Text("règle", "constraint"), 3),
        (Text("dit", "says"), 5),
        (Text("source", "source"), 5),
        (Text("exemple, tenu ✓ et rompu ✗", "example, kept ✓ and broken ✗"), 6),
    ):
        table.add_column(str(heading), ratio=ratio, overflow="fold")
    for name, kind in KINDS.items():
        own = ", ".join(field if needed else f"[{field}]" for field, needed in fields(kind).items())
        source = str(kind.law)
        if kind.not_covered is not None:
            source += f"\n{Text('Non couvert', 'Not covered')} : {kind.not_covered}"
        table.add_row(
            Rich.assemble((f"{kind.title}\n", "bold"), name),
            Rich(f"{kind.says}\n{own}"),
            Rich(source),
            Rich(
                f"{_written(dict(kind.example.fields))}\n✓ {_grants(kind.example.keeps)}\n✗ {_grants(kind.example.breaks)}"
            ),
        )
    console.print(table)
    common = ", ".join(name for name in Constraint.model_fields if name != "kind")
    said = Text(
        f"Entre crochets, les champs facultatifs ; toutes les règles ont aussi : {common}. Les exemples portent sur",
        f"Fields in brackets are optional; all constraints also have: {common}. Examples are about",
    )
    console.print(str(said), markup=False, highlight=False)
    demands = example.DEMANDS
    for rank, name in enumerate(demands["id"]):
        told = ", ".join(f"{key} {demands[key][rank]}" for key in demands if key != "id")
        console.print(f"  {name} : {told}", markup=False, highlight=False)

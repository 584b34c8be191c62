"""The note's catalogue on a terminal and as plain data: figures with their places, hypotheses marked."""

from __future__ import annotations

import sys
from typing import Any

import yaml
from rich.console import Console
from rich.table import Table
from rich.text import Text as Rich

from allocator.data import other_figures, propositions
from allocator.data.catalogue import ABSENT, AXES, KINDS, STATUSES, Figure, Proposition, Switch, catalogue
from allocator.report.console import number
from allocator.texts import Text, language

_IDS = ("funds", "measures", "constraints", "attributes", "indicators")


def amount(figure: Figure) -> str:
    """Its value and unit as people write them, or that the note gives none."""
    if figure.value is None:
        return str(ABSENT)
    value = figure.value
    if isinstance(value, float):
        digits = len(f"{value:.10f}".rstrip("0").split(".")[1])
        # a year is no amount
        value = f"{value:.0f}" if figure.unit == "année" else number(value, digits).replace("-", "−")
    unit = "" if figure.unit == "année" else figure.unit
    return f"{value}\u00a0{unit}" if unit else value


def line(figure: Figure) -> str:
    """One figure in one line: what, how much, where, when, other reading, and what is used in its place."""
    colon = "\u00a0: " if language() == "fr" else ": "
    parts = [f"{figure.what}{colon}{amount(figure)}"]
    if not figure.absent:
        parts.append(f"({', '.join(part for part in (figure.where, figure.as_of) if part)})")
    if figure.reading is not None:
        parts.append(f"[{figure.reading}]")
    if figure.used:
        parts.append(str(Text(f"; hypothèse utilisée : {figure.used}", f"; hypothesis used: {figure.used}")))
    elif figure.hypothesis:
        parts.append(str(Text("; hypothèse", "; hypothesis")))
    return " ".join(parts).replace(" ;", "\u00a0;")


def _in_the_tool(proposition: Proposition) -> str:
    lines = [str(proposition.becomes)]
    ids = list(dict.fromkeys(name for kind in _IDS for name in getattr(proposition, kind)))
    if ids:
        lines.append(f"→ {', '.join(ids)}")
    if proposition.scenarios:
        lines.append(str(Text("scénarios : ", "scenarios: ")) + ", ".join(proposition.scenarios))
    if proposition.switch is not None:
        shown = Text("le voir : ", "to see it: ")
        lines.append(f"{shown}allocator propositions {proposition.number}")
        lines.append(f"{Text('sans elle : ', 'without it: ')}{_laid(proposition.switch)}")
    return "\n".join(lines)


def _laid(switch: Switch) -> str:
    """The keys of a scenario.yaml without the proposition, on one line."""
    return yaml.safe_dump(
        switch.overrides(), default_flow_style=True, allow_unicode=True, sort_keys=False, width=sys.maxsize
    ).strip()[1:-1]


def print_propositions(console: Console) -> None:
    """The 28 propositions as a table, then the other figures of the note."""
    whole = catalogue()
    table = Table(
        title=f"{whole.note} — {Text('28 propositions', '28 proposals')}",
        title_justify="left", header_style="bold", show_lines=True, expand=True,
    )  # fmt: skip
    for heading, ratio in (
        (Text("n°", "no."), 0),
        (Text("proposition", "proposal"), 3),
        (Text("dans l'outil", "in the tool"), 4),
        (Text("chiffres", "figures"), 6),
    ):
        table.add_column(str(heading), ratio=ratio or None, justify="left" if ratio else "right", overflow="fold")
    for entry in propositions():
        kinds = ", ".join(str(KINDS[kind]) for kind in entry.kinds)
        head = f"{entry.label}\n{AXES[entry.axis]} · {kinds}\n{STATUSES[entry.status]}"
        figures = "\n".join(f"· {line(figure)}" for figure in entry.figures) or "—"
        table.add_row(str(entry.number), Rich(head), Rich(_in_the_tool(entry)), Rich(figures))
    console.print(table)
    console.print(f"\n[bold]{Text('Les autres chiffres de la note', 'The other figures of the note')}[/bold]")
    for figure in other_figures():
        console.print(f"  · {line(figure)}", markup=False, highlight=False)
    console.print()
    for remark in (whole.publisher, whole.axes, whole.limits):
        console.print(str(remark), markup=False, highlight=False)


def as_dicts() -> dict[str, Any]:
    """The catalogue for JSON, texts in the current language; a figure that the note does not give is null."""
    whole = catalogue()
    return {
        "note": str(whole.note),
        "publisher": str(whole.publisher),
        "as_of": whole.as_of,
        "remarks": [str(whole.axes), str(whole.limits)],
        "propositions": [_as_dict(entry) for entry in propositions()],
        "other_figures": [_figure(figure) for figure in other_figures()],
    }


def _as_dict(entry: Proposition) -> dict[str, Any]:
    return {
        "number": entry.number,
        "axis": str(AXES[entry.axis]),
        "label": str(entry.label),
        "kinds": [str(KINDS[kind]) for kind in entry.kinds],
        "status": str(STATUSES[entry.status]),
        "becomes": str(entry.becomes),
        "figures": [_figure(figure) for figure in entry.figures],
        **{kind: list(getattr(entry, kind)) for kind in _IDS},
        "scenarios": list(entry.scenarios),
        "without": None if entry.switch is None else entry.switch.overrides(),
    }


def _figure(figure: Figure) -> dict[str, Any]:
    value = figure.value
    return {
        "what": str(figure.what),
        "value": int(value) if isinstance(value, float) and value.is_integer() else value,
        "unit": figure.unit,
        "where": figure.where,
        "as_of": figure.as_of,
        "absent": figure.absent,
        "hypothesis": figure.hypothesis or bool(figure.used),
        "used": figure.used,
        "reading": None if figure.reading is None else str(figure.reading),
        "text": line(figure),
    }


__all__ = ["amount", "as_dicts", "line", "print_propositions"]

"""Real HTML tables: read by screen readers, scrolled sideways on a phone, figures aligned."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import pandas as pd
import streamlit as st

from allocator.compare import change_of
from allocator.spreadsheet import csv_of
from allocator.texts import Text
from ui.texts import NOTHING, euros, quoted, signed
from ui.view import View

Cell = str | tuple[str, str]
"""A text, or an amount and what is said beside it (below it where there is little room)."""


def table(
    caption: str, head: Sequence[str], rows: Sequence[Sequence[Cell]], left: int = 1, total: bool = False
) -> None:
    """The first `left` columns are words, the others figures; the last row may be a total."""
    heads = "".join(
        f'<th scope="col"{"" if k < left else " class=figure"}>{escape(title)}</th>' for k, title in enumerate(head)
    )
    lines = []
    for rank, row in enumerate(rows):
        cells = [f'<th scope="row">{_cell(row[0])}</th>']
        cells += [f"<td{'' if k < left else ' class=figure'}>{_cell(cell)}</td>" for k, cell in enumerate(row) if k]
        last = ' class="total"' if total and rank == len(rows) - 1 else ""
        lines.append(f"<tr{last}>{''.join(cells)}</tr>")
    if not rows:
        lines = [f'<tr><td colspan="{len(head)}">{escape(str(Text("aucun", "none")))}</td></tr>']
    name = escape(caption, quote=True)
    st.html(
        f'<div class="scroll" role="region" tabindex="0" aria-label="{name}"><table><caption>{name}</caption>'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table></div>"
    )


def _cell(cell: Cell) -> str:
    if isinstance(cell, str):
        return escape(cell)
    return f'{escape(cell[0])} <span class="below">{escape(cell[1])}</span>'


TOTAL = Text("total", "total")


def amounts(view: View, caption: str, what: str, found: pd.DataFrame, total: Text = TOTAL) -> None:
    """A table of `Comparison.by`: a column per plan, differences beside the amounts, a total (of the rows shown)."""
    head = [what, *(view.label(name) for name in view.names)]
    rows = [_amounts(view, row["label"], row) for row in found.to_dict("records")]
    sums = {name: int(found[name].sum()) for name in found.columns if name not in ("key", "label")}
    rows.append(_amounts(view, str(total), sums))
    said = Text(
        f"{caption}, et différence avec {quoted(view.label(view.names[0]))}",
        f"{caption}, and difference from {quoted(view.label(view.names[0]))}",
    )
    table(str(said), head, rows, total=True)


def _amounts(view: View, label: str, row: Mapping[Any, Any]) -> list[Cell]:
    cells: list[Cell] = [label, _nothing(row[view.names[0]])]
    return cells + [(_nothing(row[name]), signed(row[change_of(name)])) for name in view.later]


def _nothing(cents: int) -> str:
    return euros(cents) if cents else NOTHING


def download(view: View, found: pd.DataFrame, file: str, key: str) -> None:
    """The figures of a table to the cent, as CSV."""
    names = {name: f"{name} (centimes)" for name in found.columns if name not in ("key", "label")}
    st.download_button(
        str(Text("Télécharger ces chiffres (CSV, en centimes)", "Download these figures (CSV, in cents)")),
        csv_of(found.rename(columns=names)).encode("utf-8-sig"),
        file_name=file, mime="text/csv", key=key, on_click="ignore",
    )  # fmt: skip

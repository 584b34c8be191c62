"""Key figures side by side, one card a plan; and what the colours of a chart mean."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import streamlit as st

from allocator.texts import Text
from ui.view import COLOURS, View


def cards(view: View, lines: Sequence[Sequence[str]]) -> None:
    """`lines[k]` for the k-th plan: its large figure, then smaller lines."""
    shown = []
    for name, colour, (figure, *rest) in zip(view.names, COLOURS, lines, strict=False):
        small = "".join(f"<li>{escape(line)}</li>" for line in rest)
        shown.append(
            f'<li class="card" style="border-top-color:{colour}"><p class="plan">{escape(view.label(name))}</p>'
            f'<p class="figure">{escape(figure)}</p><ul>{small}</ul></li>'
        )
    st.html(f'<ul class="cards">{"".join(shown)}</ul>')


def legend(names: Sequence[str], colours: Sequence[str], title: str = "") -> None:
    """Outside the chart: it folds on a phone and can be read aloud."""
    shown = "".join(
        f'<li><span class="swatch" style="background-color:{colour}"></span>{escape(name)}</li>'
        for name, colour in zip(names, colours, strict=False)
    )
    heading = f"<li><strong>{escape(title)}</strong></li>" if title else ""
    st.html(f'<ul class="legend">{heading}{shown}</ul>')


def note(text: Text) -> None:
    """A small remark, in the full colour of the text: it is there to be read."""
    st.html(f'<p class="note">{escape(str(text))}</p>')

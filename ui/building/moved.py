"""What the changes moved: in words, in points and indicators, in euros, for whom."""

from __future__ import annotations

from typing import Any

import streamlit as st

import allocator
from allocator.compare import FATES, change_of
from allocator.texts import Text, language
from ui.building.desk import Desk
from ui.building.weights import label_of
from ui.cards import cards
from ui.screens.scenarios import STATUS
from ui.screens.territoire import sentences
from ui.tables import Cell, amounts, table
from ui.texts import NOTHING, euros, number, plain, signed
from ui.view import View

MANY = 10
SAME = Text("autant de points", "as many points")


def words(desk: Desk) -> None:
    """The changes so far, a line each."""
    if desk.origin == desk.built:
        st.write(str(Text("Rien n'a encore été changé.", "Nothing has been changed yet.")))
        return
    lines = allocator.diff(desk.start, desk.scenario).lines()[1:]
    st.markdown("**" + str(Text("Changements", "Changes")) + "**")
    st.html("<ul class='plain'>" + "".join(f"<li>{_escaped(str(line))}</li>" for line in lines) + "</ul>")


def effect(view: View) -> None:
    """The plan built beside the one it started from."""
    rows = view.comparison.totals.to_dict("records")
    cards(view, [_card(row, rank, rows[0]) for rank, row in enumerate(rows)])
    last = view.comparison.plans[-1]
    if last.status != "optimal":
        st.warning(str(STATUS[last.status]))
    differences(view)


def differences(view: View) -> None:
    """Two plans side by side, but for what their objectives count; first for the place that is looked at."""
    for place, line in sentences(view):
        st.markdown(f"**{plain(place)}** : {line}" if language() == "fr" else f"**{plain(place)}**: {line}")
    _indicators(view)
    for per, title in (("fund", Text("Fonds", "Fund")), ("measure", Text("Mesure", "Measure"))):
        found = view.comparison.by(per)
        found = found[(found[change_of(view.names[1])] != 0)].reset_index(drop=True)
        if len(found):
            amounts(
                view,
                str(Text(f"Ce qui change par {title.fr.lower()}", f"What changes by {title.en.lower()}")),
                str(title),
                found,
                Text("total de ce qui change", "total of what changes"),
            )
    _movers(view)


def _card(row: dict[Any, Any], rank: int, first: dict[Any, Any]) -> list[str]:
    known = row["objective"] == row["objective"]
    lines = [number(row["objective"], 1) + " points" if known else NOTHING]
    if rank:
        gained = row["objective"] - first["objective"]
        if gained == gained:
            lines.append(("+" if gained > 0 else "") + number(gained, 1) + " points" if gained else str(SAME))
    granted = euros(row["granted"], True)
    if rank and row["change"]:
        granted += f" ({signed(row['change'], True)})"
    return [*lines, str(Text("accordé : ", "granted: ")) + granted]


def _indicators(view: View) -> None:
    found = view.comparison.indicators
    name = view.names[1]
    scenario = view.comparison.plans[1].scenario
    rows: list[list[Cell]] = []
    for row in found.to_dict("records"):
        change = row[change_of(name)]
        if row[name] or row[view.names[0]]:
            sign = "+" if change > 0 else ""
            label = label_of(scenario, row["key"])
            moved = sign + number(change, 1) if abs(change) >= 0.05 else "="
            rows.append([label[:1].upper() + label[1:], number(row[view.names[0]], 1), number(row[name], 1), moved])
    head = [Text("Indicateur", "Indicator"), Text("Avant", "Before"), Text("Après", "After"), Text("Écart", "Change")]
    if rows:
        table(str(Text("Indicateurs", "Indicators")), [str(text) for text in head], rows)


def _movers(view: View) -> None:
    demands = view.comparison.demands()
    counts = demands["fate"].value_counts()
    said = [f"{number(counts[fate])} {text}" for fate, text in FATES.items() if counts.get(fate) and fate != "none"]
    st.write(str(Text("Dossiers : ", "Demands: ")) + ", ".join(said) + ".")
    heads = [str(Text("Intercommunalité", "EPCI")), str(Text("Écart", "Change"))]
    both = (
        (Text("Qui gagne le plus", "Who gains most"), view.comparison.gainers(MANY)),
        (Text("Qui perd le plus", "Who loses most"), view.comparison.losers(MANY)),
    )
    for column, (title, rows) in zip(st.columns(2), both, strict=True):
        with column:
            table(
                str(title), heads, [[str(row["label"]), signed(row["change"], True)] for row in rows.to_dict("records")]
            )


def _escaped(text: str) -> str:
    from html import escape

    return escape(text)

"""What makes the difference: what the scenarios say differently, and the rules that hold one plan and not the other."""

from __future__ import annotations

from html import escape

import streamlit as st

import allocator
from allocator.texts import Text
from ui.cards import note
from ui.tables import table
from ui.view import View


def draw(view: View) -> None:
    name = view.which("which-causes")
    first, plan = view.comparison.plans[0], view.comparison.plans[view.names.index(name)]
    lines = allocator.diff(first.scenario, plan.scenario).lines()[1:]
    st.markdown("**" + str(Text("Ce que les scénarios disent autrement", "What the scenarios say differently")) + "**")
    if lines:
        st.html("<ul class='plain'>" + "".join(f"<li>{escape(str(line))}</li>" for line in lines) + "</ul>")
    else:
        st.write(str(Text("Rien : les deux posent la même question.", "Nothing: both ask the same question.")))
    _binding(view, name)


def _binding(view: View, name: str) -> None:
    """The rules and envelopes that limit the plans."""
    found = view.comparison.binding
    labels = dict(zip(found["id"], found["label"], strict=True))
    mine = {plan: set(found[found["plan"] == plan]["id"]) for plan in (view.names[0], name)}
    yes, no = str(Text("limite", "limits")), str(Text("non", "no"))
    rows = [
        [label, yes if key in mine[view.names[0]] else no, yes if key in mine[name] else no]
        for key, label in labels.items()
        if key in mine[view.names[0]] | mine[name]
    ]
    rows.sort(key=lambda row: (row[1] == row[2], row[0]))
    head = [str(Text("Règle ou enveloppe", "Rule or envelope")), view.label(view.names[0]), view.label(name)]
    table(str(Text("Ce qui limite chaque plan", "What limits each plan")), head, rows, left=3)
    note(Text(
        "Ce que coûte chacune : écran « Expliquer ».", "What each costs: screen “Explain”.",
    ))  # fmt: skip

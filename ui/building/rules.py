"""The rules: switched, edited and added. What they are about is said by their kinds."""

from __future__ import annotations

from typing import Any

import streamlit as st

import allocator
from allocator.constraints import KINDS, Constraint
from allocator.texts import Text
from ui import access
from ui.building import forms
from ui.building.desk import Desk, refused, tell
from ui.cards import note
from ui.texts import plain, slug

RULES = "constraints"


def draw(desk: Desk) -> None:
    rules = desk.scenario.constraints
    if st.button(str(Text("Ajouter une règle", "Add a rule")), key=desk.key("add"), icon=":material/add:"):
        _dialog(desk, None)
    refused(RULES)
    if not rules:
        note(Text("Aucune règle.", "No rule."))
    for rule in rules:
        on, edit = st.columns([5, 2], vertical_alignment="center")
        with on:
            key = desk.key("on", rule.id)
            st.toggle(
                plain(rule.label or rule.id),
                rule.enabled,
                key=key,
                help=_help(rule),
                on_change=_switch,
                args=(desk, rule.id, key),
            )
        with edit:
            if st.button(
                str(Text("Modifier", "Edit")), key=desk.key("edit", rule.id),
                help=plain(str(Text(f"Modifier « {rule.label or rule.id} »", f"Edit “{rule.label or rule.id}”"))),
            ):  # fmt: skip
                _dialog(desk, rule)


def _help(rule: Constraint) -> str:
    return f"{forms.title(rule.kind)} : {KINDS[rule.kind].says}"


def _switch(desk: Desk, rule: str, key: str) -> None:
    desk.change(RULES, {f"constraints.{rule}.enabled": st.session_state[key]})


def _dialog(desk: Desk, rule: Constraint | None) -> None:
    heading = Text("Ajouter une règle", "Add a rule") if rule is None else Text("Modifier une règle", "Edit a rule")
    st.dialog(str(heading), width="large")(_form)(desk, rule)


def _form(desk: Desk, rule: Constraint | None) -> None:
    if access.closed():
        st.rerun()
    name = "new" if rule is None else rule.id
    if rule is None:
        kind = st.selectbox(
            str(Text("Nature", "Kind")), sorted(KINDS, key=forms.title), format_func=forms.title, key=desk.key("kind")
        )
    else:
        kind = rule.kind
    forms.about(kind)
    try:
        entered = forms.form(desk.scenario, kind, rule, desk.key("form", name, kind))
    except allocator.ScenarioError as error:
        tell(error.problems)
        return
    refused(RULES)
    keep, drop = st.columns(2)
    if keep.button(str(Text("Appliquer", "Apply")), type="primary", key=desk.key("apply", name)):
        kept = entered if "id" in entered else {**entered, "id": _free_id(desk, entered)}
        if _put(desk, rule, kept):
            st.rerun()
        else:
            st.rerun(scope="fragment")
    if rule is not None and drop.button(str(Text("Supprimer la règle", "Remove the rule")), key=desk.key("drop", name)):
        _put(desk, rule, None)
        st.rerun()


def _put(desk: Desk, rule: Constraint | None, entered: dict[str, Any] | None) -> bool:
    """Replace, add (no rule) or remove (nothing entered)."""
    rules: list[Any] = list(desk.scenario.constraints)
    if rule is None:
        rules.append(entered)
    else:
        at = [one.id for one in rules].index(rule.id)
        rules[at : at + 1] = [] if entered is None else [entered]
    return desk.put(RULES, constraints=rules)


def _free_id(desk: Desk, entered: dict[str, Any]) -> str:
    """Made from its label or kind, and unlike the others."""
    said = str(entered.get("label") or entered["kind"])
    stem = slug(said) or entered["kind"]
    taken = {rule.id for rule in desk.scenario.constraints}
    found, rank = stem, 2
    while found in taken:
        found, rank = f"{stem}-{rank}", rank + 1
    return found

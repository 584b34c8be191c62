"""*Arbitrer*: how much of one aim another one costs, plan by plan, and the plan behind each point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import altair as alt
import pandas as pd
import streamlit as st

import allocator
from allocator.texts import Text
from ui import visit, waiting, work
from ui.building.moved import effect
from ui.building.weights import label_of
from ui.cards import note
from ui.charts import ink
from ui.library import label, library
from ui.screens.explaining import chosen
from ui.tables import Cell, table
from ui.texts import euros, number
from ui.view import COLOURS, View

if TYPE_CHECKING:
    from allocator.scenario import Scenario

FEWEST, SOME, MANY = 3, 8, 20
KNEE = COLOURS[2]


def show() -> None:
    st.header(str(Text("Arbitrer", "Trade off")))
    note(Text(
        "Chaque point est un plan qu'aucun autre ne bat : pour avoir plus d'un objectif, il faut céder de l'autre.",
        "Each point is a plan that no other one beats: to have more of one aim, some of the other must be given up.",
    ))  # fmt: skip
    ref = chosen("traded")
    scenario = _scenario(ref)
    if scenario is None:
        return
    asked = _asked(ref, scenario)
    if asked is None:
        return
    x, y, points = asked
    found = waiting.result(str(Text("la frontière", "the frontier")), lambda: frontier(ref, x, y, points))
    if found is not None:
        _draw(ref, found)


def _scenario(ref: str) -> Scenario | None:
    try:
        return library().scenario(ref)
    except allocator.ScenarioError:
        waiting.plans([ref])  # says why
        return None


def _aims(scenario: Scenario) -> dict[str, str]:
    """What may be traded off, and what it is called."""
    found = {"points": Text("points du scénario", "points of the scenario")}
    called = {name: label_of(scenario, name) for name in scenario.indicators}
    worst = {
        "maximin:region": Text(
            "euros par habitant de la région la moins dotée", "euros per inhabitant of the worst-off région"
        ),
        "maximin:departement": Text(
            "euros par habitant du département le moins doté", "euros per inhabitant of the worst-off département"
        ),
        "euros": Text("le moins d'euros possible", "as few euros as can be"),
    }
    whole = {
        f"units:{m.id}": Text(f"nombre : {m.label or m.id}", f"number: {m.label or m.id}") for m in scenario.measures
    }
    return {name: str(text) for name, text in found.items()} | called | {n: str(t) for n, t in (worst | whole).items()}


def _asked(ref: str, scenario: Scenario) -> tuple[str, str, int] | None:
    """Two aims and how many points, once the button was pressed."""
    aims = _aims(scenario)
    names = list(aims)
    with st.form(visit.key(f"frontier-{ref}")):
        one, two, three = st.columns([3, 3, 2])
        x = one.selectbox(str(Text("Objectif", "Aim")), names, format_func=lambda name: aims[name])
        second = "maximin:region" if "maximin:region" in names else names[-1]
        y = two.selectbox(
            str(Text("contre", "against")), names, index=names.index(second), format_func=lambda name: aims[name]
        )
        points = three.slider(str(Text("Points, au plus", "Points, at most")), FEWEST, MANY, SOME)
        if st.form_submit_button(str(Text("Tracer", "Draw")), type="primary"):
            st.session_state["frontier"] = (ref, x, y, points)
    wanted = st.session_state.get("frontier")
    if wanted is None or wanted[0] != ref:
        return None
    if wanted[1] == wanted[2]:
        st.error(str(Text("Choisissez deux objectifs différents.", "Choose two different aims.")))
        return None
    return wanted[1], wanted[2], wanted[3]


def frontier(ref: str, x: str, y: str, points: int) -> work.Job:
    """`allocator.frontier` of a scenario; stopped, the points found by then."""

    def found(job: work.Job) -> Any:
        def on_point(what: Text, count: int, seconds: float) -> None:
            job.said = Text(f"{count} plan(s) ; {what.fr}", f"{count} plan(s); {what.en}")

        scenario = library().scenario(ref)
        return allocator.frontier(
            scenario, x, y, points=points, time_limit=work.TIME_LIMIT, on_point=on_point, stop=lambda: job.ending
        )

    return work.workshop().ask(("frontier", ref, x, y, str(points)), found, later=True)


def _draw(ref: str, found: Any) -> None:
    rows = found.table
    if rows.empty:
        st.warning(str(Text("Aucun plan n'existe.", "There is no plan.")))
        return
    for line in found.says:
        note(line)
    across, up = found.axes["x"], found.axes["y"]
    picked = _chart(found, rows, across, up)
    names = [_point(rows, k, across, up) for k in range(len(rows))]
    heads = ["", _title(across), _title(up), str(Text("Accordé", "Granted"))]
    lines: list[list[Cell]] = [
        [f"{k + 1}" + (str(Text(" (coude)", " (knee)")) if row["knee"] else ""), number(row["x"], 1), number(row["y"], 1),
         euros(row["granted"], True)]
        for k, row in enumerate(rows.to_dict("records"))
    ]  # fmt: skip
    table(str(Text("Les plans de la frontière", "The plans of the frontier")), heads, lines)
    first = picked if picked is not None else found.knee if found.knee is not None else 0
    k = st.selectbox(
        str(Text("Regarder de près le plan", "Look closely at plan")), range(len(rows)), index=first,
        format_func=lambda one: names[one], key=visit.key(f"point-{ref}-{first}"),
    )  # fmt: skip
    _behind(ref, found, k)


def _title(axis: Any) -> str:
    title, unit = str(axis.title), str(axis.unit)
    said = title if not unit or unit in title else f"{title} ({unit})"
    return said[:1].upper() + said[1:]


def _point(rows: pd.DataFrame, k: int, across: Any, up: Any) -> str:
    x, y = number(rows["x"][k], 1), number(rows["y"][k], 1)
    return f"{k + 1} : {x} {across.unit}, {y} {up.unit}"


def _chart(found: Any, rows: pd.DataFrame, across: Any, up: Any) -> int | None:
    """The row of the point that was clicked."""
    shown = rows[["x", "y", "knee"]].assign(
        row=range(len(rows)), name=[_point(rows, k, across, up) for k in range(len(rows))]
    )
    pick = alt.selection_point(name="pick", fields=["row"])
    base = alt.Chart(shown).encode(
        x=alt.X("x:Q", title=_title(across)).scale(zero=False), y=alt.Y("y:Q", title=_title(up)).scale(zero=False),
        tooltip=[alt.Tooltip("name:N", title=str(Text("Plan", "Plan")))],
    )  # fmt: skip
    line = base.mark_line(color=COLOURS[1], strokeDash=[1, 0] if found.straight else [4, 4])
    dots = base.mark_circle(size=140, opacity=1).encode(
        color=alt.condition("datum.knee", alt.value(KNEE), alt.value(COLOURS[1]))
    ).add_params(pick)  # fmt: skip
    description = Text(
        f"Nuage de points : {across.title.fr} contre {up.title.fr}. Les chiffres sont dans le tableau.",
        f"Scatter: {across.title.en} against {up.title.en}. The figures are in the table.",
    )
    chart = (line + dots).properties(height=320, description=str(description))
    event = st.altair_chart(
        chart.configure_view(strokeWidth=0).configure_axis(labelColor=ink(), titleColor=ink()), width="stretch",
        on_select="rerun", selection_mode="pick", key=visit.key(f"frontier-chart-{found.scenario.input_hash}"),
    )  # fmt: skip
    chosen_rows = event["selection"].get("pick", []) if event else []
    return int(chosen_rows[0]["row"]) if chosen_rows else None


def _behind(ref: str, found: Any, k: int) -> None:
    """The plan behind a point beside the one before it; and ways to go on with it."""
    plan = found.plans[k]
    compare, build = st.columns(2)
    if compare.button(str(Text("Comparer ce plan", "Compare this plan")), key=visit.key("compare-point")):
        point = _kept(plan.scenario, k)
        others = tuple(one for one in visit.current().compared if one not in (ref, point))
        visit.go(compared=(ref, point, *others)[:4])
        st.toast(str(Text("Ajouté à la comparaison.", "Added to the comparison.")))
    if build.button(str(Text("Construire à partir de ce plan", "Build on this plan")), key=visit.key("build-point")):
        point = _kept(plan.scenario, k)
        visit.go(origin=point, built=point, undone=())
        st.toast(str(Text("Ouvert dans « Construire ».", "Opened in “Build”.")))
    other = k - 1 if k else 1
    if len(found.plans) > 1:
        beside = Text(f"Le plan {k + 1}, par rapport au plan {other + 1}", f"Plan {k + 1}, against plan {other + 1}")
        st.subheader(str(beside))
        effect(View(allocator.compare([found.plans[other], plan])))


def _kept(scenario: Scenario, k: int) -> str:
    """The reference of a point's scenario, told apart from the one it was made from."""
    said = label(scenario)
    return library().keep(
        scenario.with_(
            label={"fr": f"{said} (plan {k + 1} de la frontière)", "en": f"{said} (plan {k + 1} of the frontier)"}
        )
    )

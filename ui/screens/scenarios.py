"""*Scénarios et preuves*: how far each plan is proved, what is scarce, what limits it, where figures come from."""

from __future__ import annotations

import streamlit as st

from allocator import Plan
from allocator.texts import Text
from ui.comparing.choice import compared
from ui.tables import table
from ui.texts import NOTHING, euros, number, percent, plain
from ui.view import View

STATUS = {
    "optimal": Text(
        "Optimal : aucun plan ne fait mieux, à l'écart garanti près.", "Optimal: no plan does better, but for the gap."
    ),
    "feasible": Text("Réalisable ; un meilleur plan peut exister.", "Feasible; a better plan may exist."),
    "infeasible": Text("Impossible : ces règles se contredisent.", "Infeasible: these rules contradict each other."),
    "no_plan": Text("Aucun plan trouvé dans le temps donné.", "No plan found in the time given."),
}


def show() -> None:
    view = compared()
    if view is not None:
        draw(view)


def draw(view: View) -> None:
    st.header(str(Text("Scénarios et preuves", "Scenarios and proofs")))
    for name, plan in zip(view.names, view.comparison.plans, strict=True):
        st.subheader(plain(view.label(name)))
        _proof(plan)
        with st.expander(str(Text("Ce qui manque et ce qui limite", "What is scarce and what limits"))):
            _scarce(view, name)
            _limits(view, name)
        with st.expander(str(Text("D'où viennent les montants", "Where the amounts come from"))):
            _sources(plan)


def _proof(plan: Plan) -> None:
    st.markdown(f"**{STATUS[plan.status]}**")
    if str(plan.message):
        st.write(plain(str(plan.message)))
    if plan.conflict is not None:
        st.warning(plain(str(plan.conflict.text())))
    if plan.objective is None:
        return
    checks = plan.certificate.checks
    held = sum(1 for check in checks if check.ok)
    gap = NOTHING if plan.gap is None else percent(plan.gap, 4)
    st.write(str(Text(
        f"{number(plan.objective)} points ; écart garanti : {gap}. Vérifié au centime : {held} contrôles passés sur "
        f"{len(checks)}. Calculé en {number(plan.seconds.total, 1)} s.",
        f"{number(plan.objective)} points; gap: {gap}. Checked to the cent: {held} checks passed of {len(checks)}. "
        f"Computed in {number(plan.seconds.total, 1)} s.",
    )))  # fmt: skip


def _scarce(view: View, name: str) -> None:
    scarce = view.comparison.scarce
    rows = [
        [row["label"], euros(row["held"]), (euros(row["asked"]), _times(row["asked"], row["held"]))]
        for row in scarce[scarce["plan"] == name].to_dict("records")
    ]
    caption = Text("Fonds demandés au-delà de leur enveloppe", "Funds asked for more than they hold")
    head = [Text("Fonds", "Fund"), Text("Enveloppe", "Envelope"), Text("Demandé (éligible)", "Asked (eligible)")]
    table(str(caption), [str(title) for title in head], rows)


def _times(asked: int, held: int) -> str:
    times = number(asked / held, 1) if held else "∞"
    return str(Text(f"{times} fois l'enveloppe", f"{times} times the envelope"))


def _limits(view: View, name: str) -> None:
    binding = view.comparison.binding
    mine = binding[binding["plan"] == name]
    st.markdown("**" + str(Text("Ce qui limite le plan", "What limits the plan")) + "**")
    if mine.empty:
        st.write(str(Text("rien", "nothing")))
        return
    fund = Text("Enveloppe : ", "Envelope: ")
    lines = [f"{fund if row['kind'] == 'fund' else ''}{row['label']}" for row in mine.to_dict("records")]
    st.markdown("\n".join(f"- {plain(line)}" for line in lines))


def _sources(plan: Plan) -> None:
    yes = str(Text("hypothèse", "hypothesis"))
    held = plan.held_cents()
    rows = [
        [fund.label or fund.id, _source(fund.source, fund.as_of), yes if fund.hypothesis else "", euros(held[fund.id])]
        for fund in plan.scenario.funds
    ]
    head = [Text("Fonds", "Fund"), Text("Source", "Source"), Text("Nature", "Kind"), Text("Enveloppe", "Envelope")]
    caption = Text(
        "Enveloppes (un fonds dans un autre n'est pas compté deux fois)",
        "Envelopes (a fund inside another is not counted twice)",
    )
    table(str(caption), [str(title) for title in head], rows, left=3)
    rows = [
        [measure.label or measure.id, _source(measure.source, measure.as_of), yes if measure.hypothesis else ""]
        for measure in plan.scenario.measures
    ]
    head = [Text("Mesure", "Measure"), Text("Source", "Source"), Text("Nature", "Kind")]
    table(str(Text("Mesures", "Measures")), [str(title) for title in head], rows, left=3)
    rows = [[rule.label or rule.id, str(rule.source or "")] for rule in plan.scenario.constraints if rule.enabled]
    head = [Text("Règle", "Rule"), Text("Source", "Source")]
    table(str(Text("Règles", "Rules")), [str(title) for title in head], rows, left=2)


def _source(source: object, as_of: object) -> str:
    return f"{source or ''} ({as_of})" if as_of else str(source or "")

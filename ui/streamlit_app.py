"""The front-end: `streamlit run ui/streamlit_app.py`. Router, theme, language, choice of scenarios, waiting."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:  # streamlit puts this folder there, not the one that holds `ui`
    sys.path.insert(0, ROOT)

import allocator  # noqa: E402
from allocator import data  # noqa: E402
from allocator.texts import LANGUAGES, Text, language, set_language  # noqa: E402
from ui.cards import note  # noqa: E402
from ui.screens import nation, scenarios, territoire  # noqa: E402
from ui.solving import STAGES, Job, workshop  # noqa: E402
from ui.texts import NO_BREAK, number  # noqa: E402
from ui.view import MOST, View  # noqa: E402

FIRST = ("statu-quo", "propositions-2025")
STYLE = Path(__file__).with_name("style.css")
ICON = str(Path(__file__).with_name("icon.svg"))  # a named icon would be fetched from outside


def main() -> None:
    title = Text("Répartir des fonds publics", "Sharing out public funds")
    st.set_page_config(page_title=str(title), page_icon=ICON, layout="wide")
    lang = _language()
    st.html(STYLE)
    st.html(f'<script>document.documentElement.lang = "{lang}"</script>', unsafe_allow_javascript=True)
    pages = _pages()
    page = st.navigation(pages, position="hidden")  # Streamlit's own menu hides behind a sign on a phone
    links = st.container(horizontal=True, gap="small")
    for each in pages:
        links.page_link(each, width="content")
    names = _choose()
    if len(names) < 2:
        few = Text("Choisissez au moins deux scénarios à comparer.", "Choose at least two scenarios to compare.")
        st.info(str(few))
        return
    jobs = [workshop().ask(name) for name in names]
    if not all(job.over for job in jobs):
        _wait(names, lang)
        return
    made = [job for job in jobs if job.plan is not None]
    for job in jobs:
        if job.plan is None:
            _refused(job)
    if len(made) < 2:
        return
    labels = _labels()
    plans = [job.plan for job in made if job.plan is not None]
    try:
        st.session_state["view"] = View(allocator.compare(plans), labels)
        page.run()
    except Exception:  # no traceback on a screen: the server's log has it
        logging.getLogger(__name__).exception("screen %s", page.url_path)
        st.error(str(Text(
            "Cet écran n'a pas pu être affiché. L'erreur est dans le journal du serveur.",
            "This screen could not be shown. The error is in the server's log.",
        )))  # fmt: skip


def _language() -> str:
    """The switch at the top, on each screen."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    named = head.container(width="content")
    with head.container(width="content"):
        lang = st.segmented_control(
            "Langue / Language", LANGUAGES, format_func=lambda each: {"fr": "Français", "en": "English"}[each],
            default="fr", required=True, key="lang", label_visibility="collapsed",
        )  # fmt: skip
    set_language(lang)
    with named:
        st.title(str(Text("Répartir des fonds publics", "Sharing out public funds")))
    return lang


def _pages() -> list[Any]:
    def page(show: Callable[[View], None], title: Text, path: str, icon: str, first: bool = False) -> Any:
        def run() -> None:
            show(st.session_state["view"])

        return st.Page(run, title=str(title), url_path=path, icon=icon, default=first)

    return [
        page(territoire.show, Text("Mon territoire", "My territory"), "territoire", ":material/location_on:", True),
        page(nation.show, Text("La France entière", "The whole of France"), "france", ":material/map:"),
        page(scenarios.show, Text("Scénarios et preuves", "Scenarios and proofs"), "scenarios", ":material/verified:"),
    ]


def _labels() -> dict[str, str]:
    return {name: str(label) for name, label in data.builtin()}


def _choose() -> list[str]:
    """Names of the scenarios, the reference first."""
    labels = _labels()
    first = [name for name in FIRST if name in labels] or list(labels)[:2]
    # The browser knows options by their labels: in another language it is another widget, with the same choice.
    key = f"scenarios-{language()}"
    if key not in st.session_state:
        st.session_state[key] = st.session_state.get("chosen", first)
    asked = Text(
        "Scénarios à comparer (le premier sert de référence)", "Scenarios to compare (the first is the reference)"
    )
    names = st.multiselect(
        str(asked), list(labels), format_func=lambda name: labels.get(name, name), key=key,
        max_selections=MOST, select_all=False, placeholder=str(Text("Choisir des scénarios", "Choose scenarios")),
    )  # fmt: skip
    st.session_state["chosen"] = names
    note(Text(
        "Les dossiers sont une hypothèse, écrite par une règle : ce ne sont pas des demandes réelles. Sources et "
        "hypothèses sont dans « Scénarios et preuves ».",
        "The demands are a hypothesis, written by a rule: they are not real requests. Sources and hypotheses are "
        "under “Scenarios and proofs”.",
    ))  # fmt: skip
    return names


@st.fragment(run_every=0.5)
def _wait(names: list[str], lang: str) -> None:
    """How far the plans are, twice a second; the whole screen once all are there."""
    set_language(lang)  # a fragment runs in a context of its own
    jobs = [workshop().ask(name) for name in names]
    labels = _labels()
    over = sum(job.over for job in jobs)
    said = Text(
        f"Calcul en cours : {over} plan(s) sur {len(jobs)}. Vous pouvez changer de scénarios sans attendre.",
        f"Working: {over} plan(s) of {len(jobs)}. You may change scenarios without waiting.",
    )
    st.progress(over / len(jobs), text=str(said))
    st.markdown("\n".join(f"- {labels.get(job.name, job.name)}{NO_BREAK}: {_stage(job)}" for job in jobs))
    if over == len(jobs):
        st.rerun()


def _stage(job: Job) -> str:
    stage = str(STAGES[job.stage])
    return stage if job.over or not job.seconds else f"{stage}, {number(job.seconds)}{NO_BREAK}s"


def _refused(job: Job) -> None:
    label = _labels().get(job.name, job.name)
    if job.refusal is not None:
        heading = Text(f"Le scénario « {label} » n'a pas pu être lu :", f"The scenario “{label}” could not be read:")
        st.error(str(heading) + "\n\n" + "\n".join(f"- {problem.text()}" for problem in job.refusal.problems))
    else:
        st.error(str(Text(
            f"Le calcul de « {label} » a échoué. L'erreur est dans le journal du serveur.",
            f"“{label}” could not be solved. The error is in the server's log.",
        )))  # fmt: skip
    st.button(
        str(Text("Réessayer", "Try again")), key=f"again-{job.name}", on_click=partial(workshop().forget, job.name)
    )


main()

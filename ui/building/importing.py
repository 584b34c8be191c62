"""One's own files: a scenario in a workbook, or the demands of a table in place of those of the scenario."""

from __future__ import annotations

import tempfile
from hashlib import sha256
from pathlib import Path
from typing import Any

import streamlit as st

import allocator
from allocator.problems import Problem
from allocator.scenario import Scenario
from allocator.texts import Text
from ui import visit
from ui.building.desk import Desk, tell
from ui.cards import note
from ui.collection import collection
from ui.texts import number, plain
from ui.work import Job, workshop

LARGEST = 20  # MB; as in .streamlit/config.toml
KINDS = {
    "scenario": Text("un scénario entier (classeur)", "a whole scenario (workbook)"),
    "demands": Text("des dossiers (tableau)", "demands (a table)"),
}


def draw(desk: Desk) -> None:
    what = st.radio(
        str(Text("Le fichier contient", "The file holds")), list(KINDS), format_func=lambda each: str(KINDS[each]),
        key="import-what", persist_state="session",
    )  # fmt: skip
    if what == "scenario":
        note(Text(
            f"Classeur .xlsx ou .ods, {LARGEST} Mo au plus. Le modèle : allocator template, ou l'écran « Exporter ».",
            f"A .xlsx or .ods workbook, {LARGEST} MB at most. A template: allocator template, or the screen “Export”.",
        ))  # fmt: skip
    else:
        note(Text(
            "Tableau .csv avec au moins les colonnes id, territory, measure, units, asked. Il remplace les dossiers du "
            "scénario ; les territoires et mesures inconnus sont refusés, ligne par ligne.",
            "A .csv table with at least the columns id, territory, measure, units, asked. It takes the place of the "
            "scenario's demands; unknown places and measures are refused, row by row.",
        ))  # fmt: skip
    given = st.file_uploader(
        str(Text("Choisir un fichier", "Choose a file")), type=["xlsx", "ods"] if what == "scenario" else ["csv"],
        key=f"import-{what}", max_upload_size=LARGEST,
    )  # fmt: skip
    if given is None:
        return
    content = given.getvalue()
    job = workshop().ask(
        ("import", what, desk.built if what == "demands" else "", given.name, sha256(content).hexdigest()),
        lambda job: _read(job, what, desk.scenario, given.name, content),
    )
    if not job.wait(20):
        st.info(str(Text("Lecture en cours…", "Reading…")))
        st.button(str(Text("Où en est-on ?", "How far is it?")))
        return
    if job.refusal is not None:
        st.markdown(
            "**"
            + str(Text("Le fichier n'est pas repris : rien n'a changé.", "The file is not taken: nothing has changed."))
            + "**"
        )
        tell(job.refusal.problems)
    elif job.result is None:
        st.error(str(Text("Ce fichier n'a pas pu être lu.", "This file could not be read.")))
    else:
        _take(desk, what, job.result)


def _take(desk: Desk, what: str, found: Scenario) -> None:
    demands, funds = number(len(found.demands)), number(len(found.funds))
    st.write(str(Text(
        f"Lu : {demands} dossiers, {funds} fonds, {number(len(found.constraints))} règles. Chaque ligne a été reprise.",
        f"Read: {demands} demands, {funds} funds, {number(len(found.constraints))} rules. Every row was taken.",
    )))  # fmt: skip
    if found.warnings:
        st.warning("\n".join(f"- {plain(problem.text())}" for problem in found.warnings))

    def take() -> None:
        if what == "scenario":
            ref = collection().keep(found)
            visit.go(origin=ref, built=ref, compared=(*visit.current().compared[:1], ref), undone=())
        else:
            desk.take(found)

    label = (
        Text("Partir de ce scénario", "Start from this scenario")
        if what == "scenario"
        else Text("Prendre ces dossiers", "Take these demands")
    )
    st.button(str(label), type="primary", on_click=take, key="import-take")


def _read(job: Job, what: str, scenario: Scenario, name: str, content: bytes) -> Scenario:
    job.tell(Text("lecture du fichier", "reading the file"))
    with tempfile.TemporaryDirectory(prefix="allocator-") as folder:
        if what == "scenario":
            path = Path(folder) / f"scenario{Path(name).suffix.lower()}"
            path.write_bytes(content)
            return _named(name, lambda: allocator.load(path, confined=True))
        # The scenario with another table of demands, as a folder of files says it: read and checked as any other.
        from allocator.formats import saving

        saving.save(scenario, folder)
        (Path(folder) / "demands.csv").write_bytes(content)
        return _named(name, lambda: allocator.load(folder, confined=True))


def _named(name: str, read: Any) -> Scenario:
    """What is wrong, told of the file as its owner calls it."""
    try:
        found: Scenario = read()
        return found
    except allocator.ScenarioError as error:
        told = [Problem(p.place, p.message, p.remedy, Path(name).name if p.file else p.file) for p in error.problems]
        raise allocator.ScenarioError(told) from None

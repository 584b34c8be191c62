"""*Expliquer*, *Arbitrer*, *Exporter* without a browser."""

from __future__ import annotations

import io
import os
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import allocator
from allocator.texts import language, set_language

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from streamlit.testing.v1 import AppTest
from valley import SCHOOLS, valley

from ui import work
from ui.library import Library, library
from ui.screens import exporting


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Library]:
    before = language()
    set_language("fr")
    monkeypatch.setenv("ALLOCATOR_STORE", str(tmp_path / "store.sqlite"))
    library.clear()
    yield library()
    library().flush()
    library.clear()
    set_language(before)


def shown(screen: str, *refs: str, **state: object) -> AppTest:
    def draw(screen: str, refs: list[str]) -> None:
        from importlib import import_module

        import streamlit as st

        from ui import visit

        if "visit" not in st.session_state:
            st.query_params["s"] = ",".join(refs)
        visit.begin()
        import_module(f"ui.screens.{screen}").show()

    at = AppTest.from_function(draw, default_timeout=60, kwargs={"screen": screen, "refs": list(refs)})
    for key, value in state.items():
        at.session_state[key] = value
    return settled(at.run())


def settled(at: AppTest) -> AppTest:
    until = time.monotonic() + 60
    while at.get("progress"):
        assert time.monotonic() < until
        time.sleep(0.2)
        at.run()
    assert not at.exception
    return at


def text(at: AppTest) -> str:
    kinds = ("header", "subheader", "markdown", "error", "warning", "info")
    return "\n".join([*(e.value for kind in kinds for e in at.get(kind)), *(e.proto.body for e in at.get("html"))])


def answer(scenario: allocator.Scenario, **asked: object) -> str:
    return str(allocator.explain(allocator.solve(scenario), **asked).answer)  # type: ignore[arg-type]


def plainly(said: str) -> str:
    """Without what keeps Markdown from being read."""
    return said.replace("\\", "")


def test_why_a_demand_is_refused(shelf: Library) -> None:
    ref = shelf.keep(valley())
    at = shown("explaining", ref, asked={"ref": ref, "demand": "d4"})
    assert answer(valley(), demand="d4", brief=True) in plainly(text(at))
    box = next(box for box in at.selectbox if box.label == "Dossier")
    assert box.value == "d4" and "non financé" in box.options[0]


def test_a_demand_is_sought_without_accents(shelf: Library) -> None:
    at = shown("explaining", shelf.keep(valley()))
    settled(next(f for f in at.text_input if f.label.startswith("Chercher")).set_value("vallee FRICHE").run())
    assert next(box for box in at.selectbox if box.label == "Dossier").options[0].count("d1") == 1
    settled(next(f for f in at.text_input if f.label.startswith("Chercher")).set_value("nulle part").run())
    assert "Aucun dossier ne correspond" in text(at)


@pytest.mark.parametrize(
    ("topic", "asked"),
    [("costs", {"about": "costs"}), ("left", {"about": "left"}), ("near", {"about": "near", "brief": True})],
)
def test_every_question_is_answered(shelf: Library, topic: str, asked: dict[str, object]) -> None:
    at = shown("explaining", shelf.keep(valley()), topic=topic)
    assert answer(valley(), **asked) in plainly(text(at))


def test_what_money_buys_is_a_curve_and_a_table(shelf: Library) -> None:
    at = shown("explaining", shelf.keep(valley()), topic="fund")
    assert len(at.get("vega_lite_chart")) == 1
    assert "Ce qu'achète l'argent" in text(at).replace("&#x27;", "'")


def test_a_frontier_is_drawn_and_its_plans_are_looked_at(shelf: Library) -> None:
    ref = shelf.keep(valley())
    at = shown("trading", ref)
    boxes = {box.label: box for box in at.selectbox}
    boxes["Objectif"].select("emplois")
    boxes["contre"].select("maximin:region")
    settled(next(b for b in at.button if b.label == "Tracer").click().run())
    found = allocator.frontier(valley(), "emplois", "maximin:region", points=8)
    assert text(at).count("<tr") > len(found.points)
    look = next(box for box in at.selectbox if box.label == "Regarder de près le plan")
    assert len(look.options) == len(found.points)
    settled(next(b for b in at.button if b.label == "Comparer ce plan").click().run())
    compared = at.session_state["visit"].compared
    assert compared[0] == ref and len(compared) == 2
    again = allocator.solve(shelf.scenario(compared[1]))
    k = look.value
    assert again.certificate.objective == found.plans[k].certificate.objective


def test_the_same_aim_twice_is_refused(shelf: Library) -> None:
    at = shown("trading", shelf.keep(valley()))
    boxes = {box.label: box for box in at.selectbox}
    boxes["contre"].select(boxes["Objectif"].value)
    settled(next(b for b in at.button if b.label == "Tracer").click().run())
    assert "deux objectifs différents" in at.error[0].value


def test_a_frontier_that_is_stopped_keeps_its_points() -> None:
    told: list[int] = []
    found = allocator.frontier(
        valley(), "emplois", "maximin:region", points=8, on_point=lambda _, count, __: told.append(count),
        stop=lambda: len(told) >= 4,
    )  # fmt: skip
    assert 0 < len(found.points) < len(allocator.frontier(valley(), "emplois", "maximin:region", points=8).points)
    assert not found.complete


def test_the_archive_holds_what_it_says(shelf: Library) -> None:
    ref = shelf.keep(valley())
    at = shown("exporting", ref, shelf.keep(valley((SCHOOLS,))))
    for name, _ in exporting.FILES:
        assert name in text(at)
    plan = work.plan(ref).result
    job = exporting.archive(ref, plan)
    assert job.wait(60) and job.state == "done"
    with zipfile.ZipFile(io.BytesIO(job.result)) as held:
        assert sorted(held.namelist()) == sorted(name for name, _ in exporting.FILES)
        assert held.read("note.pdf").startswith(b"%PDF")
        at_home = Path(os.environ["ALLOCATOR_STORE"]).with_name("scenario.xlsx")
        at_home.write_bytes(held.read("scenario.xlsx"))
    assert allocator.load(at_home).input_hash == valley().input_hash
    labels = [button.label for button in at.get("download_button")]
    assert len(labels) == 2


def test_an_infeasible_plan_is_explained_by_its_conflict(shelf: Library) -> None:
    rule = {"kind": "floor", "id": "trop", "label": "Trop", "amount": "100 M€"}
    ref = shelf.keep(valley((rule,)))
    at = shown("explaining", ref)
    assert "Impossible" in at.error[0].value
    assert [b for b in at.button if "Trop" in b.label]

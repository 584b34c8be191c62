"""*Expliquer*, *Arbitrer*, *Exporter* without a browser."""

from __future__ import annotations

import io
import os
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import allocator
from allocator.problems import Problem
from allocator.report.comparison import write_comparison
from allocator.texts import Text, language, set_language

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from screen import settled, text
from streamlit.testing.v1 import AppTest
from valley import SCHOOLS, valley

from allocator.explain import Stopped
from allocator.explain.costs import Cost
from allocator.explain.variants import Variants
from ui import questions, work
from ui.collection import Collection, collection
from ui.screens import exporting


@pytest.fixture(autouse=True)
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Collection]:
    before = language()
    set_language("fr")
    monkeypatch.setenv("ALLOCATOR_STORE", str(tmp_path / "store.sqlite"))
    collection.clear()
    yield collection()
    collection().flush()
    collection.clear()
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


def answer(scenario: allocator.Scenario, **asked: object) -> str:
    return str(allocator.explain(allocator.solve(scenario), **asked).answer)  # type: ignore[arg-type]


def plainly(said: str) -> str:
    """Without what keeps Markdown from being read."""
    return said.replace("\\", "")


def test_why_a_demand_is_refused(shelf: Collection) -> None:
    ref = shelf.keep(valley())
    at = shown("explaining", ref, asked={"ref": ref, "demand": "d4"})
    assert answer(valley(), demand="d4", brief=True) in plainly(text(at))
    box = next(box for box in at.selectbox if box.label == "Dossier")
    assert box.value == "d4" and "non financé" in box.options[0]


def test_a_demand_is_sought_without_accents(shelf: Collection) -> None:
    at = shown("explaining", shelf.keep(valley()))
    settled(next(f for f in at.text_input if f.label.startswith("Chercher")).set_value("vallee FRICHE").run())
    box = next(box for box in at.selectbox if box.label == "Dossier")
    assert box.options[0].count("d1") == 1 and box.value == "d1"
    settled(next(f for f in at.text_input if f.label.startswith("Chercher")).set_value("nulle part").run())
    assert "Aucun dossier ne correspond" in text(at)


@pytest.mark.parametrize(
    ("topic", "asked"),
    [("costs", {"about": "costs"}), ("left", {"about": "left"}), ("near", {"about": "near", "brief": True})],
)
def test_every_question_is_answered(shelf: Collection, topic: str, asked: dict[str, object]) -> None:
    at = shown("explaining", shelf.keep(valley()), topic=topic)
    assert answer(valley(), **asked) in plainly(text(at))


def test_what_money_buys_is_a_curve_and_a_table(shelf: Collection) -> None:
    ref = shelf.keep(valley())
    at = shown("explaining", ref, topic="fund")
    assert answer(valley(), about="money") in plainly(text(at))
    fund = next(box for box in at.selectbox if box.label == "Un fonds de près").value
    assert answer(valley(), fund=fund, brief=True) in plainly(text(at))
    settled(next(t for t in at.toggle if t.label.startswith("Toute la courbe")).set_value(True).run())
    found = allocator.explain(allocator.solve(valley()), fund=fund)
    assert str(found.answer) in plainly(text(at))
    assert len(at.get("vega_lite_chart")) == 1
    points = next(box for box in at.selectbox if box.label == "Construire le plan d'un point")
    amounts = [point.cents for point in found.points if point.cents != found.now]  # type: ignore[attr-defined]
    assert len(points.options) == len(amounts)
    settled(points.select_index(0).run())
    settled(next(b for b in at.button if b.label == "Construire avec ce montant").click().run())
    here = at.session_state["visit"]
    assert here.origin == ref
    built = next(each for each in shelf.scenario(here.built).funds if each.id == fund)
    assert (built.amount or sum((built.amounts or {}).values())) == amounts[0]


def test_a_rule_is_looked_at_close_up_and_all_are_ranked(shelf: Collection) -> None:
    at = shown("explaining", shelf.keep(valley()), topic="costs")
    settled(next(box for box in at.selectbox if box.label == "Une règle de près").select("plancher-sud").run())
    assert answer(valley(), constraint="plancher-sud", brief=True) in plainly(text(at))
    found = allocator.explain(allocator.solve(valley()), about="costs")
    assert len(at.get("vega_lite_chart")) == 1
    table = next(html.proto.body for html in at.get("html") if "Ce que coûte chaque règle" in html.proto.body)
    assert table.count("<tr>") == 1 + len(found.measured)  # type: ignore[attr-defined]


def test_costs_that_are_stopped_keep_those_found(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    slow, one = questions.cost, threading.Event()

    def cost(variants: Variants, rule: str) -> Cost:
        if one.is_set():
            until = time.monotonic() + 60
            while not job.ending and time.monotonic() < until:
                time.sleep(0.01)
            raise Stopped
        one.set()
        return slow(variants, rule)

    monkeypatch.setattr(questions, "cost", cost)
    job = questions.costs(shelf.keep(valley(name="arret")))
    assert one.wait(60)
    while job.sofar is None:
        time.sleep(0.01)
    job.stop()
    assert job.wait(60) and job.state == "stopped"
    assert [each.rule for each in job.result.ranked] == ["plancher-sud"]


def test_the_plan_asked_about_stays_after_the_first_look(shelf: Collection) -> None:
    asked, other = shelf.keep(valley()), shelf.keep(valley((SCHOOLS,)))
    at = shown("explaining", asked, other, asked={"ref": asked, "demand": "d4"}, topic="left")
    assert answer(valley(), demand="d4", brief=True) in plainly(text(at))
    settled(next(t for t in at.toggle if t.label.startswith("En détail")).set_value(True).run())
    assert next(box for box in at.selectbox if box.label == "Plan").value == asked
    assert answer(valley(), demand="d4") in plainly(text(at))


def test_without_a_question_nothing_is_computed_but_the_plan(shelf: Collection) -> None:
    at = shown("explaining", shelf.keep(valley(name="sans-question")))
    assert next(box for box in at.selectbox if box.label == "Dossier").value is None
    assert not [t.label for t in at.toggle]


def test_the_demands_of_the_place_come_first(shelf: Collection) -> None:
    def draw(ref: str) -> None:
        import streamlit as st

        from ui import visit
        from ui.screens import explaining

        if "visit" not in st.session_state:
            st.query_params["s"] = ref
            st.query_params["t"] = "region:Sud"
        visit.begin()
        explaining.show()

    at = settled(AppTest.from_function(draw, default_timeout=60, kwargs={"ref": shelf.keep(valley())}).run())
    shown = next(box for box in at.selectbox if box.label == "Dossier").options
    assert len(shown) == 2 and all("d1" not in label and "d4" not in label for label in shown)


def test_a_frontier_is_drawn_and_its_plans_are_looked_at(shelf: Collection) -> None:
    ref = shelf.keep(valley())
    at = shown("trading", ref)
    boxes = {box.label: box for box in at.selectbox}
    boxes["Un objectif"].select("emplois")
    boxes["contre un autre"].select("maximin:region")
    settled(next(b for b in at.button if b.label == "Tracer").click().run())
    found = allocator.frontier(valley(), "emplois", "maximin:region", points=6)
    assert text(at).count("<tr") > len(found.points)
    look = next(box for box in at.selectbox if box.label == "Regarder de près le plan")
    assert len(look.options) == len(found.points)
    settled(next(b for b in at.button if b.label == "Comparer ce plan").click().run())
    compared = at.session_state["visit"].compared
    assert compared[0] == ref and len(compared) == 2
    known = work.plan(compared[1])
    assert known.over and known.result.scenario.input_hash.startswith(compared[1])
    again = allocator.solve(shelf.scenario(compared[1]))
    k = look.value
    assert again.certificate.objective == found.plans[k].certificate.objective == known.result.certificate.objective


def test_the_same_aim_twice_is_refused(shelf: Collection) -> None:
    at = shown("trading", shelf.keep(valley()))
    boxes = {box.label: box for box in at.selectbox}
    boxes["contre un autre"].select(boxes["Un objectif"].value)
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


def test_the_archive_holds_what_it_says(shelf: Collection) -> None:
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
    assert len(at.get("download_button")) == 1
    settled(next(b for b in at.button if b.label == "Préparer la comparaison").click().run())
    assert len(at.get("download_button")) == 2


def test_the_comparison_is_written_as_the_command_writes_it(shelf: Collection, tmp_path: Path) -> None:
    refs = [shelf.keep(valley()), shelf.keep(valley((SCHOOLS,), name="libre"))]
    plans = {ref: allocator.solve(shelf.scenario(ref)) for ref in refs}
    job = exporting.compared(plans)
    assert job.wait(60) and job.state == "done"
    written = write_comparison(allocator.compare(plans.values()), tmp_path / "command")
    with zipfile.ZipFile(io.BytesIO(job.result)) as held:
        names = held.namelist()
        for path in written:
            if path.suffix != ".xlsx":  # which holds the time it was made
                assert held.read(path.name) == path.read_bytes()
        assert "comparison.xlsx" in names
        for folder in ("1-vallee", "2-libre"):
            assert {f"{folder}/{name}" for name, _ in exporting.FILES} <= set(names)


def test_an_infeasible_plan_is_explained_by_its_conflict_and_repaired_at_once(shelf: Collection) -> None:
    rule = {"kind": "floor", "id": "trop", "label": "Trop", "amount": "100 M€"}
    ref = shelf.keep(valley((rule,)))
    at = shown("explaining", ref)
    assert "Impossible" in at.error[0].value
    settled(next(b for b in at.button if "Trop" in b.label).click().run())
    here = at.session_state["visit"]
    assert here.origin == ref and here.built
    assert allocator.solve(shelf.scenario(here.built)).status == "optimal"
    assert next(box for box in at.selectbox if box.label == "Plan").value == here.built
    assert not at.error and [box for box in at.selectbox if box.label == "Dossier"]


def test_a_decision_is_kept_with_its_plan(shelf: Collection) -> None:
    ref = shelf.keep(valley())
    at = shown("exporting", ref)

    def recorded(words: str) -> str:
        at.text_area[0].set_value(words)
        next(f for f in at.text_input if f.label == "Par qui").set_value("le conseil")
        settled(next(b for b in at.button if b.label == "Consigner la décision").click().run())
        return text(at) + "".join(each.value for each in at.success)

    assert "écrivez ce qui est décidé" in recorded("  ")
    with allocator.Store() as store:
        assert store.list().empty
        told = recorded("adopté <b>en séance</b>")
        next(b for b in at.button if b.label == "Consigner la décision").click().run()  # once too often
        [kept] = store.list()["id"]
        assert kept in told
        assert [(each.who, each.words) for each in store.decisions(kept)] == [("le conseil", "adopté <b>en séance</b>")]
        assert store.opened(kept).grants["cents"].sum() == allocator.solve(valley()).grants["cents"].sum()


def test_who_may_not_decide_has_no_such_form(
    shelf: Collection, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    ref = shelf.keep(valley())
    (tmp_path / "roles.toml").write_text('anyone = "edit"')
    monkeypatch.setenv("ALLOCATOR_ROLES", str(tmp_path / "roles.toml"))
    assert not [b for b in shown("exporting", ref).button if b.label == "Consigner la décision"]
    with pytest.raises(allocator.ScenarioError, match="pas le droit de décider"):
        shelf.decide(allocator.solve(valley()), "adopté")
    with allocator.Store() as store:
        assert store.list().empty


def test_a_reader_keeps_no_point(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    ref = shelf.keep(valley())
    at = shown("trading", ref)
    settled(next(b for b in at.button if b.label == "Tracer").click().run())
    before = at.session_state["visit"]

    def refused(_: allocator.Scenario) -> str:
        raise allocator.ScenarioError([Problem("", Text("lecture seule", "read only"))])

    monkeypatch.setattr(shelf, "keep", refused)
    settled(next(b for b in at.button if b.label == "Construire à partir de ce plan").click().run())
    assert "lecture seule" in at.error[0].value and at.session_state["visit"] == before

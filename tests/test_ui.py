"""The front-end without a browser: what its screens say, in both languages, and when things go wrong."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator import data
from allocator.problems import Problem
from allocator.texts import LANGUAGES, Text, language, set_language

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from streamlit.testing.v1 import AppTest

from ui import charts, texts
from ui.collection import collection
from ui.comparing import flows
from ui.screens import nation, territoire
from ui.view import BREAKDOWNS, LEVELS, View
from ui.work import workshop

APP = str(Path(__file__).resolve().parents[1] / "ui" / "streamlit_app.py")
BETHUNE = "200072460"
NAMES = ("statu-quo", "rebond-urgence")  # both solved in about a second


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    before = language()
    set_language("fr")
    yield
    set_language(before)


@pytest.fixture(scope="module")
def view() -> View:
    plans = [allocator.solve(allocator.load(name)) for name in NAMES]
    return View(allocator.compare(plans))


@pytest.fixture
def forgotten() -> Iterator[None]:
    """No refusal or failure of one test is left for the next."""
    yield
    for name in ("statu-quo-lfi", "equite-territoriale"):
        workshop().forget(("plan", name))
    collection.clear()


def opened(*names: str, **address: str) -> AppTest:
    """The front page, these scenarios chosen."""
    at = AppTest.from_file(APP, default_timeout=30)
    if names:
        at.query_params["s"] = ",".join(names)
    for key, value in address.items():
        at.query_params[key] = value
    return at.run()


def place(at: AppTest, key: str, level: str = "territory") -> AppTest:
    """Choose a place by its key."""
    box = next(box for box in at.selectbox if box.label.startswith(("Chercher une", "Search an")))
    return box.select((level, key)).run()


def settled(at: AppTest, seconds: float = 60) -> AppTest:
    """Once no plan is being made any more."""
    until = time.monotonic() + seconds
    while any("Calcul en cours" in str(bar.proto) for bar in at.get("progress")):
        assert time.monotonic() < until, "plans take too long"
        time.sleep(0.2)
        at.run()
    return at


def said(at: AppTest) -> str:
    """All that stands on the page, HTML included."""
    kinds = ("title", "header", "subheader", "markdown", "info", "error", "warning")
    shown = [element.value for kind in kinds for element in at.get(kind)]
    return "\n".join([*shown, *(element.proto.body for element in at.get("html"))])


def test_first_visit() -> None:
    at = opened()
    assert not at.exception
    assert at.title[0].value == "Répartir des fonds publics"
    assert at.multiselect[0].value == ["statu-quo", "propositions-2025"]
    links = [link.proto.label for link in at.get("page_link")]
    assert links == [
        "Mon territoire", "La France entière", "Construire", "Expliquer", "Arbitrer", "Exporter", "Scénarios et preuves"
    ]  # fmt: skip


def test_two_scenarios_and_a_territory(view: View) -> None:
    at = settled(opened(*NAMES))
    assert not at.exception
    assert "Choisissez votre intercommunalité" in said(at)
    assert said(at).count('class="card"') == 2
    place(at, BETHUNE)
    assert not at.exception
    assert at.query_params["t"] in (f"territory:{BETHUNE}", [f"territory:{BETHUNE}"])
    assert any("Béthune-Bruay" in heading.value for heading in at.subheader)
    row = view.comparison.by("territory").set_index("key").loc[BETHUNE]
    for name in view.names:
        assert texts.euros(int(row[name]), compact=True) in said(at)
    fate = texts.signed(int(row["rebond-urgence"] - row["statu-quo"]), compact=True)
    assert f"<li>{fate}</li>" in said(at)


WIDER = {
    "departement": ("62", "Pas-de-Calais"),
    "region": ("32", "Hauts-de-France"),
    "ti": ("ti-8422", "Vallée de l'Arve"),
}


@pytest.mark.parametrize("level", WIDER)
def test_wider_places(view: View, level: str) -> None:
    at = settled(opened(*NAMES))
    key, name = WIDER[level]
    place(at, key, level)
    assert not at.exception
    assert name in [h.value for h in at.subheader]
    within = [epci for epci, (ti, _) in data.industry().items() if ti == key] if level == "ti" else None
    table = view.comparison.by("territory" if level == "ti" else level)
    mine = table[table["key"].isin(within or [key])]
    assert view.granted(level, key) == [int(mine[each].sum()) for each in view.names]
    assert "Accordé par mesure" in said(at)


def test_a_place_is_found_whatever_its_level() -> None:
    """In one list, told apart; also as typed in haste."""
    at = settled(opened(*NAMES))
    options = next(box for box in at.selectbox if box.label.startswith("Chercher une")).options
    assert "Isère, département · isere" in options
    assert "Hauts-de-France, région · hauts de france" in options
    assert options.index("Isère, département · isere") < options.index("CC Bièvre Isère (Isère) · cc bievre isere")
    assert "Basse-Terre, territoire d'industrie · basse terre" in options
    assert len(options) == 1255 + len(set(allocator.load("statu-quo").territories["departement"])) + 18 + 181


def test_from_a_place_to_the_reasons_for_a_demand() -> None:
    at = settled(opened(*NAMES))
    place(at, BETHUNE)
    box = next(box for box in at.selectbox if box.label.startswith("Pourquoi ce dossier"))
    refused = next(option for option in box.options if option.endswith(" : rien"))
    box.select_index(box.options.index(refused))
    next(button for button in at.button if button.label == "Expliquer").click().run()
    settled(at)
    assert [header.value for header in at.header] == ["Expliquer"]
    assert next(box for box in at.selectbox if box.label == "Plan").value == "rebond-urgence"
    demand = next(box for box in at.selectbox if box.label == "Dossier").value
    assert f"({demand})" in refused


def test_other_scenarios_can_be_chosen_and_one_is_not_enough() -> None:
    at = settled(opened(*NAMES))
    at.multiselect[0].set_value(["rebond-urgence"]).run()
    assert "Choisissez au moins deux scénarios" in said(at)
    at.multiselect[0].set_value(["rebond-urgence", "statu-quo"]).run()
    assert said(settled(at)).count('class="card"') == 2
    assert said(at).index("Urgence") < said(at).index("La situation de 2025")  # the reference first


def test_english_keeps_what_was_chosen() -> None:
    at = settled(opened(*NAMES))
    place(at, BETHUNE)
    at.segmented_control[0].set_value("en").run()
    set_language("en")  # widgets write their options again, here
    assert not at.exception
    assert at.title[0].value == "Sharing out public funds"
    assert at.header[0].value == "My territory"
    assert at.multiselect[0].value == list(NAMES)
    assert next(box for box in at.selectbox if box.label.startswith("Search an")).value == ("territory", BETHUNE)
    assert "per inhabitant" in said(at)
    assert 'documentElement.lang = "en"' in said(at)
    for french in ("Accordé", "Dossiers", " habitants", "Télécharger"):
        assert french not in said(at)


def fails(monkeypatch: pytest.MonkeyPatch, name: str, error: Exception) -> None:
    load = allocator.load

    def refuse(what: str) -> allocator.Scenario:
        if what == name:
            raise error
        return load(what)

    collection.clear()
    monkeypatch.setattr(allocator, "load", refuse)


def test_a_refused_scenario_says_why_and_the_others_are_shown(monkeypatch, forgotten) -> None:
    problem = Problem("ligne 12", Text("montant inconnu", "unknown amount"), None, "scenario.yaml")
    fails(monkeypatch, "statu-quo-lfi", allocator.ScenarioError([problem]))
    at = settled(opened(*NAMES, "statu-quo-lfi"))
    assert not at.exception
    assert "scenario.yaml, ligne 12 : montant inconnu" in at.error[0].value
    assert said(at).count('class="card"') == 2
    monkeypatch.undo()
    collection.clear()
    next(button for button in at.button if button.label == "Réessayer").click().run()
    assert not settled(at).error
    assert said(at).count('class="card"') == 3


def test_a_bug_shows_no_traceback(monkeypatch, forgotten, caplog) -> None:
    fails(monkeypatch, "equite-territoriale", RuntimeError("secret detail"))
    at = settled(opened(*NAMES, "equite-territoriale"))
    assert not at.exception
    assert "a échoué" in at.error[0].value
    assert "secret detail" not in said(at)
    assert "secret detail" in caplog.text


def test_a_screen_that_breaks_shows_no_traceback(monkeypatch, caplog) -> None:
    def broken(view: View) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr(territoire, "draw", broken)
    at = settled(opened(*NAMES))
    assert not at.exception
    assert "n'a pas pu être affiché" in at.error[0].value
    assert "secret detail" not in said(at)
    assert "secret detail" in caplog.text


def screen(show: str, lang: str) -> None:
    """Run by AppTest in a script of its own."""
    from importlib import import_module

    import streamlit as st

    from allocator.texts import set_language

    set_language(lang)
    import_module(f"ui.screens.{show}").draw(st.session_state["view"])


def shown(view: View, show: str, lang: str = "fr", act: Callable[[AppTest], AppTest] = lambda at: at) -> AppTest:
    set_language(lang)
    at = AppTest.from_function(screen, default_timeout=30, kwargs={"show": show, "lang": lang})
    at.session_state["view"] = view
    return act(at.run())


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("level", ["regions", "epci"])
def test_the_map_of_france(view: View, lang: str, level: str) -> None:
    def act(at: AppTest) -> AppTest:
        at.segmented_control(key="nation-part").set_value("map").run()
        return at.segmented_control(key="map-level").set_value(level).run()

    at = shown(view, "nation", lang, act)
    assert not at.exception
    text = said(at)
    assert {"fr": "La France entière", "en": "The whole of France"}[lang] in text
    assert {"fr": "reste à attribuer", "en": "left:"}[lang] in text
    (drawn,) = charts_of(at)
    assert level in drawn["datasets"][drawn["layer"][0]["data"]["name"]]["objects"]


def charts_of(at: AppTest) -> list[dict[str, Any]]:
    """The charts of a screen: each is described, none fetches anything."""
    drawn = [json.loads(chart.proto.spec) for chart in at.get("vega_lite_chart")]
    for chart in drawn:
        assert len(chart["description"]) > 40
        assert '"url"' not in json.dumps(chart)
    return drawn


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("part", list(nation.PARTS))
def test_every_part_of_the_nation_is_drawn(view: View, part: str, lang: str) -> None:
    at = shown(view, "nation", lang, lambda at: at.segmented_control(key="nation-part").set_value(part).run())
    assert not at.exception
    charts_of(at)
    assert "<table" in said(at)


@pytest.mark.parametrize("k", [0, 1])
def test_flows_hold_all_that_is_granted(view: View, k: int) -> None:
    plan = view.comparison.plans[k]
    links = flows.flows(view, plan)
    assert int(links["cents"].sum()) == int(plan.grants["cents"].sum())
    granted, shown = plan.grants.groupby("fund")["cents"].sum(), links.groupby("fund")["cents"].sum()
    named = [fund for fund in plan.scenario.funds if fund.label in shown.index]
    assert named
    for fund in named:
        assert int(shown[fund.label]) == int(granted[fund.id])


@pytest.mark.parametrize("per", list(BREAKDOWNS))
def test_every_breakdown_adds_up(view: View, per: str) -> None:
    at = shown(view, "nation", act=lambda at: at.segmented_control(key="per").set_value(per).run())
    assert not at.exception
    total = next(e.proto.body for e in at.get("html") if "total" in e.proto.body and "<table" in e.proto.body)
    for granted in view.comparison.totals["granted"]:
        assert texts.euros(int(granted)) in total.rpartition("<tr")[2]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_scenarios(view: View, lang: str) -> None:
    at = shown(view, "scenarios", lang)
    assert not at.exception
    text = said(at)
    assert text.count({"fr": "Optimal : aucun plan", "en": "Optimal: no plan"}[lang]) == 2
    for plan in view.comparison.plans:
        for item in (*plan.scenario.funds, *plan.scenario.measures):
            assert item.label.replace("'", "&#x27;") in text
    assert {"fr": "hypothèse", "en": "hypothesis"}[lang] in text


@pytest.mark.parametrize("level", [level for level in LEVELS if level != "ti"])  # which no comparison knows
def test_places_add_up_to_the_comparison(view: View, level: str) -> None:
    rows = view.comparison.by(level)
    for key in rows["key"][:: max(len(rows) // 6, 1)]:
        row = rows.set_index("key").loc[key]
        within = view.within("measure", view.members(level, key)["id"])
        for name in rows.columns[2:]:
            assert int(within[name].sum()) == int(row[name]), (key, name)


def test_numbers_are_written_as_french_people_write_them() -> None:
    assert texts.euros(123456789, compact=True) == "1,23\u00a0M€"
    assert texts.euros(-123456789) == "\u22121\u202f234\u202f567,89\u00a0€"
    assert [texts.signed(c) for c in (100, 0, -100)] == ["+1\u00a0€", "inchangé", "\u22121\u00a0€"]
    assert texts.each(123456, 100) == "12\u00a0€ par habitant"
    assert texts.each(12345, 100, sign=True) == "+1,23\u00a0€ par habitant"
    assert texts.each(12345, 0) == "—"
    assert texts.percent(0.0000001) == "<\u00a00,01\u00a0%"
    assert texts.number(-0.4) == "0"
    set_language("en")
    assert texts.euros(-123456789) == "\u2212€1,234,567.89"
    assert texts.each(-12345, 100, sign=True) == "\u2212€1.23 per inhabitant"
    assert texts.percent(0.5) == "50.00%"


def test_places_are_found_without_accents_or_hyphens(view: View) -> None:
    places = territoire._places(view)
    assert len({key for level, key in places if level == "territory"}) == len(view.territories)
    assert "bethune bruay" in territoire._called(places["territory", BETHUNE], "territory")
    assert next(iter(places.values())).startswith("Auvergne")


@pytest.mark.parametrize("values", [[], [0, 0], [5], [1, 2, 3, 1000], [-3, 0, 250, 12.5], [0.001, 1e6]])
def test_each_value_has_a_class_and_each_class_a_colour(values: list[float]) -> None:
    import numpy as np

    for classes in (charts._amounts, charts._falls_and_rises):
        wanted = np.array(values, float) if classes is charts._falls_and_rises else np.abs(np.array(values, float))
        shade, names, colours = classes(wanted)
        assert len(shade) == len(values)
        assert set(shade) <= set(names)
        assert len(names) == len(colours) == len(set(names))

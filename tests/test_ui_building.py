"""*Construire* without a browser: forms made from classes, changes and what they say, repairs, variants."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import pytest

import allocator
from allocator.constraints import KINDS, Constraint
from allocator.report.kinds import example_scenario
from allocator.selection import Selection
from allocator.texts import Text, language, set_language

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from screen import settled, text
from streamlit.testing.v1 import AppTest
from valley import valley

from ui.collection import Collection, collection


@pytest.fixture(autouse=True)
def french() -> Iterator[None]:
    before = language()
    set_language("fr")
    yield
    set_language(before)


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Collection]:
    monkeypatch.setenv("ALLOCATOR_STORE", str(tmp_path / "store.sqlite"))
    collection.clear()
    yield collection()
    collection().flush()
    collection.clear()


def filled(kind: str, lang: str) -> None:
    """Run by AppTest: the form of a rule, and what it gives where nothing is touched."""
    import streamlit as st

    from allocator.texts import set_language
    from ui.building import forms

    set_language(lang)
    scenario = st.session_state["scenario"]
    forms.about(kind)
    rule = next(iter(scenario.constraints), None)
    st.session_state["entered"] = forms.form(scenario, kind, rule, "f")


def form_of(scenario: allocator.Scenario, kind: str, lang: str = "fr") -> AppTest:
    at = AppTest.from_function(filled, default_timeout=20, kwargs={"kind": kind, "lang": lang})
    at.session_state["scenario"] = scenario
    return at.run()


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_form_left_as_it_is_gives_the_same_rule(kind: str) -> None:
    fields = {"kind": kind, "id": "r", "label": "Une règle [à] *lire*", **KINDS[kind].example.fields}
    scenario = example_scenario(fields)
    at = form_of(scenario, kind)
    assert not at.exception
    again = scenario.with_(constraints=[at.session_state["entered"]])
    assert again.constraints == scenario.constraints


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_empty_form_is_drawn_in_english_too(kind: str) -> None:
    at = form_of(example_scenario(), kind, "en")
    assert not at.exception
    assert at.session_state["entered"]["kind"] == kind
    assert str(KINDS[kind].says.en)[1:20] in at.markdown[0].value


def test_a_new_kind_appears_by_itself() -> None:
    class Novelty(Constraint):
        title = Text("Nouveauté", "Novelty")
        says = Text("ce que personne n'a encore dit", "what nobody has said yet")
        law = Text("aucune", "none")
        kind: Literal["novelty"] = "novelty"
        on: Selection = Selection()
        boldness: int = 3

        def rows(self, space: Any) -> Iterator[Any]:
            return iter(())

        def check(self, reading: Any) -> Iterator[Any]:
            return iter(())

    try:
        at = form_of(example_scenario(), "novelty")
        assert not at.exception
        assert "ce que personne n'a encore dit"[1:] in at.markdown[0].value
        assert [field.value for field in at.text_input if field.label == "boldness"] == ["3"]
    finally:
        del KINDS["novelty"]


def shown(origin: str, part: str = "amounts") -> AppTest:
    """The screen alone, on this scenario."""

    def screen(origin: str, part: str) -> None:
        import streamlit as st

        from ui import visit
        from ui.screens import building

        if "visit" not in st.session_state:
            st.query_params.update({"s": origin, "b": origin, "v": origin})
            st.session_state["part"] = part
        visit.begin()
        building.show()

    at = AppTest.from_function(screen, default_timeout=60, kwargs={"origin": origin, "part": part})
    return settled(at.run())


def built(at: AppTest) -> allocator.Scenario:
    return collection().scenario(at.session_state["visit"].built)


def test_an_amount_is_changed_solved_told_and_undone(shelf: Collection) -> None:
    origin = shelf.keep(valley())
    at = shown(origin)
    fund = built(at).funds[0]
    assert "Rien n'a encore été changé" in text(at)
    field = next(f for f in at.text_input if f.label == (fund.label or fund.id))
    settled(field.set_value("1,5 M€").run())
    assert built(at).funds[0].amount == 150_000_000
    assert "Indicateurs" in text(at) and "Changements" in text(at)
    settled(next(b for b in at.button if b.label.startswith("Annuler")).click().run())
    assert built(at).input_hash == valley().input_hash
    assert "Rien n'a encore été changé" in text(at)


def test_one_amount_for_every_year(shelf: Collection) -> None:
    scenario = valley()
    yearly = scenario.funds[0].model_copy(update={"amount": None, "amounts": dict.fromkeys((2026, 2027), 10_000)})
    at = shown(shelf.keep(scenario.with_(years=[2026, 2027], funds=[yearly, *scenario.funds[1:]])))

    def field() -> Any:
        return next(f for f in at.text_input if f.label == "Chaque année")

    assert field().value == "100\u00a0€"
    settled(field().set_value("1,5 M€").run())
    assert built(at).funds[0].amounts == {2026: 150_000_000, 2027: 150_000_000}
    settled(next(f for f in at.text_input if f.label == "2027").set_value("2 M€").run())
    assert built(at).funds[0].amounts == {2026: 150_000_000, 2027: 200_000_000}
    assert field().value == ""  # they differ
    settled(field().set_value("beaucoup").run())
    assert len(at.error) == 1 and built(at).funds[0].amounts == {2026: 150_000_000, 2027: 200_000_000}


def test_a_wrong_amount_is_told_and_stays_as_typed(shelf: Collection) -> None:
    at = shown(shelf.keep(valley()))
    before = built(at).input_hash
    field = at.text_input[0]
    settled(field.set_value("beaucoup").run())
    assert built(at).input_hash == before
    assert at.error and "beaucoup" in at.error[0].value
    assert at.text_input[0].value == "beaucoup"


def test_a_rule_is_switched_off_and_on(shelf: Collection) -> None:
    at = shown(shelf.keep(valley()), "rules")
    rule = built(at).constraints[0]
    settled(at.toggle[0].set_value(False).run())
    assert not built(at).constraints[0].enabled
    assert built(at).constraints[0].id == rule.id
    settled(at.toggle[0].set_value(True).run())
    assert built(at).constraints[0].enabled


def test_weights_are_changed(shelf: Collection) -> None:
    at = shown(shelf.keep(valley()), "weights")
    indicator = built(at).indicators[0]
    settled(at.text_input[0].set_value("2,5").run())
    weights = built(at).to_dict()["objective"]["maximise"]
    assert weights[indicator] == 2.5


def test_rules_that_cannot_hold_together_are_repaired_by_a_button(shelf: Collection) -> None:
    scenario = valley()
    rule = {
        "kind": "floor",
        "id": "trop",
        "label": "Trop",
        "amount": sum(f.amount or 0 for f in scenario.funds) // 100 * 3,
    }
    origin = shelf.keep(scenario.with_(constraints=[*scenario.constraints, rule]))
    at = shown(origin)
    assert "Impossible" in at.error[0].value
    repairs = [b for b in at.button if "Trop" in b.label]
    assert repairs
    settled(repairs[0].click().run())
    assert not [e for e in at.error if "Impossible" in e.value]
    assert built(at).input_hash != shelf.scenario(origin).input_hash


def test_a_variant_gets_a_name_and_is_compared(shelf: Collection) -> None:
    origin = shelf.keep(valley())
    at = shown(origin)
    settled(at.text_input[0].set_value("1,5 M€").run())
    name = next(f for f in at.text_input if f.label == "Nom de la variante")
    name.set_value("La  mienne")
    settled(next(b for b in at.button if b.label == "Enregistrer et comparer").click().run())
    assert built(at).label == {"fr": "La mienne", "en": "La mienne"}
    compared = at.session_state["visit"].compared
    assert compared[:2] == (origin, at.session_state["visit"].built)
    shelf.flush()
    with allocator.Store(create=False) as store:
        assert store.scenario(compared[1]).label == {"fr": "La mienne", "en": "La mienne"}


def test_named_variants_are_offered_and_drafts_are_not(shelf: Collection) -> None:
    named = valley().with_(name="la-mienne", label="La mienne")
    draft = valley().with_(name="vallee-variante", label="Vallée (variante)")
    refs = [shelf.keep(one) for one in (named, draft)]
    shelf.flush()
    again = Collection()
    assert refs[0] in again.choices()
    assert refs[1] not in again.choices()
    assert again.choices(refs[1], "")[-1] == refs[1]


def test_a_decision_is_not_called_a_fund() -> None:
    at = form_of(example_scenario(), "lock")
    box = next(box for box in at.selectbox if box.label.startswith("Décision"))
    assert box.options == ["financer", "refuser", "tant d'unités"]

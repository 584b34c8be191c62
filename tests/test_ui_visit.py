"""A visit and its address: links, nonsense, going back, undoing, the language."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator.texts import set_language

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from streamlit.testing.v1 import AppTest
from valley import valley

from ui import visit
from ui.collection import Collection, collection
from ui.visit import Visit

APP = str(Path(__file__).resolve().parents[1] / "ui" / "streamlit_app.py")


@pytest.mark.parametrize(
    "said",
    [
        Visit(("a", "b")),
        Visit(("a", "b"), origin="a"),
        Visit(("a",), origin="a", built="4f0c"),
        Visit(("a", "b", "c"), place=("territory", "200072460"), lang="en"),
    ],
)
def test_a_link_shows_what_its_sender_saw(said: Visit) -> None:
    assert Visit.of(said.address) == said


@pytest.mark.parametrize(
    "address",
    [
        {"s": ","},
        {"s": "<script>alert(1)</script>"},
        {"s": "../../etc/passwd"},
        {"s": "a" * 5000, "t": "territory:" + "1" * 5000},
        {"t": "planet:3"},
        {"t": "region:"},
        {"t": "region:<b>"},
        {"v": "4f0c"},  # built from nothing
        {"l": "de"},
        {"x": "y", "S": "statu-quo"},
    ],
)
def test_nonsense_is_as_if_it_were_not_said(address: dict[str, str]) -> None:
    assert Visit.of(address) == Visit.of({})


def test_no_more_is_compared_than_can_be_told_apart() -> None:
    assert Visit.of({"s": "a,b,a,c,d,e,f,g"}).compared == ("a", "b", "c", "d", "e")


def test_going_back_takes_back_steps() -> None:
    at = Visit(origin="o", built="3", undone=("", "1", "2"))
    back = replace(at, built="1", undone=()).since(at)
    assert back.undone == ("",)
    forward = replace(at, undone=()).since(back)
    assert forward.undone == ("", "1"), "one step back from where it is"
    start = replace(at, built="", undone=()).since(at)
    assert start.undone == ()
    assert replace(at, place=("region", "11"), undone=()).since(at).undone == at.undone
    assert Visit(origin="other", built="9").since(at).undone == (), "another origin has other steps"


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Collection:
    monkeypatch.setenv("ALLOCATOR_STORE", str(tmp_path / "store.sqlite"))
    collection.clear()
    made = collection()
    yield made
    made.flush()
    collection.clear()


def builds(start: str) -> None:
    """A screen that builds on `start` by the button of a fund's amount."""
    import streamlit as st

    from ui import visit

    visit.begin()
    for amount in (1000, 2000):
        st.button(str(amount), on_click=lambda amount=amount: visit.edit(
            start, visit.current().built or start, {"funds.f.amount": amount}))  # fmt: skip
    st.button("undo", on_click=visit.undo)
    st.write(visit.current().built or "-")


def shown(shelf: Collection) -> AppTest:
    ref = shelf.keep(valley((), funds=[{"id": "f", "amount": 500}]))
    return AppTest.from_function(builds, kwargs={"start": ref}, default_timeout=30).run()


def press(at: AppTest, label: str) -> str:
    next(button for button in at.button if button.label == label).click().run()
    assert not at.exception
    return at.markdown[0].value


def query(at: AppTest) -> dict[str, str]:
    return {name: value if isinstance(value, str) else value[-1] for name, value in at.query_params.items()}


def test_edits_are_undone_one_by_one_to_the_start(shelf: Collection) -> None:
    at = shown(shelf)
    one = press(at, "1000")
    two = press(at, "2000")
    assert press(at, "1000") == one, "the same scenario has the same name"
    assert press(at, "1000") == one, "what changes nothing is no step"
    assert [press(at, "undo") for _ in range(4)] == [two, one, "-", "-"]


def test_two_sessions_never_see_each_others_edits(shelf: Collection) -> None:
    ann, bob = shown(shelf), shown(shelf)
    mine = press(ann, "1000")
    bob.run()
    assert bob.markdown[0].value == "-"
    other = press(bob, "2000")
    ann.run()
    assert ann.markdown[0].value == mine != other
    assert query(ann)["v"] == mine and query(bob)["v"] == other
    assert [shelf.scenario(ref).funds[0].amount for ref in (mine, other)] == [100_000, 200_000]


def test_an_address_that_is_late_undoes_nothing(shelf: Collection) -> None:
    """The next click may leave the browser before it has heard of the last one."""
    at = shown(shelf)
    before = dict(at.query_params)
    built = press(at, "1000")
    at.query_params.clear()
    at.query_params.update(before)
    at.run()
    assert at.markdown[0].value == built
    assert query(at)["v"] == built


def test_going_back_and_forward(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    at = shown(shelf)
    one = press(at, "1000")
    there = dict(at.query_params)
    press(at, "2000")
    monkeypatch.setattr(visit, "_by_history", lambda: True)
    at.query_params.clear()
    at.query_params.update(there)
    at.run()
    monkeypatch.undo()
    assert at.markdown[0].value == one
    assert press(at, "undo") == "-"


def said(at: AppTest) -> str:
    kinds = ("title", "header", "subheader", "markdown", "info", "error", "warning")
    return "\n".join(element.value for kind in kinds for element in at.get(kind))


def opened(**address: str) -> AppTest:
    at = AppTest.from_file(APP, default_timeout=60)
    for name, value in address.items():
        at.query_params[name] = value
    return at.run()


def test_a_link_to_what_is_not_here_says_so(shelf: Collection) -> None:
    at = opened(s="statu-quo,0123456789abcdef")
    for _ in range(300):
        if not at.get("progress"):
            break
        time.sleep(0.1)
        at.run()
    assert not at.exception
    assert "le scénario « 0123456789abcdef » n'est pas sur ce serveur" in said(at).replace("\\", "")


def test_a_screen_whose_scenario_is_not_here_says_so(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    def show() -> None:
        collection().scenario("0123456789abcdef")

    from ui import screens

    monkeypatch.setattr(screens, "SCREENS", ((show, *screens.SCREENS[0][1:]),))
    at = opened()
    assert not at.exception
    assert "n'est pas sur ce serveur" in at.error[0].value
    assert "Choisissez-en un autre" in at.error[0].value


def test_a_bug_shows_no_traceback(shelf: Collection, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    def show() -> None:
        raise RuntimeError("secret detail")

    from ui import screens

    monkeypatch.setattr(screens, "SCREENS", ((show, *screens.SCREENS[0][1:]),))
    at = opened()
    assert not at.exception
    assert "n'a pas pu être affiché" in at.error[0].value and "secret detail" not in said(at)
    assert "secret detail" in caplog.text


def test_the_language_keeps_the_rest(shelf: Collection) -> None:
    address = {"s": "statu-quo,rebond-urgence", "t": "region:32", "b": "statu-quo"}
    at = opened(**address)
    switch = at.get("button_group")[0]
    switch.set_value("en").run()
    set_language("fr")
    assert query(at) == {**address, "l": "en"}
    assert at.title[0].value == "Sharing out public funds"


def test_callbacks_speak_the_language_of_the_visit(shelf: Collection, monkeypatch: pytest.MonkeyPatch) -> None:
    spoken: list[str] = []

    def refuses(change: object) -> None:
        import streamlit as st

        from ui import visit

        visit.begin()
        st.button("wrong", on_click=change)

    def change() -> None:
        try:
            visit.edit("0" * 16, "0" * 16, {})
        except allocator.ScenarioError as error:
            spoken.append(error.problems[0].text())

    at = AppTest.from_function(refuses, kwargs={"change": change}, default_timeout=30)
    at.query_params["l"] = "en"
    at.run()
    at.button[0].click().run()
    assert "is not on this server" in spoken[0]

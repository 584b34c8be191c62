"""Labels, ids and words that somebody else wrote: shown as they are, run nowhere, and no secret beside them."""

from __future__ import annotations

import io
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import fuzz_inputs
import pandas as pd
import pytest
from valley import valley

import allocator
from allocator import limits
from allocator.cli import main
from allocator.problems import Problem, ScenarioError
from allocator.report.files import write_plan
from allocator.store import Store
from allocator.texts import Text

SQL = "'; DROP TABLE plans; --"
TYPST = '#panic("x") $a$ @b <c> *d* _e_ `f` \\ = g // h'
HTML = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'&amp;"


def scenario(label: str) -> allocator.Scenario:
    """Every text that a scenario may hold is the same."""
    territories = pd.DataFrame(
        {"id": ["t1", "t2"], "name": label, "region": label, "departement": ["1", "2"], "population": 100}
    )
    demands = pd.DataFrame(
        {"id": [label, "d2"], "territory": ["t1", "t2"], "measure": "m", "units": 1, "asked": 100, "emplois": [1, 2],
         "beneficiary": label, "note": label}
    )  # fmt: skip
    return allocator.Scenario(
        label, [2026], [{"id": "f", "amount": 150, "label": label}], [{"id": "m", "label": label, "unit": label}], territories,
        demands, [{"kind": "ceiling", "id": "plafond", "on": {"where": {"region": label}}, "amount": 120, "label": label}],
        {"maximise": {"emplois": 1}}, label=label, description=label, labels={"emplois": label},
    )  # fmt: skip


@pytest.mark.parametrize("words", [SQL, '"; DROP TABLE plans; --', "%s %(x)s :name ?", "\\'; --"])
def test_a_store_keeps_words_as_they_are(tmp_path: Path, words: str) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        name = store.save(allocator.solve(scenario(words)), who=words, words=words)
        store.decide(name, words, who=words)
        assert store.list()[["who", "words", "scenario"]].to_numpy().tolist() == [[words] * 3]
        assert [(each.who, each.words) for each in store.decisions()] == [(words, words)]
        assert store.opened(name).scenario.input_hash == scenario(words).input_hash
        for asked in (words, f"p{words}", f"{name}' OR '1'='1"):
            with pytest.raises(ScenarioError):
                store.plan(asked)
            with pytest.raises(ScenarioError):
                store.decide(asked, "oui", who="x")
        assert len(store.list()) == 1


def test_a_damaged_scenario_is_not_another_one(tmp_path: Path) -> None:
    """Bytes of a table that were changed by another hand are never read as the scenario that was saved."""
    import sqlite3

    place = tmp_path / "s.sqlite"
    with Store(place) as store:
        name = store.save(allocator.solve(scenario("a")), who="x")
    from allocator.store import content

    other = content.of_scenario(scenario("a").with_(demands=scenario("a").demands.assign(asked=50)))[1]["demands"]
    direct = sqlite3.connect(place)
    direct.execute("DROP TRIGGER contents_no_update")
    direct.execute("UPDATE contents SET data = ? WHERE sha256 = (SELECT demands FROM scenarios)", (other,))
    direct.commit()
    with Store(place) as store, pytest.raises(ScenarioError, match="n'est plus ce qui a été enregistré"):
        store.scenario(name)
    direct.execute("DROP TRIGGER scenarios_no_update")
    saved = content.of_scenario(scenario("a"))[0]
    richer = saved.replace("150", "151")  # a scenario like any other
    assert richer != saved and content.rebuilt(richer, content.of_scenario(scenario("a"))[1])
    for parts in ("{}", "[", "[1]", '{"name": 1}', "null", richer):
        direct.execute("UPDATE scenarios SET parts = ?", (parts,))
        direct.commit()
        with Store(place) as store:
            with pytest.raises(ScenarioError, match="n'est plus ce qui a été enregistré"):
                store.scenario(name)
            if parts in ("[", "[1]", "null"):
                with pytest.raises(ScenarioError, match="n'est plus ce qui a été enregistré"):
                    store.scenarios()


def test_the_note_prints_labels_as_they_are(tmp_path: Path) -> None:
    pytest.importorskip("typst", reason="pip install '.[pdf]'")
    pypdf = pytest.importorskip("pypdf")
    from allocator.report.document import render

    pages = pypdf.PdfReader(io.BytesIO(render(allocator.solve(scenario(TYPST)))))
    said = "".join("".join(page.extract_text().split()) for page in pages.pages)
    assert "".join(TYPST.split()) in said


class Tags(HTMLParser):
    """The tags of a page and the texts between them."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.handlers: list[str] = []
        self.said = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.handlers += [name for name, _ in attrs if name.startswith("on")]

    def handle_data(self, data: str) -> None:
        self.said += data


def test_the_front_end_writes_no_tag_of_a_label(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")
    from ui import cards, tables

    shown: list[str] = []
    for module in (cards, tables):
        monkeypatch.setattr(module.st, "html", shown.append)
    tables.table(HTML, [HTML, HTML], [[HTML, (HTML, HTML)]])
    cards.note(HTML)
    cards.legend([HTML], ["#000"], HTML)
    for page in shown:
        seen = Tags()
        seen.feed(page)
        assert not {"script", "img"} & seen.tags and seen.handlers == []
        assert HTML in seen.said


@pytest.mark.parametrize("label", [HTML, SQL, TYPST])
def test_drawings_hold_no_tag_of_a_label(tmp_path: Path, label: str) -> None:
    plan = allocator.solve(scenario(label))
    write_plan(plan, tmp_path / "plan")
    frontier = allocator.frontier(scenario(label), "emplois", "euros", points=3)
    from allocator.report.frontier import write_frontier

    write_frontier(frontier, tmp_path / "front")
    pages = list(tmp_path.rglob("*.svg")) + list(tmp_path.rglob("*.html"))
    assert pages
    for page in pages:
        seen = Tags()
        seen.feed(page.read_text("utf-8"))
        assert not {"script", "img"} & seen.tags and seen.handlers == []


# Messages and limits


@pytest.mark.parametrize("sign", ["\x1b[31m", "\x00", "\u202e", "\u2066", "\x9b"])
def test_no_label_steers_a_terminal_or_turns_words(sign: str) -> None:
    with pytest.raises(ScenarioError) as error:
        scenario(f"a{sign}b")
    places = {str(problem.place).partition(" ")[0] for problem in error.value.problems}
    of_keys = {
        "name",
        "label",
        "description",
        "labels.emplois",
        "funds[0].label",
        "measures[0].label",
        "constraints[0].label",
    }
    assert of_keys | {"territories,", "demands,"} <= places
    assert sign not in error.value.text()


@pytest.mark.parametrize("sign", ["\u200b", "\u00ad", "\ufeff", "\n", "\u200f"])
def test_ids_hold_no_sign_that_cannot_be_seen(sign: str) -> None:
    given = scenario("a")
    for change in ({"demands": given.demands.assign(id=["d1", f"d1{sign}"])},
                   {"funds": [{"id": f"f{sign}", "amount": 1}]},
                   {"measures": [{"id": "m"}, {"id": f"m{sign}"}]},
                   {"constraints": [{"kind": "ceiling", "id": f"c{sign}", "amount": 1}]}):  # fmt: skip
        with pytest.raises(ScenarioError, match="signe invisible"):
            given.with_(**change)


def test_one_name_in_two_unicode_forms() -> None:
    given = scenario("a")
    with pytest.raises(ScenarioError, match="déjà utilisé, avec d'autres signes Unicode"):
        given.with_(demands=given.demands.assign(id=["d\u00e9", "de\u0301"]))
    with pytest.raises(ScenarioError, match="avec d'autres signes Unicode"):
        given.with_(
            measures=[{"id": "m"}, {"id": "fr\u00ed"}], demands=given.demands.assign(measure=["m", "fri\u0301"])
        )


def test_what_is_said_shows_what_cannot_be_seen() -> None:
    said = Problem("x", Text("« a\x1b[2J\u202e »", "x")).text()
    assert said == "x : « a\\u001b[2J\\u202e »"


@pytest.mark.parametrize(("limit", "most", "said"), [
    ("ROWS", 1, "lignes d'une table = 2, 1 au plus"), ("CELLS", 1, "dossiers × fonds × années = 2, 1 au plus"),
    ("PICKS", 1, "règles × dossiers = 2, 1 au plus"), ("FUNDS", 0, "1 entrées : 0 au plus"), ("RULES", 0, "1 entrées : 0 au plus"),
])  # fmt: skip
def test_a_scenario_past_a_limit(monkeypatch: pytest.MonkeyPatch, limit: str, most: int, said: str) -> None:
    monkeypatch.setattr(limits, limit, most)
    with pytest.raises(ScenarioError) as error:
        scenario("a")
    assert said in error.value.text("fr")


def test_a_scenario_past_the_memory_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert limits.memory() > 2**28
    monkeypatch.setattr(limits, "memory", lambda: 100)
    with pytest.raises(ScenarioError) as error:
        scenario("a")
    assert "octets de mémoire pour le calcul = 120, 100 au plus" in error.value.text("fr")


def test_limits_lie_above_the_aim() -> None:
    assert limits.ROWS >= 1_000_000 and limits.CELLS >= 1_000_000 * 6 * 6


def test_too_many_variants(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    many = ["--vary", "funds.*.amount=+0 %..+1 %/1000000", "--vary", "demands.*.units=x1,x2"]
    with fuzz_inputs.guarded():
        assert main(["sweep", "rebond-urgence", *many]) == 2
        assert "2000000 variantes : 1000000 au plus" in capsys.readouterr().err
        assert main(["sweep", "rebond-urgence", "--vary", "funds.*.amount=+0 %..+1 %/99999999"]) == 2
        assert "de 2 à 1000000" in capsys.readouterr().err
        assert main(["sweep", "rebond-urgence", *many[:2], "--design", "random", "--count", "1000001"]) == 2


# Secrets


@pytest.mark.parametrize("place", [
    "postgresql://tests:MOTSECRET@127.0.0.1:9/base", "postgresql://tests:MOTSECRET@[::1/base", "mysql://x:MOTSECRET@h/b",
    "postgresql://tests:MOTSECRET@127.0.0.1:9/base?password=MOTSECRET&passfile=MOTSECRET",
    "postgresql://tests:a@MOTSECRET@127.0.0.1:9/base", "postgresql:/tests:MOTSECRET@h/b", "tests:MOTSECRET@h/b",
    "sqlite://x:MOTSECRET@h/b", "oracle+x://x:MOTSECRET@h", "://x:MOTSECRET@h",
])  # fmt: skip
@pytest.mark.parametrize("command", [["history"], ["decide", "p123", "--words", "x"], ["replay", "p123"],
                                     ["solve", "rebond-urgence", "--save", "--engine", "nothing"]])  # fmt: skip
def test_no_password_is_told(
    place: str, command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture, tmp_path: Path,
) -> None:  # fmt: skip
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ALLOCATOR_STORE", place)
    for more in ([], ["--json"]):
        main([*command, *(more if command[0] in ("history", "solve", "replay") else [])])
        told = capsys.readouterr()
        assert "MOTSECRET" not in (told.out + told.err) + caplog.text
        assert "erreur interne" not in told.err


# Markdown of screens

PICTURE = "![x](http://exemple.invalid/p)"


def draw(screen: str, refs: list[str]) -> None:
    """Run by AppTest in a script of its own."""
    from importlib import import_module

    import streamlit as st

    from ui import visit

    if "visit" not in st.session_state:
        st.query_params["s"], st.query_params["t"] = ",".join(refs), "territory:t1"
    visit.begin()
    import_module(f"ui.screens.{screen}").show()


def elements(node: Any) -> Iterator[Any]:
    """What stands on a screen, boxes and their titles included."""
    for child in node.children.values():
        yield child
        yield from elements(child) if hasattr(child, "children") else ()


def labelled(amount: int) -> allocator.Scenario:
    """Of which everything is called by the picture."""
    given = valley(lumpy=True)
    return given.with_(
        name=f"s{amount}", label=PICTURE, description=PICTURE, labels={"emplois": PICTURE},
        territories=given.territories.assign(name=PICTURE),
        funds=[{"id": "f", "amount": amount, "label": PICTURE, "source": PICTURE, "hypothesis": PICTURE},
               {"id": "g", "amounts": {2026: 10, 2027: 10}, "label": PICTURE}],
        measures=[{"id": one, "label": PICTURE, "unit": PICTURE, "lumpy": True} for one in ("friche", "ecole")],
        constraints=[{"kind": "floor", "label": PICTURE, "amount": 800_000, "on": {"where": {"region": "Sud"}}},
                     {"kind": "count", "label": PICTURE, "on": {"measures": "ecole"}, "max": 0}],
    )  # fmt: skip


@pytest.mark.parametrize(
    "screen", ["territoire", "nation", "building", "explaining", "trading", "exporting", "scenarios"]
)
@pytest.mark.parametrize("amount", [3_000_000, 100_000])  # with a plan, and without
def test_no_label_is_markdown(screen: str, amount: int, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A picture in a label would be fetched from a stranger's server by whoever opens the screen."""
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")
    from screen import settled
    from streamlit.testing.v1 import AppTest

    from ui.collection import collection

    monkeypatch.setenv("ALLOCATOR_STORE", str(tmp_path / "store.sqlite"))
    collection.clear()
    refs = [collection().keep(labelled(amount + k)) for k in (0, 1)]
    at = settled(AppTest.from_function(draw, default_timeout=60, kwargs={"screen": screen, "refs": refs}).run())
    collection().flush()
    collection.clear()
    # frames, charts and lists of choices read no Markdown
    unread = (
        "html",
        "arrow_data_frame",
        "vega_lite_chart",
        "selectbox",
        "multiselect",
        "text_input",
        "download_button",
    )
    shown = list(elements(at.main))
    read = [
        element for element in shown if element.type not in unread and PICTURE in str(getattr(element, "proto", ""))
    ]
    assert [(element.type, str(element.proto)[:300]) for element in read] == []
    assert not [each.label for each in shown if each.type in unread[3:6] and PICTURE in each.label]

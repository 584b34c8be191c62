"""Saved plans: what went in comes out, whoever writes at once, on SQLite and on a real PostgreSQL; nothing is changed."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import sqlalchemy as sa
from cluster import PASSWORD
from valley import valley

import allocator
from allocator import cli, saved, texts
from allocator.constraints import KINDS
from allocator.formats import save
from allocator.kinds import example as small
from allocator.store import Store, StoreError, content, default_place, places, records, tables

ROOT = Path(__file__).resolve().parents[1]
BOTH = pytest.mark.parametrize("place", ["sqlite", "postgresql"], indirect=True)


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty place for a store."""
    if request.param == "postgresql":
        return str(request.getfixturevalue("empty_database")())
    return str(tmp_path / "store.sqlite")


@pytest.fixture
def store(place: str) -> Iterator[Store]:
    with Store(place) as made:
        yield made


@pytest.fixture(scope="module")
def plan() -> allocator.Plan:
    return allocator.solve(valley())


def connection(store: Store) -> Any:
    """Straight to the database, past the store."""
    return store._engine.begin()


def message(error: pytest.ExceptionInfo[StoreError]) -> str:
    return error.value.text("en")


# --- What is saved is what is read


@BOTH
def test_a_plan_and_a_decision_come_back(store: Store, plan: allocator.Plan) -> None:
    made = store.save(plan, who="the office", words="première ébauche : « été »\n2e ligne 🏗")
    said = store.decide(made, "adopté", who="le conseil")
    back = store.plan(made)
    assert (back.id, back.who, back.words) == (made, "the office", "première ébauche : « été »\n2e ligne 🏗")
    assert back.at.endswith("Z") and back.scenario == "vallee" and back.status == "optimal"
    assert back.input_hash == plan.scenario.input_hash
    assert (back.objective, back.bound, back.gap) == (plan.certificate.objective, plan.certificate.bound, plan.gap)
    assert back.certified and len(back.checks) == len(plan.certificate.checks)
    assert back.checks[0]["fr"] == plan.certificate.checks[0].detail.fr
    assert (back.engine, back.gap_allowed, back.time_limit) == ("sifting", 1e-4, None)
    assert {"allocator", "python", "sifting", "highspy", "numpy", "machine"} <= back.versions.keys()
    assert back.grants.to_dict("records") == plan.grants.to_dict("records")
    assert back.granted == plan.grants["cents"].sum() == 380_000_000
    (decision,) = store.decisions(made)
    assert (decision.id, decision.who, decision.words, decision.plan) == (said, "le conseil", "adopté", made)
    assert json.dumps(back.as_dict(), allow_nan=False)


@BOTH
def test_the_scenario_is_the_very_same(store: Store, plan: allocator.Plan) -> None:
    made = store.save(plan, who="moi")
    for name in (made, made[:6], plan.scenario.input_hash, plan.scenario.input_hash[:10]):
        assert store.scenario(name).input_hash == plan.scenario.input_hash
    alone = valley((), name="seul")
    assert store.save_scenario(alone, who="moi") == store.save_scenario(alone, who="toi") == alone.input_hash
    assert store.scenario(alone.input_hash).name == "seul"
    assert len(store.list()) == 1


@BOTH
def test_what_many_plans_share_is_there_once(store: Store, plan: allocator.Plan) -> None:
    richer = allocator.solve(plan.scenario.with_(funds=[{"id": "friches", "amount": "9 M€"}], constraints=[]))
    for one in (plan, plan, richer):
        store.save(one, who="moi")
    with connection(store) as direct:
        counts = {name: direct.execute(sa.text(f"SELECT count(*) FROM {name}")).scalar() for name in tables.HISTORY}
    # two tables shared, two plans' grants
    assert counts == {"contents": 4, "scenarios": 2, "plans": 3, "decisions": 0}


@BOTH
def test_the_list_follows_the_sequence_not_the_clock(
    store: Store, plan: allocator.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter(["2026-03-29T02:30:00.000000Z", "2026-03-29T01:30:00.000000Z", "2025-01-01T00:00:00.000000Z"] * 2)
    monkeypatch.setattr(records, "now", lambda: next(clock))
    scenarios = [plan, allocator.solve(valley(name="autre")), plan]
    monkeypatch.setattr(Store, "_scenario_row", _without_clock(Store._scenario_row))
    made = [store.save(one, who="moi", words=str(k)) for k, one in enumerate(scenarios)]
    found = store.list()
    assert found["id"].tolist() == made
    assert found["version"].tolist() == [1, 1, 2]
    assert found["at"].is_monotonic_decreasing
    assert store.list(1)["id"].tolist() == made[-1:]
    assert store.list(1)["version"].tolist() == [2]


@BOTH
def test_the_scenarios_are_listed_without_their_tables(
    store: Store, plan: allocator.Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert store.scenarios().columns.tolist() == ["input_hash", "at", "who", "name", "label", "base"]
    clock = iter(f"2026-01-0{day}T00:00:00.000000Z" for day in (1, 2, 3, 4, 5))
    monkeypatch.setattr(records, "now", lambda: next(clock))
    both = valley((), name="deux", label={"fr": "Deux\nétés", "en": "Two summers"}, base="vallee")
    named = valley((), name="un", label="Un seul été")
    for one in (named, both, named):
        store.save_scenario(one, who="moi")
    store.save(plan, who="toi")
    with connection(store) as direct:  # bytes that say nothing: tables are not looked at
        statements = [] if direct.dialect.name == "postgresql" else ["DROP TRIGGER contents_no_update"]
        if not statements:
            statements = ["ALTER TABLE contents DISABLE TRIGGER ALL"]
        for statement in (*statements, "UPDATE contents SET data = ''"):
            direct.execute(sa.text(statement))
    texts.set_language("fr")
    found = store.scenarios()
    assert found["input_hash"].tolist() == [named.input_hash, both.input_hash, plan.scenario.input_hash]
    assert found["name"].tolist() == ["un", "deux", "vallee"]
    assert found["label"].tolist() == ["Un seul été", "Deux\nétés", plan.scenario.label or "vallee"]
    assert found["base"].tolist() == [None, "vallee", None]
    assert found["who"].tolist() == ["moi", "moi", "toi"]
    assert found["at"].is_monotonic_increasing
    texts.set_language("en")
    assert store.scenarios()["label"][1] == "Two summers"


def _without_clock(known: Any) -> Any:
    """Scenarios are dated too: not by the clock that the test counts on."""

    def row(self: Store, scenario: allocator.Scenario, who: str) -> Any:
        before, records.now = records.now, lambda: "2026-01-01T00:00:00.000000Z"
        try:
            return known(self, scenario, who)
        finally:
            records.now = before

    return row


def odd() -> allocator.Scenario:
    """Every kind of cell that a table may hold."""
    plain = valley()
    demands = plain.demands[["id", "territory", "measure", "units", "emplois"]].copy()
    demands["asked"] = pd.Series([Decimal("500000.01"), "500 000,02 €", 500_000, 700_000.5], dtype=object)
    demands["code"] = ["01", "1e3", "true", None]
    demands["note"] = pd.Series(["1", "deux", None, "4"], dtype=object)
    demands["gros"] = [2**53 + 1, 2, 3, 4]
    demands["part"] = pd.Series([Decimal("0.25"), Decimal("0.1"), 0.3, 2], dtype=object)
    demands["entier"] = pd.array([1, 2, 3, 4], dtype="Int64")
    demands["beneficiary"] = ["d1", "b", "c", "d"]
    demands["vrai"] = [True, False, True, True]
    demands["categorie"] = pd.Categorical(["a", "b", "a", "b"])
    aid = pd.DataFrame({"beneficiary": ["d1"], "cents": [12_345], "date": ["2025-02-01"]})
    return plain.with_(demands=demands, prior_aid=aid, label={"fr": "é", "en": "e"}, labels={"emplois": "emplois"})


def of_every_kind() -> allocator.Scenario:
    rules = [{"kind": kind, "id": kind, **rule.example.fields} for kind, rule in KINDS.items() if kind != "lock"]
    return allocator.Scenario(
        "kinds", small.YEARS, small.FUNDS, small.MEASURES, pd.DataFrame(small.TERRITORIES), pd.DataFrame(small.DEMANDS),
        rules, small.OBJECTIVE, prior_aid=pd.DataFrame(small.PRIOR_AID),
    )  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [odd, of_every_kind, lambda: allocator.load("propositions-2025"), lambda: allocator.load("equite-territoriale")],
    ids=["odd", "kinds", "propositions-2025", "equite-territoriale"],
)
def test_a_scenario_is_rebuilt_from_what_is_kept(make: Callable[[], allocator.Scenario]) -> None:
    scenario = make()
    parts, data = content.of_scenario(scenario)
    again = content.rebuilt(parts, data)
    assert again.input_hash == scenario.input_hash
    assert content.rebuilt(*content.of_scenario(again)).input_hash == scenario.input_hash
    for name in ("asked", "cost"):
        assert np.array_equal(again.cents(name), scenario.cents(name))


@BOTH
def test_ids_may_be_shortened(store: Store, plan: allocator.Plan) -> None:
    made = [store.save(plan, who="moi") for _ in range(2)]
    assert all(saved.is_id(one) and len(one) == 16 for one in made) and made[0] != made[1]
    common = next(k for k in range(16) if made[0][k] != made[1][k])
    assert store.plan(made[0][: max(common + 1, 4)]).id == made[0]
    for short in ("p", made[0][:3]):
        with pytest.raises(StoreError, match=r"too short|trop court"):
            store.plan(short)
    for unknown in ("pffff0000ffff", "%", "p' OR 1=1", "", "PLAN"):
        with pytest.raises(StoreError, match=r"unknown id|inconnu"):
            store.plan(unknown)


@BOTH
def test_two_that_begin_alike_are_both_named(store: Store, plan: allocator.Plan) -> None:
    grants = content.of_grants(plan.grants)
    store.save(plan, who="moi")
    with connection(store) as direct:
        row = dict(direct.execute(sa.select(tables.plans)).mappings().one())
        for made in ("pabc000000000001", "pabc000000000002"):
            direct.execute(sa.insert(tables.plans).values({**row, "seq": row["seq"] + int(made[-1]), "id": made}))
    assert content.sha256(grants) == row["grants"]
    with pytest.raises(StoreError) as error:
        store.plan("pabc0")
    assert "may be: pabc000000000001, pabc000000000002" in message(error)


def test_somebody_saves(plan: allocator.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALLOCATOR_WHO", "le bureau")
    with Store(tmp_path / "s.sqlite") as store:
        assert store.plan(store.save(plan)).who == "le bureau"
        assert store.plan(store.save(plan, words="a\0b\ud800")).words == "a\ufffdb?"
        for wrong, told in (({"who": " "}, "who is saving"), ({"words": "x" * 10_001}, "10000 at most")):
            with pytest.raises(StoreError) as error:
                store.save(plan, **wrong)
            assert told in message(error)
        with pytest.raises(StoreError, match=r"décide|decided"):
            store.decide(store.save(plan), "  ")
        assert len(store.decisions()) == 0


@BOTH
def test_a_plan_and_the_decision_on_it_are_kept_together(place: str, plan: allocator.Plan) -> None:
    with Store(place) as store:
        made = store.save(plan, who="le conseil", decided="adopté")
        assert [(one.plan, one.who, one.words) for one in store.decisions()] == [(made, "le conseil", "adopté")]
        for wrong in (" ", "x" * 10_001):
            with pytest.raises(StoreError):
                store.save(plan, who="moi", decided=wrong)
        assert len(store.list()) == 1
    with Store(place, role="edit") as editor:
        with pytest.raises(StoreError, match=r"décider|decide"):
            editor.save(plan, who="moi", decided="adopté")
        assert len(editor.list()) == 1


# --- Nothing is changed


@BOTH
@pytest.mark.parametrize("table", tables.HISTORY)
def test_the_database_refuses_changes(store: Store, plan: allocator.Plan, table: str) -> None:
    store.decide(store.save(plan, who="moi"), "adopté", who="moi")
    column = {"contents": "data", "scenarios": "parts"}.get(table, "words")
    statements = [f"UPDATE {table} SET {column} = {column}", f"DELETE FROM {table}"]
    if store._engine.dialect.name == "postgresql":
        statements.append(f"TRUNCATE {table} CASCADE")
    else:
        statements.append(f"INSERT OR REPLACE INTO {table} SELECT * FROM {table}")
    for statement in statements:
        with pytest.raises(sa.exc.DBAPIError, match="history is only added to"), connection(store) as direct:
            direct.execute(sa.text(statement))
    with connection(store) as direct:
        assert direct.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar() > 0


@BOTH
def test_what_was_altered_all_the_same_is_told(store: Store, plan: allocator.Plan) -> None:
    made = store.save(plan, who="moi", words="refusé")
    with connection(store) as direct:
        if direct.dialect.name == "postgresql":
            direct.execute(sa.text("ALTER TABLE plans DISABLE TRIGGER ALL"))
        else:
            direct.execute(sa.text("DROP TRIGGER plans_no_update"))
        direct.execute(sa.text("UPDATE plans SET words = 'adopté'"))
    with pytest.raises(StoreError) as error:
        store.plan(made)
    assert f"{made} is no longer what was saved" in message(error)


# --- Replay


@BOTH
def test_a_replay_is_the_same_to_the_cent(store: Store, plan: allocator.Plan) -> None:
    replay = store.replay(store.save(plan, who="moi"))
    assert replay.same and not replay.versions and not len(replay.grants)
    assert json.dumps(replay.as_dict(), allow_nan=False)


def test_a_replay_asks_what_was_asked(tmp_path: Path) -> None:
    plan = allocator.solve(valley(lumpy=True), engine="highs", gap=0.01, time_limit=60)
    with Store(tmp_path / "s.sqlite") as store:
        replay = store.replay(store.save(plan, who="moi"))
    assert replay.same
    assert (replay.saved.engine, replay.saved.gap_allowed, replay.saved.time_limit) == ("highs", 0.01, 60)
    assert (replay.plan.engine.name, replay.plan.engine.gap, replay.plan.engine.time_limit) == ("highs", 0.01, 60)


def test_an_impossible_scenario_is_replayed_too(tmp_path: Path) -> None:
    floor = {"kind": "floor", "id": "trop", "on": {}, "amount": "90 M€"}
    plan = allocator.solve(valley((floor,)))
    assert plan.status == "infeasible"
    with Store(tmp_path / "s.sqlite") as store:
        replay = store.replay(store.save(plan, who="moi"))
        assert replay.same and replay.saved.status == "infeasible" and replay.saved.objective is None
        assert store.list()["granted"].tolist() == [0]


def test_a_replay_says_what_changed(plan: allocator.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert plan.reading is not None
    cents = plan.reading.cents.copy()
    cents[0] -= 7  # a cent of d1's, as another version might have dealt them
    other = replace(plan, reading=replace(plan.reading, cents=cents))
    known = records.versions
    monkeypatch.setattr(records, "versions", lambda *engine: known(*engine) | {"allocator": "0.0.9", "gone": "1"})
    with Store(tmp_path / "s.sqlite") as store:
        made = store.save(other, who="moi")
        monkeypatch.setattr(records, "versions", known)
        replay = store.replay(made)
    assert not replay.same
    assert replay.grants.to_dict("records") == [
        {"demand": "d1", "fund": "friches", "year": 2026, "then": int(cents[0]), "now": int(cents[0]) + 7}
    ]
    said = "\n".join(text.en for text in replay.changed)
    assert "1 grant(s) differ: €0.07 more, €0 less" in said and "d1, friches, 2026: €1,799,999.93 → €1,800,000" in said
    assert "the saved plan still keeps every rule" in said
    assert replay.versions == {"allocator": ("0.0.9", known("sifting", "")["allocator"]), "gone": ("1", "–")}


def test_a_replay_sees_that_our_own_code_changed(
    plan: allocator.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        made = store.save(plan, who="moi")
        then = store.plan(made).versions["code"]
        monkeypatch.setattr(records, "source_hash", lambda: "0123456789ab")
        replay = store.replay(made)
        assert replay.same and replay.versions == {"code": (then, "0123456789ab")}
        known = records.versions
        with monkeypatch.context() as patch:  # a plan of before it was kept
            patch.setattr(records, "versions", lambda *of: {k: v for k, v in known(*of).items() if k != "code"})
            old = store.save(plan, who="moi")
        assert "code" not in store.plan(old).versions
        assert store.replay(old).same and not store.replay(old).versions


def test_the_hash_of_our_code(tmp_path: Path) -> None:
    shutil.copytree(ROOT / "allocator", tmp_path / "a", ignore=shutil.ignore_patterns("data", "__pycache__"))
    own = records.source_hash(tmp_path / "a")
    again = tmp_path / "b"
    shutil.copytree(tmp_path / "a", again)
    assert len(own) == 12 and records.source_hash(again) == own
    module = again / "kinds" / "risk.py"
    module.write_bytes(module.read_bytes().replace(b"\n", b"\r\n"))
    records.source_hash.cache_clear()
    assert records.source_hash(again) == own, "another system's line ends"
    module.write_bytes(module.read_bytes() + b"#")
    records.source_hash.cache_clear()
    changed = records.source_hash(again)
    assert changed != own
    module.rename(again / "kinds" / "risks.py")
    records.source_hash.cache_clear()
    assert records.source_hash(again) not in (own, changed)
    assert records.source_hash(tmp_path / "nowhere") == ""


# --- A saved plan as a plan


def _scenarios() -> dict[str, allocator.Scenario]:
    floor = {"kind": "floor", "id": "trop", "on": {}, "amount": "90 M€"}
    target = {"kind": "indicator", "id": "cible", "indicator": "emplois", "on": {}, "min": 5}
    in_order = {"lexicographic": [{"maximise": {"emplois": 1}}, {"minimise": "euros"}]}
    return {
        "points": valley(),
        "whole units": valley(lumpy=True),
        "euros": valley((target,)).with_(objective={"minimise": "euros"}),
        "in order": valley().with_(objective=in_order),
        "infeasible": valley((floor,)),
    }


@pytest.mark.parametrize("name", _scenarios())
def test_a_saved_plan_is_a_plan_again(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = allocator.solve(_scenarios()[name])
    with Store(tmp_path / "s.sqlite") as store:
        made = store.save(plan, who="moi")
        monkeypatch.setattr("allocator.solver.solve", None)
        back = store.opened(made)
    now, then = back.summary(), plan.summary()
    said = ("status", "objective", "bound", "gap", "certificate", "totals", "account", "units", "indicators", "levels")
    assert {key: now[key] for key in said} == {key: then[key] for key in said}
    assert back.engine.gap == plan.engine.gap and set(back.binding) <= set(plan.binding)
    assert back.grants.to_dict("records") == plan.grants.to_dict("records")
    both = allocator.compare([plan, back])
    assert (both.by("territory").iloc[:, -1] == 0).all() and all(held for _, held in both.checks)


def test_a_saved_plan_that_keeps_its_rules_no_more_is_not_opened(plan: allocator.Plan, tmp_path: Path) -> None:
    assert plan.reading is not None
    for change in (+500_000_000, -100):  # beyond the fund; worth less than was saved
        cents = plan.reading.cents.copy()
        cents[0] += change
        with Store(tmp_path / "s.sqlite") as store:
            made = store.save(replace(plan, reading=replace(plan.reading, cents=cents)), who="moi")
            with pytest.raises(StoreError) as error:
                store.opened(made)
        assert "does not count any more as it was saved" in message(error) and f"replay {made}" in message(error)


def test_saved_plans_are_compared(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "vallee"
    save(valley(), folder)
    (tmp_path / "riche.yaml").write_text("name: riche\nbase: vallee\nchanges: {funds.friches.amount: 9 M€}\n")
    rich = str(tmp_path / "riche.yaml")
    ids = [json.loads(run(capsys, "solve", of, "--save", "--json")[1])["saved"] for of in (str(folder), rich)]
    by_id = json.loads(run(capsys, "compare", *ids, "--json")[1])
    solved = json.loads(run(capsys, "compare", str(folder), rich, "--json")[1])
    assert [plan["plan"] for plan in by_id["plans"]] == [f"vallee {ids[0]}", f"riche {ids[1]}"]
    for one, other in zip(by_id["plans"], solved["plans"], strict=True):
        assert {**one, "plan": ""} == {**other, "plan": ""}
    status, out, _ = run(capsys, "compare", ids[0][:6], rich, "--out", str(tmp_path / "out"))
    assert status == 0 and ids[0][:6] in out and (tmp_path / "out" / "comparison.xlsx").is_file()
    status, _, err = run(capsys, "compare", "p0000", "nowhere", ids[0])
    assert status == 2 and "unknown id “p0000”" in err and "nowhere" in err
    (mine.parent / "other").mkdir()
    assert run(capsys, "compare", *ids, "--store", str(mine.parent / "other" / "s.sqlite"))[0] == 2


def test_a_replay_tells_a_plan_that_breaks_a_rule(plan: allocator.Plan, tmp_path: Path) -> None:
    assert plan.reading is not None
    cents = plan.reading.cents.copy()
    cents[0] += 500_000_000
    other = replace(plan, reading=replace(plan.reading, cents=cents), engine=replace(plan.engine, name="gone"))
    with Store(tmp_path / "s.sqlite") as store:
        replay = store.replay(store.save(other, who="moi"))
    said = "\n".join(text.en for text in replay.changed)
    assert "the engine “gone” is not here" in said
    assert "the saved plan fails: " in said and "friches" in said.partition("fails: ")[2]


# --- What can be wrong with a place


def test_another_s_database_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "compta.sqlite"
    other = sa.create_engine(f"sqlite:///{file}")
    with other.begin() as direct:
        direct.execute(sa.text("CREATE TABLE factures (n INTEGER)"))
    before = file.read_bytes()
    with pytest.raises(StoreError) as error:
        Store(file)
    assert "in use for something else" in message(error)
    assert file.read_bytes() == before


@BOTH
def test_a_later_schema_is_not_touched(place: str) -> None:
    Store(place).close()
    with connection(Store(place)) as direct:
        direct.execute(sa.text("UPDATE store_version SET version_num = '0999'"))
    with pytest.raises(StoreError) as error:
        Store(place)
    assert f"later version of allocator (schema 0999, here {tables.REVISIONS[-1]}). Update allocator." in message(error)


@BOTH
def test_where_nothing_was_saved_nothing_is_made(place: str) -> None:
    with pytest.raises(StoreError) as error:
        Store(place, create=False)
    assert "nothing has been saved here yet" in message(error)
    assert "://" in place or not Path(place).exists()


def test_what_is_no_store(tmp_path: Path) -> None:
    (tmp_path / "lettre.txt").write_text("Madame, Monsieur,\n" * 100)
    wrong = {
        str(tmp_path / "lettre.txt"): "is not a SQLite database",
        str(tmp_path / "nulle" / "part" / "s.sqlite"): "cannot be opened or made. Check that the folder exists",
        str(tmp_path): "cannot be opened or made",
        "mysql://root:secret@host/base": "kept in SQLite or PostgreSQL",
        "postgresql://a:secret@host:port/base": "cannot be read",
        "sqlite://": "kept in SQLite or PostgreSQL",
    }
    for place, told in wrong.items():
        with pytest.raises(StoreError) as error:
            Store(place)
        assert told in message(error) and "secret" not in message(error)


def test_a_read_only_file(plan: allocator.Plan, tmp_path: Path) -> None:
    file = tmp_path / "s.sqlite"
    with Store(file) as store:
        made = store.save(plan, who="moi")
    with Store(f"sqlite:///file:{file}?mode=ro&uri=true") as store:
        assert store.plan(made).who == "moi"
        with pytest.raises(StoreError) as error:
            store.save(plan, who="moi")
    assert "read-only: nothing can be saved there" in message(error)


def test_a_store_in_a_folder_that_is_read_only_is_read(
    plan: allocator.Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "l'été #1?"
    folder.mkdir()
    with Store(folder / "s.sqlite") as store:
        made = store.save(plan, who="moi")
    folder.chmod(0o500)
    try:
        if os.getuid() == 0:  # whom modes do not stop
            monkeypatch.setattr(places.os, "access", lambda *_: False)
        with Store(folder / "s.sqlite", create=False) as store:
            assert store.plan(made).who == "moi" and store.replay(made).same and len(store.list()) == 1
            assert store.place == str(folder / "s.sqlite")
            with pytest.raises(StoreError) as error:
                store.decide(made, "adopté")
        assert "read-only: nothing can be saved there" in message(error)
        assert [file.name for file in folder.iterdir()] == ["s.sqlite"], "nothing is written beside it"
    finally:
        folder.chmod(0o700)


def test_a_full_disk_leaves_nothing_half_written(plan: allocator.Plan, tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store:
        made = store.save(plan, who="moi")
        full = lambda connection, _: connection.execute("PRAGMA max_page_count = 1")  # noqa: E731 - the least SQLite takes: its size now
        sa.event.listen(store._engine, "connect", full)
        store.close()
        large = allocator.solve(valley(name="x" * 20_000))
        with pytest.raises(StoreError) as error:
            store.save(large, who="moi")
        assert "the disk is full: nothing was saved" in message(error)
        sa.event.remove(store._engine, "connect", full)
        store.close()
        kept = store.list()["id"].tolist()
        assert kept[0] == made and all(store.plan(one).certified for one in kept)
        assert len(store.plan(store.save(plan, who="moi")).id) == 16


@BOTH
def test_a_store_kept_busy_is_told(place: str, plan: allocator.Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "SECONDS", 0.2)
    with Store(place) as one, Store(place) as other:
        with places.writing(one._engine), pytest.raises(StoreError) as error:
            other.save(plan, who="moi")
        assert "kept busy by others" in message(error)
        assert other.save(plan, who="moi")


def test_a_server_that_is_not_there_is_told_without_the_password() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        url = f"postgresql://tests:{PASSWORD}@127.0.0.1:{free.getsockname()[1]}/base?application_name={PASSWORD}"
        url = url.replace("+de:tout@", "de-tout")
        with pytest.raises(StoreError) as error:
            Store(url)
    assert "server unreachable or connection refused" in message(error) and "tests:***@127.0.0.1" in message(error)
    assert "tout" not in message(error) and error.value.__cause__ is None


def test_a_wrong_password_is_not_repeated(postgresql: str) -> None:
    for url in (postgresql.replace("tests:", "tests:faux-"), f"{postgresql}?passfile=/nulle/part&password=faux-regard"):
        with pytest.raises(StoreError) as error:
            Store(url)
        assert "password authentication failed" in message(error)
        assert "faux" not in message(error) and "regard" not in message(error)


def test_no_password_is_shown(empty_database: Callable[..., str]) -> None:
    with Store(empty_database()) as store:
        shown = [repr(store), store.place, repr(store._engine), repr(vars(store))]
        with pytest.raises(StoreError) as error:
            store.plan("p0000")
    assert all("regard" not in text for text in (*shown, message(error)))
    assert "tests:***@127.0.0.1" in store.place


def test_a_database_that_cannot_hold_every_letter(empty_database: Callable[..., str]) -> None:
    url = empty_database("ENCODING 'LATIN1' TEMPLATE template0 LOCALE 'C'")
    with pytest.raises(StoreError) as error:
        Store(url)
    assert "in LATIN1, not in UTF8" in message(error)


def test_rights_are_asked_for(empty_database: Callable[..., str]) -> None:
    url = empty_database()
    with sa.create_engine(url.replace("postgresql", "postgresql+psycopg", 1)).begin() as direct:
        name = f"guest{os.getpid()}"
        direct.execute(sa.text(f"CREATE ROLE {name} LOGIN PASSWORD 'x'"))
    try:
        with pytest.raises(StoreError) as error:
            Store(f"postgresql://{name}:x@{url.rpartition('@')[2]}")
        assert "not enough rights on this database" in message(error)
    finally:
        with sa.create_engine(url.replace("postgresql", "postgresql+psycopg", 1)).begin() as direct:
            direct.execute(sa.text(f"DROP ROLE {name}"))


# --- Who may do what


def refusals(one: Store, plan: allocator.Plan, made: str) -> dict[str, str]:
    """What is refused, and why."""
    doing: dict[str, Callable[[], object]] = {
        "save": lambda: one.save(plan, who="moi"),
        "save_scenario": lambda: one.save_scenario(valley(name=one.place[-9:] + str(id(one))), who="moi"),
        "decide": lambda: one.decide(made, "adopté", who="moi"),
    }
    found = {}
    for name, do in doing.items():
        try:
            do()
        except StoreError as error:
            found[name] = error.text("en")
    return found


def may_read(one: Store, made: str) -> bool:
    one.decisions(), one.scenarios()
    return one.plan(made).id == made in one.list()["id"].tolist() and one.scenario(made).name == "vallee"


@BOTH
def test_a_role_holds_whoever_has_it(place: str, plan: allocator.Plan) -> None:
    with pytest.raises(StoreError, match=r"enregistr|saved"):  # a reader makes nothing
        Store(place, role="read")
    assert "://" in place or not Path(place).exists()
    with Store(place, role="edit") as editor:
        made = editor.save(plan, who="moi")
        assert refusals(editor, plan, made).keys() == {"decide"} and may_read(editor, made)
    with Store(place, role="read") as reader:
        told = refusals(reader, plan, made)
        assert told.keys() == {"save", "save_scenario", "decide"} and may_read(reader, made)
        assert reader.replay(made).same
    assert "you may read, not save. Ask whoever runs this store for this right." in told["save"]
    assert "you may not decide" in told["decide"]
    with Store(place) as one:
        assert len(one.list()) == 2 and len(one.decisions()) == 0
        assert not refusals(one, plan, made) and len(one.decisions()) == 1
    with pytest.raises(StoreError, match="admin"):
        Store(place, role="admin")  # type: ignore[arg-type]


def test_rights_of_the_database_hold_each_role(empty_database: Callable[..., str], plan: allocator.Plan) -> None:
    """The statements of docs/store.md, as they stand; a `Store` that asks for more than its role is refused by the server."""
    page = (ROOT / "docs" / "store.md").read_text(encoding="utf-8")
    statements = page.partition("```sql\n")[2].partition("```")[0]
    groups = ("lecteurs", "editeurs", "decideurs")
    for group in groups:  # roles belong to the server, which others use at the same time
        statements = statements.replace(group, f"{group}{os.getpid()}")
    url = empty_database()
    owner = sa.create_engine(url.replace("postgresql", "postgresql+psycopg", 1))
    with Store(url) as one:
        made = one.save(plan, who="moi")
    logins = [f"un{group}{os.getpid()}" for group in groups]
    try:
        with owner.begin() as direct:
            direct.exec_driver_sql(statements)
            for login, group in zip(logins, groups, strict=True):
                direct.exec_driver_sql(f"CREATE ROLE {login} LOGIN PASSWORD 'x' IN ROLE {group}{os.getpid()}")
        refused: tuple[set[str], ...] = ({"save", "save_scenario", "decide"}, {"decide"}, set())
        for login, expected in zip(logins, refused, strict=True):
            with Store(f"postgresql://{login}:x@{url.rpartition('@')[2]}") as one:
                told = refusals(one, plan, made)
                assert told.keys() == expected and may_read(one, made)
                assert all("not enough rights on this database" in text for text in told.values())
                for table in tables.HISTORY:
                    with pytest.raises(sa.exc.ProgrammingError, match="permission denied"), connection(one) as direct:
                        direct.execute(sa.text(f"TRUNCATE {table} CASCADE"))
    finally:
        with owner.begin() as direct:
            for name in (*logins, *(f"{group}{os.getpid()}" for group in groups)):
                direct.exec_driver_sql(f"DROP OWNED BY {name}; DROP ROLE {name}")
        owner.dispose()


@BOTH
def test_a_reader_updates_no_schema(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from allocator.store import schema

    Store(place).close()
    monkeypatch.setattr(schema, "REVISIONS", (*schema.REVISIONS, "9999"))
    with pytest.raises(StoreError) as error:
        Store(place, role="read")
    assert "waits for its update. Someone who may save there opens it once." in message(error)


# --- The schema


@BOTH
def test_the_migrations_make_the_tables_that_we_use(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.config import Config
    from alembic.migration import MigrationContext
    from alembic.script import ScriptDirectory

    with connection(store) as direct:
        options = {"version_table": tables.VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(direct, opts=options)
        assert compare_metadata(context, tables.metadata) == []
    config = Config()
    config.set_main_option("script_location", str(ROOT / "allocator" / "store" / "migrations"))
    found = [script.revision for script in ScriptDirectory.from_config(config).walk_revisions()]
    assert tuple(reversed(found)) == tables.REVISIONS


@BOTH
def test_a_store_of_the_first_schema_is_read_and_written(place: str, plan: allocator.Plan) -> None:
    """Its scenarios, whose JSON has no hash, too."""
    from alembic import command
    from alembic.config import Config

    parts, data = content.of_scenario(plan.scenario)
    names = {name: content.sha256(held) for name, held in data.items()}
    row = {"input_hash": plan.scenario.input_hash, "at": records.now(), "who": "x", "name": "vallee", "parts": parts}
    engine = places.connected(places.address(place))
    with places.writing(engine) as direct:
        config = Config()
        config.set_main_option("script_location", str(ROOT / "allocator" / "store" / "migrations"))
        config.attributes["connection"] = direct
        command.upgrade(config, "0001")
        for name, held in data.items():
            direct.execute(sa.insert(tables.contents).values(sha256=names[name], data=held))
        asked = ", ".join(f":{key}" for key in (*row, *names))
        direct.execute(sa.text(f"INSERT INTO scenarios ({', '.join((*row, *names))}) VALUES ({asked})"), row | names)
    engine.dispose()
    with Store(place) as store:
        assert store.scenario(plan.scenario.input_hash).input_hash == plan.scenario.input_hash
        assert store.replay(store.save(plan, who="x")).same


def test_sqlite_is_durable_and_read_while_written(tmp_path: Path) -> None:
    with Store(tmp_path / "s.sqlite") as store, connection(store) as direct:
        asked = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert {name: direct.exec_driver_sql(f"PRAGMA {name}").scalar() for name in asked} == asked


# --- Many at once


@BOTH
def test_writers_at_once_and_two_killed(place: str) -> None:
    """The small version of `benchmarks/store_writers.py`; the tables are made by whoever comes first."""
    command = [sys.executable, str(ROOT / "benchmarks" / "store_writers.py"), "--store", place]
    command += ["--writers", "4", "--saves", "60", "--kills", "1", "--replays", "10"]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads(done.stdout)
    assert (report["acknowledged"], report["killed"], report["replayed"]) == (60, 2, 10)
    assert (report["missing"], report["not_as_saved"], report["not_the_same"]) == (0, 0, 0)
    assert 60 <= report["in_the_store"] <= 61
    assert "regard" not in done.stdout + done.stderr


def test_a_server_that_crashes_under_its_writers(own_postgresql: str, plan: allocator.Plan) -> None:
    """A server process is killed: PostgreSQL then drops every connection, recovers and goes on. Writers are told, keep their
    store, and what was acknowledged is there."""
    import psycopg

    place = own_postgresql.rpartition("/")[0] + "/saves"
    with psycopg.connect(own_postgresql, autocommit=True) as direct:
        direct.execute("CREATE DATABASE saves")
    saved: list[str] = []
    told: list[str] = []

    def writer(store: Store, until: int) -> None:
        while len(saved) < until:
            try:
                saved.append(store.save(plan, who="x"))
            except StoreError as error:
                told.append(error.text("en"))
                time.sleep(0.05)

    with Store(place) as store:
        for _ in range(3):
            with ThreadPoolExecutor(3) as pool:
                first = len(saved)
                writers = [pool.submit(writer, store, first + 60) for _ in range(3)]
                assert eventually(lambda first=first: len(saved) > first + 10)
                with psycopg.connect(place) as direct:
                    os.kill(direct.info.backend_pid, signal.SIGKILL)
                for each in writers:
                    each.result()
        assert told and all("server unreachable or connection refused" in text for text in told)
        assert not any(PASSWORD in text for text in told)
        there = list(store.list()["id"])
        assert set(saved) <= set(there) and len(saved) <= len(there) <= len(saved) + len(told)
        assert all(store.plan(one).certified for one in there)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_test_run_that_is_killed_leaves_no_server(how: int, tmp_path: Path, postgresql: str) -> None:
    """Of the fixture itself, which `postgresql` here only says can be had."""
    (tmp_path / "test_it.py").write_text(
        "import time\ndef test_it(postgresql):\n    print('ready', flush=True); time.sleep(60)\n"
    )
    command = [sys.executable, "-m", "pytest", "-qs", "-p", "conftest", f"--basetemp={tmp_path / 'base'}", "test_it.py"]
    environment = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "tests")])}
    killed = subprocess.Popen(command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True)
    assert killed.stdout is not None
    with killed, killed.stdout:
        try:
            assert "ready" in killed.stdout.readline()
            told = json.loads((tmp_path / "base" / "postgresql.json").read_text())
            port, folder = int(told["url"].rpartition(":")[2].partition("/")[0]), Path(told["folder"])
            assert answers(port) and folder.exists()
        finally:
            killed.send_signal(how)
    assert eventually(lambda: not answers(port) and not folder.exists())


def answers(port: int) -> bool:
    with socket.socket() as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


def eventually(so: Callable[[], object], seconds: float = 40) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if so():
            return True
        time.sleep(0.05)
    return False


# --- A rule that looks back to a saved plan


CONTINUITY: dict[str, Any] = {"kind": "continuity", "id": "suite", "max_change": "0 %", "per": "territory"}


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """This user's own store, elsewhere for the test."""
    file = tmp_path / "mine" / "store.sqlite"
    file.parent.mkdir()
    monkeypatch.setenv("ALLOCATOR_STORE", str(file))
    monkeypatch.setenv("ALLOCATOR_WHO", "moi")
    return file


def test_a_reference_may_be_a_saved_plan(mine: Path, plan: allocator.Plan, tmp_path: Path) -> None:
    with Store() as store:
        made = store.save(plan)
    by_id = valley(({**CONTINUITY, "reference": made[:8]},))
    by_plan = valley(({**CONTINUITY, "reference": plan},))
    assert by_id.input_hash == by_plan.input_hash
    # in files, where a text is a path as a rule
    folder = tmp_path / "suite"
    save(valley(()), folder)
    yaml = folder / "scenario.yaml"
    rule = f"constraints:\n- {{kind: continuity, id: suite, max_change: 0 %, per: territory, reference: {made}}}\n"
    yaml.write_text(yaml.read_text().replace("constraints: []\n", rule))
    assert allocator.load(folder).input_hash == by_id.input_hash
    # a file of that name comes first
    (folder / made).mkdir()
    (folder / made / "grants.csv").write_text("demand,cents\nd1,100\n")
    assert allocator.load(folder).constraints[0].reference == (("d1", 100, "", "", "", None),)


def test_a_reference_that_is_not_there_is_told_with_its_place(mine: Path, plan: allocator.Plan) -> None:
    for told in ("nothing has been saved here yet", "unknown id “pabcdef”"):
        with pytest.raises(allocator.ScenarioError) as error:
            valley(({**CONTINUITY, "reference": "pabcdef"},))
        assert "constraints[0].reference: reference “pabcdef”" in error.value.text("en")
        assert told in error.value.text("en")
        with Store() as store:
            store.save(plan)


# --- The command line


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    status = cli.main([*arguments, "--lang", "en"])
    out = capsys.readouterr()
    return status, out.out, out.err


def test_commands(mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "history")[0] == 2
    folder = str(tmp_path / "vallee")
    save(valley(), folder)
    status, out, _ = run(capsys, "solve", folder, "--save", "--words", "a first draft", "--json")
    made = json.loads(out)["saved"]
    assert status == 0 and saved.is_id(made)
    assert f"Saved: {saved_in(run(capsys, 'solve', folder, '--save')[1])}"
    status, out, _ = run(capsys, "decide", made[:9], "--words", "adopted", "--who", "the council", "--json")
    assert status == 0 and json.loads(out) | {"id": "", "at": ""} == {
        "id": "", "at": "", "who": "the council", "words": "adopted", "plan": made,
    }  # fmt: skip
    status, out, _ = run(capsys, "history", "--json")
    first, second = json.loads(out)["plans"]
    assert (first["id"], first["version"], first["words"], first["who"]) == (made, 1, "a first draft", "moi")
    assert [d["words"] for d in first["decisions"]] == ["adopted"]
    assert (second["version"], second["decisions"]) == (2, [])
    _, out, _ = run(capsys, "history")
    assert "adopted" in out and "€3,800,000" in out
    _, out, _ = run(capsys, "history", made)
    assert "the council : adopted" in out and "Engine : sifting (gap 0.01%)" in out and "allocator 0." in out
    status, out, _ = run(capsys, "replay", made, "--out", str(tmp_path / "again"))
    assert status == 0 and "the same to the cent (4 grants, €3,800,000)" in out
    assert (tmp_path / "again" / "grants.csv").is_file()
    status, out, _ = run(capsys, "replay", made, "--json")
    assert status == 0 and json.loads(out)["same"] is True
    assert run(capsys, "replay", "p0000")[0] == 2


def saved_in(out: str) -> str:
    return out.partition("Saved: ")[2].strip()


def test_a_replay_that_differs_ends_with_4(
    mine: Path, plan: allocator.Plan, capsys: pytest.CaptureFixture[str]
) -> None:
    assert plan.reading is not None
    with Store() as store:
        made = store.save(replace(plan, reading=replace(plan.reading, cents=plan.reading.cents - 1)))
    status, out, _ = run(capsys, "replay", made)
    assert status == 4 and "what changed" in out and "grant(s) differ" in out


def test_solve_looks_back_in_the_store_it_is_given(
    mine: Path, plan: allocator.Plan, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = str(tmp_path / "other.sqlite")
    with Store(other) as store:
        made = store.save(plan)
    folder = tmp_path / "suite"
    save(valley(()), folder)
    yaml = folder / "scenario.yaml"
    rule = f"constraints:\n- {{kind: contains, id: suite, reference: {made}}}\n"
    yaml.write_text(yaml.read_text().replace("constraints: []\n", rule))
    assert made in yaml.read_text()
    assert run(capsys, "solve", str(folder))[0] == 2
    assert run(capsys, "solve", str(folder), "--store", other)[0] == 0


def test_a_plan_is_not_lost_with_its_store(
    mine: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A store that cannot be opened is told before the solve; one that fails after it does not take the plan along."""
    folder = str(tmp_path / "vallee")
    save(valley(), folder)
    status, out, err = run(capsys, "solve", folder, "--save", "--store", str(tmp_path / "no" / "where.sqlite"))
    assert status == 2 and "cannot be opened" in err and not out

    def full(*_: object, **__: object) -> str:
        raise StoreError([])

    monkeypatch.setattr(Store, "save", full)
    status, out, _ = run(capsys, "solve", folder, "--save", "--json")
    assert status == 2 and json.loads(out)["totals"]["granted"] == 380_000_000 and "saved" not in json.loads(out)
    assert run(capsys, "solve", folder, "--words", "x")[0] == 2


def test_help_waits_for_no_database() -> None:
    code = "import sys, allocator.cli\ntry: allocator.cli.main(['--help'])\nexcept SystemExit: pass\n"
    code += "print(sorted({'sqlalchemy', 'alembic', 'pyarrow', 'pandas'} & set(sys.modules)))"
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout.splitlines()[-1] == "[]"


def test_the_usual_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, plan: allocator.Plan) -> None:
    monkeypatch.delenv("ALLOCATOR_STORE", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", "linux")
    assert default_place() == str(tmp_path / "allocator" / "store.sqlite")
    with allocator.Store() as store:
        store.save(plan, who="moi")
    assert (tmp_path / "allocator" / "store.sqlite").is_file()

"""Jobs in the background: shared, stopped, given up, waited for; scenarios kept and read back."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import allocator
from allocator.problems import Problem
from allocator.texts import Text

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from valley import valley

from ui import access, work
from ui import collection as shelves
from ui.collection import LENGTH, Collection
from ui.work import Job, Workshop


@pytest.fixture
def scenario() -> allocator.Scenario:
    return tiny(1000)


def tiny(euros: int) -> allocator.Scenario:
    return valley((), funds=[{"id": "f", "amount": euros}])


def until(true: Callable[[], Any], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it takes too long"
        time.sleep(0.01)


@pytest.fixture
def shop() -> Workshop:
    return Workshop()


@pytest.fixture
def who(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes what follows come from this session."""

    def become(name: str) -> None:
        monkeypatch.setattr(work, "reader", lambda: name)

    become("ann")
    return become


class Gate:
    """A job that goes on until it is let through, or is to end."""

    def __init__(self) -> None:
        self.begun, self.open, self.times = threading.Event(), threading.Event(), 0

    def __call__(self, job: Job) -> str:
        self.times += 1
        self.begun.set()
        while not self.open.wait(0.01):
            if job.ending:
                return "half"
        return "whole"


def test_two_who_ask_the_same_are_given_one_job(shop: Workshop, who: Callable[[str], None]) -> None:
    gate = Gate()
    first = shop.ask(("a",), gate)
    who("bob")
    assert shop.ask(("a",), gate) is first
    gate.open.set()
    assert first.wait(5)
    assert (first.result, first.state, gate.times) == ("whole", "done", 1)
    assert shop.ask(("a",), gate) is first


def test_who_stops_keeps_the_half_and_nobody_else_is_given_it(shop: Workshop, who: Callable[[str], None]) -> None:
    gate = Gate()
    half = shop.ask(("a",), gate)
    assert gate.begun.wait(5)
    half.stop()
    assert half.wait(5)
    assert shop.ask(("a",), gate) is half
    assert half.result == "half" and half.stopped
    who("bob")
    whole = shop.ask(("a",), gate)
    assert whole is not half
    gate.open.set()
    assert whole.wait(5) and whole.result == "whole"
    who("ann")
    assert shop.ask(("a",), gate) is half
    shop.forget(("a",))
    again = shop.ask(("a",), gate)
    assert again.wait(5) and again.result == "whole"


def test_a_job_that_has_not_begun_stops_at_once() -> None:
    shop = Workshop(threads=0)
    job = shop.ask(("a",), Gate())
    job.stop()
    assert job.over and job.state == "stopped" and job.result is None
    assert shop.ask(("a",), Gate()) is job


def test_as_many_questions_as_threads_wait_for_their_plans(shop: Workshop) -> None:
    """Each would hold a thread that its own plan needs."""
    hold = [Gate(), Gate()]
    for k, gate in enumerate(hold):
        shop.ask((f"before-{k}",), gate)
    asked = []
    for k in range(3):
        made = shop.ask((f"plan-{k}",), lambda job: "plan")
        asked.append(shop.ask((f"question-{k}",), lambda job, made=made: made.result + " told", later=True, after=made))
        assert asked[-1].front is made
    for gate in hold:
        gate.open.set()
    assert all(job.wait(5) for job in asked)
    assert {job.result for job in asked} == {"plan told"}


def test_what_a_screen_waits_for_comes_before_what_it_left(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    hold = [Gate(), Gate()]
    for k, gate in enumerate(hold):
        shop.ask((f"before-{k}",), gate)
        assert gate.begun.wait(5)
    order: list[str] = []
    old = shop.ask(("old",), lambda job: order.append("old"))
    old.asked -= work.LOOKED_AT + 1
    shop.ask(("later",), lambda job: order.append("later"), later=True)
    shop.ask(("now",), lambda job: order.append("now"))
    hold[0].open.set()
    until(lambda: len(order) == 3)
    hold[1].open.set()
    assert order == ["now", "later", "old"]


def test_what_nobody_asks_for_any_more_is_given_up(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    gates = [Gate(), Gate()]
    begun = [shop.ask((f"begun-{k}",), gate) for k, gate in enumerate(gates)]
    assert all(gate.begun.wait(5) for gate in gates)
    waiting = shop.ask(("waiting",), Gate())
    monkeypatch.setattr(work, "LEFT_ALONE", 0.3)
    while not begun[0].over:  # its screen still asks for the second, and for what has not begun
        assert shop.ask(("begun-1",), gates[1]) is begun[1]
        time.sleep(0.02)
    until(lambda: waiting.over or shop.ask(("begun-1",), gates[1]) is not begun[1])
    assert waiting.over and waiting.left and not begun[1].left
    for gate in gates:
        gate.open.set()
    anew = shop.ask(("begun-0",), gates[0])
    assert anew is not begun[0] and anew.wait(5)
    assert anew.result == "whole", "half of it was kept"


def test_pieces_are_taken_up_where_they_were_left(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    go_on = threading.Event()

    def counting(job: Job) -> list[int]:
        each = list(job.sofar or ())
        job.begun = job.share = len(each) / 4
        while len(each) < 4:
            each.append(len(each))
            job.sofar, job.share = list(each), len(each) / 4
            while len(each) == 2 and not go_on.wait(0.02):
                job.tell(Text("en route", "on its way"))
        return each

    first = shop.ask(("pieces",), counting)
    until(lambda: first.share == 0.5)
    assert first.remaining is not None and first.remaining == pytest.approx(first.seconds, abs=0.1)
    monkeypatch.setattr(work, "LEFT_ALONE", 0.1)
    assert first.wait(5) and first.left
    monkeypatch.undo()
    go_on.set()
    again = shop.ask(("pieces",), counting)
    assert again is not first and again.wait(5)
    assert (again.begun, again.result) == (0.5, [0, 1, 2, 3])


def test_a_thread_outlives_whatever_a_job_does(shop: Workshop, caplog: pytest.LogCaptureFixture) -> None:
    class Panic(BaseException):
        """As extensions written in Rust raise."""

    def panics(_: Job) -> None:
        raise Panic

    failed = [shop.ask((f"panic-{k}",), panics) for k in range(4)]
    assert all(job.wait(5) for job in failed)
    assert {job.state for job in failed} == {"failed"}
    job = shop.ask(("after",), lambda job: 1)
    assert job.wait(5) and job.result == 1


def test_a_refusal_is_kept_until_it_is_forgotten(shop: Workshop) -> None:
    wrong = allocator.ScenarioError([Problem("", Text("faux", "wrong"))])

    def refused(_: Job) -> None:
        raise wrong

    job = shop.ask(("a",), refused)
    assert job.wait(5) and job.state == "refused" and job.refusal is wrong
    assert shop.ask(("a",), lambda job: 1) is job
    shop.forget(("a",))
    anew = shop.ask(("a",), lambda job: 1)
    assert anew.wait(5) and anew.result == 1


def test_results_are_not_kept_for_ever(shop: Workshop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(work, "KEPT", 5)
    for k in range(20):
        assert shop.ask((f"{k}",), lambda job: 1).wait(5)
    until(lambda: len(shop._jobs) == 5)
    assert ("19",) in shop._jobs and ("0",) not in shop._jobs


def test_large_plans_leave_room(shop: Workshop, monkeypatch: pytest.MonkeyPatch, scenario: allocator.Scenario) -> None:
    class Made:
        def __init__(self) -> None:
            self.scenario = scenario

    monkeypatch.setattr(work, "HEAVY", 3 * len(scenario.demands))
    for k in range(6):
        assert shop.ask((f"{k}",), lambda job: Made()).wait(5)
    until(lambda: len(shop._jobs) == 3)


@pytest.fixture
def kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Collection]:
    """A collection and a workshop of this test alone."""
    mine, shop = Collection(str(tmp_path / "store.sqlite")), Workshop()
    for module in (work, shelves):
        monkeypatch.setattr(module, "collection", lambda: mine)
    monkeypatch.setattr(work, "workshop", lambda: shop)
    yield mine
    mine.flush()


def test_a_plan_and_a_question_about_it(kept: Collection, scenario: allocator.Scenario) -> None:
    ref = kept.keep(scenario)
    asked = work.question(ref, fund="f", brief=True)
    assert work.question(ref, fund="f", brief=True) is asked
    assert asked.wait(20), asked
    assert asked.state == "done", asked
    assert work.plan(ref).result.status == "optimal"
    assert str(asked.result.answer)


def test_a_question_about_half_a_plan_is_its_readers_alone(
    kept: Collection, scenario: allocator.Scenario, who: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, solve = Gate(), allocator.solve
    monkeypatch.setattr(allocator, "solve", lambda given, **how: [gate(work.plan(ref)), solve(given)][1])
    ref = kept.keep(scenario)
    made = work.plan(ref)
    assert gate.begun.wait(5)
    made.stop()
    mine = work.question(ref, fund="f", brief=True)
    who("bob")
    gate.open.set()
    other = work.question(ref, fund="f", brief=True)
    assert other is not mine and work.plan(ref) is not made
    assert mine.wait(20) and other.wait(20)


def test_a_question_about_no_scenario_is_refused(kept: Collection) -> None:
    asked = work.question("0" * LENGTH, fund="f")
    assert asked.wait(20) and asked.state == "refused"
    assert "n'est pas sur ce serveur" in asked.refusal.problems[0].text("fr")


def test_a_variant_outlives_the_server(tmp_path: Path, scenario: allocator.Scenario) -> None:
    place = str(tmp_path / "store.sqlite")
    before = Collection(place)
    ref = before.keep(scenario)
    before.flush()
    assert Collection(place).scenario(ref).input_hash == scenario.input_hash
    with pytest.raises(allocator.ScenarioError, match="n'est pas sur ce serveur"):
        Collection(str(tmp_path / "other.sqlite")).scenario(ref)


def test_to_look_makes_no_store(tmp_path: Path) -> None:
    """Anyone who may read may open an address that names anything."""
    place = tmp_path / "store.sqlite"
    with pytest.raises(allocator.ScenarioError, match="n'est pas sur ce serveur"):
        Collection(str(place)).scenario("0" * LENGTH)
    assert not place.exists()


def test_a_variant_of_an_office_that_shares_postgresql(empty_database: Callable[..., str], scenario) -> None:
    place = empty_database()
    before = Collection(place)
    ref = before.keep(scenario)
    before.flush()
    assert before.failure is None
    assert Collection(place).scenario(ref).input_hash == scenario.input_hash
    with pytest.raises(allocator.ScenarioError, match="n'est pas sur ce serveur"):
        Collection(place).scenario("0" * LENGTH)
    gone = Collection(place.rpartition("/")[0] + "/gone")
    with pytest.raises(allocator.ScenarioError, match="hors d'atteinte"):
        gone.scenario(ref)


def test_what_could_not_be_saved_is_kept_and_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(shelves, "HELD", 2)
    monkeypatch.setattr(shelves, "AGAIN", 0.2)
    folder = tmp_path / "gone"
    there = Collection(str(folder / "store.sqlite"))
    refs = [there.keep(tiny(euros)) for euros in range(1000, 1005)]
    there.flush()
    assert "perdus à l'arrêt" in str(there.failure)
    assert [there.scenario(ref).input_hash[:LENGTH] for ref in refs] == refs, "more than are held"
    with pytest.raises(allocator.ScenarioError, match="n'est pas sur ce serveur"):
        there.scenario("0" * LENGTH)
    folder.mkdir()
    until(lambda: there.failure is None and not there._unsaved)
    assert Collection(str(folder / "store.sqlite")).scenario(refs[0])


def test_a_store_that_is_damaged_says_so(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    place = tmp_path / "store.sqlite"
    place.write_bytes(b"not a database at all" * 100)
    with pytest.raises(allocator.ScenarioError, match="hors d'atteinte"):
        Collection(str(place)).scenario("0" * LENGTH)
    with pytest.raises(allocator.ScenarioError, match="n'est pas sur ce serveur"):
        Collection(str(place)).scenario("../../etc/passwd")


def test_a_store_that_is_busy_loses_nothing(tmp_path: Path, scenario: allocator.Scenario) -> None:
    place = tmp_path / "store.sqlite"
    there = Collection(str(place))
    there.keep(tiny(999))
    there.flush()
    other = sqlite3.connect(place, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    ref = there.keep(scenario)
    assert there.scenario(ref) is scenario
    time.sleep(0.3)
    other.execute("COMMIT")
    other.close()
    there.flush()
    assert there.failure is None
    assert Collection(str(place)).scenario(ref).input_hash == scenario.input_hash


def test_the_store_itself_refuses_a_reader(
    tmp_path: Path, scenario: allocator.Scenario, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Should a screen ever forget to ask."""
    there = Collection(str(tmp_path / "store.sqlite"))
    reader = access.Visitor("paul@region.example", "read")
    monkeypatch.setattr(access, "visitor", lambda: reader)
    with pytest.raises(allocator.ScenarioError, match="pas le droit"):
        there.keep(scenario)
    monkeypatch.setattr(access, "require", lambda role: reader)
    ref = there.keep(scenario)
    there.flush()
    assert there.failure is not None
    monkeypatch.undo()
    with pytest.raises(allocator.ScenarioError, match="n'est pas sur ce serveur"):
        Collection(str(tmp_path / "store.sqlite")).scenario(ref)

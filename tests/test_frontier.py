"""The frontier of two or three aims, against every plan there is."""

from __future__ import annotations

import json
import os
import signal
from fractions import Fraction
from itertools import product
from typing import Any
from xml.etree import ElementTree

import pandas as pd
import pytest
from brute_force import TooMany
from brute_force import nondominated as nondominated_values
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import scenarios

import allocator
from allocator.cli import main
from allocator.formats import save
from allocator.frontier import search
from allocator.frontier.knee import knee
from allocator.frontier.search import Search

TERRITORIES = pd.DataFrame(
    {
        "id": ["a", "b", "c"], "name": ["A", "B", "C"], "region": ["11", "11", "53"],
        "departement": ["75", "77", "35"], "population": [1000, 2000, 3000],
    }
)  # fmt: skip
DEMANDS = pd.DataFrame(
    {
        "id": ["a1", "a2", "b1", "c1", "c2"], "territory": ["a", "a", "b", "c", "c"],
        "measure": ["ecole", "ecole", "site", "ecole", "site"], "units": [2, 1, 2, 1, 2],
        "asked": [100, 30, 50, 80, 20], "emplois": [7, 1, 3, 6, 2],
    }
)  # fmt: skip
PEOPLE = {"a": 1000, "b": 2000, "c": 3000}


def scenario(*constraints: Any, amount: float = 200, demands: pd.DataFrame = DEMANDS, lumpy: bool = True) -> Any:
    measures = [{"id": "ecole", "lumpy": lumpy}, {"id": "site", "lumpy": lumpy}]
    return allocator.Scenario(
        "t", [2026], [{"id": "f", "amount": amount}], measures, TERRITORIES, demands, list(constraints),
        {"maximise": {"emplois": 1}},
    )  # fmt: skip


def every_plan(demands: pd.DataFrame, amount: float) -> list[tuple[int, ...]]:
    """Units of each demand in every way that the fund can pay."""
    asked = demands["asked"].tolist()
    ways = product(*(range(n + 1) for n in demands["units"]))
    return [units for units in ways if sum(a * u for a, u in zip(asked, units, strict=True)) <= amount]


def value(aim: str, demands: pd.DataFrame, units: tuple[int, ...]) -> Fraction:
    """What a plan has of an aim, more being better."""
    rows = list(zip(demands["territory"], demands["measure"], demands["asked"], demands["emplois"], units, strict=True))
    if aim in ("emplois", "points"):
        return Fraction(sum(e * n for *_, e, n in rows))
    if aim == "euros":
        return Fraction(-sum(a * n for _, _, a, _, n in rows))
    if aim.startswith("units:"):
        return Fraction(sum(n for _, m, _, _, n in rows if m == aim[6:]))
    per = {t: t for t in PEOPLE} if aim == "maximin:territory" else {"a": "11", "b": "11", "c": "53"}
    paid = {group: Fraction(0) for group in per.values()}
    asking = {per[t] for t, *_ in rows}
    for t, _, a, _, n in rows:
        paid[per[t]] += a * n
    people = {group: sum(PEOPLE[t] for t in PEOPLE if per[t] == group) for group in paid}
    return min(paid[group] / people[group] for group in asking)


def nondominated(aims: tuple[str, ...], demands: pd.DataFrame, amount: float) -> set[tuple[Fraction, ...]]:
    """What no plan beats, by trying every plan."""
    found = {tuple(value(aim, demands, units) for aim in aims) for units in every_plan(demands, amount)}
    return {p for p in found if not any(q != p and all(b >= a for a, b in zip(p, q, strict=True)) for q in found)}


def shown(frontier: allocator.Frontier) -> list[tuple[Fraction, ...]]:
    return [frontier.values(point) for point in frontier.points]


PAIRS = [
    ("emplois", "euros"), ("euros", "emplois"), ("emplois", "maximin:territory"), ("maximin:territory", "euros"),
    ("euros", "maximin:region"), ("emplois", "units:site"), ("units:ecole", "units:site"), ("maximin:region", "points"),
    ("units:site", "maximin:territory"),
]  # fmt: skip


@pytest.mark.parametrize("aims", PAIRS)
def test_every_nondominated_point_is_found(aims: tuple[str, str]) -> None:
    found = allocator.frontier(scenario(), *aims, points=50, gap=0)
    expected = nondominated(aims, DEMANDS, 200)
    assert set(shown(found)) == expected and len(found.points) == len(expected)
    assert found.complete and found.status == "optimal"
    assert all(plan.certificate.ok for plan in found.plans)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    rows = draw(
        st.lists(
            st.tuples(
                st.sampled_from("abc"), st.sampled_from(["ecole", "site"]), st.integers(1, 3), st.integers(1, 12),
                st.integers(0, 9),
            ),
            min_size=3, max_size=6,
        )
    )  # fmt: skip
    columns = ("territory", "measure", "units", "asked", "emplois")
    table = pd.DataFrame([dict(zip(columns, row, strict=True)) for row in rows])
    return table.assign(asked=10 * table["asked"], id=[f"d{k}" for k in range(len(rows))])


@given(
    demands=tables(),
    part=st.integers(20, 90),
    aims=st.permutations(["emplois", "euros", "maximin:region", "units:site"]),
)
@settings(max_examples=8, deadline=None, derandomize=True)
def test_random_whole_units(demands: pd.DataFrame, part: int, aims: list[str]) -> None:
    amount = int((demands["asked"] * demands["units"]).sum() * part / 100)
    found = allocator.frontier(scenario(demands=demands, amount=amount), *aims[:2], points=200, gap=0)
    expected = nondominated((aims[0], aims[1]), demands, amount)
    assert set(shown(found)) == expected and len(found.points) == len(expected)
    assert found.complete
    assert found.table["x"].tolist() == sorted(found.table["x"], reverse=aims[0] != "euros")


OWN = {
    "euros": {"minimise": "euros"},
    "maximin:region": {"maximin": {"per": "region"}},
    "maximin:territory": {"maximin": {"per": "territory"}},
}


@given(
    scenario=scenarios(
        demands=(2, 5), funds=(1, 2), years=(1, 2), constraints=(0, 3), whole_units="all", tiny=True, odd_cents=False
    ),
    name=st.sampled_from([*OWN, "emplois"]),
    turned=st.booleans(),
)
@settings(max_examples=15, deadline=None, derandomize=True)
def test_any_rules_on_whole_units_against_brute_force(scenario: Any, name: str, turned: bool) -> None:
    levels = [scenario.objective, OWN.get(name, {"maximise": {name: 1}})]
    try:
        expected = nondominated_values(scenario.with_(objective={"lexicographic": levels}), 200_000)
        found = allocator.frontier(scenario, *(("points", name) if not turned else (name, "points")), points=200, gap=0)
    except (TooMany, allocator.ScenarioError):  # not tiny; or nobody to be the worst off, or no such indicator
        assume(False)
    assert {point.values for point in found.points} == expected and len(found.points) == len(expected)
    assert found.complete or found.status == "infeasible"


@pytest.mark.parametrize("wanted", [2, 3, 5])
def test_fewer_points_than_there_are_keep_both_ends(wanted: int) -> None:
    every = nondominated(("emplois", "euros"), DEMANDS, 200)
    found = allocator.frontier(scenario(), "emplois", "euros", points=wanted, gap=0)
    assert len(found.points) == wanted < len(every) and not found.complete
    assert {max(every), max(every, key=lambda p: p[1])} <= set(shown(found)) <= every


def test_what_soft_rules_take_counts_against_points() -> None:
    wish = {"kind": "count", "on": {"measures": ["site"]}, "min": 4, "soft": 2}
    found = allocator.frontier(scenario(wish), "units:ecole", "points", points=50, gap=0)
    every = set()
    for units in every_plan(DEMANDS, 200):
        short = max(0, 4 - value("units:site", DEMANDS, units))
        every.add((value("units:ecole", DEMANDS, units), value("emplois", DEMANDS, units) - 2 * short))
    expected = {p for p in every if not any(q != p and q[0] >= p[0] and q[1] >= p[1] for q in every)}
    assert set(shown(found)) == expected and found.complete


def test_corners_of_divisible_money() -> None:
    found = allocator.frontier(scenario(lumpy=False), "emplois", "euros", points=12)
    # by jobs per euro: c2 (4 jobs, 40 €), c1 (6 jobs, 80 €), then 0.8 of a1 with what is left
    corners = [(15.6, 200), (10, 120), (4, 40), (0, 0)]
    table = found.table
    for jobs, euros in corners:
        assert ((table["x"] - jobs).abs().lt(1e-2) & (table["y"] - euros).abs().lt(0.02)).any(), (jobs, euros)
    assert found.straight and not found.complete and found.status == "optimal"
    assert len(found.points) == 12, "the rest lies between the corners"
    assert found.knee is not None and table["y"][found.knee] == pytest.approx(40, abs=0.02)
    assert (table["x_bound"] >= table["x"] - 1e-9).all()


def test_few_points_of_divisible_money_do_not_claim_every_corner() -> None:
    found = allocator.frontier(scenario(lumpy=False), "emplois", "euros", points=3)
    assert len(found.points) == 3 and not found.straight


def test_three_aims() -> None:
    aims = ("emplois", "euros", "units:site")
    every = nondominated(aims, DEMANDS, 200)
    found = allocator.frontier(scenario(), *aims, points=16, gap=0)
    mine = shown(found)
    assert set(mine) <= every and len(set(mine)) == len(mine) > 4
    for k in range(3):
        assert max(p[k] for p in mine) == max(p[k] for p in every)
    assert found.table["knee"].sum() == (found.knee is not None)
    assert {"z", "z_bound", "z_asked"} <= set(found.table)


def test_each_row_is_a_scenario_of_its_own_and_says_its_rules() -> None:
    found = allocator.frontier(scenario(), "emplois", "maximin:territory", points=6, gap=0)
    report = found.as_dict()
    assert json.loads(json.dumps(report, allow_nan=False)) == report
    assert list(found.table["input_hash"]) == [plan.scenario.input_hash for plan in found.plans]
    for plan, row in zip(found.plans, report["points"], strict=True):
        rebuilt = scenario(*row["rules"]).with_(objective=row["objective"])
        assert allocator.solve(rebuilt, gap=0).objective == plan.objective == row["x"]
        assert row["granted"] == plan.grants["cents"].sum()
    assert set(found.grants["point"]) == set(range(len(found.points)))


def test_aims_that_are_not_at_odds() -> None:
    found = allocator.frontier(scenario(amount=10_000), "emplois", "units:site", gap=0)
    assert len(found.points) == 1 and found.complete and found.knee is None
    assert "ne s'opposent pas" in found.says[0].fr


def test_no_plan_at_all_names_the_rules(tmp_path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    too_much = {"kind": "floor", "id": "trop", "amount": 100_000}
    found = allocator.frontier(scenario(too_much), "emplois", "euros")
    assert found.status == "infeasible" and found.points == [] and len(found.table) == 0 and found.knee is None
    assert "trop" in json.dumps(found.as_dict()["conflict"])
    save(scenario(too_much), tmp_path / "s")
    assert main(["frontier", str(tmp_path / "s"), "--x", "emplois", "--y", "euros"]) == 3
    assert "trop" in capsys.readouterr().out


def test_what_is_wrong_is_told_at_once() -> None:
    with pytest.raises(allocator.ScenarioError) as error:
        allocator.frontier(scenario(), "emplos", "maximin:regio", "units:sit", points=1)
    assert [p.place for p in error.value.problems] == ["points", "x", "y", "z"]
    assert "emplois" in error.value.text("fr") and "site" in error.value.text("fr")
    with pytest.raises(allocator.ScenarioError, match="déjà"):
        allocator.frontier(scenario(), "points", "objectif")
    steps = [{"id": "ecole", "steps": [{"up_to": 0.5, "value": 1}, {"up_to": 1, "value": 0.5}]}, {"id": "site"}]
    with pytest.raises(allocator.ScenarioError, match="paliers"):
        allocator.frontier(scenario().with_(measures=steps), "points", "emplois")


def test_units_of_a_measure_asked_every_year() -> None:
    annual = [{"id": "ecole", "lumpy": True}, {"id": "site", "lumpy": True, "annual": True}]
    once = scenario(demands=DEMANDS.assign(units=[2, 1, 1, 1, 1]))
    found = allocator.frontier(once.with_(years=[2026, 2027], measures=annual), "emplois", "units:site", gap=0)
    assert found.table["y"].max() == 4, "two sites, each of two years"


@pytest.mark.parametrize(
    ("points", "row"),
    [
        ([(3, 0), (2, 2), (0, 3)], 1),
        ([(4, 0), (3, 1), (2, 2), (0, 4)], None),  # on the line
        ([(4, 0), (1, 1), (0, 4)], None),  # short of it
        ([(1, 0), (0, 1)], None),
        ([(10, 0, 0), (8, 8, 8), (0, 10, 0), (0, 0, 10)], 1),
    ],
)
def test_knee(points: list[tuple[int, ...]], row: int | None) -> None:
    assert knee([tuple(map(Fraction, point)) for point in points]) == row


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_command(tmp_path: Any, capsys: pytest.CaptureFixture[str], lang: str) -> None:
    save(scenario(), tmp_path / "s")
    out = tmp_path / "out"
    asked = ["--lang", lang, "frontier", str(tmp_path / "s"), "--x", "emplois", "--y", "euros", "--points", "6"]
    assert main([*asked, "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    assert ("coude" if lang == "fr" else "knee") in shown and "frontier.svg" in shown
    assert {path.name for path in out.iterdir()} == {"frontier.csv", "frontier.json", "frontier.svg", "grants.csv"}
    table = pd.read_csv(out / "frontier.csv")
    assert len(table) == 6 and table["knee"].sum() == 1
    picture = ElementTree.fromstring((out / "frontier.svg").read_text(encoding="utf-8"))
    tag = "{http://www.w3.org/2000/svg}"
    dots = picture.findall(f"{tag}circle")
    assert picture.get("role") == "img" and len(dots) == 6 and all(dot.find(f"{tag}title") is not None for dot in dots)
    title, desc = picture.find(f"{tag}title"), picture.find(f"{tag}desc")
    assert picture.get("aria-labelledby") == f"{title.get('id')} {desc.get('id')}" and "6" in desc.text
    xs = [float(dot.get("cx")) for dot in dots]
    assert xs == sorted(xs, reverse=True), "as the table: most of x first"
    assert main([*asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert [point["x"] for point in report["points"]] == table["x"].tolist()


def test_ctrl_c_ends_the_frontier_with_the_points_so_far(
    tmp_path: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    solves = []
    known = Search._ask

    def counted(self: Search, *given: Any) -> Any:
        solves.append(None)
        if len(solves) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return known(self, *given)

    monkeypatch.setattr(Search, "_ask", counted)
    save(scenario(), tmp_path / "s")
    asked = ["--lang", "en", "frontier", str(tmp_path / "s"), "--x", "emplois", "--y", "euros", "--points", "6"]
    assert main([*asked, "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(solves) == 4, "nothing is asked for after Ctrl-C"
    assert report["interrupted"] and not report["complete"] and report["status"] == "feasible"
    assert 2 <= len(report["points"]) < 6 and report["says"][0].startswith(f"Interrupted: the {len(report['points'])}")
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    solves.extend([None] * 4)
    assert main([*asked, "--json"]) == 0
    assert not json.loads(capsys.readouterr().out)["interrupted"]


@pytest.mark.parametrize("at", [1, 2])
def test_stopped_at_an_end_there_is_what_there_is(at: int) -> None:
    """In the first solve: a plan of it or none; then nothing more is solved."""
    asked = []
    found = allocator.frontier(
        scenario(),
        "emplois",
        "maximin:territory",
        on_point=lambda *_: asked.append(None),
        stop=lambda: len(asked) >= at,
    )
    assert len(asked) == at and found.interrupted and not found.complete
    assert (found.status, len(found.points)) == (("no_plan", 0) if at == 1 else ("feasible", 1))
    assert json.dumps(found.as_dict(), allow_nan=False)


def test_a_point_takes_no_more_than_its_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a solve is given, it takes all of it: all solves of a point fit within its limit, an end takes it twice."""
    from allocator.frontier import Session

    clock, given, together = [1000.0], [], []
    known = Session.solve

    def slow(self: Session, scenario: allocator.Scenario, **options: Any) -> allocator.Plan:
        assert self.time_limit is not None
        clock[0] += self.time_limit
        given.append(self.time_limit)
        together.append(hasattr(scenario.objective, "lexicographic"))
        self.time_limit = None  # the plan itself is not what is looked at
        return known(self, scenario, **options)

    monkeypatch.setattr(Session, "solve", slow)
    monkeypatch.setattr(search.time, "monotonic", lambda: clock[0])
    mixed = scenario().with_(measures=[{"id": "ecole", "lumpy": True}, {"id": "site"}])
    found = allocator.frontier(mixed, "emplois", "maximin:territory", points=5, time_limit=10)
    assert any(together) and not all(together), "aims one by one, then together"
    assert given[:2] == [8, 2], "the first point"
    assert len(found.points) >= 3
    assert all(point.seconds <= 10 + 1e-9 for point in found.points)


def test_unknown_aim_in_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["frontier", "rebond-urgence", "--x", "emplos", "--y", "euros"]) == 2
    assert "emplois" in capsys.readouterr().err

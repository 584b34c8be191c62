"""What a plan risks: draws against closed forms, indices against known ones, robust plans against every plan there is."""

from __future__ import annotations

import json
import math
import os
import signal
import sys
from fractions import Fraction
from itertools import product
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

import allocator
from allocator import data
from allocator.cli import main
from allocator.problems import ScenarioError
from allocator.report.risk import curve
from allocator.risk.assess import assess, turns_of
from allocator.risk.influence import influence
from allocator.risk.regret import least_regret
from allocator.risk.robust import prepared, price, weighing
from allocator.risk.uncertainty import FILE, Uncertain, Uncertainty, load
from allocator.scenario import Scenario

DEMANDS = {
    "id": ["a", "b", "c", "d"], "territory": ["t1", "t1", "t2", "t2"], "measure": ["m", "m", "m", "e"], "units": [2, 3, 4, 1],
    "asked": [100, 50, 80, 60], "cost": [200, 50, 160, 60], "emplois": [5, 2, 6, 3], "sols": [1, 4, 2, 0],
}  # fmt: skip
TERRITORIES = {
    "id": ["t1", "t2"], "name": ["T1", "T2"], "region": ["11", "53"], "departement": ["75", "35"], "population": [1, 2],
}  # fmt: skip


def scenario(**parts) -> Scenario:
    given = {
        "name": "petit", "years": [2026], "funds": [{"id": "f", "amount": 500}], "measures": [{"id": "m"}, {"id": "e"}],
        "territories": pd.DataFrame(TERRITORIES), "demands": pd.DataFrame(DEMANDS), "constraints": [],
        "objective": {"maximise": {"emplois": 1}},
    }  # fmt: skip
    return Scenario(**(given | parts))


def uncertainty(*uncertain, **parts) -> Uncertainty:
    return Uncertainty.model_validate({"uncertain": uncertain, **parts})


@pytest.fixture(scope="module")
def plan():
    return allocator.solve(scenario())


# ------------------------------------------------------------------------------------------------ draws


@pytest.mark.parametrize(
    ("law", "quantiles"),
    [
        ({"range": [1, 3]}, {0.1: 1.2, 0.5: 2, 0.9: 2.8}),
        ({"triangular": [0, 0, 1]}, {0.1: 1 - math.sqrt(0.9), 0.5: 1 - math.sqrt(0.5), 0.9: 1 - math.sqrt(0.1)}),
        ({"triangular": [2, 2, 2]}, {0.5: 2}),
        ({"lognormal": {"median": 2, "p90": 5}}, {0.1: 0.8, 0.5: 2, 0.9: 5}),
        ({"discrete": [{"value": 3, "weight": 1}, {"value": 1, "weight": 3}]}, {0.2: 3, 0.3: 1, 0.999999: 1, 0.0: 3}),
    ],
    ids=str,
)
def test_each_law_is_its_own(law, quantiles):
    item = Uncertain.model_validate({"id": "x", **law})
    found = item.at(np.array(list(quantiles)))
    assert found == pytest.approx(list(quantiles.values()), rel=1e-9)
    u = np.random.default_rng(1).random(1000)
    assert (item.at(u) >= float(item.lowest) - 1e-12).all()


def test_need_of_a_fund_follows_the_closed_form(plan):
    """Everything dearer by a factor even between 0.8 and 1.4, one for all: need is 500 times that."""
    risk = assess(plan, uncertainty({"id": "prix", "by": "all", "range": [0.8, 1.4]}), samples=20_000, seed=3)
    (row,) = risk.funds.to_dict("records")
    assert row["envelope"] == row["granted"] == 50_000
    for name, share in (("need_p10", 0.86), ("need_p50", 1.1), ("need_p90", 1.34)):
        assert row[name] == pytest.approx(50_000 * share, abs=5 * 50_000 * 0.6 * 0.5 / math.sqrt(20_000))
    assert row["low"] < 2 / 3 < row["high"] and row["high"] - row["low"] < 0.015
    assert row["mean"] == pytest.approx(55_000, abs=4 * row["mean_error"])
    assert row["mean_error"] == pytest.approx(50_000 * 0.6 / math.sqrt(12 * 20_000), rel=0.03, abs=1)
    assert row["expected_overrun"] == pytest.approx(50_000 * 0.4**2 / 2 / 0.6, rel=0.03)
    assert row["worst"] == pytest.approx(50_000 * 1.385, rel=0.002)


def test_who_bears_what_adds_up(plan):
    """Funds and owners together pay what is dearer; savings kept are nobody's gain but the owners'."""
    half = {"id": "prix", "by": "all", "discrete": [{"value": 1.5, "weight": 1}]}
    units = plan.units.set_index("demand")["units"]
    cost = sum(units[d] * c for d, c in zip(DEMANDS["id"], DEMANDS["cost"], strict=True))
    shared = assess(plan, uncertainty(half), samples=10)
    alone = assess(plan, uncertainty({**half, "borne_by": "owner"}), samples=10)
    assert shared.funds["mean"].tolist() == [75_000] and alone.funds["mean"].tolist() == [50_000]
    assert shared.owners["mean"].tolist() == [round(50 * cost) - 25_000]
    assert alone.owners["mean"].tolist() == [round(50 * cost)]
    cheaper = {**half, "discrete": [{"value": 0.5, "weight": 1}]}
    kept, back = (assess(plan, uncertainty(cheaper, savings=s), samples=10) for s in ("kept", "returned"))
    assert kept.funds["mean"].tolist() == [50_000] and back.funds["mean"].tolist() == [25_000]
    assert kept.owners["mean"].tolist() == [-round(50 * cost)]


def test_values_replace_and_factors_multiply(plan):
    both = [
        {"id": "value", "on": {"demands": ["c"]}, "gives": "value", "discrete": [{"value": "320 €", "weight": 1}]},
        {"id": "factor", "discrete": [{"value": 2, "weight": 1}]},
        {"id": "emplois", "what": "emplois", "by": "region", "discrete": [{"value": 0.5, "weight": 1}]},
    ]
    risk = assess(plan, uncertainty(*both), samples=5)
    cents = plan.units.set_index("demand")["cents"]
    assert risk.funds["mean"].tolist() == [int(2 * cents.sum() + 2 * cents["c"])]
    table = risk.indicators.set_index("indicator")
    assert table.loc["emplois", "p50"] == pytest.approx(plan.objective / 2)
    assert table.loc["sols", "p10"] == table.loc["sols", "p90"] == pytest.approx(table.loc["sols", "planned"])


def test_parents_need_what_their_children_need():
    nested = [{"id": "f", "amount": 500}, {"id": "child", "amount": 200, "parent": "f", "on": {"measures": ["m"]}}]
    plan = allocator.solve(
        scenario(funds=nested, constraints=[{"kind": "floor", "on": {"funds": ["child"]}, "amount": 200}])
    )
    risk = assess(plan, uncertainty({"id": "x", "discrete": [{"value": 2, "weight": 1}]}), samples=5)
    assert risk.funds.set_index("fund")["mean"].to_dict() == {"f": 100_000, "child": 40_000}


def test_draws_depend_on_seed_and_names_alone(plan):
    item = {"id": "x", "by": "demand", "range": [0.5, 2]}
    one = assess(plan, uncertainty(item), samples=500, seed=5)
    other = assess(plan, uncertainty({"id": "y", "what": "sols", "range": [1, 2]}, item), samples=500, seed=5)
    turned = allocator.solve(scenario(demands=pd.DataFrame(DEMANDS).iloc[::-1]))
    assert one.funds.equals(other.funds)
    assert one.funds.equals(assess(turned, uncertainty(item), samples=500, seed=5).funds)
    assert not one.funds.equals(assess(plan, uncertainty(item), samples=500, seed=6).funds)


def test_blocks_of_draws_are_one_sequence(plan, monkeypatch):
    item = uncertainty({"id": "x", "by": "demand", "range": [0.5, 2]})
    whole = assess(plan, item, samples=300)
    monkeypatch.setattr("allocator.risk.draws.CELLS", 40)
    assert whole.funds.equals(assess(plan, item, samples=300).funds)


# ------------------------------------------------------------------------------------------------ what matters


def test_indices_of_a_linear_outcome_are_the_known_ones(plan):
    """Σ aᵢ·uᵢ: each thing's share of the variance is aᵢ² / Σ a², alone and in all."""
    cents = plan.units.set_index("demand")["cents"]
    items = [{"id": d, "on": {"demands": [d]}, "range": [0.5, 1.5]} for d in ("a", "c", "d")]
    found = influence(plan, uncertainty(*items), samples=2048)
    found = found[found["outcome"] == "fund:f"].set_index("id")
    total = sum(float(cents[d]) ** 2 for d in ("a", "c", "d"))
    for d in ("a", "c", "d"):
        share = float(cents[d]) ** 2 / total
        assert found.loc[d, "first"] == pytest.approx(share, abs=0.03)
        assert found.loc[d, "total"] == pytest.approx(share, abs=0.03)


def test_a_thing_alone_has_all_the_variance(plan):
    found = influence(plan, uncertainty({"id": "x", "what": "cost", "by": "demand", "range": [1, 2]}))
    assert len(found) and (found[["first", "total"]] == 1).all(axis=None) and set(found["id"]) == {"x"}


def test_many_things_are_screened(plan, monkeypatch):
    """Morris: μ* of a linear outcome is its slope, σ is 0."""
    monkeypatch.setattr("allocator.risk.influence.MANY", 1)
    items = [{"id": d, "on": {"demands": [d]}, "range": [0.5, 1.5]} for d in ("a", "c")]
    found = influence(plan, uncertainty(*items)).set_index(["outcome", "id"])
    cents = plan.units.set_index("demand")["cents"]
    for d in ("a", "c"):
        assert found.loc[("fund:f", d), "total"] == pytest.approx(cents[d] / 100)
        assert found.loc[("fund:f", d), "first"] == pytest.approx(0, abs=1e-6)
    assert set(found["method"]) == {"morris"}


def test_without_salib_it_says_what_to_install(plan, monkeypatch):
    for name in ("SALib", "SALib.analyze", "SALib.sample"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ScenarioError, match=r"\[risk\]"):
        influence(plan, uncertainty({"id": "x", "range": [1, 2]}))


# ------------------------------------------------------------------------------------------------ plans that hold up


def whole(**parts) -> Scenario:
    return scenario(measures=[{"id": "m", "lumpy": True}, {"id": "e", "lumpy": True}], **parts)


def every_plan():
    """Units of a, b, c, d."""
    return product(*(range(n + 1) for n in DEMANDS["units"]))


def test_price_of_robustness_against_every_plan():
    """Each point is the best of all plans whose grants and largest overruns fit: 500 €, each demand dearer by half."""
    plan = allocator.solve(whole(), gap=0)
    dear = uncertainty({"id": "x", "range": [0.9, 1.5]})
    found = price(plan, dear, lambda s: allocator.solve(s, gap=0), at_once=[0, 1, 2, 9], samples=200)
    objectives = []
    for point in found.points[:4]:
        best = 0
        for units in every_plan():
            grants = [u * a for u, a in zip(units, DEMANDS["asked"], strict=True)]
            need = sum(grants) + Fraction(1, 2) * sum(sorted(grants)[::-1][: point.at_once])
            if need <= 500:
                best = max(best, sum(u * e for u, e in zip(units, DEMANDS["emplois"], strict=True)))
        assert point.plan.status == "optimal" and point.plan.objective == best
        ordinary = sorted(plan.units["cents"].tolist())[::-1]
        assert point.unready == sum(ordinary) + sum(ordinary[: point.at_once]) / 2
        assert point.need is not None and point.need <= 50_000
        objectives.append(best)
    assert objectives[0] == plan.objective > objectives[-1] and objectives == sorted(objectives, reverse=True)
    assert found.points[3].probability == 0, "ready for all of them: nothing can happen"
    assert found.points[4].rule == "cvar" and found.points[4].plan.certificate.ok
    assert len(found.table) == 5


def test_fewest_euros_become_the_fewest_needed():
    """Under `minimise`, the worst need is made as small as can be, and is what the sorted overruns say."""
    target = {"kind": "indicator", "indicator": "emplois", "min": 20}
    plan = allocator.solve(whole(objective={"minimise": "euros"}, constraints=[target]), gap=0)
    dear = uncertainty({"id": "x", "discrete": [{"value": 1, "weight": 9}, {"value": 3, "weight": 1}]})
    found = price(plan, dear, lambda s: allocator.solve(s, gap=0), at_once=[0, 1], samples=100)
    for point in found.points[:2]:
        needs = []
        for units in every_plan():
            if sum(u * e for u, e in zip(units, DEMANDS["emplois"], strict=True)) >= 20:
                grants = [u * a for u, a in zip(units, DEMANDS["asked"], strict=True)]
                if sum(grants) <= 500:
                    needs.append(sum(grants) + 2 * sum(sorted(grants)[::-1][: point.at_once]))
        assert point.need == 100 * min(needs) and point.plan.status == "optimal"
    assert found.points[1].unready >= found.points[1].need
    assert ElementTree.fromstring(curve(found)).tag.endswith("svg")


def test_least_regret_against_every_plan():
    futures = [
        {"id": "now", "changes": {}},
        {"id": "land", "changes": {"objective.maximise.emplois": 0, "objective.maximise.sols": 3}},
        {"id": "crisis", "changes": {"demands.c.emplois": "x0.2", "funds.f.amount": 400}},
    ]
    found = least_regret(whole(), uncertainty(futures=futures), lambda s: allocator.solve(s, gap=0))
    crisis = [5, 2, 1.2, 3]
    worths = [[5, 2, 6, 3], [3 * s for s in DEMANDS["sols"]], crisis]

    def value(units, worth):
        return sum(Fraction(str(w)) * u for u, w in zip(units, worth, strict=True))

    def fits(units, money):
        return sum(u * a for u, a in zip(units, DEMANDS["asked"], strict=True)) <= money

    best = [max(value(u, w) for u in every_plan() if fits(u, m)) for w, m in zip(worths, (500, 500, 400), strict=True)]
    least = min(max(b - value(u, w) for b, w in zip(best, worths, strict=True)) for u in every_plan() if fits(u, 400))
    assert [plan.objective for plan in found.best] == [float(b) for b in best]
    assert found.plan.certificate.ok and found.regret == pytest.approx(float(least)) and found.room == 0
    assert found.bound == pytest.approx(float(least))
    table = found.table.set_index("future")
    assert table["regret_plan"].max() == pytest.approx(float(least))
    assert all(table.loc[f["id"], f"regret_{f['id']}"] == 0 for f in futures)


@pytest.mark.parametrize(
    "changes",
    [{"funds.f.max_rate": 0.5}, {"demands.a.units": 1}, {"measures.m.lumpy": True}],
    ids=str,
)
def test_a_future_that_no_plan_could_meet_is_refused(changes):
    with pytest.raises(ScenarioError) as caught:
        least_regret(scenario(), uncertainty(futures=[{"id": "x", "changes": changes}]), allocator.solve)
    assert "futures[0].changes" in caught.value.text("fr")


def test_bad_cases_beside_a_thousand_million_are_settled_to_the_cent(monkeypatch):
    """There a cent in an auxiliary is less than engines tolerate: rounding looks at auxiliaries from where they stand."""
    monkeypatch.setattr("allocator.risk.robust.CASES", 40)
    built_in = allocator.load("propositions-2025")
    found = load(data.path("propositions-2025") / FILE, built_in)
    nominal = allocator.solve(built_in)
    plan = allocator.solve(prepared(turns_of(nominal, found), weighing(found), "cvar", None, 1), time_limit=60)
    assert plan.status == "optimal" and plan.certificate.ok and plan.objective < nominal.bound


# ------------------------------------------------------------------------------------------------ files, command


@pytest.mark.parametrize(
    "item",
    [
        {"id": "x"},
        {"id": "x", "range": [2, 1]},
        {"id": "x", "range": [1, 2], "triangular": [1, 2, 3]},
        {"id": "x", "range": [-1, 2]},
        {"id": "x", "lognormal": {"median": 2, "p90": 1}},
        {"id": "x", "discrete": [{"value": 1, "weight": 0}]},
    ],
    ids=str,
)
def test_laws_that_are_none_are_refused(item):
    with pytest.raises(ValidationError):
        Uncertain.model_validate(item)


def test_mistakes_in_a_file_come_with_their_lines(tmp_path):
    at = tmp_path / "i.yaml"
    at.write_text("uncertain:\n  - {id: x, range: [2, 1]}\n  - {id: y, rnage: [1, 2]}\n")
    with pytest.raises(ScenarioError) as caught:
        load(at, scenario())
    assert (
        "ligne 2" in caught.value.text("fr")
        and "range" in caught.value.text("fr")
        and "ligne 3" in caught.value.text("fr")
    )
    at.write_text(
        "uncertain:\n  - {id: x, what: emploi, by: regoin, range: [1, 2]}\n  - {id: x, on: {measures: z}, range: [1, 2]}\n"
    )
    with pytest.raises(ScenarioError) as caught:
        load(at, scenario())
    told = caught.value.text("fr")
    assert all(word in told for word in ("emplois", "region", "deux fois", "« z »")), told


@pytest.mark.parametrize("name", [name for name in data.names() if (data.path(name) / FILE).is_file()])
def test_built_in_uncertainties_fit_their_scenario_and_have_sources(name):
    found = load(data.path(name) / FILE, allocator.load(name))
    assert all(item.source and (item.hypothesis or item.as_of) for item in found.uncertain)
    assert all(future.source for future in found.futures)


def small(tmp_path):
    folder = tmp_path / "petit"
    folder.mkdir()
    pd.DataFrame(DEMANDS).to_csv(folder / "d.csv", index=False)
    pd.DataFrame(TERRITORIES).to_csv(folder / "t.csv", index=False)
    (folder / "scenario.yaml").write_text(
        "name: petit\nyears: [2026]\nfunds: [{id: f, amount: 500}]\nmeasures: [{id: m}, {id: e}]\n"
        "territories: t.csv\ndemands: d.csv\nobjective: {maximise: {emplois: 1}}\n"
    )
    (folder / FILE).write_text(
        "uncertain:\n  - {id: prix, label: Le prix, range: [0.9, 1.5]}\n"
        "futures:\n  - {id: sols, changes: {objective.maximise.sols: 2}}\n  - {id: rien, changes: {}}\n"
    )
    return folder


def test_command_tells_writes_and_is_repeatable(tmp_path, capsys):
    folder = small(tmp_path)
    out = tmp_path / "out"
    told = []
    for _ in range(2):
        assert main(["risk", str(folder), "--robust", "--samples", "200", "--json", "--out", str(out)]) == 0
        told.append(json.loads(capsys.readouterr().out))
    for report in told:
        for point in report["robust"]["points"]:
            point.pop("seconds")
    assert told[0] == told[1]
    assert set(told[0]) == {"scenario", "status", "risk", "influence", "robust", "regret"}
    assert {path.name for path in out.iterdir()} == {
        "funds.csv", "indicators.csv", "influence.csv", "robustness.csv", "robustness.svg", "regret.csv", "risk.json",
    }  # fmt: skip
    assert ElementTree.parse(out / "robustness.svg").getroot().tag.endswith("svg")
    assert main(["risk", str(folder), "--samples", "200", "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "What each fund needs" in said and "Le prix" in said


def test_command_says_what_is_wrong(tmp_path, capsys):
    folder = small(tmp_path)
    assert main(["risk", str(folder), "--with", str(tmp_path / "absent.yaml")]) == 2
    assert "absent.yaml" in capsys.readouterr().err
    assert main(["risk", str(folder), "--samples", "0"]) == 2
    assert "--samples" in capsys.readouterr().err


def test_what_is_wrong_for_robust_plans_is_told_before_any_solve(tmp_path, capsys, monkeypatch):
    folder, file = small(tmp_path), tmp_path / "u.yaml"

    def told(text: str, *options: str) -> str:
        file.write_text(text)
        assert main(["risk", str(folder), "--with", str(file), "--lang", "en", *options]) == 2
        return capsys.readouterr().err

    monkeypatch.setattr("allocator.solver._Run.plan", None)
    future = "futures:\n  - {id: a, changes: {measures.m.lumpy: true}}\n  - {id: b, changes: {funds.nope.amount: 3}}\n"
    assert "u.yaml, futures[1].changes.funds.nope.amount: there is no “nope”" in told(future)
    assert "u.yaml, futures[0].changes: this future changes a rule or a measure" in told(
        future.partition("  - {id: b")[0], "--robust"
    )
    known = allocator.load(folder)
    name = known.indicators[0]
    assert "nothing to be ready for" in told(f"uncertain:\n  - {{id: x, what: {name}, range: [0.5, 1]}}\n", "--robust")
    for text in ("", "[1, 2]", "3"):
        said = told(text)
        assert "u.yaml: this file holds no keys" in said and "None" not in said


def test_costs_that_differ_have_no_one_value(tmp_path, capsys, monkeypatch):
    folder, file = small(tmp_path), tmp_path / "u.yaml"
    known = allocator.load(folder)
    assert len(set(known.cents("cost").tolist())) > 1
    monkeypatch.setattr("allocator.solver._Run.plan", None)
    file.write_text("uncertain:\n  - {id: prix, gives: value, range: [1, 2]}\n")
    assert main(["risk", str(folder), "--with", str(file), "--robust"]) == 2
    assert "« prix » donne une valeur à des dossiers de coûts différents" in capsys.readouterr().err


@pytest.mark.parametrize("at", [2, 4])
def test_ctrl_c_ends_the_robust_plans_with_those_so_far(tmp_path, capsys, monkeypatch, at):
    from allocator.solver import Session

    folder, solved = small(tmp_path), []
    known = Session.solve

    def counted(self, scenario, **options):
        solved.append(None)
        if len(solved) == at:
            os.kill(os.getpid(), signal.SIGINT)
        return known(self, scenario, **options)

    monkeypatch.setattr(Session, "solve", counted)
    monkeypatch.setattr("allocator.solver.solve", lambda scenario, **options: known(Session(), scenario))
    assert main(["risk", str(folder), "--robust", "--samples", "200", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert len(solved) == at, "nothing is solved after Ctrl-C"
    assert report["robust"]["interrupted"] and len(report["robust"]["points"]) == at - 1
    assert report["regret"] is None and report["risk"]


def test_nothing_to_regret_is_plainly_zero(tmp_path, capsys):
    folder = small(tmp_path)
    (folder / "u.yaml").write_text("futures:\n  - {id: rien, changes: {}}\n")
    assert main(["risk", str(folder), "--with", str(folder / "u.yaml"), "--robust", "--samples", "9"]) == 0
    said = capsys.readouterr().out
    assert "−0,0" not in said and "Regret du plan prudent : 0,0" in said


def test_grounds_are_told(tmp_path, capsys):
    folder = small(tmp_path)
    assert main(["risk", str(folder), "--samples", "9", "--lang", "en"]) == 0
    assert "Le prix (no source)" in capsys.readouterr().out

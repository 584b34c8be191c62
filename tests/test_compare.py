"""Plans side by side: cents that add up, whatever the scenarios share; who gains, who loses; the report."""

from __future__ import annotations

import io
import json
import random
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from fractions import Fraction

import numpy as np
import openpyxl
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console
from strategies import draw, random_scenario

import allocator
from allocator.certify import Certificate
from allocator.cli import main
from allocator.compare import FATES, MARGINS, Comparison, change_of, compare
from allocator.plan import EngineReport, Plan, Seconds
from allocator.problems import ScenarioError
from allocator.reading import Level, Reading
from allocator.report.comparison import print_comparison, signed_euros, write_comparison
from allocator.report.comparison_book import NAMES
from allocator.space import Space
from allocator.texts import set_language

NARROW, HARD, MINUS = "\u202f", "\u00a0", "\u2212"


@pytest.fixture(autouse=True)
def french():
    set_language("fr")
    yield
    set_language("fr")


def planned(scenario: allocator.Scenario, grants: dict[tuple[str, str, int], int] | None, **parts) -> Plan:
    """A plan with these grants: (demand, fund, year) → cents. None: no plan."""
    reading = None
    if grants is not None:
        ids, funds = list(scenario.demands["id"]), [f.id for f in scenario.funds]
        rows = [(ids.index(d), funds.index(f), scenario.years.index(y), c) for (d, f, y), c in grants.items()]
        columns = np.array(rows, np.int64).reshape(-1, 4).T
        reading = Reading(Space.of(scenario), *columns)
    status = "no_plan" if grants is None else "feasible"
    certificate = parts.pop("certificate", Certificate((), None if grants is None else Fraction(7)))
    engine = EngineReport("none", "0", "", None)
    return Plan(scenario, status, certificate, engine, Seconds(), reading=reading, **parts)


def first() -> allocator.Scenario:
    return allocator.Scenario(
        "avant",
        [2026],
        [{"id": "f", "label": "Fonds F", "amount": 1000}, {"id": "petit", "amount": 10, "parent": "f"}],
        [{"id": "ecole", "label": "Écoles", "unit": "école", "lumpy": True}, {"id": "friche", "unit": "ha"}],
        pd.DataFrame(
            {
                "id": ["a", "b", "c"],
                "name": ["Alpha", "Bêta", "Gamma"],
                "region": ["11", "11", "53"],
                "region_name": ["Île-de-France", "Île-de-France", "Bretagne"],
                "departement": ["75", "77", "35"],
                "population": [100, 50, 0],
                "metropole": [True, False, False],
                "members": [10, 2, 2],
            }
        ),
        pd.DataFrame(
            {
                "id": ["d1", "d2", "d3", "d4"],
                "territory": ["a", "b", "c", "c"],
                "measure": ["ecole", "friche", "friche", "ecole"],
                "units": [2, 5, 3, 1],
                "asked": [100, 10, 20, 400],
                "emplois": [10, 1, 2, 30],
                "filiere": ["bois", "acier", "bois", ""],
            }
        ),
        [],
        {"maximise": {"emplois": 1}},
    )


def second() -> allocator.Scenario:
    """Another fund, measure, territory and year; `c` is gone."""
    return allocator.Scenario(
        "après",
        [2026, 2027],
        [{"id": "f", "amount": 2000}, {"id": "g", "label": "Fonds G", "amount": 50}],
        [{"id": "friche", "unit": "ha"}, {"id": "rebond", "label": "Rebond", "lumpy": True}],
        pd.DataFrame(
            {
                "id": ["a", "b", "e"],
                "name": ["Alpha", "Bêta", "Epsilon"],
                "region": ["11", "11", "28"],
                "departement": ["75", "77", "14"],
                "population": [100, 60, 5],
            }
        ),
        pd.DataFrame(
            {
                "id": ["d1", "d2", "d5"],
                "territory": ["a", "b", "e"],
                "measure": ["rebond", "friche", "rebond"],
                "units": [2, 5, 1],
                "asked": [100, 10, 60],
                "emplois": [10, 1, 7],
                "hectares": [0, 1, 0],
            }
        ),
        [],
        {"maximise": {"emplois": 2}},
    )


def pair() -> Comparison:
    before = planned(first(), {("d1", "f", 2026): 20_000, ("d2", "petit", 2026): 5_000, ("d3", "f", 2026): 3})
    after = planned(second(), {("d2", "g", 2026): 4_999, ("d2", "f", 2027): 1, ("d5", "f", 2027): 6_000})
    return compare([before, after])


def rows(table: pd.DataFrame) -> list[tuple]:
    return [tuple(row) for row in table.itertuples(index=False)]


def test_by_each_margin():
    both = pair()
    assert list(both.by("fund").columns) == ["key", "label", "avant", "après", change_of("après")]
    assert rows(both.by("fund")) == [
        ("f", "Fonds F", 20_003, 6_001, -14_002),
        ("petit", "petit", 5_000, 0, -5_000),
        ("g", "Fonds G", 0, 4_999, 4_999),
    ]
    assert rows(both.by("measure")) == [
        ("ecole", "Écoles", 20_000, 0, -20_000),
        ("friche", "friche", 5_003, 5_000, -3),
        ("rebond", "Rebond", 0, 6_000, 6_000),
    ]
    assert rows(both.by("region")) == [
        ("11", "Île-de-France", 25_000, 5_000, -20_000),
        ("28", "28", 0, 6_000, 6_000),
        ("53", "Bretagne", 3, 0, -3),
    ]
    assert rows(both.by("year")) == [
        ("2026", "2026", 25_003, 4_999, -20_004),
        ("2027", "2027", 0, 6_001, 6_001),
    ]
    assert [row[1] for row in rows(both.by("territory"))] == ["Alpha", "Bêta", "Gamma", "Epsilon"]
    assert list(both.by("departement")["key"]) == ["14", "35", "75", "77"]


def test_a_name_is_found_in_whichever_scenario_gives_it():
    back = compare(reversed(pair().plans))
    assert dict(zip(back.by("region")["key"], back.by("region")["label"], strict=True)) == {
        "11": "Île-de-France",
        "28": "28",
        "53": "Bretagne",
    }
    assert set(back.gainers()["region"]) == {"Île-de-France", "Bretagne"}


def test_by_an_attribute_that_one_scenario_lacks():
    both = pair()
    assert rows(both.by("metropole")) == [
        ("false", "non", 5_003, 0, -5_003),
        ("true", "oui", 20_000, 0, -20_000),
        ("", "non renseigné", 0, 11_000, 11_000),
    ]
    assert [row[:3] for row in rows(both.by("members"))] == [
        ("2", "2", 5_003),
        ("10", "10", 20_000),
        ("", "non renseigné", 0),
    ]
    assert rows(both.by("filiere")) == [
        ("acier", "acier", 5_000, 0, -5_000),
        ("bois", "bois", 20_003, 0, -20_003),
        ("", "non renseigné", 0, 11_000, 11_000),
    ]
    set_language("en")
    assert list(both.by("metropole")["label"]) == ["no", "yes", "not given"]
    assert set(MARGINS) < set(both.margins) and "filiere" in both.margins and "population" not in both.margins


def test_totals_units_indicators():
    both = pair()
    totals = both.totals.set_index("plan")
    assert list(totals["asked"]) == [71_000, 31_000]  # 200 + 50 + 60 + 400 and 200 + 50 + 60 euros
    assert list(totals["granted"]) == [25_003, 11_000]
    assert list(totals["left"]) == [
        100_000 - 25_003,
        205_000 - 11_000,
    ]  # a fund inside another is not counted twice
    assert list(totals["change"]) == [0, -14_003]
    assert list(totals["objective"]) == [7, 7] and totals["bound"].isna().all()
    assert rows(both.units)[0] == ("ecole", "Écoles", "école", 2, 0, -2)
    assert rows(both.units)[1][:3] == ("friche", "friche", "ha")
    assert rows(both.units)[1][3:] == pytest.approx((5.0015, 5, -0.0015), abs=1e-9)
    assert rows(both.indicators) == [
        ("emplois", "emplois", pytest.approx(25.003), 12, pytest.approx(-13.003)),
        ("hectares", "hectares", 0, 5, 5),
    ]


def test_gainers_and_losers():
    both = pair()
    gain = both.gainers()
    assert list(gain.columns) == [
        "plan",
        "key",
        "label",
        "region",
        "before",
        "after",
        "change",
        "population",
        "per_inhabitant",
    ]
    assert rows(gain) == [("après", "e", "Epsilon", "28", 0, 6_000, 6_000, 5, 12.0)]
    lose = both.losers()
    assert [row[:8] for row in rows(lose)] == [
        ("après", "a", "Alpha", "Île-de-France", 20_000, 0, -20_000, 100),
        ("après", "c", "Gamma", "Bretagne", 3, 0, -3, 0),
    ]
    assert lose["per_inhabitant"][0] == -2.0 and np.isnan(lose["per_inhabitant"][1])
    assert list(both.losers(1)["key"]) == ["a"] and len(both.losers(0)) == 0
    regions = both.losers(per="region")
    assert list(regions["key"]) == ["11", "53"] and "region" not in regions
    assert regions["per_inhabitant"][0] == -200 / 160  # the people of the later scenario: 100 + 60
    assert both.gainers(per="fund")["per_inhabitant"].isna().all()
    gone = compare(reversed(both.plans)).losers().set_index("key")
    assert gone.loc["e", "per_inhabitant"] == -12.0  # only the reference knows its 5 inhabitants


def test_equal_changes_stay_in_order_and_each_plan_has_its_own():
    scenario = first()
    some = planned(scenario, {("d2", "f", 2026): 5, ("d1", "f", 2026): 5})
    three = compare([planned(scenario, {}), some, some])
    assert three.names == ("avant", "avant (2)", "avant (3)")
    assert list(zip(three.gainers()["plan"], three.gainers()["key"], strict=True)) == [
        ("avant (2)", "a"),
        ("avant (2)", "b"),
        ("avant (3)", "a"),
        ("avant (3)", "b"),
    ]
    assert list(three.gainers(1, plan="avant (3)")["key"]) == ["a"]


def test_demands():
    scenario = first()
    before = planned(scenario, {("d1", "f", 2026): 10_000, ("d2", "f", 2026): 7, ("d3", "f", 2026): 5})
    after = planned(scenario, {("d1", "f", 2026): 20_000, ("d2", "petit", 2026): 7, ("d4", "f", 2026): 40_000})
    fates = compare([before, after]).demands().set_index("demand")
    assert dict(fates["fate"]) == {"d1": "more", "d2": "same", "d3": "gone", "d4": "new"}
    assert dict(fates["change"]) == {"d1": 10_000, "d2": 0, "d3": -5, "d4": 40_000}
    back = compare([after, before])
    assert dict(back.demands().set_index("demand")["fate"]) == {
        "d1": "less",
        "d2": "same",
        "d3": "new",
        "d4": "gone",
    }
    assert {row[1]: row[2:] for row in rows(back.fates()) if row[2]} == {
        "new": (1, 5),
        "same": (1, 0),
        "less": (1, -10_000),
        "gone": (1, -40_000),
    }


def test_demands_of_different_scenarios():
    shut = second().with_(constraints=[{"kind": "lock", "on": {"demands": ["d2"]}, "decision": "refuse"}])
    fates = compare([planned(first(), {("d1", "f", 2026): 1}), planned(shut, {})]).demands().set_index("demand")
    assert dict(fates["fate"]) == {"d1": "gone", "d2": "none", "d3": "none", "d4": "none", "d5": "none"}
    assert dict(fates["eligible_before"]) == {"d1": True, "d2": True, "d3": True, "d4": True, "d5": False}
    assert dict(fates["eligible_after"]) == {"d1": True, "d2": False, "d3": False, "d4": False, "d5": True}
    assert fates.loc["d1", "measure"] == "rebond" and fates.loc["d4", "territory"] == "c"


def test_scarce_and_binding():
    scenario = first().with_(constraints=[{"kind": "ceiling", "id": "peu", "label": "Peu", "amount": 10}])
    rule = scenario.constraints[0]
    certificate = Certificate((), Fraction(1), None, ((rule, (Level("", 1, None, 1, 100),)),))
    both = compare([planned(scenario, {}, certificate=certificate, binding=("peu",)), planned(second(), {})])
    assert rows(both.binding) == [("avant", "peu", "Peu", "ceiling")]
    # 710 € are asked: the fund of 1 000 € has enough, the one inside it, which may pay all, has 10 €
    assert rows(both.scarce) == [
        ("avant", "petit", "petit", 71_000, 1_000),
        ("après", "g", "Fonds G", 31_000, 5_000),
    ]


def test_a_plan_without_grants_counts_as_zero_and_is_said():
    scenario = first()
    some = planned(scenario, {("d1", "f", 2026): 12_345})
    none = allocator.solve(scenario.with_(name="trop", constraints=[{"kind": "floor", "id": "haut", "amount": "1 M€"}]))
    assert none.status == "infeasible"
    both = compare([some, none])
    assert list(both.totals["granted"]) == [12_345, 0] and list(both.totals["change"]) == [0, -12_345]
    assert [str(note) for note in both.notes] == ["« trop » n'a pas de plan : il compte pour zéro partout"]
    for per in both.margins:
        table = both.by(per)
        assert table["trop"].sum() == 0 and table[change_of("trop")].sum() == -12_345
    report = both.as_dict()
    assert [plan["status"] for plan in report["plans"]] == ["feasible", "infeasible"]
    assert report["plans"][1]["conflict"]["rules"][0]["id"] == "haut"
    assert report["plans"][1]["objective"] is None
    assert "trop" in shown(both)


def test_notes_on_what_cannot_be_compared():
    assert [str(note) for note in pair().notes] == [
        "« après » n'a pas l'objectif de « avant » : ne pas comparer leurs points",
        "« après » porte sur 2026-2027, « avant » sur 2026-2026",
    ]
    assert compare([planned(first(), {}), planned(first(), {})]).notes == []


@pytest.mark.parametrize(
    ("given", "names"),
    [
        (["a", "a", "a"], ("a", "a (2)", "a (3)")),
        (["a", "a", "a (2)"], ("a", "a (2)", "a (2) (2)")),
        (["key", "label"], ("key (2)", "label (2)")),
        (["b", "a", "Δ a"], ("b", "a", "Δ a (2)")),
        (["Δ a", "a"], ("Δ a", "a (2)")),
    ],
)
def test_names_tell_plans_and_columns_apart(given, names):
    scenario = first()
    comparison = compare([planned(scenario.with_(name=name), {}) for name in given])
    assert comparison.names == names
    columns = list(comparison.by("fund").columns)
    assert len(columns) == len(set(columns)) == 2 + 2 * len(names) - 1


def test_what_cannot_be_compared_is_refused():
    plan = planned(first(), {})
    for too_few in ([], [plan], plan):
        with pytest.raises(ScenarioError, match="au moins deux plans"):
            compare(too_few)
    with pytest.raises(TypeError, match="Scenario"):
        compare([plan, first()])
    both = compare([plan, plan])
    with pytest.raises(ScenarioError, match="Vouliez-vous dire « region »"):
        both.by("regoin")
    with pytest.raises(ScenarioError, match="plan inconnu"):
        both.gainers(plan="avant")  # the reference gains nothing on itself


# -------------------------------------------------------------------------------- any plans at all


def random_plan(scenario: allocator.Scenario, rng: random.Random, largest: int) -> Plan:
    """Any grants, allowed or not: a comparison adds up whatever a plan says."""
    ids, funds = list(scenario.demands["id"]), [f.id for f in scenario.funds]
    cells = {(rng.choice(ids), rng.choice(funds), rng.choice(scenario.years)) for _ in range(rng.randint(0, 20))}
    return planned(scenario, {cell: rng.randint(1, largest) for cell in sorted(cells)})


def totals_by(plan: Plan, per: str) -> Counter:
    """Counted one grant at a time, in Python's own integers."""
    scenario, found = plan.scenario, Counter()
    region = {row["id"]: row for row in scenario.territories.to_dict("records")}
    for grant in plan.grants.to_dict("records"):
        if per in grant:
            key = str(grant[per])
        else:
            value = region[grant["territory"]].get(per, "")
            key = str(value).lower() if isinstance(value, (bool, np.bool_)) else str(value)
        found[key] += grant["cents"]
    return found


@settings(max_examples=15, deadline=None)
@given(st.randoms(use_true_random=False), st.sampled_from([3, 10**6, 2**57]))
def test_every_margin_adds_up_to_the_cent(rng, largest):
    plans = [random_plan(draw(rng, constraints=(0, 2)), rng, largest) for _ in range(rng.randint(2, 4))]
    both = compare(plans)
    granted = [sum(plan.grants["cents"].tolist()) for plan in plans]
    assert both.totals["granted"].tolist() == granted
    for per in (*MARGINS, "kind", "metropole"):
        table = both.by(per)
        assert table["key"].is_unique
        for name, plan, total in zip(both.names, plans, granted, strict=True):
            assert table[name].dtype == np.int64
            kept = {key: cents for key, cents in zip(table["key"], table[name].tolist(), strict=True) if cents}
            assert kept == totals_by(plan, per)
            if name != both.reference:
                change = table[change_of(name)]
                assert change.dtype == np.int64
                assert sum(change.tolist()) == total - granted[0]
                moved = [part(None, per, name)["change"].tolist() for part in (both.gainers, both.losers)]
                assert sum(map(sum, moved)) == total - granted[0]
                assert moved == [sorted(moved[0], reverse=True), sorted(moved[1])]
                assert all(c > 0 for c in moved[0]) and all(c < 0 for c in moved[1])
    demands = both.demands()
    for name, total in zip(both.names[1:], granted[1:], strict=True):
        assert sum(demands.loc[demands["plan"] == name, "change"].tolist()) == total - granted[0]
    assert sum(both.fates()["count"]) == len(demands)
    assert all(held for _, held in both.checks)
    told = json.loads(json.dumps(both.as_dict(), allow_nan=False))
    for per in MARGINS:
        for name, total in zip(both.names, granted, strict=True):
            assert sum(row["cents"][name] for row in told[f"by_{per}"]) == total


@pytest.mark.parametrize("seed", range(6))
def test_figures_are_those_of_each_plan_alone(seed):
    plans = [allocator.solve(random_scenario(300 + seed + k).with_(name=f"s{k}")) for k in (0, 50)]
    both = compare(plans)
    for name, plan in zip(both.names, plans, strict=True):
        alone = plan.summary()
        for per in ("fund", "measure", "region"):
            here = dict(zip(both.by(per)["key"], both.by(per)[name], strict=True))
            assert {key: cents for key, cents in here.items() if cents} == {
                key: cents for key, cents in alone["totals"][f"by_{per}"].items() if cents
            }
        for table, values in ((both.units, alone["units"]), (both.indicators, alone["indicators"])):
            here = dict(zip(table["key"], table[name], strict=True))
            assert {key: here[key] for key in values} == values
        row = both.totals.set_index("plan").loc[name]
        assert (row["asked"], row["granted"], row["left"]) == tuple(
            alone["totals"][k] for k in ("asked", "granted", "left")
        )
        assert list(both.binding.query("plan == @name")["id"]) == alone["binding"]


def test_json():
    report = json.loads(json.dumps(pair().as_dict(), allow_nan=False))
    assert report["reference"] == "avant"
    assert [plan["plan"] for plan in report["plans"]] == ["avant", "après"]
    assert report["by_fund"][0] == {
        "key": "f",
        "label": "Fonds F",
        "cents": {"avant": 20_003, "après": 6_001},
        "change": {"après": -14_002},
    }
    assert [row["key"] for row in report["by_territory"]] == ["a", "b", "c", "e"]
    assert report["gainers"]["après"][0]["per_inhabitant"] == 12
    assert report["losers"]["après"][1]["per_inhabitant"] is None
    assert list(report["demands"]["après"]) == list(FATES)
    assert report["demands"]["après"]["gone"] == {"count": 2, "change": -20_003}
    assert report["scarce"]["après"] == [{"id": "g", "label": "Fonds G", "asked": 31_000, "held": 5_000}]
    assert report["binding"] == {"avant": [], "après": []}


# -------------------------------------------------------------------------------- the report


def shown(comparison: Comparison, width: int = 140) -> str:
    out = io.StringIO()
    print_comparison(comparison, Console(file=out, width=width))
    return out.getvalue()


@pytest.mark.parametrize(
    ("cents", "fr", "en"),
    [
        (123_400, f"+1{NARROW}234{HARD}€", "+€1,234"),
        (-500, f"{MINUS}5{HARD}€", f"{MINUS}€5"),
        (-1, f"{MINUS}0,01{HARD}€", f"{MINUS}€0.01"),
        (0, f"0{HARD}€", "€0"),
    ],
)
def test_signs(cents, fr, en):
    assert signed_euros(cents) == fr
    set_language("en")
    assert signed_euros(cents) == en


def test_report_in_french_and_english():
    french = shown(pair())
    for text in (
        "« après » par rapport à « avant »",
        "À savoir : « après » porte sur",
        "Par fonds",
        "Par mesure",
        "Par région",
        "Qui gagne avec « après »",
        "Qui perd avec « après »",
        "Epsilon",
        "+60",
        "+12,00",
        f"{MINUS}140,02",
        "reste à attribuer",
        "nouvellement financés",
        "Fonds demandés au-delà de leur enveloppe",
        "6,20",
        "Ce qui limite les plans",
        "Île-de-France",
    ):
        assert text in french, text
    set_language("en")
    english = shown(pair())
    for text in (
        "“après” against “avant”",
        "By fund",
        "Who loses with “après”",
        f"{MINUS}€140.02",
        "newly funded",
        "6.20",
    ):
        assert text in english, text
    # what scenarios and territories are called stays; nothing else in the English report is French
    assert not re.search(
        r"fonds|mesure |accordé|différence|\bhabitant", english.replace("Fonds F", "").replace("Fonds G", "")
    )


@pytest.mark.parametrize("width", [40, 60, 80, 100, 140, 200])
@pytest.mark.parametrize("lang", ["fr", "en"])
def test_no_figure_is_cut_whatever_the_width(width, lang):
    set_language(lang)
    scenario = first().with_(funds=[{"id": "f", "amount": "99 Md€"}])
    grants = [{("d1", "f", 2026): 12_345_678_901_23 + k, ("d2", "f", 2026): 3} for k in range(4)]
    four = compare([planned(scenario, each) for each in grants])
    text = shown(four, width)
    assert "…" not in text
    figures = {"fr": f"12{NARROW}345{NARROW}678{NARROW}901,2", "en": "€12,345,678,901.2"}[lang]
    for last in range(4):
        assert f"{figures}{6 + last}" in text  # the totals: three cents more
    assert signed_euros(3) in text


def test_a_rule_that_says_otherwise_elsewhere_has_its_own_line():
    def plan(amount: int | None, binding: tuple[str, ...] = ()) -> Plan:
        rule = {"kind": "ceiling", "id": "haut", "label": f"Au plus {amount} €", "amount": amount}
        scenario = first().with_(constraints=[rule] if amount else [])
        levels = tuple((rule, (Level("", 1, None, 1, 100),)) for rule in scenario.constraints)
        return planned(scenario, {}, certificate=Certificate((), Fraction(1), None, levels), binding=binding)

    four = compare([plan(10, ("haut",)), plan(20, ("haut",)), plan(10), plan(None)])
    lines = [re.split(r" *[│┃] *", line)[1:-1] for line in shown(four).splitlines()]
    assert ["Au plus 10 €", "limite", "—", "ne limite pas", "—"] in lines
    assert ["Au plus 20 €", "—", "limite", "—", "—"] in lines


def test_markup_in_names_is_only_text():
    scenario = first().with_(name="[red]x[/]", funds=[{"id": "f", "label": "[bold]F", "amount": 1000}])
    text = shown(compare([planned(scenario, {("d1", "f", 2026): 5}), planned(scenario, {})]))
    assert "[red]x[/]" in text and "[bold]F" in text


def test_files(tmp_path):
    written = write_comparison(pair(), tmp_path / "out")
    assert {path.name for path in written} == {
        "totals.csv",
        *(f"by_{per}.csv" for per in MARGINS),
        "units.csv",
        "indicators.csv",
        "demands.csv",
        "inequality.csv",
        "comparison.json",
        "comparison.xlsx",
    }
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == sorted(p.name for p in written)
    funds = pd.read_csv(tmp_path / "out/by_fund.csv", dtype=str)
    assert funds.to_dict("records")[-2:] == [
        {
            "plan": "après",
            "key": "petit",
            "label": "petit",
            "granted_cents": "0",
            "granted_euros": "0.00",
            "change_cents": "-5000",
            "change_euros": "-50.00",
        },
        {
            "plan": "après",
            "key": "g",
            "label": "Fonds G",
            "granted_cents": "4999",
            "granted_euros": "49.99",
            "change_cents": "4999",
            "change_euros": "49.99",
        },
    ]
    region = pd.read_csv(tmp_path / "out/by_region.csv", dtype=str).set_index(["plan", "key"])
    assert region.loc[("après", "53"), "change_euros"] == "-0.03"
    demands = pd.read_csv(tmp_path / "out/demands.csv")
    assert demands["change_cents"].sum() == -14_003
    assert json.loads((tmp_path / "out/comparison.json").read_text("utf-8")) == pair().as_dict()


# -------------------------------------------------------------------------------- the command


def folder(tmp_path, name: str, scenario: allocator.Scenario) -> str:
    """The scenario as a folder that the command reads."""
    home = tmp_path / name
    home.mkdir()
    content = scenario.to_dict() | {"name": name, "territories": "territories.csv", "demands": "demands.csv"}
    (home / "scenario.yaml").write_text(json.dumps(content, default=str), "utf-8")
    scenario.territories.to_csv(home / "territories.csv", index=False)
    scenario.demands.drop(columns=["own"]).to_csv(home / "demands.csv", index=False)
    return str(home)


def test_command(tmp_path, capsys):
    one, two = folder(tmp_path, "un", first()), folder(tmp_path, "deux", second())
    assert main(["compare", one, two, "--json", "--out", str(tmp_path / "out")]) == 0
    report = json.loads(capsys.readouterr().out)
    plans = [allocator.solve(allocator.load(where)) for where in (one, two)]
    assert report == compare(plans).as_dict()
    assert json.loads((tmp_path / "out/comparison.json").read_text("utf-8")) == report
    assert main(["compare", one, two]) == 0
    assert "« deux » par rapport à « un »" in capsys.readouterr().out


def test_command_says_what_is_wrong_all_at_once(tmp_path, capsys):
    one = folder(tmp_path, "un", first())
    assert main(["compare", one]) == 2
    assert "au moins deux scénarios" in capsys.readouterr().err
    assert main(["compare", one, "rien", "nulle-part", "--gap", "-1"]) == 2
    said = capsys.readouterr().err
    assert "--gap" in said and "« rien »" in said and "« nulle-part »" in said


def test_command_shows_the_comparison_even_when_a_scenario_has_no_plan(tmp_path, capsys):
    rules = [{"kind": "floor", "id": "haut", "amount": 100_000}]
    one, two = folder(tmp_path, "un", first()), folder(tmp_path, "deux", second().with_(constraints=rules))
    assert main(["compare", one, two]) == 3
    assert "« deux » n'a pas de plan" in capsys.readouterr().out


def test_inequality_between_places():
    found = pair().inequality.set_index(["per", "plan"])
    # avant: 200 € for the 100 people of a, 50 € for the 50 of b; c has no people. après: 50 € for 60, 60 € for 5, none for 100
    one, two = found.loc[("territory", "avant")], found.loc[("territory", "après")]
    assert (one["least"], one["most"], one["nobody"]) == (1, 2, 0)
    assert one["gini"] == pytest.approx(1 - (50 / 150 * 50 / 250 + 100 / 150 * (50 / 250 + 1)))
    assert (two["least"], two["most"], two["nobody"]) == (0, 12, 100)
    # Lorenz: 100/165 of the people have 0, 60/165 have 50/110, 5/165 have 60/110
    area = 60 / 165 * (50 / 110) + 5 / 165 * (50 / 110 + 1)
    assert two["gini"] == pytest.approx(1 - area)
    assert two["change"] == pytest.approx(two["gini"] - one["gini"])
    assert found.loc[("region", "avant"), "gini"] == 0  # one region has people


def test_sums_that_do_not_add_up_are_told():
    both = pair()
    assert [held for _, held in both.checks] == [True] * 8
    wrong = compare(both.plans)
    groups = wrong._groups("region")
    groups[1] = replace(groups[1], cents=groups[1].cents + 1)
    assert [per for per, held in wrong.checks if not held] == ["region"]


def test_workbook(tmp_path):
    write_comparison(pair(), tmp_path)
    book = openpyxl.load_workbook(tmp_path / "comparison.xlsx")
    assert book.sheetnames[:3] == ["Ensemble", "Fonds", "Mesures"]
    assert len(book["Ensemble"]._charts) == 3
    for per, name in NAMES.items():
        both, sheet = pair(), book[str(name)]
        table = both.by(per)
        *found, total = sheet.iter_rows(min_row=5, values_only=True)
        at = 3 if per in ("territory", "departement", "region") else 2
        names = ["avant", "après", change_of("après")]
        assert [[round(100 * x) for x in row[at:]] for row in found] == table[names].to_numpy().tolist()
        assert [round(100 * x) for x in total[at:]] == [table[n].sum() for n in names]
    moved = [row[6] for row in book["Qui gagne, qui perd"].iter_rows(min_row=5, values_only=True)]
    assert sum(round(100 * change) for change in moved) == pair().totals["change"][1]


def test_what_rules_cost_each_plan(tmp_path, capsys):
    rules = [{"kind": "ceiling", "id": "cap", "label": "Au plus 300 €", "amount": 300}]
    one, two = folder(tmp_path, "un", first()), folder(tmp_path, "deux", first().with_(constraints=rules))
    assert main(["compare", one, two, "--costs", "--json", "--out", str(tmp_path / "out")]) == 0
    told = json.loads(capsys.readouterr().out)["costs"]
    assert told["un"]["costs"] == []
    (cost,) = told["deux"]["costs"]
    plans = [allocator.solve(allocator.load(where)) for where in (one, two)]
    assert cost["regained"]["found"] == pytest.approx(plans[0].objective - plans[1].objective)
    lines = (tmp_path / "out/costs.csv").read_text("utf-8").splitlines()
    assert len(lines) == 2 and lines[1].startswith("deux,cap,Au plus 300 €,")
    assert main(["compare", one, two, "--costs"]) == 0
    assert "Ce que coûtent les règles" in capsys.readouterr().out


def test_the_public_name_is_the_function_whatever_was_imported_before():
    code = "import allocator.report.comparison, allocator; print(type(allocator.compare).__name__)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == "function"

"""Plans as workbooks: the figures are the plan's, nothing is a formula, it loads again, and next year starts from it."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openpyxl
import pandas as pd
import pytest

from allocator.formats import load, save, workbook
from allocator.formats.decided import next_scenario, read_grants
from allocator.plan import Plan
from allocator.problems import ScenarioError
from allocator.report.console import proved_gap
from allocator.report.files import write_plan
from allocator.scenario import Scenario
from allocator.solver import solve
from allocator.texts import set_language


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "allocator.cli", *arguments], capture_output=True, text=True, check=False
    )


@pytest.fixture(scope="module")
def plan() -> Plan:
    scenario = workbook.example()
    return solve(
        scenario.with_(label="=1+1", demands=scenario.demands.assign(beneficiary=["=A1", "+1", "@x", "-2"])), gap=0
    )


@pytest.fixture(scope="module")
def written(plan: Plan, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("plan")
    write_plan(plan, folder)
    return folder / "plan.xlsx"


@pytest.fixture(autouse=True)
def french_again() -> Iterator[None]:
    yield
    set_language("fr")


def rows(path: Path, sheet: str, head: int = 4) -> list[dict[str, Any]]:
    lines = list(openpyxl.load_workbook(path)[sheet].iter_rows(min_row=head, values_only=True))
    return [dict(zip(map(str, lines[0]), line, strict=True)) for line in lines[1:] if line[0] is not None]


def test_it_loads_again_and_gives_the_same_plan(plan: Plan, written: Path) -> None:
    scenario = load(written)
    assert scenario.input_hash == plan.scenario.input_hash
    second = solve(scenario, gap=0)
    pd.testing.assert_frame_equal(second.grants, plan.grants)
    assert (second.status, second.objective) == (plan.status, plan.objective)


def test_its_sheets_say_what_the_plan_says(plan: Plan, written: Path) -> None:
    totals = plan.summary()["totals"]
    grants = rows(written, "Subventions")
    said = [(g["Dossier"], g["Fonds"], g["Année"], round(100 * g["Accordé (€)"])) for g in grants]
    assert said == list(plan.grants[["demand", "fund", "year", "cents"]].itertuples(index=False, name=None))
    notified, refused = rows(written, "À notifier"), rows(written, "Refusés")
    assert sum(round(100 * n["Accordé (€)"]) for n in notified) == totals["granted"]
    units = plan.units
    assert [n["Dossier"] for n in notified] == units["demand"][units["cents"] > 0].tolist()
    assert [r["Dossier"] for r in refused] == units["demand"][units["cents"] == 0].tolist()
    assert sum(round(100 * u["Demandé (€)"]) for u in rows(written, "Unités")) == totals["asked"]
    margins = rows(written, "Marges")[: len(plan.scenario.funds)]
    assert sum(round(100 * m["Reste à attribuer (€)"]) for m in margins) == totals["left"]
    years = {y["Année"]: y for y in rows(written, "Engagements et paiements") if str(y["Année"]).isdigit()}
    for year, cents in totals["paid_by_year"].items():
        assert round(100 * years[year]["Payé (€)"]) == cents
    rules = rows(written, "Tenue des règles")
    assert {r["Identifiant"] for r in rules} == {rule.id for rule in plan.scenario.rules}
    assert {r["Tenue"] for r in rules} == {"oui"}


def test_provenance_is_complete(plan: Plan, written: Path) -> None:
    cells = {
        str(a): str(b) for a, b, *_ in openpyxl.load_workbook(written)["Provenance"].iter_rows(values_only=True) if a
    }
    assert cells["Empreinte des données (SHA-256)"] == plan.scenario.input_hash
    assert plan.engine.version in cells["Moteur"] and "allocator-fonds-publics" in cells
    assert cells["Écart garanti"] == str(proved_gap(plan.gap))
    names = {f"{rule.kind}:{rule.id}": f"{rule.title} : {rule.label}" for rule in plan.scenario.rules}
    assert {names.get(check.name, str(check.label)) for check in plan.certificate.checks} <= set(cells)


@pytest.mark.parametrize("lang", ["fr", "en"])
def test_people_read_names_and_words_not_codes(lang: str, tmp_path: Path) -> None:
    """Ids stand only where next year's decisions are read from (the grants), and in columns of ids."""
    set_language(lang)
    scenario = workbook.example()
    held = {"kind": "ceiling", "id": "plafond", "label": "P", "amount": "2 M€", "per": "territory"}
    mine = scenario.demands.drop(columns="beneficiary")
    plan = solve(scenario.with_(demands=mine, prior_aid=None, constraints=[held]), gap=0)
    write_plan(plan, tmp_path)
    people, funds, measures = (
        set(scenario.territories["name"]), {f.label for f in scenario.funds}, {m.label for m in scenario.measures}
    )  # fmt: skip
    book = openpyxl.load_workbook(tmp_path / "plan.xlsx")
    notify, units, kept = (
        [line for line in book[name].iter_rows(min_row=5, values_only=True) if line[0] is not None]
        for name in (("À notifier", "Unités", "Tenue des règles") if lang == "fr" else ("To notify", "Units", "Rules kept"))
    )  # fmt: skip
    assert {line[0] for line in notify} <= people and {line[3] for line in notify} <= measures
    colon, euro = (" : ", "\u202f000\xa0€") if lang == "fr" else (": ", ",000")
    paid = [part for line in notify for part in str(line[9]).split(" ; ")]
    assert {part.split(", 202")[0] for part in paid} <= funds
    assert all(part.split(colon)[1].endswith(euro) for part in paid)
    assert {line[2] for line in units} == people and {line[3] for line in units} == measures
    assert {line[3] for line in kept if line[1] == "plafond"} == people
    said = [str(cell) for line in book["Provenance"].iter_rows(min_row=4, values_only=True) for cell in line if cell]
    assert not [cell for cell in said if re.match(r"(fund|ceiling):", cell)]


def test_nothing_is_a_formula_and_charts_are_native(written: Path) -> None:
    source = openpyxl.load_workbook(written)
    assert not [
        cell.coordinate for sheet in source for line in sheet.iter_rows() for cell in line if cell.data_type == "f"
    ]
    assert "=A1" in {cell.value for cell in source["À notifier"]["A"]}
    with zipfile.ZipFile(written) as archive:
        charts = [name for name in archive.namelist() if name.startswith("xl/charts/chart")]
        names = {sheet.title for sheet in source}
        assert len(charts) == 4
        for chart in charts:
            assert any(
                f"<c:f>'{name}'!" in (xml := archive.read(chart).decode()) or f"<c:f>{name}!" in xml for name in names
            )


def test_a_plan_that_cannot_be_is_written_too(tmp_path: Path) -> None:
    scenario = workbook.example()
    impossible = scenario.with_(
        constraints=[{"kind": "floor", "id": "trop", "on": {"territories": "t1"}, "amount": "9 M€"}]
    )
    plan = solve(impossible)
    assert plan.status == "infeasible"
    write_plan(plan, tmp_path)
    assert load(tmp_path / "plan.xlsx").input_hash == impossible.input_hash
    with pytest.raises(ScenarioError, match="Subventions"):
        read_grants(tmp_path / "plan.xlsx")


# Next year


def test_a_whole_plan_becomes_decisions(plan: Plan, written: Path) -> None:
    following = next_scenario(load(written), read_grants(written))
    locks = {rule.on.demands: rule for rule in following.constraints if rule.kind == "lock"}
    granted = plan.units[plan.units["cents"] > 0].set_index("demand")
    assert set(locks) == {(name,) for name in granted.index}
    for (name,), rule in locks.items():
        whole = granted.at[name, "units"] == granted.at[name, "asked_units"]
        assert rule.decision == ("fund" if whole else "units")
        assert rule.units is None if whole else float(rule.units) == granted.at[name, "units"]
        assert "accordé" in rule.comment
    second = solve(following, gap=0)
    pd.testing.assert_series_equal(second.units["cents"], plan.units["cents"])
    assert second.objective == plan.objective


def test_the_past_is_closed_and_the_rest_is_open(plan: Plan) -> None:
    grants = plan.grants
    before = set(grants["demand"][grants["year"] < 2027])
    following = next_scenario(plan.scenario, grants, 2027)
    demands = following.demands.set_index("id")
    for name in demands.index:
        if name in before:
            years = grants["year"][grants["demand"] == name]
            assert (demands.at[name, "first_year"], demands.at[name, "last_year"]) == (years.min(), years.max())
        else:
            assert demands.at[name, "first_year"] == 2027
    assert {rule.on.demands[0] for rule in following.constraints if rule.kind == "lock"} == before
    assert solve(following, gap=0).objective == plan.objective, "last year's plan is still possible, and still the best"


def small(last: int = 2027) -> Scenario:
    return Scenario(
        name="deux", years=[2026, 2027], funds=[{"id": "f", "amounts": {2026: 100, 2027: 100}}], measures=[{"id": "m"}],
        territories=pd.DataFrame({"id": ["t"], "region": ["r"], "departement": ["d"], "population": [1]}),
        demands=pd.DataFrame({"id": ["1", "b", "c"], "territory": "t", "measure": "m", "units": 3, "asked": [30.01, 50, 50],
                              "points": [3, 2, 1], "last_year": [2026, 2027, last]}),
        constraints=[{"kind": "lock", "id": "decision-1", "on": {"demands": "1"}, "decision": "units", "units": 1}],
        objective={"maximise": {"points": 1}},
    )  # fmt: skip


def test_parts_of_units_and_locks_that_are_there(tmp_path: Path) -> None:
    grants = pd.DataFrame({"demand": ["1", "b"], "fund": "f", "year": [2026, 2026], "cents": [3001, 4999]})
    following = next_scenario(small(last=2026), grants, 2027, "plan 2026")
    rules = {rule.id: rule for rule in following.constraints}
    assert set(rules) == {"decision-1", "decision-b", "decision-delai-passe"}, (
        "a lock that is there is kept, not doubled"
    )
    assert rules["decision-b"].units * 5000 == 4999 and rules["decision-b"].source == "plan 2026"
    assert rules["decision-delai-passe"].on.demands == ("c",), "its last year is past: it cannot be served any more"
    save(following, tmp_path / "n.xlsx")
    assert load(tmp_path / "n.xlsx").input_hash == following.input_hash
    plan = solve(following, gap=0)
    assert plan.units.set_index("demand")["cents"].to_dict() == {"1": 3001, "b": 4999, "c": 0}


def test_money_of_the_past_stays_where_it_was_committed(tmp_path: Path) -> None:
    """Two funds may pay b, over two years: 2026 is kept to the cent, though the first fund has more to give by now."""
    funds = [{"id": "f", "amounts": {2026: 300, 2027: 300}}, {"id": "g", "amounts": {2026: 100, 2027: 100}}]
    before = small().with_(funds=funds, constraints=[])
    grants = pd.DataFrame(
        {
            "demand": ["1", "b", "b", "b"],
            "fund": ["f", "f", "g", "g"],
            "year": [2026, 2026, 2026, 2027],
            "cents": [9003, 2000, 4000, 6000],
        }
    )
    following = next_scenario(before, grants, 2027, "plan 2026")
    save(following, tmp_path / "n.xlsx")
    assert load(tmp_path / "n.xlsx").input_hash == following.input_hash
    paid = solve(following, gap=0).grants
    past = paid[paid["year"] == 2026]
    assert (
        past[["demand", "fund", "cents"]].values.tolist()
        == grants[grants["year"] == 2026][["demand", "fund", "cents"]].values.tolist()
    )
    assert paid["cents"][(paid["demand"] == "b") & (paid["year"] == 2027)].sum() == 6000
    emptied = following.with_(funds=[funds[0], {"id": "g", "amounts": {2026: 30, 2027: 300}}])
    assert solve(emptied).status == "infeasible", "an envelope below what it committed is a contradiction"


def test_what_cannot_follow_is_said() -> None:
    grants = pd.DataFrame({"demand": ["z"], "fund": "f", "year": [2026], "cents": [1]})
    with pytest.raises(ScenarioError, match=r"dossiers inconnus.*z"):
        next_scenario(small(), grants)
    with pytest.raises(ScenarioError, match="2031 hors de l'horizon"):
        next_scenario(small(), grants[:0], 2031)


# Commands


def test_template_solve_and_next_year_by_command(tmp_path: Path) -> None:
    assert run("template", str(tmp_path / "s.xlsx")).returncode == 0
    done = run("solve", str(tmp_path / "s.xlsx"), "--out", str(tmp_path / "plan"))
    assert done.returncode == 0, done.stderr
    assert "plan.xlsx" in done.stdout
    done = run("template", str(tmp_path / "next.xlsx"), "--from", str(tmp_path / "plan"), "--year", "2027")
    assert done.returncode == 0, done.stderr
    assert "dossiers décidés" in done.stdout
    assert run("check", str(tmp_path / "next.xlsx")).returncode == 0


def test_export_by_command(tmp_path: Path) -> None:
    for out in ("s.xlsx", "folder"):
        done = run("export", "rebond-urgence", "--out", str(tmp_path / out))
        assert done.returncode == 0, done.stderr
        assert load(tmp_path / out).input_hash == load("rebond-urgence").input_hash


@pytest.mark.parametrize(
    "arguments",
    [("template", "x.txt"), ("template", "x.xlsx", "--year", "2027"), ("template", "x.xlsx", "--from", "nowhere.xlsx"),
     ("template", "/no/such/folder/x.xlsx"), ("export", "rebond-urgence", "--out", "x.ods"), ("solve", "nowhere.ods")],
)  # fmt: skip
def test_wrong_commands_exit_with_2(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "allocator.cli", *arguments], capture_output=True, text=True, check=False, cwd=tmp_path
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr and "erreur(s)" in done.stderr

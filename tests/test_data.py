"""What ships in allocator/data: real territories, a written rule for who asks what, sourced figures."""

from __future__ import annotations

import hashlib
import importlib.util
import shutil
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest
import yaml

import allocator
from allocator import data
from allocator.formats import yaml_text

ROOT = Path(__file__).parent.parent
DATA = ROOT / "allocator" / "data"
SCENARIOS = sorted(folder.parent for folder in DATA.glob("scenarios/*/scenario.yaml"))
MILLION = 100_000_000  # cents


def script(name: str) -> ModuleType:
    """A file of scripts/, imported."""
    spec = importlib.util.spec_from_file_location(name, ROOT / "scripts" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def table(path: str) -> pd.DataFrame:
    return pd.read_csv(DATA / path, dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def epci() -> pd.DataFrame:
    return table("territories/epci.csv").astype({"population": int, "members": int})


@pytest.fixture(scope="module")
def source() -> dict:
    return yaml.safe_load((DATA / "territories" / "SOURCE.yaml").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def scenario() -> allocator.Scenario:
    return allocator.load("propositions-2025")


@pytest.fixture(scope="module")
def asks(scenario: allocator.Scenario) -> pd.DataFrame:
    """Demands with the columns of their territories."""
    territories = scenario.territories.rename(columns={"id": "territory"})
    return scenario.demands.merge(territories, on="territory", validate="many_to_one")


# --- Territories


def test_all_epci_are_there(epci: pd.DataFrame, source: dict) -> None:
    assert len(epci) == 1255
    assert epci["id"].is_unique
    assert epci["id"].str.fullmatch(r"\d{9}").all()
    assert epci["id"].is_monotonic_increasing
    assert (epci["population"] > 0).all()
    assert (epci["name"] != "").all()
    assert epci["population"].sum() == 68_010_643
    assert epci["members"].sum() == 34_875 - 4  # all communes of the 101 departments but four islands
    assert dict(epci["kind"].value_counts()) == {"CC": 989, "CA": 230, "METRO": 21, "CU": 14, "MET69": 1}
    counts = source["counts"]
    assert counts["epci"] == len(epci)
    assert counts["population"] == epci["population"].sum()
    assert source["version"] == "6.0.0"
    assert source["licence"].startswith("Licence Ouverte 2.0")
    assert all(len(digest) == 64 for digest in source["sha256"].values())


def test_metropoles_lyon_and_overseas(epci: pd.DataFrame) -> None:
    assert ((epci["metropole"] == "true") == epci["kind"].isin(["METRO", "MET69"])).all()
    lyon = epci.set_index("id").loc["200046977"]
    assert (lyon["name"], lyon["departement"], lyon["kind"]) == ("Métropole de Lyon", "69", "MET69")
    overseas = epci[epci["departement"].str.startswith("97")]
    assert len(overseas) == 23
    assert set(overseas["region"]) == {"01", "02", "03", "04", "06"}


def test_names_of_regions_and_departements(epci: pd.DataFrame) -> None:
    regions, departements = table("territories/regions.csv"), table("territories/departements.csv")
    assert set(regions["code"]) == set(epci["region"])
    assert len(regions) == 18
    assert set(departements["code"]) == set(epci["departement"])
    assert len(departements) == 98  # the Métropole du Grand Paris stands for 75, 92, 93 and 94
    region_of = departements.set_index("code")["region"]
    assert (epci["departement"].map(region_of) == epci["region"]).all()


def test_home_is_where_most_people_live(epci: pd.DataFrame) -> None:
    domicile = table("territories/domicile.csv").astype({"population": int})
    known = epci.set_index("id")
    for level, spanning in (("region", 26), ("departement", 89)):
        rows = domicile[domicile["level"] == level]
        assert rows["epci"].nunique() == spanning
        assert set(rows["epci"]) == set(epci.loc[epci[f"{level}s"].str.contains(" ; "), "id"])
        for siren, group in rows.groupby("epci"):
            home = group[group["home"] == "true"]
            assert list(home["code"]) == [known.at[siren, level]]
            assert home["population"].item() == group["population"].max()
            assert group["population"].sum() == known.at[siren, "population"]
            assert " ; ".join(group["code"]) == known.at[siren, f"{level}s"]


def tiny_package() -> dict:
    """One EPCI of three communes, the largest of which stands in the less populous department."""
    member = [("1A", 50), ("2A", 30), ("2B", 40)]
    return {
        "epci": [{
            "code": "200000001", "nom": "CC d'essai", "type": "CC", "populationMunicipale": 120,
            "membres": [{"code": code, "populationMunicipale": people} for code, people in member],
        }],
        "communes": [
            {"code": code, "type": "commune-actuelle", "departement": code[0], "region": "9", "population": 1}
            for code, _ in member
        ],
        "departements": [{"code": code, "nom": code, "region": "9"} for code in "12"],
        "regions": [{"code": "9", "nom": "R"}],
        "ept": [],
    }  # fmt: skip


def test_home_rule_adds_the_members_up(monkeypatch: pytest.MonkeyPatch) -> None:
    build = script("build_territories")
    monkeypatch.setattr(build, "EXPECTED", {})
    monkeypatch.setattr(build, "DATED_BY", ("9", 120))
    tables, counts = build.build(tiny_package())
    assert tables["epci.csv"].loc[0, ["departement", "departements"]].tolist() == ["2", "2 ; 1"]
    assert counts["epci_on_several_departements"] == 1
    assert counts["epci_on_several_regions"] == 0


def test_a_population_that_does_not_add_up_stops_the_script(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    build = script("build_territories")
    monkeypatch.setattr(build, "EXPECTED", {})
    package = tiny_package()
    package["epci"][0]["populationMunicipale"] = 121
    with pytest.raises(SystemExit) as stopped:
        build.build(package)
    assert stopped.value.code == 2
    assert "121" in capsys.readouterr().err


def test_missing_npm_is_said_clearly(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit) as stopped:
        script("build_territories").fetch(Path())
    assert stopped.value.code == 2
    assert "npm" in capsys.readouterr().err


def test_another_package_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "x.tgz"
    wrong.write_bytes(b"x")
    with pytest.raises(SystemExit) as stopped:
        script("build_territories").read(wrong)
    assert stopped.value.code == 2
    assert hashlib.sha256(b"x").hexdigest() in capsys.readouterr().err


# --- Every figure has a source, or says that it is a hypothesis


def entries() -> list:
    """(kind, what the file says) for each fund, measure and constraint of the built-in scenarios."""
    found = []
    for folder in SCENARIOS:
        content, problems = yaml_text.read((folder / "scenario.yaml").read_bytes(), folder.name)
        assert not problems
        for kind in ("funds", "measures", "constraints"):
            for item in content.value.get(kind, []):
                if item.get("remove") or ("base" in content.value and "source" not in item):
                    continue  # see test_a_changed_figure_is_sourced_anew
                found.append(pytest.param(kind, item, id=f"{folder.name}-{kind}-{item['id']}"))
    return found


@pytest.mark.parametrize(("kind", "item"), entries())
def test_source_or_hypothesis(kind: str, item: dict) -> None:
    assert item.get("source"), "a source, or the word hypothesis"
    if kind != "constraints" and "id" in item and ("label" in item or "amount" in item):
        assert item.get("as_of") or item.get("hypothesis") is True or "ypothèse" in item["source"]
    if "absent de la note" in item["source"]:
        assert item.get("hypothesis") is True or "ypothèse" in item["source"]


@pytest.mark.parametrize(("kind", "item"), entries())
def test_no_minimum_set_equal_to_a_maximum(kind: str, item: dict) -> None:
    if item.get("min") is not None:
        assert item.get("min") != item.get("max")


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_every_figure_of_a_whole_scenario_is_sourced(folder: Path) -> None:
    """Bases laid under: what a reader sees in the end."""
    scenario = allocator.load(folder)
    for item in (*scenario.funds, *scenario.measures):
        assert item.source, item.id
        assert item.as_of or item.hypothesis is True, item.id
    for rule in scenario.constraints:
        assert rule.source, rule.id
        assert rule.label != rule.id


@pytest.mark.parametrize("folder", SCENARIOS, ids=lambda folder: folder.name)
def test_a_changed_figure_is_sourced_anew(folder: Path) -> None:
    """A fund that changes its amount or a rule its figure may not keep the source of another figure."""
    content, _ = yaml_text.read((folder / "scenario.yaml").read_bytes(), folder.name)
    for item in content.value.get("funds", []):
        if {"amount", "amounts"} & set(item):
            assert "source" in item, item["id"]
    for rule in content.value.get("constraints", []):
        figures = {"amount", "per_inhabitant", "min", "max", "max_rate"} & set(rule)
        if figures and "source" not in rule:  # then the base's must be a mere hypothesis
            whole = {r.id: r for r in allocator.load(folder).constraints}
            assert whole[rule["id"]].source.startswith("Hypothèse"), rule["id"]
            assert rule["label"], rule["id"]


def test_figures_of_the_note(scenario: allocator.Scenario) -> None:
    funds = {fund.id: fund for fund in scenario.funds}
    assert funds["france-2030"].amount == 15_000 * MILLION
    assert funds["friches"].amount == 1_000 * MILLION
    assert set(funds["territoires-industrie"].amounts.values()) == {100 * MILLION}
    assert funds["friches"].parent == funds["territoires-industrie"].parent == "fonds-vert"
    per_unit = scenario.demands.groupby("measure")[["asked", "cost"]].agg(["min", "max"])
    for measure, column, euros in (
        ("friche", "asked", 500_000),
        ("friche", "cost", 780_000),
        ("rebond", "asked", 2_000_000),
        ("ecole-production", "asked", 500_000),
    ):
        assert per_unit.loc[measure, column].tolist() == [euros, euros]
    most = {rule.id: rule.max for rule in scenario.constraints if rule.kind == "count"}
    assert (most["rebonds"], most["ecoles"], most["academies"]) == (10, 20, 10)
    assert most["ecoles"] * 500_000 == 10_000_000
    rules = {rule.id: rule for rule in scenario.constraints}
    assert rules["zan"].weights == {"usage": {"industrie": Fraction(1, 2), "commerce": Fraction(3, 2)}}
    assert rules["zan"].until == 2031
    statu_quo = {fund.id: fund for fund in allocator.load("statu-quo").funds}
    assert set(statu_quo["territoires-industrie"].amounts.values()) == {65 * MILLION}
    assert statu_quo["rebond"].amount == 50 * MILLION  # 100 M€ over three years, halved
    assert "rebond" not in statu_quo["france-2030"].on.measures  # its doctrine


# --- Who asks for what


def test_demands_are_what_the_script_writes() -> None:
    files = script("build_demands").files()
    assert {path.name: path.read_bytes() for path in (DATA / "demands").iterdir()} == files


def test_check_passes_from_the_command_line() -> None:
    command = [sys.executable, str(ROOT / "scripts" / "build_demands.py"), "--check"]
    assert subprocess.run(command, capture_output=True, check=False, timeout=120).returncode == 0


def test_the_scenario_loads_without_a_warning(scenario: allocator.Scenario) -> None:
    assert scenario.warnings == []
    assert len(scenario.territories) == 1255
    assert scenario.years == [2026, 2027, 2028]
    assert set(scenario.indicators) == set(script("build_demands").INDICATORS)
    assert set(scenario.attributes) == {"usage", "volet", "rebond_obtenu"}


def test_territories_name_their_region_and_departement(scenario: allocator.Scenario) -> None:
    epci = scenario.territories
    for level in ("region", "departement"):
        names = table(f"territories/{level}s.csv").set_index("code")["name"]
        assert (epci[level].map(names) == epci[f"{level}_name"]).all()


def test_industry_asks_as_in_the_past(asks: pd.DataFrame) -> None:
    industry = asks[asks["measure"] == "projet-industriel"]
    total = industry["units"].sum()
    assert total == pytest.approx(24_000, abs=1)
    assert industry.loc[industry["region"] == "11", "units"].sum() / total == pytest.approx(0.52, abs=1e-4)
    assert industry["territory"].nunique() == 1255
    for _, group in industry.groupby(industry["region"] == "11"):  # in proportion to people on either side
        asked = group.groupby("territory").agg(units=("units", "sum"), people=("population", "first"))
        assert (asked["units"] / asked["people"]).std() < 2e-6


def test_friches_are_asked_twice_over_by_everybody(asks: pd.DataFrame) -> None:
    friches = asks[asks["measure"] == "friche"]
    assert friches["territory"].nunique() == 1255
    assert friches["units"].sum() == pytest.approx(4_000, abs=1)
    studies = asks[asks["measure"] == "etude-friche"]
    assert set(studies["territory"]) == set(friches.loc[friches["units"] >= 2, "territory"])


def test_sites_are_a_call_each_year(asks: pd.DataFrame) -> None:
    sites = asks[asks["measure"] == "site-cle-en-main"]
    assert (sites["first_year"] == sites["last_year"]).all()
    assert not sites["metropole"].any()
    assert not sites.duplicated(["departement", "first_year"]).any()
    later = sites.sort_values("first_year").groupby("departement")["population"]
    assert (later.diff().dropna() <= 0).all()


def test_rebond_candidates(asks: pd.DataFrame) -> None:
    every = asks[asks["measure"] == "rebond"]
    rebonds = every[~every["rebond_obtenu"]]
    assert len(rebonds) == 99
    assert (every["asked"] == 2_000_000).all()
    named = {"72", "38", "88", "14", "74", "30", "80"}
    per = rebonds["departement"].value_counts()
    assert all(count == (2 if departement in named else 1) for departement, count in per.items())
    assert named <= set(per.index)
    had_theirs = script("build_demands").REBOND_DONE
    names = asks.drop_duplicates("territory").set_index("territory")["name"]
    assert {siren: names[siren] for siren in had_theirs} == had_theirs
    assert set(every.loc[every["rebond_obtenu"], "territory"]) == set(had_theirs)
    first = rebonds["urgence"].map({3: "72 38 88", 2: "14 74 30 80"})
    for departement, listed in zip(rebonds["departement"], first, strict=True):
        assert departement in listed.split() if isinstance(listed, str) else departement not in named


def test_urgent_demands_are_rows_of_the_others(asks: pd.DataFrame) -> None:
    urgent = table("demands/urgences.csv")
    whole = table("demands/toutes.csv").set_index("id", drop=False)
    assert urgent.equals(whole.loc[urgent["id"]].reset_index(drop=True))
    candidates = set(asks.loc[asks["measure"] == "rebond", "territory"])
    assert set(urgent["territory"]) == candidates
    assert set(urgent["measure"]) == {"rebond", "projet-ti", "conversion", "friche", "etude-friche"}


def test_small_measures_and_operators(asks: pd.DataFrame) -> None:
    running = asks[asks["measure"] == "petite-action-fonctionnement"]
    investment = asks[asks["measure"] == "petite-action-investissement"]
    assert set(running["territory"]) == set(investment["territory"])
    assert running["departement"].value_counts().max() == 2
    diagnosed = asks[asks["measure"] == "diagnostic"]
    follow = asks[asks["measure"] == "suite-diagnostic"]
    assert set(diagnosed["territory"]) == set(follow["territory"])
    assert (diagnosed["population"] >= 50_000).all()
    assert diagnosed["last_year"].max() < follow["first_year"].min()
    zones = asks[asks["measure"] == "zibac"]
    assert (zones["region"].value_counts() == 1).all()
    assert (zones["asked"] * 5 == zones["cost"] * 3).all()
    conversion = asks[asks["measure"] == "conversion"].drop_duplicates("territory")
    assert conversion["volet"].value_counts().to_dict() == {"armement": 86, "a-convertir": 14}


def test_schools_and_academies(asks: pd.DataFrame) -> None:
    schools = asks[asks["measure"] == "ecole-production"]
    assert set(schools["kind"]) == {"CC", "CA"}
    assert not schools.duplicated(["departement", "kind"]).any()
    assert (asks[asks["measure"] == "academie"]["region"].value_counts() == 2).all()


def test_small_firms_ask_for_what_the_eu_allows(asks: pd.DataFrame) -> None:
    firms = asks[asks["measure"] == "projet-ti"]
    assert (firms["asked"] * 5 == firms["cost"]).all()
    assert (firms["units"] == 1 + firms["population"] // 30_000).all()
    assert (firms["population"] >= 10_000).all()
    assert not firms["metropole"].any()


def test_benefits_differ_from_place_to_place(asks: pd.DataFrame) -> None:
    for measure in ("projet-industriel", "friche", "projet-ti", "rebond", "site-cle-en-main"):
        assert asks.loc[asks["measure"] == measure, "emplois"].nunique() > 20


# --- There is something to decide


@pytest.fixture(scope="module")
def plans() -> dict[str, allocator.Plan]:
    """Every built-in scenario, solved."""
    return {folder.name: allocator.solve(allocator.load(folder.name)) for folder in SCENARIOS}


def units(plan: allocator.Plan) -> dict[str, float]:
    return plan.units.groupby("measure")["units"].sum().to_dict()


def granted(plan: allocator.Plan) -> dict[str, int]:
    return plan.grants.groupby("fund")["cents"].sum().to_dict()


NATIONAL = ("equite-territoriale", "propositions-2025", "rebond-urgence", "statu-quo", "statu-quo-lfi")


def test_scenarios() -> None:
    more = ("hectares-2030", "leviers", "region-la-moins-servie")
    assert [folder.name for folder in SCENARIOS] == sorted((*NATIONAL, *more))
    assert [name for name, _ in data.builtin()] == [folder.name for folder in SCENARIOS]
    labels = [label for _, label in data.builtin()]
    assert len({label.fr for label in labels}) == len({label.en for label in labels}) == 8


def test_each_is_solved_certified_and_scarce(plans: dict[str, allocator.Plan]) -> None:
    for name, plan in plans.items():
        scenario = plan.scenario
        assert scenario.warnings == [], name
        assert plan.status == "optimal", name
        assert plan.certificate.ok, name
        if name not in NATIONAL:
            continue
        held, asked = plan.held_cents(), plan.asked_by_fund()
        short = {fund.id for fund in scenario.funds if asked[fund.id] > held[fund.id]}
        assert len(short) >= 2, name
        assert short & set(plan.binding), name
        assert {rule.id for rule in scenario.constraints} & set(plan.binding), name


def test_envelopes_nest(plans: dict[str, allocator.Plan]) -> None:
    """What the two funds inside it pay is within the Fonds vert, and counted once."""
    for name in NATIONAL:
        plan = plans[name]
        paid, held = granted(plan), plan.held_cents()
        family = ("fonds-vert", "friches", "territoires-industrie")
        inside = {fund.id for fund in plan.scenario.funds if fund.parent == "fonds-vert"}
        assert inside == set(family[1:]), name
        assert sum(paid.get(fund, 0) for fund in family) <= held["fonds-vert"], name
        roots = sum(held[fund.id] for fund in plan.scenario.funds if fund.parent is None)
        totals = plan.summary()["totals"]
        assert totals["left"] == roots - totals["granted"], name
        # the envelope around the two is at work: it holds little more than they do, or less
        assert "fonds-vert" in plan.binding, name
        assert held["fonds-vert"] - sum(paid.get(fund, 0) for fund in family) < MILLION, name
    lfi = plans["statu-quo-lfi"].held_cents()
    assert lfi["fonds-vert"] < lfi["friches"] + lfi["territoires-industrie"]


def test_propositions_are_served(plans: dict[str, allocator.Plan]) -> None:
    plan = plans["propositions-2025"]
    served = units(plan)
    assert (served["rebond"], served["ecole-production"], served["academie"]) == (10, 20, 10)
    assert 1_700 <= served["friche"] < 2_000
    assert 24 <= served["site-cle-en-main"] < 291
    assert 0 < served["zibac"] < 18
    assert 0 < served["projet-partage"] < 98
    by_dossier = plan.grants.groupby(["measure", "demand"])["fund"].nunique()
    assert (by_dossier["zibac"] == 3).all()
    assert (by_dossier["projet-partage"] >= 2).all()

    grants = plan.grants.merge(plan.scenario.territories.rename(columns={"id": "territory"}), on="territory")
    france_2030 = grants[grants["fund"] == "france-2030"]
    total = france_2030["cents"].sum()
    ile_de_france = france_2030.loc[france_2030["region"] == "11", "cents"].sum()
    outside = france_2030.loc[~france_2030["metropole"], "cents"].sum()
    assert 0.3999 * total < ile_de_france <= 0.4 * total
    assert 0.75 * total <= outside < 0.7501 * total


def test_statu_quo_opens_no_new_call(plans: dict[str, allocator.Plan]) -> None:
    for name in ("statu-quo", "statu-quo-lfi"):
        plan = plans[name]
        served = units(plan)
        closed = {rule.id: rule for rule in plan.scenario.constraints}["appels-non-ouverts"].on.measures
        assert all(served[measure] == 0 for measure in closed)
        assert served["rebond"] == 25  # 50 M€ at 2 M€
        payers = plan.grants.loc[plan.grants["measure"] == "rebond", "fund"]
        assert set(payers) == {"rebond"}
        assert set(plan.grants.loc[plan.grants["measure"] == "zibac", "fund"]) == {"ademe"}
    assert granted(plans["statu-quo-lfi"])["friches"] < granted(plans["statu-quo"])["friches"]


def test_equity_moves_money_out_of_ile_de_france(plans: dict[str, allocator.Plan]) -> None:
    per_head = {}
    for name in ("statu-quo", "propositions-2025", "equite-territoriale"):
        plan = plans[name]
        regions = plan.summary()["totals"]["by_region"]
        people = plan.scenario.territories.groupby("region")["population"].sum()
        per_head[name] = {region: regions[region] / people[region] for region in regions}
    ile_de_france = [per_head[name]["11"] for name in per_head]
    assert ile_de_france == sorted(ile_de_france, reverse=True)
    least = [min(values.values()) for values in per_head.values()]
    assert least == sorted(least)


def test_emergency_serves_threatened_sites_first(plans: dict[str, allocator.Plan]) -> None:
    plan = plans["rebond-urgence"]
    demands = plan.scenario.demands.merge(
        plan.scenario.territories[["id", "departement"]].rename(columns={"id": "territory"}), on="territory"
    )
    candidates = demands[(demands["measure"] == "rebond") & ~demands["rebond_obtenu"]]
    assert len(candidates) >= 30
    served = set(plan.units.loc[(plan.units["measure"] == "rebond") & (plan.units["units"] > 0), "demand"])
    chosen = demands[demands["id"].isin(served)]
    assert {"72", "38", "88", "14", "74", "30", "80"} <= set(chosen["departement"])
    assert not chosen["rebond_obtenu"].any()


def test_towns_that_had_their_rebond_are_out_unless_reopened() -> None:
    scenario = allocator.load("rebond-urgence")
    rules = [rule.model_copy(update={"enabled": False}) if rule.id == "rebonds-obtenus" else rule
             for rule in scenario.constraints]  # fmt: skip
    only = scenario.demands[scenario.demands["measure"] == "rebond"]
    rules = [rule for rule in rules if rule.id in ("rebonds", "rebonds-par-departement", "rebonds-obtenus")]
    favoured = only.assign(urgence=only["rebond_obtenu"].astype(int))
    reopened = allocator.solve(scenario.with_(demands=favoured, constraints=rules))
    assert reopened.units.loc[favoured["rebond_obtenu"].to_numpy(), "units"].tolist() == [1, 1, 1]


def test_territoires_industrie_are_made_of_epci(epci: pd.DataFrame) -> None:
    known = data.industry()
    counts = yaml.safe_load((DATA / "industrie" / "SOURCE.yaml").read_text(encoding="utf-8"))["counts"]
    assert set(known) <= set(epci["id"])
    assert (len(known), len({ti for ti, _ in known.values()})) == (counts["epci"], counts["avec_epci"])
    assert len(dict(known.values())) == len(set(known.values()))  # one name each


def test_territoires_industrie_are_what_the_script_writes() -> None:
    made = script("build_ti")
    if not made.LIST.is_file():
        pytest.skip("the open-data files are not beside the repository")
    assert made.built(made.LIST.read_bytes()) == {
        name: (DATA / "industrie" / name).read_text(encoding="utf-8") for name in ("ti.csv", "SOURCE.yaml")
    }

"""The 28 propositions: all there, each figure with its place, each id alive in the scenarios."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest
from pydantic import ValidationError
from rich.console import Console

import allocator
from allocator import data
from allocator.data.catalogue import Figure, Proposition, catalogue
from allocator.money import format_euros
from allocator.report.propositions import amount, as_dicts, line, print_propositions
from allocator.texts import Text, language, set_language

GOVERNANCE = {4, 10, 13, 17, 18, 20}


@pytest.fixture(autouse=True)
def french():
    before = language()
    set_language("fr")
    yield
    set_language(before)


@pytest.fixture(scope="module")
def scenarios() -> dict[str, allocator.Scenario]:
    return {name: allocator.load(name) for name in data.names()}


def by_number() -> dict[int, Proposition]:
    return {entry.number: entry for entry in data.propositions()}


def printed(width: int = 140) -> str:
    out = io.StringIO()
    print_propositions(Console(file=out, width=width))
    return out.getvalue()


def test_all_28_in_order() -> None:
    assert [entry.number for entry in data.propositions()] == list(range(1, 29))
    for language_of in ("fr", "en"):
        labels = [entry.label.in_(language_of) for entry in data.propositions()]
        assert len(set(labels)) == 28
        assert all(0 < len(label) < 60 for label in labels)


def test_governance_makes_no_pretence() -> None:
    for number, entry in by_number().items():
        assert (entry.kinds == ("gouvernance",)) == (number in GOVERNANCE)
        assert (entry.status == "sans effet budgétaire") == (number in GOVERNANCE)
        assert (entry.axis == "gouvernance") == (number in GOVERNANCE)
        if number in GOVERNANCE:
            assert not entry.figures
            assert not (entry.funds or entry.measures or entry.constraints or entry.scenarios)


def test_each_figure_has_its_place_and_date() -> None:
    every = [(entry.number, figure) for entry in data.propositions() for figure in entry.figures]
    assert len(every) > 60
    for number, figure in every:
        if figure.absent:
            assert not figure.where
            assert "absent de la note" in line(figure)
        else:
            assert figure.where == f"note, proposition {number}" or "." in figure.where  # a public address
            assert figure.as_of
    for figure in data.other_figures():
        assert figure.where == "note"
        assert figure.as_of


def test_what_is_used_instead_is_marked() -> None:
    """Every measure in a scenario whose amount the note does not give says what is used, as a hypothesis."""
    for entry in data.propositions():
        for figure in entry.figures:
            if figure.used:
                assert "hypothèse utilisée" in line(figure)
    for entry in data.propositions():  # whatever is absent, the switch's scenario puts something in its place
        assert all(figure.used for figure in entry.figures if figure.absent), entry.number
    for number in (2, 3, 5, 7, 9, 11, 14, 15, 16, 19, 22, 25, 28):
        assert any(figure.absent for figure in by_number()[number].figures)


@pytest.mark.parametrize(
    ("number", "value", "unit"),
    [
        (1, 0.5, ""), (1, 1.5, ""), (1, 7300, "ha"), (6, 1, "Md€"), (6, 2000, "ha"), (6, 500, "k€/ha"),
        (6, 780, "k€/ha"), (6, 170000, "ha"), (6, 2400, ""), (6, 22000, "ha"), (7, "10 à 40", "ans"),
        (8, 55, "sites"), (11, 10, "académies"), (12, 20, "écoles"), (12, 10, "M€"), (21, 2700, "dossiers"),
        (21, 8, "%"), (21, 36, "%"), (21, 45, "%"), (23, 15, "Md€"), (23, 38, "Md€"), (23, 52, "%"),
        (23, 75, "%"), (24, 10, "territoires"), (24, 2, "M€"), (24, 100, "M€"), (26, 100, "M€"),
        (26, 65, "M€"), (27, 20, "écoles"),
    ],
)  # fmt: skip
def test_figures_of_the_note(number: int, value: float | str, unit: str) -> None:
    found = [figure for figure in by_number()[number].figures if (figure.value, figure.unit) == (value, unit)]
    assert [f.where for f in found if f.where.startswith("note")] == [f"note, proposition {number}"]


def test_both_readings_where_the_note_disagrees_with_itself() -> None:
    figures = [f for entry in data.propositions() for f in entry.figures] + data.other_figures()
    readings = " ".join(figure.reading.fr for figure in figures if figure.reading)
    for said in ("lauréats", "supprimé", "−30 %", "2016", "proportion inverse", "2025 est probable"):
        assert said in readings
    values = {figure.value for figure in data.other_figures()}
    assert {4000, 69, "un cinquième", 60000, 19, -35, 630, 183, "44 à 54", 2015, 2.1} <= values


def test_ids_are_alive_in_the_scenarios(scenarios: dict[str, allocator.Scenario]) -> None:
    known: dict[str, set[str]] = {
        "funds": {fund.id for s in scenarios.values() for fund in s.funds},
        "measures": {measure.id for s in scenarios.values() for measure in s.measures},
        "constraints": {rule.id for s in scenarios.values() for rule in s.constraints},
        "indicators": {name for s in scenarios.values() for name in s.indicators},
        "attributes": {name for s in scenarios.values() for name in (*s.attributes, *s.territories.columns)},
    }
    for entry in data.propositions():
        for kind, names in known.items():
            assert set(getattr(entry, kind)) <= names, (entry.number, kind)
    for kind in ("funds", "measures"):  # and none is left without its proposition
        assert {name for entry in data.propositions() for name in getattr(entry, kind)} == known[kind]


def test_measures_name_their_propositions(scenarios: dict[str, allocator.Scenario]) -> None:
    """The catalogue and the scenarios say the same."""
    measures = {measure.id: measure for s in scenarios.values() for measure in s.measures}
    for name, measure in measures.items():
        listed = {entry.number for entry in data.propositions() if name in entry.measures}
        assert listed == set(measure.propositions), name


@pytest.mark.parametrize(
    "measure",
    [
        "site-cle-en-main", "projet-partage", "academie", "conversion", "zibac", "projet-ti", "etude-friche",
        "petite-action-fonctionnement", "petite-action-investissement", "diagnostic", "suite-diagnostic",
    ],
)  # fmt: skip
def test_amounts_used_are_the_demands_own(scenarios: dict[str, allocator.Scenario], measure: str) -> None:
    demands = scenarios["propositions-2025"].demands
    (asked,) = demands.loc[demands["measure"] == measure, "asked"].unique()
    said = format_euros(100 * int(asked), compact=True).replace("\u202f", " ").replace("\u00a0", " ")
    for entry in data.propositions():
        if measure in entry.measures:
            assert any(said in figure.used for figure in entry.figures), (entry.number, said)


def served(scenario: allocator.Scenario) -> set[str]:
    """Measures that someone asks for, some fund may pay and no decision refuses altogether."""
    refused = {
        measure
        for rule in scenario.constraints
        if rule.kind == "lock" and rule.enabled and rule.decision == "refuse" and rule.on.where is None
        for measure in rule.on.measures or ()
    }
    paid = {measure for fund in scenario.funds for measure in fund.on.measures}
    return (set(scenario.demands["measure"]) & paid) - refused


def test_scenarios_of_each_proposition(scenarios: dict[str, allocator.Scenario]) -> None:
    for entry in data.propositions():
        expected = []
        for name, scenario in scenarios.items():
            rules = {rule.id for rule in scenario.constraints}
            funds = {fund.id for fund in scenario.funds}
            alive, named = (
                (served(scenario), entry.measures)
                if entry.measures
                else (rules, entry.constraints)
                if entry.constraints
                else (funds, entry.funds)
            )
            if alive & set(named):
                expected.append(name)
        assert list(entry.scenarios) == expected, entry.number
        assert bool(expected) == (entry.status in ("en place", "en partie")), entry.number


def test_printed_whole() -> None:
    text = " ".join(printed(400).split())
    for entry in data.propositions():
        assert entry.label.fr in text
    assert text.count("absent de la note") >= 15
    assert "hypothèse utilisée" in text
    assert "Les autres chiffres de la note" in text
    assert "10 avril 2024" in text
    assert "n'est repris que leur nature" in text  # what we do not know is said
    assert max(len(row) for row in printed(100).splitlines()) <= 100


def test_printed_in_english() -> None:
    set_language("en")
    text = printed(300)
    assert "28 proposals" in text
    assert "not in the note" in text
    assert "absent de la note" not in text
    assert "7,300" in text


def test_json_is_complete() -> None:
    plain = json.loads(json.dumps(as_dicts(), allow_nan=False))
    assert len(plain["propositions"]) == 28
    assert len(plain["other_figures"]) == len(data.other_figures())
    friches = plain["propositions"][5]
    assert friches["figures"][0]["value"] == 1
    assert friches["figures"][0]["where"] == "note, proposition 6"
    absent = [f for p in plain["propositions"] for f in p["figures"] if f["absent"]]
    assert absent
    assert all(figure["value"] is None for figure in absent)
    assert all(figure["hypothesis"] for figure in absent if figure["used"])


@pytest.mark.parametrize(
    ("figure", "text"),
    [
        ({"value": 7300, "unit": "ha"}, "7\u202f300\u00a0ha"),
        ({"value": 0.5}, "0,5"),
        ({"value": -35}, "−35"),
        ({"value": 2031, "unit": "année"}, "2031"),
        ({"value": "10 à 40", "unit": "ans"}, "10 à 40\u00a0ans"),
        ({}, "absent de la note"),
    ],
)
def test_amounts_as_people_write_them(figure: dict[str, object], text: str) -> None:
    assert amount(Figure(what=Text("x", "x"), where="note", as_of="2025", **figure)) == text


@pytest.mark.parametrize("missing", [{"where": ""}, {"as_of": ""}])
def test_a_figure_without_place_or_date_is_refused(missing: dict[str, str]) -> None:
    whole = {"what": {"fr": "x", "en": "x"}, "value": 1, "where": "note", "as_of": "2025"}
    Figure.model_validate(whole)
    with pytest.raises(ValidationError):
        Figure.model_validate({**whole, **missing})


def test_loaded_only_when_asked_for() -> None:
    code = "import sys, allocator.data; print({'pydantic', 'allocator.data.catalogue'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert run.stdout.strip() == "set()"
    assert catalogue() is catalogue()


def test_a_list_of_names_loads_no_table_library():
    code = (
        "import sys; from allocator.cli import main; status = main(['list']);"
        "sys.exit(status or ' '.join({'pandas', 'numpy', 'pydantic'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "propositions-2025" in done.stdout, done.stderr

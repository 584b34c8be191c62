"""Sentences of explanations: what they name, how sure they say it is, and that nothing they hide is small."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from valley import FLOOR, SCHOOLS, valley

import allocator
from allocator.cli import main
from allocator.explain import Stopped
from allocator.explain.explanation import money
from allocator.explain.flips import Flip
from allocator.explain.funded import Rival
from allocator.explain.points import Gain, counted
from allocator.explain.variants import enclosing, listing
from allocator.formats import save
from allocator.texts import Text

EMPLOIS = Text("emplois", "jobs")


def plain(text: str) -> str:
    """With ordinary spaces."""
    return text.replace("\u202f", " ").replace("\u00a0", " ")


@pytest.mark.parametrize(
    ("gain", "french"),
    [
        (Gain(5.83, 2.48, 9.18), "entre 2,4 et 9,2"),
        (Gain(19.79, 16.44, 23.15), "entre 16,4 et 23,2"),
        (Gain(3, 3, 3), "3"),
        (Gain(0.2, -1, 0.687), "au plus 0,69"),
        (Gain(8, 7, float("inf")), "au moins 7"),
    ],
)
def test_a_room_is_told_rounded_outwards(gain, french):
    assert gain.text().fr == french


def test_a_loss_beside_the_total_of_the_plan():
    plan = allocator.solve(valley())
    said = counted(plan)
    assert said.lost(Gain(8, 8, 8)).fr == "ferait perdre à l'ensemble du plan 8 emplois sur 79,2 (environ 10 %)"
    assert said.lost(Gain(0.5, 0.1, 0.8)).en == (
        "would make the plan as a whole lose between 0.1 and 0.8 emplois of 79.2 (less than 1.1%)"
    )
    assert said.notes(Gain(8, 8, 8)) == []  # its name says what it is


def test_points_are_what_the_scenario_says_they_are():
    scenario = valley()
    scenario = scenario.with_(
        demands=scenario.demands.assign(hectares_nus=1), objective={"maximise": {"emplois": 1, "hectares_nus": "0.5"}}
    )
    (note,) = counted(allocator.solve(scenario)).notes(Gain(1, 1, 1))
    assert note.fr == "Les points de ce scénario : emplois × 1, hectares nus × 0,5 ; ce plan en a 83."
    # one indicator alone is counted in itself, whatever its weight
    alone = counted(allocator.solve(valley(objective={"maximise": {"emplois": Fraction(1, 2)}})))
    assert alone.of(Gain(4, 4, 4)).fr == "8 emplois"


def test_a_list_hides_two_at_least():
    names = [str(k) for k in range(7)]
    assert "autre" not in listing(names[:6]).fr
    assert listing(names).fr.endswith("et 2 autres")


def test_the_minimum_that_forbids_a_demand_is_named():
    least = {"kind": "min_grant", "id": "mini", "label": "Au moins 3 M€ par subvention", "amount": "3 M€"}
    plan = allocator.solve(valley((least, SCHOOLS)))
    found = allocator.explain(plan, demand="d3")
    assert found.impossible and found.blocking == (("mini", "Au moins 3 M€ par subvention"),)
    told = allocator.explain(plan, about="left").text("fr")
    assert "Au moins 3 M€ par subvention" in told and "unités entières" not in told


def test_a_demand_asked_for_every_year_is_named_by_year():
    scenario = valley()
    yearly = [m.model_copy(update={"annual": m.id == "friche"}) for m in scenario.measures]
    plan = allocator.solve(valley((SCHOOLS,), measures=yearly))
    with pytest.raises(allocator.ScenarioError, match=r"d3 2026, d3 2027"):
        allocator.explain(plan, demand="d3")


def test_rent_that_comes_back_is_told_where_a_fund_needs_less_than_is_missing():
    fund = {"id": "friches", "label": "Terrains", "amount": "1 M€", "returns": {1: "1/2"}}
    found = allocator.explain(allocator.solve(valley((SCHOOLS,), funds=[fund])), demand="d2")
    (flip,) = [flip for flip in found.flips if flip.what == "fund"]
    assert flip.earned == pytest.approx((flip.to - flip.now) / 2, rel=0.01)  # half comes back the year after
    ((year, back),) = flip.spent.back
    assert year == 2027 and back == pytest.approx(flip.earned, rel=0.01)
    said = plain(flip.text().fr)
    assert (
        f"les remboursements en plus qui y reviennent ({plain(money(back).fr)} : {plain(money(back).fr)} en 2027)"
        in said
    )
    assert f"le fonds engage {plain(money(flip.spent.committed).fr)} de plus" in said
    assert flip.spent.committed == round(flip.to - flip.now) + flip.earned
    assert f"pour ce dossier : {plain(money(flip.spent.mine[0][1]).fr)} en {flip.spent.mine[0][0]}" in said


def test_every_cent_of_the_repayments_is_told():
    """A fifteenth a year of money lent again and again leaves cents: added + repaid = committed + left."""
    fund = {"id": "f", "label": "Terrains", "amount": "1 M€", "returns": dict.fromkeys(range(1, 16), "1/15")}
    scenario = valley((SCHOOLS,), funds=[fund], years=[2026, 2027, 2028])
    found = allocator.explain(allocator.solve(scenario), demand="d2")
    (flip,) = [flip for flip in found.flips if flip.what == "fund"]
    spent = flip.spent
    assert round(flip.to - flip.now) + sum(cents for _, cents in spent.back) == spent.committed + spent.left
    told = replace(spent, left=22).text()
    assert plain(told.fr).endswith("; il y reste 0,22 € de plus (arrondis au centime)")
    assert plain(replace(spent, left=-1500_00).text().fr).endswith("; il y restait 1 500 €, qui servent aussi")


def test_what_a_sum_over_years_is_called():
    fund = {"id": "r", "label": "Fonds", "amounts": {2026: "1 M€", 2027: "1 M€"}, "carry_over": True}
    plan = allocator.solve(valley(({"kind": "floor", "id": "p", "amount": "3 M€"},), funds=[fund]))
    assert "au plus 2 000 000 € (AE cumulées jusqu'à cette année-là)" in plan.conflict.text().fr.replace(
        "\u202f", " "
    ).replace("\u00a0", " ")


def test_a_flip_says_what_lies_between_its_ends():
    """What turns the decision over, what is known not to, and that nobody looked between them, where that is much."""
    flip = Flip("asked", "asked", Text("", ""), "projet", 200_000_000, 100_000_000, 140_000_000)
    assert flip.wide
    assert plain(flip.text().fr) == (
        "1 000 000 € demandés au lieu de 2 000 000 € (avec 1 400 000 €, la décision reste la même ; entre les deux, rien "
        "n'a été calculé)"
    )
    narrow = Flip("asked", "asked", Text("", ""), "projet", 200_000_000, 130_000_000, 131_000_000)
    assert plain(narrow.text().fr).endswith("(avec 1 310 000 €, la décision reste la même)")
    bare = Flip("asked", "asked", Text("", ""), "projet", 200_000_000, 100_000_000, 200_000_000)
    assert bare.text().en.endswith("(no smaller change was tried)")


@pytest.mark.parametrize(("value", "said"), [(67.123456, "67,123456"), (1234.6, "1 234,6"), (77.6, "77,6")])
def test_a_threshold_is_told_as_it_was_tried(value, said):
    """Rounded to two decimals, or to none beyond a thousand, it could stand on the wrong side."""
    flip = Flip("score", "emplois", EMPLOIS, "projet", 60.0, value, 60.0)
    assert plain(flip.text().fr).startswith(f"{said} emplois au lieu de 60")


@pytest.mark.parametrize("gain", [Gain(7.9, 3.79, 10.72), Gain(8.5439, 8.5439, 8.5439), Gain(8.546, 8.546, 8.546)])
def test_a_threshold_agrees_with_the_loss_that_is_told(gain):
    """Whoever adds the loss to the score gets no more than the threshold: its ends are those that are told."""
    least, most = gain.told
    said = [float(part.replace(",", ".")) for part in gain.text().fr.split() if part[0].isdigit()]
    assert least <= min(said) and max(said) <= most
    assert least <= gain.least and gain.most <= most


def test_the_gap_is_a_figure():
    plan = allocator.solve(valley())
    (note,) = counted(plan).notes(Gain(1, 0, 2, room=0.79))
    assert note.fr.endswith("à eux deux, à 0,79 emploi au plus des meilleurs possibles, 1 % de ce qu'a ce plan.")


def test_the_money_of_an_envelope_is_not_counted_twice():
    assert enclosing(["Fonds vert"]).fr == " (« Fonds vert », qui le contient, compte ce même argent)"
    assert enclosing(["A", "B"]).fr == " (« A » et « B », qui le contiennent, comptent ce même argent)"


def test_indicators_are_called_by_their_labels(tmp_path):
    labels = {"emplois": {"fr": "emplois créés", "en": "jobs created"}}
    scenario = valley((SCHOOLS,), labels=labels)
    assert not scenario.warnings
    plan = allocator.solve(scenario)
    found = allocator.explain(plan, demand="d3")
    assert "emplois créés" in found.answer.fr and "jobs created" in found.answer.en
    assert any("emplois créés par ha au lieu de 5" in line.fr for line in found.details)
    assert "emplois créés" in allocator.explain(plan, about="money").text("fr")
    for name in ("folder", "book.xlsx"):
        save(scenario, tmp_path / name)
        again = allocator.load(tmp_path / name)
        assert again.labels == labels and again.input_hash == scenario.input_hash
    (warning,) = valley((SCHOOLS,), labels={"emploi": "emplois"}).warnings
    assert "aucun indicateur « emploi »" in warning.message.fr
    with pytest.raises(allocator.ScenarioError, match="labels"):
        valley((SCHOOLS,), labels={"emplois": 3})


@pytest.mark.parametrize("name", ["propositions-2025", "leviers", "hectares-2030", "statu-quo"])
def test_built_in_indicators_have_labels(name):
    scenario = allocator.load(name)
    assert set(scenario.labels) == set(scenario.indicators)


def test_the_scenario_heads_its_explanation(capsys):
    assert main(["explain", "hectares-2030", "--about", "left", "--lang", "fr"]) == 0
    first = capsys.readouterr().out.splitlines()[0]
    assert first == "Scénario « Le moins d'euros pour 22 000 hectares (d'ici 2030) » (hectares-2030)"


def test_payments_say_where_the_rest_is_paid():
    """Half of the commitments of 2027 is paid in 2027: 400 k€ of commitments more take 200 k€ of payments."""
    fund = {"id": "f", "label": "Fonds", "amounts": {2027: "2 M€"}, "payments": {2027: "300 k€"}}
    measures = [m.model_copy(update={"payment_profile": (Fraction(1, 2), Fraction(1, 2))}) for m in valley().measures]
    floor = {"kind": "floor", "id": "p", "label": "Un million", "amount": "1 M€"}
    plan = allocator.solve(valley((floor,), funds=[fund], measures=measures))
    text = plain(allocator.explain(plan).text("fr"))
    assert "qui servent à payer 50 % des AE 2027 (le reste : 50 % en 2028)" in text
    assert (
        "de 300 000 € à 500 000 € (+200 000 €, soit 400 000 € d'AE 2027, dont le reste est payé ailleurs : 200 000 € en 2028)"
        in text
    )


def test_within_a_sentence_kinds_of_rule_are_no_proper_names():
    share = {
        "kind": "share",
        "id": "s",
        "label": "Moitié au Sud",
        "on": {"where": {"region": "Sud"}},
        "of": {},
        "min": "50 %",
    }
    north = {
        "kind": "count",
        "id": "n",
        "label": "Trois hectares au Nord",
        "on": {"where": {"region": "Nord"}},
        "min": 4,
    }
    none = {"kind": "count", "id": "z", "label": "Rien au Sud", "on": {"where": {"region": "Sud"}}, "max": 0}
    answer = allocator.explain(allocator.solve(valley((share, north, none)))).answer
    assert "part « Moitié au Sud »" in answer.fr and "nombre « Trois hectares au Nord »" in answer.fr
    assert " Part « " not in answer.fr and " Nombre « " not in answer.fr and "Share" not in answer.en


def test_what_costs_nothing_needs_no_recipe():
    """Nothing is said of points where none is told."""
    scenario = valley((FLOOR, SCHOOLS), funds=[{"id": "f", "label": "Fonds", "amount": "9 M€"}])
    scenario = scenario.with_(
        demands=scenario.demands.assign(hectares=1), objective={"maximise": {"emplois": 1, "hectares": "0.5"}}
    )
    plan = allocator.solve(scenario)
    free = allocator.explain(plan, constraint="plancher-sud")
    assert free.text("fr") == "Respecter « Plancher du Sud » ne coûte rien."
    assert "points" in allocator.explain(plan, constraint="ecoles").text("fr")


@pytest.mark.parametrize(("unit", "french", "english"), [
    ("M€ d'aide", " par M€ d'aide", " per “M€ d'aide”"), ("ha", " par ha", " per ha"), ("", " par unité", " per unit"),
])  # fmt: skip
def test_units_are_quoted_in_english(unit, french, english):
    """They are the scenario's words, in its own language, unless they are symbols."""
    told = Flip("score", "emplois", EMPLOIS, unit, 12.0, 15.0, 14.0, 4).text()
    assert f"15 emplois{french} au lieu de 12" in told.fr and f"15 jobs{english} instead of 12" in told.en


def test_an_explanation_can_be_stopped():
    """Between two solves and within one: no answer then, for what a solve cut short says is no reason."""
    plan, asked = allocator.solve(valley()), []

    def later() -> bool:
        asked.append(True)
        return len(asked) > 3

    with pytest.raises(Stopped):
        allocator.explain(plan, about="costs", stop=later)
    assert allocator.explain(plan, about="costs", stop=lambda: False).ranked


def test_a_fund_is_named_once_for_all_its_years():
    rival = Rival("d2", "Friches, Littoral (d2)", -100_00, (("Fonds A", 2026), ("Fonds A", 2027), ("Fonds B", 2026)))
    assert plain(rival.text().fr) == "100 € à Friches, Littoral (d2) – Fonds A, 2026, 2027 ; Fonds B, 2026"
    assert rival.text().en == "€100 from Friches, Littoral (d2) – Fonds A, 2026, 2027; Fonds B, 2026"

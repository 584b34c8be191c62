"""What random scenarios hold beyond the plain ones: accounts over years, every kind of rule, every objective.

``strategies.draw(everything=True)`` calls ``tables`` before a plan is dealt (the *witness*), ``objective``, and ``widen``
after it. Each addition is proposed and kept where the witness stays lawful; else it is made soft, or kept as it is now
and then (``cruelty``), or dropped.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import pandas as pd
from oracle_judge import constraint_lines, lines
from oracle_reading import Cell, Reading

from allocator.constraints import KINDS
from allocator.scenario import Scenario
from allocator.scenario.entities import plain

NEW_KINDS = (
    "no_stacking",
    "min_grant",
    "requires",
    "exclusive",
    "equity",
    "de_minimis",
    "continuity",
    "contains",
)
RISKS = ("overrun", "cvar", "regret")
ACCOUNTS = ("payments", "income", "returns", "transfers", "notified")
PRICES = [0.05, 0.5, 1, 3, "1/3", 10]
PROFILES = [["0.5", "0.5"], ["1/3", "2/3"], ["0.3", "0.7"], ["0", "1"], ["0.2", "0.3", "0.5"]]
LATER = [["0", "1"], ["0", "0", "1"]]  # paid in one year: in whole cents
RETURNS = [{1: "0.5"}, {1: "0.3", 2: "0.5"}, {1: 1}, {2: "1/3"}, {3: "0.25"}]
SORTS = ["commune", "epci", "entreprise", ""]


def euros(cents: int | Fraction) -> str:
    """Whole cents as euros are written."""
    assert Fraction(cents).denominator == 1
    return f"{int(cents) // 100}.{int(cents) % 100:02}"


# ---------------------------------------------------------------------------- before the witness


def tables(
    rng: random.Random,
    horizon: list[int],
    territories: pd.DataFrame,
    measures: list[dict[str, Any]],
    table: pd.DataFrame,
    odd_cents: bool,
) -> tuple[pd.DataFrame, list[dict[str, Any]], pd.DataFrame]:
    """Overseas territories, measures with profiles, steps and years, sorts of beneficiaries, projects."""
    territories = territories.copy()
    if rng.random() < 0.2:
        territories.loc[0, ["region", "departement"]] = ["04", "974"]
    found = []
    for measure in measures:
        changed = dict(measure)
        if rng.random() < 0.5:
            changed["payment_profile"] = rng.choice(PROFILES if odd_cents else LATER)
        if rng.random() < 0.25:
            changed["steps"] = rng.choice(
                [
                    [{"up_to": "0.5", "value": 1}, {"up_to": 1, "value": "0.4"}],
                    [{"up_to": "1/3", "value": 2}, {"up_to": "0.75", "value": 1}, {"up_to": 1, "value": 0}],
                    [{"up_to": 1, "value": "0.5"}],
                ]
            )
        if len(horizon) > 1 and len(table) < 3 and rng.random() < 0.25:
            changed["annual"] = True
        found.append(changed)
    table = table.copy()
    if rng.random() < 0.6:
        table["beneficiary_kind"] = [rng.choice(SORTS) for _ in range(len(table))]
    if rng.random() < 0.5 and not any(measure.get("annual") for measure in found):
        table["project"] = [rng.choice(["p1", "p2"]) for _ in range(len(table))]
    return territories, found, table


def without_spread(purses: list[dict[str, Any]], measures: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The funds without selections by id, where the demands of annual measures take other ids."""
    if not any(measure.get("annual") for measure in measures):
        return purses
    return [{key: value for key, value in purse.items() if key != "on" or "demands" not in value} for purse in purses]


def objective(rng: random.Random, measures: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """One of every objective; weights are positive where a measure has steps."""
    weights: list[dict[str, Any]] = [{"emplois": 1}, {"emplois": 2, "hectares": "0.5"}]
    if not any(measure.get("steps") for measure in measures):
        weights.append({"emplois": 1, "hectares": -1})

    def one(kind: str) -> dict[str, Any]:
        if kind == "maximise":
            return {"maximise": rng.choice(weights)}
        if kind == "minimise":
            return {"minimise": "euros"}
        of = rng.choice(["euros", "euros_per_inhabitant", "emplois"])
        per = rng.choice(["region", "departement", "territory", "kind"])
        return {"maximin": {"of": of, "per": per, "depth": rng.choice([1, 1, 2, 3])}}

    kinds = ["maximise", "maximise", "minimise", "maximin"]
    if rng.random() < 0.25:
        return {"lexicographic": [one(kind) for kind in rng.sample(kinds, 2)]}
    return one(rng.choice(kinds))


# ----------------------------------------------------------------------------- after the witness


def widen(
    rng: random.Random,
    scenario: Scenario,
    witness: dict[Cell, int],
    select: Any,
    *,
    tiny: bool,
    odd_cents: bool,
    cruelty: float,
) -> Scenario:
    """The same scenario with accounts over years and with more rules. ``select`` draws selections.

    Without ``odd_cents``, what is paid and repaid is whole cents, so that nothing turns on their rounding.
    """
    for field in ACCOUNTS:
        if rng.random() < 0.3:
            funds = with_field(rng, scenario, witness, field, odd_cents)
            scenario = propose(scenario, witness, rng.random() < cruelty, funds=funds)
    if rng.random() < 0.5:
        scenario = scenario.with_(prior_aid=prior_aid(rng, scenario, witness))
    for _ in range(rng.randint(2, 4)):
        reading = Reading(scenario)
        rule = draw_rule(rng, reading, rng.choice((*NEW_KINDS, "fund_rate", "cofunding")), witness, select, tiny)
        if rule is None:
            continue
        if rng.random() < 0.25:
            rule["soft"] = rng.choice(PRICES)
        rules = [*scenario._constraints_as_given, rule]
        after = propose(scenario, witness, rng.random() < cruelty, constraints=rules)
        if after is scenario and "soft" not in rule and rng.random() < 0.5:
            after = propose(scenario, witness, False, constraints=[*rules[:-1], {**rule, "soft": rng.choice(PRICES)}])
        scenario = after
    return scenario


def risky(rng: random.Random, scenario: Scenario, witness: dict[Cell, int], select: Any, *, cruelty: float) -> Scenario:
    """The same scenario, now and then with a rule on overruns, bad cases or regret."""
    if rng.random() < 0.5:
        return scenario
    reading = Reading(scenario)
    rule = draw_risk(rng, reading, rng.choice(RISKS), select)
    if rng.random() < 0.3:
        rule["soft"] = rng.choice(PRICES)
    free = KINDS[rule["kind"]].model_validate({**rule, "id": "drawn", "amount": 0, "soft": 1})
    reached = max((line.breach for line in constraint_lines(reading, free, witness)), default=Fraction(0))
    limit = reached * Fraction(rng.choice(["1", "1", "1", "0.8", "1.3"] if rng.random() < cruelty else ["1", "1.3"]))
    rule["amount"] = f"{limit}" if rule["kind"] == "regret" else euros(math.ceil(100 * limit))
    rules = [*scenario._constraints_as_given, rule]
    return propose(scenario, witness, rng.random() < cruelty, constraints=rules)


def draw_risk(rng: random.Random, reading: Reading, kind: str, select: Any) -> dict[str, Any]:
    """One such rule without its amount."""
    if kind == "regret":
        weights = [{"emplois": 1}, {"emplois": 2, "hectares": "0.5"}, {"hectares": 1}]
        of = [{"maximise": one} for one in weights]
        of += [{"minimise": "euros"}, {"maximin": {"of": rng.choice(["euros", "emplois"]), "per": "region"}}]
        chosen = rng.sample(of, rng.randint(1, 3))
        return {
            "kind": kind, "amount": 0,
            "futures": [{"id": f"f{k}", "best": rng.choice([0, 3, "5.5"]), "objective": o} for k, o in enumerate(chosen)],
        }  # fmt: skip
    rule: dict[str, Any] = {"kind": kind, "on": select(rng, reading, funds=True, years=True), "amount": 0}
    if rng.random() < 0.3:
        rule["per"] = rng.choice(["region", "fund", "measure", "territory"])
    by = ["demand", "all", "region", "measure", "taille", "territory"]
    count = rng.choice([1, 1, 2])
    if kind == "overrun":
        lines = [
            {"on": select(rng, reading, funds=True, years=True), "by": rng.choice(by), "rate": rng.choice([0.5, 1, "1/3", 2])}
            for _ in range(count)
        ]  # fmt: skip
        return {**rule, "overruns": lines, "at_once": rng.choice([0, 1, 1, 2, "1.5", 10])}
    cases, draws = rng.choice([1, 2, 3, 4]), []
    for _ in range(count):
        line = {"on": select(rng, reading, funds=False, years=False), "by": rng.choice(by)}
        values = {"" if line["by"] == "all" else str(reading.moves_with(line["by"], d)) for d in reading.demands}
        factors = {v: [rng.choice([0, 0.5, 1, 1, "1.2", 2]) for _ in range(cases)] for v in sorted(values)}
        draws.append({**line, "factors": factors})
    return {**rule, "draws": draws, "tail": rng.choice([1, 0.5, "1/3", 0.25])}


def propose(scenario: Scenario, witness: dict[Cell, int], cruel: bool, **changes: Any) -> Scenario:
    """The changed scenario where the witness is lawful there (or cruelly); else the scenario as it was."""
    if changes.get("funds", ()) is None:
        return scenario
    changed = scenario.with_(**changes)
    if cruel or not any(line.points is None and line.breach > 0 for line in lines(Reading(changed), witness)):
        return changed
    return scenario


def with_field(
    rng: random.Random, scenario: Scenario, witness: dict[Cell, int], field: str, odd_cents: bool
) -> list[dict[str, Any]] | None:
    """The funds as written, one of them with one more field; None where nothing sensible came out."""
    reading = Reading(scenario)
    funds = [plain(fund) for fund in scenario.funds]
    rank = rng.randrange(len(funds))
    fund, model = funds[rank], scenario.funds[rank]
    family = reading.family(model.id)
    by_region: dict[str, int] = defaultdict(int)
    for (d, f, _), cents in witness.items():
        if f in family:
            by_region[reading.territories[reading.demands[d].territory]["region"]] += cents
    total = sum(by_region.values())
    if field == "payments":
        paid: dict[int, int] = defaultdict(int)
        for (f, year), cents in reading.paid(witness).items():
            if f in family:
                paid[year] += cents
        roomy = Fraction(rng.choice(["1", "1", "1.2", "2", "0.6"]))
        years = [*reading.years, reading.years[-1] + 1, reading.years[-1] + 2]
        kept = [year for year in years if rng.random() < 0.6]
        fund["payments"] = {year: euros(math.ceil(paid[year] * roomy)) for year in kept}
    elif field == "income":
        years = rng.sample(reading.years, rng.randint(1, len(reading.years)))
        fund["income"] = {year: euros(rng.randint(0, max(1, total // 2))) for year in years}
        if model.amount is not None:
            fund["amount"] = euros(max(0, model.amount - rng.randint(0, total)))
    elif field == "returns":
        fund["returns"] = rng.choice(RETURNS if odd_cents else [{1: 1}, {2: 1}])
        if rng.random() < 0.6:
            fund["reference_rate"] = rng.choice(["3 %", 0.05, 0])
        if model.amount is not None and rng.random() < 0.5:
            fund["amount"] = euros(max(0, model.amount - rng.randint(0, total // 2)))
    elif field == "transfers":
        others = [k for k in range(len(funds)) if k != rank]
        others = [k for k in others if model.id not in reading.family(scenario.funds[k].id)]
        others = [k for k in others if scenario.funds[k].id not in family]
        if not others:
            return None
        target = rng.choice(others)
        cents = rng.randint(1, max(1, total)) if rng.random() < 0.7 else rng.randint(1, 3)
        fund["transfers"] = {scenario.funds[target].id: euros(cents)}
        goal = scenario.funds[target]
        if goal.amount is not None and rng.random() < 0.7:
            funds[target]["amount"] = euros(max(0, goal.amount - rng.randint(0, cents)))
        if model.amount is not None:
            fund["amount"] = euros(model.amount + rng.randint(0, cents))
    else:
        holds = model.amount if model.amount is not None else sum(model.amounts.values())
        regions = sorted({row["region"] for row in reading.territories.values()})
        own: dict[str, int] = {}
        for region in rng.sample(regions, rng.randint(1, len(regions))):
            wanted = math.ceil(by_region[region] * Fraction(rng.choice(["1", "1", "0.5", "1.5"])))
            own[region] = min(wanted, holds - sum(own.values()))
        fund["notified"] = {region: euros(cents) for region, cents in own.items()}
        if rng.random() < 0.4:
            fund["notified_until"] = rng.choice(reading.years)
    return funds


def prior_aid(rng: random.Random, scenario: Scenario, witness: dict[Cell, int]) -> pd.DataFrame:
    """A few lines of earlier aid, before and during the horizon."""
    first = scenario.years[0]
    most = max(1, sum(witness.values()) // 2)
    rows = [
        {
            "beneficiary": rng.choice(["b1", "b2", "b3", "b4"]),
            "date": f"{rng.randint(first - 3, first + 2)}{rng.choice(['-01-01', '-01-02', '-06-30', '-12-31', ''])}",
            "cents": rng.randint(0, most),
        }
        for _ in range(rng.randint(1, 4))
    ]
    return pd.DataFrame(rows)


# --------------------------------------------------------------------------------- the rules


def draw_rule(
    rng: random.Random, reading: Reading, kind: str, witness: dict[Cell, int], select: Any, tiny: bool
) -> dict[str, Any] | None:
    """One rule as a dict, often near what the witness does; None where nothing sensible came out."""
    rule: dict[str, Any] = {"kind": kind}
    per = rng.choice([None, "region", "territory", "departement", "measure", "beneficiary", "taille"])
    least = min(witness.values(), default=1)
    total = sum(witness.values())
    if kind == "requires":
        rule["when"], rule["then"] = (select(rng, reading, funds=False, years=False) for _ in range(2))
        within = rng.choice([None, "region", "territory", "beneficiary", "measure", "kind"])
        return rule | ({"within": within} if within else {}) | rng.choice([{}, {"lag": 1}, {"lag": 0}])
    funds = kind in ("no_stacking", "min_grant", "equity", "de_minimis", "continuity", "fund_rate")
    years = kind in ("equity", "de_minimis", "continuity", "fund_rate")
    rule["on"] = select(rng, reading, funds=funds, years=years)
    if kind == "no_stacking":
        if len(reading.funds) > 1 and rng.random() < 0.5:
            rule["on"].pop("funds", None)
            return {**rule, "incompatible": rng.sample(sorted(reading.funds), 2)}
        return {**rule, "max_funds": rng.choice([1, 1, 2])}
    if kind == "min_grant":
        return {**rule, "amount": euros(rng.choice([least, least + 1, 2 * least, max(1, total // 2)]))}
    if kind == "exclusive":
        if "project" in reading.demand_columns and rng.random() < 0.5:
            per = "project"
        return {**rule, "at_most": rng.choice([1, 1, 2])} | ({"per": per} if per else {})
    if kind == "equity":
        rule["per"] = rng.choice(["region", "departement", "territory", "kind", "metropole"])
        return {**rule, **equity_limit(rng, reading, rule, witness, tiny)}
    if kind == "de_minimis":
        if reading.scenario.prior_aid is None and per and rng.random() < 0.3:
            rule["per"] = per
        limit = rng.choice([total, math.ceil(total / 2), math.ceil(total / 3), 2 * total])
        return {**rule, "amount": euros(limit), "window": rng.choice([1, 2, 3])}
    if kind in ("continuity", "contains"):
        return draw_reference(rng, reading, rule, witness, tiny)
    if kind == "fund_rate":
        attribute = rng.choice(["taille", "pilote", "kind", "beneficiary"])
        value = reading.attribute(rng.choice(list(reading.demands.values())), attribute)
        first = {"where": {attribute: rng.choice([value, [value]])}, "rate": rng.choice([0, 0.5])}
        return {**rule, "max_rate": [first, {"rate": rng.choice([0.5, 1, 0.25, 0])}] if rng.random() < 0.7 else 0}
    assert kind == "cofunding"
    rule |= {"max_public_rate": rng.choice([0.8, "70 %", 0.5]), "base": rng.choice(["public", "cost"])}
    if rng.random() < 0.3:
        rule["overseas"] = True
    return rule | ({"authorities": rng.sample(SORTS[:3], 2)} if rng.random() < 0.3 else {})


def draw_reference(
    rng: random.Random, reading: Reading, rule: dict[str, Any], witness: dict[Cell, int], tiny: bool
) -> dict[str, Any] | None:
    """A rule that looks back to most of the witness, or a little less; now and then to a demand that is gone."""
    bare = rng.random() < 0.3 and not {"funds", "years"} & set(rule["on"])  # rows that name the demand alone
    reference: list[dict[str, Any]] = []
    for (d, f, y), cents in sorted(witness.items()):
        if rng.random() < 0.3:
            continue
        row = {"demand": d, "territory": reading.demands[d].territory, "measure": reading.demands[d].measure}
        less = cents - rng.randint(0, 1) if tiny else cents * rng.choice([10, 10, 8, 5]) // 10
        reference.append({**({"demand": d} if bare else row | {"fund": f, "year": y}), "cents": max(1, less)})
    if not reference:
        return None
    if rule["kind"] == "contains":
        return {**rule, "reference": reference}
    pers = [None, "region", "territory", "departement", "measure", "taille", *([] if bare else ["fund", "year"])]
    if not bare and rng.random() < 0.4:
        rule["on"], pers = {}, [None, "region", "territory", "measure", "fund", "year"]
        reference.append({**reference[0], "demand": "gone", "cents": 1})
    per = rng.choice(pers)
    rule |= {"max_change": rng.choice([0, 0.2, "50 %", "1/3"]), "reference": reference}
    return rule | ({"per": per} if per else {})


def equity_limit(
    rng: random.Random, reading: Reading, rule: dict[str, Any], witness: dict[Cell, int], tiny: bool
) -> dict[str, Any]:
    """A ratio or a gap, often what the witness has."""
    free = KINDS["equity"].model_validate({**rule, "id": "drawn", "max_gap": 0, "soft": 1})
    judged = list(constraint_lines(reading, free, witness))
    gap = math.ceil(100 * max((line.breach for line in judged), default=Fraction(1, 100)))
    if rng.random() < 0.6:
        return {"max_gap": euros(max(1, gap // rng.choice([1, 1, 2])))}
    ratios = [1, 1.5, 2, 4, 10] if not tiny else [1.5, 2, 4, 10]
    return {"max_ratio": rng.choice(ratios)}


def counted(scenario: Scenario) -> set[str]:
    """What a scenario holds, by name: kinds of rules in force, fields of funds and measures, objectives."""
    found = {rule.kind for rule in scenario.constraints if rule.enabled}
    found |= {
        f"fund.{field}" for fund in scenario.funds for field in (*ACCOUNTS, "notified_until") if getattr(fund, field)
    }
    found |= {
        f"measure.{field}" for measure in scenario.measures for field in ("steps", "annual") if getattr(measure, field)
    }
    found |= {f"objective.{name}" for name in type(scenario.objective).model_fields}
    return found

"""Random scenarios that mix everything, most of them feasible.

A plan is dealt first (the *witness*), then the funds and the rules are cut to fit it, more or less tightly;
now and then one is cut too tight on purpose. ``random_scenario(seed)`` for loops, ``scenarios()`` for
hypothesis (which then shrinks the draws).
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any

import pandas as pd
import strategies_rules
from hypothesis import strategies as st
from oracle_judge import Line, constraint_lines
from oracle_reading import Cell, Reading, exact, points

from allocator.constraints import KINDS
from allocator.scenario import Scenario

ALL_KINDS = ("ceiling", "floor", "share", "count", "indicator", "fund_rate", "cofunding", "lock")
Range = tuple[int, int]

ASKED = ("10", "25", "100", "250", "1000", "40", "33.33", "17.01", "99.99")
ASKED_TINY = ("0.01", "0.02", "0.02", "0.03")
RATES: tuple[Any, ...] = (0.8, 0.5, 0.4, "1/3", "60 %", 0.25)
ASKED_EVEN = ("0.02", "0.02", "0.04")
LIMITS: tuple[Any, ...] = (0.8, "70 %", 0.5, "2/3", 1)
BASES = ("public", "cost")


def random_scenario(seed: int, **sizes: Any) -> Scenario:
    """The scenario of a seed; see ``draw`` for the sizes."""
    return draw(random.Random(seed), **sizes)


def scenarios(**sizes: Any) -> st.SearchStrategy[Scenario]:
    """The same as a hypothesis strategy."""
    return st.randoms(use_true_random=False).map(lambda rng: draw(rng, **sizes))


def draw(
    rng: random.Random,
    *,
    demands: Range = (4, 14),
    funds: Range = (1, 3),
    years: Range = (1, 3),
    constraints: Range = (0, 6),
    whole_units: str = "some",
    kinds: Sequence[str] = ALL_KINDS,
    tiny: bool = False,
    odd_cents: bool = True,
    cruelty: float = 0.08,
    everything: bool = False,
    risks: bool = False,
) -> Scenario:
    """One scenario. Ranges are inclusive.

    ``whole_units`` says which measures are lumpy ("none", "some", "all"). ``tiny``: amounts of a few cents,
    for brute force. ``odd_cents=False``: a rate of a whole unit is whole cents, so that nothing turns on the
    rounding up of rates. ``cruelty``: the chance that a limit is cut below the witness.
    ``everything``: also accounts over years, the other kinds of rules and objectives (``strategies_rules``); without it,
    a seed keeps its scenario. ``risks``: rules on overruns, bad cases and regret after all that.
    """
    horizon = list(range(2026, 2026 + rng.randint(*years)))
    territories = draw_territories(rng, 2 if tiny else rng.randint(2, 6))
    measures = [
        {"id": f"m{k}", "lumpy": whole_units == "all" or (whole_units == "some" and rng.random() < 0.5)}
        for k in range(rng.randint(1, 2 if tiny else 3))
    ]
    lumpy = {m["id"]: m["lumpy"] for m in measures}
    table = draw_demands(rng, rng.randint(*demands), horizon, territories, lumpy, tiny, odd_cents)
    rates = RATES if odd_cents else (0.5,)
    if everything:
        territories, measures, table = strategies_rules.tables(rng, horizon, territories, measures, table, odd_cents)
    purses = draw_funds(rng, rng.randint(*funds), horizon, territories, table, measures, rates)
    if everything:
        purses = strategies_rules.without_spread(purses, measures)
    weights = rng.choice(
        [{"emplois": 1}, {"emplois": 1}, {"emplois": 2, "hectares": "0.5"}, {"emplois": 1, "hectares": -1}]
    )
    base = Scenario(
        name="random",
        years=horizon,
        funds=purses,
        measures=measures,
        territories=territories,
        demands=table,
        constraints=[],
        objective=strategies_rules.objective(rng, measures) if everything else {"maximise": weights},
    )
    law = draw_law(rng, Reading(base), kinds, rates)  # what the witness must obey from the start
    base = base.with_(constraints=law) if law else base
    reading = Reading(base)
    witness = deal(rng, reading)
    step = Fraction(1) if tiny else Fraction(rng.choice([1, 100, 1000]))  # cents
    purses = [fill(rng, reading, purse, witness, step, cruelty) for purse in purses]
    rules = [
        rule
        for _ in range(rng.randint(*constraints))
        if (rule := draw_rule(rng, reading, rng.choice(list(kinds)), witness, tiny, cruelty, rates)) is not None
    ]
    if "floor" in kinds and "ceiling" in kinds and not tiny and rng.random() < 0.05:
        rules += draw_equality(rng, reading, witness)
    scenario = base.with_(funds=purses, constraints=[*law, *rules])
    if everything:
        scenario = strategies_rules.widen(
            rng, scenario, witness, draw_selection, tiny=tiny, odd_cents=odd_cents, cruelty=cruelty
        )
    if risks:
        scenario = strategies_rules.risky(rng, scenario, witness, draw_selection, cruelty=cruelty)
    return scenario


# -------------------------------------------------------------------------------- the tables


def draw_territories(rng: random.Random, count: int) -> pd.DataFrame:
    """Territories in two regions and three departments, with two attributes; some without people."""
    return pd.DataFrame(
        {
            "id": [f"t{k}" for k in range(count)],
            "name": [f"Territoire {k}" for k in range(count)],
            "region": [rng.choice(["11", "53"]) for _ in range(count)],
            "departement": [rng.choice(["01", "22", "75"]) for _ in range(count)],
            "population": [rng.choice([0, 7, 120, 1000, 1313]) for _ in range(count)],
            "kind": [rng.choice(["CC", "CA"]) for _ in range(count)],
            "metropole": [rng.random() < 0.3 for _ in range(count)],
        }
    )


def draw_demands(
    rng: random.Random,
    count: int,
    horizon: list[int],
    territories: pd.DataFrame,
    lumpy: dict[str, bool],
    tiny: bool,
    odd_cents: bool,
) -> pd.DataFrame:
    """Demands with two indicators and two attributes; numbers are short decimals, read as written."""
    rows = []
    for k in range(count):
        measure = rng.choice(sorted(lumpy))
        asked = Fraction(rng.choice((ASKED_TINY if odd_cents else ASKED_EVEN) if tiny else ASKED))
        if tiny:
            units = Fraction(rng.choice([1, 2] if asked < Fraction(3, 100) else [1]))
            units += asked == Fraction(1, 100) and rng.random() < 0.3
        elif lumpy[measure]:
            units = Fraction(rng.randint(1, 4))
        else:
            units = Fraction(rng.choice(["1", "2.5", "4", "10", "0.75", "3.3"]))
        row: dict[str, Any] = {
            "id": f"d{k:02}",
            "territory": rng.choice(list(territories["id"])),
            "measure": measure,
            "units": units,
            "asked": asked,
            "cost": in_cents(
                asked * Fraction(rng.choice(["1", "1", "1.25", "2", "4", "1.7"] if odd_cents else ["1", "2"]))
            ),
            "emplois": Fraction(rng.choice(["1", "2", "3", "5", "8", "0.5", "12.5", "1.1"])),
            "hectares": Fraction(rng.choice(["0", "0.1", "1", "2.5", "3"])),
            "taille": rng.choice(["PME", "ETI", "GE"]),
            "pilote": rng.random() < 0.3,
            "beneficiary": rng.choice(["b1", "b2", "b3"]),
        }
        if rng.random() < 0.25:
            share = Fraction(rng.choice(["0.5", "0.25", "1"]))
            row["min_units"] = max(Fraction(1), units // 2) if lumpy[measure] else units * share
        else:
            row["min_units"] = Fraction(0)
        row["other_public"] = in_cents((row["cost"] - asked) * Fraction(rng.choice(["0", "0", "0.5", "0.75"])))
        row["own"] = row["cost"] - asked - row["other_public"]
        first, last = sorted((rng.choice(horizon), rng.choice(horizon)))
        row["first_year"], row["last_year"] = (first, last) if rng.random() < 0.4 else (horizon[0], horizon[-1])
        rows.append(row)
    table = pd.DataFrame(rows)
    for column in ("units", "asked", "cost", "emplois", "hectares", "min_units", "other_public", "own"):
        table[column] = [float(value) for value in table[column]]  # short decimals: read as they are written
    for column in rng.sample(["other_public", "own", "cost"], rng.randint(0, 1)):
        if column != "cost":
            table = table.drop(columns=["own"] if column == "own" else ["own", "other_public"])
        else:
            table = table.drop(columns=["cost", "own", "other_public"])
    return table.sample(frac=1, random_state=rng.randrange(2**31)).reset_index(drop=True)


def draw_funds(
    rng: random.Random,
    count: int,
    horizon: list[int],
    territories: pd.DataFrame,
    table: pd.DataFrame,
    measures: list[dict[str, Any]],
    rates: Sequence[Any],
) -> list[dict[str, Any]]:
    """Funds as the analyst writes them, still without money."""
    purses: list[dict[str, Any]] = []
    for k in range(count):
        purse: dict[str, Any] = {"id": f"f{k}", "amount": 0}
        if purses and rng.random() < 0.3:
            purse["parent"] = rng.choice(purses)["id"]
        if rng.random() < 0.25:
            purse["reserve"] = rng.choice([0.05, "10 %", 0.04])
        if rng.random() < 0.3:
            purse["max_rate"] = rng.choice(rates)
        if rng.random() < 0.35:
            purse["on"] = rng.choice(
                [
                    {"measures": [rng.choice(measures)["id"]]},
                    {"where": {"region": rng.choice(list(territories["region"]))}},
                    {"where": {"taille": sorted(set(table["taille"].sample(2, replace=True, random_state=k)))}},
                    {"where": {"pilote": bool(rng.choice(list(table["pilote"])))}},
                    {"demands": rng.sample(list(table["id"]), rng.randint(1, len(table)))},
                ]
            )
        if rng.random() < 0.5:
            del purse["amount"]
            purse["amounts"] = {}
            purse["carry_over"] = rng.random() < 0.5
        purses.append(purse)
    return purses


# ------------------------------------------------------------------------------- the witness


def deal(rng: random.Random, reading: Reading) -> dict[Cell, int]:
    """A plan that obeys every single demand's rules and the funds' own rates, whatever the money."""
    plan: dict[Cell, int] = {}
    caps: dict[Cell, Fraction] = {}
    for _, cell, per_unit, _ in reading.caps:
        caps[cell] = min(per_unit, caps.get(cell, per_unit))
    refused = {
        demand.id
        for demand in reading.demands.values()
        for rule in reading.scenario.constraints
        if rule.kind == "cofunding" and demand.id in reading.choose(rule.on).demands and reading.excess(rule, demand)
    }
    for demand in reading.demands.values():
        cells = reading.cells_of[demand.id]
        if not cells or demand.id in refused or rng.random() < 0.25:
            continue
        year = rng.choice(sorted({cell[2] for cell in cells}))
        least, most = math.ceil(demand.least * demand.asked), math.floor(demand.units * demand.asked)
        if least > most:
            continue
        if demand.lumpy:
            cents = demand.asked * rng.randint(math.ceil(demand.least), math.floor(demand.units))
        else:
            cents = most if rng.random() < 0.5 else rng.randint(least, most)
        left, paid = cents, {}
        purses = [cell for cell in cells if cell[2] == year]
        rng.shuffle(purses)
        for cell in purses:
            room = math.floor(caps[cell] * cents / demand.asked) if cell in caps else cents
            give = min(left, room) if rng.random() < 0.7 else rng.randint(0, min(left, room))
            if give:
                paid[cell] = give
                left -= give
        if not left:
            plan.update(paid)
    return plan


def fill(
    rng: random.Random,
    reading: Reading,
    purse: dict[str, Any],
    witness: dict[Cell, int],
    step: Fraction,
    cruelty: float,
) -> dict[str, Any]:
    """A fund with money for what the witness takes from it and from what is nested in it, more or less."""
    family = reading.family(purse["id"])
    free = 1 - exact(reading.funds[purse["id"]].reserve)
    used: dict[int, int] = defaultdict(int)
    for (_, fund, year), cents in witness.items():
        if fund in family:
            used[year] += cents
    roomy = Fraction(rng.choice(["1", "1", "1", "1.1", "1.5", "3"]))
    if rng.random() < cruelty * 2:
        roomy = Fraction(rng.choice(["0.5", "0.8", "0"]))

    def money(cents: int) -> str:
        """Euros, rounded up to a whole step."""
        return decimal(math.ceil(cents * roomy / free / step) * step / 100)

    if "amount" in purse:
        return {**purse, "amount": money(sum(used.values()))}
    if purse["carry_over"]:  # credits may come years before they are used
        early: dict[int, int] = defaultdict(int)
        for year, cents in used.items():
            early[rng.choice([y for y in reading.years if y <= year])] += cents
        used = early
    return {**purse, "amounts": {year: money(cents) for year, cents in sorted(used.items())}}


# --------------------------------------------------------------------------------- the rules


def draw_selection(rng: random.Random, reading: Reading, *, funds: bool, years: bool) -> dict[str, Any]:
    """A selection that is never empty; often everything."""
    chosen: dict[str, Any] = {}
    if rng.random() < 0.3:
        chosen["measures"] = rng.sample(sorted(reading.measures), rng.randint(1, len(reading.measures)))
    kind = rng.random()
    if kind < 0.15:
        chosen["territories"] = rng.sample(sorted(reading.territories), rng.randint(1, len(reading.territories)))
    elif kind < 0.45:
        attribute = rng.choice(["region", "departement", "kind", "metropole", "population"])
        value = rng.choice([row[attribute] for row in reading.territories.values()])
        if attribute == "population":
            chosen["where"] = {attribute: {rng.choice(["min", "max"]): int(value)}}
        else:
            chosen["where"] = {attribute: rng.choice([value, [value]])}
    if funds and rng.random() < 0.3:
        chosen["funds"] = rng.sample(sorted(reading.funds), rng.randint(1, len(reading.funds)))
    if years and rng.random() < 0.25:
        chosen["years"] = rng.sample(reading.years, rng.randint(1, len(reading.years)))
    if rng.random() < 0.2:
        row = rng.choice(list(reading.demands.values())).row
        attribute = rng.choice(["taille", "pilote", "beneficiary", "asked"])
        wanted = {"max": row["asked"]} if attribute == "asked" else row[attribute]
        chosen["where"] = {**chosen.get("where", {}), attribute: wanted}
    elif rng.random() < 0.1:
        chosen["demands"] = rng.sample(sorted(reading.demands), rng.randint(1, len(reading.demands)))
    return chosen


def draw_per(rng: random.Random, *, funds: bool, years: bool) -> str | None:
    """A grouping, half the time none."""
    if rng.random() < 0.5:
        return None
    names = ["region", "departement", "territory", "measure", "beneficiary", "taille", "kind"]
    return rng.choice([*names, *(["fund"] if funds else []), *(["year"] if years else [])])


def draw_law(rng: random.Random, reading: Reading, kinds: Sequence[str], rates: Sequence[Any]) -> list[dict[str, Any]]:
    """Hard rates and co-funding, half the time each."""
    law: list[dict[str, Any]] = []
    if "fund_rate" in kinds and rng.random() < 0.5:
        on = draw_selection(rng, reading, funds=True, years=True)
        law.append({"kind": "fund_rate", "on": on, "max_rate": rng.choice(rates)})
    if "cofunding" in kinds and rng.random() < 0.3:
        on = draw_selection(rng, reading, funds=False, years=False)
        law.append({"kind": "cofunding", "on": on, "max_public_rate": rng.choice(LIMITS), "base": rng.choice(BASES)})
    return law


def draw_rule(
    rng: random.Random,
    reading: Reading,
    kind: str,
    witness: dict[Cell, int],
    tiny: bool,
    cruelty: float,
    rates: Sequence[Any],
) -> dict[str, Any] | None:
    """One constraint as a dict, cut to the witness; None where nothing sensible came out."""
    rule: dict[str, Any] = {"kind": kind}
    cruel = rng.random() < cruelty
    soft = rng.random() < 0.3
    if soft:
        rule["soft"] = rng.choice([0.05, 0.5, 1, 3, "1/3", 10])
    if rng.random() < 0.04:
        rule["enabled"] = False
    if kind == "lock":
        return draw_lock(rng, reading, rule, witness, cruel)
    on_money = kind in ("ceiling", "floor", "share", "indicator")
    units = kind == "count" and rng.random() < 0.6
    rule["on"] = draw_selection(
        rng, reading, funds=on_money or kind == "fund_rate", years=on_money or units or kind == "fund_rate"
    )
    if kind == "fund_rate":
        rule["max_rate"] = rng.choice(rates)
        if breached(reading, rule, witness) and not cruel:
            rule.setdefault("soft", rng.choice([0.05, 0.5, 3]))
        return rule
    if kind == "cofunding":
        rule |= {"max_public_rate": rng.choice(LIMITS), "base": rng.choice(BASES)}
        if breached(reading, rule, witness) and not cruel:
            rule.setdefault("soft", rng.choice([0.01, 0.1, 1]))
        return rule
    if per := draw_per(rng, funds=on_money, years=on_money or units):
        rule["per"] = per
    if kind in ("ceiling", "floor"):
        return draw_amount(rng, reading, rule, witness, tiny, cruel)
    if kind == "share":
        rule["of"] = draw_selection(rng, reading, funds=True, years=True) if rng.random() < 0.3 else {}
        rule[rng.choice(["min", "max"])] = rng.choice([*RATES, 0.1, 0.9])
        if not rng.randrange(8) and not tiny:
            rule["min"] = rule["max"] = rule.get("min", rule.get("max"))
        if breached(reading, rule, witness) and not cruel:
            rule.setdefault("soft", rng.choice([0.05, 0.5, 3]))
        return rule
    if kind == "count":
        rule["of"] = "units" if units else "demands"
    else:
        rule["indicator"] = rng.choice(["emplois", "hectares"])
        if rng.random() < 0.4:
            rule["weights"] = rng.choice(
                [
                    {"taille": {"PME": 0.5, "GE": "1.5"}},
                    {"kind": {"CC": 2}, "taille": {"ETI": "1/3"}},
                    {"measure": {"m0": 0}},
                ]
            )
            if rng.random() < 0.4:
                rule["until"] = rng.choice(reading.years)
    return draw_two_sides(rng, reading, rule, witness, cruel, exactly=not tiny)


def judged(reading: Reading, rule: dict[str, Any], plan: dict[Cell, int]) -> list[Any]:
    """The lines of one rule on a plan."""
    constraint = KINDS[rule["kind"]].model_validate({**rule, "id": "drawn"})
    reading._groups.pop("drawn", None)
    if rule["kind"] != "fund_rate":
        return list(constraint_lines(reading, constraint, plan))
    paid: dict[tuple[str, int], int] = defaultdict(int)
    for (d, _, year), cents in plan.items():
        paid[d, year] += cents
    over = []
    for name, cell, per_unit, _ in reading.rate_caps(constraint):
        cap = math.ceil(per_unit * paid[cell[0], cell[2]] / reading.demands[cell[0]].asked)
        over.append(Line(name, Fraction(max(0, plan.get(cell, 0) - cap)), high=Fraction(0), points=points(constraint)))
    return over


def breached(reading: Reading, rule: dict[str, Any], plan: dict[Cell, int]) -> bool:
    """Does the plan miss the rule?"""
    return any(line.breach > 0 for line in judged(reading, rule, plan))


def draw_lock(
    rng: random.Random, reading: Reading, rule: dict[str, Any], witness: dict[Cell, int], cruel: bool
) -> dict[str, Any]:
    """A decision that the witness takes, or (soft, cruel) another one."""
    got: dict[str, int] = defaultdict(int)
    for (d, _, _), cents in witness.items():
        got[d] += cents
    if rng.random() < 0.2:
        alone = sorted(
            t for t in reading.territories if not any(got[d.id] for d in reading.demands.values() if d.territory == t)
        )
        if alone:
            return {**rule, "on": {"territories": [rng.choice(alone)]}, "decision": "refuse"}
    demand = reading.demands[rng.choice(sorted(reading.demands))]
    rule["on"] = {"demands": [demand.id]}
    units = Fraction(got[demand.id], demand.asked)
    if cruel or ("soft" in rule and rng.random() < 0.5):
        return {**rule, "decision": rng.choice(["fund", "refuse"])}
    if not units:
        return {**rule, "decision": "refuse"}
    if units == demand.units and rng.random() < 0.7:
        return {**rule, "decision": "fund"}
    return {**rule, "decision": "units", "units": f"{units.numerator}/{units.denominator}"}


def draw_amount(
    rng: random.Random,
    reading: Reading,
    rule: dict[str, Any],
    witness: dict[Cell, int],
    tiny: bool,
    cruel: bool,
) -> dict[str, Any] | None:
    """A ceiling or a floor near what the witness spends, in euros or per inhabitant."""
    lines = judged(reading, {**rule, "amount": 0}, witness)
    constraint = KINDS[rule["kind"]].model_validate({**rule, "amount": 0, "id": "drawn"})
    people = [reading.inhabitants(on) for _, on, _ in reading.groups(constraint)]
    spent = [line.value for line in lines]
    if not spent:
        return None
    step = Fraction(1, 100) if tiny else Fraction(rng.choice(["0.01", "1", "10"]))
    head = rng.random() < 0.25 and not tiny and all(people)
    if head:
        spent = [value / count for value, count in zip(spent, people, strict=True)]
        step = Fraction(1, 100)
    if rule["kind"] == "ceiling":
        limit = (
            max(spent)
            * Fraction(rng.choice(["1", "1", "1.1", "1.5"]))
            * (Fraction(1, 2) if "soft" in rule or cruel else 1)
        )
        limit = math.ceil(limit / step) * step
    elif "soft" in rule or cruel:
        limit = math.floor(max(spent) * Fraction(rng.choice(["0.8", "1", "1.5"])) / step) * step
    else:
        limit = math.floor(min(spent) * Fraction(rng.choice(["1", "0.9", "0.5"])) / step) * step
    return {**rule, "per_inhabitant" if head else "amount": decimal(limit)}


def draw_two_sides(
    rng: random.Random,
    reading: Reading,
    rule: dict[str, Any],
    witness: dict[Cell, int],
    cruel: bool,
    *,
    exactly: bool,
) -> dict[str, Any] | None:
    """A count or an indicator near what the witness has; sometimes exactly that."""
    values = [line.value for line in judged(reading, {**rule, "min": 0}, witness)]
    if not values:
        return None
    step = Fraction(1) if rule["kind"] == "count" else Fraction(1, 10)
    lowest, highest = min(values), max(values)
    if exactly and lowest == highest and rng.random() < 0.3:
        same = f"{lowest.numerator}/{lowest.denominator}"
        return {**rule, "min": same, "max": same}
    tight = "soft" in rule or cruel
    side = rng.choice(["min", "max", "both"])
    if side != "max":
        low = (
            (highest * Fraction(rng.choice(["1", "1.3"])) + 1) if tight else lowest * Fraction(rng.choice(["1", "0.8"]))
        )
        rule["min"] = decimal(math.floor(low / step) * step)
    if side != "min":
        high = highest * (Fraction(1, 2) if tight else Fraction(rng.choice(["1", "1.2", "1.5"])))
        high = max(math.ceil(high / step) * step, exact(rule.get("min", 0)))
        rule["max"] = decimal(high)
    if not exactly and rule.get("min") == rule.get("max"):  # an equality may miss by a cent: no matter for brute force
        del rule["min"]
    return rule


def draw_equality(rng: random.Random, reading: Reading, witness: dict[Cell, int]) -> Iterable[dict[str, Any]]:
    """Floor = ceiling on one selection."""
    on = draw_selection(rng, reading, funds=True, years=True)
    spent = judged(reading, {"kind": "floor", "on": on, "amount": 0}, witness)[0].value
    return [{"kind": kind, "on": on, "amount": decimal(spent)} for kind in ("floor", "ceiling")]


def in_cents(euros: Fraction) -> Fraction:
    """Rounded down to the cent."""
    return Fraction(math.floor(euros * 100), 100)


def decimal(value: Fraction) -> str:
    """A fraction of few digits as one writes it."""
    whole, rest = divmod(value * 1000, 1000)
    assert rest.denominator == 1
    return f"{int(whole)}.{int(rest):03}" if rest else str(int(whole))

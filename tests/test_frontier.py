"""The frontier of two or three aims, against every plan there is."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import allocator
from allocator.frontier.knee import knee

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


AIMS = ("emplois", "points", "euros", "maximin:region", "maximin:territory", "units:site", "units:ecole")


@pytest.mark.parametrize("aims", [(a, b) for a in AIMS for b in AIMS if a != b and {a, b} != {"emplois", "points"}])
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
@settings(max_examples=15, deadline=None)
def test_random_whole_units(demands: pd.DataFrame, part: int, aims: list[str]) -> None:
    amount = int((demands["asked"] * demands["units"]).sum() * part / 100)
    found = allocator.frontier(scenario(demands=demands, amount=amount), *aims[:2], points=200, gap=0)
    expected = nondominated((aims[0], aims[1]), demands, amount)
    assert set(shown(found)) == expected and len(found.points) == len(expected)
    assert found.complete
    assert found.table["x"].tolist() == sorted(found.table["x"], reverse=aims[0] != "euros")


@pytest.mark.parametrize("wanted", [2, 3, 5])
def test_fewer_points_than_there_are_keep_both_ends(wanted: int) -> None:
    every = nondominated(("emplois", "euros"), DEMANDS, 200)
    found = allocator.frontier(scenario(), "emplois", "euros", points=wanted, gap=0)
    assert len(found.points) == wanted < len(every) and not found.complete
    assert {max(every), max(every, key=lambda p: p[1])} <= set(shown(found)) <= every

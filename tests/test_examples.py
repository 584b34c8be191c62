"""The examples: each prints what its docstring shows, and what it finds is counted again apart from the library's sums."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import allocator

FOLDER = Path(__file__).resolve().parents[1] / "examples"
OF_ITS_OWN = {"backtest_friches"}  # reads a public file: tests/test_backtest.py
NAMES = sorted({path.stem for path in FOLDER.glob("*.py")} - OF_ITS_OWN)


def module(name: str) -> ModuleType:
    """An example as a module: it is a script, in no package."""
    found = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    assert found is not None and found.loader is not None
    made = importlib.util.module_from_spec(found)
    found.loader.exec_module(made)
    return made


def cost_in_order(plan: allocator.Plan, cap: int) -> float:
    """Euros of 22 000 hectares, the cheapest first, with at most `cap` of new land."""
    left, euros = 22_000.0, 0.0
    table = plan.scenario.demands.groupby(["measure", "asked"])["units"].sum().reset_index()
    for row in table.sort_values("asked").itertuples():
        taken = min(row.units, left, cap if row.measure == "terrain-neuf" else left)
        left, euros = left - taken, euros + taken * row.asked
    assert left == 0
    return euros


def zan_hectares(plans: dict[int, allocator.Plan]) -> None:
    for cap, plan in plans.items():
        granted = plan.grants["cents"].sum() / 100
        assert granted == pytest.approx(cost_in_order(plan, cap), rel=1e-5), cap


def coupe_ti(both: allocator.Comparison) -> None:
    before, cut = both.plans
    paid = [int(plan.grants.loc[plan.grants["fund"] == "territoires-industrie", "cents"].sum()) for plan in both.plans]
    assert paid[0] > 3 * 65_000_000_00 >= paid[1]
    assert cut.bound < before.objective  # no plan with less money is as good
    assert all(holds for _, holds in both.checks)


def plafond_ile_de_france(plans: dict[str, allocator.Plan]) -> None:
    for cap, plan in plans.items():
        regions = plan.grants["territory"].map(plan.scenario.territories.set_index("id")["region"])
        inside = int(plan.grants.loc[regions == "11", "cents"].sum())
        assert 100 * inside <= int(cap.removesuffix(" %")) * int(plan.grants["cents"].sum()), cap
    points = [plan.objective for plan in plans.values()]
    assert points == sorted(points, reverse=True) and points[0] > points[-1]


def friches_robustes(plans: dict[int, allocator.Plan]) -> None:
    for at_once, plan in plans.items():
        places = plan.grants.groupby("territory")["cents"].sum().sort_values(ascending=False)
        dearest = int(places.sum()) + 2 * int(places.head(at_once).sum())
        assert dearest <= plan.scenario.funds[0].amount, at_once
    (first, *_, last) = plans.values()
    assert last.bound < first.objective  # room is paid for in hectares


FACTS: dict[str, Callable[[Any], None]] = {
    each.__name__: each for each in (zan_hectares, coupe_ti, plafond_ile_de_france, friches_robustes)
}


@pytest.mark.parametrize("name", NAMES)
def test_an_example(name: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    example = module(name)
    solved = example.solved()
    plans = solved.plans if isinstance(solved, allocator.Comparison) else solved.values()
    assert all(plan.certificate.ok and plan.status == "optimal" for plan in plans)
    FACTS[name](solved)
    monkeypatch.setattr(example, "solved", lambda: solved)  # solved once, told as it tells it
    example.main()
    shown = (example.__doc__ or "").rpartition("\n\n")[2]
    assert capsys.readouterr().out.split() == shown.split(), (
        f"run {FOLDER / name}.py and put what it prints in its docstring"
    )
    assert len((FOLDER / f"{name}.py").read_text(encoding="utf-8").splitlines()) <= 60

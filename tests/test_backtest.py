"""The back-test of the fonds friches: on applications of our own, and its national line on Cerema's where they lie beside the
repository (all of it takes minutes)."""

from __future__ import annotations

import csv
import importlib.util
import random
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared/data/fonds-friches/fr_g_fdfriche_r.csv"
HEADERS = ["libreg", "num_demarche", "laureat_fv", "num_dossier", "loc_abc", "mo_requal", "deficit", "nat_friche", "site_area",
           "friche_area"]  # fmt: skip


@pytest.fixture(scope="module")
def backtest() -> ModuleType:
    """The example as a module: it is a script, in no package."""
    found = importlib.util.spec_from_file_location("backtest_friches", ROOT / "examples/backtest_friches.py")
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[found.name] = module  # its dataclasses look there
    found.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def applications(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty applications of our own in two regions and nowhere, every third one funded."""
    draw, path = random.Random(3), tmp_path_factory.mktemp("friches") / "own.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(HEADERS)
        for k in range(30):
            out.writerow([
                ["Bretagne", "Normandie", ""][k % 10 % 3], draw.choice("12"), "Oui" if k % 3 == 0 else "Non", k,
                draw.choice(["Zone C", "Zone B1"]), draw.choice(["Collectivité locale", "Autre"]), draw.randint(1, 90) * 1000,
                draw.choice(["Friche commerciale", "Friche militaire"]), 9, draw.randint(1, 400) / 100,
            ])  # fmt: skip
    return path


@pytest.fixture(scope="module")
def made(backtest: ModuleType, applications: Path) -> tuple[Any, list[Any]]:
    """The applications, and the lines of their table."""
    everything = backtest.read(str(applications))
    return everything, backtest.backtest(everything)


def test_every_line_of_the_table(backtest: ModuleType, made: tuple[Any, list[Any]]) -> None:
    everything, (funded, france, region, *criteria) = made
    assert (funded.chosen == everything.funded).all() and funded.hectares > 0
    for line in (france, region, *criteria):
        assert line.certified and line.hectares <= line.bound
        assert line.cents <= funded.cents  # never more than what was covered
        assert line.bound >= funded.hectares  # the funded ones keep to every criterion
    slack = 1 + Fraction(backtest.GAP)
    assert region.hectares <= france.hectares * slack
    assert all(line.hectares <= region.hectares * slack for line in criteria)
    assert criteria[-1].hectares <= min(line.hectares for line in criteria[:-1]) * slack  # all of them together


def test_region_by_region_no_region_spends_more_than_it_did(made: tuple[Any, list[Any]]) -> None:
    everything, line = made[0], made[1][2]
    for inside, region in everything.regions():
        assert everything.cents[inside & line.chosen].sum() <= region.cents[region.funded].sum()


def test_criteria_hold_in_the_choices_made_under_them(backtest: ModuleType, applications: Path) -> None:
    everything = backtest.read(str(applications))
    for _, here in everything.regions():
        chosen = here.best("", backtest.together).chosen
        assert chosen.sum() >= here.funded.sum()
        for column in ("nature", "zone", "beneficiary_kind"):
            for values, funded in here.groups(column):
                of_group = here.table[column].isin(values).to_numpy()
                assert here.cents[of_group & chosen].sum() >= int(here.cents[funded].sum() * backtest.KEPT)
        for call in set(here.table["demarche"]):
            of_call = (here.table["demarche"] == call).to_numpy()
            assert here.cents[of_call & chosen].sum() <= here.cents[of_call & here.funded].sum()


def test_it_prints_a_table(
    backtest: ModuleType, applications: Path, made: tuple[Any, list[Any]], monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    monkeypatch.setattr(backtest, "backtest", lambda *_: made[1])
    monkeypatch.setattr(sys, "argv", ["backtest_friches.py", str(applications)])
    assert backtest.main() == 0
    out = capsys.readouterr().out
    assert "Retenues (constaté)" in out and "tous ces critères ensemble" in out and "aucune" in out
    monkeypatch.setattr(sys, "argv", ["backtest_friches.py", str(applications) + "x"])
    assert backtest.main() == 2 and "introuvable" in capsys.readouterr().err


def test_figures_are_shown_as_french_writes_them(backtest: ModuleType) -> None:
    assert [backtest.shown(Fraction(value), places) for value, places in
            (("1234.5", 2), ("-0.056", 2), ("999.999", 1), ("1000000", 0))] == ["1\u202f234,50", "-0,06", "1\u202f000,0", "1\u202f000\u202f000"]  # fmt: skip


@pytest.mark.skipif(not REAL.is_file(), reason=f"Cerema's file is not at {REAL}")
def test_the_real_file_nationally(backtest: ModuleType) -> None:
    everything = backtest.read(str(REAL))
    funded = everything.choice("", everything.funded)
    assert (int(funded.chosen.sum()), round(funded.hectares, 2)) == (1_489, Fraction("2911.67"))
    assert round(Fraction(funded.cents, 10**8), 2) == Fraction("3053.04")
    best = everything.best("", backtest.none, 60.0)
    assert best.certified and best.hectares <= best.bound <= best.hectares * (1 + Fraction(2 * backtest.GAP))
    assert float(best.bound) == pytest.approx(10_907.2, abs=0.05)
    assert best.cents <= funded.cents

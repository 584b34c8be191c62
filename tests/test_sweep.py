"""Sweeps: which variants, the same table whoever solves them, nothing lost when something is killed."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import scenarios

import allocator
from allocator.cli import main
from allocator.formats import save
from allocator.problems import ScenarioError
from allocator.scenario import Scenario
from allocator.sweep import BATCH, Range
from allocator.sweep.design import read_values, variants
from allocator.sweep.folder import opened

ROOT = Path(__file__).resolve().parents[1]
VARY: dict[str, Any] = {
    "funds.a.amount": [f"-{k} %" for k in range(0, 60, 5)],
    "constraints.cap.enabled": [True, False],
    "objective.maximise.jobs": [1, 2],
}


@pytest.fixture(scope="module")
def scenario() -> Scenario:
    return Scenario(
        name="s",
        years=[2026],
        funds=[{"id": "a", "amount": 900}, {"id": "b", "amount": 100}],
        measures=[{"id": "m"}, {"id": "w", "lumpy": True}],
        territories=pd.DataFrame(
            {"id": ["t", "u"], "name": ["T", "U"], "region": ["R", "S"], "departement": ["1", "2"], "population": [9, 5]}
        ),
        demands=pd.DataFrame(
            {
                "id": [f"d{k}" for k in range(8)], "territory": ["t", "u"] * 4, "measure": ["m"] * 4 + ["w"] * 4,
                "units": [1, 2] * 4, "asked": range(70, 150, 10), "jobs": [3, 1, 4, 1, 5, 9, 2, 6],
            }
        ),
        constraints=[{"kind": "ceiling", "id": "cap", "on": {"measures": "w"}, "amount": 300}],
        objective={"maximise": {"jobs": 1}},
    )  # fmt: skip


def timeless(swept: allocator.Sweep) -> pd.DataFrame:
    return swept.table.drop(columns="seconds")


def test_designs() -> None:
    vary: dict[str, Any] = {"x": [1, 2], "y": Range("-10 %", "+10 %", 3)}
    assert variants(vary) == [{"x": x, "y": y} for x in (1, 2) for y in ("-10 %", "+0 %", "+10 %")]
    assert variants(vary, "one") == [{}, {"x": 1}, {"x": 2}, {"y": "-10 %"}, {"y": "+0 %"}, {"y": "+10 %"}]
    drawn = variants(vary, "random", count=50, seed=3)
    assert drawn == variants(vary, "random", count=50, seed=3) != variants(vary, "random", count=50, seed=4)
    assert {v["x"] for v in drawn} == {1, 2}
    assert all(re.fullmatch(r"[+-]\d+(\.\d+)? %", v["y"]) and abs(float(v["y"][:-2])) <= 10 for v in drawn)


@pytest.mark.parametrize(
    ("text", "values"),
    [("1 M€, 2 M€", ["1 M€", "2 M€"]), ("oui,false", [True, False]), ("1 M€..2 M€/3", [1_000_000, 1_500_000, 2_000_000]),
     ("-30 %..+30 %/3", ["-30 %", "+0 %", "+30 %"]), ("0..1/3", [0, 0.5, 1]), ("x0.5..x2/2", ["-50 %", "+100 %"])],
)  # fmt: skip
def test_values_as_written(text: str, values: list[Any]) -> None:
    found = read_values(text)
    assert (found.values() if isinstance(found, Range) else found) == values


def test_the_table_is_that_of_cold_solves(scenario: Scenario) -> None:
    swept = allocator.sweep(scenario, VARY)
    assert len(swept.table) == 48 > 5 * BATCH
    for number in (0, 17, 47):
        changes = swept.variants[number]
        plan, row = allocator.solve(allocator.changed(scenario, changes)), swept.table.iloc[number]
        assert [row[path] for path in VARY] == [
            str(v).lower() if isinstance(v, bool) else str(v) for v in changes.values()
        ]
        assert (row["status"], row["objective"], row["bound"]) == (plan.status, plan.objective, plan.bound)
        assert (
            row["granted"]
            == plan.grants["cents"].sum()
            == row["fund.a"] + row["fund.b"]
            == row["region.R"] + row["region.S"]
        )
        assert swept.plan(number).grants.equals(plan.grants)
    assert swept.table["granted"].dtype == "int64"


@settings(max_examples=10, deadline=None)
@given(scenario=scenarios(demands=(2, 6)), percent=st.lists(st.integers(-60, 60), min_size=1, max_size=4, unique=True))
def test_any_grid_is_cold_solves(scenario: Scenario, percent: list[int]) -> None:
    swept = allocator.sweep(scenario, {"funds.*.amount": [f"{p:+} %" for p in percent]}, time_limit=20)
    for number, changes in enumerate(swept.variants):
        plan = allocator.solve(allocator.changed(scenario, changes), time_limit=20)
        assert swept.table["status"][number] == plan.status
        kept = swept.grants(number).to_dict("records")
        assert kept == plan.grants[["demand", "fund", "year", "cents"]].to_dict("records")


def test_an_infeasible_variant_is_a_row(scenario: Scenario) -> None:
    floor = {"kind": "floor", "id": "floor", "on": {"measures": "m"}, "amount": 10}
    swept = allocator.sweep(scenario.with_(constraints=[floor]), {"constraints.floor.amount": [10, 5000]})
    assert swept.table["status"].tolist() == ["optimal", "infeasible"]
    assert swept.table["granted"].tolist()[1] == 0 and swept.table["objective"].isna().tolist() == [False, True]


def test_all_mistakes_before_anything_is_solved(scenario: Scenario, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.modules["allocator.sweep.variant"], "Session", None)
    with pytest.raises(allocator.ScenarioError) as error:
        allocator.sweep(scenario, {"funds.c.amount": [1], "funds.a.amont": [1], "constraints.cap.amount": ["1 ME€", 3]})
    assert {str(p.place) for p in error.value.problems} == {"funds.c.amount", "funds.a.amont"}
    with pytest.raises(allocator.ScenarioError, match=r"constraints\.cap\.amount"):
        allocator.sweep(scenario, {"constraints.cap.amount": ["1 ME€", 3]})


def test_processes_give_the_same_table(scenario: Scenario) -> None:
    alone, two = allocator.sweep(scenario, VARY), allocator.sweep(scenario, VARY, jobs=2)
    pd.testing.assert_frame_equal(timeless(alone), timeless(two))
    pd.testing.assert_frame_equal(alone.all_grants, two.all_grants)


def test_a_sweep_that_was_killed_goes_on(scenario: Scenario, tmp_path: Path) -> None:
    """kill -9 after some batches: the next run solves the others only, and the table is that of one run."""
    code = (
        "import os, signal, sys, allocator\n"
        "def stop(p):\n"
        "    if p.done >= 24: os.kill(os.getpid(), signal.SIGKILL)\n"
        "scenario, vary = allocator.load(sys.argv[1]), eval(sys.argv[2])\n"
        "allocator.sweep(scenario, vary, out=sys.argv[3], on_progress=stop)\n"
    )
    out = tmp_path / "out"
    save(scenario, tmp_path / "s")
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "s"), repr(VARY), str(out)], cwd=ROOT, check=False
    )
    assert done.returncode == -signal.SIGKILL
    kept = {f.name for f in (out / "parts").glob("rows-*")}
    assert len(kept) == 3 and not (out / "table.parquet").exists()
    seen: list[int] = []
    again = allocator.sweep(
        allocator.load(str(tmp_path / "s")), VARY, out=out, on_progress=lambda p: seen.append(p.done)
    )
    assert seen == [32, 40, 48]
    pd.testing.assert_frame_equal(timeless(again), timeless(allocator.sweep(scenario, VARY)))
    assert not (out / "parts").exists()
    with pytest.raises(allocator.ScenarioError, match="autre balayage"):
        allocator.sweep(scenario, {"funds.a.amount": [1]}, out=out)


@contextmanager
def dask(tmp_path: Path) -> Iterator[tuple[str, list[subprocess.Popen[bytes]]]]:
    """A real scheduler and two workers on loopback."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    environment = os.environ | {"DASK_DISTRIBUTED__DEPLOY__LOST_WORKER_TIMEOUT": "1s", "PYTHONPATH": str(ROOT)}
    quiet: dict[str, Any] = {
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
        "cwd": tmp_path,
        "env": environment,
    }
    scheduler = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "distributed.cli.dask_scheduler",
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
            "--no-dashboard",
        ],
        **quiet,
    )
    workers = [
        subprocess.Popen(
            [
                sys.executable,
                "-m",
                "distributed.cli.dask_worker",
                address,
                "--nthreads",
                "1",
                "--no-nanny",
                "--no-dashboard",
            ],
            **quiet,
        )
        for _ in range(2)
    ]
    try:
        yield address, workers
    finally:
        for process in (*workers, scheduler):
            process.kill()
            process.wait()


def test_a_cluster_gives_the_same_table_though_a_worker_dies(scenario: Scenario, tmp_path: Path) -> None:
    from distributed import Client

    killed: list[int] = []
    with dask(tmp_path) as (address, workers):
        with Client(address, timeout="30s", set_as_default=False) as client:
            client.wait_for_workers(2, timeout=30)

        def kill_one(progress: Any) -> None:
            if not killed:
                workers[0].kill()
                killed.append(progress.done)

        swept = allocator.sweep(scenario, VARY, scheduler=address, on_progress=kill_one)
        assert workers[1].poll() is None
    assert killed and killed[0] < 48
    assert swept.table["variant"].tolist() == list(range(48))
    pd.testing.assert_frame_equal(timeless(swept), timeless(allocator.sweep(scenario, VARY)))


def test_a_process_that_is_killed_costs_time_only(scenario: Scenario) -> None:
    import psutil

    killed = []

    def kill_one(_: Any) -> None:
        if killed:
            return
        for process in psutil.Process().children(recursive=True):
            with suppress(psutil.Error):  # one that has just ended
                command = " ".join(process.cmdline())
                if "loky" in command and "resource_tracker" not in command:
                    killed.append(process.pid)
        if killed:
            for pid in killed:
                os.kill(pid, signal.SIGKILL)

    swept = allocator.sweep(scenario, VARY, jobs=2, on_progress=kill_one)
    assert killed
    pd.testing.assert_frame_equal(timeless(swept), timeless(allocator.sweep(scenario, VARY)))


def test_two_runs_of_one_sweep_in_one_folder(scenario: Scenario, tmp_path: Path) -> None:
    """The other one ends first, while this one has solved its first batch."""
    others = []

    def another(_: Any) -> None:
        if not others:
            others.append(allocator.sweep(scenario, VARY, out=tmp_path))

    swept = allocator.sweep(scenario, VARY, out=tmp_path, on_progress=another)
    pd.testing.assert_frame_equal(swept.table, others[0].table)
    assert {file.name for file in tmp_path.iterdir()} == {"sweep.json", "table.parquet", "grants.parquet"}


@pytest.mark.parametrize("name", ["table.parquet", "grants.parquet"])
def test_a_table_changed_by_hand_is_told(scenario: Scenario, tmp_path: Path, name: str) -> None:
    allocator.sweep(scenario, [{}], out=tmp_path / "s")
    file = tmp_path / "s" / name
    assert len(opened(tmp_path / "s"))
    table = pd.read_parquet(file)
    column = "granted" if name == "table.parquet" else "cents"
    table.assign(**{column: table[column] + 1}).to_parquet(file, index=False)
    with pytest.raises(ScenarioError, match="abîmée"):
        opened(tmp_path / "s")


def test_no_scheduler_is_told(scenario: Scenario) -> None:
    with pytest.raises(allocator.ScenarioError, match="ordonnanceur"):
        allocator.sweep(scenario, {"funds.a.amount": [1]}, scheduler="tcp://127.0.0.1:9")


def test_encryption_needs_certificates(scenario: Scenario, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dask_settings = pytest.importorskip("dask.config", reason="pip install '.[cluster]'")
    save(scenario, tmp_path / "s")
    sweep = ["sweep", str(tmp_path / "s"), "--vary", "funds.a.amount=1", "--scheduler"]
    wanted = {
        ("tls://127.0.0.1:9", None, False): "tls:// demande des certificats",
        ("tls://127.0.0.1:9", str(tmp_path / "nothing.pem"), False): "certificats illisibles",
        ("tls://127.0.0.1:9", str(tmp_path / "s" / "scenario.yaml"), False): "certificats illisibles",
        ("tcp://127.0.0.1:9", None, True): "demandent tls://",
    }
    for (address, authority, required), said in wanted.items():
        with dask_settings.set(
            {
                "distributed.comm.tls.ca-file": authority,
                "distributed.comm.tls.client.cert": authority,
                "distributed.comm.require-encryption": required,
            }
        ):
            assert main([*sweep, address]) == 2
        assert said in capsys.readouterr().err


def test_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    listed = tmp_path / "v.csv"
    listed.write_text("funds.*.amount,measures.friches.lumpy\n-10 %,\n+5 %,false\n", encoding="utf-8")
    assert main(["sweep", "hectares-2030", "--list", str(listed), "--jobs", "1", "--json"]) == 2
    (wrong,) = json.loads(capsys.readouterr().out)["errors"]
    assert wrong["place"].startswith("measures.friches")
    assert main(["sweep", "hectares-2030", "--vary", "funds.*.amount=+0 %..+10 %/2", "--jobs", "1", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["variants"] == 2 and [row["funds.*.amount"] for row in found["table"]] == ["+0 %", "+10 %"]
    assert main(["sweep", "hectares-2030", "--vary", "funds.*.amount", "--list", "x"]) == 2
    assert main(["sweep", "nowhere", "--vary", "x=3..y"]) == 2
    error = capsys.readouterr().err
    assert "nowhere" in error and "--vary x=3..y" in error


def test_all_that_is_wrong_with_the_options_is_told(
    scenario: Scenario, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    save(scenario, tmp_path / "s")
    sweep = ["sweep", str(tmp_path / "s"), "--jobs", "1", "--lang", "en", "--vary"]
    wrong = ["--engine", "zz", "--gap", "nan", "--time-limit", "0", "--seed", "-3", "--count", "0"]
    assert main([*sweep, "funds.a.amount=1", *wrong, "--vary", "funds.a.amount=2"]) == 2
    told = capsys.readouterr().err
    for option in ("--engine", "--gap", "--time-limit", "--seed", "--count", "this path is given already"):
        assert option in told
    for address in ("nowhere", "ftp://x:1", "tcp://127.0.0.1:9"):
        assert main([*sweep, "funds.a.amount=1", "--scheduler", address]) == 2
        told = capsys.readouterr().err
        assert address in told and "Traceback" not in told
    assert main([*sweep, "funds.a.amount=100"]) == 0
    assert capsys.readouterr().out.startswith("1 variant of “s”\n")
    for wrong in ({"engine": "zz"}, {"gap": -1}, {"time_limit": 0}):  # in Python too, whoever would have solved
        with pytest.raises((ValueError, KeyError), match=r"zz|gap|time_limit"):
            allocator.sweep(scenario, {"funds.a.amount": [1]}, jobs=2, **wrong)


def test_an_interrupted_command_goes_on(
    scenario: Scenario, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from allocator.cli import main
    from allocator.commands import sweep as command

    save(scenario, tmp_path / "s")
    out = tmp_path / "out"
    asked = ["sweep", str(tmp_path / "s"), "--vary", "funds.a.amount=-60 %..+0 %/24", "--jobs", "1", "--out", str(out)]
    with monkeypatch.context() as patch:
        patch.setattr(command, "_progress", lambda _: os.kill(os.getpid(), signal.SIGINT))
        assert main(asked) == 4
    assert "la même commande continue" in capsys.readouterr().err
    kept = sorted(out.glob("parts/rows-*.parquet"))
    assert len(kept) == 1 and not (out / "table.parquet").exists()
    done = []
    monkeypatch.setattr(command, "_progress", done.append)
    assert main(asked) == 0
    assert [progress.done for progress in done] == [16, 24]
    assert pd.read_parquet(out / "table.parquet")["variant"].tolist() == list(range(24))

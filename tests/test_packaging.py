"""What is installed: the wheel, the locks, the engine libraries side by side, the arrows between modules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
ENGINE_LIBRARIES = ("highspy", "ortools", "pulp")


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """This Python, afresh, with these arguments, in the project's folder."""
    command, settings = [sys.executable, *arguments], os.environ | environment
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=settings, timeout=120, check=False)


def printed(code: str) -> str:
    """What a fresh interpreter prints; its complaints when it fails."""
    done = run("-c", code)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


# --- The wheel


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    folder = tmp_path_factory.mktemp("wheel")
    done = run("-m", "hatchling", "build", "-t", "wheel", "-d", str(folder))
    assert done.returncode == 0, done.stderr
    (built,) = folder.glob("*.whl")
    return zipfile.ZipFile(built)


def test_wheel_holds_the_whole_package_and_nothing_else(wheel: zipfile.ZipFile) -> None:
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "allocator").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    held = {name for name in wheel.namelist() if ".dist-info/" not in name}
    assert held == ours
    assert any(name.startswith("allocator/data/scenarios/") for name in held)
    assert any(name.startswith("allocator/data/territories/") for name in held)


def test_wheel_says_command_and_licence(wheel: zipfile.ZipFile) -> None:
    (entry_points,) = [name for name in wheel.namelist() if name.endswith("entry_points.txt")]
    assert "allocator = allocator.cli:main" in wheel.read(entry_points).decode()
    (licence,) = [name for name in wheel.namelist() if name.endswith("licenses/LICENSE")]
    assert wheel.read(licence) == (ROOT / "LICENSE").read_bytes()


def test_the_same_wheel_twice(wheel: zipfile.ZipFile, tmp_path: Path) -> None:
    """From another copy, of another date, in another folder."""
    shutil.copytree(ROOT / "allocator", tmp_path / "allocator", copy_function=shutil.copyfile)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", "out"], cwd=tmp_path, capture_output=True
    )
    assert done.returncode == 0, done.stderr
    [again] = (tmp_path / "out").glob("*.whl")
    assert wheel.filename is not None
    assert again.read_bytes() == Path(wheel.filename).read_bytes()


# --- The locked versions


def locked(name: str) -> dict[str, list[str]]:
    """Library → its locked versions (several where they depend on the Python); every one must have a hash."""
    versions: dict[str, list[str]] = {}
    text = (ROOT / "requirements" / name).read_text(encoding="utf-8")
    assert "://" not in text  # neither an index nor a direct address: the installer's own settings decide
    bare = re.sub(r"(?m)^\s*#.*\n?", "", text).strip()
    for entry in re.split(r"\n(?=[a-z0-9])", bare, flags=re.IGNORECASE):
        found = re.match(r"([\w.-]+)==([\w.+!-]+)", entry)
        assert found, entry
        assert "--hash=sha256:" in entry, found[0]
        versions.setdefault(found[1], []).append(found[2])
    return versions


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("lock", ["run.txt", "dev.txt"])
def test_lock_satisfies_the_project(lock: str) -> None:
    wanted = PROJECT["project"]["dependencies"] + PROJECT["dependency-groups"]["build"]
    if lock == "dev.txt":
        wanted = wanted + PROJECT["project"]["optional-dependencies"]["dev"]
    versions = locked(lock)
    for requirement in map(Requirement, wanted):
        held = versions.get(canonical(requirement.name), [])
        assert held, f"{requirement.name}: make lock"
        assert all(version in requirement.specifier for version in held), f"{requirement}: {held}: make lock"


def test_dev_lock_holds_the_run_lock() -> None:
    run, dev = locked("run.txt"), locked("dev.txt")
    assert {name: dev.get(name) for name in run} == run


def test_build_system_is_the_locked_one() -> None:
    assert PROJECT["build-system"]["requires"] == PROJECT["dependency-groups"]["build"]


# --- The libraries side by side

SOLVE = {
    "highspy": """
import highspy
h = highspy.Highs(); h.silent(); x = h.addVariable(0, 4, 1.0); h.maximize(x)
assert h.getObjectiveValue() == 4, h.getObjectiveValue()
""",
    "ortools": """
from ortools.linear_solver import pywraplp
from ortools.sat.python import cp_model
s = pywraplp.Solver.CreateSolver("GLOP"); x = s.NumVar(0, 4, "x"); s.Maximize(x); s.Solve()
assert x.solution_value() == 4
m = cp_model.CpModel(); y = m.new_int_var(0, 4, "y"); m.maximize(y); c = cp_model.CpSolver(); c.solve(m)
assert c.value(y) == 4
""",
    "pulp": """
import pulp
p = pulp.LpProblem("p", pulp.LpMaximize); x = pulp.LpVariable("x", 0, 4); p += x
p.solve(pulp.PULP_CBC_CMD(msg=False))
assert x.value() == 4
""",
}


@pytest.mark.parametrize(
    "order", [ENGINE_LIBRARIES, ENGINE_LIBRARIES[::-1], ("ortools", "highspy", "pulp")], ids="-".join
)
def test_engine_libraries_live_in_one_process(order: tuple[str, ...]) -> None:
    """Some versions cannot even be loaded together; each must also solve after the others were loaded."""
    assert printed("".join(SOLVE[name] for name in order) + 'print("solved")') == "solved"


def test_import_loads_no_engine_library() -> None:
    """Reading a scenario, or asking for help, must not wait for a solver to load."""
    loaded = printed(f"import sys, allocator; print(*sorted(set(sys.modules) & {set(ENGINE_LIBRARIES)!r}))")
    assert loaded == ""


# --- The arrows between modules


def test_imports_run_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """The contracts of pyproject.toml; on failure the captured output names the imports at fault."""
    from importlinter import cli

    monkeypatch.chdir(ROOT)
    assert cli.lint_imports(config_filename="pyproject.toml", no_cache=True) == cli.EXIT_STATUS_SUCCESS


# --- The installer


def test_installer_names_the_missing_package(tmp_path: Path) -> None:
    """Debian's python3 comes without ensurepip: the message must say what to install."""
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    venv = str(tmp_path / "venv")
    done = run("scripts/install.py", "requirements/run.txt", "--venv", venv, PYTHONPATH=str(tmp_path))
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_installer_leaves_a_broken_environment_alone(tmp_path: Path) -> None:
    """An environment whose Python moved is reported, never deleted."""
    (tmp_path / "pyvenv.cfg").write_text("home = /nowhere")
    done = run("scripts/install.py", "requirements/run.txt", "--venv", str(tmp_path))
    assert done.returncode == 2
    assert "make clean" in done.stderr
    assert (tmp_path / "pyvenv.cfg").exists()

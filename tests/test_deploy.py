"""What a server is made of refers to what is there: files, accounts, ports, settings that the code knows."""

from __future__ import annotations

import json
import re
import shlex
import tomllib
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml
from packaging.requirements import Requirement

from allocator.store import places
from ui import access

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
KNOWN = {places.VARIABLE, access.VARIABLE}


@pytest.fixture(scope="module")
def steps() -> list[tuple[str, str]]:
    """(instruction, what it is given), lines joined, comments left out."""
    text = re.sub(r"^#.*\n", "", (ROOT / "Dockerfile").read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", " ", text).splitlines()
    return [(word, rest.strip()) for word, _, rest in (line.partition(" ") for line in lines if line)]


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    found = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    for service in found["services"].values():
        for volume in service.get("volumes", []):
            name = volume.partition(":")[0]
            assert name.startswith(("$", ".", "/")) or name in found["volumes"], volume
    return dict(found["services"])


def settings(steps: list[tuple[str, str]]) -> dict[str, str]:
    pairs = [pair for word, rest in steps if word == "ENV" for pair in shlex.split(rest)]
    return dict(pair.split("=", 1) for pair in pairs)


def sent() -> list[str]:
    """What is not kept from the image: the lines of .dockerignore after its `*`."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert "*" in lines
    return [line[1:] for line in lines if line.startswith("!")]


def test_what_is_copied_is_there_and_sent(steps: list[tuple[str, str]]) -> None:
    stages = [rest.partition(" AS ")[2] for word, rest in steps if word == "FROM"]
    copied = 0
    for rest in (rest for word, rest in steps if word == "COPY"):
        *sources, _ = shlex.split(rest)
        if sources[0].startswith("--from="):
            assert sources[0].removeprefix("--from=") in stages
            continue
        for source in sources:
            assert (ROOT / source).exists(), source
            assert any(fnmatch(source, kept) for kept in sent()), f"{source}: .dockerignore keeps it out"
            copied += 1
    assert copied


def test_the_image_starts_the_front_end_as_nobody_in_particular(steps: list[tuple[str, str]]) -> None:
    made = next(rest for word, rest in steps if word == "RUN" and "useradd" in rest)
    assert [rest for word, rest in steps if word == "USER"][-1] in re.findall(r"--uid (\d+)", made)
    program, verb, script = json.loads(steps[-1][1])
    assert steps[-1][0] == "CMD" and verb == "run" and (ROOT / script).is_file()
    assert any(Requirement(line).name == program for line in PROJECT["optional-dependencies"]["ui"])


def test_the_port_is_one_and_the_same(steps: list[tuple[str, str]], services: dict[str, Any]) -> None:
    (port,) = [rest for word, rest in steps if word == "EXPOSE"]
    (health,) = [rest for word, rest in steps if word == "HEALTHCHECK"]
    assert f":{port}/_stcore/health" in health
    (published,) = services["front"]["ports"]
    assert published.startswith("127.0.0.1:") and published.endswith(f":{port}")
    assert "ports" not in services["database"]


def test_settings_are_those_that_the_code_reads(steps: list[tuple[str, str]], services: dict[str, Any]) -> None:
    from streamlit import config

    config.get_config_options()
    options = {"STREAMLIT_" + re.sub(r"([A-Z])|\.", r"_\1", key).upper() for key in config._config_options_template}
    given = settings(steps) | services["front"]["environment"]
    assert {name for name in given if name.startswith("ALLOCATOR_")} == KNOWN
    assert {name for name in given if name.startswith("STREAMLIT_")} <= options
    if given["STREAMLIT_SERVER_ADDRESS"] == "0.0.0.0":  # else Streamlit asks another machine for its address
        assert given["STREAMLIT_BROWSER_SERVER_ADDRESS"]
    url = places.address(services["front"]["environment"][places.VARIABLE])
    database = services[str(url.host)]["environment"]
    assert (url.username, url.database, url.password) == (database["POSTGRES_USER"], database["POSTGRES_DB"], None)


def test_no_secret_is_written_down(services: dict[str, Any]) -> None:
    for service in services.values():
        for name, value in service["environment"].items():
            if "PASSWORD" in name:
                assert re.fullmatch(r"\$\{\w+:\?.+\}", value), f"{name}: from the environment, and refused without it"
    for line in (ROOT / "deploy/env.example").read_text(encoding="utf-8").splitlines():
        assert not re.fullmatch(r"\w*PASSWORD=.+", line), line


def test_the_roles_given_along_can_be_read_and_let_nobody_decide() -> None:
    roles = access.Roles.model_validate(tomllib.loads((ROOT / "deploy/roles.toml").read_text(encoding="utf-8")))
    assert roles.of(None).role == "read"


def test_the_lock_holds_what_a_server_needs_and_no_tool_of_ours() -> None:
    text = (ROOT / "requirements/server.txt").read_text(encoding="utf-8")
    versions = dict(re.findall(r"(?m)^([\w.-]+)==([\w.+!-]+)", text))
    assert text.count("--hash=sha256:") >= len(versions) > 0
    for extra in ("ui", "postgres", "risk", "signin"):
        for requirement in map(Requirement, PROJECT["optional-dependencies"][extra]):
            if requirement.name != PROJECT["name"]:
                assert versions[requirement.name] in requirement.specifier, f"{requirement}: make lock"
    assert not {"pytest", "mypy", "ruff"} & versions.keys()


def test_the_page_names_files_that_are_there() -> None:
    page = (ROOT / "docs/deploy.md").read_text(encoding="utf-8")
    named = re.findall(r"(?:deploy|requirements|ui|tests)/[\w.]+\.(?:txt|toml|example|py)\b", page)
    assert named and all((ROOT / name).is_file() for name in named), named

"""What others read of this project without running it: the version from one place, and files that catalogues take."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def read(name: str) -> dict[str, Any]:
    found = yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@pytest.fixture(scope="module")
def public() -> dict[str, Any]:
    return read("publiccode.yml")


def test_the_version_is_that_of_the_project(public: dict[str, Any]) -> None:
    assert public["softwareVersion"] == read("CITATION.cff")["version"] == PROJECT["version"]


def test_the_licence_is_that_of_the_project(public: dict[str, Any]) -> None:
    assert public["legal"]["license"] == read("CITATION.cff")["license"] == PROJECT["license"]


def test_publiccode_keeps_the_lengths_of_its_standard(public: dict[str, Any]) -> None:
    """yml.publiccode.tools, 0.4: what is mandatory, and how long it may be."""
    assert {"url", "platforms", "categories", "developmentStatus", "softwareType", "releaseDate"} <= public.keys()
    assert set(public["description"]) == set(public["localisation"]["availableLanguages"]) == {"fr", "en"}
    for said in public["description"].values():
        assert len(said["genericName"]) <= 35 and len(said["shortDescription"]) <= 150
        assert 150 <= len(said["longDescription"]) <= 10_000 and 5 <= len(said["features"]) <= 20
        assert all((ROOT / picture).is_file() for picture in said["screenshots"])


def test_each_form_of_an_issue_asks_for_something() -> None:
    """GitHub shows no form that lacks a name, a description, or an id of its own for each field."""
    forms = [path for path in (ROOT / ".github/ISSUE_TEMPLATE").glob("*.yml") if path.stem != "config"]
    assert forms
    for path in forms:
        form = read(path.relative_to(ROOT).as_posix())
        assert form["name"] and form["description"]
        asked = [field["id"] for field in form["body"] if field["type"] != "markdown"]
        assert asked and len(set(asked)) == len(asked)
        assert any(field.get("validations", {}).get("required") for field in form["body"])

"""Signing in with an identity provider, in a real browser: nobody, a reader, an editor; the name that the store is told."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

if os.environ.get("CI") != "true":  # there it must be installed
    for library in ("playwright", "authlib", "joserfc"):
        pytest.importorskip(library, reason="sign-in is an extra: pip install '.[signin,dev]'")

from playwright.sync_api import expect

sys.path.insert(0, str(Path(__file__).parent))
from provider import Provider

PLOTS = "Ce que coûtent les terrains"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def test_sign_in(
    visitor: Callable[..., Any], own_server: Callable[..., Any], provider: Provider, tmp_path: Path
) -> None:
    roles = tmp_path / "roles.toml"
    roles.write_text('signed_in = "read"\n[people]\n"luc@region.example" = "edit"\n')
    server = own_server(ALLOCATOR_ROLES=str(roles))
    server.stop()  # only now is its port known
    (tmp_path / ".streamlit").mkdir(exist_ok=True)
    (tmp_path / ".streamlit" / "secrets.toml").write_text(provider.secrets(server.address))
    server.start()
    here = visitor(server, near=(provider.host,))
    page = here.page

    page.goto(f"{server.address}/construire?s=leviers,hectares-2030")
    button = page.get_by_role("button", name="Se connecter")
    expect(button).to_be_visible()
    expect(page.get_by_role("heading", name="Construire")).to_have_count(0)
    assert here.accessible() == []

    provider.claims = {"email": "paul@region.example"}
    button.click()
    expect(page.get_by_text("Lecture seule")).to_be_visible()
    expect(page.get_by_text("paul@region.example")).to_be_visible()
    here.goes("construire?s=leviers,hectares-2030")
    assert here.accessible() == []
    field = page.get_by_label(PLOTS)
    field.fill("10 Md€")
    field.press("Enter")
    expect(page.get_by_text("vous n'avez pas le droit de modifier")).to_be_visible()
    here.waits()
    assert "v=" not in page.url

    page.get_by_role("button", name="Se déconnecter").click()
    expect(button).to_be_visible()
    provider.claims = {"email": "luc@region.example"}
    button.click()
    expect(page.get_by_text("luc@region.example")).to_be_visible()
    here.goes("construire?s=leviers,hectares-2030")
    expect(page.get_by_text("Lecture seule")).to_have_count(0)
    field.fill("10 Md€")
    field.press("Enter")
    page.wait_for_url("**v=**")
    here.waits()
    page.goto("about:blank")
    server.stop()
    with sqlite3.connect(tmp_path / "store.sqlite") as store:
        assert store.execute("SELECT DISTINCT who FROM scenarios").fetchall() == [("luc@region.example",)]

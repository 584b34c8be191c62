"""Signing in with an identity provider, in a real browser: nobody, a reader, an editor; the name that the store is told."""

from __future__ import annotations

import base64
import os
import re
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
from provider import CLIENT, SECRET, Provider

PLOTS = "Ce que coûtent les terrains"


@pytest.fixture
def provider() -> Iterator[Provider]:
    made = Provider()
    yield made
    made.close()


def office(own_server: Callable[..., Any], provider: Provider, folder: Path) -> Any:
    """A server that knows the provider: who signs in may read, Luc edit."""
    roles = folder / "roles.toml"
    roles.write_text('signed_in = "read"\n[people]\n"luc@region.example" = "edit"\n')
    secrets = folder / ".streamlit" / "secrets.toml"
    secrets.parent.mkdir(exist_ok=True)
    return own_server(lambda address: secrets.write_text(provider.secrets(address)), ALLOCATOR_ROLES=str(roles))


def test_sign_in(
    visitor: Callable[..., Any], own_server: Callable[..., Any], provider: Provider, tmp_path: Path
) -> None:
    server = office(own_server, provider, tmp_path)
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

    # to sign out ends the login in each tab, and each copy of the cookie
    copied, other = page.context.cookies(), page.context.new_page()
    other.goto(f"{server.address}/construire?s=leviers,hectares-2030")
    expect(other.get_by_text("luc@region.example")).to_be_visible()
    page.get_by_role("button", name="Se déconnecter").click()
    expect(button).to_be_visible()
    other.get_by_text("English").click()
    expect(other.get_by_role("button", name="Sign in")).to_be_visible()
    expect(other.get_by_text("luc@region.example")).to_have_count(0)
    other.close()
    page.context.add_cookies(copied)
    page.reload()
    expect(button).to_be_visible()
    button.click()  # another login of the same person
    expect(page.get_by_text("luc@region.example")).to_be_visible()

    page.goto("about:blank")
    server.stop()
    with sqlite3.connect(tmp_path / "store.sqlite") as store:
        assert store.execute("SELECT DISTINCT who FROM scenarios").fetchall() == [("luc@region.example",)]


def test_secrets_are_told_to_nobody(
    chromium: Any, own_server: Callable[..., Any], provider: Provider, tmp_path: Path
) -> None:
    """Neither of the identity provider nor of the cookie: on a page, in the log, in what the server says of itself, in the
    store; not where signing in goes wrong either."""
    server = office(own_server, provider, tmp_path)
    cookie = re.findall('cookie_secret = "(.*)"', (tmp_path / ".streamlit" / "secrets.toml").read_text())
    context = chromium.new_context()
    page, told = context.new_page(), []
    page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: told.append(str(frame))))

    def tries() -> None:
        page.goto(server.address)
        with page.expect_request("**/oauth2callback*"):
            page.get_by_role("button", name="Se connecter").click()
        page.wait_for_url(re.compile(re.escape(server.address) + r"/(\?|$)"))
        page.wait_for_selector("h1")
        told.append(page.locator("body").inner_html())

    provider.claims = {"email": "luc@region.example"}
    answer = provider._token
    provider._token = lambda to, _: to.send_error(401)  # type: ignore[method-assign]
    tries()
    provider._token = answer  # type: ignore[method-assign]
    tries()
    expect(page.get_by_text("luc@region.example")).to_be_visible()
    told.append(page.locator("body").inner_html())
    for path in ("metrics", "health", "host-config"):
        told.append(page.request.get(f"{server.address}/_stcore/{path}").text())
    context.close()
    server.stop()
    told += [server.log, *(file.read_bytes().decode("latin-1") for file in tmp_path.glob("store.sqlite*"))]
    assert "OAuth token exchange failed" in server.log
    for secret in (SECRET, base64.b64encode(f"{CLIENT}:{SECRET}".encode()).decode(), *cookie):
        assert not any(secret in each for each in told)

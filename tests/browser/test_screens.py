"""Every screen, in light and dark, wide and on a phone: no violation of accessibility, nothing over the side; on paper."""

from __future__ import annotations

import http.client
import os
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from ui.screens import SCREENS

FAST = "s=statu-quo,rebond-urgence"  # both solved in about a second


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens(visitor: Callable[..., Any], scheme: str) -> None:
    """In the light on a desk, in the dark on a phone, where most goes wrong: there the parts of a screen are looked at too, behind
    its second group of buttons."""
    here = visitor(scheme=scheme).goes(f"?{FAST}&t=region:32")
    page, wrong = here.page, []

    def look(name: str, width: int) -> None:
        page.set_viewport_size({"width": width, "height": 1000})
        here.waits()
        wrong.extend(f"{name}, {width}: {each}" for each in here.accessible())
        over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        wrong.extend([f"{name}, {width}: {over} px over the side"] if over > 0 else [])
        if folder := os.environ.get("SCREENS"):
            page.screenshot(path=f"{folder}/{name}-{scheme}-{width}.png", full_page=True)

    for _, title, path, _ in SCREENS:
        page.set_viewport_size({"width": 1280, "height": 1000})
        here.opens(title.fr)
        look(path, 1280 if scheme == "light" else 390)
        parts = page.locator(".stButtonGroup").nth(1).get_by_role("radio")
        for k in range(1, parts.count() if scheme == "dark" else 1):
            parts.nth(k).click()
            look(f"{path}-{k}", 390)
    assert wrong == []


def test_pages_of_strangers_are_turned_away(visitor: Callable[..., Any]) -> None:
    """Neither a WebSocket from one, nor messages of one to a frame; and the outside is not asked who we are (`visitor`)."""
    server = visitor().goes("scenarios?s=leviers").server  # which settles it, once
    with closing(http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)) as to:
        to.request("GET", "/_stcore/host-config")
        assert b'"allowedOrigins":[]' in to.getresponse().read()
        to.request("GET", "/_stcore/stream", headers={
            "Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "bG9pbi1kZS10b3V0LXJlZw==", "Origin": "https://exemple.invalid",
        })  # fmt: skip
        assert to.getresponse().status == 403

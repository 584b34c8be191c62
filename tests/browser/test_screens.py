"""Every screen, in light and dark, wide and on a phone: no violation of accessibility, nothing over the side; on paper."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

from ui.screens import SCREENS

FAST = "s=statu-quo,rebond-urgence"  # both solved in about a second


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_screens(visitor: Callable[..., Any], scheme: str) -> None:
    here = visitor(scheme=scheme).goes(f"?{FAST}&t=region:32")
    wrong = []
    for _, title, path, _ in SCREENS:
        here.page.set_viewport_size({"width": 1280, "height": 1000})
        here.opens(title.fr)
        for width in (1280, 390):
            here.page.set_viewport_size({"width": width, "height": 1000})
            here.waits()
            wrong += [f"{path}, {width}: {each}" for each in here.accessible()]
            over = here.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            wrong += [f"{path}: {over} px over the side"] if over > 0 else []
            if folder := os.environ.get("SCREENS"):
                here.page.screenshot(path=f"{folder}/{path}-{scheme}-{width}.png", full_page=True)
    assert wrong == []

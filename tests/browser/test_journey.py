"""One visit in a real Chromium: nothing leaves the machine, nothing goes wrong, it fits a phone."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def _left_out(why: str) -> NoReturn:
    """Nobody must install a browser to run the tests at home; the build machine must have one."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@pytest.fixture(scope="module")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        _left_out("no Chromium here (Debian: apt-get install chromium)")
    for library in ("playwright", "streamlit", "altair"):
        try:
            __import__(library)
        except ImportError:
            _left_out(f"the library {library} is not installed")
    return found


@pytest.fixture(scope="module")
def server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """The address of a server started as `make ui` does, and the file of what it tried to reach outside."""
    folder = tmp_path_factory.mktemp("server")
    outside = folder / "outside.txt"
    outside.touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = os.environ | {
        "OUTSIDE": str(outside), "PYTHONPATH": str(HERE / "outside"), "HOME": str(folder), "ALLOCATOR_LANG": "fr",
    }  # fmt: skip
    command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "ui" / "streamlit_app.py")]
    command += ["--server.port", str(port), "--server.headless", "true"]
    with open(folder / "log.txt", "w", encoding="utf-8") as log:
        # from another folder than ours: the settings must hold there too
        running = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=log)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{address}/_stcore/health", timeout=1).close()
                break
            except OSError:
                assert running.poll() is None, (folder / "log.txt").read_text()
                time.sleep(0.2)
        else:
            raise AssertionError((folder / "log.txt").read_text())
        yield address, outside
    finally:
        running.terminate()
        running.wait(10)


def test_journey(chromium: str, server: tuple[str, Path]) -> None:
    from playwright.sync_api import expect, sync_playwright

    address, outside = server
    wrong: list[str] = []
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 1000}, locale="fr-FR")
        page.set_default_timeout(20_000)
        expect.set_options(timeout=20_000)

        def asked(request) -> None:
            parts = urlsplit(request.url)
            if parts.scheme not in ("data", "blob") and parts.netloc != urlsplit(address).netloc:
                wrong.append(f"request outside: {request.url[:200]}")

        def said(message) -> None:
            if message.type == "error" or "WARN" in message.text:  # WARN: what a chart complains of
                wrong.append(f"console: {message.text[:300]} {message.location}")

        page.on("request", asked)
        page.on("websocket", lambda ws: asked(ws) if urlsplit(ws.url).netloc != urlsplit(address).netloc else None)
        page.on("console", said)
        page.on("pageerror", lambda error: wrong.append(f"page: {str(error)[:300]}"))

        # It answers while plans are being made
        page.goto(address)
        expect(page.get_by_text("Calcul en cours")).to_be_visible()
        expect(page.get_by_role("heading", name="Mon territoire")).to_be_visible(timeout=90_000)
        expect(page.locator("html")).to_have_attribute("lang", "fr")

        # My territory, by the keyboard, without accents
        search = page.get_by_label("Chercher par nom")
        search.focus()
        page.keyboard.type("bethune bruay")
        expect(page.get_by_role("option").first).to_contain_text("Béthune-Bruay")
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Béthune-Bruay", exact=False)).to_be_visible()
        expect(page.locator(".card")).to_have_count(2)
        expect(page.locator(".card .figure").first).to_have_text(re.compile(r"^[0-9,]+\u00a0(k|M)€$"))
        expect(page.get_by_role("table")).to_have_count(2)
        drawn = page.locator("[role=graphics-document]")
        expect(drawn).to_have_attribute("aria-label", re.compile("tableau"))

        # France, by région then by EPCI
        page.get_by_role("link", name="La France entière").click()
        expect(page.get_by_role("heading", name="La France entière")).to_be_visible()
        drawn = page.locator("[role=graphics-document]")
        expect(drawn).to_have_count(2)
        regions = page.locator(".stVegaLiteChart .mark-shape path")
        expect(regions).to_have_count(18 + 5)  # the régions, the frames around overseas
        page.get_by_role("radio", name="Intercommunalités").click()
        expect(regions).to_have_count(1255 + 5)

        page.get_by_role("link", name="Scénarios et preuves").click()
        expect(page.get_by_text("Optimal").first).to_be_visible()
        page.get_by_text("D'où viennent les montants").first.click()
        expect(page.get_by_role("cell", name=re.compile("^Note, proposition 23")).first).to_be_visible()

        # English, which keeps what was chosen
        page.get_by_role("radio", name="English").click()
        expect(page.get_by_role("heading", name="Scenarios and proofs")).to_be_visible()
        expect(page.locator("html")).to_have_attribute("lang", "en")

        # On a phone nothing runs over the side
        page.set_viewport_size({"width": 390, "height": 844})
        for link, heading in (("My territory", "Béthune-Bruay"), ("The whole of France", "Where the money goes"),
                              ("Scenarios and proofs", "Scenarios and proofs")):  # fmt: skip
            page.get_by_role("link", name=link).click()
            expect(page.get_by_role("heading", name=heading, exact=False).first).to_be_visible()
            page.wait_for_function("document.documentElement.scrollWidth <= 390")
        browser.close()
    assert wrong == []
    assert outside.read_text() == ""

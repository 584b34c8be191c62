"""A server started as `make ui` does, and visitors in a real Chromium who watch what goes wrong: errors of the console,
requests to another machine, violations of accessibility."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import urlsplit

import pytest

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LEVELS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
OF_STREAMLIT: dict[str, str] = {}
"""Rules of axe that Streamlit's own widgets break, by the widget's CSS selector, with the reason they stay."""
PROBES = re.compile(r"/\w+/_stcore/(health|host-config)$")  # Streamlit tries these beside a page before its root: 404
FAST = "s=statu-quo,rebond-urgence"  # both solved in about a second


def left_out(why: str) -> NoReturn:
    """Nobody must install a browser to run the tests at home; the build machine must have one."""
    if os.environ.get("CI") == "true":
        pytest.fail(why, pytrace=False)
    pytest.skip(why)


@dataclass
class Server:
    """`folder`: its home; what it wrote of any attempt to reach another machine is in `outside`."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    running: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def outside(self) -> str:
        return (self.folder / "outside.txt").read_text()

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text()

    def __post_init__(self) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]

    def start(self) -> Server:
        (self.folder / "outside.txt").touch()
        environment = os.environ | {
            "OUTSIDE": str(self.folder / "outside.txt"), "PYTHONPATH": str(HERE / "outside"), "HOME": str(self.folder),
            "ALLOCATOR_LANG": "fr", "ALLOCATOR_STORE": str(self.folder / "store.sqlite"), **self.settings,
        }  # fmt: skip
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "ui" / "streamlit_app.py")]
        command += ["--server.port", str(self.port), "--server.headless", "true"]
        with open(self.folder / "log.txt", "a", encoding="utf-8") as log:
            # from another folder than ours: the settings must hold there too
            self.running = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log, stderr=log)
        for _ in range(150):
            try:
                urllib.request.urlopen(f"{self.address}/_stcore/health", timeout=1).close()
                return self
            except OSError:
                assert self.running.poll() is None, self.log
                time.sleep(0.2)
        raise AssertionError(self.log)

    def stop(self) -> None:
        if self.running is not None:
            self.running.terminate()
            self.running.wait(30)
            self.running = None


@pytest.fixture(scope="session")
def chromium() -> Iterator[Any]:
    """The browser."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        left_out("no Chromium here (Debian: apt-get install chromium)")
    for library in ("playwright", "streamlit", "altair", "axe_playwright_python"):
        try:
            __import__(library)
        except ImportError:
            left_out(f"the library {library} is not installed")
    from playwright.sync_api import expect, sync_playwright

    expect.set_options(timeout=60_000)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def server(chromium: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One for all who do not stop it."""
    made = Server(tmp_path_factory.mktemp("server"))
    try:
        yield made.start()
    finally:
        made.stop()


@pytest.fixture
def own_server(chromium: Any, tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Makes servers for this test alone, with settings of their own; `before`: what is done before it starts, with its address."""
    made: list[Server] = []

    def make(before: Callable[[str], object] | None = None, **settings: str) -> Server:
        made.append(Server(tmp_path, settings))
        if before is not None:
            before(made[-1].address)
        return made[-1].start()

    yield make
    for each in made:
        each.stop()


@dataclass
class Visitor:
    """Somebody at a page; `wrong`: what went wrong for them."""

    page: Any
    server: Server
    near: tuple[str, ...] = ()  # other machines that may be asked: an identity provider
    wrong: list[str] = field(default_factory=list)

    def watch(self) -> Visitor:
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda socket: self._asked(socket.url))
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.wrong.append(f"page: {str(error)[:300]}"))
        return self

    def _asked(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob") and parts.netloc not in (
            urlsplit(self.server.address).netloc,
            *self.near,
        ):
            self.wrong.append(f"request outside: {url[:200]}")

    def _said(self, message: Any) -> None:
        where = str((message.location or {}).get("url", ""))
        if message.type == "error" and PROBES.search(where) and "404" in message.text:
            return
        if message.type == "error" or "WARN" in message.text:  # WARN: what a chart complains of
            self.wrong.append(f"console: {message.text[:300]} {message.location}")

    def goes(self, where: str = "") -> Visitor:
        self.page.goto(f"{self.server.address}/{where}")
        return self.waits()

    def opens(self, title: str) -> Visitor:
        """A screen by its link at the top."""
        link = self.page.locator(".stPageLink a").filter(has=self.page.get_by_text(title, exact=True)).first
        path = urlsplit(link.get_attribute("href") or "").path.rsplit("/", 1)[-1]
        return self.moves(link.click, lambda url: urlsplit(url).path == f"/{path}")

    def moves(self, act: Callable[[], Any], there: Callable[[str], bool] | None = None) -> Visitor:
        """Do what changes the address (or leads `there`), and wait until its screen is drawn: on a slow machine long after the
        address is new."""
        before, runs = self.page.url, self.page.evaluate("window.runs")
        act()
        self.page.wait_for_url(there or (lambda url: url != before))
        since = "([before, most]) => window.runs > before || (window.moved ??= performance.now()) + most < performance.now()"
        self.page.evaluate("delete window.moved")
        self.page.wait_for_function(since, arg=[runs, 15_000], polling=100)  # a page made anew has counted none
        return self.waits()

    def waits(self, seconds: float = 60) -> Visitor:
        """Until the screen is drawn, and nothing is being computed for it."""
        self.page.wait_for_selector("h1", timeout=seconds * 1000)
        self.page.wait_for_function(SETTLED, timeout=seconds * 1000, polling=100)
        return self

    def accessible(self) -> list[str]:
        """Violations of A and AA by what is shown now, but for those of Streamlit's own widgets."""
        from axe_playwright_python.sync_playwright import Axe

        found = Axe().run(self.page, options={"runOnly": LEVELS}).response["violations"]
        return [
            f"{rule['id']}: {node['html'][:200]} ({node['target']})"
            for rule in found
            for node in rule["nodes"]
            if not any(name in str(node["target"]) + node["html"] for name in OF_STREAMLIT if name)
        ]


# Before anything of a page: `runs` of the server that it has seen end.
COUNTED = """
window.runs = 0;
new MutationObserver(seen => seen.forEach(each => {
  if (each.target.dataset.testScriptState === 'notRunning') window.runs++;
})).observe(document, {attributes: true, subtree: true, attributeFilter: ['data-test-script-state']});
"""
SETTLED = """() => {
  const app = document.querySelector('.stApp'), now = performance.now();
  const busy = !app || app.dataset.testScriptState !== 'notRunning' || document.querySelector('.stProgress')
    || document.querySelector('[data-stale="true"]') || !document.querySelector('.stPageLink');
  if (busy) { window.quietSince = undefined; return false; }
  window.quietSince ??= now;
  return now - window.quietSince > 300;
}"""


@pytest.fixture
def visitor(chromium: Any, server: Server, own_server: Any) -> Iterator[Callable[..., Visitor]]:
    """Lets people in, each with a browser of their own; at the end, nothing may have gone wrong for any of them. They leave
    before their servers stop."""
    inside: list[Visitor] = []

    def come(to: Server = server, *, width: int = 1280, scheme: str = "light", near: tuple[str, ...] = ()) -> Visitor:
        context = chromium.new_context(
            viewport={"width": width, "height": 1000}, locale="fr-FR", color_scheme=scheme, accept_downloads=True
        )
        context.set_default_timeout(60_000)
        context.add_init_script(COUNTED)
        inside.append(Visitor(context.new_page(), to, near).watch())
        return inside[-1]

    yield come
    for each in inside:
        each.page.context.close()
    assert [wrong for each in inside for wrong in each.wrong] == []
    for to in {id(each.server): each.server for each in inside}.values():
        assert to.outside == ""
        assert "Traceback" not in to.log, to.log

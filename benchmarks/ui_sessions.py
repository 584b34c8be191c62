"""Ten people at once in the front-end: each builds variants of their own; each must see their own figures.

    python benchmarks/ui_sessions.py [--people 10] [--edits 3] [--scenario hectares-2030 --fund "Ce que coûtent les terrains"]

Starts a server, opens one browser page a person (all in this machine's Chromium, whose share of the processors is in the
figures), and prints seconds from the key Enter to the new plan on the screen: median, worst, by how many at once.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import allocator

ROOT = Path(__file__).resolve().parents[1]
PATIENCE = 120_000  # milliseconds


@contextmanager
def served(*kept: allocator.Scenario) -> Iterator[tuple[str, int]]:
    """Address and process of a server of this run alone, in whose store these scenarios are."""
    with tempfile.TemporaryDirectory(prefix="ui-sessions-") as folder, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
        free.close()
        store = str(Path(folder) / "store.sqlite")
        with allocator.Store(store) as made:
            for scenario in kept:
                made.save_scenario(scenario)
        environment = os.environ | {"ALLOCATOR_STORE": store, "ALLOCATOR_LANG": "fr"}
        command = [sys.executable, "-m", "streamlit", "run", str(ROOT / "ui" / "streamlit_app.py")]
        command += ["--server.port", str(port), "--server.headless", "true"]
        running = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            for _ in range(300):
                try:
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=1).close()
                    break
                except OSError:
                    time.sleep(0.2)
            yield f"http://127.0.0.1:{port}", running.pid
        finally:
            running.terminate()
            running.wait(30)


def processor(process: int) -> float:
    """Seconds of processor that a process has had (Linux; elsewhere nan)."""
    said = Path(f"/proc/{process}/stat")
    if not said.exists():
        return float("nan")
    user, system = said.read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


async def person(page: Any, address: str, args: argparse.Namespace, rank: int, start: asyncio.Barrier) -> list[float]:
    """Seconds of each edit; `AssertionError` where the screen shows anything but this person's own."""
    await page.goto(f"{address}/construire?s=leviers,{args.scenario}&b={args.scenario}", timeout=PATIENCE)
    field = page.get_by_label(args.fund, exact=True)
    await field.wait_for(timeout=PATIENCE)
    seconds = []
    for edit in range(args.edits):
        await start.wait()
        billions = 10 + rank + 100 * edit
        began = time.perf_counter()
        await field.fill(f"{billions} Md€")
        await field.press("Enter")
        await page.locator("ul.plain").filter(has_text=f"à {billions}\u00a0Md€").wait_for(timeout=PATIENCE)
        await page.locator(".card").nth(1).wait_for(timeout=PATIENCE)
        await page.wait_for_function(
            "() => !document.querySelector('.stProgress, [data-stale=\"true\"]')", timeout=PATIENCE, polling=50
        )
        seconds.append(time.perf_counter() - began)
        shown = (await field.input_value()).replace("\u202f", "")
        assert shown == f"{billions}000000000\u00a0€", f"person {rank} sees {shown}"
    return seconds


async def together(address: str, people: int, args: argparse.Namespace) -> list[float]:
    from playwright.async_api import async_playwright

    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        pages = [await (await browser.new_context(locale="fr-FR")).new_page() for _ in range(people)]
        start = asyncio.Barrier(people)
        found = await asyncio.gather(*(person(page, address, args, rank, start) for rank, page in enumerate(pages)))
        await browser.close()
    return [each for some in found for each in some]


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--people", type=int, default=10)
    asked.add_argument("--edits", type=int, default=3)
    asked.add_argument("--scenario", default="hectares-2030")
    asked.add_argument("--fund", default="Ce que coûtent les terrains")
    args = asked.parse_args()
    for people in (1, args.people):
        with served() as (address, process):
            seconds = asyncio.run(together(address, people, args))
            worked = processor(process)
            memory = Path(f"/proc/{process}/status")
            held = memory.read_text().partition("VmHWM:")[2].split()[0] if memory.exists() else "0"
        print(
            f"{people} at once, {args.edits} edits each: median {statistics.median(seconds):.2f} s, "
            f"worst {max(seconds):.2f} s, all their own; the server held {int(held) // 1024} MB at most "
            f"and worked {worked:.1f} s in all"
        )


if __name__ == "__main__":
    main()

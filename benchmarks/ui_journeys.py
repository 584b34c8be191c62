"""From a click to the new plan on the screen: an envelope, a rule, a weight; built-in scenarios and 2 700 demands.

    python benchmarks/ui_journeys.py [--clicks 20] [--scenarios rebond-urgence propositions-2025 generated]

One reader in this machine's Chromium, one server. A click is over when the plan and all that it moved are drawn. Prints
median and worst of each journey, and whether each plan was proved within its gap.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any

from generator import scenario as generated
from ui_sessions import PATIENCE, served

import allocator

SETTLED = "() => !document.querySelector('.stProgress, [data-stale=\"true\"]') && document.querySelectorAll('.card').length > 1"
Click = Callable[[Any], None]


def envelope(page: Any, scenario: allocator.Scenario) -> Iterator[Click]:
    """The first fund, a little more each time."""
    fund = scenario.funds[0]
    held = fund.amount or next(iter((fund.amounts or {}).values()))
    field = page.locator("[data-testid=stTextInput] input").first
    for k in range(1, 10**6):
        amount = f"{(held + k * held // 1000) / 100:.2f}".replace(".", ",")

        def click(page: Any, amount: str = amount) -> None:
            field.fill(amount)
            field.press("Enter")

        yield click


def rule(page: Any, scenario: allocator.Scenario) -> Iterator[Click]:
    """Rules switched off one after another, then on again: never all of them on."""
    page.get_by_role("radio", name="Règles").click(force=True)
    page.locator("[data-testid=stCheckbox]").first.wait_for(timeout=PATIENCE)
    count = len(scenario.constraints)
    order = [
        k for k, one in enumerate(scenario.constraints) if one.enabled and one.kind in ("ceiling", "count", "share")
    ]
    for k in cycle((order or list(range(count)))[:4]):

        def click(page: Any, k: int = k) -> None:
            page.locator("[data-testid=stCheckbox] label").nth(k).click()

        yield click


def weight(page: Any, scenario: allocator.Scenario) -> Iterator[Click]:
    """What the first indicator counts."""
    page.get_by_role("radio", name="Ce qui compte").click(force=True)
    page.get_by_text("Combien de points").wait_for(timeout=PATIENCE)
    field = page.locator("[data-testid=stTextInput] input").first
    for k in range(1, 10**6):

        def click(page: Any, k: int = k) -> None:
            field.fill(f"1,{k:02d}")
            field.press("Enter")

        yield click


JOURNEYS = {"envelope": envelope, "rule": rule, "weight": weight}


def timed(page: Any, address: str, ref: str, scenario: allocator.Scenario, journey: str, clicks: int) -> list[float]:
    """Seconds of each click."""
    page.goto(f"{address}/construire?s={ref}&b={ref}&v={ref}", timeout=PATIENCE)
    page.get_by_text("Rien n'a encore été changé").wait_for(timeout=PATIENCE)
    page.wait_for_function("() => !document.querySelector('.stProgress, [data-stale=\"true\"]')", timeout=PATIENCE)
    seconds = []
    for click, _ in zip(JOURNEYS[journey](page, scenario), range(clicks), strict=False):
        before = page.url
        began = time.perf_counter()
        click(page)
        page.wait_for_function("before => location.href !== before", arg=before, timeout=PATIENCE, polling=20)
        page.wait_for_function(SETTLED, timeout=PATIENCE, polling=20)
        seconds.append(time.perf_counter() - began)
        page.wait_for_timeout(300)
    return seconds


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--clicks", type=int, default=20)
    asked.add_argument("--scenarios", nargs="+", default=["rebond-urgence", "propositions-2025", "generated"])
    asked.add_argument("--journeys", nargs="+", choices=JOURNEYS, default=list(JOURNEYS))
    args = asked.parse_args()
    from playwright.sync_api import sync_playwright

    large = generated(2_700, 5, 3, "purses", whole=0.5, seed=1)
    with served(large) as (address, _), sync_playwright() as play:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in args.scenarios:
            scenario = large if name == "generated" else allocator.load(name)
            ref = large.input_hash[:16] if name == "generated" else name
            for journey in args.journeys:
                page = browser.new_context(locale="fr-FR").new_page()
                seconds = timed(page, address, ref, scenario, journey, args.clicks)
                proved = page.get_by_text("un meilleur plan peut exister").count() == 0
                print(
                    f"{name} ({len(scenario.demands)} demands), {journey}: median {statistics.median(seconds):.2f} s, "
                    f"worst {max(seconds):.2f} s of {len(seconds)}; last plan {'proved' if proved else 'not proved'}",
                    flush=True,
                )
                page.context.close()
        browser.close()


if __name__ == "__main__":
    main()

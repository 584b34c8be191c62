"""Pictures of every screen for docs/ui/, from a server of their own: wide and light, narrow and dark.

    python scripts/screens.py [--scenarios statu-quo,propositions-2025] [--out docs/ui]
"""

from __future__ import annotations

import argparse
import shutil
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

from ui_sessions import served  # noqa: E402

PATIENCE = 180_000  # milliseconds
SCREENS = {  # address, and what is done there before the picture
    "territoire": ("", ()),
    "france": ("france", ()),
    "carte": ("france", ("Carte, gagnants et perdants",)),
    "flux": ("france", ("Des fonds aux régions",)),
    "construire": ("construire", ("+10\u00a0%",)),
    "regles": ("construire", ("Règles",)),
    "expliquer": ("expliquer", ()),
    "arbitrer": ("arbitrer", ()),
    "exporter": ("exporter", ()),
    "scenarios": ("scenarios", ()),
}
SETTLED = "() => !document.querySelector('.stProgress, .stSpinner, [data-stale=\"true\"]')"


def taken(browser: Any, address: str, scenarios: str, name: str, wide: bool, folder: Path) -> Path:
    """One picture."""
    where, presses = SCREENS[name]
    context = browser.new_context(
        viewport={"width": 1280 if wide else 390, "height": 900}, locale="fr-FR",
        color_scheme="light" if wide else "dark",
    )  # fmt: skip
    page = context.new_page()
    page.goto(f"{address}/{where}?s={scenarios}&t=departement:38", timeout=PATIENCE)
    page.get_by_role("heading", level=2).first.wait_for(timeout=PATIENCE)
    settle(page)
    for press in presses:
        button = page.get_by_role("button", name=press, exact=True)
        (button if button.count() else page.get_by_text(press, exact=True)).first.click()
        settle(page)
    path = folder / f"{name}{'' if wide else '-390'}.png"
    page.screenshot(path=path)
    context.close()
    return path


def settle(page: Any) -> None:
    page.wait_for_timeout(1500)
    page.wait_for_function(SETTLED, timeout=PATIENCE)
    page.wait_for_timeout(500)


def main() -> None:
    asked = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    asked.add_argument("--scenarios", default="statu-quo,propositions-2025")
    asked.add_argument("--screens", nargs="+", choices=SCREENS, default=list(SCREENS))
    asked.add_argument("--out", type=Path, default=ROOT / "docs" / "ui")
    args = asked.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    from playwright.sync_api import sync_playwright

    with served() as (address, _), sync_playwright() as play:
        chromium = shutil.which("chromium") or shutil.which("chromium-browser")
        browser = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        for name in args.screens:
            for wide in (True, False):
                print(taken(browser, address, args.scenarios, name, wide, args.out), flush=True)
        browser.close()


if __name__ == "__main__":
    main()

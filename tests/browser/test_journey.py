"""Journeys in a real Chromium: what a visitor does from end to end. Whatever goes wrong on the way fails (conftest)."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("playwright", reason="drives the browser: pip install '.[dev]'")

from playwright.sync_api import expect

FAST = "s=statu-quo,rebond-urgence"  # both solved in about a second
PLOTS = "Ce que coûtent les terrains"  # the fund of hectares-2030, 20 Md€, of which a plan needs 7.22


def test_my_territory_then_france(visitor: Callable[..., Any]) -> None:
    here = visitor()
    page = here.page
    page.goto(here.server.address)  # it answers while plans are being made
    expect(page.get_by_text("Calcul en cours")).to_be_visible()
    here.goes(f"?{FAST}")
    expect(page.locator("html")).to_have_attribute("lang", "fr")

    # by the keyboard, without accents
    page.get_by_label("Chercher").first.focus()
    page.keyboard.type("ca de bethune bruay")
    expect(page.get_by_role("option").first).to_contain_text("Béthune-Bruay")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Béthune-Bruay", exact=False).first).to_be_visible()
    here.waits()
    expect(page.locator(".card .figure").first).to_have_text(re.compile(r"^[0-9,]+\u00a0(k|M)€$"))
    expect(page.locator("[role=graphics-document]").first).to_have_attribute("aria-label", re.compile("tableau"))
    assert "t=territory%3A200072460" in page.url
    assert here.accessible() == []

    here.opens("La France entière")
    page.get_by_text("Carte, gagnants et perdants", exact=True).click()
    regions = page.locator(".stVegaLiteChart .mark-shape path")
    expect(regions).to_have_count(18 + 5)  # the régions, the frames around overseas
    page.get_by_text("Intercommunalités", exact=True).first.click()
    expect(regions).to_have_count(1255 + 5)

    here.opens("Scénarios et preuves")
    page.get_by_text("D'où viennent les montants").first.click()
    expect(page.get_by_role("cell", name=re.compile("^Note, proposition 23")).first).to_be_visible()
    here.waits()
    assert here.accessible() == []

    # English, which keeps what was chosen
    page.get_by_role("radio", name="English").click()
    expect(page.get_by_role("heading", name="Scenarios and proofs")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "t=territory%3A200072460" in page.url and "l=en" in page.url
    here.opens("My territory")
    expect(page.get_by_role("heading", name="Béthune-Bruay", exact=False).first).to_be_visible()


def test_build_break_repair_compare_export(
    visitor: Callable[..., Any], own_server: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who opens the link sees the same, although the server was started anew."""
    server = own_server()
    here = visitor(server)
    page = here.page
    here.goes("construire?s=leviers,hectares-2030")
    amount(here, "10 Md€")
    expect(page.locator(".card")).to_have_count(2)
    first = page.url
    amount(here, "5 Md€")
    expect(page.get_by_text("Impossible").first).to_be_visible()
    assert here.accessible() == []

    # back and forward are steps, and an address that says nothing new is none
    here.moves(page.go_back)
    assert page.url == first
    expect(page.get_by_label(PLOTS)).to_have_value("10\u202f000\u202f000\u202f000\u00a0€")
    here.moves(page.go_forward)
    expect(page.get_by_text("Impossible").first).to_be_visible()

    here.moves(page.get_by_role("button", name=re.compile(f"^Porter « {PLOTS} »")).first.click)
    expect(page.get_by_text("Impossible")).to_have_count(0)
    expect(page.get_by_label(PLOTS)).to_have_value(re.compile("^7\u202f2[0-9]{2}"))

    page.get_by_label("Nom de la variante").fill("Terrains <b>au plus juste</b> & _vite_")
    here.moves(page.get_by_role("button", name="Enregistrer et comparer").click)
    here.opens("La France entière")
    expect(page.locator(".card .plan").nth(1)).to_have_text("Terrains <b>au plus juste</b> & _vite_")
    figures = page.locator(".card .figure").all_text_contents()
    link = page.url

    here.opens("Exporter")
    with page.expect_download() as got:
        page.get_by_role("button", name="Télécharger le plan (zip)").click()
    with zipfile.ZipFile(io.BytesIO(got.value.path().read_bytes())) as archive:
        assert archive.testzip() is None
        assert {"note.pdf", "plan.xlsx", "grants.csv", "scenario.xlsx"} <= set(archive.namelist())

    page.goto("about:blank")
    server.stop()
    server.start()
    other = visitor(server, width=390)
    other.page.goto(link)
    other.waits()
    assert other.page.locator(".card .figure").all_text_contents() == figures


def amount(here: Any, said: str) -> None:
    """Write what the fund holds, and wait for the plan."""
    field = here.page.get_by_label(PLOTS)
    field.fill(said)
    here.moves(lambda: field.press("Enter"))


def test_ten_people_at_once_each_see_their_own(visitor: Callable[..., Any]) -> None:
    """Each builds another variant of the same scenario; nobody is shown another's."""
    people = [visitor() for _ in range(10)]
    for here in people:
        here.page.goto(f"{here.server.address}/construire?s=leviers,hectares-2030")
    for here in people:
        here.waits()
    for k, here in enumerate(people):
        field = here.page.get_by_label(PLOTS)
        field.fill(f"{10 + k} Md€")
        field.press("Enter")
    for k, here in enumerate(people):
        expect(here.page.locator("ul.plain")).to_contain_text(f"de 20\u00a0Md€ à {10 + k}\u00a0Md€")
        here.waits()
        expect(here.page.get_by_label(PLOTS)).to_have_value(f"{10 + k}\u202f000\u202f000\u202f000\u00a0€")
        expect(here.page.locator(".card")).to_have_count(2)
    assert len({here.page.url for here in people}) == len(people)


def test_on_paper(visitor: Callable[..., Any]) -> None:
    """Black on white in the dark too, without what is there to be pressed, over several pages."""
    from pypdf import PdfReader

    here = visitor(scheme="dark").goes(f"france?{FAST}")
    page = here.page
    expect(page.locator(".stVegaLiteChart svg").first).to_be_visible()
    pages = PdfReader(io.BytesIO(page.pdf(format="A4"))).pages
    assert len(pages) > 1 and "15\u202f644\u202f000\u202f000" in "".join(each.extract_text() for each in pages)
    page.emulate_media(media="print")
    for gone in (".stButtonGroup", ".stMultiSelect", ".stDownloadButton", ".stPageLink"):
        expect(page.locator(gone).first).to_be_hidden()
    for kept in (".card", ".scroll table", ".stVegaLiteChart svg"):
        expect(page.locator(kept).first).to_be_visible()
    colours = "e => [getComputedStyle(e).color, getComputedStyle(document.body).backgroundColor]"
    assert page.locator(".scroll td").first.evaluate(colours) == ["rgb(30, 39, 48)", "rgb(255, 255, 255)"]


def test_the_keyboard_shows_where_it_is(visitor: Callable[..., Any]) -> None:
    page = visitor().goes(f"?{FAST}").page
    for _ in range(12):
        page.keyboard.press("Tab")
        told = page.evaluate(
            "() => { const s = getComputedStyle(document.activeElement);"
            " return [document.activeElement.tagName, s.outlineStyle, s.outlineWidth, s.boxShadow]; }"
        )
        assert told[1:3] == ["solid", "2px"], told

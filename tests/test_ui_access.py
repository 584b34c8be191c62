"""Who may do what: on one's own machine, in an office, and what a screen says to who may not."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

import allocator

if os.environ.get("CI") != "true":  # there it must be installed
    pytest.importorskip("streamlit", reason="the front-end is an extra: pip install '.[ui]'")

import streamlit as st
from streamlit.testing.v1 import AppTest

from ui import access
from ui.access import Visitor

APP = str(Path(__file__).resolve().parents[1] / "ui" / "streamlit_app.py")
OFFICE = """
signed_in = "read"
[people]
"Budget@Region.example" = "decide"
"paul@region.example" = "read"
"*@region.example" = "edit"
[claims.groups]
budget = "decide"
"""


@pytest.fixture
def office(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A server with roles; nobody has signed in."""
    place = tmp_path / "roles.toml"
    place.write_text(OFFICE)
    monkeypatch.setenv(access.VARIABLE, str(place))
    return place


def signed_in(monkeypatch: pytest.MonkeyPatch, **claims: Any) -> None:
    monkeypatch.setattr(access, "_claims", lambda: claims or None)


@pytest.mark.parametrize(
    ("claims", "role"),
    [
        ({"email": "budget@region.example"}, "decide"),
        ({"email": " BUDGET@region.EXAMPLE "}, "decide"),
        ({"email": "luc@region.example"}, "edit"),
        ({"email": "paul@region.example", "groups": ["budget"]}, "read"),  # a person's own line comes first
        ({"email": "luc@region.example", "groups": ["sport", "budget"]}, "decide"),
        ({"email": "ida@elsewhere.example", "groups": "budget"}, "decide"),
        ({"email": "ida@elsewhere.example"}, "read"),
        ({"email": "budget@region.example", "email_verified": False}, "read"),
        ({"email": "'@region.example'@elsewhere.example"}, "read"),
        ({"email": "budget@region.example.elsewhere.example"}, "read"),
        ({"sub": "42"}, "read"),
        ({"email": ["budget@region.example"]}, "read"),
        (None, ""),
    ],
)
def test_roles_of_an_office(monkeypatch: pytest.MonkeyPatch, office: Path, claims: Any, role: str) -> None:
    monkeypatch.setattr(access, "_claims", lambda: claims)
    assert access.visitor().role == role


def test_each_role_may_what_the_lower_ones_may() -> None:
    allowed = {role: [asked for asked in access.ROLES if Visitor("", role).may(asked)] for role in ("", *access.ROLES)}
    assert allowed == {"": [], "read": ["read"], "edit": ["read", "edit"], "decide": ["read", "edit", "decide"]}


def test_the_file_is_read_again_once_changed(monkeypatch: pytest.MonkeyPatch, office: Path) -> None:
    signed_in(monkeypatch, email="ida@elsewhere.example")
    assert access.visitor().role == "read"
    office.write_text(OFFICE.replace('signed_in = "read"', ""))
    os.utime(office, ns=(1, 1))
    assert access.visitor() == Visitor("ida@elsewhere.example", "")


def test_a_file_that_cannot_be_read_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, office: Path, caplog: pytest.LogCaptureFixture
) -> None:
    signed_in(monkeypatch, email="budget@region.example")
    office.write_text('anione = "read"\n[people]\n"a@b.example" = "write"\n[claims]\ngroups = "edit"\n')
    os.utime(office, ns=(2, 2))
    with pytest.raises(allocator.ScenarioError, match="illisibles"):
        access.visitor()
    for said in ("clé inconnue « anione »", "people.a@b.example : valeur inconnue « write »", "claims.groups"):
        assert said in caplog.text
    for wrong in ("anyone = ", "\xff"):
        office.write_bytes(wrong.encode("latin-1"))
        os.utime(office, ns=(3, len(wrong)))
        with pytest.raises(allocator.ScenarioError, match="illisibles"):
            access.visitor()
    office.unlink()
    with pytest.raises(allocator.ScenarioError, match="illisibles"):
        access.visitor()


@pytest.mark.parametrize(
    ("address", "role"),
    [("127.0.0.1", "decide"), ("localhost", "decide"), ("::1", "decide"), ("0.0.0.0", "read"), ("", "read"),
     ("10.1.2.3", "read"), ("allocator.region.example", "read")],
)  # fmt: skip
def test_without_roles_only_ones_own_machine_decides(monkeypatch: pytest.MonkeyPatch, address: str, role: str) -> None:
    monkeypatch.delenv(access.VARIABLE, raising=False)
    monkeypatch.setattr(st, "get_option", lambda name: {"server.address": address, "secrets.files": []}[name])
    assert access.visitor() == Visitor("", role)


def test_sign_in_without_roles_is_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(access.VARIABLE, raising=False)
    monkeypatch.setattr(access, "asks_to_sign_in", lambda: True)
    signed_in(monkeypatch)
    assert access.visitor() == Visitor("", "")
    signed_in(monkeypatch, email="a@b.example")
    assert access.visitor() == Visitor("a@b.example", "read")


def test_secrets_that_cannot_be_read_make_nobody_the_owner(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They may ask to sign in: who comes by a proxy comes from this machine."""
    monkeypatch.delenv(access.VARIABLE, raising=False)
    file = tmp_path / "secrets.toml"
    kept = st.get_option("secrets.files")
    st.config.set_option("secrets.files", [str(file)])
    try:
        assert access.visitor().role == "decide"
        file.write_text('[auth]\nclient_secret = "loin')
        with pytest.raises(allocator.ScenarioError, match="connexion de ce serveur est illisible"):
            access.visitor()
        assert access.closed()
    finally:
        st.config.set_option("secrets.files", kept)
        st.secrets._reset()


def test_who_is_shut_out_sees_no_more_of_what_is_computed(monkeypatch: pytest.MonkeyPatch, office: Path) -> None:
    """A part of a screen that draws itself again does so without the whole, which asks for the role."""
    from ui import waiting
    from ui.work import Workshop

    class Whole(Exception):
        """The whole screen is drawn."""

    def rerun() -> None:
        raise Whole

    def progress(*_: Any, **__: Any) -> None:
        raise AssertionError("shown")

    monkeypatch.setattr(st, "rerun", rerun)
    monkeypatch.setattr(st, "progress", progress)
    signed_in(monkeypatch, email="paul@region.example")
    office.write_text("")
    os.utime(office, ns=(6, 6))
    job = Workshop(0).ask(("a",), lambda _: None)
    with pytest.raises(Whole):
        waiting._wait({"a": lambda: job}, str, "fr", waiting.STOP, None)


def said(at: AppTest) -> str:
    kinds = ("title", "header", "caption", "markdown", "info", "error", "warning")
    shown = [element.value for kind in kinds for element in at.get(kind)]
    return "\n".join([*shown, *(element.proto.body for element in at.get("html"))])


def opened() -> AppTest:
    at = AppTest.from_file(APP, default_timeout=60)
    at.query_params["s"] = "statu-quo"  # nothing to be solved
    return at.run()


def test_who_may_not_read_is_told_whom_to_ask(monkeypatch: pytest.MonkeyPatch, office: Path) -> None:
    office.write_text("")
    os.utime(office, ns=(4, 4))
    signed_in(monkeypatch, email="ida<b>@elsewhere.example")
    at = opened()
    assert not at.exception
    assert "n&#x27;a pas accès à ce serveur" in said(at) and "ida&lt;b&gt;@elsewhere.example" in said(at)
    assert not at.get("page_link")
    assert [button.label for button in at.button] == ["Se déconnecter"]


def test_the_way_in(monkeypatch: pytest.MonkeyPatch, office: Path) -> None:
    monkeypatch.setattr(access, "asks_to_sign_in", lambda: True)
    signed_in(monkeypatch)
    at = opened()
    assert [button.label for button in at.button] == ["Se connecter"] and not at.get("page_link")
    monkeypatch.setattr(access, "can_sign_in", lambda: False)
    assert "signin" in opened().error[0].value


def test_roles_that_cannot_be_read_close_the_door(monkeypatch: pytest.MonkeyPatch, office: Path, caplog: Any) -> None:
    office.write_text("signed_in = 3")
    os.utime(office, ns=(5, 5))
    at = opened()
    assert "illisibles" in at.error[0].value and not at.get("page_link")
    assert "region.example" not in said(at)


def test_a_reader_is_told_and_cannot_build(monkeypatch: pytest.MonkeyPatch, office: Path) -> None:
    from ui import visit

    signed_in(monkeypatch, email="paul@region.example")
    at = opened()
    assert "Lecture seule" in said(at) and "paul@region.example" in said(at)
    with pytest.raises(allocator.ScenarioError, match="pas le droit de modifier"):
        visit.build("statu-quo", allocator.load("statu-quo"))
    signed_in(monkeypatch, email="luc@region.example")
    assert "Lecture seule" not in said(opened())
    assert access.require("edit").who == "luc@region.example"
    with pytest.raises(allocator.ScenarioError, match="pas le droit de décider"):
        access.require("decide")

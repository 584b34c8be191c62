"""Who may do what: read, edit (build and save too), decide (write decisions too).

On one's own machine everyone decides. An office names people in a file, `ALLOCATOR_ROLES` (docs/frontend.md):

    anyone = "read"              # without signing in; left out: nobody
    signed_in = "read"           # whoever has, and is not named below; left out: as anyone
    [people]                     # by e-mail, or by its domain
    "budget@region.example" = "decide"
    "*@region.example" = "edit"
    [claims.groups]              # by what the identity provider says of them, a text or a list
    budget = "decide"

Screens ask `visitor()`, and say calmly what is not allowed; the store refuses, whatever a screen does.
"""

from __future__ import annotations

import ipaddress
import json
import logging
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import streamlit as st
from pydantic import BaseModel, ValidationError

import allocator
from allocator.problems import Problem, findings
from allocator.store.roles import Role
from allocator.texts import Text

ROLES: dict[Role, Text] = {
    "read": Text("lire", "read"),
    "edit": Text("modifier et enregistrer", "edit and save"),
    "decide": Text("décider", "decide"),
}
VARIABLE = "ALLOCATOR_ROLES"
_LOG = Text("Son journal dit pourquoi.", "Its log says why.")
_RANK = {role: rank for rank, role in enumerate(["", *ROLES])}


@dataclass(frozen=True)
class Visitor:
    """`name`: the e-mail of who has signed in, else ""; `role`: one of `ROLES`, or "" for who may not even read."""

    name: str
    role: Role | Literal[""]

    def may(self, role: Role) -> bool:
        return _RANK[self.role] >= _RANK[role]

    @property
    def who(self) -> str | None:
        """As `who` of `Store.save`."""
        return self.name or None


class Roles(BaseModel, frozen=True, extra="forbid"):
    """What the file says."""

    anyone: Role | None = None
    signed_in: Role | None = None
    people: dict[str, Role] = {}
    claims: dict[str, dict[str, Role]] = {}

    def of(self, claims: Mapping[str, Any] | None) -> Visitor:
        """Of who has signed in as these claims say; None: nobody has. A person's own line comes first, then the highest
        role of their domain and claims."""
        if claims is None:
            return Visitor("", self.anyone or "")
        people = {name.strip().lower(): role for name, role in self.people.items()}
        known = "" if claims.get("email_verified") is False else str(claims.get("email") or "").strip().lower()
        name = known or str(claims.get("preferred_username") or claims.get("sub") or "?")
        if known in people:
            return Visitor(name, people[known])
        found = [people.get("*@" + known.rpartition("@")[2])]
        for claim, roles in self.claims.items():
            said = claims.get(claim)
            found += [roles.get(str(each)) for each in (said if isinstance(said, list | tuple) else [said])]
        held = [role for role in found if role is not None]
        return Visitor(name, max(held, key=_RANK.__getitem__) if held else self.signed_in or self.anyone or "")


def visitor() -> Visitor:
    """Of this session. `ScenarioError` where the file of roles, or what asks to sign in, cannot be read: then nobody may do
    anything."""
    place = os.environ.get(VARIABLE, "").strip()
    if place:
        return _read(place).of(_claims())
    if asks_to_sign_in():  # then whoever has may read
        return Roles(signed_in="read").of(_claims())
    if any(Path(file).exists() for file in st.get_option("secrets.files")) and not st.secrets.load_if_toml_exists():
        text = Text("la connexion de ce serveur est illisible", "this server's sign-in cannot be read")
        raise allocator.ScenarioError([Problem("", text, _LOG)])  # it may ask to sign in: nobody is taken for its owner
    return Visitor("", "decide" if _on_loopback() else "read")


def require(role: Role) -> Visitor:
    """The visitor, who may do this; `ScenarioError` otherwise."""
    here = visitor()
    if not here.may(role):
        text = Text(f"vous n'avez pas le droit de {ROLES[role].fr}", f"you are not allowed to {ROLES[role].en}")
        remedy = Text("Demandez-le à qui tient ce serveur.", "Ask whoever runs this server.")
        raise allocator.ScenarioError([Problem("", text, remedy)])
    return here


def asks_to_sign_in() -> bool:
    """Whether this server knows an identity provider: a section [auth] in its secrets."""
    return "is_logged_in" in st.user


def can_sign_in() -> bool:
    """Whether the library that it takes is installed."""
    return find_spec("authlib") is not None


def sign_out() -> None:
    """End this login in every tab that shares it: Streamlit only has this browser forget the cookie, which the sessions of
    other tabs have read, and which holds wherever it was copied. Kept until the server stops."""
    _over.add(_login(st.user.to_dict()))
    st.logout()


def closed() -> bool:
    """Whether this session may not even read: for what is drawn again without the whole screen."""
    try:
        return not visitor().may("read")
    except allocator.ScenarioError:
        return True


def _claims() -> Mapping[str, Any] | None:
    if not asks_to_sign_in() or not st.user.is_logged_in:
        return None
    claims = st.user.to_dict()
    return None if _login(claims) in _over else claims


_over: set[str] = set()  # logins that were signed out of


def _login(claims: Mapping[str, Any]) -> str:
    """Of one login: the provider dates what it says of a person."""
    return sha256(json.dumps(claims, sort_keys=True, default=str).encode()).hexdigest()


def _on_loopback() -> bool:
    """Whether nobody else reaches this server. Its settings, beside streamlit_app.py, give an address; without them nothing
    is served (tests)."""
    address = st.get_option("server.address")
    try:
        return address in (None, "localhost") or ipaddress.ip_address(str(address)).is_loopback
    except ValueError:
        return False


def _read(place: str) -> Roles:
    try:
        return _parsed(place, Path(place).stat().st_mtime_ns)
    except OSError as error:
        logging.getLogger(__name__).error("%s: %s", VARIABLE, error)
    except allocator.ScenarioError as error:
        logging.getLogger(__name__).error("%s:\n%s", VARIABLE, error.text())
    text = Text("les rôles de ce serveur sont illisibles", "this server's roles cannot be read")
    raise allocator.ScenarioError([Problem("", text, _LOG)])


@lru_cache(maxsize=2)
def _parsed(place: str, _: int) -> Roles:
    """Read again once the file has changed. `ScenarioError` says all that is wrong."""
    try:
        return Roles.model_validate(tomllib.loads(Path(place).read_text(encoding="utf-8")))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        text = Text(f"ce fichier n'est pas du TOML ({error})", f"this file is no TOML ({error})")
        raise allocator.ScenarioError([Problem("", text, None, place)]) from None
    except ValidationError as error:
        found = findings(error, Roles)
        raise allocator.ScenarioError(
            [Problem(".".join(map(str, each.path)), each.message, each.remedy, place) for each in found]
        ) from None

"""The front-end: `streamlit run ui/streamlit_app.py`. Router, language, and what every screen has at its top."""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit import net_util

ROOT = str(Path(__file__).resolve().parents[1])
if ROOT not in sys.path:  # streamlit puts this folder there, not the one that holds `ui`
    sys.path.insert(0, ROOT)

from allocator.problems import ScenarioError  # noqa: E402
from allocator.texts import LANGUAGES, Text, set_language  # noqa: E402
from ui import access, visit  # noqa: E402
from ui.access import Visitor  # noqa: E402
from ui.cards import note  # noqa: E402
from ui.collection import collection  # noqa: E402
from ui.screens import SCREENS  # noqa: E402
from ui.texts import listed  # noqa: E402

STYLE = Path(__file__).with_name("style.css")
# To a page of a stranger that asks for a WebSocket, Streamlit would compare this machine's addresses, and ask the outside for
# them. Only those that the settings name count.
net_util._internal_ip = net_util._external_ip = "127.0.0.1"
ICON = str(Path(__file__).with_name("icon.svg"))  # a named icon would be fetched from outside


def main() -> None:
    lang = visit.begin().lang
    set_language(lang)
    title = Text("Répartir des fonds publics", "Sharing out public funds")
    st.set_page_config(page_title=str(title), page_icon=ICON, layout="wide")
    st.html(STYLE)
    st.html(f'<script>document.documentElement.lang = "{lang}"</script>', unsafe_allow_javascript=True)
    pages = [_page(*screen, first=rank == 0) for rank, screen in enumerate(SCREENS)]
    st.session_state[visit.PAGES] = {
        page.url_path or screen[2]: page for screen, page in zip(SCREENS, pages, strict=True)
    }
    page = st.navigation(pages, position="hidden")  # Streamlit's own menu hides behind a sign on a phone
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    with head.container(width="content"):
        st.title(str(title))
    with head.container(width="content", horizontal=True, vertical_alignment="center"):
        visitor = _visitor()
        _language(lang)
    if not visitor.role:
        _closed(visitor)
        return
    links = st.container(horizontal=True, gap="small")
    for each in pages:
        links.page_link(each, width="content", query_params=visit.current().address)
    if not visitor.may("edit"):
        note(Text("Lecture seule : vous pouvez tout voir, non modifier.", "Read only: you may see all, not change it."))
    if (failure := collection().failure) is not None:
        st.warning(str(failure))
    try:
        page.run()
    except ScenarioError as error:  # of an address: what it names is not here
        st.error(listed(error))
    except Exception:  # no traceback on a screen: the server's log has it
        logging.getLogger(__name__).exception("screen %s", page.url_path)
        st.error(str(Text(
            "Cet écran n'a pas pu être affiché. L'erreur est dans le journal du serveur.",
            "This screen could not be shown. The error is in the server's log.",
        )))  # fmt: skip


def _page(show: Callable[[], None], title: Text, path: str, icon: str, first: bool) -> Any:
    return st.Page(show, title=str(title), url_path=path, icon=icon, default=first)


def _visitor() -> Visitor:
    """Who is here, and the way out for who has signed in."""
    try:
        visitor = access.visitor()
    except ScenarioError as error:
        st.error(listed(error))
        return Visitor("", "")
    if visitor.name:
        note(Text(visitor.name, visitor.name))
        st.button(str(Text("Se déconnecter", "Sign out")), on_click=access.sign_out)
    return visitor


def _closed(visitor: Visitor) -> None:
    """For who may not even read: the way in, or whom to ask."""
    if visitor.name:
        note(Text(
            f"Le compte {visitor.name} n'a pas accès à ce serveur. Demandez-le à qui le tient.",
            f"The account {visitor.name} has no access to this server. Ask whoever runs it.",
        ))  # fmt: skip
    elif access.asks_to_sign_in() and access.can_sign_in():
        st.write(str(Text("Connectez-vous pour continuer.", "Sign in to go on.")))
        st.button(str(Text("Se connecter", "Sign in")), type="primary", on_click=st.login)
    elif access.asks_to_sign_in():
        st.error(str(Text(
            'Ce serveur demande une connexion, mais la bibliothèque en manque : pip install ".[signin]"',
            'This server wants people to sign in, but the library is missing: pip install ".[signin]"',
        )))  # fmt: skip


def _language(lang: str) -> None:
    """The switch at the top, on each screen."""
    key = f"lang-{st.session_state['arrivals']}"
    st.segmented_control(
        "Langue / Language", LANGUAGES, format_func=lambda each: {"fr": "Français", "en": "English"}[each],
        default=lang, required=True, key=key, label_visibility="collapsed",
        on_change=lambda: visit.go(lang=st.session_state[key]),
    )  # fmt: skip


main()

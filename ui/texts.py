"""Amounts and numbers as people read them on a screen, in the current language."""

from __future__ import annotations

import math
import re
import unicodedata

from allocator.money import format_euros
from allocator.problems import ScenarioError
from allocator.texts import Text, language

MINUS, NARROW, NO_BREAK = "\u2212", "\u202f", "\u00a0"
NOTHING = "—"


def euros(cents: int, compact: bool = False) -> str:
    """`1 234 567,89 €`; compact: `1,23 M€`."""
    return ("" if cents >= 0 else MINUS) + format_euros(abs(int(cents)), language(), compact)


def signed(cents: int, compact: bool = False) -> str:
    """`+1 234 €`, `−5 €`; what is equal is said in words."""
    if cents == 0:
        return str(Text("inchangé", "unchanged"))
    return ("+" if cents > 0 else "") + euros(cents, compact)


def number(value: float, digits: int = 0) -> str:
    """`1 234 567,8`, in English `1,234,567.8`."""
    shown = f"{abs(value):,.{digits}f}"
    if language() == "fr":
        shown = shown.replace(",", NARROW).replace(".", ",")
    return (MINUS if value < 0 and float(f"{value:.{digits}f}") else "") + shown


def plain_number(value: object) -> str:
    """A number as it is typed, all its digits: `0,2`, in English `0.2`."""
    shown = str(value)
    return shown.replace(".", ",") if language() == "fr" else shown


def each(cents: int, people: int, sign: bool = False) -> str:
    """Euros per inhabitant, to the euro from ten euros up: `12 € par habitant`."""
    if not people:
        return NOTHING
    value = cents / 100 / people
    digits = 0 if abs(value) >= 10 or value == 0 else 2
    shown = number(value, digits)
    plus = "+" if sign and cents > 0 else ""
    if language() == "fr":
        return f"{plus}{shown}{NO_BREAK}€ par habitant"
    minus, shown = (MINUS, shown[1:]) if shown.startswith(MINUS) else ("", shown)
    return f"{plus}{minus}€{shown} per inhabitant"


def percent(share: float, digits: int = 2) -> str:
    """`0,01 %`; what is not zero never reads as zero."""
    if not math.isfinite(share):
        return "∞"
    least = 10.0**-digits
    below = 0 < 100 * share < least
    shown = ("<" + NO_BREAK if below else "") + number(least if below else 100 * share, digits)
    return shown + (NO_BREAK + "%" if language() == "fr" else "%")


def quoted(name: str) -> str:
    return str(Text(f"«{NO_BREAK}{name}{NO_BREAK}»", f"“{name}”"))


def plain(text: str) -> str:
    """A text of users or files, where Markdown is read: its signs mean nothing there."""
    return re.sub(r"[\\`*_\[\]<>$~|#]|:(?=\w)", r"\\\g<0>", text)


def listed(error: ScenarioError) -> str:
    """All that is wrong with an input, as Markdown, a line each."""
    return "\n".join(f"- {plain(problem.text())}" for problem in error.problems)


def slug(text: str) -> str:
    """A name for programs: small letters, figures and hyphens."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return "-".join(re.findall(r"[a-z0-9]+", ascii_only))[:40]


def bare(text: str) -> str:
    """As people type in haste: without accents, capitals, hyphens or apostrophes."""
    flat = unicodedata.normalize("NFKD", text.lower())
    return "".join(" " if c in "-'’" else c for c in flat if not unicodedata.combining(c))

"""How a note says things: cut to a length, euros, numbers, tables; in the current language."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from allocator.money import NO_BREAK, format_euros
from allocator.report.console import number
from allocator.texts import Text, language

NAME, SENTENCE, PARAGRAPH = 70, 260, 420  # characters, beyond which a text is cut short
_LINES = re.compile("[\t\n\v\f\r\x1c-\x1f\x85\u2028\u2029]+")


def cut(text: object, most: int = NAME) -> str:
    """On one line, and not longer than `most`."""
    words = _LINES.sub(" ", str(text)).strip()
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"


def table_of(heads: Sequence[Text], rows: list[list[str]], more: str | None = None, *, left: int = 1, total: list[str] | None = None) -> dict[str, Any]:  # fmt: skip
    found: dict[str, Any] = {"heads": [str(head) for head in heads], "rows": rows, "left": left, "more": more or None}
    return found | ({"total": total} if total else {})


def in_euros(cents: int) -> str:
    return format_euros(cents, language())


def each_euros(euros: float) -> str:
    said = number(euros, 2)
    return str(Text(f"{said}{NO_BREAK}€", f"€{said}"))


def counted(n: int) -> str:
    return number(n)


def quantity(units: float) -> str:
    """With a decimal where it is not whole."""
    return number(units, 0 if abs(units - round(units)) < 1e-6 else 1)


def plural(n: int) -> str:
    return "s" if n > 1 else ""


def first_of(lines: list[str], most: int) -> list[str]:
    if len(lines) <= most:
        return lines
    rest = len(lines) - most
    return [
        *lines[:most],
        str(Text(f"… et {rest} ligne{plural(rest)} de plus.", f"… and {rest} more line{plural(rest)}.")),
    ]

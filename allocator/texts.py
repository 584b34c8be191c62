"""Sentences in French and English, written side by side at the place of use."""

from __future__ import annotations

import os
from contextvars import ContextVar
from typing import NamedTuple

LANGUAGES = ("fr", "en")


def _default_language() -> str:
    wanted = os.environ.get("ALLOCATOR_LANG", "fr")[:2].lower()
    return wanted if wanted in LANGUAGES else "fr"


# A context variable, so that two readers in two threads of one server each keep their language.
_current: ContextVar[str | None] = ContextVar("allocator_language", default=None)


def language() -> str:
    """The current language: the one set, else that of `ALLOCATOR_LANG`, else French."""
    return _current.get() or _default_language()


def set_language(lang: str) -> None:
    """Make `lang` ("fr" or "en") the current language of this thread or task; `ValueError` for another."""
    if lang not in LANGUAGES:
        raise ValueError(Text(f"langue inconnue : {lang} (fr ou en)", f"unknown language: {lang} (fr or en)"))
    _current.set(lang)


class Text(NamedTuple):
    """One sentence in each language. `str(text)` is the one of the current language."""

    fr: str
    en: str

    def in_(self, lang: str | None = None) -> str:
        """The sentence in `lang`; without it, in the current language."""
        return self.en if (lang or language()) == "en" else self.fr

    def __str__(self) -> str:
        return self.in_()

    def __format__(self, spec: str) -> str:
        return format(self.in_(), spec)


def figure(value: float, digits: int = 10) -> Text:
    """A number with at most `digits` significant digits, as each language writes it: 3,5 and 3.5."""
    plain = f"{value:.{digits}g}"
    return Text(plain.replace(".", ","), plain)

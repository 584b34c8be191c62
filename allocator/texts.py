"""Sentences in French and English, written side by side at the place of use."""

from __future__ import annotations

import os
import re
import unicodedata
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


_TURNING = "\u202a-\u202e\u2066-\u2069"  # what follows is read in another direction
# In no text: what steers a terminal, turns around the words beside it, or is half a character. Lines and tabs may be.
UNSHOWN = re.compile(f"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x9b{_TURNING}\ud800-\udfff]")
# In no id, which people compare by eye: these, and whatever cannot be seen.
UNSEEN = re.compile(f"[\x00-\x1f\x7f-\x9f\xad\u200b-\u200f\u2028\u2029\u2060-\u206f\ufeff{_TURNING}\ud800-\udfff]")


def visible(text: str, unseen: re.Pattern[str] = UNSHOWN) -> str:
    """The text with what cannot be shown written out, as `\\u202e`."""
    return unseen.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def composed(text: str) -> str:
    """A text in normal form C of Unicode: é is one letter, however a keyboard or a system wrote it."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)

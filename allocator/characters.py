"""Characters that nobody sees, and letters that can be written in two ways: what makes two names look alike, or a text
read otherwise than it stands.

Source: Unicode Standard Annex 15 (normal forms), Annex 9 (writing direction); "Trojan Source", CVE-2021-42574.
"""

from __future__ import annotations

import re
import unicodedata

from allocator.texts import Text

# Controls but tab and ends of lines; soft hyphen, widths of nothing, marks and overrides of direction, marks of order.
# Joiners (U+200C, U+200D) stay: they are letters' own.
HIDDEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069"
    "\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
REMEDY = Text("Retirez-le (ou recopiez le texte à la main).", "Remove it (or type the text anew).")


def composed(text: str) -> str:
    """A text in normal form C: é is one letter, however a keyboard or a system wrote it."""
    return text if unicodedata.is_normalized("NFC", text) else unicodedata.normalize("NFC", text)


def told(character: str) -> Text:
    """What is wrong with one of `HIDDEN`."""
    name, code = unicodedata.name(character, ""), f"U+{ord(character):04X}"
    said = f"{code}, {name.lower()}" if name else code
    return Text(f"caractère invisible ou de contrôle ({said})", f"invisible or control character ({said})")


def visible(text: str) -> str:
    """A text with each of `HIDDEN` written out as `\\u202e`: a message steers no terminal and turns no words around."""
    return HIDDEN.sub(lambda found: f"\\u{ord(found[0]):04x}", text)

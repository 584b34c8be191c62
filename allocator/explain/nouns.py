"""Nouns in a sentence: as they stand after a number, and after "de". Labels are the scenario's words, in the plural."""

from __future__ import annotations

import re
import unicodedata

from allocator.explain.explanation import shown
from allocator.texts import Text

ASPIRATED = ("hal", "hameau", "handicap", "hangar", "haut", "hausse", "hors", "huit")
"""How nouns begin that take "de" although an h begins them."""

LINKS = {
    "de", "du", "des", "en", "à", "au", "aux", "par", "pour", "sur", "sous", "sans", "hors", "avec", "dont", "dans",
}  # fmt: skip
"""What ends the part of a French label that agrees: hectare(s) de sols nouveaux."""
ENGLISH_LINKS = {"of", "in", "for", "per", "to", "on", "by", "with", "made"}

ALIKE = {
    "acquis", "admis", "compris", "mis", "permis", "pris", "promis", "requis", "soumis", "accès", "avis", "bas",
    "bois", "bras", "cas", "colis", "concours", "corps", "cours", "devis", "divers", "dos", "fois", "fonds",
    "frais", "français", "gras", "gros", "marais", "mauvais", "mois", "palais", "parcours", "pas", "pays", "poids",
    "procès", "progrès", "puits", "refus", "repas", "secours", "succès", "temps", "tiers", "taux", "faux", "chaux",
}  # fmt: skip
"""French words that end alike, one or several."""
OTHERWISE = {
    "travaux": "travail", "baux": "bail", "vitraux": "vitrail", "tuyaux": "tuyau", "noyaux": "noyau", "joyaux": "joyau",
    "lieux": "lieu", "milieux": "milieu", "jeux": "jeu", "enjeux": "enjeu", "feux": "feu", "vœux": "vœu",
}  # fmt: skip


def agreeing(value: float, noun: Text) -> Text:
    """A noun given in the plural as it stands after this number, as it is told: French is singular below two (1,15 emploi,
    0 emploi), English for one alone."""
    size = abs(shown(value))
    return Text(_french(noun.fr) if size < 2 else noun.fr, _english(noun.en) if size == 1 else noun.en)


def of(noun: str) -> str:
    """French "de" before a noun: "d'emplois", "d'hectares", "de friches"."""
    first = unicodedata.normalize("NFD", noun.lower())
    mute = first.startswith("h") and not first.startswith(ASPIRATED)
    return f"d'{noun}" if mute or first[:1] in set("aeiouœæ") else f"de {noun}"


def _french(label: str) -> str:
    """The noun and the adjectives that follow it, up to the first preposition."""
    words = label.split(" ")
    ends = (k for k, word in enumerate(words) if word.lower() in LINKS or re.match(r"d['’]|\(", word.lower()))
    end = next(ends, len(words))
    return " ".join([*(_one(word) for word in words[:end]), *words[end:]])


def _one(word: str) -> str:
    known = word.lower()
    if known in ALIKE:
        return word
    if known in OTHERWISE:
        return OTHERWISE[known]
    if known.endswith("eaux"):
        return word[:-1]
    if known.endswith("aux"):
        return word[:-2] + "l"
    return word[:-1] if known.endswith("s") and not known.endswith("ss") else word


def _english(label: str) -> str:
    words = label.split(" ")
    end = next((k for k, word in enumerate(words) if word.lower() in ENGLISH_LINKS), len(words))
    return " ".join([*(_single(word) for word in words[:end]), *words[end:]])


def _single(word: str) -> str:
    if word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("ches", "shes", "sses", "xes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and not word.endswith(("ss", "us", "is")) else word

"""Many mistakes at once are told as each is alone: none waits for another to be mended, none is made up."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from allocator.scenario import Scenario, ScenarioError

GONE = object()
Path = tuple[str | int, ...]


def parts() -> dict[str, Any]:
    territories = {"id": ["a", "b"], "name": ["A", "B"], "region": ["11", "93"], "departement": ["75", "13"]}
    demands = {
        "id": ["d1", "d2", "d3"], "territory": ["a", "b", "b"], "measure": ["m", "e", "e"], "units": [4, 1, 1],
        "asked": [100, 200, 200], "emplois": [1, 2, 3], "ha": [1, 2, 3], "secteur": ["x", "y", "y"],
    }  # fmt: skip
    return {
        "name": "ensemble", "years": [2026, 2027],
        "funds": [
            {"id": "f", "amount": 1000, "notified": {"11": 10}, "notified_until": 2026, "transfers": {"g": 5}},
            {"id": "g", "amounts": {2026: 100}},
            {"id": "h", "amount": 50, "parent": "f", "returns": {1: "20 %"}, "reference_rate": 0.01},
        ],
        "measures": [{"id": "m", "payment_profile": [0.5, 0.5]}, {"id": "e", "lumpy": True}],
        "territories": pd.DataFrame(territories | {"population": [10, 20]}, dtype=object),
        "demands": pd.DataFrame(demands, dtype=object),
        "constraints": [
            {"kind": "floor", "on": {"where": {"secteur": "x"}}, "amount": 10},
            {"kind": "indicator", "indicator": "ha", "max": 10},
            {"kind": "share", "on": {"measures": "m"}, "max": 0.5, "per": "region"},
            {"kind": "count", "max": 2},
            {"kind": "equity", "per": "region", "max_ratio": 4},
            {"kind": "requires", "when": {"measures": "m"}, "then": {"measures": "e"}, "within": "region"},
            {"kind": "lock", "on": {"demands": "d1"}, "decision": "units", "units": 2},
            {"kind": "fund_rate", "max_rate": 0.9},
        ],
        "objective": {"maximise": {"emplois": 1}},
    }  # fmt: skip


# (where, what is put there, what is said)
MISTAKES: list[tuple[Path, Any, str]] = [
    (("name",), "", "un nom est attendu"),
    (("funds", 0, "amount"), "x €", "n'est pas un montant"),
    (("funds", 0, "amout"), 1, "clé inconnue"),
    (("funds", 0, "amounts"), {2026: 5}, "l'un des deux"),
    (("funds", 0, "transfers"), {"zz": 5}, "fonds inconnu"),
    (("funds", 0, "transfers"), {"h": 5}, "ne se déplace pas"),
    (("funds", 0, "notified"), {"77": 10}, "région inconnue"),
    (("funds", 0, "notified_until"), 2030, "hors de l'horizon"),
    (("funds", 0, "max_rate"), 0, "supérieur à 0"),
    (("funds", 0, "reserve"), 1, "inférieure à 1"),
    (("funds", 0, "on"), {"measures": "mm"}, "mesure inconnue"),
    (("funds", 0, "on"), {"funds": "g"}, "pas de choix de fonds"),
    (("funds", 0, "parent"), "h", "se contiennent"),
    (("funds", 1, "amounts"), {2026: "x", 2027: 3}, "n'est pas un montant"),
    (("funds", 1, "income"), {2031: 100}, "hors de l'horizon"),
    (("funds", 2, "amount"), -5, "supérieure ou égale à 0"),
    (("funds", 2, "parent"), "zz", "fonds inconnu"),
    (("funds", 2, "returns"), {1: "120 %"}, "n'est pas un taux"),
    (("funds", 2, "returns"), {1: "60 %", 2: "60 %"}, "plus que ce qui est payé"),
    (("funds", 2, "returns"), GONE, "reference_rate va avec returns"),
    (("measures", 0, "payment_profile"), [0.5, 0.4], "font 0.9"),
    (("measures", 0, "lumpy"), "peut-être", "true ou false"),
    (("measures", 0, "steps"), [{"up_to": 0.5, "value": 1}], "finir à 1"),
    (("territories", 0, "population"), "x", "n'est pas un nombre"),
    (("demands", 0, "measure"), "zz", "mesure inconnue"),
    (("demands", 0, "territory"), "zz", "territoire inconnu"),
    (("demands", 0, "emplois"), "beaucoup", "n'est pas un nombre"),
    (("demands", 0, "ha"), "beaucoup", "n'est pas un nombre"),
    (("demands", 0, "units"), "x", "n'est pas un nombre"),
    (("demands", 1, "units"), 1.5, "doit être entier"),
    (("demands", 1, "asked"), 0, "doit être positif"),
    (("constraints", 0, "on"), {"where": {"secteur": "zzz"}}, "aucune ligne"),
    (("constraints", 0, "on"), {"where": {"zzz": "x"}}, "attribut inconnu"),
    (("constraints", 0, "amount"), "x", "n'est pas un montant"),
    (("constraints", 0, "amount"), GONE, "il manque une borne"),
    (("constraints", 0, "per"), "zzz", "attribut inconnu"),
    (("constraints", 1, "indicator"), "hh", "indicateur inconnu"),
    (("constraints", 1, "max"), "x", "n'est pas un nombre"),
    (("constraints", 1, "weights"), {"zzz": {"x": 2}}, "attribut inconnu"),
    (("constraints", 2, "per"), "zzz", "attribut inconnu"),
    (("constraints", 2, "max"), "x", "n'est pas un nombre"),
    (("constraints", 2, "max"), GONE, "il manque une borne"),
    (("constraints", 2, "of"), {"measures": "zz"}, "mesure inconnue"),
    (("constraints", 3, "on"), {"funds": "f"}, "ne peut pas choisir de fonds"),
    (("constraints", 3, "max"), "x", "n'est pas un nombre"),
    (("constraints", 3, "of"), "zzz", "valeur inconnue"),
    (("constraints", 4, "per"), "secteur", "qui habite où"),
    (("constraints", 4, "per"), "zzz", "attribut inconnu"),
    (("constraints", 4, "max_gap"), 3, "un seul de"),
    (("constraints", 5, "when"), {"funds": "f"}, "ne peut pas choisir de fonds"),
    (("constraints", 5, "then"), {"measures": "zz"}, "mesure inconnue"),
    (("constraints", 5, "within"), "zzz", "attribut inconnu"),
    (("constraints", 5, "within"), "year", "pas d'un seul"),
    (("constraints", 5, "lag"), -1, "supérieure ou égale à 0"),
    (("constraints", 6, "on"), {"demands": "zz"}, "dossier inconnu"),
    (("constraints", 6, "units"), "x", "n'est pas un nombre"),
    (("constraints", 6, "decision"), "plus tard", "valeur inconnue"),
    (("constraints", 7, "max_rate"), [{"where": {"secteur": "x"}, "rate": 0.5}], "sans taux"),
    (("constraints", 7, "on"), {"measures": "zz"}, "mesure inconnue"),
    (("constraints", 7, "max_rate"), GONE, "obligatoire"),
    (("objective", "maximise", "empl"), 1, "indicateur inconnu"),
    (("objective", "maximise", "emplois"), "x", "n'est pas un nombre"),
]  # fmt: skip
# Of these two, one cannot be said while the other stands: what it rests on is not known.
MOOT = [
    (("funds", 0, "transfers"), ("funds", 2, "parent")),
    (("funds", 0, "parent"), ("funds", 2, "parent")),
    (("constraints", 7, "max_rate"), ("constraints", 7, "on")),
    (("constraints", 7, "max_rate"), ("demands", 0, "measure")),
    (("demands", 0, "ha"), ("constraints", 1, "indicator")),  # nothing says that it counts
]


def told(*mistakes: tuple[Path, Any, str]) -> set[tuple[str, str]]:
    given = parts()
    for path, value, _ in mistakes:
        at: Any = given
        if path[0] in ("territories", "demands"):
            at[path[0]].loc[path[1], path[2]] = value
            continue
        for key in path[:-1]:
            at = at[key]
        if value is GONE:
            del at[path[-1]]
        else:
            at[path[-1]] = value
    try:
        Scenario(**given)
    except ScenarioError as error:
        return {(str(p.place), p.message.fr) for p in error.problems}
    return set()


def at_odds(one: Path, other: Path) -> bool:
    return one == other or (one, other) in MOOT or (other, one) in MOOT


def together() -> list[list[int]]:
    """The mistakes in a few lists, none of which spoils the same thing twice: the first free list for each."""
    lists: list[list[int]] = []
    for k, (path, _, _) in enumerate(MISTAKES):
        free = (found for found in lists if not any(at_odds(path, MISTAKES[other][0]) for other in found))
        place = next(free, None)
        if place is None:
            lists.append([k])
        else:
            place.append(k)
    return lists


def test_nothing_is_wrong_with_it_unspoilt() -> None:
    assert told() == set()


@pytest.mark.parametrize("mistakes", together(), ids=lambda found: f"{len(found)}-{found[0]}")
def test_mistakes_are_told_together_as_each_is_alone(mistakes: list[int]) -> None:
    alone: set[tuple[str, str]] = set()
    for k in mistakes:
        found = told(MISTAKES[k])
        assert len(found) == 1 and MISTAKES[k][2] in next(iter(found))[1], (MISTAKES[k], found)
        alone |= found
    assert told(*(MISTAKES[k] for k in mistakes)) == alone

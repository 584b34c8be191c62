"""Nouns agree with their numbers, and a demand is the subject of its sentence."""

from __future__ import annotations

import pytest
from valley import SCHOOLS, valley

import allocator
from allocator.explain.nouns import agreeing
from allocator.explain.points import Gain, counted
from allocator.texts import Text

JOBS = Text("emplois", "jobs")


@pytest.mark.parametrize(
    ("value", "french", "english"),
    [(0, "emploi", "jobs"), (1, "emploi", "job"), (1.15, "emploi", "jobs"), (-1.9, "emploi", "jobs"),
     (1.999, "emplois", "jobs"), (2, "emplois", "jobs"), (float("inf"), "emplois", "jobs")],
)  # fmt: skip
def test_french_is_singular_below_two(value, french, english):
    """As the number is told: 1,999 reads "2"."""
    assert agreeing(value, JOBS) == (french, english)


@pytest.mark.parametrize(
    ("several", "one"),
    [
        ("emplois promis", "emploi promis"), ("hectares aménagés", "hectare aménagé"), ("études", "étude"),
        ("hectares de sols nouveaux", "hectare de sols nouveaux"), ("degrés d'urgence", "degré d'urgence"),
        ("élèves formés", "élève formé"), ("emplois locaux", "emploi local"), ("travaux", "travail"),
        ("réseaux", "réseau"), ("euros", "euro"), ("€", "€"), ("mois", "mois"), ("M€ d'aide", "M€ d'aide"),
    ],
)  # fmt: skip
def test_the_singular_of_a_label(several, one):
    assert agreeing(1, Text(several, "")).fr == one


@pytest.mark.parametrize(
    ("several", "one"),
    [("studies", "study"), ("degrees of urgency", "degree of urgency"), ("jobs pledged", "job pledged"),
     ("hectares made ready to build on", "hectare made ready to build on"), ("branches", "branch")],
)  # fmt: skip
def test_the_english_singular(several, one):
    assert agreeing(1, Text("", several)).en == one


def test_a_range_agrees_with_its_end():
    said = counted(allocator.solve(valley()))
    assert said.of(Gain(0.5, 0.1, 0.8)).fr == "entre 0,1 et 0,8 emploi"
    assert said.of(Gain(2, 1, 3)).fr == "entre 1 et 3 emplois"
    assert said.changes({"emplois": -1.15}).fr == "−1,15 emploi"


def test_the_subject_is_the_demand():
    """Measures are plural, feminine, or both: "Études … n'est pas financé" would be wrong."""
    plan = allocator.solve(valley((SCHOOLS,)))
    for demand in ("d1", "d3"):
        answer = allocator.explain(plan, demand=demand, brief=True).answer
        assert answer.fr.startswith("Le dossier « Friches, ") and answer.en.startswith("Demand “Friches, ")
        assert answer.fr.count(f"({demand})") == 1
    near = allocator.explain(plan, demand="d3", about="near", brief=True)
    assert near.answer.fr.startswith("Le dossier « Friches, Plateau » (d3) : ")
    assert "of 1 plans" not in near.text("en")

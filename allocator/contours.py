"""Outlines to draw maps with: TopoJSON files, and where they lie.

Each holds one object named after its level, whose features have the ids of the territories (SIREN of an EPCI,
code of a region), and an object `insets`: the frames around the overseas departments. Coordinates are metres
of a flat map, y upwards; in Vega-Lite the projection is `identity` with `reflectY`.
Made by scripts/build_contours.py; sources and licence in data/contours/SOURCE.yaml.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_CONTOURS = Path(__file__).parent / "data" / "contours"
LEVELS = ("epci", "regions")


def path(level: str) -> Path:
    """The file of a level; `KeyError` for another name."""
    if level not in LEVELS:
        raise KeyError(level)
    return _CONTOURS / f"{level}.topojson"


def load(level: str) -> dict[str, Any]:
    """The topology of a level, a fresh copy at each call; `KeyError` for another name."""
    return json.loads(path(level).read_text(encoding="utf-8"))

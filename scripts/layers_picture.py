"""The layers of the package, from pyproject.toml, as a picture: who may know whom.

python scripts/layers_picture.py [--check]        (writes docs/layers.svg; --check: exit status 1 where it is not so)
"""

from __future__ import annotations

import re
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "layers.svg"
WIDTH, HEIGHT, STEP, GAP = 560, 22, 26, 8  # a box's height, from one layer to the next, between boxes


def layers() -> list[list[str]]:
    """From the top down; those of one layer side by side."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (pipeline,) = [contract for contract in contracts if contract["type"] == "layers"]
    return [re.findall(r"\w+", layer) for layer in pipeline["layers"]]


def picture() -> str:
    """An SVG that names every module; a screen reader is told the order."""
    rows = layers()
    title = "Modules of allocator, from the top down; each may import only those below it: " + "; ".join(
        map(", ".join, rows)
    )
    height = STEP * len(rows) + 40
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" role="img" '
        f'font-family="sans-serif" font-size="12"><title>{title}</title><rect width="100%" height="100%" fill="#fff"/>',
        f'<path d="M30 14 V{height - 26} m-5 -8 l5 8 l5 -8" fill="none" stroke="#555"/>',
        f'<text x="12" y="{height - 8}" fill="#333">imports point down</text>',
    ]
    for rank, names in enumerate(rows):
        wide = (WIDTH - 70 - GAP * (len(names) - 1)) / len(names)
        for place, name in enumerate(names):
            x, y = 60 + place * (wide + GAP), 10 + rank * STEP
            out.append(
                f'<rect x="{x:g}" y="{y}" width="{wide:g}" height="{HEIGHT}" rx="3" fill="#eef3fb" stroke="#5b7db1"/>'
            )
            out.append(f'<text x="{x + wide / 2:g}" y="{y + 15}" text-anchor="middle" fill="#123">{name}</text>')
    return "\n".join([*out, "</svg>", ""])


def main() -> int:
    if "--check" in sys.argv:
        return int(not PICTURE.exists() or PICTURE.read_text(encoding="utf-8") != picture())
    PICTURE.write_text(picture(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""Build allocator/data/industrie/ti.csv, which EPCI make up which Territoire d'industrie, from the list of the ANCT.

    python scripts/build_ti.py [--list ../shared/data/territoires-industrie/ti_groupements_183.csv] [--check]

Columns: territory (SIREN of the EPCI), ti, name. Of the list's 641 groupings those that are no EPCI à fiscalité propre (three
territories of the Grand Paris, twelve communes) are left out: SOURCE.yaml names them. --check writes nothing and fails where a
file differs from what would be written.
"""

import argparse
import csv
import hashlib
import io
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "allocator" / "data" / "industrie"
LIST = ROOT.parent / "shared" / "data" / "territoires-industrie" / "ti_groupements_183.csv"

SOURCE = """\
# Écrit par scripts/build_ti.py : ne pas modifier à la main.
title: Les Territoires d'industrie de la phase II (2023-2027) et leurs intercommunalités
publisher: ANCT
source: https://www.data.gouv.fr/datasets/programme-territoires-dindustrie
licence: Licence Ouverte 2.0
as_of: "2024-09-18"  # date de la couche cartographique de l'ANCT dont la liste est tirée
sha256: {sha256}  # de la liste
counts: {{territoires: {all}, avec_epci: {held}, groupements: {rows}, epci: {kept}}}
not_covered: >-
  Ce qui n'est pas un EPCI à fiscalité propre : {others}.
"""


def built(data: bytes) -> dict[str, str]:
    """{file: text}"""
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8"))))
    with (ROOT / "allocator" / "data" / "territories" / "epci.csv").open(encoding="utf-8") as lines:
        epci = {row["id"] for row in csv.DictReader(lines)}
    kept = sorted(
        (row["siren_groupement"], row["id_ti"], row["lib_ti"]) for row in rows if row["siren_groupement"] in epci
    )
    if len({siren for siren, _, _ in kept}) != len(kept):
        sys.exit("an EPCI is in several Territoires d'industrie: ti.csv holds one")
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\n").writerows([("territory", "ti", "name"), *kept])
    others = "; ".join(
        f"{row['lib_groupement']} ({row['lib_ti']})" for row in rows if row["siren_groupement"] not in epci
    )
    counts = {"all": len({row["id_ti"] for row in rows}), "held": len({ti for _, ti, _ in kept}), "rows": len(rows)}
    source = SOURCE.format(sha256=hashlib.sha256(data).hexdigest(), kept=len(kept), others=others, **counts)
    return {"ti.csv": out.getvalue(), "SOURCE.yaml": source}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--list", type=Path, default=LIST)
    parser.add_argument("--check", action="store_true")
    asked = parser.parse_args()
    files = built(asked.list.read_bytes())
    if asked.check:
        wrong = [name for name, text in files.items() if (TARGET / name).read_text(encoding="utf-8") != text]
        sys.exit(f"not what would be written: {', '.join(wrong)}" if wrong else 0)
    for name, text in files.items():
        (TARGET / name).write_text(text, encoding="utf-8", newline="")


if __name__ == "__main__":
    main()

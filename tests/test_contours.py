"""The outlines of the EPCI and of the regions: every territory drawn, neighbours sharing their borders."""

from __future__ import annotations

import csv
import hashlib
import importlib
import struct
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import yaml

from allocator import contours

ROOT = Path(__file__).parent.parent
TERRITORIES = ROOT / "allocator" / "data" / "territories"
OVERSEAS = {"01": "971", "02": "972", "03": "973", "04": "974", "06": "976"}  # region: department

# km², INSEE (superficies cadastrales: without lakes and estuaries, hence a little less than the outlines).
SURFACES = {
    "01": 1_628, "02": 1_128, "03": 83_534, "04": 2_504, "06": 374,
    "11": 12_012, "24": 39_151, "27": 47_784, "28": 29_907, "32": 31_806, "44": 57_441, "52": 32_082,
    "53": 27_208, "75": 84_036, "76": 72_724, "84": 69_711, "93": 31_400, "94": 8_680,
}  # fmt: skip


def ids(table: str, column: str) -> dict[str, dict[str, str]]:
    with (TERRITORIES / table).open(encoding="utf-8", newline="") as file:
        return {row[column]: row for row in csv.DictReader(file)}


def ends(arcs: list[np.ndarray], index: int) -> np.ndarray:
    """An arc in the direction that a ring names: ~i is arc i, backwards."""
    return arcs[index] if index >= 0 else arcs[~index][::-1]


@dataclass(frozen=True)
class Drawn:
    """A file, decoded: points in metres."""

    topology: dict[str, Any]
    arcs: list[np.ndarray]
    polygons: dict[str, list[list[list[int]]]]  # id: polygons of rings of signed arc numbers

    def ring(self, numbers: list[int]) -> np.ndarray:
        parts = [ends(self.arcs, number) for number in numbers]
        return np.concatenate([parts[0], *(part[1:] for part in parts[1:])])

    def used(self) -> Counter[int]:
        """How often each signed arc number serves."""
        rings = (ring for polygons in self.polygons.values() for polygon in polygons for ring in polygon)
        return Counter(number for ring in rings for number in ring)

    def rings(self, name: str) -> list[np.ndarray]:
        return [self.ring(numbers) for polygon in self.polygons[name] for numbers in polygon]


def decode(level: str) -> Drawn:
    topology = contours.load(level)
    scale, translate = (np.array(topology["transform"][key]) for key in ("scale", "translate"))
    arcs = [np.cumsum(arc, axis=0) * scale + translate for arc in topology["arcs"]]
    shapes = topology["objects"][level]["geometries"]
    assert {shape["type"] for shape in shapes} <= {"Polygon", "MultiPolygon"}
    polygons = {shape["id"]: [shape["arcs"]] if shape["type"] == "Polygon" else shape["arcs"] for shape in shapes}
    assert len(polygons) == len(shapes), "un identifiant sert deux fois"
    return Drawn(topology, arcs, polygons)


def area(ring: np.ndarray) -> float:
    """m², signed by the direction of the ring."""
    x, y = (ring - ring[0]).T
    return float((x[:-1] * y[1:] - x[1:] * y[:-1]).sum()) / 2


@pytest.fixture(scope="module")
def drawn() -> dict[str, Drawn]:
    return {level: decode(level) for level in contours.LEVELS}


@pytest.fixture(scope="module")
def source() -> dict[str, Any]:
    text = (contours.path("epci").parent / "SOURCE.yaml").read_text(encoding="utf-8")
    return yaml.safe_load(text)


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("build_contours")


def test_every_territory_is_drawn_once(drawn: dict[str, Drawn]) -> None:
    assert set(drawn["epci"].polygons) == set(ids("epci.csv", "id"))
    assert len(drawn["epci"].polygons) == 1255
    assert set(drawn["regions"].polygons) == set(ids("regions.csv", "code"))
    assert len(drawn["regions"].polygons) == 18


@pytest.mark.parametrize("level", contours.LEVELS)
def test_rings_are_closed_and_not_empty(drawn: dict[str, Drawn], level: str) -> None:
    file = drawn[level]
    for name, polygons in file.polygons.items():
        assert polygons, name
        for polygon in polygons:
            assert polygon, name
            for numbers in polygon:
                parts = [ends(file.arcs, number) for number in numbers]
                for part, following in zip(parts, parts[1:] + parts[:1], strict=True):
                    assert (part[-1] == following[0]).all(), f"{name} : anneau ouvert"
                ring = file.ring(numbers)
                assert len(ring) >= 4, name
                assert (np.diff(ring, axis=0) != 0).any(axis=1).all(), f"{name} : point répété"
                assert len(np.unique(ring, axis=0)) == len(ring) - 1, f"{name} : anneau qui se touche"
                assert area(ring) != 0, name
            outer, *holes = (abs(area(file.ring(numbers))) for numbers in polygon)
            assert outer > sum(holes), name


@pytest.mark.parametrize("level", contours.LEVELS)
def test_neighbours_share_their_borders(drawn: dict[str, Drawn], level: str) -> None:
    file = drawn[level]
    used = file.used()
    assert set(used.values()) == {1}, "un arc sert deux fois dans le même sens : recouvrement"
    frames = {shape["arcs"][0] for shape in file.topology["objects"]["insets"]["geometries"]}
    assert {n if n >= 0 else ~n for n in used} | frames == set(range(len(file.arcs))), "un arc ne sert pas"
    segments = Counter(frozenset([tuple(a), tuple(b)]) for arc in file.arcs for a, b in pairwise(arc))
    drawn_twice = [pair for pair, count in segments.items() if count > 1]
    assert len(drawn_twice) <= 4, "une limite est écrite deux fois"  # the four sides that frames share
    shared = sum(1 for number in used if number >= 0 and ~number in used)
    assert shared > {"epci": 3_500, "regions": 20}[level]


def test_france_has_no_hole_but_llivia(drawn: dict[str, Drawn]) -> None:
    """A commune forgotten inland would leave one. Llívia is Spanish; other enclaves are a neighbour's."""
    file = drawn["regions"]
    used = file.used()
    holes = [
        file.ring(ring)
        for polygons in file.polygons.values() for polygon in polygons for ring in polygon[1:]
        if not any(~number in used for number in ring)
    ]  # fmt: skip
    assert [round(abs(area(hole)) / 1e6) for hole in holes] == [12]  # km²


def test_surfaces_are_those_of_the_regions(drawn: dict[str, Drawn], source: dict[str, Any]) -> None:
    for region, known in SURFACES.items():
        polygons = drawn["regions"].polygons[region]
        total = 0.0
        for outer, *holes in ([abs(area(drawn["regions"].ring(r))) for r in polygon] for polygon in polygons):
            total += outer - sum(holes)
        scale = source["map"]["inset_scale"][OVERSEAS[region]] if region in OVERSEAS else 1
        tolerance = 0.05 if region in OVERSEAS else 0.02
        assert total / scale**2 / 1e6 == pytest.approx(known, rel=tolerance), region


def test_regions_are_drawn_over_the_epci(drawn: dict[str, Drawn]) -> None:
    """The same points in both files, except inside an EPCI of two regions and on the islands without EPCI."""
    epci = {tuple(point) for arc in drawn["epci"].arcs for point in arc}
    for name in drawn["regions"].polygons:
        points = [tuple(point) for ring in drawn["regions"].rings(name) for point in ring]
        assert np.mean([point in epci for point in points]) >= (1 if name in OVERSEAS else 0.9), name


@pytest.mark.parametrize("level", contours.LEVELS)
def test_overseas_stand_in_their_frames(drawn: dict[str, Drawn], level: str) -> None:
    file = drawn[level]
    region = {name: row["region"] for name, row in ids("epci.csv", "id").items()}
    boxes = {}
    for frame in file.topology["objects"]["insets"]["geometries"]:
        ring = ends(file.arcs, frame["arcs"][0])
        boxes[frame["id"]] = (ring.min(axis=0), ring.max(axis=0))
    assert set(boxes) == set(OVERSEAS)
    for name in file.polygons:
        points = np.concatenate(file.rings(name))
        home = region.get(name, name)
        for code, (low, high) in boxes.items():
            inside = ((points > low) & (points < high)).all(axis=1)
            assert inside.all() if code == home else not inside.any(), (name, code)


def test_bbox_holds_everything(drawn: dict[str, Drawn]) -> None:
    for file in drawn.values():
        every = np.concatenate(file.arcs)
        assert file.topology["bbox"] == [*every.min(axis=0), *every.max(axis=0)]


def test_files_are_small() -> None:
    sizes = {level: contours.path(level).stat().st_size for level in contours.LEVELS}
    assert sum(sizes.values()) < 1_500_000
    assert sizes["regions"] < 150_000


def test_unknown_level_and_fresh_copies() -> None:
    for call in (contours.path, contours.load):
        with pytest.raises(KeyError, match="communes"):
            call("communes")
    contours.load("regions")["arcs"].clear()
    assert contours.load("regions")["arcs"]


def test_reading_needs_no_library() -> None:
    code = (
        "import sys; from allocator import contours; contours.load('regions');"
        "sys.exit(' '.join({'pandas', 'numpy', 'pydantic', 'altair', 'yaml'} & set(sys.modules)) or None)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_source_says_where_it_comes_from(source: dict[str, Any], drawn: dict[str, Drawn]) -> None:
    for part in ("polygons", "members"):
        assert source[part]["source"].startswith("https://")
        assert "Licence Ouverte 2.0" in source[part]["licence"]
        assert source[part]["as_of"] in {"2024-01-01", "2026-01-01"}
    assert all(len(digest) == 64 for digest in source["sha256"].values())
    territories = yaml.safe_load((TERRITORIES / "SOURCE.yaml").read_text(encoding="utf-8"))
    assert source["members"]["version"] == territories["version"]
    assert source["sha256"]["tarball"] == territories["sha256"]["tarball"]
    counts = source["counts"]
    assert counts["epci"] == len(drawn["epci"].polygons)
    assert counts["communes"] == counts["communes_without_epci"] + sum(
        int(row["members"]) for row in ids("epci.csv", "id").values()
    )
    assert counts["communes_without_epci"] == len(source["without_epci"])
    assert counts["communes_merged_since"] == sum(map(len, source["merged"].values()))
    assert counts["communes_restored_since"] == len(source["restored"])


# The script.


def wkb(*polygons: list[list[tuple[float, float]]]) -> str:
    raw = struct.pack("<BII", 1, 6, len(polygons))
    for polygon in polygons:
        raw += struct.pack("<BII", 1, 3, len(polygon))
        for ring in polygon:
            raw += struct.pack("<I", len(ring)) + b"".join(struct.pack("<dd", *point) for point in ring)
    return raw.hex().upper()


SQUARE = [(0.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.0, 0.0)]


def test_polygons_are_read_with_their_holes(script: ModuleType) -> None:
    hole = [(0.1, 0.2), (0.1, 0.3), (0.2, 0.3), (0.1, 0.2)]
    read = script.polygons(wkb([SQUARE, hole], [SQUARE]))
    assert [[ring.tolist() for ring in polygon] for polygon in read] == [
        [[list(point) for point in SQUARE], [list(point) for point in hole]],
        [[list(point) for point in SQUARE]],
    ]


def row(number: int, code: str, kind: str = "COM", parent: str = "\\N") -> dict[str, str]:
    square = [(x + number, y) for x, y in SQUARE]
    return {"id": str(number), "code": code, "type": kind, "commune_parent_id": parent,
            "geometry": wkb([square])}  # fmt: skip


def test_merged_and_restored_communes_follow_the_written_rule(script: ModuleType) -> None:
    rows = [row(0, "A"), row(1, "B"), row(2, "C"), row(3, "D", "COMD", "2")]
    communes = {"A": {"anciensCodes": ["B"]}, "C": {}, "D": {}}
    home = {"A": ("1", "84"), "C": ("2", "84"), "D": ("2", "84")}
    found, merged, restored = script.current(rows, communes, home)
    assert {code: len(polygons) for code, polygons in found.items()} == {"A": 2, "C": 1}
    assert [polygon[0][0, 0] for polygon in found["A"]] == [0, 1]  # its own, then that of B
    assert merged == {"A": ["B"]}
    assert restored == {"D": "C"}


@pytest.mark.parametrize(
    ("communes", "home", "said"),
    [
        ({"A": {}, "C": {}}, {"A": ("1", "84"), "C": ("2", "84")}, "B n'est plus une commune"),
        ({"A": {"anciensCodes": ["B"]}, "C": {"anciensCodes": ["B"]}},
         {"A": ("1", "84"), "C": ("2", "84")}, "B n'est plus une commune"),
        ({"A": {"anciensCodes": ["B"]}, "C": {}, "D": {}},
         {"A": ("1", "84"), "C": ("2", "84"), "D": ("3", "84")}, "D n'a pas de polygone"),
        ({"A": {"anciensCodes": ["B"]}, "C": {}, "E": {}},
         {"A": ("1", "84"), "C": ("2", "84"), "E": ("2", "84")}, "E n'a pas de polygone"),
    ],
    ids=["no heir", "two heirs", "restored into another EPCI", "unknown"],
)  # fmt: skip
def test_a_commune_that_the_rule_cannot_place_stops_the_script(
    script: ModuleType, capsys: pytest.CaptureFixture[str], communes: dict, home: dict, said: str
) -> None:
    rows = [row(0, "A"), row(1, "B"), row(2, "C"), row(3, "D", "COMD", "2")]
    with pytest.raises(SystemExit):
        script.current(rows, communes, home)
    assert said in capsys.readouterr().err


def test_lambert_93(script: ModuleType) -> None:
    """Its origin by definition, and four towns as PROJ gives them (EPSG:4326 to EPSG:2154)."""
    places = np.array([[3, 46.5], [2.3522, 48.8566], [-4.5, 48.4], [9.45, 42.7], [-1.5, 43.4]])
    expected = [
        [700_000, 6_600_000],
        [652_469.02, 6_862_035.26],
        [145_709.79, 6_837_422.08],
        [1_228_546.05, 6_199_420.64],
        [335_469.49, 6_266_043.12],
    ]
    np.testing.assert_allclose(script.lambert93(places), expected, atol=0.01)


def test_another_file_than_the_package_is_refused(
    script: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wheel = tmp_path / "other.whl"
    wheel.write_bytes(b"other")
    with pytest.raises(SystemExit):
        script.read_wheel(wheel)
    assert hashlib.sha256(b"other").hexdigest() in capsys.readouterr().err


def test_missing_npm_is_said_clearly(
    script: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(script.shutil, "which", lambda name: None)
    with pytest.raises(SystemExit):
        script.fetch_mapshaper(tmp_path)
    assert "npm" in capsys.readouterr().err

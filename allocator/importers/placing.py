"""Where a code lies on today's map: communes of any year, EPCI, Grand Paris territories, departments, regions.

The map is the one of allocator/data/territories (vintage in its SOURCE.yaml).
"""

from __future__ import annotations

import csv
import gzip
import io
import re
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from allocator.importers.reading import folded, siren
from allocator.texts import Text

TERRITORIES = Path(__file__).resolve().parent.parent / "data" / "territories"
_SPELT = {"paca": "93", "reunion": "04", "centre": "24"}  # regions as people also call them
_ARTICLES = ("la", "le", "les", "l", "dela", "du", "des", "de", "del", "d")


def table(name: str) -> list[dict[str, str]]:
    """The rows of a CSV file of the built-in territories; `name` may end with .gz."""
    data = (TERRITORIES / name).read_bytes()
    text = (gzip.decompress(data) if name.endswith(".gz") else data).decode("utf-8")
    return list(csv.DictReader(io.StringIO(text, newline="")))


@dataclass(frozen=True)
class Commune:
    """A commune of today. `epci` and `ept` are "" where it has none; `population` is 0 outside EPCI."""

    code: str
    siren: str
    epci: str
    ept: str
    population: int


@dataclass(frozen=True)
class Named:
    """A region, a department or a Grand Paris territory; `region` is "" but for departments."""

    code: str
    name: str
    region: str


class Unplaced(ValueError):
    """A code that lies nowhere; `args[0]` is a `Text` that says why."""


class Atlas:
    """Today's map, read once: `atlas()`."""

    @cached_property
    def epci(self) -> dict[str, dict[str, str]]:
        """SIREN → the EPCI's row of epci.csv (id, name, region, departement, population …)."""
        return {row["id"]: row for row in table("epci.csv")}

    @cached_property
    def communes(self) -> dict[str, Commune]:
        """Code → the commune of today."""
        return {row["code"]: Commune(row["code"], row["siren"], row["epci"], row["ept"], int(row["population"] or 0))
                for row in table("communes.csv.gz")}  # fmt: skip

    @cached_property
    def past(self) -> dict[str, str]:
        """Codes of merged and delegated communes and of arrondissements → code of today."""
        return {row["code"]: row["commune"] for row in table("anciens_codes.csv.gz")}

    @cached_property
    def members(self) -> dict[str, list[Commune]]:
        """SIREN of an EPCI or a Grand Paris territory → its communes."""
        of: dict[str, list[Commune]] = {}
        for commune in self.communes.values():
            for group in filter(None, (commune.epci, commune.ept)):
                of.setdefault(group, []).append(commune)
        return of

    @cached_property
    def _by_siren(self) -> dict[str, Commune]:
        return {commune.siren: commune for commune in self.communes.values() if commune.siren}

    @cached_property
    def _codes(self) -> dict[str, list[Named]]:
        of: dict[str, list[Named]] = {}
        for row in table("codes.csv"):
            of.setdefault(row["level"], []).append(Named(row["code"], row["name"], row["region"]))
        return of

    @property
    def regions(self) -> list[Named]:
        return self._codes["region"]

    @property
    def departements(self) -> list[Named]:
        return self._codes["departement"]

    @property
    def epts(self) -> list[Named]:
        """The Grand Paris territories."""
        return self._codes["ept"]

    def commune(self, code: str) -> Commune:
        """The commune of today for a code of any year (INSEE's, with or without its first zero) or a SIREN.

        `Unplaced` for an unknown code.
        """
        code = code.strip().upper()
        if re.fullmatch(r"\d{4}", code):  # a workbook took the code for a number
            code = f"0{code}"
        found = self.communes.get(code) or self.communes.get(self.past.get(code, "")) or self._by_siren.get(siren(code))
        if found is None:
            raise Unplaced(Text(f"code de commune inconnu : « {code} »", f"unknown code of a commune: “{code}”"))
        return found

    def epci_of(self, code: str) -> str:
        """SIREN of the EPCI in which a commune lies; `Unplaced` where there is none, with the reason."""
        commune = self.commune(code)
        if not commune.epci:
            raise Unplaced(Text(f"commune {commune.code} sans EPCI à fiscalité propre",
                                f"commune {commune.code} has no EPCI"))  # fmt: skip
        return commune.epci

    def group(self, code: str) -> str:
        """SIREN of an EPCI of today, from a SIREN or a SIRET; `Unplaced` otherwise."""
        number = siren(code)
        if number in self.epci:
            return number
        said = number or code
        raise Unplaced(Text(f"« {said} » n'est pas un EPCI de 2026 (fusionné, dissous, ou d'une autre nature)",
                            f"“{said}” is not an EPCI of 2026 (merged, dissolved, or of another kind)"))  # fmt: skip

    def region(self, text: str) -> str:
        """Code of a region from its code or its name (accents, case, hyphens of no weight); `Unplaced` otherwise."""
        return _find(text, self.regions, Text("région inconnue", "unknown region"))

    def departement(self, text: str) -> str:
        """Code of a department from its code or its name; `Unplaced` otherwise."""
        return _find(text, self.departements, Text("département inconnu", "unknown department"))


def _find(text: str, among: list[Named], unknown: Text) -> str:
    known = {named.code: named.code for named in among}
    code = text.strip().upper()
    for written in (code, f"0{code}", code.removeprefix("0")):  # 1 and 001 are 01 as workbooks and old files write it
        if written in known:
            return written
    names = {folded(named.name): named.code for named in among} | {k: c for k, c in _SPELT.items() if c in known}
    name = folded(text)
    for before in (
        "",
        *_ARTICLES,
        *(f"{noun}{article}" for noun in ("region", "departement") for article in ("", *_ARTICLES)),
    ):
        if name.startswith(before) and name.removeprefix(before) in names:
            return names[name.removeprefix(before)]
    raise Unplaced(Text(f"{unknown.fr} « {text} »", f"{unknown.en} “{text}”"))


@cache
def atlas() -> Atlas:
    """Today's map."""
    return Atlas()

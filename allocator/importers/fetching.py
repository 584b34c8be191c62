"""Public files by their stable addresses: to a cache, whole or not at all, with their checksums.

Addresses are those of the data sets' own pages: the portal's documented API (`/api/1/datasets/<slug>/`, which lists the
files of the day), its permanent address of one file (`/api/1/datasets/r/<id>`), or INSEE's file service. All were found in
use in public code (July 2026 and before); none has been followed from where this was written. The titles of the files of
`programme-territoires-dindustrie`, and INSEE's A5 file (A17 was found), are as the publishers' pages were reported to us.
Where a title or an address has changed, the message says what was found instead.

`ALLOCATOR_FETCH_BASE`, the address of a mirror, makes https://host/path be looked for at <base>/host/path.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import socket
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit
from urllib.request import HTTPRedirectHandler, Request, build_opener

from allocator.files import reason
from allocator.problems import Problem, ScenarioError, did_you_mean
from allocator.texts import Text

BASE = "ALLOCATOR_FETCH_BASE"
PORTAL = "https://www.data.gouv.fr/api/1/datasets/"
SECONDS = 30.0  # of silence
LONGEST = 1800.0  # seconds in all
LARGEST = 500_000_000  # bytes
_CHUNK = 1 << 18


@dataclass(frozen=True)
class Published:
    """A public file. `dataset`: slug on the portal, whose newest file with a `title` (pattern; group 1: the year) is the
    one; else `address`. `form`: the importer that reads it."""

    name: str
    form: str
    label: Text
    licence: str
    dataset: str = ""
    title: str = ""
    address: str = ""
    file: str = ""

    @property
    def page(self) -> str:
        """Where a person finds it."""
        return f"https://www.data.gouv.fr/datasets/{self.dataset}" if self.dataset else self.address

    @property
    def by_year(self) -> bool:
        return "(" in self.title


_OPEN = "Licence Ouverte 2.0"
PUBLISHED = {published.name: published for published in (
    Published("ti", "ti", Text("Territoires d'industrie, par groupement (ANCT)", "Territoires d'industrie, by grouping (ANCT)"), _OPEN,
              "programme-territoires-dindustrie", r"liste-ti-grpt.*\.csv"),
    Published("ti-communes", "ti", Text("Territoires d'industrie, par commune (ANCT)", "Territoires d'industrie, by commune (ANCT)"), _OPEN,
              "programme-territoires-dindustrie", r"liste-ti-com.*\.csv"),
    Published("cartofriches", "cartofriches", Text("sites de Cartofriches, standard CNIG (Cerema)", "sites of Cartofriches, CNIG standard (Cerema)"),
              _OPEN, "sites-references-dans-cartofriches", r"friches-standard.*\.csv"),
    Published("fonds-vert", "fonds-vert", Text("projets du Fonds vert d'une année (ministère de la Transition écologique)",
                                               "a year's projects of the Fonds vert (ministry for the ecological transition)"),
              _OPEN, "fonds-vert-liste-des-projets-subventionnes", r"fonds-vert-(20\d\d)-export\.csv"),
    Published("flores", "flores", Text("emplois par EPCI et grand secteur, 2024 (INSEE)", "jobs by EPCI and sector, 2024 (INSEE)"), _OPEN,
              address="https://api.insee.fr/melodi/file/DS_FLORES_A5/DS_FLORES_A5_2024_CSV_FR", file="DS_FLORES_A5_2024.zip"),
    Published("enaf", "enaf", Text("consommation d'espaces par commune, 2011-2025 (Cerema)", "land take by commune, 2011-2025 (Cerema)"), _OPEN,
              address=f"{PORTAL}r/b258feec-f8ff-4e0a-93b3-baf1fe46ef66", file="conso_com.csv"),
)}  # fmt: skip
# Read by an importer, without an address that we know to be stable: where a person finds them.
BY_HAND = {
    "fonds-friches": Text("le Cerema, données du site Cartofriches (fr_g_fdfriche_r.csv)", "Cerema, data of the Cartofriches site (fr_g_fdfriche_r.csv)"),
    "chomage": Text("insee.fr, statistiques 1893230 (taux par zone d'emploi) et zones d'emploi 2020 par commune",
                    "insee.fr, statistics 1893230 (rates by zone d'emploi) and zones d'emploi 2020 by commune"),
    "pabulib": Text("pabulib.org (fichiers .pb)", "pabulib.org (.pb files)"),
}  # fmt: skip


@dataclass(frozen=True)
class Fetched:
    """A file in the cache. `address`: where it came from; `at`: when (ISO); `fresh`: downloaded just now."""

    name: str
    path: Path
    address: str
    sha256: str
    size: int
    at: str
    fresh: bool

    def record(self) -> dict[str, Any]:
        return {"name": self.name, "file": self.path.name, "address": self.address, "sha256": self.sha256,
                "bytes": self.size, "fetched_at": self.at}  # fmt: skip


def cache() -> Path:
    """The folder of fetched files (XDG)."""
    root = os.environ.get("XDG_CACHE_HOME", "")
    return (Path(root) if os.path.isabs(root) else Path.home() / ".cache") / "allocator"


def published(name: str) -> Published:
    """`ScenarioError` for a name that is none, or a file that has no stable address."""
    if name in PUBLISHED:
        return PUBLISHED[name]
    if name in BY_HAND:
        where = BY_HAND[name]
        raise ScenarioError([Problem("fetch", Text(f"« {name} » n'a pas d'adresse stable connue", f"“{name}” has no stable address that we know"),
                                     Text(f"À prendre à la main : {where.fr} ; puis allocator import {name} FICHIER --out DIR.",
                                          f"To be taken by hand: {where.en}; then allocator import {name} FILE --out DIR."))])  # fmt: skip
    unknown = Text(f"fichier public inconnu « {name} »", f"unknown public file “{name}”")
    raise ScenarioError([Problem("fetch", unknown, did_you_mean(name, [*PUBLISHED, *BY_HAND]))])


def fetch(name: str, *, year: int | None = None, sha256: str | None = None, refresh: bool = False) -> Fetched:
    """The file, from the cache if it is there whole (its checksum is counted again), else downloaded.

    `sha256`: what it must be. `refresh`: download again. `ScenarioError`: unknown name, no network, not found,
    truncated, too large, another checksum; the cached copy, if any, stays as it was.
    """
    wanted = published(name)
    if year is not None and not wanted.by_year:
        raise ScenarioError(
            [Problem("--year", Text(f"« {name} » n'est pas publié par année", f"“{name}” is not published by year"))]
        )
    folder = cache() / (name if year is None else f"{name}-{year}")
    kept = _kept(folder, name)
    if kept is not None and not refresh:
        _expect(kept.sha256, sha256, kept.path.name)
        return kept
    try:
        return _download(wanted, folder, year, sha256)
    except ScenarioError as error:
        if kept is None:
            raise
        remedy = Text(
            f"La copie du {kept.at[:10]} reste là : {kept.path}.",
            f"The copy of {kept.at[:10]} is still there: {kept.path}.",
        )
        raise ScenarioError([Problem(p.place, p.message, remedy, p.file) for p in error.problems]) from None


def _kept(folder: Path, name: str) -> Fetched | None:
    """What the cache holds, if its bytes are those recorded."""
    try:
        told = json.loads((folder / "source.json").read_text(encoding="utf-8"))
        path = folder / Path(told["file"]).name
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != told["sha256"]:
            return None
        return Fetched(name, path, told["address"], digest, path.stat().st_size, told["fetched_at"], fresh=False)
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _download(wanted: Published, folder: Path, year: int | None, sha256: str | None) -> Fetched:
    address, file, told = _resource(wanted, year) if wanted.dataset else (wanted.address, wanted.file, None)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(prefix=".partial-", dir=folder)
    except OSError as error:
        raise _failed(str(folder), Text(f"impossible d'écrire ({reason(error).fr})", f"cannot write ({reason(error).en})"),
                      Text("XDG_CACHE_HOME désigne un autre dossier.", "XDG_CACHE_HOME names another folder.")) from None  # fmt: skip
    try:
        with os.fdopen(handle, "wb") as out, _opened(address) as answer:
            sums = {kind: hashlib.new(kind) for kind in {"sha256", told[0] if told else "sha256"}}
            size = 0
            for chunk in _chunks(answer, address):
                size += len(chunk)
                out.write(chunk)
                for each in sums.values():
                    each.update(chunk)
            out.flush()
            os.fsync(out.fileno())
        if told is not None and sums[told[0]].hexdigest() != told[1]:
            raise _failed(address, Text(f"somme de contrôle {told[0]} différente de celle que le portail annonce : fichier refusé",
                                        f"the {told[0]} checksum is not the one that the portal announces: file refused"),
                          Text("Réessayez plus tard.", "Try again later."))  # fmt: skip
        digest = sums["sha256"].hexdigest()
        _expect(digest, sha256, file)
        made = Fetched(
            wanted.name,
            folder / file,
            address,
            digest,
            size,
            datetime.now(UTC).isoformat(timespec="seconds"),
            fresh=True,
        )
        # the record first goes away, so that an interruption leaves a file without a record: one that is fetched again
        (folder / "source.json").unlink(missing_ok=True)
        os.replace(temporary, made.path)
        record = folder / ".source.json"
        record.write_text(json.dumps(made.record(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        os.replace(record, folder / "source.json")
        return made
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def _expect(found: str, wanted: str | None, file: str) -> None:
    if wanted is not None and found != wanted.strip().lower():
        raise ScenarioError([Problem("--sha256", Text(f"le fichier a la somme de contrôle {found}, et non celle demandée : refusé",
                                                      f"the file's checksum is {found}, not the one asked for: refused"), None, file)])  # fmt: skip


def _resource(wanted: Published, year: int | None) -> tuple[str, str, tuple[str, str] | None]:
    """(address, file name, (kind, checksum) if announced) of the newest file of a data set that has the title wanted."""
    api = f"{PORTAL}{wanted.dataset}/"
    with _opened(api) as answer:
        text = b"".join(_chunks(answer, api))
    try:
        resources = [dict(resource) for resource in json.loads(text)["resources"]]
    except (ValueError, KeyError, TypeError):
        raise _failed(
            api, Text("réponse inattendue du portail", "unexpected answer of the portal"), _by_hand(wanted)
        ) from None
    found = []
    for resource in resources:
        names = [str(resource.get("title") or ""), Path(urlsplit(str(resource.get("url") or "")).path).name]
        match = next((m for name in names if (m := re.search(wanted.title, name, re.IGNORECASE))), None)
        if match and (year is None or int(match[1]) == year):
            found.append(
                (match[1] if wanted.by_year else "", str(resource.get("last_modified") or ""), match[0], resource)
            )
    if not found:
        titles = ", ".join(sorted(str(resource.get("title")) for resource in resources))[:400] or "∅"
        what = f"{wanted.name} {year}" if year is not None else wanted.name
        raise _failed(api, Text(f"aucun fichier « {what} » dans ce jeu de données", f"no file “{what}” in this data set"),
                      Text(f"Il contient : {titles}.", f"It holds: {titles}."))  # fmt: skip
    _, _, name, newest = max(found, key=lambda item: item[:3])
    checksum = newest.get("checksum") or {}
    kind, value = str(checksum.get("type") or "").lower(), str(checksum.get("value") or "").lower()
    announced = (kind, value) if value and kind in ("sha1", "sha256", "md5") else None
    return str(newest.get("latest") or newest.get("url")), Path(name).name, announced


class _OnlyThere(HTTPRedirectHandler):
    """Redirections stay on https (or on the mirror)."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        return super().redirect_request(req, fp, code, msg, headers, _there(newurl))


def _there(address: str) -> str:
    """The address to open: https, or the mirror's. `ScenarioError` for another."""
    base, parts = os.environ.get(BASE, "").rstrip("/"), urlsplit(address)
    if base and address.startswith(f"{base}/"):
        return address
    if parts.scheme != "https" or not parts.hostname:
        raise _failed(address, Text("adresse refusée : https est exigé", "address refused: https is required"))
    return f"{base}/{parts.hostname}{parts.path}" + (f"?{parts.query}" if parts.query else "") if base else address


@contextmanager
def _opened(address: str) -> Iterator[HTTPResponse]:
    """An answer 200 to a request; anything else is a `ScenarioError` that says what to do."""
    request = Request(_there(address), headers={"User-Agent": "allocator", "Accept": "*/*"})
    try:
        with build_opener(_OnlyThere).open(request, timeout=SECONDS) as answer:
            yield answer
    except HTTPError as error:
        message = Text(f"le serveur répond {error.code}", f"the server answers {error.code}")
        if error.code in (404, 410):
            message = Text(
                f"{message.fr} : le fichier n'est plus à cette adresse",
                f"{message.en}: the file is no longer at this address",
            )
        elif 300 <= error.code < 400:  # to a file, or for ever
            message = Text(f"redirection refusée ({error.code})", f"redirection refused ({error.code})")
        error.close()
        raise _failed(address, message, Text("Prenez-le à la main sur la page du jeu de données, puis allocator import.",
                                             "Take it by hand from the data set's page, then allocator import.")) from None  # fmt: skip
    except (URLError, OSError, HTTPException) as error:
        raise _failed(address, *_no_network(error)) from None


def _no_network(error: Exception) -> tuple[Text, Text]:
    cause = error.reason if isinstance(error, URLError) else error
    remedy = Text("Vérifiez la connexion (et le proxy : HTTPS_PROXY), ou apportez le fichier à la main : allocator import.",
                  "Check the connection (and the proxy: HTTPS_PROXY), or bring the file by hand: allocator import.")  # fmt: skip
    if isinstance(cause, TimeoutError | socket.timeout):
        return Text(f"pas de réponse en {SECONDS:.0f} s", f"no answer within {SECONDS:.0f} s"), remedy
    if isinstance(cause, socket.gaierror | ConnectionRefusedError) or getattr(cause, "errno", None) in (101, 113):
        return Text(
            f"pas de réseau, ou serveur injoignable ({cause})", f"no network, or server unreachable ({cause})"
        ), remedy
    return Text(f"téléchargement interrompu ({cause})", f"download interrupted ({cause})"), remedy


def _chunks(answer: HTTPResponse, address: str) -> Iterator[bytes]:
    """The body; refused where it is a page, too large, too slow or cut short."""
    if answer.headers.get_content_type() == "text/html":
        raise _failed(
            address, Text("le serveur envoie une page web, pas un fichier", "the server sends a web page, not a file")
        )
    announced = answer.headers.get("Content-Length", "")
    size, start = 0, time.monotonic()
    too_large = Text(f"plus de {LARGEST // 10**6} Mo : refusé", f"more than {LARGEST // 10**6} MB: refused")
    if announced.isdigit() and int(announced) > LARGEST:
        raise _failed(address, too_large)
    while chunk := answer.read(_CHUNK):
        size += len(chunk)
        if size > LARGEST:
            raise _failed(address, too_large)
        if time.monotonic() - start > LONGEST:
            raise _failed(
                address, Text(f"pas fini en {LONGEST / 60:.0f} minutes", f"not done within {LONGEST / 60:.0f} minutes")
            )
        yield chunk
    if announced.isdigit() and size != int(announced):
        raise _failed(address, Text(f"fichier tronqué : {size} octets reçus sur {announced}", f"truncated file: {size} bytes of {announced}"),
                      Text("Réessayez.", "Try again."))  # fmt: skip
    if not size:
        raise _failed(address, Text("le serveur envoie un fichier vide", "the server sends an empty file"))


def _by_hand(wanted: Published) -> Text:
    return Text(f"Voyez {wanted.page}", f"See {wanted.page}")


def _failed(address: str, message: Text, remedy: Text | None = None) -> ScenarioError:
    return ScenarioError([Problem("", message, remedy, address)])

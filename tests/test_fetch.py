"""`allocator fetch`, against a server of our own on this machine: nothing here touches the network."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from allocator.cli import main
from allocator.importers import fetching, importers

FLORES = "/api.insee.fr/melodi/file/DS_FLORES_A5/DS_FLORES_A5_2024_CSV_FR"
PORTAL = "/www.data.gouv.fr/api/1/datasets/"
BODY = b"id_ti,lib_ti,siren_groupement,lib_groupement\nti-8422,Arve,200000172,CC Faucigny\n"


@dataclass
class Answer:
    """What the server says at a path; `promised`: the Content-Length told, None for none."""

    body: bytes = BODY
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    promised: int | None = -1


@dataclass
class Server:
    """A mirror: paths are /host/path."""

    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    address: str = ""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Server]:
    state = Server()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            state.asked.append(self.path)
            answer = state.answers.get(self.path) or Answer(b"not here", 404)
            self.send_response(answer.status)
            for name, value in {"Content-Type": "text/csv", **answer.headers}.items():
                self.send_header(name, value)
            if answer.promised is not None:
                self.send_header("Content-Length", str(len(answer.body) if answer.promised < 0 else answer.promised))
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as httpd:
        threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        state.address = f"http://127.0.0.1:{httpd.server_address[1]}"
        monkeypatch.setenv(fetching.BASE, state.address)
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
        for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.delenv(name, raising=False)
        yield state
        httpd.shutdown()


@pytest.fixture
def fetch(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    def fetch(*arguments: str) -> tuple[int, str, str]:
        status = main(["fetch", *arguments])
        told = capsys.readouterr()
        assert "Traceback" not in told.err
        return status, told.out, told.err

    return fetch


Fetch = Callable[..., tuple[int, str, str]]


def portal(server: Server, dataset: str, *resources: dict[str, Any]) -> None:
    """The data set's page of the portal's API, and its files."""
    listed = []
    for resource in resources:
        body = resource.pop("body", BODY)
        url = f"https://static.data.gouv.fr/resources/{resource['title']}"
        server.answers[url.removeprefix("https:/")] = Answer(body)
        listed.append({"url": url, "latest": None, **resource})
    text = json.dumps({"resources": listed}).encode()
    server.answers[f"{PORTAL}{dataset}/"] = Answer(text, headers={"Content-Type": "application/json"})


def files(tmp_path: Path) -> list[str]:
    return sorted(path.name for path in (tmp_path / "cache").rglob("*") if path.is_file())


def test_the_list(fetch: Fetch) -> None:
    status, out, _ = fetch()
    assert status == 0 and all(name in out for name in [*fetching.PUBLISHED, *fetching.BY_HAND])
    status, out, _ = fetch("--json")
    assert {item["name"] for item in json.loads(out)["files"]} == set(fetching.PUBLISHED)
    formats = {importer.FORMAT for importer in importers()}
    assert {published.form for published in fetching.PUBLISHED.values()} <= formats


def test_a_file_is_fetched_once(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    server.answers[FLORES] = Answer()
    status, out, _ = fetch("flores", "--json")
    told = json.loads(out)
    assert status == 0 and told["cached"] is False and told["sha256"] == hashlib.sha256(BODY).hexdigest()
    assert Path(told["path"]).read_bytes() == BODY
    assert files(tmp_path) == ["DS_FLORES_A5_2024.zip", "source.json"]
    assert json.loads(fetch("flores", "--json")[1])["cached"] is True and server.asked == [FLORES]
    assert "déjà là" in fetch("flores")[1]
    server.answers[FLORES] = Answer(b"new")
    assert json.loads(fetch("flores", "--json", "--refresh")[1])["bytes"] == 3
    Path(told["path"]).write_bytes(b"touched")  # what is not what was fetched is fetched again
    assert json.loads(fetch("flores", "--json")[1])["cached"] is False


def test_the_newest_file_of_a_data_set(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    portal(
        server, "programme-territoires-dindustrie",
        {"title": "liste-ti-com2023-20240101.csv", "last_modified": "2025-01-01", "body": b"communes"},
        {"title": "liste-ti-grpt2023-20230101.csv", "last_modified": "2023-01-01", "body": b"old"},
        {"title": "liste-ti-grpt2023-20240101.csv", "last_modified": "2024-01-01"},
    )  # fmt: skip
    status, out, _ = fetch("ti", "--out", str(tmp_path / "here"))
    copy = tmp_path / "here/liste-ti-grpt2023-20240101.csv"
    assert status == 0 and copy.read_bytes() == BODY and f"allocator import ti {copy} --out ti" in out
    assert main(["import", "ti", str(copy), "--out", str(tmp_path / "ti")]) == 0


def test_a_year(server: Server, fetch: Fetch) -> None:
    titles = ["fonds-vert-2023-export.csv", "fonds-vert-2024-export.csv", "fonds-vert-p113-2025-export.csv.csv"]
    portal(server, "fonds-vert-liste-des-projets-subventionnes",
           *({"title": title, "body": title.encode()} for title in titles))  # fmt: skip
    assert json.loads(fetch("fonds-vert", "--json")[1])["file"] == titles[1]
    assert json.loads(fetch("fonds-vert", "--year", "2023", "--json")[1])["file"] == titles[0]
    status, _, err = fetch("fonds-vert", "--year", "2019")
    assert status == 2 and "aucun fichier « fonds-vert 2019 »" in err and titles[0] in err
    assert fetch("flores", "--year", "2019")[0] == 2


def test_the_portal_s_checksum(server: Server, fetch: Fetch, tmp_path: Path) -> None:
    title = "liste-ti-com2023.csv"
    for value, status in ((hashlib.sha1(BODY).hexdigest(), 0), ("0" * 40, 2)):
        portal(
            server, "programme-territoires-dindustrie", {"title": title, "checksum": {"type": "sha1", "value": value}}
        )
        found, _, err = fetch("ti-communes", "--refresh")
        assert found == status
    assert "sha1 différente" in err and "est toujours" not in err and title in files(tmp_path)  # the good copy stays
    assert "reste là" in err


TRUNCATED, PAGE = Answer(promised=1000), Answer(b"<html>", headers={"Content-Type": "text/html; charset=utf-8"})
CUT = Answer(b"5\r\nabc", headers={"Transfer-Encoding": "chunked"}, promised=None)


@pytest.mark.parametrize(("answer", "options", "said"), [
    (Answer(status=404), (), "n'est plus à cette adresse"),
    (Answer(status=500), (), "le serveur répond 500"),
    (TRUNCATED, (), f"tronqué : {len(BODY)} octets reçus sur 1000"),
    (CUT, (), "interrompu"),
    (PAGE, (), "page web"),
    (Answer(b""), (), "fichier vide"),
    (Answer(b"x" * 2000), (), "refusé"),
    (Answer(b"x" * 2000, promised=None), (), "refusé"),
    (Answer(), ("--sha256", "00"), "somme de contrôle"),
    (Answer(status=302, headers={"Location": "http://example.org/file.zip"}), (), "https est exigé"),
    (Answer(status=302, headers={"Location": "ftp://example.org/file.zip"}), (), "https est exigé"),
    (Answer(status=302, headers={"Location": "file:///etc/passwd"}), (), "redirection refusée"),
    (Answer(status=302, headers={"Location": FLORES}), (), "redirection refusée"),  # for ever
])  # fmt: skip
@pytest.mark.parametrize("before", [False, True])
def test_whole_or_not_at_all(
    server: Server, fetch: Fetch, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer, options: tuple[str, ...],
    said: str, before: bool,
) -> None:  # fmt: skip
    monkeypatch.setattr(fetching, "LARGEST", 1500)
    if before:
        server.answers[FLORES] = Answer(b"good")
        assert fetch("flores")[0] == 0
    kept = files(tmp_path)
    server.answers[FLORES] = answer
    status, out, err = fetch("flores", "--refresh", *options)
    assert (status, out) == (2, "") and said in err, err
    assert files(tmp_path) == kept  # nothing in parts, nothing lost
    if before:
        assert "reste là" in err and (tmp_path / "cache/allocator/flores/DS_FLORES_A5_2024.zip").read_bytes() == b"good"


def test_a_redirection_within_https(server: Server, fetch: Fetch) -> None:
    server.answers[FLORES] = Answer(status=302, headers={"Location": "https://cdn.insee.fr/f.zip"})
    server.answers["/cdn.insee.fr/f.zip"] = Answer()
    assert json.loads(fetch("flores", "--json")[1])["bytes"] == len(BODY)


def test_ctrl_c_leaves_nothing(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    server.answers[FLORES] = Answer()

    def pressed(*_: Any) -> Iterator[bytes]:
        yield b"begin"
        raise KeyboardInterrupt

    monkeypatch.setattr(fetching, "_chunks", pressed)
    with pytest.raises(KeyboardInterrupt):
        fetching.fetch("flores")
    assert files(tmp_path) == []


@pytest.mark.parametrize("what", ["refused", "silent", "unknown"])
def test_no_network(server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, what: str) -> None:
    import socket

    def failing(*_: Any, **__: Any) -> Any:
        raise {"refused": ConnectionRefusedError(111, "refused"), "silent": TimeoutError("timed out"),
               "unknown": socket.gaierror(-2, "Name or service not known")}[what]  # fmt: skip

    monkeypatch.setattr(socket, "create_connection", failing)
    status, _, err = fetch("cartofriches")
    assert status == 2 and ("pas de réponse" in err if what == "silent" else "pas de réseau" in err)
    assert "allocator import" in err and files(tmp_path) == []


def test_names(fetch: Fetch) -> None:
    status, _, err = fetch("cartofriche")
    assert status == 2 and "cartofriches" in err
    status, _, err = fetch("pabulib")
    assert status == 2 and "pabulib.org" in err and "à la main" in err.lower()


@pytest.mark.parametrize("text", [b"", b"[]", b"{}", b'{"resources": 3}', b'{"resources": [3]}', b'{"resources": []}',
                                  b'{"resources": [{"title": null, "url": null}]}'])  # fmt: skip
def test_an_odd_portal(server: Server, fetch: Fetch, text: bytes) -> None:
    server.answers[f"{PORTAL}sites-references-dans-cartofriches/"] = Answer(text)
    status, _, err = fetch("cartofriches")
    assert status == 2 and err


def test_a_cache_that_cannot_be_written(
    server: Server, fetch: Fetch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    server.answers[FLORES] = Answer()
    status, _, err = fetch("flores")
    assert status == 2 and "impossible d'écrire" in err
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    status, _, err = fetch("flores", "--out", str(tmp_path / "file"))
    assert status == 2 and "impossible d'écrire" in err

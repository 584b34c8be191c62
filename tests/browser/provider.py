"""A small identity provider (OpenID Connect), for tests: it lets in whoever it was told to, without asking."""

from __future__ import annotations

import base64
import json
import secrets
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT, SECRET = "allocator", "loin-de-tout-regard-0123456789abcdef"


class Provider:
    """`claims`: of whoever signs in next."""

    def __init__(self) -> None:
        self.claims: dict[str, Any] = {}
        self.key = RSAKey.generate_key(2048, {"kid": "k", "use": "sig", "alg": "RS256"})
        self._given: dict[str, tuple[str, dict[str, Any]]] = {}
        provider = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked = urlsplit(self.path)
                provider._get(self, asked.path, {name: said[0] for name, said in parse_qs(asked.query).items()})

            def do_POST(self) -> None:
                said = self.rfile.read(int(self.headers["Content-Length"])).decode()
                provider._token(self, {name: each[0] for name, each in parse_qs(said).items()})

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self._server.server_port}"
        self.address = f"http://{self.host}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def secrets(self, to: str) -> str:
        """What the server at this address is to be told: its secrets.toml."""
        return (
            f'[auth]\nredirect_uri = "{to}/oauth2callback"\ncookie_secret = "{secrets.token_hex(32)}"\n'
            f'client_id = "{CLIENT}"\nclient_secret = "{SECRET}"\n'
            f'server_metadata_url = "{self.address}/.well-known/openid-configuration"\n'
        )

    def _get(self, to: BaseHTTPRequestHandler, path: str, said: dict[str, str]) -> None:
        if path == "/.well-known/openid-configuration":
            _json(to, {
                "issuer": self.address, "authorization_endpoint": f"{self.address}/authorize",
                "token_endpoint": f"{self.address}/token", "jwks_uri": f"{self.address}/keys",
                "response_types_supported": ["code"], "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            })  # fmt: skip
        elif path == "/keys":
            _json(to, {"keys": [self.key.as_dict(private=False)]})
        elif path == "/authorize":
            code = secrets.token_hex(8)
            self._given[code] = (said.get("nonce", ""), dict(self.claims))
            to.send_response(302)
            to.send_header("Location", f"{said['redirect_uri']}?{urlencode({'code': code, 'state': said['state']})}")
            to.end_headers()
        else:
            to.send_error(404)

    def _token(self, to: BaseHTTPRequestHandler, said: dict[str, str]) -> None:
        basic = to.headers.get("Authorization", "").removeprefix("Basic ")
        if base64.b64decode(basic).decode() != f"{CLIENT}:{SECRET}" and said.get("client_secret") != SECRET:
            to.send_error(401)
            return
        nonce, claims = self._given.pop(said["code"])
        now = int(time.time())
        given = {"iss": self.address, "aud": CLIENT, "sub": "1", "iat": now, "exp": now + 600, "nonce": nonce, **claims}
        token = jwt.encode({"alg": "RS256", "kid": "k"}, given, self.key)
        _json(to, {"access_token": "a", "token_type": "Bearer", "expires_in": 600, "id_token": token})


def _json(to: BaseHTTPRequestHandler, said: Any) -> None:
    body = json.dumps(said).encode()
    to.send_response(200)
    to.send_header("Content-Type", "application/json")
    to.send_header("Content-Length", str(len(body)))
    to.end_headers()
    to.wfile.write(body)

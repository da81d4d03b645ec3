"""An OpenID Connect provider that tests run themselves: honest, unless it is told how to lie.

Discovery, keys, authorisation code with PKCE, ID tokens signed with a real RSA key, user info. A
code is bound to client, address and challenge, and works once.
"""

from __future__ import annotations

import base64
import hmac
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "the-monitor", "a secret between the two"
Claims = dict[str, Any]
LONG = 64 * 1024 * 1024  # bytes
BLANKS = b" " * 64 * 1024


@dataclass
class Lies:
    """What the provider does wrong; nothing, as it begins."""

    claims: Claims = field(default_factory=dict)  # put over the honest ones; None takes one away
    algorithm: str = "RS256"  # "none": no signature; "HS256": signed with the public key's text
    key: RSAKey | None = None  # another than the published one
    userinfo: Claims = field(default_factory=dict)
    issuer_of_discovery: str = ""
    discovery: Claims = field(default_factory=dict)
    refuse: str = ""  # an error at the authorisation endpoint
    long: Mapping[str, int] = field(default_factory=dict)  # path: status of a very long answer


class Provider:
    """The provider's memory, and what it says."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.lies = Lies()
        self.person: Claims = {"sub": "248289761001"}
        self.told: Claims = {}  # further claims, by user info alone
        self.key = first_key()
        self.codes: dict[str, dict[str, str]] = {}
        self.requests: list[str] = []
        self.sent_blanks = 0  # of long answers
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.server.daemon_threads = True

    @property
    def issuer(self) -> str:
        """Return the provider's name, which is its address."""
        return f"http://127.0.0.1:{self.server.server_port}"

    def turn_key(self) -> None:
        """Sign with a new key from now on, and publish that one alone."""
        self.key = RSAKey.generate_key(2048, {"kid": secrets.token_hex(4)}, private=True)

    def authorize(self, url: str) -> str:
        """Return where the browser is sent back to; the person agrees to everything."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["client_id"] == CLIENT_ID
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        if self.lies.refuse:
            said = {"error": self.lies.refuse, "state": asked["state"]}
        else:
            code = secrets.token_urlsafe(16)
            self.codes[code] = asked
            said = {"code": code, "state": asked["state"]}
        return f"{asked['redirect_uri']}?{urlencode(said)}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, Claims]:
        """Return the tokens for a code."""
        asked = self.codes.pop(form.get("code", ""), None)
        shown = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if authorization != f"Basic {shown}":
            return 401, {"error": "invalid_client"}
        challenge = sha256(form.get("code_verifier", "").encode()).digest()
        proven = base64.urlsafe_b64encode(challenge).rstrip(b"=").decode()
        if asked is None or asked["code_challenge"] != proven:
            return 400, {"error": "invalid_grant"}
        if asked["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        token = self.id_token(asked["nonce"])
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": token}

    def id_token(self, nonce: str) -> str:
        """Return a signed statement of who somebody is."""
        now = self.now()
        honest = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": int(now.timestamp()),
            "exp": int((now + timedelta(minutes=5)).timestamp()),
            "nonce": nonce,
            **self.person,
        }
        claims = {k: v for k, v in {**honest, **self.lies.claims}.items() if v is not None}
        header = {"alg": self.lies.algorithm, "kid": str(self.key.kid)}
        if self.lies.algorithm == "none":
            return ".".join((_part(header), _part(claims), ""))
        if self.lies.algorithm == "HS256":
            signed = f"{_part(header)}.{_part(claims)}"
            mac = hmac.digest(self.key.as_pem(private=False), signed.encode(), "sha256")
            return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"
        return jwt.encode(header, claims, self.lies.key or self.key)

    def get(self, path: str) -> tuple[int, Claims]:
        """Return what an address answers to a GET."""
        self.requests.append(path)
        if path == "/.well-known/openid-configuration":
            honest = {
                "issuer": self.lies.issuer_of_discovery or self.issuer,
                "authorization_endpoint": f"{self.issuer}/authorize",
                "token_endpoint": f"{self.issuer}/token",
                "userinfo_endpoint": f"{self.issuer}/userinfo",
                "jwks_uri": f"{self.issuer}/keys",
                "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            }
            return 200, {**honest, **self.lies.discovery}
        if path == "/keys":
            return 200, {"keys": [self.key.as_dict(private=False)]}
        if path == "/userinfo":
            return 200, {"sub": self.person["sub"], **self.told, **self.lies.userinfo}
        return 404, {}


@cache
def first_key() -> RSAKey:
    """Return the key that providers begin with; making one takes a while."""
    return RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}, private=True)


def _part(value: Claims) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def _handler(provider: Provider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/authorize?"):
                self.send_response(302)
                self.send_header("Location", provider.authorize(self.path))
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            self.answer(*provider.get(self.path))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            shown = self.headers.get("Authorization", "")
            self.answer(*provider.token(dict(parse_qsl(body)), shown))

        def answer(self, status: int, told: Claims) -> None:
            body = json.dumps(told).encode()
            if self.path in provider.lies.long:
                self.answer_at_length(provider.lies.long[self.path], body)
                return
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def answer_at_length(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            with suppress(ConnectionError):
                self.wfile.write(body)
                while provider.sent_blanks < LONG:
                    provider.sent_blanks += self.wfile.write(BLANKS)

        def log_message(self, *_arguments: Any) -> None:
            """Say nothing."""

    return Handler


@contextmanager
def running_provider(now: Callable[[], datetime]) -> Iterator[Provider]:
    """Run a provider on a free port; `now` is its clock."""
    provider = Provider(now)
    thread = threading.Thread(target=provider.server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield provider
    provider.server.shutdown()
    provider.server.server_close()
    thread.join()

"""OpenID Connect as a client: to the provider and back with a checked identity, or a reason.

Authorization code with PKCE (S256), state and nonce; addresses from the provider's discovery
document; ID tokens by asymmetric signature only, checked for signature, issuer, audience, time and
nonce (OpenID Connect Core 1.0 § 3.1.3.7). Who that is here is told by
`monitor.accounts.openid_people`. The libraries cost every start time and memory: this module is
loaded only where there is a provider.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BytesIO
from threading import Lock
from typing import Any

import requests
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from monitor.accounts.openid import OpenIdError, Trip
from monitor.config.sign_in import DISCOVERY, OpenId, safe_provider_url
from monitor.fetching import Straight, Unanswered, read_body

TIMEOUT_SECONDS = 8.0
LARGEST_ANSWER = 1024 * 1024  # bytes
KEPT_FOR = timedelta(hours=1)  # discovery and keys; keys are also fetched for one not known
KEYS_AT_MOST_EVERY = timedelta(seconds=30)
AWAY_FOR = timedelta(seconds=10)  # as long as nobody waits again for a provider that is away
PATIENCE_SECONDS = 1.0  # for another thread that is asking: the web has only so many threads
LEEWAY_SECONDS = 60  # between the provider's clock and ours
ALGORITHMS = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
KEY_TYPES = ("RSA", "EC", "OKP")
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
ODD = (TypeError, AttributeError, OverflowError, RecursionError)
"""What the library raises where a provider's answer has values of other kinds than it expects."""
UNREACHABLE = "The sign-in provider cannot be reached now. Try again, or use your password."
UNTRUSTED = "What the sign-in provider sent could not be verified, so you were not signed in."


@dataclass
class _Known:
    """What was fetched from the provider, and when."""

    metadata: Mapping[str, Any]
    metadata_at: datetime
    keys: KeySet | None = None
    keys_at: datetime | None = None


class Provider:
    """One configured provider; remembers its addresses and keys for a while."""

    def __init__(self, settings: OpenId, client_secret: Callable[[], str]) -> None:
        self.settings = settings
        self._client_secret = client_secret
        self._known: _Known | None = None
        self._away_at: datetime | None = None
        self._lock = Lock()

    def way_there(self, trip: Trip, redirect_uri: str, now: datetime) -> str:
        """Return the address to send the browser to.

        Raises:
            OpenIdError: the provider cannot be reached or is not what it should be.
        """
        metadata = self._metadata(now)
        url, _ = self._session(metadata, redirect_uri).create_authorization_url(
            metadata["authorization_endpoint"],
            state=trip.state,
            nonce=trip.nonce,
            code_verifier=trip.verifier,
        )
        return str(url)

    def claims(
        self, code: str, trip: Trip, redirect_uri: str, answered_by: str, now: datetime
    ) -> Mapping[str, Any]:
        """Return what the provider says of whoever came back with `code`.

        `answered_by` is the `iss` of the answer (RFC 9207), empty where it had none.

        Raises:
            OpenIdError: the code is no good, or what came for it could not be verified.
        """
        metadata = self._metadata(now)
        named = metadata.get("authorization_response_iss_parameter_supported", False)
        if (answered_by or named) and answered_by != self.settings.issuer:
            raise OpenIdError(UNTRUSTED, f"answered by another issuer: {answered_by[:200]!r}")
        session = self._session(metadata, redirect_uri)
        session.register_compliance_hook("access_token_response", _bounded(time.monotonic()))
        try:
            token = session.fetch_token(
                metadata["token_endpoint"], code=code, code_verifier=trip.verifier, stream=True
            )
        except Unanswered as error:
            raise OpenIdError(UNREACHABLE, f"token: {error}") from error
        except AuthlibBaseError as error:
            raise OpenIdError(UNTRUSTED, f"the code was refused: {error.error}") from error
        except (requests.RequestException, ValueError, *ODD) as error:
            raise OpenIdError(UNREACHABLE, f"token: {type(error).__name__}") from error
        claims = self._verified(token, trip.nonce, metadata, now)
        return {**self._userinfo(session, metadata, str(claims["sub"])), **claims}

    def _verified(
        self, token: Mapping[str, Any], nonce: str, metadata: Mapping[str, Any], now: datetime
    ) -> Mapping[str, Any]:
        id_token = token.get("id_token")
        if not isinstance(id_token, str):
            raise OpenIdError(UNTRUSTED, "no id_token in the provider's answer")
        offered = _names(metadata, "id_token_signing_alg_values_supported", "RS256")
        algorithms = sorted(ALGORITHMS & offered)
        try:
            decoded = self._decoded(id_token, algorithms, now)
            claims = CodeIDToken(
                decoded.claims,
                decoded.header,
                options={
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                },
                params={
                    "nonce": nonce,
                    "client_id": self.settings.client_id,
                    "access_token": token.get("access_token"),
                },
            )
            claims.validate(now=int(now.timestamp()), leeway=LEEWAY_SECONDS)
        except (JoseError, AuthlibBaseError, ValueError, KeyError, *ODD) as error:
            detail = f"id_token: {type(error).__name__}: {error}"
            raise OpenIdError(UNTRUSTED, detail[:300]) from error
        if not isinstance(claims.get("sub"), str) or not 0 < len(claims["sub"]) <= 255:
            raise OpenIdError(UNTRUSTED, "id_token: no usable sub")
        return dict(claims)

    def _decoded(self, id_token: str, algorithms: list[str], now: datetime) -> jwt.Token:
        """Return the token, signature checked; an unknown key is looked for at the provider."""
        try:
            return jwt.decode(id_token, self._keys(now), algorithms=algorithms)
        except (JoseError, ValueError) as error:
            fetched = self._known.keys_at if self._known else None
            if fetched is not None and now - fetched < KEYS_AT_MOST_EVERY:
                raise
            del error
        return jwt.decode(id_token, self._keys(now, again=True), algorithms=algorithms)

    def _userinfo(
        self, session: OAuth2Session, metadata: Mapping[str, Any], subject: str
    ) -> Mapping[str, Any]:
        """Return what the provider tells beside the token; of another subject it counts nothing."""
        url = metadata.get("userinfo_endpoint")
        if not isinstance(url, str):
            return {}
        told = _json(session, safe_endpoint(url), "userinfo")
        if told.get("sub") != subject:
            raise OpenIdError(UNTRUSTED, "userinfo is of another subject")
        return told

    @contextmanager
    def _asking(self, now: datetime) -> Iterator[None]:
        """Have one thread at a time ask the provider; while it is away all others are told soon.

        Raises:
            OpenIdError: it was away just now, or is slow to answer somebody else.
        """
        if not self._lock.acquire(timeout=PATIENCE_SECONDS):
            raise OpenIdError(UNREACHABLE, "slow to answer")
        try:
            if self._away_at is not None and now - self._away_at < AWAY_FOR:
                raise OpenIdError(UNREACHABLE, "away just now")
            try:
                yield
            except OpenIdError:
                self._away_at = now
                raise
        finally:
            self._lock.release()

    def _metadata(self, now: datetime) -> Mapping[str, Any]:
        with self._asking(now):
            known = self._known
            if known is not None and now - known.metadata_at < KEPT_FOR:
                return known.metadata
            issuer = self.settings.issuer
            with Straight() as session:
                told = _json(session, issuer.rstrip("/") + DISCOVERY, "discovery")
            if told.get("issuer") != issuer:
                said = str(told.get("issuer"))[:200]
                raise OpenIdError(UNREACHABLE, f"discovery names another issuer: {said!r}")
            for name in ENDPOINTS:
                safe_endpoint(told.get(name))
            self._known = _Known(told, now)
            return told

    def _keys(self, now: datetime, *, again: bool = False) -> KeySet:
        metadata = self._metadata(now)
        with self._asking(now):
            known = self._known
            assert known is not None
            fresh = known.keys_at is not None and now - known.keys_at < KEPT_FOR
            if known.keys is None or again or not fresh:
                with Straight() as session:
                    told = _json(session, metadata["jwks_uri"], "keys")
                listed = told.get("keys")
                listed = listed if isinstance(listed, list) else []
                keys = [key for key in listed if isinstance(key, dict) and _signs(key)]
                known.keys = KeySet.import_key_set({"keys": keys})
                known.keys_at = now
            return known.keys

    def _session(self, metadata: Mapping[str, Any], redirect_uri: str) -> OAuth2Session:
        secret = self._client_secret()
        offered = _names(metadata, "token_endpoint_auth_methods_supported", "client_secret_basic")
        basic = "client_secret_basic" in offered
        shown = "client_secret_basic" if basic else "client_secret_post"
        session = OAuth2Session(
            client_id=self.settings.client_id,
            client_secret=secret or None,
            token_endpoint_auth_method=shown if secret else "none",
            scope=" ".join(self.settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            default_timeout=TIMEOUT_SECONDS,
            leeway=0,  # some providers' tokens last for a minute, and it is used at once
        )
        # What is sent with a secret goes where it was sent, as with a `Straight` session.
        session.get_redirect_target = lambda _answer: None
        return session


def safe_endpoint(url: object) -> str:
    """Return an address of the discovery document.

    Raises:
        OpenIdError: it is none, or what is sent there could be read on the way.
    """
    try:
        return safe_provider_url(str(url))
    except ValueError as error:
        raise OpenIdError(UNREACHABLE, f"an address that is not safe: {url!r:.200}") from error


def _names(metadata: Mapping[str, Any], field: str, default: str) -> frozenset[str]:
    """Return what a provider says it can; without a list of names, the default alone."""
    listed = metadata.get(field)
    if not isinstance(listed, list):
        return frozenset({default})
    return frozenset(name for name in listed if isinstance(name, str))


def _signs(key: Mapping[str, Any]) -> bool:
    return key.get("kty") in KEY_TYPES and key.get("use", "sig") == "sig"


def _bounded(began: float) -> Callable[[requests.Response], requests.Response]:
    """Return what makes a whole answer of one that is still to be read, asked for at `began`.

    Raises, where it is called:
        Unanswered: it is too long, or takes too long.
    """

    def whole(answer: requests.Response) -> requests.Response:
        with answer:
            body = read_body(answer, began + TIMEOUT_SECONDS, TIMEOUT_SECONDS, LARGEST_ANSWER)
        read = requests.Response()
        read.status_code, read.url, read.reason = answer.status_code, answer.url, answer.reason
        read.raw = BytesIO(body)
        return read

    return whole


def _json(session: requests.Session, url: str, what: str) -> Mapping[str, Any]:
    """Return the JSON object at an address."""
    try:
        with session.get(url, timeout=TIMEOUT_SECONDS, stream=True) as answer:
            if answer.status_code != 200:
                raise OpenIdError(UNREACHABLE, f"{what}: status {answer.status_code}")
            ends = time.monotonic() + TIMEOUT_SECONDS
            body = read_body(answer, ends, TIMEOUT_SECONDS, LARGEST_ANSWER)
        told = json.loads(body)
    except Unanswered as error:
        raise OpenIdError(UNREACHABLE, f"{what}: {error}") from error
    except (requests.RequestException, AuthlibBaseError, ValueError, *ODD) as error:
        raise OpenIdError(UNREACHABLE, f"{what}: {type(error).__name__}") from error
    if not isinstance(told, dict):
        raise OpenIdError(UNREACHABLE, f"{what}: no JSON object")
    return told

"""A provider may answer anything at all: an identity that is proved, or a refusal in words."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws, jwt

from monitor.accounts.openid import OpenIdError, Trip
from monitor.accounts.openid_people import person_of
from monitor.accounts.openid_provider import Provider
from monitor.config.sign_in import OpenId
from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from tests.hostile import VALUES, bodies, broken
from tests.oidc import first_key

NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ISSUER = "https://id.test"
OPENID = OpenId.model_validate(
    {
        "issuer": ISSUER,
        "client_id": "the-monitor",
        "unknown_people": "create",
        "default_role": "viewer",
        "link_by_email": True,
        "roles": {"ops": "responder"},
    }
)
TRIP = Trip(state="state", nonce="nonce", verifier="v" * 43)
SECONDS = int(NOW.timestamp())
DISCOVERY = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/who",
    "id_token_signing_alg_values_supported": ["RS256"],
    "token_endpoint_auth_methods_supported": ["client_secret_basic"],
    "authorization_response_iss_parameter_supported": False,
}
CLAIMS = {
    "iss": ISSUER,
    "aud": "the-monitor",
    "sub": "ann",
    "nonce": "nonce",
    "iat": SECONDS,
    "exp": SECONDS + 300,
    "email": "ann@shop.test",
    "email_verified": True,
    "preferred_username": "ann",
    "groups": ["ops"],
}
HEADER = {"alg": "RS256", "kid": first_key().kid}
KEYS = {"keys": [first_key().as_dict(private=False)]}


def signed(claims: Any) -> str:
    """Return claims as an ID token with the provider's own signature."""
    return jwt.encode(HEADER, claims, first_key(), algorithms=["RS256"])


TOKEN = {"access_token": "a", "token_type": "Bearer", "id_token": signed(CLAIMS), "expires_in": 60}
PERSON = {"sub": "ann", "groups": ["ops"], "name": "Ann"}
GOOD: dict[str, bytes] = {
    path: json.dumps(said).encode()
    for path, said in {
        "/.well-known/openid-configuration": DISCOVERY,
        "/keys": KEYS,
        "/token": TOKEN,
        "/who": PERSON,
    }.items()
}


def there_and_back(answers: dict[str, bytes]) -> Any:
    """Return the claims of whoever comes back, from a provider whose paths answer so."""

    def send(
        _: requests.adapters.HTTPAdapter, request: requests.PreparedRequest, **__: Any
    ) -> requests.Response:
        answer = requests.Response()
        answer.status_code, answer.request, answer.url = 200, request, str(request.url)
        answer.headers["Content-Type"] = "application/json"
        answer.raw = _Raw(answers[urlsplit(answer.url).path])
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(requests.adapters.HTTPAdapter, "send", send)
        provider = Provider(OPENID, lambda: "secret")
        provider.way_there(TRIP, "https://monitor.test/back", NOW)
        return provider.claims("code", TRIP, "https://monitor.test/back", "", NOW)


class _Raw:
    """A body that is read as urllib3's."""

    def __init__(self, body: bytes) -> None:
        self._left = body

    def read(self, amount: int, **_: object) -> bytes:
        """Return the next bytes."""
        said, self._left = self._left[:amount], self._left[amount:]
        return said

    def stream(self, amount: int, **_: object) -> Any:
        """Yield the body."""
        yield self.read(len(self._left))

    def close(self) -> None:
        """Hold nothing."""

    release_conn = close


def test_an_honest_provider_is_believed(sqlite_store: Store) -> None:
    """What the cases below break is right as it stands."""
    claims = there_and_back(GOOD)
    assert person_of(sqlite_store, OPENID, claims, NOW).role == "responder"


@settings(deadline=None)
@given(path=st.sampled_from(sorted(GOOD)), data=st.data())
def test_any_answer_is_believed_or_refused(path: str, data: st.DataObject) -> None:
    """Discovery, keys, token or user info: near a good one, any JSON, or any bytes."""
    answer = data.draw(bodies(json.loads(GOOD[path])))
    with suppress(OpenIdError):
        there_and_back({**GOOD, path: answer})


@settings(deadline=None)
@given(broken(CLAIMS).filter(lambda claims: isinstance(claims, dict)))
def test_any_claims_with_a_good_signature_are_believed_or_refused(claims: Any) -> None:
    """A provider that is itself beside itself; who is believed is who the token names."""
    token = {**TOKEN, "id_token": _signed_as_is(claims)}
    with suppress(OpenIdError):
        told = there_and_back({**GOOD, "/token": json.dumps(token).encode()})
        assert told["sub"] == claims["sub"] == "ann"
        assert told["nonce"] == "nonce"


def _signed_as_is(claims: Any) -> str:
    """Sign what a library for honest people would not."""
    return jws.serialize_compact(HEADER, json.dumps(claims).encode(), first_key(), ["RS256"])


@settings(
    deadline=None,
    max_examples=50,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(extra=st.fixed_dictionaries({}, optional=dict.fromkeys(sorted(CLAIMS), VALUES)))
def test_any_person_has_an_account_or_is_refused(sqlite_url: str, extra: dict[str, Any]) -> None:
    """Whatever a provider calls somebody: names, groups, addresses of any kind."""
    store = Store(open_engine(sqlite_url))
    try:
        claims = {**CLAIMS, **extra, "iss": ISSUER, "sub": "ann"}
        with suppress(OpenIdError):
            person_of(store, OPENID, claims, NOW)
    finally:
        store.close()

"""Signing in through a provider: `pages.openid`, `monitor.accounts.openid` and `.openid_people`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests
from fastapi.testclient import TestClient
from httpx2 import Response
from joserfc.jwk import RSAKey

from monitor.accounts.contact import Contact, save_contact
from monitor.accounts.people import add_user, known_user, shut_account
from monitor.config.sign_in import OpenId, SignIn
from monitor.storage.store import Store
from monitor.storage.users import all_users
from monitor.web.pages.openid import LASTS, PATH
from monitor.web.permissions import Role
from monitor.web.sessions import COOKIE
from probes.secrets import EnvironmentSecrets
from tests.monitor.web.authenticator import csrf_of, enrol
from tests.monitor.web.builders import Web, services, sign_in
from tests.monitor.web.town import words
from tests.oidc import CLIENT_ID, CLIENT_SECRET, LONG, Provider, running_provider

ANN = {"preferred_username": "Ann", "email": "Ann@shop.example", "email_verified": True}


@pytest.fixture
def shop(sqlite_store: Store) -> Web:
    """A monitor that knows the secret it shares with the provider."""
    secrets = EnvironmentSecrets({"MONITOR_SECRET_OIDC": CLIENT_SECRET})
    return Web(services(sqlite_store, secrets=secrets))


@pytest.fixture
def provider(shop: Web) -> Iterator[Provider]:
    """A provider with the monitor's clock, that creates viewers."""
    with running_provider(shop.now) as provider:
        provider.person.update(ANN)
        configure(shop, provider)
        yield provider


def configure(web: Web, provider: Provider, **changes: Any) -> None:
    """Have the monitor configured for the provider."""
    usual = {"unknown_people": "create", "default_role": "viewer"}
    secret = {"client_id": CLIENT_ID, "client_secret": "${secret:OIDC}"}
    openid = OpenId.model_validate({"issuer": provider.issuer, **secret, **usual, **changes})
    holder: Any = web.services.configuration
    holder.current = replace(holder.current, sign_in=SignIn(openid=openid))


def go(client: TestClient, next_: str = "/console") -> str:
    """Go to the provider and return the address it sends back to."""
    begun = client.get(PATH, params={"next": next_})
    assert begun.status_code == 303, begun.text
    answer = requests.get(begun.headers["location"], allow_redirects=False, timeout=5)
    return answer.headers["location"]


def back(client: TestClient, address: str, **changes: str) -> Response:
    """Come back from the provider, perhaps with something changed on the way."""
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    return client.get(f"{PATH}/callback?{urlencode({**asked, **changes})}")


def signed_in(client: TestClient, **changes: str) -> Response:
    """Sign in through the provider."""
    return back(client, go(client), **changes)


def assert_refused(client: TestClient, answer: Response, told: str) -> None:
    """The person reads why, and nobody is signed in."""
    assert answer.status_code == 403
    assert told in words(answer.text)
    assert COOKIE not in client.cookies
    assert client.get("/console/account").status_code == 303


def test_the_way_through_the_provider_leads_to_the_page_asked_for(
    shop: Web, provider: Provider
) -> None:
    """A new person gets an account that is called as at the provider, and is the same next time."""
    client = shop.client()
    assert PATH in client.get("/console/sign-in?next=/console/incidents").text
    answer = back(client, go(client, "/console/incidents"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/incidents")
    known = known_user(shop.services.store, "ann")
    assert (known.role, known.email) == ("viewer", "ann@shop.example")
    provider.person["preferred_username"] = "married"
    assert signed_in(shop.client()).status_code == 303
    with shop.services.store.read() as connection:
        assert [user.name for user in all_users(connection)] == ["ann"]


LIES: dict[str, dict[str, Any]] = {
    "wrong nonce": {"nonce": "another"},
    "no nonce": {"nonce": None},
    "wrong issuer": {"iss": "https://evil.example"},
    "another's token": {"aud": "another-client"},
    "several audiences, none authorised": {"aud": [CLIENT_ID, "another"], "azp": "another"},
    "expired": {"exp": 1_700_000_000},
    "no expiry": {"exp": None},
    "no subject": {"sub": None},
    "empty subject": {"sub": ""},
    "of the future": {"nbf": 4_000_000_000},
    "of another access token": {"at_hash": "bm90IGl0cyBoYXNoIQ"},
}


@pytest.mark.parametrize("lie", LIES)
def test_a_token_that_does_not_fit_signs_nobody_in(shop: Web, provider: Provider, lie: str) -> None:
    """However well it is signed."""
    provider.lies.claims = LIES[lie]
    client = shop.client()
    assert_refused(client, signed_in(client), "could not be verified")


@pytest.mark.parametrize("algorithm", ["none", "HS256"])
def test_a_token_without_the_providers_signature_signs_nobody_in(
    shop: Web, provider: Provider, algorithm: str
) -> None:
    """Neither without one, nor with the public key taken for a shared secret."""
    provider.lies.algorithm = algorithm
    client = shop.client()
    assert_refused(client, signed_in(client), "could not be verified")


def test_a_token_signed_by_somebody_else_signs_nobody_in(shop: Web, provider: Provider) -> None:
    """Even under the name of the right key."""
    provider.lies.key = RSAKey.generate_key(2048, {"kid": "one"}, private=True)
    client = shop.client()
    assert_refused(client, signed_in(client), "could not be verified")


@pytest.mark.parametrize(("seconds", "status"), [(359, 303), (361, 403)])
def test_clocks_may_differ_by_a_minute(
    shop: Web, provider: Provider, seconds: int, status: int
) -> None:
    """A token of five minutes is taken for six, and not for more."""
    early = shop.now() - timedelta(seconds=seconds)
    provider.now = lambda: early
    assert signed_in(shop.client()).status_code == status


def test_who_comes_back_with_another_state_is_not_let_in(shop: Web, provider: Provider) -> None:
    """An attacker cannot have a browser finish a sign-in that he began."""
    victim, attacker = shop.client(), shop.client()
    go(victim)
    assert_refused(victim, back(victim, go(attacker)), "not begun in this browser")


def test_a_browser_that_began_nothing_is_not_let_in(shop: Web, provider: Provider) -> None:
    """A link with somebody's code signs nobody in as him."""
    address, victim = go(shop.client()), shop.client()
    assert_refused(victim, back(victim, address), "not begun in this browser")


def test_a_code_is_good_once(shop: Web, provider: Provider) -> None:
    """Whoever finds the address in a history comes too late, at us and at the provider."""
    client = shop.client()
    address = go(client)
    assert back(client, address).status_code == 303
    stranger = shop.client()
    assert_refused(stranger, back(stranger, address), "not begun in this browser")
    old_code = parse_qs(urlsplit(address).query)["code"][0]
    assert_refused(stranger, signed_in(stranger, code=old_code), "could not be verified")


def test_a_code_of_another_browser_does_not_fit(shop: Web, provider: Provider) -> None:
    """The provider gives nothing for it without the secret of the browser that asked (PKCE)."""
    stolen = parse_qs(urlsplit(go(shop.client())).query)["code"][0]
    thief = shop.client()
    assert_refused(thief, signed_in(thief, code=stolen), "could not be verified")


def test_who_stays_away_too_long_begins_again(shop: Web, provider: Provider) -> None:
    """What was begun ends after ten minutes."""
    client = shop.client()
    address = go(client)
    shop.clock.advance(LASTS.total_seconds())
    assert_refused(client, back(client, address), "took too long")


def test_an_answer_in_another_issuers_name_is_refused(shop: Web, provider: Provider) -> None:
    """Providers cannot be mixed up (RFC 9207)."""
    client = shop.client()
    answer = signed_in(client, iss="https://evil.example")
    assert_refused(client, answer, "could not be verified")


def test_what_the_provider_refuses_is_told(shop: Web, provider: Provider) -> None:
    """In words, not in the protocol's."""
    provider.lies.refuse = "access_denied"
    client = shop.client()
    assert_refused(client, signed_in(client), "did not sign you in")


def test_user_info_of_another_person_is_refused(shop: Web, provider: Provider) -> None:
    """Groups and addresses of somebody else are not taken for one's own (Core § 5.3.2)."""
    provider.lies.userinfo = {"sub": "somebody else"}
    client = shop.client()
    assert_refused(client, signed_in(client), "could not be verified")


@pytest.mark.parametrize(
    "lie",
    [
        {"issuer": "https://evil.example"},
        {"token_endpoint": "http://192.0.2.1/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": None},
    ],
)
def test_a_discovery_that_is_not_safe_leads_nowhere(
    shop: Web, provider: Provider, lie: dict[str, Any]
) -> None:
    """Nothing is sent to an address where others could read it."""
    provider.lies.discovery = lie
    answer = shop.client().get(PATH)
    assert answer.status_code == 403
    assert "cannot be reached" in answer.text


@pytest.mark.parametrize("path", ["/token", "/keys", "/userinfo"])
@pytest.mark.parametrize("status", [200, 302, 400])
def test_an_answer_without_end_is_not_read_to_its_end(
    shop: Web, provider: Provider, path: str, status: int
) -> None:
    """Neither one that would be good, nor what comes with a redirect or a refusal."""
    provider.lies.long = {path: status}
    client = shop.client()
    assert_refused(client, signed_in(client), "cannot be reached")
    assert provider.sent_blanks < LONG / 2


def test_a_provider_that_is_away_leaves_the_password(shop: Web, provider: Provider) -> None:
    """The page says what to do instead, and still has its form."""
    configure(shop, provider, issuer="http://127.0.0.1:9")
    answer = shop.client().get(PATH)
    assert "use your password" in answer.text
    assert 'name="password"' in answer.text


def test_a_provider_that_is_away_is_not_waited_for_again_and_again(
    shop: Web, provider: Provider
) -> None:
    """Visitors cannot tie up the console by asking for it; ten seconds later it is asked anew."""
    provider.lies.issuer_of_discovery = "https://evil.example"
    for _ in range(3):
        assert shop.client().get(PATH).status_code == 403
    assert len(provider.requests) == 1
    provider.lies.issuer_of_discovery = ""
    shop.clock.advance(10)
    assert signed_in(shop.client()).status_code == 303


def test_a_new_key_is_found_and_old_ones_are_not_asked_for_again(
    shop: Web, provider: Provider
) -> None:
    """Keys are turned without anybody restarting anything, and fetched no more than needed."""
    for _ in range(3):
        assert signed_in(shop.client()).status_code == 303
    assert provider.requests.count("/keys") == 1
    provider.turn_key()
    shop.clock.advance(31)
    assert signed_in(shop.client()).status_code == 303
    assert provider.requests.count("/keys") == 2


@pytest.mark.parametrize(
    ("groups", "role"),
    [
        (["ops"], "responder"),
        (["helpdesk", "ops"], "responder"),
        ("helpdesk", "agent"),
        (["cooks"], None),
        ([], None),
        ({"ops": True}, None),
    ],
)
def test_groups_decide_the_role(
    shop: Web, provider: Provider, groups: object, role: str | None
) -> None:
    """The highest counts; without any, nobody comes in."""
    mapping = {"ops": "responder", "helpdesk": "agent"}
    configure(shop, provider, roles=mapping, role_claim="realm.groups", default_role=None)
    provider.told = {"realm": {"groups": groups}}
    client = shop.client()
    answer = signed_in(client)
    if role is None:
        assert_refused(client, answer, "none of the groups")
        with shop.services.store.read() as connection:
            assert all_users(connection) == []
    else:
        assert known_user(shop.services.store, "ann").role == role


def test_another_group_is_another_role_from_the_next_sign_in_on(
    shop: Web, provider: Provider
) -> None:
    """Sessions with the old role end; the last administrator stays one."""
    configure(shop, provider, roles={"root": "administrator", "ops": "responder"})
    provider.person["groups"] = ["root"]
    first = shop.client()
    signed_in(first)
    provider.person["groups"] = ["ops"]
    signed_in(shop.client())
    assert known_user(shop.services.store, "ann").role == Role.ADMINISTRATOR
    add_user(shop.services.store, "eve", Role.ADMINISTRATOR, shop.now())
    signed_in(shop.client())
    assert known_user(shop.services.store, "ann").role == Role.RESPONDER
    assert first.get("/console/account").status_code == 303


def known_agent(web: Web) -> None:
    web.add_user(Role.AGENT)
    user = known_user(web.services.store, "agent")
    save_contact(web.services.store, user, Contact(email="ann@shop.example"), web.now())


@pytest.mark.parametrize(
    ("verified", "link", "told"),
    [
        (True, True, ""),
        ("true", True, ""),
        (True, False, "not tied to your provider"),
        (False, True, "not say that your address is verified"),
        ("yes", True, "not say that your address is verified"),
        (None, True, "not say that your address is verified"),
    ],
)
def test_an_account_is_tied_by_a_verified_address_where_that_is_configured(
    shop: Web, provider: Provider, verified: object, link: bool, told: str
) -> None:
    """An address that anybody can type at the provider opens nobody's account."""
    known_agent(shop)
    if link:
        configure(shop, provider, link_by_email=True, unknown_people="refuse")
    provider.person["email_verified"] = verified
    client = shop.client()
    answer = signed_in(client)
    if told:
        assert_refused(client, answer, told)
    else:
        assert "agent" in client.get("/console/account").text
        provider.person["email"] = "moved@shop.example"
        assert signed_in(shop.client()).status_code == 303


def test_an_unknown_person_is_refused_where_accounts_are_made_by_hand(
    shop: Web, provider: Provider
) -> None:
    """With what to do, and without an account left behind."""
    configure(shop, provider, link_by_email=True, unknown_people="refuse")
    client = shop.client()
    assert_refused(client, signed_in(client), "no account for you")


def test_a_name_that_is_taken_is_numbered(shop: Web, provider: Provider) -> None:
    """Being called admin at the provider makes nobody admin here."""
    add_user(shop.services.store, "admin", Role.ADMINISTRATOR, shop.now())
    provider.person.update(preferred_username="admin", email=None)
    signed_in(shop.client())
    assert known_user(shop.services.store, "admin-2").role == Role.VIEWER


@pytest.mark.parametrize("name", ["", "///", "Ünal Öz", "a" * 300, "<script>", "\x00"])
def test_whatever_one_is_called_at_the_provider_becomes_a_usable_name(
    shop: Web, provider: Provider, name: str
) -> None:
    """A name is the provider's to give, and not ours to trust."""
    provider.person.update(preferred_username=name, name=name)
    client = shop.client()
    assert signed_in(client).status_code == 303
    assert client.get("/console/account").status_code == 200


def test_a_shut_account_stays_shut(shop: Web, provider: Provider) -> None:
    """Whatever the provider says."""
    signed_in(shop.client())
    add_user(shop.services.store, "eve", Role.ADMINISTRATOR, shop.now())
    shut_account(shop.services.store, "ann", shop.now())
    client = shop.client()
    assert_refused(client, signed_in(client), "is shut")


@pytest.mark.parametrize(
    ("whose", "location"), [("here", "/console/sign-in/code"), ("provider", "/console")]
)
def test_a_second_factor_here_is_asked_for_unless_it_is_the_providers_matter(
    shop: Web, provider: Provider, whose: str, location: str
) -> None:
    """Coming by the provider is no way around it, unless that is configured."""
    known_agent(shop)
    client = shop.client()
    sign_in(client, "agent")
    enrol(shop, client, csrf_of(client))
    configure(shop, provider, link_by_email=True, second_factor=whose)
    assert signed_in(shop.client()).headers["location"] == location


def test_who_has_no_password_confirms_by_having_signed_in_just_now(
    shop: Web, provider: Provider
) -> None:
    """A second factor can be set up without one, and a borrowed browser cannot do it."""
    client = shop.client()
    signed_in(client)
    shop.clock.advance(601)
    with pytest.raises(AssertionError, match="Sign out and in again"):
        enrol(shop, client, csrf_of(client))
    again = shop.client()
    signed_in(again)
    assert len(enrol(shop, again, csrf_of(again))[1]) == 10
    assert again.get("/console").status_code == 200


def test_nobody_gets_a_password_by_coming_from_the_provider(shop: Web, provider: Provider) -> None:
    """Such an account is opened by no password at all."""
    signed_in(shop.client())
    assert sign_in(shop.client(), "ann", "").status_code == 403


def test_without_a_provider_there_is_no_way_to_it(web: Web) -> None:
    """Neither link nor door."""
    assert PATH not in web.client().get("/console/sign-in").text
    assert web.client().get(PATH).status_code == 404
    assert web.client().get(f"{PATH}/callback").status_code == 404


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"issuer": "http://id.example"}, "https"),
        ({"issuer": "https://me:secret@id.example"}, "https"),
        ({"unknown_people": "refuse"}, "nobody gets in"),
        ({"default_role": None}, "default_role"),
        ({"scopes": ("email",)}, "openid"),
        ({"roles": {"ops": "machine"}}, "viewer"),
    ],
)
def test_a_configuration_that_cannot_work_is_refused(change: dict[str, Any], told: str) -> None:
    """Before anybody stands in front of a door that opens for nobody, or for everybody."""
    good = {
        "issuer": "https://id.example/.well-known/openid-configuration",
        "client_id": "monitor",
        "unknown_people": "create",
        "default_role": "viewer",
    }
    assert OpenId.model_validate(good).issuer == "https://id.example"
    with pytest.raises(ValueError, match=told):
        OpenId.model_validate({**good, **change})

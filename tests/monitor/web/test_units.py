"""The web's pure parts: form tokens, the throttle, passwords, durations and pictures of runs."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from monitor.accounts.passwords import hash_password, one_time_password, password_matches
from monitor.web.drawing import WIDTH, sparkline, waterfall
from monitor.web.form_tokens import VALID_FOR, form_token_age, issue_form_token
from monitor.web.permissions import (
    ACCOUNT_ROLES,
    MAY,
    NAVIGATION,
    Actor,
    Group,
    Permission,
    Role,
    navigation,
)
from monitor.web.redirects import safe_next
from monitor.web.rendering import seconds
from monitor.web.throttle import (
    FREE_FOR_ACCOUNT,
    FREE_FOR_CLIENT,
    FREE_FOR_STRANGERS,
    LONGEST_WAIT,
    MOST_KEPT,
    Throttle,
    client_network,
)
from probes.result import Outcome
from tests.builders import NOW, run
from tests.monitor.web.seeds import failed_checkout

KEY = b"k" * 32


@pytest.mark.parametrize(
    ("later", "valid"),
    [
        (timedelta(0), True),
        (VALID_FOR, True),
        (VALID_FOR + timedelta(seconds=1), False),
        (timedelta(seconds=-1), False),
    ],
)
def test_a_form_token_lasts_a_day(later: timedelta, valid: bool) -> None:
    """Up to its end, included; never from the future."""
    token = issue_form_token(KEY, "report", NOW)
    assert (form_token_age(KEY, "report", token, NOW + later) is not None) is valid


def test_a_form_token_is_for_one_purpose_and_one_installation() -> None:
    """A token for one form opens no other, here or elsewhere."""
    token = issue_form_token(KEY, "report", NOW)
    assert form_token_age(KEY, "sign-in", token, NOW) is None
    assert form_token_age(b"other", "report", token, NOW) is None


@given(st.text())
def test_no_text_passes_for_a_form_token(text: str) -> None:
    """Whatever is sent is refused without an error."""
    assert form_token_age(KEY, "report", text, NOW) is None


@given(st.integers(0, 40))
def test_waits_double_up_to_their_limit(failures: int) -> None:
    """No wait for the first failures, then 1 s, 2 s, 4 s … up to five minutes."""
    throttle = Throttle()
    for _ in range(failures):
        throttle.failed("ann", "192.0.2.1", NOW)
    extra = failures - FREE_FOR_ACCOUNT
    expected = timedelta(seconds=min(2**extra, 300)) if extra >= 0 else timedelta(0)
    assert throttle.wait("ann", "192.0.2.1", NOW) == expected <= LONGEST_WAIT
    assert throttle.wait("ann", "198.51.100.1", NOW) == timedelta(0)


def test_a_client_that_tries_many_accounts_waits_too() -> None:
    """One guess at each of many accounts is guessing as well."""
    throttle = Throttle()
    for number in range(FREE_FOR_CLIENT):
        throttle.failed(f"user{number}", "192.0.2.1", NOW)
    assert throttle.wait("another", "192.0.2.1", NOW) == timedelta(seconds=1)


def test_success_forgets_failures_with_that_account() -> None:
    """Who remembers the password at the third try starts afresh."""
    throttle = Throttle()
    for _ in range(FREE_FOR_ACCOUNT):
        throttle.failed("ann", "192.0.2.1", NOW)
    throttle.succeeded("ann", "192.0.2.1")
    assert throttle.wait("ann", "192.0.2.1", NOW) == timedelta(0)


def attack(throttle: Throttle, account: str, clients: int) -> None:
    """Fail once from each of many addresses."""
    for number in range(clients):
        throttle.failed(account, f"198.51.{number // 250}.{number % 250}", NOW)


@pytest.mark.parametrize(
    ("clients", "seconds"),
    [(FREE_FOR_STRANGERS - 1, 0), (FREE_FOR_STRANGERS, 1), (FREE_FOR_STRANGERS + 20, 60)],
)
def test_guessing_one_account_from_many_addresses_is_slow_too(clients: int, seconds: int) -> None:
    """An address that has done nothing yet waits as well, and never more than a minute."""
    throttle = Throttle()
    attack(throttle, "ann", clients)
    assert throttle.wait("Ann", "192.0.2.1", NOW) == timedelta(seconds=seconds)
    assert throttle.wait("bob", "192.0.2.1", NOW) == timedelta(0)


def test_a_browser_that_the_account_knows_never_waits_for_what_strangers_did() -> None:
    """Nobody is locked out by others' guesses, from however many addresses, even their own."""
    throttle = Throttle()
    attack(throttle, "ann", 500)
    for _ in range(20):
        throttle.failed("ann", "192.0.2.1", NOW)
    assert throttle.wait("ann", "192.0.2.1", NOW, device="her laptop") == timedelta(0)
    assert throttle.wait("ann", "192.0.2.1", NOW) > timedelta(0)


def test_a_browser_that_the_account_knows_is_slowed_by_its_own_failures() -> None:
    """A stolen laptop guesses no faster than anybody."""
    throttle = Throttle()
    for _ in range(FREE_FOR_ACCOUNT + 2):
        throttle.failed("ann", "192.0.2.1", NOW, device="her laptop")
    assert throttle.wait("ann", "192.0.2.1", NOW, device="her laptop") == timedelta(seconds=4)
    assert throttle.wait("ann", "192.0.2.1", NOW) == timedelta(0)


def test_a_try_that_is_refused_unheard_makes_no_wait_longer() -> None:
    """Who keeps asking does not push the end of the wait away, neither for others nor himself."""
    throttle = Throttle()
    attack(throttle, "ann", FREE_FOR_STRANGERS)
    later = NOW + timedelta(seconds=1)
    assert throttle.wait("ann", "203.0.113.9", NOW) > timedelta(0)
    assert throttle.wait("ann", "192.0.2.1", later) == timedelta(0)


def test_a_flood_of_addresses_does_not_release_an_account_under_attack() -> None:
    """What is known of accounts is kept apart from what is known of clients."""
    throttle = Throttle()
    attack(throttle, "ann", FREE_FOR_STRANGERS + 3)
    for number in range(MOST_KEPT // 2):
        throttle.failed("bob", f"client{number}", NOW)
    assert throttle.wait("ann", "192.0.2.1", NOW) == timedelta(seconds=8)


def test_the_throttle_stays_small() -> None:
    """A flood of names does not fill the memory."""
    throttle = Throttle()
    for number in range(MOST_KEPT):
        throttle.failed(f"user{number}", f"client{number}", NOW)
    assert len(throttle._clients._failures) == len(throttle._accounts._failures) == MOST_KEPT


@pytest.mark.parametrize(
    ("client", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("unix", "unix"),
    ],
)
def test_an_ipv6_network_counts_as_one_client(client: str, network: str) -> None:
    """Whoever has an IPv6 address has 2^64 of them."""
    assert client_network(client) == network


def test_a_password_matches_its_own_hash_alone() -> None:
    """Salted, and never equal to nothing."""
    stored = hash_password("correct horse battery")
    assert stored != hash_password("correct horse battery")
    assert password_matches(stored, "correct horse battery")
    assert not password_matches(stored, "correct horse batterz")
    assert not password_matches(None, "correct horse battery")
    assert not password_matches("", "")


def test_one_time_passwords_differ() -> None:
    """Twenty characters from a generator made for secrets."""
    made = {one_time_password() for _ in range(100)}
    assert len(made) == 100


def test_every_permission_has_its_roles_and_no_role_without_a_line() -> None:
    """The table is whole; an administrator may do whatever any account may."""
    assert set(MAY) == set(Permission)
    for allowed in MAY.values():
        assert Role.ADMINISTRATOR in allowed
    assert all(any(role in allowed for allowed in MAY.values()) for role in ACCOUNT_ROLES)


def test_a_page_belongs_to_one_entry_of_the_navigation() -> None:
    """Below an entry the entry stays marked, and home is only home."""
    for path in ("/console", "/console/incidents/7", "/console/journeys"):
        assert sum(entry.holds(path) for entry in NAVIGATION) == 1
    assert Actor("a", Role.VIEWER).may("VIEW")


def test_the_navigation_stands_in_groups_and_names_only_what_leads_somewhere() -> None:
    """A viewer has no Administration; an administrator has every entry, each under its heading."""
    viewer, administrator = Actor("a", Role.VIEWER), Actor("b", Role.ADMINISTRATOR)
    assert Group.ADMINISTRATION not in navigation(viewer)
    assert list(navigation(administrator)) == list(Group)
    assert sum(map(len, navigation(administrator).values())) == len(NAVIGATION)


def test_every_key_of_the_navigation_leads_to_one_page() -> None:
    """`g` and a letter: no letter twice."""
    keys = [entry.key for entry in NAVIGATION if entry.key]
    assert len(keys) == len(set(keys))
    assert all(len(key) == 1 and key.islower() for key in keys)


@given(st.text())
@example("[")  # urlsplit refuses `//[` by raising
def test_a_redirect_never_leaves_the_console(target: str) -> None:
    """Whatever is asked for, the answer is a path below the console or the runbooks."""
    for wanted in (target, f"/console{target}", f"/{target}", f"//{target}"):
        assert safe_next(wanted).startswith(("/console", "/runbooks/"))


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, "–"),
        (0.0004, "0 ms"),
        (0.23, "230 ms"),
        (4.06, "4.1 s"),
        (5.0, "5 s"),
        (59.4, "59 s"),
        (59.6, "1 min"),
        (61, "1 min"),
        (3_600, "1 h"),
        (7_500, "2 h 5 min"),
        (90_000, "1 d 1 h"),
        (timedelta(days=400), "400 d"),
    ],
)
def test_durations_read_as_people_say_them(value: float | timedelta | None, words: str) -> None:
    """Two units at most; none that says nothing."""
    assert seconds(value) == words


def test_a_waterfall_draws_each_step_after_the_one_before() -> None:
    """Bars stay inside the picture, follow each other, and are told in words."""
    rows = waterfall(failed_checkout("r", NOW))
    assert rows[0].bars[0].x == 0
    assert rows[1].bars[0].x == pytest.approx(0.06 / 0.4 * WIDTH)
    assert all(bar.x + bar.width <= WIDTH + 4 for row in rows for bar in row.bars)
    assert "wait for first byte 310 ms" in rows[1].words
    assert rows[2].words == "no request was sent"


def test_two_runs_can_share_a_scale() -> None:
    """A faster run is drawn shorter beside a slower one."""
    fast = waterfall(run(), longest_seconds=1.0)
    assert fast[0].bars[0].width == pytest.approx(0.1 * WIDTH)


def test_a_sparkline_runs_from_old_to_new_and_lifts_failures() -> None:
    """The newest run stands on the right; one that failed fast is not overlooked."""
    runs = [run(Outcome.FAILED, duration_seconds=0.01), run(duration_seconds=0.4)]
    line = sparkline(runs, slots=4)
    assert [tick.outcome for tick in line.ticks] == ["pass", "fail"]
    assert line.ticks[-1].height == line.height
    assert line.ticks[-1].x + 4 == line.width
    assert line.words == "last 2 runs: 1 not passed, median 400 ms"


def test_a_sparkline_of_nothing_says_so() -> None:
    """No runs, no bars, and words for it."""
    assert (sparkline([]).ticks, sparkline([]).words) == ((), "no runs yet")

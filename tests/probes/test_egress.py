"""Tests of the egress guard."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.egress import EgressDenied, Guard, origin_of


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("https://shop.example/cart", True),
        ("http://shop.example/", True),
        ("http://SHOP.example./", True),
        ("https://shop.example:8443/", False),
        ("https://api.shop.example/", False),
        ("https://shop.example.evil.test/", False),
        ("https://pay.example/", True),
        ("https://pay.example:9000/", False),
        ("http://sandbox.example:9000/", True),
        ("http://sandbox.example/", False),
        ("https://a.cdn.example/", True),
        ("https://a.b.cdn.example/", True),
        ("https://cdn.example/", False),
        ("https://evilcdn.example/", False),
        ("https://shop.example@evil.test/", False),
        ("https://evil.test\\@shop.example/", False),
        ("ftp://shop.example/", False),
        ("file:///etc/passwd", False),
        ("http://[shop.example/", False),
        ("https://shop.example:99999/", False),
        ("https:///path", False),
    ],
)
def test_only_named_hosts_and_ports_are_allowed(url: str, allowed: bool) -> None:
    """A host is open on the web's ports, or on the one port it is named with."""
    guard = Guard(
        ["https://shop.example/login"], ["pay.example", "sandbox.example:9000", "*.cdn.example"]
    )
    if allowed:
        assert guard.check_url(url).host
    else:
        with pytest.raises(EgressDenied):
            guard.check_url(url)


@pytest.mark.parametrize(
    ("address", "exact", "wild"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1::1", True, True),
        ("127.0.0.1", True, False),
        ("10.1.2.3", True, False),
        ("::1", True, False),
        ("fd12::1", True, False),
        ("::ffff:10.1.2.3", True, False),
        ("64:ff9b::a01:203", True, False),
        ("100.64.0.1", False, False),
        ("169.254.169.254", False, False),
        ("::ffff:169.254.169.254", False, False),
        ("64:ff9b::a9fe:a9fe", False, False),
        ("fd00:ec2::254", False, False),
        ("fe80::1%eth0", False, False),
        ("0.0.0.0", False, False),
        ("::", False, False),
        ("224.0.0.1", False, False),
        ("ff02::1", False, False),
        ("255.255.255.255", False, False),
    ],
)
def test_addresses_are_judged_by_how_their_host_is_named(
    address: str, exact: bool, wild: bool
) -> None:
    """A name given exactly may be private; one under `*.` may not; metadata is never open."""
    guard = Guard(["https://shop.example/"], ["*.cdn.example"])
    for url, allowed in (("https://shop.example/", exact), ("https://a.cdn.example/", wild)):
        origin = guard.check_url(url)
        if allowed:
            guard.check_address(origin, address)
        else:
            with pytest.raises(EgressDenied):
                guard.check_address(origin, address)


def test_a_literal_address_in_the_file_opens_itself_only() -> None:
    """Even link-local is open where the file spells it out, and nothing beside it."""
    guard = Guard(["http://169.254.7.7/"])
    origin = guard.check_url("http://169.254.7.7/x")
    guard.check_address(origin, "169.254.7.7")
    with pytest.raises(EgressDenied):
        guard.check_address(origin, "169.254.169.254")


def test_the_refusal_says_what_to_add() -> None:
    """A person reading the run knows which line to write."""
    with pytest.raises(EgressDenied, match=r"add pay\.example:443 to allow_hosts"):
        Guard(["https://shop.example/"]).check_url("https://pay.example/")


@given(st.text(max_size=80))
def test_no_text_makes_the_guard_raise_otherwise(text: str) -> None:
    """An address from a hostile page is refused, never a crash."""
    guard = Guard(["https://shop.example/"])
    with suppress(EgressDenied):
        assert guard.check_url(f"https://{text}").host == "shop.example"


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://shop.example/a", "https://shop.example"),
        ("http://shop.example:80/a", "http://shop.example"),
        ("http://[::1]:8080/", "http://[::1]:8080"),
    ],
)
def test_an_origin_reads_as_in_its_header(url: str, origin: str) -> None:
    """Default ports are left out, as browsers do."""
    assert str(origin_of(url)) == origin

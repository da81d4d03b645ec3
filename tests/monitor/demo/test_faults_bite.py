"""Every fault of the panel changes what a visitor sees, and nothing but what it says."""

import socket
import ssl
import time
from urllib.parse import urlsplit

import pytest
import requests

from monitor.demo import RunningShop
from tests.monitor.demo.shopper import MUG, Shopper


def test_login_500_breaks_sending_the_form(shop: RunningShop, shopper: Shopper) -> None:
    """The log-in page opens, but even the right password ends in a 500."""
    shop.set_fault("login_500")
    page = shopper.log_in(shop.probe_email, shop.probe_password)
    assert (page.status, page.count("#error")) == (500, 1)


def test_login_form_missing_leaves_a_page_without_form(shop: RunningShop, shopper: Shopper) -> None:
    """The log-in page answers 200 and lacks only its form."""
    shop.set_fault("login_form_missing")
    page = shopper.get("/login")
    assert (page.status, page.count("#login-form")) == (200, 0)


def test_search_empty_finds_nothing_politely(shop: RunningShop, shopper: Shopper) -> None:
    """Search answers 200 with a count of 0, on the page and as JSON."""
    shop.set_fault("search_empty")
    page = shopper.get("/search?q=mug")
    assert (page.status, page.one("#result-count").attributes["data-count"]) == (200, "0")
    assert shopper.http.get(shop.url + "/api/search?q=mug", timeout=5).json()["count"] == 0


def test_search_slow_delays_by_its_value(shop: RunningShop, shopper: Shopper) -> None:
    """Search takes at least as long as set, and still finds."""
    shop.set_fault("search_slow", value=0.3)
    started = time.perf_counter()
    page = shopper.get("/search?q=mug")
    assert time.perf_counter() - started >= 0.3
    assert page.count(".product-card") == 2


def test_gateway_refuses_fails_every_payment_with_402(shop: RunningShop, shopper: Shopper) -> None:
    """A good card is refused, and goes through with the same form once it is repaired."""
    shop.set_fault("gateway_refuses")
    page = shopper.buy()
    assert (page.status, page.count("#payment-failed")) == (402, 1)
    shop.clear_faults()
    shopper.get("/checkout/review")
    assert shopper.submit("#confirm-form").text("#order-status") == "placed"


def test_gateway_times_out_ends_in_504_after_the_shops_patience(
    shop: RunningShop, shopper: Shopper
) -> None:
    """The shop gives up on a hanging gateway, places nothing and returns the stock."""
    left = shop.shop.inventory.left(MUG)
    shop.set_fault("gateway_times_out")
    page = shopper.buy()
    assert page.status == 504
    assert page.one("#payment-failed").attributes["data-outcome"] == "payment_timeout"
    assert shop.shop.inventory.left(MUG) == left


def test_a_refund_that_times_out_leaves_the_order_standing(
    shop: RunningShop, shopper: Shopper
) -> None:
    """Cancelling while the gateway hangs says so; the order is still placed."""
    shopper.buy()
    shop.set_fault("gateway_times_out")
    page = shopper.submit("#cancel-form")
    assert (page.status, page.count("#cancel-failed")) == (504, 1)
    assert page.text("#order-status") == "placed"


def test_gateway_slow_delays_the_order_but_places_it(shop: RunningShop, shopper: Shopper) -> None:
    """Authorising and capturing are each late by the value."""
    shop.set_fault("gateway_slow", value=0.15)
    shopper.add()
    shopper.go_to_review()
    started = time.perf_counter()
    assert shopper.submit("#confirm-form").text("#order-status") == "placed"
    assert time.perf_counter() - started >= 0.3


def test_price_wrong_charges_more_than_the_parts(shop: RunningShop, shopper: Shopper) -> None:
    """The total is off by the value on the review page, and so is what is charged."""
    shop.set_fault("price_wrong", value=731)
    shopper.add()
    page = shopper.go_to_review()
    parts = page.cents("#lines-total") + page.cents("#shipping-total")
    assert page.cents("#order-total") == page.cents("#charge") == parts + 731
    assert shopper.submit("#confirm-form").cents("#order-total") == parts + 731


def test_cart_loses_items_after_saying_they_were_added(shop: RunningShop, shopper: Shopper) -> None:
    """The shop confirms the article, and shows an empty cart."""
    shop.set_fault("cart_loses_items")
    page = shopper.add()
    assert "is in your cart" in page.text("#notice")
    assert page.count("#cart-empty") == 1


@pytest.mark.parametrize("path", ["/", "/search", "/login", "/api/search", "/static/shop.css"])
def test_site_down_answers_503_everywhere(shop: RunningShop, shopper: Shopper, path: str) -> None:
    """Pages, interface and files alike show the maintenance notice."""
    shop.set_fault("site_down")
    page = shopper.get(path)
    assert (page.status, page.count("#maintenance")) == (503, 1)
    assert page.headers["Retry-After"] == "120"


@pytest.mark.parametrize(("share", "status"), [(0, 200), (1, 500)])
def test_flaky_fails_the_share_it_is_set_to(
    shop: RunningShop, shopper: Shopper, share: float, status: int
) -> None:
    """At 0 no request fails, at 1 each does."""
    shop.set_fault("flaky", value=share)
    assert {shopper.get("/").status for _ in range(10)} == {status}


def test_flaky_fails_about_a_fifth_by_default(shop: RunningShop, shopper: Shopper) -> None:
    """Of 300 requests 20 % fail, give or take five standard deviations."""
    shop.set_fault("flaky")
    url = shop.url + "/api/search?q=mug"
    failed = sum(shopper.http.get(url, timeout=5).status_code == 500 for _ in range(300))
    assert 25 <= failed <= 95


def test_memory_pressure_is_really_held_and_slows_pages(
    shop: RunningShop, shopper: Shopper
) -> None:
    """The memory asked for is held while the fault is on, requests wait, and all of it is freed."""
    shop.set_fault("memory_pressure", value=32)
    assert shop.demo.faults.held_bytes == 32 * 2**20
    started = time.perf_counter()
    assert shopper.get("/").status == 200
    assert time.perf_counter() - started >= 0.15
    shop.clear_faults()
    assert shop.demo.faults.held_bytes == 0


def handshake(shop: RunningShop) -> None:
    """Open a TLS connection that trusts the shop's authority."""
    address = urlsplit(shop.tls_url or "")
    context = ssl.create_default_context(cafile=shop.authority_file)
    with (
        socket.create_connection((address.hostname, address.port), timeout=5) as plain,
        context.wrap_socket(plain, server_hostname=address.hostname),
    ):
        pass


def test_certificate_expired_spoils_new_connections_until_it_is_repaired(
    shop: RunningShop,
) -> None:
    """A checking client accepts the certificate, refuses it as expired, and accepts it again."""
    handshake(shop)
    shop.set_fault("certificate_expired")
    with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
        handshake(shop)
    shop.clear_faults()
    handshake(shop)


def test_the_tls_listener_serves_the_shop_with_a_secure_cookie(shop: RunningShop) -> None:
    """Over TLS the session's cookie never leaves for an unencrypted page."""
    answer = requests.get(f"{shop.tls_url}/login", verify=str(shop.authority_file), timeout=5)
    assert answer.status_code == 200
    assert "Secure" in answer.headers["Set-Cookie"]

"""Buying: the pages in order, what is charged, what happens twice, what is given back."""

from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from monitor.demo import RunningShop
from tests.monitor.demo.shopper import ADDRESS, CARD, DECLINED, MUG, Shopper

MUG_CENTS, STANDARD_CENTS = 1450, 490


def payment_of(shop: RunningShop, number: str) -> dict[str, object]:
    """Return what the gateway says about the payment of an order, asked over HTTP."""
    order = shop.shop.orders.find(number)
    assert order is not None
    url = f"{shop.gateway_url}/v1/payments/{order.payment_id}"
    key = {"Authorization": f"Bearer {shop.shop.settings.gateway_key}"}
    found: dict[str, object] = requests.get(url, headers=key, timeout=5).json()
    return found


def confirmation(shopper: Shopper) -> dict[str, str]:
    """Return the hidden fields of the review page that is open."""
    fields = shopper.page.one("#confirm-form").css("input[type=hidden]")
    return {str(f.attributes["name"]): str(f.attributes["value"]) for f in fields}


def test_an_order_is_placed_through_every_page(shopper: Shopper) -> None:
    """A walk through address, shipping, payment and review ends on the order's own page."""
    page = shopper.buy(quantity=2)
    assert page.status == 200
    assert page.path == "/orders/" + page.text("#order-number")
    assert page.text("#order-status") == "placed"


def test_the_total_is_goods_and_shipping(shop: RunningShop, shopper: Shopper) -> None:
    """Two mugs by standard shipping cost 33.90, and exactly that is captured at the gateway."""
    page = shopper.buy(quantity=2)
    assert page.cents("#order-total") == 2 * MUG_CENTS + STANDARD_CENTS
    payment = payment_of(shop, page.text("#order-number"))
    assert payment["amount_cents"] == 2 * MUG_CENTS + STANDARD_CENTS
    assert payment["status"] == "captured"


def test_an_order_takes_stock_and_its_cancellation_puts_it_back(
    shop: RunningShop, shopper: Shopper
) -> None:
    """A cancelled order is refunded at the gateway and its goods are back on the shelf."""
    before = shop.shop.inventory.left(MUG)
    number = shopper.buy(quantity=3).text("#order-number")
    assert shop.shop.inventory.left(MUG) == before - 3
    page = shopper.submit("#cancel-form")
    assert page.text("#order-status") == "cancelled"
    assert shop.shop.inventory.left(MUG) == before
    assert payment_of(shop, number)["status"] == "refunded"


def test_cancelling_twice_restores_stock_once(shop: RunningShop, shopper: Shopper) -> None:
    """The same cancellation sent again changes nothing."""
    before = shop.shop.inventory.left(MUG)
    shopper.buy(quantity=2)
    order_page = shopper.page
    shopper.submit("#cancel-form")
    shopper.page = order_page
    assert shopper.submit("#cancel-form").text("#order-status") == "cancelled"
    assert shop.shop.inventory.left(MUG) == before


def test_the_same_confirmation_sent_again_shows_the_same_order(
    shop: RunningShop, shopper: Shopper
) -> None:
    """One idempotency key places one order, also after the cart has been emptied."""
    shopper.add()
    shopper.go_to_review()
    review, before = shopper.page, len(shop.shop.orders)
    first = shopper.submit("#confirm-form").text("#order-number")
    shopper.page = review
    assert shopper.submit("#confirm-form").text("#order-number") == first
    assert len(shop.shop.orders) == before + 1


def test_two_confirmations_at_once_charge_once(shop: RunningShop, shopper: Shopper) -> None:
    """A double click, answered by two requests at the same time, ends in one order."""
    shopper.add()
    shopper.go_to_review()
    form, before = confirmation(shopper), len(shop.shop.orders)
    shop.set_fault("gateway_slow", value=0.1)

    def confirm(_: int) -> str:
        cookies = dict(shopper.http.cookies)
        url = shop.url + "/checkout/confirm"
        return requests.post(url, data=form, cookies=cookies, timeout=10).url

    with ThreadPoolExecutor(3) as pool:
        assert len(set(pool.map(confirm, range(3)))) == 1
    assert len(shop.shop.orders) == before + 1


def test_a_declined_card_places_nothing_and_keeps_the_cart(
    shop: RunningShop, shopper: Shopper
) -> None:
    """The bank's no is a 402 page; cart and stock are as before."""
    before, left = len(shop.shop.orders), shop.shop.inventory.left(MUG)
    page = shopper.buy(card=DECLINED)
    assert page.status == 402
    assert page.one("#payment-failed").attributes["data-outcome"] == "declined"
    assert (len(shop.shop.orders), shop.shop.inventory.left(MUG)) == (before, left)
    assert shopper.get("/cart").count(".cart-line") == 1


def test_another_card_after_a_declined_one_is_charged(shopper: Shopper) -> None:
    """The refusal sticks to the card, not to the checkout."""
    shopper.buy(card=DECLINED)
    shopper.get("/checkout/payment")
    shopper.submit("#payment-form", **CARD)
    assert shopper.submit("#confirm-form").text("#order-status") == "placed"


@pytest.mark.parametrize("page", ["address", "shipping", "payment", "review"])
def test_a_checkout_without_a_cart_leads_to_the_cart(shopper: Shopper, page: str) -> None:
    """No page of the checkout opens for an empty cart."""
    assert shopper.get(f"/checkout/{page}").path == "/cart"


def test_a_page_that_was_skipped_is_asked_for(shopper: Shopper) -> None:
    """Jumping to the review leads back to the first page that is not filled in."""
    shopper.add()
    assert shopper.get("/checkout/review").path == "/checkout/address"


@pytest.mark.parametrize("name", list(ADDRESS))
def test_an_address_with_a_gap_is_asked_again(shopper: Shopper, name: str) -> None:
    """Each field of the address is required, and the answer says which one is missing."""
    shopper.add()
    shopper.get("/checkout/address")
    page = shopper.submit("#address-form", **{**ADDRESS, name: ""})
    assert page.status == 422
    assert page.count(f"#{name}-error") == 1


@pytest.mark.parametrize(
    ("name", "typed"),
    [
        ("card_number", "4242"),
        ("card_number", "4242 4242 4242 424x"),
        ("card_expiry", "13/31"),
        ("card_expiry", "9/31"),
        ("card_cvc", "12"),
    ],
)
def test_a_card_that_cannot_be_one_is_refused(shopper: Shopper, name: str, typed: str) -> None:
    """Mistyped cards are caught before the gateway is asked, and never sent back in the page."""
    shopper.add()
    shopper.get("/checkout/address")
    shopper.submit("#address-form", **ADDRESS)
    shopper.submit("#shipping-form", shipping_method="pickup")
    page = shopper.submit("#payment-form", **{**CARD, name: typed})
    assert page.status == 422
    assert page.count(f"#{name}-error") == 1
    assert page.one("#card_number").attributes["value"] in (None, "")


def test_an_order_of_a_probe_is_a_test_order_and_takes_no_stock(shop: RunningShop) -> None:
    """The header of a synthetic run marks the order and leaves the shelf alone."""
    left = shop.shop.inventory.left(MUG)
    probe = Shopper(shop.url, **{"X-Synthetic-Run": "run-1"})
    with probe.http:
        assert probe.buy().count("#test-order") == 1
        assert shop.shop.inventory.left(MUG) == left
        probe.submit("#cancel-form")
        assert shop.shop.inventory.left(MUG) == left


def test_an_order_of_the_probe_account_is_a_test_order(shop: RunningShop, shopper: Shopper) -> None:
    """The probe's own account marks its orders without any header."""
    shopper.log_in(shop.probe_email, shop.probe_password)
    assert shopper.buy().count("#test-order") == 1


def test_an_order_is_found_by_number_and_email(shop: RunningShop, shopper: Shopper) -> None:
    """Another browser finds the order with both facts, and nothing with a wrong one."""
    number = shopper.buy().text("#order-number")
    other = Shopper(shop.url)
    with other.http:
        assert other.get(f"/orders/{number}").path == f"/orders/lookup?number={number}"
        wrong = other.submit("#lookup-form", order_number=number, email="someone@else.example")
        assert (wrong.status, wrong.count("#lookup-error")) == (404, 1)
        right = other.submit(
            "#lookup-form", order_number=number.lower(), email=ADDRESS["email"].upper()
        )
        assert right.text("#order-number") == number

"""Accounts, sessions and CSRF tokens: who is let in, and which form is believed."""

import pytest
import requests

from monitor.demo import RunningShop
from monitor.demo.sessions import COOKIE
from monitor.demo.web import local_path
from tests.monitor.demo.shopper import MUG, Shopper

FORMS = {
    "/login": {"email": "a@b.example", "password": "x"},
    "/register": {"name": "A", "email": "a@b.example", "password": "long enough pw"},
    "/logout": {},
    "/cart/add": {"sku": MUG},
    "/cart/update": {"sku": MUG, "quantity": "2"},
    "/cart/remove": {"sku": MUG},
    "/cart/promo": {"promo_code": "WELCOME10"},
    "/cart/promo/remove": {},
    "/checkout/address": {},
    "/checkout/shipping": {"shipping_method": "standard"},
    "/checkout/payment": {},
    "/checkout/confirm": {},
    "/orders/lookup": {"order_number": "KM-AAAAAAAA", "email": "a@b.example"},
    "/orders/KM-AAAAAAAA/cancel": {},
}


@pytest.mark.parametrize("path", list(FORMS))
@pytest.mark.parametrize("token", [None, "", "guessed"])
def test_a_form_without_the_sessions_token_is_refused(
    shopper: Shopper, path: str, token: str | None
) -> None:
    """Every POST wants the token of the very session it comes with (403 without)."""
    shopper.get("/login")
    form = FORMS[path] if token is None else {**FORMS[path], "csrf_token": token}
    answer = shopper.http.post(shopper.url + path, data=form, timeout=5)
    assert answer.status_code == 403


def test_the_token_of_another_visitor_is_refused(shop: RunningShop, shopper: Shopper) -> None:
    """A token is bound to its session."""
    shopper.get("/login")
    token = shopper.page.one("#login-form input[name=csrf_token]").attributes["value"]
    answer = requests.post(
        shop.url + "/login", data={**FORMS["/login"], "csrf_token": token}, timeout=5
    )
    assert answer.status_code == 403


def test_a_form_in_a_character_set_that_is_not_read_is_refused(shopper: Shopper) -> None:
    """As the monitor's own forms are."""
    kind = "multipart/form-data; boundary=x; charset=undefined"
    body = b'--x\r\nContent-Disposition: form-data; name="csrf_token"\r\n\r\nx\r\n--x--\r\n'
    answer = shopper.http.post(
        shopper.url + "/login", data=body, headers={"content-type": kind}, timeout=5
    )
    assert answer.status_code == 400


def test_the_session_cookie_is_kept_from_scripts_and_other_sites(shopper: Shopper) -> None:
    """The cookie is HttpOnly and SameSite=Lax."""
    cookie = shopper.get("/login").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


def test_a_page_without_form_hands_out_no_cookie(shopper: Shopper) -> None:
    """Looking around leaves nothing behind, neither here nor in the browser."""
    assert "Set-Cookie" not in shopper.get("/search?q=mug").headers


def test_logging_in_leads_to_the_account(shop: RunningShop, shopper: Shopper) -> None:
    """The right password answers 303 to the account, which greets its owner."""
    shopper.get("/login")
    form = shopper.page.one("#login-form").css("input[type=hidden]")
    hidden = {str(f.attributes["name"]): str(f.attributes["value"]) for f in form}
    answer = shopper.http.post(
        shop.url + "/login",
        data={**hidden, "email": shop.probe_email, "password": shop.probe_password},
        allow_redirects=False,
        timeout=5,
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account")
    greeting = shopper.get("/account").one("#account-greeting")
    assert greeting.attributes["data-account-email"] == shop.probe_email


def test_logging_in_changes_the_sessions_name(shop: RunningShop, shopper: Shopper) -> None:
    """A cookie planted before the log-in is worth nothing after it."""
    shopper.get("/login")
    before = shopper.http.cookies[COOKIE]
    shopper.log_in(shop.probe_email, shop.probe_password)
    assert shopper.http.cookies[COOKIE] != before
    planted = requests.get(shop.url + "/account", cookies={COOKIE: before}, timeout=5)
    assert planted.url.endswith("/login?next=/account")


@pytest.mark.parametrize("email", ["probe@shop.example", "nobody@shop.example"])
def test_a_wrong_password_is_refused_alike_for_all(shopper: Shopper, email: str) -> None:
    """The answer is 401 and does not tell whether the account exists."""
    page = shopper.log_in(email, "wrong")
    assert page.status == 401
    assert page.text("#login-error").startswith("E-mail and password do not match")


def test_logging_out_closes_the_account(shop: RunningShop, shopper: Shopper) -> None:
    """After logging out the account asks to log in again."""
    shopper.log_in(shop.probe_email, shop.probe_password)
    shopper.submit("#logout-form")
    assert shopper.get("/account").path == "/login?next=/account"


def test_a_new_account_sees_its_own_order(shop: RunningShop, shopper: Shopper) -> None:
    """Registering logs in; an order placed then is on the account's page."""
    shopper.get("/register")
    shopper.submit(
        "#register-form", name="New Buyer", email="new@buyers.example", password="a long password"
    )
    number = shopper.buy().text("#order-number")
    row = shopper.get("/account").one(".order-row")
    assert row.attributes["data-number"] == number


@pytest.mark.parametrize(
    ("name", "typed"), [("email", "probe@shop.example"), ("email", "no-at"), ("password", "short")]
)
def test_an_account_that_cannot_be_opened_says_why(shopper: Shopper, name: str, typed: str) -> None:
    """A taken or impossible address and a short password are explained at their field."""
    form = {"name": "A", "email": "ok@buyers.example", "password": "long enough", name: typed}
    shopper.get("/register")
    page = shopper.submit("#register-form", **form)
    assert (page.status, page.count(f"#{name}-error")) == (422, 1)


@pytest.mark.parametrize(
    ("asked", "followed"),
    [
        ("/cart", "/cart"),
        (None, "/account"),
        ("https://elsewhere.example", "/account"),
        ("//elsewhere.example", "/account"),
        ("/\\elsewhere.example", "/account"),
        ("/\telsewhere", "/account"),
    ],
)
def test_logging_in_never_leads_to_another_site(asked: str | None, followed: str) -> None:
    """Only a path of this shop is followed."""
    assert local_path(asked, "/account") == followed

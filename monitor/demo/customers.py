"""Answers for the simulated customers: they shop over real HTTP, so that the market has traffic.

A visit that meets a broken shop ends there, as a customer would; the shop's own metrics tell of it.
"""

import asyncio
import random
import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import requests

from monitor.demo.accounts import CUSTOMER_PASSWORD, CUSTOMERS

VISITS_AT_ONCE = 4  # visits beyond this are not begun: a slow shop does not pile them up
PATIENCE_SECONDS = 20
LOOKING_SECONDS = (0.2, 1.2)
WORDS = (
    "basket",
    "coffee",
    "mug",
    "shirt",
    "soap",
    "honey",
    "scarf",
    "notebook",
    "lamp",
    "plant",
    "gift",
)
GOOD_CARD, DECLINED_CARD = "4242424242424242", "4000000000000002"
AGENTS = (
    "Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 Chrome/130.0 Mobile Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) Version/18.1 Mobile Safari/604.1",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:132.0) Gecko/20100101 Firefox/132.0",
)
TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')
KEY = re.compile(r'name="idempotency_key" value="([^"]+)"')
SKU = re.compile(r'class="product-card" data-sku="([^"]+)"')


class VisitOver(Exception):
    """The customer leaves: the shop did not show what they came for."""


class Visit:
    """One customer in the shop, from the first page to the last."""

    def __init__(
        self, shop_url: str, dice: random.Random, pause: Callable[[float], object]
    ) -> None:
        self._url, self._dice, self._pause = shop_url, dice, pause
        self._browser = requests.Session()
        self._browser.headers["User-Agent"] = dice.choice(AGENTS)
        self._browser.trust_env = False

    def run(self, kind: str) -> None:
        """Do what such a customer does; returns early where the shop is broken."""
        try:
            with self._browser:
                getattr(self, kind)()
        except (VisitOver, requests.RequestException):
            return  # counted by the shop as what it answered

    def browse(self) -> None:
        """Look at the window and at a product."""
        self._get("/")
        self._get(f"/products/{self._find()}")

    def search(self) -> None:
        """Search twice, look at what was found."""
        self._find()
        self._get(f"/products/{self._find()}")

    def abandon(self) -> None:
        """Fill a cart and leave it."""
        self._fill_cart()
        self._get("/checkout/address")

    def buy(self) -> None:
        """Buy, now and then from an account."""
        if self._dice.random() < 0.4:
            self._log_in()
        self._fill_cart()
        self._check_out(GOOD_CARD)

    def decline(self) -> None:
        """Try to buy with a card the bank declines."""
        self._fill_cart()
        self._check_out(DECLINED_CARD)

    def _find(self) -> str:
        page = self._get("/search", q=self._dice.choice(WORDS))
        found = SKU.findall(page)
        if not found:
            raise VisitOver
        return str(self._dice.choice(found))

    def _log_in(self) -> None:
        email, _ = self._dice.choice(CUSTOMERS)
        form = {"email": email, "password": CUSTOMER_PASSWORD, "next": "/account"}
        self._submit("/login", "/login", form)

    def _fill_cart(self) -> None:
        for _ in range(self._dice.choice((1, 1, 2))):
            sku = self._find()
            quantity = str(self._dice.choice((1, 1, 1, 2)))
            self._submit(f"/products/{sku}", "/cart/add", {"sku": sku, "quantity": quantity})

    def _check_out(self, card: str) -> None:
        email, name = self._dice.choice(CUSTOMERS)
        address = {
            "name": name,
            "email": email,
            "street": f"{self._dice.randint(1, 90)} Market Street",
            "city": "Nairobi",
            "postcode": "00100",
            "country": "Kenya",
        }
        self._submit("/checkout/address", "/checkout/address", address)
        method = self._dice.choice(("standard", "express", "pickup"))
        self._submit("/checkout/shipping", "/checkout/shipping", {"shipping_method": method})
        paying = {
            "card_holder": name,
            "card_number": card,
            "card_expiry": "09/31",
            "card_cvc": "123",
        }
        self._submit("/checkout/payment", "/checkout/payment", paying)
        self._submit("/checkout/review", "/checkout/confirm", {})

    def _get(self, path: str, **query: str) -> str:
        self._pause(self._dice.uniform(*LOOKING_SECONDS))
        answer = self._browser.get(self._url + path, params=query, timeout=PATIENCE_SECONDS)
        if not answer.ok:
            raise VisitOver
        return answer.text

    def _submit(self, page_path: str, action: str, form: dict[str, str]) -> None:
        page = self._get(page_path)
        token, key = TOKEN.search(page), KEY.search(page)
        if f'action="{action}"' not in page or token is None:
            raise VisitOver
        filled = {**form, "csrf_token": token[1]}
        if key is not None:
            filled["idempotency_key"] = key[1]
        answer = self._browser.post(self._url + action, data=filled, timeout=PATIENCE_SECONDS)
        if not answer.ok:
            raise VisitOver


KINDS = {"browse": 40, "search": 25, "abandon": 15, "buy": 16, "decline": 4}


class Customers:
    """A stream of visits at a steady rate, in a few threads of its own."""

    def __init__(self, shop_url: str, per_minute: float, seed: int = 2026) -> None:
        self._url, self._per_minute = shop_url, per_minute
        self._dice = random.Random(seed)
        self._stopped = threading.Event()
        self._under_way = 0

    async def shop_for_ever(self) -> None:
        """Begin visits until stopped; a rate of 0 begins none."""
        if self._per_minute <= 0:
            return
        pool = ThreadPoolExecutor(VISITS_AT_ONCE, "shop-customer")
        try:
            while not self._stopped.is_set():
                await asyncio.sleep(60 / self._per_minute * self._dice.uniform(0.5, 1.5))
                if self._under_way < VISITS_AT_ONCE:
                    self._begin_visit(pool)
        finally:  # not waited for: visitors wait for answers of this very event loop
            pool.shutdown(wait=False, cancel_futures=True)

    def stop(self) -> None:
        """Let customers leave at their next step."""
        self._stopped.set()

    def _begin_visit(self, pool: ThreadPoolExecutor) -> None:
        self._under_way += 1
        kind = self._dice.choices(list(KINDS), list(KINDS.values()))[0]
        visit = Visit(self._url, random.Random(self._dice.random()), self._pause)
        future = asyncio.get_running_loop().run_in_executor(pool, visit.run, kind)
        future.add_done_callback(lambda _: self._leave())

    def _leave(self) -> None:
        self._under_way -= 1

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise VisitOver

"""A customer for tests: a browser that keeps cookies and sends the forms it finds on a page."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node

ADDRESS = {
    "name": "Amina Otieno",
    "email": "amina@example.org",
    "street": "12 Market Street",
    "city": "Nairobi",
    "postcode": "00100",
    "country": "Kenya",
}
CARD = {
    "card_holder": "Amina Otieno",
    "card_number": "4242 4242 4242 4242",
    "card_expiry": "09/31",
    "card_cvc": "123",
}
DECLINED = {**CARD, "card_number": "4000000000000002"}
MUG = "KM-1001"


@dataclass
class Page:
    """An answered request and its parsed page."""

    status: int
    path: str
    tree: HTMLParser
    headers: Mapping[str, str] = field(default_factory=dict)

    def one(self, selector: str) -> Node:
        """Return the one element that must be there."""
        found = self.tree.css(selector)
        assert len(found) == 1, f"{selector}: {len(found)} on {self.path}"
        return found[0]

    def count(self, selector: str) -> int:
        """Return how many elements match."""
        return len(self.tree.css(selector))

    def cents(self, selector: str) -> int:
        """Return the amount an element carries."""
        return int(self.one(selector).attributes["data-cents"] or "")

    def text(self, selector: str) -> str:
        """Return the words of the one element."""
        return self.one(selector).text().strip()


class Shopper:
    """One visitor with a cookie jar."""

    def __init__(self, url: str, **headers: str) -> None:
        self.url = url
        self.http = requests.Session()
        self.http.headers.update(headers)
        self.page = Page(0, "", HTMLParser(""))

    def get(self, path: str) -> Page:
        """Open a page."""
        return self._read(self.http.get(self.url + path, timeout=30))

    def submit(self, selector: str, **typed: str) -> Page:
        """Fill and send a form of the page that is open, hidden fields included."""
        form = self.page.one(selector)
        fields = {
            str(node.attributes["name"]): node.attributes.get("value") or ""
            for node in form.css("input[name]")
            if node.attributes.get("type") != "radio"
        }
        action = self.url + str(form.attributes["action"])
        return self._read(self.http.post(action, data={**fields, **typed}, timeout=30))

    def log_in(self, email: str, password: str) -> Page:
        """Log in by the form."""
        self.get("/login")
        return self.submit("#login-form", email=email, password=password)

    def add(self, sku: str = MUG, quantity: int = 1) -> Page:
        """Put a product into the cart."""
        self.get(f"/products/{sku}")
        return self.submit("#add-to-cart", quantity=str(quantity))

    def go_to_review(self, shipping: str = "standard", card: dict[str, str] = CARD) -> Page:
        """Walk from the cart to the review page."""
        self.get("/checkout/address")
        self.submit("#address-form", **ADDRESS)
        self.submit("#shipping-form", shipping_method=shipping)
        return self.submit("#payment-form", **card)

    def buy(self, sku: str = MUG, quantity: int = 1, card: dict[str, str] = CARD) -> Page:
        """Buy a product from the first page to the last."""
        self.add(sku, quantity)
        self.go_to_review(card=card)
        return self.submit("#confirm-form")

    def _read(self, answer: requests.Response) -> Page:
        path = answer.url.removeprefix(self.url)
        self.page = Page(answer.status_code, path, HTMLParser(answer.text), answer.headers)
        return self.page

"""What a report is about, by word lists: simple, the same every time, and able to say "I do not
know".

English only. In any other language, and where no word of the lists occurs, the category is `other`
and a person decides. What hinders the customer beats how it shows ("error at checkout" is
payment); refunds and invoices are payment. How often the rule is right is written in
docs/reports.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Category(StrEnum):
    """The closed set of what reports are about; the order is the precedence when words tie."""

    PAYMENT = "payment"
    ACCOUNT = "account"
    ORDER = "order"
    NAVIGATION = "navigation"
    TECHNICAL = "technical"
    OTHER = "other"

    @property
    def label(self) -> str:
        """Return the category as a customer reads it."""
        return LABELS[self]


LABELS = {
    Category.ACCOUNT: "Login and account",
    Category.PAYMENT: "Payment and checkout",
    Category.ORDER: "Products and orders",
    Category.NAVIGATION: "Search and finding my way",
    Category.TECHNICAL: "Technical trouble with the site or app",
    Category.OTHER: "Something else",
}


@dataclass(frozen=True)
class Suggestion:
    """What the words point at.

    `component_of` is the category whose component is meant: a cart that loses its items reads as
    navigation but breaks the way to checkout. `symptom` is whether the text tells of something
    that does not work.
    """

    category: Category
    component_of: Category
    words: tuple[str, ...]
    symptom: bool


def _patterns(weight: int, phrases: str) -> list[tuple[re.Pattern[str], int]]:
    """Return one pattern per phrase; a phrase ends a word unless it ends in `*`."""
    found = []
    for phrase in phrases.split("|"):
        text = phrase.strip()
        end = r"\w*" if text.endswith("*") else r"\b"
        body = re.escape(text.rstrip("*")).replace(r"\ ", r"\s+")
        found.append((re.compile(rf"\b{body}{end}"), weight))
    return found


# Weights: 3 names the thing itself, 2 belongs to it mostly, 1 only leans towards it.
_WORDS: Mapping[Category, list[tuple[re.Pattern[str], int]]] = {
    Category.PAYMENT: [
        *_patterns(
            3,
            "pay|pays|paid|paying|payment*|paypal|apple pay|google pay|klarna|checkout"
            "|check out now"
            "|refund*|money back|charged|charge|charges|charging|billed|billing|invoice*|receipt"
            "|instal*ments"
            "|promo|promo code|discount code|coupon*|voucher|gift card|payout|3d secure"
            "|cash on delivery"
            "|credit card|debit card|saved card|transaction*|complete purchase"
            "|complete my purchase",
        ),
        *_patterns(
            2, "card|cards|declined|money|bank|fee|fees|price total|total is wrong|subscription"
        ),
        *_patterns(1, "purchase|bill|buy"),
    ],
    Category.ACCOUNT: [
        *_patterns(
            3,
            "log in|log into|logging in|logged in|login|sign in|signing in|signed in|sign into"
            "|signin|sign up"
            "|signed up|signup|log me out|logs me out|logging me out|logged out|password|passcode"
            "|username"
            "|two factor|two-factor|two step|2fa|authenticator|verification code|otp"
            "|one-time code|hacked"
            "|identity verification|register|registration|log out|sign out|reset link|credentials",
        ),
        *_patterns(2, "account*|profile|locked|suspended"),
        *_patterns(1, "email address|phone number"),
    ],
    Category.ORDER: [
        *_patterns(
            3,
            "my order|order status|where is my order|cancel order|the order|delivery|deliver"
            "|delivered|parcel*"
            "|package*|shipping|shipped|shipment|dispatch*|courier|driver|tracking|return an item"
            "|preorder"
            "|wrong item|wrong size|damaged|defective|exchange it|replacement|warranty|in stock"
            "|out of stock"
            "|seller|size should|postcode|original or fake|counterfeit|expiry",
        ),
        *_patterns(
            2, "order*|item arrived|arrived|product*|exchange|refund policy|description is wrong"
        ),
        *_patterns(1, "item|items|size|price|listing|return*"),
    ],
    Category.NAVIGATION: [
        *_patterns(
            3,
            "search*|filter*|sort by|sorting|category page*|categories|menu|layout|autocomplete"
            "|no results"
            "|can't find|cannot find|cant find|where do i|where can i see|hard to find|wish list"
            "|wishlist"
            "|add to cart|add to basket|my cart|the cart|cart|basket|scroll*|browse|back button"
            "|next page"
            "|results page|recently viewed|old design|new design|homepage|product page|font"
            "|size chart"
            "|images on the listing*|language of the site|browsing",
        ),
        *_patterns(2, "button*|link|links|navigation|find|page buttons|zero items"),
        *_patterns(1, "page|pages|images|photo*|picture*"),
    ],
    Category.TECHNICAL: [
        *_patterns(
            3,
            "site is down|website is down|is down|down for everyone|site won't load"
            "|internal server error"
            "|service unavailable|bad gateway|gateway timeout|timed out|time out|crash*|freez*"
            "|frozen|glitch*|outage"
            "|nothing works|server|browser|firefox|chrome|safari|certificate|app update"
            "|app not working"
            "|system error|loading forever|loading screen|blank white page|blank page"
            "|maintenance page"
            "|bug|bug report|clearing cache|reinstall*|notifications|upload*|download*|live chat"
            "|connection",
        ),
        *_patterns(2, "website|the site|your site|slow|500|502|503|504|something went wrong"),
        *_patterns(1, "app|error*|404|load|loads|loading|broken|not working|doesn't work|stopped"),
    ],
}

_CART = re.compile(r"\b(?:cart|basket|shopping bag)\b")

_SYMPTOM = re.compile(
    r"\b(?:fail\w*|error\w*|can'?t|cannot|can not|could ?n[o']t|unable|won'?t|does ?n[o']?t"
    r"|do ?n[o']?t (?:work|load|open|respond)"
    r"|not (?:work\w*|load\w*|open\w*|respond\w*|possible|going through)|no results?"
    r"|nothing happens|nothing works"
    r"|stuck|broken|broke|declin\w+|reject\w+|refused|invalid|blank|empty|frozen|freez\w*"
    r"|crash\w*|time[sd]? ?out|timeout"
    r"|slow\w*|forever|hang\w*|down|outage|glitch\w*|unavailable|disappear\w*|lost|missing|wrong"
    r"|twice|stopped"
    r"|keeps?|500|502|503|504|problem\w*|trouble|issue\w*|bug\w*|never (?:arriv|came|load)\w*"
    r"|logs me out)\b"
)
_QUESTION = re.compile(
    r"^\W*(?:how (?:do|can|to|much|long)|what (?:is|are|size)|which|do you|can i|could i"
    r"|when will|where (?:do|can|is))\b"
)


def categorise(text: str) -> Suggestion:
    """Return what the words of a first message point at.

    A text without any listed word is `other`, with no words to show for it.
    """
    lowered = " ".join(text.lower().replace("’", "'").split())
    scores: dict[Category, int] = {}
    words: dict[Category, list[str]] = {}
    for category, patterns in _WORDS.items():
        for pattern, weight in patterns:
            if found := pattern.search(lowered):
                scores[category] = scores.get(category, 0) + weight
                words.setdefault(category, []).append(found.group())
    symptom = is_symptom(lowered)
    if not scores:
        return Suggestion(Category.OTHER, Category.OTHER, (), symptom)
    best = min(scores, key=lambda category: (-scores[category], list(Category).index(category)))
    is_cart = best is Category.NAVIGATION and _CART.search(lowered)
    return Suggestion(best, Category.PAYMENT if is_cart else best, tuple(words[best]), symptom)


def is_symptom(text: str) -> bool:
    """Return whether a text tells of something broken, rather than asking how to do something."""
    lowered = text.lower().replace("’", "'")
    return bool(_SYMPTOM.search(lowered)) and not _QUESTION.match(lowered)

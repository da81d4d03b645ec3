"""docs/demo-shop.md is true: what exists is in it, and what it promises exists."""

import re
from pathlib import Path

import pytest

from monitor.demo import RunningShop
from monitor.demo.__main__ import parse_arguments
from monitor.demo.faults import FAULT_KINDS, FaultKind
from monitor.demo.gateway import CARDS
from monitor.demo.metrics import ORDER_OUTCOMES
from monitor.demo.pricing import PROMOS, SHIPPING_METHODS
from tests.monitor.demo.shopper import MUG, Shopper

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/demo-shop.md").read_text(encoding="utf-8")
TEMPLATES = ROOT / "monitor/demo/templates"
FORMS = {
    name
    for page in TEMPLATES.glob("*.html")
    for name in re.findall(r'<form id="([\w-]+)"', page.read_text(encoding="utf-8"))
}
METHODS = [method.slug for method in SHIPPING_METHODS]


@pytest.mark.parametrize(
    "name", [*FAULT_KINDS, *CARDS, *PROMOS, *ORDER_OUTCOMES, *METHODS, *sorted(FORMS)]
)
def test_what_the_shop_has_is_documented(name: str) -> None:
    """Every fault, test card, promo code, order outcome, shipping method and form has its place."""
    assert re.search(rf"[`#]{name}\b", PAGE)


@pytest.mark.parametrize(
    "option", [f"--{name.replace('_', '-')}" for name in vars(parse_arguments([]))]
)
def test_every_option_is_documented(option: str) -> None:
    """The table of options is complete."""
    assert f"| `{option}" in PAGE


@pytest.mark.parametrize("fault", [k for k in FAULT_KINDS.values() if k.default is not None])
def test_a_faults_default_is_the_documented_one(fault: FaultKind) -> None:
    """The row of a fault says its default and its bounds."""
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| `{fault.name}`"))
    bounds = f"{fault.lowest:g} to {int(fault.highest)} ({fault.default:g})"
    assert bounds in row


def test_the_documented_walk_gives_the_documented_amounts(
    shop: RunningShop, shopper: Shopper
) -> None:
    """One mug by standard shipping makes $19.40, on the review and on the order."""
    shopper.add(MUG)
    page = shopper.go_to_review()
    assert (page.text("#charge"), page.cents("#order-total")) == ("$19.40", 1940)
    page = shopper.submit("#confirm-form")
    assert page.one("#order").attributes["data-status"] == "placed"
    assert shopper.submit("#cancel-form").count("#refunded") == 1

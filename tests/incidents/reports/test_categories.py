"""What a report is about, by word lists."""

from __future__ import annotations

import csv

import pytest

from incidents.reports.categories import LABELS, Category, categorise, is_symptom
from tests.shared_data import shared_path


@pytest.mark.parametrize(
    ("text", "category"),
    [
        ("Paying fails", "payment"),
        ("I cannot pay, the card is refused every time", "payment"),
        ("error at checkout", "payment"),
        ("when will my refund arrive", "payment"),
        ("I can’t log in since this morning", "account"),
        ("an error in the app when I try to log in", "account"),
        ("where is my parcel", "order"),
        ("Search finds no results for anything", "navigation"),
        ("my cart loses its items", "navigation"),
        ("your website is down", "technical"),
        ("nothing works, internal server error", "technical"),
        ("", "other"),
        ("hello", "other"),
        ("Não consigo entrar", "other"),
    ],
)
def test_the_words_of_a_report_give_its_category(text: str, category: str) -> None:
    """What hinders the customer beats how it shows; no listed word is no category."""
    assert categorise(text).category == category


def test_a_broken_cart_points_at_the_component_of_checkout() -> None:
    """It reads as navigation, but it is the way to paying that is broken."""
    found = categorise("items disappear from my basket")
    assert (found.category, found.component_of) == (Category.NAVIGATION, Category.PAYMENT)


@pytest.mark.parametrize(
    ("text", "symptom"),
    [
        ("paying fails", True),
        ("I cannot pay", True),
        ("I can't log in", True),
        ("the page is blank", True),
        ("search returns no results", True),
        ("nothing happens when I press pay", True),
        ("how do I pay by card?", False),
        ("which payment methods do you accept", False),
        ("what is your refund policy", False),
        ("please delete my account", False),
        ("thank you", False),
    ],
)
def test_a_failure_is_told_from_a_question(text: str, symptom: bool) -> None:
    """Only a failure may join an outage by itself."""
    assert is_symptom(text) is symptom


def test_a_word_inside_another_word_counts_for_nothing() -> None:
    """`app` is not in `happy`, nor `pay` in `paymaster`'s neighbour `repayable`."""
    assert categorise("happy repayable applause").words == ()


def test_every_category_has_words_for_customers() -> None:
    """The form shows no code."""
    assert set(LABELS) == set(Category)


def test_the_rule_keeps_what_it_knows_of_the_written_examples() -> None:
    """A floor under the figure in docs/reports.md: nine in ten of the hand-written examples."""
    path = shared_path("data/handwritten_seed/seed_examples.csv")
    with path.open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    right = sum(categorise(row["text"]).category == row["category"] for row in rows)
    assert right / len(rows) >= 0.9

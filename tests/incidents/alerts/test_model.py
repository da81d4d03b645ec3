"""An alert's identity is the one Alertmanager gives it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incidents.alerts.model import Alert, fingerprint, words
from tests.shared_data import shared_json

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)


def test_fingerprints_agree_with_alertmanager() -> None:
    """Nineteen label sets, Unicode and long values among them."""
    cases = shared_json("fixtures/alertmanager/fingerprints.json")["cases"]
    assert [fingerprint(case["labels"]) for case in cases] == [c["fingerprint"] for c in cases]


def test_the_fingerprint_of_one_label_is_known() -> None:
    """A value captured from Alertmanager 0.25.0, for where the captured data is absent."""
    assert fingerprint({"alertname": "JourneyDown"}) == "471a6a521e19e3da"


@given(st.dictionaries(st.text(min_size=1), st.text()), st.randoms())
def test_order_and_empty_labels_do_not_count(labels: dict[str, str], random: object) -> None:
    """The identity is that of the set, whatever way it is written down."""
    swapped = dict(reversed(labels.items())) | {"left_out": ""}
    assert fingerprint(swapped) == fingerprint({k: v for k, v in swapped.items() if v})
    assert fingerprint(labels) == fingerprint(dict(reversed(labels.items())))


@pytest.mark.parametrize(
    ("end", "resolved"),
    [(None, False), (timedelta(seconds=1), False), (timedelta(0), True), (-timedelta(1), True)],
)
def test_an_end_that_is_not_in_the_future_is_a_resolution(
    end: timedelta | None, resolved: bool
) -> None:
    """The present instant counts as over."""
    alert = Alert({"a": "b"}, starts_at=NOW, ends_at=None if end is None else NOW + end)
    assert alert.is_resolved(NOW) is resolved


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        ({"alertname": "A"}, "A"),
        ({"alertname": "A", "journey": "pay", "location": "eu"}, "A (pay, from eu)"),
        ({"component": "shop"}, "an alert without a name (shop)"),
    ],
)
def test_a_line_names_the_alert_and_what_it_is_about(labels: dict[str, str], text: str) -> None:
    """The journey, or else the component, and where from."""
    assert words(labels) == text

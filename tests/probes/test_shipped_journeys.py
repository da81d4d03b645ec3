"""The shipped journeys on the demo shop: green when it works, and red for every fault it has."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from monitor.demo import running_shop
from monitor.demo.faults import FAULT_KINDS
from monitor.demo.running import RunningShop
from probes.journey import Journey, load_journeys
from probes.result import Outcome, ProbeRun, Reason
from probes.run import RunOptions
from tests.probes.journeys import run_of, step_of

FOLDER = Path(__file__).parents[2] / "probes" / "journeys"
NAMES = ("checkout", "login", "search")


@pytest.fixture(scope="module")
def running() -> Iterator[RunningShop]:
    """One shop for the module, its gateway impatient so that timeouts are quick."""
    with running_shop(tls=True, gateway_timeout_seconds=0.5) as shop:
        yield shop


@pytest.fixture
def shop(running: RunningShop) -> Iterator[RunningShop]:
    """The shop, with every fault repaired afterwards."""
    yield running
    running.clear_faults()


def shipped(name: str, url: str) -> Journey:
    """Return a shipped journey pointed at the shop."""
    journeys = load_journeys(FOLDER, variables={"shop": url})
    return next(journey for journey in journeys if journey.name == name)


def run_shipped(name: str, shop: RunningShop, *, tls: bool = False) -> ProbeRun:
    """Return a run of a shipped journey against the shop."""
    url = (shop.tls_url or "") if tls else shop.url
    options = RunOptions(ca_file=str(shop.authority_file) if tls else None)
    return run_of(
        shipped(name, url), secrets={"SHOP_PASSWORD": shop.probe_password}, options=options
    )


@pytest.mark.parametrize("name", NAMES)
def test_a_working_shop_passes_every_step(name: str, shop: RunningShop) -> None:
    """No journey cries wolf: every step passes, cleanup included."""
    run = run_shipped(name, shop)
    assert [(s.name, s.detail) for s in run.steps if s.outcome is not Outcome.PASSED] == []
    assert run.outcome is Outcome.PASSED


@pytest.mark.parametrize("name", NAMES)
def test_a_shop_over_tls_tells_when_its_certificate_ends(name: str, shop: RunningShop) -> None:
    """Over TLS the run knows the earliest expiry of the chain."""
    run = run_shipped(name, shop, tls=True)
    assert run.outcome is Outcome.PASSED, run.detail
    assert run.certificate_expires_at is not None
    assert run.certificate_expires_at > run.started_at


FAULTS = [
    # fault, value, journey, failing step, reason
    ("login_500", None, "login", "Log in", Reason.STATUS),
    ("login_form_missing", None, "login", "Open the log-in page", Reason.CONTENT),
    ("search_empty", None, "search", "Search for a product", Reason.CONTENT),
    ("search_slow", 3.2, "search", "Search for a product", Reason.SLOW),
    ("search_slow", 8, "search", "Search for a product", Reason.TIMEOUT),
    ("gateway_refuses", None, "checkout", "Place the order", Reason.STATUS),
    ("gateway_times_out", None, "checkout", "Place the order", Reason.STATUS),
    ("price_wrong", None, "checkout", "Check the total and give the payment", Reason.CONTENT),
    ("cart_loses_items", None, "checkout", "Add to the cart", Reason.CONTENT),
    ("site_down", None, "login", "Open the log-in page", Reason.STATUS),
    ("site_down", None, "search", "Open the shop", Reason.STATUS),
    ("site_down", None, "checkout", "Open the product", Reason.STATUS),
    ("flaky", 1, "checkout", "Open the product", Reason.STATUS),
]


@pytest.mark.parametrize(("fault", "value", "name", "step", "reason"), FAULTS)
def test_each_fault_fails_the_step_and_reason_it_should(
    fault: str, value: float | None, name: str, step: str, reason: Reason, shop: RunningShop
) -> None:
    """A fault of the panel is seen by the journey it hurts, at its step, for its reason."""
    shop.set_fault(fault, value=value)
    run = run_shipped(name, shop)
    assert (run.outcome, run.failed_step, run.reason) == (Outcome.FAILED, step, reason), run.detail


def test_every_fault_of_the_panel_is_in_a_table(shop: RunningShop) -> None:
    """A fault that is added to the shop must be detected by somebody."""
    tested = {fault for fault, *_ in FAULTS}
    elsewhere = {"certificate_expired", "memory_pressure", "gateway_slow"}
    assert set(FAULT_KINDS) == tested | elsewhere


@pytest.mark.parametrize("name", NAMES)
def test_an_expired_certificate_is_a_tls_failure(name: str, shop: RunningShop) -> None:
    """The first step fails in the handshake, and says that the certificate has expired."""
    shop.set_fault("certificate_expired")
    run = run_shipped(name, shop, tls=True)
    assert (run.outcome, run.reason) == (Outcome.FAILED, Reason.TLS)
    assert "expired" in run.detail


def test_a_slow_gateway_fails_the_order_as_slow(shop: RunningShop) -> None:
    """An order that goes through too late is down for the reason slow, and is still cancelled."""
    with running_shop(gateway_timeout_seconds=5) as patient:
        patient.set_fault("gateway_slow", value=1.6)
        run = run_shipped("checkout", patient)
    assert (run.failed_step, run.reason) == ("Place the order", Reason.SLOW)
    assert step_of(run, "Cancel the order").outcome is Outcome.PASSED


def test_memory_pressure_degrades_without_failing(shop: RunningShop) -> None:
    """A shop that is a little slower everywhere still works, and the run says degraded."""
    shop.set_fault("memory_pressure", value=1)
    run = run_shipped("checkout", shop)
    assert (run.outcome, run.degraded) == (Outcome.PASSED, True)


def test_the_order_is_cancelled_after_a_good_run(shop: RunningShop) -> None:
    """Nothing is left behind: the order that was placed is cancelled."""
    run = run_shipped("checkout", shop)
    assert step_of(run, "Cancel the order").outcome is Outcome.PASSED
    assert not run.cleanup_failed

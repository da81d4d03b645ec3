"""Running the demo: as a process, with customers, and what it tells Prometheus."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import psutil
import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from monitor.demo import RunningShop, running_shop
from monitor.demo.__main__ import demo_settings, parse_arguments
from monitor.demo.customers import KINDS, Visit
from monitor.demo.faults import FAULT_KINDS
from tests.monitor.demo.shopper import DECLINED, Shopper

ROOT = Path(__file__).parents[3]
PORTS = ("--port", "0", "--gateway-port", "0", "--tls-port", "0")


def samples(shop: RunningShop) -> dict[tuple[str, ...], float]:
    """Return every sample of /metrics by name and label values."""
    text = requests.get(shop.url + "/metrics", timeout=5).text
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@contextmanager
def started(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run the demo as a process of its own; gives it and the address of its ready line."""
    command = [sys.executable, "-m", "monitor.demo", *PORTS, "--quiet", *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    with process:
        try:
            line = process.stdout.readline()
            assert line.startswith("shop ready http://127.0.0.1:"), line
            yield process, line.split()[-1]
        finally:
            process.kill()


@pytest.mark.parametrize("name", [signal.SIGTERM, signal.SIGINT])
def test_the_process_says_where_it_is_and_ends_cleanly(name: signal.Signals) -> None:
    """The ready line has the real address; either signal ends it with code 0."""
    with started("--customers-per-minute", "0", "--fault", "search_empty") as (process, url):
        assert requests.get(url + "/api/search", timeout=5).json()["count"] == 0
        process.send_signal(name)
        assert process.wait(10) == 0


def test_the_process_ends_with_the_parent_it_was_given() -> None:
    """When the named process is gone, so is the shop."""
    parent = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    with started("--with-parent", str(parent.pid)) as (process, _):
        parent.communicate()
        assert process.wait(10) == 0


@pytest.mark.slow
def test_the_process_ends_soon_while_customers_wait_for_it() -> None:
    """Visitors stuck in a slow search do not keep the shop from ending."""
    with started("--customers-per-minute", "600", "--fault", "search_slow") as (process, _):
        time.sleep(3)  # real customers have to arrive
        process.send_signal(signal.SIGTERM)
        assert process.wait(6) == 0


def test_a_taken_port_is_said_in_one_line() -> None:
    """The process gives up with code 1 and names the reason."""
    with running_shop() as taken:
        port = taken.url.rsplit(":", 1)[1]
        command = [sys.executable, "-m", "monitor.demo", "--port", port, "--gateway-port", "0"]
        done = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
        )
    assert done.returncode == 1
    assert "cannot start" in done.stderr


@pytest.mark.slow
def test_customers_shop_at_low_cost() -> None:
    """At 60 visits a minute, with TLS, it takes under 70 MB and 6 % of a core."""
    with started("--customers-per-minute", "60", "--tls") as (process, url):
        seen = psutil.Process(process.pid)
        spent = sum(seen.cpu_times()[:2])
        time.sleep(20)  # real customers of a real process: nothing to simulate
        assert "shop_http_requests_total" in requests.get(url + "/metrics", timeout=5).text
        assert seen.memory_info().rss < 70 * 2**20
        assert (sum(seen.cpu_times()[:2]) - spent) / 20 < 0.06


def test_customers_buy_and_are_declined_over_http() -> None:
    """Every kind of visit gets through a healthy shop, and orders come of it."""
    with running_shop() as shop:
        for kind in KINDS:
            Visit(shop.url, Random(1), lambda _: None).run(kind)
        found = samples(shop)
        assert found["shop_orders_total", "placed"] == 1
        assert found["shop_orders_total", "declined"] == 1


@pytest.mark.parametrize("fault", ["site_down", "search_empty", "login_form_missing", "flaky"])
def test_a_customer_in_a_broken_shop_just_leaves(shop: RunningShop, fault: str) -> None:
    """A visit ends quietly where the shop is broken."""
    shop.set_fault(fault, value=1 if fault == "flaky" else None)
    for kind in KINDS:
        Visit(shop.url, Random(2), lambda _: None).run(kind)


def test_requests_are_counted_by_route_method_and_status(
    shop: RunningShop, shopper: Shopper
) -> None:
    """A route is named by its pattern, so that articles do not multiply the series."""
    key = ("shop_http_requests_total", "GET", "/products/{sku}", "200")  # labels by name
    before = samples(shop).get(key, 0)
    shopper.get("/products/KM-1001")
    shopper.get("/products/KM-1002")
    assert samples(shop)[key] == before + 2


def test_what_becomes_of_orders_is_counted(shop: RunningShop, shopper: Shopper) -> None:
    """Placed, cancelled and declined each count once."""
    before = samples(shop)
    shopper.buy()
    shopper.submit("#cancel-form")
    shopper.buy(card=DECLINED)
    after = samples(shop)
    for outcome in ("placed", "cancelled", "declined"):
        key = ("shop_orders_total", outcome)
        assert after[key] == before[key] + 1


def test_every_fault_is_a_series_from_the_start(shop: RunningShop) -> None:
    """A fault that is off is 0, one that is on is 1."""
    shop.set_fault("gateway_slow")
    found = {key[1]: value for key, value in samples(shop).items() if key[0] == "shop_fault_active"}
    assert found == {name: float(name == "gateway_slow") for name in FAULT_KINDS}


def test_pages_carry_the_monitors_banner_and_links() -> None:
    """With a monitor's address every page has its script, report form and status page."""
    with running_shop(monitor_url="http://monitor.example/") as shop:
        visitor = Shopper(shop.url)
        with visitor.http:
            page = visitor.get("/")
    assert page.one("script").attributes["src"] == "http://monitor.example/banner.js"
    assert page.one("#report-problem-link").attributes["href"] == "http://monitor.example/report"
    assert page.one("#status-link").attributes["href"] == "http://monitor.example/"


def test_pages_without_a_monitor_have_no_script(shopper: Shopper) -> None:
    """Alone, the shop loads nothing from anywhere else."""
    assert shopper.get("/").count("script, #report-problem-link") == 0


def test_the_probes_password_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The variable is the default, the option outranks it, and neither shows in the settings."""
    monkeypatch.setenv("MONITOR_DEMO_SHOP_PASSWORD", "from-environment")
    assert demo_settings(parse_arguments([])).probe_password == "from-environment"
    given = demo_settings(parse_arguments(["--probe-password", "from-option"]))
    assert given.probe_password == "from-option"
    assert "from-option" not in repr(given)


def test_only_this_machine_is_served_by_default() -> None:
    """Nothing is opened to the network unless it is asked for."""
    assert demo_settings(parse_arguments([])).host == "127.0.0.1"

"""Answers for what the shop tells Prometheus about itself, in a registry of its own."""

from collections.abc import Iterator

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from monitor.demo.faults import FAULT_KINDS, FaultPanel

ORDER_OUTCOMES = ("placed", "cancelled", "declined", "payment_timeout", "payment_unavailable")
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
OTHER_METHOD = "other"
METHODS = {"GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"}


class FaultCollector(Collector):
    """Reads the fault panel at each scrape: 1 for a fault that is on, 0 for one that is off."""

    def __init__(self, faults: FaultPanel) -> None:
        self._faults = faults

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield the one family, with every fault in it."""
        family = GaugeMetricFamily("shop_fault_active", "Faults switched on.", labels=["fault"])
        for name in FAULT_KINDS:
            family.add_metric([name], float(self._faults.is_on(name)))
        yield family


class ShopMetrics:
    """The counters of one shop; every order outcome starts at zero."""

    def __init__(self, faults: FaultPanel) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "shop_http_requests",
            "Requests answered.",
            ["route", "method", "status"],
            registry=self.registry,
        )
        self._durations = Histogram(
            "shop_http_request_duration_seconds",
            "Time from a request's arrival to its answer.",
            ["route"],
            buckets=BUCKETS,
            registry=self.registry,
        )
        self._orders = Counter(
            "shop_orders", "Orders by what became of them.", ["outcome"], registry=self.registry
        )
        for outcome in ORDER_OUTCOMES:
            self._orders.labels(outcome)
        self.registry.register(FaultCollector(faults))
        ProcessCollector(registry=self.registry)

    def record_request(self, route: str, method: str, status: int, seconds: float) -> None:
        """Count an answered request."""
        known = method if method in METHODS else OTHER_METHOD
        self._requests.labels(route, known, str(status)).inc()
        self._durations.labels(route).observe(seconds)

    def record_order(self, outcome: str) -> None:
        """Count what became of an order; `outcome` is one of `ORDER_OUTCOMES`."""
        self._orders.labels(outcome).inc()

    def render(self) -> bytes:
        """Return everything in Prometheus's text format."""
        return generate_latest(self.registry)

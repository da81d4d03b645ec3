"""This service's own metrics: one registry, read the same way by a scraper and by our own rules.

A metric here is a *reading*: a name, its help and a function that tells the values as they stand
when asked. So each part of the service keeps its own plain numbers, and only this module and
`monitor.probe_metrics` know prometheus_client.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import (
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from monitor.distribution import Distribution

Values = Iterable[tuple[tuple[str, ...], float]]


@dataclass(frozen=True)
class Reading:
    """A metric and the function that reads it: (label values, value) pairs at this moment."""

    kind: type[CounterMetricFamily | GaugeMetricFamily]
    name: str
    help: str
    labels: tuple[str, ...]
    read: Callable[[], Values]

    def family(self) -> Metric:
        """Return the metric with its values of now."""
        family = self.kind(self.name, self.help, labels=self.labels)
        for label_values, value in self.read():
            family.add_metric(label_values, value)
        return family


class ServiceMetrics(Collector):
    """Every metric of the process; `probe_*` come from the collector given."""

    def __init__(self, *collectors: Collector) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # untyped there
        self.registry = CollectorRegistry(auto_describe=False)
        self._readings: list[Reading] = []
        self._histograms: list[tuple[str, str, str, Mapping[str, Distribution]]] = []
        for collector in (*collectors, self):
            self.registry.register(collector)
        self._process = ProcessCollector(registry=self.registry)
        self._platform = PlatformCollector(registry=self.registry)

    def counter(
        self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Values]
    ) -> None:
        """Export a counter; `name` is without its `_total`."""
        self._readings.append(Reading(CounterMetricFamily, name, text, labels, read))

    def gauge(
        self, name: str, text: str, labels: tuple[str, ...], read: Callable[[], Values]
    ) -> None:
        """Export a gauge."""
        self._readings.append(Reading(GaugeMetricFamily, name, text, labels, read))

    def value(self, name: str, text: str, read: Callable[[], float | None]) -> None:
        """Export a gauge without labels; absent while `read` returns None."""

        def values() -> Values:
            value = read()
            return [] if value is None else [((), value)]

        self.gauge(name, text, (), values)

    def histogram(
        self, name: str, text: str, label: str, by_label: Mapping[str, Distribution]
    ) -> None:
        """Export distributions that somebody else fills, one per value of `label`."""
        self._histograms.append((name, text, label, by_label))

    def collect(self) -> Iterator[Metric]:
        """Yield every metric family but those of the probes."""
        for reading in self._readings:
            yield reading.family()
        for name, text, label, by_label in self._histograms:
            family = HistogramMetricFamily(name, text, labels=(label,))
            for label_value, distribution in by_label.items():
                family.add_metric(
                    (label_value,), distribution.cumulative(), sum_value=distribution.total
                )
            yield family

    def render(self) -> bytes:
        """Return the Prometheus text format, version 0.0.4."""
        return generate_latest(self.registry)

    def own_samples(self) -> Iterator[tuple[dict[str, str], float]]:
        """Yield (labels with `__name__`, value) of every series but those of the probes."""
        for collector in (self, self._process, self._platform):
            for family in collector.collect():
                for sample in family.samples:
                    labels = {name: text for name, text in sample.labels.items() if text}
                    yield {"__name__": sample.name, **labels}, float(sample.value)

    def metadata(self) -> Iterator[tuple[str, str, str]]:
        """Yield (name, type, help) of every metric family."""
        for family in self.registry.collect():
            name = f"{family.name}_total" if family.type == "counter" else family.name
            yield name, family.type, family.documentation

"""Further targets scraped for samples, so that a shop's own exporters can be alerted on.

As Prometheus does it: `up`, `scrape_duration_seconds` and `scrape_samples_scraped` tell how each
scrape went; the time of a sample is when its scrape began; a scrape that fails ends all series of
its target at once. A scrape is cut at its timeout and at its bounds on bytes and samples.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from threading import Lock
from urllib.parse import urlsplit

from monitor.clock import Clock
from monitor.config.model import Target
from monitor.fetching import Unanswered, fetch
from monitor.log import logger
from monitor.notify.message import Context
from monitor.samples import ExpositionError, SampleStore, SeriesLimitError
from monitor.samples.exposition import ExpositionParser, Scrape

ACCEPT = "application/openmetrics-text;version=1.0.0;q=0.8,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"
log = logger("scraping")


@dataclass
class Standing:
    """How a target's last scrape went; `error` is empty where it went well."""

    target: Target
    parser: ExpositionParser
    labels: Mapping[str, str]
    error: str = ""
    scraped_at: float | None = None
    duration_seconds: float = 0.0
    samples: int = 0
    lock: Lock = field(default_factory=Lock, repr=False)


class Scraper:
    """Scrapes the configured targets into the sample store, one writer for each."""

    def __init__(self, samples: SampleStore, context: Context, clock: Clock) -> None:
        self._samples = samples
        self._context = context
        self._clock = clock
        self._standings: dict[str, Standing] = {}

    def keep_only(self, targets: Iterable[Target]) -> None:
        """Know exactly these targets; the series of those that are gone end."""
        wanted = {target.name: target for target in targets}
        now = self._clock.now().timestamp()
        for name in self._standings.keys() - wanted.keys():
            del self._standings[name]
            self._samples.remove_writer(_writer(name), now)
            self._samples.remove_writer(_meta_writer(name), now)
        for name, target in wanted.items():
            if name not in self._standings or self._standings[name].target != target:
                self._standings[name] = _standing(target)

    def standings(self) -> list[Standing]:
        """Return how the last scrape of every target went, by name."""
        return [self._standings[name] for name in sorted(self._standings)]

    def scrape(self, name: str) -> None:
        """Scrape a target once; what goes wrong is recorded, not raised."""
        standing = self._standings.get(name)
        if standing is None or not standing.lock.acquire(blocking=False):
            return  # it was removed meanwhile, or its last scrape is still going
        try:
            self._scrape(standing)
        finally:
            standing.lock.release()

    def _scrape(self, standing: Standing) -> None:
        target, began = standing.target, time.monotonic()
        at = self._clock.now().timestamp()
        writer, error, count = self._samples.writer(_writer(target.name)), "", 0
        try:
            scrape = self._fetch(standing)
            count = len(scrape)
            writer.ingest_scrape(at, scrape)
        except (Unanswered, ExpositionError, SeriesLimitError) as failure:
            error = str(failure)
            writer.end(at)
        if error and error != standing.error:
            log.warning("target cannot be scraped", target=target.name, error=error)
        standing.error, standing.scraped_at, standing.samples = error, at, count
        standing.duration_seconds = time.monotonic() - began
        meta = (
            ("up", 0.0 if error else 1.0),
            ("scrape_duration_seconds", standing.duration_seconds),
            ("scrape_samples_scraped", float(count)),
        )
        rows = [({"__name__": metric, **standing.labels}, value) for metric, value in meta]
        self._samples.writer(_meta_writer(target.name)).ingest(at, rows)

    def _fetch(self, standing: Standing) -> Scrape:
        target = standing.target
        headers = {"Accept": ACCEPT, "X-Prometheus-Scrape-Timeout-Seconds": f"{target.timeout:g}"}
        answer = fetch(target, self._context, seconds=target.timeout, headers=headers)
        return standing.parser.parse(
            answer.body.decode("utf-8", "replace"),
            open_metrics=answer.content_type.startswith("application/openmetrics-text"),
            sample_limit=target.sample_limit,
        )


def _standing(target: Target) -> Standing:
    address = urlsplit(str(target.url))
    port = address.port or {"http": 80, "https": 443}[address.scheme]
    labels = {"job": target.name, "instance": f"{address.hostname}:{port}", **target.labels}
    parser = ExpositionParser(extra=labels, honor_labels=target.honor_labels)
    return Standing(target, parser, labels)


def _writer(name: str) -> str:
    return f"target {name}"


def _meta_writer(name: str) -> str:
    return f"target {name} up"

"""The sample store: what was measured lately, as columns in memory and a log on disk.

    store = SampleStore(folder=Path("data/samples"))
    writer = store.writer("probe login")
    writer.ingest(now, [({"__name__": "probe_success", "probe": "login"}, 1.0)])
    evaluate_instant(parse("probe_success == 0"), store, now)

It knows no network: scraping is done elsewhere, the text it brings is read by
`monitor.samples.exposition`.
"""

from monitor.samples.errors import ExpositionError, SampleStoreError, SeriesLimitError
from monitor.samples.exposition import ExpositionParser, Scrape
from monitor.samples.stats import StoreStats
from monitor.samples.store import SampleStore
from monitor.samples.writer import Writer

__all__ = [
    "ExpositionError",
    "ExpositionParser",
    "SampleStore",
    "SampleStoreError",
    "Scrape",
    "SeriesLimitError",
    "StoreStats",
    "Writer",
]

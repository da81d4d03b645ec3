"""Sinks that the watchman tells."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sinks import HttpSink, http_sink


@pytest.fixture
def hook() -> Iterator[HttpSink]:
    """A web address that keeps what is posted to it."""
    with http_sink() as sink:
        yield sink

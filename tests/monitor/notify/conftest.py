"""Sinks that notifications are sent to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sinks import HttpSink, MailSink, http_sink, mail_sink


@pytest.fixture
def hook() -> Iterator[HttpSink]:
    """A web address that keeps what is posted to it."""
    with http_sink() as sink:
        yield sink


@pytest.fixture
def mailbox() -> Iterator[MailSink]:
    """A mail server that keeps what it accepts."""
    with mail_sink() as sink:
        yield sink

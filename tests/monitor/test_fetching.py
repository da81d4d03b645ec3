"""Sessions that go where they are told to: `monitor.fetching`."""

from __future__ import annotations

from monitor.fetching import unproxied
from tests.sinks import Answer, http_sink


def test_a_redirect_is_an_answer_that_nobody_has_read_yet() -> None:
    """It is not followed, and what comes with it waits for a reader with a bound."""
    with http_sink() as sink, unproxied() as session:
        sink.answers = [Answer(302, {"Location": sink.url}, b"x" * 100_000)]
        with session.post(sink.url, stream=True, timeout=5) as answer:
            assert (answer.status_code, answer.next, answer.raw.tell()) == (302, None, 0)
        assert len(sink.posts) == 1

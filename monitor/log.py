"""Structured logs: one event a line, for people or as JSON, with every secret redacted.

Both our own structlog events and the standard library's records (uvicorn, alembic) pass through
the same chain, so that redaction cannot be forgotten by a new producer.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable
from typing import Any, TextIO

import structlog

Redact = Callable[[str], str]


def configure_logging(
    *, style: str, level: str, redact: Redact = lambda text: text, stream: TextIO | None = None
) -> None:
    """Send every log line, redacted, to `stream` (standard error) as `human` or `json` text."""
    shared: list[structlog.types.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        _RedactingFormatter(
            redact,
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *_renderers(style, handler.stream),
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for noisy in ("alembic", "uvicorn", "uvicorn.access", "apprise", "urllib3"):
        logging.getLogger(noisy).setLevel("WARNING")
    logging.getLogger("apscheduler").setLevel("ERROR")  # a duty that is still going is no news
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=False,
    )


def _renderers(style: str, stream: TextIO) -> list[structlog.types.Processor]:
    if style == "json":
        return [
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(default=str),
        ]
    return [
        structlog.dev.ConsoleRenderer(
            colors=stream.isatty(),
            pad_event_to=34,
            exception_formatter=structlog.dev.plain_traceback,  # never the values of locals
        )
    ]


class _RedactingFormatter(structlog.stdlib.ProcessorFormatter):
    """Renders a record, then removes secrets from the finished line, traceback included."""

    def __init__(self, redact: Redact, **options: Any) -> None:
        super().__init__(**options)
        self._redact = redact

    def format(self, record: logging.LogRecord) -> str:
        return self._redact(super().format(record))


def logger(name: str) -> structlog.stdlib.BoundLogger:
    """Return a logger whose lines carry `name`."""
    bound: structlog.stdlib.BoundLogger = structlog.get_logger(name)
    return bound

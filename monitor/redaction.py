"""Every secret this process was given, so that logs can be kept free of all of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import unquote, urlsplit

from monitor.settings import Settings
from probes.redaction import MIN_LENGTH, Redactor
from probes.secrets import PREFIX


def process_redactor(settings: Settings, environ: Mapping[str, str]) -> Redactor:
    """Return a redactor of all secrets of the environment and the deployment settings.

    Values shorter than the redactor can safely look for are left out; they are refused where a
    journey or channel would use them.
    """
    return Redactor(value for value in _values(settings, environ) if len(value) >= MIN_LENGTH)


def _values(settings: Settings, environ: Mapping[str, str]) -> Iterator[str]:
    for name, value in environ.items():
        if name.startswith(PREFIX):
            yield from _file(value) if name.endswith("_FILE") else (value,)
    keys = (settings.seal_key, settings.alerts_token, settings.api_token, settings.metrics_token)
    for token in keys:
        yield token or ""
    for url in (settings.smtp_url, settings.database_url):
        yield unquote(urlsplit(url or "").password or "")


def _file(path: str) -> Iterator[str]:
    try:
        yield Path(path).read_text("utf-8").rstrip("\r\n")
    except (OSError, UnicodeDecodeError):
        return  # the journey that needs it says so, by name

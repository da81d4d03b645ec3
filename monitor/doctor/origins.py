"""Every host that the configuration has us reach: shops, scrape targets, channels, mail servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from monitor.config.check import documents
from monitor.config.load import load_configuration
from probes.faults import FaultyInput
from probes.secrets import EnvironmentSecrets, MissingSecret, UnfitSecret
from probes.templates import references, texts_in


def origins_of(folder: Path, environ: Mapping[str, str]) -> Iterator[str]:
    """Give `scheme://host[:port]` of every http address in the files, secrets filled in.

    What a path or password holds is not given: it may be secret. Addresses whose host is only known
    while a journey runs are left out.
    """
    secrets = EnvironmentSecrets(environ)
    for document in documents(folder):
        for _, text in texts_in(document.data):
            if "://" in text or "${secret:" in text:
                origin = _origin(_filled_in(text, secrets))
                if origin:
                    yield origin


def mail_servers_of(folder: Path) -> dict[str, str]:
    """Return the address of every mail server that a channel has of its own, by its name."""
    try:
        channels = load_configuration(folder).channels
    except FaultyInput:  # told as faults of the configuration
        return {}
    named = {c.name: str(c.settings.get("smtp_url", "")) for c in channels if c.kind == "email"}
    return {name: address for name, address in named.items() if address}


def _filled_in(text: str, secrets: EnvironmentSecrets) -> str:
    for reference in references(text):
        if reference.secret is not None:
            try:
                value = secrets.get(reference.secret)
            except (MissingSecret, UnfitSecret):
                continue  # told as a fault of the configuration
            text = text.replace(f"${{secret:{reference.secret}}}", value)
    return text


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text.strip())
        host, port = parts.hostname, parts.port
    except ValueError:
        return ""
    if (
        parts.scheme not in ("http", "https")
        or not host
        or not set("${} ").isdisjoint(parts.netloc)
    ):
        return ""
    shown = f"[{host}]" if ":" in host else host
    return f"{parts.scheme}://{shown}" + (f":{port}" if port else "")

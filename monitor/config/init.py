"""`monitor init`: a commented folder to start from, filled in for one shop."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from monitor.config.load import SHIPPED_RULES
from probes.faults import Fault, FaultyInput, shown

STARTER = Path(__file__).parent / "starter"


def write_starter(shop: str, folder: Path) -> Iterator[tuple[Path, bool]]:
    """Write the starting files into `folder` and yield (path, whether it was written).

    A file that exists already is left as it is.

    Raises:
        FaultyInput: `shop` is not an address of a web site.
    """
    url = _shop_address(shop)
    values = {"@URL@": url, "@NAME@": urlsplit(url).hostname or url}
    for source in sorted(STARTER.rglob("*.*")):
        yield _write(folder / source.relative_to(STARTER), _filled(source, values))
    for source in sorted(SHIPPED_RULES.rglob("*")):
        if source.suffix in {".yml", ".md"}:
            target = folder / "alert_rules" / source.relative_to(SHIPPED_RULES)
            yield _write(target, source.read_text("utf-8"))


def _shop_address(shop: str) -> str:
    parts = urlsplit(shop)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        expected = "an address such as https://my-shop.example"
        raise FaultyInput([Fault("command line", None, "shop", shown(shop), expected)])
    return shop.rstrip("/") + "/"


def _filled(source: Path, values: dict[str, str]) -> str:
    text = source.read_text("utf-8")
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _write(target: Path, text: str) -> tuple[Path, bool]:
    if target.exists():
        return target, False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")
    return target, True

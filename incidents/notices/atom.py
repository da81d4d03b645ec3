"""The incident history as an Atom feed: one entry per incident or window, revised in place.

Scrapers key on `<strong>Status</strong> - ` and on the pair of id and updated, so both are kept
exactly. All text goes through a serialiser; characters that XML cannot carry are dropped.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from html import escape
from urllib.parse import urlsplit
from xml.etree import ElementTree as Xml

from incidents.notices.maintenance import Maintenance
from incidents.notices.published import PublicIncident, PublicPage, PublicUpdate, window_updates

_NAMESPACE = "http://www.w3.org/2005/Atom"
_XML = "http://www.w3.org/XML/1998/namespace"
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
# https://www.w3.org/TR/xml/#charsets: everything else cannot be written, not even escaped
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")

Xml.register_namespace("", _NAMESPACE)


def feed(
    page: PublicPage, incidents: Sequence[PublicIncident], windows: Iterable[Maintenance]
) -> bytes:
    """Return the feed, newest entry first, in UTF-8."""
    host = urlsplit(page.site.url).hostname or "localhost"
    root = Xml.Element(_tag("feed"), {f"{{{_XML}}}lang": "en"})
    _text(root, "id", f"tag:{host},2005:/history")
    _link(root, "alternate", "text/html", page.site.url)
    _link(root, "self", "application/atom+xml", f"{page.site.url}/history.atom")
    _text(root, "title", f"{page.site.name} Status - Incident History")
    entries = [_incident_entry(page, host, i) for i in incidents]
    entries += [_window_entry(page, host, w) for w in windows]
    entries.sort(key=lambda entry: entry[0], reverse=True)
    _text(root, "updated", _instant(max((at for at, _ in entries), default=page.updated_at)))
    author = Xml.SubElement(root, _tag("author"))
    _text(author, "name", page.site.name)
    root.extend(entry for _, entry in entries)
    written: bytes = Xml.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def _incident_entry(
    page: PublicPage, host: str, shown: PublicIncident
) -> tuple[datetime, Xml.Element]:
    link = f"{page.site.url}/incidents/{shown.public_id}"
    return _entry(f"tag:{host},2005:Incident/{shown.public_id}", link, shown.title, shown.updates)


def _window_entry(page: PublicPage, host: str, window: Maintenance) -> tuple[datetime, Xml.Element]:
    link = f"{page.site.url}/maintenance/{window.public_id}"
    updates = window_updates(window, page.now)
    return _entry(f"tag:{host},2005:Incident/{window.public_id}", link, window.title, updates)


def _entry(
    entry_id: str, link: str, title: str, updates: Sequence[PublicUpdate]
) -> tuple[datetime, Xml.Element]:
    """Return one entry and when it was last revised; `updates` are newest first."""
    entry = Xml.Element(_tag("entry"))
    _text(entry, "id", entry_id)
    _text(entry, "published", _instant(updates[-1].at))
    _text(entry, "updated", _instant(updates[0].at))
    _link(entry, "alternate", "text/html", link)
    _text(entry, "title", title)
    content = _text(entry, "content", "".join(_note(update) for update in updates))
    content.set("type", "html")
    return updates[0].at, entry


def _note(update: PublicUpdate) -> str:
    """Return one update as the paragraph that scrapers look for."""
    at = update.at.astimezone(UTC)
    day = f"{_MONTHS[at.month - 1]} <var data-var='date'>{at:%d}</var>"
    clock = f"<var data-var='time'>{at:%H:%M}</var> UTC"
    body = escape(update.body).replace("\n", "<br>")
    return f"<p><small>{day}, {clock}</small><br><strong>{update.word}</strong> - {body}</p>"


def _tag(name: str) -> str:
    return f"{{{_NAMESPACE}}}{name}"


def _text(parent: Xml.Element, name: str, text: str) -> Xml.Element:
    child = Xml.SubElement(parent, _tag(name))
    child.text = _NOT_XML.sub("", text)
    return child


def _link(parent: Xml.Element, rel: str, kind: str, href: str) -> None:
    Xml.SubElement(parent, _tag("link"), {"rel": rel, "type": kind, "href": href})


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

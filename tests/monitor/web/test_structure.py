"""What a screen reader and a keyboard need of every page of the console, checked on its HTML."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from shutil import copy

import pytest
from selectolax.lexbor import LexborHTMLParser as HTMLParser
from selectolax.lexbor import LexborNode as Node

from monitor.storage.engine import open_engine
from monitor.storage.store import Store
from monitor.web.permissions import Role
from monitor.web.static_files import FOLDER
from tests.monitor.web.builders import FakeHolder, Web, configuration, services
from tests.monitor.web.seeds import troubled_shop
from tests.monitor.web.test_doors import DOORS, knock

PAGES = sorted(door for door in DOORS if door.startswith(("GET /console", "GET /runbooks")))
FIELDS = "input:not([type=hidden]), select, textarea"
REFERENCES = (
    "aria-labelledby",
    "aria-describedby",
    "aria-controls",
    "for",
    "popovertarget",
    "list",
)
Check = Callable[[HTMLParser], Iterable[str]]


@pytest.fixture(scope="module")
def shop(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    """A troubled shop that every page is drawn from."""
    folder = tmp_path_factory.mktemp("structure")
    copy(sqlite_template, folder / "monitor.db")
    (folder / "alert_rules" / "runbooks").mkdir(parents=True)
    (folder / "alert_rules" / "runbooks" / "ProbeFailing.md").write_text("# Look first\n")
    store = Store(open_engine(f"sqlite:///{folder / 'monitor.db'}"))
    troubled_shop(store)
    web = Web(services(store, configuration=FakeHolder(configuration(folder))))
    web.services.events.close()
    yield web
    store.close()


def text_of(node: Node) -> str:
    """Return what is read out for an element by its own words."""
    return (node.attributes.get("aria-label") or "") + node.text(strip=True)


def frame(page: HTMLParser) -> Iterable[str]:
    """A language, a title, one main part, a way past the menu."""
    root = page.css_first("html")
    if root is None or not root.attributes.get("lang"):
        yield "the page names no language"
    title = page.css_first("title")
    if title is None or not title.text(strip=True):
        yield "the page has no title"
    for name in ("main", "h1"):
        if len(page.css(name)) != 1:
            yield f"{len(page.css(name))} {name}, expected one"
    skip = page.css_first("body > a")
    if skip is None or skip.attributes.get("href") != "#main":
        yield "the first thing in the page does not lead to its main part"


def headings(page: HTMLParser) -> Iterable[str]:
    """They begin with the first level and skip none on the way down."""
    level = 0
    for node in page.css("h1, h2, h3, h4, h5, h6"):
        found = int((node.tag or "h0")[1])
        if found > level + 1:
            yield f"{node.tag} “{node.text(strip=True)}” after level {level}"
        if not node.text(strip=True):
            yield f"an empty {node.tag}"
        level = found


def ids(page: HTMLParser) -> Iterable[str]:
    """Each once, and whatever is referred to is there."""
    given = Counter(node.attributes["id"] for node in page.css("[id]"))
    yield from (f"id {name} {count} times" for name, count in given.items() if count > 1)
    for attribute in REFERENCES:
        for node in page.css(f"[{attribute}]"):
            for name in (node.attributes[attribute] or "").split():
                if name not in given:
                    yield f"{attribute} names {name}, which is not there"
    for node in page.css("a[href^='#']"):
        if (node.attributes["href"] or "")[1:] not in given:
            yield f"a link to {node.attributes['href']}, which is not there"


def names(page: HTMLParser) -> Iterable[str]:
    """Every field has a label, every link, button and group of links has words."""
    labelled = {node.attributes.get("for") for node in page.css("label[for]")}
    for node in page.css(FIELDS):
        wrapped = any(parent.tag == "label" for parent in parents(node))
        name = node.attributes.get("id")
        if not (wrapped or name in labelled or node.attributes.get("aria-label")):
            hidden = node.attributes.get("aria-hidden") == "true"
            if not hidden:
                yield f"field {node.attributes.get('name')} has no label"
    for node in page.css("a, button, summary"):
        if not text_of(node):
            yield f"{node.tag} without words: {node.html}"
    for node in page.css("nav, aside, [role=search]"):
        if not (node.attributes.get("aria-label") or node.attributes.get("aria-labelledby")):
            yield f"{node.tag} without a name"


def pictures(page: HTMLParser) -> Iterable[str]:
    """Each is either named or hidden from whoever does not see it."""
    for node in page.css("svg"):
        hidden = node.attributes.get("aria-hidden") == "true"
        if not (hidden or any(is_named_picture(one) for one in (node, *parents(node)))):
            yield f"a picture without words: {(node.html or '')[:80]}"


def is_named_picture(node: Node) -> bool:
    """Return whether an element is read out as a picture; then what is inside it is not."""
    return node.attributes.get("role") == "img" and bool(node.attributes.get("aria-label"))


def tables(page: HTMLParser) -> Iterable[str]:
    """Headings say what they head; on a phone every cell names its column."""
    for table in page.css("table"):
        for node in table.css("th"):
            if node.attributes.get("scope") not in ("col", "row"):
                yield f"th “{node.text(strip=True)}” heads nothing"
        stacked = any("stacked" in (p.attributes.get("class") or "") for p in parents(table))
        for row in table.css("tbody tr") if stacked else ():
            for cell in row.css("td")[:-1]:
                if "data-label" not in cell.attributes and not is_wide(cell):
                    yield f"cell “{cell.text(strip=True)[:40]}” names no column"


def is_wide(cell: Node) -> bool:
    """Return whether a cell takes the whole width of a phone by itself."""
    return "wide" in (cell.attributes.get("class") or "").split()


def keyboard(page: HTMLParser) -> Iterable[str]:
    """Nothing jumps the queue, nothing takes the focus by itself, no key is asked for twice."""
    for node in page.css("[tabindex]"):
        if int(node.attributes["tabindex"] or 0) > 0:
            yield f"tabindex {node.attributes['tabindex']}"
    if page.css("[autofocus]"):
        yield "something takes the focus by itself"
    keys = Counter(node.attributes["aria-keyshortcuts"] for node in page.css("[aria-keyshortcuts]"))
    yield from (f"key {key} {count} times" for key, count in keys.items() if count > 1)


def patterns(page: HTMLParser) -> Iterable[str]:
    """Browsers read them with the flag v: a bare hyphen that ends a class is a fault."""
    for node in page.css("[pattern]"):
        if re.search(r"[^\\]-\]", node.attributes["pattern"] or ""):
            yield f"pattern {node.attributes['pattern']}"


def moments(page: HTMLParser) -> Iterable[str]:
    """Programs and translations read the instant."""
    for node in page.css("time"):
        if not re.match(
            r"\d{4}-\d\d-\d\dT.*([+-]\d\d:\d\d|Z)$", node.attributes.get("datetime") or ""
        ):
            yield f"time “{node.text(strip=True)}” without its instant"


def lists(page: HTMLParser) -> Iterable[str]:
    """A list holds its items and nothing between them; a number is never alone."""
    for node in page.css("ul, ol"):
        wrong = {child.tag for child in node.iter() if child.tag != "li"}
        if wrong:
            yield f"a list with {', '.join(sorted(map(str, wrong)))} in it"


def parents(node: Node) -> Iterator[Node]:
    """Give what an element stands in, from the inside out."""
    while (above := node.parent) is not None:
        yield above
        node = above


CHECKS: tuple[Check, ...] = (
    *(frame, headings, ids, names, pictures, tables, keyboard, patterns, moments, lists),
)


@pytest.mark.parametrize("role", [Role.ADMINISTRATOR, Role.AGENT])
@pytest.mark.parametrize("door", PAGES)
def test_every_page_can_be_used_without_eyes_and_without_a_mouse(
    shop: Web, door: str, role: Role
) -> None:
    """Each check, on each page as it is drawn for a shop in trouble."""
    answer = knock(shop.as_role(role)[0], door, {})
    if not answer.headers.get("content-type", "").startswith("text/html"):
        return  # a redirect, or a file
    page = HTMLParser(answer.text)
    assert [f"{check.__name__}: {fault}" for check in CHECKS for fault in check(page)] == []


def test_no_style_takes_the_ring_of_the_focus_away() -> None:
    """Only the main part has none: it is focused by the skip link, not by a key."""
    for path in FOLDER.glob("*.css"):
        rules = re.findall(r"([^{}]+)\{([^{}]*)\}", path.read_text("utf-8"))
        ringless = [who.strip() for who, body in rules if re.search(r"outline:\s*(none|0)\b", body)]
        assert ringless in ([], ["main"]), path.name


def test_a_check_sees_what_is_wrong() -> None:
    """The checks themselves, on a page that breaks each of them."""
    bad = HTMLParser(
        "<html><body><p>x</p><h1>A</h1><h3>B</h3><main></main><main></main><nav></nav>"
        "<i id='a'></i><i id='a'></i><label for='b'>B</label><input name='c'><a href='#d'></a>"
        "<svg></svg><table><tr><th>x</th></tr></table><i tabindex='2'></i><time>now</time>"
        "<ul><p>no</p></ul><input pattern='[a-]'></body></html>"
    )
    assert [check.__name__ for check in CHECKS if not list(check(bad))] == []

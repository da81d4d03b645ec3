"""Every link between our own pages leads somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("alert_rules/**/*.md")])
LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)(?:\s+\"[^\"]*\")?\)")


def text_of(page: Path) -> str:
    """Return a page without its blocks of code, in which nothing is a link."""
    return re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)


def anchors_of(page: Path) -> set[str]:
    """Return the names that a page's headings can be linked by."""
    headings = re.findall(r"^#+ (.+?)\s*$", text_of(page), flags=re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


def broken_links(page: Path) -> list[str]:
    """Return the links of a page into this project that lead nowhere."""
    broken = []
    for link in LINK.findall(text_of(page)):
        path, _, anchor = link.partition("#")
        if re.match(r"[a-z]+:", link) or link.startswith("/"):
            continue  # elsewhere, or a path of the running service
        target = (page.parent / path).resolve() if path else page
        wrong_anchor = anchor and target.suffix == ".md" and target.is_file()
        if not target.exists() or (wrong_anchor and anchor not in anchors_of(target)):
            broken.append(link)
    return broken


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_to_pages_and_headings_that_exist(page: Path) -> None:
    """README, changelog, docs and runbooks send nobody to a page that is not there."""
    assert broken_links(page) == []


def test_every_page_of_docs_can_be_reached_from_the_readme() -> None:
    """What nobody can find was not written."""
    found, ahead = set(), [ROOT / "README.md"]
    while ahead:
        page = ahead.pop()
        if page in found or not page.is_file() or page.suffix != ".md":
            continue
        found.add(page)
        links = (link.partition("#")[0] for link in LINK.findall(text_of(page)))
        ahead += [(page.parent / link).resolve() for link in links if link and ":" not in link]
    assert sorted(set(ROOT.glob("docs/*.md")) - found) == []

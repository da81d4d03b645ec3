"""The search for programs, and for the palette of the console."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel

from monitor.web.permissions import Actor, Permission
from monitor.web.searching import LONGEST_QUERY, search
from monitor.web.security import require
from monitor.web.services import Given

router = APIRouter(tags=["search"])


class Hit(BaseModel):
    """Something found; `path` is its page below the monitor's address."""

    kind: str
    path: str
    name: str
    title: str
    detail: str
    state: str


class SearchAnswer(BaseModel):
    """What was found, best first within its kind; `jump` is the page an exact reference names."""

    query: str
    jump: str | None
    results: list[Hit]


@router.get("/api/v1/search")
def find(
    services: Given,
    actor: Annotated[Actor, Depends(require(Permission.VIEW))],
    q: Annotated[str, Query(max_length=LONGEST_QUERY, description="words, or a reference")] = "",
) -> SearchAnswer:
    """Give incidents, reports, journeys and whatever else holds all of the words.

    Only what the asker may read is searched: reports need the permission to read reports.
    """
    found = search(services, actor, q)
    hits = [
        Hit(
            kind=kind, path=one.path, name=one.name, title=one.title, detail=one.detail,
            state=one.state,
        )
        for kind, group in found.groups
        for one in group
    ]  # fmt: skip
    return SearchAnswer(query=found.query, jump=found.jump or None, results=hits)

"""The audit log as JSON, for whoever gathers such logs elsewhere."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import AwareDatetime, BaseModel

from monitor.storage.audit import AuditFilter, search_audit
from monitor.storage.audit_chain import read_anchor
from monitor.web.audit_files import as_record
from monitor.web.params import Before
from monitor.web.permissions import Permission
from monitor.web.security import require
from monitor.web.services import Given

router = APIRouter(tags=["audit"])
MOST_LISTED = 1000
Word = Annotated[str, Query(max_length=200)]


class AuditedChange(BaseModel):
    """One change; `position` and `hash` are null until it is sealed into the chain."""

    id: int
    at: datetime
    actor: str
    action: str
    target: str
    detail: dict[str, Any]
    position: int | None
    hash: str | None


class Head(BaseModel):
    """The end of the sealed chain: note it elsewhere to find out later that it was cut off."""

    position: int
    hash: str


class AuditLog(BaseModel):
    """Changes, newest first; `next` is the `before` of the next page."""

    changes: list[AuditedChange]
    next: int | None
    head: Head


@router.get("/api/v1/audit", dependencies=[Depends(require(Permission.VIEW_AUDIT))])
def list_changes(
    services: Given,
    *,
    actor: Word = "",
    action: Annotated[
        str, Query(max_length=200, description="`noun.verb`, or a noun for all done to such things")
    ] = "",
    target: Word = "",
    since: Annotated[AwareDatetime | None, Query(description="Included.")] = None,
    until: Annotated[AwareDatetime | None, Query(description="Not included.")] = None,
    before: Before = None,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED)] = 100,
) -> AuditLog:
    """List the newest changes that match."""
    wanted = AuditFilter(actor, action, target, since, until, before, limit)
    with services.store.read() as connection:
        rows = search_audit(connection, wanted)
        head = read_anchor(connection, "head")
    return AuditLog(
        changes=[AuditedChange.model_validate(as_record(row)) for row in rows],
        next=rows[-1].id if len(rows) == limit else None,
        head=Head(position=head.position, hash=head.hash),
    )

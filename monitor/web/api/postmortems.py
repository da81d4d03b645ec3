"""Postmortems as JSON and as Markdown: the draft, what people made of it, and every version."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from incidents.errors import UnknownObjectError
from monitor.storage.incidents import load_incident
from monitor.storage.postmortems import Version, latest_version, load_version, versions_of
from monitor.storage.tasks import tasks_of
from monitor.use_cases.postmortems import PostmortemDesk, draft_postmortem
from monitor.web.api.incident_asked import LARGEST, Asks, Body, Number, Responder, Viewer
from monitor.web.api.incident_views import IncidentDetail, TaskView
from monitor.web.services import Given

router = APIRouter(prefix="/api/v1/incidents", tags=["incidents"])
OPEN: dict[int | str, dict[str, Any]] = {
    409: {
        "description": "The incident is still open.",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    }
}
MARKDOWN = "text/markdown; charset=utf-8"


class VersionView(BaseModel):
    """One saved version."""

    model_config = ConfigDict(from_attributes=True)

    version: int
    at: datetime
    author: str
    body: str = Field(description="Markdown.")


class Postmortem(BaseModel):
    """What is written of an incident that is over."""

    number: int
    version: int = Field(description="0 while nothing is saved: then `body` is the draft.")
    body: str = Field(description="Markdown.")
    action_items: list[TaskView]
    versions: list[VersionView]


class PostmortemText(Body):
    """A version to be saved."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"body": "# Postmortem of INC-7\n\nThe disk was full.", "based_on": 1}]
        }
    )

    body: str = Field(description="Markdown.")
    based_on: int | None = Field(
        default=None, ge=0, le=LARGEST, description="The version that was worked on; 0: none."
    )


@router.get("/{number}/postmortem", dependencies=[Viewer], responses=OPEN)
def get_postmortem(number: Number, services: Given) -> Postmortem:
    """Give the newest version, or the draft that the record can write."""
    with services.store.read() as connection:
        incident = load_incident(connection, number)
        versions = versions_of(connection, incident.id)
        draft = (
            ""
            if versions
            else draft_postmortem(connection, services.configuration.current, incident)
        )
        return Postmortem(
            number=number,
            version=versions[0].version if versions else 0,
            body=versions[0].body if versions else draft,
            action_items=[TaskView.model_validate(t) for t in tasks_of(connection, incident.id)],
            versions=[VersionView.model_validate(version) for version in versions],
        )


@router.get("/{number}/postmortem/draft", dependencies=[Viewer], responses=OPEN)
def get_draft(number: Number, services: Given) -> Postmortem:
    """Give what the record writes now, whatever was saved."""
    with services.store.read() as connection:
        incident = load_incident(connection, number)
        return Postmortem(
            number=number,
            version=0,
            body=draft_postmortem(connection, services.configuration.current, incident),
            action_items=[TaskView.model_validate(t) for t in tasks_of(connection, incident.id)],
            versions=[],
        )


@router.get("/{number}/postmortem/versions/{version}", dependencies=[Viewer])
def get_version(
    number: Number, version: Annotated[int, Path(ge=1, le=LARGEST)], services: Given
) -> VersionView:
    """Give one saved version."""
    with services.store.read() as connection:
        incident = load_incident(connection, number)
        return VersionView.model_validate(load_version(connection, incident.id, version))


@router.get(
    "/{number}/postmortem.md",
    dependencies=[Viewer],
    response_class=Response,
    responses={200: {"content": {"text/markdown": {"schema": {"type": "string"}}}}},
)
def export_postmortem(number: Number, services: Given) -> Response:
    """Give the newest version as a Markdown file."""
    with services.store.read() as connection:
        incident = load_incident(connection, number)
        found = latest_version(connection, incident.id)
    if found is None:
        raise UnknownObjectError(f"postmortem of INC-{number} yet")
    return markdown_file(number, found)


@router.post("/{number}/postmortem")
def save_postmortem(
    number: Number, body: PostmortemText, by: Responder, ask: Asks
) -> IncidentDetail:
    """Save a new version; the first moves a resolved incident to `postmortem`."""
    return ask.answer(
        lambda: ask.at(PostmortemDesk).save(
            number,
            body.body,
            based_on=body.based_on,
            by=by.name,
            now=ask.now,
            once=ask.once(by, body),
        )
    )


def markdown_file(number: int, version: Version) -> Response:
    """Return a version as a file to be kept."""
    name = f"INC-{number}-postmortem-{version.version}.md"
    headers = {"content-disposition": f'attachment; filename="{name}"'}
    return Response(version.body, media_type=MARKDOWN, headers=headers)

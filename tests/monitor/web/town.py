"""A shop with a public page: components, groups, incidents and windows to look at."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from typing import Any

from fastapi.testclient import TestClient
from httpx2 import Response
from sqlalchemy import update

from incidents.notices.maintenance import Effect, Maintenance, Scope
from monitor.config.model import Component
from monitor.storage.schema import incidents
from monitor.use_cases.conversation import teller
from monitor.use_cases.maintenance import Plan, plan_maintenance
from monitor.use_cases.status import record_component_states
from tests.builders import journey
from tests.monitor.use_cases.desk import Desk
from tests.monitor.use_cases.verdicts import seen
from tests.monitor.web.builders import Web, hidden

HOSTILE = "<script>alert('x')</script>\"><img src=x onerror=alert(1)> ]]> & {{ 7*7 }}"
NAMES = ("login", "search", "checkout", "vault")


class Town:
    """What a test does to the shop, and how people look at it."""

    def __init__(self, web: Web) -> None:
        self.web = web
        holder: Any = web.services.configuration
        parts = tuple(
            Component(
                id=name,
                name=name.capitalize(),
                group=None if name == "vault" else "Buying",
                publish="draft" if name == "vault" else "automatic",
            )
            for name in NAMES
        )
        journeys = tuple(journey(name) for name in NAMES)
        holder.current = replace(holder.current, components=parts, journeys=journeys, categories=())
        self.store = web.services.store
        self.desk = Desk(self.store, holder.current)
        self.desk.now = web.now()
        policy = replace(self.desk.policy, tell_reporters=teller("http://monitor.test"))
        self.desk.policy = policy
        self.client: TestClient = web.client()

    def see(self, **by_name: str) -> None:
        """Every journey ran just now: up, unless said otherwise."""
        now = self.web.now()
        with self.store.begin() as tx:
            for name in NAMES:
                seen(tx, name, by_name.get(name, "up"), now)
        record_component_states(self.store, self.desk.configuration, now)

    def break_(self, component: str = "checkout", title: str = "", message: str = "") -> str:
        """An alert fires; returns the incident's public id. `title` is what the public reads."""
        self.desk.now = self.web.now()
        self.desk.fire(
            component,
            annotations={
                "summary": title or f"{component} is down",
                "customer_message": message or f"{component} fails.",
            },
        )
        public_id = self.desk.incidents()[-1].public_id
        if title:
            with self.store.begin() as tx:
                row = incidents.c.public_id == public_id
                tx.connection.execute(update(incidents).where(row).values(public_title=title))
                tx.touch("status")
        return public_id

    def repair(self, component: str = "checkout") -> None:
        """The alert resolves."""
        self.desk.now = self.web.now()
        self.desk.resolve(component)

    def plan(self, starts_in: float = 0, minutes: float = 30, **facts: Any) -> Maintenance:
        """A window over search."""
        start = self.web.now() + timedelta(minutes=starts_in)
        plan = Plan(
            title=facts.get("title", "Index upgrade"),
            description=facts.get("description", "Results may be old."),
            starts_at=start,
            ends_at=start + timedelta(minutes=minutes),
            scope=(Scope("search", Effect.EXPECTED_DOWN),),
        )
        return plan_maintenance(
            self.store, self.desk.configuration, plan, by="ann", now=self.web.now()
        )

    def report(self, description: str = "Paying fails", **fields: str) -> Response:
        """Fill in the form as a person does and return the answer to it."""
        form = self.form()
        return self.client.post("/report", data={**form, "description": description, **fields})

    def form(self) -> dict[str, str]:
        """Return the hidden fields of a fresh form."""
        html = self.client.get("/report").text
        return {name: hidden(html, name) for name in ("form_token", "once")}

    def press(self, address: str, path: str, **fields: str) -> Response:
        """Send one of the forms of a reporter's page."""
        html = self.client.get(address).text
        token = hidden(html, "form_token")
        return self.client.post(f"{address}/{path}", data={"form_token": token, **fields})


def words(html: str) -> str:
    """Return what a reader sees of a page, in one line."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())

"""A shop's troubles as rows, for pages to show."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert

from monitor.storage import schema
from monitor.storage.numbers import next_number
from monitor.storage.runs import record_run, save_verdict
from monitor.storage.store import Store, Transaction
from probes.result import Evidence, Hop, Outcome, Phases, ProbeRun, Reason, StepResult
from probes.verdict import Verdict, VerdictState
from tests.builders import NOW, run

VERDICTS = {"login": Verdict.UP, "search": Verdict.UP, "checkout": Verdict.DOWN}
HOSTILE = "<script>alert('captured')</script>\"><img src=x onerror=alert(1)>"


def hostile_evidence() -> Evidence:
    """Return evidence in which every text tries to become markup."""
    return Evidence(
        request=f"POST http://shop.test/pay?{HOSTILE}",
        request_headers=(("user-agent", HOSTILE),),
        status=500,
        response_headers=(("server", HOSTILE), ("content-type", "text/html")),
        body_excerpt=f"<html>{HOSTILE}</html>",
        final_url=f"http://shop.test/{HOSTILE}",
        expectation=f"status 200 {HOSTILE}",
    )


def failed_checkout(run_id: str, at: datetime, **changes: Any) -> ProbeRun:
    """Return a run of three steps whose second failed, with hostile evidence."""
    hop = Hop(
        "GET", "http://shop.test/", 200, "127.0.0.1:80", Phases(0.001, 0.002, 0, 0.04, 0.01), 0.06
    )
    pay = Hop(
        "POST", "http://shop.test/pay", 500, "127.0.0.1:80", Phases(0, 0, 0, 0.31, 0.02), 0.34
    )
    steps = (
        StepResult("open the shop", Outcome.PASSED, duration_seconds=0.06, hops=(hop,)),
        StepResult(
            "pay",
            Outcome.FAILED,
            Reason.STATUS,
            detail=f"status 500, expected 200 {HOSTILE}",
            duration_seconds=0.34,
            hops=(pay,),
            evidence=hostile_evidence(),
        ),
        StepResult("sign out", Outcome.SKIPPED, cleanup=True),
    )
    facts: dict[str, Any] = {"id": run_id, "started_at": at, "failed_step": "pay", "steps": steps}
    detail = "status 500, expected 200"
    return run(Outcome.FAILED, **{**facts, "detail": detail, "duration_seconds": 0.4, **changes})


def add_incident(tx: Transaction, number: int = 1, **changes: Any) -> int:
    """Store an open incident of checkout with an alert, a timeline and a public update."""
    facts: dict[str, Any] = {
        "number": number,
        "public_id": f"public{number:06}",
        "key": f"checkout-{number}",
        "open_marker": 1,
        "title": "Checkout fails at “pay”",
        "status": "investigating",
        "severity": "critical",
        "impact": "major",
        "component": "checkout",
        "journey": "checkout",
        "step": "pay",
        "reason": "status",
        "origin": "automatic",
        "started_at": NOW - timedelta(minutes=7),
        "opened_at": NOW - timedelta(minutes=7),
        "updated_at": NOW,
        "published_at": NOW - timedelta(minutes=7),
        "customer_message": "Paying may fail at the moment. We are working on it.",
    }
    statement = insert(schema.incidents).values(**{**facts, **changes})
    row_id = tx.connection.execute(statement.returning(schema.incidents.c.id)).scalar_one()
    tx.connection.execute(
        insert(schema.incident_components).values(
            incident_id=row_id, component="checkout", status="major_outage"
        )
    )
    return int(row_id)


def add_alert(tx: Transaction, incident_id: int, **changes: Any) -> None:
    """Store a firing alert of an incident."""
    labels = {"alertname": "ProbeFailing", "severity": "critical", "journey": "checkout"}
    at = NOW - timedelta(minutes=7)
    facts: dict[str, Any] = {
        "fingerprint": f"{incident_id:016x}",
        "open_marker": 1,
        "labels": {**labels, "component": "checkout"},
        "annotations": {
            "summary": "Checkout is down for customers.",
            "runbook_url": "javascript:1",
        },
        "starts_at": at,
        "latest_starts_at": at,
        "state": "firing",
        "received_at": at,
        "updated_at": at,
        "incident_id": incident_id,
    }
    tx.connection.execute(insert(schema.alerts).values(**{**facts, **changes}))


def add_line(tx: Transaction, incident_id: int, kind: str, text: str, **changes: Any) -> None:
    """Store a line of a timeline."""
    row = {"incident_id": incident_id, "at": NOW - timedelta(minutes=6), "kind": kind}
    row |= {"text": text, "actor": "monitor"}
    tx.connection.execute(insert(schema.timeline).values(**{**row, **changes}))


def add_notification(tx: Transaction, key: str, state: str = "sent", **changes: Any) -> None:
    """Store a notification."""
    facts: dict[str, Any] = {
        "key": key,
        "event": "incident_opened",
        "channel": "pager",
        "subject": "INC-1 opened: checkout fails",
        "payload": {},
        "created_at": NOW - timedelta(minutes=7),
        "due_at": NOW - timedelta(minutes=7),
        "state": state,
        "attempts": 1,
        "last_error": "connection refused" if state == "failed" else "",
        "finished_at": NOW - timedelta(minutes=6) if state in ("sent", "failed") else None,
    }
    tx.connection.execute(insert(schema.outbox).values(**{**facts, **changes}))


def add_report(tx: Transaction, number: int, incident_id: int | None, **changes: Any) -> None:
    """Store a user's report."""
    facts: dict[str, Any] = {
        "number": number,
        "token": f"token-{number}",
        "channel": "web",
        "component": "checkout",
        "description": f"I pressed pay and nothing came. {HOSTILE}",
        "status": "open",
        "incident_id": incident_id,
        "created_at": NOW - timedelta(minutes=3),
        "updated_at": NOW - timedelta(minutes=3),
    }
    tx.connection.execute(insert(schema.reports).values(**{**facts, **changes}))


def add_window(tx: Transaction, number: int = 1, **changes: Any) -> None:
    """Store a maintenance window of search that begins in an hour."""
    facts: dict[str, Any] = {
        "number": number,
        "public_id": f"public{number:06}",
        "title": "A new search index",
        "starts_at": NOW + timedelta(hours=1),
        "ends_at": NOW + timedelta(hours=2),
        "created_at": NOW,
        "updated_at": NOW,
    }
    statement = insert(schema.maintenance).values(**{**facts, **changes})
    row_id = tx.connection.execute(statement.returning(schema.maintenance.c.id)).scalar_one()
    scope = {"maintenance_id": row_id, "component": "search", "effect": "expected_degraded"}
    tx.connection.execute(insert(schema.maintenance_scope).values(**scope))


def _past_run(name: str, index: int, *, down: bool) -> ProbeRun:
    """Return the run of `index` runs ago; a journey that is down failed the last 28 times."""
    at, run_id = NOW - timedelta(seconds=15 * index + 5), f"{name}-{index}"
    if down and index < 28:
        return failed_checkout(run_id, at)
    took = 0.3 + 0.1 * (index % 5)
    return run(id=run_id, started_at=at, journey=name, duration_seconds=took)


def troubled_shop(store: Store) -> None:
    """Store a shop whose checkout has just gone down, and whose other journeys are well."""
    with store.begin() as tx:
        for name, verdict in VERDICTS.items():
            since, good_at = NOW - timedelta(minutes=7), NOW - timedelta(minutes=8)
            state = VerdictState(
                verdict, since, last_run_at=NOW, informed_at=NOW, last_success_at=good_at
            )
            save_verdict(tx, name, "local", state)
            for index in range(40):
                record_run(tx, _past_run(name, index, down=verdict is Verdict.DOWN))
        incident_id = add_incident(tx)
        add_alert(tx, incident_id)
        add_line(tx, incident_id, "opened", "opened by ProbeFailing")
        add_line(tx, incident_id, "notification_sent", "pager was told")
        add_line(tx, incident_id, "note", f"gateway logs say no {HOSTILE}", actor="responder")
        add_notification(tx, "a", incident_id=incident_id)
        add_notification(tx, "b", "failed", channel="mail", incident_id=incident_id)
        add_window(tx)
        add_report(tx, 1, incident_id)
        add_report(tx, 2, None, description="Search finds nothing", component="search")
        for counter, last in (("incident", 1), ("maintenance", 1), ("report", 2)):
            for _ in range(last):
                next_number(tx, counter)

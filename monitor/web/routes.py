"""Every router of the application, in one place: a page exists when its module is named here."""

from __future__ import annotations

from fastapi import APIRouter

from monitor.web.api import (
    alerts,
    audit,
    banner,
    feeds,
    incidents,
    maintenance,
    prometheus,
    reports,
    statuspage,
)
from monitor.web.pages import (
    account,
    console_audit,
    console_events,
    console_home,
    console_incident_work,
    console_incidents,
    console_journeys,
    console_maintenance,
    console_operations,
    console_reports,
    health,
    history,
    report,
    reporter,
    runbooks,
    second_factor,
    sign_in,
    status,
)

ROUTERS: tuple[APIRouter, ...] = (
    health.router,
    sign_in.router,
    account.router,
    second_factor.router,
    runbooks.router,
    alerts.router,
    audit.router,
    incidents.router,
    prometheus.router,
    console_events.router,
    console_home.router,
    console_incidents.router,
    console_incident_work.router,
    console_journeys.router,
    console_operations.router,
    console_audit.router,
    status.router,
    history.router,
    report.router,
    reporter.router,
    statuspage.router,
    feeds.router,
    banner.router,
    reports.router,
    maintenance.router,
    console_maintenance.router,
    console_reports.router,
)

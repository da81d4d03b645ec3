"""Every router of the application, in one place: a page exists when its module is named here."""

from __future__ import annotations

from fastapi import APIRouter

from monitor.web.pages import health

ROUTERS: tuple[APIRouter, ...] = (health.router,)

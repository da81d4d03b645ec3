"""The folder a user owns (`monitor.yml`, `journeys/`, `alert_rules/`) as one `Configuration`."""

from monitor.config.model import (
    Category,
    Channel,
    Component,
    Configuration,
    Limits,
    Location,
    Retention,
    Site,
    Target,
)

__all__ = [
    "Category",
    "Channel",
    "Component",
    "Configuration",
    "Limits",
    "Location",
    "Retention",
    "Site",
    "Target",
]

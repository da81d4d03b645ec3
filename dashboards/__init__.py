"""Grafana dashboards: built by `build.py`, checked in as JSON, shipped as package data."""

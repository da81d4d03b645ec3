"""Prometheus rule files, their unit tests and their runbooks, shipped as package data."""

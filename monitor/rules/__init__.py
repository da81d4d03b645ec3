"""Prometheus rule files, evaluated here: groups, alerts, templates, unit tests and lint.

Answers for turning rule files into alerts exactly as Prometheus would. Evaluating expressions is
left to `monitor.promql`, keeping samples to `monitor.samples`, acting on alerts to whoever is
given as `send`.
"""

"""Asks Prometheus and Alertmanager what they know, to repair what we missed."""

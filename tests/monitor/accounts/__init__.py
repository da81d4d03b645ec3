"""Tests of `monitor.accounts`."""

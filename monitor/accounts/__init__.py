"""Accounts of the console: who people are, how they are reached and how they prove it."""

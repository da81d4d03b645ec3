"""The running service: whatever needs a clock, a socket or a database."""

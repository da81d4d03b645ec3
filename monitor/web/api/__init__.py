"""JSON for machines: one module a subject, each with a `router`."""

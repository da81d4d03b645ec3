"""HTML for people: one module a subject, each with a `router`."""

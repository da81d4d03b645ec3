"""Wire formats become alerts here; an alert's identity and its expiry."""

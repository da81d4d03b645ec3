"""The steps from an empty database to the present schema, applied at every start."""

"""What the sample store refuses, as exceptions a caller can tell apart."""


class SampleStoreError(Exception):
    """The store cannot do what was asked; what it holds is unharmed."""


class SeriesLimitError(SampleStoreError):
    """New series were refused because the store is full; those it knew were written.

    `refused` is how many series were left out, `limit` how many the store may hold.
    """

    def __init__(self, refused: int, limit: int) -> None:
        self.refused = refused
        self.limit = limit
        super().__init__(
            f"series limit reached: {refused} new series refused, {limit} may be held; "
            "drop labels with many values or raise the limit"
        )


class ExpositionError(ValueError):
    """Scraped text is malformed; `line` counts from 1."""

    def __init__(self, line: int, reason: str) -> None:
        self.line = line
        self.reason = reason
        super().__init__(f"line {line}: {reason}")

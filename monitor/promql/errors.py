"""What can be wrong with an expression or its evaluation, as exceptions a caller can tell apart."""


class PromqlError(Exception):
    """An expression is refused, or its evaluation failed; the message names the construct."""


class PromqlSyntaxError(PromqlError):
    """The text is not an expression of the supported language; raised by `parse` only."""


class UnsupportedError(PromqlSyntaxError):
    """The text is PromQL, but uses a construct that is left out here on purpose."""


class QueryLimitError(PromqlError):
    """An evaluation would exceed its bounds in samples, steps or time; nothing was computed."""

"""The fields of a form that was sent: every form is read here, whoever sends it.

A body of another kind has no fields.
"""

from __future__ import annotations

from python_multipart.multipart import parse_options_header
from starlette.exceptions import HTTPException
from starlette.requests import Request

MOST_FIELDS = 1000
# In which any bytes are a text without half characters. Browsers name none: theirs is UTF-8.
CHARSETS = frozenset({b"utf-8", b"utf8", b"us-ascii", b"iso-8859-1"})


async def sent_fields(request: Request, most: int = MOST_FIELDS) -> list[tuple[str, str]]:
    """Return the names and values of a form's text fields, in the order they were sent.

    Raises:
        HTTPException: 400, it cannot be read, has a file or more than `most` fields, or is in a
            character set that is not read.
    """
    _, options = parse_options_header(request.headers.get("content-type"))
    charset = options.get(b"charset", b"utf-8").lower()
    if charset not in CHARSETS:
        raise HTTPException(400, "The form is in a character set that is not read; send UTF-8.")
    # No file of a stranger is kept anywhere.
    form = await request.form(max_files=0, max_fields=most)
    return [(name, value) for name, value in form.multi_items() if isinstance(value, str)]

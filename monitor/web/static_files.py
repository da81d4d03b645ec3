"""Static files, held in memory and addressed by content, so that browsers may keep them for ever.

`/static/<digest>/base.css` names one exact content; an old digest of a file that still exists
gets the present content with a short life, so that a page from before an upgrade still works.
"""

from __future__ import annotations

import gzip
import mimetypes
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from fastapi import APIRouter, HTTPException, Request
from fastapi.responses import Response

FOLDER = Path(__file__).parent / "static"
FOR_EVER = "public, max-age=31536000, immutable"
FOR_NOW = "public, max-age=60"

router = APIRouter(include_in_schema=False)


@dataclass(frozen=True)
class StaticFile:
    """One file as it is sent."""

    digest: str
    media_type: str
    body: bytes
    packed: bytes


@lru_cache(maxsize=1)
def static_files() -> dict[str, StaticFile]:
    """Return every static file by name, read once."""
    return {
        path.relative_to(FOLDER).as_posix(): _read(path)
        for path in sorted(FOLDER.rglob("*"))
        if path.is_file()
    }


def _read(path: Path) -> StaticFile:
    body = path.read_bytes()
    kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    media_type = f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
    return StaticFile(sha256(body).hexdigest()[:16], media_type, body, gzip.compress(body, mtime=0))


def static_url(name: str) -> str:
    """Return the address of a static file's present content.

    Raises:
        KeyError: there is no such file.
    """
    return f"/static/{static_files()[name].digest}/{name}"


@router.get("/static/{digest}/{name:path}")
async def static_file(request: Request, digest: str, name: str) -> Response:
    """Send a static file, packed where the browser can unpack it."""
    found = static_files().get(name)
    if found is None:
        raise HTTPException(404)
    headers = {"cache-control": FOR_EVER if digest == found.digest else FOR_NOW}
    headers["vary"] = "accept-encoding"
    if "gzip" in request.headers.get("accept-encoding", ""):
        headers["content-encoding"] = "gzip"
        return Response(found.packed, media_type=found.media_type, headers=headers)
    return Response(found.body, media_type=found.media_type, headers=headers)

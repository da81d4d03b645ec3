"""Where a browser may be sent after a form: only to pages of ours."""

from __future__ import annotations

from urllib.parse import urlsplit


def safe_next(target: str, default: str = "/console") -> str:
    """Return the target if it is a plain path below `/console` or `/runbooks`, else the default.

    Refused are other hosts in any spelling (`//evil`, `/\\evil`, `https:evil`), control
    characters that browsers drop, and paths that climb.
    """
    if not target.isprintable() or "\\" in target:
        return default
    try:
        parts = urlsplit(target)
    except ValueError:  # such as `//[`, which is no address at all
        return default
    if parts.scheme or parts.netloc or ".." in parts.path.split("/"):
        return default
    inside = parts.path == "/console" or parts.path.startswith(("/console/", "/runbooks/"))
    if not inside or parts.path.startswith("/console/sign-"):
        return default
    return target

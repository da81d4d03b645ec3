"""Path and query parameters that many routes share, bounded by what the database can hold."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Query

LARGEST = 2**31 - 1  # what an integer column holds

Number = Annotated[int, Path(ge=1, le=LARGEST)]
Offset = Annotated[int, Query(ge=0, le=LARGEST)]
Before = Annotated[int | None, Query(ge=1, le=LARGEST)]

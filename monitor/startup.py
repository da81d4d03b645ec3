"""What a long-lived process arranges around its start, so that it starts fast and runs even.

Python's cyclic collector walks everything that was ever loaded: while modules load it finds
nothing to free and takes a tenth of the start, and later each full walk stops every thread for
some 50 ms, which a probe under way would count as time of the shop. So it rests until the service
is up, and what is there by then is never walked again (measured 2026-11).
"""

from __future__ import annotations

import ctypes
import gc
import os

M_ARENA_MAX = -8  # malloc.h of glibc
ARENAS = 2


def begin() -> None:
    """Have the collector rest and numpy make no threads; call it before numpy is loaded.

    Rule evaluation works on small vectors: OpenBLAS's thread per core would only take memory.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    gc.disable()
    share_memory()


def share_memory() -> None:
    """Have all threads share two heaps of the C library, where it is glibc.

    By default each thread may get one of its own, eight for each core, and none gives back what
    a run of a moment needed. Call it before the first thread starts.
    """
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_ARENA_MAX, ARENAS)


def settled() -> None:
    """Have the collector work again, on nothing that exists by now."""
    gc.collect()
    gc.freeze()
    gc.enable()

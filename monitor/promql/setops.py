"""The set operators: and, or, unless."""

from __future__ import annotations

import numpy as np

from monitor.promql.ast import Matching
from monitor.promql.binary import Join, join_of
from monitor.promql.grid import Grid
from monitor.promql.labels import Codes, Flags, concatenate


def present_groups(codes: Codes, groups: int, mask: Flags) -> Flags:
    """Return which match groups have a present series at each step."""
    out = np.zeros((mask.shape[0], groups), np.bool_)
    steps, columns = np.nonzero(mask)
    out[steps, codes[columns]] = True
    return out


def set_operation(op: str, lhs: Grid, rhs: Grid, matching: Matching) -> Grid:
    """Return `lhs op rhs` for `and`, `or` and `unless`."""
    join = join_of(lhs.block, rhs.block, matching)
    if op == "or":
        return union(lhs, rhs, join)
    found = present_groups(join.one_codes, join.groups, rhs.mask)[:, join.many_codes]
    mask = lhs.mask & (found if op == "and" else ~found)
    return Grid(lhs.block, lhs.values, mask, lhs.nameless)


def union(lhs: Grid, rhs: Grid, join: Join) -> Grid:
    """Return all of lhs, and what of rhs no series of lhs matches."""
    taken = present_groups(join.many_codes, join.groups, lhs.mask)[:, join.one_codes]
    nameless = None
    if lhs.nameless is not None or rhs.nameless is not None:
        sides = [
            np.zeros(g.block.size, np.bool_) if g.nameless is None else g.nameless
            for g in (lhs, rhs)
        ]
        nameless = np.concatenate(sides)
    return Grid(
        block=concatenate(lhs.block, rhs.block),
        values=np.concatenate((lhs.values, rhs.values), axis=1),
        mask=np.concatenate((lhs.mask, rhs.mask & ~taken), axis=1),
        nameless=nameless,
    )

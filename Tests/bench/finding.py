"""What came of a requirement. A bound is compared before it is rounded for print."""

from collections.abc import Callable
from dataclasses import dataclass

import ratios
from cases import OURS
from records import Record, Result


@dataclass(frozen=True)
class Finding:
    """`met` is None, if the record does not say."""

    section: str
    what: str
    want: str
    measured: str
    spread: str
    rounds: str
    met: bool | None

    @property
    def verdict(self) -> str:
        return {True: "met", False: "**missed**", None: "not measured"}[self.met]


def cost_ratio(
    record: Record,
    section: str,
    case: str,
    what: str,
    value: Callable[[Result], float | None],
    limit: float,
    theirs: str,
    *,
    ours: str = OURS,
) -> Finding:
    """Whether we need no more than such a part of what they need."""
    want = f"≤ {limit:.2f}"
    found = ratios.compare(record.values(case, ours, value), record.values(case, theirs, value))
    if found is None:
        return unknown(section, what, want)
    spread = f"{found.lowest:.3f}–{found.highest:.3f}"
    rounds = rounds_text(record, case, found.rounds)
    return Finding(section, what, want, f"{found.ratio:.3f}", spread, rounds, found.ratio <= limit)


def rounds_text(record: Record, case: str, counted: int) -> str:
    """How many rounds count, and of how many, if that is not all."""
    tried = record.rounds(case)
    return str(counted) if counted == tried else f"{counted} of {tried}"


def unknown(section: str, what: str, want: str) -> Finding:
    """The record does not say."""
    return Finding(section, what, want, "", "", "", None)

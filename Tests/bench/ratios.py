"""What the rounds of two servers say together. Values are by round; a void run has left none."""

import statistics
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Summary:
    """One server's values."""

    median: float
    lowest: float
    highest: float
    rounds: int


@dataclass(frozen=True)
class Comparison:
    """Our median and theirs over the rounds that both have; the extremes are of the ratios round by round."""

    ours: float
    theirs: float
    lowest: float
    highest: float
    wins: int
    rounds: int

    @property
    def ratio(self) -> float:
        """Of the medians: a round that something else disturbed moves it less than it moves a mean of ratios."""
        return self.ours / self.theirs


def summarize(values: Mapping[int, float]) -> Summary | None:
    """Nothing, if every run was void."""
    if not values:
        return None
    known = values.values()
    return Summary(statistics.median(known), min(known), max(known), len(values))


def compare(ours: Mapping[int, float], theirs: Mapping[int, float]) -> Comparison | None:
    """Smaller is better: a round is won by the smaller value. A round that only one of both has is left out."""
    rounds = sorted(number for number in ours.keys() & theirs.keys() if theirs[number] > 0)
    if not rounds:
        return None
    ratios = [ours[number] / theirs[number] for number in rounds]
    return Comparison(
        ours=statistics.median(ours[number] for number in rounds),
        theirs=statistics.median(theirs[number] for number in rounds),
        lowest=min(ratios),
        highest=max(ratios),
        wins=sum(ratio < 1 for ratio in ratios),
        rounds=len(rounds),
    )

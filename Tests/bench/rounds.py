"""Runs the cases round by round. In each round every server of a case is measured once, in an order that the next round
reverses: what the machine does meanwhile, or does to whoever comes second, befalls all of them.

Every run has a server that was started for it and ends with it. So no run inherits another's allocations, memory or
sockets, only one server exists at a time, and the luck of a start (where memory came to lie) is drawn anew in every
round instead of once for all. What a start costs is kept out by the load's warm-up before the seconds that count.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from cases import Case
from networks import Network, NoNetwork, network
from records import Record, Result, Run

# A void run is repeated twice, then recorded as void.
ATTEMPTS = 3

# What measures one server once under the load of a case.
Measure = Callable[[str, Network], Result]


class Hopeless(Exception):
    """There is no run, and there would be none if it were tried again."""


@dataclass
class Progress:
    """Says what runs, and guesses when all will have run."""

    say: Callable[[str], None]
    # Seconds of the runs to come, without what each of them takes beside its load.
    planned: list[float]
    now: Callable[[], float] = time.monotonic
    done: int = 0
    overhead: float = 3.0
    _begin: float = field(default=0.0, init=False)
    _overheads: float = field(default=0.0, init=False)

    def begins(self, what: str) -> None:
        left = sum(self.planned[self.done :]) + self.overhead * (len(self.planned) - self.done)
        self.say(f"[{self.done + 1}/{len(self.planned)}] {what}, about {left / 60:.0f} min left")
        self._begin = self.now()

    def ends(self) -> None:
        self._overheads += self.now() - self._begin - self.planned[self.done]
        self.done += 1
        self.overhead = max(0.0, self._overheads / self.done)


def rounds_of(case: Case, rounds: int, quick: bool) -> int:
    return rounds if quick else max(rounds, case.least_rounds)


def order(servers: tuple[str, ...], number: int) -> tuple[str, ...]:
    return servers if number % 2 == 0 else servers[::-1]


def run_case(
    section: str,
    case: Case,
    rounds: int,
    record: Record,
    measure: Measure,
    progress: Progress,
    keep: Callable[[], None],
) -> None:
    """`keep` is called after every run, so that what is measured is not lost with what is not."""

    def add(place: Network | None, number: int, server: str, attempts: int, result: Result) -> None:
        description = place.description if place else case.network
        record.runs.append(Run(section, case.name, number, server, description, attempts, result))
        keep()

    def run_all(place: Network) -> None:
        for number in range(rounds):
            for server in order(case.servers, number):
                progress.begins(f"{section}: {case.title}; round {number + 1} of {rounds}, {server}")
                result, attempts = _measure_until_it_counts(server, place, measure, progress)
                progress.ends()
                add(place, number, server, attempts, result)

    try:
        with network(case.network) as place:
            run_all(place)
    except NoNetwork as error:
        progress.say(f"{section}: {case.title} cannot be measured: {error}")
        for number in range(rounds):
            for server in case.servers:
                progress.done += 1
                add(None, number, server, 0, {"void": [f"no such network here: {error}"]})


def _measure_until_it_counts(server: str, place: Network, measure: Measure, progress: Progress) -> tuple[Result, int]:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            result = measure(server, place)
        except Hopeless as error:
            return {"void": [str(error)]}, 0
        if not result.get("void"):
            break
        progress.say(f"  void: {'; '.join(result['void'])}")
    return result, attempt

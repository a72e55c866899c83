"""What signaling has to achieve, and whether a record shows it."""

from collections.abc import Callable, Iterator, Sequence

import ratios
from cases import OURS, Case
from finding import Finding, cost_ratio, rounds_text, unknown
from records import Record, Result
from signaling import values
from signaling.cases import BOTH, CANDIDATES, CROWD, IDLE, PEER, READERS, SECTION, SLOW_READER, STORM

COST_LIMIT = 0.25
IDLE_LIMIT, READER_LIMIT = 10 << 10, 1 << 20  # bytes
RESUME_LIMIT = 15  # seconds


def findings(record: Record) -> Iterator[Finding]:
    """Every requirement, those that nothing was measured for too. A load that python-socketio did not keep up with has
    none: there is nothing to compare."""
    for case in CANDIDATES:
        if case.servers == BOTH and keeps_up(record, case, PEER) is not False:
            yield _cost(record, case)
    what = "candidates, all loads: missing or misplaced at the other side"
    yield _none(record, CANDIDATES, what, values.lost, values.figure("sent"))

    what = f"memory of an idle client by WebSocket, {CROWD:,} of them"
    each = values.figure("memoryBytesEach")
    yield _bound(record, IDLE[0], what, each, IDLE_LIMIT, 1 << 10, "KiB")

    (storm,) = STORM
    what = f"{CROWD:,} clients back at once: until all have resumed, in the slowest round"
    yield _bound(record, storm, what, values.figure("seconds"), RESUME_LIMIT, 1, "s", in_every_round=True)
    what = f"{CROWD:,} clients back at once: events missing or misplaced"
    yield _none(record, STORM, what, values.lost, values.figure("expected"))

    (reader,) = SLOW_READER
    what = f"memory of a client that stops reading, {READERS} of them, in the worst round"
    yield _bound(record, reader, what, each, READER_LIMIT, 1 << 20, "MiB", in_every_round=True)
    what = "clients that stop reading: not cut by the server"
    yield _none(record, SLOW_READER, what, values.left, values.figure("readers"))


def keeps_up(record: Record, case: Case, server: str) -> bool | None:
    """In at least half of its runs; None, if none counts."""
    kept, counted = values.kept_up(record, case.name, server)
    return 2 * kept >= counted if counted else None


def _cost(record: Record, case: Case) -> Finding:
    what = f"{case.title}: CPU per acknowledged candidate, callrelay to {PEER}"
    cpu = values.where_it_keeps_up(values.cpu)
    found = cost_ratio(record, SECTION, case.name, what, cpu, COST_LIMIT, PEER)
    if keeps_up(record, case, OURS) is False and keeps_up(record, case, PEER):
        rounds = rounds_text(record, case.name, len(record.values(case.name, OURS, cpu)))
        return Finding(SECTION, what, found.want, "callrelay did not keep up", "", rounds, False)
    return found


def _bound(
    record: Record,
    case: Case,
    what: str,
    value: Callable[[Result], float | None],
    limit: float,
    unit: int,
    name: str,
    *,
    in_every_round: bool = False,
) -> Finding:
    want = f"≤ {limit / unit:g} {name}"
    found = ratios.summarize(record.values(case.name, OURS, value))
    if found is None:
        return unknown(SECTION, what, want)
    counts = found.highest if in_every_round else found.median
    spread = f"{found.lowest / unit:.2f}–{found.highest / unit:.2f}"
    rounds = rounds_text(record, case.name, found.rounds)
    return Finding(SECTION, what, want, f"{counts / unit:.2f} {name}", spread, rounds, counts <= limit)


def _none(
    record: Record,
    cases: Sequence[Case],
    what: str,
    value: Callable[[Result], float | None],
    of: Callable[[Result], float | None],
) -> Finding:
    """Over all rounds of callrelay in these cases, of so many."""
    found = [figure for case in cases for figure in record.values(case.name, OURS, value).values()]
    if not found:
        return unknown(SECTION, what, "none")
    total = sum(figure for case in cases for figure in record.values(case.name, OURS, of).values())
    tried = sum(record.rounds(case.name) for case in cases)
    rounds = str(tried) if len(found) == tried else f"{len(found)} of {tried}"
    return Finding(SECTION, what, "none", f"{sum(found):,} of {total:,}", "", rounds, sum(found) == 0)

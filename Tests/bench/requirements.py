"""What the relay has to achieve, and whether a record shows it."""

from collections.abc import Callable, Iterator

import ratios
import values
from cases import COTURN, DIRECTIONS, FLOOR, LATENCY_ROUNDS, OURS, QUOTA_1, SECTIONS, TWO_SHARDS, VOICE_RATES
from finding import Finding, cost_ratio, rounds_text, unknown
from records import Record, Result

MOST_IDLE = 10_000
MEMORY_LIMIT = 1_536  # bytes
WINS_OF_TEN = 8


def findings(record: Record) -> Iterator[Finding]:
    """Every requirement, in the order of the sections, those that nothing was measured for too."""
    yield from _voice(record)
    yield from _peak(record)
    yield from _video(record)
    yield from _small_mtu(record)
    yield from _idle(record)
    for direction in DIRECTIONS:
        what = f"10,000 allocations, {direction}, CPU per packet: callrelay to the forwarder"
        yield cost_ratio(record, "many", f"many-{direction}", what, values.cpu, 1.15, FLOOR)
    for direction in DIRECTIONS:
        what = f"two shards, {direction}, CPU per packet: two to one"
        yield cost_ratio(record, "shards", f"shards-{direction}", what, values.cpu, 1.11, OURS, ours=TWO_SHARDS)


def _voice(record: Record) -> Iterator[Finding]:
    for direction in DIRECTIONS:
        for rate in VOICE_RATES:
            for limit, theirs in ((1.10, FLOOR), (0.80, COTURN)):
                name = "the forwarder" if theirs == FLOOR else theirs
                what = f"voice, {direction}, {rate:,}/s, CPU per packet: callrelay to {name}"
                yield cost_ratio(record, "voice", f"voice-{direction}-{rate}", what, values.cpu, limit, theirs)


def _peak(record: Record) -> Iterator[Finding]:
    for direction in DIRECTIONS:
        full = f"peak-{direction}-full"
        what = f"coturn's peak load, {direction}: packets that callrelay loses"
        yield _bound(record, full, what, values.loss, 0.001, at_most=True)
        what = f"coturn's peak load, {direction}: time that callrelay's core is idle"
        yield _bound(record, full, what, values.idle, 0.20, at_most=False)
        yield _wins(record, f"peak-{direction}-half", f"half of it, {direction}, p99 latency: below coturn's")


def _video(record: Record) -> Iterator[Finding]:
    for section, prefix, where in (("video", "video", "loopback"), ("video-veth", "veth-1500", "veth, MTU 1500")):
        for gso, limit, bursts in (("", 0.80, "packet by packet"), ("-gso", 0.40, "joined")):
            for direction in DIRECTIONS:
                what = f"video, {where}, {direction}, {bursts}, CPU per packet: callrelay to coturn"
                yield cost_ratio(record, section, f"{prefix}-{direction}{gso}", what, values.cpu, limit, COTURN)


def _small_mtu(record: Record) -> Iterator[Finding]:
    for case in SECTIONS["video-veth"]:
        if case.network == "veth-1280":
            what = f"video, veth, {case.title}: callrelay loses nothing that coturn delivers"
            yield _no_more_lost(record, case.name, what)


def _idle(record: Record) -> Iterator[Finding]:
    held = record.values(f"idle-{MOST_IDLE}", OURS, values.memory)
    empty = record.values("idle-quota-1", QUOTA_1, values.memory)
    both = held.keys() & empty.keys()
    each = ratios.summarize({number: (held[number] - empty[number]) / MOST_IDLE for number in both})
    what, want = f"memory of callrelay by idle allocation, {MOST_IDLE:,} of them", "≤ 1.50 KiB"
    if each is None:
        yield unknown("idle", what, want)
    else:
        spread = f"{each.lowest / 1024:.2f}–{each.highest / 1024:.2f}"
        met = each.median <= MEMORY_LIMIT
        yield Finding("idle", what, want, f"{each.median / 1024:.2f} KiB", spread, str(each.rounds), met)
    what = "CPU of Allocate and ChannelBind: callrelay to coturn"
    yield cost_ratio(record, "idle", f"idle-{MOST_IDLE}", what, values.setup_cpu, 0.25, COTURN)


def _bound(
    record: Record, case: str, what: str, value: Callable[[Result], float | None], limit: float, *, at_most: bool
) -> Finding:
    want = f"≤ {limit:.1%}" if at_most else f"≥ {limit:.0%}"
    found = ratios.summarize(record.values(case, OURS, value))
    if found is None:
        return unknown("peak", what, want)
    digits = 3 if at_most else 1
    spread = f"{found.lowest:.{digits}%}–{found.highest:.{digits}%}"
    rounds = rounds_text(record, case, found.rounds)
    met = found.median <= limit if at_most else found.median >= limit
    return Finding("peak", what, want, f"{found.median:.{digits}%}", spread, rounds, met)


def _wins(record: Record, case: str, what: str) -> Finding:
    """A round that is void was not won."""
    want = f"in ≥ {WINS_OF_TEN} of 10 rounds"
    p99 = values.latency("p99")
    found = ratios.compare(record.values(case, OURS, p99), record.values(case, COTURN, p99))
    if found is None:
        return unknown("peak", what, want)
    tried = record.rounds(case)
    measured = f"{found.wins} of {tried}, ratio {found.ratio:.3f}"
    met = found.wins * 10 >= WINS_OF_TEN * tried if tried >= LATENCY_ROUNDS else None
    spread = f"{found.lowest:.3f}–{found.highest:.3f}"
    return Finding("peak", what, want, measured, spread, rounds_text(record, case, found.rounds), met)


def _no_more_lost(record: Record, case: str, what: str) -> Finding:
    """Over all rounds: of what was sent, no larger part."""
    want = "no larger loss"
    ours, theirs = (_loss_of_all_rounds(record, case, server) for server in (OURS, COTURN))
    if ours is None or theirs is None:
        return unknown("video-veth", what, want)
    rounds = rounds_text(record, case, len(record.values(case, OURS, values.loss)))
    return Finding("video-veth", what, want, f"{ours:.4%}, coturn {theirs:.4%}", "", rounds, ours <= theirs)


def _loss_of_all_rounds(record: Record, case: str, server: str) -> float | None:
    sent = sum(record.values(case, server, values.sent).values())
    return sum(record.values(case, server, values.lost).values()) / sent if sent else None

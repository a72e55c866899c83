"""Tables of the report on signaling, in Markdown."""

import ratios
from cases import OURS, Case
from records import Record
from signaling import values
from signaling.cases import BOTH, CALLS, CANDIDATES, IDLE, PEER, SLOW_READER, STORM
from tables import NOTHING, RATIO_HEADS, Value, counted, median, ratio, table, with_spread

ACKNOWLEDGED, DELIVERED = "acknowledgementLatency", "deliveryLatency"
PERCENTILES = (("p50", "p50"), ("p99", "p99"), ("p99_9", "p99.9"))
# A figure, how it is printed, and in which unit.
Figure = tuple[Value, str, float]


def candidates(record: Record) -> str:
    """What each load cost, and whether it was kept up with. Rates and shares first, as they say what the rest means."""
    heads = ["load, server", "acknowledged/s", "of those sent", "kept up in", "CPU µs each", "core", "memory MiB"]
    heads += ["generator", "missing in all", "misplaced in all", "runs"]
    before: list[Figure] = [(values.acknowledged_rate, ",.0f", 1), (values.acknowledged_share, ".1%", 1)]
    after: list[Figure] = [
        (values.where_it_keeps_up(values.cpu), ",.0f", 1),
        (values.core, ".1%", 1),
        (values.memory, ".1f", 2**20),
        (values.figure("generatorBusy"), ".0%", 1),
    ]
    totals = (values.figure("missing"), values.figure("misplaced"))
    rows = []
    for case in CANDIDATES:
        for server in case.servers:
            kept = "{} of {}".format(*values.kept_up(record, case.name, server))
            cells = [*_medians(record, case, server, before), kept, *_medians(record, case, server, after)]
            cells += [_total(record, case, server, value) for value in totals]
            rows.append([f"{case.title}, {server}", *cells, counted(record, case, server)])
    return table(heads, rows)


def latencies(record: Record) -> str:
    """How long candidates took to be acknowledged and to come to the other side."""
    heads = ["load, server"]
    figures: list[Figure] = []
    for what, of_what in (("acknowledged", ACKNOWLEDGED), ("delivered", DELIVERED)):
        heads += [f"{what}, {said} ms" for _, said in PERCENTILES]
        figures += [(values.latency(of_what, percentile), ",.1f", 1) for percentile, _ in PERCENTILES]
    rows = [
        [f"{case.title}, {server}", *_medians(record, case, server, figures), counted(record, case, server)]
        for case in CANDIDATES
        for server in case.servers
    ]
    return table([*heads, "runs"], rows)


def comparisons(record: Record) -> str:
    """Both servers, over the rounds in which both kept up."""
    rows = []
    for case in CANDIDATES:
        if case.servers != BOTH:
            continue
        for what, value in (
            ("CPU per candidate", values.cpu),
            ("p99 of acknowledgement", values.latency(ACKNOWLEDGED, "p99")),
            ("p99 of delivery", values.latency(DELIVERED, "p99")),
        ):
            said = f"{case.title}: {what}, {OURS} to {PEER}"
            rows.append([said, *ratio(record, case.name, OURS, PEER, values.where_it_keeps_up(value))])
    return table(RATIO_HEADS, rows)


def calls(record: Record) -> str:
    (case,) = CALLS
    rows: list[tuple[str, Value, str, float]] = [
        ("calls that went all their way", values.figure("calls", "completed"), ",.0f", 1),
        ("calls that failed", values.figure("calls", "failed"), ",.0f", 1),
        ("calls not placed, since no pair was free", values.figure("calls", "skipped"), ",.0f", 1),
        ("CPU of the server, ms a call", values.cpu, ",.2f", 1_000),
        ("of one core", values.core, ".1%", 1),
    ]
    for what, of_what in (
        ("ring", "ringLatency"),
        ("event", "eventLatency"),
        ("acknowledgement", ACKNOWLEDGED),
        ("whole call", "callDuration"),
    ):
        # So few calls have no p99.9.
        rows += [(f"{what}, {said} ms", values.latency(of_what, said), ",.1f", 1) for said in ("p50", "p99")]
    return _figures(record, case, rows)


def idle(record: Record) -> str:
    heads = ["clients, server", "memory KiB each", "lowest–highest", "CPU µs each, by second", "connected/s", "runs"]
    rows = []
    for case in IDLE:
        for server in case.servers:
            found = ratios.summarize(record.values(case.name, server, values.figure("memoryBytesEach")))
            spread = f"{found.lowest / 1024:.2f}–{found.highest / 1024:.2f}" if found else NOTHING
            memory, *others = _medians(
                record,
                case,
                server,
                [
                    (values.figure("memoryBytesEach"), ",.2f", 1024),
                    (values.figure("idleCPUMicrosecondsEachSecond"), ",.2f", 1),
                    (values.connect_rate, ",.0f", 1),
                ],
            )
            rows.append([f"{case.title}, {server}", memory, spread, *others, counted(record, case, server)])
    return table(heads, rows)


def storm(record: Record) -> str:
    (case,) = STORM
    rows: list[tuple[str, Value, str, float]] = [
        ("clients that resumed", values.figure("resumed"), ",.0f", 1),
        ("clients that gave up", values.figure("failed"), ",.0f", 1),
        ("connections refused or broken off, and tried again", values.figure("retries"), ",.0f", 1),
        ("until all had resumed, s", values.figure("seconds"), ".2f", 1),
        ("resumed after, p50 ms", values.latency("resumeLatency", "p50"), ",.0f", 1),
        ("resumed after, p99 ms", values.latency("resumeLatency", "p99"), ",.0f", 1),
        ("events that clients were to hear", values.figure("expected"), ",.0f", 1),
        ("missing", values.figure("missing"), ",.0f", 1),
        ("misplaced", values.figure("misplaced"), ",.0f", 1),
        ("CPU of the server, µs a client", values.cpu, ",.0f", 1),
    ]
    return _figures(record, case, rows)


def slow_reader(record: Record) -> str:
    (case,) = SLOW_READER
    rows: list[tuple[str, Value, str, float]] = [
        ("clients that the server cut", values.figure("cut"), ",.0f", 1),
        ("events sent to all of them until then", values.figure("events"), ",.0f", 1),
        ("bytes of an event's payload", values.figure("eventBytes"), ",.0f", 1),
        ("memory at most, KiB each", values.figure("memoryBytesEach"), ",.0f", 1024),
    ]
    return _figures(record, case, rows)


def _figures(record: Record, case: Case, rows: list[tuple[str, Value, str, float]]) -> str:
    """A row for each figure of a case that callrelay has alone."""
    lines = [[what, with_spread(record, case.name, OURS, value, form, unit)] for what, value, form, unit in rows]
    return table([f"{case.title}, {OURS}", "median (lowest–highest)"], [*lines, ["runs", counted(record, case, OURS)]])


def _medians(record: Record, case: Case, server: str, figures: list[Figure]) -> list[str]:
    return [median(record, case.name, server, *figure) for figure in figures]


def _total(record: Record, case: Case, server: str, value: Value) -> str:
    """Of all runs that count: a median would hide what went wrong once."""
    found = record.values(case.name, server, value)
    return f"{sum(found.values()):,}" if found else NOTHING

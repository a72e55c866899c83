"""Tables of the report, in Markdown."""

from collections.abc import Callable, Iterable, Mapping, Sequence

import ratios
import values
from cases import CORE, COTURN, FLOOR, IDLE_ALLOCATIONS, OURS, QUOTA_1, SECTIONS, TWO_SHARDS, Case
from finding import Finding
from records import Record, Result

NAMES = {
    OURS: "callrelay",
    TWO_SHARDS: "callrelay, two shards",
    QUOTA_1: "callrelay, room for one",
    COTURN: "coturn",
    FLOOR: "bare forwarder",
    CORE: "the core",
}
NOTHING = "–"
RATIO_HEADS = ("load", "ratio of medians", "lowest–highest", "smaller in")
Value = Callable[[Result], float | None]


def table(heads: Sequence[str], rows: list[list[str]]) -> str:
    """The first column is text, the others are figures."""
    marks = ["---"] + ["---:"] * (len(heads) - 1)
    return "\n".join("| " + " | ".join(row) + " |" for row in [list(heads), marks, *rows])


def requirements(findings: Iterable[Finding]) -> str:
    """All of them, below how many are met."""
    found = list(findings)
    met, missed, unknown = (sum(one.met is verdict for one in found) for verdict in (True, False, None))
    rows = [
        [one.what, one.want, *(text or NOTHING for text in (one.measured, one.spread, one.rounds)), one.verdict]
        for one in found
    ]
    heads = ["requirement", "want", "measured", "lowest–highest", "rounds", "verdict"]
    return f"{met} of {len(found)} met, {missed} missed, {unknown} not measured.\n\n{table(heads, rows)}"


def loads(record: Record, section: str) -> str:
    """A row for each case and server: medians of the runs that count."""
    heads = ["load, server", "delivered/s", "lost", "CPU ns/packet", "core", "p50 µs", "p99 µs", "p99.9 µs", "runs"]
    rows = []
    for case in SECTIONS[section]:
        for server in case.servers:
            figures: list[tuple[Value, str, float]] = [
                (values.delivered, ",.0f", 1),
                (values.loss, ".3%", 1),
                (values.cpu, ",.0f", 1),
                (values.core, ".1%", 1),
                *((values.latency(percentile), ",.0f", 1) for percentile in ("p50", "p99", "p99_9")),
            ]
            cells = [median(record, case.name, server, *figure) for figure in figures]
            rows.append([f"{case.title}, {NAMES[server]}", *cells, counted(record, case, server)])
    return table(heads, rows)


def comparisons(record: Record, section: str) -> str:
    """CPU by packet and latency of the first server of each case to each of the others."""
    rows = []
    for case in SECTIONS[section]:
        first, *others = case.servers
        # Two shards are compared to one.
        pairs = [(other, first) if other == TWO_SHARDS else (first, other) for other in others]
        for ours, theirs in pairs:
            for what, value in (("CPU per packet", values.cpu), ("p99 latency", values.latency("p99"))):
                said = f"{case.title}: {what}, {NAMES[ours]} to {NAMES[theirs]}"
                rows.append([said, *ratio(record, case.name, ours, theirs, value)])
    return table(RATIO_HEADS, rows)


def ratio(record: Record, case: str, ours: str, theirs: str, value: Value) -> list[str]:
    """The cells below RATIO_HEADS, but for the first."""
    found = ratios.compare(record.values(case, ours, value), record.values(case, theirs, value))
    if found is None:
        return [NOTHING] * 3
    return [f"{found.ratio:.3f}", f"{found.lowest:.3f}–{found.highest:.3f}", f"{found.wins} of {found.rounds}"]


def idle(record: Record) -> str:
    heads = ["allocations, server", "memory MiB", "lowest–highest", "set up/s", "CPU µs each", "slab KiB each", "runs"]
    rows = []
    for case in SECTIONS["idle"]:
        for server in case.servers:
            found = ratios.summarize(record.values(case.name, server, values.memory))
            spread = f"{found.lowest / 2**20:.1f}–{found.highest / 2**20:.1f}" if found else NOTHING
            cells = [
                median(record, case.name, server, values.memory, ".1f", 2**20),
                spread,
                median(record, case.name, server, values.setup_rate, ",.0f", 1),
                median(record, case.name, server, values.setup_cpu, ".1f", 1),
                median(record, case.name, server, values.slab, ".2f", 1024),
            ]
            rows.append([f"{case.title}, {NAMES[server]}", *cells, counted(record, case, server)])
    return table(heads, rows)


def memory_by_allocation(record: Record) -> str:
    """What the process grew by from none to the most, beside what the requirement counts."""
    most = IDLE_ALLOCATIONS[-1]
    rows = []
    for server, empty_case, empty_server in (
        (OURS, "idle-quota-1", QUOTA_1),
        (OURS, "idle-0", OURS),
        (COTURN, "idle-0", COTURN),
        (FLOOR, "idle-0", FLOOR),
    ):
        full = record.values(f"idle-{most}", server, values.memory)
        empty = record.values(empty_case, empty_server, values.memory)
        each = {number: (full[number] - empty[number]) / most / 1024 for number in full.keys() & empty.keys()}
        found = ratios.summarize(each)
        figures = [f"{found.median:.2f}", f"{found.lowest:.2f}–{found.highest:.2f}"] if found else [NOTHING, NOTHING]
        beside = "one with room for one" if empty_server == QUOTA_1 else "itself at its start"
        rows.append([f"{NAMES[server]} with {most:,}, less {beside}", *figures])
    return table(["memory", "KiB each", "lowest–highest"], rows)


def simulation(record: Record) -> str:
    """A row for each figure, a column for each number of allocations."""
    cases = SECTIONS["simulation"]
    rows = []
    for what, name, form in (
        ("ChannelData of a client, ns", "routeUpNanoseconds", ",.0f"),
        ("Send indication of a client, ns", "routeSendNanoseconds", ",.0f"),
        ("datagram of a peer, ns", "routeDownNanoseconds", ",.0f"),
        ("sweep, nothing expired, ns each", "sweepNanosecondsPerSlot", ",.0f"),
        ("sweep, all expired, ns each", "expiryNanosecondsEach", ",.0f"),
        ("Allocate and ChannelBind, µs each", "setupCPUMicrosecondsEach", ",.1f"),
        ("longest of these requests, ms", "longestRequestMilliseconds", ",.1f"),
        ("resident memory, B each", "residentBytesEach", ",.0f"),
    ):
        rows.append([what, *(with_spread(record, case.name, CORE, values.simulated(name), form) for case in cases)])
    rows.append(["runs", *(counted(record, case, CORE) for case in cases)])
    return table(["allocations", *(case.title for case in cases)], rows)


def voids(record: Record, sections: Mapping[str, Sequence[Case]]) -> str:
    """Every run that says nothing, and why."""
    titles = {case.name: case.title for cases in sections.values() for case in cases}
    rows = [
        [
            f"{run.section}: {titles.get(run.case, run.case)}, {NAMES.get(run.server, run.server)}",
            str(run.round + 1),
            _cell(run.void),
        ]
        for run in record.runs
        if run.void
    ]
    return table(["run", "round", "why"], rows) if rows else ""


def median(record: Record, case: str, server: str, value: Value, form: str, unit: float) -> str:
    """Of the runs that count, in that unit."""
    found = ratios.summarize(record.values(case, server, value))
    return NOTHING if found is None else f"{found.median / unit:{form}}"


def with_spread(record: Record, case: str, server: str, value: Value, form: str, unit: float = 1) -> str:
    """The median and, in brackets, the lowest and the highest of the runs that count."""
    found = ratios.summarize(record.values(case, server, value))
    if found is None:
        return NOTHING
    return f"{found.median / unit:{form}} ({found.lowest / unit:{form}}–{found.highest / unit:{form}})"


def counted(record: Record, case: Case, server: str) -> str:
    """How many runs count, and of how many, if that is not all."""
    runs = [run for run in record.runs if run.case == case.name and run.server == server]
    counted = sum(not run.void for run in runs)
    return str(counted) if counted == len(runs) else f"{counted} of {len(runs)}"


def _cell(reasons: list[str]) -> str:
    """A bar or a line break would end the cell."""
    return "; ".join(reasons).replace("|", "\\|").replace("\n", " ")

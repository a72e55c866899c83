"""The report's charts: which figures, against what."""

from collections.abc import Callable, Iterator
from pathlib import Path

import ratios
import svg
import values
from cases import CORE, COTURN, DIRECTIONS, FLOOR, IDLE_ALLOCATIONS, OURS, SIMULATED_ALLOCATIONS, VOICE_RATES
from records import Record, Result
from tables import NAMES

# Told apart by people who see no red or green, too.
STYLES = {OURS: ("#0b5fa5", "circle"), COTURN: ("#c4560b", "square"), FLOOR: ("#6f7782", "diamond")}
WORDS = {"up": "from clients to peers", "down": "from peers to clients"}
NOTE = "Median of all rounds; bars from the lowest to the highest"


def charts(record: Record) -> Iterator[tuple[str, svg.Chart]]:
    """Names of files and what is drawn in them; a chart that there are no figures for is left out."""
    for direction in DIRECTIONS:
        cases = {rate: f"voice-{direction}-{rate}" for rate in VOICE_RATES}
        cpu = svg.Chart(
            f"CPU time per packet, {WORDS[direction]}",
            f"160-byte packets of 200 allocations. {NOTE}",
            "load, packets per second",
            "CPU time of the server, ns per packet",
            _lines(record, cases, values.cpu, 1),
        )
        latency = svg.Chart(
            f"Latency, {WORDS[direction]}",
            f"160-byte packets of 200 allocations. {NOTE}",
            "load, packets per second",
            "99th percentile, µs (logarithmic)",
            _lines(record, cases, values.latency("p99"), 1),
            logarithmic=True,
        )
        for name, chart in (("cpu", cpu), ("latency", latency)):
            if chart.lines:
                yield f"bench-{name}-{direction}", chart
    cases = {count: f"idle-{count}" for count in IDLE_ALLOCATIONS}
    memory = svg.Chart(
        "Memory of idle allocations",
        NOTE,
        "allocations",
        "resident memory of the server, MiB",
        _lines(record, cases, values.memory, 2**20),
    )
    if memory.lines:
        yield "bench-memory", memory
    yield from _simulation(record)


def _simulation(record: Record) -> Iterator[tuple[str, svg.Chart]]:
    cases = {count: f"simulation-{count}" for count in SIMULATED_ALLOCATIONS}
    # All lines are the core's; the styles are lent.
    first, second = STYLES[OURS], STYLES[COTURN]
    lookups = [
        ("from clients, in ChannelData", "routeUpNanoseconds", first),
        ("from peers", "routeDownNanoseconds", second),
    ]
    sweeps = [("nothing has expired", "sweepNanosecondsPerSlot", first)]
    for name, title, label, figures in (
        ("bench-lookup", "Looking up where a packet goes", "ns per packet", lookups),
        ("bench-sweep", "Sweeping through the allocations", "ns per allocation", sweeps),
    ):
        lines = [
            svg.Line(said, *style, points)
            for said, figure, style in figures
            if (points := _points(record, cases, CORE, values.simulated(figure), 1))
        ]
        if lines:
            x_label = "allocations of one shard (logarithmic)"
            yield name, svg.Chart(title, f"The core alone. {NOTE}", x_label, label, lines, logarithmic_x=True)


def write(record: Record, directory: Path) -> dict[str, str]:
    """Titles by the names of the files written."""
    directory.mkdir(parents=True, exist_ok=True)
    titles = {}
    for name, chart in charts(record):
        (directory / f"{name}.svg").write_text(svg.draw(chart), encoding="utf-8")
        titles[f"{name}.svg"] = chart.title
    return titles


def _lines(
    record: Record, cases: dict[int, str], value: Callable[[Result], float | None], unit: float
) -> list[svg.Line]:
    return [
        svg.Line(NAMES[server], *style, points)
        for server, style in STYLES.items()
        if (points := _points(record, cases, server, value, unit))
    ]


def _points(
    record: Record, cases: dict[int, str], server: str, value: Callable[[Result], float | None], unit: float
) -> list[svg.Point]:
    points = []
    for x, case in cases.items():
        if found := ratios.summarize(record.values(case, server, value)):
            points.append(svg.Point(x, found.median / unit, found.lowest / unit, found.highest / unit))
    return points

"""Writes docs/benchmarks-databases.md from a record. Nothing in it was not measured."""

from pathlib import Path

import tables
from databases.cases import CASES, CLUSTER, POSTGRESQL, SECTIONS, SQLITE, STORES
from records import Record, Result
from report import SMOKE, commit, on_what
from signaling import values
from tables import RATIO_HEADS, Value, counted, median, ratio, table

METHOD = """\
- A call is placed and answered over REST, joined by both sides, an offer, an answer, 20 candidates each way, two
  toggles, and its end over REST: some 50 changes, nearly all of which the other side is told of. With two nodes all
  callers are on the first and all callees on the second, so that everything crosses.
- All of it (nodes, PostgreSQL with its defaults, Redis) is pinned to the last processor, the load generator to the first.
  Each run has servers and a database of its own, started for it, on {disk}. {warmUp:g} s of load come before the
  {seconds:g} s that count.
- CPU is the scheduler's count for the threads of a process, PostgreSQL's with all of its children, over the calls that went
  all their way. What the kernel does for the disk in threads of its own is in no figure.
- Ring is from when the call was due to the callee's hearing of it; event from sending one to the other side's hearing
  it; whole from when the call was due to its end.
- Stores take turns within a round, and every other round reverses their order. A run counts only if the generator kept
  its pace and had time to spare."""
WHY = """\
Where the cost comes from:

- **A commit is one statement on PostgreSQL**, and what comes within four milliseconds (twenty, if it is candidates alone)
  goes there together, to be synced once. The node's own part is to write that statement in binary and to send it; in
  SQLite it is the database itself, which is why a node costs less with PostgreSQL than with SQLite and all of it
  together costs more.
- **PostgreSQL's part** is mostly executing: each change updates the call's row and inserts into two tables, as in SQLite,
  but in another process, with its own checks of keys, its log and a row version more for each update.
- **The second node** reads: each event that crosses makes it load the call and what it has not told yet, two look-ups by
  primary key. Several that come meanwhile are one look. Here both sides send 20 candidates at the same moment: neither
  node's commit is in vain for the other's, since the database numbers them (docs/decisions/0025).
- **Redis** passes on one short message for each event and room."""
WRITES = """\
What PostgreSQL writes to its log, and what its tables and their indexes take: those that keep a call until it is pruned,
and the one that has its session descriptions and candidates until a minute after its end. Payloads are as long as a
browser's. All calls of a run are in it, those of its first seconds too; a run is shorter than the time between checkpoints,
so that each page goes whole into the log once."""
REPEAT = """\
```sh
make bench OPTIONS='--only databases'           # this; says how long it will take
make bench OPTIONS='--only databases --quick'   # a smoke test, into .build/bench
make bench OPTIONS='--from FILE'                # this report again from the raw runs, in .build/bench/databases.json
```

It needs two processors. Nothing else should run meanwhile, and nothing else should write to the disk."""


def other_cpu(name: str) -> Value:
    """Microseconds a call of one of the processes beside the first node; None where there is none."""

    def value(result: Result) -> float | None:
        names, found = result.get("otherNames", []), result.get("others", [])
        return found[names.index(name)]["cpuMicrosecondsEach"] if name in names and found else None

    return value


def whole_cpu(result: Result) -> float | None:
    """Microseconds a call of all processes together."""
    first = values.cpu(result)
    if first is None:
        return None
    return first + sum(other["cpuMicrosecondsEach"] for other in result.get("others", []))


def costs(record: Record) -> str:
    heads = ["load, store", "calls/s", "failed", "first node, ms a call", "second node", "PostgreSQL", "Redis", "all", "runs"]
    figures: list[tuple[Value, str, float]] = [
        (values.figure("completedPerSecond"), ",.1f", 1),
        (values.figure("calls", "failed"), ",.0f", 1),
        (values.cpu, ",.2f", 1_000),
        *((other_cpu(name), ",.2f", 1_000) for name in ("second node", "PostgreSQL", "Redis")),
        (whole_cpu, ",.2f", 1_000),
    ]
    return _table(record, heads, figures)


def latencies(record: Record) -> str:
    heads = ["load, store", "ring p50 ms", "p99", "event p50", "p99", "acknowledged p50", "p99", "whole p50", "p99", "runs"]
    kinds = ("ringLatency", "eventLatency", "acknowledgementLatency", "callDuration")
    figures: list[tuple[Value, str, float]] = [
        (values.latency(kind, said), ",.1f", 1) for kind in kinds for said in ("p50", "p99")
    ]
    return _table(record, heads, figures)


def sizes(record: Record) -> str:
    heads = ["load, store", "to the log, kB a call", "kept, kB", "signals, kB", "runs"]
    names = ("logBytesEach", "keptBytesEach", "signalBytesEach")
    figures: list[tuple[Value, str, float]] = [(values.figure(name), ",.1f", 1_000) for name in names]
    return _table(record, heads, figures, STORES[1:])


def comparisons(record: Record) -> str:
    rows = [
        [f"{case.title}: CPU of all, {store} to {SQLITE}", *ratio(record, case.name, store, SQLITE, whole_cpu)]
        for case in CASES
        for store in (POSTGRESQL, CLUSTER)
    ]
    return table(RATIO_HEADS, rows)


def _table(
    record: Record,
    heads: list[str],
    figures: list[tuple[Value, str, float]],
    stores: tuple[str, ...] = STORES,
) -> str:
    rows = []
    for case in CASES:
        for store in stores:
            cells = [median(record, case.name, store, *figure) for figure in figures]
            rows.append([f"{case.title}, {store}", *cells, counted(record, case, store)])
    return table(heads, rows)


def write(record: Record, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "benchmarks-databases.md"
    path.write_text(text(record), encoding="utf-8")
    return path


def text(record: Record) -> str:
    machine = record.machine
    versions = ", ".join(f"{name} {version}" for name, version in machine["stores"].items())
    introduction = f"""\
A call's cost with each database and across two nodes{commit(machine)}, measured by `make bench` on {machine["date"]}:
{on_what(machine)}; {versions}.

Absolute times are this machine's, and those of an acknowledgement its disk's. What can be carried to another machine,
with care, are the ratios of processor time."""
    parts = ["# Databases and nodes, benchmarks", introduction]
    if record.settings.get("quick"):
        parts.append(SMOKE)
    disk = machine.get("fileSystem") or "a file system of unknown kind"
    parts += ["## What a call costs", costs(record), comparisons(record), WHY]
    parts += ["## What a call writes", WRITES, sizes(record)]
    parts += ["## How long it takes", latencies(record)]
    parts += ["## How it is measured", METHOD.format(**record.settings, disk=disk)]
    if found := tables.voids(record, SECTIONS):
        parts += ["## Runs that do not count", found]
    return "\n\n".join([*parts, "## Repeat it", REPEAT]) + "\n"

"""Writes docs/benchmarks.md, and its charts beside it, from a record. Nothing in it was not measured."""

from pathlib import Path
from typing import Any

import charts
import tables
from cases import SECTIONS
from records import Record
from requirements import findings

TITLES = {
    "voice": "Voice",
    "peak": "Coturn's peak, and half of it",
    "video": "Video",
    "video-veth": "Video over a virtual cable",
    "idle": "Idle allocations",
    "many": "Ten thousand allocations",
    "shards": "Two shards",
    "simulation": "A million allocations in the core",
}
TEXTS = {
    "voice": "200 allocations, 160-byte packets one by one, at loads that all three can be offered.",
    "peak": """\
The peak is what coturn delivered, the median of its runs, when packets came faster than it can relay. Then both servers
were offered just that, and then half of it, for latency.""",
    "video": """\
50 allocations, 1,200-byte packets in bursts of 8 that leave back to back, 25,000 packets a second in all. Joined (GSO)
means that the generator hands each burst to the kernel as one (`UDP_SEGMENT`, `UDP_GRO`). On loopback such a burst
reaches a server that asks for it in one piece, which is more than most networks do for it.""",
    "video-veth": """\
The same with the server in one network namespace and the generator in another, a virtual Ethernet cable (veth) between
them. At an MTU of 1280, 1,250-byte packets from peers become too long once they are ChannelData.""",
    "idle": """\
Memory is the process's resident memory. The kernel keeps sockets in memory of its own, its slab: that column is what
the whole machine's slab grew by, so the generator's sockets, one an allocation, are in it. `TURN_TOTAL_QUOTA=1` shows
what a process needs that has no room for allocations. CPU is the server's for Allocate, asked twice, and ChannelBind.\
""",
    "many": "10,000 allocations, 160-byte packets. The forwarder has as many sockets.",
    "shards": """\
`TURN_WORKERS=1` against `TURN_WORKERS=2`, both on the one processor of the server. 200 allocations, 160-byte packets.""",
    "simulation": """\
The relay's core alone, without sockets, since no process may open a million: `turn-simulation` fills one shard by
real requests, each of a client with an address, a credential and a peer of its own, and routes for clients drawn at
random. Each look-up waits for the verdict of the one before, so that what memory takes is not hidden. A sweep visits
all allocations in turn; a server's shard visits 1,024 of them at a time. The longest request is by the clock, all else
processor time; a shard relays nothing during a request. Memory does not include sockets, port pools and quotas. Each
cell has the median and, in brackets, the lowest and the highest of the runs.""",
}
# How the names of a section's charts begin.
CHARTS = {
    "voice": ("bench-cpu", "bench-latency"),
    "idle": ("bench-memory",),
    "simulation": ("bench-lookup", "bench-sweep"),
}
METHOD = """\
- Load comes from `turn-bench`, one thread that never sleeps and holds the sockets of all clients and peers. It is
  pinned to the first processor, the server to the last (`taskset`). Callrelay has one shard, coturn one relay thread.
  Both have the same shared secret and the same range of relay ports, UDP only, no quota and no log.
- The bare forwarder is the least that a relay can do here: it reads up to 64 datagrams in a call, sends each by a
  socket of its own, and looks at nothing but the flow's number. It marks the limit of the kernel and of this machine.
- Payloads are sent by the clock, whether or not those before came back. Each carries its number and the moment it was
  due, which latency counts from. Rates are those of all allocations together. "Up" is from clients to peers.
- Servers take turns within a round, and every other round reverses their order. Each run has a server of its own,
  started for it, and {warmUp:g} s of load before the {seconds:g} s that count.
- CPU time is the scheduler's count for the server's threads (`/proc/PID/task/*/schedstat`), over payloads delivered.
  The kernel's work for a datagram up to the receiver's socket (softirq) happens in the sender's time. So a server pays
  for its sends all the way, and the generator for what the server receives, whichever server it is.
- Ratios are of the medians of all rounds; "lowest–highest" are the ratios of single rounds. Below 1, the first named
  needs less.
- A run counts only if the generator kept its pace and had time to spare and, where it sends as much as it can, the
  server was its limit. Otherwise it is void and was repeated, twice at most. What stayed void is in no figure, and is
  listed below."""
REPEAT = """\
```sh
make bench                              # everything; says how long it will take
make bench OPTIONS='--only voice'       # one section, into .build/bench
make bench OPTIONS=--quick              # a smoke test, into .build/bench
make bench OPTIONS='--from FILE'        # this report again from the raw runs, kept in .build/bench/runs.json
```

It needs two processors, and root for the sections with network namespaces. Nothing else should run meanwhile."""
SMOKE = "**A smoke test: so few and short runs show that the measurement works, and nothing else.**"


def write(record: Record, directory: Path) -> Path:
    images = charts.write(record, directory / "images")
    path = directory / "benchmarks.md"
    path.write_text(text(record, images), encoding="utf-8")
    return path


def text(record: Record, images: dict[str, str]) -> str:
    """`images`: titles by the names of the files in images/."""
    parts = ["# Benchmarks", _introduction(record)]
    if record.settings.get("quick"):
        parts.append(SMOKE)
    parts += ["## Requirements", tables.requirements(findings(record))]
    parts += ["## How it is measured", METHOD.format(**record.settings)]
    for section in SECTIONS:
        if record.has(section):
            parts += _section(record, section, images)
    if found := tables.voids(record, SECTIONS):
        parts += ["## Runs that do not count", found]
    return "\n\n".join([*parts, "## Repeat it", REPEAT]) + "\n"


def _introduction(record: Record) -> str:
    machine = record.machine
    return f"""\
The relay{commit(machine)} beside coturn {machine["coturn"]} and a bare forwarder, measured by `make bench` on \
{machine["date"]}:
{on_what(machine)}.

Absolute times are this machine's. What can be carried to another machine, with care, are the ratios.

Pages of their own: [signaling](benchmarks-signaling.md) beside python-socketio, and [a call](benchmarks-databases.md) on SQLite, on
PostgreSQL and across two nodes."""


def commit(machine: dict[str, Any]) -> str:
    """In brackets behind what was measured; empty, if it is not known."""
    return f" (commit {machine['commit']})" if machine.get("commit") else ""


def on_what(machine: dict[str, Any]) -> str:
    """The processor, how many there are, and the kernel."""
    virtual = " of a virtual machine" if machine.get("virtual") else ""
    return f"{machine['cpu']}, {len(machine['processors'])} processors{virtual}, {machine['kernel']}"


def _section(record: Record, section: str, images: dict[str, str]) -> list[str]:
    parts = [f"## {TITLES[section]}", TEXTS[section]]
    if networks := sorted({run.network for run in record.runs if run.section == section} - {"loopback"}):
        parts.append("Networks: " + "; ".join(networks) + ".")
    wanted = CHARTS.get(section, ())
    parts += [f"![{title}](images/{name})" for name, title in images.items() if name.startswith(wanted)]
    if section == "idle":
        return [*parts, tables.idle(record), tables.memory_by_allocation(record)]
    if section == "simulation":
        return [*parts, tables.simulation(record)]
    return [*parts, tables.loads(record, section), tables.comparisons(record, section)]

"""Writes docs/benchmarks-signaling.md from a record. Nothing in it was not measured."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import tables
from cases import Case
from records import Record
from report import SMOKE, commit, on_what
from signaling import tables as own
from signaling.cases import BOTH, CALLS, CANDIDATES, IDLE, PEER, SECTIONS, SLOW_READER, STORM
from signaling.loads import StormLoad
from signaling.requirements import findings, keeps_up
from signaling.values import LEAST_ACKNOWLEDGED, MOST_P99

IN_MEMORY = ("tmpfs", "ramfs")

CANDIDATES_TEXT = """\
All 1,000 sockets send in turn. By the clock, a load is what all of them together were to send; "under way" sends a new
candidate for each that is acknowledged, which finds the highest rate. A generator that is busy all the time there was
the limit, and the server could have done more.

Kept up means: at least {share:.0%} of the candidates sent were acknowledged before the run ended, at the latest ten
seconds after the last, and 99 of 100 within {p99:g} ms of when they were due. A server that does not keep up has work
before it when the run ends, so what it costs is not known, and its latency is as long as the run lets it become."""
CALLS_TEXT = """\
Calls are placed by the clock, between pairs of users that are connected all the time: placed and answered over REST,
joined by both sides, an offer, an answer, 20 candidates each way, two toggles, and its end over REST. Ring is from when
the call was due to the callee's hearing of it; event from sending one to the other side's hearing it. A call that lacks
an event, or has one twice or out of order, has failed."""
IDLE_TEXT = """\
What the process's resident memory grows by, over the clients connected; some have come and gone before, so that what
the server takes once is not counted. Clients answer heartbeats and do nothing else. The kernel's memory for their
connections is in no figure. python-socketio keeps nothing of a client here but its user's name."""
STORM_TEXT = """\
All clients are in calls of two. Each has sent three candidates when all connections are cut at once; while they are
away each sends two more over REST; then all come back at the same moment and resume their call after the last event
that they heard. `CALL_RECONNECT_GRACE={CALL_RECONNECT_GRACE}`: nobody is to lose a call to how slow this machine is."""
SLOW_READER_TEXT = """\
Clients in calls of two stop reading, and the other side of each sends until the server cuts them. Memory is the most
that the process had, less what it had before, over these clients."""
METHOD = """\
- What is compared: both servers take `ice-candidate` events over Socket.IO by WebSocket from 1,000 sockets, two in each
  of 500 calls, pass each on to the other side and acknowledge it. Payloads are as long as a browser's.
- **They do not do the same for it.** callrelay looks whether the sender is in the call and the call is on, gives the
  event a number and writes it to SQLite. It acknowledges it only when it has been synced to the disk; events that come
  meanwhile share the next sync. python-socketio's server runs under the smallest application that passes candidates
  on (`Tests/bench/socketio_peer.py`): it has no store, no checks and no REST API. Whoever joins a call by its name is
  in it there, and what was acknowledged is kept nowhere.
- What an application on python-socketio would need that did all this was not measured, nor were other Socket.IO
  servers. This one runs as it comes: one process, aiohttp, the event loop of Python's own library.
- callrelay runs in dev mode with its defaults, but without its limits on calls and on events by socket. Each run has a
  fresh database in a file, on {disk}. Its relay runs beside it and has nothing to do.
- Load comes from `call-bench`, one thread with the sockets of all clients. It is pinned to the first processor, the
  server to the last (`taskset`).
- By the clock, candidates are sent whether or not those before were acknowledged. Each carries its number and the
  moment it was due, which latency counts from: to its acknowledgement at the sender, and to its arrival at the other
  side.
- Servers take turns within a round, and every other round reverses their order. Each run has a server of its own,
  started for it. Candidates and calls have {warmUp:g} s of load before the {seconds:g} s that count.
- CPU time is the scheduler's count for the server's threads (`/proc/PID/task/*/schedstat`), over candidates
  acknowledged. callrelay's includes SQLite's and what the kernel does for its writes in their name, but not what the
  kernel does for the disk in threads of its own. The kernel's work for what is sent on loopback, up to the receiver's
  socket, happens in the sender's time, whichever server it is.
- Ratios are of the medians of all rounds; "lowest–highest" are the ratios of single rounds. Below 1, the first named
  needs less.
- A run by the clock counts only if the generator kept its pace and had time to spare. A run is void, too, if the server
  or the generator ended before its time. Void runs were repeated, twice at most. What stayed void is in no figure, and
  is listed below."""
REPEAT = """\
```sh
make bench OPTIONS='--only signaling'           # this; says how long it will take
make bench OPTIONS='--only signaling --quick'   # a smoke test, into .build/bench
make bench OPTIONS='--from FILE'                # this report again from the raw runs, in .build/bench/signaling.json
```

It needs two processors. Nothing else should run meanwhile, and nothing else should write to the disk."""


class Chapter(NamedTuple):
    cases: Sequence[Case]
    title: str
    text: str
    tables: Sequence[Callable[[Record], str]]


CHAPTERS = (
    Chapter(
        CANDIDATES,
        "Candidates",
        CANDIDATES_TEXT.format(share=LEAST_ACKNOWLEDGED, p99=MOST_P99),
        (own.candidates, own.latencies, own.comparisons),
    ),
    Chapter(CALLS, "Whole calls", CALLS_TEXT, (own.calls,)),
    Chapter(IDLE, "Idle clients", IDLE_TEXT, (own.idle,)),
    Chapter(STORM, "Everybody back at once", STORM_TEXT.format(**StormLoad.settings), (own.storm,)),
    Chapter(SLOW_READER, "Clients that stop reading", SLOW_READER_TEXT, (own.slow_reader,)),
)


def write(record: Record, directory: Path) -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "benchmarks-signaling.md"
    path.write_text(text(record), encoding="utf-8")
    return path


def text(record: Record) -> str:
    parts = ["# Signaling benchmarks", _introduction(record)]
    if record.settings.get("quick"):
        parts.append(SMOKE)
    parts += ["## Requirements", tables.requirements(findings(record)), *_not_compared(record)]
    parts += ["## How it is measured", METHOD.format(**record.settings, disk=_disk(record))]
    for chapter in CHAPTERS:
        # A smoke test leaves out what is slow.
        if any(record.rounds(case.name) for case in chapter.cases):
            parts += [f"## {chapter.title}", chapter.text, *(make(record) for make in chapter.tables)]
    if found := tables.voids(record, SECTIONS):
        parts += ["## Runs that do not count", found]
    return "\n\n".join([*parts, "## Repeat it", REPEAT]) + "\n"


def _introduction(record: Record) -> str:
    machine = record.machine
    versions = dict(machine["peer"])
    peer = f"{PEER} {versions.pop(PEER)}"
    under_it = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"""\
Callrelay's signaling{commit(machine)} beside {peer}, measured by `make bench` on {machine["date"]}:
{on_what(machine)}; {under_it}.

Absolute times are this machine's, and those of an acknowledgement its disk's. What can be carried to another machine,
with care, are the ratios of processor time."""


def _not_compared(record: Record) -> Iterator[str]:
    """Why a load that both were offered has no requirement."""
    behind = [case for case in CANDIDATES if case.servers == BOTH and keeps_up(record, case, PEER) is False]
    if behind:
        titles = ", ".join(case.title for case in behind)
        yield f"{PEER} did not keep up with {titles}: what a candidate costs it there is not known, nor compared."


def _disk(record: Record) -> str:
    kind = record.machine.get("fileSystem")
    if kind in IN_MEMORY:
        return f"{kind}, **which is in memory: a sync costs nothing there**"
    return kind or "a file system of unknown kind"

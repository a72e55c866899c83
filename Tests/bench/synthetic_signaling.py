"""Reports of `call-bench` and records of them with figures of a test's own choice."""

from collections.abc import Callable
from typing import Any

from cases import OURS, Case
from records import Record, Result, Run
from signaling.cases import PEER, SECTION, SECTIONS
from signaling.loads import CallLoad, EventLoad, IdleLoad, SignalingLoad, StormLoad

MACHINE = {
    "cpu": "A Processor",
    "virtual": False,
    "processors": [0, 1],
    "kernel": "Linux 6.0",
    "commit": "abc1234",
    "date": "2026-01-02",
    "peer": {"Python": "3.11.2", "python-socketio": "5.18.1", "python-engineio": "4.15.1", "aiohttp": "3.14.5"},
    "fileSystem": "ext4",
}
SETTINGS = {"rounds": 3, "seconds": 10.0, "warmUp": 2.0, "quick": False}
CPU = {OURS: 200.0, PEER: 1_000.0}


def latency(slower: float = 1.0, **changes: Any) -> Result:
    """Milliseconds."""
    times = {
        "p50": 2.0 * slower,
        "p95": 4.0 * slower,
        "p99": 8.0 * slower,
        "p99_9": 20.0 * slower,
        "max": 90.0 * slower,
    }
    return {"count": 1_000} | times | changes


def server(cpu: float = 200.0, **changes: Any) -> Result:
    figures = {"pid": 1, "cpuSeconds": 2.0, "cpuShare": 0.2, "cpuMicrosecondsEach": cpu, "memoryBytes": 40 << 20}
    return figures | changes


def events(cpu: float = 200.0, rate: int = 1_000, slower: float = 1.0, **changes: Any) -> Result:
    figures = {
        "kind": "events",
        "target": "http://127.0.0.1:4000",
        "connections": 1_000,
        "offeredPerSecond": rate,
        "seconds": 10.0,
        "setupSeconds": 1.5,
        "sent": 10 * rate,
        "acknowledged": 10 * rate,
        "refused": 0,
        "delivered": 10 * rate,
        "missing": 0,
        "misplaced": 0,
        "acknowledgementLatency": latency(slower),
        "deliveryLatency": latency(1.1 * slower),
        "server": server(cpu),
        "generatorBusy": 0.2,
        "void": [],
    }
    return figures | changes


def behind(cpu: float = 200.0, rate: int = 1_000, **changes: Any) -> Result:
    """A run that counts, of a server that did not keep up."""
    late = latency(p50=4_000.0, p99=8_000.0)
    short = {"acknowledged": 6 * rate, "delivered": 6 * rate, "missing": 4 * rate, "acknowledgementLatency": late}
    return events(cpu, rate) | short | changes


def calls(**changes: Any) -> Result:
    figures = {
        "kind": "calls",
        "target": "http://127.0.0.1:4000",
        "offeredPerSecond": 10,
        "seconds": 10.0,
        "calls": {"started": 100, "completed": 100, "failed": 0, "skipped": 0, "failures": []},
        "completedPerSecond": 10.0,
        "ringLatency": latency(),
        "callDuration": latency(10),
        "eventLatency": latency(),
        "acknowledgementLatency": latency(),
        "server": server(9_000.0),
        "generatorBusy": 0.1,
        "void": [],
    }
    return figures | changes


def idle(kibibytes: float, clients: int = 5_000, **changes: Any) -> Result:
    figures = {
        "kind": "idle",
        "target": "http://127.0.0.1:4000",
        "transport": "websocket",
        "connections": clients,
        "connectSeconds": 2.5,
        "memoryBytesBefore": 40 << 20,
        "memoryBytesAfter": (40 << 20) + int(1024 * kibibytes * clients),
        "memoryBytesEach": 1024 * kibibytes,
        "idleCPUMicrosecondsEachSecond": 1.5,
    }
    return figures | changes


def storm(seconds: float = 4.0, **changes: Any) -> Result:
    figures = {
        "kind": "storm",
        "target": "http://127.0.0.1:4000",
        "connections": 5_000,
        "resumed": 5_000,
        "failed": 0,
        "retries": 3,
        "seconds": seconds,
        "resumeLatency": latency(200),
        "expected": 25_000,
        "heard": 25_000,
        "missing": 0,
        "misplaced": 0,
        "server": server(500.0),
    }
    return figures | changes


def slow_reader(mebibytes: float = 0.5, **changes: Any) -> Result:
    figures = {
        "kind": "slow-reader",
        "target": "http://127.0.0.1:4000",
        "readers": 20,
        "cut": 20,
        "events": 60_000,
        "eventBytes": 300,
        "memoryBytesBefore": 40 << 20,
        "memoryBytesPeak": (40 << 20) + int(2**20 * mebibytes * 20),
        "memoryBytesEach": 2**20 * mebibytes,
    }
    return figures | changes


def good_result(case: Case[SignalingLoad], name: str, number: int) -> Result:
    """What meets every requirement, a little different in every round."""
    slower = 1 + number / 100
    load = case.load
    if isinstance(load, EventLoad):
        cpu = CPU[name] * slower
        if load.rate is None:
            return events(cpu, slower=slower, offeredPerSecond=None, inFlight=load.in_flight)
        return events(cpu, load.rate, slower)
    if isinstance(load, CallLoad):
        return calls()
    if isinstance(load, IdleLoad):
        return idle((8.0 if name == OURS else 30.0) * slower, transport=load.transport)
    return storm(4.0 * slower) if isinstance(load, StormLoad) else slow_reader(0.5 * slower)


def record(rounds: int = 3, make: Callable[[Case[SignalingLoad], str, int], Result] = good_result) -> Record:
    """Every case."""
    runs = [
        Run(SECTION, case.name, number, name, case.network, 1, make(case, name, number))
        for case in SECTIONS[SECTION]
        for number in range(rounds)
        for name in case.servers
    ]
    return Record(MACHINE, SETTINGS, runs)

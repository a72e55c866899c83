"""Records with figures of a test's own choice."""

import math
from collections.abc import Callable
from typing import Any

from cases import CORE, COTURN, FLOOR, OURS, QUOTA_1, SECTIONS, TWO_SHARDS, Case
from records import Record, Result, Run

MACHINE = {
    "cpu": "A Processor",
    "virtual": True,
    "processors": [0, 1],
    "kernel": "Linux 6.0",
    "coturn": "4.6.1",
    "commit": "abc1234",
    "date": "2026-01-02",
}
SETTINGS = {"rounds": 3, "seconds": 10.0, "warmUp": 2.0, "quick": False}
CPU = {OURS: 1_000.0, TWO_SHARDS: 1_050.0, QUOTA_1: 1_000.0, FLOOR: 950.0, COTURN: 4_000.0}


def direction(**changes: Any) -> Result:
    latency = {"p50": 40.0, "p99": 90.0, "p99_9": 200.0, "max": 900.0}
    figures = {"sent": 1000, "received": 1000, "lost": 0, "receivedPerSecond": 100.0, "latencyMicroseconds": latency}
    return figures | changes


def result(cpu: float = 1_000.0, share: float = 0.5, memory: int = 20 << 20, **changes: Any) -> Result:
    """A run from clients to peers."""
    server = {"pid": 1, "cpuNanosecondsPerPacket": cpu, "cpuShare": share, "memoryBytes": memory}
    setup = {"allocations": 200, "perSecond": 5_000.0, "serverCPUMicrosecondsEach": cpu / 100, "slabBytesEach": 4_096.0}
    return {"server": server, "setup": setup, "up": direction(), "void": []} | changes


def simulated(allocations: int, slower: float = 1.0) -> Result:
    """Look-ups take longer when more of them miss the processor's caches."""
    figures = {
        "routeUpNanoseconds": 40.0 + 20 * math.log10(allocations),
        "routeDownNanoseconds": 50.0 + 20 * math.log10(allocations),
        "routeSendNanoseconds": 80.0 + 20 * math.log10(allocations),
        "sweepNanosecondsPerSlot": 30.0,
        "expiryNanosecondsEach": 900.0,
        "setupCPUMicrosecondsEach": 25.0,
        "longestRequestMilliseconds": allocations / 10_000,
        "residentBytesEach": 1_200.0,
    }
    return {name: value * slower for name, value in figures.items()} | {"allocations": allocations, "void": []}


def good_result(case: Case, server: str, number: int) -> Result:
    """What meets every requirement, a little different in every round."""
    slower = 1 + number / 100
    if server == CORE:
        return simulated(case.load.allocations, slower)
    memory = (20 << 20) + (1_000 if server == OURS else 9_000) * case.load.allocations
    latency = {"p50": 40.0, "p99": (90.0 if server == OURS else 200.0) * slower, "p99_9": 300.0, "max": 900.0}
    if case.load.allocations == 0:
        return {"server": {"memoryBytes": memory}, "void": []}
    return result(CPU[server] * slower, memory=memory, up=direction(latencyMicroseconds=latency))


def record(rounds: int = 10, make: Callable[[Case, str, int], Result] = good_result) -> Record:
    """Every case of every section."""
    runs = [
        Run(section, case.name, number, server, case.network, 1, make(case, server, number))
        for section, cases in SECTIONS.items()
        for case in cases
        for number in range(rounds)
        for server in case.servers
    ]
    return Record(MACHINE, SETTINGS, runs)

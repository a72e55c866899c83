"""The part of the databases: what `call-bench` is told, and what the report makes of figures of a test's own choice."""

from typing import Any

import pytest

from databases.cases import CASES, CLUSTER, POSTGRESQL, SECTION, SQLITE
from databases.report import text
from databases.stores import Served
from generator import Timing
from records import Record, Result, Run
from synthetic_signaling import MACHINE, SETTINGS, latency, server

OTHERS = {SQLITE: {}, POSTGRESQL: {"PostgreSQL": 3_000.0}, CLUSTER: {"second node": 2_500.0, "PostgreSQL": 4_000.0, "Redis": 500.0}}
FIRST = {SQLITE: 4_000.0, POSTGRESQL: 2_000.0, CLUSTER: 2_000.0}


def calls(store: str, **changes: Any) -> Result:
    figures = {
        "kind": "calls",
        "seconds": 10.0,
        "calls": {"started": 50, "completed": 50, "failed": 0, "skipped": 0, "failures": []},
        "completedPerSecond": 5.0,
        "server": server(FIRST[store]),
        "others": [server(cpu) for cpu in OTHERS[store].values()],
        "otherNames": list(OTHERS[store]),
        **({} if store == SQLITE else {"logBytesEach": 54_320.0, "keptBytesEach": 12_000.0, "signalBytesEach": 28_000.0}),
        "void": [],
    }
    kinds = ("ringLatency", "eventLatency", "acknowledgementLatency", "callDuration")
    return figures | {kind: latency() for kind in kinds} | changes


def record(**changes: Any) -> Record:
    runs = [
        Run(SECTION, case.name, number, store, "loopback", 1, calls(store, **changes))
        for case in CASES
        for store in case.servers
        for number in range(3)
    ]
    return Record(MACHINE | {"stores": {"PostgreSQL": "15.1", "Redis": "7.0.1"}}, dict(SETTINGS), runs)


def test_call_bench_is_told_of_both_nodes_and_of_every_process() -> None:
    served = Served("http://127.0.0.1:1", "http://127.0.0.1:2", 3, {"second node": 4, "PostgreSQL": 5})
    told = "--url http://127.0.0.1:1 --callee-url http://127.0.0.1:2 --server-pid 3 --other-pid 4 --other-pid 5"
    assert served.options == told.split()
    assert CASES[0].load.options(Timing(7, 2))[:2] == ["--rate", "5"]


def test_the_report_adds_up_what_a_call_costs() -> None:
    lines = text(record()).splitlines()
    assert f"| 5 calls/s, {SQLITE} | 5.0 | 0 | 4.00 | – | – | – | 4.00 | 3 |" in lines
    assert f"| 5 calls/s, {POSTGRESQL} | 5.0 | 0 | 2.00 | – | 3.00 | – | 5.00 | 3 |" in lines
    assert f"| 5 calls/s, {CLUSTER} | 5.0 | 0 | 2.00 | 2.50 | 4.00 | 0.50 | 9.00 | 3 |" in lines
    assert any(line.startswith(f"| 5 calls/s: CPU of all, {POSTGRESQL} to {SQLITE} | 1.250 |") for line in lines)
    assert f"| 5 calls/s, {CLUSTER} | 54.3 | 12.0 | 28.0 | 3 |" in lines
    assert any("PostgreSQL 15.1, Redis 7.0.1" in line for line in lines)


@pytest.mark.parametrize("quick", [False, True])
def test_runs_that_do_not_count_are_in_no_figure_and_listed(quick: bool) -> None:
    found = record(void=["the generator was late"])
    found.settings["quick"] = quick
    report = text(found)
    assert "the generator was late" in report and "| 4.00 |" not in report
    assert ("**A smoke test" in report) is quick

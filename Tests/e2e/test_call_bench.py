"""The load generator of calls against our server and against python-socketio's, both for real."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from ports import free_port
from running_server import RunningServer, binary

pytestmark = pytest.mark.alone

PEER = Path(__file__).parents[1] / "bench/socketio_peer.py"
# No limits: one host with all the users would look like an attack.
SETTINGS = {"CALL_INITIATE_RATE": "", "SOCKET_EVENT_RATE": "", "LOG_LEVEL": "warning"}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path_factory.mktemp("calls"), SETTINGS).start()
    try:
        yield running
    finally:
        running.stop()


def bench(subcommand: str, *arguments: str, timeout: float = 120) -> subprocess.CompletedProcess:
    return subprocess.run([binary("call-bench"), subcommand, *arguments], capture_output=True, text=True, timeout=timeout)


def report(server: RunningServer, subcommand: str, *arguments: str) -> dict:
    """A run's report. On a machine that does other things a run by the clock may be void; its counts are right."""
    target = ["--url", server.url, "--server-pid", str(server.process.pid), "--json"]
    done = bench(subcommand, *target, *arguments)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert found["kind"] == subcommand
    assert (done.returncode == 3) == bool(found.get("void"))
    return found


def check_latency(figures: dict) -> None:
    assert figures["count"] > 0
    assert 0 < figures["p50"] <= figures["p99"] <= figures["p99_9"] <= figures["max"]


def test_whole_calls(server: RunningServer) -> None:
    found = report(server, "calls", "--rate", "5", "--pairs", "20", "--duration", "4", "--warm-up", "0.5")
    counts = found["calls"]
    assert counts["started"] >= 15 and counts["completed"] == counts["started"], counts
    assert counts["failed"] == 0 and counts["failures"] == []
    for figures in ("ringLatency", "callDuration", "eventLatency", "acknowledgementLatency"):
        check_latency(found[figures])
    assert found["server"]["cpuMicrosecondsEach"] > 100


@pytest.mark.parametrize("load", [("--rate", "200"), ("--in-flight", "16")], ids=["by the clock", "in flight"])
def test_events_come_once_and_in_order(server: RunningServer, load: tuple[str, str]) -> None:
    found = report(server, "events", "--connections", "40", *load, "--duration", "3", "--warm-up", "0.5")
    assert found["sent"] >= 300 and found["acknowledged"] == found["delivered"] == found["sent"], found
    assert found["refused"] == found["missing"] == found["misplaced"] == 0
    check_latency(found["acknowledgementLatency"])
    check_latency(found["deliveryLatency"])
    assert found["server"]["memoryBytes"] > 1 << 20


@pytest.mark.parametrize("transport", ["websocket", "polling"])
def test_idle_clients(server: RunningServer, transport: str) -> None:
    found = report(server, "idle", "--connections", "200", "--transport", transport, "--duration", "1")
    assert found["connections"] == 200 and found["transport"] == transport
    assert found["memoryBytesAfter"] > 1 << 20


def test_a_storm(server: RunningServer) -> None:
    found = report(server, "storm", "--connections", "100")
    assert found["resumed"] == found["connections"] == 100 and found["failed"] == 0
    assert found["heard"] == found["expected"] > 0
    assert found["missing"] == found["misplaced"] == 0
    check_latency(found["resumeLatency"])


def test_readers_that_stop_are_cut(server: RunningServer) -> None:
    found = report(server, "slow-reader", "--readers", "2")
    assert found["cut"] == found["readers"] == 2
    assert found["events"] > 1000


def test_another_socketio_server() -> None:
    port = free_port()
    peer = subprocess.Popen([sys.executable, PEER, "--port", str(port)], stdin=subprocess.DEVNULL)
    try:
        await_answers(port)
        target = ["--url", f"http://127.0.0.1:{port}", "--server-pid", str(peer.pid), "--peer", "--json"]
        load = ["--connections", "20", "--rate", "100", "--duration", "2", "--warm-up", "0.5"]
        done = bench("events", *target, *load)
        assert done.returncode in (0, 3), done.stderr
        found = json.loads(done.stdout)
        assert found["acknowledged"] == found["delivered"] == found["sent"] >= 150, found
    finally:
        peer.terminate()
        peer.wait(10)


def await_answers(port: int) -> None:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with suppress(OSError):
            with urlopen(f"http://127.0.0.1:{port}/socket.io/?EIO=4&transport=polling", timeout=5):
                return
        time.sleep(0.1)
    raise AssertionError("the peer does not answer")


def test_the_table_for_people(server: RunningServer) -> None:
    load = ["--connections", "20", "--rate", "100", "--duration", "1", "--warm-up", "0.2"]
    done = bench("events", "--url", server.url, *load)
    assert done.returncode in (0, 3), done.stderr
    rows = [line.split(maxsplit=1)[0] for line in done.stdout.splitlines()]
    assert rows[:3] == ["server", "sockets", "load"] and {"acknowledged", "delivered", "generator"} <= set(rows)
    assert "acknowledged" in done.stderr, "no word while it runs"


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["events"], "either --rate or --in-flight is needed"),
        (["events", "--rate", "1", "--in-flight", "1"], "either --rate or --in-flight is needed"),
        (["events", "--rate", "1", "--connections", "3"], "--connections must be an even number"),
        (["events", "--rate", "1", "--url", "http://192.0.2.1:3000"], "--i-own-this-host"),
        (["events", "--rate", "1", "--url", "nonsense"], "--url needs http://HOST:PORT"),
        (["slow-reader"], "--server-pid is needed"),
    ],
)
def test_what_makes_no_sense_is_refused(arguments: list[str], reason: str) -> None:
    done = bench(*arguments)
    assert done.returncode not in (0, 3)
    assert reason in done.stderr and done.stdout == ""


def test_a_server_that_is_not_there_is_named() -> None:
    done = bench("events", "--rate", "1", "--url", f"http://127.0.0.1:{free_port()}")
    assert done.returncode not in (0, 3)
    assert done.stderr.strip().splitlines()[-1].startswith("Error: ")

"""The load generator against the servers it is made for: ours, coturn and the bare forwarder, all for real."""

import json
import re
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from ports import free_port
from running_server import RunningServer, binary

pytestmark = pytest.mark.alone

SECRET = "a-secret-for-the-load"
QUIET = ["--duration", "1", "--warm-up", "0.2"]


@pytest.fixture(scope="module")
def relay(tmp_path_factory) -> Iterator[RunningServer]:
    settings = {"TURN_USER_QUOTA": "0", "TURN_UNAUTH_REPLIES": "0", "LOG_LEVEL": "info", "TURN_SHARED_SECRET": SECRET}
    server = RunningServer(tmp_path_factory.mktemp("relay"), settings).start()
    try:
        yield server
    finally:
        server.stop()


def bench(*arguments: str, status: int = 0) -> subprocess.CompletedProcess:
    done = subprocess.run([binary("turn-bench"), *arguments], capture_output=True, text=True, timeout=60)
    assert done.returncode == status, done.stdout + done.stderr
    return done


def report(*arguments: str) -> dict:
    """A run's report. On a machine that does other things a run may be void; its counts are right all the same."""
    done = subprocess.run([binary("turn-bench"), *arguments, "--json"], capture_output=True, text=True, timeout=60)
    assert done.returncode in (0, 3), done.stdout + done.stderr
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert (done.returncode == 3) == bool(found["void"])
    return found


def of(server: RunningServer) -> list[str]:
    return ["--server", f"turn:127.0.0.1:{server.turn_port}", "--secret", SECRET]


def check(direction: dict, pps: float) -> None:
    """Everything that was sent came, once; the rate is the one that was asked for."""
    assert direction["sent"] > 0.8 * pps
    assert direction["lost"] == 0 and direction["received"] == direction["sent"]
    assert direction["duplicates"] == 0 and direction["reordered"] == 0
    latency = direction["latencyMicroseconds"]
    assert 0 < latency["p50"] <= latency["p99"] <= latency["p99_9"] <= latency["max"]


@pytest.mark.parametrize("mode", ["channel", "indication"])
@pytest.mark.parametrize("shape", [[], ["--burst", "8"], ["--burst", "8", "--gso"]], ids=["single", "burst", "gso"])
def test_our_relay_delivers_both_ways(relay, mode, shape):
    load = ["--allocations", "20", "--pps", "2000", "--payload", "301", "--mode", mode, *shape]
    found = report(*of(relay), *load, *QUIET, "--server-pid", str(relay.process.pid))
    assert found["allocations"] == 20 and found["payloadBytes"] == 301 and found["mode"] == mode
    check(found["up"], 2000)
    check(found["down"], 2000)
    assert found["server"]["cpuNanosecondsPerPacket"] > 100
    assert found["server"]["memoryBytes"] > 1 << 20
    assert 0 < found["generator"]["busy"] <= 1
    assert found["setup"]["perSecond"] > 0


def test_one_direction_is_one_direction(relay):
    up = report(*of(relay), "--allocations", "5", "--pps", "500", "--direction", "up", *QUIET)
    assert up["down"] is None and up["server"] is None
    check(up["up"], 500)
    down = report(*of(relay), "--allocations", "5", "--pps", "500", "--direction", "down", *QUIET)
    assert down["up"] is None
    check(down["down"], 500)


def test_allocations_are_given_back(tmp_path):
    """A relay that holds no more than one run needs serves the next run as well."""
    settings = {"TURN_USER_QUOTA": "0", "TURN_TOTAL_QUOTA": "30", "TURN_UNAUTH_REPLIES": "0"}
    server = RunningServer(tmp_path, settings | {"TURN_SHARED_SECRET": SECRET}).start()
    try:
        for _ in range(3):
            report(*of(server), "--allocations", "30", "--duration", "0")
        over = bench(*of(server), "--allocations", "31", "--duration", "0", status=1)
        assert "486" in over.stderr
    finally:
        server.stop()


def test_a_static_user_works_too(tmp_path):
    server = RunningServer(tmp_path, {"TURN_STATIC_USERS": "gorst:hero", "TURN_USER_QUOTA": "0"}).start()
    try:
        target = ["--server", f"turn:127.0.0.1:{server.turn_port}", "--user", "gorst"]
        found = report(*target, "--password", "hero", "--allocations", "5", "--pps", "500", *QUIET)
        check(found["up"], 500)
        wrong = bench(*target, "--password", "zero", "--allocations", "1", "--pps", "5", *QUIET, status=1)
        assert "401" in wrong.stderr and "is the secret or password right?" in wrong.stderr
    finally:
        server.stop()


@contextmanager
def coturn(port: int) -> Iterator[subprocess.Popen]:
    command = ["turnserver", "-n", "--use-auth-secret", f"--static-auth-secret={SECRET}", "--realm=example.org"]
    command += ["--listening-ip=127.0.0.1", "--relay-ip=127.0.0.1", f"--listening-port={port}", "--no-tls", "--no-dtls"]
    command += ["--allow-loopback-peers", "--no-cli", "--log-file=stdout", "--pidfile=/dev/null"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.terminate()
        process.wait()


def test_coturn_is_loaded_the_same_way():
    port = free_port(socket.SOCK_DGRAM)
    with coturn(port) as process:
        target = ["--server", f"turn:127.0.0.1:{port}", "--secret", SECRET, "--server-pid", str(process.pid)]
        for mode in ("channel", "indication"):
            found = report(*target, "--allocations", "10", "--pps", "1000", "--mode", mode, *QUIET)
            check(found["up"], 1000)
            check(found["down"], 1000)
            assert found["server"]["cpuNanosecondsPerPacket"] > 100


def test_the_bare_forwarder_forwards():
    port = free_port(socket.SOCK_DGRAM)
    command = [binary("turn-bench"), "floor", "--listen", f"127.0.0.1:{port}", "--sockets", "50"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout.readline() == f"listening on 127.0.0.1:{port}\n"
            target = ["--server", f"floor:127.0.0.1:{port}", "--server-pid", str(process.pid)]
            for shape in ([], ["--burst", "8"]):
                found = report(*target, "--allocations", "50", "--pps", "2000", *shape, *QUIET)
                check(found["up"], 2000)
                check(found["down"], 2000)
        finally:
            process.kill()


def test_a_table_and_a_live_line_for_people(relay):
    done = bench(*of(relay), "--allocations", "10", "--pps", "1000", "--duration", "2.2", "--warm-up", "0")
    assert re.search(r"^up +\d+/s sent, \d+/s received$", done.stdout, re.MULTILINE)
    assert re.search(r"^  latency +p50 [\d.]+, p99 [\d.]+, p99.9 [\d.]+, max [\d.]+ µs$", done.stdout, re.MULTILINE)
    assert re.search(r"^generator +[\d.]+ % busy$", done.stdout, re.MULTILINE)
    assert re.search(r"^2 s: \d+/s sent, \d+/s received, p99 \d+ µs, generator \d+ % busy$", done.stderr, re.MULTILINE)


def test_a_server_that_is_not_there_is_said_so():
    port = free_port(socket.SOCK_DGRAM)
    done = bench("--server", f"turn:127.0.0.1:{port}", "--secret", "s", "--pps", "1", status=1)
    assert f"turn:127.0.0.1:{port} does not answer" in done.stderr


REFUSED = {
    "a host that is not on loopback": (["--server", "turn:192.0.2.1", "--secret", "s", "--pps", "1"], "--i-own-this-host"),
    "no rate": (["--server", "turn:127.0.0.1", "--secret", "s"], "--pps or --max"),
    "two rates": (["--server", "turn:127.0.0.1", "--secret", "s", "--pps", "1", "--max"], "--pps or --max"),
    "no credential": (["--server", "turn:127.0.0.1", "--pps", "1"], "--secret or --user and --password"),
    "another scheme": (["--server", "turns:127.0.0.1", "--secret", "s", "--pps", "1"], "turn:HOST:PORT"),
    "a payload without a stamp": (
        ["--server", "turn:127.0.0.1", "--secret", "s", "--pps", "1", "--payload", "23"],
        "--payload must be 24 to 1472",
    ),
    "a burst beyond a message": (
        ["--server", "turn:127.0.0.1", "--secret", "s", "--pps", "1", "--burst", "60", "--payload", "1200", "--gso"],
        "--gso",
    ),
    "a forwarder for everybody": (["floor", "--listen", "0.0.0.0:3479"], "loopback"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_makes_no_sense_is_refused_by_name(case):
    arguments, words = REFUSED[case]
    done = bench(*arguments, status=64)
    assert words in done.stderr


def test_help_suffices():
    text = bench("load", "--help").stdout + bench("floor", "--help").stdout + bench("--help").stdout
    for option in (
        "--server", "--secret", "--user", "--password", "--allocations", "--payload", "--pps", "--max", "--direction",
        "--burst", "--gso", "--mode", "--duration", "--warm-up", "--server-pid", "--json", "--bind",
        "--i-own-this-host", "--listen", "--sockets",
    ):  # fmt: skip
        assert option in text

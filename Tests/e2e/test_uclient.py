"""The relay against coturn's load generator: every way it can be used over UDP, and every way it can be wrong.

A run begins with some idle seconds of its own, so all runs of the table are under way at once; each has a test that looks
at what came of it.
"""

import re
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from running_server import RunningServer
from turn_client import TurnClient, time_limited_credential
from turnutils import ATTEMPTS, RUN_SECONDS, UclientRun, echo_peer, uclient, uclient_command

MESSAGES = 200
# At this pace a tool or a relay that is kept from its processor for some tenths of a second owes no more than the tool's
# own receive buffers hold, which are small.
LOAD = ["-n", str(MESSAGES), "-z", "20", "-l", "170"]
AT_ONCE = 8
USERS = {"gorst": "hero", "other": "with:colons"}


def made_by_the_command(server: RunningServer) -> list[str]:
    made = server.run("credentials", "--user", "alice", "--ttl", "600")
    assert made.returncode == 0, made.stderr
    # A password may begin with "+" or "/".
    username, password = re.fullmatch(r"username: (\d{10}:\S+)\npassword: (\S+)\n", made.stdout).groups()
    return ["-u", username, "-w", password]


def of_ice_servers(server: RunningServer) -> list[str]:
    """What a browser gets, unchanged."""
    ice = server.request("GET", "/api/calls/ice-servers", "alice").json()
    entry = next(entry for entry in ice["iceServers"] if "credential" in entry)
    assert f"turn:127.0.0.1:{server.turn_port}?transport=udp" in entry["urls"]
    return ["-u", entry["username"], "-w", entry["credential"]]


@dataclass(frozen=True)
class Case:
    """Arguments, the address the server is asked at, and how many messages that makes for each of the `MESSAGES`."""

    arguments: str
    times: int
    host: str = "127.0.0.1"
    messages: int = MESSAGES
    # Arguments that say who asks; made from the shared secret by the tool itself if there is none.
    credentials: Callable[[RunningServer], list[str]] | None = None


# `-y` lets clients talk to each other in pairs, `-e` to the echo; without `-c` (no RTCP) each takes a pair of ports, the
# first by EVEN-PORT with a reservation and the second with its token; `-s` sends indications instead of ChannelData.
CASES = {
    "channel to a peer": Case("-c -e 127.0.0.1 -r PEER", 1),
    "channel to a client": Case("-y -c", 2),
    "send to a peer": Case("-c -s -e 127.0.0.1 -r PEER", 1),
    "send to a peer, three clients": Case("-c -s -e 127.0.0.1 -r PEER -m 3", 3),
    "send to a client": Case("-y -c -s", 2),
    "send, ten clients": Case("-y -c -s -m 10", 10),
    "send, payload of 17": Case("-y -c -s -n 50 -l 17", 2, messages=50),
    "send, payload of 18": Case("-y -c -s -n 50 -l 18", 2, messages=50),
    "send, payload of 19": Case("-y -c -s -n 50 -l 19", 2, messages=50),
    "send, payload of 1200": Case("-y -c -s -n 50 -l 1200", 2, messages=50),
    "padded ChannelData": Case("-y -c -D -l 171", 2),
    "extra requests": Case("-y -c -s -G", 2),
    "IPv4 asked for": Case("-X -y -c -s", 2),
    "client over IPv6, relay over IPv4": Case("-y -c -s", 2, host="::1"),
    "client over IPv6, relay over IPv6": Case("-x -y -c -s", 2, host="::1"),
    "client over IPv4, relay over IPv6": Case("-x -y -c -s", 2),
    "channel over IPv6 to a peer": Case("-x -c -e ::1 -r PEER", 1, host="::1"),
    "channel over IPv6 to a client": Case("-x -y -c", 2, host="::1"),
    "even ports, clients": Case("-y -s", 4),
    "even ports, peer": Case("-s -e 127.0.0.1 -r PEER", 2),
    "even ports, peer by channel": Case("-e 127.0.0.1 -r PEER", 2),
    "even ports, many": Case("-y -s -m 8 -n 50", 8, messages=50),
    "even ports over IPv6": Case("-x -y -s", 4, host="::1"),
    "dual allocation, clients": Case("-Z -y -s", 2),
    "dual allocation, IPv4 peer": Case("-Z -s -e 127.0.0.1 -r PEER", 1),
    "dual allocation, IPv6 peer": Case("-Z -s -e ::1 -r PEER", 1),
    "dual allocation, channel to an IPv4 peer": Case("-Z -e 127.0.0.1 -r PEER", 1),
    "dual allocation, channel to an IPv6 peer": Case("-Z -e ::1 -r PEER", 1),
    "dual allocation over IPv6": Case("-Z -s -e 127.0.0.1 -r PEER", 1, host="::1"),
    "DONT-FRAGMENT": Case("-g -y -c -s", 2),
    "DONT-FRAGMENT over IPv6": Case("-g -x -y -c -s", 2, host="::1"),
    "static user": Case("-y -c -s", 2, credentials=lambda _: ["-u", "gorst", "-w", "hero"]),
    "static user, colons in the password": Case(
        "-y -c -s", 2, credentials=lambda _: ["-u", "other", "-w", "with:colons"]
    ),
    "credential that the command made": Case("-y -c -s", 2, credentials=made_by_the_command),
    "credential of ice-servers": Case("-y -c -s", 2, credentials=of_ice_servers),
}

# `-B` closes all sockets of a run at once, as soon as more than five messages fall into one of its ticks of a millisecond.
# With twenty clients at a message a millisecond that is when the sixth begins.
VANISHING = Case("-y -c -s -B -m 20 -n 5000 -z 1", 20, messages=5000)
VANISHING_RUNS = 3


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server for these runs alone: they leave allocations behind, which would meet other tests' ports."""
    users = ",".join(f"{name}:{password}" for name, password in USERS.items())
    # A reserved port is no socket yet: its relay ports lie above those that the system hands out to others meanwhile.
    settings = {"TURN_STATIC_USERS": users, "TURN_RELAY_MIN_PORT": "61000"}
    server = RunningServer(tmp_path_factory.mktemp("uclient"), settings).start()
    yield server
    died = server.process.poll()
    assert died is None, f"the server died, status {died}:\n{server.log[-8000:]}"
    assert server.stop() == 0, server.log[-8000:]


@pytest.fixture(scope="module")
def runs(own_server: RunningServer) -> Iterator[dict[str, Future]]:
    """The runs of the whole table, and those that vanish among them."""
    cases = {f"vanishing {number}": VANISHING for number in range(VANISHING_RUNS)} | CASES
    with ExitStack() as stack:
        peer = str(stack.enter_context(echo_peer("127.0.0.1", "::1")))
        workers = stack.enter_context(ThreadPoolExecutor(AT_ONCE))
        stack.callback(workers.shutdown, cancel_futures=True)
        yield {
            name: workers.submit(
                uclient,
                own_server,
                *LOAD,
                *case.arguments.replace("PEER", peer).split(),
                host=case.host,
                credentials=case.credentials and case.credentials(own_server),
            )
            for name, case in cases.items()
        }


# Extra requests (`-G`) ask for permissions towards both families and arbitrary addresses, some of which nobody may reach;
# the tool goes on when one is refused, and ends if it is its real peer.
EXPECTED_ERRORS = ("create permission error 443 (Peer Address Family Mismatch)", "create permission error 403 (Forbidden)")


def assert_nothing_lost(run: UclientRun, expected: int) -> None:
    assert run.status == 0, run.output
    assert "Total lost packets 0 (0.000000%)" in run.output, run.output
    unexpected = run.output
    for error in EXPECTED_ERRORS:
        unexpected = unexpected.replace(error, "")
    assert "error" not in unexpected.lower(), run.output
    assert run.sent == run.received == expected, run.output


@pytest.mark.parametrize("name", CASES)
def test_uclient_loses_nothing(runs: dict[str, Future], name: str) -> None:
    assert_nothing_lost(runs[name].result(), CASES[name].times * CASES[name].messages)


@pytest.mark.parametrize("number", range(VANISHING_RUNS))
def test_clients_vanish_beside_all_these(runs: dict[str, Future], own_server: RunningServer, number: int) -> None:
    """Without a farewell, in the middle of sending: the server goes on, and the runs beside them lost nothing."""
    run = runs[f"vanishing {number}"].result()
    assert run.status == 0, run.output
    assert 0 < run.sent < VANISHING.times * VANISHING.messages, run.output
    assert own_server.process.poll() is None, own_server.log[-8000:]


def test_uclient_binds_a_peer_to_a_second_channel(own_server: RunningServer) -> None:
    """What `-N` makes of channels: the first is bound, another for the same peer is refused, and there the tool ends.

    The tool does not say which number it asked for in vain; of so many, some are such as the RFC allows.
    """
    bound_runs = 0
    with echo_peer() as port:
        arguments = ["-v", "-N", "-c", "-e", "127.0.0.1", "-r", str(port), *LOAD]
        for _ in range(ATTEMPTS):
            command = uclient_command(own_server, *arguments)
            output = subprocess.run(command, capture_output=True, text=True, timeout=RUN_SECONDS).stdout
            if bound := re.search(r"success: 0x(4[0-9a-f]{3})", output):
                assert "channel bind: error 400" in output[bound.end() :], output
                bound_runs += 1
                if bound_runs == 20:
                    return
    raise AssertionError(f"the tool drew a channel that the RFC allows {bound_runs} times alone")


def test_uclient_with_a_wrong_password_gets_nothing(own_server: RunningServer) -> None:
    for name, password in (("gorst", "wrong"), ("nobody", "hero")):
        run = uclient(own_server, "-y", "-c", "-s", *LOAD, credentials=["-u", name, "-w", password])
        assert run.status != 0 and "lost packets 0" not in run.output, run.output


def test_uclient_that_speaks_the_protocol_wrongly(own_server: RunningServer) -> None:
    """`-R` overwrites bytes of every tenth message. The tool then waits for an answer that may never come, against any
    server; what counts is that ours goes on as if nothing had been."""
    variants = ["-R -y -c -s", "-R -N -y -s", "-R -c -e 127.0.0.1 -r 9", "-R -x -y -c -s", "-R -Z -s -e 127.0.0.1 -r 9"]
    commands = [uclient_command(own_server, *variant.split(), *LOAD) for variant in variants * 6]
    processes = [
        subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in commands
    ]
    try:
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline and any(process.poll() is None for process in processes):
            time.sleep(0.1)
    finally:
        for process in processes:
            process.kill()
            process.wait()
    assert own_server.process.poll() is None, own_server.log[-8000:]
    address, credential = ("127.0.0.1", own_server.turn_port), time_limited_credential(own_server.turn_secret, "after")
    # From an address of its own: the tools' sockets are closed by now, but their allocations live on, and the system may
    # hand out a port of theirs again.
    with TurnClient(address, *credential, source=("127.0.0.2", 0)) as client:
        client.allocate()

"""The relay when the system gives it less than it asks for: sends that fail, no descriptors, no ports."""

import errno
import os
import resource
import select
import shutil
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ports import free_port, free_ports
from relay_process import RelayProcess
from running_server import REPOSITORY
from turn_client import TurnClient, TurnError

INSUFFICIENT_CAPACITY = 508


@pytest.fixture
def start_relay(tmp_path: Path) -> Iterator[Callable[..., RelayProcess]]:
    started: list[RelayProcess] = []

    def start(**options: object) -> RelayProcess:
        started.append(RelayProcess(tmp_path, ["127.0.0.1"], port=free_port(socket.SOCK_DGRAM), **options))
        return started[-1]

    yield start
    for relay in started:
        relay.stop()


@pytest.fixture(scope="module")
def fault_injector(tmp_path_factory: pytest.TempPathFactory) -> Path:
    library = tmp_path_factory.mktemp("faults") / "fault_injector.so"
    source = REPOSITORY / "Tests/FaultInjector/fault_injector.c"
    compiler = os.environ.get("CC") or shutil.which("clang") or "cc"
    subprocess.run([compiler, "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, source], check=True)
    return library


def bound_peer() -> socket.socket:
    peer = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    peer.bind(("127.0.0.1", 0))
    peer.settimeout(5)
    return peer


@pytest.mark.parametrize("name", ["ENOBUFS", "EPERM", "EAGAIN", "ENETUNREACH", "EMSGSIZE", "EINTR"])
def test_a_send_that_fails_costs_its_datagram_and_nothing_else(start_relay, fault_injector: Path, name: str) -> None:
    faults = {"LD_PRELOAD": str(fault_injector), "FAULT_ERRNO": str(getattr(errno, name)), "FAULT_EVERY": "3"}
    relay = start_relay(TURN_WORKERS="1", **faults)
    with relay.client() as client, bound_peer() as peer:
        client.allocate()
        client.bind_channel(0x4000, peer.getsockname())
        arrived: list[bytes] = []
        for number in range(150):
            client.send_channel(0x4000, bytes([number]) * 100)
            if number % 10 == 9:
                # Not faster than it is relayed, so that what is missing was dropped by the fault alone.
                arrived += received(peer)
        while name == "EINTR" and len(arrived) < 150:
            arrived.append(peer.recv(1000))  # an interrupted call is made again, so all of them come
        assert arrived == sorted(arrived) and len(set(arrived)) == len(arrived), "in order, none twice"
        assert all(payload == payload[:1] * 100 for payload in arrived), "unharmed"
        if name != "EINTR":
            assert 15 <= len(arrived) < 150, "some were dropped, and most were not kept from leaving"
        assert client.refresh(600) == 600


def received(peer: socket.socket) -> list[bytes]:
    """What has come until there is a pause; what is late is found the next time."""
    found = []
    while select.select([peer], [], [], 0.3)[0]:
        found.append(peer.recv(1000))
    return found


def refusal(relay: RelayProcess, **options: object) -> int | None:
    """The code that an Allocate is refused with; nil if it is granted, and then given back."""
    with relay.client(**options) as client:
        try:
            client.allocate()
        except TurnError as error:
            return error.code
    return None


def fill(relay: RelayProcess, limit: int) -> list[TurnClient]:
    """Allocates until it is refused for want of something, at most `limit` times."""
    clients: list[TurnClient] = []
    for _ in range(limit):
        client = relay.client()
        try:
            client.allocate()
        except TurnError as error:
            client.close()
            assert error.code == INSUFFICIENT_CAPACITY
            return clients
        clients.append(client)
    return clients


def assert_relays(client: TurnClient) -> None:
    with bound_peer() as peer:
        client.create_permission(peer.getsockname())
        client.send(peer.getsockname(), b"still relayed")
        assert peer.recv(100) == b"still relayed"


def test_when_all_relay_ports_are_taken_the_next_is_refused_until_one_is_given_back(start_relay) -> None:
    ports = free_ports(8, socket.SOCK_DGRAM)
    relay = start_relay(TURN_RELAY_MIN_PORT=str(ports[0]), TURN_RELAY_MAX_PORT=str(ports[-1]))
    for round_number in range(3):
        clients = fill(relay, limit=20)
        assert sorted(client.relayed[1] for client in clients) == list(ports), f"round {round_number}: all of them"
        assert refusal(relay) == INSUFFICIENT_CAPACITY
        assert_relays(clients[0])
        given_back = clients[3].relayed
        clients[3].refresh(0)
        clients[3].close()
        clients[3] = relay.client()
        # Rested or not, the one port that is free is given out when it is asked for.
        assert clients[3].allocate() == given_back
        for client in clients:
            client.close()


def test_when_descriptors_run_out_allocations_are_refused_and_the_rest_goes_on(start_relay) -> None:
    relay = start_relay()
    used = len(os.listdir(f"/proc/{relay.process.pid}/fd"))
    with relay.client() as early:
        early.allocate()
        before = resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, (used + 12, before[1]))
        for _ in range(2):
            clients = fill(relay, limit=40)
            assert 5 <= len(clients) < 40
            assert refusal(relay) == INSUFFICIENT_CAPACITY
            assert_relays(early)
            assert_relays(clients[-1])
            for client in clients:
                client.close()
        assert refusal(relay) is None
        resource.prlimit(relay.process.pid, resource.RLIMIT_NOFILE, before)
        clients = fill(relay, limit=40)
        assert len(clients) == 40
        for client in clients:
            client.close()

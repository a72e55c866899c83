"""A real Synapse whose `turn_uris` and `turn_shared_secret` point at callrelay: its accounts' credentials are good here.

Nothing is changed in Synapse, and the relay knows nothing of it: the secret is all they share.
"""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest

from homeserver import Account, Homeserver
from running_server import RunningServer
from turn_client import TurnClient, TurnError, time_limited_credential
from turnutils import UclientRun, echo_peer, uclient
from waiting import eventually

SECRET = "shared by relay and homeserver"
# Short enough to be waited for, and long enough to be used meanwhile.
SHORT = 3
MESSAGES = 50


@pytest.fixture
def relay(start_server: Callable[..., RunningServer]) -> RunningServer:
    """STUN and TURN alone, as beside a homeserver whose clients place their calls by it."""
    return start_server(AUTH_MODE="off", TURN_LISTEN="127.0.0.1", TURN_SHARED_SECRET=SECRET, TURN_USER_QUOTA="2")


@pytest.fixture
def start_synapse(relay: RunningServer, start_homeserver: Callable[..., Homeserver]) -> Callable[[str], Homeserver]:
    """Starts a homeserver with that relay, whose credentials live so long, and with Alice and Bob."""

    def start(turn_user_lifetime: str) -> Homeserver:
        running = start_homeserver(
            turn_uris=[uri(relay)], turn_shared_secret=SECRET, turn_user_lifetime=turn_user_lifetime
        )
        running.register("alice"), running.register("bob")
        return running

    return start


def uri(relay: RunningServer) -> str:
    return f"turn:127.0.0.1:{relay.turn_port}?transport=udp"


def client(server: dict) -> TurnClient:
    """A client of what the homeserver answered, of the address too."""
    [named] = server["uris"]
    host, port = re.fullmatch(r"turn:([^:]+):(\d+)\?transport=udp", named).groups()
    return TurnClient((host, int(port)), server["username"], server["password"])


def expiry(server: dict) -> int:
    return int(server["username"].partition(":")[0])


def wait_past(server: dict) -> None:
    """Sleeps until the credential has expired by any clock that tells whole seconds."""
    time.sleep(max(0.0, expiry(server) + 1 - time.time()))


def refusal(asking: TurnClient) -> int:
    with asking, pytest.raises(TurnError) as refused:
        asking.allocate()
    return refused.value.code


def run_uclient(relay: RunningServer, server: dict) -> UclientRun:
    """Data to an echo and back. By indications: the tool's channels are mostly such as the RFC does not allow."""
    with echo_peer() as peer:
        arguments = ["-c", "-s", "-e", "127.0.0.1", "-r", str(peer), "-n", str(MESSAGES), "-z", "20", "-l", "170"]
        return uclient(relay, *arguments, credentials=["-u", server["username"], "-w", server["password"]])


@contextmanager
def peer_socket() -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        yield peer


def test_what_synapse_hands_out_allocates_and_carries_data(relay: RunningServer, start_synapse) -> None:
    alice = start_synapse("1h").login("alice")
    asked_at = time.time()
    for version in ("v3", "r0"):
        server = alice.turn_server(version)
        assert re.fullmatch(r"\d{10}:@alice:localhost", server["username"])
        assert (server["ttl"], server["uris"]) == (3600, [uri(relay)])
        assert int(asked_at) + 3600 <= expiry(server) <= time.time() + 3600

    run = run_uclient(relay, server)
    assert (run.status, run.refused_attempts, run.lost) == (0, 0, 0), run.output
    assert run.sent == run.received == MESSAGES, run.output


def test_an_expired_one_is_refused(relay: RunningServer, start_synapse) -> None:
    server = start_synapse(f"{SHORT}s").login("alice").turn_server()
    assert server["ttl"] == SHORT
    wait_past(server)
    assert refusal(client(server)) == 401
    run = run_uclient(relay, server)
    assert run.status != 0 and "Cannot complete Allocation" in run.output, run.output


def test_an_allocation_outlives_its_credential(start_synapse) -> None:
    alice = start_synapse(f"{SHORT}s").login("alice")
    with ExitStack() as stack:
        server, holding = eventually(lambda: allocated_in_time(alice, stack), "an allocation in time")
        peer, other = stack.enter_context(peer_socket()), stack.enter_context(peer_socket())
        wait_past(server)
        assert refusal(client(server)) == 401, "for a new allocation it is too late"

        assert holding.refresh(900) == 900
        holding.create_permission(peer.getsockname())
        holding.send(peer.getsockname(), b"by indication")
        assert peer.recvfrom(100) == (b"by indication", holding.relayed)
        peer.sendto(b"and back", holding.relayed)
        heard = holding.receive()
        assert (heard.data, heard.peer) == (b"and back", peer.getsockname())

        holding.bind_channel(0x4000, other.getsockname())
        holding.send_channel(0x4000, b"by channel")
        assert other.recvfrom(100) == (b"by channel", holding.relayed)
        other.sendto(b"and back", holding.relayed)
        heard = holding.receive()
        assert (heard.data, heard.channel) == (b"and back", 0x4000)


def allocated_in_time(account: Account, stack: ExitStack) -> tuple[dict, TurnClient] | None:
    """An allocation and its credential; none if that had expired before it was asked, as it may on a busy machine."""
    server = account.turn_server()
    holding = stack.enter_context(client(server))
    try:
        holding.allocate()
    except TurnError as refused:
        assert refused.code == 401 and expiry(server) <= time.time(), "refused before its time"
        return None
    return server, holding


def test_the_quota_counts_accounts_whatever_the_expiry(relay: RunningServer, start_synapse) -> None:
    synapse = start_synapse("1h")
    alice, bob = synapse.login("alice"), synapse.login("bob")
    first = alice.turn_server()
    # The name changes with the second.
    second = eventually(lambda: other_than(first, synapse.login("alice").turn_server()), "another credential of Alice's")
    with ExitStack() as stack:
        for server in (first, second):
            last = stack.enter_context(client(server))
            last.allocate()
        for server in (first, second):
            assert refusal(client(server)) == 486, "both are Alice's, and two is all she may have"
        # Somebody else of the homeserver, and the same name on another homeserver with the same secret.
        for _ in range(2):
            stack.enter_context(client(bob.turn_server())).allocate()
        assert refusal(client(bob.turn_server())) == 486
        elsewhere = time_limited_credential(SECRET, "@alice:example.org")
        stack.enter_context(TurnClient(("127.0.0.1", relay.turn_port), *elsewhere)).allocate()

        # What she gives back she may have again.
        last.refresh(0)
        stack.enter_context(client(first)).allocate()


def other_than(first: dict, server: dict) -> dict | None:
    return server if server["username"] != first["username"] else None

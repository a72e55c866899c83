"""The relay against a client written from the RFCs alone, and coturn's STUN client."""

import socket
import subprocess
from contextlib import ExitStack

import pytest

import stun_message as stun
from ports import free_ports, is_free
from running_server import RunningServer
from turn_client import TurnClient, TurnError, time_limited_credential
from turnutils import STUNCLIENT
from waiting import eventually

def client(server: RunningServer, name: str = "alice", **options: object) -> TurnClient:
    return TurnClient(("127.0.0.1", server.turn_port), *time_limited_credential(server.turn_secret, name), **options)


def test_stunclient_learns_its_address(server: RunningServer) -> None:
    run = subprocess.run(
        [STUNCLIENT, "-p", str(server.turn_port), "127.0.0.1"], capture_output=True, text=True, timeout=30
    )
    assert run.returncode == 0 and "UDP reflexive addr: 127.0.0.1:" in run.stdout + run.stderr, run.stdout


def test_a_binding_answer_names_the_asking_socket(server: RunningServer) -> None:
    with client(server, source=("127.45.67.89", 0)) as c:
        assert c.binding() == c.socket.getsockname()


def test_data_in_every_framing_between_two_clients(server: RunningServer) -> None:
    with client(server, "alice") as a, client(server, "bob") as b:
        a.allocate(), b.allocate()
        assert a.mapped == a.socket.getsockname() and a.lifetime_seconds == 600
        a.create_permission(b.relayed), b.create_permission(a.relayed)
        for size in (0, 1, 2, 3, 4, 1400):
            a.send(b.relayed, bytes(size))
            heard = b.receive()
            assert (heard.peer, heard.data) == (a.relayed, bytes(size))
        a.bind_channel(0x4000, b.relayed)
        for size in (0, 1, 2, 3, 4, 1400):
            a.send_channel(0x4000, b"\xff" * size)
            heard = b.receive()
            assert (heard.peer, heard.data) == (a.relayed, b"\xff" * size), "unbound on that side: a Data indication"
        b.bind_channel(0x4FFF, a.relayed)
        for size in (0, 5, 1400):
            a.send_channel(0x4000, b"\x01" * size)
            heard = b.receive()
            assert (heard.channel, heard.data) == (0x4FFF, b"\x01" * size)
        with pytest.raises(TimeoutError):
            a.receive(0.1)


def test_a_peer_without_permission_is_not_heard(server: RunningServer) -> None:
    with client(server) as c, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        c.allocate()
        peer.bind(("127.0.0.1", 0))
        peer.sendto(b"unasked", c.relayed)
        with pytest.raises(TimeoutError):
            c.receive(0.3)
        c.create_permission(peer.getsockname())
        peer.sendto(b"welcome", c.relayed)
        assert c.receive().data == b"welcome"


def test_a_retransmitted_allocate_gets_the_same_success(server: RunningServer) -> None:
    with client(server) as c:
        c.allocate()
        with pytest.raises(TurnError) as refused:  # a second Allocate of its own is refused …
            c.allocate()
        assert refused.value.code == 437
    with client(server) as c:
        c.nonce = None
        answer = c.exchange(c.encode_request(stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, bytes([17, 0, 0, 0]))]))
        assert answer.error_code == 401
        c.realm, c.nonce = answer.first(stun.REALM).decode(), answer.first(stun.NONCE)
        c.key = stun.long_term_key(c.username, c.realm, c.password)
        request = c.encode_request(stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, bytes([17, 0, 0, 0]))])
        answers = [c.exchange(request, key=c.key) for _ in range(5)]  # … the same one again is not
        assert [answer.message_class for answer in answers] == [stun.SUCCESS] * 5
        assert len({answer.address(stun.XOR_RELAYED_ADDRESS) for answer in answers}) == 1
        c.relayed = answers[0].address(stun.XOR_RELAYED_ADDRESS)


def test_a_wrong_password_an_unknown_name_and_an_old_credential_are_refused(server: RunningServer) -> None:
    address = ("127.0.0.1", server.turn_port)
    username, password = time_limited_credential(server.turn_secret, "alice")
    expired = time_limited_credential(server.turn_secret, "alice", lifetime_seconds=-10)
    for name, secret in ((username, password + "x"), ("nobody", "secret"), expired, (username, "")):
        with TurnClient(address, name, secret) as c, pytest.raises(TurnError) as refused:
            c.allocate()
        assert refused.value.code == 401


@pytest.mark.parametrize("number, code", [(0x3FFF, 400), (0x5000, 400), (0x7FFF, 400), (0xFFFF, 400)])
def test_a_channel_number_outside_the_range_is_refused(server: RunningServer, number: int, code: int) -> None:
    with client(server) as c:
        c.allocate()
        with pytest.raises(TurnError) as refused:
            c.bind_channel(number, ("127.0.0.1", 9))
        assert refused.value.code == code


@pytest.mark.parametrize("peer", ["0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255", "10.0.0.1"])
def test_a_peer_that_policy_denies_is_refused(server: RunningServer, peer: str) -> None:
    with client(server) as c:
        c.allocate()
        for attempt in (c.create_permission, lambda address: c.bind_channel(0x4000, address)):
            with pytest.raises(TurnError) as refused:
                attempt((peer, 9))
            assert refused.value.code == 403


def test_half_of_the_relay_ports_taken_by_another_process(start_server) -> None:
    """Every second port of the range is somebody else's: the relay tries on, and says 508 only when none is left."""
    ports = free_ports(64, socket.SOCK_DGRAM)
    with ExitStack() as stack:
        for port in ports[::2]:
            taken = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            taken.bind(("127.0.0.1", port))
        server = start_server(TURN_RELAY_MIN_PORT=str(ports[0]), TURN_RELAY_MAX_PORT=str(ports[-1]))
        free = ports[1::2]
        clients = [stack.enter_context(client(server, f"user-{index}")) for index in range(len(free) + 1)]
        assert sorted(c.allocate()[1] for c in clients[:-1]) == list(free), "each free port once, and no other"
        with pytest.raises(TurnError) as full:
            clients[-1].allocate()
        assert full.value.code == 508
        _, given_back = clients[0].relayed
        clients[0].refresh(0)
        # Its shard closes the socket behind the answer; another shard may be asked before that.
        eventually(lambda: is_free(given_back, socket.SOCK_DGRAM), "the end of a relay socket")
        clients[-1].allocate()  # a port that was given back is a port again


def test_a_second_server_on_the_same_port_says_so(start_server) -> None:
    first = start_server()
    with pytest.raises(RuntimeError, match=r"exited [1-9]"):
        start_server(TURN_PORT=str(first.turn_port))

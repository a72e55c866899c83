"""Holes of other TURN servers, tried on the running process; docs/security.md has the whole list."""

import socket
from pathlib import Path

import pytest

import stun_message as stun
from ports import free_port
from turn_client import TurnClient, TurnError, time_limited_credential

# Every denied range by one address, IPv6 forms of IPv4 addresses among them.
DENIED = """
0.0.0.0 0.1.2.3 10.0.0.1 100.64.0.1 100.100.100.200 127.0.0.1 127.255.255.254 168.63.129.16 169.254.169.254 172.16.0.1
172.31.255.255 192.0.0.1 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1 192.168.0.1 192.175.48.1 198.18.0.1 198.51.100.1
203.0.113.1 224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
:: ::1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::127.0.0.1 ::ffff:0:7f00:1 2002:7f00:1::1 64:ff9b::7f00:1
64:ff9b:1::7f00:1 100::1 2001::1 2001:0:7f00:1::80ff:fffe 2001:db8::1 2620:4f:8000::1 3fff::1 5f00::1 fc00::1
fd00:ec2::254 fe80::1 fec0::1 ff02::1
""".split()


@pytest.fixture
def strict(start_server):
    """A server on loopback that allows no peer by name."""
    return start_server(TURN_ALLOWED_PEERS="")


def client_of(server, name: str = "user") -> TurnClient:
    return TurnClient(("127.0.0.1", server.turn_port), *time_limited_credential(server.turn_secret, name))


def family(address: str) -> tuple[int, bytes]:
    return stun.REQUESTED_ADDRESS_FAMILY, bytes([2 if ":" in address else 1, 0, 0, 0])


@pytest.fixture
def listener():
    """A service beside the server: a port at every address of this machine, in both families."""
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as bound:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        bound.bind(("::", free_port(socket.SOCK_DGRAM)))
        bound.settimeout(5)
        yield bound


def test_denied_peers_are_refused_at_every_way_in(strict, listener):
    port = listener.getsockname()[1]
    with client_of(strict) as four, client_of(strict) as six:
        four.allocate(family("0.0.0.0"))
        six.allocate(family("::"))
        for address in DENIED:
            client = six if ":" in address else four
            # The relays' own addresses are permitted, for the ports where a relay lives; 127.0.0.1 and ::1 are theirs here.
            if address in ("127.0.0.1", "::1"):
                client.create_permission((address, port))
            else:
                with pytest.raises(TurnError) as permission:
                    client.create_permission((address, port))
                assert permission.value.code == 403, address
            with pytest.raises(TurnError) as channel:
                client.bind_channel(0x4000, (address, port))
            assert channel.value.code == 403, address
        # Once more, now that each has a permission for the one address that it may have.
        for address in DENIED:
            client = six if ":" in address else four
            client.send((address, port), b"out by Send")
            client.send_channel(0x4000, b"out by channel")
        assert_reaches_only_relays(strict, four, "127.0.0.1")
        assert_reaches_only_relays(strict, six, "::1")
        # Whatever was going to arrive stands before this.
        for host, kind in (("127.0.0.1", socket.AF_INET), ("::1", socket.AF_INET6)):
            with socket.socket(kind, socket.SOCK_DGRAM) as direct:
                direct.sendto(b"directly", (host, port))
            assert listener.recv(100) == b"directly"


def assert_reaches_only_relays(server, client: TurnClient, host: str) -> None:
    """By the same permission another client's relay is reached, behind everything that was sent before."""
    with client_of(server, "another") as other:
        other.allocate(family(host))
        other.create_permission((host, 0))
        client.send(other.relayed, b"in")
        received = other.receive()
        assert (received.data, received.peer) == (b"in", client.relayed)


def test_an_unauthenticated_allocate_is_challenged(strict):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(5)
        transport = (stun.REQUESTED_TRANSPORT, bytes([stun.UDP, 0, 0, 0]))
        probe.sendto(stun.encode(stun.ALLOCATE, stun.REQUEST, [transport]), ("127.0.0.1", strict.turn_port))
        assert stun.decode(probe.recv(2048)).error_code == 401


def test_the_turn_port_answers_nothing_but_stun(strict):
    hello = bytes([22, 254, 253]) + bytes(8) + bytes([0, 60, 1, 0, 0, 48]) + bytes(56)
    foreign = [b"GET / HTTP/1.1\r\n\r\n", b"POST /logon HTTP/1.1\r\nContent-Length: 1\r\n\r\n", hello, bytes(200), b"\xff" * 40]
    before = strict.sockets
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("127.0.0.1", strict.turn_port))
        for datagram in foreign * 100:
            probe.send(datagram)
        # The first answer is the one to a Binding request behind them all.
        probe.settimeout(5)
        binding = stun.encode(stun.BINDING, stun.REQUEST, [])
        probe.send(binding)
        assert stun.decode(probe.recv(2048)).transaction_id == binding[8:20]
    # Sockets of earlier clients may end meanwhile; none may be new.
    assert not strict.sockets - before


def test_names_full_of_directives_are_names(strict):
    for name in ["%s%n%n%n%p", "'; DROP TABLE calls; --", "{0}\\(x)%@", "a\nINFO forged=line"]:
        with client_of(strict, name) as client:
            client.allocate()
    assert strict.process.poll() is None
    assert not any(line.startswith("INFO forged") for line in strict.log.splitlines())


def test_nothing_listens_but_http_and_turn(strict):
    """No administration, by HTTP or by a command line of its own, one of which wrote any file (coturn e72930f5)."""
    inodes, listening = strict.sockets, set()
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/{strict.process.pid}/net/{table}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and fields[9] in inodes:
                listening.add(int(fields[1].rsplit(":", 1)[1], 16))
    assert listening == {strict.http_port}

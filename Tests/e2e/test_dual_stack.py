"""Both address families and pairs of ports, against the live server, by a client written from the RFCs alone."""

import socket
import struct

import pytest

import stun_message as stun
from running_server import RunningServer
from turn_client import TurnClient, TurnError, time_limited_credential

HOSTS = {4: "127.0.0.1", 6: "::1"}
DUAL = (stun.ADDITIONAL_ADDRESS_FAMILY, bytes([2, 0, 0, 0]))
EVEN, EVEN_AND_NEXT = (stun.EVEN_PORT, bytes([0])), (stun.EVEN_PORT, bytes([0x80]))
ANSWER_SECONDS = 10


def family(version: int) -> tuple[int, bytes]:
    return stun.REQUESTED_ADDRESS_FAMILY, bytes([1 if version == 4 else 2, 0, 0, 0])


def client(server: RunningServer, version: int = 4, name: str = "alice") -> TurnClient:
    credential = time_limited_credential(server.turn_secret, name)
    return TurnClient((HOSTS[version], server.turn_port), *credential, source=(HOSTS[version], 0))


def peer(version: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET if version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    bound.settimeout(ANSWER_SECONDS)
    bound.bind((HOSTS[version], 0))
    return bound


def assert_relays(c: TurnClient, other: socket.socket, relayed: tuple[str, int], channel: int) -> None:
    """By indication and by channel, there and back."""
    address = other.getsockname()[:2]
    c.create_permission(address)
    c.send(address, b"there")
    data, source = other.recvfrom(100)
    assert (data, source[:2]) == (b"there", relayed)
    other.sendto(b"back", relayed)
    heard = c.receive()
    assert (heard.data, heard.peer) == (b"back", address)
    c.bind_channel(channel, address)
    assert_channel(c, other, relayed, channel)


def assert_channel(c: TurnClient, other: socket.socket, relayed: tuple[str, int], channel: int) -> None:
    """By a channel that is bound, there and back."""
    c.send_channel(channel, b"there")
    assert other.recvfrom(100)[0] == b"there"
    other.sendto(b"back", relayed)
    heard = c.receive()
    assert (heard.data, heard.channel) == (b"back", channel)


@pytest.mark.parametrize("peer_version", HOSTS)
@pytest.mark.parametrize("client_version", HOSTS)
def test_clients_and_peers_of_either_family(server: RunningServer, client_version: int, peer_version: int) -> None:
    with client(server, client_version) as c, peer(peer_version) as other:
        relayed = c.allocate(family(peer_version))
        assert relayed[0] == HOSTS[peer_version] and c.mapped[0] == HOSTS[client_version]
        assert_relays(c, other, relayed, 0x4000)


def test_without_a_family_the_relay_is_ipv4(server: RunningServer) -> None:
    with client(server, 6) as c:
        assert c.allocate()[0] == HOSTS[4]
        with pytest.raises(TurnError) as refused:
            c.create_permission((HOSTS[6], 9))
        assert refused.value.code == 443


@pytest.mark.parametrize("version", HOSTS)
def test_a_dual_allocation_reaches_both_families_and_ends_by_halves(server: RunningServer, version: int) -> None:
    with client(server, version) as c, peer(4) as four, peer(6) as six:
        c.allocate(DUAL)
        assert [address[0] for address in c.all_relayed] == [HOSTS[4], HOSTS[6]]
        assert_relays(c, four, c.all_relayed[0], 0x4000)
        assert_relays(c, six, c.all_relayed[1], 0x4001)
        nothing = (stun.LIFETIME, struct.pack("!I", 0))
        assert c.request(stun.REFRESH, [nothing, family(4)]).number(stun.LIFETIME) == 0
        with pytest.raises(TurnError) as refused:
            c.create_permission(four.getsockname())
        assert refused.value.code == 443
        assert_channel(c, six, c.all_relayed[1], 0x4001)
        with pytest.raises(TurnError) as refused:
            c.request(stun.REFRESH, [nothing, family(4)])
        assert refused.value.code == 443


@pytest.mark.parametrize(
    "attributes",
    [
        [(stun.ADDITIONAL_ADDRESS_FAMILY, bytes([1, 0, 0, 0]))],
        [DUAL, family(4)],
        [DUAL, EVEN_AND_NEXT],
        [DUAL, (stun.RESERVATION_TOKEN, bytes(8))],
        [(stun.RESERVATION_TOKEN, bytes(8)), EVEN],
        [(stun.RESERVATION_TOKEN, bytes(8)), family(4)],
    ],
)
def test_what_excludes_each_other_is_a_bad_request(server: RunningServer, attributes: list) -> None:
    with client(server) as c:
        with pytest.raises(TurnError) as refused:
            c.allocate(*attributes)
        assert refused.value.code == 400


def test_a_pair_of_ports_is_redeemed_from_other_shards(start_server) -> None:
    """Twelve pairs over three workers: the kernel spreads the clients, so tokens come to shards that made others."""
    # Above the kernel's own range, so that no client's socket takes a port that is kept for a token.
    server = start_server(TURN_WORKERS="3", TURN_RELAY_MIN_PORT="61000")
    kept = []
    try:
        for version in HOSTS:
            for _ in range(6):
                first, second, third = (client(server, version) for _ in range(3))
                kept += [first, second, third]
                even = first.allocate(family(version), EVEN_AND_NEXT)
                token = (stun.RESERVATION_TOKEN, first.token)
                assert even[1] % 2 == 0 and len(first.token) == 8
                with client(server, version, "bob") as stranger, pytest.raises(TurnError) as refused:
                    stranger.allocate(token)
                assert refused.value.code == 508, "kept for the user it was given to"
                assert second.allocate(token) == (even[0], even[1] + 1)
                with pytest.raises(TurnError) as refused:
                    third.allocate(token)
                assert refused.value.code == 508, "a token serves once"
    finally:
        for c in kept:
            c.close()


def test_an_even_port_without_reservation_has_no_token(server: RunningServer) -> None:
    with client(server) as c:
        assert c.allocate(EVEN)[1] % 2 == 0 and c.token is None

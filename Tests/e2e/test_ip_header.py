"""IP headers of relayed datagrams, DONT-FRAGMENT and ICMP: RFC 8656 sections 11.5, 13, 14 and 18.13, on the wire.

A network of its own: the relay and its client in one namespace, a router, and a peer behind a narrower cable. Raw sockets
look at what really leaves. Needs root; skipped, with the reason, without.
"""

import socket
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

import stun_message as stun
from network_namespaces import Namespace, join, require_namespaces
from relay_process import RelayProcess
from turn_client import ICMPReport, TurnClient

WIDE_MTU, NARROW_MTU = 1500, 1300
RELAY = {4: "10.77.1.1", 6: "fd77:1::1"}
PEER = {4: "10.77.2.2", 6: "fd77:2::2"}
# Of whose path nobody knows the MTU yet: a host remembers it for each address it has sent to.
FRESH_PEER = {4: "10.77.2.3", 6: "fd77:2::3"}
FAMILY = {4: socket.AF_INET, 6: socket.AF_INET6}
EXPEDITED_AND_CONGESTED = 0xBB  # DSCP 46, ECN 3
DF = (stun.DONT_FRAGMENT, b"")
ETHERTYPE = {4: 0x0800, 6: 0x86DD}

both_families = pytest.mark.parametrize("version", [4, 6])


@dataclass
class Network:
    relay: RelayProcess
    home: Namespace
    peer: Namespace

    @contextmanager
    def client(self, version: int, own_version: int | None = None) -> Iterator[TurnClient]:
        """A client with an allocation of that family and permissions for the peer; of the same family unless told."""
        with self.home.entered(), self.relay.client(RELAY[own_version or version]) as client:
            family = struct.pack("!BBBB", {4: 1, 6: 2}[version], 0, 0, 0)
            client.allocate((stun.REQUESTED_ADDRESS_FAMILY, family), DF)
            client.create_permission((PEER[version], 0), (FRESH_PEER[version], 0))
            yield client

    def peer_socket(self, version: int, addresses: dict[int, str] = PEER) -> socket.socket:
        peer = self.peer.socket(FAMILY[version], socket.SOCK_DGRAM)
        peer.bind((addresses[version], 0))
        peer.settimeout(5)
        return peer


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    require_namespaces()
    home, router, peer = Namespace(), Namespace(), Namespace()
    try:
        router.forward()
        join(home, ["10.77.1.1/24", "fd77:1::1/64"], router, ["10.77.1.2/24", "fd77:1::2/64"], WIDE_MTU)
        peers = [f"{host}/{bits}" for hosts in (PEER, FRESH_PEER) for host, bits in zip(hosts.values(), (24, 64))]
        join(router, ["10.77.2.1/24", "fd77:2::1/64"], peer, peers, NARROW_MTU)
        for namespace, gateways in [(home, ("10.77.1.2", "fd77:1::2")), (peer, ("10.77.2.1", "fd77:2::1"))]:
            for gateway in gateways:
                namespace.ip("route", "add", "default", "via", gateway)
        with home.entered():
            relay = RelayProcess(
                tmp_path_factory.mktemp("relay"), list(RELAY.values()), TURN_ALLOWED_PEERS="10.77.0.0/16,fd77::/16"
            )
        try:
            yield Network(relay, home, peer)
        finally:
            relay.stop()
    finally:
        for namespace in (home, router, peer):
            namespace.close()


@dataclass(frozen=True)
class Packet:
    """What an IP header says about a packet that left, and the UDP ports if it shows them."""

    version: int
    hops: int
    traffic_class: int
    flow_label: int  # zero for IPv4, which has none
    dont_fragment: bool
    is_fragment: bool
    ports: tuple[int, int] | None
    payload: bytes


def parse(data: bytes) -> Packet | None:
    if data[0] >> 4 == 4 and data[9] == 17:
        header = (data[0] & 15) * 4
        flags = struct.unpack_from("!H", data, 6)[0]
        is_fragment = flags & 0x3FFF != 0
        ports = None if flags & 0x1FFF else struct.unpack_from("!HH", data, header)
        return Packet(4, data[8], data[1], 0, flags & 0x4000 != 0, is_fragment, ports, data[header + 8 :])
    if data[0] >> 4 == 6 and data[6] in (17, 44):
        first = struct.unpack_from("!I", data)[0]
        header, is_fragment = (48, True) if data[6] == 44 else (40, False)
        ports = None
        if not is_fragment or struct.unpack_from("!H", data, 42)[0] >> 3 == 0:
            ports = struct.unpack_from("!HH", data, header)
        return Packet(6, data[7], first >> 20 & 0xFF, first & 0xFFFFF, False, is_fragment, ports, data[header + 8 :])
    return None


class Sniffer:
    """Everything that leaves a namespace by any interface, loopback too."""

    def __init__(self, namespace: Namespace):
        self.socket = namespace.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(0x0003))
        self.socket.settimeout(0.3)

    def outgoing(self, version: int) -> list[Packet]:
        """Packets that left, in order, until none has come for a while."""
        found = []
        while True:
            try:
                data, (_, protocol, kind, *_) = self.socket.recvfrom(65536)
            except TimeoutError:
                return found
            if kind == socket.PACKET_OUTGOING and protocol == ETHERTYPE[version]:
                packet = parse(data)
                if packet is not None:
                    found.append(packet)

    def __enter__(self) -> "Sniffer":
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()


def default_hops(version: int) -> int:
    if version == 4:
        return int(Path("/proc/sys/net/ipv4/ip_default_ttl").read_text())
    return int(Path("/proc/sys/net/ipv6/conf/all/hop_limit").read_text())


def mark(one: socket.socket, version: int) -> None:
    """Odd values in every field that a relay could copy."""
    if version == 4:
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, 9)
        one.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, EXPEDITED_AND_CONGESTED)
        one.setsockopt(socket.IPPROTO_IP, 10, 3)  # IP_MTU_DISCOVER, IP_PMTUDISC_PROBE: DF set
    else:
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, 9)
        one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_TCLASS, EXPEDITED_AND_CONGESTED)


@both_families
def test_nothing_of_the_received_header_is_copied_in_either_direction(network: Network, version: int) -> None:
    with network.client(version) as client, network.peer_socket(version) as peer, Sniffer(network.home) as sniffer:
        mark(client.socket, version)
        mark(peer, version)
        client.send((PEER[version], peer.getsockname()[1]), b"up")
        assert peer.recv(100) == b"up"
        peer.sendto(b"down", client.relayed[:2])
        assert client.receive().data == b"down"
        packets = sniffer.outgoing(version)
        relayed_port, client_port = client.relayed[1], client.socket.getsockname()[1]
        up = [packet for packet in packets if packet.ports == (relayed_port, peer.getsockname()[1])]
        down = [packet for packet in packets if packet.ports == (network.relay.port, client_port)]
        sent = [packet for packet in packets if packet.ports == (client_port, network.relay.port)]
        assert sent and all((packet.hops, packet.traffic_class) == (9, EXPEDITED_AND_CONGESTED) for packet in sent)
        assert len(up) == 1 and down
        for packet in up + down:
            with network.home.entered():
                assert packet.hops == default_hops(version)
            assert packet.traffic_class == 0
            assert not packet.dont_fragment and not packet.is_fragment


def test_a_flow_label_is_not_copied_in_either_direction(network: Network) -> None:
    # Linux gives each flow a label of its own, made of its ends, unless told otherwise.
    for namespace in (network.home, network.peer):
        with namespace.entered():
            Path("/proc/sys/net/ipv6/auto_flowlabels").write_text("1")
    with (
        network.client(6) as client,
        network.peer_socket(6) as peer,
        Sniffer(network.home) as home,
        Sniffer(network.peer) as away,
    ):
        peer_port, client_port = peer.getsockname()[1], client.socket.getsockname()[1]
        client.send((PEER[6], peer_port), b"up")
        assert peer.recv(100) == b"up"
        peer.sendto(b"down", client.relayed[:2])
        assert client.receive().data == b"down"
        at_home, at_peer = home.outgoing(6), away.outgoing(6)

        def labels(packets: list[Packet], ports: tuple[int, int]) -> set[int]:
            return {packet.flow_label for packet in packets if packet.ports == ports}

        relayed_port = client.relayed[1]
        from_client = labels(at_home, (client_port, network.relay.port))
        from_peer = labels(at_peer, (peer_port, relayed_port))
        up, down = labels(at_home, (relayed_port, peer_port)), labels(at_home, (network.relay.port, client_port))
        assert from_client and from_peer and 0 not in from_client | from_peer, "labels that could be copied"
        assert up and down and not (up & from_client) and not (down & from_peer)


def test_dont_fragment_sets_df_for_its_datagram_alone_and_keeps_the_order(network: Network) -> None:
    with network.client(4) as client, network.peer_socket(4) as peer, Sniffer(network.home) as sniffer:
        target = (PEER[4], peer.getsockname()[1])
        client.bind_channel(0x4000, target)
        for number in range(40):
            if number % 5 == 0:
                client.send_channel(0x4000, bytes([number]))
            else:
                client.send(target, bytes([number]), *([DF] if number % 3 == 0 else []))
        assert [peer.recv(100) for _ in range(40)] == [bytes([number]) for number in range(40)]
        seen = [packet for packet in sniffer.outgoing(4) if packet.ports == (client.relayed[1], target[1])]
        assert [packet.payload[0] for packet in seen] == list(range(40))
        assert [packet.dont_fragment for packet in seen] == [n % 3 == 0 and n % 5 != 0 for n in range(40)]


LARGE = bytes(range(250)) * 8


@both_families
def test_a_datagram_too_large_for_the_interface_is_fragmented(network: Network, version: int) -> None:
    with network.client(version) as client:
        assert_leaves_in_fragments(network, client, version)


def test_a_datagram_too_large_for_the_interface_is_dropped_with_dont_fragment(network: Network) -> None:
    with network.client(4) as client, network.peer_socket(4) as peer:
        target = (PEER[4], peer.getsockname()[1])
        client.send(target, LARGE, DF)
        client.send(target, b"behind it")
        assert peer.recv(65536) == b"behind it", "dropped without harm to what comes behind"


@pytest.mark.parametrize("own_version, version", [(4, 6), (6, 4), (6, 6)])
def test_dont_fragment_is_ignored_between_families_and_over_ipv6(
    network: Network, own_version: int, version: int
) -> None:
    with network.client(version, own_version) as client:
        assert_leaves_in_fragments(network, client, version, DF)


def assert_leaves_in_fragments(network: Network, client: TurnClient, version: int, *extra: tuple[int, bytes]) -> None:
    with network.peer_socket(version) as peer, Sniffer(network.home) as sniffer:
        target = (PEER[version], peer.getsockname()[1])
        # Over IPv6 the path's own limit is learned from what is lost to it.
        peer.settimeout(1)
        received = b""
        for _ in range(5):
            client.send(target, LARGE, *extra)
            with suppress(TimeoutError):
                received = peer.recv(65536)
                break
        assert received == LARGE
        fragments = [packet for packet in sniffer.outgoing(version) if packet.is_fragment]
        assert fragments and not any(packet.dont_fragment for packet in fragments)


@both_families
def test_a_datagram_too_large_for_the_path_is_reported_to_the_client(network: Network, version: int) -> None:
    payload = bytes(1400)
    with network.client(version) as client, network.peer_socket(version, FRESH_PEER) as peer:
        target = (FRESH_PEER[version], peer.getsockname()[1])
        kind, code = {4: (3, 4), 6: (2, 0)}[version]
        # Over IPv6 no router cuts a datagram, whatever its sender asks for; over IPv4 a path that is known to be narrow
        # changes nothing: whoever asks for one piece is told again.
        for _ in range({4: 2, 6: 1}[version]):
            client.send(target, payload, DF)
            assert client.receive_icmp() == ICMPReport(target, kind, code, NARROW_MTU)
        client.send(target, payload)
        assert peer.recv(65536) == payload
        assert client.icmp == []


@both_families
def test_a_closed_port_is_reported_to_the_client_and_to_no_other(network: Network, version: int) -> None:
    with network.client(version) as client, network.client(version) as other:
        with network.peer_socket(version) as gone:
            target = (PEER[version], gone.getsockname()[1])
        client.send(target, b"anybody?")
        assert client.receive_icmp() == ICMPReport(target, *{4: (3, 3), 6: (1, 4)}[version], 0)
        with pytest.raises(TimeoutError):
            other.receive_icmp(0.5)


def test_an_unpermitted_peer_and_forged_errors_are_not_reported(network: Network) -> None:
    with network.client(4) as client:
        relayed_port = client.relayed[1]
        forger = network.peer.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        with forger:
            for peer, source_port, is_told in [
                ("10.77.2.9", relayed_port, False),  # no permission
                (PEER[4], relayed_port ^ 1, False),  # no such relay
                (PEER[4], relayed_port, True),
            ]:
                forger.sendto(unreachable(RELAY[4], source_port, peer, 4444), (RELAY[4], 0))
                if is_told:
                    assert client.receive_icmp() == ICMPReport((peer, 4444), 3, 1, 0)
                else:
                    with pytest.raises(TimeoutError):
                        client.receive_icmp(0.5)


def test_a_flood_of_errors_does_not_become_one_towards_the_client(network: Network) -> None:
    with network.client(4) as client, network.peer_socket(4) as peer:
        forger = network.peer.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
        error = unreachable(RELAY[4], client.relayed[1], PEER[4], 4444)
        began = time.monotonic()
        with forger:
            for _ in range(5000):
                forger.sendto(error, (RELAY[4], 0))
        client.send((PEER[4], peer.getsockname()[1]), b"still there")
        assert peer.recv(100) == b"still there"
        told = 0
        try:
            while client.receive_icmp(0.5):
                told += 1
        except TimeoutError:
            pass
        seconds = time.monotonic() - began
        assert 1 <= told <= 20 * (seconds + 2), f"{told} in {seconds} s"


def test_a_forged_report_of_a_narrow_path_cuts_nothing_to_pieces(network: Network) -> None:
    """Over IPv4, where routers cut what they must: the client hears of it, and the relay goes on as before."""
    payload = bytes(1000)
    with network.client(4) as client, network.peer_socket(4) as peer, Sniffer(network.home) as sniffer:
        target = (PEER[4], peer.getsockname()[1])
        with network.peer.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP) as forger:
            forger.sendto(unreachable(RELAY[4], client.relayed[1], *target, code=4, mtu=600), (RELAY[4], 0))
        assert client.receive_icmp() == ICMPReport(target, 3, 4, 600)
        client.send(target, payload)
        assert peer.recv(65536) == payload
        sent = [packet for packet in sniffer.outgoing(4) if packet.ports == (client.relayed[1], target[1])]
        assert [len(packet.payload) for packet in sent] == [len(payload)], "in one piece"


def unreachable(source: str, source_port: int, peer: str, peer_port: int, code: int = 1, mtu: int = 0) -> bytes:
    """An error of "host unreachable", or of another code, quoting a UDP datagram from `source` to `peer`."""
    quoted = struct.pack("!BBHHHBBH", 0x45, 0, 28, 0, 0, 64, 17, 0) + socket.inet_aton(source) + socket.inet_aton(peer)
    quoted += struct.pack("!HHHH", source_port, peer_port, 8, 0)
    total = sum(struct.unpack(f"!{len(quoted) // 2}H", quoted)) + (3 << 8 | code) + mtu
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return struct.pack("!BBHI", 3, code, ~total & 0xFFFF, mtu) + quoted


def test_without_the_privilege_the_relay_says_what_is_lost_and_serves(tmp_path: Path) -> None:
    require_namespaces()
    home = Namespace()
    try:
        with home.entered():
            relay = RelayProcess(
                tmp_path, ["127.0.0.1"], prefix=["setpriv", "--bounding-set", "-net_raw", "--inh-caps", "-net_raw"]
            )
            try:
                lines = [line for line in relay.log.splitlines() if "CAP_NET_RAW" in line]
                assert len(lines) == 1, relay.log
                assert "setcap cap_net_raw+ep" in lines[0] and "AmbientCapabilities" in lines[0]
                with relay.client() as client:
                    client.allocate()
            finally:
                relay.stop()
    finally:
        home.close()

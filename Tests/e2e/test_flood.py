"""100,000 datagrams at the live relay, from many addresses, random ones and well formed ones: all as before."""

import random
import select
import socket
import struct
import time
from collections.abc import Callable
from contextlib import ExitStack

import pytest

import stun_message as stun
from relay_under_load import Call
from running_server import RunningServer
from turn_client import TurnClient, time_limited_credential

pytestmark = pytest.mark.alone

DATAGRAMS, SOURCES, WARM_UP = 100_000, 250, 20_000
# Then every shard is asked whether it is still there: so much fits into its receive buffer, also where the system grants
# no more than Linux does by default.
BATCH = 200
PROBES = 32  # clients whose addresses the kernel spreads over the shards
RESIDENT_GROWTH_LIMIT = 6 * 1024 * 1024  # what the allocator may keep; a leak of 64 bytes a datagram would show
SEED = 8656

METHODS = [
    stun.BINDING, stun.ALLOCATE, stun.REFRESH, stun.SEND, stun.DATA, stun.CREATE_PERMISSION, stun.CHANNEL_BIND, 0xFFF,
]  # fmt: skip
ATTRIBUTES = [
    0x0001, 0x0006, 0x0008, 0x0009, 0x000A, 0x000C, 0x000D, 0x0012, 0x0013, 0x0014, 0x0015, 0x0016, 0x0017, 0x0018,
    0x0019, 0x001A, 0x001C, 0x001D, 0x001E, 0x0020, 0x0022, 0x7FFF, 0x8000, 0x8001, 0x8002, 0x8003, 0x8022, 0x8028,
    0xFFFF,
]  # fmt: skip


class Garbage:
    """A stream of datagrams from pure noise to messages that are wrong in a single bit."""

    def __init__(self, seed: int):
        self.random = random.Random(seed)

    def datagram(self) -> bytes:
        kind = self.random.randrange(8)
        if kind == 0:
            return self.random.randbytes(self.random.choice((0, 1, 3, 4, 19, 20, 21, 100, 548, 1400)))
        if kind == 1:
            number, length = self.random.randrange(0x4000, 0x8000), self.random.choice((0, 1, 4, 9, 0xFFFF))
            return number.to_bytes(2) + length.to_bytes(2) + self.random.randbytes(self.random.randrange(12))
        message = bytearray(self.message())
        if kind in (2, 3):
            for _ in range(self.random.randint(1, 8)):
                message[self.random.randrange(len(message))] ^= 1 << self.random.randrange(8)
        elif kind == 4:
            del message[self.random.randrange(len(message)) :]
        elif kind == 5:
            message[2:4] = self.random.choice((0, 1, 4, 0x7FFC, 0xFFFC, 0xFFFF, len(message))).to_bytes(2)
        elif kind == 6:
            message += self.random.randbytes(self.random.randint(1, 9))
        return bytes(message)

    def message(self) -> bytes:
        attributes = [
            (self.random.choice(ATTRIBUTES), self.random.randbytes(self.random.choice((0, 1, 2, 4, 8, 20, 32, 600))))
            for _ in range(self.random.choice((0, 1, 2, 3, 6, 12)))
        ]
        return stun.encode(
            self.random.choice(METHODS),
            self.random.choice((0, 0, 0, 1, 2, 3)),
            attributes,
            key=self.random.choice((None, None, b"wrong key")),
            transaction_id=self.random.randbytes(12),
            fingerprint=self.random.random() < 0.5,
        )


def open_sources(stack: ExitStack, relay: tuple[str, int], rng: random.Random) -> list[socket.socket]:
    sources = []
    for _ in range(SOURCES):
        source = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        source.bind((f"127.{rng.randrange(256)}.{rng.randrange(256)}.{rng.randrange(1, 255)}", 0))
        source.connect(relay)
        source.setblocking(False)
        sources.append(source)
    return sources


def check_answers(sources: list[socket.socket]) -> int:
    """Whatever comes back is a whole STUN answer; a relay that spoke anything else would be an amplifier of noise."""
    count = 0
    while ready := select.select(sources, [], [], 0)[0]:
        for source in ready:
            answer = stun.decode(source.recv(65536))
            assert answer.message_class in (stun.SUCCESS, stun.ERROR)
            assert answer.message_class == stun.ERROR or answer.method == stun.BINDING
            count += 1
    return count


def probe_shards(stack: ExitStack, server: RunningServer) -> Callable[[], None]:
    """A function that returns when all shards have dealt with what was sent to them so far."""
    probes = [stack.enter_context(client(server, "probe")) for _ in range(PROBES)]

    def probe() -> None:
        for one in probes:
            one.binding()

    return probe


def client(server: RunningServer, name: str) -> TurnClient:
    return TurnClient(("127.0.0.1", server.turn_port), *time_limited_credential(server.turn_secret, name))


def connected_pair(stack: ExitStack, server: RunningServer) -> tuple[TurnClient, TurnClient]:
    a, b = (stack.enter_context(client(server, name)) for name in ("alice", "bob"))
    a.allocate(), b.allocate()
    a.bind_channel(0x4000, b.relayed), b.bind_channel(0x4001, a.relayed)
    return a, b


def assert_relays(a: TurnClient, b: TurnClient) -> None:
    a.send_channel(0x4000, b"still here")
    assert b.receive().data == b"still here"
    b.send_channel(0x4001, b"here too")
    assert a.receive().data == b"here too"


def test_a_flood_from_many_addresses_changes_nothing(start_server) -> None:
    server = start_server(LOG_LEVEL="info")
    print(f"seed {SEED}")
    garbage = Garbage(SEED)
    with ExitStack() as stack:
        a, b = connected_pair(stack, server)
        sources = open_sources(stack, ("127.0.0.1", server.turn_port), garbage.random)
        probe = probe_shards(stack, server)
        answers = 0

        def throw(count: int) -> None:
            nonlocal answers
            for index in range(count):
                garbage.random.choice(sources).send(garbage.datagram())
                if index % BATCH == BATCH - 1:
                    probe()
                    answers += check_answers(sources)

        throw(WARM_UP)
        resident, sockets = server.resident_bytes, server.sockets
        throw(DATAGRAMS)
        grown = server.resident_bytes - resident
        print(f"{answers} answers, resident memory {resident} B, grown by {grown} B, {len(sockets)} sockets")
        assert answers > DATAGRAMS // 100, "a good part of it is well formed enough to deserve an answer"
        assert grown <= RESIDENT_GROWTH_LIMIT
        assert not server.sockets - sockets, "garbage opens nothing"
        assert_relays(a, b)
        with client(server, "carol") as newcomer:
            newcomer.allocate()


class Strangers:
    """Allocates of people without a credential: none at all, a made-up one, and one for a nonce that the relay gave."""

    PREPARED = 2000

    def __init__(self, seed: int, relay: tuple[str, int], nonce: bytes):
        self.random = random.Random(seed)
        self.requests = [self.request(nonce) for _ in range(self.PREPARED)]

    def request(self, nonce: bytes) -> bytes:
        attributes = [(stun.REQUESTED_TRANSPORT, bytes([stun.UDP, 0, 0, 0]))]
        if self.random.random() < 0.3:
            attributes.append((stun.LIFETIME, struct.pack("!I", self.random.randrange(1 << 32))))
        if self.random.random() < 0.2:
            attributes.append((stun.EVEN_PORT, bytes([self.random.choice((0, 0x80))])))
        if self.random.random() < 0.2:
            attributes.append((stun.REQUESTED_ADDRESS_FAMILY, bytes([self.random.choice((1, 2)), 0, 0, 0])))
        key = None
        if (kind := self.random.randrange(3)) > 0:
            name = f"{self.random.randrange(1 << 32)}:nobody-{self.random.randrange(1000)}".encode()
            given = nonce if kind == 1 else self.random.randbytes(len(nonce))
            attributes += [(stun.USERNAME, name), (stun.REALM, b"callrelay"), (stun.NONCE, given)]
            key = self.random.randbytes(16)
        return stun.encode(
            stun.ALLOCATE,
            stun.REQUEST,
            attributes,
            key=key,
            transaction_id=self.random.randbytes(12),
            fingerprint=self.random.random() < 0.5,
        )


# Answered within a budget for each source, as on the open internet, and every one of them, as in dev mode.
@pytest.mark.parametrize("replies", [5, 0])
def test_unauthenticated_allocates_from_many_addresses_change_nothing(start_server, replies: int) -> None:
    server = start_server(LOG_LEVEL="info", TURN_UNAUTH_REPLIES=str(replies))
    print(f"seed {SEED + 2}")
    relay = ("127.0.0.1", server.turn_port)
    with ExitStack() as stack:
        call = Call(stack, server, 0)
        a, b = connected_pair(stack, server)
        strangers = Strangers(SEED + 2, relay, call.client.nonce)
        sources = open_sources(stack, relay, strangers.random)
        probe = probe_shards(stack, server)
        answers, began = 0, time.monotonic()

        def throw(count: int) -> None:
            nonlocal answers
            for index in range(count):
                strangers.random.choice(sources).send(strangers.random.choice(strangers.requests))
                if index % BATCH == BATCH - 1:
                    probe()
                    answers += check_answers(sources)
                if index % 50 == 0:
                    call.talk()

        throw(WARM_UP)
        resident, sockets = server.resident_bytes, server.sockets
        throw(DATAGRAMS)
        seconds = time.monotonic() - began
        grown = server.resident_bytes - resident
        print(f"{answers} answers in {seconds:.1f} s, resident memory {resident} B, grown by {grown} B")
        if replies == 0:
            assert answers == DATAGRAMS + WARM_UP, "each is told what it lacks"
        else:
            # Ten seconds' worth at once, shared by the shards, and then what comes in with time.
            assert SOURCES < answers <= SOURCES * replies * (10 + seconds + 1), "each source is told for a while"
        assert grown <= RESIDENT_GROWTH_LIMIT
        assert not server.sockets - sockets, "strangers open nothing"
        assert call.sent == (DATAGRAMS + WARM_UP) // 50
        assert call.lost() == (0, 0), "a call meanwhile hears and is heard in full"
        assert_relays(a, b)
        with client(server, "carol") as newcomer:
            newcomer.allocate()


def test_a_client_with_an_allocation_throws_garbage_at_it(server: RunningServer) -> None:
    """The same from an authenticated 5-tuple, where requests get further, and from its peer."""
    print(f"seed {SEED + 1}")
    garbage = Garbage(SEED + 1)
    with ExitStack() as stack:
        a, b = connected_pair(stack, server)
        loud, _ = connected_pair(stack, server)
        probe = probe_shards(stack, server)
        sockets = server.sockets
        for index in range(20_000):
            datagram = garbage.datagram()
            if index % 3 == 0:
                # Well authenticated, wrong inside.
                method = garbage.random.choice(METHODS[1:])
                loud.socket.send(loud.encode_request(method, [(garbage.random.choice(ATTRIBUTES), datagram[:64])]))
            else:
                loud.socket.send(datagram)
            if index % BATCH == 0:
                probe()
                while select.select([loud.socket], [], [], 0)[0]:
                    loud.socket.recv(65536)
        assert not server.sockets - sockets, "garbage opens nothing"
        assert_relays(a, b)

"""Measures what the calls of a relay's shard lose while somebody floods that shard.

    relay_under_load.py [--rate 100000] [--seconds 10] [--clients 20] [--json]

One shard, so that nobody is out of the flood's way. The calls are paced like voice, in both directions through the relay,
and every packet is counted at its far end. The floods:

    none    nothing, to see what the machine itself loses
    peer    an unpermitted peer throws datagrams at the relay port of an allocation that none of the calls belongs to
    client  an authenticated client sends ChannelData as fast as it is told, to a peer that does not read
    server  somebody without a credential throws Allocates at the server's own port
"""

import argparse
import json
import os
import socket
import struct
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, contextmanager
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import stun_message as stun
from running_server import REPOSITORY, RunningServer
from turn_client import TurnClient, time_limited_credential

CHANNEL, LOUD_CHANNEL = 0x4000, 0x4001
VOICE_BYTES = 160
PACKETS_PER_SECOND = 50
# So many packets wait to be read at most: a receive buffer has room for them whatever the system grants.
UNREAD = 100
FLOODS = ("none", "peer", "client", "server")


@dataclass(frozen=True)
class Outcome:
    """What was thrown at the relay, and what came of the calls meanwhile."""

    flood: str
    thrown: int
    thrown_per_second: float
    quietest_second: int
    sent: int
    lost_to_peers: int
    lost_to_clients: int
    # Of the time, what the shard ran, and what it was ready to run but others had the processor.
    running: float
    waiting: float

    @property
    def loss(self) -> float:
        return (self.lost_to_peers + self.lost_to_clients) / self.sent


def build_generator(directory: Path) -> Path:
    program = directory / "packet_flood"
    source = REPOSITORY / "Tests/PacketFlood/packet_flood.c"
    compiler = os.environ.get("CC", "clang")
    subprocess.run([compiler, "-O2", "-Wall", "-Wextra", "-Werror", "-o", program, source], check=True)
    return program


class Call:
    """One client and one peer that talk to each other at the pace of voice. The packets are numbered."""

    def __init__(self, stack: ExitStack, server: RunningServer, number: int):
        credential = time_limited_credential(server.turn_secret, f"call-{number}")
        self.client = stack.enter_context(TurnClient(("127.0.0.1", server.turn_port), *credential))
        self.peer = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        self.peer.bind(("127.0.0.1", 0))
        for end in (self.client.socket, self.peer):
            # Read seldom, and yet nothing may be lost here but what was never brought.
            end.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.client.allocate()
        self.client.bind_channel(CHANNEL, self.peer.getsockname())
        self.peer.connect(self.client.relayed)
        self.sent = 0
        self.at_peer: set[int] = set()
        self.at_client: set[int] = set()

    def talk(self) -> None:
        payload = struct.pack("!I", self.sent) + bytes(VOICE_BYTES - 4)
        self.client.send_channel(CHANNEL, payload)
        self.peer.send(payload)
        self.sent += 1
        if self.sent % UNREAD == 0:
            self._hear()

    def lost(self) -> tuple[int, int]:
        """Packets that did not come to the peer, and to the client."""
        self._hear()
        return self.sent - len(self.at_peer), self.sent - len(self.at_client)

    def _hear(self) -> None:
        self.at_peer |= self._numbers(self.peer, b"")
        self.at_client |= self._numbers(self.client.socket, struct.pack("!HH", CHANNEL, VOICE_BYTES))

    @staticmethod
    def _numbers(end: socket.socket, header: bytes) -> set[int]:
        numbers = set()
        while True:
            try:
                datagram = end.recv(2048, socket.MSG_DONTWAIT)
            except BlockingIOError:
                return numbers
            if datagram.startswith(header) and len(datagram) == len(header) + VOICE_BYTES:
                numbers.add(struct.unpack_from("!I", datagram, len(header))[0])


@contextmanager
def loud_socket(server: RunningServer, flood: str) -> Iterator[tuple[socket.socket, int, bytes]]:
    """A connected socket to throw from, the size of what is thrown, and how it begins."""
    with ExitStack() as stack:
        thrower = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        if flood == "server":
            thrower.connect(("127.0.0.1", server.turn_port))
            request = stun.encode(stun.ALLOCATE, stun.REQUEST, [(stun.REQUESTED_TRANSPORT, bytes([17, 0, 0, 0]))])
            yield thrower, len(request), request
            return
        credential = time_limited_credential(server.turn_secret, "loud")
        victim = stack.enter_context(TurnClient(("127.0.0.1", server.turn_port), *credential))
        victim.allocate()
        if flood == "peer":
            thrower.connect(victim.relayed)
            yield thrower, VOICE_BYTES, b""
        else:
            sink = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            sink.bind(("127.0.0.1", 0))
            victim.bind_channel(LOUD_CHANNEL, sink.getsockname())
            yield victim.socket, 4 + VOICE_BYTES, struct.pack("!HH", LOUD_CHANNEL, VOICE_BYTES)


def measure(
    server: RunningServer, generator: Path, flood: str, *, rate: int, seconds: int, clients: int
) -> Outcome:
    """Runs the calls for some seconds, the flood within them."""
    processors = sorted(os.sched_getaffinity(0))
    with ExitStack() as stack:
        calls = [Call(stack, server, number) for number in range(clients)]
        process = None
        if flood != "none":
            thrower, size, head = stack.enter_context(loud_socket(server, flood))
            descriptor = str(thrower.fileno())
            # The shard is pinned to the first processor; whoever floods is to overload the shard, not that.
            command = [generator, descriptor, str(rate), str(seconds), str(size), head.hex(), str(processors[-1])]
            process = subprocess.Popen(
                command, pass_fds=[thrower.fileno()], stdout=subprocess.PIPE, text=True
            )
            assert process.stdout.readline().startswith("begins")
        before, begin = processor_seconds(server), time.monotonic()
        pace(calls, seconds)
        elapsed = time.monotonic() - begin
        running, waiting = (
            (later - earlier) / elapsed for earlier, later in zip(before, processor_seconds(server), strict=True)
        )
        time.sleep(0.5)  # what is still on its way
        losses = [call.lost() for call in calls]
        thrown, nanoseconds, _, quietest = 0, 1, 0, 0
        if process is not None:
            thrown, nanoseconds, _, quietest = map(int, process.communicate(timeout=60)[0].split())
            assert process.returncode == 0
        return Outcome(
            flood=flood,
            thrown=thrown,
            thrown_per_second=thrown * 1e9 / nanoseconds,
            quietest_second=quietest,
            sent=2 * sum(call.sent for call in calls),
            lost_to_peers=sum(loss[0] for loss in losses),
            lost_to_clients=sum(loss[1] for loss in losses),
            running=running,
            waiting=waiting,
        )


def pace(calls: list[Call], seconds: float) -> None:
    """Lets every call talk `PACKETS_PER_SECOND` times a second, spread over the interval."""
    begin, talks = time.monotonic(), int(seconds * PACKETS_PER_SECOND) * len(calls)
    for number in range(talks):
        due = begin + number / (PACKETS_PER_SECOND * len(calls))
        if (wait := due - time.monotonic()) > 0:
            time.sleep(wait)
        calls[number % len(calls)].talk()


def processor_seconds(server: RunningServer) -> tuple[float, float]:
    """Seconds that the shard's thread has run, and that it was kept waiting for a processor."""
    for task in Path(f"/proc/{server.process.pid}/task").iterdir():
        if (task / "comm").read_text().startswith("turn-shard"):
            ran, waited, _ = map(int, (task / "schedstat").read_text().split())
            return ran / 1e9, waited / 1e9
    raise RuntimeError("no thread is named turn-shard-*")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--rate", type=int, default=100_000, help="datagrams a second that are thrown")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("floods", nargs="*", default=list(FLOODS), metavar="FLOOD", help=" ".join(FLOODS))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as directory:
        generator = build_generator(Path(directory))
        settings = {"TURN_WORKERS": "1", "TURN_UNAUTH_REPLIES": "50", "LOG_LEVEL": "info"}
        server = RunningServer(Path(directory) / "server", settings).start()
        try:
            for flood in arguments.floods:
                outcome = measure(
                    server, generator, flood, rate=arguments.rate, seconds=arguments.seconds, clients=arguments.clients
                )
                if arguments.json:
                    print(json.dumps(asdict(outcome) | {"loss": outcome.loss}))
                else:
                    print(
                        f"{outcome.flood:7} {outcome.thrown_per_second:9,.0f}/s thrown (quietest second "
                        f"{outcome.quietest_second:9,}), shard {outcome.running:5.1%} busy and {outcome.waiting:5.1%} kept "
                        f"waiting; of {outcome.sent:,} packets lost: {outcome.lost_to_peers} to peers, "
                        f"{outcome.lost_to_clients} to clients, {outcome.loss:.3%}"
                    )
                sys.stdout.flush()
        finally:
            server.stop()


if __name__ == "__main__":
    main()

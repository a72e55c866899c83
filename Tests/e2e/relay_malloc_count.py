"""Counts what the relay's shard threads allocate while they relay: nothing.

    relay_malloc_count.py --counter alloc_counter.so [--packets 100000] -- COMMAND...

Starts COMMAND with a configuration of its own (environment variables, an empty working directory), relays packets over
real sockets in both directions, through channels and through Send and Data indications, and compares the allocation
counts of the threads named turn-shard-*. Fails if a packet is lost or changed, if anything was allocated per packet, or
if the counter proves blind: allocating, permitting and binding channels must show.
"""

import argparse
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

import stun_message as stun
from ports import free_port
from turn_client import TurnClient

CHANNEL = 0x4001
WINDOW = 32
CLIENTS = 8
# The shards look for expired allocations once a second.
SWEEPS_SECONDS = 2.5


class Counter:
    """Reads the allocation counts that the preloaded library writes."""

    def __init__(self, path, process):
        self.path, self.process = path, process

    def of_shards(self):
        """Allocations of all shard threads so far."""
        return sum(self.by_shard().values())

    def by_shard(self):
        with open(self.path, "rb") as file:
            table = file.read()
        counts = {}
        for thread, allocations, _, _ in struct.iter_unpack("=QQQQ", table):
            if thread == 0:
                continue
            try:
                with open(f"/proc/{self.process}/task/{thread}/comm", encoding="ascii") as file:
                    name = file.read().strip()
            except FileNotFoundError:
                continue
            if name.startswith("turn-shard"):
                counts[name] = counts.get(name, 0) + allocations
        return counts


def wait_until_serving(server, process):
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode} before it served")
        try:
            TurnClient(server, "", "", timeout_seconds=0.2).binding()
            return
        except (TimeoutError, ConnectionRefusedError):
            time.sleep(0.05)
    sys.exit("the server answers no Binding request")


def bound_socket():
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.bind(("127.0.0.1", 0))
    one.settimeout(5)
    return one


class Path:
    """One client and one peer, and the four ways a payload takes between them."""

    def __init__(self, server, user, password):
        self.channel_peer, self.plain_peer = bound_socket(), bound_socket()
        self.plain_address = self.plain_peer.getsockname()
        self.client = TurnClient(server, user, password)
        self.client.allocate()
        self.client.create_permission(self.plain_address)
        self.client.bind_channel(CHANNEL, self.channel_peer.getsockname())

    def relay(self, count):
        """Relays `count` packets, a quarter each way; checks every one of them."""
        ways = (self.channel_up, self.channel_down, self.send_up, self.data_down)
        done = 0
        while done < count:
            window = min(WINDOW, count - done)
            payloads = [payload(done + index) for index in range(window)]
            for sent, received in zip(payloads, ways[(done // WINDOW) % 4](payloads), strict=True):
                if sent != received:
                    sys.exit("a packet was lost, changed or came out of order")
            done += window

    def channel_up(self, payloads):
        for one in payloads:
            self.client.send_channel(CHANNEL, one)
        return [self.channel_peer.recv(65536) for _ in payloads]

    def channel_down(self, payloads):
        for one in payloads:
            self.channel_peer.sendto(one, self.client.relayed)
        return [self.client.receive().data for _ in payloads]

    def send_up(self, payloads):
        for number, one in enumerate(payloads):
            extra = [(stun.DONT_FRAGMENT, b"")] if number % 4 == 1 else []
            self.client.send(self.plain_address, one, *extra, fingerprint=number % 4 == 2)
        return [self.plain_peer.recv(65536) for _ in payloads]

    def data_down(self, payloads):
        for one in payloads:
            self.plain_peer.sendto(one, self.client.relayed)
        return [self.client.receive().data for _ in payloads]


def payload(number):
    """Bytes that are different for each number, of sizes from 1 to 1200."""
    return (struct.pack("!I", number) * 300)[: 1 + number * 37 % 1200]


def measure(arguments, process, counts, server):
    counter = Counter(counts, process.pid)
    wait_until_serving(server, process)
    before = counter.of_shards()
    paths = [Path(server, "counted", "counted-password") for _ in range(CLIENTS)]
    control = counter.of_shards() - before
    print(f"control messages of {CLIENTS} clients: {control} allocations on shard threads")
    if control == 0:
        sys.exit("the counter saw no allocation where there must be some: it is blind")
    for path in paths:
        path.relay(4 * WINDOW)
    # What happens once in a process's life, the first sweep of the allocations among it, is no packet's doing.
    time.sleep(SWEEPS_SECONDS)
    start, begin = counter.by_shard(), time.monotonic()
    for path in paths:
        path.relay(arguments.packets // CLIENTS)
    seconds = time.monotonic() - begin
    time.sleep(SWEEPS_SECONDS)
    end = counter.by_shard()
    allocated = {name: end[name] - start[name] for name in start}
    print(f"{arguments.packets} packets relayed in {seconds:.1f} s, none lost; allocations: {allocated}")
    if not allocated:
        sys.exit("no thread is named turn-shard-*")
    if any(allocated.values()):
        sys.exit("the packet path allocates")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--counter", required=True, help="the compiled alloc_counter.c")
    parser.add_argument("--packets", type=int, default=100_000)
    parser.add_argument("command", nargs="+")
    arguments = parser.parse_args()
    port = free_port(socket.SOCK_DGRAM)
    with tempfile.TemporaryDirectory() as directory:
        counts = os.path.join(directory, "counts")
        environment = dict(
            os.environ,
            ALLOC_COUNTER_FILE=counts,
            LD_PRELOAD=os.path.abspath(arguments.counter),
            TURN_LISTEN="127.0.0.1",
            TURN_PORT=str(port),
            TURN_STATIC_USERS="counted:counted-password",
            HTTP_PORT=str(free_port(socket.SOCK_STREAM)),
            DATABASE_URL=f"sqlite:{directory}/calls.db",
        )
        command = [os.path.abspath(arguments.command[0]), *arguments.command[1:]]
        # The process lives only as long as the measurement, so its output belongs to ours.
        process = subprocess.Popen(command, env=environment, cwd=directory, stdout=sys.stderr)
        try:
            measure(arguments, process, counts, ("127.0.0.1", port))
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    print("0 allocations on the packet path")


if __name__ == "__main__":
    main()

"""Where server and generator stand: both on loopback, or each in a network namespace with a virtual cable between."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

# RFC 2544 gives 198.18.0.0/15 to measurements.
SERVER_ADDRESS, CLIENT_ADDRESS = "198.18.0.1", "198.18.0.2"


class NoNetwork(Exception):
    """This machine does not let the network be made."""


@dataclass(frozen=True)
class Network:
    """The prefixes are what a command is put behind to run there."""

    description: str
    server_address: str
    client_address: str
    server_prefix: tuple[str, ...] = ()
    client_prefix: tuple[str, ...] = ()

    @property
    def is_loopback(self) -> bool:
        return self.server_address.startswith("127.")


@contextmanager
def network(name: str) -> Iterator[Network]:
    """`loopback`, or `veth-` and an MTU."""
    if name == "loopback":
        yield Network("loopback", "127.0.0.1", "127.0.0.1")
        return
    with _veth(int(name.removeprefix("veth-"))) as made:
        yield made


@contextmanager
def _veth(mtu: int) -> Iterator[Network]:
    # Named after this process: two benchmarks do not take each other's networks down.
    server, client = (f"bench-{end}-{os.getpid()}" for end in ("server", "client"))
    with ExitStack() as stack:
        for namespace in (server, client):
            _ip("netns", "add", namespace)
            stack.callback(subprocess.run, ["ip", "netns", "del", namespace], capture_output=True)
        _ip("link", "add", "bench0", "netns", server, "type", "veth", "peer", "name", "bench0", "netns", client)
        joins = True
        for namespace, address in ((server, SERVER_ADDRESS), (client, CLIENT_ADDRESS)):
            _ip("-n", namespace, "link", "set", "lo", "up")
            _ip("-n", namespace, "address", "add", f"{address}/30", "dev", "bench0")
            _ip("-n", namespace, "link", "set", "bench0", "mtu", str(mtu), "up")
            joins = _switch_gro_on(namespace) and joins
        yield Network(
            f"veth, MTU {mtu}, GRO {'on' if joins else 'as the kernel has it'}",
            SERVER_ADDRESS,
            CLIENT_ADDRESS,
            ("ip", "netns", "exec", server),
            ("ip", "netns", "exec", client),
        )


def _switch_gro_on(namespace: str) -> bool:
    if shutil.which("ethtool") is None:
        return False
    command = ["ip", "netns", "exec", namespace, "ethtool", "-K", "bench0", "gro", "on"]
    return subprocess.run(command, capture_output=True).returncode == 0


def _ip(*arguments: str) -> None:
    try:
        done = subprocess.run(["ip", *arguments], capture_output=True, text=True)
    except FileNotFoundError as error:
        raise NoNetwork("needs the program ip") from error
    if done.returncode != 0:
        raise NoNetwork(f"ip {' '.join(arguments)}: {done.stderr.strip()}")

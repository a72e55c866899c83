"""Small networks inside this machine: network namespaces joined by virtual cables. Needs root."""

import ctypes
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

CLONE_NEWNET = 0x40000000
CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN = 12, 13, 21
_libc = ctypes.CDLL(None, use_errno=True)


def has_capability(number: int) -> bool:
    with open("/proc/self/status", encoding="ascii") as status:
        effective = next(line for line in status if line.startswith("CapEff:"))
    return int(effective.split()[1], 16) >> number & 1 == 1


def require_namespaces() -> None:
    """Skips the test, with the reason, where this process may not make networks of its own."""
    if not all(map(has_capability, (CAP_NET_ADMIN, CAP_NET_RAW, CAP_SYS_ADMIN))):
        pytest.skip("needs CAP_NET_ADMIN, CAP_NET_RAW and CAP_SYS_ADMIN (root) to make a network of its own")
    for program in ("ip", "unshare", "nsenter"):
        if shutil.which(program) is None:
            pytest.skip(f"needs the program {program!r}")
    if subprocess.run(["unshare", "--net", "true"], capture_output=True).returncode != 0:
        pytest.skip("this system makes no network namespaces")


class Namespace:
    """A network of its own, as long as `close` has not been called."""

    def __init__(self):
        self._keeper = subprocess.Popen(
            ["unshare", "--net", "sh", "-c", "echo ready; exec sleep infinity"], stdout=subprocess.PIPE, text=True
        )
        assert self._keeper.stdout.readline() == "ready\n"
        self.ip("link", "set", "lo", "up")

    @property
    def pid(self) -> int:
        return self._keeper.pid

    def run(self, *command: str) -> None:
        done = subprocess.run(["nsenter", "-t", str(self.pid), "-n", *command], capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr}"

    def ip(self, *arguments: str) -> None:
        self.run("ip", *arguments)

    def forward(self) -> None:
        """Makes it a router for both families."""
        for setting in ("net/ipv4/ip_forward", "net/ipv6/conf/all/forwarding"):
            self.run("sh", "-c", f"echo 1 >/proc/sys/{setting}")

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread's sockets and child processes belong to the namespace; sockets keep to it afterwards."""
        with open("/proc/thread-self/ns/net", "rb") as home, open(f"/proc/{self.pid}/ns/net", "rb") as there:
            _set_namespace(there.fileno())
            try:
                yield
            finally:
                _set_namespace(home.fileno())

    def socket(self, family: int, kind: int, protocol: int = 0) -> socket.socket:
        with self.entered():
            return socket.socket(family, kind, protocol)

    def close(self) -> None:
        self._keeper.kill()
        self._keeper.wait()
        self._keeper.stdout.close()


def _set_namespace(descriptor: int) -> None:
    if _libc.setns(descriptor, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def join(one: Namespace, one_addresses: list[str], other: Namespace, other_addresses: list[str], mtu: int) -> None:
    """Lays a cable between two namespaces; addresses are given with their prefix lengths."""
    # An interface is known to its namespace alone, and named after the other's process.
    near, far = f"c{other.pid:x}", f"c{one.pid:x}"
    one.ip("link", "add", near, "type", "veth", "peer", "name", f"{far}x")
    one.ip("link", "set", f"{far}x", "netns", str(other.pid))
    other.ip("link", "set", f"{far}x", "name", far)
    for namespace, addresses, interface in [(one, one_addresses, near), (other, other_addresses, far)]:
        for address in addresses:
            nodad = ["nodad"] if ":" in address else []
            namespace.ip("address", "add", address, "dev", interface, *nodad)
        namespace.ip("link", "set", interface, "mtu", str(mtu), "up")

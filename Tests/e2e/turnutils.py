"""Debian's coturn tools (4.6.1) as judges of our relay."""

import re
import secrets
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ports import free_ports
from running_server import RunningServer

UCLIENT, PEER, STUNCLIENT = "turnutils_uclient", "turnutils_peer", "turnutils_stunclient"
RUN_SECONDS = 90

# The tool draws its channel numbers from RFC 5766's 0x4000–0x7FFF, and puts EVEN-PORT into every second Allocate. RFC
# 8656 narrowed the range to 0x4000–0x4FFF and wants 400 for the rest; the tool gives up then, within milliseconds. So
# it is run again until it draws what the RFC allows: each channel is one in 4. Three channels make 1 in 64, and 2,000
# attempts miss once in 10^13.
ATTEMPTS = 2_000
# An attempt that gave up leaves its allocations behind; a later one may get the same port from the kernel and hear 437.
GAVE_UP = ("channel bind: error 400 (Bad Request)", "error 437 (")


@dataclass
class UclientRun:
    status: int
    output: str
    refused_attempts: int

    @property
    def lost(self) -> int:
        return int(re.search(r"Total lost packets (\d+)", self.output)[1])

    @property
    def sent(self) -> int:
        return int(re.findall(r"tot_send_msgs=(\d+)", self.output)[-1])

    @property
    def received(self) -> int:
        return int(re.findall(r"tot_recv_msgs=(\d+)", self.output)[-1])


def uclient(
    server: RunningServer, *arguments: str, credentials: list[str] | None = None, host: str = "127.0.0.1"
) -> UclientRun:
    """Runs the tool once its channel numbers are such as the RFC allows; any other failure is final.

    Channel mode wants a server of its own: on a shared one, what is left behind would meet other tests' ports. Without
    credentials of the caller each attempt has a user name of its own, so nobody's quota is eaten up.
    """
    for attempt in range(ATTEMPTS):
        finished = subprocess.run(
            uclient_command(server, *arguments, credentials=credentials, host=host),
            capture_output=True,
            text=True,
            timeout=RUN_SECONDS,
        )
        run = UclientRun(finished.returncode, finished.stdout + finished.stderr, attempt)
        if not any(reason in run.output for reason in GAVE_UP):
            return run
    raise AssertionError(f"{ATTEMPTS} attempts and never a channel that was accepted:\n{run.output}")


def uclient_command(
    server: RunningServer, *arguments: str, credentials: list[str] | None = None, host: str = "127.0.0.1"
) -> list[str]:
    identity = credentials or ["-W", server.turn_secret, "-u", f"uclient-{secrets.token_hex(4)}"]
    return [UCLIENT, "-p", str(server.turn_port), *identity, *arguments, host]


@contextmanager
def echo_peer(*hosts: str) -> Iterator[int]:
    """`turnutils_peer`, which sends everything back; the answer is its port. It also uses the port after it."""
    hosts = hosts or ("127.0.0.1",)
    for _ in range(20):
        port = free_ports(2, socket.SOCK_DGRAM)[0]
        addresses = [argument for host in hosts for argument in ("-L", host)]
        process = subprocess.Popen(
            [PEER, "-p", str(port), *addresses], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            if all(_echoes(host, port) and _echoes(host, port + 1) for host in hosts):
                yield port
                return
        finally:
            process.kill()
            process.wait()
    raise RuntimeError("turnutils_peer found no two free ports")


def _echoes(host: str, port: int) -> bool:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.1)
        probe.connect((host, port))
        for _ in range(20):
            try:
                probe.send(b"there?")
                return probe.recv(100) == b"there?"
            except (TimeoutError, ConnectionRefusedError):
                time.sleep(0.05)
    return False

"""The servers that are measured, each a process pinned to the last processor that the benchmark may use.

callrelay and coturn are given the same: one address, one relay thread, the same shared secret, range of relay ports and
leave to relay to the generator's peers, UDP without TLS, and no log worth the name. A quota or a limit on answers would
count the generator, one host with all the users, as an attack.
"""

import random
import secrets
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from cases import COTURN, FLOOR, OURS, QUOTA_1, TWO_SHARDS
from networks import Network

START_SECONDS, STOP_SECONDS = 20, 5
# Below the ports that Linux gives out by itself, which are the generator's.
LISTEN_PORTS, RELAY_PORTS = range(4_000, 9_000), range(10_000, 32_768)
# What a listening server may still have to do before it is quick.
SETTLE_SECONDS = 0.5


class ServerFailure(Exception):
    """The server did not start, or did not live."""


@dataclass(frozen=True)
class Programs:
    callrelay: Path
    turn_bench: Path
    turn_simulation: Path
    turnserver: str


@dataclass(frozen=True)
class Server:
    """One that listens."""

    target: str
    secret: str | None
    process: subprocess.Popen

    @property
    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise ServerFailure("the server is gone")


@contextmanager
def serve(kind: str, network: Network, programs: Programs, processors: list[int], sockets: int) -> Iterator[Server]:
    """Starts one and ends it. `sockets`: how many flows the bare forwarder is to have room for."""
    port, secret = _free_port(), secrets.token_hex(16)
    endpoint = f"{network.server_address}:{port}"
    settings: dict[str, str] = {}
    if kind == FLOOR:
        command = [str(programs.turn_bench), "floor", "--listen", endpoint, "--sockets", str(max(1, sockets))]
    elif kind == COTURN:
        command = [programs.turnserver, *coturn_options(network, port, secret, _help(programs.turnserver))]
    else:
        command, settings = [str(programs.callrelay), "serve"], callrelay_settings(kind, network, port, secret)
    # Two shards share it as well: on the generator's own they would be measured beside a loop that never sleeps.
    pinned = ["taskset", "-c", str(processors[-1])]
    with tempfile.TemporaryDirectory() as directory, open(Path(directory) / "log", "w+b") as log:
        process = subprocess.Popen(
            [*network.server_prefix, *pinned, *command],
            cwd=directory,
            env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": directory} | settings,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            _await_start(process, kind, network, port, Path(directory) / "log")
            scheme = "floor" if kind == FLOOR else "turn"
            yield Server(f"{scheme}:{endpoint}", None if kind == FLOOR else secret, process)
            if (status := process.poll()) is not None:
                raise ServerFailure(f"the server ended with {status}: {_tail(Path(directory) / 'log')}")
        finally:
            _end(process)


def callrelay_settings(kind: str, network: Network, port: int, secret: str) -> dict[str, str]:
    return {
        "AUTH_MODE": "off",
        "TURN_LISTEN": network.server_address,
        "TURN_PORT": str(port),
        "TURN_SHARED_SECRET": secret,
        "TURN_ALLOWED_PEERS": "127.0.0.0/8" if network.is_loopback else f"{network.client_address}/32",
        "TURN_RELAY_MIN_PORT": str(RELAY_PORTS[0]),
        "TURN_RELAY_MAX_PORT": str(RELAY_PORTS[-1]),
        "TURN_WORKERS": "2" if kind == TWO_SHARDS else "1",
        "TURN_USER_QUOTA": "0",
        "TURN_TOTAL_QUOTA": "1" if kind == QUOTA_1 else "0",
        "TURN_UNAUTH_REPLIES": "0",
        "DRAIN_TIMEOUT": "1s",
        "LOG_LEVEL": "warning",
    }


def coturn_options(network: Network, port: int, secret: str, known: str) -> list[str]:
    """`known`: the program's own help. Releases differ in what is off anyway and has no option to switch it off."""
    needed = [
        "-n",
        f"--listening-ip={network.server_address}",
        f"--relay-ip={network.server_address}",
        f"--listening-port={port}",
        f"--min-port={RELAY_PORTS[0]}",
        f"--max-port={RELAY_PORTS[-1]}",
        "--relay-threads=1",
        "--use-auth-secret",
        f"--static-auth-secret={secret}",
        "--realm=callrelay",
        "--log-file=/dev/null",
        "--pidfile=turnserver.pid",
        "--userdb=turndb",
    ]
    if network.is_loopback:
        needed.append("--allow-loopback-peers")
    # Without --no-dynamic-ip-list and --no-dynamic-realms: with both, 4.6.1 refuses users that come at once.
    bare = [
        "--no-tls",
        "--no-dtls",
        "--no-tcp",
        "--no-cli",
        "--no-rfc5780",
        "--no-software-attribute",
        "--no-stdout-log",
        "--simple-log",
    ]
    return needed + [option for option in bare if option in known.split()]


def _help(program: str) -> str:
    asked = subprocess.run([program, "-h"], capture_output=True, text=True)
    return asked.stdout + asked.stderr


def _free_port() -> int:
    for port in random.sample(LISTEN_PORTS, 1000):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailure("no free port to listen on")


def _await_start(process: subprocess.Popen, kind: str, network: Network, port: int, log: Path) -> None:
    """Waits until the port is bound. The kernel is asked, not the server: it may be in a network out of reach."""
    # As /proc prints it: the address in network order, read as one of the machine's own words.
    address = int.from_bytes(socket.inet_aton(network.server_address), sys.byteorder)
    bound = f" {address:08X}:{port:04X} "
    table = Path(f"/proc/{process.pid}/net/udp")
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailure(f"{kind} ended with {process.returncode} at its start: {_tail(log)}")
        with suppress(OSError):  # it has just ended
            if bound in table.read_text(encoding="ascii"):
                time.sleep(SETTLE_SECONDS)
                return
        time.sleep(0.02)
    raise ServerFailure(f"{kind} did not listen within {START_SECONDS} s: {_tail(log)}")


def _tail(log: Path) -> str:
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return " / ".join(lines[-3:]) or "it said nothing"


def _end(process: subprocess.Popen) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

"""The relays that are measured.

callrelay and coturn are given the same: one address, one relay thread, the same shared secret, range of relay ports and
leave to relay to the generator's peers, UDP without TLS, and no log worth the name. A quota or a limit on answers would
count the generator, one host with all the users, as an attack.
"""

import secrets
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from cases import COTURN, FLOOR, QUOTA_1, TWO_SHARDS
from launch import ServerFailure, free_port, running
from networks import Network

RELAY_PORTS = range(10_000, 32_768)


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
    port, secret = free_port(), secrets.token_hex(16)
    endpoint = f"{network.server_address}:{port}"
    settings: dict[str, str] = {}
    if kind == FLOOR:
        command = [str(programs.turn_bench), "floor", "--listen", endpoint, "--sockets", str(max(1, sockets))]
    elif kind == COTURN:
        command = [programs.turnserver, *coturn_options(network, port, secret, _help(programs.turnserver))]
    else:
        command, settings = [str(programs.callrelay), "serve"], callrelay_settings(kind, network, port, secret)
    scheme = "floor" if kind == FLOOR else "turn"
    # Two shards share it as well: on the generator's own they would be measured beside a loop that never sleeps.
    with running(
        kind,
        command,
        processors[-1],
        _is_bound(network.server_address, port),
        settings=settings,
        prefix=network.server_prefix,
    ) as process:
        yield Server(f"{scheme}:{endpoint}", None if kind == FLOOR else secret, process)


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


def _is_bound(address: str, port: int) -> Callable[[subprocess.Popen], bool]:
    """Whether a process listens there. The kernel is asked, not the server: it may be in a network out of reach."""
    # As /proc prints it: the address in network order, read as one of the machine's own words.
    word = int.from_bytes(socket.inet_aton(address), sys.byteorder)
    bound = f" {word:08X}:{port:04X} "
    return lambda process: bound in Path(f"/proc/{process.pid}/net/udp").read_text(encoding="ascii")

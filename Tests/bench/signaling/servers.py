"""The servers whose signaling is measured.

callrelay runs as its embedded defaults have it: dev mode, SQLite in a file, its relay beside it, which nobody uses.
Only its limits on calls and on events by socket are off, since the generator is one host with all the users.
python-socketio's server runs under the smallest application that passes candidates on, socketio_peer.py.
"""

import http.client
import secrets
import socket
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import machine
from launch import free_port, running
from signaling.cases import PEER

PEER_PROGRAM = Path(__file__).resolve().parents[1] / "socketio_peer.py"
# What the peer's cost is that of.
PEER_PACKAGES = ("python-socketio", "python-engineio", "aiohttp")


@dataclass(frozen=True)
class Programs:
    callrelay: Path
    call_bench: Path
    # The Python environment's interpreter.
    python: Path


@dataclass(frozen=True)
class SignalingServer:
    """One that answers."""

    kind: str
    url: str
    process: subprocess.Popen


@contextmanager
def serve(
    kind: str, programs: Programs, processor: int, scratch: Path, settings: Mapping[str, str]
) -> Iterator[SignalingServer]:
    """Starts one and ends it. `scratch`: a directory on the disk that callrelay's database is to lie on."""
    port = free_port(socket.SOCK_STREAM)
    environment: dict[str, str] = {}
    is_ready: Callable[[subprocess.Popen], bool]
    if kind == PEER:
        command = [str(programs.python), str(PEER_PROGRAM), "--port", str(port)]
        is_ready = accepts(port)
    else:
        command = [str(programs.callrelay), "serve"]
        environment = callrelay_settings(port, free_port(socket.SOCK_DGRAM), secrets.token_hex(16)) | dict(settings)
        is_ready = says_that_it_is_ready(port)
    with running(kind, command, processor, is_ready, settings=environment, scratch=scratch) as process:
        yield SignalingServer(kind, f"http://127.0.0.1:{port}", process)


def callrelay_settings(port: int, turn_port: int, secret: str) -> dict[str, str]:
    return {
        "AUTH_MODE": "dev",
        "HTTP_PORT": str(port),
        "TURN_LISTEN": "127.0.0.1",
        "TURN_PORT": str(turn_port),
        "TURN_SHARED_SECRET": secret,
        # In the directory that the server was started in, and is deleted with.
        "DATABASE_URL": "sqlite:callrelay.db",
        # Empty: no limit.
        "CALL_INITIATE_RATE": "",
        "SOCKET_EVENT_RATE": "",
        "DRAIN_TIMEOUT": "1s",
        "LOG_LEVEL": "warning",
    }


def peer_versions(python: Path) -> dict[str, str]:
    """Of Python itself and of the packages that the peer is made of."""
    script = (
        "import platform, sys, importlib.metadata as known\n"
        "print(platform.python_version(), *map(known.version, sys.argv[1:]))"
    )
    asked = subprocess.run([python, "-c", script, *PEER_PACKAGES], capture_output=True, text=True, check=True)
    return dict(zip(("Python", *PEER_PACKAGES), asked.stdout.split(), strict=True))


def environment_python() -> Path:
    return machine.REPOSITORY / ".venv/bin/python"


def accepts(port: int) -> Callable[[subprocess.Popen], bool]:
    def is_ready(_: subprocess.Popen) -> bool:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True

    return is_ready


def says_that_it_is_ready(port: int) -> Callable[[subprocess.Popen], bool]:
    def is_ready(_: subprocess.Popen) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=1)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except http.client.HTTPException:
            return False
        finally:
            connection.close()

    return is_ready

"""`callrelay serve` as a process of its own, in a directory of its own, on ports nobody else has."""

import os
import secrets
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import requests

from ports import free_port
from postgres_server import fresh_database

REPOSITORY = Path(__file__).resolve().parents[2]
START_SECONDS = 30
STOP_SECONDS = 20


def binary(name: str) -> Path:
    """The built product: from CALLRELAY_BIN_DIR if set, else the release build, else the debug build."""
    if directory := os.environ.get("CALLRELAY_BIN_DIR"):
        candidates = [Path(directory)]
    else:
        candidates = [REPOSITORY / ".build/release", REPOSITORY / ".build/debug"]
    for candidate in candidates:
        if (candidate / name).exists():
            return candidate / name
    raise FileNotFoundError(f"{name} is not built; looked in {', '.join(map(str, candidates))}")


def catches_sigterm(process: subprocess.Popen) -> bool:
    """Whether the signal ends it in order by now. A relay alone answers before that; with HTTP, `/readyz` comes after it."""
    for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
        if line.startswith("SigCgt:"):
            return int(line.split()[1], 16) >> (signal.SIGTERM - 1) & 1 == 1
    return False


def bearer(user: str) -> str:
    """The dev mode's token of @user:localhost."""
    return f"dev:@{user}:localhost"


class RunningServer:
    """Settings are CONTRACT's environment keys; a key with the value None is left out."""

    def __init__(self, directory: Path, settings: dict[str, str | None] | None = None):
        self.directory = directory
        self.http_port = free_port()
        self.turn_port = free_port(socket.SOCK_DGRAM)
        self.turn_secret = secrets.token_hex(16)
        self.settings = {
            "HTTP_PORT": str(self.http_port),
            "TURN_PORT": str(self.turn_port),
            "TURN_SHARED_SECRET": self.turn_secret,
            "DATABASE_URL": fresh_database() or f"sqlite:{directory / 'callrelay.db'}",
            "LOG_LEVEL": "debug",
            # Allocations that a test left behind are not waited for.
            "DRAIN_TIMEOUT": "1s",
            # The relay's tests run with several counts of shards.
            "TURN_WORKERS": os.environ.get("CALLRELAY_TEST_WORKERS"),
            **(settings or {}),
        }
        self.secure = bool(self.settings.get("HTTP_TLS_CERT"))
        self.log_path = directory / "callrelay.log"
        self.process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self.secure else 'http'}://127.0.0.1:{self.http_port}"

    @property
    def authority(self) -> str | bool:
        """What `requests` verifies against: a test's certificate is its own authority."""
        return self.settings.get("HTTP_TLS_CERT") or True

    @property
    def environment(self) -> dict[str, str]:
        """Only what is meant for the server: nothing of the shell that runs the tests leaks in."""
        names = ("PATH", "HOME", "LANG", "ASAN_OPTIONS", "TSAN_OPTIONS")
        inherited = {key: os.environ[key] for key in names if key in os.environ}
        return inherited | {key: value for key, value in self.settings.items() if value is not None}

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def start(self) -> "RunningServer":
        self.directory.mkdir(parents=True, exist_ok=True)
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [binary("callrelay"), "serve"],
                cwd=self.directory,
                env=self.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"callrelay exited {self.process.returncode} at start:\n{self.log}")
            try:
                if self._is_ready():
                    return self
            except OSError:  # not listening yet, or too slow an answer; every failure of requests is one
                time.sleep(0.05)
        self.kill()
        raise RuntimeError(f"callrelay did not become ready within {START_SECONDS} s:\n{self.log}")

    def _is_ready(self) -> bool:
        if self.settings.get("AUTH_MODE") != "off":
            return requests.get(f"{self.url}/readyz", timeout=2, verify=self.authority).status_code == 200
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:  # the relay alone: a Binding request
            probe.settimeout(0.5)
            probe.connect(("127.0.0.1", self.turn_port))
            probe.send(b"\x00\x01\x00\x00\x21\x12\xa4\x42" + os.urandom(12))
            return probe.recv(2048)[:2] == b"\x01\x01" and catches_sigterm(self.process)

    def stop(self) -> int:
        """SIGTERM; the answer is the exit status, which CONTRACT wants to be 0."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def run(self, *arguments: str) -> subprocess.CompletedProcess:
        """Another command of the same binary under the same configuration."""
        return subprocess.run(
            [binary("callrelay"), *arguments],
            cwd=self.directory,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=30,
        )

    def request(
        self, method: str, path: str, user: str | None = None, json: object = None, **options: object
    ) -> requests.Response:
        """One REST request, as @user:localhost if a user is named."""
        headers = dict(options.pop("headers", {}))
        if user is not None:
            headers["Authorization"] = f"Bearer {bearer(user)}"
        options = {"timeout": 10, "verify": self.authority, **options}
        return requests.request(method, self.url + path, json=json, headers=headers, **options)

    # What the process holds, from /proc.

    @property
    def resident_bytes(self) -> int:
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS: the process is gone")

    @property
    def sockets(self) -> set[str]:
        """The sockets that are open now, by their inodes.

        Ask whether any is new (`server.sockets - before`), not how many there are: some, of the start or of earlier clients,
        may close at any time. The database's pool of readers, which may grow, is no part of it: PostgreSQL is reached by local
        sockets, and SQLite's are none.
        """
        inodes = set()
        for descriptor in Path(f"/proc/{self.process.pid}/fd").iterdir():
            with suppress(FileNotFoundError):  # closed since the listing
                target = os.readlink(descriptor)
                if target.startswith("socket:["):
                    inodes.add(target.removeprefix("socket:[").removesuffix("]"))
        local = Path(f"/proc/{self.process.pid}/net/unix").read_text().splitlines()[1:]
        return inodes - {line.split()[6] for line in local}

    @property
    def udp_sockets(self) -> set[str]:
        """Those of `sockets` that are the relay's: its listeners and relay sockets."""
        tables = [Path(f"/proc/{self.process.pid}/net/{name}").read_text() for name in ("udp", "udp6")]
        return self.sockets & {line.split()[9] for table in tables for line in table.splitlines()[1:]}

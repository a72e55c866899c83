"""`callrelay serve` as a relay alone (AUTH_MODE=off), on any addresses: what the tests of the network itself need."""

import os
import secrets
import signal
import subprocess
import time
from pathlib import Path

from running_server import binary, catches_sigterm
from turn_client import Address, TurnClient, time_limited_credential

START_SECONDS = 30
STOP_SECONDS = 20


class RelayProcess:
    """A relay on `listen`, started in the namespace that the calling thread is in.

    `prefix` goes before the command; settings are CONTRACT's environment keys.
    """

    def __init__(self, directory: Path, listen: list[str], port: int = 3478, prefix: list[str] | None = None, **settings):
        self.listen, self.port, self.secret = listen, port, secrets.token_hex(16)
        self.log_path = directory / "relay.log"
        environment = {
            "PATH": os.environ["PATH"],
            "AUTH_MODE": "off",
            "TURN_LISTEN": ",".join(listen),
            "TURN_PORT": str(port),
            "TURN_SHARED_SECRET": self.secret,
            "TURN_WORKERS": "2",
            "DRAIN_TIMEOUT": "1s",
            **settings,
        }
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [*(prefix or []), binary("callrelay"), "serve"],
                cwd=directory,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait_until_serving()

    @property
    def log(self) -> str:
        return self.log_path.read_text(errors="replace")

    def client(self, host: str | None = None, name: str = "alice", **options: object) -> TurnClient:
        host = host or self.listen[0]
        source: Address = (host, 0)
        credential = time_limited_credential(self.secret, name)
        return TurnClient((host, self.port), *credential, **{"source": source, **options})

    def _wait_until_serving(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(f"the relay exited {self.process.returncode} at its start:\n{self.log}")
            try:
                with self.client(timeout_seconds=0.5) as probe:
                    probe.binding()
                    if catches_sigterm(self.process):
                        return
            except (TimeoutError, ConnectionRefusedError):
                pass
            time.sleep(0.05)
        self.stop()
        raise RuntimeError(f"the relay answered no Binding request within {START_SECONDS} s:\n{self.log}")

    def stop(self) -> None:
        """Stopping is part of every test: a crash or an unclean end must not pass unseen."""
        died = self.process.poll()
        if died is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        assert died is None, f"the relay died during the test, status {died}:\n{self.log[-8000:]}"
        assert self.process.returncode == 0, f"SIGTERM ended it with {self.process.returncode}:\n{self.log[-8000:]}"

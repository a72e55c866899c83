"""Starts a server that is measured, a process pinned to the last processor that the benchmark may use, and ends it."""

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import machine

START_SECONDS, STOP_SECONDS = 20, 5
# Below the ports that Linux gives out by itself, which are the generator's.
LISTEN_PORTS = range(4_000, 9_000)
# What a listening server may still have to do before it is quick.
SETTLE_SECONDS = 0.5


class ServerFailure(Exception):
    """The server did not start, or did not live."""


def built(*names: str) -> list[Path]:
    """The programs of these names; ends the benchmark, if one is not built."""
    directory = Path(os.environ.get("CALLRELAY_BIN_DIR", machine.REPOSITORY / ".build/release")).resolve()
    for name in names:
        if not (directory / name).exists():
            sys.exit(f"error: {name} is not built in {directory}; scripts/bench.sh builds it")
    return [directory / name for name in names]


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    """A port that is free now on 127.0.0.1."""
    for port in random.sample(LISTEN_PORTS, 1000):
        with socket.socket(socket.AF_INET, kind) as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise ServerFailure("no free port to listen on")


@contextmanager
def running(
    kind: str,
    command: list[str],
    processor: int,
    is_ready: Callable[[subprocess.Popen], bool],
    *,
    settings: Mapping[str, str] | None = None,
    prefix: tuple[str, ...] = (),
    scratch: Path | None = None,
) -> Iterator[subprocess.Popen]:
    """`prefix`: what the command is put behind. `scratch`: where the directory of its own is made that it works in."""
    with tempfile.TemporaryDirectory(prefix="server-", dir=scratch) as directory:
        log = Path(directory) / "log"
        with log.open("w+b") as output:
            process = subprocess.Popen(
                [*prefix, "taskset", "-c", str(processor), *command],
                cwd=directory,
                env={"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME": directory}
                | dict(settings or {}),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        try:
            _await_start(process, kind, is_ready, log)
            yield process
            if (status := process.poll()) is not None:
                raise ServerFailure(f"the server ended with {status}: {_tail(log)}")
        finally:
            _end(process)


def _await_start(process: subprocess.Popen, kind: str, is_ready: Callable[[subprocess.Popen], bool], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise ServerFailure(f"{kind} ended with {process.returncode} at its start: {_tail(log)}")
        with suppress(OSError):  # it does not answer yet, or it has just ended
            if is_ready(process):
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

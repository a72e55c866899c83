"""Fixtures of the end-to-end tests. Each server is a process of its own on free ports."""

import os
import pathlib
import re
import select
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from call_page_room import browser, open_room, room  # noqa: F401: fixtures
from hold_ups import pytest_configure, pytest_runtest_protocol  # noqa: F401: hooks
from homeserver import Homeserver, homeservers_in
from running_server import RunningServer
from shared_wait import pytest_collection_modifyitems  # noqa: F401: a hook


def _finish(server: RunningServer) -> None:
    """Stopping is part of every test: a crash or an unclean end must not pass unseen."""
    died = server.process.poll()
    status = server.stop()
    # Ended with 0 is what a test asked for by SIGTERM; anything else is a crash.
    assert died in (None, 0), f"the server died during the test, status {died}:\n{server.log[-8000:]}"
    assert status == 0, f"SIGTERM ended the server with {status}:\n{server.log[-8000:]}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server most tests share, in dev mode with its defaults. Tests use rooms and users of their own."""
    # Many tests, one address: the limits that would notice are tested on servers of their own.
    settings = {
        "CALL_INITIATE_RATE": "user=1000/m,address=100000/m",
        "CALL_RING_TIMEOUT": "10m",
        "SOCKET_EVENT_RATE": "1000/s",
    }
    running = RunningServer(tmp_path_factory.mktemp("server"), settings).start()
    yield running
    _finish(running)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts a server of the test's own with the settings given; it is stopped after the test."""
    started: list[RunningServer] = []

    def start(**settings: str | None) -> RunningServer:
        running = RunningServer(tmp_path / f"server-{len(started)}", settings)
        started.append(running.start())
        return running

    yield start
    for running in started:
        _finish(running)


@pytest.fixture(scope="session")
def homeserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """The Synapse most tests share, without TURN servers and app services. Tests use rooms and users of their own."""
    with Homeserver(tmp_path_factory.mktemp("homeserver")) as running:
        yield running
        running.stop()


@pytest.fixture
def start_homeserver(tmp_path: Path) -> Iterator[Callable[..., Homeserver]]:
    """Starts a Synapse of the test's own with the settings that `Homeserver` takes; it is stopped after the test."""
    with homeservers_in(tmp_path) as start:
        yield start


ROOT = pathlib.Path(__file__).resolve().parents[2]


def find_binary(name):
    """The built program `name`: from CALLRELAY_BIN_DIR if that is set, else from the release or the debug build."""
    given = os.environ.get("CALLRELAY_BIN_DIR")
    directories = [pathlib.Path(given)] if given else [ROOT / ".build/release", ROOT / ".build/debug"]
    for directory in directories:
        path = directory / name
        if path.exists():
            return str(path)
    pytest.fail(f"{name} is not built; looked in {', '.join(map(str, directories))}")


class Server:
    """A program that prints the port it listens on, running until `stop`."""

    def __init__(self, name, *arguments, announcement=r"listening on port (\d+)"):
        self.process = subprocess.Popen(
            [find_binary(name), *arguments], stdout=subprocess.PIPE, stderr=None, text=True, bufsize=1
        )
        self.port = int(self._await_line(announcement).group(1))

    def _await_line(self, pattern, timeout=30):
        deadline = time.monotonic() + timeout
        while time.monotonic() < deadline:
            ready, _, _ = select.select([self.process.stdout], [], [], deadline - time.monotonic())
            line = self.process.stdout.readline() if ready else ""
            if not line:
                break
            found = re.search(pattern, line)
            if found:
                return found
        self.process.kill()
        raise AssertionError(f"no line like {pattern!r} from {self.process.args}")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def resident_kilobytes(self):
        with open(f"/proc/{self.process.pid}/status") as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1))

    def descriptor_count(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def stop(self, timeout=15):
        """Asks the program to end and gives its exit status; a program that does not end fails the test."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.process.args} did not end within {timeout} s of SIGTERM")
        finally:
            self.process.stdout.close()


PING_TIMES = ["--port", "0", "--ping-interval-ms", "300", "--ping-timeout-ms", "200"]
SUITE_TIMES = [*PING_TIMES, "--connect-timeout-ms", "1000"]


def running(*arguments):
    """socketio-echo for as long as a fixture is in use; it must end cleanly."""
    server = Server("socketio-echo", *arguments)
    yield server
    assert server.stop() == 0


# The protocol's own times for all tests but those of the times themselves: among pings every 0.3 s, a test that is kept
# from the processor for as long finds one between the packets it waits for.
@pytest.fixture(scope="session")
def echo_server():
    """socketio-echo with the protocol's own times."""
    yield from running("--port", "0")


@pytest.fixture(scope="session")
def engine_server():
    """A bare Engine.IO echo with the protocol's own times."""
    yield from running("--port", "0", "--engine")


@pytest.fixture(scope="session")
def hurried_echo_server():
    """socketio-echo with the times of the official Socket.IO suite."""
    yield from running(*SUITE_TIMES)


@pytest.fixture(scope="session")
def pinging_echo_server():
    """The same, for clients that enter no namespace for longer than that suite allows."""
    yield from running(*PING_TIMES, "--connect-timeout-ms", "10000")


@pytest.fixture(scope="session")
def pinging_engine_server():
    """A bare Engine.IO echo with the times of the official Engine.IO suite."""
    yield from running(*SUITE_TIMES, "--engine")


@pytest.fixture(scope="session")
def patient_server():
    """socketio-echo with the protocol's own times, on several event loops."""
    yield from running("--port", "0", "--event-loops", "3")


@pytest.fixture(scope="session")
def patient_engine_server():
    """A bare Engine.IO echo with the protocol's own times, on several event loops."""
    yield from running("--port", "0", "--event-loops", "3", "--engine")

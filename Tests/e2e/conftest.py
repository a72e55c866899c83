"""Fixtures of the end-to-end tests. Each server is a process of its own on free ports."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from running_server import RunningServer


def _finish(server: RunningServer) -> None:
    """Stopping is part of every test: a crash or an unclean end must not pass unseen."""
    died = server.process.poll()
    status = server.stop()
    assert died is None, f"the server died during the test, status {died}:\n{server.log[-8000:]}"
    assert status == 0, f"SIGTERM ended the server with {status}:\n{server.log[-8000:]}"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """The server most tests share, in dev mode with its defaults. Tests use rooms and users of their own."""
    running = RunningServer(tmp_path_factory.mktemp("server"), {"CALL_INITIATE_RATE": "user=1000/m,address=100000/m"}).start()
    yield running
    _finish(running)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., RunningServer]]:
    """Starts a server of the test's own with the settings given; it is stopped after the test."""
    started: list[RunningServer] = []

    def start(**settings: str | None) -> RunningServer:
        running = RunningServer(tmp_path / f"server-{len(started)}", settings)
        started.append(running)
        return running.start()

    yield start
    for running in started:
        if running.process is not None:
            _finish(running)

"""`/metrics` as Prometheus reads it, by its own parser, in situations that an operator would look at it for."""

import re
import socket
from collections.abc import Callable
from pathlib import Path

import pytest
import requests
from prometheus_client.parser import text_string_to_metric_families

from ports import free_port
from postgres_server import postgresql
from redis_server import redis_server
from running_server import REPOSITORY, RunningServer
from scenario import Scenario
from test_server_cli import CONFIGURATION, NOT_STARTED, command
from turnutils import uclient
from waiting import eventually
from webhook_receiver import WebhookReceiver

class Metrics:
    """What one server says now; kept for a test's questions."""

    def __init__(self, server: RunningServer) -> None:
        self.response = requests.get(f"http://{server.settings['METRICS_LISTEN']}/metrics", timeout=5)
        assert self.response.status_code == 200
        self.families = {family.name: family for family in text_string_to_metric_families(self.response.text)}
        samples = [sample for family in self.families.values() for sample in family.samples]
        self.values = {(sample.name, tuple(sorted(sample.labels.items()))): sample.value for sample in samples}
        assert len(self.values) == len(samples), "nothing is said twice"

    def __call__(self, name: str, **labels: str) -> float:
        return self.values[name, tuple(sorted(labels.items()))]


@pytest.fixture
def listen() -> dict[str, str]:
    return {"METRICS_LISTEN": f"127.0.0.1:{free_port()}"}


def test_the_end_of_a_call_is_counted_by_who_ended_it(
    start_server: Callable[..., RunningServer], listen: dict[str, str]
) -> None:
    with WebhookReceiver() as receiver:
        settings = {"CALL_RING_TIMEOUT": "1s", **receiver.settings, **listen}
        with Scenario(start_server(**settings)) as s:
            before = Metrics(s.server)
            assert before("callrelay_calls_ended_total", reason="missed", by="clean-up") == 0, "there from the beginning"
            a, b = s.socket("alice"), s.socket("bob")
            call_id = s.active_call(a, b)
            now = Metrics(s.server)
            assert (now("callrelay_sockets"), now("callrelay_users"), now("callrelay_calls_joined")) == (2, 2, 1)
            assert s.post(f"/api/calls/{call_id}/end", "bob").status_code == 200
            missed = s.initiate("alice", ["bob"])
            eventually(lambda: s.status(missed, "alice")["state"] == "ended", "the end of the ringing")
            eventually(
                lambda: Metrics(s.server)("callrelay_calls_ended_total", reason="missed", by="clean-up") == 1,
                "the end by the clean-up",
            )
            eventually(
                lambda: Metrics(s.server)("callrelay_webhook_handovers_total", outcome="taken") == 6, "all notices"
            )
            now = Metrics(s.server)
            assert now("callrelay_calls_ended_total", reason="hangup", by="participant") == 1
            ended = [value for (name, _), value in now.values.items() if name == "callrelay_calls_ended_total"]
            assert sum(ended) == 2
            assert now("callrelay_calls_joined") == 0
            assert now("callrelay_store_in_trouble") == 0


def test_what_the_relay_does_is_counted(start_server: Callable[..., RunningServer], listen: dict[str, str]) -> None:
    server = start_server(AUTH_MODE="off", TURN_LISTEN="127.0.0.1", **listen)
    assert f"metrics: http://{listen['METRICS_LISTEN']}/metrics" in server.log
    before = Metrics(server)
    assert "callrelay_sockets" not in before.families, "there are no calls"
    run = uclient(server, "-y", "-c", "-s", "-n", "20", "-l", "100")
    assert run.status == 0
    now = Metrics(server)

    def more(name: str, **labels: str) -> float:
        return now(name, **labels) - before(name, **labels)

    assert more("callrelay_relay_allocations_opened_total") >= 2
    for side in ("client", "peer"):
        assert more("callrelay_relay_forwarded_datagrams_total", to=side) >= 20
        assert more("callrelay_relay_forwarded_bytes_total", to=side) >= 20 * 100
        assert more("callrelay_relay_received_datagrams_total", **{"from": side}) >= 20
    assert more("callrelay_relay_requests_total", answer="success") > 0
    assert more("callrelay_relay_requests_total", answer="error") > 0, "the challenge"
    assert now("process_resident_memory_bytes") > 1_000_000 and now("process_cpu_seconds_total") >= 0


def test_a_database_that_is_away_is_seen(
    start_server: Callable[..., RunningServer], listen: dict[str, str]
) -> None:
    with postgresql() as postgres:
        server = start_server(DATABASE_URL=postgres.url(), **listen)
        assert Metrics(server)("callrelay_store_in_trouble") == 0
        postgres.stop("fast")
        eventually(lambda: Metrics(server)("callrelay_store_in_trouble") == 1, "the trouble")
        failures = [value for (name, _), value in Metrics(server).values.items() if name == "callrelay_store_failures_total"]
        assert failures and all(value >= 1 for value in failures)
        postgres.start()
        eventually(lambda: Metrics(server)("callrelay_store_in_trouble") == 0, "the end of it")
        assert server.stop() == 0


def documented() -> set[str]:
    return set(re.findall(r"^\| `([a-z_]+)`", (REPOSITORY / "docs/metrics.md").read_text(), re.MULTILINE))


def test_every_metric_is_documented_and_nothing_else(
    start_server: Callable[..., RunningServer], listen: dict[str, str]
) -> None:
    with redis_server() as redis:
        # Nobody is there, which is no matter: it is asked for all the same.
        matrix = {"MATRIX_HOMESERVER_URL": "http://127.0.0.1:1", "TURN_LISTEN": "127.0.0.1"}
        server = start_server(REDIS_URL=redis.url, **matrix, **listen)
        eventually(lambda: Metrics(server)("callrelay_redis_connected") == 1, "Redis")
        now = Metrics(server)
        assert now("callrelay_other_nodes") == 0
    said = set(re.findall(r"^# TYPE (\S+)", now.response.text, re.MULTILINE))
    assert said == documented()
    for family in now.families.values():
        assert family.documentation.endswith("."), family.name


def test_only_metrics_are_served_there(start_server: Callable[..., RunningServer], listen: dict[str, str]) -> None:
    server = start_server(**listen)
    at = f"http://{listen['METRICS_LISTEN']}"
    assert requests.get(f"{at}/metrics", timeout=5).headers["Content-Type"].startswith("text/plain; version=0.0.4")
    assert requests.get(f"{at}/", timeout=5).status_code == 404
    assert requests.get(f"{at}/api/calls/history", timeout=5).status_code == 404
    assert requests.post(f"{at}/metrics", timeout=5).status_code == 404
    assert server.request("GET", "/metrics").status_code == 404, "and not there, where clients come"
    assert server.stop() == 0


@pytest.mark.parametrize(
    ("value", "status", "problem"),
    [
        ("9090", CONFIGURATION, 'METRICS_LISTEN (environment): "9090" is not host:port'),
        ("0.0.0.0:taken", NOT_STARTED, "METRICS_LISTEN: 0.0.0.0:taken is already in use by another process"),
    ],
)
def test_a_wrong_address_is_refused_by_name(tmp_path: Path, value: str, status: int, problem: str) -> None:
    with socket.socket() as taken:
        taken.bind(("0.0.0.0", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = command(
            tmp_path, "serve", METRICS_LISTEN=value.replace("taken", port), HTTP_PORT=str(free_port()),
            TURN_ENABLED="false", DATABASE_URL=f"sqlite:{tmp_path / 'calls.db'}",
        )
    assert done.returncode == status, done.stderr
    assert problem.replace("taken", port) in done.stderr

"""The server with its calls in PostgreSQL: what it says at its start, and what clients meet while the database is away."""

import itertools
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from call_page_room import Room, assert_story
from ports import free_port
from postgres_server import PostgreSQL, postgresql
from running_server import RunningServer
from scenario import Scenario, user_id
from turn_client import TurnClient, TurnError
from waiting import eventually

CONFIGURATION, NOT_STARTED = 78, 1
# The server gives a statement five seconds.
PATIENCE_SECONDS = 20
_databases = itertools.count()


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@pytest.fixture
def database(postgres: PostgreSQL) -> str:
    """The URL of an empty database of an ordinary role."""
    name = f"calls_{next(_databases)}"
    created = postgres.psql("-c", f"CREATE DATABASE {name} OWNER enterprise_user", user="admin", database="postgres")
    assert created.returncode == 0, created.stderr
    return postgres.url(name)


@pytest.fixture
def running_postgres(postgres: PostgreSQL) -> Iterator[PostgreSQL]:
    """A server that the test may stop or freeze; it runs again afterwards."""
    yield postgres
    if postgres.is_running:
        postgres.send(signal.SIGCONT)
    else:
        postgres.start()


def one_line(result: subprocess.CompletedProcess[str]) -> str:
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, result.stderr
    return lines[0]


def is_ready(server: RunningServer) -> bool:
    return requests.get(server.url + "/readyz", timeout=10).status_code == 200


def test_what_cannot_be_reached_is_one_line_that_names_the_setting(tmp_path, postgres: PostgreSQL) -> None:
    def refusal(url: str, status: int = NOT_STARTED) -> str:
        server = RunningServer(tmp_path, {"DATABASE_URL": url, "LOG_LEVEL": "critical"})
        for command in ("serve", "migrate"):
            result = server.run(command)
            assert result.returncode == status, result.stderr
            line = one_line(result)
            assert "DATABASE_URL" in line and "hunter2" not in line, line
        return line

    assert "Connection refused" in refusal("postgres://calls:hunter2@127.0.0.1:1/calls")
    assert 'role "nobody" does not exist' in refusal(postgres.url(role="nobody"))
    assert 'database "nowhere" does not exist' in refusal(postgres.url("nowhere"))
    assert "percent-encoding" in refusal("postgres://calls:hunter2%zz@127.0.0.1/calls", CONFIGURATION)


def test_migrating_tells_what_it_did_and_another_tells_that_there_is_nothing(tmp_path, database: str) -> None:
    server = RunningServer(tmp_path, {"DATABASE_URL": database})
    refused = RunningServer(tmp_path, {"DATABASE_URL": database, "DATABASE_MIGRATE": "false"}).run("serve")
    assert refused.returncode == NOT_STARTED and "004_voice_video_calls" in one_line(refused)
    first = server.run("migrate")
    assert first.returncode == 0, first.stderr
    assert "applied 004_voice_video_calls" in first.stdout and "applied 005_call_relay" in first.stdout
    assert "PostgreSQL, calls_" in first.stdout
    again = server.run("migrate")
    assert again.returncode == 0 and "nothing to do" in again.stdout


def test_an_encrypted_connection_is_made_as_the_url_says(tmp_path) -> None:
    with postgresql(free_port(), is_encrypted=True) as postgres:

        def migrate(parameters: str, host: str = "localhost") -> subprocess.CompletedProcess[str]:
            url = f"postgres://enterprise_user@{host}:{postgres.port}/enterprise_db?{parameters}"
            return RunningServer(tmp_path, {"DATABASE_URL": url}).run("migrate")

        trusted = f"sslrootcert={postgres.certificate}"
        for result in (
            migrate("sslmode=verify-full"),
            migrate(f"sslmode=verify-full&{trusted}", host="127.0.0.1"),
        ):
            assert result.returncode == NOT_STARTED and "certificate" in one_line(result), result.stderr
        assert migrate(f"sslmode=verify-full&{trusted}").returncode == 0
        postgres.stop("fast")
        postgres.is_encrypted = False
        postgres.start()
        plain = migrate("sslmode=require")
        assert plain.returncode == NOT_STARTED and "SSL" in one_line(plain), plain.stderr
        assert migrate("sslmode=prefer").returncode == 0


def test_nobody_is_relayed_to_the_database(start_server: Callable[..., RunningServer]) -> None:
    with postgresql(free_port()) as postgres:
        url = f"postgres://enterprise_user@localhost:{postgres.port}/enterprise_db"
        server = start_server(DATABASE_URL=url)
        with Scenario(server) as s, relay_client(s) as relay:
            relay.allocate()
            # Dev mode relays on loopback, and by name.
            relay.create_permission(("127.0.0.1", 1))
            for peer in (("127.0.0.1", postgres.port), ("::1", postgres.port)):
                with pytest.raises(TurnError) as refused:
                    relay.bind_channel(0x4000, peer)
                assert refused.value.code in (403, 443), peer


@pytest.mark.parametrize("end", ["stopped", "frozen"])
def test_while_the_database_is_away(
    start_server: Callable[..., RunningServer], database: str, running_postgres: PostgreSQL, end: str
) -> None:
    server = start_server(DATABASE_URL=database)
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        relay = s.stack.enter_context(relay_client(s))
        relay.allocate()
        candidate = {"callId": call_id, "candidate": {"candidate": "candidate:1"}}
        assert a.call("ice-candidate", candidate)["ok"]
        before = b.wait("ice-candidate")["seq"]

        running_postgres.stop("fast") if end == "stopped" else running_postgres.send(signal.SIGSTOP)

        refused = a.call("ice-candidate", candidate)
        assert (refused["ok"], refused["code"]) == (False, "store_unavailable"), refused
        answer = s.get(f"/api/calls/{call_id}/status", "alice")
        assert (answer.status_code, answer.json()["code"]) == (503, "store_unavailable")
        assert int(answer.headers["Retry-After"]) >= 1
        placed = s.post("/api/calls/initiate", "carol", {"roomId": "!elsewhere", "callType": "voice", "invitees": []})
        assert placed.status_code == 503
        eventually(lambda: not is_ready(server), "not ready")
        assert requests.get(server.url + "/readyz", timeout=10).json()["code"] == "store_unavailable"
        assert requests.get(server.url + "/healthz", timeout=2).status_code == 200
        assert s.get("/api/calls/ice-servers", "alice").status_code == 200, "no call, no store"
        relay.refresh(600)
        echo(relay)

        running_postgres.start() if end == "stopped" else running_postgres.send(signal.SIGCONT)

        eventually(lambda: is_ready(server), "ready again")
        eventually(lambda: a.call("ice-candidate", candidate)["ok"], "a candidate is taken again")
        heard = b.wait("ice-candidate")
        assert heard["seq"] > before
        assert s.status(call_id, "bob")["state"] == "active", "nobody was thrown out of the call"
        items = s.get(f"/api/calls/{call_id}/events?limit=100", "alice").json()["items"]
        assert [item["seq"] for item in items] == list(range(1, len(items) + 1))
    failures = [line for line in server.log.splitlines() if "the call store failed" in line]
    statements = {line.split("operation=")[1] for line in failures}
    assert failures and len(failures) <= 3 * len(statements), "one line for each statement now and then"
    assert not any(secret in line for line in failures for secret in (call_id, "alice", "elsewhere"))
    assert "the call store answers again" in server.log


def relay_client(s: Scenario) -> TurnClient:
    """A client of the relay with the credential that alice is given."""
    ice = s.get("/api/calls/ice-servers", "alice").json()
    entry = next(entry for entry in ice["iceServers"] if "credential" in entry)
    return TurnClient(("127.0.0.1", s.server.turn_port), entry["username"], entry["credential"])


def echo(relay: TurnClient) -> None:
    """One datagram through the relay to a peer."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        relay.create_permission(peer.getsockname())
        relay.send(peer.getsockname(), b"still here")
        assert peer.recv(100) == b"still here"


def test_a_database_that_is_killed_again_and_again_loses_nothing_acknowledged(
    start_server: Callable[..., RunningServer], database: str, running_postgres: PostgreSQL
) -> None:
    server = start_server(DATABASE_URL=database, SOCKET_EVENT_RATE="")
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        acknowledged: list[int] = []
        done = threading.Event()

        def talk() -> None:
            for number in itertools.count():
                if done.is_set():
                    return
                answer = a.call("ice-candidate", {"callId": call_id, "candidate": {"candidate": f"candidate:{number}"}})
                if answer["ok"]:
                    acknowledged.append(number)
                else:
                    assert answer["code"] == "store_unavailable", answer
                    time.sleep(0.05)

        talker = threading.Thread(target=talk)
        talker.start()
        for _ in range(4):
            so_far = len(acknowledged)
            eventually(lambda: len(acknowledged) > so_far + 20, "candidates are taken")
            running_postgres.stop("immediate")
            time.sleep(0.3)
            running_postgres.start()
        so_far = len(acknowledged)
        eventually(lambda: len(acknowledged) > so_far + 20, "candidates are taken")
        done.set()
        talker.join(30)
        assert not talker.is_alive()
        last = s.status(call_id, "alice")["seq"]
        eventually(lambda: b.seen("ice-candidate")[-1]["seq"] == last, "bob has heard the last one")
        heard = [(event["seq"], int(event["candidate"]["candidate"].split(":")[1])) for event in b.seen("ice-candidate")]
        numbers = [number for _, number in heard]
        assert set(acknowledged) <= set(numbers), "every acknowledged candidate was delivered"
        assert numbers == sorted(set(numbers)), "in order, each once"
        sequences = [sequence for sequence, _ in heard]
        assert sequences == list(range(sequences[0], last + 1)), "without a hole"


def test_two_people_on_the_page_while_the_database_restarts(
    open_room: Callable[[RunningServer], Room],
    start_server: Callable[..., RunningServer],
    database: str,
    running_postgres: PostgreSQL,
) -> None:
    server = start_server(DATABASE_URL=database)
    room = open_room(server)
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = alice.call(bob.name, "video")
    bob.see("answer-video").click()
    alice.connected(), bob.connected()
    running_postgres.stop("fast")
    alice.expects_outage = bob.expects_outage = True
    alice.see("mute-button").click()
    time.sleep(2)
    running_postgres.start()
    eventually(lambda: is_ready(server), "ready again")
    eventually(lambda: "audio-toggled" in [row["kind"] for row in room.events(call_id)], "the toggle is written")
    running_postgres.stop("fast")
    alice.see("hang-up-button").click()
    time.sleep(2)
    running_postgres.start()
    eventually(lambda: is_ready(server), "ready again")
    eventually(lambda: room.status(call_id)["state"] == "ended", "the call ends")
    bob.told(f"{alice.title} hung up.")
    assert_story(room, call_id, ended_by=user_id(alice.name), reason="hangup")

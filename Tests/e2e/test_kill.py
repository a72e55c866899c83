"""SIGKILL at random moments of call traffic: whatever was acknowledged is in the store, numbers have no gaps, and everything in
the outbox goes out. CALLRELAY_KILL_ROUNDS says how often; `make kill` has 200."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
import requests

from postgres_server import PostgreSQL, postgresql
from running_server import RunningServer, bearer
from waiting import eventually
from webhook_receiver import WebhookReceiver

ROUNDS = int(os.environ.get("CALLRELAY_KILL_ROUNDS", "10"))
SEED = int(os.environ.get("CALLRELAY_KILL_SEED", random.randrange(1 << 32)))
TALKERS = 6
# Once a call is at its end there is nothing left to acknowledge.
RANKS = {"ringing": 0, "connecting": 1, "active": 2, "ended": 3}


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with postgresql() as server:
        yield server


@dataclass
class Acknowledged:
    """What the server said had happened, of one call."""

    call_id: str
    room: str
    state: str = "ringing"
    sequences: list[int] = field(default_factory=list)


class Talker:
    """Places a call, answers it, sends candidates, ends it, and begins anew; by REST, until told to stop."""

    def __init__(self, server: RunningServer, number: int, calls: list[Acknowledged], chance: random.Random) -> None:
        self.server, self.number, self.calls, self.chance = server, number, calls, chance
        self.stop = threading.Event()
        self.session = requests.Session()
        self.count = 0

    def post(self, path: str, user: str, body: dict) -> dict | None:
        """The answer, or None if there was none: then nothing was acknowledged."""
        headers = {"Authorization": f"Bearer {bearer(user)}"}
        try:
            response = self.session.post(f"{self.server.url}/api/calls/{path}", json=body, headers=headers, timeout=10)
        except requests.RequestException:
            return None
        if response.status_code == 503:
            return None
        assert response.status_code in (200, 201, 202), (path, response.status_code, response.text)
        return response.json()

    def run(self) -> None:
        while not self.stop.is_set():
            self.one_call()

    def one_call(self) -> None:
        self.count += 1
        alice, bob = f"alice{self.number}", f"bob{self.number}"
        room = f"!{self.number}-{self.count}"
        placed = self.post("initiate", alice, {"roomId": room, "callType": "voice", "invitees": [f"@{bob}:localhost"]})
        if placed is None:
            return
        call = Acknowledged(placed["callId"], room)
        self.calls.append(call)
        if self.note(call, self.post(f"{call.call_id}/answer", bob, {})) is None:
            return
        for _ in range(self.chance.randrange(12)):
            sender = self.chance.choice((alice, bob))
            receipt = self.post(f"{call.call_id}/ice-candidate", sender, {"candidate": {"candidate": "candidate:1"}})
            if receipt is None or self.stop.is_set():
                return
            call.sequences.append(receipt["seq"])
        self.note(call, self.post(f"{call.call_id}/end", alice, {}))

    def note(self, call: Acknowledged, answer: dict | None) -> dict | None:
        if answer is not None:
            call.state = answer["state"]
            call.sequences.append(answer["seq"])
        return answer


def kill_while_they_talk(server: RunningServer, calls: list[Acknowledged], chance: random.Random) -> None:
    talkers = [Talker(server, len(calls) * TALKERS + number, calls, chance) for number in range(TALKERS)]
    with ThreadPoolExecutor(TALKERS) as threads:
        running = [threads.submit(talker.run) for talker in talkers]
        time.sleep(chance.uniform(0.05, 0.6))
        server.kill()
        for talker in talkers:
            talker.stop.set()
        for one in running:
            one.result(30)


def test_whatever_was_acknowledged_is_there_after_a_kill(
    start_server: Callable[..., RunningServer], postgres: PostgreSQL
) -> None:
    chance = random.Random(SEED)
    print(f"CALLRELAY_KILL_SEED={SEED}")
    calls: list[Acknowledged] = []
    with WebhookReceiver() as receiver:
        server = start_server(
            DATABASE_URL=postgres.url(), CALL_INITIATE_RATE="", CALL_RING_TIMEOUT="10m", CALL_CONNECT_TIMEOUT="10m",
            LOG_LEVEL="warning", **receiver.settings,
        )
        for _ in range(ROUNDS):
            kill_while_they_talk(server, calls, chance)
            server.start()
        assert len(calls) >= 5 * ROUNDS, "there was traffic"
        assert_all_is_there(postgres, calls)
        assert_everything_went_out(postgres, receiver, calls)


def assert_all_is_there(postgres: PostgreSQL, calls: list[Acknowledged]) -> None:
    stored = {
        call_id: (state, int(sequence))
        for call_id, state, sequence in (
            line.split("|") for line in postgres.query("SELECT call_id, state, seq FROM call_sessions")
        )
    }
    for call in calls:
        state, sequence = stored[call.call_id]
        assert RANKS[state] >= RANKS[call.state], call
        assert sequence >= max(call.sequences, default=1), call
        assert len(set(call.sequences)) == len(call.sequences), "no number was acknowledged twice"
    holes = """
        SELECT call_id FROM call_sessions JOIN call_events USING (call_id)
        GROUP BY call_id, call_sessions.seq
        HAVING count(*) <> max(call_events.seq) OR min(call_events.seq) <> 1 OR max(call_events.seq) <> call_sessions.seq
    """
    assert postgres.query(holes) == [], "every call's events are numbered without a gap, up to its own number"


def assert_everything_went_out(postgres: PostgreSQL, receiver: WebhookReceiver, calls: list[Acknowledged]) -> None:
    eventually(lambda: postgres.query("SELECT count(*) FROM call_outbox") == ["0"], "an empty outbox", seconds=90)
    kinds = "('initiated', 'answered', 'rejected', 'missed', 'left', 'ended')"
    wanted = set(postgres.query(f"SELECT call_id || '.' || seq FROM call_events WHERE kind IN {kinds}"))
    taken = [name for name, _ in receiver.taken]
    assert set(taken) == wanted, "everything that happened, and nothing that did not"
    for call in calls:
        sequences = [notice["data"]["seq"] for notice in receiver.of(call.call_id)]
        assert sequences == sorted(sequences), "in order"
    print(f"{ROUNDS} kills, {len(calls)} calls, {len(wanted)} notices, {len(taken) - len(wanted)} of them twice")

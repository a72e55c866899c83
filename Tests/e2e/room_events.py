"""What rooms are told of calls, as three know it who must agree: the room, the server's table, and the call's audit."""

import json
import sqlite3
import subprocess
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from matrix_calls import MatrixCalls, Who
from running_server import RunningServer
from waiting import eventually

INVITE, SELECT_ANSWER = "m.call.invite", "m.call.select_answer"
REJECT, HANGUP = "m.call.reject", "m.call.hangup"

# Longer than a claim is held whose owner is gone, and the pauses between a few tries.
SETTLE_SECONDS = 90

COLUMNS = (
    "seq, part, room_id, event_type, sender, sender_device, content, transaction_id, attempts, next_attempt, created_at, "
    "expires_at, event_id, undeliverable"
)


@dataclass(frozen=True)
class Row:
    """A row of call_room_events."""

    seq: int
    part: int
    room_id: str
    event_type: str
    sender: str
    sender_device: str | None
    content: str
    transaction_id: str
    attempts: int
    next_attempt: int
    created_at: int
    expires_at: int
    event_id: str | None
    undeliverable: str | None

    @property
    def is_settled(self) -> bool:
        return self.event_id is not None or self.undeliverable is not None

    @property
    def place(self) -> tuple[int, int]:
        return self.seq, self.part


def rows(server: RunningServer, call_id: str) -> list[Row]:
    """The call's, in their order."""
    url = server.settings["DATABASE_URL"]
    query = f"SELECT {COLUMNS} FROM call_room_events WHERE call_id = '{call_id}' ORDER BY seq, part"
    if url.startswith("sqlite:"):
        with closing(sqlite3.connect(f"file:{url.removeprefix('sqlite:')}?mode=ro", uri=True, timeout=30)) as database:
            return [Row(*found) for found in database.execute(query)]
    command = ["psql", url, "-qAtX", "-c", f"SELECT row_to_json(found) FROM ({query}) AS found"]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=30)
    assert answer.returncode == 0, answer.stderr
    return [Row(**json.loads(line)) for line in answer.stdout.splitlines()]


def change(server: RunningServer, statement: str) -> None:
    """Changes the server's database, which must be one of SQLite."""
    path = server.settings["DATABASE_URL"].removeprefix("sqlite:")
    with closing(sqlite3.connect(path, timeout=30)) as database, database:
        database.execute(statement)


def row(server: RunningServer, call_id: str, event_type: str) -> Row | None:
    """The one of this type, if it is there by now."""
    found = [row for row in rows(server, call_id) if row.event_type == event_type]
    assert len(found) <= 1, found
    return found[0] if found else None


def sent(server: RunningServer, call_id: str, event_type: str = INVITE) -> Row:
    """Waits until it is in the room."""

    def look() -> Row | None:
        found = row(server, call_id, event_type)
        return found if found and found.event_id else None

    return eventually(look, f"{event_type} in the room", SETTLE_SECONDS)


def told(calls: MatrixCalls, room: str, call_id: str, who: str = "alice") -> list[dict]:
    """What the room has of the call, in its order."""
    events = calls.account(who).timeline(room, "m.")
    return [event for event in events if event["content"].get("call_id") == call_id]


def undelivered(calls: MatrixCalls, call_id: str, who: Who) -> list[tuple[str, str]]:
    """Types and causes, as the audit has them."""
    response = calls.get(f"/api/calls/{call_id}/events?limit=200", who)
    assert response.status_code == 200, response.text
    items = response.json()["items"]
    return [(item["type"], item["cause"]) for item in items if item["kind"] == "room-event-undelivered"]


def assert_told(
    calls: MatrixCalls,
    room: str,
    call_id: str,
    expected: Iterable[tuple[str, str]],
    lost: Iterable[tuple[str, str]] = (),
    asking: Who = "bob",
) -> list[dict]:
    """Waits until nothing of the call is to be sent any more. Then the room has the expected events, as (type, who), once
    each and as the table has them, and the audit the lost ones, as (type, cause). The answer is what the room has."""
    expected, lost = list(expected), sorted(lost)
    count = len(expected) + len(lost)

    def settled() -> list[Row] | None:
        found = rows(calls.server, call_id)
        return found if len(found) >= count and all(row.is_settled for row in found) else None

    try:
        books = eventually(settled, "an end of what is sent", SETTLE_SECONDS)
    except AssertionError as error:
        raise AssertionError(f"{error}: {rows(calls.server, call_id)}\n{calls.server.log[-6000:]}") from None
    by_id = {row.event_id: row for row in books if row.event_id}
    events = told(calls, room, call_id)
    assert sorted((event["type"], event["sender"]) for event in events) == sorted(
        (event_type, calls.id(who)) for event_type, who in expected
    ), (events, books)
    assert sorted((row.event_type, row.undeliverable) for row in books if row.undeliverable) == lost, books
    assert {event["event_id"] for event in events} == set(by_id), (events, books)
    for row in books:
        assert row.transaction_id == f"{call_id}.{row.event_type}.{row.sender}"
        assert (row.event_id is None) != (row.undeliverable is None), row
        assert row.room_id == room
    for event in events:
        row = by_id[event["event_id"]]
        assert (event["type"], event["sender"], event["content"]) == (row.event_type, row.sender, json.loads(row.content))
        assert row.attempts >= 1 and row.sender_device is not None
        # Synapse tells the device that sent it by which transaction; not if that has signed out since.
        if row.sender_device == calls.accounts["alice"].device_id:
            assert event["unsigned"].get("transaction_id") in (row.transaction_id, None)
    assert not events or events[0]["type"] == INVITE, "nothing of a call goes before its invite"
    for sender in {event["sender"] for event in events}:
        places = [by_id[event["event_id"]].place for event in events if event["sender"] == sender]
        assert places == sorted(places), "in the order of what happened"
    eventually(lambda: sorted(undelivered(calls, call_id, asking)) == lost, f"an audit with {lost}")
    lines = [line for line in calls.server.log.splitlines() if "a room will not be told of a call" in line]
    for event_type, cause in lost:
        said = (f"call={call_id}", f"event={event_type}", f"reason={cause}")
        assert any(all(word in line for word in said) for line in lines), (said, lines)
    return events

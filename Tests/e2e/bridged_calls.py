"""What a room and its clients must agree on after a call whose one side is there, whatever happened to servers meanwhile."""

from matrix_calls import MatrixCalls
from room_events import SETTLE_SECONDS, Row, rows, told
from stock_client import STREAMS, APIClient, StockClient
from test_matrix_bridge import until
from waiting import eventually

MUTE = {STREAMS: {"s": {"purpose": "m.usermedia", "audio_muted": True}}}


def audit(calls: MatrixCalls, call_id: str, who: str) -> list[tuple[str, str | None]]:
    """What happened, and by whom."""
    items = calls.get(f"/api/calls/{call_id}/events?limit=200", who).json()["items"]
    return [(item["kind"], item.get("userId")) for item in items]


def assert_told_once(calls: MatrixCalls, room: str, call_id: str) -> list[dict]:
    """Waits until nothing is to be sent any more. Then the room has each event of ours once, and each sender's in the order of
    what happened. The answer is what the room has of ours."""

    def settled() -> list[Row] | None:
        found = rows(calls.server, call_id)
        return found if all(row.is_settled for row in found) else None

    # A call in which nothing is said to the room has none.
    eventually(lambda: settled() is not None, "an end of what is sent", SETTLE_SECONDS)
    books = rows(calls.server, call_id)
    assert all(row.event_id for row in books), [row for row in books if row.undeliverable]
    ours = [event for event in told(calls, room, call_id) if event["content"]["party_id"].startswith("callrelay-")]
    assert len(ours) == len(books), (ours, books)
    for sender in {row.sender for row in books}:
        of_sender = [event["event_id"] for event in ours if event["sender"] == sender]
        assert of_sender == [row.event_id for row in books if row.sender == sender], "once, and in order"
    # Nor is there a row too many: no candidate is like another, but for the end of each generation's.
    lines = [candidate["candidate"] for event in ours for candidate in event["content"].get("candidates", [])]
    found = [line for line in lines if line]
    assert len(found) == len(set(found)), found
    return ours


def kinds_of(events: list[dict]) -> list[str]:
    return [event["type"].removeprefix("m.call.") for event in events]


def hear_the_end(api: APIClient, stock: StockClient, is_by_room: bool) -> None:
    """Whoever hung up, both know."""
    until([api], lambda: api.ended is not None, "the API's client hears the end")
    assert api.ended["reason"] == "hangup"
    assert (api.ended["by"] == stock.device.user_id) == is_by_room
    if not is_by_room:
        until([stock], lambda: stock.end_reason == "user_hangup", "the room's client hears the end")

"""The bridge while the server, or the homeserver, stops or is killed and comes back: calls go on, or end for both sides."""

import time

import pytest
import requests
from playwright.sync_api import Page

from bridged_calls import MUTE, assert_told_once, audit, hear_the_end, kinds_of
from matrix_calls import MatrixCalls
from nio_client import Device
from room_events import rows, told
from stock_client import STREAMS, APIClient, StockClient
from test_matrix_appservice import HS_TOKEN
from test_matrix_bridge import (  # noqa: F401: fixtures
    called, calls, page, ringing, room, take, talk, talk_when_answered, until,
)  # fmt: skip
from waiting import eventually


def until_ended(calls: MatrixCalls, call_id: str, who: str) -> dict:  # noqa: F811
    """The call, once it is over."""
    return eventually(
        lambda: (call := calls.status(call_id, who))["state"] == "ended" and call, "the end of the call"
    )


# While it rings.


@pytest.mark.parametrize("way", ["stop", "kill"])
def test_an_answer_in_the_room_while_the_server_is_away_is_heard_when_it_is_back(
    calls: MatrixCalls, page: Page, room: str, way: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    getattr(calls.server, way)()
    bob.answer()
    calls.server.start()
    alice.resume(calls.socket("alice"))
    # She offers, and he answers. Whether media flows depends on when his client looked for the relay.
    until([alice, bob], lambda: ("answer", calls.id("bob")) in audit(calls, alice.call_id, "alice"), "his answer")
    assert calls.status(alice.call_id, "alice")["state"] == "active"
    bob.send("hangup", reason="user_hangup")
    hear_the_end(alice, bob, is_by_room=True)
    kinds = kinds_of(assert_told_once(calls, room, alice.call_id))
    assert kinds[:3] == ["invite", "select_answer", "negotiate"] and set(kinds[3:]) <= {"candidates"}


@pytest.mark.parametrize(("way", "when"), [("stop", "before"), ("kill", "before"), ("kill", "meanwhile")])
def test_a_call_of_the_room_is_answered_after_a_restart(
    calls: MatrixCalls, page: Page, room: str, way: str, when: str  # noqa: F811
) -> None:
    """The room's offer waits in the store for whoever joins."""
    alice = StockClient(Device.of(calls.account("alice")), page, room)
    if when == "before":
        alice, _ = called(calls, page, room)
        getattr(calls.server, way)()
    else:
        getattr(calls.server, way)()
        alice.call()
    calls.server.start()
    socket = calls.socket("bob")
    assert socket.wait("call-incoming")["callId"] == alice.call_id
    bob = APIClient(socket, page, alice.call_id, {})
    take(calls, bob)
    until([bob, alice], lambda: alice.other is not None, "the caller's client hears the answer")
    assert calls.status(bob.call_id, "bob")["state"] == "active"
    assert calls.post(f"/api/calls/{bob.call_id}/end", "bob").status_code == 200
    hear_the_end(bob, alice, is_by_room=False)
    kinds = kinds_of(assert_told_once(calls, room, bob.call_id))
    assert (kinds[0], kinds[-1]) == ("answer", "hangup") and set(kinds[1:-1]) <= {"candidates"}


def test_a_caller_in_the_room_who_gave_up_while_the_server_was_away_rings_no_more(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = called(calls, page, room)
    calls.server.kill()
    alice.send("hangup", reason="invite_timeout")
    calls.server.start()
    assert until_ended(calls, alice.call_id, "bob")["endReason"] == "cancelled"
    assert assert_told_once(calls, room, alice.call_id) == []


def test_a_refusal_in_the_room_while_the_server_was_away(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    calls.server.kill()
    bob.send("reject")
    calls.server.start()
    call = until_ended(calls, alice.call_id, "alice")
    assert call["endReason"] == "rejected" and call["endedBy"] == calls.id("bob")
    until([bob], lambda: bob.end_reason is not None, "the callee's other devices hear it")
    assert kinds_of(assert_told_once(calls, room, alice.call_id)) == ["invite", "hangup"]


def test_a_call_whose_time_to_ring_ends_while_the_server_is_away_is_hung_up_afterwards(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    calls.server.settings["CALL_RING_TIMEOUT"], patient = "2s", calls.server.settings["CALL_RING_TIMEOUT"]
    calls.server.kill()
    calls.server.start()
    alice, bob = ringing(calls, page, room)
    calls.server.settings["CALL_RING_TIMEOUT"] = patient
    calls.server.kill()
    time.sleep(2)
    calls.server.start()
    assert until_ended(calls, alice.call_id, "alice")["endReason"] == "missed"
    until([bob], lambda: bob.end_reason == "invite_timeout", "the room's client stops ringing")
    assert kinds_of(assert_told_once(calls, room, alice.call_id)) == ["invite", "hangup"]


# While they talk.


@pytest.mark.parametrize(("way", "who"), [("kill", "the room"), ("stop", "the API")])
def test_a_call_goes_on_after_a_restart_of_the_server(
    calls: MatrixCalls, page: Page, room: str, way: str, who: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    getattr(calls.server, way)()
    # Heard when it is back.
    bob.send("sdp_stream_metadata_changed", **MUTE)
    calls.server.start()
    alice.resume(calls.socket("alice"))
    until([alice, bob], lambda: bool(alice.toggles), "the caller hears of the mute")
    assert alice.toggles[0]["event"] == "audio-toggled" and alice.toggles[0]["enabled"] is False
    assert alice.socket.call("toggle-audio", {"callId": alice.call_id, "enabled": False})["ok"]
    until([alice, bob], lambda: bool(bob.mutes), "the room's client hears of the mute, though all was forgotten")
    assert bob.mutes[0]["content"][STREAMS].keys() == bob.negotiations[0]["content"][STREAMS].keys()
    if who == "the room":
        bob.send("hangup", reason="user_hangup")
    else:
        assert calls.post(f"/api/calls/{alice.call_id}/end", "alice").status_code == 200
    hear_the_end(alice, bob, is_by_room=who == "the room")
    kinds = kinds_of(assert_told_once(calls, room, alice.call_id))
    assert kinds.count("hangup") == (who == "the API") and kinds.count("invite") == kinds.count("negotiate") == 1


def test_a_hangup_in_the_room_while_the_server_is_away_ends_the_call(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    calls.server.stop()
    bob.send("hangup", reason="user_hangup")
    calls.server.start()
    call = until_ended(calls, alice.call_id, "alice")
    assert call["endReason"] == "hangup" and call["endedBy"] == calls.id("bob")
    refused = calls.socket("alice").call("join-call", {"callId": alice.call_id, "afterSeq": alice.last})
    assert refused["code"] == "call_ended"
    assert "hangup" not in kinds_of(assert_told_once(calls, room, alice.call_id))


def test_media_comes_back_after_a_restart_of_their_relay(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    """The client of the API looks for other paths, as the call page does; the room's follows."""
    alice, bob = called(calls, page, room)
    take(calls, bob)
    talk_when_answered(alice, bob)
    calls.server.kill()
    calls.server.start()
    bob.resume(calls.socket("bob"))
    bob.restart_ice()
    heard = alice.stats()["audio"]
    until([alice, bob], lambda: alice.stats()["audio"] > heard + 100, "media again")
    calls.post(f"/api/calls/{bob.call_id}/end", "bob")
    hear_the_end(bob, alice, is_by_room=False)
    kinds = kinds_of(assert_told_once(calls, room, bob.call_id))
    assert kinds.count("answer") == kinds.count("negotiate") == 1



@pytest.mark.parametrize("side", ["caller", "callee"])
def test_a_client_of_the_api_that_was_started_anew_offers_anew(
    calls: MatrixCalls, page: Page, room: str, side: str  # noqa: F811
) -> None:
    """A page that was loaded again after the server was: the room's client is told one offer, and no answer to an old one."""
    if side == "caller":
        api, stock = ringing(calls, page, room)
        stock.answer()
        talk(api, stock)
    else:
        stock, api = called(calls, page, room)
        take(calls, api)
        talk_when_answered(stock, api)
    who = "alice" if side == "caller" else "bob"

    def negotiations() -> list[str]:
        """What the room was told, as types of descriptions."""
        said = [event["content"] for event in told(calls, room, api.call_id) if event["sender"] == calls.id(who)]
        return [content["description"]["type"] for content in said if "description" in content]

    before = negotiations()
    calls.server.kill()
    calls.server.start()
    socket = calls.socket(who)
    joined = socket.call("join-call", {"callId": api.call_id})
    assert joined["ok"]
    fresh = APIClient(socket, page, api.call_id, joined)
    until([fresh], lambda: len(negotiations()) > len(before) and negotiations()[-1] == "offer", "a new offer")
    try:
        assert negotiations() == [*before, "offer"]
        heard = stock.stats()["audio"]
        until([fresh, stock], lambda: stock.stats()["audio"] > heard + 100, "media again")
    finally:
        calls.post(f"/api/calls/{api.call_id}/end", who)



@pytest.mark.parametrize(
    "kinds",
    [("answer", "sdp_stream_metadata_changed"), ("negotiate", "candidates")],
    ids=["answer and mute", "description and candidates"],
)
def test_what_the_homeserver_repeats_after_a_restart_is_not_said_twice(
    calls: MatrixCalls, page: Page, room: str, kinds: tuple[str, ...]  # noqa: F811
) -> None:
    """A transaction was taken, and its answer lost with the server."""
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    bob.send("sdp_stream_metadata_changed", **MUTE)
    until([alice, bob], lambda: bool(alice.toggles), "the mute")
    said = [event for event in told(calls, room, alice.call_id) if event["sender"] == calls.id("bob")]
    said = [event for event in said if event["type"].removeprefix("m.call.") in kinds]
    calls.server.kill()
    calls.server.start()
    alice.resume(calls.socket("alice"))
    repeated = requests.put(
        f"{calls.server.url}/_matrix/app/v1/transactions/again",
        json={"events": [{**event, "room_id": room} for event in said]},
        headers={"Authorization": f"Bearer {HS_TOKEN}"},
        timeout=20,
    )
    assert repeated.status_code == 200, repeated.text
    alice.socket.settle()
    heard = [event for event, _ in alice.socket.received]
    assert calls.status(alice.call_id, "alice")["state"] == "active"
    calls.post(f"/api/calls/{alice.call_id}/end", "alice")
    told_of = {"call-answered", "user-joined", "audio-toggled", "webrtc-offer", "webrtc-answer", "ice-candidate"}
    assert len(said) >= len(kinds) and not told_of & set(heard), heard


# The homeserver.


def test_what_was_said_while_the_homeserver_was_away_is_said_once_when_it_is_back(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    calls.homeserver.kill()
    for enabled in (False, True):
        assert alice.socket.call("toggle-audio", {"callId": alice.call_id, "enabled": enabled})["ok"]
    mutes = [row.place for row in rows(calls.server, alice.call_id) if row.event_type.endswith("metadata_changed")]
    eventually(lambda: next(row for row in rows(calls.server, alice.call_id) if row.place == mutes[0]).attempts, "a try")
    calls.homeserver.start()
    until([alice, bob], lambda: len(bob.mutes) == 2, "both")
    assert [next(iter(mute["content"][STREAMS].values()))["audio_muted"] for mute in bob.mutes] == [True, False]
    # What the room says is heard as before.
    bob.send("sdp_stream_metadata_changed", **MUTE)
    until([alice, bob], lambda: bool(alice.toggles), "the mute")
    assert calls.post(f"/api/calls/{alice.call_id}/end", "alice").status_code == 200
    until([bob], lambda: bob.end_reason == "user_hangup", "the end")
    kinds = kinds_of(assert_told_once(calls, room, alice.call_id))
    assert kinds.count("sdp_stream_metadata_changed") == 2 and kinds[-1] == "hangup"


def test_an_answer_by_the_api_while_the_homeserver_is_away_reaches_the_room(
    calls: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = called(calls, page, room)
    # Rooms that were not asked about yet cannot be while the homeserver is away.
    assert calls.status(bob.call_id, "bob")["state"] == "ringing"
    calls.homeserver.kill()
    take(calls, bob)
    until([bob], lambda: bob.has_peer, "the room's offer, which the server has")
    calls.homeserver.start()
    talk_when_answered(alice, bob)
    alice.send("hangup", reason="user_hangup")
    hear_the_end(bob, alice, is_by_room=True)
    kinds = kinds_of(assert_told_once(calls, room, bob.call_id))
    assert kinds[0] == "answer" and kinds.count("answer") == 1

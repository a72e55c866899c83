"""Calls between a client of the API and one of the homeserver, in the room, that knows nothing of callrelay."""

import time
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from homeserver import Homeserver
from matrix_calls import MatrixCalls, MatrixServer
from nio_client import Device, sign_off
from stock_client import PEERS, APIClient, StockClient
from test_matrix_appservice import TOKENS, homeserver_beside
from waiting import eventually

PATIENCE_SECONDS = 40


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixCalls]:
    """A server and a homeserver that have each other's tokens, and whose clients have one relay."""
    folder = tmp_path_factory.mktemp("bridge")
    server = MatrixServer(folder / "server", Homeserver(folder / "first"), TOKENS)
    homeserver = homeserver_beside(server, folder / "synapse")
    server.settings["MATRIX_HOMESERVER_URL"] = homeserver.url
    with homeserver, server, MatrixCalls(homeserver, server) as calls:
        eventually(lambda: "reaches this server as its application service" in server.log, "the two found each other")
        yield calls


@pytest.fixture
def page(browser: Browser, calls: MatrixCalls) -> Iterator[Page]:
    """A page that may open microphones, with nothing of ours in it."""
    context = browser.new_context(permissions=["camera", "microphone"])
    page = context.new_page()
    page.goto(f"{calls.server.url}/healthz")
    page.evaluate(f"() => {{ {PEERS} }}")
    yield page
    sign_off()
    context.close()


@pytest.fixture
def room(calls: MatrixCalls) -> str:
    return calls.room("alice", "bob")


def ringing(calls: MatrixCalls, page: Page, room: str, **options: object) -> tuple[APIClient, StockClient]:
    """Alice calls by the API; Bob's client in the room rings."""
    is_video = options.get("callType") == "video"
    bob = StockClient(Device.of(calls.account("bob")), page, room, is_video)
    bob.sync()
    socket = calls.socket("alice")
    placed = calls.post("/api/calls/initiate", "alice", {"roomId": room, **options}).json()
    assert socket.call("join-call", {"callId": placed["callId"]})["ok"]
    alice = APIClient(socket, page, placed["callId"], placed, is_video)
    until([bob], lambda: bob.invite is not None, "it rings")
    return alice, bob


def until(clients: list, condition: Callable[[], bool], what: str) -> None:
    """Lets the clients hear and say what there is until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        for client in clients:
            client.pump() if isinstance(client, APIClient) or client.is_talking else client.sync()
        time.sleep(0.05)


def talk(alice: APIClient, bob: StockClient) -> None:
    """Media flows both ways, from relay to relay."""

    def flows() -> bool:
        if not alice.has_peer:
            return False
        before = [alice.stats(), bob.stats()]
        return all(stats["audio"] > 50 and stats["local"] == "relay" for stats in before)

    until([alice, bob], flows, "media both ways")


def test_a_call_is_answered_in_the_room_and_media_flows_through_the_relay(
    calls: MatrixCalls, page: Page, room: str
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    status = calls.status(alice.call_id, "alice")
    assert status["state"] == "active"
    assert {person["state"] for person in status["participants"]} == {"joined"}
    # The relay knows whose bytes the caller's are.
    eventually(
        lambda: calls.participant(alice.call_id, "alice").get("relay", {}).get("bytesSent", 0) > 0, "the caller's bytes"
    )
    told = [event for event in calls.account("bob").timeline(room) if event["sender"] == calls.id("alice")]
    kinds = [event["type"].removeprefix("m.call.") for event in told]
    assert kinds[0] == "invite" and kinds.count("select_answer") == 1 and kinds.count("negotiate") == 1
    chosen = next(event for event in told if event["type"] == "m.call.select_answer")
    assert chosen["content"]["selected_party_id"] == bob.party_id
    lines = [each["candidate"] for event in told for each in event["content"].get("candidates", [])]
    relayed = [line for line in lines if line]
    assert relayed and all(" typ relay raddr 0.0.0.0 rport 0" in line for line in relayed), "no address but the relay's"
    # Bob hangs up.
    bob.send("hangup", reason="user_hangup")
    until([alice], lambda: alice.ended is not None, "the caller hears the end")
    assert alice.ended["reason"] == "hangup" and alice.ended["by"] == calls.id("bob")
    # Nobody says in his name what he said himself.
    own = [event for event in calls.account("bob").timeline(room) if event["type"] == "m.call.hangup"]
    assert [event["content"]["party_id"] for event in own] == [bob.party_id]


def test_the_caller_hangs_up(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = ringing(calls, page, room, callType="video")
    bob.answer()
    talk(alice, bob)
    until([alice, bob], lambda: alice.stats()["video"] > 20 and bob.stats()["video"] > 20, "pictures both ways")
    assert calls.post(f"/api/calls/{alice.call_id}/end", "alice").status_code == 200
    until([bob], lambda: bob.end_reason == "user_hangup", "the room's client hears the end")


def test_mutes_go_both_ways(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    key = "org.matrix.msc3077.sdp_stream_metadata"
    bob.send("sdp_stream_metadata_changed", **{key: {"s": {"purpose": "m.usermedia", "audio_muted": True}}})
    until([alice, bob], lambda: bool(alice.toggles), "the caller hears of the mute")
    assert alice.toggles[0]["event"] == "audio-toggled" and alice.toggles[0]["enabled"] is False
    assert not calls.participant(alice.call_id, "bob", asking="alice")["audioEnabled"]
    assert alice.socket.call("toggle-audio", {"callId": alice.call_id, "enabled": False})["ok"]

    def said() -> list[dict]:
        return [event for event in bob.heard if event["type"] == "m.call.sdp_stream_metadata_changed"]

    until([alice, bob], lambda: bool(said()), "the room's client hears of the mute")
    [stream] = said()[0]["content"][key].values()
    assert stream["purpose"] == "m.usermedia" and stream["audio_muted"] is True
    negotiated = next(event for event in bob.heard if event["type"] == "m.call.negotiate")
    assert negotiated["content"][key].keys() == said()[0]["content"][key].keys()
    calls.post(f"/api/calls/{alice.call_id}/end", "alice")


def test_a_refusal_in_the_room_is_one(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = ringing(calls, page, room)
    bob.send("reject")
    until([alice, bob], lambda: alice.ended is not None, "the caller hears it")
    assert alice.ended["reason"] == "rejected" and alice.ended["by"] == calls.id("bob")
    # Bob's other devices stop ringing by the caller's word.
    until([bob], lambda: bob.end_reason is not None, "the room hears the end")
    rejects = [event for event in calls.account("bob").timeline(room) if event["type"] == "m.call.reject"]
    assert [event["content"]["party_id"] for event in rejects] == [bob.party_id]


def test_a_device_that_gives_up_is_not_everybodys_refusal(calls: MatrixCalls, page: Page, room: str) -> None:
    """Older FluffyChats hang up after a minute of ringing; the user's other devices may still answer."""
    alice, bob = ringing(calls, page, room)
    desk = StockClient(Device.of(calls.account("bob")), page, room, call_id=bob.call_id)
    bob.send("hangup", reason="userHangup")
    time.sleep(1)
    alice.pump()
    assert alice.ended is None and calls.status(alice.call_id, "alice")["state"] == "ringing"
    desk.sync()
    desk.invite, desk.other = bob.invite, bob.other
    desk.answer()
    talk(alice, desk)
    until([bob], lambda: bob.end_reason == "answered elsewhere", "the first one hears who answered")
    # What another device says now is nobody's.
    bob.send("hangup", reason="user_hangup")
    time.sleep(1)
    alice.pump()
    assert alice.ended is None
    calls.post(f"/api/calls/{alice.call_id}/end", "alice")


def test_whoever_answered_by_the_api_was_first(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = ringing(calls, page, room)
    calls.answer(alice.call_id, "bob")
    bob.answer()
    until([bob], lambda: bob.end_reason == "answered elsewhere", "the room's client hears it")
    device = calls.participant(alice.call_id, "bob", asking="alice")["deviceId"]
    assert device == calls.account("bob").device_id
    calls.post(f"/api/calls/{alice.call_id}/end", "alice")


def test_a_caller_who_comes_back_afresh_makes_a_new_offer(calls: MatrixCalls, page: Page, room: str) -> None:
    """A page that was reloaded: the room's client is there for it as if it had come now."""
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    alice.socket.disconnect()
    again = calls.socket("alice")
    joined = again.call("join-call", {"callId": alice.call_id})
    assert joined["ok"] and [peer["userId"] for peer in joined["peers"]] == [calls.id("bob")]
    fresh = APIClient(again, page, alice.call_id, joined)
    until([fresh, bob], lambda: fresh.has_peer, "it is told that Bob is there")
    until([fresh, bob], lambda: len([e for e in bob.heard if e["type"] == "m.call.negotiate"]) == 2, "a new offer")
    calls.post(f"/api/calls/{alice.call_id}/end", "alice")


def test_strangers_and_echoes_are_passed_over(calls: MatrixCalls, page: Page) -> None:
    room = calls.room("alice", "bob", "carol")
    bob = StockClient(Device.of(calls.account("bob")), page, room)
    bob.sync()
    socket = calls.socket("alice")
    call_id = calls.initiate("alice", room, ["bob"])
    assert socket.call("join-call", {"callId": call_id})["ok"]
    until([bob], lambda: bob.invite is not None, "it rings")
    carol = StockClient(Device.of(calls.account("carol")), page, room, call_id=call_id)
    for who in (carol, StockClient(Device.of(calls.account("alice")), page, room, call_id=call_id)):
        who.send("answer", answer={"type": "answer", "sdp": "v=0"})
        who.send("reject"), who.send("hangup", reason="user_busy")
        who.send("candidates", candidates=[{"candidate": "x"}])
    elsewhere = calls.room("bob", "carol")
    StockClient(Device.of(calls.account("bob")), page, elsewhere, call_id=call_id).send("reject")
    for content in ({}, {"call_id": 5}, {"call_id": call_id}, {"call_id": call_id, "party_id": "x" * 300}):
        calls.account("bob").send(room, "m.call.answer", content)
    # What was said before this has been heard when this has.
    bob.send("reject")
    ended = socket.wait("call-ended")
    assert ended["reason"] == "rejected" and ended["by"] == calls.id("bob")


# Calls that begin in the room.


def called(calls: MatrixCalls, page: Page, room: str, **options: object) -> tuple[StockClient, APIClient]:
    """Alice calls by a client of the room; Bob's client of the API rings."""
    socket = calls.socket("bob")
    alice = StockClient(Device.of(calls.account("alice")), page, room, bool(options.pop("video", False)))
    call_id = alice.call(**options)
    incoming = socket.wait("call-incoming", lambda payload: payload["callId"] == call_id)["call"]
    assert incoming["createdBy"] == calls.id("alice") and incoming["roomId"] == room
    assert incoming["callType"] == ("video" if alice.video else "voice")
    return alice, APIClient(socket, page, call_id, {}, alice.video)


def take(calls: MatrixCalls, bob: APIClient) -> None:
    bob.ice = calls.answer(bob.call_id, "bob")
    assert bob.socket.call("join-call", {"callId": bob.call_id})["ok"]


def said_by(calls: MatrixCalls, who: str, room: str) -> list[str]:
    told = calls.account(who).timeline(room)
    return [event["type"].removeprefix("m.call.") for event in told if event["sender"] == calls.id(who)]


@pytest.mark.parametrize("named", [True, False], ids=["with an invitee", "without"])
@pytest.mark.parametrize("video", [True, False], ids=["video", "voice"])
def test_a_call_of_the_room_is_answered_by_the_api(
    calls: MatrixCalls, page: Page, room: str, named: bool, video: bool
) -> None:
    alice, bob = called(calls, page, room, video=video, **({"invitee": calls.id("bob")} if named else {}))
    take(calls, bob)
    until([bob, alice], lambda: alice.other is not None, "the caller's client hears the answer")
    talk(bob, alice)
    if video:
        until([alice, bob], lambda: alice.stats()["video"] > 20 and bob.stats()["video"] > 20, "pictures both ways")
    assert calls.status(bob.call_id, "bob")["state"] == "active"
    said = said_by(calls, "bob", room)
    assert said.count("answer") == 1 and set(said) == {"answer", "candidates"}
    alice.send("hangup", reason="user_hangup")
    until([bob], lambda: bob.ended is not None, "the API's client hears the end")
    assert bob.ended["reason"] == "hangup" and bob.ended["by"] == calls.id("alice")
    assert said_by(calls, "alice", room).count("hangup") == 1 and "hangup" not in said_by(calls, "bob", room)


def test_the_callee_hangs_up(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = called(calls, page, room)
    take(calls, bob)
    talk_when_answered(alice, bob)
    assert calls.post(f"/api/calls/{bob.call_id}/end", "bob").status_code == 200
    until([alice], lambda: alice.end_reason == "user_hangup", "the caller's client hears it")


def talk_when_answered(alice: StockClient, bob: APIClient) -> None:
    until([bob, alice], lambda: alice.other is not None, "the caller's client hears the answer")
    talk(bob, alice)


def test_the_callee_refuses(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = called(calls, page, room)
    assert calls.post(f"/api/calls/{bob.call_id}/reject", "bob").status_code == 200
    until([alice], lambda: alice.end_reason == "rejected", "the caller's client hears it")
    assert said_by(calls, "bob", room) == ["reject"] and said_by(calls, "alice", room)[0] == "invite"


def test_the_caller_gives_up(calls: MatrixCalls, page: Page, room: str) -> None:
    alice, bob = called(calls, page, room)
    alice.send("hangup", reason="invite_timeout")
    until([bob], lambda: bob.ended is not None, "it rings no more")
    assert bob.ended["reason"] == "cancelled" and said_by(calls, "bob", room) == []


def test_another_device_answered_in_the_room(calls: MatrixCalls, page: Page, room: str) -> None:
    phone = StockClient(Device.of(calls.account("bob")), page, room)
    phone.sync()
    alice, bob = called(calls, page, room, invitee=calls.id("bob"))
    until([phone], lambda: phone.invite is not None, "the phone rings")
    phone.answer()
    answered = bob.socket.wait("call-answered")
    assert answered["deviceId"] == f"room/{phone.party_id}"
    late = calls.post(f"/api/calls/{bob.call_id}/answer", "bob")
    assert (late.status_code, late.json()["code"]) == (409, "answered_elsewhere")
    # The two go on by themselves, and their clients go without a word. Bob, who calls again, is not in that call any more.
    until([alice, phone], lambda: alice.other is not None, "they talk")
    again = calls.post("/api/calls/initiate", "bob", {"roomId": room})
    assert again.status_code == 201, again.text
    calls.post(f"/api/calls/{again.json()['callId']}/end", "bob")


def test_of_two_calls_at_the_same_time_the_lesser_id_stays(calls: MatrixCalls, page: Page, room: str) -> None:
    socket = calls.socket("bob")
    alice = StockClient(Device.of(calls.account("alice")), page, room)
    # "-" comes before all that ids are made of, "z" after most.
    first = calls.initiate("bob", room)
    alice.call(call_id="z" * 24)
    eventually(lambda: len(calls.account("bob").timeline(room)) >= 2, "both are in the room")
    time.sleep(1)
    assert calls.status(first, "bob")["state"] == "ringing"
    lesser = "-" * 24
    StockClient(Device.of(calls.account("alice")), page, room).call(call_id=lesser)
    incoming = socket.wait("call-incoming", lambda payload: payload["callId"] == lesser)
    assert incoming["call"]["createdBy"] == calls.id("alice")
    assert socket.wait("call-ended", lambda payload: payload["callId"] == first)["reason"] == "cancelled"
    calls.post(f"/api/calls/{lesser}/reject", "bob")


def test_what_is_no_call_rings_nowhere(calls: MatrixCalls, page: Page, room: str) -> None:
    socket = calls.socket("bob")
    account = calls.account("alice")
    offer = {"type": "offer", "sdp": "v=0"}
    for content in (
        {"call_id": "late", "lifetime": 1, "offer": offer}, {"call_id": "no-offer", "lifetime": 60000},
        {"call_id": "no-lifetime", "offer": offer}, {"call_id": "group", "conf_id": "c", "lifetime": 60000, "offer": offer},
        {"call_id": "a b/c", "lifetime": 60000, "offer": offer}, {"call_id": "x" * 200, "lifetime": 60000, "offer": offer},
        {"call_id": "for-a-stranger", "lifetime": 60000, "offer": offer, "invitee": "@nobody:localhost"},
        {"call_id": "for-himself", "lifetime": 60000, "offer": offer, "invitee": account.user_id},
        {"call_id": "odd", "lifetime": 60000, "offer": offer, "invitee": 5},
    ):  # fmt: skip
        account.send(room, "m.call.invite", {"version": "1", "party_id": "p", **content})
    account.send(room, "m.call.invite", {"call_id": "at-last", "party_id": "p", "lifetime": 60000, "offer": offer})
    assert socket.wait("call-incoming")["callId"] == "at-last"
    calls.post("/api/calls/at-last/reject", "bob")

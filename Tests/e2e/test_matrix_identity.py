"""The matrix mode with a real Synapse: whose a token is, who is in a room, and what follows when either ends.

What takes the server up to a minute to notice is waited for at once: all such tests begin together, and each looks at
what came of it. No log has a token of anybody, at the most talkative level: every server here is looked at for that.
"""

import base64
import copy
import json
import re
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
import requests
import socketio
from websockets.exceptions import ConnectionClosed

from engineio_wire import Endpoint
from homeserver import CLIENT, Account, Homeserver
from matrix_calls import MatrixCalls, MatrixServer, Who
from other_homeserver import USERINFO, OtherHomeserver
from ports import free_port
from shared_wait import SharedWait
from signaling_client import AsyncClient, SignalingClient
from test_bad_input import ACTS, assert_problem
from turn_client import TurnClient
from turnutils import echo_peer, uclient
from waiting import eventually

# Within which the server has noticed that a token or a membership is no more.
MINUTE = 60
# For so long the server takes what the homeserver said as true.
REMEMBERED = 30
# For which a token is good that has to be refreshed: less than the server remembers it.
SHORT = 20
# For so long a client may take to bring another token.
PATIENCE = 5

OFFER = {"type": "offer", "sdp": "v=0\r\n"}
ANSWER = {"type": "answer", "sdp": "v=0\r\n"}
CANDIDATE = {"candidate": "candidate:1 1 udp 1 192.0.2.1 9 typ host", "sdpMid": "0"}

UNKNOWN_TOKEN = "syt_bm9ib2R5_abcdefghijklmnopqrst_0aBcDe"
OPENID = "/api/auth/openid"
OTHER_NAME = "other.test"


@pytest.fixture(scope="module")
def synapse(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """With guests, and tokens that have to be refreshed for whoever asks for them."""
    settings = {"refreshable_access_token_lifetime": f"{SHORT}s", "overrides": {"allow_guest_access": True}}
    with Homeserver(tmp_path_factory.mktemp("synapse"), **settings) as running:
        yield running
        running.stop()


@pytest.fixture(scope="module")
def other() -> Iterator[OtherHomeserver]:
    """The one foreign homeserver that is listed."""
    with OtherHomeserver() as running:
        yield running


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, synapse: Homeserver, other: OtherHomeserver):
    """The server of most tests. Whoever asks may say from where."""
    settings = {"MATRIX_OPENID_SERVERS": f"{OTHER_NAME}={other.url}", "HTTP_TRUSTED_PROXIES": "127.0.0.1/32"}
    with MatrixServer(tmp_path_factory.mktemp("matrix"), synapse, settings) as running:
        yield running


@pytest.fixture
def calls(synapse: Homeserver, own_server: MatrixServer) -> Iterator[MatrixCalls]:
    with MatrixCalls(synapse, own_server) as calls:
        yield calls


# Tests that wait for the server to notice something.

shares_the_wait = SharedWait()


@pytest.fixture(scope="module", autouse=True)
def under_way(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    synapse: Homeserver,
    own_server: MatrixServer,
) -> Iterator[dict[str, Future]]:
    @contextmanager
    def given() -> Iterator[dict[str, object]]:
        with MatrixCalls(synapse, own_server) as calls:
            yield {"calls": calls, "folder": tmp_path_factory.mktemp("scenario")}

    with shares_the_wait.begun(request, given) as futures:
        yield futures


def refused_socket(calls: MatrixCalls, token: str) -> dict:
    """What a socket is told that is not let in."""
    client = AsyncClient(calls.server.url, "nobody", token=token)
    try:
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect()
    finally:
        client.disconnect()
    [refusal] = client.refusals
    return refusal["data"]


def assert_refused(acknowledgement: dict, code: str) -> None:
    assert (acknowledgement["ok"], acknowledgement["code"]) == (False, code), acknowledgement


# Tokens.


def test_no_token_and_an_unknown_one_are_401(calls: MatrixCalls) -> None:
    assert_problem(calls.get("/api/calls/active", None), 401, "missing_token")
    response = calls.get("/api/calls/active", None, token=calls.secret(UNKNOWN_TOKEN))
    problem = assert_problem(response, 401, "invalid_token")
    assert (problem["errcode"], problem["soft_logout"]) == ("M_UNKNOWN_TOKEN", False)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    told = refused_socket(calls, UNKNOWN_TOKEN)
    assert told == {"code": "invalid_token", "errcode": "M_UNKNOWN_TOKEN", "soft_logout": False}

    # Nor does one in the query count, but for Matrix clients' own request.
    path = f"/api/calls/active?access_token={calls.token('alice')}"
    assert_problem(calls.get(path, None), 401, "missing_token")

    # What could be no token at all, and what is one of the dev mode.
    for token in ("a b", "dev:@alice:localhost", f"dev:{calls.id('alice')}", "a" * 8000):
        assert_problem(calls.get("/api/calls/active", None, token=token), 401, "invalid_token")


def test_a_token_says_who_acts(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    body = {"roomId": room, "userId": calls.id("bob")}
    assert_problem(calls.post("/api/calls/initiate", "alice", body), 403, "user_mismatch")
    call_id = calls.initiate("alice", room, userId=calls.id("alice"))
    assert calls.status(call_id, "alice")["createdBy"] == calls.id("alice")


@shares_the_wait
def test_the_token_of_a_log_out_is_refused_within_a_minute(calls: MatrixCalls) -> None:
    alice = calls.account("alice")
    assert calls.get("/api/calls/active", alice).status_code == 200
    alice.logout()
    problem = eventually(lambda: refused(calls, alice), "the refusal", MINUTE)
    assert (problem["errcode"], problem["soft_logout"]) == ("M_UNKNOWN_TOKEN", False)


@shares_the_wait
def test_an_expired_token_is_refused_softly_and_the_refreshed_one_is_good_at_once(calls: MatrixCalls) -> None:
    calls.account("alice")
    alice = calls.login("alice", refresh_token=True)
    path = f"{CLIENT}/account/whoami"
    eventually(lambda: synapse_refuses(calls.homeserver, path, alice), "the end of the token", MINUTE)
    problem = eventually(lambda: refused(calls, alice), "the refusal")
    assert (problem["errcode"], problem["soft_logout"]) == ("M_UNKNOWN_TOKEN", True)
    old = alice.access_token
    assert calls.refresh(alice) != old
    assert calls.get("/api/calls/active", alice).status_code == 200


def refused(calls: MatrixCalls, who: Who) -> dict | None:
    response = calls.get("/api/calls/active", who)
    return None if response.status_code == 200 else assert_problem(response, 401, "invalid_token")


def synapse_refuses(homeserver: Homeserver, path: str, account: Account) -> bool:
    headers = {"Authorization": f"Bearer {account.access_token}"}
    return requests.get(homeserver.url + path, headers=headers, timeout=30).status_code == 401


def test_guests_are_refused(calls: MatrixCalls) -> None:
    guest = calls.homeserver.request("POST", f"{CLIENT}/register?kind=guest", {})
    token = calls.secret(guest["access_token"])
    assert_problem(calls.get("/api/calls/active", None, token=token), 403, "guest_access_forbidden")
    body = {"roomId": calls.room("alice", "bob")}
    assert_problem(calls.post("/api/calls/initiate", None, body, token=token), 403, "guest_access_forbidden")
    assert refused_socket(calls, token) == {"code": "guest_access_forbidden"}
    answer = turn_server(calls, token)
    assert (answer.status_code, answer.json()["errcode"]) == (403, "M_GUEST_ACCESS_FORBIDDEN")


# A call.


def test_a_call_from_its_start_to_its_history(calls: MatrixCalls) -> None:
    """Without invitees: all who are in the room. The devices are those that the tokens were given to."""
    room = calls.room("alice", "bob")
    alice, bob = calls.account("alice"), calls.account("bob")
    a, b = calls.socket("alice"), calls.socket("bob")
    response = calls.post("/api/calls/initiate", "alice", {"roomId": room, "callType": "video"})
    assert response.status_code == 201, response.text
    call = response.json()
    call_id = call["callId"]
    assert (call["roomId"], call["createdBy"], call["state"]) == (room, alice.user_id, "ringing")
    assert [entry for entry in call["iceServers"] if "credential" in entry]
    assert b.wait("call-incoming")["call"]["callId"] == call_id

    assert a.call("join-call", {"callId": call_id})["ok"]
    assert calls.answer(call_id, "bob")["state"] == "connecting"
    answered = a.wait("call-answered")
    assert (answered["userId"], answered["deviceId"]) == (bob.user_id, bob.device_id)
    joined = b.call("join-call", {"callId": call_id})
    assert joined["ok"] and joined["call"]["state"] == "active"
    assert a.wait("user-joined")["userId"] == bob.user_id
    devices = {person["userId"]: person["deviceId"] for person in calls.status(call_id, "bob")["participants"]}
    assert devices == {person.user_id: person.device_id for person in (alice, bob)}

    assert a.call("webrtc-offer", {"callId": call_id, "offer": OFFER})["delivered"]
    offer = b.wait("webrtc-offer")
    assert (offer["from"], offer["fromDevice"], offer["offer"]) == (alice.user_id, alice.device_id, OFFER)
    assert b.call("webrtc-answer", {"callId": call_id, "answer": ANSWER})["delivered"]
    assert a.wait("webrtc-answer")["answer"] == ANSWER
    for sender, receiver in ((a, b), (b, a)):
        assert sender.call("ice-candidate", {"callId": call_id, "candidate": CANDIDATE})["delivered"]
        assert receiver.wait("ice-candidate")["candidate"] == CANDIDATE
    assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"]
    assert b.wait("audio-toggled")["userId"] == alice.user_id
    assert calls.post(f"/api/calls/{call_id}/toggle-video", "bob", {"enabled": False}).status_code == 200
    assert a.wait("video-toggled")["userId"] == bob.user_id

    assert calls.post(f"/api/calls/{call_id}/end", "bob").json()["endReason"] == "hangup"
    for peer in (a, b):
        assert peer.wait("call-ended")["by"] == bob.user_id
    for who in ("alice", "bob"):
        [past] = calls.get("/api/calls/history", who).json()["items"]
        assert (past["callId"], past["endReason"], past["endedBy"]) == (call_id, "hangup", bob.user_id)
    rows = calls.get(f"/api/calls/{call_id}/events", "alice").json()["items"]
    assert (rows[0]["kind"], rows[0]["userId"]) == ("initiated", alice.user_id)


def test_whoever_is_no_member_may_do_nothing(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    calls.account("carol")
    c = calls.socket("carol")
    # Of nothing that is in her way she may have a part: neither of one that rings, nor of one that is active.
    b, a = calls.socket("bob"), calls.socket("alice")
    for act in ("ring", "join"):
        if act == "ring":
            call_id = calls.initiate("alice", room)
        else:
            calls.answer(call_id, "bob")
            assert all(client.call("join-call", {"callId": call_id})["ok"] for client in (a, b))
        before = calls.status(call_id, "alice")
        for name, (method, body) in ACTS.items():
            path = f"/api/calls/{call_id}/{name}"
            problem = assert_problem(calls.request(method, path, "carol", body), 403)
            assert problem["code"] in ("forbidden", "not_in_room"), name
            assert_problem(calls.request(method, path, None, body), 401, "missing_token")
            unknown = calls.request(method, path, None, body, token=UNKNOWN_TOKEN)
            assert_problem(unknown, 401, "invalid_token")
        assert c.call("join-call", {"callId": call_id})["code"] in ("forbidden", "not_in_room")
        offer = c.call("webrtc-offer", {"callId": call_id, "offer": OFFER})
        assert offer["ok"] is False and offer["code"] in ("forbidden", "not_in_room"), offer
        assert calls.status(call_id, "alice") == before, "nothing has changed"

    initiate = "/api/calls/initiate"
    assert_problem(calls.post(initiate, "carol", {"roomId": room}), 403, "not_in_room")
    assert_problem(calls.post(initiate, "carol", {"roomId": "!nowhere:localhost"}), 403, "not_in_room")
    assert_problem(calls.post(initiate, "carol", {"roomId": "../../account/whoami"}), 403, "not_in_room")
    assert_problem(calls.post(initiate, None, {"roomId": room}), 401, "missing_token")
    c.settle()
    assert c.received == [] and calls.get("/api/calls/history", "carol").json()["items"] == []
    assert calls.get("/api/calls/active", "carol").json()["calls"] == []


def test_calls_ring_for_members_only(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    calls.account("carol")
    for invitees in (["carol"], ["bob", "carol"], ["nobody"]):
        body = {"roomId": room, "group": True, "invitees": [calls.id(who) for who in invitees]}
        assert_problem(calls.post("/api/calls/initiate", "alice", body), 422, "invitee_not_in_room")
    # Neither is who was asked in and has not come yet.
    calls.account("alice").invite(room, calls.id("carol"))
    body = {"roomId": room, "invitees": [calls.id("carol")]}
    assert_problem(calls.post("/api/calls/initiate", "alice", body), 422, "invitee_not_in_room")
    assert_problem(calls.post("/api/calls/initiate", "carol", {"roomId": room}), 403, "not_in_room")
    call_id = calls.initiate("alice", room)
    assert {person["userId"] for person in calls.status(call_id, "bob")["participants"]} == {
        calls.id("alice"),
        calls.id("bob"),
    }
    # Who came later is a member, and not of the audience.
    calls.account("carol").join(room)
    assert_problem(calls.get(f"/api/calls/{call_id}/status", "carol"), 403, "forbidden")
    calls.post(f"/api/calls/{call_id}/end", "alice")
    again = eventually(lambda: initiated(calls, "carol", room), "that she counts as one who is in the room")
    assert len(again["participants"]) == 3


def initiated(calls: MatrixCalls, who: Who, room: str) -> dict | None:
    """For the whole room. That somebody was no member is remembered for a moment."""
    response = calls.post("/api/calls/initiate", who, {"roomId": room, "group": True})
    if response.status_code == 403:
        return None
    assert response.status_code == 201, response.text
    return response.json()


# Out of the room.


def wait_of(call_id: str, client: SignalingClient, event: str) -> dict:
    """What the client hears of this call within a minute."""
    return client.wait(event, lambda payload: payload["callId"] == call_id, MINUTE)


@shares_the_wait
def test_whoever_leaves_the_room_loses_the_place_in_a_call_of_two(calls: MatrixCalls) -> None:
    a, b = calls.socket("alice"), calls.socket("bob")
    alice, bob = calls.account("alice"), calls.account("bob")
    clients = {"alice": a, "bob": b}
    # Who goes, and how.
    ways: dict[str, tuple[str, Callable[[str], None]]] = {
        "kick": ("bob", lambda room: alice.kick(room, bob.user_id)),
        "ban": ("bob", lambda room: alice.ban(room, bob.user_id)),
        "leave": ("bob", bob.leave),
        "the caller leaves": ("alice", alice.leave),
    }
    rooms = {way: calls.room("alice", "bob") for way in ways}
    call_ids = {way: calls.active_call(rooms[way], ("alice", a), ("bob", b)) for way in ways}
    for way, (_, act) in ways.items():
        act(rooms[way])
    for way, (gone, _) in ways.items():
        call_id, body = call_ids[way], {"roomId": rooms[way]}
        [left] = {"alice", "bob"} - {gone}
        heard = wait_of(call_id, clients[left], "call-ended")
        assert (heard["reason"], heard["by"]) == ("left", calls.id(gone)), way
        for name, (method, act_body) in ACTS.items():
            response = calls.request(method, f"/api/calls/{call_id}/{name}", gone, act_body)
            assert_problem(response, 403, "not_in_room")
        assert_problem(calls.post("/api/calls/initiate", gone, body), 403, "not_in_room")
        assert_refused(clients[gone].call("join-call", {"callId": call_id}), "not_in_room")
        assert calls.status(call_id, left)["endReason"] == "left"


@shares_the_wait
def test_a_group_call_goes_on_without_whoever_was_kicked(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob", "carol")
    a, b, c = (calls.socket(who) for who in ("alice", "bob", "carol"))
    call_id = calls.active_call(room, ("alice", a), ("bob", b), ("carol", c), group=True)
    calls.account("alice").kick(room, calls.id("carol"))
    for client in (a, b):
        heard = wait_of(call_id, client, "user-left")
        assert heard["userId"] == calls.id("carol")
    assert_problem(calls.get(f"/api/calls/{call_id}/status", "carol"), 403, "not_in_room")
    assert_problem(calls.post(f"/api/calls/{call_id}/answer", "carol"), 403, "not_in_room")
    assert_refused(c.call("join-call", {"callId": call_id}), "not_in_room")
    assert_refused(c.call("ice-candidate", {"callId": call_id, "candidate": CANDIDATE}), "not_in_room")

    assert calls.status(call_id, "bob")["state"] == "active"
    assert calls.participant(call_id, "carol", asking="bob")["state"] == "left"
    c.settle(), c.received.clear()
    assert a.call("webrtc-offer", {"callId": call_id, "offer": OFFER})["delivered"]
    assert b.wait("webrtc-offer")["from"] == calls.id("alice")
    c.settle()
    assert c.received == [], "it is nothing to her any more"


@shares_the_wait
def test_a_call_rings_no_longer_for_whoever_was_kicked(calls: MatrixCalls) -> None:
    pair, group = calls.room("alice", "bob"), calls.room("alice", "bob", "carol")
    a, b, c = (calls.socket(who) for who in ("alice", "bob", "carol"))
    for_two = calls.initiate("alice", pair)
    for_all = calls.initiate("alice", group, group=True)
    assert wait_of(for_two, b, "call-incoming") and wait_of(for_all, c, "call-incoming")
    calls.account("alice").kick(pair, calls.id("bob"))
    calls.account("alice").kick(group, calls.id("carol"))

    assert wait_of(for_two, b, "call-ended")["reason"] == "rejected"
    assert wait_of(for_two, a, "call-ended")["by"] == calls.id("bob")
    eventually(
        lambda: calls.participant(for_all, "carol", asking="alice")["state"] == "rejected", "an end of it", MINUTE
    )
    assert calls.participant(for_all, "bob", asking="alice")["state"] == "ringing"
    assert calls.status(for_all, "bob")["state"] == "ringing"
    for call_id, who in ((for_two, "bob"), (for_all, "carol")):
        assert_problem(calls.post(f"/api/calls/{call_id}/answer", who), 403, "not_in_room")


@shares_the_wait
def test_users_by_openid_lose_their_place_too(calls: MatrixCalls) -> None:
    """There is no token to ask the homeserver with but the other member's."""
    room = calls.room("alice", "bob")
    token = session(calls, "bob")
    a, b = calls.socket("alice"), calls.socket("bob", token=token)
    call_id = calls.initiate("alice", room)
    assert a.call("join-call", {"callId": call_id})["ok"]
    calls.answer(call_id, "bob", token=token)
    assert b.call("join-call", {"callId": call_id})["ok"]
    calls.account("alice").kick(room, calls.id("bob"))
    heard = a.wait("call-ended", seconds=MINUTE)
    assert (heard["reason"], heard["by"]) == ("left", calls.id("bob"))
    assert_problem(calls.get(f"/api/calls/{call_id}/status", None, token=token), 403, "not_in_room")


# Sockets and their tokens.


@shares_the_wait
def test_the_socket_of_a_revoked_token_is_told_and_closed(calls: MatrixCalls) -> None:
    first = calls.account("alice")
    second = calls.login("alice")
    gone, staying = calls.socket(first), calls.socket(second)
    deadline = time.monotonic() + MINUTE
    first.logout()
    told = gone.wait("token-rejected", seconds=MINUTE)
    assert told == {"code": "invalid_token", "errcode": "M_UNKNOWN_TOKEN", "soft_logout": False}
    eventually(lambda: not gone.is_connected, "the end of the socket", deadline - time.monotonic())
    assert refused_socket(calls, first.access_token)["code"] == "invalid_token"
    staying.settle()
    assert staying.is_connected and staying.received == []
    assert calls.get("/api/calls/active", second).status_code == 200


@shares_the_wait
def test_a_socket_stays_with_another_token_of_its_user(calls: MatrixCalls) -> None:
    """One brings it when it is told, one before, and one never."""
    room = calls.room("bob", "alice")
    b = calls.socket("bob")
    deadline = time.monotonic() + MINUTE + SHORT
    renewing, early, late = (calls.login("alice", refresh_token=True) for _ in range(3))
    a, ahead, idle = (calls.socket(device) for device in (renewing, early, late))
    assert ahead.call("authenticate", {"token": calls.account("alice").access_token})["ok"]
    call_id = calls.active_call(room, ("bob", b), (renewing, a))
    mute = {"callId": call_id, "enabled": False}

    told = a.wait("token-rejected", seconds=MINUTE + SHORT)
    assert told == {"code": "invalid_token", "errcode": "M_UNKNOWN_TOKEN", "soft_logout": True}
    assert_refused(a.call("toggle-audio", mute), "invalid_token")
    assert_refused(a.call("ice-candidate", {"callId": call_id, "candidate": CANDIDATE}), "invalid_token")
    assert_refused(a.call("join-call", {"callId": call_id}), "invalid_token")
    assert_refused(a.call("authenticate", {"token": calls.account("bob").access_token}), "user_mismatch")
    assert_refused(a.call("toggle-audio", mute), "invalid_token")
    assert a.call("authenticate", {"token": calls.refresh(renewing)})["ok"]
    assert a.call("toggle-audio", mute)["ok"]
    assert b.wait("audio-toggled")["userId"] == calls.id("alice")

    assert idle.wait("token-rejected", seconds=deadline - time.monotonic())["soft_logout"] is True
    eventually(lambda: not idle.is_connected, "the end of the socket", deadline - time.monotonic())
    # As much later as it would have been put out.
    time.sleep(PATIENCE + 1)
    assert a.is_connected and b.seen("user-left") == []
    ahead.settle()
    assert ahead.is_connected and ahead.seen("token-rejected") == []


@shares_the_wait
def test_the_socket_of_a_session_that_ends_is_told_and_closed(calls: MatrixCalls) -> None:
    """The homeserver has no word in it."""
    token = log_in(calls, calls.account("alice").openid_token(), expires_in=SHORT).json()["token"]
    client = calls.socket("alice", token=token)
    assert client.wait("token-rejected", seconds=MINUTE) == {"code": "invalid_token"}
    eventually(lambda: not client.is_connected, "the end of the socket", MINUTE)


def test_a_socket_takes_no_token_of_another_user(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    a, b = calls.socket("alice"), calls.socket("bob")
    call_id = calls.active_call(room, ("alice", a), ("bob", b))
    assert_refused(a.call("authenticate", {"token": calls.account("bob").access_token}), "user_mismatch")
    assert_refused(a.call("authenticate", {"token": UNKNOWN_TOKEN}), "invalid_token")
    # It is whose it was.
    assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"]
    assert b.wait("audio-toggled")["userId"] == calls.id("alice")
    assert a.call("authenticate", {"token": calls.login("alice").access_token})["ok"]


# Without the homeserver.

TROUBLE_BEGINS, TROUBLE_ENDS = "the homeserver does not answer", "the homeserver answers again"


@dataclass
class Outage:
    """How long the acts of a socket took meanwhile, and how long it took afterwards to let in somebody new."""

    acts: list[float]
    recovery: float


@shares_the_wait
def test_whoever_was_known_goes_on_while_the_homeserver_is_away(folder: Path) -> Outage:
    """Nobody new is let in meanwhile."""
    with (
        Homeserver(folder / "synapse") as synapse,
        MatrixServer(folder / "server", synapse) as server,
        MatrixCalls(synapse, server) as calls,
    ):
        room = calls.room("alice", "bob")
        unasked = calls.room("alice", "bob")
        a, b = calls.socket("alice"), calls.socket("bob")
        call_id = calls.active_call(room, ("alice", a), ("bob", b))
        stranger = calls.account("carol").access_token
        assert (server.log.count(TROUBLE_BEGINS), server.log.count(TROUBLE_ENDS)) == (0, 0)

        synapse.kill()
        assert_going_on(calls, call_id, a, b)
        assert_strangers_wait(calls, stranger)
        assert server.log.count(TROUBLE_BEGINS) == 1
        problem = calls.post("/api/calls/initiate", "alice", {"roomId": unasked})
        assert_problem(problem, 503, "homeserver_unavailable")
        assert "Retry-After" in problem.headers
        # What the homeserver said last has to be asked again by now, and holds since there is no answer.
        time.sleep(REMEMBERED + 1)
        acts, until = [], time.monotonic() + 12
        while time.monotonic() < until:
            acts.append(seconds_of(lambda: toggle(b, call_id)))
            time.sleep(0.5)
        assert_going_on(calls, call_id, a, b)
        assert a.is_connected and b.is_connected
        assert (server.log.count(TROUBLE_BEGINS), server.log.count(TROUBLE_ENDS)) == (1, 0)

        synapse.start()
        recovery = seconds_of(lambda: eventually(lambda: active(calls, stranger).ok, "that it is let in", MINUTE))
        assert calls.socket("carol").is_connected
        assert calls.post("/api/calls/initiate", "alice", {"roomId": unasked}).status_code == 201
        assert (server.log.count(TROUBLE_BEGINS), server.log.count(TROUBLE_ENDS)) == (1, 1)
        assert_going_on(calls, call_id, a, b)
        return Outage(acts, recovery)


def assert_going_on(calls: MatrixCalls, call_id: str, a: SignalingClient, b: SignalingClient) -> None:
    """By REST and by sockets, in a call that both are in."""
    assert a.call("webrtc-offer", {"callId": call_id, "offer": OFFER})["delivered"]
    assert b.wait("webrtc-offer")["from"] == calls.id("alice")
    assert calls.post(f"/api/calls/{call_id}/toggle-audio", "bob", {"enabled": True}).status_code == 200
    assert a.wait("audio-toggled")["userId"] == calls.id("bob")
    assert calls.status(call_id, "alice")["state"] == "active"
    assert calls.get("/api/calls/active", "bob").json()["calls"]
    assert turn_server(calls, calls.token("alice")).status_code == 200


def assert_strangers_wait(calls: MatrixCalls, token: str) -> None:
    response = calls.get("/api/calls/active", None, token=token)
    assert_problem(response, 503, "auth_unavailable")
    assert int(response.headers["Retry-After"]) > 0
    assert turn_server(calls, token).status_code == 503
    endpoint = Endpoint(SimpleNamespace(port=calls.server.http_port), "/socket.io/")
    # A client that is refused would not come again; one whose connection ends does.
    connection, _ = endpoint.open_websocket()
    connection.send(f'40{{"token":"{token}"}}')
    with pytest.raises(ConnectionClosed):
        while (packet := connection.recv(timeout=30)) == "2":
            connection.send("3")
        raise AssertionError(f"told {packet}")
    opened = endpoint.open_polling()
    assert endpoint.post(opened["sid"], f'40{{"token":"{token}"}}').status == 200
    polled = endpoint.ask("GET", f"EIO=4&transport=polling&sid={opened['sid']}")()
    assert (polled.status, polled.body) == (200, "1") or polled.status == 400, polled


def toggle(client: SignalingClient, call_id: str) -> None:
    assert client.call("toggle-video", {"callId": call_id, "enabled": True})["ok"]


def seconds_of(act: Callable[[], object]) -> float:
    began = time.monotonic()
    act()
    return time.monotonic() - began


during_the_outage = pytest.mark.shares_the_wait(
    of=test_whoever_was_known_goes_on_while_the_homeserver_is_away.__name__
)


@pytest.fixture
def outage(under_way: dict[str, Future]) -> Outage:
    return under_way[test_whoever_was_known_goes_on_while_the_homeserver_is_away.__name__].result()


@during_the_outage
def test_nobody_who_was_known_waits_for_a_homeserver_that_is_away(outage: Outage) -> None:
    assert max(outage.acts) < 4, outage


@during_the_outage
def test_others_are_let_in_soon_after_the_homeserver_is_back(outage: Outage) -> None:
    assert outage.recovery < 5, outage


# Users of homeservers that are listed, by OpenID.


def log_in(calls: MatrixCalls, proof: dict, address: str = "192.0.2.1", **changes: object) -> requests.Response:
    body = {key: value for key, value in (proof | changes).items() if value is not None}
    if isinstance(token := body.get("access_token"), str):
        calls.secret(token)
    response = calls.post(OPENID, None, body, headers={"X-Forwarded-For": address})
    if response.status_code == 200:
        calls.secret(response.json()["token"])
    return response


def session(calls: MatrixCalls, who: str) -> str:
    """A token of the server's own."""
    response = log_in(calls, calls.account(who).openid_token())
    assert response.status_code == 200, response.text
    return response.json()["token"]


def active(calls: MatrixCalls, token: str) -> requests.Response:
    return calls.get("/api/calls/active", None, token=token)


def test_an_openid_token_lets_its_user_in(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    proof = calls.account("bob").openid_token()
    before = datetime.now(UTC)
    response = log_in(calls, proof)
    assert response.status_code == 200, response.text
    grant = response.json()
    assert set(grant) == {"token", "userId", "expiresAt"} and grant["userId"] == calls.id("bob")
    expires_at = datetime.fromisoformat(grant["expiresAt"].replace("Z", "+00:00"))
    assert before < expires_at <= datetime.now(UTC) + timedelta(seconds=min(proof["expires_in"], 3600))

    # A call by it.
    a, b = calls.socket("alice"), calls.socket("bob", token=grant["token"])
    call_id = calls.initiate("alice", room)
    assert b.wait("call-incoming")["callId"] == call_id
    assert a.call("join-call", {"callId": call_id})["ok"]
    assert calls.answer(call_id, "bob", token=grant["token"])["state"] == "connecting"
    assert a.wait("call-answered")["userId"] == calls.id("bob")
    assert b.call("join-call", {"callId": call_id})["call"]["state"] == "active"
    assert b.call("webrtc-offer", {"callId": call_id, "offer": OFFER})["delivered"]
    assert a.wait("webrtc-offer")["from"] == calls.id("bob")
    assert turn_server(calls, grant["token"]).status_code == 200
    # A token of another kind of the same user.
    assert b.call("authenticate", {"token": calls.account("bob").access_token})["ok"]
    assert_refused(b.call("authenticate", {"token": session(calls, "alice")}), "user_mismatch")
    assert calls.post(f"/api/calls/{call_id}/end", None, token=grant["token"]).json()["endedBy"] == calls.id("bob")


def test_what_no_homeserver_vouches_for_lets_nobody_in(calls: MatrixCalls) -> None:
    account = calls.account("alice")
    proof = account.openid_token()
    wrong = ["a-wrong-openid-token", "a&b=c#d of no server", proof["access_token"] + "x"]
    for token in (*wrong, account.access_token, session(calls, "alice")):
        problem = assert_problem(log_in(calls, proof, access_token=token), 401, "invalid_token")
        assert "token" not in problem
    # It is good for that, and is no access token.
    assert_problem(active(calls, proof["access_token"]), 401, "invalid_token")
    for changes in ({"access_token": None}, {"matrix_server_name": None}, {"access_token": 5}, {"expires_in": "soon"}):
        assert_problem(log_in(calls, proof, **changes), 400)
    assert log_in(calls, proof).status_code == 200


def test_a_session_ends_when_it_was_said_to(calls: MatrixCalls) -> None:
    proof = calls.account("alice").openid_token()
    token = log_in(calls, proof, expires_in=2).json()["token"]
    problem = eventually(
        lambda: None if (answer := active(calls, token)).status_code == 200 else assert_problem(answer, 401), "its end"
    )
    assert problem["code"] == "invalid_token"
    grant = log_in(calls, proof, expires_in=10**9).json()
    expires_at = datetime.fromisoformat(grant["expiresAt"].replace("Z", "+00:00"))
    assert expires_at <= datetime.now(UTC) + timedelta(hours=1), "and after an hour at the latest"


def test_a_session_token_that_was_changed_is_none(calls: MatrixCalls) -> None:
    token, other = session(calls, "alice"), session(calls, "bob")
    assert active(calls, token).status_code == 200
    prefix, body, signature = token.split(".")
    text = base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)).decode()
    end, user = text.split(" ")
    assert user == calls.id("alice")
    forged = [
        ".".join([prefix, written(f"{end} {calls.id('bob')}"), signature]),
        ".".join([prefix, written(f"{int(end) + 1} {user}"), signature]),
        ".".join([prefix, written(f"{end} {user}\0"), signature]),
        ".".join([prefix, other.split(".")[1], signature]),
        ".".join([prefix, body, other.split(".")[2]]),
        ".".join([prefix, body, written("x" * 32)]),
        ".".join([prefix, body, signature[:-4]]),
        ".".join([prefix, body, ""]),
        ".".join([prefix, body]),
        ".".join([prefix, body, signature, signature]),
        ".".join([prefix, "", signature]),
        f"{prefix}.",
        prefix,
        f"x{token}",
    ]
    for changed in forged:
        assert_problem(active(calls, changed), 401, "invalid_token")
        assert refused_socket(calls, changed)["code"] == "invalid_token", changed
    assert active(calls, token).status_code == 200


def written(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def test_a_server_that_is_not_listed_is_never_asked(calls: MatrixCalls) -> None:
    """Whatever name the client gives: the server connects to where its operator says, and to nowhere else."""
    proof = calls.account("alice").openid_token()
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
        names = [
            f"127.0.0.1:{port}", f"localhost:{port}", f"http://127.0.0.1:{port}", f"localhost@127.0.0.1:{port}",
            f"{OTHER_NAME}@127.0.0.1:{port}", f"{OTHER_NAME}:{port}", f"127.0.0.1:{port}/{OTHER_NAME}", "LOCALHOST",
            "localhost.", "example.org", "127.0.0.1",
        ]  # fmt: skip
        for name in names:
            response = log_in(calls, proof, matrix_server_name=name)
            assert_problem(response, 403, "server_not_listed")
        # By now it would have come.
        listening.settimeout(1)
        with pytest.raises(TimeoutError):
            listening.accept()


def test_a_listed_server_speaks_for_its_own_users_only(calls: MatrixCalls, other: OtherHomeserver) -> None:
    subjects = {
        f"@olivia:{OTHER_NAME}": 200,
        calls.id("alice"): 401,
        f"@olivia:{OTHER_NAME}.evil.test": 401,
        f"@olivia:x{OTHER_NAME}": 401,
        f"olivia:{OTHER_NAME}": 401,
        f"@:{OTHER_NAME} ": 401,
        OTHER_NAME: 401,
        "": 401,
    }
    other.asked.clear()
    for number, (subject, status) in enumerate(subjects.items()):
        token = f"token-of-subject-{number}"
        other.answers[token] = other.json(200, {"sub": subject})
        response = log_in(calls, openid_of_other(token))
        assert response.status_code == status, f"{subject}: {response.text}"
    assert_problem(response, 401, "invalid_token")
    # Asked as the specification has it, once for each.
    assert other.asked == [f"{USERINFO}?access_token=token-of-subject-{number}" for number in range(len(subjects))]


def openid_of_other(token: str) -> dict:
    return {"access_token": token, "token_type": "Bearer", "matrix_server_name": OTHER_NAME, "expires_in": 3600}


def test_a_listed_server_that_misbehaves_lets_nobody_in(calls: MatrixCalls, other: OtherHomeserver) -> None:
    good = json.dumps({"sub": f"@olivia:{OTHER_NAME}"})
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        there = f"http://127.0.0.1:{elsewhere.getsockname()[1]}/"
        # A redirect that would be followed to the truth, and one to somebody else.
        answers = {
            "answered-to-itself": other.text(302, good, Location=f"{other.url}/elsewhere"),
            "answered-to-another": other.text(307, good, Location=there),
            "answered-huge": other.json(200, {"sub": f"@olivia:{OTHER_NAME}", "x": "x" * (1 << 20)}),
            "answered-endless": other.endless(),
            "answered-no-json": other.text(200, f"@olivia:{OTHER_NAME}"),
            "answered-no-object": other.json(200, [f"@olivia:{OTHER_NAME}"]),
            "answered-no-subject": other.json(200, {}),
            "answered-number": other.json(200, {"sub": 5}),
            "answered-down": other.text(500, good),
            "answered-no-homeserver": other.text(404, "<html>"),
        }
        other.answers |= answers
        for token in answers:
            response = log_in(calls, openid_of_other(token))
            assert_problem(response, 503, "auth_unavailable")
            assert "Retry-After" in response.headers
        elsewhere.settimeout(1)
        with pytest.raises(TimeoutError):
            elsewhere.accept()
    assert all(path.startswith(USERINFO) for path in other.asked)
    assert other.hung_up.wait(30), "what has no end is not read to it"
    assert_problem(log_in(calls, openid_of_other("unknown-to-the-other")), 401, "invalid_token")


def test_a_listed_server_that_takes_its_time_is_not_waited_for(calls: MatrixCalls, other: OtherHomeserver) -> None:
    """Five seconds for the whole answer, whatever comes of it meanwhile."""
    other.answers["answered-slowly"] = other.dripping({"sub": f"@olivia:{OTHER_NAME}"}, seconds=15)
    assert_problem(log_in(calls, openid_of_other("answered-slowly")), 503, "auth_unavailable")


def test_logins_from_one_address_are_counted(calls: MatrixCalls) -> None:
    """Sixty at once, then one a second."""
    proof, began = {"access_token": "of-no-importance", "matrix_server_name": "example.org"}, time.monotonic()
    admitted = 0
    while (response := log_in(calls, proof, "198.51.100.7")).status_code != 429:
        assert_problem(response, 403, "server_not_listed")
        admitted += 1
        assert admitted <= 61 + time.monotonic() - began
    assert admitted >= 60
    assert_problem(response, 429, "rate_limited")
    assert int(response.headers["Retry-After"]) > 0
    assert_problem(log_in(calls, proof, "198.51.100.8"), 403, "server_not_listed")


# The homeserver's place for Matrix clients.

VERSIONS = ("r0", "v1", "v3")


def turn_path(version: str) -> str:
    return f"/_matrix/client/{version}/voip/turnServer"


def turn_server(
    calls: MatrixCalls, token: str | None, version: str = "v3", in_query: bool = False, **options: object
) -> requests.Response:
    if in_query:
        return calls.get(f"{turn_path(version)}?access_token={quote(token or '', safe='')}", None, **options)
    return calls.get(turn_path(version), None, token=token, **options)


def assert_carries_data(server: MatrixServer, credential: dict) -> None:
    """By turnutils_uclient, to an echo and back. By indications: the RFC does not allow most of its channels."""
    with echo_peer() as peer:
        arguments = ["-c", "-s", "-e", "127.0.0.1", "-r", str(peer), "-n", "50", "-z", "20", "-l", "170"]
        run = uclient(server, *arguments, credentials=["-u", credential["username"], "-w", credential["password"]])
    assert (run.status, run.lost) == (0, 0) and run.sent == run.received == 50, run.output


def test_matrix_clients_are_given_our_relay(calls: MatrixCalls) -> None:
    token, server = calls.token("alice"), calls.server
    found = [turn_server(calls, token, version, in_query) for version in VERSIONS for in_query in (False, True)]
    for response in found:
        assert response.status_code == 200, response.text
        given = response.json()
        assert set(given) == {"username", "password", "uris", "ttl"}
        assert f"turn:127.0.0.1:{server.turn_port}?transport=udp" in given["uris"]
        assert isinstance(given["ttl"], int) and given["ttl"] > 0
        expiry, _, name = given["username"].partition(":")
        assert time.time() < int(expiry) <= time.time() + given["ttl"] and calls.id("alice") not in name
        with TurnClient(("127.0.0.1", server.turn_port), given["username"], given["password"]) as client:
            client.allocate()
    assert_carries_data(server, given)
    server.assert_no_token_is_logged()


def test_matrix_clients_are_refused_in_the_form_that_they_know(calls: MatrixCalls) -> None:
    unknown = calls.secret(UNKNOWN_TOKEN)
    for version in VERSIONS:
        for response in (turn_server(calls, None, version), turn_server(calls, "", version, in_query=True)):
            assert_matrix_error(response, 401, "M_MISSING_TOKEN")
        for in_query in (False, True):
            refusal = turn_server(calls, unknown, version, in_query)
            assert assert_matrix_error(refusal, 401, "M_UNKNOWN_TOKEN")["soft_logout"] is False
    for version in ("v2", "unstable", "R0", "v3x"):
        assert_matrix_error(turn_server(calls, calls.token("alice"), version), 404, "M_UNRECOGNIZED")
    # No other path of a homeserver's is here.
    assert calls.get(f"{CLIENT}/account/whoami", "alice").status_code == 404


def assert_matrix_error(response: requests.Response, status: int, errcode: str) -> dict:
    assert response.status_code == status, response.text
    assert response.headers["Content-Type"].split(";")[0] == "application/json"
    error = response.json()
    assert error["errcode"] == errcode and error["error"], error
    return error


def test_pages_of_any_origin_may_ask(calls: MatrixCalls) -> None:
    """As of any homeserver; the server's own routes stay closed to them."""
    origin = {"Origin": "https://chat.example"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "GET",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    for version in VERSIONS:
        for response in (
            turn_server(calls, calls.token("alice"), version, headers=origin),
            turn_server(calls, None, version, headers=origin),
        ):
            assert response.headers["Access-Control-Allow-Origin"] == "*"
            assert "Access-Control-Allow-Credentials" not in response.headers
        preflight = calls.request("OPTIONS", turn_path(version), None, headers=asked)
        assert preflight.status_code in (200, 204), preflight.text
        assert preflight.headers["Access-Control-Allow-Origin"] == "*"
        assert "GET" in preflight.headers["Access-Control-Allow-Methods"]
        allowed = {name.strip().lower() for name in preflight.headers["Access-Control-Allow-Headers"].split(",")}
        assert {"authorization", "content-type"} <= allowed
    refused = turn_server(calls, calls.token("alice"), "v2", headers=origin)
    assert (refused.status_code, refused.headers["Access-Control-Allow-Origin"]) == (404, "*")
    for path in ("/api/calls/active", "/healthz", "/_matrixx/client/v3/voip/turnServer"):
        assert "Access-Control-Allow-Origin" not in calls.get(path, "alice", headers=origin).headers
        assert "Access-Control-Allow-Origin" not in calls.request("OPTIONS", path, None, headers=asked).headers


def test_without_a_relay_there_is_none_to_be_given(synapse: Homeserver, tmp_path: Path) -> None:
    settings = {"TURN_ENABLED": "false", "TURN_LISTEN": None}
    with MatrixServer(tmp_path / "server", synapse, settings) as server, MatrixCalls(synapse, server) as calls:
        for version in VERSIONS:
            assert_matrix_error(turn_server(calls, calls.token("alice"), version), 404, "M_NOT_FOUND")
        assert_matrix_error(turn_server(calls, None), 401, "M_MISSING_TOKEN")


PROXY = """
global
    log stderr format raw local0 notice

defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s

frontend homeserver
    bind 127.0.0.1:{port}
    acl is_turn_server path_reg ^/_matrix/client/(r0|v1|v3)/voip/turnServer$
    use_backend callrelay if is_turn_server
    default_backend synapse

backend callrelay
    server callrelay 127.0.0.1:{callrelay}

backend synapse
    server synapse 127.0.0.1:{synapse}
"""


@contextmanager
def reverse_proxy(folder: Path, synapse: Homeserver, server: MatrixServer) -> Iterator[Homeserver]:
    """HAProxy in front of both, as its clients see it: one homeserver."""
    port, configuration, log = free_port(), folder / "haproxy.cfg", folder / "haproxy.log"
    configuration.write_text(PROXY.format(port=port, callrelay=server.http_port, synapse=synapse.port))
    front = copy.copy(synapse)
    front.port = port
    with log.open("ab") as output:
        process = subprocess.Popen(["haproxy", "-W", "-db", "-f", configuration], stdout=output, stderr=output)
    try:
        eventually(lambda: answers(front, process, log), "the proxy answers")
        yield front
    finally:
        process.terminate()
        process.wait(20)


def answers(front: Homeserver, process: subprocess.Popen, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        return requests.get(f"{front.url}/health", timeout=5).status_code == 200
    except requests.RequestException:
        return False


def test_behind_a_proxy_one_homeserver_has_our_relay(calls: MatrixCalls, tmp_path: Path) -> None:
    """One path goes to the server and everything else to Synapse, which has no relay of its own."""
    alice = calls.account("alice")
    assert alice.turn_server() == {}
    with reverse_proxy(tmp_path, calls.homeserver, calls.server) as front:
        here = replace(alice, homeserver=front)
        for version in VERSIONS:
            given = here.turn_server(version)
            assert re.fullmatch(r"\d{10}:~.+", given["username"]), given
            assert f"turn:127.0.0.1:{calls.server.turn_port}?transport=udp" in given["uris"]
        assert_carries_data(calls.server, given)
        assert here.whoami() == alice.whoami() and here.whoami()["device_id"] == alice.device_id
        bob = front.login(calls.account("bob").user_id)
        calls.secret(bob.access_token)
        room = here.create_room(invite=[bob.user_id])
        bob.join(room)
        assert bob.turn_server()["username"] != given["username"]
        # And Synapse's own word on what is no path of it.
        front.request("GET", "/_matrix/client/v2/voip/turnServer", token=alice.access_token, expect=404)
        front.request("GET", turn_path("v3"), token=UNKNOWN_TOKEN, expect=401)


# Who may start calls.


@pytest.mark.parametrize("version", ["11", "12"])
def test_calls_may_want_power_to_be_started(synapse: Homeserver, tmp_path: Path, version: str) -> None:
    """From version 12 on, no number tells the power of whoever created the room."""
    settings = {"MATRIX_START_POWER": "50", "MATRIX_STARTERS": ":localhost"}
    with MatrixServer(tmp_path / "server", synapse, settings) as server, MatrixCalls(synapse, server) as calls:
        users = {calls.id("mod"): 50, calls.id("almost"): 49}
        if version == "11":
            users[calls.id("alice")] = 100
        power = {"users": users, "users_default": 0}
        room = calls.room("alice", "mod", "almost", "bob", room_version=version, power_level_content_override=power)
        for who in ("bob", "almost"):
            problem = calls.post("/api/calls/initiate", who, {"roomId": room, "group": True})
            assert_problem(problem, 403, "start_forbidden")
        for who in ("alice", "mod"):
            call_id = calls.initiate(who, room, group=True)
            # They may take it, by this too.
            assert calls.answer(call_id, "bob")["state"] in ("connecting", "active")
            answered = calls.post("/api/calls/initiate", "almost", {"roomId": room})
            assert (answered.status_code, answered.json()["callId"]) == (200, call_id)
            assert calls.post(f"/api/calls/{call_id}/end", who).status_code == 200
        # Who is not even in the room is told that.
        assert_problem(calls.post("/api/calls/initiate", "stranger", {"roomId": room}), 403, "not_in_room")
        # A change of power counts at once.
        calls.account("alice").set_power_levels(room, power | {"users": users | {calls.id("bob"): 50}})
        assert calls.initiate("bob", room, group=True)


def test_calls_may_be_started_by_those_listed_only(synapse: Homeserver, tmp_path: Path) -> None:
    server = MatrixServer(tmp_path / "server", synapse)
    calls = MatrixCalls(synapse, server)
    server.settings["MATRIX_STARTERS"] = f"{calls.id('alice')},:elsewhere.test"
    with server, calls:
        room = calls.room("bob", "alice", "carol")
        for who in ("bob", "carol"):
            body = {"roomId": room, "invitees": [calls.id("alice")]}
            assert_problem(calls.post("/api/calls/initiate", who, body), 403, "start_forbidden")
        call_id = calls.initiate("alice", room, ["bob"])
        assert calls.answer(call_id, "bob")["state"] == "connecting"

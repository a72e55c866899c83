"""What rooms are told of calls, with a real Synapse: in which words, once, in order, in time, and by whom alone."""

import json
import os
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from urllib.parse import quote

import pytest
import requests
from playwright.sync_api import Browser, Page

from homeserver import CLIENT, Account, Homeserver, homeservers_in, room_path
from matrix_calls import MatrixCalls, MatrixServer
from postgres_server import postgresql
from room_events import (
    HANGUP,
    INVITE,
    REJECT,
    SELECT_ANSWER,
    SETTLE_SECONDS,
    Row,
    assert_told,
    change,
    row,
    rows,
    sent,
    told,
    undelivered,
)
from room_offers import Offer, addresses_in, make_offer, take_in_aiortc, take_in_chromium
from shared_wait import SharedWait
from signaling_client import SignalingClient
from tcp_cable import TCPCable
from test_bad_input import assert_problem
from waiting import eventually

SEED = int(os.environ.get("CALLRELAY_KILL_SEED", random.randrange(1 << 32)))
LIFETIME = 90_000
# For tests in which only what they do themselves ends a call.
PATIENT = {"CALL_RING_TIMEOUT": "10m", "CALL_CONNECT_TIMEOUT": "10m", "CALL_RECONNECT_GRACE": "10m"}

# Appendix "Opaque Identifiers" of the Matrix specification.
OPAQUE = re.compile(r"[0-9A-Za-z._~-]{1,255}")
STABLE_METADATA, UNSTABLE_METADATA = "sdp_stream_metadata", "org.matrix.msc3077.sdp_stream_metadata"
CANDIDATE = {"candidate": "candidate:1 1 udp 1 203.0.113.77 40001 typ host", "sdpMid": "0"}
ANSWER = {"type": "answer", "sdp": "v=0\r\n"}

ENCRYPTED = {"type": "m.room.encryption", "state_key": "", "content": {"algorithm": "m.megolm.v1.aes-sha2"}}


@pytest.fixture(scope="module")
def own_server(tmp_path_factory: pytest.TempPathFactory, homeserver: Homeserver) -> Iterator[MatrixServer]:
    """The server of most tests."""
    settings = PATIENT | {"CALL_RING_TIMEOUT": f"{LIFETIME // 1000}s"}
    with MatrixServer(tmp_path_factory.mktemp("matrix"), homeserver, settings) as running:
        yield running


@pytest.fixture
def calls(homeserver: Homeserver, own_server: MatrixServer) -> Iterator[MatrixCalls]:
    with MatrixCalls(homeserver, own_server) as calls:
        yield calls


@pytest.fixture(scope="module")
def limited(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Homeserver]:
    """A Synapse that lets accounts send what it lets them by default."""
    with Homeserver(tmp_path_factory.mktemp("limited"), limits_messages=True) as running:
        yield running
        running.stop()


# For tests that wait for clocks, restarts and further tries, on servers of their own.
shares_the_wait = SharedWait(at_once=6)


@pytest.fixture(scope="module", autouse=True)
def under_way(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    homeserver: Homeserver,
    limited: Homeserver,
) -> Iterator[dict[str, Future]]:
    @contextmanager
    def given() -> Iterator[dict[str, object]]:
        folder = tmp_path_factory.mktemp("scenario")
        with homeservers_in(folder) as start_homeserver:
            yield {
                "tmp_path": folder,
                "homeserver": homeserver,
                "limited": limited,
                "start_homeserver": start_homeserver,
            }

    with shares_the_wait.begun(request, given) as futures:
        yield futures


@pytest.fixture(scope="module")
def page(browser: Browser, own_server: MatrixServer) -> Iterator[Page]:
    """Somewhere a browser gives away its microphone and camera."""
    page = browser.new_page()
    page.goto(f"{own_server.url}/healthz")
    yield page
    page.close()


@pytest.fixture(scope="module")
def offers(page: Page, homeserver: Homeserver, own_server: MatrixServer) -> dict[str, Offer]:
    """What Chromium offers for each type of call, with candidates of every kind."""
    with MatrixCalls(homeserver, own_server) as calls:
        calls.account("alice")
        ice = calls.get("/api/calls/ice-servers", "alice").json()["iceServers"]
    made = {kind: make_offer(page, ice, kind == "video") for kind in ("voice", "video")}
    for offer in made.values():
        assert offer.kinds == {"host", "srflx", "prflx", "relay"}
        assert offer.sdp.count("typ relay") > offer.sdp.count("198.51.100.9"), "ours is among them"
    return made


@contextmanager
def served(folder: Path, homeserver: Homeserver, **settings: str) -> Iterator[MatrixCalls]:
    """People with a server of their own, on which calls end by what they do alone, unless the settings say otherwise."""
    with MatrixServer(folder, homeserver, PATIENT | settings) as server, MatrixCalls(homeserver, server) as calls:
        yield calls


# What is said.


def assert_names_no_way(content: dict, offer: Offer) -> None:
    """Nothing in it leads to the media of the offer, or to any."""
    text = json.dumps(content)
    assert "candidate" not in text
    for address in offer.addresses - {"127.0.0.1"}:
        assert address not in text, f"the room is told of {address}"
    assert ".local" not in text and "raddr" not in text
    assert addresses_in(text.replace("\\r\\n", "\n")) <= {"0.0.0.0", "127.0.0.1"}
    sdp = content.get("offer", {}).get("sdp", "")
    for line in sdp.splitlines():
        if "127.0.0.1" in line:
            assert line.startswith("o=")
        if line.startswith("m="):
            assert line.split()[1] == "9"
        if line.startswith("c="):
            assert line == "c=IN IP4 0.0.0.0"


def assert_invite(calls: MatrixCalls, event: dict, call_id: str, call_type: str, lifetime: int = LIFETIME) -> str:
    """The fields that make it ring in both SDKs; the answer is the name of the one stream."""
    content = event["content"]
    assert event["sender"] == calls.id("alice")
    assert (content["version"], content["call_id"], content["lifetime"]) == ("1", call_id, lifetime)
    assert type(content["lifetime"]) is int
    assert content["invitee"] == calls.id("bob")
    assert OPAQUE.fullmatch(call_id) and OPAQUE.fullmatch(content["party_id"]) and len(content["party_id"]) >= 8
    assert content["offer"]["type"] == "offer" and content["offer"]["sdp"].startswith("v=0\r\n")
    assert "conf_id" not in content
    assert content["org.callrelay.call"] == {"callId": call_id, "callType": call_type}
    [(stream, metadata)] = content[STABLE_METADATA].items()
    assert metadata == {"purpose": "m.usermedia", "audio_muted": False, "video_muted": call_type == "voice"}
    assert content[UNSTABLE_METADATA] == content[STABLE_METADATA]
    return stream


def assert_parties(events: list[dict]) -> None:
    """One for each side, which tells the sides apart."""
    sides = {(event["sender"], event["content"]["party_id"]) for event in events}
    assert len({sender for sender, _ in sides}) == len({party for _, party in sides}) == len(sides), sides
    for event in events:
        assert event["content"]["version"] == "1" and OPAQUE.fullmatch(event["content"]["party_id"])


def talk(calls: MatrixCalls, call_id: str, a: SignalingClient, b: SignalingClient, offer: Offer) -> None:
    """What two clients tell each other before they hear each other, by sockets and by REST."""
    for client in (a, b):
        joined = client.call("join-call", {"callId": call_id})
        assert joined["ok"], joined
    assert a.call("webrtc-offer", {"callId": call_id, "offer": offer.description})["delivered"]
    assert b.call("webrtc-answer", {"callId": call_id, "answer": ANSWER})["delivered"]
    for client in (a, b):
        assert client.call("ice-candidate", {"callId": call_id, "candidate": CANDIDATE})["delivered"]
    for who in ("alice", "bob"):
        path = f"/api/calls/{call_id}/ice-candidate"
        assert calls.post(path, who, {"candidates": [CANDIDATE, CANDIDATE | {"sdpMid": "1"}]}).status_code == 202


@pytest.mark.parametrize("call_type", ["voice", "video"])
@pytest.mark.parametrize("who", ["alice", "bob"])
def test_a_call_is_told_as_invite_answer_and_hangup(
    calls: MatrixCalls, offers: dict[str, Offer], who: str, call_type: str
) -> None:
    room, offer = calls.room("alice", "bob"), offers[call_type]
    a, b = calls.socket("alice"), calls.socket("bob")
    call_id = calls.initiate("alice", room, callType=call_type, offer=offer.description)
    assert b.wait("call-incoming")["call"]["callId"] == call_id
    calls.answer(call_id, "bob")
    talk(calls, call_id, a, b, offer)
    # Again changes nothing, neither of this nor of the end.
    calls.answer(call_id, "bob")
    for person in (who, "alice", "bob"):
        assert calls.post(f"/api/calls/{call_id}/end", person).json()["endReason"] == "hangup"

    events = assert_told(calls, room, call_id, [(INVITE, "alice"), (SELECT_ANSWER, "alice"), (HANGUP, who)])
    assert len(calls.account("bob").timeline(room, "m.call.")) == len(events), "and nothing else"
    by_type = {event["type"]: event["content"] for event in events}
    assert assert_invite(calls, events[0], call_id, call_type) == offer.stream
    callee = by_type[SELECT_ANSWER]["selected_party_id"]
    caller = by_type[INVITE]["party_id"]
    assert OPAQUE.fullmatch(callee) and callee != caller
    assert by_type[SELECT_ANSWER]["party_id"] == caller
    assert by_type[HANGUP]["party_id"] == (caller if who == "alice" else callee)
    assert by_type[HANGUP]["reason"] == "user_hangup"
    assert_parties(events)
    for content in by_type.values():
        assert_names_no_way(content, offer)
    sdp = by_type[INVITE]["offer"]["sdp"]
    for name in ("ice-ufrag", "ice-pwd", "fingerprint"):
        assert f"a={name}:{offer.value(name)}\r\n" in sdp, "it is the caller's own"


@pytest.mark.parametrize("reason", [None, "busy"])
def test_a_refusal_is_told_by_both_sides(calls: MatrixCalls, reason: str | None) -> None:
    """The callee's devices hear the reject, those of the Dart SDK only the caller's hangup."""
    room = calls.room("alice", "bob")
    call_id = calls.initiate("alice", room, callType="voice")
    for _ in range(2):
        assert calls.post(f"/api/calls/{call_id}/reject", "bob", {"reason": reason} if reason else {}).status_code == 200
    events = assert_told(calls, room, call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])
    assert_parties(events)
    by_type = {event["type"]: event["content"] for event in events}
    assert by_type[HANGUP]["party_id"] == by_type[INVITE]["party_id"]
    assert by_type[HANGUP]["reason"] == ("user_busy" if reason else "user_hangup")
    assert "reason" not in by_type[REJECT]


def test_a_callee_who_ends_what_rings_refuses(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    call_id = calls.initiate("alice", room)
    assert calls.post(f"/api/calls/{call_id}/end", "bob").json()["endReason"] == "rejected"
    assert_told(calls, room, call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])


def test_a_cancelled_call_is_told_as_the_callers_hangup(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob")
    call_id = calls.initiate("alice", room)
    assert calls.post(f"/api/calls/{call_id}/end", "alice").json()["endReason"] == "cancelled"
    events = assert_told(calls, room, call_id, [(INVITE, "alice"), (HANGUP, "alice")])
    assert events[1]["content"]["reason"] == "user_hangup"
    assert_parties(events)


@shares_the_wait
def test_what_time_ends_is_told_as_the_callers_hangup(tmp_path: Path, homeserver: Homeserver) -> None:
    """A call that nobody answers, and one that nobody joins."""
    with served(tmp_path, homeserver, CALL_RING_TIMEOUT="10s", CALL_CONNECT_TIMEOUT="1s") as calls:
        missed_in, failed_in = calls.room("alice", "bob"), calls.room("alice", "bob")
        failed = calls.initiate("alice", failed_in)
        calls.answer(failed, "bob")
        missed = calls.initiate("alice", missed_in)
        events = assert_told(calls, missed_in, missed, [(INVITE, "alice"), (HANGUP, "alice")])
        assert calls.status(missed, "bob")["endReason"] == "missed"
        assert_invite(calls, events[0], missed, "video", 10_000)
        assert events[1]["content"]["reason"] == "invite_timeout"
        events = assert_told(
            calls, failed_in, failed, [(INVITE, "alice"), (SELECT_ANSWER, "alice"), (HANGUP, "alice")]
        )
        assert events[2]["content"]["reason"] == "ice_failed"


@pytest.mark.parametrize("call_type", ["voice", "video"])
@pytest.mark.parametrize("whose", ["own", "synthetic", "useless", "too large"])
def test_clients_take_the_offer_of_an_invite(
    calls: MatrixCalls, offers: dict[str, Offer], page: Page, whose: str, call_type: str
) -> None:
    """With none, and with one that nobody could take, there is one that nobody made."""
    room = calls.room("alice", "bob")
    offer = {
        "own": offers[call_type].description,
        "synthetic": None,
        "useless": {"type": "offer", "sdp": "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n"},
        "too large": {"type": "offer", "sdp": offers[call_type].sdp + f"a=x-padding:{'x' * 60}\r\n" * 450},
    }[whose]
    call_id = calls.initiate("alice", room, callType=call_type, **({"offer": offer} if offer else {}))
    sent(calls.server, call_id)
    [invite] = told(calls, room, call_id)
    stream = assert_invite(calls, invite, call_id, call_type)
    assert (stream == offers[call_type].stream) == (whose == "own")
    sdp = invite["content"]["offer"]["sdp"]
    assert sdp != (offer or {}).get("sdp")
    kinds = {"audio", "video"} if call_type == "video" else {"audio"}
    for taken in (take_in_chromium(page, sdp), take_in_aiortc(sdp)):
        assert taken.streams == {kind: [stream] for kind in kinds}
        sections = re.findall(r"^m=(\w+) (\d+)", taken.answer, re.MULTILINE)
        assert {kind for kind, port in sections if port != "0"} == kinds, taken.answer


def test_an_invite_rings(calls: MatrixCalls) -> None:
    """By the push rule that every account has from the start, and for the callee alone."""
    room = calls.room("alice", "bob")
    alice, bob = calls.account("alice"), calls.account("bob")
    rules = bob.request("GET", f"{CLIENT}/pushrules/")["global"]["underride"]
    [rule] = [rule for rule in rules if rule["rule_id"] == ".m.rule.call"]
    assert rule["enabled"] and {"set_tweak": "sound", "value": "ring"} in rule["actions"]
    assert [other for other in rules if {"set_tweak": "sound", "value": "ring"} in other["actions"]] == [rule]

    listener = Listener(bob, room)
    call_id = calls.initiate("alice", room)
    event_id = sent(calls.server, call_id).event_id
    assert listener.unread() == 1
    notifications = bob.request("GET", f"{CLIENT}/notifications?limit=50")["notifications"]
    [notification] = [it for it in notifications if it["event"]["event_id"] == event_id]
    # Synapse may say beside it that a highlight is none.
    assert all(action in notification["actions"] for action in rule["actions"]), notification
    assert calls.post(f"/api/calls/{call_id}/end", "alice").status_code == 200
    assert_told(calls, room, call_id, [(INVITE, "alice"), (HANGUP, "alice")])
    assert listener.unread() == 1, "the end makes no noise"
    notified = alice.request("GET", f"{CLIENT}/notifications?limit=50")["notifications"]
    assert not [it for it in notified if it["event"]["event_id"] == event_id]


@dataclass
class Listener:
    """Somebody's device that asks for what is new in a room."""

    account: Account
    room: str
    since: str = ""

    def __post_init__(self) -> None:
        self.since = self.account.request("GET", f"{CLIENT}/sync?timeout=0")["next_batch"]

    def unread(self) -> int:
        """How much of what the user shall be notified of was not read when something came."""
        news = self.account.request("GET", f"{CLIENT}/sync?timeout=30000&since={quote(self.since)}")
        self.since = news["next_batch"]
        return news["rooms"]["join"][self.room]["unread_notifications"]["notification_count"]


# Calls that are not between two.


@pytest.mark.parametrize("call_type", ["voice", "video"])
@pytest.mark.parametrize("shape", ["a group call of two", "a group call", "two invitees", "a whole room of three"])
def test_any_other_call_is_told_in_one_line(calls: MatrixCalls, shape: str, call_type: str) -> None:
    people = ["alice", "bob"] if shape == "a group call of two" else ["alice", "bob", "carol"]
    room = calls.room(*people)
    is_group = shape.startswith("a group")
    invitees = ["bob", "carol"] if shape == "two invitees" else None
    call_id = calls.initiate("alice", room, invitees, callType=call_type, group=is_group)
    for who in people[1:2] if not is_group else people[1:]:
        calls.answer(call_id, who)
    assert calls.post(f"/api/calls/{call_id}/end", "alice").json()["state"] == "ended"

    [found] = eventually(lambda: [row for row in rows(calls.server, call_id) if row.is_settled], "the notice")
    assert (found.event_type, found.sender) == ("m.room.message", calls.id("alice"))
    assert found.transaction_id == f"{call_id}.m.room.message.{calls.id('alice')}"
    # Whatever follows of alice's in this room comes after all that was to be said of this call.
    again = calls.initiate("alice", room, ["bob"])
    sent(calls.server, again)
    calls.post(f"/api/calls/{again}/end", "alice")
    events = [*calls.account("bob").timeline(room, "m.room.message"), *calls.account("bob").timeline(room)]
    [notice] = [event for event in events if event["content"].get("call_id") != again]
    text = "Started a voice call." if call_type == "voice" else "Started a video call."
    assert (notice["type"], notice["event_id"]) == ("m.room.message", found.event_id)
    assert notice["content"] == {"msgtype": "m.notice", "body": text}
    assert len(rows(calls.server, call_id)) == 1


def test_one_of_three_is_called_as_one_of_two(calls: MatrixCalls) -> None:
    room = calls.room("alice", "bob", "carol")
    call_id = calls.initiate("alice", room, ["bob"])
    assert calls.post(f"/api/calls/{call_id}/reject", "bob").status_code == 200
    events = assert_told(calls, room, call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])
    assert_invite(calls, events[0], call_id, "video")


# Encrypted rooms.


def test_an_encrypted_room_is_told_that_there_is_a_call_and_not_how_it_is_reached(
    calls: MatrixCalls, offers: dict[str, Offer]
) -> None:
    room, offer = calls.room("alice", "bob", initial_state=[ENCRYPTED]), offers["voice"]
    call_id = calls.initiate("alice", room, callType="voice", offer=offer.description)
    sent(calls.server, call_id)
    [invite] = told(calls, room, call_id)
    assert assert_invite(calls, invite, call_id, "voice") != offer.stream
    assert_names_no_way(invite["content"], offer)
    text = json.dumps(invite["content"])
    for secret in (offer.stream, offer.value("ice-ufrag"), offer.value("ice-pwd"), offer.value("fingerprint")):
        assert secret not in text
    calls.answer(call_id, "bob")
    calls.post(f"/api/calls/{call_id}/end", "bob")
    assert_told(calls, room, call_id, [(INVITE, "alice"), (SELECT_ANSWER, "alice"), (HANGUP, "bob")])


def test_an_encrypted_room_may_be_told_all(tmp_path: Path, homeserver: Homeserver, offers: dict[str, Offer]) -> None:
    with served(tmp_path, homeserver, MATRIX_ENCRYPTED_ROOMS="plaintext") as calls:
        offer = offers["video"]
        for state in ([ENCRYPTED], []):
            room = calls.room("alice", "bob", initial_state=state)
            call_id = calls.initiate("alice", room, offer=offer.description)
            sent(calls.server, call_id)
            [invite] = told(calls, room, call_id)
            assert assert_invite(calls, invite, call_id, "video", 600_000) == offer.stream
            assert f"a=ice-pwd:{offer.value('ice-pwd')}\r\n" in invite["content"]["offer"]["sdp"]
            assert_names_no_way(invite["content"], offer)
            calls.post(f"/api/calls/{call_id}/end", "alice")
            assert_told(calls, room, call_id, [(INVITE, "alice"), (HANGUP, "alice")])


def test_encrypted_rooms_may_be_told_by_the_callers_client(tmp_path: Path, homeserver: Homeserver) -> None:
    with served(tmp_path, homeserver, MATRIX_ENCRYPTED_ROOMS="client_sends") as calls:
        room, alice = calls.room("alice", "bob", initial_state=[ENCRYPTED]), calls.account("alice")
        body, headers = {"roomId": room, "callType": "video"}, {"Idempotency-Key": "once"}
        answers = [calls.post("/api/calls/initiate", "alice", body, headers=headers) for _ in range(2)]
        assert [answer.status_code for answer in answers] == [201, 201]
        placed, again = [answer.json() for answer in answers]
        call_id, event = placed["callId"], placed["roomEvent"]
        assert again["roomEvent"]["transactionId"] == event["transactionId"] == f"{call_id}.{INVITE}.{alice.user_id}"
        assert event.keys() == {"type", "content", "transactionId"}
        # The client would encrypt it. Whoever knows how finds what others are told in clear.
        alice.send(room, event["type"], event["content"], event["transactionId"])
        [invite] = told(calls, room, call_id)
        assert_invite(calls, invite, call_id, "video", 600_000)
        assert "roomEvent" not in calls.answer(call_id, "bob")
        calls.post(f"/api/calls/{call_id}/end", "bob")
        for event_type in (INVITE, SELECT_ANSWER, HANGUP):
            eventually(lambda: row(calls.server, call_id, event_type).event_id == "", "it is left to the client")
        assert [event["event_id"] for event in told(calls, room, call_id)] == [invite["event_id"]]
        assert undelivered(calls, call_id, "bob") == []

        # A group call's line of text, too, and in other rooms all is as ever.
        group = calls.post("/api/calls/initiate", "alice", {**body, "group": True}).json()
        assert group["roomEvent"]["type"] == "m.room.message"
        assert group["roomEvent"]["content"] == {"msgtype": "m.notice", "body": "Started a video call."}
        calls.post(f"/api/calls/{group['callId']}/end", "alice")
        clear = calls.room("alice", "bob")
        placed = calls.post("/api/calls/initiate", "alice", {"roomId": clear, "callType": "video"}).json()
        assert "roomEvent" not in placed
        calls.post(f"/api/calls/{placed['callId']}/end", "alice")
        assert_told(calls, clear, placed["callId"], [(INVITE, "alice"), (HANGUP, "alice")])
        assert calls.account("bob").timeline(room, "m.room.message") == []


def test_encrypted_rooms_may_have_no_calls(tmp_path: Path, homeserver: Homeserver, offers: dict[str, Offer]) -> None:
    with served(tmp_path, homeserver, MATRIX_ENCRYPTED_ROOMS="refuse") as calls:
        encrypted, room = calls.room("alice", "bob", initial_state=[ENCRYPTED]), calls.room("alice", "bob")
        offer = {"offer": offers["video"].description}
        for _ in range(2):
            for group in (False, True):
                body = {"roomId": encrypted, "callType": "video", "group": group, **offer}
                assert_problem(calls.post("/api/calls/initiate", "alice", body), 409, "room_encrypted")
        call_id = calls.initiate("alice", room, **offer)
        calls.post(f"/api/calls/{call_id}/reject", "bob")
        events = assert_told(calls, room, call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])
        assert assert_invite(calls, events[0], call_id, "video", 600_000) == offers["video"].stream
        assert calls.account("bob").timeline(encrypted, "m.call.") == []
        assert calls.account("bob").timeline(encrypted, "m.room.message") == []
        assert calls.get("/api/calls/active", "alice").json()["calls"] == []


# Who may not say it.


@shares_the_wait
def test_a_room_whose_member_may_not_say_it_is_not_told(
    tmp_path: Path, start_homeserver: Callable[..., Homeserver]
) -> None:
    """All that was to be said waits behind the invite, and is dropped with it. The call is none the worse."""
    homeserver = start_homeserver()
    with served(tmp_path, homeserver) as calls:
        room = room_without_power(calls)
        a, b = calls.socket("alice"), calls.socket("bob")
        remember(calls, room)
        homeserver.stop()
        call_id = calls.initiate("alice", room, ["bob"])
        assert b.wait("call-incoming", lambda told: told["call"]["callId"] == call_id)
        calls.answer(call_id, "bob")
        for client in (a, b):
            assert client.call("join-call", {"callId": call_id})["ok"]
        assert calls.status(call_id, "alice")["state"] == "active"
        assert calls.post(f"/api/calls/{call_id}/end", "bob").json()["endReason"] == "hangup"
        homeserver.start()
        lost = [(INVITE, "forbidden"), (SELECT_ANSWER, "orphaned"), (HANGUP, "orphaned")]
        assert_told(calls, room, call_id, [], lost)


def test_what_follows_an_invite_that_may_not_be_said_is_not_said(calls: MatrixCalls) -> None:
    room = room_without_power(calls)
    call_id = calls.initiate("alice", room)
    eventually(lambda: undelivered(calls, call_id, "bob"), "the refusal")
    calls.answer(call_id, "bob")
    assert calls.status(call_id, "bob")["state"] == "connecting"
    assert calls.post(f"/api/calls/{call_id}/end", "bob").json()["endReason"] == "hangup"
    lost = [(INVITE, "forbidden"), (SELECT_ANSWER, "orphaned"), (HANGUP, "orphaned")]
    assert_told(calls, room, call_id, [], lost)


def test_the_audit_of_what_was_not_said_is_as_documented(calls: MatrixCalls) -> None:
    call_id = calls.initiate("alice", room_without_power(calls))
    eventually(lambda: undelivered(calls, call_id, "bob"), "the refusal")
    [item] = [
        item
        for item in calls.get(f"/api/calls/{call_id}/events", "bob").json()["items"]
        if item["kind"] == "room-event-undelivered"
    ]
    assert (item["type"], item["cause"], item["userId"]) == (INVITE, "forbidden", calls.id("alice"))
    documented = calls.get("/openapi.json", None).json()["components"]["schemas"]["CallEvent"]["properties"]
    assert set(item) <= set(documented)
    for cause in ("expired", "orphaned", "forbidden", "too-large", "refused", "unconfirmed"):
        assert cause in documented["cause"]["enum"]


def room_without_power(calls: MatrixCalls) -> str:
    """Where alice may not send invites to calls."""
    return calls.room("bob", "alice", power_level_content_override={"events": {INVITE: 50}})


def remember(calls: MatrixCalls, room: str) -> None:
    """The server knows who both are, and that they are in the room."""
    for caller, callee in (("alice", "bob"), ("bob", "alice")):
        call_id = calls.initiate(caller, room, [callee])
        calls.post(f"/api/calls/{call_id}/end", caller)
        eventually(lambda: all(row.is_settled for row in rows(calls.server, call_id)), "an end of that")


# Restarts.


@dataclass
class Pair:
    """Two people who call each other, and come back when the server has gone."""

    calls: MatrixCalls
    room: str = ""
    call_id: str = ""
    sockets: dict[str, SignalingClient] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.room = self.calls.room("alice", "bob")
        self.come_back()

    def come_back(self) -> None:
        for client in self.sockets.values():
            client.disconnect()
        self.sockets = {who: self.calls.socket(who) for who in ("alice", "bob")}
        for who in self.joined:
            assert self.sockets[who].call("join-call", {"callId": self.call_id})["ok"]

    @property
    def joined(self) -> list[str]:
        if not self.call_id:
            return []
        status = self.calls.status(self.call_id, "alice")
        return {"ringing": ["alice"], "connecting": ["alice", "bob"], "active": ["alice", "bob"]}.get(status["state"], [])

    def initiate(self) -> None:
        self.call_id = self.calls.initiate("alice", self.room, ["bob"])

    def answer(self) -> None:
        self.calls.answer(self.call_id, "bob")

    def end(self, who: str) -> None:
        assert self.calls.post(f"/api/calls/{self.call_id}/end", who).status_code == 200

    def assert_told(self, who: str) -> None:
        expected = [(INVITE, "alice"), (SELECT_ANSWER, "alice"), (HANGUP, who)]
        assert_told(self.calls, self.room, self.call_id, expected)


@contextmanager
def pairs(homeserver: Homeserver, server: MatrixServer, count: int) -> Iterator[list[Pair]]:
    with ExitStack() as stack:
        yield [Pair(stack.enter_context(MatrixCalls(homeserver, server))) for _ in range(count)]


@shares_the_wait
def test_a_server_that_is_killed_after_each_step(tmp_path: Path, homeserver: Homeserver) -> None:
    """Each kill comes when one pair has just placed its call, another has answered, and a third has hung up."""
    with MatrixServer(tmp_path, homeserver, PATIENT) as server, pairs(homeserver, server, 3) as several:
        enders = ["alice", "bob", "alice"]
        for kill in range(5):
            for number, pair in enumerate(several):
                steps = [pair.initiate, pair.answer, lambda: pair.end(enders[number])]
                if 0 <= kill - number < len(steps):
                    steps[kill - number]()
            server.kill()
            server.start()
            for pair in several:
                pair.come_back()
        for pair, ender in zip(several, enders, strict=True):
            pair.assert_told(ender)
            assert pair.calls.status(pair.call_id, "bob")["endReason"] == "hangup"


def test_a_server_that_is_killed_at_any_moment(tmp_path: Path, homeserver: Homeserver) -> None:
    """Whoever gets no answer tries again. CALLRELAY_KILL_SEED repeats the moments."""
    print(f"CALLRELAY_KILL_SEED={SEED}")
    chance = random.Random(SEED)
    is_over = threading.Event()
    with MatrixServer(tmp_path, homeserver, PATIENT) as server, pairs(homeserver, server, 4) as several:
        with ThreadPoolExecutor(len(several)) as threads:
            running = [threads.submit(insistent_calls, pair, is_over) for pair in several]
            for _ in range(4):
                time.sleep(chance.uniform(0.05, 0.5))
                server.kill()
                server.start()
            is_over.set()
            done = [one.result(60) for one in running]
        for pair, call_ids in zip(several, done, strict=True):
            pair.come_back()
            for call_id in call_ids:
                pair.call_id = call_id
                pair.assert_told("bob")
            # Calls of one room are told one after the other by each of the two.
            for who in ("alice", "bob"):
                events = pair.calls.account(who).timeline(pair.room)
                said = [event["content"]["call_id"] for event in events if event["sender"] == pair.calls.id(who)]
                assert list(dict.fromkeys(said)) == call_ids and sorted(said, key=call_ids.index) == said
        told_of = [row for call_ids in done for call_id in call_ids for row in rows(server, call_id)]
        again = sum(row.attempts > 1 for row in told_of)
        print(f"{sum(map(len, done))} calls, {len(told_of)} events, {again} of them tried again")


def insistent_calls(pair: Pair, is_over: threading.Event) -> list[str]:
    """Calls that are answered and ended, until it is over; each act is repeated until it was acknowledged."""
    call_ids: list[str] = []
    while not is_over.is_set():
        body = {"roomId": pair.room, "callType": "voice", "invitees": [pair.calls.id("bob")]}
        call_id = insist(lambda: pair.calls.post("/api/calls/initiate", "alice", body))["callId"]
        call_ids.append(call_id)
        for act in ("answer", "end"):
            insist(lambda: pair.calls.post(f"/api/calls/{call_id}/{act}", "bob"))
    return call_ids


def insist(ask: Callable[[], requests.Response]) -> dict:
    """What it comes to in the end; a call that is there by then was placed by an earlier try, whose answer was lost."""

    def answered() -> dict | None:
        with suppress(requests.RequestException):
            response = ask()
            if response.status_code == 503:
                return None
            problem = response.json()
            if problem.get("code") == "call_exists":
                return problem["call"]
            assert response.status_code in (200, 201), response.text
            return problem
        return None

    return eventually(answered, "an answer", 60)


@shares_the_wait
def test_what_is_given_up_is_audited_whenever_the_server_is_killed(tmp_path: Path, homeserver: Homeserver) -> None:
    """The database takes no line of the audit, until the server is killed."""
    with served(tmp_path, homeserver, DATABASE_URL=f"sqlite:{tmp_path / 'server.db'}") as calls:
        room = room_without_power(calls)
        refusal = "WHEN NEW.kind = 'room-event-undelivered' BEGIN SELECT RAISE(ABORT, 'not now'); END"
        change(calls.server, f"CREATE TRIGGER no_audit BEFORE INSERT ON call_events {refusal}")
        call_id = calls.initiate("alice", room)
        eventually(lambda: row(calls.server, call_id, INVITE).attempts, "a try")
        # It cannot be waited for what should not come about.
        with suppress(AssertionError):
            eventually(lambda: row(calls.server, call_id, INVITE).undeliverable, seconds=3)
        calls.server.kill()
        change(calls.server, "DROP TRIGGER no_audit")
        calls.server.start()
        for who in ("alice", "bob"):
            assert calls.get("/api/calls/active", who).status_code == 200
        eventually(lambda: row(calls.server, call_id, INVITE).is_settled, "an end of it", SETTLE_SECONDS)
        eventually(lambda: undelivered(calls, call_id, "bob") == [(INVITE, "forbidden")], "its audit", 5)


@shares_the_wait.with_each("way", ["stop", "kill"])
def test_a_homeserver_that_is_away_is_told_afterwards(
    tmp_path: Path, start_homeserver: Callable[..., Homeserver], way: str
) -> None:
    """Calls at every point go on with what the server knows; each says what it is to say when the homeserver is there."""
    homeserver = start_homeserver()
    with MatrixServer(tmp_path, homeserver, PATIENT) as server, pairs(homeserver, server, 7) as several:
        placed, just_placed, answered, hung_up, hung_up_by_callee, refused, cancelled = several
        remember(placed.calls, placed.room)
        for pair in (answered, hung_up, hung_up_by_callee, refused, cancelled):
            pair.initiate()
        for pair in (hung_up, hung_up_by_callee):
            pair.answer()
        for pair in (answered, refused, cancelled):
            sent(server, pair.call_id)
        for pair in (hung_up, hung_up_by_callee):
            sent(server, pair.call_id, SELECT_ANSWER)
        # Whether this one is in the room before the homeserver goes, or only its beginning was, is all the same.
        just_placed.initiate()
        getattr(homeserver, way)()

        placed.initiate()
        answered.answer()
        hung_up.end("alice")
        hung_up_by_callee.end("bob")
        assert refused.calls.post(f"/api/calls/{refused.call_id}/reject", "bob").status_code == 200
        cancelled.end("alice")
        for pair in (placed, answered):
            pair.come_back()
        waiting = [row for pair in several for row in rows(server, pair.call_id) if row.event_type != INVITE]
        assert all(row.event_id is None or row.event_type == SELECT_ANSWER for row in waiting), waiting
        eventually(lambda: row(server, placed.call_id, INVITE).attempts >= 2, "more tries than one")

        homeserver.start()
        just_placed.answer()
        placed.answer()
        for pair, who in ((placed, "alice"), (just_placed, "bob"), (answered, "alice")):
            pair.end(who)
            pair.assert_told(who)
        hung_up.assert_told("alice")
        hung_up_by_callee.assert_told("bob")
        assert_told(
            refused.calls, refused.room, refused.call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")]
        )
        assert_told(cancelled.calls, cancelled.room, cancelled.call_id, [(INVITE, "alice"), (HANGUP, "alice")])


@contextmanager
def cabled(folder: Path, homeserver: Homeserver, **settings: str) -> Iterator[tuple[TCPCable, MatrixCalls]]:
    """People of a server whose only way to the homeserver is the cable."""
    cable = TCPCable(homeserver.port)
    try:
        url = f"http://127.0.0.1:{cable.port}"
        with served(folder, homeserver, MATRIX_HOMESERVER_URL=url, **settings) as calls:
            yield cable, calls
    finally:
        cable.close()


@shares_the_wait.with_each("comes_back", ["after a while", "when it has just become too late"])
def test_what_a_homeserver_missed_for_too_long_is_dropped(
    tmp_path: Path, homeserver: Homeserver, comes_back: str
) -> None:
    """A call that nobody could be told of while it rang rings nowhere afterwards."""
    with cabled(tmp_path, homeserver, CALL_RING_TIMEOUT="2s") as (cable, calls):
        room = calls.room("alice", "bob")
        remember(calls, room)
        cable.pull()
        call_id = cancelled_call(calls, room)
        if comes_back == "after a while":
            eventually(lambda: all(row.is_settled for row in rows(calls.server, call_id)), "the end of it")
        cable.plug()
        assert_told(calls, room, call_id, [], [(INVITE, "expired"), (HANGUP, "orphaned")])


@shares_the_wait
def test_a_try_that_waits_for_a_connection_does_not_outlast_the_ringing(
    tmp_path: Path, start_homeserver: Callable[..., Homeserver]
) -> None:
    """While nobody listens there, a connection might be tried for again and again, all in one try to send."""
    homeserver = start_homeserver()
    with served(tmp_path, homeserver, CALL_RING_TIMEOUT="2s") as calls:
        room = calls.room("alice", "bob")
        remember(calls, room)
        homeserver.kill()
        call_id = cancelled_call(calls, room)
        homeserver.start()
        assert_told(calls, room, call_id, [], [(INVITE, "expired"), (HANGUP, "orphaned")])


def cancelled_call(calls: MatrixCalls, room: str) -> str:
    """A call of alice's which is over at once; by now it would have rung for too long."""
    call_id = calls.initiate("alice", room, ["bob"])
    assert calls.post(f"/api/calls/{call_id}/end", "alice").status_code == 200
    expires_at = row(calls.server, call_id, INVITE).expires_at
    eventually(lambda: time.time() * 1000 > expires_at, "that moment")
    return call_id


def taken_and_not_confirmed(calls: MatrixCalls, cable: TCPCable, room: str, call_id: str, event_type: str) -> str:
    """Waits until the homeserver has the event and the server does not know; the answer is the event's id."""
    eventually(lambda: cable.has_lost, f"a try to send {event_type}")

    def there() -> list[dict]:
        return [event for event in told(calls, room, call_id) if event["type"] == event_type]

    [event] = eventually(there, f"{event_type} in the room")
    assert row(calls.server, call_id, event_type).event_id is None
    return event["event_id"]


@shares_the_wait
def test_an_event_whose_confirmation_is_lost_is_not_doubled(tmp_path: Path, homeserver: Homeserver) -> None:
    with cabled(tmp_path, homeserver) as (cable, calls):
        room = calls.room("alice", "bob")
        cable.lose_answers_from(f"/send/{INVITE}/".encode())
        call_id = calls.initiate("alice", room)
        steps = [(INVITE, "alice", "answer"), (SELECT_ANSWER, "alice", "end"), (HANGUP, "bob", None)]
        for event_type, who, then in steps:
            event_id = taken_and_not_confirmed(calls, cable, room, call_id, event_type)
            following = {SELECT_ANSWER: HANGUP, INVITE: SELECT_ANSWER}.get(event_type)
            # The server need not wait until it has lost its patience.
            cable.pull()
            cable.plug()
            assert sent(calls.server, call_id, event_type).event_id == event_id
            if following:
                cable.lose_answers_from(f"/send/{following}/".encode())
                assert calls.post(f"/api/calls/{call_id}/{then}", "bob").status_code == 200
        assert_told(calls, room, call_id, [(event_type, who) for event_type, who, _ in steps])


@shares_the_wait
def test_an_event_whose_confirmation_is_lost_with_the_server_is_not_doubled(
    tmp_path: Path, homeserver: Homeserver
) -> None:
    """What is left of the first try is in the table, and who comes back says the same again."""
    with cabled(tmp_path, homeserver) as (cable, calls):
        room = calls.room("alice", "bob")
        cable.lose_answers_from(f"/send/{INVITE}/".encode())
        call_id = calls.initiate("alice", room)
        event_id = taken_and_not_confirmed(calls, cable, room, call_id, INVITE)
        calls.server.kill()
        cable.pull()
        cable.plug()
        calls.server.start()
        # Before alice has come back nobody can say it again.
        assert calls.post(f"/api/calls/{call_id}/reject", "bob").status_code == 200
        assert calls.get("/api/calls/active", "alice").status_code == 200
        events = assert_told(calls, room, call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])
        assert events[0]["event_id"] == event_id
        assert row(calls.server, call_id, INVITE).attempts >= 2


@shares_the_wait
def test_a_homeserver_that_says_nothing_is_asked_again(tmp_path: Path, homeserver: Homeserver) -> None:
    with cabled(tmp_path, homeserver) as (cable, calls):
        room = calls.room("alice", "bob")
        cable.lose_answers_from(f"/send/{INVITE}/".encode())
        call_id = calls.initiate("alice", room)
        event_id = taken_and_not_confirmed(calls, cable, room, call_id, INVITE)
        found = sent(calls.server, call_id)
        assert found.event_id == event_id and found.attempts >= 2
        calls.post(f"/api/calls/{call_id}/end", "alice")
        assert_told(calls, room, call_id, [(INVITE, "alice"), (HANGUP, "alice")])


# Limits of the homeserver.


def use_up(account: Account, room: str) -> None:
    """Says things until the homeserver has had enough."""
    headers = {"Authorization": f"Bearer {account.access_token}"}
    for number in range(100):
        url = f"{account.homeserver.url}{room_path(room)}/send/m.room.message/{time.time_ns()}-{number}"
        answer = requests.put(url, json={"msgtype": "m.text", "body": "…"}, headers=headers, timeout=30)
        if answer.status_code == 429:
            return
        assert answer.status_code == 200, answer.text
    raise AssertionError("there is no limit")


@shares_the_wait
def test_events_of_a_limited_user_come_late_and_in_order(tmp_path: Path, limited: Homeserver) -> None:
    with served(tmp_path, limited) as calls:
        answered, refused = calls.room("alice", "bob"), calls.room("carol", "bob")
        for who, room in (("alice", answered), ("carol", refused)):
            use_up(calls.account(who), room)
        call_id = calls.initiate("alice", answered)
        calls.answer(call_id, "bob")
        calls.post(f"/api/calls/{call_id}/end", "alice")
        other_id = calls.initiate("carol", refused)
        # Bob may say what he likes, and waits for the invite all the same.
        calls.post(f"/api/calls/{other_id}/reject", "bob")
        assert_told(calls, answered, call_id, [(INVITE, "alice"), (SELECT_ANSWER, "alice"), (HANGUP, "alice")])
        attempts = [row.attempts for row in rows(calls.server, call_id)]
        assert max(attempts) >= 2, "it was limited"
        eventually(lambda: all(row.event_id for row in rows(calls.server, other_id)), "all of the other call's")
        events = [event for event in calls.account("bob").timeline(refused) if event["content"]["call_id"] == other_id]
        assert events[0]["type"] == INVITE
        assert sorted(event["type"] for event in events) == sorted([INVITE, REJECT, HANGUP])
        # Not asked more often than it said: a try, and one when it may.
        assert sum(attempts) <= 2 * len(attempts) + 2, attempts


@shares_the_wait
def test_an_invite_that_would_come_too_late_is_dropped(tmp_path: Path, limited: Homeserver) -> None:
    with served(tmp_path, limited, CALL_RING_TIMEOUT="2s") as calls:
        room = calls.room("alice", "bob")
        for _ in range(10):
            use_up(calls.account("alice"), room)
            began = time.monotonic()
            call_id = calls.initiate("alice", room)
            if time.monotonic() - began < 2:
                # Five seconds are the least that she waits for.
                break
            eventually(lambda: all(row.is_settled for row in rows(calls.server, call_id)), "its end")
        calls.post(f"/api/calls/{call_id}/reject", "bob")
        lost = [(INVITE, "expired"), (REJECT, "orphaned"), (HANGUP, "orphaned")]
        assert_told(calls, room, call_id, [], lost)


@shares_the_wait
def test_a_call_that_rang_in_vain_is_not_hung_up_where_it_did_not_ring(tmp_path: Path, limited: Homeserver) -> None:
    """The time of an invite is over when that of the ringing is, and either may be noticed first."""
    with served(tmp_path, limited, CALL_RING_TIMEOUT="2s") as calls:
        rooms = [calls.room("alice", "bob") for _ in range(10)]
        use_up(calls.account("alice"), rooms[0])
        call_ids = []
        for room in rooms:
            call_ids.append(calls.initiate("alice", room))
            time.sleep(0.1)  # spread over the times at which the server looks
        for room, call_id in zip(rooms, call_ids, strict=True):
            if looked_at(calls, call_id, INVITE).event_id:
                continue  # on a slow machine she may be allowed to say one of them
            assert looked_at(calls, call_id, HANGUP).undeliverable == "orphaned"
            assert_told(calls, room, call_id, [], [(INVITE, "expired"), (HANGUP, "orphaned")])


def looked_at(calls: MatrixCalls, call_id: str, event_type: str) -> Row:
    """Waits until it is settled; what comes after an invite is not even tried before that."""

    def look() -> Row | None:
        found = row(calls.server, call_id, event_type)
        is_tried = event_type != INVITE and found is not None and found.attempts > 0
        return found if found and (found.is_settled or is_tried) else None

    return eventually(look, f"an end of {event_type}")


# Whose token.


@shares_the_wait
def test_a_hangup_that_was_refused_waits_for_its_sender_on_any_device(tmp_path: Path, homeserver: Homeserver) -> None:
    """The homeserver has certainly not taken it."""
    with served(tmp_path, homeserver, CALL_RING_TIMEOUT="10s") as calls:
        room = calls.room("alice", "bob")
        alice = calls.account("alice")
        call_id = calls.initiate("alice", room)
        sent(calls.server, call_id)
        alice.logout()
        eventually(lambda: row(calls.server, call_id, HANGUP), "the end of the ringing")
        eventually(lambda: row(calls.server, call_id, HANGUP).attempts == 1, "a try with the token that is no more")
        assert calls.status(call_id, "bob")["endReason"] == "missed"
        # Nobody says it for her.
        calls.initiate("bob", calls.room("bob", "carol"))
        assert row(calls.server, call_id, HANGUP).event_id is None

        calls.accounts["alice"] = other = calls.login("alice")
        assert other.device_id != alice.device_id
        assert calls.get("/api/calls/active", other).status_code == 200
        assert_told(calls, room, call_id, [(INVITE, "alice"), (HANGUP, "alice")])
        said = row(calls.server, call_id, HANGUP)
        assert (said.attempts, said.sender_device) == (2, other.device_id)


@shares_the_wait
def test_a_hangup_that_may_have_been_taken_is_not_said_by_another_device(
    tmp_path: Path, homeserver: Homeserver
) -> None:
    """With another device's token the homeserver would take it once more; with the same device's, too, if that was signed out
    meanwhile."""
    with cabled(tmp_path, homeserver) as (cable, calls):
        room = calls.room("alice", "bob")
        alice = calls.account("alice")
        call_id = calls.initiate("alice", room)
        sent(calls.server, call_id)
        cable.lose_answers_from(f"/send/{HANGUP}/".encode())
        assert calls.post(f"/api/calls/{call_id}/end", "alice").status_code == 200
        taken_and_not_confirmed(calls, cable, room, call_id, HANGUP)
        calls.accounts["alice"] = other = calls.login("alice")
        another_id = calls.initiate(other, calls.room("alice", "bob"))
        assert sent(calls.server, another_id).sender_device == other.device_id
        waiting = row(calls.server, call_id, HANGUP)
        assert (waiting.event_id, waiting.undeliverable, waiting.attempts) == (None, None, 1)
        assert waiting.sender_device == alice.device_id
        alice.logout()
        cable.pull()
        cable.plug()
        eventually(lambda: row(calls.server, call_id, HANGUP).is_settled, "a try with the token that is no more")
        again = calls.login("alice", device_id=alice.device_id)
        assert calls.get("/api/calls/active", again).status_code == 200
        # What she says next has been looked at after it.
        next_id = calls.initiate(again, room)
        sent(calls.server, next_id)
        assert row(calls.server, call_id, HANGUP).undeliverable == "unconfirmed"
        assert [event["type"] for event in told(calls, room, call_id)] == [INVITE, HANGUP]
        audit = eventually(lambda: undelivered(calls, call_id, "bob"), "the audit tells of it")
        assert audit == [(HANGUP, "unconfirmed")]


@shares_the_wait
def test_after_a_restart_events_wait_for_their_senders(tmp_path: Path, homeserver: Homeserver) -> None:
    """Tokens are kept in memory alone. What was not tried yet goes with any device of the sender's."""
    with served(tmp_path, homeserver) as calls:
        room = calls.room("alice", "bob")
        call_id = calls.initiate("alice", room)
        sent(calls.server, call_id)
        calls.server.kill()
        calls.server.start()
        assert calls.post(f"/api/calls/{call_id}/reject", "bob").status_code == 200
        sent(calls.server, call_id, REJECT)
        # The outbox has looked, and looks again for another of bob's.
        elsewhere = calls.room("bob", "carol")
        another_id = calls.initiate("bob", elsewhere)
        sent(calls.server, another_id)
        waiting = row(calls.server, call_id, HANGUP)
        assert (waiting.event_id, waiting.undeliverable, waiting.attempts, waiting.sender_device) == (None, None, 0, None)
        assert [event["type"] for event in told(calls, room, call_id)] == [INVITE, REJECT]

        other = calls.login("alice")
        assert calls.get("/api/calls/active", other).status_code == 200
        assert_told(calls, room, call_id, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])
        assert row(calls.server, call_id, HANGUP).sender_device == other.device_id


# Several nodes.


def test_each_event_is_sent_by_the_node_that_knows_its_sender(tmp_path: Path, homeserver: Homeserver) -> None:
    """Alice is known to one node alone, and bob to the other, whoever of them writes what is to be sent."""
    with postgresql() as postgres, ExitStack() as stack:
        own = {"DATABASE_URL": postgres.url(), "TURN_ENABLED": "false", "TURN_SHARED_SECRET": "of both nodes"}
        servers = [MatrixServer(tmp_path / name, homeserver, PATIENT | own) for name in ("hers", "his")]
        nodes = [stack.enter_context(server) for server in servers]
        calls = stack.enter_context(MatrixCalls(homeserver, nodes[0]))
        hers, his = calls, replace(calls, server=nodes[1])
        room = calls.room("alice", "bob")
        nodes[1].tokens |= nodes[0].tokens

        answered = hers.initiate("alice", room)
        his.answer(answered, "bob")
        his.post(f"/api/calls/{answered}/end", "bob")
        eventually(lambda: hers.get("/api/calls/active", "alice").json()["calls"] == [], "the end of the call")
        assert_told(his, room, answered, [(INVITE, "alice"), (SELECT_ANSWER, "alice"), (HANGUP, "bob")])
        refused = hers.initiate("alice", room)
        his.post(f"/api/calls/{refused}/reject", "bob")
        assert_told(his, room, refused, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])

        assert senders(nodes[0], answered) == [INVITE, SELECT_ANSWER] and senders(nodes[1], answered) == [HANGUP]
        assert senders(nodes[0], refused) == [INVITE, HANGUP] and senders(nodes[1], refused) == [REJECT]
        assert all(row.attempts == 1 for call_id in (answered, refused) for row in rows(nodes[0], call_id))

        # Neither node knows alice any more; the one that she comes to sends what is left.
        late = hers.initiate("alice", room)
        sent(nodes[0], late)
        nodes[0].kill()
        his.post(f"/api/calls/{late}/reject", "bob")
        sent(nodes[1], late, REJECT)
        assert row(nodes[1], late, HANGUP).attempts == 0
        assert his.get("/api/calls/active", "alice").status_code == 200
        assert_told(his, room, late, [(INVITE, "alice"), (REJECT, "bob"), (HANGUP, "alice")])
        assert senders(nodes[1], late) == [REJECT, HANGUP]
        nodes[0].start()


def senders(node: MatrixServer, call_id: str) -> list[str]:
    """Types of the call's events that the node has sent."""
    return re.findall(rf"told a room of a call call={re.escape(call_id)} event=(\S+)", node.log)

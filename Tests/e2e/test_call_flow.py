"""The seven steps of a one-to-one call with the official python-socketio client.

initiate, join, answer, join, offer/answer/candidates, toggles, end: every acknowledgement and every event is looked
at, over long-polling, over WebSocket, and over the upgrade from one to the other, with the sync and the async client.
"""

import itertools

import pytest

from running_server import RunningServer
from signaling_client import CLIENTS, LIVE_TRANSPORT, TRANSPORTS

# The payloads are the browser's text: kept as it came, with its key order, its numbers and its letters.
OFFER = {"type": "offer", "sdp": "v=0\r\no=- 4611 2 IN IP4 127.0.0.1\r\ns=Ünïcödé 😀 \u2028\r\nt=0 0\r\n"}
ANSWER = {"sdp": "v=0\r\ns=answer\\r\\n\r\nt=0 0\r\n", "type": "answer"}
CANDIDATE = {
    "sdpMLineIndex": 0,
    "sdpMid": "0",
    "candidate": "candidate:1 1 udp 2113937151 192.0.2.1 54400 typ host",
    "x-float": 1.0,
    "x-large": 12345678901234567890123,
}
_numbers = itertools.count()

CALL_KEYS = {"callId", "roomId", "callType", "group", "state", "createdBy", "createdAt", "seq", "participants"}
ICE_KEYS = {"iceServers", "iceTransportPolicy", "ttl", "expiresAt"}


def state_of(call: dict, user: str) -> str:
    return next(p["state"] for p in call["participants"] if p["userId"] == f"@{user}:localhost")


@pytest.mark.parametrize("transport", TRANSPORTS)
@pytest.mark.parametrize("kind", CLIENTS)
def test_the_seven_steps_of_a_call(server: RunningServer, kind: str, transport: str) -> None:
    number = next(_numbers)
    alice, bob = f"alice-{number}", f"bob-{number}"
    alice_id, bob_id = f"@{alice}:localhost", f"@{bob}:localhost"
    room = f"!flow-{number}:localhost"
    client = CLIENTS[kind]
    with client(server.url, alice, transport) as a, client(server.url, bob, transport) as b:
        assert a.transport == b.transport == LIVE_TRANSPORT[transport]

        # 1. Alice initiates; Bob's connected socket hears it ring without having joined anything.
        body = {"roomId": room, "callType": "video", "invitees": [bob_id], "deviceId": "laptop"}
        response = server.request("POST", "/api/calls/initiate", alice, body)
        assert response.status_code == 201, response.text
        call = response.json()
        call_id = call["callId"]
        assert CALL_KEYS | ICE_KEYS <= set(call)
        assert (call["state"], call["createdBy"], call["roomId"]) == ("ringing", alice_id, room)
        assert call["group"] is False and call["callType"] == "video"
        assert server_uris(call), "the caller needs this server's own relay"
        incoming = b.wait("call-incoming", lambda p: p["callId"] == call_id)
        assert incoming["call"]["state"] == "ringing" and incoming["call"]["callId"] == call_id
        assert not ICE_KEYS & (set(incoming) | set(incoming["call"])), "credentials never stand in events"

        # 2. Alice joins.
        joined = a.call("join-call", {"callId": call_id, "deviceId": "laptop"})
        assert joined["ok"] is True
        assert joined["call"]["callId"] == call_id and state_of(joined["call"], alice) == "joined"
        assert server_uris(joined) and joined["missed"] == []
        assert state_of(server.request("GET", f"/api/calls/{call_id}/status", alice).json(), bob) == "ringing"

        # 3. Bob answers; Alice hears who answered and on which device.
        response = server.request("POST", f"/api/calls/{call_id}/answer", bob, {"deviceId": "phone"})
        assert response.status_code == 200, response.text
        assert response.json()["state"] == "connecting" and response.json()["answeredAt"]
        assert server_uris(response.json())
        answered = a.wait("call-answered")
        assert (answered["callId"], answered["userId"], answered["deviceId"]) == (call_id, bob_id, "phone")
        assert answered["call"]["state"] == "connecting" and not ICE_KEYS & set(answered["call"])
        assert b.wait("call-answered")["deviceId"] == "phone", "the callee's own devices stop ringing by it"

        # 4. Bob joins; Alice hears of him; the call is active.
        joined = b.call("join-call", {"callId": call_id, "deviceId": "phone"})
        assert joined["ok"] is True and joined["call"]["state"] == "active"
        assert [peer["userId"] for peer in joined["peers"]] == [alice_id]
        assert isinstance(joined["peers"][0]["polite"], bool)
        there = a.wait("user-joined", lambda p: p["userId"] == bob_id)
        assert there["deviceId"] == "phone" and there["callId"] == call_id
        assert {p["userId"] for p in there["participants"]} == {alice_id, bob_id}

        # 5. Offer, answer and candidates, to all and to one, ended by null and by "".
        assert a.call("webrtc-offer", {"callId": call_id, "offer": OFFER})["ok"] is True
        offer = b.wait("webrtc-offer")
        assert (offer["from"], offer["fromDevice"], offer["callId"]) == (alice_id, "laptop", call_id)
        assert_untouched(offer["offer"], OFFER)
        assert b.call("webrtc-answer", {"callId": call_id, "to": alice_id, "answer": ANSWER})["ok"] is True
        answer = a.wait("webrtc-answer")
        assert (answer["from"], answer["fromDevice"]) == (bob_id, "phone")
        assert_untouched(answer["answer"], ANSWER)
        for sender, receiver, sender_id in ((a, b, alice_id), (b, a, bob_id)):
            for candidate in (CANDIDATE, None, ""):
                ack = sender.call("ice-candidate", {"callId": call_id, "candidate": candidate})
                assert ack["ok"] is True
                heard = receiver.wait("ice-candidate")
                assert heard["from"] == sender_id and "candidate" in heard
                assert_untouched(heard["candidate"], candidate)

        # 6. Toggles and media state; the call remembers them.
        assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"] is True
        assert_fields(b.wait("audio-toggled"), callId=call_id, userId=alice_id, enabled=False)
        assert b.call("toggle-video", {"callId": call_id, "enabled": False})["ok"] is True
        assert_fields(a.wait("video-toggled"), callId=call_id, userId=bob_id, enabled=False)
        assert a.call("media-state", {"callId": call_id, "onHold": True})["ok"] is True
        assert_fields(b.wait("media-state"), callId=call_id, userId=alice_id, onHold=True)
        status = server.request("GET", f"/api/calls/{call_id}/status", bob).json()
        flags = {p["userId"]: (p["audioEnabled"], p["videoEnabled"]) for p in status["participants"]}
        assert flags == {alice_id: (False, True), bob_id: (True, False)}
        assert status["state"] == "active"

        # 7. Alice ends; both hear it, why, and by whom.
        response = server.request("POST", f"/api/calls/{call_id}/end", alice, {})
        assert response.status_code == 200, response.text
        ended = response.json()
        assert (ended["state"], ended["endReason"], ended["endedBy"]) == ("ended", "hangup", alice_id)
        for peer in (a, b):
            heard = peer.wait("call-ended")
            assert_fields(heard, callId=call_id, reason="hangup", by=alice_id)
            assert heard["call"]["state"] == "ended" and heard["call"]["endedAt"]

        for peer in (a, b):
            peer.settle()
            assert peer.received == [], "nobody hears himself, or anything twice"
        assert_audit_tells_the_story(server, alice, ended)


def test_every_event_is_numbered_without_a_hole(server: RunningServer) -> None:
    """What the two hear of each other, their own acts and the quiet ones make up 1, 2, 3, … exactly."""
    number = next(_numbers)
    alice, bob = f"alice-{number}", f"bob-{number}"
    body = {"roomId": f"!flow-{number}:localhost", "invitees": [f"@{bob}:localhost"]}
    with CLIENTS["async"](server.url, alice) as a, CLIENTS["async"](server.url, bob) as b:
        call_id = server.request("POST", "/api/calls/initiate", alice, body).json()["callId"]
        a.call("join-call", {"callId": call_id})
        server.request("POST", f"/api/calls/{call_id}/answer", bob, {})
        b.call("join-call", {"callId": call_id})
        for index in range(40):
            sender = (a, b)[index % 2]
            assert sender.call("ice-candidate", {"callId": call_id, "candidate": {"n": index}})["ok"] is True
        last = server.request("POST", f"/api/calls/{call_id}/end", bob, {}).json()["seq"]
        a.wait("call-ended"), b.wait("call-ended")
        for peer, parity in ((a, 1), (b, 0)):
            candidates = peer.seen("ice-candidate")
            assert [p["candidate"]["n"] for p in candidates] == list(range(parity, 40, 2))
            numbers = [p["seq"] for p in candidates]
            assert numbers == sorted(set(numbers))
        audit = collect(server, f"/api/calls/{call_id}/events", alice)
        assert [row["seq"] for row in audit] == list(range(1, last + 1))


def server_uris(ice: dict) -> list[str]:
    """The TURN URIs of an ICE answer, each with a credential beside it."""
    assert ICE_KEYS <= set(ice)
    found = []
    for entry in ice["iceServers"]:
        uris = entry["urls"] if isinstance(entry["urls"], list) else [entry["urls"]]
        turn = [uri for uri in uris if uri.startswith("turn")]
        if turn:
            assert entry["username"] and entry["credential"]
        found += turn
    return found


def assert_untouched(heard: object, sent: object) -> None:
    assert heard == sent
    if isinstance(sent, dict):
        assert list(heard) == list(sent), "the order of the keys is the sender's"
        assert [type(value) for value in heard.values()] == [type(value) for value in sent.values()]


def assert_fields(payload: dict, **expected: object) -> None:
    assert {key: payload.get(key) for key in expected} == expected, payload
    assert isinstance(payload["seq"], int)


def collect(server: RunningServer, path: str, user: str) -> list[dict]:
    """All items of a paged list."""
    items, cursor = [], None
    while True:
        page = server.request("GET", path, user, params={"limit": 20, **({"cursor": cursor} if cursor else {})}).json()
        items += page["items"]
        if not (cursor := page.get("nextCursor")):
            return items


def assert_audit_tells_the_story(server: RunningServer, user: str, call: dict) -> None:
    audit = collect(server, f"/api/calls/{call['callId']}/events", user)
    assert [row["seq"] for row in audit] == list(range(1, call["seq"] + 1)), "every number once, none left out"
    text = str(audit)
    assert "v=0" not in text and "candidate:1" not in text, "signals are in no REST answer"
    status = server.request("GET", f"/api/calls/{call['callId']}/status", user).json()
    assert (status["state"], status["seq"]) == ("ended", call["seq"])
    active = server.request("GET", "/api/calls/active", user).json()["calls"]
    assert call["callId"] not in [row["callId"] for row in active]
    assert call["callId"] in [row["callId"] for row in collect(server, "/api/calls/history", user)]

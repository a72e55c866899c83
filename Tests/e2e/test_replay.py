"""Late joiners and resumed sessions: what was said while nobody listened is heard, once and in order."""

import json

import pytest
import websocket

from running_server import RunningServer, bearer
from scenario import Scenario
from waiting import eventually

OLD = {"type": "offer", "sdp": "v=0 old"}
NEW = {"type": "offer", "sdp": "v=0 new"}


def candidate(number: int) -> dict:
    return {"candidate": f"candidate:{number}", "sdpMid": "0"}


def test_a_late_joiner_hears_the_newest_offer_and_its_candidates(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        assert a.call("join-call", {"callId": call_id})["ok"]
        assert a.call("webrtc-offer", {"callId": call_id, "offer": OLD})["ok"]
        assert a.call("ice-candidate", {"callId": call_id, "candidate": candidate(1)})["ok"]
        assert a.call("webrtc-offer", {"callId": call_id, "offer": NEW})["ok"]
        for number in (2, 3):
            assert a.call("ice-candidate", {"callId": call_id, "candidate": candidate(number)})["ok"]
        assert s.post(f"/api/calls/{call_id}/answer", "bob").status_code == 200
        b.settle()
        assert b.seen("webrtc-offer") == [], "signals go to joined participants only"

        ack = b.call("join-call", {"callId": call_id})
        assert ack["ok"] is True and ack["missed"] == [], "kept signals come as ordinary events"
        assert b.wait("webrtc-offer")["offer"] == NEW
        heard = [b.wait("ice-candidate")["candidate"] for _ in (2, 3)]
        assert heard == [candidate(2), candidate(3)]
        b.settle()
        assert not b.seen("webrtc-offer") and not b.seen("ice-candidate"), "the old session's signals are gone"


def test_signals_by_rest_reach_sockets_and_wait_for_them(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        path = f"/api/calls/{call_id}"
        assert a.call("join-call", {"callId": call_id})["ok"]
        early = s.post(f"{path}/offer", "alice", {"offer": NEW})
        assert early.status_code == 202 and early.json()["delivered"] is False
        assert s.post(f"{path}/answer", "bob").status_code == 200
        assert b.call("join-call", {"callId": call_id})["ok"]
        assert b.wait("webrtc-offer")["seq"] == early.json()["seq"]

        description = {"type": "answer", "sdp": "v=0 b"}
        answer = s.post(f"{path}/answer-sdp", "bob", {"answer": description, "to": s.id("alice")})
        assert answer.status_code == 202 and answer.json()["delivered"] is True
        heard = a.wait("webrtc-answer")
        assert heard["seq"] == answer.json()["seq"] and heard["answer"] == description
        many = s.post(f"{path}/ice-candidate", "bob", {"candidates": [candidate(1), candidate(2), None]})
        assert many.status_code == 202, many.text
        assert [a.wait("ice-candidate")["candidate"] for _ in range(3)] == [candidate(1), candidate(2), None]
        one = s.post(f"{path}/ice-candidate", "bob", {"candidate": candidate(3), "to": s.id("alice")})
        assert one.status_code == 202 and a.wait("ice-candidate")["candidate"] == candidate(3)
        off = s.post(f"{path}/toggle-video", "bob", {"enabled": False})
        assert off.status_code == 200 and off.json()["videoEnabled"] is False
        assert a.wait("video-toggled")["enabled"] is False


def test_a_resumed_session_gets_all_it_missed_once_and_in_order(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"]
        last = b.wait("audio-toggled")["seq"]
        b.disconnect()
        while s.participant(call_id, "bob")["state"] != "reconnecting":
            assert s.status(call_id, "alice")["state"] == "active"
        assert a.call("toggle-audio", {"callId": call_id, "enabled": True})["ok"]
        assert a.call("webrtc-offer", {"callId": call_id, "offer": OLD})["ok"]
        assert a.call("ice-candidate", {"callId": call_id, "candidate": candidate(1)})["ok"]
        assert a.call("webrtc-offer", {"callId": call_id, "offer": NEW})["ok"]
        assert a.call("media-state", {"callId": call_id, "screenShare": True})["ok"]

        b.received.clear()
        b.connect()
        ack = b.call("join-call", {"callId": call_id, "afterSeq": last})
        assert ack["ok"] is True
        of_alice = [entry for entry in ack["missed"] if entry["event"] not in ("user-joined", "user-left")]
        events = ["audio-toggled", "webrtc-offer", "ice-candidate", "webrtc-offer", "media-state"]
        assert [entry["event"] for entry in of_alice] == events
        assert [entry["data"].get("offer") for entry in of_alice if "offer" in entry["event"]] == [OLD, NEW]
        numbers = [entry["data"]["seq"] for entry in ack["missed"]]
        assert numbers == sorted(set(numbers)) and numbers[0] > last
        assert all(entry["data"]["callId"] == call_id for entry in ack["missed"])
        b.settle()
        assert not b.seen("webrtc-offer") and not b.seen("audio-toggled"), "what was missed is not told again"

        assert s.participant(call_id, "bob")["state"] == "joined"
        assert a.call("toggle-video", {"callId": call_id, "enabled": False})["ok"]
        assert b.wait("video-toggled")["seq"] > max(numbers), "and what follows comes as before"


def test_a_fresh_session_is_announced_again_and_whoever_came_later_is_polite(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        fresh = s.socket("bob")
        joined = fresh.call("join-call", {"callId": call_id})
        assert joined["ok"] is True and joined["peers"] == [{"userId": s.id("alice"), "polite": True}]
        assert a.wait("user-joined")["userId"] == s.id("bob"), "a new session means a new negotiation"
        a.settle()
        assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"] is True
        fresh.wait("audio-toggled")
        b.settle()
        assert b.received == [], "the socket that was replaced hears no more of the call"
        again = s.socket("alice")
        resumed = again.call("join-call", {"callId": call_id, "afterSeq": s.status(call_id, "alice")["seq"]})
        assert resumed["peers"] == [{"userId": s.id("bob"), "polite": False}], "going on is not coming later"
        fresh.settle()
        assert fresh.seen("user-joined") == []


def raw_socket(server: RunningServer, user: str, call_id: str) -> websocket.WebSocket:
    """A connection without a client library behind it: joined, and free to fall silent."""
    url = f"ws://127.0.0.1:{server.http_port}/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(url, timeout=10, suppress_origin=True)
    connection.recv()
    connection.send("40" + json.dumps({"token": bearer(user)}))
    assert connection.recv().startswith('40{"sid"')
    connection.send("420" + json.dumps(["join-call", {"callId": call_id}]))
    while not (packet := connection.recv()).startswith("430"):
        pass
    assert json.loads(packet[3:])[0]["ok"] is True
    return connection


@pytest.mark.parametrize("how", ["cut", "silent"])
def test_a_connection_that_just_vanishes_is_noticed(start_server, how: str) -> None:
    """Without a goodbye: the cable is cut, or nothing comes any more, not even an answer to a ping."""
    with Scenario(start_server(SOCKET_PING_INTERVAL="1s", SOCKET_PING_TIMEOUT="3s")) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        connection = raw_socket(s.server, s.name("bob"), call_id)
        a.wait("user-joined")
        if how == "cut":
            connection.shutdown()
        eventually(lambda: s.participant(call_id, "bob")["state"] != "joined", "notice of it")
        assert s.participant(call_id, "bob")["state"] == "reconnecting"
        assert s.status(call_id, "alice")["state"] == "active", "the place is kept"
        connection.shutdown()


def test_a_call_outlives_a_restart_of_the_server(start_server) -> None:
    server = start_server()
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        last = s.status(call_id, "alice")["seq"]
        assert server.stop() == 0
        a.disconnect(), b.disconnect()
        server.start()
        for who, socket in (("alice", a), ("bob", b)):
            assert s.participant(call_id, who)["state"] == "reconnecting"
            socket.connect()
            assert socket.call("join-call", {"callId": call_id, "afterSeq": last})["ok"] is True
        assert s.status(call_id, "alice")["state"] == "active"
        assert a.call("webrtc-offer", {"callId": call_id, "offer": NEW})["ok"] is True
        assert b.wait("webrtc-offer")["offer"] == NEW


def test_a_socket_that_connects_late_hears_that_it_rings(server: RunningServer) -> None:
    with Scenario(server) as s:
        call_id = s.initiate("alice", ["bob"])
        b = s.socket("bob")
        assert b.wait("call-incoming")["callId"] == call_id


def test_an_early_offer_and_answer_travel_with_the_call(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"], offer=NEW)
        assert a.call("join-call", {"callId": call_id})["ok"]
        answer = {"type": "answer", "sdp": "v=0 early"}
        assert s.post(f"/api/calls/{call_id}/answer", "bob", {"answer": answer}).status_code == 200
        assert a.wait("webrtc-answer")["answer"] == answer
        assert b.call("join-call", {"callId": call_id})["ok"]
        assert b.wait("webrtc-offer")["offer"] == NEW


def test_the_same_request_twice_is_one_call(server: RunningServer) -> None:
    with Scenario(server) as s:
        body = {"roomId": s.room, "invitees": [s.id("bob")]}
        key = {"headers": {"Idempotency-Key": f"key-{s.number}"}}
        first = s.post("/api/calls/initiate", "alice", body, **key)
        second = s.post("/api/calls/initiate", "alice", body, **key)
        assert first.status_code == second.status_code == 201
        assert first.json()["callId"] == second.json()["callId"]
        other = s.post("/api/calls/initiate", "alice", {**body, "callType": "voice"}, **key)
        assert other.status_code == 422, other.text

"""The ways a call ends, and what each of the people hears."""

from running_server import RunningServer
from scenario import Scenario


def assert_ended(heard: dict, reason: str, by: str | None) -> None:
    assert heard["reason"] == reason and heard.get("by") == by, heard
    assert heard["call"]["state"] == "ended" and heard["call"]["endReason"] == reason


def test_a_call_rejected_by_the_callee(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        b.wait("call-incoming")
        answer = s.post(f"/api/calls/{call_id}/reject", "bob")
        assert answer.status_code == 200 and answer.json()["endReason"] == "rejected"
        assert_ended(a.wait("call-ended"), "rejected", s.id("bob"))
        assert s.participant(call_id, "bob")["state"] == "rejected"
        again = s.post(f"/api/calls/{call_id}/reject", "bob")
        assert again.status_code == 200 and again.json()["seq"] == answer.json()["seq"], "rejecting twice is rejecting"


def test_a_busy_callee_says_so(server: RunningServer) -> None:
    with Scenario(server) as s:
        a = s.socket("alice")
        call_id = s.initiate("alice", ["bob"])
        assert s.post(f"/api/calls/{call_id}/reject", "bob", {"reason": "busy"}).json()["endReason"] == "busy"
        assert_ended(a.wait("call-ended"), "busy", s.id("bob"))


def test_the_caller_cancels_while_it_rings(server: RunningServer) -> None:
    with Scenario(server) as s:
        b = s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        b.wait("call-incoming")
        assert s.post(f"/api/calls/{call_id}/end", "alice").json()["endReason"] == "cancelled"
        assert_ended(b.wait("call-ended"), "cancelled", s.id("alice"))
        late = s.post(f"/api/calls/{call_id}/answer", "bob")
        assert (late.status_code, late.json()["code"]) == (410, "call_ended")
        again = s.post(f"/api/calls/{call_id}/end", "alice")
        assert again.status_code == 200 and again.json()["endReason"] == "cancelled", "ending twice is ending"


def test_a_call_nobody_answers_is_missed(start_server) -> None:
    with Scenario(start_server(CALL_RING_TIMEOUT="1s")) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        assert_ended(a.wait("call-ended"), "missed", None)
        assert_ended(b.wait("call-ended"), "missed", None)
        assert s.participant(call_id, "bob")["state"] == "missed"
        late = s.post(f"/api/calls/{call_id}/answer", "bob")
        assert (late.status_code, late.json()["code"]) == (410, "call_ended")
        rows = s.get(f"/api/calls/{call_id}/events", "alice").json()["items"]
        assert rows[0]["kind"] == "initiated" and rows[0]["userId"] == s.id("alice")
        assert (rows[-1]["kind"], rows[-1]["reason"]) == ("ended", "missed") and "userId" not in rows[-1]


def test_an_answered_call_that_nobody_joins_fails(start_server) -> None:
    with Scenario(start_server(CALL_CONNECT_TIMEOUT="1s")) as s:
        a = s.socket("alice")
        call_id = s.initiate("alice", ["bob"])
        assert s.post(f"/api/calls/{call_id}/answer", "bob").status_code == 200
        assert_ended(a.wait("call-ended"), "failed", None)


def test_leaving_while_it_rings(server: RunningServer) -> None:
    """Whoever is called is not in the call yet and has nothing to leave; for the caller it is taking the call back."""
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        b.wait("call-incoming")
        assert b.call("leave-call", {"callId": call_id})["ok"] is True
        assert s.status(call_id, "alice")["state"] == "ringing"
        assert a.call("join-call", {"callId": call_id})["ok"] is True
        assert a.call("leave-call", {"callId": call_id})["ok"] is True
        assert_ended(b.wait("call-ended"), "cancelled", s.id("alice"))


def test_leaving_ends_a_call_of_two(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        assert b.call("leave-call", {"callId": call_id})["ok"] is True
        heard = a.wait("user-left")
        assert heard["userId"] == s.id("bob") and heard["callId"] == call_id
        assert a.wait("call-ended")["call"]["endReason"] == "left"
        assert s.participant(call_id, "bob")["state"] == "left"


def test_a_lost_socket_ends_the_call_after_the_grace(start_server) -> None:
    with Scenario(start_server(CALL_RECONNECT_GRACE="1s")) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        b.disconnect()
        assert a.wait("user-left")["userId"] == s.id("bob")
        assert a.wait("call-ended")["call"]["state"] == "ended"


def test_the_first_device_to_answer_takes_the_call(server: RunningServer) -> None:
    with Scenario(server) as s:
        caller, phone, tablet = s.socket("alice"), s.socket("bob"), s.socket("bob")
        call_id = s.initiate("alice", ["bob"])
        phone.wait("call-incoming"), tablet.wait("call-incoming")
        path = f"/api/calls/{call_id}/answer"
        assert s.post(path, "bob", {"deviceId": "phone"}).status_code == 200
        for socket in (caller, phone, tablet):
            heard = socket.wait("call-answered")
            assert (heard["userId"], heard["deviceId"], heard["call"]["state"]) == (s.id("bob"), "phone", "connecting")
        second = s.post(path, "bob", {"deviceId": "tablet"})
        assert (second.status_code, second.json()["code"]) == (409, "answered_elsewhere")
        assert s.post(path, "bob", {"deviceId": "phone"}).status_code == 200, "the same device again is the same answer"
        refused = tablet.call("join-call", {"callId": call_id, "deviceId": "tablet"})
        assert (refused["ok"], refused["code"]) == (False, "answered_elsewhere")
        assert phone.call("join-call", {"callId": call_id, "deviceId": "phone"})["ok"] is True


def test_initiating_in_a_room_that_rings_for_you_is_answering(server: RunningServer) -> None:
    with Scenario(server) as s:
        call_id = s.initiate("alice", ["bob"])
        body = {"roomId": s.room, "invitees": [s.id("alice")]}
        answer = s.post("/api/calls/initiate", "bob", body)
        assert answer.status_code == 200 and answer.json()["callId"] == call_id
        assert answer.json()["state"] == "connecting"
        other = s.post("/api/calls/initiate", "carol", {"roomId": s.room, "invitees": [s.id("dave")]})
        assert (other.status_code, other.json()["code"]) == (409, "call_exists")


def test_a_group_call_from_first_to_last(start_server) -> None:
    with Scenario(start_server(CALL_MAX_PARTICIPANTS="3")) as s:
        sockets = {who: s.socket(who) for who in ("alice", "bob", "carol", "dave")}
        call_id = s.initiate("alice", ["bob", "carol", "dave"], group=True)
        assert sockets["alice"].call("join-call", {"callId": call_id})["ok"]
        for who in ("bob", "carol"):
            sockets[who].wait("call-incoming")
            assert s.post(f"/api/calls/{call_id}/answer", who).status_code == 200
            assert sockets[who].call("join-call", {"callId": call_id})["ok"]
        full = s.post(f"/api/calls/{call_id}/answer", "dave")
        assert (full.status_code, full.json()["code"]) == (409, "call_full")

        offer = {"type": "offer", "sdp": "v=0 for carol alone"}
        sent = sockets["bob"].call("webrtc-offer", {"callId": call_id, "to": s.id("carol"), "offer": offer})
        assert sent["ok"] is True
        assert sockets["carol"].wait("webrtc-offer")["offer"] == offer
        sockets["alice"].settle()
        assert sockets["alice"].seen("webrtc-offer") == [], "a directed signal reaches nobody else"

        left = s.post(f"/api/calls/{call_id}/end", "bob")
        assert left.status_code == 200 and left.json()["state"] == "active", "leaving does not end the others' call"
        assert sockets["carol"].wait("user-left")["userId"] == s.id("bob")
        assert s.post(f"/api/calls/{call_id}/end", "alice").json()["state"] == "ended"
        assert_ended(sockets["carol"].wait("call-ended"), "hangup", s.id("alice"))


def test_a_room_that_rings_and_who_is_in_it(server: RunningServer) -> None:
    with Scenario(server) as s:
        a = s.socket("alice", rooms=[s.room])
        a.wait("room-members", lambda p: p["roomId"] == s.room and p["members"] == [s.id("alice")])
        b = s.socket("bob", rooms=[s.room])
        both = {s.id("alice"), s.id("bob")}
        a.wait("room-members", lambda p: set(p["members"]) == both)
        b.wait("room-members", lambda p: set(p["members"]) == both)
        answer = s.post("/api/calls/initiate", "alice", {"roomId": s.room})
        assert answer.status_code == 201, answer.text
        assert {p["userId"] for p in answer.json()["participants"]} == both
        b.wait("call-incoming")
        b.disconnect()
        a.wait("room-members", lambda p: p["members"] == [s.id("alice")])

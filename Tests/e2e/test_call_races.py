"""Many at once: exactly one wins what only one can win, and no number is given twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

from requests import Response

from running_server import RunningServer
from scenario import Scenario

ROUNDS, AT_ONCE = 5, 12


def test_one_of_many_answers_takes_the_call(server: RunningServer) -> None:
    people = ["bob", "carol", "dave"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(ROUNDS):
            with Scenario(server) as s:
                call_id = s.initiate("alice", people)
                tries = [(people[index % 3], f"device-{index}") for index in range(AT_ONCE)]
                path = f"/api/calls/{call_id}/answer"
                answers = list(pool.map(lambda who: s.post(path, who[0], {"deviceId": who[1]}), tries))
                assert Counter(answer.status_code for answer in answers) == {200: 1, 409: AT_ONCE - 1}
                assert {a.json()["code"] for a in answers if a.status_code == 409} == {"answered_elsewhere"}
                winner = tries[[answer.status_code for answer in answers].index(200)]
                joined = [p for p in s.status(call_id, "alice")["participants"] if p["state"] == "joined"]
                assert {p["userId"] for p in joined} == {s.id("alice"), s.id(winner[0])}
                assert s.participant(call_id, winner[0])["deviceId"] == winner[1]


def test_one_of_many_initiations_gets_the_room(server: RunningServer) -> None:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for _ in range(ROUNDS):
            with Scenario(server) as s:
                body = {"roomId": s.room, "invitees": [s.id("bob")]}
                callers = [f"caller-{index}" for index in range(AT_ONCE)]
                answers = list(pool.map(lambda who: s.post("/api/calls/initiate", who, body), callers))
                assert Counter(answer.status_code for answer in answers) == {201: 1, 409: AT_ONCE - 1}
                won = next(answer.json()["callId"] for answer in answers if answer.status_code == 201)
                in_the_way = {answer.json()["call"]["callId"] for answer in answers if answer.status_code == 409}
                assert in_the_way == {won}


def test_two_who_call_each_other_at_once_are_in_one_call(server: RunningServer) -> None:
    """Whoever was second answers the first one's call by calling; both hear of it as of any other call."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            with Scenario(server) as s:
                sockets = {who: s.socket(who) for who in ("alice", "bob")}

                def call(who: str, s: Scenario = s) -> Response:
                    other = "bob" if who == "alice" else "alice"
                    body = {"roomId": s.room, "callType": "video", "invitees": [s.id(other)], "deviceId": f"{who}-1"}
                    return s.post("/api/calls/initiate", who, body)

                answers = dict(zip(sockets, pool.map(call, sockets), strict=True))
                assert sorted(answer.status_code for answer in answers.values()) == [200, 201]
                caller = next(who for who, answer in answers.items() if answer.status_code == 201)
                callee = "bob" if caller == "alice" else "alice"
                call_id = answers[caller].json()["callId"]
                assert answers[callee].json()["callId"] == call_id
                assert answers[callee].json()["iceServers"] and answers[callee].json()["state"] == "connecting"
                assert s.status(call_id, caller)["createdBy"] == s.id(caller)
                for who in (caller, callee):
                    heard = sockets[who].wait("call-answered")
                    assert (heard["userId"], heard["deviceId"]) == (s.id(callee), f"{callee}-1")
                    joined = sockets[who].call("join-call", {"callId": call_id, "deviceId": f"{who}-1"})
                    assert joined["ok"] is True, joined
                assert s.status(call_id, caller)["state"] == "active"


def test_both_offer_at_once(server: RunningServer) -> None:
    """Glare: each hears the other's offer, in the order of the numbers, and knows which of the two gives way."""
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            with Scenario(server) as s:
                a, b = s.socket("alice"), s.socket("bob")
                call_id = s.active_call(a, b)
                roles = {}
                for who, socket in (("alice", a), ("bob", b)):
                    last = s.status(call_id, "alice")["seq"]
                    resumed = socket.call("join-call", {"callId": call_id, "afterSeq": last})
                    roles[who] = resumed["peers"][0]["polite"]
                assert roles == {"alice": False, "bob": True}, "the later one gives way"

                offers = {s.id(who): {"type": "offer", "sdp": f"v=0 {who}"} for who in ("alice", "bob")}
                sent = list(
                    pool.map(
                        lambda peer: peer[0].call("webrtc-offer", {"callId": call_id, "offer": offers[peer[1]]}),
                        ((a, s.id("alice")), (b, s.id("bob"))),
                    )
                )
                assert all(ack["ok"] and ack["delivered"] for ack in sent) and sent[0]["seq"] != sent[1]["seq"]
                for peer, other, own in ((a, "bob", sent[0]), (b, "alice", sent[1])):
                    heard = peer.wait("webrtc-offer")
                    assert (heard["from"], heard["offer"]) == (s.id(other), offers[s.id(other)])
                    assert heard["seq"] != own["seq"]
                # The polite side takes its offer back and answers.
                answer = {"type": "answer", "sdp": "v=0 bob gives way"}
                assert b.call("webrtc-answer", {"callId": call_id, "to": s.id("alice"), "answer": answer})["ok"]
                assert a.wait("webrtc-answer")["answer"] == answer
                a.settle(), b.settle()
                assert a.seen("webrtc-offer") == b.seen("webrtc-offer") == []


def test_one_idempotency_key_at_once_is_one_call(server: RunningServer) -> None:
    with Scenario(server) as s, ThreadPoolExecutor(AT_ONCE) as pool:
        body = {"roomId": s.room, "invitees": [s.id("bob")]}
        key = {"headers": {"Idempotency-Key": f"race-{s.number}"}}
        answers = list(pool.map(lambda _: s.post("/api/calls/initiate", "alice", body, **key), range(AT_ONCE)))
        codes = Counter(answer.status_code for answer in answers)
        assert codes[201] >= 1 and set(codes) <= {201, 409}, codes
        assert {a.json()["code"] for a in answers if a.status_code == 409} <= {"idempotency_in_progress"}
        assert len({answer.json()["callId"] for answer in answers if answer.status_code == 201}) == 1


def test_signals_of_all_sides_at_once_are_numbered_once_and_arrive_in_order(server: RunningServer) -> None:
    with Scenario(server) as s, ThreadPoolExecutor(AT_ONCE) as pool:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        begin = s.status(call_id, "alice")["seq"]
        path = f"/api/calls/{call_id}/ice-candidate"

        def send(index: int) -> int:
            answer = s.post(path, ("alice", "bob")[index % 2], {"candidate": {"candidate": f"candidate:{index}"}})
            assert answer.status_code == 202, answer.text
            return answer.json()["seq"]

        numbers = list(pool.map(send, range(200)))
        assert sorted(numbers) == list(range(begin + 1, begin + 201)), "every number once, none left out"
        a.settle(), b.settle()
        for peer, own in ((a, 0), (b, 1)):
            heard = [payload["seq"] for payload in peer.seen("ice-candidate")]
            assert heard == sorted(number for index, number in enumerate(numbers) if index % 2 != own)


def test_both_hang_up_at_once(server: RunningServer) -> None:
    with ThreadPoolExecutor(2) as pool:
        for _ in range(ROUNDS):
            with Scenario(server) as s:
                a, b = s.socket("alice"), s.socket("bob")
                call_id = s.active_call(a, b)
                answers = list(pool.map(lambda who: s.post(f"/api/calls/{call_id}/end", who), ("alice", "bob")))
                assert [answer.status_code for answer in answers] == [200, 200]
                assert answers[0].json() == answers[1].json()
                for peer in (a, b):
                    peer.wait("call-ended")
                    peer.settle()
                    assert peer.seen("call-ended") == [], "told once"

"""Many at once: exactly one wins what only one can win, and no number is given twice."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

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

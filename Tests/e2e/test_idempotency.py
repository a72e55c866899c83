"""The same request twice under one `Idempotency-Key`, on every route that changes something: done once, answered twice."""

from collections.abc import Iterator

import pytest
from requests import Response

from running_server import RunningServer
from scenario import Scenario
from test_bad_input import assert_problem
from waiting import eventually

OFFER = {"type": "offer", "sdp": "v=0"}
ANSWER = {"type": "answer", "sdp": "v=0"}

# Route: who asks, what is sent, another body that the route would take as well, and the event kind that it makes.
IN_A_CALL: dict[str, tuple[str, dict, dict, str]] = {
    "offer": ("alice", {"offer": OFFER}, {"offer": {**OFFER, "sdp": "v=0 other"}}, "offer"),
    "answer-sdp": ("bob", {"answer": ANSWER}, {"answer": {**ANSWER, "sdp": "v=0 other"}}, "answer"),
    "ice-candidate": ("alice", {"candidate": {"candidate": "1"}}, {"candidate": {"candidate": "2"}}, "candidate"),
    "toggle-audio": ("bob", {"enabled": False}, {"enabled": True}, "audio-toggled"),
    "toggle-video": ("bob", {"enabled": False}, {"enabled": True}, "video-toggled"),
    "end": ("alice", {}, {"reason": "hangup"}, "ended"),
}
WHILE_IT_RINGS: dict[str, tuple[str, dict, dict, str]] = {
    "answer": ("bob", {"deviceId": "phone"}, {"deviceId": "tablet"}, "answered"),
    "reject": ("bob", {}, {"reason": "busy"}, "ended"),
    "end": ("alice", {}, {"reason": "hangup"}, "ended"),
}


@pytest.fixture
def s(server: RunningServer) -> Iterator[Scenario]:
    with Scenario(server) as scenario:
        yield scenario


def kinds(s: Scenario, call_id: str) -> list[str]:
    return [row["kind"] for row in s.get(f"/api/calls/{call_id}/events?limit=100", "alice").json()["items"]]


def under(key: str) -> dict[str, dict[str, str]]:
    return {"headers": {"Idempotency-Key": key}}


def without_credentials(answer: Response) -> dict:
    """They are minted anew for each answer."""
    return {name: value for name, value in answer.json().items() if name not in ("iceServers", "ttl", "expiresAt")}


def assert_done_once(s: Scenario, call_id: str, act: str, who: str, body: dict, other: dict, kind: str) -> None:
    path = f"/api/calls/{call_id}/{act}"
    before = kinds(s, call_id).count(kind)
    first = s.post(path, who, body, **under("once"))
    assert first.status_code in (200, 202), first.text
    again = s.post(path, who, body, **under("once"))
    assert (again.status_code, without_credentials(again)) == (first.status_code, without_credentials(first))
    assert kinds(s, call_id).count(kind) == before + 1, "done once"
    assert_problem(s.post(path, who, other, **under("once")), 422, "idempotency_mismatch")
    assert kinds(s, call_id).count(kind) == before + 1, "and refused without a trace"


@pytest.mark.parametrize("act", IN_A_CALL)
def test_an_act_in_a_call_is_done_once(s: Scenario, act: str) -> None:
    call_id = s.active_call(s.socket("alice"), s.socket("bob"))
    assert_done_once(s, call_id, act, *IN_A_CALL[act])


@pytest.mark.parametrize("act", WHILE_IT_RINGS)
def test_an_act_while_it_rings_is_done_once(s: Scenario, act: str) -> None:
    call_id = s.initiate("alice", ["bob"])
    assert_done_once(s, call_id, act, *WHILE_IT_RINGS[act])


def test_a_signal_is_heard_once_by_the_other(s: Scenario) -> None:
    a, b = s.socket("alice"), s.socket("bob")
    call_id = s.active_call(a, b)
    path = f"/api/calls/{call_id}/offer"
    numbers = [s.post(path, "alice", {"offer": OFFER}, **under("heard")).json()["seq"] for _ in range(3)]
    assert len(set(numbers)) == 1
    b.settle()
    assert [payload["seq"] for payload in b.seen("webrtc-offer")] == numbers[:1]


def test_a_key_is_one_users_on_one_route(s: Scenario) -> None:
    """Others may use the same text, and so may the same user for another call or another act."""
    a, b = s.socket("alice"), s.socket("bob")
    call_id = s.active_call(a, b)
    key = under("shared")
    for who in ("alice", "bob"):
        for act in ("toggle-audio", "toggle-video"):
            assert s.post(f"/api/calls/{call_id}/{act}", who, {"enabled": False}, **key).status_code == 200
    assert [kinds(s, call_id).count(kind) for kind in ("audio-toggled", "video-toggled")] == [2, 2]
    assert s.post(f"/api/calls/{call_id}/end", "alice", **key).json()["state"] == "ended"
    body = {"roomId": s.room, "invitees": [s.id("bob")]}
    first = s.post("/api/calls/initiate", "alice", body, **key)
    assert first.status_code == 201 and first.json()["callId"] != call_id


def test_a_request_that_failed_may_be_repeated_under_its_key(s: Scenario) -> None:
    call_id = s.initiate("alice", ["bob"])
    path = f"/api/calls/{call_id}/offer"
    too_early = s.post(path, "bob", {"offer": OFFER}, **under("again"))
    assert_problem(too_early, 409, "not_answered")
    assert s.post(f"/api/calls/{call_id}/answer", "bob").status_code == 200
    assert s.post(path, "bob", {"offer": OFFER}, **under("again")).status_code == 202


def test_each_repetition_of_an_initiation_mints_a_credential(s: Scenario) -> None:
    body = {"roomId": s.room, "invitees": [s.id("bob")]}

    def credential() -> tuple[str, str, str]:
        answer = s.post("/api/calls/initiate", "alice", body, **under("mint")).json()
        relay = next(entry for entry in answer["iceServers"] if "username" in entry)
        return answer["callId"], relay["username"], relay["credential"]

    first = credential()
    assert first[0] in first[1], "it names the call"
    # Its name is the second at which it ends: in the next second it is another one, for the same call.
    again = eventually(lambda: (now := credential())[1] != first[1] and now, "another credential")
    assert again[0] == first[0] and again[2] != first[2]

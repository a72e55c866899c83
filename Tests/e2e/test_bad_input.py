"""REST under input that is wrong, foreign, too large or hostile: the right refusal, in the right form, every time."""

import json
import re
import socket
import time

import pytest
import requests

from running_server import RunningServer
from scenario import Scenario

UNKNOWN_CALL = "00000000-0000-4000-8000-000000000000"
MAX_BODY = 256 * 1024

# Every act on a call, with a body that would be right.
SDP = {"type": "offer", "sdp": "v=0"}
ACTS = {
    "answer": ("POST", {}),
    "reject": ("POST", {}),
    "end": ("POST", {}),
    "offer": ("POST", {"offer": SDP}),
    "answer-sdp": ("POST", {"answer": {"type": "answer", "sdp": "v=0"}}),
    "ice-candidate": ("POST", {"candidate": {"candidate": "candidate:1"}}),
    "toggle-audio": ("POST", {"enabled": True}),
    "toggle-video": ("POST", {"enabled": True}),
    "status": ("GET", None),
    "events": ("GET", None),
}


def assert_problem(response: requests.Response, status: int, code: str | None = None) -> dict:
    assert response.status_code == status, f"{response.status_code}: {response.text[:500]}"
    assert response.headers["Content-Type"].split(";")[0] == "application/problem+json"
    problem = response.json()
    assert problem["status"] == status and isinstance(problem["code"], str) and problem["title"]
    if code is not None:
        assert problem["code"] == code, problem
    return problem


@pytest.fixture(scope="module")
def ringing(server: RunningServer):
    """A call of alice's to bob, for everybody else to be refused at."""
    with Scenario(server) as s:
        s.call_id = s.initiate("alice", ["bob"])
        yield s


@pytest.mark.parametrize("act", ACTS)
def test_an_unknown_call_is_404(server: RunningServer, act: str) -> None:
    method, body = ACTS[act]
    hostile = ("x", "%00", "..%2f..%2fetc", "a" * 3000, "%F0%9F%98%80", "'; drop table call_sessions; --")
    for call_id in (UNKNOWN_CALL, *hostile):
        response = server.request(method, f"/api/calls/{call_id}/{act}", "alice", body)
        assert_problem(response, 404, "call_not_found")


@pytest.mark.parametrize("act", ACTS)
def test_a_stranger_is_403(ringing: Scenario, act: str) -> None:
    method, body = ACTS[act]
    response = ringing.server.request(method, f"/api/calls/{ringing.call_id}/{act}", ringing.name("mallory"), body)
    assert_problem(response, 403, "forbidden")
    assert ringing.status(ringing.call_id, "alice")["state"] == "ringing", "and nothing has changed"


MALFORMED = [
    b"{", b"}", b'{"roomId": ', b'{"roomId": "!r:localhost"} x', b"{'roomId': 1}", b'{"roomId": "\xff\xfe"}',
    b'{"roomId": NaN}', b'{"a":' + b"[" * 5000 + b"]" * 5000 + b"}", b"\x00", b"nul",
]  # fmt: skip


@pytest.mark.parametrize("body", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_json_is_400(ringing: Scenario, body: bytes) -> None:
    headers = {"Content-Type": "application/json"}
    for path in ("/api/calls/initiate", f"/api/calls/{ringing.call_id}/toggle-audio"):
        assert_problem(ringing.server.request("POST", path, ringing.name("alice"), data=body, headers=headers), 400)


WRONG_INITIATE = [
    [], [1], "text", 5, True, None,
    {}, {"roomId": ""}, {"roomId": 5}, {"roomId": None}, {"roomId": ["!r:localhost"]}, {"roomId": "!" + "r" * 5000},
    {"roomId": "!r:localhost", "callType": "hologram"}, {"roomId": "!r:localhost", "callType": 1},
    {"roomId": "!r:localhost", "group": "yes"}, {"roomId": "!r:localhost", "group": 1},
    {"roomId": "!r:localhost", "invitees": "@bob:localhost"}, {"roomId": "!r:localhost", "invitees": [5]},
    {"roomId": "!r:localhost", "invitees": [""]}, {"roomId": "!r:localhost", "deviceId": {}},
    {"roomId": "!r:localhost", "relayOnly": "true"},
    {"roomId": "!r:localhost", "invitees": ["@b:localhost"], "offer": 5},
    {"roomId": "!r:localhost", "invitees": ["@b:localhost"], "offer": {"type": "offer"}},
    {"roomId": "!r:localhost", "invitees": ["@b:localhost"], "offer": {"type": "answer", "sdp": "v=0"}},
]  # fmt: skip


@pytest.mark.parametrize("body", WRONG_INITIATE, ids=lambda body: json.dumps(body)[:60])
def test_a_body_of_the_wrong_shape_is_400(server: RunningServer, body: object) -> None:
    headers = {"Content-Type": "application/json"}
    response = server.request("POST", "/api/calls/initiate", "shape", data=json.dumps(body), headers=headers)
    assert_problem(response, 400)
    active = server.request("GET", "/api/calls/active", "shape").json()["calls"]
    assert active == [], "a refused request makes no call"


WRONG_ACTS = [
    ("toggle-audio", {}), ("toggle-audio", {"enabled": "yes"}), ("toggle-video", {"enabled": 1}),
    ("toggle-video", {"enabled": None}), ("offer", {}), ("offer", {"offer": "v=0"}), ("offer", {"offer": {"sdp": 1}}),
    ("offer", {"offer": SDP, "to": 5}), ("answer-sdp", {"offer": SDP}), ("ice-candidate", {}),
    ("ice-candidate", {"candidates": {}}), ("ice-candidate", {"candidate": 5}), ("ice-candidate", {"candidates": [5]}),
    ("end", {"reason": 5}), ("end", {"reason": "x" * 5000}), ("answer", {"deviceId": 5}), ("answer", {"answer": "v=0"}),
]  # fmt: skip


@pytest.mark.parametrize("act, body", WRONG_ACTS, ids=lambda value: json.dumps(value)[:40])
def test_an_act_of_the_wrong_shape_is_400(ringing: Scenario, act: str, body: dict) -> None:
    path, user = f"/api/calls/{ringing.call_id}/{act}", ringing.name("bob" if act == "answer" else "alice")
    before = ringing.status(ringing.call_id, "alice")["seq"]
    assert_problem(ringing.server.request("POST", path, user, body), 400)
    assert ringing.status(ringing.call_id, "alice")["seq"] == before, "a refused act leaves no trace"


def test_a_body_over_the_limit_is_413(server: RunningServer) -> None:
    large = {"roomId": "!r:localhost", "invitees": ["@b:localhost"], "deviceId": "x" * (MAX_BODY + 1)}
    body = json.dumps(large).encode()
    headers = {"Content-Type": "application/json"}

    def chunks():
        for offset in range(0, len(body), 16384):
            yield body[offset : offset + 16384]

    for data in (body, chunks()):
        try:
            response = server.request("POST", "/api/calls/initiate", "alice", data=data, headers=headers)
        except requests.ConnectionError:
            continue  # cut off in the middle of sending is a refusal too; which of the two comes first is the network's
        assert_problem(response, 413)
    announced = raw_exchange(
        server,
        "POST /api/calls/initiate HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer dev:@a:localhost\r\n"
        "Content-Type: application/json\r\nContent-Length: 99999999\r\n\r\n{",
    )
    assert announced.startswith("HTTP/1.1 413"), announced
    assert server.request("GET", "/api/calls/active", "alice").status_code == 200


def raw_exchange(server: RunningServer, request: str) -> str:
    """The head of the answer to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=5) as connection:
        connection.sendall(request.encode("latin-1"))
        return connection.recv(65536).decode("latin-1")


@pytest.mark.parametrize(
    "request_head",
    [
        "GET / HTTP/1.1\r\n\r\n",
        "NONSENSE\r\n\r\n",
        "POST /api/calls/initiate HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: many\r\n\r\n",
        "GET /\x01 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX: " + "x" * 200_000 + "\r\n\r\n",
    ],
    ids=["no host", "no http", "length", "control", "long header"],
)
def test_what_is_not_http_is_refused(server: RunningServer, request_head: str) -> None:
    try:
        answer = raw_exchange(server, request_head)
    except ConnectionError:
        answer = ""
    assert answer == "" or re.match(r"HTTP/1\.1 4\d\d ", answer), answer[:200]
    assert server.request("GET", "/healthz").status_code == 200


@pytest.mark.parametrize(
    "method, path",
    [("GET", "/api/calls/initiate"), ("DELETE", "/api/calls/active"), ("PUT", "/api/calls/ice-servers")]
    + [("GET" if method == "POST" else "POST", f"/api/calls/{UNKNOWN_CALL}/{act}") for act, (method, _) in ACTS.items()]
    + [("POST", "/healthz"), ("DELETE", "/")],
)
def test_the_wrong_method_is_405(server: RunningServer, method: str, path: str) -> None:
    response = server.request(method, path, "alice")
    assert_problem(response, 405)
    assert method not in response.headers["Allow"].split(", ") and response.headers["Allow"]


def test_an_unknown_path_is_404(server: RunningServer) -> None:
    outside = ("/nowhere", "/../../etc/passwd", "/%2e%2e/")
    for path in ("/api", "/api/nowhere", "/api/calls", f"/api/calls/{UNKNOWN_CALL}", *outside):
        assert_problem(server.request("GET", path, "alice"), 404)


def test_a_user_id_that_is_not_the_tokens_is_403(server: RunningServer) -> None:
    with Scenario(server) as s:
        body = {"roomId": s.room, "invitees": [s.id("bob")], "userId": s.id("mallory")}
        assert_problem(s.post("/api/calls/initiate", "alice", body), 403, "user_mismatch")
        assert s.post("/api/calls/initiate", "alice", {**body, "userId": s.id("alice")}).status_code == 201


@pytest.mark.parametrize(
    "query", ["limit=0", "limit=-1", "limit=x", "limit=1e9", "cursor=%00", "cursor=%21%21", "cursor=-1"]
)
def test_a_page_that_cannot_be_is_400(ringing: Scenario, query: str) -> None:
    for path in ("/api/calls/history", f"/api/calls/{ringing.call_id}/events"):
        assert_problem(ringing.get(f"{path}?{query}", "alice"), 400)


def test_too_many_invitees_must_be_named(server: RunningServer) -> None:
    with Scenario(server) as s:
        for index in range(8):
            s.socket(f"member-{index}", rooms=[s.room])
        response = s.post("/api/calls/initiate", "member-0", {"roomId": s.room})
        assert_problem(response, 422, "name_invitees")
        many = [s.id(f"invitee-{index}") for index in range(5000)]
        response = s.post("/api/calls/initiate", "member-0", {"roomId": s.room, "invitees": many})
        assert response.status_code in (400, 422), response.text[:300]


def test_another_body_under_the_same_idempotency_key_is_422(server: RunningServer) -> None:
    with Scenario(server) as s:
        key = {"Idempotency-Key": f"bad-{s.number}"}
        body = {"roomId": s.room, "invitees": [s.id("bob")]}
        assert s.post("/api/calls/initiate", "alice", body, headers=key).status_code == 201
        changed = {**body, "callType": "voice"}
        assert_problem(s.post("/api/calls/initiate", "alice", changed, headers=key), 422, "idempotency_mismatch")
        too_long = {"Idempotency-Key": "k" * 10_000}
        assert_problem(s.post("/api/calls/initiate", "bob", body, headers=too_long), 400)


def test_the_initiate_rate_is_limited(start_server) -> None:
    with Scenario(start_server(CALL_INITIATE_RATE="user=3/m,address=60/m")) as s:
        answers = []
        for index in range(4):
            body = {"roomId": f"!rate-{index}:localhost", "invitees": [s.id("bob")]}
            answers.append(s.post("/api/calls/initiate", "alice", body))
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert_problem(answers[-1], 429)
        assert int(answers[-1].headers["Retry-After"]) >= 1
        other = {"roomId": "!rate-other:localhost", "invitees": [s.id("bob")]}
        assert s.post("/api/calls/initiate", "carol", other).status_code == 201, "the limit is one user's"


def test_the_initiate_rate_of_an_address_is_limited(start_server) -> None:
    with Scenario(start_server(CALL_INITIATE_RATE="user=10/m,address=3/m")) as s:
        answers = []
        for index in range(4):
            body = {"roomId": f"!rate-{index}:localhost", "invitees": [s.id("bob")]}
            answers.append(s.post("/api/calls/initiate", f"caller-{index}", body))
        assert [answer.status_code for answer in answers] == [201, 201, 201, 429]
        assert assert_retry_after(answers[-1]) >= 1


def test_whoever_waits_as_long_as_a_429_says_is_heard(start_server) -> None:
    with Scenario(start_server(CALL_INITIATE_RATE="user=30/m,address=1000/m")) as s:
        for index in range(200):
            body = {"roomId": f"!rate-{index}:localhost", "invitees": [s.id("bob")]}
            answer = s.post("/api/calls/initiate", "alice", body)
            if answer.status_code == 429:
                break
            assert answer.status_code == 201
        time.sleep(assert_retry_after(answer))
        assert s.post("/api/calls/initiate", "alice", body).status_code == 201


def assert_retry_after(answer: requests.Response) -> int:
    assert_problem(answer, 429, "rate_limited")
    return int(answer.headers["Retry-After"])

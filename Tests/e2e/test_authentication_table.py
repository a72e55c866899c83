"""Every route and the socket without a token: what is under `/api` is 401 before anything else is looked at, the socket
lets nobody in, what is open stays open, and nothing changes by any of it."""

import itertools
import json
import re
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from types import SimpleNamespace

import pytest
import requests
from websockets.exceptions import ConnectionClosed

from engineio_wire import Endpoint
from running_server import REPOSITORY, RunningServer, bearer
from scenario import Scenario
from test_bad_input import assert_problem

UNKNOWN_CALL = "00000000-0000-4000-8000-000000000000"
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY", "PROPFIND"]
OPEN = {"/", "/healthz", "/readyz", "/openapi.json"}
# Where a stranger becomes a user.
LOGIN = "/api/auth/openid"
# In a homeserver's place, and in its words.
AS_HOMESERVER = "/_matrix/client/{version}/voip/turnServer"
UNKNOWN_PATHS = [
    "/api", "/api/", "/api/nowhere", "/api/calls", "/api/calls/", f"/api/calls/{UNKNOWN_CALL}", "/api/calls//status",
    "/api/calls/x/y/z", "//api/calls/active", "/api/calls/active/", "/api/v2/calls", "/api/%2e%2e/healthz",
    "/api/calls/..%2f..%2fhealthz/status",
]  # fmt: skip

# What stands in `Authorization`, and the code that it is refused with.
HEADERS = {
    None: "missing_token", "": "missing_token", "Bearer": "missing_token", "Bearer ": "missing_token",
    "Basic YTpi": "missing_token", "dev:@alice:localhost": "missing_token",
    "Bearer wrong": "invalid_token", "Bearer dev:": "invalid_token", "Bearer dev:alice": "invalid_token",
    "Bearer " + "x" * 8000: "invalid_token",
}  # fmt: skip

JSON = {"Content-Type": "application/json"}
OFFER = {"type": "offer", "sdp": "v=0"}
BODIES: list[tuple[dict, bytes | None]] = [
    ({}, None),
    (JSON, json.dumps({"enabled": True, "offer": OFFER, "answer": {"type": "answer", "sdp": ""}}).encode()),
    (JSON, json.dumps({"roomId": "!r:localhost", "userId": "@mallory:localhost"}).encode()),
    (JSON, b"{"),
    (JSON, b"\xff\xfe"),
    ({"Content-Type": "text/plain"}, b"{}"),
    ({"Content-Type": "multipart/form-data"}, b"x"),
    (JSON, b" " * 300_000),
]


@dataclass
class Table:
    """The server's routes, and a call that may not change."""

    scenario: Scenario
    call_id: str
    # (method, path with parameters in braces)
    operations: list[tuple[str, str]]

    @property
    def server(self) -> RunningServer:
        return self.scenario.server

    def paths(self) -> list[str]:
        """Every path, with the call's id, an unknown one and one that cannot be."""
        found = []
        for path in sorted({path for _, path in self.operations}):
            ids = [self.call_id, UNKNOWN_CALL, "%00"] if "{callId}" in path else [""]
            found += [path.replace("{callId}", call_id) for call_id in ids]
        return found

    def state(self) -> object:
        """All that anybody could have changed."""
        s = self.scenario
        events = s.get(f"/api/calls/{self.call_id}/events", "alice").json()
        lists = [
            s.get(path, who).json() for path in ("/api/calls/active", "/api/calls/history") for who in ("alice", "bob")
        ]
        return s.status(self.call_id, "alice"), events, lists


@pytest.fixture
def table(server: RunningServer) -> Iterator[Table]:
    """The table, out of the served document; afterwards the call is what it was."""
    document = server.request("GET", "/openapi.json").json()
    operations = [(method.upper(), path) for path, item in document["paths"].items() for method in item]
    with Scenario(server) as s:
        table = Table(s, s.initiate("alice", ["bob"]), operations)
        before = table.state()
        yield table
        assert table.state() == before


def is_guarded(path: str) -> bool:
    return path.lstrip("/").split("/")[0] == "api" and path != LOGIN


def test_the_open_routes_are_those_that_the_document_opens(table: Table) -> None:
    document = table.server.request("GET", "/openapi.json").json()
    opened = {path for path, item in document["paths"].items() if any(op.get("security") == [] for op in item.values())}
    assert opened == OPEN | {LOGIN}
    guarded = {path for _, path in table.operations if is_guarded(path)}
    assert guarded == set(document["paths"]) - OPEN - {LOGIN, AS_HOMESERVER}


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: "none" if header is None else header[:24])
def test_what_a_homeserver_would_refuse_is_refused_in_its_words(table: Table, header: str | None) -> None:
    token = {} if header is None else {"Authorization": header}
    for version in ("r0", "v1", "v3"):
        answer = table.server.request("GET", AS_HOMESERVER.replace("{version}", version), headers=token)
        words = {"missing_token": "M_MISSING_TOKEN", "invalid_token": "M_UNKNOWN_TOKEN"}
        assert (answer.status_code, answer.json()["errcode"]) == (401, words[HEADERS[header]])


def test_the_login_takes_nobody_whose_homeserver_is_not_listed(table: Table) -> None:
    proof = {"access_token": "x", "matrix_server_name": "127.0.0.1:1", "expires_in": 3600}
    assert_problem(table.server.request("POST", LOGIN, json=proof), 403, "server_not_listed")
    assert_problem(table.server.request("GET", LOGIN), 405, "method_not_allowed")
    assert_problem(table.server.request("POST", LOGIN + "/", json={}), 400, "invalid_request")
    assert_problem(table.server.request("POST", LOGIN + "/x", json=proof), 401, "missing_token")


@pytest.mark.parametrize("header", HEADERS, ids=lambda header: "none" if header is None else header[:24])
def test_everything_under_api_is_401_whatever_is_asked(table: Table, header: str | None) -> None:
    """In any method, on any path, with any body, for any call: authentication comes first."""
    guarded = [path for path in table.paths() if is_guarded(path)]
    requested = [(method, path, {}, None) for method in METHODS for path in guarded + UNKNOWN_PATHS]
    posts = {path for method, path in table.operations if method == "POST"}
    for path, (fields, body) in itertools.product(guarded, BODIES):
        if path.replace(table.call_id, "{callId}") in posts:
            requested.append(("POST", path, fields, body))
    token = {} if header is None else {"Authorization": header}
    wrong = []
    with requests.Session() as session:
        for method, path, fields, body in requested:
            request = requests.Request(method, table.server.url, headers={**fields, **token}, data=body).prepare()
            request.url = table.server.url + path  # as it stands, not tidied up
            answer = session.send(request, timeout=10)
            found = (answer.status_code, answer.headers.get("WWW-Authenticate"), answer.headers.get("Content-Type"))
            code = answer.json()["code"] if answer.content and method != "HEAD" else HEADERS[header]
            if (*found, code) != (401, "Bearer", "application/problem+json", HEADERS[header]):
                wrong.append((method, path, fields, (body or b"")[:20], *found, code))
    assert not wrong, f"{len(wrong)} of {len(requested)}: {wrong[:20]}"


def test_a_token_in_the_url_or_in_a_cookie_is_none(table: Table) -> None:
    token = bearer(table.scenario.name("alice"))
    for query in (f"token={token}", f"access_token={token}", f"Authorization=Bearer%20{token}"):
        for path in ("/api/calls/active", f"/api/calls/{table.call_id}/status"):
            assert_problem(table.server.request("GET", f"{path}?{query}"), 401, "missing_token")
            cookie = {"Cookie": query}
            assert_problem(table.server.request("GET", path, headers=cookie), 401, "missing_token")
        end = f"/api/calls/{table.call_id}/end?{query}"
        assert_problem(table.server.request("POST", end, json={}), 401, "missing_token")


def test_the_body_of_a_stranger_is_not_waited_for(table: Table) -> None:
    for length in ("Content-Length: 99999999", "Content-Length: 10", "Transfer-Encoding: chunked"):
        with socket.create_connection(("127.0.0.1", table.server.http_port), timeout=5) as connection:
            connection.sendall(
                f"POST /api/calls/{table.call_id}/end HTTP/1.1\r\nHost: 127.0.0.1\r\n"
                f"Content-Type: application/json\r\n{length}\r\n\r\n".encode()
            )
            assert connection.recv(65536).startswith(b"HTTP/1.1 401 "), length


@pytest.mark.parametrize("header", [None, "Bearer wrong"])
def test_what_is_open_stays_open(table: Table, header: str | None) -> None:
    """The page, all its files, health and the description; with other methods nothing."""
    web = REPOSITORY / "Sources/CallPage/web"
    files = ["/" + str(path.relative_to(web)) for path in sorted(web.rglob("*")) if path.is_file()]
    assert len(files) > 10
    token = {} if header is None else {"Authorization": header}
    for path in [*OPEN, *files]:
        response = table.server.request("GET", path, headers=token)
        assert response.status_code == 200, path
        assert not response.headers["Content-Type"].startswith("application/problem+json"), path
    for method, path in itertools.product(("POST", "PUT", "PATCH", "DELETE"), sorted(OPEN)):
        assert_problem(table.server.request(method, path, headers=token), 405, "method_not_allowed")
    for path in ("/nowhere", "/apis", "/apinowhere", "/js", "/js/", "/calls/active", "/healthz/x"):
        assert_problem(table.server.request("GET", path, headers=token), 404, "not_found")


# The socket.

# What a client may hand over with CONNECT, and the code that it is refused with.
CONNECTS = {
    "40": "missing_token",
    "40{}": "missing_token",
    '40{"token":null}': "missing_token",
    '40{"token":""}': "missing_token",
    '40{"token":5}': "missing_token",
    '40{"token":["x"]}': "missing_token",
    '40{"Authorization":"Bearer dev:@alice:localhost"}': "missing_token",
    '40{"token":"wrong"}': "invalid_token",
    '40{"token":"dev:alice"}': "invalid_token",
    '40{"token":"Bearer dev:@alice:localhost"}': "invalid_token",
    '40{"token":"wrong","rooms":["!r:localhost"]}': "invalid_token",
}
EVENTS_SOURCE = (REPOSITORY / "Sources/Signaling/ClientEvent.swift").read_text()
EVENTS = re.findall(r'"([a-z-]+)"', re.search(r"names: Set<String> = \[(.*?)\]", EVENTS_SOURCE, re.DOTALL)[1])


class Polling:
    """A connection over polling: what comes, packet by packet."""

    def __init__(self, endpoint: Endpoint, query: str = "", headers: dict | None = None):
        self.endpoint, self.query, self.headers = endpoint, query, headers
        opened = endpoint.request("GET", f"EIO=4&transport=polling{query}", headers=headers)
        self.sid = json.loads(opened.body[1:])["sid"]
        self.packets: list[str] = []

    def _ask(self, method: str, body: str | None = None):
        query = f"EIO=4&transport=polling&sid={self.sid}{self.query}"
        return self.endpoint.request(method, query, body, self.headers)

    def send(self, packet: str) -> None:
        self._ask("POST", packet)

    def receive(self) -> str | None:
        """The next packet; None at the end."""
        while not self.packets:
            answer = self._ask("GET")
            if answer.status != 200 or answer.body == "1":
                return None
            self.packets += answer.body.split("\x1e")
        return self.packets.pop(0)

    def close(self) -> None:
        self.send("1")


class WebSocket:
    """The same over a WebSocket."""

    def __init__(self, endpoint: Endpoint, query: str = "", headers: dict | None = None):
        self.socket = endpoint.websocket(f"EIO=4&transport=websocket{query}", additional_headers=headers)
        assert self.socket.recv(timeout=5).startswith("0{")

    def send(self, packet: str) -> None:
        self.socket.send(packet)

    def receive(self) -> str | None:
        try:
            return self.socket.recv(timeout=5)
        except ConnectionClosed:
            return None

    def close(self) -> None:
        self.socket.close()


TRANSPORTS = {"polling": Polling, "websocket": WebSocket}


@pytest.fixture(params=TRANSPORTS)
def connect(request: pytest.FixtureRequest, table: Table):
    """Opens connections without a token, over either transport."""
    endpoint = Endpoint(SimpleNamespace(port=table.server.http_port), "/socket.io/")
    opened = []

    def connect(**options: object) -> Polling | WebSocket:
        opened.append(TRANSPORTS[request.param](endpoint, **options))
        return opened[-1]

    yield connect
    for connection in opened:
        connection.close()


def refusal(connection: Polling | WebSocket) -> dict:
    packet = connection.receive()
    assert packet is not None and packet.startswith("44{"), packet
    return json.loads(packet[2:])


@pytest.mark.parametrize("packet", CONNECTS)
def test_a_socket_without_a_token_is_told_so_and_hears_nothing(connect, table: Table, packet: str) -> None:
    connection = connect()
    connection.send(packet)
    told = refusal(connection)
    assert isinstance(told["message"], str) and told["data"]["code"] == CONNECTS[packet], told
    # Still there, and outside: what it sends now ends it, and what it was told is all that it heard.
    connection.send(f'420["end-call",{{"callId":"{table.call_id}"}}]')
    assert connection.receive() is None


def test_a_token_in_the_url_or_in_a_header_lets_no_socket_in(connect, table: Table) -> None:
    token = bearer(table.scenario.name("alice"))
    for options in (
        {"query": f"&token={token}"},
        {"query": f"&access_token={token}&auth=%7B%22token%22%3A%22{token}%22%7D"},
        {"headers": {"Authorization": f"Bearer {token}"}},
        {"headers": {"Cookie": f"token={token}"}},
    ):
        connection = connect(**options)
        connection.send("40")
        assert refusal(connection)["data"]["code"] == "missing_token", options


@pytest.mark.parametrize("event", EVENTS)
def test_an_event_before_connect_ends_the_connection(connect, table: Table, event: str) -> None:
    payload = {"callId": table.call_id, "enabled": False, "offer": OFFER, "token": bearer(table.scenario.name("alice"))}
    for number in ("", "7"):
        connection = connect()
        connection.send(f"42{number}{json.dumps([event, payload])}")
        assert connection.receive() is None, "closed, and nothing said"


def test_no_other_namespace_lets_anybody_in(connect, table: Table) -> None:
    token = bearer(table.scenario.name("alice"))
    for namespace in ("/admin", "/custom", "//"):
        connection = connect()
        connection.send(f'40{namespace},{{"token":"{token}"}}')
        assert connection.receive() == f'44{namespace},{{"message":"Invalid namespace"}}'


def test_all_events_that_clients_may_send_are_in_the_table() -> None:
    assert {"authenticate", "join-call", "leave-call"} < set(EVENTS) and len(EVENTS) == 9

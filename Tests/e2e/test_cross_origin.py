"""Pages of other origins: preflight for every route and header, what stays closed without, and foreign Host names."""

import pytest
import requests
import websocket

from running_server import RunningServer, bearer

FRIEND, STRANGER = "https://app.example", "https://evil.example"
ROUTES = [
    ("POST", "/api/calls/initiate"),
    *[("POST", f"/api/calls/some-call/{act}") for act in
      ("answer", "reject", "end", "offer", "answer-sdp", "ice-candidate", "toggle-audio", "toggle-video")],
    *[("GET", path) for path in
      ("/api/calls/some-call/status", "/api/calls/some-call/events", "/api/calls/active", "/api/calls/history",
       "/api/calls/ice-servers", "/healthz", "/openapi.json")],
    *[(method, "/socket.io/?EIO=4&transport=polling") for method in ("GET", "POST")],
]  # fmt: skip
HEADERS = {"authorization", "content-type", "idempotency-key"}


def preflight(server: RunningServer, path: str, origin: str, method: str, headers: set[str]) -> requests.Response:
    asked = {
        "Origin": origin,
        "Access-Control-Request-Method": method,
        "Access-Control-Request-Headers": ",".join(sorted(headers)),
    }
    return server.request("OPTIONS", path, headers=asked)


def listed(response: requests.Response, header: str) -> set[str]:
    return {entry.strip().lower() for entry in response.headers.get(header, "").split(",") if entry.strip()}


@pytest.fixture(scope="module", params=[FRIEND, f"https://other.example,{FRIEND}", "*"], ids=["one", "two", "any"])
def open_server(request, tmp_path_factory):
    server = RunningServer(tmp_path_factory.mktemp("cors"), {"CORS_ORIGINS": request.param}).start()
    yield server
    assert server.stop() == 0


@pytest.mark.parametrize("method, path", ROUTES)
def test_a_friendly_origin_may_ask_everything(open_server: RunningServer, method: str, path: str) -> None:
    response = preflight(open_server, path, FRIEND, method, HEADERS)
    assert response.status_code in (200, 204), response.text
    assert response.headers["Access-Control-Allow-Origin"] in (FRIEND, "*")
    assert method.lower() in listed(response, "Access-Control-Allow-Methods")
    allowed = listed(response, "Access-Control-Allow-Headers")
    assert HEADERS <= allowed, allowed
    if response.headers["Access-Control-Allow-Origin"] != "*":
        assert "origin" in listed(response, "Vary")


def test_answers_and_errors_carry_the_header_too(open_server: RunningServer) -> None:
    for path, user in (("/api/calls/active", "alice"), ("/api/calls/active", None), ("/api/nowhere", "alice")):
        response = open_server.request("GET", path, user, headers={"Origin": FRIEND})
        assert response.headers["Access-Control-Allow-Origin"] in (FRIEND, "*"), path
    response = open_server.request("GET", "/socket.io/?EIO=4&transport=polling", headers={"Origin": FRIEND})
    assert response.status_code == 200 and response.headers["Access-Control-Allow-Origin"] in (FRIEND, "*")
    response = open_server.request("GET", "/socket.io/?EIO=3&transport=polling", headers={"Origin": FRIEND})
    assert response.status_code == 400 and response.headers["Access-Control-Allow-Origin"] in (FRIEND, "*")


def test_a_page_can_read_what_it_needs_of_a_limit(open_server: RunningServer) -> None:
    response = open_server.request("GET", "/api/calls/active", "alice", headers={"Origin": FRIEND})
    assert "retry-after" in listed(response, "Access-Control-Expose-Headers")


@pytest.mark.parametrize("origins", [None, "", FRIEND])
def test_a_foreign_origin_gets_no_leave(start_server, origins: str | None) -> None:
    server = start_server(CORS_ORIGINS=origins)
    for path in ("/api/calls/active", "/socket.io/?EIO=4&transport=polling"):
        response = preflight(server, path, STRANGER, "GET", HEADERS)
        assert "Access-Control-Allow-Origin" not in response.headers
        response = server.request("GET", path, "alice", headers={"Origin": STRANGER})
        assert "Access-Control-Allow-Origin" not in response.headers


def open_websocket(server: RunningServer, origin: str | None) -> None:
    url = f"ws://127.0.0.1:{server.http_port}/socket.io/?EIO=4&transport=websocket"
    options = {"suppress_origin": True} if origin is None else {"origin": origin}
    connection = websocket.create_connection(url, timeout=5, **options)
    assert connection.recv().startswith('0{"sid"')
    connection.close()


def test_a_websocket_of_a_foreign_origin_is_403(start_server) -> None:
    """The same-origin policy does not cover WebSockets: the server has to look for itself."""
    server = start_server(CORS_ORIGINS=FRIEND)
    own = f"http://127.0.0.1:{server.http_port}"
    for origin in (None, own, FRIEND):
        open_websocket(server, origin)
    for origin in (STRANGER, f"{FRIEND}.evil.example", f"http://127.0.0.1:{server.http_port + 1}", "null"):
        with pytest.raises(websocket.WebSocketBadStatusException) as refused:
            open_websocket(server, origin)
        assert refused.value.status_code == 403, origin


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:{port}", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::2]"],
)
def test_dev_mode_answers_loopback_names_only(server: RunningServer, host: str) -> None:
    """A page that rebinds its own name to 127.0.0.1 must not become alice."""
    headers = {"Host": host.format(port=server.http_port)}
    for path in ("/", "/api/calls/active", "/healthz", "/socket.io/?EIO=4&transport=polling"):
        response = server.request("GET", path, "alice", headers=headers)
        assert response.status_code in (400, 403, 421), f"{path}: {response.status_code}"
    with pytest.raises(websocket.WebSocketBadStatusException):
        websocket.create_connection(
            f"ws://127.0.0.1:{server.http_port}/socket.io/?EIO=4&transport=websocket",
            host=headers["Host"], timeout=5, suppress_origin=True,
        )  # fmt: skip


def test_a_socket_of_a_foreign_name_is_forbidden_after_what_is_wrong_with_its_request(server: RunningServer) -> None:
    """The protocol's own answer, in its order: transport, session, method, admission, version."""
    for method, query, status, body in [
        ("GET", "EIO=4&transport=polling", 403, '{"code":4,"message":"Forbidden"}'),
        ("GET", "EIO=3&transport=polling", 403, '{"code":4,"message":"Forbidden"}'),
        ("POST", "EIO=4&transport=polling", 400, '{"code":2,"message":"Bad handshake method"}'),
        ("POST", "EIO=4&transport=polling&sid=x", 400, '{"code":1,"message":"Session ID unknown"}'),
        ("GET", "EIO=4&transport=abc", 400, '{"code":0,"message":"Transport unknown"}'),
    ]:
        response = server.request(method, f"/socket.io/?{query}", headers={"Host": "evil.example"})
        assert (response.status_code, response.text) == (status, body), query
        assert response.headers["Content-Type"] == "application/json"


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:{port}", "127.0.0.1:{port}", "127.0.0.1", "[::1]:{port}", "LOCALHOST"]
)
def test_dev_mode_answers_to_every_loopback_name(server: RunningServer, host: str) -> None:
    headers = {"Host": host.format(port=server.http_port), "Authorization": f"Bearer {bearer('alice')}"}
    assert server.request("GET", "/api/calls/active", headers=headers).status_code == 200


@pytest.mark.parametrize("settings", [{"HTTP_HOST": "0.0.0.0"}, {"TURN_LISTEN": "0.0.0.0"}, {"HTTP_HOST": "::"}])
def test_dev_mode_does_not_start_where_others_can_reach_it(start_server, settings: dict[str, str]) -> None:
    with pytest.raises(RuntimeError, match=r"exited [1-9]"):
        start_server(**settings)

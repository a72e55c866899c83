"""The server as an application service of a real Synapse: it acts in the names of users, and hears at once what they do."""

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
import yaml

from homeserver import Homeserver
from matrix_calls import MatrixCalls, MatrixServer
from room_events import sent
from running_server import RunningServer
from waiting import eventually

AS_TOKEN = secrets.token_hex(16)
HS_TOKEN = secrets.token_hex(16)
TOKENS = {"MATRIX_AS_TOKEN": AS_TOKEN, "MATRIX_HS_TOKEN": HS_TOKEN}
# By default Synapse tells nobody of devices.
TELLS_OF_DEVICES = {"experimental_features": {"msc3202_transaction_extensions": True}}


def registration(server: RunningServer, *arguments: str) -> dict:
    """What the command prints for that server."""
    server.directory.mkdir(parents=True, exist_ok=True)
    printed = server.run("matrix-registration", *arguments)
    assert printed.returncode == 0, printed.stderr
    return yaml.safe_load(printed.stdout)


def homeserver_beside(server: RunningServer, folder: Path) -> Homeserver:
    """One that has the server's registration, and gives its clients the server's relay."""
    return Homeserver(
        folder,
        app_services=[registration(server)],
        turn_uris=[f"turn:127.0.0.1:{server.turn_port}?transport=udp"],
        turn_shared_secret=server.settings["TURN_SHARED_SECRET"],
    )


@pytest.fixture(scope="module")
def calls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MatrixCalls]:
    """A server and the homeserver that has its registration."""
    folder = tmp_path_factory.mktemp("appservice")
    # Each has to know the other's port before it starts.
    homeserver = Homeserver(folder / "first")
    server = MatrixServer(folder / "server", homeserver, {**TOKENS, "CALL_RING_TIMEOUT": "8s"})
    homeserver = Homeserver(
        folder / "synapse", app_services=[registration(server)], overrides=TELLS_OF_DEVICES
    )
    server.settings["MATRIX_HOMESERVER_URL"] = homeserver.url
    with homeserver, server, MatrixCalls(homeserver, server) as calls:
        eventually(lambda: "reaches this server as its application service" in server.log, "the two found each other")
        yield calls


@pytest.fixture
def room(calls: MatrixCalls) -> str:
    return calls.room("alice", "bob")


# The registration.


def test_a_registration_has_the_tokens_of_the_settings(tmp_path: Path) -> None:
    settings = {"MATRIX_HOMESERVER_URL": "https://matrix.example.org", "MATRIX_SERVER_NAME": "example.org", **TOKENS}
    server = RunningServer(tmp_path, settings)
    found = registration(server, "--url", "http://callrelay:3000")
    assert (found["as_token"], found["hs_token"]) == (AS_TOKEN, HS_TOKEN)
    assert found["url"] == "http://callrelay:3000" and found["id"] == "callrelay"
    assert found["namespaces"]["users"] == [{"exclusive": False, "regex": r"@.*:example\.org"}]
    assert found["rate_limited"] is False
    assert server.run("matrix-registration").stderr == ""
    assert registration(server)["url"] == f"http://127.0.0.1:{server.http_port}/"


def test_tokens_are_made_if_there_are_none_and_told_to_the_operator(tmp_path: Path) -> None:
    server = RunningServer(tmp_path, {"MATRIX_HOMESERVER_URL": "https://matrix.example.org"})
    first, second = registration(server), registration(server)
    made = {first["as_token"], first["hs_token"], second["as_token"], second["hs_token"]}
    assert len(made) == 4 and all(len(token) == 64 for token in made)
    printed = server.run("matrix-registration")
    found = yaml.safe_load(printed.stdout)
    assert f"MATRIX_AS_TOKEN={found['as_token']}\nMATRIX_HS_TOKEN={found['hs_token']}\n" in printed.stderr


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "MATRIX_HOMESERVER_URL"),
        ({"MATRIX_HOMESERVER_URL": "https://a.example", "MATRIX_AS_TOKEN": AS_TOKEN}, "MATRIX_AS_TOKEN"),
        ({"MATRIX_HOMESERVER_URL": "https://a.example", "MATRIX_HS_TOKEN": HS_TOKEN}, "MATRIX_HS_TOKEN"),
        ({"MATRIX_HOMESERVER_URL": "https://a.example", **TOKENS, "MATRIX_AS_TOKEN": "short"}, "MATRIX_AS_TOKEN"),
        ({**TOKENS}, "MATRIX_AS_TOKEN"),
    ],
)
def test_settings_that_make_no_registration_are_named(tmp_path: Path, settings: dict, named: str) -> None:
    printed = RunningServer(tmp_path, settings).run("matrix-registration")
    assert printed.returncode != 0 and printed.stdout == ""
    assert named in printed.stderr and "short" not in printed.stderr


def test_a_homeserver_without_the_registration_is_noticed_at_the_start(tmp_path: Path, homeserver: Homeserver) -> None:
    with MatrixServer(tmp_path, homeserver, TOKENS) as server:
        eventually(lambda: "does not reach this server by its registration" in server.log, "the log says so")
        assert AS_TOKEN not in server.log


# Who may speak as the homeserver.


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("PUT", "/_matrix/app/v1/transactions/t", 200),
        ("PUT", "/transactions/t", 200),
        ("POST", "/_matrix/app/v1/ping", 200),
        ("GET", "/_matrix/app/v1/users/@x:localhost", 404),
        ("GET", "/_matrix/app/v1/rooms/%23x:localhost", 404),
    ],
)
def test_only_the_homeserver_is_listened_to(calls: MatrixCalls, method: str, path: str, status: int) -> None:
    def ask(token: str | None, query: str = "") -> requests.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        return calls.server.request(method, path + query, json={"events": []}, headers=headers)

    assert ask(HS_TOKEN).status_code == status
    assert ask(None, f"?access_token={HS_TOKEN}").status_code == status, "of old it stood in the query"
    missing = ask(None)
    assert (missing.status_code, missing.json()["errcode"]) == (401, "M_MISSING_TOKEN")
    for token in (AS_TOKEN, HS_TOKEN[:-1], HS_TOKEN + "0", calls.token("alice")):
        refused = ask(token)
        assert (refused.status_code, refused.json()["errcode"]) == (403, "M_FORBIDDEN"), token
    assert HS_TOKEN not in calls.server.log


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400), (b"{", 400), (b"[]", 400), (b'{"events": {}}', 400), (b'{"events": [1, {}, {"type": 3}]}', 200),
        (b'{"events": [{"type": "m.room.member", "room_id": "!x", "state_key": "nobody"}]}', 200),
        (b'{"events": [], "device_lists": {"changed": [1, "@nobody:localhost"]}}', 200),
        (b'{"events": []' + b" " * (16 << 20) + b"}", 413),
    ],
)  # fmt: skip
def test_whatever_a_homeserver_sends_is_answered(calls: MatrixCalls, body: bytes, status: int) -> None:
    headers = {"Authorization": f"Bearer {HS_TOKEN}"}
    url = f"{calls.server.url}/_matrix/app/v1/transactions/t"
    assert requests.put(url, data=body, headers=headers, timeout=30).status_code == status


# What it is good for.


@pytest.mark.parametrize("how", ["kick", "ban", "leave"])
def test_whoever_is_out_of_the_room_is_out_of_the_call_at_once(
    calls: MatrixCalls, room: str, how: str
) -> None:
    alice, bob = calls.socket("alice"), calls.socket("bob")
    call_id = calls.active_call(room, ("alice", alice), ("bob", bob))
    began = time.monotonic()
    if how == "leave":
        calls.account("bob").leave(room)
    else:
        getattr(calls.account("alice"), how)(room, calls.id("bob"))
    ended = alice.wait("call-ended", lambda payload: payload["callId"] == call_id)
    assert ended["reason"] == "left" and ended["by"] == calls.id("bob")
    # Without the homeserver's word it takes ten seconds on average, and up to a minute.
    assert time.monotonic() - began < 9
    assert calls.get(f"/api/calls/{call_id}/status", "bob").json()["code"] == "not_in_room"


def test_whoever_came_back_stays(calls: MatrixCalls, room: str) -> None:
    """A room is left and entered again while a call rings: what was said of the leaving is true no more."""
    bob = calls.account("bob")
    bob.leave(room)
    calls.account("alice").invite(room, bob.user_id)
    bob.join(room)
    alice, bob_socket = calls.socket("alice"), calls.socket("bob")
    call_id = calls.active_call(room, ("alice", alice), ("bob", bob_socket))
    assert bob_socket.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"]
    assert calls.post(f"/api/calls/{call_id}/end", "alice").status_code == 200


def test_a_token_that_was_taken_back_ends_its_sockets_at_once(calls: MatrixCalls) -> None:
    phone, desk = calls.account("dora"), calls.login("dora")
    phone_socket, desk_socket = calls.socket(phone), calls.socket(desk)
    began = time.monotonic()
    phone.logout()
    rejected = phone_socket.wait("token-rejected")
    assert (rejected["code"], rejected["errcode"]) == ("invalid_token", "M_UNKNOWN_TOKEN")
    assert time.monotonic() - began < 9
    eventually(lambda: not phone_socket.is_connected, "it is closed")
    desk_socket.settle()
    assert desk_socket.seen("token-rejected") == []


def test_rooms_are_told_although_nobody_is_there_to_say_it(calls: MatrixCalls, room: str) -> None:
    """The server restarts while a call rings, and nobody comes back to it with a token."""
    call_id = calls.initiate("alice", room)
    account = calls.account("alice")
    # Both know of it: of an invite whose confirmation was lost, nobody would say the end in time.
    sent(calls.server, call_id)
    assert len(account.timeline(room)) == 1
    calls.server.kill()
    calls.server.start()

    def hangups() -> list[dict]:
        return [event for event in account.timeline(room) if event["type"] == "m.call.hangup"]

    eventually(hangups, "the room hears that nobody answered", seconds=30)
    [hangup] = hangups()
    assert hangup["sender"] == calls.id("alice") and hangup["content"]["call_id"] == call_id
    assert hangup["content"]["reason"] == "invite_timeout"


def test_users_who_bring_no_access_token_are_looked_for(calls: MatrixCalls, room: str) -> None:
    """By OpenID, in a room in which nobody else has been heard of."""
    granted = calls.server.request("POST", "/api/auth/openid", json=calls.account("bob").openid_token()).json()
    fresh = calls.room("erik", "bob")
    call = calls.post("/api/calls/initiate", None, {"roomId": fresh}, token=granted["token"])
    assert call.status_code == 201, call.text
    [erik] = [person for person in call.json()["participants"] if person["userId"] != calls.id("bob")]
    assert erik["userId"] == calls.id("erik")
    assert calls.post(f"/api/calls/{call.json()['callId']}/end", None, token=granted["token"]).status_code == 200
    account = calls.account("erik")
    eventually(lambda: len(account.timeline(fresh)) == 2, "and the room is told in their names")
    assert {event["sender"] for event in account.timeline(fresh)} == {calls.id("bob")}

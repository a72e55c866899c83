"""Sockets under input that is wrong: `{ok: false, code, message}`, and the socket lives on."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
import socketio
import websocket

from running_server import RunningServer, bearer
from scenario import Scenario
from signaling_client import AsyncClient
from waiting import eventually

CALL_EVENTS = [
    "join-call", "webrtc-offer", "webrtc-answer", "ice-candidate",
    "toggle-audio", "toggle-video", "media-state", "leave-call",
]  # fmt: skip
NO_PAYLOADS = [None, [], "x", 5, True, {}, {"callId": None}, {"callId": 5}, {"callId": ""}, {"callId": "x" * 10_000}]


def wrong_payloads(call_id: str) -> list[tuple[str, object]]:
    """Right call, wrong rest."""
    cases = {
        "join-call": [{"afterSeq": value} for value in (-1, 1.5, "1", True, 10**30, 10**12)]
                     + [{"deviceId": 5}, {"deviceId": ""}],
        "webrtc-offer": [{}, {"offer": None}, {"offer": "v=0"}, {"offer": {}}, {"offer": {"type": "offer"}},
                         {"offer": {"type": "answer", "sdp": "v=0"}}, {"offer": {"type": "offer", "sdp": 5}},
                         {"offer": {"type": "offer", "sdp": "v=0"}, "to": 5},
                         {"offer": {"type": "offer", "sdp": "v" * 900_000}}],
        "webrtc-answer": [{}, {"offer": {"type": "offer", "sdp": "v=0"}}, {"answer": []}],
        "ice-candidate": [{}, {"candidate": 5}, {"candidate": []}, {"candidate": "x" * 100_000}],
        "toggle-audio": [{}, {"enabled": None}, {"enabled": "true"}, {"enabled": 1}, {"enabled": []}],
        "toggle-video": [{}, {"enabled": {}}],
        "media-state": [{}, {"onHold": "yes"}, {"screenShare": 1}, {"callType": "hologram"}],
    }  # fmt: skip
    return [(event, {"callId": call_id, **rest}) for event, list_ in cases.items() for rest in list_]


def assert_refused(ack: object, *codes: str) -> None:
    assert isinstance(ack, dict) and ack["ok"] is False, ack
    assert isinstance(ack["code"], str) and isinstance(ack["message"], str), ack
    assert not codes or ack["code"] in codes, ack


@pytest.mark.parametrize("transport", ["polling", "websocket"])
def test_wrong_payloads_are_refused_and_the_socket_lives_on(server: RunningServer, transport: str) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice", transport=transport), s.socket("bob")
        call_id = s.active_call(a, b)
        before = s.status(call_id, "alice")["seq"]
        for event in CALL_EVENTS:
            for payload in NO_PAYLOADS:
                assert_refused(a.call(event, payload))
            assert_refused(a.call(event, b"binary"))
            assert_refused(a.call(event, ({"callId": "none"}, b"binary", 5)))
            assert_refused(a.call(event, {"callId": "no-such-call", "enabled": True}))
        for event, payload in wrong_payloads(call_id):
            assert_refused(a.call(event, payload))
        assert_refused(a.call("no-such-event", {"callId": call_id}), "unknown_event")
        assert_refused(a.call("authenticate", {}))
        assert s.status(call_id, "alice")["seq"] == before, "what was refused left no trace"
        b.settle()
        assert b.received == [], "and nobody heard of it"
        assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"] is True
        assert b.wait("audio-toggled")["userId"] == s.id("alice")


def test_a_payload_nested_beyond_reason_costs_the_sender_at_most_the_connection(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        deep = json.loads("[" * 400 + "]" * 400)
        a.emit("webrtc-offer", {"callId": call_id, "offer": {"type": "offer", "sdp": "v=0", "x": deep}})
        again = s.socket("alice")
        assert again.call("join-call", {"callId": call_id})["ok"] is True
        b.settle()
        assert b.seen("webrtc-offer") == []


def test_wrong_payloads_without_an_acknowledgement_are_survived(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        for event in [*CALL_EVENTS, "no-such-event"]:
            for payload in NO_PAYLOADS:
                a.emit(event, payload)
        a.settle()
        assert a.call("toggle-audio", {"callId": call_id, "enabled": False})["ok"] is True


def test_nobody_can_speak_as_somebody_else(server: RunningServer) -> None:
    """`from`, `fromDevice` and `seq` are the server's words: refused or overwritten, never believed."""
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        forged = {"from": s.id("mallory"), "fromDevice": "forged", "seq": 9_999_999, "userId": s.id("mallory")}
        offer = {"type": "offer", "sdp": "v=0"}
        ack = a.call("webrtc-offer", {"callId": call_id, "offer": offer, **forged})
        if ack["ok"]:
            heard = b.wait("webrtc-offer")
            assert set(heard) == {"callId", "seq", "from", "fromDevice", "offer"}
            assert heard["from"] == s.id("alice") and heard["fromDevice"] != "forged" and heard["seq"] != 9_999_999
        else:
            assert_refused(ack, "invalid_request")
        ack = a.call("toggle-audio", {"callId": call_id, "enabled": False, **forged})
        if ack["ok"]:
            heard = b.wait("audio-toggled")
            assert heard["userId"] == s.id("alice") and heard["seq"] != 9_999_999 and "from" not in heard
        else:
            assert_refused(ack, "invalid_request")


def test_strangers_and_those_who_did_not_join_are_refused(server: RunningServer) -> None:
    with Scenario(server) as s:
        a, b, mallory = s.socket("alice"), s.socket("bob"), s.socket("mallory")
        call_id = s.active_call(a, b)
        for event in CALL_EVENTS:
            payload = {"callId": call_id, "enabled": True, "onHold": True, "candidate": None}
            payload |= {"offer": {"type": "offer", "sdp": "v=0"}} if event == "webrtc-offer" else {}
            payload |= {"answer": {"type": "answer", "sdp": "v=0"}} if event == "webrtc-answer" else {}
            allowed = {"callId", "enabled"} if event.startswith("toggle") else set(payload)
            assert_refused(mallory.call(event, {k: v for k, v in payload.items() if k in allowed}))
        assert_refused(mallory.call("join-call", {"callId": call_id}), "forbidden")
        unjoined = s.socket("alice")
        offer = {"callId": call_id, "offer": {"type": "offer", "sdp": "v=0"}}
        assert_refused(unjoined.call("webrtc-offer", offer), "not_joined")
        unknown = {**offer, "to": s.id("nobody")}
        assert_refused(a.call("webrtc-offer", unknown), "unknown_recipient")
        for sockets in (mallory, unjoined):
            sockets.settle()
            assert sockets.seen("webrtc-offer") == []


@pytest.mark.parametrize(
    "auth", [None, {}, {"token": ""}, {"token": 5}, {"token": "wrong"}, {"token": "dev:alice"}, {"token": ["x"]}]
)
def test_a_bad_token_is_a_connect_error_with_a_code(server: RunningServer, auth: object) -> None:
    client = AsyncClient(server.url, "alice")
    client.auth = auth
    with pytest.raises(Exception, match="(?i)connect|namespace"):
        client.connect()
    assert len(client.refusals) == 1, client.refusals
    refusal = client.refusals[0]
    assert isinstance(refusal["message"], str) and isinstance(refusal["data"]["code"], str), refusal
    client.disconnect()


@pytest.mark.parametrize("packet", ['40"dev:@alice:localhost"', "40[]", "40{", "4abc", "42{}", "41/,", "9"])
def test_a_first_packet_that_is_no_connect_ends_the_connection(server: RunningServer, packet: str) -> None:
    """Not a matter of identity: the protocol knows no such packet there."""
    url = f"ws://127.0.0.1:{server.http_port}/socket.io/?EIO=4&transport=websocket"
    connection = websocket.create_connection(url, timeout=5, suppress_origin=True)
    assert connection.recv().startswith('0{"sid"')
    connection.send(packet)
    assert connection.recv() in ("", b""), "closed, and nothing said"
    connection.close()


@pytest.mark.parametrize("rooms", ["!r:localhost", 5, [5], [""], {}, ["!r:localhost"] * 10_000])
def test_wrong_rooms_in_the_handshake_are_refused(server: RunningServer, rooms: object) -> None:
    client = AsyncClient(server.url, "alice")
    client.auth = {"token": bearer("alice"), "rooms": rooms}
    with pytest.raises(Exception, match="(?i)connect|namespace"):
        client.connect()
    assert client.refusals and isinstance(client.refusals[0]["data"]["code"], str)
    client.disconnect()


def test_renewing_the_token_is_for_the_same_user(server: RunningServer) -> None:
    with Scenario(server) as s:
        a = s.socket("alice")
        assert a.call("authenticate", {"token": bearer(s.name("alice"))})["ok"] is True
        assert_refused(a.call("authenticate", {"token": bearer(s.name("bob"))}))
        assert_refused(a.call("authenticate", {"token": "wrong"}))
        call_id = s.initiate("alice", ["bob"])
        assert a.call("join-call", {"callId": call_id})["ok"] is True, "still alice, still here"


@pytest.mark.parametrize(
    "query, code",
    [
        ("", 0), ("?EIO=4", 0), ("?EIO=4&transport=carrier-pigeon", 0), ("?EIO=3&transport=polling", 5),
        ("?transport=polling", 5), ("?EIO=4&transport=polling&sid=unknown", 1),
    ],
)  # fmt: skip
def test_a_bad_handshake_is_refused_as_the_protocol_says(server: RunningServer, query: str, code: int) -> None:
    response = requests.get(f"{server.url}/socket.io/{query}", timeout=5)
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_a_socket_payload_over_the_limit_is_413(start_server) -> None:
    server = start_server(SOCKET_MAX_PAYLOAD="10000")
    url = f"{server.url}/socket.io/?EIO=4&transport=polling"
    opened = json.loads(requests.get(url, timeout=5).text[1:])
    assert opened["maxPayload"] == 10000
    assert requests.post(f"{url}&sid={opened['sid']}", data="4" + "x" * 20000, timeout=5).status_code == 413


def test_sockets_that_vanish_while_they_connect_are_not_counted_for_ever(start_server) -> None:
    """Gone before CONNECT is answered, or just after: the user's place and the sockets come back."""
    server = start_server(SOCKETS_PER_USER="3")
    url = f"ws://127.0.0.1:{server.http_port}/socket.io/?EIO=4&transport=websocket"

    def vanish(pause_seconds: float) -> None:
        connection = websocket.create_connection(url, timeout=5, suppress_origin=True)
        connection.recv()
        connection.send("40" + json.dumps({"token": bearer("fleeting")}))
        time.sleep(pause_seconds)
        connection.shutdown()

    # The store opens up to five readers when requests overlap, and keeps them: let it do so before counting.
    with ThreadPoolExecutor(10) as pool:
        headers = {"Authorization": f"Bearer {bearer('fleeting')}"}
        list(pool.map(lambda _: requests.get(f"{server.url}/api/calls/active", headers=headers, timeout=5), range(100)))
    vanish(0.2)
    time.sleep(0.2)
    before = server.sockets
    for attempt in range(150):
        vanish(attempt % 5 * 0.0005)
    deadline = time.monotonic() + 10
    while True:
        client = AsyncClient(server.url, "fleeting")
        try:
            client.connect()
            break
        except socketio.exceptions.ConnectionError:
            assert time.monotonic() < deadline, f"still refused: {client.refusals}"
            time.sleep(0.2)
        finally:
            client.disconnect()
    eventually(lambda: not server.sockets - before, "the end of the sockets")


def test_a_user_has_only_so_many_sockets(start_server) -> None:
    with Scenario(start_server(SOCKETS_PER_USER="2")) as s:
        s.socket("alice"), s.socket("alice")
        third = AsyncClient(s.server.url, s.name("alice"))
        with pytest.raises(Exception, match="(?i)connect|namespace"):
            third.connect()
        third.disconnect()
        s.socket("bob")


def test_a_socket_that_sends_too_many_events_is_told_to_wait_and_cut_if_it_does_not(start_server) -> None:
    """Ten seconds' worth at once, then a refusal that says how long to wait; refused events count, up to as many again."""
    with Scenario(start_server(SOCKET_EVENT_RATE="20/s")) as s:
        eager, other = s.socket("eager"), s.socket("other")
        acks = [eager.call("leave-call", {"callId": "none"}) for _ in range(260)]
        codes = [ack["code"] for ack in acks]
        admitted = codes.index("rate_limited")
        assert 200 <= admitted < 260, "ten times as many as a second's may come at once"
        assert set(codes[:admitted]) == {"call_not_found"}
        refused = [ack for ack in acks if ack["code"] == "rate_limited"]
        assert_refused(refused[-1], "rate_limited")
        assert 0 < refused[-1]["retryAfterMs"] < 5_000
        time.sleep(refused[-1]["retryAfterMs"] / 1000 + 0.01)
        assert_refused(eager.call("leave-call", {"callId": "none"}), "call_not_found")
        assert_refused(other.call("leave-call", {"callId": "none"}), "call_not_found")


def test_a_flood_of_events_ends_the_connection(start_server) -> None:
    server = start_server(SOCKET_EVENT_RATE="20/s")
    url = f"ws://127.0.0.1:{server.http_port}/socket.io/?EIO=4&transport=websocket"
    before = server.sockets
    connection = websocket.create_connection(url, timeout=10, suppress_origin=True)
    connection.recv()
    connection.send("40" + json.dumps({"token": bearer("flood")}))
    with pytest.raises((websocket.WebSocketConnectionClosedException, ConnectionError)):
        for _ in range(2_000):
            connection.send('42["leave-call",{"callId":"none"}]')
        while True:
            connection.recv()
    eventually(lambda: not server.sockets - before, "the end of the connection on the server's side")
    assert requests.get(f"{server.url}/healthz", timeout=5).status_code == 200

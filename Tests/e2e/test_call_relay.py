"""The relay as part of a call: credentials out of the REST answer, bytes in the status, the end of both together."""

import socket
import time
from collections.abc import Callable

import pytest

import stun_message as stun
from running_server import RunningServer, bearer
from scenario import Scenario
from turn_client import TurnClient, TurnError, time_limited_credential
from waiting import eventually


def relay_client(server: RunningServer, ice: dict) -> TurnClient:
    """A client of the credential that a REST answer carries."""
    entry = next(entry for entry in ice["iceServers"] if "credential" in entry)
    return TurnClient(("127.0.0.1", server.turn_port), entry["username"], entry["credential"])


def call_with_credentials(s: Scenario) -> tuple[str, dict, dict]:
    """A 1:1 call that alice placed and bob answered, and the ICE members that each was given."""
    body = {"roomId": s.room, "callType": "voice", "invitees": [s.id("bob")]}
    placed = s.post("/api/calls/initiate", "alice", body).json()
    answered = s.post(f"/api/calls/{placed['callId']}/answer", "bob").json()
    return placed["callId"], placed, answered


def relay_events(s: Scenario, call_id: str, who: str = "alice") -> list[dict]:
    items = s.get(f"/api/calls/{call_id}/events", who).json()["items"]
    return [item for item in items if item["kind"].startswith("relay-")]


def refused_allocate(client: TurnClient) -> int:
    with pytest.raises(TurnError) as refusal:
        client.allocate()
    return refusal.value.code


def exchange(a: TurnClient, b: TurnClient, size: int, count: int) -> None:
    """a sends so many datagrams to b through both relays; channels must be bound."""
    for _ in range(count):
        a.send_channel(0x4000, bytes(size))
        assert len(b.receive().data) == size


def send_to_somebody(client: TurnClient, size: int) -> None:
    """Allocates, and sends so many bytes to a peer, who gets them."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer:
        peer.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        client.allocate()
        client.create_permission(peer.getsockname())
        client.send(peer.getsockname(), bytes(size))
        assert len(peer.recv(size + 1)) == size


def test_bytes_reach_the_call_and_its_end_ends_its_allocations(server: RunningServer) -> None:
    with Scenario(server) as s:
        call_id, alice_ice, bob_ice = call_with_credentials(s)
        other = Scenario(server)
        third = s.post(
            "/api/calls/initiate", "alice", {"roomId": other.room, "callType": "voice", "invitees": [s.id("carol")]}
        ).json()
        with (
            relay_client(server, alice_ice) as a,
            relay_client(server, bob_ice) as b,
            relay_client(server, third) as elsewhere,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
        ):
            peer.bind(("127.0.0.1", 0))
            a.allocate(), b.allocate(), elsewhere.allocate()
            a.bind_channel(0x4000, b.relayed), b.bind_channel(0x4000, a.relayed)
            elsewhere.bind_channel(0x4000, peer.getsockname())
            exchange(a, b, 1000, 20)
            exchange(b, a, 100, 10)

            def counted(who: str, sent: int, received: int) -> Callable[[], bool]:
                return lambda: s.participant(call_id, who).get("relay") == {"bytesSent": sent, "bytesReceived": received}

            eventually(counted("alice", 20_000, 1_000))
            eventually(counted("bob", 1_000, 20_000))
            allocated = eventually(lambda: len(found := relay_events(s, call_id)) == 2 and found)
            assert {event["kind"] for event in allocated} == {"relay-allocated"}
            assert {event["userId"] for event in allocated} == {s.id("alice"), s.id("bob")}

            assert s.post(f"/api/calls/{call_id}/end", "alice").status_code == 200
            eventually(lambda: _is_gone(a) and _is_gone(b))
            a.send_channel(0x4000, b"too late")
            with pytest.raises(TimeoutError):
                b.receive(0.3)
            for client, ice in ((a, alice_ice), (b, bob_ice)):
                assert refused_allocate(client) == 403
                with relay_client(server, ice) as again:
                    assert refused_allocate(again) == 403
                client.relayed = None

            elsewhere.send_channel(0x4000, b"still here")
            peer.settimeout(5)
            assert peer.recv(100) == b"still here"
            assert elsewhere.refresh(600) == 600

            released = eventually(
                lambda: len(found := [e for e in relay_events(s, call_id) if e["kind"] == "relay-released"]) == 2 and found
            )
            assert {(event["userId"], event["cause"], event["size"]) for event in released} == {
                (s.id("alice"), "call-ended", 21_000),
                (s.id("bob"), "call-ended", 21_000),
            }
            assert all("deviceId" not in event for event in released)
            assert s.participant(call_id, "alice")["relay"] == {"bytesSent": 20_000, "bytesReceived": 1_000}
            assert s.participant(call_id, "bob")["relay"] == {"bytesSent": 1_000, "bytesReceived": 20_000}
            s.post(f"/api/calls/{third['callId']}/end", "alice")


def _is_gone(client: TurnClient) -> bool:
    try:
        client.refresh(600)
    except TurnError as refusal:
        assert refusal.code == 437
        return True
    return False


def test_a_released_allocation_leaves_its_bytes_and_a_restart_forgets_neither_them_nor_the_end(
    start_server: Callable[..., RunningServer],
) -> None:
    server = start_server()
    with Scenario(server) as s:
        call_id, alice_ice, _ = call_with_credentials(s)
        with relay_client(server, alice_ice) as a:
            send_to_somebody(a, 500)
            a.refresh(0)
            eventually(lambda: s.participant(call_id, "alice").get("relay", {}).get("bytesSent") == 500)
            eventually(lambda: [event.get("cause") for event in relay_events(s, call_id)] == [None, "released"])
        assert "relay" not in s.participant(call_id, "bob"), "bob never used the relay"
        assert s.post(f"/api/calls/{call_id}/end", "alice").status_code == 200
        assert server.stop() == 0
        server.start()
        assert s.participant(call_id, "alice")["relay"] == {"bytesSent": 500, "bytesReceived": 0}
        with relay_client(server, alice_ice) as a:
            assert refused_allocate(a) == 403


def test_a_request_repeated_after_the_end_yields_no_credential(server: RunningServer) -> None:
    with Scenario(server) as s:
        body = {"roomId": s.room, "callType": "voice", "invitees": [s.id("bob")]}
        key = {"headers": {"Idempotency-Key": f"ended-{s.number}"}}
        placed = s.post("/api/calls/initiate", "alice", body, **key).json()
        with relay_client(server, placed) as a:
            a.allocate()
            assert s.post(f"/api/calls/{placed['callId']}/end", "alice").status_code == 200
            again = s.post("/api/calls/initiate", "alice", body, **key)
            assert again.status_code == 410 and again.json()["code"] == "call_ended"
            assert "iceServers" not in again.json()
            eventually(lambda: _is_gone(a))
            a.relayed = None


def test_what_a_drain_cuts_off_is_written_down(start_server: Callable[..., RunningServer]) -> None:
    server = start_server(DRAIN_TIMEOUT="300ms")
    with Scenario(server) as s:
        call_id, alice_ice, _ = call_with_credentials(s)
        with relay_client(server, alice_ice) as a:
            send_to_somebody(a, 700)
            assert server.stop() == 0
            a.relayed = None
        server.start()
        assert s.participant(call_id, "alice")["relay"] == {"bytesSent": 700, "bytesReceived": 0}
        assert [event.get("cause") for event in relay_events(s, call_id)] == [None, "drained"]


def test_what_is_cut_off_by_a_stop_that_takes_too_long_is_written_down(
    start_server: Callable[..., RunningServer],
) -> None:
    """A request whose body never comes uses up the time to stop in order, and then everything ends at once."""
    server = start_server(DRAIN_TIMEOUT="100ms")
    with Scenario(server) as s:
        call_id, alice_ice, _ = call_with_credentials(s)
        with relay_client(server, alice_ice) as a, socket.create_connection(("127.0.0.1", server.http_port)) as slow:
            a.allocate()
            head = f"POST /api/calls/{call_id}/end HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
            identity = f"Authorization: Bearer {bearer(s.name('alice'))}\r\n"
            slow.sendall(f"{head}{identity}Content-Length: 99\r\n\r\n{{".encode())
            eventually(lambda: len(relay_events(s, call_id)) == 1)
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began > 5, "the request was waited for"
            a.relayed = None
        server.start()
        assert [event.get("cause") for event in relay_events(s, call_id)] == [None, "drained"]


def test_a_draining_server_sends_new_clients_to_its_sibling(start_server: Callable[..., RunningServer]) -> None:
    server = start_server(DRAIN_TIMEOUT="60s", TURN_ALTERNATE_SERVER="203.0.113.77:3479,[2001:db8::7]:3478")
    credential = time_limited_credential(server.turn_secret, "someone")
    address = ("127.0.0.1", server.turn_port)
    with TurnClient(address, *credential) as early, TurnClient(address, *credential) as late:
        early.allocate()
        late.binding()
        server.process.terminate()

        def is_sent_on() -> bool:
            with TurnClient(address, *credential) as probe:
                try:
                    probe.allocate()
                except TurnError as refusal:
                    return refusal.code == 300
                return False

        eventually(is_sent_on)
        with pytest.raises(TurnError):
            late.allocate()
        answer = late.exchange(
            late.encode_request(stun.ALLOCATE, [(stun.REQUESTED_TRANSPORT, bytes([stun.UDP, 0, 0, 0]))]), key=late.key
        )
        assert answer.error_code == 300
        alternate = answer.first(0x8023)
        assert alternate == bytes([0, 1]) + (3479).to_bytes(2, "big") + socket.inet_aton("203.0.113.77")
        assert early.refresh(600) == 600
        early.refresh(0)
    assert server.process.wait(20) == 0


def test_a_loud_client_is_limited_and_another_is_not(start_server: Callable[..., RunningServer]) -> None:
    rate = 200_000
    server = start_server(TURN_MAX_BPS=str(rate))
    address = ("127.0.0.1", server.turn_port)
    with (
        TurnClient(address, *time_limited_credential(server.turn_secret, "loud")) as loud,
        TurnClient(address, *time_limited_credential(server.turn_secret, "quiet")) as quiet,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sink,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as peer,
    ):
        for each in (sink, peer):
            each.bind(("127.0.0.1", 0))
        peer.settimeout(5)
        sink.setblocking(False)
        for client, to in ((loud, sink), (quiet, peer)):
            client.allocate()
            client.bind_channel(0x4000, to.getsockname())
        began, heard, sent = time.monotonic(), 0, 0
        while (elapsed := time.monotonic() - began) < 4 or sent < 3 * rate * (1 + elapsed):
            for _ in range(20):
                loud.send_channel(0x4000, bytes(1000))
                sent += 1000
            quiet.send_channel(0x4000, b"quiet")
            assert peer.recv(100) == b"quiet", "nothing of another client is lost"
            try:
                while True:
                    heard += len(sink.recv(2000))
            except BlockingIOError:
                time.sleep(0.002)
        assert heard <= rate * (2 + time.monotonic() - began)
        assert heard > (rate - 1028) * 1000 / 1028, "the burst at least, in whole datagrams with 28 bytes of headers each"
        print(f"{sent} bytes sent, {heard} relayed in {time.monotonic() - began:.2f} s at {rate} bytes/s")

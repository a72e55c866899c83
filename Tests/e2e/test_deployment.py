"""HTTPS and WSS, foreign TURN servers, and what no answer may contain."""

import asyncio
import json
import re
import signal
import socket
import ssl
import subprocess
import warnings
from pathlib import Path

import aiohttp
import pytest
import requests
import socketio

from running_server import RunningServer, bearer
from scenario import Scenario
from turn_client import TurnClient, TurnError, time_limited_credential
from waiting import eventually

FURTHER = "turn:turn.example.org:3478?transport=udp,turns:turn.example.org:5349?transport=tcp"


def make_certificate(directory: Path) -> tuple[Path, Path]:
    certificate, key = directory / "certificate.pem", directory / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


def test_https_and_wss_with_a_certificate(start_server, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = start_server(HTTP_TLS_CERT=str(certificate), HTTP_TLS_KEY=str(key))
    assert requests.get(f"{server.url}/healthz", verify=str(certificate), timeout=5).status_code == 200
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(f"{server.url}/healthz", timeout=5)
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(f"http://127.0.0.1:{server.http_port}/healthz", timeout=5)

    body = {"roomId": "!tls:localhost", "invitees": ["@bob:localhost"]}
    call = server.request("POST", "/api/calls/initiate", "alice", body).json()
    context = ssl.create_default_context(cafile=str(certificate))
    for transports in (["polling"], ["websocket"], None):
        session = requests.Session()
        session.verify, session.trust_env = str(certificate), False
        client = socketio.Client(reconnection=False, http_session=session)
        client.connect(server.url, auth={"token": bearer("alice")}, transports=transports, wait_timeout=10)
        assert client.call("join-call", {"callId": call["callId"]}, timeout=10)["ok"] is True
        client.disconnect()
    with pytest.raises(ssl.SSLError):
        plain_tls_1_1(server, context)


def plain_tls_1_1(server: RunningServer, context: ssl.SSLContext) -> None:
    """A handshake no browser of this decade makes."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    with socket.create_connection(("127.0.0.1", server.http_port), timeout=5) as connection:
        context.wrap_socket(connection, server_hostname="localhost").close()


@pytest.mark.parametrize("broken", ["missing", "swapped", "half"])
def test_an_unusable_certificate_stops_the_start(start_server, tmp_path: Path, broken: str) -> None:
    certificate, key = make_certificate(tmp_path)
    settings = {
        "missing": {"HTTP_TLS_CERT": str(tmp_path / "nowhere.pem"), "HTTP_TLS_KEY": str(key)},
        "swapped": {"HTTP_TLS_CERT": str(key), "HTTP_TLS_KEY": str(certificate)},
        "half": {"HTTP_TLS_CERT": str(certificate)},
    }[broken]
    with pytest.raises(RuntimeError, match=r"exited [1-9]"):
        start_server(**settings)


def test_sigterm_lets_running_relays_finish(start_server) -> None:
    """New allocations are refused while it drains; who talks, talks on; the last to leave ends the process, with 0."""
    server = start_server(DRAIN_TIMEOUT="60s")
    a, b, late = (relay_client(server, name) for name in ("alice", "bob", "late"))
    a.allocate(), b.allocate()
    a.bind_channel(0x4000, b.relayed), b.bind_channel(0x4000, a.relayed)
    server.process.send_signal(signal.SIGTERM)

    def is_refused() -> bool:
        try:
            late.allocate()
        except (TurnError, TimeoutError):
            return True
        late.refresh(0)
        return False

    eventually(is_refused)
    a.send_channel(0x4000, b"still talking")
    assert b.receive().data == b"still talking"
    assert a.refresh(600) == 600
    a.refresh(0), b.refresh(0)
    assert server.process.wait(20) == 0


def relay_client(server: RunningServer, name: str) -> TurnClient:
    credential = time_limited_credential(server.turn_secret, name)
    return TurnClient(("127.0.0.1", server.turn_port), *credential, timeout_seconds=3)


def ice_servers(server: RunningServer) -> list[dict]:
    return server.request("GET", "/api/calls/ice-servers", "alice").json()["iceServers"]


def uris(servers: list[dict]) -> list[str]:
    return [uri for entry in servers for uri in ([entry["urls"]] if isinstance(entry["urls"], str) else entry["urls"])]


def test_further_turn_servers_come_after_our_own(start_server) -> None:
    server = start_server(TURN_SERVER_URL=FURTHER, TURN_USERNAME="them", TURN_CREDENTIAL="secret of theirs")
    servers = ice_servers(server)
    listed = uris(servers)
    assert listed[-2:] == FURTHER.split(",") and any(f":{server.turn_port}" in uri for uri in listed[:-2])
    entry = servers[-1]
    assert (entry["username"], entry["credential"]) == ("them", "secret of theirs")


def test_without_our_own_relay_only_further_servers_are_listed(start_server) -> None:
    server = start_server(
        TURN_ENABLED="false", TURN_SERVER_URL=FURTHER, TURN_USERNAME="them", TURN_CREDENTIAL="secret of theirs"
    )
    assert uris(ice_servers(server)) == FURTHER.split(",")
    with Scenario(server) as s:
        answer = s.post("/api/calls/initiate", "alice", {"roomId": s.room, "invitees": [s.id("bob")]}).json()
        assert uris(answer["iceServers"]) == FURTHER.split(",")
        joined = s.socket("alice").call("join-call", {"callId": answer["callId"]})
        assert uris(joined["iceServers"]) == FURTHER.split(",")
    with TurnClient(("127.0.0.1", server.turn_port), "a", "b", timeout_seconds=1) as c:
        with pytest.raises((TimeoutError, ConnectionRefusedError)):
            c.binding()


def test_with_no_relay_at_all_the_list_is_empty(start_server) -> None:
    assert ice_servers(start_server(TURN_ENABLED="false")) == []


def test_no_answer_names_a_stun_server_of_somebody_else(server: RunningServer) -> None:
    with Scenario(server) as s:
        sockets = s.socket("alice", rooms=[s.room]), s.socket("bob", rooms=[s.room])
        call_id = s.active_call(*sockets)
        other = {"roomId": f"!other-{s.number}:localhost", "invitees": [s.id("eve")]}
        served = [s.post("/api/calls/initiate", "alice", other).text]
        served += [s.get(f"/api/calls/{path}", "alice").text for path in ("active", "ice-servers", "history")]
        served += [s.get(f"/api/calls/{call_id}/{path}", "alice").text for path in ("status", "events")]
        served += [json.dumps(a.call("join-call", {"callId": call_id})) for a in sockets]
        served += page_and_modules(s.server)
        served.append(s.get("/openapi.json", "alice").text)
    for text in served:
        assert "google" not in text.lower()
        hosts = [uri for uri in text.split('"') if uri.startswith(("stun:", "turn:", "stuns:", "turns:"))]
        assert all(f":{server.turn_port}" in uri for uri in hosts if "{" not in uri and "example" not in uri), hosts


def page_and_modules(server: RunningServer) -> list[str]:
    """The call page and every file it loads from here, to the last import."""
    waiting, texts = ["/"], {}
    while waiting:
        path = waiting.pop()
        response = server.request("GET", path)
        assert response.status_code == 200, path
        texts[path] = response.text
        found = re.findall(r"(?:src|href)=\"(/?[\w./-]+\.(?:js|css))\"|from \"\.?(/[\w./-]+\.js)\"", response.text)
        base = path.rsplit("/", 1)[0] + "/"
        for pair in found:
            name = next(filter(None, pair))
            target = name if name.startswith("/") and not pair[1] else base + name.lstrip("/")
            if target not in texts and target not in waiting:
                waiting.append(target)
    assert len(texts) > 1, "the page loads its modules from this server"
    return list(texts.values())


def test_no_secret_and_no_signal_is_in_the_log_even_at_debug(start_server) -> None:
    server = start_server(LOG_LEVEL="trace")
    with Scenario(server) as s:
        a, b = s.socket("alice"), s.socket("bob", transport="polling")
        call_id = s.active_call(a, b)
        assert a.call("webrtc-offer", {"callId": call_id, "offer": {"type": "offer", "sdp": "v=0 confidential"}})["ok"]
        b.wait("webrtc-offer")
        s.post(f"/api/calls/{call_id}/ice-candidate", "alice", {"candidate": {"candidate": "candidate:confidential"}})
        credential = ice_servers(server)[-1]["credential"]
        s.post(f"/api/calls/{call_id}/offer", "alice", data=b'{"offer": "confidential"')
        server.request("GET", "/api/calls/active", headers={"Authorization": "Bearer confidential-token"})
    for secret in ("confidential", server.turn_secret, credential, bearer(s.name("alice"))):
        assert secret not in server.log, f"{secret} is in the log"


async def websocket_over_tls(url: str, certificate: Path) -> str:
    context = ssl.create_default_context(cafile=str(certificate))
    async with aiohttp.ClientSession() as session, session.ws_connect(url, ssl=context) as connection:
        return (await connection.receive()).data


def test_wss_verifies_against_the_certificate(start_server, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = start_server(HTTP_TLS_CERT=str(certificate), HTTP_TLS_KEY=str(key))
    url = f"wss://localhost:{server.http_port}/socket.io/?EIO=4&transport=websocket"
    assert asyncio.run(websocket_over_tls(url, certificate)).startswith('0{"sid"')

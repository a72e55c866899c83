"""The binary from the outside: commands, configuration, exit statuses, one clear line for each mistake."""

import base64
import hashlib
import hmac
import json
import os
import signal
import socket
import stat
import subprocess
import time
from pathlib import Path

import pytest
import requests

from ports import free_port
from running_server import RunningServer, binary, catches_sigterm
from waiting import eventually

CONFIGURATION = 78
NOT_STARTED = 1


def command(directory: Path, *arguments: str, **settings: str | None):
    """One command in `directory` with nothing but the settings given."""
    directory.mkdir(parents=True, exist_ok=True)
    bare = {"HTTP_PORT": None, "TURN_PORT": None, "TURN_SHARED_SECRET": None, "DATABASE_URL": None, "LOG_LEVEL": None}
    return RunningServer(directory, bare | settings).run(*arguments)


def refusal(result) -> str:
    """The one line that a failing command says."""
    lines = result.stderr.strip().splitlines()
    assert len(lines) == 1, f"expected one line, got:\n{result.stderr}"
    return lines[0]


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"TURN_PORT": "tcp://10.0.0.1:3478"}, "TURN_PORT (environment)"),
        ({"HTTP_TRUSTED_PROXIES": "10.0.0.0/99"}, "HTTP_TRUSTED_PROXIES (environment)"),
        ({"HTTP_HOST": "0.0.0.0"}, "HTTP_HOST (environment)"),
        ({"TURN_LISTEN": "0.0.0.0"}, "TURN_LISTEN (environment)"),
        ({"AUTH_MODE": "off"}, "TURN_SHARED_SECRET"),
        ({"MATRIX_HOMESERVER_URL": "matrix.example"}, "MATRIX_HOMESERVER_URL (environment)"),
        ({"DATABASE_URL": "mysql://localhost/calls"}, "DATABASE_URL (environment)"),
        ({"REDIS_URL": "rediss://localhost"}, "REDIS_URL (environment)"),
        ({"REDIS_URL": "redis://", "TURN_SHARED_SECRET": "s"}, "REDIS_URL"),
        ({"REDIS_URL": "redis://localhost"}, "REDIS_URL (environment)"),
        ({"REDIS_EMITTER": "true"}, "REDIS_EMITTER (environment)"),
        ({"TURN_REALM": "soft\u00adhyphen"}, "TURN_REALM (environment)"),
        ({"TURN_STATIC_USERS": "al\u200bice:secret"}, "TURN_STATIC_USERS (environment)"),
        ({"TURN_SHARED_SECRET_FILE": "/nowhere"}, "TURN_SHARED_SECRET_FILE (environment)"),
        ({"HTTP_TLS_CERT": "/nowhere", "HTTP_TLS_KEY": "/nowhere"}, "HTTP_TLS_CERT"),
    ],
)
def test_a_bad_configuration_is_one_line_that_names_the_setting(tmp_path, settings, named):
    result = command(tmp_path, "serve", **settings)
    assert result.returncode == CONFIGURATION
    assert named in refusal(result)
    assert result.stdout == ""


def test_unknown_flags_and_keys_are_refused(tmp_path):
    assert "--http-prot" in refusal(command(tmp_path, "serve", "--http-prot", "1"))
    (tmp_path / ".env").write_text("HTTP_PROT=1\n")
    assert "HTTP_PROT (.env, line 1)" in refusal(command(tmp_path, "serve"))
    (tmp_path / ".env").unlink()
    (tmp_path / "server.conf").write_text("# settings\nHTTP_PROT=1\n")
    assert "HTTP_PROT (server.conf, line 2)" in refusal(command(tmp_path, "serve", "--config", "server.conf"))
    assert "--config" in refusal(command(tmp_path, "serve", "--config", "missing.conf"))


def test_unknown_names_in_the_environment_are_none_of_our_business(tmp_path):
    assert command(tmp_path, "credentials", "--user", "a", HTTP_PROT="1").returncode == 0


def test_help_is_the_manual_and_version_is_one_line(tmp_path):
    manual = command(tmp_path, "serve", "--help")
    assert manual.returncode == 0
    for key in ("HTTP_PORT", "TURN_SHARED_SECRET", "CALL_RING_TIMEOUT", "LOG_FORMAT"):
        assert key in manual.stdout
    assert "--http-port" in manual.stdout
    assert command(tmp_path, "--version").stdout.startswith("callrelay ")


def test_env_example_as_dotenv_changes_nothing(tmp_path):
    example = Path(__file__).parents[2] / ".env.example"
    (tmp_path / ".env").write_text(example.read_text())
    assert command(tmp_path, "credentials", "--user", "a").returncode == 0


def verify(output: str, secret: str, user: str) -> int:
    """Checks a printed credential against the shared secret; answers its expiry."""
    fields = dict(line.split(": ", 1) for line in output.strip().splitlines())
    expiry, _, name = fields["username"].partition(":")
    assert name == user
    code = hmac.new(secret.encode(), fields["username"].encode(), hashlib.sha1).digest()
    assert fields["password"] == base64.b64encode(code).decode()
    return int(expiry)


def test_credentials_are_what_the_first_secret_makes(tmp_path):
    result = command(
        tmp_path, "credentials", "--user", "mona", "--ttl", "600", TURN_SHARED_SECRET="new,old"
    )
    assert result.returncode == 0, result.stderr
    assert abs(verify(result.stdout, "new", "mona") - time.time() - 600) < 30


def test_a_secret_may_come_from_a_file_and_a_flag_beats_the_environment(tmp_path):
    (tmp_path / "secret").write_text("from the file\n")
    result = command(tmp_path, "credentials", "--user", "a", TURN_SHARED_SECRET_FILE="secret")
    verify(result.stdout, "from the file", "a")
    flag = command(
        tmp_path, "credentials", "--user", "a", "--turn-shared-secret", "from the flag", TURN_SHARED_SECRET="weaker"
    )
    verify(flag.stdout, "from the flag", "a")


def test_dev_mode_makes_its_secret_once_and_keeps_it_private(tmp_path):
    first = command(tmp_path, "credentials", "--user", "a")
    assert first.returncode == 0, first.stderr
    path = tmp_path / "data" / "turn_shared_secret"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = path.read_text().strip()
    verify(first.stdout, secret, "a")
    verify(command(tmp_path, "credentials", "--user", "b").stdout, secret, "b")


def test_an_empty_secret_is_none_in_dev_mode_too(tmp_path):
    result = command(tmp_path, "credentials", "--user", "a", TURN_SHARED_SECRET="")
    assert result.returncode == CONFIGURATION
    assert "TURN_SHARED_SECRET" in refusal(result)
    assert not (tmp_path / "data").exists()


def test_migrate_says_what_it_did_and_serve_refuses_pending_ones_if_told_to(tmp_path):
    settings = {"HTTP_PORT": str(free_port()), "TURN_PORT": str(free_port(socket.SOCK_DGRAM))}
    refused = command(tmp_path, "serve", DATABASE_MIGRATE="false", **settings)
    assert refused.returncode == NOT_STARTED
    assert "DATABASE_MIGRATE" in refusal(refused)
    first = command(tmp_path, "migrate")
    assert first.returncode == 0, first.stderr
    assert "applied 004_voice_video_calls" in first.stdout
    assert "nothing to do" in command(tmp_path, "migrate").stdout


def test_a_database_that_is_none_is_named(tmp_path):
    (tmp_path / "calls.db").write_text("this is no database, however long it is" * 100)
    result = command(tmp_path, "migrate", DATABASE_URL="sqlite:calls.db")
    assert result.returncode == NOT_STARTED
    assert "DATABASE_URL" in refusal(result)


def test_ports_in_use_are_named(tmp_path):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as http, socket.socket(
        socket.AF_INET, socket.SOCK_DGRAM
    ) as turn:
        http.bind(("127.0.0.1", 0))
        http.listen()
        turn.bind(("127.0.0.1", 0))
        http_port, turn_port = str(http.getsockname()[1]), str(turn.getsockname()[1])
        free = str(free_port())
        taken = command(tmp_path, "serve", HTTP_PORT=http_port, TURN_PORT=free, LOG_LEVEL="error")
        assert taken.returncode == NOT_STARTED
        assert "HTTP_PORT" in refusal(taken)
        taken = command(tmp_path, "serve", HTTP_PORT=free, TURN_PORT=turn_port, LOG_LEVEL="error")
        assert taken.returncode == NOT_STARTED
        assert "TURN_PORT" in refusal(taken)


def test_serve_says_where_it_is_and_ends_with_0_on_both_signals(tmp_path):
    for number in (signal.SIGTERM, signal.SIGINT):
        server = RunningServer(tmp_path / number.name, {"LOG_LEVEL": "error"}).start()
        try:
            assert f"call page: {server.url}/" in server.log
            assert f"STUN: stun:127.0.0.1:{server.turn_port}" in server.log
            assert f"TURN: turn:127.0.0.1:{server.turn_port}?transport=udp" in server.log
            server.process.send_signal(number)
            assert server.process.wait(20) == 0
        finally:
            if server.process.poll() is None:
                server.kill()


def test_dotenv_in_the_working_directory_is_read(tmp_path):
    (tmp_path / ".env").write_text("TURN_REALM=from-dotenv\nLOG_FORMAT=json\nLOG_LEVEL=info\n")
    server = RunningServer(tmp_path, {"LOG_LEVEL": None}).start()
    try:
        requests.get(f"{server.url}/api/calls/active?token=s3cret", headers={"Authorization": "Bearer s3cret"}, timeout=5)
    finally:
        assert server.stop() == 0
    lines = [json.loads(line) for line in server.log.splitlines() if line.startswith("{")]
    seen = [line for line in lines if line["message"] == "request" and line["path"] == "/api/calls/active"]
    assert seen and seen[0]["status"] == "401"
    assert "s3cret" not in server.log


def test_without_the_relay_only_foreign_servers_are_listed(tmp_path):
    settings = {
        "TURN_ENABLED": "false",
        "TURN_SERVER_URL": "turn:turn.example:3478?transport=udp,turns:turn.example",
        "TURN_USERNAME": "someone",
        "TURN_CREDENTIAL": "something",
    }
    server = RunningServer(tmp_path, settings).start()
    try:
        answer = server.request("GET", "/api/calls/ice-servers", "alice").json()
    finally:
        assert server.stop() == 0
    assert answer["iceServers"] == [
        {
            "urls": ["turn:turn.example:3478?transport=udp", "turns:turn.example"],
            "username": "someone",
            "credential": "something",
        }
    ]


def test_off_serves_turn_alone(tmp_path):
    turn_port = free_port(socket.SOCK_DGRAM)
    http_port = free_port()
    server = RunningServer(
        tmp_path,
        {"AUTH_MODE": "off", "TURN_LISTEN": "127.0.0.1", "TURN_PORT": str(turn_port), "HTTP_PORT": str(http_port)},
    )
    with server.log_path.open("wb") as log:
        server.process = subprocess.Popen(
            [binary("callrelay"), "serve"], cwd=tmp_path, env=server.environment, stdout=log, stderr=subprocess.STDOUT
        )
    try:
        request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + os.urandom(12)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(1)
            for _ in range(20):
                client.sendto(request, ("127.0.0.1", turn_port))
                try:
                    reply = client.recv(2048)
                    break
                except (TimeoutError, ConnectionRefusedError):
                    continue
            assert reply[:2] == b"\x01\x01" and reply[8:20] == request[8:20]
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as http:
            assert http.connect_ex(("127.0.0.1", http_port)) != 0
        eventually(lambda: catches_sigterm(server.process), "SIGTERM's handler")
    finally:
        assert server.stop() == 0


def test_a_realm_that_makes_challenges_too_large_is_refused_with_its_limit(tmp_path):
    settings = {"AUTH_MODE": "off", "TURN_LISTEN": "127.0.0.1", "TURN_SHARED_SECRET": "s"}
    port = str(free_port(socket.SOCK_DGRAM))
    result = command(tmp_path, "serve", TURN_REALM="x" * 29, TURN_PORT=port, **settings)
    assert result.returncode == NOT_STARTED
    assert "TURN_REALM is 29 bytes long" in refusal(result) and "28" in refusal(result)

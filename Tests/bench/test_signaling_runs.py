"""What `call-bench` and the servers of signaling are told is what the case says, and what comes back is a run."""

import json
import platform
import re
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

import launch
import machine
from cases import OURS, Case
from generator import Timing
from networks import Network
from records import Record
from signaling.cases import PEER, SECTIONS
from signaling.loads import SignalingLoad
from signaling.rig import SignalingRig, options
from signaling.servers import Programs, SignalingServer, callrelay_settings, peer_versions, serve

CASES = {case.name: case for case in SECTIONS["signaling"]}
LOOPBACK = Network("loopback", "127.0.0.1", "127.0.0.1")
TIMING = Timing(7, 2)
BY_THE_CLOCK = "--duration 7 --warm-up 2"

# A server that says that it is ready when it is asked for the second time, and keeps what it was told.
CALLRELAY = """\
#!/usr/bin/python3
import http.server, json, os, sys
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        self.send_response(200 if self.path == "/readyz" and Handler.asked > 1 else 503)
        self.end_headers()
    def log_message(self, *arguments):
        pass
with open("{told}", "w") as file:
    json.dump({{"arguments": sys.argv[1:], "settings": dict(os.environ), "in": os.getcwd()}}, file)
http.server.HTTPServer(("127.0.0.1", int(os.environ["HTTP_PORT"])), Handler).serve_forever()
"""
GENERATOR = '#!/bin/sh\necho "$*" >{told}\n{does}\n'


def told(case: Case[SignalingLoad], kind: str) -> str:
    process = subprocess.Popen(["true"])
    process.wait()
    server = SignalingServer(kind, "http://127.0.0.1:4000", process)
    given = " ".join(options(case.load, server, TIMING))
    return given.replace(f"--server-pid {process.pid} ", "--server-pid PID ")


@pytest.mark.parametrize(
    ("name", "load"),
    [
        ("candidates-250", f"events --connections 1000 --rate 250 {BY_THE_CLOCK}"),
        ("candidates-500", f"events --connections 1000 --rate 500 {BY_THE_CLOCK}"),
        ("candidates-1000", f"events --connections 1000 --rate 1000 {BY_THE_CLOCK}"),
        ("candidates-2000", f"events --connections 1000 --rate 2000 {BY_THE_CLOCK}"),
        ("candidates-5000", f"events --connections 1000 --rate 5000 {BY_THE_CLOCK}"),
        ("candidates-most", f"events --connections 1000 --in-flight 64 {BY_THE_CLOCK}"),
        ("calls", f"calls --rate 10 --pairs 200 {BY_THE_CLOCK}"),
        ("idle-websocket", "idle --connections 5000 --transport websocket --duration 7"),
        ("idle-polling", "idle --connections 5000 --transport polling --duration 7"),
        ("storm", "storm --connections 5000 --patience 60"),
        ("slow-reader", "slow-reader --readers 20 --patience 120"),
    ],
)
def test_the_generator_is_told_the_load(name: str, load: str) -> None:
    subcommand, rest = load.split(" ", maxsplit=1)
    given = f"{subcommand} --url http://127.0.0.1:4000 --server-pid PID --json"
    assert told(CASES[name], OURS) == f"{given} {rest}"
    if PEER in CASES[name].servers:
        peer = " --peer" if subcommand == "events" else ""
        assert told(CASES[name], PEER) == f"{given}{peer} {rest}"


def test_who_is_measured_where() -> None:
    alone = {name for name, case in CASES.items() if case.servers == (OURS,)}
    assert alone == {"candidates-5000", "calls", "storm", "slow-reader"}
    assert all(case.servers == (OURS, PEER) for name, case in CASES.items() if name not in alone)
    slow = {name for name, case in CASES.items() if case.is_slow}
    assert slow == {"idle-websocket", "idle-polling", "storm", "slow-reader"}
    assert len(CASES) == len(SECTIONS["signaling"])


def test_the_generator_knows_its_options() -> None:
    sources = Path(__file__).parents[2] / "Sources/call-bench"
    declared = "\n".join(file.read_text(encoding="utf-8") for file in sources.glob("*.swift"))
    for case in CASES.values():
        subcommand, *given = told(case, case.servers[-1]).split()
        assert f'commandName: "{subcommand}"' in declared
        for option in (word.removeprefix("--") for word in given if word.startswith("--")):
            name = re.sub("-(.)", lambda found: found[1].upper(), option)
            assert f"var {name}" in declared, option


def test_the_servers_limits_are_off_and_its_database_is_its_own() -> None:
    settings = callrelay_settings(4000, 4001, "s")
    assert (settings["CALL_INITIATE_RATE"], settings["SOCKET_EVENT_RATE"]) == ("", "")
    assert (settings["HTTP_PORT"], settings["TURN_PORT"]) == ("4000", "4001")
    assert (settings["AUTH_MODE"], settings["LOG_LEVEL"]) == ("dev", "warning")
    assert settings["DATABASE_URL"] == "sqlite:callrelay.db"
    known = Path(__file__).parents[2] / "Sources/ServerConfiguration/ConfigurationKey.swift"
    declared = known.read_text(encoding="utf-8")
    for name in [*settings, *CASES["storm"].load.settings]:
        assert f'"{name}"' in declared


def rig(directory: Path, does: str) -> SignalingRig:
    made = {"callrelay": CALLRELAY.format(told=directory / "server.json")}
    made["call-bench"] = GENERATOR.format(told=directory / "generator", does=does)
    for name, script in made.items():
        (directory / name).write_text(script, encoding="utf-8")
        (directory / name).chmod(0o755)
    programs = Programs(directory / "callrelay", directory / "call-bench", directory / "callrelay")
    return SignalingRig([machine.processors()[0]], TIMING, directory, programs)


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launch, "SETTLE_SECONDS", 0)


def test_a_run_has_a_server_of_its_own(tmp_path: Path) -> None:
    answer = {"kind": "storm", "seconds": 3.0}
    made = rig(tmp_path, f"echo '{json.dumps(answer)}'")
    assert made.measure(CASES["storm"], Record({}, {}), OURS, LOOPBACK) == answer
    server = json.loads((tmp_path / "server.json").read_text(encoding="utf-8"))
    assert server["arguments"] == ["serve"]
    assert server["settings"]["CALL_RECONNECT_GRACE"] == "120s"
    port = server["settings"]["HTTP_PORT"]
    generator = (tmp_path / "generator").read_text(encoding="utf-8")
    assert generator.startswith(f"storm --url http://127.0.0.1:{port} --server-pid ")
    # Where its database was, and gone with it.
    assert Path(server["in"]).parent == tmp_path
    assert not Path(server["in"]).exists()


def test_a_report_that_calls_itself_void_is_void_and_so_is_none(tmp_path: Path) -> None:
    case, record = CASES["candidates-250"], Record({}, {})
    busy = rig(tmp_path, 'echo \'{"void": ["busy"]}\'; exit 3')
    assert busy.measure(case, record, OURS, LOOPBACK) == {"void": ["busy"]}
    failed = rig(tmp_path, "echo 'Error: connections were lost while idle' >&2; exit 1")
    assert failed.measure(case, record, OURS, LOOPBACK) == {
        "void": ["the generator ended with 1: Error: connections were lost while idle"]
    }


def test_a_server_that_ends_meanwhile_makes_the_run_void(tmp_path: Path) -> None:
    made = rig(tmp_path, "kill -9 $5; sleep 0.1; echo '{}'")
    result = made.measure(CASES["calls"], Record({}, {}), OURS, LOOPBACK)
    assert result == {"void": ["the server ended with -9: it said nothing"]}


def test_the_peer_is_python_socketios_server(tmp_path: Path) -> None:
    programs = Programs(tmp_path, tmp_path, Path(sys.executable))
    with serve(PEER, programs, machine.processors()[0], tmp_path, {}) as server:
        with urllib.request.urlopen(f"{server.url}/socket.io/?EIO=4&transport=polling", timeout=5) as answer:
            assert answer.read().startswith(b'0{"sid":')
    versions = peer_versions(programs.python)
    assert list(versions) == ["Python", PEER, "python-engineio", "aiohttp"]
    assert versions["Python"] == platform.python_version()


def test_a_run_is_expected_to_take_its_load_and_more() -> None:
    made = SignalingRig([0, 1], TIMING, Path("/nowhere"), Programs(Path("a"), Path("b"), Path("c")))
    for case in CASES.values():
        assert made.seconds(case) > 0
    assert made.seconds(CASES["candidates-250"]) == pytest.approx(11)
    assert made.seconds(CASES["idle-polling"]) == pytest.approx(22)

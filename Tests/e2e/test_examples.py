"""Runs every example of examples/call-api-examples.md against a live server and compares what it answers.

How a document says what to expect is told in document_examples.py. The document also has to be whole: every route of
/openapi.json and every event of the signaling protocol has an example.
"""

import contextlib
import io
import re
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from document_examples import Example, difference, json_values, read_examples, text_matches
from running_server import REPOSITORY, RunningServer

DOCUMENT = REPOSITORY / "examples/call-api-examples.md"
EXAMPLES = read_examples(DOCUMENT)
EXAMPLE_SECONDS = 30

# What the document says, and what it becomes here: the server of the test has ports of its own.
STATED_URL, STATED_TURN_PORT = "http://127.0.0.1:3000", ":3478"

CLIENT_EVENTS = {
    "authenticate", "join-call", "webrtc-offer", "webrtc-answer", "ice-candidate",
    "toggle-audio", "toggle-video", "media-state", "leave-call",
}  # fmt: skip
SERVER_EVENTS = {
    "user-joined", "user-left", "webrtc-offer", "webrtc-answer", "ice-candidate", "audio-toggled", "video-toggled",
    "media-state", "call-incoming", "call-answered", "call-ended", "ice-servers", "room-members",
}  # fmt: skip


class Shell:
    """One bash for all ```sh blocks, so that a variable set in one is there in the next."""

    MARK = "--- end of example ---"

    def __init__(self, directory: Path):
        self.errors = directory / "stderr.txt"
        with self.errors.open("wb") as errors:
            self.process = subprocess.Popen(
                ["bash", "--noprofile", "--norc"], cwd=directory, text=True,
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors,
            )  # fmt: skip
        # The status goes to stderr: stdout stays what a reader of the document would see.
        self.run("curl() { command curl --write-out '%{stderr}HTTP-STATUS %{http_code}\\n' \"$@\"; }")

    def run(self, code: str) -> tuple[str, list[int]]:
        """What the block prints, and the HTTP statuses its curls got."""
        before = self.errors.stat().st_size
        self.process.stdin.write(f"{code}\nprintf '\\n{self.MARK} %s\\n' $?\n")
        self.process.stdin.flush()
        watchdog = threading.Timer(EXAMPLE_SECONDS, self.process.kill)
        watchdog.start()
        printed = []
        for line in self.process.stdout:
            if line.startswith(self.MARK):
                break
            printed.append(line)
        watchdog.cancel()
        complaints = self.errors.read_bytes()[before:].decode()
        assert line.strip() == f"{self.MARK} 0", f"the block ended with {line.strip()}\n{complaints}"
        return "".join(printed), [int(code) for code in re.findall(r"HTTP-STATUS (\d+)", complaints)]

    def close(self) -> None:
        self.process.stdin.close()
        self.process.wait(EXAMPLE_SECONDS)


@dataclass
class Outcome:
    printed: str
    statuses: list[int]
    failure: str | None
    server: RunningServer


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[int, Outcome]]:
    """All examples, run from the first to the last as a reader would, with one shell and one Python session."""
    directory = tmp_path_factory.mktemp("examples")
    servers: list[RunningServer] = []
    found: dict[int, Outcome] = {}
    shell, names = Shell(directory), {"__name__": "examples"}

    def server_for(settings: dict[str, str]) -> RunningServer:
        for server in servers:
            if settings.items() <= server.settings.items():
                return server
        servers.append(RunningServer(directory / f"server-{len(servers)}", settings).start())
        return servers[-1]

    try:
        with contextlib.chdir(directory):
            for example in EXAMPLES:
                server = server_for(example.settings)
                found[example.line] = run_example(example, server, shell, names)
        yield found
    finally:
        for value in names.values():
            if callable(getattr(value, "disconnect", None)) and getattr(value, "connected", False):
                value.disconnect()
        shell.close()
        statuses = [server.stop() for server in servers]
    assert statuses == [0] * len(servers), servers[0].log[-8000:]


def run_example(example: Example, server: RunningServer, shell: Shell, names: dict) -> Outcome:
    code = here(example.code, server)
    try:
        if example.language == "sh":
            printed, statuses = shell.run(code)
            return Outcome(printed, statuses, None, server)
        with contextlib.redirect_stdout(io.StringIO()) as output:
            exec(compile(code, f"{DOCUMENT.name}, block at line {example.line}", "exec"), names)
        return Outcome(output.getvalue(), [], None, server)
    except Exception as failure:  # whatever an example raises is that example's failure, told by its own test
        return Outcome("", [], f"{type(failure).__name__}: {failure}", server)


def here(text: str, server: RunningServer) -> str:
    return text.replace(STATED_URL, server.url).replace(STATED_TURN_PORT, f":{server.turn_port}")


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: f"line-{example.line}")
def test_the_example_does_what_the_document_says(example: Example, outcomes: dict[int, Outcome]) -> None:
    outcome = outcomes[example.line]
    assert outcome.failure is None, outcome.failure
    if "curl " in example.code:
        assert example.status is not None, "the document does not state the HTTP status of this example"
        assert outcome.statuses[-1] == example.status, outcome.printed
    if example.expectation is None:
        assert outcome.printed.strip() == "", f"prints what the document does not state: {outcome.printed}"
        return
    stated = here(example.expectation, outcome.server)
    if example.expectation_language == "text":
        assert text_matches(stated.strip(), outcome.printed.strip()), outcome.printed
        return
    disagreement = difference(json_values(stated), json_values(outcome.printed))
    assert disagreement is None, f"{disagreement}\nanswered: {outcome.printed}"


def curled_routes() -> set[tuple[str, str]]:
    """Method and path of every curl in the document; a shell variable in a path stays as it is written."""
    routes = set()
    for example in EXAMPLES:
        if example.language != "sh":
            continue
        for command in re.split(r"\bcurl ", example.code.replace("\\\n", " "))[1:]:
            method = re.search(r"-X (\w+)", command)
            path = re.search(re.escape(STATED_URL) + r"([^\s'\"?|]*)", command)
            default = "POST" if re.search(r"\s(-d|--data)\b", command) else "GET"
            routes.add((method[1] if method else default, path[1] or "/"))
    return routes


def test_the_document_has_every_route_of_the_server(server: RunningServer) -> None:
    description = server.request("GET", "/openapi.json").json()
    methods = {"get", "post", "put", "delete", "patch", "head", "options"}
    described = [
        (verb.upper(), re.compile(re.sub(r"\{\w+\}", r"[^/]+", path) + "$"), path)
        for path, operations in description["paths"].items()
        for verb in operations
        if verb in methods
    ]
    assert len(described) >= 16
    curled = curled_routes()
    missing = [
        f"{method} {path}"
        for method, pattern, path in described
        if not any(method == used and pattern.match(route) for used, route in curled)
    ]
    assert not missing, "routes without an example"
    unknown = [
        (used, route)
        for used, route in curled - {("GET", "/api/nowhere")}
        if used != "OPTIONS" and not any(method == used and pattern.match(route) for method, pattern, _ in described)
    ]
    assert not unknown, "examples of routes that /openapi.json does not describe"


def test_the_document_has_every_event() -> None:
    code = "\n".join(example.code for example in EXAMPLES if example.language == "python")
    sent = set(re.findall(r"\.(?:call|emit)\(\s*\"([a-z-]+)\"", code))
    heard = set(re.findall(r"hear\(\s*\w+,\s*\"([a-z-]+)\"", code))
    assert CLIENT_EVENTS - sent == set(), "client events without an example"
    assert SERVER_EVENTS - heard == set(), "server events without an example"
    assert sent <= CLIENT_EVENTS and heard <= SERVER_EVENTS, "events the contract does not know"


def test_a_wrong_statement_would_be_found() -> None:
    """The comparison itself: what differs is named, what is left open is open."""
    actual = {"a": 1, "b": [{"c": "x-17"}], "d": True}
    assert difference({"a": 1, "b": [{"c": "x-…"}], "d": True}, actual) is None
    assert difference({"a": "…", "b": "…", "d": "…"}, actual) is None
    for wrong in (
        {"a": 2, "b": "…", "d": True},
        {"a": 1, "b": [], "d": True},
        {"a": 1, "b": [{"c": "y-…"}], "d": True},
        {"a": 1, "b": "…"},
        {"a": 1, "b": "…", "d": True, "e": "…"},
        {"a": 1, "b": "…", "d": 1},
        {"a": 1.0, "b": "…", "d": True},
    ):
        assert difference(wrong, actual) is not None, wrong

"""Requests that schemathesis makes from `/openapi.json`: no server error, no answer that the document does not have.

Ids at random name no call, so most requests are aimed at calls made for them, one in each state that a call can be in.
Everything is derived from fixed seeds: a failure comes again.
"""

import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.schemas import APIOperation, BaseSchema

from running_server import REPOSITORY, RunningServer, bearer
from scenario import user_id

EXAMPLES = 30
SEED = 20_261
AS_ALICE = {"Authorization": f"Bearer {bearer('alice')}"}
SETTINGS = settings(
    max_examples=EXAMPLES,
    derandomize=True,
    database=None,
    deadline=None,
    # No shrinking: it would place hundreds of calls, and the first example that fails says enough.
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)

load_all_checks()
ANSWER_CHECKS = [
    "not_a_server_error", "status_code_conformance", "content_type_conformance", "response_headers_conformance",
    "response_schema_conformance",
]  # fmt: skip
# Those and: what the document forbids is refused, and methods that it does not have are 405.
CHECKED = CHECKS.get_by_names(
    [
        *ANSWER_CHECKS,
        "negative_data_rejection",
        "missing_required_header",
        "unsupported_method",
        "allow_header_conformance",
    ]
)

# The served document is this file, which the first test makes sure of; pytest has to know the operations before.
SOURCE = json.loads((REPOSITORY / "Sources/CallAPI/openapi.json").read_text())
OPERATIONS = [(method, path) for path, item in SOURCE["paths"].items() for method in item]


@dataclass
class Target:
    """What a request is aimed at: a call and its room."""

    call_id: str
    room: str


@dataclass
class Calls:
    """Makes calls that alice has to do with, each in a room of its own."""

    server: RunningServer
    numbers: Iterator[int] = field(default_factory=itertools.count)
    session: requests.Session = field(default_factory=requests.Session)

    def _post(self, user: str, path: str, body: object) -> dict:
        headers = {"Authorization": f"Bearer {bearer(user)}"}
        response = self.session.post(self.server.url + path, json=body, headers=headers, timeout=10)
        assert response.ok, response.text
        return response.json()

    def place(self, creator: str, invitees: list[str], is_group: bool = False) -> Target:
        room = f"!fuzz-{next(self.numbers)}:localhost"
        body = {"roomId": room, "invitees": [user_id(invitee) for invitee in invitees], "group": is_group}
        return Target(self._post(creator, "/api/calls/initiate", body)["callId"], room)

    def act(self, user: str, act: str, target: Target) -> Target:
        self._post(user, f"/api/calls/{target.call_id}/{act}", {})
        return target


# Every kind of call for alice to meet. None: the request stays aimed at what it was generated with.
KINDS: dict[str, Callable[[Calls], Target] | None] = {
    "as generated": None,
    "ringing": lambda calls: calls.place("alice", ["bob"]),
    "incoming": lambda calls: calls.place("bob", ["alice"]),
    "answered by the other": lambda calls: calls.act("bob", "answer", calls.place("alice", ["bob"])),
    "answered": lambda calls: calls.act("alice", "answer", calls.place("bob", ["alice"])),
    "group": lambda calls: calls.act("bob", "answer", calls.place("alice", ["bob", "carol"], is_group=True)),
    "group of another": lambda calls: calls.act("bob", "answer", calls.place("carol", ["bob", "alice"], is_group=True)),
    "ended": lambda calls: calls.act("alice", "end", calls.place("alice", ["bob"])),
    "rejected": lambda calls: calls.act("alice", "reject", calls.place("bob", ["alice"])),
    "of strangers": lambda calls: calls.place("bob", ["carol"]),
}


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server where the rate of calls is no obstacle."""
    settings = {"CALL_INITIATE_RATE": "user=1000000/m,address=1000000/m", "LOG_LEVEL": "info"}
    server = RunningServer(tmp_path_factory.mktemp("served"), settings).start()
    yield server
    assert server.stop() == 0, server.log[-8000:]


def document(server: RunningServer) -> dict:
    return server.request("GET", "/openapi.json").json()


def described(server: RunningServer) -> BaseSchema:
    """The served document, as schemathesis reads it, for requests to that server."""
    schema = schemathesis.openapi.from_dict(document(server))
    schema.config.update(base_url=server.url)
    # Requests without a token are for the tests of authentication; here they would be most of the wrong ones.
    schema.config.generation.with_security_parameters = False
    # Of what may not be so large it is the status, in a body as in one of its members.
    rejection = schema.config.checks.negative_data_rejection
    rejection.expected_statuses = [*rejection.expected_statuses, "413"]
    return schema


@pytest.fixture(scope="module")
def schema(served: RunningServer) -> BaseSchema:
    return described(served)


@pytest.fixture(scope="module")
def calls(served: RunningServer) -> Calls:
    return Calls(served)


def aim(case: Case, target: Target | None) -> None:
    """Lets a generated request be about a call that there is, and names no other user than the token does."""
    if target is None:
        return
    if "callId" in (case.path_parameters or {}):
        case.path_parameters = {**case.path_parameters, "callId": target.call_id}
    if not isinstance(case.body, dict):
        return
    right = {"userId": user_id("alice"), "to": user_id("bob")}
    if case.path == "/api/calls/initiate":
        right["roomId"] = target.room
    changes = {name: value for name, value in right.items() if isinstance(case.body.get(name), str)}
    if changes:
        case.body = {**case.body, **changes}


def send(case: Case, seen: set[int]) -> None:
    """One request as alice, and the same again where it can be repeated under its key."""
    response = case.call(headers=AS_ALICE)
    seen.add(response.status_code)
    case.validate_response(response, checks=CHECKED)
    if case.method == "POST" and response.status_code < 300 and "Idempotency-Key" in (case.headers or {}):
        again = case.call(headers=AS_ALICE)
        case.validate_response(again, checks=CHECKED)
        # One act can be repeated after its call's end, and is then told so.
        assert again.status_code in (response.status_code, 410), again.content


def walk_the_edges(operation: APIOperation, mode: GenerationMode, calls: Calls, seen: set[int]) -> None:
    """Every value at an edge of the schema, one at a time, and methods that the path does not have."""
    kinds = itertools.cycle(KINDS.values())
    schema = operation.schema
    for case in schema.iter_coverage_cases(
        operation, generation_modes=[mode], generation_config=schema.config.generation
    ):
        make = next(kinds)
        aim(case, make(calls) if make else None)
        send(case, seen)


def has_input(operation: APIOperation) -> bool:
    """Whether there is anything about a request that could be wrong; any text can be a call's id."""
    return bool(operation.body) or bool(operation.query) or bool(operation.headers)


def walk_at_random(
    operation: APIOperation, mode: GenerationMode, calls: Calls, seen: set[int], kinds: tuple[str, ...] = tuple(KINDS)
) -> None:
    @seed(SEED)
    @SETTINGS
    @given(case=operation.as_strategy(mode), kind=st.sampled_from(kinds))
    def one(case: Case, kind: str) -> None:
        make = KINDS[kind]
        aim(case, make(calls) if make else None)
        send(case, seen)

    one()


def test_the_served_document_can_be_read_and_is_the_one_whose_operations_are_walked(served: RunningServer) -> None:
    assert document(served) == SOURCE
    schema = described(served)
    schema.validate()
    read = {(operation.ok().method, operation.ok().path) for operation in schema.get_all_operations()}
    assert read == set(OPERATIONS)


# What walking an operation has to have met, or it was a walk past the server. Where a call is named, also these.
# In dev mode nobody's homeserver is listed.
MET = {"/api/calls/initiate": {200, 201, 400, 403, 409}, "/api/auth/openid": {400, 403}}
MET_WITH_A_CALL = {403, 404}


@pytest.mark.parametrize("method, path", OPERATIONS, ids=lambda value: value)
def test_every_answer_is_one_that_the_document_has(schema: BaseSchema, calls: Calls, method: str, path: str) -> None:
    operation = schema[path][method]
    seen: set[int] = set()
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        walk_the_edges(operation, mode, calls, seen)
        if mode is GenerationMode.POSITIVE or has_input(operation):
            walk_at_random(operation, mode, calls, seen)
    documented = {int(status) for status in SOURCE["paths"][path][method]["responses"]}
    expected = MET.get(path, {min(documented)})
    if "{callId}" in path:
        # 410 is for acts that an ended call no longer takes.
        expected = expected | MET_WITH_A_CALL | ({400} if method == "post" else set()) | (documented & {410})
    assert expected <= seen, f"never met: {sorted(expected - seen)}"


def test_calls_that_come_too_fast_are_refused_as_the_document_says(start_server) -> None:
    server = start_server(CALL_INITIATE_RATE="user=5/m,address=1000/m")
    operation = described(server)["/api/calls/initiate"]["post"]
    seen: set[int] = set()
    walk_at_random(operation, GenerationMode.POSITIVE, Calls(server), seen, kinds=("as generated",))
    assert 429 in seen

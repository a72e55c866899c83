"""What several tests begin with: people and rooms of their own, and a call that has come this far."""

import itertools
from contextlib import ExitStack
from dataclasses import dataclass, field

from running_server import RunningServer
from signaling_client import AsyncClient, SignalingClient

_numbers = itertools.count()


def user_id(user: str) -> str:
    return f"@{user}:localhost"


@dataclass
class Scenario:
    """Names nobody else uses, so that tests can share one server; sockets close at the end."""

    server: RunningServer
    number: int = field(default_factory=lambda: next(_numbers))
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "Scenario":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    @property
    def room(self) -> str:
        return f"!scenario-{self.number}:localhost"

    def name(self, who: str) -> str:
        return f"{who}-s{self.number}"

    def id(self, who: str) -> str:
        return user_id(self.name(who))

    def socket(self, who: str, **options: object) -> SignalingClient:
        return self.stack.enter_context(AsyncClient(self.server.url, self.name(who), **options))

    def post(self, path: str, who: str, body: object = None, **options: object):
        return self.server.request("POST", path, self.name(who), {} if body is None else body, **options)

    def get(self, path: str, who: str, **options: object):
        return self.server.request("GET", path, self.name(who), **options)

    def initiate(self, who: str, invitees: list[str], **body: object) -> str:
        people = [self.id(other) for other in invitees]
        body = {"roomId": self.room, "callType": "video", "invitees": people, **body}
        response = self.post("/api/calls/initiate", who, body)
        assert response.status_code == 201, response.text
        return response.json()["callId"]

    def status(self, call_id: str, who: str) -> dict:
        response = self.get(f"/api/calls/{call_id}/status", who)
        assert response.status_code == 200, response.text
        return response.json()

    def participant(self, call_id: str, who: str) -> dict:
        people = self.status(call_id, who)["participants"]
        return next(person for person in people if person["userId"] == self.id(who))

    def active_call(self, a: SignalingClient, b: SignalingClient) -> str:
        """A call between "alice" and "bob", both joined; a and b have heard all of it."""
        call_id = self.initiate("alice", ["bob"])
        assert a.call("join-call", {"callId": call_id})["ok"]
        response = self.post(f"/api/calls/{call_id}/answer", "bob")
        assert response.status_code == 200, response.text
        assert b.call("join-call", {"callId": call_id})["ok"]
        a.wait("user-joined")
        a.settle(), b.settle()
        a.received.clear(), b.received.clear()
        return call_id

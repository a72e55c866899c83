"""Rooms with people in them on the call page, and what the server says of their calls afterwards."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser

from call_page import Person, chromium
from network_path import NetworkPath
from running_server import RunningServer

_numbers = itertools.count()


@dataclass
class Room:
    """A room nobody else uses, and those who came in."""

    browser: Browser
    server: RunningServer
    number: int = field(default_factory=lambda: next(_numbers))
    people: list[Person] = field(default_factory=list)
    paths: list[NetworkPath] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"page-{self.number}"

    def person_name(self, who: str) -> str:
        return f"{who}{self.number}"

    def enter(self, who: str, *, browser: Browser | None = None, **context: object) -> Person:
        person = Person.enter(browser or self.browser, self.server, self.person_name(who), self.name, **context)
        self.people.append(person)
        return person

    def enter_by_path(self, who: str, **context: object) -> tuple[Person, NetworkPath]:
        """Somebody whose whole network, to the server and to the relay, is in the test's hands."""
        path = NetworkPath(self.server)
        self.paths.append(path)
        person = Person.enter(
            self.browser, path, self.person_name(who), self.name, before=path.page_script, **context
        )
        person.expects_outage = True
        self.people.append(person)
        return person, path

    def duplicate(self, person: Person) -> Person:
        self.people.append(person.duplicate())
        return self.people[-1]

    def status(self, call_id: str) -> dict:
        return self.server.request("GET", f"/api/calls/{call_id}/status", self.person_name("alice")).json()

    def events(self, call_id: str) -> list[dict]:
        path = f"/api/calls/{call_id}/events?limit=200"
        return self.server.request("GET", path, self.person_name("alice")).json()["items"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: Playwright's event loop stays in this thread while it runs, and others bring theirs.
    with chromium() as running:
        yield running


@pytest.fixture
def open_room(browser: Browser) -> Iterator[Callable[[RunningServer], Room]]:
    """Opens rooms on the server given; after the test everybody leaves, and no page may have complained."""
    opened: list[Room] = []

    def open_on(server: RunningServer) -> Room:
        opened.append(Room(browser, server))
        return opened[-1]

    yield open_on
    for person in [person for room in opened for person in room.people]:
        person.leave()
    for path in [path for room in opened for path in room.paths]:
        path.close()


@pytest.fixture
def room(open_room: Callable[[RunningServer], Room], server: RunningServer) -> Room:
    return open_room(server)


def assert_story(room: Room, call_id: str, ended_by: str, reason: str) -> list[str]:
    """The call's status and its history say what the people did; the answer is the kinds of the events."""
    status, events = room.status(call_id), room.events(call_id)
    assert (status["state"], status["endReason"], status.get("endedBy")) == ("ended", reason, ended_by), status
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert (events[0]["kind"], events[0]["userId"]) == ("initiated", status["createdBy"])
    # The end of the call ends its relays, which is told of when it has happened.
    last = [event for event in events if event["kind"] != "relay-released"][-1]
    assert (last["kind"], last["reason"], last.get("userId")) == ("ended", reason, ended_by), last
    return [event["kind"] for event in events]


def in_order(kinds: list[str], wanted: list[str]) -> bool:
    """Whether the wanted ones occur in this order, whatever stands between."""
    rest = iter(kinds)
    return all(kind in rest for kind in wanted)

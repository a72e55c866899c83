"""Two people call each other from our page in headless Chromium, through our API, our signaling and our relay."""

import itertools
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import Browser, expect

from call_page import PHONE, Person, chromium
from running_server import RunningServer
from scenario import user_id

_numbers = itertools.count()
# Ten seconds in windows wide enough for a machine that has other work to do.
FLOW_WINDOWS, FLOW_WINDOW_SECONDS = 5, 2


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    # Not for the whole session: Playwright's event loop stays in this thread while it runs, and others bring theirs.
    with chromium() as running:
        yield running


@dataclass
class Room:
    """A room nobody else uses, and those who came in."""

    browser: Browser
    server: RunningServer
    number: int = field(default_factory=lambda: next(_numbers))
    people: list[Person] = field(default_factory=list)

    @property
    def name(self) -> str:
        return f"page-{self.number}"

    def person_name(self, who: str) -> str:
        return f"{who}{self.number}"

    def enter(self, who: str, **context: object) -> Person:
        person = Person.enter(self.browser, self.server, self.person_name(who), self.name, **context)
        self.people.append(person)
        return person

    def status(self, call_id: str) -> dict:
        return self.server.request("GET", f"/api/calls/{call_id}/status", self.person_name("alice")).json()

    def events(self, call_id: str) -> list[dict]:
        path = f"/api/calls/{call_id}/events?limit=200"
        return self.server.request("GET", path, self.person_name("alice")).json()["items"]


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


@pytest.fixture
def room(open_room: Callable[[RunningServer], Room], server: RunningServer) -> Room:
    return open_room(server)


def assert_media_flows(people: tuple[Person, Person], has_video: bool) -> None:
    """For ten seconds everybody goes on seeing new frames and hearing new sound."""
    before = [person.media() for person in people]
    first = before
    for _ in range(FLOW_WINDOWS):
        time.sleep(FLOW_WINDOW_SECONDS)
        now = [person.media() for person in people]
        for person, earlier, later in zip(people, before, now, strict=True):
            assert later["audioPackets"] > earlier["audioPackets"], f"{person.name} hears nothing new"
            assert later["audioSamples"] > earlier["audioSamples"], f"{person.name} plays nothing new"
            if has_video:
                assert later["framesDecoded"] > earlier["framesDecoded"], f"{person.name} sees nothing new"
        before = now
    for person, earlier, later in zip(people, first, before, strict=True):
        # The fake microphone beeps: silence would leave the energy as it was.
        assert later["audioEnergy"] > earlier["audioEnergy"], f"{person.name} hears silence"


def assert_story(room: Room, call_id: str, ended_by: str, reason: str) -> list[str]:
    """The call's status and its history say what the people did; the answer is the kinds of the events."""
    status, events = room.status(call_id), room.events(call_id)
    assert (status["state"], status["endReason"], status.get("endedBy")) == ("ended", reason, ended_by), status
    assert [event["seq"] for event in events] == sorted(event["seq"] for event in events)
    assert (events[0]["kind"], events[0]["userId"]) == ("initiated", status["createdBy"])
    last = events[-1]
    assert (last["kind"], last["reason"], last.get("userId")) == ("ended", reason, ended_by), last
    return [event["kind"] for event in events]


def in_order(kinds: list[str], wanted: list[str]) -> bool:
    """Whether the wanted ones occur in this order, whatever stands between."""
    rest = iter(kinds)
    return all(kind in rest for kind in wanted)


def test_a_video_call_with_relay_only(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob", viewport=PHONE)
    for person in (alice, bob):
        person.see("relay-only-switch").check()
    call_id = alice.call(bob.name, "video")
    expect(bob.see("incoming-from")).to_have_text(alice.title)
    expect(alice.see("call-state")).to_have_text("Ringing…")
    bob.see("answer-video").click()
    alice.connected()
    bob.connected()

    for person in (alice, bob):
        media = person.media()
        assert (media["localType"], media["remoteType"]) == ("relay", "relay"), media
        expect(person.see("path-badge")).to_have_text("Relayed")
        expect(person.see("remote-tile")).to_have_attribute("data-camera", "on")
    assert_media_flows((alice, bob), has_video=True)

    alice.see("stats-button").click()
    expect(alice.see("stat-pair")).to_have_text("relay → relay")
    expect(alice.see("stat-rtt")).to_contain_text("ms")
    expect(alice.see("stat-down")).to_contain_text("bit/s")

    bob.see("mute-button").click()
    expect(alice.see("remote-muted")).to_be_visible()
    bob.see("camera-button").click()
    expect(alice.see("remote-camera-off")).to_be_visible()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "off")
    assert [
        (person["audioEnabled"], person["videoEnabled"])
        for person in room.status(call_id)["participants"]
        if person["userId"] == user_id(bob.name)
    ] == [(False, False)]
    bob.see("mute-button").click()
    bob.see("camera-button").click()
    expect(alice.see("remote-muted")).to_be_hidden()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "on")

    bob.see("hang-up-button").click()
    alice.told(f"{bob.title} hung up.")
    bob.told("You hung up.")
    kinds = assert_story(room, call_id, ended_by=user_id(bob.name), reason="hangup")
    assert in_order(
        kinds,
        [
            *("initiated", "joined", "answered", "joined", "offer", "answer"),
            *("audio-toggled", "video-toggled", "audio-toggled", "video-toggled", "ended"),
        ],
    ), kinds
    assert "candidate" in kinds


def test_the_wish_of_the_caller_is_enough_for_relay_only(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.see("relay-only-switch").check()
    alice.call(bob.name, "voice")
    bob.see("answer-voice").click()
    alice.connected()
    bob.connected()
    for person in (alice, bob):
        media = person.media()
        assert (media["localType"], media["remoteType"]) == ("relay", "relay"), media


def test_the_wish_of_the_callee_hides_the_callee(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    bob.see("relay-only-switch").check()
    alice.call(bob.name, "voice")
    bob.see("answer-voice").click()
    alice.connected()
    bob.connected()
    assert bob.media()["localType"] == "relay"
    assert alice.media()["remoteType"] == "relay"


@pytest.mark.parametrize("kind", ["video", "voice"])
def test_a_direct_call(room: Room, kind: str) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = alice.call(bob.name, kind)
    bob.see(f"answer-{kind}").click()
    alice.connected()
    bob.connected()
    for person in (alice, bob):
        media = person.media()
        assert {media["localType"], media["remoteType"]} <= {"host", "srflx", "prflx"}, media
        expect(person.see("path-badge")).to_have_text("Direct")
    assert_media_flows((alice, bob), has_video=kind == "video")
    alice.see("hang-up-button").click()
    bob.told(f"{alice.title} hung up.")
    kinds = assert_story(room, call_id, ended_by=user_id(alice.name), reason="hangup")
    assert in_order(kinds, ["initiated", "joined", "answered", "joined", "offer", "answer", "ended"]), kinds


def test_a_voice_call_becomes_a_video_call(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.call(bob.name, "voice")
    bob.see("answer-voice").click()
    bob.connected()
    alice.see("camera-button").click()
    expect(bob.see("remote-tile")).to_have_attribute("data-camera", "on", timeout=10_000)
    bob.see("camera-button").click()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "on", timeout=10_000)


def test_a_video_call_answered_with_the_voice_only(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.call(bob.name, "video")
    bob.see("answer-voice").click()
    alice.connected()
    expect(alice.see("remote-camera-off")).to_be_visible()
    expect(bob.see("remote-tile")).to_have_attribute("data-camera", "on")


def test_a_declined_call(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = alice.call(bob.name, "voice")
    bob.see("reject-button").click()
    alice.told(f"{bob.title} declined the call.")
    expect(bob.see("incoming-panel")).to_be_hidden()
    expect(alice.see("history-item").first).to_contain_text("outgoing, declined")
    assert_story(room, call_id, ended_by=user_id(bob.name), reason="rejected")


def test_a_call_cancelled_while_it_rings(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = alice.call(bob.name, "video")
    expect(bob.see("incoming-panel")).to_be_visible()
    alice.see("hang-up-button").click()
    alice.told("You cancelled the call.")
    bob.told(f"You missed a call from {alice.title}.")
    expect(bob.see("incoming-panel")).to_be_hidden()
    expect(bob.see("history-item").first).to_contain_text("incoming, missed")
    assert_story(room, call_id, ended_by=user_id(alice.name), reason="cancelled")


def test_a_call_to_somebody_who_is_not_there(start_server, open_room) -> None:
    room = open_room(start_server(CALL_RING_TIMEOUT="3s"))
    alice = room.enter("alice")
    call_id = alice.call_by_name("dora", "voice")
    expect(alice.see("call-state")).to_have_text("Ringing…")
    alice.told("Dora did not answer.")
    expect(alice.see("history-item").first).to_contain_text("outgoing, no answer")
    assert_story(room, call_id, ended_by=None, reason="missed")
    assert [person["state"] for person in room.status(call_id)["participants"]] == ["left", "missed"]


def test_a_call_finds_somebody_who_comes_in_late(room: Room) -> None:
    alice = room.enter("alice")
    alice.call_by_name(room.person_name("bob"), "voice")
    bob = room.enter("bob")
    expect(bob.see("incoming-from")).to_have_text(alice.title)
    bob.see("answer-voice").click()
    alice.connected()
    bob.connected()


def test_a_group_call(room: Room) -> None:
    alice, bob, carol = (room.enter(who) for who in ("alice", "bob", "carol"))
    alice.see("call-video-room").click()
    for person in (bob, carol):
        person.see("answer-video").click()
    for person in (alice, bob, carol):
        expect(person.page.locator('.tile[data-camera="on"]')).to_have_count(2, timeout=20_000)
    bob.see("hang-up-button").click()
    expect(alice.see("remote-tile")).to_have_count(1)
    bob.see("rejoin-button").click()
    expect(alice.page.locator('.tile[data-camera="on"]')).to_have_count(2, timeout=20_000)
    alice.see("end-for-all").click()
    for person in (bob, carol):
        person.told(f"{alice.title} hung up.")


def test_a_reloaded_page_goes_back_into_its_call(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.call(bob.name, "video")
    bob.see("answer-video").click()
    alice.connected()
    for person in (bob, alice):
        person.page.reload()
        person.join()
        person.see("rejoin-button").click()
        for side in (alice, bob):
            side.connected()
            expect(side.see("remote-tile")).to_have_attribute("data-camera", "on", timeout=20_000)


def test_a_lost_socket_is_resumed(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    sockets: list = []
    bob.page.route_web_socket("**/socket.io/**", lambda route: sockets.append((route, route.connect_to_server())))
    bob.page.reload()
    bob.join()
    alice.call(bob.name, "video")
    bob.see("answer-video").click()
    bob.connected()

    page_side, server_side = sockets[-1]
    server_side.close()
    page_side.close()
    # Missed while away, heard after the resume.
    alice.see("mute-button").click()
    expect(bob.see("remote-muted")).to_be_visible()
    bob.connected()
    bob.see("mute-button").click()
    expect(alice.see("remote-muted")).to_be_visible()
    assert len(sockets) > 1
    bob.see("hang-up-button").click()
    alice.told(f"{bob.title} hung up.")


def test_a_restarted_server_finds_its_call_again(start_server, open_room) -> None:
    server = start_server()
    room = open_room(server)
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.expects_outage = bob.expects_outage = True
    call_id = alice.call(bob.name, "voice")
    bob.see("answer-voice").click()
    alice.connected()
    bob.connected()
    assert server.stop() == 0
    for person in (alice, bob):
        expect(person.see("call-state")).to_have_text("Reconnecting…")
    server.start()
    alice.connected()
    bob.connected()
    bob.see("mute-button").click()
    expect(alice.see("remote-muted")).to_be_visible()
    bob.see("hang-up-button").click()
    alice.told(f"{bob.title} hung up.")
    kinds = assert_story(room, call_id, ended_by=user_id(bob.name), reason="hangup")
    assert kinds.count("resumed") == 2, kinds


def test_a_silent_server_is_noticed(start_server, open_room) -> None:
    server = start_server(SOCKET_PING_INTERVAL="1s", SOCKET_PING_TIMEOUT="1s")
    alice = open_room(server).enter("alice")
    alice.expects_outage = True
    sockets: list = []
    alice.page.on("websocket", lambda opened: sockets.append(opened))
    time.sleep(4)
    expect(alice.see("connection-text")).to_have_text("Connected")
    assert not sockets, "answered pings keep the connection"
    server.process.send_signal(signal.SIGSTOP)
    expect(alice.see("connection-text")).to_have_text("Reconnecting…", timeout=10_000)
    server.process.send_signal(signal.SIGCONT)
    expect(alice.see("connection-text")).to_have_text("Connected", timeout=20_000)


def test_a_blocked_microphone_is_said_in_plain_words(server: RunningServer, room: Room) -> None:
    bob = room.enter("bob")
    alice = room.enter("alice")
    # The browser as it behaves when the person pressed "Block".
    alice.page.evaluate(
        """() => {
          navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotAllowedError"));
        }"""
    )
    alice.page.locator(f'.member[data-user="{user_id(bob.name)}"]').get_by_test_id("call-voice").click()
    expect(alice.see("notice-text")).to_contain_text("The microphone is blocked.")
    expect(alice.see("call-view")).to_be_hidden()
    active = server.request("GET", "/api/calls/active", alice.name).json()
    assert active == {"calls": []}, "nobody is called who could not be heard"


def test_a_missing_camera_makes_it_a_voice_call(room: Room) -> None:
    bob, alice = room.enter("bob"), room.enter("alice")
    alice.page.evaluate(
        """() => {
          const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
          navigator.mediaDevices.getUserMedia = (wanted) =>
            wanted.video ? Promise.reject(new DOMException("", "NotFoundError")) : real(wanted);
        }"""
    )
    alice.call(bob.name, "video")
    expect(alice.see("call-notice")).to_contain_text("No camera was found")
    bob.see("answer-video").click()
    bob.connected()
    expect(bob.see("remote-camera-off")).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_wide_and_on_a_phone(room: Room, scheme: str) -> None:
    """Keeps screenshots of every view to be looked at, and checks that nothing is wider than its window."""
    alice = room.enter("ada", color_scheme=scheme)
    bob = room.enter("bob", color_scheme=scheme, viewport=PHONE)
    sizes = ((alice, "wide"), (bob, "phone"))

    def keep(view: str) -> None:
        for person, size in sizes:
            person.picture(f"{view}-{size}-{scheme}")
            overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert person.page.evaluate(overflow) == 0, f"{view} scrolls sideways ({size})"

    keep("room")
    alice.call(bob.name, "video")
    expect(bob.see("incoming-panel")).to_be_visible()
    keep("ringing")
    bob.see("answer-video").click()
    for person, _ in sizes:
        person.connected()
        person.see("stats-button").click()
        expect(person.see("stat-video")).to_contain_text("fps", timeout=10_000)
    keep("call")
    bob.see("hang-up-button").click()
    alice.told(f"{bob.title} hung up.")
    expect(alice.see("history-item")).to_have_count(1)
    keep("ended")
    for person, _ in sizes:
        person.see("leave-room").click()
        expect(person.see("lobby")).to_be_visible()
    keep("lobby")

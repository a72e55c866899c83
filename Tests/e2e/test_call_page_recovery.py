"""Calls from our page over a network that breaks, and from pages that are reloaded, paused or closed.

Afterwards the media flows again, the page has said what happened, and everybody was told what the store has for them,
in order, once.
"""

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, WebSocketRoute, expect

from call_page import CONNECT_MS, Person, another_chromium
from call_page_room import Room
from media_flow import assert_media_flows
from recovery import WATCHFUL, assert_recovered
from scenario import user_id
from waiting import eventually

PAUSE_SECONDS = 20
NO_CONNECTION = "No connection. Reconnecting…"


def place(caller: Person, callee: Person) -> str:
    call_id = caller.call(callee.name, "video")
    callee.see("answer-video").click()
    return call_id


def restarting(person: Person) -> str:
    return f"Restarting the connection to {person.title}…"


def nothing_from(person: Person) -> str:
    return f"Nothing comes from {person.title}. Waiting a moment…"


@pytest.mark.parametrize(
    "event, delivered",
    [("webrtc-offer", False), ("webrtc-offer", True), ("webrtc-answer", False)],
    ids=["offer lost", "offer unacknowledged", "answer lost"],
)
def test_a_connection_that_breaks_in_mid_negotiation(room: Room, event: str, delivered: bool) -> None:
    """The caller makes the offer, the callee the answer; it reaches the server or not, its acknowledgement does not."""
    if event == "webrtc-offer":
        (alice, path), bob = room.enter_by_path("alice"), room.enter("bob")
    else:
        alice, (bob, path) = room.enter("alice"), room.enter_by_path("bob")
    cut = path.cut_at(event, delivered)
    call_id = place(alice, bob)
    assert cut.done.wait(CONNECT_MS / 1000), f"no {event} was sent"
    assert_recovered(room.server, call_id, alice, bob)
    (alice if event == "webrtc-offer" else bob).said(NO_CONNECTION)
    assert [row["kind"] for row in room.events(call_id)].count("resumed") == 1


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_page_that_is_reloaded_in_mid_negotiation(room: Room, who: str) -> None:
    (alice, by_alice), (bob, by_bob) = room.enter_by_path("alice"), room.enter_by_path("bob")
    if who == "caller":
        cut, reloaded = by_alice.cut_at("webrtc-offer", delivered=True), alice
    else:
        cut, reloaded = by_bob.cut_at("webrtc-answer", delivered=False), bob
    call_id = place(alice, bob)
    assert cut.done.wait(CONNECT_MS / 1000)
    reloaded.page.reload()
    reloaded.join()
    reloaded.see("rejoin-button").click()
    assert_recovered(room.server, call_id, alice, bob)


@pytest.mark.parametrize("who", ["caller", "callee"])
def test_a_page_that_is_reloaded_in_a_call(room: Room, who: str) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = place(alice, bob)
    alice.connected(), bob.connected()
    reloaded, other = (alice, bob) if who == "caller" else (bob, alice)
    reloaded.page.reload()
    reloaded.join()
    expect(reloaded.see("joinable-text")).to_have_text("A call is going on in this room.")
    reloaded.see("rejoin-button").click()
    assert_recovered(room.server, call_id, alice, bob)
    other.said(restarting(reloaded))


def test_a_network_that_is_another_one_from_now_on(start_server, open_room) -> None:
    """What goes by the old addresses is lost; the page comes back by new ones, and its media by an ICE restart."""
    server = start_server(**WATCHFUL)
    room = open_room(server)
    alice, (bob, path) = room.enter("alice"), room.enter_by_path("bob")
    call_id = place(alice, bob)
    alice.connected(), bob.connected()
    before, connections = bob.media()["localAddress"], path.connection_count
    path.cut()
    for person in (alice, bob):
        person.was("Reconnecting…")
    assert_recovered(server, call_id, alice, bob)
    assert bob.media()["localAddress"] != before, "another path is in use"
    assert path.connection_count > connections
    # Whoever loses patience first restarts it for both.
    bob.said_one_of(restarting(alice), NO_CONNECTION, nothing_from(alice))
    alice.said_one_of(restarting(bob), nothing_from(bob))
    expect(alice.see("connection-note")).to_be_hidden()
    kinds = [row["kind"] for row in room.events(call_id)]
    assert kinds.count("resumed") == 1 and kinds.count("offer") >= 2, kinds


def test_a_browser_that_is_online_again_takes_a_new_connection(room: Room) -> None:
    """It does not wait until the silence of the old one is noticed."""
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.expects_outage = True
    call_id = place(alice, bob)
    alice.connected(), bob.connected()
    for offline in (True, False):
        alice.page.context.set_offline(offline)
    eventually(lambda: "resumed" in [row["kind"] for row in room.events(call_id)], "the resume")
    assert_recovered(room.server, call_id, alice, bob)


def test_events_that_come_twice_are_acted_on_once(room: Room) -> None:
    """The first answers all there is to answer: a second `user-joined` is no reason for a second offer."""
    alice, bob = room.enter("alice"), room.enter("bob")

    def twice(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def pass_on(frame: str) -> None:
            for _ in range(2 if frame.startswith("42") else 1):
                route.send(frame)

        server.on_message(pass_on)

    for person in (alice, bob):
        person.page.route_web_socket("**/socket.io/**", twice)
        person.page.reload()
        person.join()
    call_id = place(alice, bob)
    alice.connected(), bob.connected()
    assert_media_flows(alice, bob, has_video=True, windows=1)
    kinds = [row["kind"] for row in room.events(call_id)]
    assert (kinds.count("offer"), kinds.count("answer")) == (1, 1), kinds


@contextmanager
def paused(browser: Browser, seconds: float) -> Iterator[None]:
    """Neither the browser nor a page of it runs, for so long at least. What stands for the hardware does: Chromium's
    microphone does not always go on after its process was stopped."""
    listed = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    processes = [process["id"] for process in listed if process["type"] in ("browser", "renderer")]
    goes_on_at = time.monotonic() + seconds
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
        time.sleep(max(0, goes_on_at - time.monotonic()))
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def test_a_client_that_is_paused_for_twenty_seconds(start_server, open_room, browser: Browser) -> None:
    """As a laptop that sleeps: the server gives the socket up meanwhile, and keeps the place."""
    server = start_server(**WATCHFUL)
    room = open_room(server)
    with another_chromium(browser) as other:
        alice, bob = room.enter("alice"), room.enter("bob", browser=other)
        bob.expects_outage = True
        call_id = place(alice, bob)
        alice.connected(), bob.connected()
        with paused(other, PAUSE_SECONDS):
            eventually(lambda: state_of(room, call_id, bob) == "reconnecting", "notice of the silence")
            alice.see("mute-button").click()
            expect(alice.see("connection-note")).to_have_text(restarting(bob))
            alice.see("mute-button").click()
        assert_recovered(server, call_id, alice, bob)
        alice.said(restarting(bob))
        assert [row["kind"] for row in room.events(call_id)].count("resumed") == 1
        bob.see("hang-up-button").click()
        alice.told(f"{bob.title} hung up.")
        room.people.remove(bob)
        bob.leave()


def state_of(room: Room, call_id: str, person: Person) -> str:
    people = room.status(call_id)["participants"]
    return next(one["state"] for one in people if one["userId"] == user_id(person.name))

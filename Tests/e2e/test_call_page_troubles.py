"""Calls from our page that come to nothing, or that something gets in the way of."""

import signal
import time

from playwright.sync_api import expect

from call_page_room import Room, assert_story
from running_server import RunningServer
from scenario import user_id


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
    room = open_room(start_server(CALL_RING_TIMEOUT="6s"))
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
    server = start_server(SOCKET_PING_INTERVAL="1s", SOCKET_PING_TIMEOUT="3s")
    alice = open_room(server).enter("alice")
    alice.expects_outage = True
    sockets: list = []
    alice.page.on("websocket", lambda opened: sockets.append(opened))
    time.sleep(4)
    expect(alice.see("connection-text")).to_have_text("Connected")
    assert not sockets, "answered pings keep the connection"
    server.process.send_signal(signal.SIGSTOP)
    expect(alice.see("connection-text")).to_have_text("Reconnecting…")
    server.process.send_signal(signal.SIGCONT)
    expect(alice.see("connection-text")).to_have_text("Connected")


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

"""What the server does not take from our page, or not now: sent again where that helps, else begun anew."""

import json
import re
from collections.abc import Callable

from playwright.sync_api import WebSocketRoute, expect

from call_page import Person
from call_page_room import Room
from call_record import assert_heard_what_is_stored
from media_flow import assert_media_flows
from waiting import eventually


class RefusingServer:
    """Stands before the server and refuses, once each, the events that `refuses` has an answer to."""

    def __init__(self, person: Person, refuses: Callable[[str, dict], dict | None]):
        self.refuses, self.refused, self.taken = refuses, [], []
        self.routes: list[tuple[WebSocketRoute, WebSocketRoute]] = []
        person.page.route_web_socket("**/socket.io/**", self._accept)
        person.page.reload()
        person.join()

    def break_connection(self) -> None:
        for side in self.routes[-1]:
            side.close()

    def _accept(self, route: WebSocketRoute) -> None:
        server = route.connect_to_server()
        self.routes.append((route, server))

        def pass_on(frame: str) -> None:
            event = re.match(r'42(\d+)\["([^"]+)",', frame)
            name = event[2] if event else None
            payload = json.loads(frame[frame.index("[") :])[1] if event else {}
            answer = self.refuses(name, payload) if name and name not in self.refused else None
            if answer is None:
                self.taken.append(name)
                server.send(frame)
            else:
                self.refused.append(name)
                route.send(f"43{event[1]}{json.dumps([{'ok': False, 'message': 'Not now.', **answer}])}")

        route.on_message(pass_on)


def test_a_signal_that_came_too_soon_is_sent_again(room: Room) -> None:
    """The server takes no more for now: what it refused waits for as long as it says, and what follows, behind it."""
    alice, bob = room.enter("alice"), room.enter("bob")
    limited = ("join-call", "webrtc-offer", "toggle-audio")
    too_soon = {"code": "rate_limited", "retryAfterMs": 700}
    server = RefusingServer(alice, lambda event, _: too_soon if event in limited else None)
    call_id = alice.call(bob.name, "video")
    alice.page.wait_for_function("() => callrelay.session.call?.isJoined")
    bob.see("answer-video").click()
    alice.connected(), bob.connected()
    assert server.refused == ["join-call", "webrtc-offer"]
    assert server.taken.count("webrtc-offer") == 1

    # Off and on again while nothing may be sent: the other hears both, in this order.
    for _ in range(2):
        alice.see("mute-button").click()

    def both_are_taken() -> bool:
        alice.page.wait_for_timeout(100)  # in which the frames go on
        return [row["kind"] for row in room.events(call_id)].count("audio-toggled") == 2

    eventually(both_are_taken, "both")
    assert server.refused[-1] == "toggle-audio"
    assert_media_flows(alice, bob, has_video=True, windows=1)
    expect(bob.see("remote-muted")).to_be_hidden()
    assert_heard_what_is_stored(room.server, call_id, alice, bob)


def test_a_page_that_missed_too_much_begins_again(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    missed = {"code": "resync_required"}
    server = RefusingServer(bob, lambda event, sent: missed if event == "join-call" and "afterSeq" in sent else None)
    call_id = alice.call(bob.name, "video")
    bob.see("answer-video").click()
    alice.connected(), bob.connected()
    server.break_connection()
    alice.is_told(f"Restarting the connection to {bob.title}…")
    alice.connected(), bob.connected()
    assert server.refused == ["join-call"]
    assert [row["kind"] for row in room.events(call_id)].count("joined") == 3, "the callee came in twice"
    assert_media_flows(alice, bob, has_video=True, windows=1)
    assert_heard_what_is_stored(room.server, call_id, alice, alice, bob)

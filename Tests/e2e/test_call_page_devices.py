"""One person with several devices and tabs on our page: where it rings, where the call is, how it gets elsewhere."""

from playwright.sync_api import expect

from call_page import Person
from call_page_room import Room
from call_record import assert_heard_what_is_stored
from media_flow import assert_media_flows
from scenario import user_id

MOVED = "The call goes on in another tab or on another device."
ELSEWHERE = "You are in a call in another tab or on another device."


def assert_moved(call_id: str, room: Room, other: Person, left: Person, now: Person) -> None:
    """The call goes on where it was taken to, and where it was before says so and offers it back."""
    now.connected()
    left.told(MOVED)
    expect(left.see("joinable-text")).to_have_text(ELSEWHERE)
    other.connected()
    assert_media_flows(other, now, has_video=True, windows=1)
    assert_heard_what_is_stored(room.server, call_id, other, other, now)


def test_two_devices_ring_and_one_of_them_answers(room: Room) -> None:
    alice, phone, laptop = room.enter("alice"), room.enter("bob"), room.enter("bob")
    call_id = alice.call(phone.name, "video")
    for device in (phone, laptop):
        expect(device.see("incoming-from")).to_have_text(alice.title)
    phone.see("answer-video").click()
    laptop.told("You answered in another tab or on another device.")
    expect(laptop.see("incoming-panel")).to_be_hidden()
    expect(laptop.see("joinable-text")).to_have_text(ELSEWHERE)
    alice.connected(), phone.connected()

    # Another device than the one that answered goes on with the call.
    laptop.see("rejoin-button").click()
    assert_moved(call_id, room, alice, left=phone, now=laptop)
    assert room.status(call_id)["state"] == "active"
    laptop.see("hang-up-button").click()
    alice.told(f"{laptop.title} hung up.")
    expect(phone.see("joinable-text")).to_have_count(0)


def test_a_device_is_told_who_declined_on_the_other(room: Room) -> None:
    alice, phone, laptop = room.enter("alice"), room.enter("bob"), room.enter("bob")
    alice.call(phone.name, "voice")
    expect(laptop.see("incoming-panel")).to_be_visible()
    phone.see("reject-button").click()
    laptop.told("You declined the call on another device.")
    alice.told(f"{phone.title} declined the call.")


def test_the_same_device_in_two_tabs(room: Room) -> None:
    """A tab that the browser duplicated is the same device: both ring, and the call moves to the other and back."""
    alice, first = room.enter("alice"), room.enter("bob")
    second = room.duplicate(first)
    assert device_of(first) == device_of(second)
    call_id = alice.call(first.name, "video")
    expect(second.see("incoming-panel")).to_be_visible()
    first.see("answer-video").click()
    second.told("You answered in another tab or on another device.")
    alice.connected(), first.connected()
    second.see("rejoin-button").click()
    assert_moved(call_id, room, alice, left=first, now=second)
    first.see("rejoin-button").click()
    assert_moved(call_id, room, alice, left=second, now=first)


def device_of(person: Person) -> str:
    return person.page.evaluate("() => callrelay.session.identity.deviceId")


def test_a_tab_that_is_closed_in_a_call(start_server, open_room) -> None:
    """Whoever is left is told what is missing, and after the time of grace that the other is gone."""
    room = open_room(start_server(CALL_RECONNECT_GRACE="10s"))
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = alice.call(bob.name, "video")
    bob.see("answer-video").click()
    alice.connected(), bob.connected()
    room.people.remove(bob)
    bob.leave()
    expect(alice.see("connection-note")).to_contain_text(bob.title)
    expect(alice.see("call-state")).to_have_text("Reconnecting…")
    alice.told(f"{bob.title} is gone.")
    status = room.status(call_id)
    assert (status["state"], status["endReason"], status["endedBy"]) == ("ended", "left", user_id(bob.name))

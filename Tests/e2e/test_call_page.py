"""Two people call each other from our page in headless Chromium, through our API, our signaling and our relay."""

import pytest
from playwright.sync_api import expect

from call_page import PHONE
from call_page_room import Room, assert_story, in_order
from media_flow import assert_media_flows, assert_pair, assert_relayed_both_ways
from scenario import user_id

DIRECT = {"host", "srflx", "prflx"}
ANY = DIRECT | {"relay"}


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

    assert_relayed_both_ways(alice, bob)
    for person in (alice, bob):
        expect(person.see("path-badge")).to_have_text("Relayed")
        expect(person.see("remote-tile")).to_have_attribute("data-camera", "on")
    assert_media_flows(alice, bob, has_video=True)

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
    assert_relayed_both_ways(alice, bob)


def test_the_wish_of_the_callee_hides_the_callee(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    bob.see("relay-only-switch").check()
    alice.call(bob.name, "voice")
    bob.see("answer-voice").click()
    alice.connected()
    bob.connected()
    assert_pair(bob, local={"relay"}, remote=ANY)
    assert_pair(alice, local=ANY, remote={"relay"})


@pytest.mark.parametrize("kind", ["video", "voice"])
def test_a_direct_call(room: Room, kind: str) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    call_id = alice.call(bob.name, kind)
    bob.see(f"answer-{kind}").click()
    alice.connected()
    bob.connected()
    for person in (alice, bob):
        assert_pair(person, local=DIRECT, remote=DIRECT)
        expect(person.see("path-badge")).to_have_text("Direct")
    assert_media_flows(alice, bob, has_video=kind == "video")
    alice.see("hang-up-button").click()
    bob.told(f"{alice.title} hung up.")
    kinds = assert_story(room, call_id, ended_by=user_id(alice.name), reason="hangup")
    assert in_order(kinds, ["initiated", "joined", "answered", "joined", "offer", "answer", "ended"]), kinds


def test_a_video_call_answered_with_the_voice_only(room: Room) -> None:
    alice, bob = room.enter("alice"), room.enter("bob")
    alice.call(bob.name, "video")
    bob.see("answer-voice").click()
    alice.connected()
    expect(alice.see("remote-camera-off")).to_be_visible()
    expect(bob.see("remote-tile")).to_have_attribute("data-camera", "on")


def test_a_group_call(room: Room) -> None:
    alice, bob, carol = (room.enter(who) for who in ("alice", "bob", "carol"))
    alice.see("call-video-room").click()
    for person in (bob, carol):
        person.see("answer-video").click()
    for person in (alice, bob, carol):
        expect(person.page.locator('.tile[data-camera="on"]')).to_have_count(2)
    bob.see("hang-up-button").click()
    expect(alice.see("remote-tile")).to_have_count(1)
    bob.see("rejoin-button").click()
    expect(alice.page.locator('.tile[data-camera="on"]')).to_have_count(2)
    alice.see("end-for-all").click()
    for person in (bob, carol):
        person.told(f"{alice.title} hung up.")


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
        expect(person.see("stat-video")).to_contain_text("fps")
    keep("call")
    bob.see("hang-up-button").click()
    alice.told(f"{bob.title} hung up.")
    expect(alice.see("history-item")).to_have_count(1)
    keep("ended")
    for person, _ in sizes:
        person.see("leave-room").click()
        expect(person.see("lobby")).to_be_visible()
    keep("lobby")

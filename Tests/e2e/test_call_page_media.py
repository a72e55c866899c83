"""What people do with their media in a call on our page: hold, a shared screen, a voice call that gets pictures."""

from playwright.sync_api import expect

from call_page import Person
from call_page_room import Room
from call_record import assert_heard_what_is_stored
from media_flow import assert_media_flows

# The brightness of what is seen of the other, 0 to 255: of a picture that is held nothing is.
BRIGHTNESS = """() => {
  const video = document.querySelector('[data-testid="remote-video"]');
  const canvas = new OffscreenCanvas(32, 24);
  const context = canvas.getContext("2d");
  context.drawImage(video, 0, 0, 32, 24);
  const pixels = context.getImageData(0, 0, 32, 24).data;
  return pixels.reduce((sum, value, index) => sum + (index % 4 === 3 ? 0 : value), 0) / (32 * 24 * 3);
}"""
# Chromium's stand-in for a screen looks as its camera does; made as wide as an old monitor, the two can be told apart.
NARROW_SCREEN = """
  const real = navigator.mediaDevices.getDisplayMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getDisplayMedia = () => real({ video: { width: 640, height: 480 } });
"""
IS_NARROW = """() => {
  const { videoWidth, videoHeight } = document.querySelector('[data-testid="remote-video"]');
  return videoWidth > 0 && videoWidth / videoHeight < 1.4;
}"""


def in_call(room: Room, kind: str) -> tuple[Person, Person, str]:
    alice, bob = room.enter("alice", before=NARROW_SCREEN), room.enter("bob")
    call_id = alice.call(bob.name, kind)
    bob.see(f"answer-{kind}").click()
    alice.connected(), bob.connected()
    return alice, bob, call_id


def test_a_call_on_hold(room: Room) -> None:
    """No sound or picture leaves whoever holds the call; the other is told, and so is a page that was reloaded."""
    alice, bob, call_id = in_call(room, "video")
    hold = alice.see("hold-button")
    expect(hold).to_have_attribute("aria-label", "Put the call on hold")
    hold.click()
    expect(hold).to_have_attribute("aria-label", "Go on with the call")
    expect(hold).to_have_attribute("aria-pressed", "true")
    expect(bob.see("remote-hold")).to_be_visible()
    expect(bob.see("remote-state")).to_have_text("On hold")
    expect(alice.see("remote-state")).to_have_text("You put the call on hold")
    for person in (alice, bob):
        expect(person.see("remote-tile")).to_have_attribute("data-camera", "off")
    bob.page.wait_for_function(f"() => ({BRIGHTNESS})() < 5")

    bob.page.reload()
    bob.join()
    bob.see("rejoin-button").click()
    bob.connected()
    expect(bob.see("remote-hold")).to_be_visible()
    assert_heard_what_is_stored(room.server, call_id, alice, alice, bob)

    hold.click()
    expect(bob.see("remote-hold")).to_be_hidden()
    for person in (alice, bob):
        expect(person.see("remote-tile")).to_have_attribute("data-camera", "on")
    bob.page.wait_for_function(f"() => ({BRIGHTNESS})() > 20")
    assert_media_flows(alice, bob, has_video=True, windows=1)


def test_a_shared_screen_in_place_of_the_camera_and_back(room: Room) -> None:
    alice, bob, call_id = in_call(room, "video")
    assert not bob.page.evaluate(IS_NARROW)
    alice.see("screen-button").click()
    expect(bob.see("remote-screen")).to_be_visible()
    expect(bob.see("remote-tile")).to_have_attribute("data-screen", "true")
    bob.page.wait_for_function(IS_NARROW)
    # With the camera off the screen is still seen.
    alice.see("camera-button").click()
    expect(bob.see("remote-tile")).to_have_attribute("data-camera", "on")
    alice.see("camera-button").click()
    expect(alice.see("screen-button")).to_have_attribute("aria-label", "Stop sharing your screen")

    # The browser's own "Stop sharing" ends the track, and the page tells of it.
    alice.page.evaluate("() => callrelay.session.call.media.screen.dispatchEvent(new Event('ended'))")
    expect(bob.see("remote-screen")).to_be_hidden()
    bob.page.wait_for_function(f"() => !({IS_NARROW})()")
    assert_media_flows(alice, bob, has_video=True, windows=1)
    assert_heard_what_is_stored(room.server, call_id, alice, alice, bob)


def test_a_shared_screen_in_a_voice_call(room: Room) -> None:
    alice, bob, _ = in_call(room, "voice")
    bob.see("screen-button").click()
    expect(alice.see("remote-tile")).to_have_attribute("data-screen", "true")
    assert room.status(bob.page.evaluate("() => callrelay.session.call.callId"))["callType"] == "voice"
    bob.see("screen-button").click()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "off")


def test_a_voice_call_becomes_a_video_call(room: Room) -> None:
    alice, bob, call_id = in_call(room, "voice")
    alice.see("camera-button").click()
    expect(bob.see("remote-tile")).to_have_attribute("data-camera", "on")
    assert room.status(call_id)["callType"] == "video"
    expect(alice.see("remote-camera-off")).to_be_visible()
    bob.see("camera-button").click()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "on")
    assert_media_flows(alice, bob, has_video=True, windows=1)
    kinds = [row["kind"] for row in room.events(call_id)]
    assert kinds.count("media-state") == 1, "it becomes one once"


# What a browser says of devices where there are none.
NO_DEVICE = """() => {
  window.realGetUserMedia = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException("", "NotFoundError"));
}"""
A_DEVICE_AGAIN = "() => { navigator.mediaDevices.getUserMedia = window.realGetUserMedia; }"


def take_away(person: Person, *devices: str) -> None:
    """The browser ends what it captures by them, as if they were unplugged: for a moment it may not use them."""
    page = person.page
    context = page.context.new_cdp_session(page).send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    browser = page.context.browser.new_browser_cdp_session()
    origin = page.evaluate("() => location.origin")
    tracks = page.evaluate_handle("() => callrelay.session.call.media.stream.getTracks()")
    for device in devices:
        kind = {"microphone": "audio", "camera": "video"}[device]
        has_ended = f"(tracks) => tracks.find(({{ kind }}) => kind === '{kind}').readyState === 'ended'"
        # What was opened together ends together.
        if page.evaluate(has_ended, tracks):
            continue
        permission = {"permission": {"name": device}, "browserContextId": context, "origin": origin}
        browser.send("Browser.setPermission", {**permission, "setting": "denied"})
        page.wait_for_function(has_ended, arg=tracks)
        browser.send("Browser.setPermission", {**permission, "setting": "granted"})


def test_a_microphone_and_a_camera_that_end_in_a_call(room: Room) -> None:
    """Others that are there take their place by themselves; where there are none, both sides are told."""
    alice, bob, call_id = in_call(room, "video")
    assert_media_flows(alice, bob, has_video=True, windows=1)
    take_away(bob, "microphone", "camera")
    assert_media_flows(alice, bob, has_video=True, windows=2)
    expect(alice.see("remote-muted")).to_be_hidden()
    kinds = [row["kind"] for row in room.events(call_id)]
    assert kinds.count("offer") == 1 and "audio-toggled" not in kinds, f"nothing needs to be negotiated: {kinds}"

    bob.page.evaluate(NO_DEVICE)
    take_away(bob, "microphone", "camera")
    expect(bob.see("call-notice")).to_contain_text("was found")
    expect(alice.see("remote-muted")).to_be_visible()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "off")
    bob.see("mute-button").click()
    expect(bob.see("call-notice")).to_have_text("No microphone was found. Connect one and try again.")
    expect(alice.see("remote-muted")).to_be_visible()

    bob.page.evaluate(A_DEVICE_AGAIN)
    bob.see("mute-button").click()
    bob.see("camera-button").click()
    expect(alice.see("remote-muted")).to_be_hidden()
    expect(alice.see("remote-tile")).to_have_attribute("data-camera", "on")
    assert_media_flows(alice, bob, has_video=True, windows=1)
    assert_heard_what_is_stored(room.server, call_id, alice, alice, bob)


def test_a_muted_microphone_that_ends_is_opened_when_it_is_wanted(room: Room) -> None:
    alice, bob, _ = in_call(room, "voice")
    bob.see("mute-button").click()
    expect(alice.see("remote-muted")).to_be_visible()
    take_away(bob, "microphone")
    bob.page.wait_for_function("() => !callrelay.session.call.media.hasMicrophone")
    bob.see("mute-button").click()
    expect(alice.see("remote-muted")).to_be_hidden()
    assert_media_flows(alice, bob, has_video=False, windows=1)

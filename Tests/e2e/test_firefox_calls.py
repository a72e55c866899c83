"""Debian's Firefox on our call page, with itself and with Chromium: every picture and every word through our relay."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from call_page import Person
from call_page_room import Room
from firefox import Firefox, FirefoxPerson, firefox
from media_flow import assert_media_flows, assert_relayed_both_ways
from running_server import RunningServer


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox") / "profile") as browser:
        yield browser


@pytest.fixture
def enter(fox: Firefox, server: RunningServer) -> Iterator[Callable[[str, str], FirefoxPerson]]:
    """Opens the page for somebody; after the test everybody leaves, and no page may have complained."""
    people: list[FirefoxPerson] = []

    def come_in(name: str, room: str, **options: str) -> FirefoxPerson:
        people.append(FirefoxPerson.enter(fox, server, name, room, **options))
        return people[-1]

    yield come_in
    for person in people:
        person.leave()


def assert_relayed_media_flows(one: FirefoxPerson, other: FirefoxPerson | Person, has_video: bool) -> None:
    assert_relayed_both_ways(one, other)
    assert_media_flows(one, other, has_video=has_video, windows=2)


@pytest.mark.parametrize("kind", ["video", "voice"])
def test_firefox_calls_firefox_through_the_relay(enter, kind: str) -> None:
    alice, bob = enter(f"fay{kind}", f"fox-{kind}"), enter(f"rex{kind}", f"fox-{kind}")
    alice.insist_on_relay(), bob.insist_on_relay()
    alice.call(bob.name, kind)
    bob.sees("incoming-from", alice.title)
    bob.press(f"answer-{kind}")
    alice.connected(), bob.connected()
    for person in (alice, bob):
        person.sees("path-badge", "Relayed")
        if kind == "video":
            person.sees_attribute("remote-tile", "data-camera", "on")
    assert_relayed_media_flows(alice, bob, has_video=kind == "video")
    alice.press("stats-button")
    alice.sees("stat-pair", "relay → relay")
    alice.picture(f"firefox-{kind}")
    bob.press("hang-up-button")
    alice.told(f"{bob.title} hung up.")
    bob.told("You hung up.")


# The page as it is, where the relay can be reached by IPv6 alone.
IPV6_ONLY = """
  const Real = RTCPeerConnection;
  window.RTCPeerConnection = class extends Real {
    constructor(configuration) {
      const byIPv6 = (url) => url.replace("127.0.0.1", "[::1]");
      const iceServers = configuration.iceServers.map((server) => ({ ...server, urls: server.urls.map(byIPv6) }));
      super({ ...configuration, iceServers });
    }
  };
"""


def has_ipv6_beyond_loopback() -> bool:
    interfaces = Path("/proc/net/if_inet6")
    return interfaces.exists() and any(line.split()[-1] != "lo" for line in interfaces.read_text().splitlines())


@pytest.mark.skipif(not has_ipv6_beyond_loopback(), reason="browsers gather no IPv6 where there is no such interface")
def test_firefox_and_chromium_reach_the_relay_by_ipv6(enter, room: Room) -> None:
    """What a browser that asks for no family gets by IPv6 is an IPv4 relay, as RFC 8656 says."""
    chrome = room.enter("alice", before=IPV6_ONLY)
    fox = enter(room.person_name("fox"), room.name, before=IPV6_ONLY)
    fox.insist_on_relay()
    chrome.see("relay-only-switch").check()
    fox.call(chrome.name, "video")
    chrome.see("answer-video").click()
    fox.connected()
    chrome.connected()
    assert_relayed_media_flows(fox, chrome, has_video=True)
    fox.press("hang-up-button")
    chrome.told(f"{fox.title} hung up.")


def test_a_direct_call_in_firefox(enter) -> None:
    alice, bob = enter("fern", "fox-direct"), enter("reed", "fox-direct")
    alice.call(bob.name, "voice")
    bob.press("answer-voice")
    alice.connected(), bob.connected()
    alice.sees("path-badge", "Direct")
    alice.press("hang-up-button")
    bob.told(f"{alice.title} hung up.")


@pytest.mark.parametrize("caller", ["firefox", "chromium"])
def test_firefox_and_chromium_through_the_relay(enter, room: Room, caller: str) -> None:
    chrome = room.enter("alice")
    fox = enter(room.person_name("fox"), room.name)
    fox.insist_on_relay()
    chrome.see("relay-only-switch").check()
    if caller == "firefox":
        fox.call(chrome.name, "video")
        expect(chrome.see("incoming-from")).to_have_text(fox.title)
        chrome.see("answer-video").click()
    else:
        chrome.call(fox.name, "video")
        fox.press("answer-video")
    fox.connected()
    chrome.connected()
    fox.sees("path-badge", "Relayed")
    expect(chrome.see("path-badge")).to_have_text("Relayed")
    assert_relayed_media_flows(fox, chrome, has_video=True)
    if caller == "firefox":
        chrome.see("hang-up-button").click()
        fox.told(f"{chrome.title} hung up.")
        chrome.told("You hung up.")
    else:
        fox.press("hang-up-button")
        chrome.told(f"{fox.title} hung up.")
        fox.told("You hung up.")

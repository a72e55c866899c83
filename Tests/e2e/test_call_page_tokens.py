"""Tokens that end while their owner is on the call page: a real Synapse, and Chromium. All tests wait at once."""

from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import closing, contextmanager

import pytest
from playwright.sync_api import expect

from call_page import chromium
from homeserver import CLIENT, Homeserver
from matrix_page import OUTAGE, REFUSAL, Member, PageServer, Town
from media_flow import assert_media_flows
from shared_wait import SharedWait
from waiting import eventually

# Tokens that end in the midst of whatever a test does.
SHORT_SECONDS = 6

shares_the_wait = SharedWait()


@pytest.fixture(scope="module")
def hasty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    lifetime = f"{SHORT_SECONDS}s"
    with Homeserver(tmp_path_factory.mktemp("hasty"), refreshable_access_token_lifetime=lifetime) as homeserver:
        with PageServer(tmp_path_factory.mktemp("hasty-server"), homeserver) as running:
            yield running
        homeserver.stop()


@pytest.fixture(scope="module")
def lasting_server(homeserver: Homeserver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    settings = {"CALL_RECONNECT_GRACE": "3s"}
    with PageServer(tmp_path_factory.mktemp("lasting-server"), homeserver, settings) as running:
        yield running


@pytest.fixture(scope="module", autouse=True)
def under_way(
    request: pytest.FixtureRequest, hasty_server: PageServer, lasting_server: PageServer
) -> Iterator[dict[str, Future]]:
    """Each with a browser of its own: Playwright is to be used in one thread."""

    @contextmanager
    def given() -> Iterator[dict[str, object]]:
        with (
            chromium() as browser,
            closing(Town(browser, hasty_server)) as town,
            closing(Town(browser, lasting_server)) as lasting_town,
        ):
            yield {"town": town, "lasting_town": lasting_town}

    with shares_the_wait.begun(request, given) as futures:
        yield futures


def renewed(member: Member, old: str) -> None:
    eventually(lambda: member.page.wait_for_timeout(100) or member.kept["accessToken"] != old, "another token")


@shares_the_wait
def test_a_call_goes_on_while_tokens_come_and_go(town: Town) -> None:
    """One socket all the time, and a token after the other; two tabs of one browser take turns at renewing it."""
    room = town.direct("alice", "bob")
    alice, bob = town.enter("alice", room), town.enter("bob", room)
    idle = town.another_tab(alice)
    idle.signed_in()
    first = alice.kept["accessToken"]
    call_id = alice.call(bob.name, "video")
    bob.answer()
    alice.connected(), bob.connected()
    tokens = {first}

    def several_are_over() -> bool:
        alice.note_secrets(), bob.note_secrets()
        tokens.add(alice.kept["accessToken"])
        alice.page.wait_for_timeout(500)
        return len(tokens) > 7

    eventually(several_are_over, "tokens come and go", 90)
    refreshes = [asked for tab in (alice, idle) for asked in tab.requests if asked == f"POST {CLIENT}/refresh"]
    assert len(tokens) - 1 <= len(refreshes) <= len(tokens) + 1, "each token is renewed once, by one of the tabs"
    assert_media_flows(alice, bob, has_video=True, windows=1)
    assert not town.server.homeserver_takes(first)
    # Still in the call, by the socket that was there at its beginning, and heard by the server.
    alice.see("mute-button").click()
    expect(bob.see("remote-muted")).to_be_visible()
    headers = {"Authorization": f"Bearer {alice.kept['accessToken']}"}
    events = town.server.request("GET", f"/api/calls/{call_id}/events?limit=200", headers=headers).json()["items"]
    assert [event["kind"] for event in events].count("resumed") == 0
    assert "Reconnecting…" not in alice.record()["states"]
    for tab in (alice, idle):
        expect(tab.see("connection-status")).to_have_attribute("data-state", "connected")
    bob.see("hang-up-button").click()
    alice.told("Bob hung up.")


@shares_the_wait
def test_a_token_that_the_server_finds_to_be_over(town: Town) -> None:
    """Renewals do not get through for a while; when the server rejects the old token, there is time for a new one."""
    room = town.direct("alice", "bob")
    alice, bob = town.enter("alice", room), town.enter("bob", room)
    alice.expected = [OUTAGE]
    call_id = alice.call(bob.name, "video")
    bob.answer()
    alice.connected(), bob.connected()
    refresh = f"{town.server.homeserver.url}{CLIENT}/refresh"
    alice.page.route(refresh, lambda route: route.abort())

    def is_rejected() -> bool:
        alice.page.wait_for_timeout(100)
        return "token-rejected" in alice.record()["frames"]

    eventually(is_rejected, "the rejection", 60)
    alice.page.unroute(refresh)
    old = alice.kept["accessToken"]
    renewed(alice, old)
    # For longer than the server waits for it.
    alice.page.wait_for_timeout(6_000)
    assert_media_flows(alice, bob, has_video=True, windows=1)
    alice.see("mute-button").click()
    expect(bob.see("remote-muted")).to_be_visible()
    headers = {"Authorization": f"Bearer {bob.kept['accessToken']}"}
    events = town.server.request("GET", f"/api/calls/{call_id}/events?limit=200", headers=headers).json()["items"]
    assert [event["kind"] for event in events].count("resumed") == 0, "it is the socket of the beginning"
    bob.see("hang-up-button").click()
    alice.told("Bob hung up.")


@shares_the_wait
def test_tabs_take_turns_in_a_browser_without_locks(town: Town) -> None:
    town.account("alice")
    alice = town.open("alice")
    alice.page.context.add_init_script("Object.defineProperty(Navigator.prototype, 'locks', { value: undefined })")
    alice.page.reload()
    alice.sign_in()
    alice.signed_in()
    other = town.another_tab(alice)
    other.signed_in()
    for _ in range(3):
        old = alice.kept["accessToken"]
        renewed(alice, old)
        alice.note_secrets()
    for tab in (alice, other):
        tab.see("rooms-refresh").click()
        expect(tab.see("rooms-hint")).to_contain_text("You are in no room yet.")
        expect(tab.see("connection-status")).to_have_attribute("data-state", "connected")


@shares_the_wait
def test_a_token_that_ended_while_the_computer_slept(town: Town) -> None:
    """No timer ran: the server and the homeserver refuse the old token, and the page comes with another one."""
    room = town.room("alice", "bob", name="Reading circle")
    alice = town.enter("alice", room)
    alice.expected = [f"{REFUSAL} 401"]
    old = alice.kept
    asleep = {**old, "renewAt": 9e15, "expiresAt": 9e15}
    alice.page.evaluate("(kept) => localStorage.setItem('callrelay.account', JSON.stringify(kept))", asleep)
    alice.page.reload()
    alice.page.wait_for_timeout(SHORT_SECONDS * 1000 + 500)
    alice.page.reload()
    alice.signed_in()
    expect(alice.see("room-name")).to_have_text("Reading circle")
    assert alice.kept["accessToken"] != old["accessToken"]


@shares_the_wait
def test_a_session_that_another_device_ends(lasting_town: Town) -> None:
    """In the midst of a call: the page is back at the door and says why, and the other hears that the call is over."""
    room = lasting_town.direct("alice", "bob")
    alice, bob = lasting_town.enter("alice", room), lasting_town.enter("bob", room)
    alice.expected = [f"{REFUSAL} 401"]
    alice.call(bob.name, "video")
    bob.answer()
    alice.connected(), bob.connected()
    device = alice.kept["deviceId"]
    lasting_town.account("alice").request("POST", f"{CLIENT}/logout/all", {})
    alice.signed_out("Your session was ended: from another device, or by the homeserver. Sign in again.")
    assert alice.kept is None
    bob.told("Alice is gone.")
    # In again: it is the same device to the homeserver, and the room is still open.
    alice.sign_in()
    alice.signed_in()
    assert alice.kept["deviceId"] == device
    expect(alice.see("room-name")).to_have_text("Bob")

"""People with Matrix accounts on the call page: a real Synapse, Chromium, and calls in the rooms that they are in."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import pytest
from playwright.sync_api import Browser, expect

from call_page import PHONE
from homeserver import CLIENT, Homeserver
from matrix_page import OUTAGE, REFUSAL, Member, PageServer, Town, cas_server
from media_flow import assert_media_flows, assert_pair, assert_relayed_both_ways

DIRECT = {"host", "srflx", "prflx"}


@pytest.fixture(scope="module")
def page_server(homeserver: Homeserver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    with PageServer(tmp_path_factory.mktemp("page-server"), homeserver) as running:
        yield running


@pytest.fixture
def town(browser: Browser, page_server: PageServer) -> Iterator[Town]:
    """On the homeserver and the server that these tests share."""
    with closing(Town(browser, page_server)) as made:
        yield made


@pytest.fixture
def found_town(browser: Browser, homeserver: Homeserver, tmp_path: Path) -> Iterator[Callable[..., Town]]:
    """A town with a server of its own, whose settings are given; on the homeserver of all, if on no other."""
    with ExitStack() as stack:

        def found(server: dict[str, str] | None = None, on: Homeserver = homeserver) -> Town:
            running = stack.enter_context(PageServer(tmp_path / "page-server", on, server))
            made = Town(browser, running)
            stack.callback(made.close)
            return made

        yield found


@pytest.fixture(scope="module")
def cas_page_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """For a homeserver with single sign-on as well, which knows one user."""
    with cas_server() as cas:
        config = {"cas_config": {"enabled": True, "server_url": cas, "idp_name": "the town hall"}}
        with Homeserver(tmp_path_factory.mktemp("with-cas"), overrides=config) as homeserver:
            with PageServer(tmp_path_factory.mktemp("cas-page-server"), homeserver) as running:
                yield running
            homeserver.stop()


@pytest.fixture
def cas_town(browser: Browser, cas_page_server: PageServer) -> Iterator[Town]:
    with closing(Town(browser, cas_page_server)) as made:
        yield made


# Signing in


def test_a_wrong_password_and_the_right_one(town: Town) -> None:
    alice = town.open("alice")
    alice.expected = [f"{REFUSAL} 403"]
    expect(alice.see("server-name")).to_have_text("localhost")
    expect(alice.see("lobby-form")).to_be_hidden()
    expect(alice.see("sso")).to_be_hidden()
    alice.sign_in(password="")
    expect(alice.see("sign-in-error")).to_have_text("Enter your password.")
    alice.sign_in("@alice:elsewhere.example")
    expect(alice.see("sign-in-error")).to_have_text("Only accounts at localhost can sign in here.")
    alice.sign_in(password="not mine")
    expect(alice.see("sign-in-error")).to_have_text("The user name or the password is wrong.")
    assert alice.kept is None
    # The whole id does as well.
    alice.sign_in(town.id("alice"))
    alice.signed_in()
    expect(alice.see("account-name")).to_have_text("Alice")
    kept = alice.kept
    assert kept["userId"] == town.id("alice") and kept["refreshToken"] and kept["expiresAt"]
    assert "of every account" not in alice.stored, "a password is kept nowhere"
    devices = town.account("alice").request("GET", f"{CLIENT}/devices")["devices"]
    [ours] = [device for device in devices if device["device_id"] == kept["deviceId"]]
    assert ours["display_name"].startswith("Call page at 127.0.0.1")


def test_too_many_attempts(town: Town) -> None:
    alice = town.open("alice")
    alice.expected = [f"{REFUSAL} 429"]
    limited = '{"errcode": "M_LIMIT_EXCEEDED", "error": "Too Many Requests", "retry_after_ms": 11500}'
    headers = {"access-control-allow-origin": "*", "content-type": "application/json"}
    login = f"{town.server.homeserver.url}{CLIENT}/login"
    alice.page.route(
        login,
        lambda route: (
            route.fulfill(status=429, body=limited, headers=headers)
            if route.request.method == "POST"
            else route.continue_()
        ),
    )
    alice.sign_in()
    expect(alice.see("sign-in-error")).to_have_text(
        "Too many attempts to sign in. Wait 12 seconds, then try again."
    )
    alice.page.unroute(login)
    alice.see("sign-in-button").click()
    alice.signed_in()


def test_a_homeserver_that_is_away(
    found_town: Callable[..., Town], start_homeserver: Callable[..., Homeserver]
) -> None:
    homeserver = start_homeserver()
    town = found_town(on=homeserver)
    town.account("alice")
    homeserver.stop()
    alice = town.open("alice")
    alice.expected = [OUTAGE]
    expect(alice.see("sign-in-error")).to_have_text(
        "localhost cannot be reached. Check your connection and try again."
    )
    expect(alice.see("password-form")).to_be_hidden()
    homeserver.start()
    alice.see("sign-in-retry").click()
    expect(alice.see("sign-in-retry")).to_be_hidden()
    alice.sign_in()
    alice.signed_in()
    homeserver.stop()
    alice.see("rooms-refresh").click()
    expect(alice.see("rooms-hint")).to_have_text(
        "The homeserver cannot be reached. Check your connection and try again. The list may be out of date."
    )
    alice.see("sign-out").click()
    alice.signed_out(
        "You are signed out here, but the homeserver could not be told. End this session from another device."
    )
    assert "callrelay" not in alice.stored


def test_a_reload_keeps_signed_in_and_in_the_room(town: Town) -> None:
    room = town.room("alice", "bob", name="Reading circle")
    alice = town.enter("alice", room)
    before = alice.kept
    assert parse_qs(urlsplit(alice.page.url).query) == {"room": [room]}
    alice.page.reload()
    alice.signed_in()
    expect(alice.see("room-name")).to_have_text("Reading circle")
    expect(alice.see("member")).to_have_count(2)
    assert alice.kept == before
    alice.see("back-to-rooms").click()
    expect(alice.see("rooms")).to_be_visible()
    alice.page.go_back()
    expect(alice.see("room-name")).to_have_text("Reading circle")


def test_a_link_to_a_room_opens_it_after_signing_in(town: Town) -> None:
    room, other = town.room("alice", "bob", name="Reading circle"), town.room("bob", name="Of others")
    alice = town.open("alice", f"/?room={quote(room)}")
    alice.sign_in()
    alice.signed_in()
    expect(alice.see("room-name")).to_have_text("Reading circle")
    alice.page.goto(f"{town.server.url}/?room={quote(other)}")
    expect(alice.see("notice-text")).to_have_text("You are not in that room. Somebody in it has to invite you.")
    expect(alice.see("rooms")).to_be_visible()
    assert "room" not in alice.page.url


def test_signing_out_ends_the_token_and_forgets(town: Town) -> None:
    alice = town.enter("alice", town.room("alice", "bob"))
    other_tab = town.another_tab(alice)
    other_tab.signed_in()
    token = alice.kept["accessToken"]
    assert town.server.homeserver_takes(token)
    alice.see("sign-out").click()
    alice.signed_out("You are signed out.")
    other_tab.signed_out("You were signed out in this browser.")
    assert not town.server.homeserver_takes(token)
    assert "callrelay" not in alice.stored and "alice" not in alice.stored, alice.stored
    assert town.id("alice") not in alice.page.content()
    expect(alice.see("user-input")).to_have_value("")
    assert alice.page.url == f"{town.server.url}/"
    expect(alice.see("members").locator("li")).to_have_count(0)
    # Another tab's sign-in is this one's.
    other_tab.sign_in()
    other_tab.signed_in()
    alice.signed_in()


def test_single_sign_on(cas_town: Town) -> None:
    room = cas_town.room("alice", "bob", name="Council")
    carol = Member.open(cas_town.browser, cas_town.server, "carol", f"/?room={quote(room)}")
    cas_town.members.append(carol)
    # The homeserver's own page has pictures that are elsewhere, or nowhere.
    carol.expected = [OUTAGE, f"{REFUSAL} 404"]
    carol.page.on("request", lambda request: note_login_token(cas_town.server, request.url))
    expect(carol.see("password-form")).to_be_visible()
    carol.see("sso-button").get_by_text("Continue with the town hall").click()
    # The homeserver asks whether this page may have the account.
    carol.page.get_by_role("link", name="Continue").click()
    carol.signed_in()
    assert carol.kept["userId"] == "@carol:localhost"
    assert "loginToken" not in carol.page.url
    # The room of the link is still meant; she is not in it.
    expect(carol.see("notice-text")).to_have_text("You are not in that room. Somebody in it has to invite you.")
    assert "POST /_matrix/client/v3/login" in carol.requests

    # A link with a token that somebody else got signs nobody in.
    mallory = Member.open(cas_town.browser, cas_town.server, "mallory", "/?loginToken=of-somebody-else")
    cas_town.members.append(mallory)
    mallory.signed_out("The sign-in was not begun in this tab. Begin it again here.")
    assert "loginToken" not in mallory.page.url
    assert "POST /_matrix/client/v3/login" not in mallory.requests


def note_login_token(server: PageServer, address: str) -> None:
    server.secrets.update(parse_qs(urlsplit(address).query).get("loginToken", []))


# Rooms


def test_rooms_have_the_names_that_other_clients_show(town: Town) -> None:
    town.account("alice"), town.account("bob"), town.account("carol"), town.account("dave", "Dave \u202eevaD")
    direct = town.direct("alice", "bob")
    named = town.room("alice", "bob", "carol", name="Reading circle", encrypted=True)
    unnamed = town.room("alice", "bob", "carol")
    alone = town.room("alice")
    space = town.account("alice").request(
        "POST", f"{CLIENT}/createRoom", {"name": "A space", "creation_content": {"type": "m.space"}}
    )["room_id"]
    turned = town.room("alice", "dave")
    alice = town.enter("alice")
    assert alice.rooms() == {
        direct: "Bob", named: "Reading circle", unnamed: "Bob and Carol", alone: "Empty room", turned: "Dave evaD",
    }
    assert space not in alice.rooms()
    expect(alice.page.locator(f'.room-row[data-room="{direct}"]')).to_contain_text("Direct chat")
    expect(alice.page.locator(f'.room-row[data-room="{named}"]').get_by_label("Encrypted")).to_be_visible()
    expect(alice.see("encrypted")).to_have_count(1)
    expect(alice.see("rooms-search-field")).to_be_hidden()

    for number in range(6):
        town.room("alice", name=f"Shelf {number}")
    alice.see("rooms-refresh").click()
    expect(alice.see("room-row")).to_have_count(11)
    alice.see("rooms-search").fill("shelf 3")
    expect(alice.see("room-row")).to_have_count(1)
    alice.see("rooms-search").fill("nowhere")
    expect(alice.see("rooms-hint")).to_have_text("No room has this in its name.")
    alice.see("rooms-search").fill("")

    # What changed since is heard: another name, and a room that is left.
    town.account("alice").request("PUT", f"{CLIENT}/rooms/{quote(unnamed)}/state/m.room.name", {"name": "Named now"})
    town.account("alice").leave(turned)
    alice.see("rooms-refresh").click()
    expect(alice.see("room-row").first).to_contain_text("Named now")
    assert turned not in alice.rooms()


# Calls


@pytest.mark.parametrize("relay_only", [False, True], ids=["direct", "relay only"])
def test_a_video_call_in_a_direct_chat(town: Town, relay_only: bool) -> None:
    room = town.direct("alice", "bob")
    alice, bob = town.enter("alice", room), town.enter("bob", viewport=PHONE)
    expect(alice.see("room-name")).to_have_text("Bob")
    expect(alice.see("share-button")).to_be_visible()
    for testid in ("invite-form", "second-tab", "leave-room", "call-all"):
        expect(alice.see(testid)).to_be_hidden()
    if relay_only:
        alice.see("relay-only-switch").check()
    call_id = alice.call(bob.name, "video")
    # It rings wherever he is, with the name that she chose and the id that she cannot choose.
    expect(bob.see("incoming-from")).to_have_text("Alice")
    expect(bob.see("incoming-where")).to_have_text(town.id("alice"))
    bob.answer()
    alice.connected(), bob.connected()
    if relay_only:
        assert_relayed_both_ways(alice, bob)
    else:
        assert_pair(alice, local=DIRECT, remote=DIRECT)
    assert_media_flows(alice, bob, has_video=True)
    expect(alice.see("call-title")).to_have_text("Bob")
    headers = {"Authorization": f"Bearer {alice.kept['accessToken']}"}
    status = town.server.request("GET", f"/api/calls/{call_id}/status", headers=headers).json()
    assert (status["roomId"], status["createdBy"]) == (room, town.id("alice"))
    bob.see("hang-up-button").click()
    alice.told("Bob hung up.")
    bob.told("You hung up.")
    expect(bob.see("rooms")).to_be_visible()
    expect(bob.see("history-item")).to_contain_text("Alice")


def test_a_group_call_in_a_room_that_nobody_looks_at(town: Town) -> None:
    room = town.room("alice", "bob", "carol", name="Reading circle")
    alice = town.enter("alice", room)
    bob, carol = town.enter("bob", town.room("bob", name="Elsewhere")), town.enter("carol")
    alice.see("call-video-room").click()
    for person in (bob, carol):
        expect(person.see("incoming-where")).to_have_text(f"{town.id('alice')} in Reading circle")
        person.answer()
    for person in (alice, bob, carol):
        expect(person.page.locator('.tile[data-camera="on"]')).to_have_count(2)
    expect(bob.see("call-title")).to_contain_text("Carol")
    carol.see("hang-up-button").click()
    expect(carol.see("room-running")).to_have_text("Call going on")
    carol.choose(room)
    carol.see("rejoin-button").click()
    expect(carol.page.locator('.tile[data-camera="on"]')).to_have_count(2)
    alice.see("end-for-all").click()
    bob.told("Alice hung up.")
    expect(bob.see("room-name")).to_have_text("Elsewhere")
    expect(bob.see("history-item")).to_contain_text("Reading circle")


def test_a_room_with_too_many_people_for_one_call(found_town: Callable[..., Town]) -> None:
    town = found_town({"CALL_MAX_PARTICIPANTS": "2"})
    alice = town.enter("alice", town.room("alice", "bob", "carol", "dave", name="Market"))
    alice.expected = [f"{REFUSAL} 422"]
    alice.see("call-voice-room").click()
    expect(alice.see("notice-text")).to_have_text(
        "This room has too many people for one call. Call them one by one."
    )
    expect(alice.see("call-voice-room")).to_be_hidden()
    alice.call(town.name("bob"), "voice")
    expect(alice.see("call-state")).to_have_text("Ringing…")


def test_calls_that_the_room_does_not_allow(found_town: Callable[..., Town]) -> None:
    town = found_town({"MATRIX_ENCRYPTED_ROOMS": "refuse"})
    room = town.room("alice", "bob", name="Sealed", encrypted=True)
    plain = town.room("alice", "bob", name="Open")
    alice = town.enter("alice", room)
    alice.expected = [f"{REFUSAL} 4"]
    expect(alice.see("people").get_by_label("Encrypted")).to_be_visible()
    call_button(alice, town.id("bob")).click()
    expect(alice.see("notice-text")).to_have_text(
        "This room is encrypted, and this server makes no calls in encrypted rooms."
    )
    alice.see("back-to-rooms").click()
    alice.choose(plain)
    town.account("bob").leave(plain)
    call_button(alice, town.id("bob")).click()
    expect(alice.see("notice-text")).to_have_text("Somebody you wanted to call is not in this room any more.")
    expect(alice.see("member")).to_have_count(1)
    expect(alice.see("alone")).to_contain_text("Invite somebody with your Matrix client.")


def call_button(member: Member, user: str) -> object:
    return member.page.locator(f'.member[data-user="{user}"]').get_by_test_id("call-voice")


# How it looks


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_with_accounts_wide_and_on_a_phone(cas_town: Town, scheme: str) -> None:
    """Keeps screenshots of every view to be looked at, and checks that nothing is wider than its window."""
    direct = cas_town.direct("ada", "bob")
    longest = "Reading circle with a name that is longer than any window"
    cas_town.room("ada", "bob", "carol", name=longest, encrypted=True)
    for name in ("Garden", "Kitchen", "Market", "Museum", "Harbour", "Station", "Theatre"):
        cas_town.room("ada", "bob", "carol", "dave", name=name)
    ada = cas_town.open("ada", color_scheme=scheme)
    bob = cas_town.open("bob", color_scheme=scheme, viewport=PHONE)
    sizes = ((ada, "wide"), (bob, "phone"))

    def keep(view: str) -> None:
        for person, size in sizes:
            person.picture(f"matrix-{view}-{size}-{scheme}")
            overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            assert person.page.evaluate(overflow) == 0, f"{view} scrolls sideways ({size})"

    for person, _ in sizes:
        person.expected = [f"{REFUSAL} 403"]
        person.sign_in(password="wrong")
        expect(person.see("sign-in-error")).not_to_be_empty()
    keep("sign-in")
    for person, _ in sizes:
        person.sign_in()
        person.signed_in()
        expect(person.see("room-row")).to_have_count(9)
    keep("rooms")
    for person, _ in sizes:
        person.choose(direct)
    keep("direct")
    ada.call(bob.name, "video")
    expect(bob.see("incoming-panel")).to_be_visible()
    keep("ringing")
    bob.answer()
    ada.connected(), bob.connected()
    keep("call")
    bob.see("hang-up-button").click()
    ada.told("Bob hung up.")
    for person, _ in sizes:
        expect(person.see("history-item")).to_have_count(1)
        person.see("back-to-rooms").click()
        person.see("room-row").get_by_text("Market").click()
        expect(person.see("member")).to_have_count(4)
    keep("room")
    for person, _ in sizes:
        person.see("sign-out").click()
        person.signed_out("You are signed out.")
    keep("signed-out")

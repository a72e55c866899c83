"""A scripted client of the homeserver, by matrix-nio, and the call page in Chromium call each other."""

import json
import re
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from ipaddress import ip_address

import pytest
from playwright.sync_api import Browser, Page, expect

from homeserver import PASSWORD, Homeserver
from matrix_page import Member, PageServer, Town
from nio_client import Device, sign_off
from stock_client import PEERS, STREAMS, StockClient
from test_matrix_appservice import TOKENS, homeserver_beside
from waiting import eventually

PATIENCE_SECONDS = 60
# Of these a call has as many as it needs.
REPEATED = {"candidates", "negotiate", "sdp_stream_metadata_changed"}
OWN_ADDRESSES = """async () => {
  const [peer] = callrelay.session.call.peers.values();
  const found = [...(await peer.connection.getStats()).values()].filter(({type}) => type === "local-candidate");
  return found.filter(({candidateType}) => candidateType !== "relay").map(({address}) => address);
}"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PageServer]:
    """A server and a homeserver that have each other's tokens, and whose clients have one relay."""
    folder = tmp_path_factory.mktemp("bridge-page")
    server = PageServer(folder / "server", Homeserver(folder / "first"), TOKENS)
    homeserver = homeserver_beside(server, folder / "synapse")
    server.homeserver = homeserver
    server.settings["MATRIX_HOMESERVER_URL"] = homeserver.url
    with homeserver, server:
        eventually(lambda: "reaches this server as its application service" in server.log, "the two found each other")
        yield server


@pytest.fixture
def town(browser: Browser, server: PageServer) -> Iterator[Town]:
    made = Town(browser, server)
    yield made
    made.close()


@pytest.fixture
def peers(browser: Browser, server: PageServer) -> Iterator[Page]:
    """The scripted clients' browser, with nothing of ours in it but the address."""
    page = browser.new_context().new_page()
    page.goto(f"{server.url}/healthz")
    page.evaluate(f"() => {{ {PEERS} }}")
    yield page
    sign_off()
    page.context.close()


@pytest.fixture
def room(town: Town) -> str:
    return town.direct("alice", "bob")


def signed_in(town: Town, peers: Page, who: str, room: str, *, video: bool = False) -> StockClient:
    """Somebody's scripted client, which listens."""
    town.account(who)
    device = Device.sign_in(town.server.homeserver.url, town.name(who), PASSWORD)
    town.server.secrets.add(device.access_token)
    client = StockClient(device, peers, room, video)
    client.sync()
    return client


def until(clients: list[StockClient], condition: Callable[[], bool], what: str) -> None:
    """Lets the scripted clients hear and say what there is until it is so."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not come about"
        for client in clients:
            client.pump()
        time.sleep(0.05)


def is_connected(member: Member) -> bool:
    return member.see("call-state").text_content() == "Connected"


def talk(member: Member, client: StockClient, *others: StockClient) -> None:
    """Both are in the call, and hear (and see, if there are pictures) each other by the relay that the homeserver names."""
    until([client, *others], lambda: is_connected(member), "the page is in the call")
    counters = ["audioPackets", "audioEnergy", *(["framesDecoded"] if client.video else [])]
    sides = [member, client]
    before = [side.media() for side in sides]

    def goes_on() -> bool:
        now = [side.media() for side in sides]
        pairs = list(zip(before, now, strict=True))
        grown = all(later[each] > earlier[each] for each in counters for earlier, later in pairs)
        return grown and all(later["audioPackets"] > earlier["audioPackets"] + 25 for earlier, later in pairs)

    until([client, *others], goes_on, "media both ways")
    assert client.media()["localType"] == "relay"
    assert member.media()["remoteType"] in ("relay", "prflx"), "of the other it knows the relay alone"
    assert client.turn["username"].endswith(f":{client.device.user_id}")
    assert client.turn["uris"] == [f"turn:127.0.0.1:{member.server.turn_port}?transport=udp"]


def assert_told(town: Town, room: str, clients: list[StockClient], *said: tuple[str, str]) -> None:
    """What the room was told: of what is said once in a call, just this; no address of a page. All was heard, once."""
    account = town.account("alice")

    def once() -> Counter:
        kinds = [(event["sender"], event["type"].removeprefix("m.call.")) for event in account.timeline(room)]
        return Counter(pair for pair in kinds if pair[1] not in REPEATED)

    expected = Counter((town.id(who), kind) for who, kind in said)
    until(clients, lambda: once() >= expected, "all of it is told")
    assert once() == expected
    events = account.timeline(room)
    parties = {client.party_id for client in clients}
    for client in clients:
        others = [event["event_id"] for event in events if event["sender"] != client.device.user_id]
        until([client], lambda: len(client.heard) >= len(others), "all of it is heard")
        assert [event["event_id"] for event in client.heard] == others
        assert all(event["content"].get("candidates") for event in client.bad), "only marks of an end miss something"
    ours = [event for event in events if event["content"]["party_id"] not in parties]
    assert ours
    for event in ours:
        content = event["content"]
        assert content["version"] == "1"
        assert set(addresses(content)) <= {"0.0.0.0", "127.0.0.1"}, content
        for candidate in content.get("candidates", []):
            line = candidate["candidate"]
            assert not line or " typ relay raddr 0.0.0.0 rport 0" in line


def addresses(content: dict) -> Iterator[str]:
    """IP addresses, and the names that browsers have for their own."""
    for word in re.split(r"[^\w.:-]+", json.dumps(content).replace("\\r\\n", " ")):
        if word.endswith(".local"):
            yield word
        with suppress(ValueError):
            yield str(ip_address(word))


def ring_out(town: Town, alice: Member, bob: StockClient, kind: str = "voice") -> str:
    """Alice's page calls, and Bob's client rings."""
    call_id = alice.call(town.name("bob"), kind)
    expect(alice.see("call-state")).to_have_text("Ringing…")
    until([bob], lambda: bob.invite is not None, "it rings")
    assert bob.call_id == call_id
    return call_id


def ring_in(alice: Member, bob: StockClient, **content: object) -> None:
    """Bob's client calls, and Alice's page rings."""
    bob.call(**content)
    expect(alice.see("incoming-from")).to_have_text("Bob")
    expect(alice.see("incoming-kind")).to_contain_text("video" if bob.video else "voice")


# Who calls, and who answers


@pytest.mark.parametrize("kind", ["voice", "video"])
def test_the_page_calls_and_the_client_answers(town: Town, peers: Page, room: str, kind: str) -> None:
    alice = town.enter("alice", room)
    bob = signed_in(town, peers, "bob", room, video=kind == "video")
    ring_out(town, alice, bob, kind)
    bob.answer()
    talk(alice, bob)
    expect(alice.see("call-title")).to_have_text("Bob")
    own = set(alice.page.evaluate(OWN_ADDRESSES)) - {"127.0.0.1"}
    assert own, "the page has addresses that could be told"
    if kind == "voice":
        alice.see("hang-up-button").click()
        alice.told("You hung up.")
        until([bob], lambda: bob.end_reason == "user_hangup", "the client hears the end")
        last = ("alice", "hangup")
    else:
        bob.hang_up()
        alice.told("Bob hung up.")
        last = ("bob", "hangup")
    said = [("alice", "invite"), ("bob", "answer"), ("alice", "select_answer"), last]
    assert_told(town, room, [bob], *said)
    text = json.dumps(town.account("bob").timeline(room))
    assert not [address for address in own if address in text]


@pytest.mark.parametrize(("kind", "is_named"), [("voice", False), ("video", True)], ids=["without", "with an invitee"])
def test_the_client_calls_and_the_page_picks_up(
    town: Town, peers: Page, room: str, kind: str, is_named: bool
) -> None:
    """As FluffyChat does, and as Element does."""
    alice = town.enter("alice", room)
    bob = signed_in(town, peers, "bob", room, video=kind == "video")
    ring_in(alice, bob, **({"invitee": town.id("alice")} if is_named else {}))
    alice.see(f"answer-{kind}").click()
    talk(alice, bob)
    expect(alice.see("call-title")).to_have_text("Bob")
    if is_named:
        bob.hang_up()
        alice.told("Bob hung up.")
        last = ("bob", "hangup")
    else:
        alice.see("hang-up-button").click()
        alice.told("You hung up.")
        until([bob], lambda: bob.end_reason == "user_hangup", "the client hears the end")
        last = ("alice", "hangup")
    assert_told(town, room, [bob], ("bob", "invite"), ("alice", "answer"), ("bob", "select_answer"), last)


# Refused


def test_the_page_refuses(town: Town, peers: Page, room: str) -> None:
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    ring_in(alice, bob)
    alice.see("reject-button").click()
    until([bob], lambda: bob.end_reason == "rejected", "the client hears it")
    expect(alice.see("incoming-panel")).to_be_hidden()
    assert_told(town, room, [bob], ("bob", "invite"), ("alice", "reject"))


def test_the_client_refuses(town: Town, peers: Page, room: str) -> None:
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    ring_out(town, alice, bob)
    bob.send("reject")
    alice.told("Bob declined the call.")
    assert_told(town, room, [bob], ("alice", "invite"), ("bob", "reject"), ("alice", "hangup"))


def test_whoever_calls_gives_up(town: Town, peers: Page, room: str) -> None:
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    ring_in(alice, bob)
    bob.hang_up()
    expect(alice.see("incoming-panel")).to_be_hidden()
    expect(alice.see("notice-text")).to_have_text("You missed a call from Bob.")
    again = signed_in(town, peers, "bob", room)
    ring_out(town, alice, again)
    alice.see("hang-up-button").click()
    alice.told("You cancelled the call.")
    until([again], lambda: again.end_reason == "user_hangup", "the client hears it")
    assert_told(town, room, [], ("bob", "invite"), ("bob", "hangup"), ("alice", "invite"), ("alice", "hangup"))


# At the same time


def test_both_call_and_the_pages_id_is_the_lesser(town: Town, peers: Page, room: str) -> None:
    """The client picks up the page's call in place of its own, and nobody has to press anything."""
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    call_id = alice.call(town.name("bob"), "voice")
    bob.call(call_id="z" * 24)
    talk(alice, bob)
    assert bob.call_id == call_id
    expect(alice.see("incoming-panel")).to_be_hidden()
    bob.hang_up()
    alice.told("Bob hung up.")
    assert_told(
        town, room, [bob],
        ("alice", "invite"), ("bob", "invite"), ("bob", "answer"), ("alice", "select_answer"), ("bob", "hangup"),
    )  # fmt: skip


def test_both_call_and_the_clients_id_is_the_lesser(town: Town, peers: Page, room: str) -> None:
    """The page's call is over and the client's rings there."""
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    alice.call(town.name("bob"), "voice")
    lesser = bob.call(call_id="-" * 24)
    expect(alice.see("incoming-from")).to_have_text("Bob")
    assert alice.record()["states"].splitlines() == ["Ringing…", "Call ended"]
    expect(alice.see("notice-text")).to_have_text("The call was cancelled.")
    alice.see("answer-voice").click()
    talk(alice, bob)
    assert bob.call_id == lesser
    bob.hang_up()
    alice.told("Bob hung up.")
    assert_told(
        town, room, [bob],
        ("alice", "invite"), ("alice", "hangup"), ("bob", "invite"), ("alice", "answer"), ("bob", "select_answer"),
        ("bob", "hangup"),
    )  # fmt: skip


# Several devices


@pytest.mark.parametrize("answers", ["page", "client"])
@pytest.mark.parametrize("calls", ["page", "client"])
def test_another_device_answers(town: Town, peers: Page, room: str, calls: str, answers: str) -> None:
    """Bob has a page and a client that ring, for a page's call or a client's: one answers, the other stops and says so."""
    bob, phone = town.enter("bob"), signed_in(town, peers, "bob", room)
    if calls == "page":
        alice = town.enter("alice", room)
        ring_out(town, alice, phone)
        others = []
    else:
        alice = signed_in(town, peers, "alice", room)
        alice.call(invitee=town.id("bob"))
        until([phone], lambda: phone.invite is not None, "the phone rings")
        others = [alice]
    expect(bob.see("incoming-from")).to_have_text("Alice")
    if answers == "page":
        bob.see("answer-voice").click()
        until([phone, *others], lambda: phone.end_reason == "answered elsewhere", "the phone hears of it")
        if calls == "client":
            talk(bob, alice)
        else:
            alice.connected()
    else:
        phone.answer()
        until([phone, *others], lambda: bob.see("incoming-panel").is_hidden(), "the page rings no more")
        expect(bob.see("notice-text")).to_have_text("You answered in another tab or on another device.")
        if calls == "page":
            talk(alice, phone)
        else:
            until([alice, phone], lambda: alice.other is not None, "the caller hears who it is")
            assert alice.other == (town.id("bob"), phone.party_id)
    answered = [event for event in town.account("alice").timeline(room) if event["type"] == "m.call.select_answer"]
    assert len(answered) == 1 and answered[0]["sender"] == town.id("alice")
    assert (answered[0]["content"]["selected_party_id"] == phone.party_id) is (answers == "client")


# In the call


def test_mutes_are_seen_and_heard_of_on_both_sides(town: Town, peers: Page, room: str) -> None:
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    ring_out(town, alice, bob)
    bob.answer()
    talk(alice, bob)

    def is_muted() -> bool:
        [stream] = bob.streams.values()
        return stream["audio_muted"]

    assert not is_muted()
    for is_now in (True, False):
        alice.see("mute-button").click()
        until([bob], lambda is_now=is_now: is_muted() is is_now, "the client hears of it")
    changed = [event for event in bob.heard if event["type"] == "m.call.sdp_stream_metadata_changed"]
    assert [each["audio_muted"] for event in changed for each in event["content"][STREAMS].values()] == [True, False]
    expect(alice.see("remote-muted")).to_be_hidden()
    bob.mute(True)
    expect(alice.see("remote-muted")).to_be_visible()
    bob.mute(False)
    expect(alice.see("remote-muted")).to_be_hidden()


@pytest.mark.parametrize("calls", ["page", "client"])
def test_the_page_is_reloaded_in_a_call(town: Town, peers: Page, room: str, calls: str) -> None:
    alice, bob = town.enter("alice", room), signed_in(town, peers, "bob", room)
    if calls == "page":
        ring_out(town, alice, bob)
        bob.answer()
        said = [("alice", "invite"), ("bob", "answer"), ("alice", "select_answer"), ("alice", "hangup")]
    else:
        ring_in(alice, bob)
        alice.see("answer-voice").click()
        said = [("bob", "invite"), ("alice", "answer"), ("bob", "select_answer"), ("alice", "hangup")]
    talk(alice, bob)
    call_id = bob.call_id
    alice.page.reload()
    alice.signed_in()
    alice.see("rejoin-button").click()
    talk(alice, bob)
    assert bob.call_id == call_id and bob.end_reason is None
    alice.see("hang-up-button").click()
    until([bob], lambda: bob.end_reason == "user_hangup", "the client hears the end")
    assert_told(town, room, [bob], *said)

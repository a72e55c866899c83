"""The bridge on two nodes: the homeserver speaks to the one, the client of the API to the other, and each may die."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import pytest
from playwright.sync_api import Page

from bridged_calls import MUTE, assert_told_once, audit, hear_the_end, kinds_of
from homeserver import Homeserver
from matrix_calls import MatrixCalls, MatrixServer
from nio_client import Device
from postgres_server import PostgreSQL, postgresql
from redis_server import redis_server
from room_events import rows
from stock_client import STREAMS, APIClient, StockClient
from test_matrix_appservice import TOKENS, homeserver_beside
from test_matrix_bridge import called, page, ringing, room, take, talk, talk_when_answered, until  # noqa: F401: fixtures
from test_matrix_events import senders
from waiting import eventually


@dataclass
class Cluster:
    """Two nodes that share all but their clients."""

    postgres: PostgreSQL
    told: MatrixServer
    """Whom the homeserver speaks to, as its application service; its relay is the one that clients of the room are given."""
    other: MatrixServer
    """Whom clients of the API come to."""

    @property
    def nodes(self) -> list[MatrixServer]:
        return [self.told, self.other]

    @contextmanager
    def without(self, node: MatrixServer) -> Iterator[None]:
        """The node is killed, and there again afterwards."""
        node.kill()
        try:
            yield
        finally:
            node.start()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Cluster, Homeserver]]:
    folder = tmp_path_factory.mktemp("nodes")
    with postgresql() as postgres, redis_server() as redis:
        shared = TOKENS | {
            "DATABASE_URL": postgres.url(),
            "REDIS_URL": redis.url,
            "TURN_SHARED_SECRET": "a secret that both nodes share",
            # The other node's relay is a peer like any other.
            "TURN_ALLOWED_PEERS": "127.0.0.0/8",
        }
        servers = [MatrixServer(folder / name, Homeserver(folder / "none"), shared) for name in ("told", "other")]
        cluster = Cluster(postgres, *servers)
        homeserver = homeserver_beside(cluster.told, folder / "synapse")
        for node in cluster.nodes:
            node.settings["MATRIX_HOMESERVER_URL"] = homeserver.url
            node.tokens = cluster.told.tokens
        with homeserver, cluster.told, cluster.other:
            eventually(
                lambda: "reaches this server as its application service" in cluster.told.log, "the two found each other"
            )
            yield cluster, homeserver


@pytest.fixture
def nodes(cluster: tuple[Cluster, Homeserver]) -> Cluster:
    return cluster[0]


@pytest.fixture
def calls(cluster: tuple[Cluster, Homeserver]) -> Iterator[MatrixCalls]:
    """People whose clients of the API are on the node that the homeserver does not speak to."""
    with MatrixCalls(cluster[1], cluster[0].other) as calls:
        yield calls


@pytest.fixture
def at_the_told_node(calls: MatrixCalls, nodes: Cluster) -> MatrixCalls:
    return replace(calls, server=nodes.told)


def assert_sent_by_one(nodes: Cluster, call_id: str) -> None:
    """Both look for what is to be sent; each event was sent by one of them."""
    sent = [event for node in nodes.nodes for event in senders(node, call_id)]
    assert sorted(sent) == sorted(row.event_type for row in rows(nodes.told, call_id))


def mute_both_ways(calls: MatrixCalls, alice: StockClient, bob: APIClient) -> None:
    """Alice in the room, bob by the API."""
    alice.send("sdp_stream_metadata_changed", **MUTE)
    until([alice, bob], lambda: bool(bob.toggles), "the API's client hears of the mute")
    assert bob.toggles[0]["event"] == "audio-toggled" and bob.toggles[0]["enabled"] is False
    assert bob.socket.call("toggle-audio", {"callId": bob.call_id, "enabled": False})["ok"]
    until([alice, bob], lambda: bool(alice.mutes), "the room's client hears of the mute")
    [stream] = alice.mutes[0]["content"][STREAMS].values()
    assert stream["audio_muted"] is True


# The node that the caller's client is on hangs up, or the other one, by REST; or the client in the room.
ENDS = ["in the room", "at the own node", "at the other node"]


def hang_up(how: str, calls: MatrixCalls, other: MatrixCalls, who: str, api: APIClient, stock: StockClient) -> None:
    """The one of the API is `who`. Both hear the end."""
    if how == "in the room":
        stock.send("hangup", reason="user_hangup")
    else:
        node = calls if how == "at the own node" else other
        assert node.post(f"/api/calls/{api.call_id}/end", who).status_code == 200
    hear_the_end(api, stock, is_by_room=how == "in the room")


@pytest.mark.parametrize("how", ENDS)
def test_a_call_of_the_api_is_answered_in_the_room(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, nodes: Cluster, page: Page, room: str, how: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    mute_both_ways(calls, bob, alice)
    hang_up(how, calls, at_the_told_node, "alice", alice, bob)
    kinds = kinds_of(assert_told_once(calls, room, alice.call_id))
    ends = [] if how == "in the room" else ["hangup"]
    assert kinds[0] == "invite" and kinds[len(kinds) - len(ends):] == ends
    assert kinds.index("select_answer") < kinds.index("negotiate") < kinds.index("candidates")
    for once in ("invite", "select_answer", "negotiate", "sdp_stream_metadata_changed"):
        assert kinds.count(once) == 1, kinds
    assert_sent_by_one(nodes, alice.call_id)


@pytest.mark.parametrize("how", ENDS)
def test_a_call_of_the_room_is_answered_by_the_api(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, nodes: Cluster, page: Page, room: str, how: str  # noqa: F811
) -> None:
    alice, bob = called(calls, page, room)
    take(calls, bob)
    talk_when_answered(alice, bob)
    mute_both_ways(calls, alice, bob)
    hang_up(how, calls, at_the_told_node, "bob", bob, alice)
    kinds = kinds_of(assert_told_once(calls, room, bob.call_id))
    ends = [] if how == "in the room" else ["hangup"]
    assert kinds[0] == "answer" and kinds[len(kinds) - len(ends):] == ends
    assert kinds.count("answer") == 1 and "candidates" in kinds
    assert set(kinds) == {"answer", "candidates", "sdp_stream_metadata_changed", *ends}
    assert_sent_by_one(nodes, bob.call_id)


def test_a_refusal_in_the_room(calls: MatrixCalls, nodes: Cluster, page: Page, room: str) -> None:  # noqa: F811
    alice, bob = ringing(calls, page, room)
    bob.send("reject")
    until([alice], lambda: alice.ended is not None, "the caller hears it")
    assert alice.ended["reason"] == "rejected" and alice.ended["by"] == calls.id("bob")
    until([bob], lambda: bob.end_reason is not None, "the callee's other devices hear it")
    assert kinds_of(assert_told_once(calls, room, alice.call_id)) == ["invite", "hangup"]
    assert_sent_by_one(nodes, alice.call_id)


@pytest.mark.parametrize("node", ["own", "other"])
def test_a_refusal_by_the_api(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, nodes: Cluster, page: Page, room: str, node: str  # noqa: F811
) -> None:
    alice, bob = called(calls, page, room)
    where = calls if node == "own" else at_the_told_node
    assert where.post(f"/api/calls/{bob.call_id}/reject", "bob").status_code == 200
    until([alice], lambda: alice.end_reason == "rejected", "the caller's client hears it")
    until([bob], lambda: bob.ended is not None, "and the callee's own")
    assert kinds_of(assert_told_once(calls, room, bob.call_id)) == ["reject"]
    assert_sent_by_one(nodes, bob.call_id)


def test_a_caller_in_the_room_gives_up(calls: MatrixCalls, page: Page, room: str) -> None:  # noqa: F811
    alice, bob = called(calls, page, room)
    alice.send("hangup", reason="invite_timeout")
    until([bob], lambda: bob.ended is not None, "it rings no more")
    assert bob.ended["reason"] == "cancelled" and assert_told_once(calls, room, bob.call_id) == []


def test_a_mute_by_another_node_names_the_stream_that_is_sent_now(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, page: Page, room: str  # noqa: F811
) -> None:
    """Requests of one client go to any node; each has to know what was described at another one since."""
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    toggle = f"/api/calls/{alice.call_id}/toggle-audio"
    assert at_the_told_node.post(toggle, "alice", {"enabled": False}).status_code == 200
    # The page is loaded anew, and offers another stream at the own node.
    alice.socket.disconnect()
    again = calls.socket("alice")
    joined = again.call("join-call", {"callId": alice.call_id})
    fresh = APIClient(again, page, alice.call_id, joined)
    until([fresh, bob], lambda: len(bob.negotiations) == 2, "a new offer")
    assert at_the_told_node.post(toggle, "alice", {"enabled": True}).status_code == 200
    until([fresh, bob], lambda: len(bob.mutes) == 2, "both mutes")
    assert bob.mutes[0]["content"][STREAMS].keys() == bob.negotiations[0]["content"][STREAMS].keys()
    assert bob.mutes[1]["content"][STREAMS].keys() == bob.negotiations[1]["content"][STREAMS].keys()
    calls.post(f"/api/calls/{alice.call_id}/end", "alice")


@contextmanager
def without_joins_in_the_room(postgres: PostgreSQL) -> Iterator[None]:
    """The database does not take it that somebody in a room joins a call. The homeserver says it again until it does."""
    postgres.query(
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'not now'; END $$;"
        "CREATE TRIGGER no_join BEFORE INSERT ON call_events FOR EACH ROW"
        " WHEN (NEW.kind = 'joined' AND NEW.device_id LIKE 'room/%') EXECUTE FUNCTION refuse()"
    )
    try:
        yield
    finally:
        postgres.query("DROP FUNCTION refuse CASCADE")


def test_whoever_calls_in_the_room_is_in_the_call_from_the_beginning(
    calls: MatrixCalls, nodes: Cluster, page: Page, room: str  # noqa: F811
) -> None:
    """Else a callee who is fast would hear of somebody who joins, and offer anew, though it has answered the room's offer."""
    socket, alice = calls.socket("bob"), StockClient(Device.of(calls.account("alice")), page, room)
    with without_joins_in_the_room(nodes.postgres):
        before = nodes.told.log.count("the call store failed")
        call_id = alice.call()
        eventually(lambda: nodes.told.log.count("the call store failed") > before, "a try to write it")
        assert nodes.postgres.query(f"SELECT count(*) FROM call_sessions WHERE call_id = '{call_id}'") == ["0"]
    socket.wait("call-incoming", lambda payload: payload["callId"] == call_id)
    bob = APIClient(socket, page, call_id, {})
    take(calls, bob)
    until([bob], lambda: bob.has_peer, "the room's offer, and its answer")
    bob.socket.settle()
    heard = [event for event, _ in bob.socket.received]
    assert ("joined", calls.id("alice")) in audit(calls, call_id, "bob")
    calls.post(f"/api/calls/{call_id}/end", "bob")
    assert "user-joined" not in heard


# The node of the API's client dies.


def only_relay(calls: MatrixCalls, who: str, node: MatrixServer) -> dict | None:
    """The ICE servers that clients are told of, if nobody but this node relays."""
    ice = calls.get("/api/calls/ice-servers", who).json()
    named = {url for server in ice["iceServers"] for url in server["urls"] if url.startswith("turn:")}
    return ice if named == {f"turn:127.0.0.1:{node.turn_port}?transport=udp"} else None


def test_the_node_of_the_client_dies_and_the_call_goes_on_by_the_other(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, nodes: Cluster, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    with nodes.without(nodes.other):
        # What is said meanwhile is heard when she is back.
        bob.send("sdp_stream_metadata_changed", **MUTE)
        alice.resume(at_the_told_node.socket("alice"))
        until([alice, bob], lambda: bool(alice.toggles), "the mute")
        assert alice.socket.call("toggle-audio", {"callId": alice.call_id, "enabled": False})["ok"]
        until([alice, bob], lambda: bool(bob.mutes), "the other mute, though this node was told of no description")
        assert bob.mutes[0]["content"][STREAMS].keys() == bob.negotiations[0]["content"][STREAMS].keys()
        bob.send("hangup", reason="user_hangup")
        hear_the_end(alice, bob, is_by_room=True)
        kinds = kinds_of(assert_told_once(at_the_told_node, room, alice.call_id))
        assert kinds.count("invite") == kinds.count("sdp_stream_metadata_changed") == 1 and "hangup" not in kinds


def test_the_node_of_the_client_dies_and_the_room_hangs_up_before_she_is_back(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, nodes: Cluster, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = ringing(calls, page, room)
    bob.answer()
    talk(alice, bob)
    with nodes.without(nodes.other):
        bob.send("hangup", reason="user_hangup")
        eventually(lambda: at_the_told_node.status(alice.call_id, "alice")["state"] == "ended", "the end")
        refused = at_the_told_node.socket("alice").call("join-call", {"callId": alice.call_id, "afterSeq": alice.last})
        assert refused["code"] == "call_ended", refused
        ended = at_the_told_node.status(alice.call_id, "alice")
        assert ended["endReason"] == "hangup" and ended["endedBy"] == calls.id("bob")
        assert "hangup" not in kinds_of(assert_told_once(at_the_told_node, room, alice.call_id))


def test_the_node_of_the_client_dies_and_media_comes_back_by_the_relay_that_is_left(
    calls: MatrixCalls, at_the_told_node: MatrixCalls, nodes: Cluster, page: Page, room: str  # noqa: F811
) -> None:
    alice, bob = called(calls, page, room)
    take(calls, bob)
    talk_when_answered(alice, bob)
    with nodes.without(nodes.other):
        bob.resume(at_the_told_node.socket("bob"))
        # For some seconds nobody can know that the other relay is gone, too.
        bob.ice = eventually(lambda: only_relay(at_the_told_node, "bob", nodes.told), "the relay that is left alone")
        bob.restart_ice()
        heard = alice.stats()["audio"]
        until([alice, bob], lambda: alice.stats()["audio"] > heard + 100, "media again")
        assert at_the_told_node.post(f"/api/calls/{bob.call_id}/end", "bob").status_code == 200
        hear_the_end(bob, alice, is_by_room=False)
        kinds = kinds_of(assert_told_once(at_the_told_node, room, bob.call_id))
        assert kinds[0] == "answer" and kinds[-1] == "hangup"
        assert kinds.count("answer") == kinds.count("negotiate") == kinds.count("hangup") == 1

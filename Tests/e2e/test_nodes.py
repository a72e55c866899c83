"""Several servers on one PostgreSQL and one Redis: calls across them, and what clients meet when any of it goes away."""

import itertools
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import msgpack
import pytest
import requests

from call_page import Person
from call_page_room import Room
from ports import free_port
from postgres_server import PostgreSQL, postgresql
from recovery import WATCHFUL, assert_recovered
from redis_server import RedisServer, redis_server
from running_server import RunningServer
from scenario import Scenario, user_id
from signaling_client import AsyncClient, SignalingClient
from tcp_cable import TCPCable
from turn_client import TurnClient, TurnError
from waiting import eventually

_numbers = itertools.count()
SECRET = "a secret that all nodes share"


@pytest.fixture(scope="module")
def postgres() -> Iterator[PostgreSQL]:
    with postgresql(free_port()) as server:
        yield server


@pytest.fixture(scope="module")
def shared_redis() -> Iterator[RedisServer]:
    with redis_server(password="not to be guessed") as server:
        yield server


@pytest.fixture
def redis(shared_redis: RedisServer) -> Iterator[RedisServer]:
    """A server that the test may stop or freeze; it runs again afterwards."""
    yield shared_redis
    if shared_redis.process is None:
        shared_redis.start()
    shared_redis.thaw()


@pytest.fixture
def database(postgres: PostgreSQL) -> str:
    name = f"nodes_{next(_numbers)}"
    created = postgres.psql("-c", f"CREATE DATABASE {name} OWNER enterprise_user", user="admin", database="postgres")
    assert created.returncode == 0, created.stderr
    return postgres.url(name)


@pytest.fixture
def start_node(
    start_server: Callable[..., RunningServer], database: str, redis: RedisServer
) -> Callable[..., RunningServer]:
    def start(**settings: str) -> RunningServer:
        shared = {"DATABASE_URL": database, "REDIS_URL": redis.url, "TURN_SHARED_SECRET": SECRET}
        return start_server(**{**shared, "SOCKET_EVENT_RATE": "", **settings})

    return start


@dataclass
class Caller:
    """Somebody in a call who goes to another node when the own one is gone, as the page does."""

    scenario: Scenario
    who: str
    nodes: list[RunningServer]
    call_id: str = ""
    socket: SignalingClient | None = None
    heard: dict[int, tuple[str, dict]] = field(default_factory=dict)
    last: int = 0

    def connect(self, node: RunningServer) -> SignalingClient:
        self.socket = AsyncClient(node.url, self.scenario.name(self.who)).connect()
        return self.socket

    def join(self) -> None:
        """Joins afresh, or resumes where it stopped."""
        after = {"afterSeq": self.last} if self.last else {}
        answer = self.socket.call("join-call", {"callId": self.call_id, **after})
        assert answer["ok"], answer
        if not after:
            self.last = answer["call"]["seq"]
        for missed in answer["missed"]:
            self._take(missed["event"], missed["data"])

    def listen(self) -> None:
        """Takes what has come since."""
        for event, payload in list(self.socket.received):
            if isinstance(payload, dict) and payload.get("callId") == self.call_id and "seq" in payload:
                self._take(event, payload)

    def _take(self, event: str, payload: dict) -> None:
        self.heard[payload["seq"]] = (event, payload)
        self.last = max(self.last, payload["seq"])

    def move(self) -> float:
        """To any node that answers; how long that took."""
        began = time.monotonic()
        self.listen()
        while True:
            for node in self.nodes:
                if node.process.poll() is not None:
                    continue
                try:
                    self.connect(node)
                    self.join()
                    return time.monotonic() - began
                except Exception:  # noqa: BLE001: the next node, or this one again
                    assert time.monotonic() - began < 20, f"{self.who} found no node"
            time.sleep(0.1)

    def say(self, number: int) -> bool:
        payload = {"callId": self.call_id, "candidate": {"candidate": f"candidate:{number}"}}
        return self.socket.call("ice-candidate", payload)["ok"]

    @property
    def candidates(self) -> list[int]:
        self.listen()
        numbers = [
            int(payload["candidate"]["candidate"].split(":")[1])
            for _, (event, payload) in sorted(self.heard.items())
            if event == "ice-candidate"
        ]
        return numbers


def call_across(s: Scenario, nodes: list[RunningServer], where: tuple[int, int] = (0, 1)) -> tuple[Caller, Caller]:
    """Alice on one node in a call with bob on another."""
    alice, bob = Caller(s, "alice", nodes), Caller(s, "bob", nodes)
    alice.connect(nodes[where[0]]), bob.connect(nodes[where[1]])
    placed = nodes[where[0]].request(
        "POST", "/api/calls/initiate", s.name("alice"),
        {"roomId": s.room, "callType": "video", "invitees": [s.id("bob")]},
    )
    assert placed.status_code == 201, placed.text
    alice.call_id = bob.call_id = placed.json()["callId"]
    alice.join()
    assert bob.socket.wait("call-incoming")["call"]["callId"] == alice.call_id
    answered = nodes[where[1]].request("POST", f"/api/calls/{alice.call_id}/answer", s.name("bob"), {})
    assert answered.status_code == 200, answered.text
    alice.socket.wait("call-answered")
    bob.join()
    alice.socket.wait("user-joined")
    return alice, bob


def test_a_call_across_two_nodes(start_node: Callable[..., RunningServer]) -> None:
    nodes = [start_node(), start_node()]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        offer = {"type": "offer", "sdp": "v=0 offer"}
        assert alice.socket.call("webrtc-offer", {"callId": alice.call_id, "offer": offer})["ok"]
        heard = bob.socket.wait("webrtc-offer")
        assert heard["offer"] == offer and heard["from"] == s.id("alice")
        answer = {"type": "answer", "sdp": "v=0 answer"}
        assert bob.socket.call("webrtc-answer", {"callId": alice.call_id, "answer": answer})["ok"]
        assert alice.socket.wait("webrtc-answer")["answer"] == answer
        for number in range(30):
            assert alice.say(number) and bob.say(1000 + number)
        eventually(lambda: bob.candidates == list(range(30)), "bob hears all of alice's, in order")
        eventually(lambda: alice.candidates == list(range(1000, 1030)), "and alice all of bob's")
        assert alice.socket.call("toggle-audio", {"callId": alice.call_id, "enabled": False})["ok"]
        assert bob.socket.wait("audio-toggled")["enabled"] is False
        ended = nodes[1].request("POST", f"/api/calls/{alice.call_id}/end", s.name("bob"), {})
        assert ended.status_code == 200
        assert alice.socket.wait("call-ended")["reason"] == "hangup"
        assert bob.socket.wait("call-ended")["reason"] == "hangup"
        items = nodes[0].request("GET", f"/api/calls/{alice.call_id}/events?limit=200", s.name("alice")).json()["items"]
        assert [item["seq"] for item in items] == list(range(1, len(items) + 1))


def test_whoever_connects_to_any_node_while_it_rings_is_told(start_node: Callable[..., RunningServer]) -> None:
    nodes = [start_node(), start_node()]
    with Scenario(nodes[0]) as s:
        call_id = s.initiate("alice", ["bob"])
        late = s.stack.enter_context(AsyncClient(nodes[1].url, s.name("bob")))
        assert late.wait("call-incoming")["call"]["callId"] == call_id
        # Another of bob's devices answers on the first node: this one stops ringing.
        assert s.post(f"/api/calls/{call_id}/answer", "bob", {"deviceId": "other"}).status_code == 200
        assert late.wait("call-answered")["deviceId"] == "other"


@pytest.mark.parametrize("count", [2, 3])
def test_either_sides_node_is_killed_in_mid_call(start_node: Callable[..., RunningServer], count: int) -> None:
    nodes = [start_node() for _ in range(count)]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        said = {"alice": 0, "bob": 1000}

        def talk(times: int) -> None:
            for _ in range(times):
                for caller in (alice, bob):
                    assert caller.say(said[caller.who])
                    said[caller.who] += 1

        talk(20)
        nodes[0].kill()
        # Bob goes on meanwhile: what he says is kept for whoever comes back.
        for _ in range(10):
            assert bob.say(said["bob"])
            said["bob"] += 1
        assert alice.move() < 10
        talk(20)
        nodes[0].start()
        nodes[1].kill()
        took = [caller.move() for caller in (alice, bob) if caller.socket.url == nodes[1].url]
        assert took and max(took) < 10
        talk(20)
        eventually(lambda: bob.candidates == list(range(said["alice"])), "bob has missed nothing")
        eventually(lambda: alice.candidates == list(range(1000, said["bob"])), "and alice neither")
        assert s.status(alice.call_id, "alice")["state"] == "active"
        nodes[1].start()


@pytest.mark.parametrize("how", ["stopped", "killed", "frozen"])
def test_redis_goes_away_during_signaling(
    start_node: Callable[..., RunningServer], redis: RedisServer, how: str
) -> None:
    nodes = [start_node(), start_node()]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        done = threading.Event()
        said = itertools.count()

        def talk() -> None:
            while not done.is_set():
                assert alice.say(next(said))
                time.sleep(0.01)

        talker = threading.Thread(target=talk)
        talker.start()
        eventually(lambda: len(bob.candidates) > 20, "bob hears alice")
        if how == "frozen":
            redis.freeze()
        else:
            redis.stop(signal.SIGTERM if how == "stopped" else signal.SIGKILL)
        before = len(bob.candidates)
        eventually(lambda: len(bob.candidates) > before + 100, "bob hears alice by way of the database")
        redis.thaw() if how == "frozen" else redis.start()
        eventually(lambda: "Redis is there" in nodes[0].log.split("Redis is away")[-1], "Redis is back", seconds=20)
        time.sleep(0.5)
        done.set()
        talker.join(20)
        count = next(said)
        eventually(lambda: bob.candidates == list(range(count)), "nothing is lost, in order")


def test_a_node_that_is_cut_off_from_redis(start_node: Callable[..., RunningServer], redis: RedisServer) -> None:
    cable = TCPCable(redis.port)
    nodes = [start_node(), start_node(REDIS_URL=redis.url.replace(f":{redis.port}/", f":{cable.port}/"))]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        cable.pull()
        eventually(lambda: "Redis is away" in nodes[1].log, "the node notices")
        for number in range(20):
            assert alice.say(number) and bob.say(1000 + number)
        eventually(lambda: bob.candidates == list(range(20)), "bob hears alice by way of the database", 5)
        eventually(lambda: alice.candidates == list(range(1000, 1020)), "and alice hears bob")
        cable.plug()
        eventually(lambda: nodes[1].log.count("Redis is there") == 2, "the node is back")
        assert alice.say(20)
        eventually(lambda: bob.candidates == list(range(21)), "at once again", 2)
    cable.close()


def test_a_node_that_is_cut_off_from_postgresql(
    start_node: Callable[..., RunningServer], postgres: PostgreSQL, database: str
) -> None:
    cable = TCPCable(postgres.port)
    name = database.split("@/")[1].split("?")[0]
    by_cable = f"postgres://enterprise_user@127.0.0.1:{cable.port}/{name}"
    nodes = [start_node(), start_node(DATABASE_URL=by_cable)]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        assert alice.say(0) and bob.say(1000)
        cable.pull()
        refused = bob.socket.call("ice-candidate", {"callId": bob.call_id, "candidate": {"candidate": "candidate:1"}})
        assert refused["code"] == "store_unavailable"
        assert alice.say(1), "whoever is elsewhere goes on"
        # Bob's node is silent in the database, and taken for dead: his place is on grace.
        eventually(lambda: s.participant(alice.call_id, "bob")["state"] == "reconnecting", "bob's node is given up")
        eventually(lambda: not bob.socket.client.connected, "the node sends bob away")
        assert bob.move() < 10, "bob finds the other node"
        assert bob.say(1001)
        cable.plug()
        eventually(lambda: "took this node for dead" in nodes[1].log, "the node hears of it when it is back")
        eventually(lambda: bob.candidates == [0, 1], "bob has missed nothing")
        eventually(lambda: alice.candidates == [1000, 1001], "and alice neither")
    cable.close()


def test_a_call_whose_acknowledgement_is_lost_is_found_by_the_key_of_its_request(
    start_node: Callable[..., RunningServer], postgres: PostgreSQL, database: str
) -> None:
    cable = TCPCable(postgres.port)
    name = database.split("@/")[1].split("?")[0]
    node = start_node(DATABASE_URL=f"postgres://enterprise_user@127.0.0.1:{cable.port}/{name}")
    with Scenario(node) as s:
        # The statement is known to the connection by then.
        s.post(f"/api/calls/{s.initiate('alice', ['bob'])}/end", "alice")
        body = {"roomId": s.room, "callType": "video", "invitees": [s.id("bob")]}
        key = {"headers": {"Idempotency-Key": f"lost-{s.number}"}}
        cable.lose_answers_from(b"create call")
        lost = s.post("/api/calls/initiate", "alice", body, **key)
        assert (lost.status_code, lost.json()["code"]) == (503, "store_unavailable") and cable.has_lost
        cable.pull(), cable.plug()

        def again() -> requests.Response:
            return s.post("/api/calls/initiate", "alice", body, **key)

        eventually(lambda: again().status_code != 503, "the database is back")
        found = again()
        assert found.status_code == 201, found.text
        active = s.get("/api/calls/active", "alice").json()
        assert [call["callId"] for call in active["calls"]] == [found.json()["callId"]]
        assert s.post("/api/calls/initiate", "alice", body).status_code == 409
    cable.close()


def test_whoever_does_not_come_back_after_the_node_died_leaves(start_node: Callable[..., RunningServer]) -> None:
    nodes = [start_node(CALL_RECONNECT_GRACE="2s"), start_node(CALL_RECONNECT_GRACE="2s")]
    with Scenario(nodes[1]) as s:
        alice, bob = call_across(s, nodes)
        nodes[0].kill()
        ended = bob.socket.wait("call-ended", seconds=30)
        assert ended["reason"] == "left"
        assert bob.say(0) is False
        nodes[0].start()


def test_our_broadcasts_have_the_format_of_the_redis_adapter(
    start_node: Callable[..., RunningServer], redis: RedisServer
) -> None:
    nodes = [start_node()]
    with Scenario(nodes[0]) as s, redis.client.pubsub() as pubsub:
        a, b = s.socket("alice"), s.socket("bob")
        call_id = s.active_call(a, b)
        pubsub.psubscribe("socket.io#/#*")
        assert pubsub.get_message(timeout=5)["type"] == "psubscribe"
        payload = {"sdp": "v=0", "n": 1, "f": 1.5, "nul": None, "ok": True}
        assert a.call("webrtc-offer", {"callId": call_id, "offer": {"type": "offer", **payload}})["ok"]
        message = pubsub.get_message(timeout=5)
        assert message["channel"] == f"socket.io#/#call:{call_id}#".encode()
        sender, packet, options = msgpack.unpackb(message["data"])
        assert len(sender) == 6
        heard = b.wait("webrtc-offer")
        assert list(packet.items()) == [("type", 2), ("data", ["webrtc-offer", heard]), ("nsp", "/")]
        assert list(options.items()) == [("rooms", [f"call:{call_id}"]), ("except", []), ("flags", {})]
        # The format fixes every byte: a minimal MessagePack writer comes to the same.
        assert msgpack.packb([sender, packet, options]) == message["data"]
        other = {"candidate": {"candidate": "candidate:1"}, "callId": call_id, "to": s.id("bob")}
        assert a.call("ice-candidate", other)["ok"]
        assert pubsub.get_message(timeout=5)["channel"] == f"socket.io#/#user:{s.id('bob')}#".encode()


def publish(redis: RedisServer, rooms: list[str], event: str, payload: object) -> None:
    """As anybody would by hand, in ten lines of Python."""
    packet = {"type": 2, "data": [event, payload], "nsp": "/"}
    message = msgpack.packb(["emitter", packet, {"rooms": rooms, "flags": {}, "except": []}])
    channel = f"socket.io#/#{rooms[0]}#" if len(rooms) == 1 else "socket.io#/#"
    redis.client.publish(channel, message)


def test_a_message_made_by_hand_reaches_the_room_if_emitters_are_allowed(
    start_node: Callable[..., RunningServer], redis: RedisServer
) -> None:
    nodes = [start_node(REDIS_EMITTER="true"), start_node(REDIS_EMITTER="true"), start_node()]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        strict = s.stack.enter_context(AsyncClient(nodes[2].url, s.name("bob")))
        publish(redis, [f"call:{alice.call_id}"], "from-python", {"a": 1})
        assert alice.socket.wait("from-python") == {"a": 1} and bob.socket.wait("from-python") == {"a": 1}
        publish(redis, [f"user:{s.id('bob')}"], "only-bob", {"b": 2})
        assert bob.socket.wait("only-bob") == {"b": 2}
        publish(redis, [f"user:{s.id('bob')}", f"user:{s.id('alice')}"], "both", {})
        alice.socket.wait("both"), bob.socket.wait("both")
        # An event of a call with a number is looked for in the store, where it is not.
        forged = {"callId": alice.call_id, "seq": 10_000, "reason": "hangup", "call": {}}
        publish(redis, [f"call:{alice.call_id}"], "call-ended", forged)
        publish(redis, [f"call:{alice.call_id}"], "disconnect", {})
        publish(redis, [f"call:{alice.call_id}"], "after", {})
        alice.socket.wait("after"), bob.socket.wait("after")
        assert not alice.socket.seen("call-ended") and not bob.socket.seen("call-ended")
        assert not alice.socket.seen("only-bob") and not alice.socket.seen("disconnect")
        strict.settle()
        assert not strict.seen("only-bob") and not strict.seen("both"), "a node that allows none passes none on"


def test_two_pages_on_two_nodes(
    start_node: Callable[..., RunningServer], open_room: Callable[[RunningServer], Room]
) -> None:
    # In this order: whoever is on a page leaves before the nodes do.
    nodes = [start_node(), start_node()]
    alice = open_room(nodes[0]).enter("alice")
    bob: Person = open_room(nodes[1]).enter("bob")
    call_id = alice.call_by_name(bob.name, "video")
    bob.see("answer-video").click()
    alice.connected(), bob.connected()
    bob.see("hang-up-button").click()
    alice.told(f"{bob.title} hung up.")
    status = nodes[0].request("GET", f"/api/calls/{call_id}/status", alice.name).json()
    assert (status["state"], status["endedBy"]) == ("ended", user_id(bob.name))


# Now and then the caller hears nothing any more once the relay is gone by which the media went. Why is not known yet.
@pytest.mark.alone
@pytest.mark.xfail(raises=AssertionError, strict=False, reason="another path is sometimes not found within 20 s")
@pytest.mark.parametrize("who", ["caller", "callee"])
def test_two_pages_while_the_node_of_one_is_killed(
    open_room: Callable[[RunningServer], Room], start_node: Callable[..., RunningServer], who: str
) -> None:
    nodes = [start_node(**WATCHFUL), start_node(**WATCHFUL)]
    alice, by_alice = open_room(nodes[0]).enter_by_path("alice")
    bob, by_bob = open_room(nodes[1]).enter_by_path("bob")
    call_id = alice.call_by_name(bob.name, "video")
    bob.see("answer-video").click()
    alice.connected(), bob.connected()
    dead, path, left = (nodes[0], by_alice, nodes[1]) if who == "caller" else (nodes[1], by_bob, nodes[0])
    dead.kill()
    path.lead_to(left)
    hit = alice if who == "caller" else bob
    back = "The connection is back."
    try:
        eventually(lambda: back in hit.record()["notes"].splitlines(), "the page has resumed and media flows again", 10)
        assert_recovered(left, call_id, alice, bob)
    finally:
        dead.start()


def turn_hosts(ice: dict) -> list[str]:
    """The relays that clients are told of, by their ports."""
    entry = next(entry for entry in ice["iceServers"] if "credential" in entry)
    return [uri.split(":")[2].split("?")[0] for uri in entry["urls"]]


def relay_of(node: RunningServer, ice: dict) -> TurnClient:
    entry = next(entry for entry in ice["iceServers"] if "credential" in entry)
    return TurnClient(("127.0.0.1", node.turn_port), entry["username"], entry["credential"])


def test_clients_are_told_of_two_relays_the_nearest_and_least_loaded_first(
    start_node: Callable[..., RunningServer],
) -> None:
    europe = [start_node(NODE_REGION="eu"), start_node(NODE_REGION="eu")]
    america = start_node(NODE_REGION="us")
    with Scenario(europe[0]) as s:

        def told(node: RunningServer) -> list[str]:
            return turn_hosts(node.request("GET", "/api/calls/ice-servers", s.name("alice")).json())

        ports = {node: str(node.turn_port) for node in (*europe, america)}
        eventually(lambda: set(told(europe[0])) == {ports[europe[0]], ports[europe[1]]}, "both of Europe")
        eventually(lambda: told(america)[0] == ports[america] and len(told(america)) == 2, "America first")
        # A credential of one node is good on all.
        ice = america.request("GET", "/api/calls/ice-servers", s.name("alice")).json()
        with relay_of(europe[0], ice) as relay:
            relay.allocate()
            eventually(lambda: told(europe[1]) == [ports[europe[1]], ports[europe[0]]], "the one with less to do first")
        europe[1].kill()
        eventually(lambda: set(told(europe[0])) == {ports[europe[0]], ports[america]}, "the next best", seconds=15)
        europe[1].start()


def test_a_relay_that_was_killed_and_is_back_counts_as_one(start_node: Callable[..., RunningServer]) -> None:
    """Else clients are told of it twice and of no other, and have nothing to fall back on when it dies again."""
    busy, restarted = start_node(), start_node()
    with Scenario(busy) as s:

        def told() -> list[str]:
            return turn_hosts(busy.request("GET", "/api/calls/ice-servers", s.name("alice")).json())

        ice = busy.request("GET", "/api/calls/ice-servers", s.name("alice")).json()
        with relay_of(busy, ice) as relay:
            relay.allocate()
            both = [str(restarted.turn_port), str(busy.turn_port)]
            eventually(lambda: told() == both, "the one with less to do first")
            restarted.kill()
            restarted.start()
            # By its answers it is there again when this one has read of it.
            heard = [told()]
            deadline = time.monotonic() + 4
            while time.monotonic() < deadline and heard[-1] == both:
                heard.append(told())
                time.sleep(0.1)
            assert heard[-1] == both


def test_a_node_that_relays_nothing_tells_of_the_relays_of_others(start_node: Callable[..., RunningServer]) -> None:
    signaling, relay = start_node(TURN_ENABLED="false"), start_node()
    with Scenario(signaling) as s:

        def told() -> dict:
            return s.get("/api/calls/ice-servers", "alice").json()

        eventually(lambda: any("credential" in entry for entry in told()["iceServers"]), "a relay")
        assert turn_hosts(told()) == [str(relay.turn_port)]
        with relay_of(relay, told()) as client:
            client.allocate()
        relay.kill()
        eventually(lambda: told()["iceServers"] == [], "none", seconds=15)
        relay.start()


def test_whoever_uses_a_relay_that_goes_is_told_of_another(start_node: Callable[..., RunningServer]) -> None:
    nodes = [start_node(), start_node(), start_node()]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        eventually(lambda: len(turn_hosts(s.get("/api/calls/ice-servers", "alice").json())) == 2, "two relays")
        time.sleep(5)
        alice.socket.received.clear()
        nodes[2].kill()
        told = alice.socket.wait("ice-servers", seconds=20)
        assert set(turn_hosts(told)) == {str(nodes[0].turn_port), str(nodes[1].turn_port)}
        # Bob's node stops in order: he goes elsewhere, alice is told that its relay is none any more.
        assert nodes[1].stop() == 0
        assert bob.move() < 10
        told = alice.socket.wait("ice-servers", lambda ice: turn_hosts(ice) == [str(nodes[0].turn_port)], seconds=20)
        assert told
        nodes[1].start(), nodes[2].start()


def test_the_end_of_a_call_ends_its_allocations_on_every_node(start_node: Callable[..., RunningServer]) -> None:
    nodes = [start_node(), start_node(), start_node()]
    with Scenario(nodes[0]) as s:
        alice, bob = call_across(s, nodes)
        ice = nodes[0].request("POST", f"/api/calls/{alice.call_id}/answer", s.name("bob"), {}).json()
        with relay_of(nodes[2], ice) as relay:
            relay.allocate()

            def kinds() -> list[str]:
                items = s.get(f"/api/calls/{alice.call_id}/events?limit=200", "alice").json()["items"]
                return [item["kind"] for item in items]

            eventually(lambda: "relay-allocated" in kinds(), "the allocation is known")
            assert bob.socket.call("leave-call", {"callId": bob.call_id})["ok"]
            alice.socket.wait("call-ended")
            eventually(lambda: "relay-released" in kinds(), "the third node hears of the end", seconds=10)
            with pytest.raises(TurnError) as refused:
                relay.refresh(600)
            assert refused.value.code == 437


def test_long_polling_that_lands_on_the_wrong_node_is_told_why(start_node: Callable[..., RunningServer]) -> None:
    nodes = [start_node(), start_node()]
    opened = requests.get(f"{nodes[0].url}/socket.io/?EIO=4&transport=polling", timeout=10).text
    session = json.loads(opened[1:])["sid"]
    for request in (requests.get, requests.post):
        answer = request(f"{nodes[1].url}/socket.io/?EIO=4&transport=polling&sid={session}", timeout=10)
        assert answer.status_code == 400
        body = answer.json()
        assert (body["code"], body["message"]) == (1, "Session ID unknown")
        assert "Another server opened it" in body["cause"] and "WebSockets" in body["cause"]
    nobody = requests.get(f"{nodes[1].url}/socket.io/?EIO=4&transport=polling&sid=nobodys", timeout=10)
    assert nobody.json() == {"code": 1, "message": "Session ID unknown"}

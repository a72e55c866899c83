"""RFC 8489's credentials against the live relay: SHA-256, user hashes, attempts to bid them down, and MD5 beside them."""

import os
import socket

import pytest

import stun_message as stun
from running_server import RunningServer
from turn_client import BidDown, Sha256TurnClient, TurnClient, TurnError, time_limited_credential

USERS = {"alice": "wonderland", "bob": "builder"}


@pytest.fixture
def relay(start_server) -> RunningServer:
    """STUN and TURN alone with static users: every name is known, so user hashes are offered."""
    users = ",".join(f"{name}:{password}" for name, password in USERS.items())
    return start_server(
        AUTH_MODE="off", TURN_LISTEN="127.0.0.1", TURN_STATIC_USERS=users, TURN_SHARED_SECRET=None, TURN_UNAUTH_REPLIES="0"
    )


def client(kind: type, server: RunningServer, name: str = "alice", password: str | None = None) -> TurnClient:
    return kind(("127.0.0.1", server.turn_port), name, password or USERS[name])


def refusal(asking: TurnClient) -> int:
    with asking, pytest.raises(TurnError) as refused:
        asking.allocate()
    return refused.value.code


def test_sha256_and_the_users_hash_open_and_serve_an_allocation(relay: RunningServer) -> None:
    with client(Sha256TurnClient, relay) as alice, client(Sha256TurnClient, relay, "bob") as bob:
        for each in (alice, bob):
            each.allocate()
            assert each.features == stun.FEATURE_PASSWORD_ALGORITHMS | stun.FEATURE_USERNAME_ANONYMITY
            assert each.algorithms == bytes([0, stun.SHA256, 0, 0, 0, stun.MD5, 0, 0])
            assert stun.USERHASH in dict(each.credential()) and stun.USERNAME not in dict(each.credential())
        alice.create_permission(bob.relayed), bob.create_permission(alice.relayed)
        alice.bind_channel(0x4000, bob.relayed)
        alice.send_channel(0x4000, b"by SHA-256")
        assert bob.receive().data == b"by SHA-256"
        assert alice.refresh(600) == 600


def test_an_md5_client_beside_it_and_on_the_same_allocation(relay: RunningServer) -> None:
    with client(TurnClient, relay) as old, client(Sha256TurnClient, relay) as new:
        old.allocate(), new.allocate()
        old.create_permission(new.relayed), new.create_permission(old.relayed)
        old.send(new.relayed, b"side by side")
        assert new.receive().data == b"side by side"
        # The allocation keeps both keys: its owner may change the algorithm between two requests.
        new.algorithms, new.features, new.integrity = None, 0, stun.MESSAGE_INTEGRITY
        new.key = stun.long_term_key(new.username, new.realm, new.password)
        assert new.refresh(600) == 600


def test_sha256_with_a_time_limited_credential_names_the_user(start_server) -> None:
    server = start_server()
    username, password = time_limited_credential(server.turn_secret, "alice")
    with client(Sha256TurnClient, server, username, password) as alice:
        alice.allocate()
        assert alice.features == stun.FEATURE_PASSWORD_ALGORITHMS
        assert stun.USERNAME in dict(alice.credential())
        assert alice.algorithm == stun.SHA256 and alice.integrity == stun.MESSAGE_INTEGRITY_SHA256


def test_wrong_passwords_names_and_hashes_are_refused(relay: RunningServer) -> None:
    for kind in (TurnClient, Sha256TurnClient):
        assert refusal(client(kind, relay, "alice", "Wonderland")) == 401
        assert refusal(client(kind, relay, "mallory", "wonderland")) == 401


class Strips(Sha256TurnClient):
    """Somebody on the path takes PASSWORD-ALGORITHMS out of the server's answers."""

    def take_challenge(self, answer: stun.Message) -> None:
        answer.attributes = [pair for pair in answer.attributes if pair[0] != stun.PASSWORD_ALGORITHMS]
        super().take_challenge(answer)


class StripsAndFlips(Strips):
    """… and makes the nonce agree."""

    def take_challenge(self, answer: stun.Message) -> None:
        answer.attributes = [
            (kind, value.replace(b"obMatJos2AAAD", b"obMatJos2AAAA") if kind == stun.NONCE else value)
            for kind, value in answer.attributes
        ]
        super().take_challenge(answer)


class Shortens(Sha256TurnClient):
    """… or leaves only the weaker algorithm in the list."""

    def take_challenge(self, answer: stun.Message) -> None:
        answer.attributes = [
            (kind, bytes([0, stun.MD5, 0, 0]) if kind == stun.PASSWORD_ALGORITHMS else value)
            for kind, value in answer.attributes
        ]
        super().take_challenge(answer)


class DropsChoice(Sha256TurnClient):
    """A request that loses its algorithms on the way, one or both."""

    lost: tuple[int, ...] = ()

    def exchange(self, request: bytes, *, key: bytes | None = None) -> stun.Message:
        message = stun.decode(request)
        seal = message.first(stun.MESSAGE_INTEGRITY_SHA256)
        if seal is None:
            return super().exchange(request, key=key)
        kept = [pair for pair in message.attributes if pair[0] not in (*self.lost, stun.FINGERPRINT)]
        forged = stun.encode(message.method, stun.REQUEST, kept, transaction_id=message.transaction_id)
        return super().exchange(forged, key=key)


def test_a_list_that_was_stripped_is_noticed_by_the_client(relay: RunningServer) -> None:
    with client(Strips, relay) as alice, pytest.raises(BidDown):
        alice.allocate()


def test_a_nonce_whose_bits_were_cleared_is_never_good(relay: RunningServer) -> None:
    assert refusal(client(StripsAndFlips, relay)) == 438


def test_a_shortened_list_is_refused(relay: RunningServer) -> None:
    assert refusal(client(Shortens, relay)) == 400


@pytest.mark.parametrize(
    "lost, code",
    [
        ((stun.PASSWORD_ALGORITHMS, stun.PASSWORD_ALGORITHM), 401),
        ((stun.PASSWORD_ALGORITHMS,), 400),
        ((stun.PASSWORD_ALGORITHM,), 400),
    ],
)
def test_algorithms_that_are_lost_on_the_way_to_the_server_fail_the_request(
    relay: RunningServer, lost: tuple[int, ...], code: int
) -> None:
    asking = client(DropsChoice, relay)
    asking.lost = lost
    assert refusal(asking) == code


def test_no_unauthenticated_answer_is_more_than_three_times_its_request(start_server) -> None:
    server = start_server(TURN_REALM="x" * 28)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(5)
        asking.connect(("127.0.0.1", server.turn_port))
        for method in (stun.BINDING, stun.ALLOCATE, stun.REFRESH):
            for fingerprint in (True, False):
                request = stun.encode(method, stun.REQUEST, [], fingerprint=fingerprint, transaction_id=os.urandom(12))
                asking.send(request)
                reply = asking.recv(2048)
                assert len(reply) + 28 <= 3 * (len(request) + 28)
                message = stun.decode(reply)
                assert message.first(stun.SOFTWARE) is None
                assert len(message.first(stun.ERROR_CODE) or bytes(4)) == 4, "a reason phrase"

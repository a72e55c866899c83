"""A small TURN client over UDP (RFC 8656): enough to ask a relay every question the tests have."""

import base64
import hashlib
import hmac
import os
import select
import socket
import struct
import time
from dataclasses import dataclass

import stun_message as stun

Address = tuple[str, int]


class TurnError(Exception):
    def __init__(self, code: int, method: int):
        super().__init__(f"method {method:#x} was answered {code}")
        self.code = code


@dataclass(frozen=True)
class Received:
    """What came from a peer through the relay: by its address (Data indication) or by a channel."""

    data: bytes
    peer: Address | None = None
    channel: int | None = None


@dataclass(frozen=True)
class ICMPReport:
    """What the relay heard about a datagram to a peer (Data indication with ICMP, RFC 8656 section 18.13)."""

    peer: Address
    type: int
    code: int
    data: int


def time_limited_credential(secret: str, name: str, lifetime_seconds: int = 3600) -> tuple[str, str]:
    """Username and password as a client of the shared secret makes them."""
    username = f"{int(time.time()) + lifetime_seconds}:{name}"
    digest = hmac.new(secret.encode(), username.encode(), hashlib.sha1).digest()
    return username, base64.b64encode(digest).decode()


class TurnClient:
    """Signs as clients of RFC 5389 and every browser do: MD5 and SHA-1, whatever else a server offers."""

    integrity = stun.MESSAGE_INTEGRITY

    def __init__(
        self,
        server: Address,
        username: str,
        password: str,
        *,
        source: Address = ("127.0.0.1", 0),
        timeout_seconds: float = 5.0,
    ):
        self.server, self.username, self.password = server, username, password
        self.timeout_seconds = timeout_seconds
        self.socket = socket.socket(socket.AF_INET6 if ":" in server[0] else socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(source)
        self.socket.connect(server)
        self.realm: str | None = None
        self.nonce: bytes | None = None
        self.key: bytes | None = None
        self.relayed: Address | None = None
        self.all_relayed: list[Address] = []
        self.token: bytes | None = None
        self.mapped: Address | None = None
        self.lifetime_seconds: int | None = None
        self._waiting: list[Received] = []
        self.icmp: list[ICMPReport] = []

    def __enter__(self) -> "TurnClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Gives the allocation back, so that a test leaves no port and no quota behind."""
        if self.socket.fileno() >= 0 and self.relayed is not None:
            try:
                self.refresh(0)
            except (TurnError, TimeoutError, OSError):
                pass  # the server may be gone or the allocation with it; the socket closes either way
        self.socket.close()

    # Requests.

    def allocate(self, *extra: tuple[int, bytes], lifetime_seconds: int | None = None) -> Address:
        attributes = [(stun.REQUESTED_TRANSPORT, bytes([stun.UDP, 0, 0, 0])), *extra]
        if lifetime_seconds is not None:
            attributes.append((stun.LIFETIME, struct.pack("!I", lifetime_seconds)))
        answer = self.request(stun.ALLOCATE, attributes)
        self.relayed = answer.address(stun.XOR_RELAYED_ADDRESS)
        self.all_relayed = answer.addresses(stun.XOR_RELAYED_ADDRESS)
        self.token = answer.first(stun.RESERVATION_TOKEN)
        self.mapped = answer.address(stun.XOR_MAPPED_ADDRESS)
        self.lifetime_seconds = answer.number(stun.LIFETIME)
        return self.relayed

    def refresh(self, lifetime_seconds: int) -> int:
        answer = self.request(stun.REFRESH, [(stun.LIFETIME, struct.pack("!I", lifetime_seconds))])
        if lifetime_seconds == 0:
            self.relayed = None
        return answer.number(stun.LIFETIME)

    def create_permission(self, *peers: Address) -> None:
        self.request(stun.CREATE_PERMISSION, [(stun.XOR_PEER_ADDRESS, peer) for peer in peers])

    def bind_channel(self, number: int, peer: Address) -> None:
        channel = (stun.CHANNEL_NUMBER, struct.pack("!HH", number, 0))
        self.request(stun.CHANNEL_BIND, [channel, (stun.XOR_PEER_ADDRESS, peer)])

    def binding(self) -> Address:
        return self.exchange(stun.encode(stun.BINDING, stun.REQUEST, [])).address(stun.XOR_MAPPED_ADDRESS)

    def request(self, method: int, attributes: list) -> stun.Message:
        """Asks, answers the challenge (401) and a stale nonce (438) once each; raises TurnError for the rest."""
        challenges = {401, 438} if self.key is None else {438}
        while True:
            answer = self.exchange(self.encode_request(method, attributes), key=self.key)
            if answer.message_class == stun.SUCCESS:
                return answer
            if answer.error_code not in challenges:
                raise TurnError(answer.error_code, method)
            challenges.discard(answer.error_code)
            self.take_challenge(answer)

    def take_challenge(self, answer: stun.Message) -> None:
        self.realm = answer.first(stun.REALM).decode()
        self.nonce = answer.first(stun.NONCE)
        self.key = stun.long_term_key(self.username, self.realm, self.password)

    def credential(self) -> list[tuple[int, bytes]]:
        """The attributes that name user, realm and nonce."""
        user = (stun.USERNAME, self.username.encode())
        return [user, (stun.REALM, self.realm.encode()), (stun.NONCE, self.nonce)]

    def encode_request(self, method: int, attributes: list) -> bytes:
        """The request as bytes. An address is given as (host, port): it can be masked only now."""
        transaction_id = os.urandom(12)
        encoded = [
            (kind, stun.encode_xor_address(*value, transaction_id) if isinstance(value, tuple) else value)
            for kind, value in attributes
        ]
        if self.key is not None:
            encoded += self.credential()
        return stun.encode(
            method, stun.REQUEST, encoded, key=self.key, integrity=self.integrity, transaction_id=transaction_id
        )

    def exchange(self, request: bytes, *, key: bytes | None = None) -> stun.Message:
        """One transaction with retransmissions (RFC 8489 section 6.2.1); relayed data that comes meanwhile is kept."""
        deadline, wait = time.monotonic() + self.timeout_seconds, 0.5
        while time.monotonic() < deadline:
            self.socket.send(request)
            resend = min(time.monotonic() + wait, deadline)
            wait *= 2
            while (datagram := self._next_datagram(resend)) is not None:
                if datagram[0] & 0xC0:
                    self._keep(datagram)
                    continue
                answer = stun.decode(datagram)
                if answer.message_class == stun.INDICATION:
                    self._keep(datagram)
                elif answer.transaction_id == request[8:20]:
                    # An error answer to a request that did not authenticate carries no integrity.
                    if answer.message_class == stun.SUCCESS:
                        return stun.decode(datagram, key=key, integrity=self.integrity)
                    return answer
        raise TimeoutError(f"{self.server} did not answer within {self.timeout_seconds} s")

    # Relayed data.

    def send(self, peer: Address, data: bytes, *extra: tuple[int, bytes], fingerprint: bool = False) -> None:
        transaction_id = os.urandom(12)
        address = stun.encode_xor_address(*peer, transaction_id)
        attributes = [(stun.XOR_PEER_ADDRESS, address), *extra, (stun.DATA_ATTRIBUTE, data)]
        self.socket.send(
            stun.encode(stun.SEND, stun.INDICATION, attributes, transaction_id=transaction_id, fingerprint=fingerprint)
        )

    def send_channel(self, number: int, data: bytes) -> None:
        self.socket.send(struct.pack("!HH", number, len(data)) + data)

    def receive(self, timeout_seconds: float = 5.0) -> Received:
        if self._waiting:
            return self._waiting.pop(0)
        deadline = time.monotonic() + timeout_seconds
        while (datagram := self._next_datagram(deadline)) is not None:
            self._keep(datagram)
            if self._waiting:
                return self._waiting.pop(0)
        raise TimeoutError(f"nothing was relayed within {timeout_seconds} s")

    def receive_icmp(self, timeout_seconds: float = 5.0) -> ICMPReport:
        deadline = time.monotonic() + timeout_seconds
        while not self.icmp and (datagram := self._next_datagram(deadline)) is not None:
            self._keep(datagram)
        if not self.icmp:
            raise TimeoutError(f"no ICMP was reported within {timeout_seconds} s")
        return self.icmp.pop(0)

    def _keep(self, datagram: bytes) -> None:
        if datagram[0] & 0xC0 == 0x40:
            number, length = struct.unpack_from("!HH", datagram)
            if len(datagram) < 4 + length:
                raise stun.Malformed(f"ChannelData says {length} bytes, has {len(datagram) - 4}")
            self._waiting.append(Received(datagram[4 : 4 + length], channel=number))
            return
        message = stun.decode(datagram)
        if (message.method, message.message_class) == (stun.DATA, stun.INDICATION):
            if (icmp := message.first(stun.ICMP)) is not None:
                _, kind, error_data = struct.unpack("!HHI", icmp)
                peer = message.address(stun.XOR_PEER_ADDRESS)
                self.icmp.append(ICMPReport(peer, kind >> 9, kind & 0x1FF, error_data))
                return
            data = message.first(stun.DATA_ATTRIBUTE)
            self._waiting.append(Received(data, peer=message.address(stun.XOR_PEER_ADDRESS)))

    def _next_datagram(self, deadline: float) -> bytes | None:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.socket], [], [], left)[0]:
            return None
        return self.socket.recv(65536)  # ConnectionRefusedError (ICMP) is the caller's to see: nobody listens there


class Sha256TurnClient(TurnClient):
    """Signs as RFC 8489 sections 9.2.3 to 9.2.5 want it: the first algorithm of the server's list, MESSAGE-INTEGRITY-SHA256,
    and the user's hash where the nonce says that the server knows it."""

    algorithms: bytes | None = None
    algorithm = stun.SHA256
    features = 0

    def take_challenge(self, answer: stun.Message) -> None:
        super().take_challenge(answer)
        self.features = stun.security_features(self.nonce)
        self.algorithms = answer.first(stun.PASSWORD_ALGORITHMS)
        if self.features & stun.FEATURE_PASSWORD_ALGORITHMS and self.algorithms is None:
            raise BidDown("the nonce announces password algorithms and the answer has none")
        if self.algorithms is None:  # an old server, or what somebody on the path makes look like one
            self.integrity = stun.MESSAGE_INTEGRITY
            return
        self.integrity = stun.MESSAGE_INTEGRITY_SHA256
        self.algorithm = struct.unpack_from("!H", self.algorithms)[0]
        self.key = stun.long_term_key(self.username, self.realm, self.password, self.algorithm)

    def credential(self) -> list[tuple[int, bytes]]:
        attributes = super().credential()
        if self.features & stun.FEATURE_USERNAME_ANONYMITY:
            attributes[0] = (stun.USERHASH, stun.userhash(self.username, self.realm))
        if self.algorithms is not None:
            attributes.append((stun.PASSWORD_ALGORITHMS, self.algorithms))
            attributes.append((stun.PASSWORD_ALGORITHM, struct.pack("!HH", self.algorithm, 0)))
        return attributes


class BidDown(Exception):
    """Somebody on the path took a security feature out of the server's answer."""

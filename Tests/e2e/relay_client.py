"""A small TURN client over UDP and IPv4 for tests, on Python's standard library alone."""

import hashlib
import hmac
import os
import socket
import struct

MAGIC_COOKIE = 0x2112A442

ALLOCATE, REFRESH, SEND, DATA, CREATE_PERMISSION, CHANNEL_BIND, BINDING = 3, 4, 6, 7, 8, 9, 1
REQUEST, INDICATION, SUCCESS, ERROR = 0x000, 0x010, 0x100, 0x110

USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, CHANNEL_NUMBER, LIFETIME = 0x0006, 0x0008, 0x0009, 0x000C, 0x000D
XOR_PEER_ADDRESS, DATA_ATTRIBUTE, REALM, NONCE = 0x0012, 0x0013, 0x0014, 0x0015
XOR_RELAYED_ADDRESS, REQUESTED_TRANSPORT, XOR_MAPPED_ADDRESS = 0x0016, 0x0019, 0x0020


class TurnError(Exception):
    """An error response; `code` is that of ERROR-CODE."""

    def __init__(self, code, reason):
        super().__init__(f"{code} {reason}")
        self.code = code


def attribute(kind, value):
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def message(method, kind, body, transaction=None):
    transaction = transaction or os.urandom(12)
    return struct.pack("!HHI", method | kind, len(body), MAGIC_COOKIE) + transaction + body


def xor_address(address):
    host, port = address
    bits = struct.unpack("!I", socket.inet_aton(host))[0] ^ MAGIC_COOKIE
    return struct.pack("!BBHI", 0, 1, port ^ (MAGIC_COOKIE >> 16), bits)


def plain_address(value):
    _, family, port, bits = struct.unpack("!BBHI", value[:8])
    assert family == 1, "an IPv4 address was expected"
    return socket.inet_ntoa(struct.pack("!I", bits ^ MAGIC_COOKIE)), port ^ (MAGIC_COOKIE >> 16)


def attributes(datagram):
    found, offset = {}, 20
    end = 20 + struct.unpack("!H", datagram[2:4])[0]
    while offset + 4 <= end:
        kind, length = struct.unpack("!HH", datagram[offset : offset + 4])
        found.setdefault(kind, datagram[offset + 4 : offset + 4 + length])
        offset += 4 + length + (-length % 4)
    return found


class TurnClient:
    """One client: a UDP socket, and the credentials it speaks with."""

    def __init__(self, server, username="", password="", bind="127.0.0.1"):
        self.server, self.username, self.password = server, username, password
        self.realm = self.nonce = None
        self.relayed = None
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.socket.bind((bind, 0))
        self.socket.connect(server)
        self.socket.settimeout(5)

    def close(self):
        self.socket.close()

    def request(self, method, body=b"", attempts=3):
        """Sends a request, with credentials once a realm is known, and answers the attributes of its success."""
        for _ in range(attempts):
            answer, kind = self._exchange(method, body)
            if kind == SUCCESS:
                return answer
            code = answer[ERROR_CODE][2] * 100 + answer[ERROR_CODE][3]
            if code not in (401, 438) or (code == 401 and self.realm is not None):
                raise TurnError(code, answer[ERROR_CODE][4:].decode())
            self.realm, self.nonce = answer[REALM], answer[NONCE]
        raise TurnError(438, "the nonce never was fresh enough")

    def _exchange(self, method, body):
        transaction = os.urandom(12)
        if self.realm is not None:
            body += attribute(USERNAME, self.username.encode())
            body += attribute(REALM, self.realm) + attribute(NONCE, self.nonce)
            secret = ":".join((self.username, self.realm.decode(), self.password)).encode()
            key = hashlib.md5(secret).digest()
            covered = struct.pack("!HHI", method, len(body) + 24, MAGIC_COOKIE) + transaction + body
            body += attribute(MESSAGE_INTEGRITY, hmac.new(key, covered, hashlib.sha1).digest())
        self.socket.send(message(method, REQUEST, body, transaction))
        while True:
            datagram = self.socket.recv(65536)
            if len(datagram) >= 20 and datagram[8:20] == transaction:
                kind = struct.unpack("!H", datagram[:2])[0] & 0x110
                return attributes(datagram), kind

    def binding(self):
        return plain_address(self.request(BINDING)[XOR_MAPPED_ADDRESS])

    def allocate(self):
        answer = self.request(ALLOCATE, attribute(REQUESTED_TRANSPORT, struct.pack("!I", 17 << 24)))
        self.relayed = plain_address(answer[XOR_RELAYED_ADDRESS])
        return self.relayed

    def permit(self, peer):
        self.request(CREATE_PERMISSION, attribute(XOR_PEER_ADDRESS, xor_address(peer)))

    def bind_channel(self, number, peer):
        body = attribute(CHANNEL_NUMBER, struct.pack("!HH", number, 0))
        self.request(CHANNEL_BIND, body + attribute(XOR_PEER_ADDRESS, xor_address(peer)))

    def refresh(self, seconds):
        self.request(REFRESH, attribute(LIFETIME, struct.pack("!I", seconds)))


def send_indication(peer, payload):
    return message(SEND, INDICATION, attribute(XOR_PEER_ADDRESS, xor_address(peer)) + attribute(DATA_ATTRIBUTE, payload))


def channel_data(number, payload):
    return struct.pack("!HH", number, len(payload)) + payload


def payload_of(datagram):
    """The payload of ChannelData or of a Data indication that a client received."""
    if datagram[0] >= 0x40:
        return datagram[4 : 4 + struct.unpack("!H", datagram[2:4])[0]]
    return attributes(datagram)[DATA_ATTRIBUTE]

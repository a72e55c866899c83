"""STUN messages as bytes, written from RFC 8489 and RFC 8656 with the standard library alone.

Nothing here is shared with the server, so that both cannot be wrong in the same way.
"""

import base64
import hashlib
import hmac
import ipaddress
import os
import struct
import zlib
from dataclasses import dataclass, field

MAGIC_COOKIE = 0x2112A442
FINGERPRINT_XOR = 0x5354554E

# Methods (RFC 8489 section 18.2, RFC 8656 section 17).
BINDING, ALLOCATE, REFRESH, SEND, DATA = 0x001, 0x003, 0x004, 0x006, 0x007
CREATE_PERMISSION, CHANNEL_BIND = 0x008, 0x009

# Classes.
REQUEST, INDICATION, SUCCESS, ERROR = 0, 1, 2, 3

# Attributes.
USERNAME, MESSAGE_INTEGRITY, ERROR_CODE, UNKNOWN_ATTRIBUTES = 0x0006, 0x0008, 0x0009, 0x000A
CHANNEL_NUMBER, LIFETIME, XOR_PEER_ADDRESS, DATA_ATTRIBUTE = 0x000C, 0x000D, 0x0012, 0x0013
REALM, NONCE, XOR_RELAYED_ADDRESS, REQUESTED_ADDRESS_FAMILY = 0x0014, 0x0015, 0x0016, 0x0017
EVEN_PORT, REQUESTED_TRANSPORT, XOR_MAPPED_ADDRESS, RESERVATION_TOKEN = 0x0018, 0x0019, 0x0020, 0x0022
ADDITIONAL_ADDRESS_FAMILY, ADDRESS_ERROR_CODE = 0x8000, 0x8001
DONT_FRAGMENT, ICMP = 0x001A, 0x8004
MESSAGE_INTEGRITY_SHA256, PASSWORD_ALGORITHM, USERHASH = 0x001C, 0x001D, 0x001E
PASSWORD_ALGORITHMS, SOFTWARE, FINGERPRINT = 0x8002, 0x8022, 0x8028

# Password algorithms, and the bits of the nonce cookie that announce them and user hashes (RFC 8489 section 18, the bits
# counted as erratum 6290 says).
MD5, SHA256 = 1, 2
NONCE_COOKIE, FEATURE_PASSWORD_ALGORITHMS, FEATURE_USERNAME_ANONYMITY = b"obMatJos2", 1, 2

UDP = 17


DIGESTS = {MESSAGE_INTEGRITY: hashlib.sha1, MESSAGE_INTEGRITY_SHA256: hashlib.sha256}


class Malformed(ValueError):
    """The bytes are not a STUN message."""


@dataclass
class Message:
    method: int
    message_class: int
    transaction_id: bytes
    attributes: list[tuple[int, bytes]] = field(default_factory=list)

    def first(self, kind: int) -> bytes | None:
        return next((value for candidate, value in self.attributes if candidate == kind), None)

    def address(self, kind: int) -> tuple[str, int] | None:
        value = self.first(kind)
        return None if value is None else decode_xor_address(value, self.transaction_id)

    def addresses(self, kind: int) -> list[tuple[str, int]]:
        return [decode_xor_address(value, self.transaction_id) for found, value in self.attributes if found == kind]

    def number(self, kind: int) -> int | None:
        value = self.first(kind)
        return None if value is None else struct.unpack("!I", value)[0]

    @property
    def error_code(self) -> int | None:
        value = self.first(ERROR_CODE)
        return None if value is None else (value[2] & 7) * 100 + value[3]


def message_type(method: int, message_class: int) -> int:
    """The 14 bits of the type: the class's two bits are threaded through the method's twelve."""
    return (
        (method & 0x000F)
        | (method & 0x0070) << 1
        | (method & 0x0F80) << 2
        | (message_class & 1) << 4
        | (message_class & 2) << 7
    )


def split_type(value: int) -> tuple[int, int]:
    method = (value & 0x000F) | (value & 0x00E0) >> 1 | (value & 0x3E00) >> 2
    return method, (value >> 4 & 1) | (value >> 7 & 2)


def encode_attribute(kind: int, value: bytes) -> bytes:
    return struct.pack("!HH", kind, len(value)) + value + bytes(-len(value) % 4)


def encode(
    method: int,
    message_class: int,
    attributes: list[tuple[int, bytes]],
    *,
    key: bytes | None = None,
    integrity: int = MESSAGE_INTEGRITY,
    transaction_id: bytes | None = None,
    fingerprint: bool = True,
) -> bytes:
    """The message, with the integrity attribute if a key is given, and FINGERPRINT last."""
    transaction_id = transaction_id or os.urandom(12)
    body = b"".join(encode_attribute(kind, value) for kind, value in attributes)

    def head(length: int) -> bytes:
        return struct.pack("!HHI", message_type(method, message_class), length, MAGIC_COOKIE) + transaction_id

    if key is not None:
        # The length that is hashed counts the integrity attribute itself (RFC 8489 section 14.5).
        algorithm = DIGESTS[integrity]
        digest = hmac.new(key, head(len(body) + 4 + algorithm().digest_size) + body, algorithm).digest()
        body += encode_attribute(integrity, digest)
    if fingerprint:
        crc = zlib.crc32(head(len(body) + 8) + body) ^ FINGERPRINT_XOR
        body += encode_attribute(FINGERPRINT, struct.pack("!I", crc))
    return head(len(body)) + body


def decode(data: bytes, *, key: bytes | None = None, integrity: int = MESSAGE_INTEGRITY) -> Message:
    """Reads a message; checks FINGERPRINT if it is there, and that it has this integrity attribute if a key is given."""
    if len(data) < 20 or data[0] & 0xC0:
        raise Malformed(f"no STUN header in {len(data)} bytes")
    kind, length, cookie = struct.unpack_from("!HHI", data)
    if cookie != MAGIC_COOKIE or length % 4 or length + 20 != len(data):
        raise Malformed(f"header says {length} bytes, cookie {cookie:#x}; datagram has {len(data)} bytes")
    method, message_class = split_type(kind)
    message = Message(method, message_class, data[8:20])
    offset, integrity_checked = 20, False
    while offset < len(data):
        attribute, size = struct.unpack_from("!HH", data, offset)
        value = data[offset + 4 : offset + 4 + size]
        if len(value) < size:
            raise Malformed(f"attribute {attribute:#06x} of {size} bytes is cut short")
        if attribute == integrity and key is not None:
            prefix = data[:2] + struct.pack("!H", offset + 4 + size - 20) + data[4:offset]
            if hmac.new(key, prefix, DIGESTS[integrity]).digest() != value:
                raise Malformed(f"the integrity {integrity:#06x} does not match")
            integrity_checked = True
        if attribute == FINGERPRINT:
            prefix = data[:2] + struct.pack("!H", offset + 8 - 20) + data[4:offset]
            if struct.unpack("!I", value)[0] != zlib.crc32(prefix) ^ FINGERPRINT_XOR:
                raise Malformed("FINGERPRINT does not match")
        message.attributes.append((attribute, value))
        offset += 4 + size + (-size % 4)
    if key is not None and not integrity_checked:
        raise Malformed(f"the integrity {integrity:#06x} is missing")
    return message


def _pad(transaction_id: bytes) -> bytes:
    return struct.pack("!I", MAGIC_COOKIE) + transaction_id


def encode_xor_address(host: str, port: int, transaction_id: bytes) -> bytes:
    address = ipaddress.ip_address(host)
    masked = bytes(a ^ b for a, b in zip(address.packed, _pad(transaction_id)))
    return struct.pack("!BBH", 0, 1 if address.version == 4 else 2, port ^ (MAGIC_COOKIE >> 16)) + masked


def decode_xor_address(value: bytes, transaction_id: bytes) -> tuple[str, int]:
    _, family, port = struct.unpack_from("!BBH", value)
    if len(value) != {1: 8, 2: 20}.get(family):
        raise Malformed(f"address of family {family} in {len(value)} bytes")
    packed = bytes(a ^ b for a, b in zip(value[4:], _pad(transaction_id)))
    return str(ipaddress.ip_address(packed)), port ^ (MAGIC_COOKIE >> 16)


def long_term_key(username: str, realm: str, password: str, algorithm: int = MD5) -> bytes:
    text = f"{username}:{realm}:{password}".encode()
    return hashlib.sha256(text).digest() if algorithm == SHA256 else hashlib.md5(text, usedforsecurity=False).digest()


def userhash(username: str, realm: str) -> bytes:
    return hashlib.sha256(f"{username}:{realm}".encode()).digest()


def security_features(nonce: bytes) -> int:
    """The 24 bits of the nonce cookie; none without one."""
    cookie = nonce[: len(NONCE_COOKIE) + 4]
    if len(cookie) < 13 or not cookie.startswith(NONCE_COOKIE):
        return 0
    return int.from_bytes(base64.b64decode(cookie[len(NONCE_COOKIE) :]), "big")

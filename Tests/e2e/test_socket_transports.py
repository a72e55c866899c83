"""HTTP and WebSocket beneath the sockets: RFC 6455's rules, connections that are kept, limits, slow and hostile peers."""

import os
import signal
import socket as sockets
import struct
import threading
import time
from random import Random

import pytest

from conftest import SUITE_TIMES, Server
from engineio_wire import Endpoint, expect_close, receive_skipping_pings
from waiting import eventually

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


@pytest.fixture
def echo(engine_server):
    return Endpoint(engine_server, "/engine.io/")


class RawWebSocket:
    """A WebSocket client that can break every rule."""

    def __init__(self, server, target="/engine.io/?EIO=4&transport=websocket", fields="", connection=None):
        self.socket = connection or sockets.create_connection(("127.0.0.1", server.port), timeout=8)
        self.socket.sendall(
            f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:{server.port}\r\nUpgrade: websocket\r\n"
            f"Connection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n{fields}"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
        )
        self.buffer = b""
        while b"\r\n\r\n" not in self.buffer:
            piece = self.socket.recv(4096)
            if not piece:
                break
            self.buffer += piece
        self.head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")

    def frame(self, opcode, payload=b"", fin=True, rsv=0, masked=True):
        length = len(payload)
        head = bytes([(0x80 if fin else 0) | rsv << 4 | opcode])
        mask_bit = 0x80 if masked else 0
        if length < 126:
            head += bytes([mask_bit | length])
        elif length < 65536:
            head += bytes([mask_bit | 126]) + struct.pack(">H", length)
        else:
            head += bytes([mask_bit | 127]) + struct.pack(">Q", length)
        if not masked:
            return head + payload
        mask = b"\x01\x02\x03\x04"
        pattern = (mask * (length // 4 + 1))[:length]
        masked_payload = int.from_bytes(payload, "big") ^ int.from_bytes(pattern, "big")
        return head + mask + masked_payload.to_bytes(length, "big")

    def send(self, *arguments, **options):
        self.socket.sendall(self.frame(*arguments, **options))

    def exactly(self, count):
        while len(self.buffer) < count:
            piece = self.socket.recv(65536)
            if not piece:
                raise EOFError
            self.buffer += piece
        taken, self.buffer = self.buffer[:count], self.buffer[count:]
        return taken

    def receive(self):
        first, second = self.exactly(2)
        assert second & 0x80 == 0, "servers do not mask"
        length = second & 0x7F
        if length == 126:
            length = struct.unpack(">H", self.exactly(2))[0]
        elif length == 127:
            length = struct.unpack(">Q", self.exactly(8))[0]
        return first & 0x0F, self.exactly(length)

    def receive_skipping_pings(self):
        while True:
            opcode, payload = self.receive()
            if (opcode, payload) != (TEXT, b"2"):
                return opcode, payload
            self.send(TEXT, b"3")

    def expect_close(self):
        """The status of the server's closing frame; the connection must end after it."""
        while True:
            opcode, payload = self.receive_skipping_pings()
            if opcode == CLOSE:
                break
        try:
            self.send(CLOSE, payload)
            while self.socket.recv(4096):
                pass
        except (ConnectionResetError, BrokenPipeError):
            pass
        return struct.unpack(">H", payload[:2])[0]

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()


@pytest.fixture
def raw(patient_engine_server):
    with RawWebSocket(patient_engine_server) as socket:
        assert socket.receive()[1].startswith(b"0{")
        yield socket


class TestFrames:
    def test_the_accept_value_is_that_of_the_rfc(self, raw):
        assert raw.head.startswith(b"HTTP/1.1 101 ")
        assert b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" in raw.head

    def test_frames_may_come_with_the_request(self, engine_server):
        connection = sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5)
        maker = RawWebSocket.__new__(RawWebSocket)
        connection.sendall(
            b"GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
            b"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
            + maker.frame(TEXT, b"4early")
        )
        maker.socket, maker.buffer = connection, b""
        while b"\r\n\r\n" not in maker.buffer:
            maker.buffer += connection.recv(4096)
        maker.buffer = maker.buffer.partition(b"\r\n\r\n")[2]
        assert maker.receive()[1].startswith(b"0{")
        assert maker.receive_skipping_pings() == (TEXT, b"4early")
        connection.close()

    def test_a_message_in_pieces_with_a_ping_between(self, raw):
        raw.send(TEXT, "4hel€".encode()[:6], fin=False)
        raw.send(PING, b"are you there")
        raw.send(0, "4hel€".encode()[6:], fin=False)
        raw.send(0, b"lo")
        assert raw.receive_skipping_pings() == (PONG, b"are you there")
        assert raw.receive_skipping_pings() == (TEXT, "4hel€lo".encode())

    def test_a_large_message_in_one_frame(self, raw):
        raw.send(BINARY, bytes(range(256)) * 3000)
        assert raw.receive_skipping_pings() == (BINARY, bytes(range(256)) * 3000)

    @pytest.mark.parametrize(
        "frames, status",
        [
            ([dict(opcode=TEXT, payload=b"4x", masked=False)], 1002),
            ([dict(opcode=TEXT, payload=b"4x", rsv=4)], 1002),
            ([dict(opcode=TEXT, payload=b"4x", rsv=1)], 1002),
            ([dict(opcode=3, payload=b"4x")], 1002),
            ([dict(opcode=11, payload=b"4x")], 1002),
            ([dict(opcode=0, payload=b"4x")], 1002),
            ([dict(opcode=TEXT, payload=b"4x", fin=False), dict(opcode=TEXT, payload=b"4x")], 1002),
            ([dict(opcode=PING, payload=b"x", fin=False)], 1002),
            ([dict(opcode=PING, payload=b"x" * 126)], 1002),
            ([dict(opcode=CLOSE, payload=b"x")], 1002),
            ([dict(opcode=CLOSE, payload=struct.pack(">H", 999))], 1002),
            ([dict(opcode=CLOSE, payload=struct.pack(">H", 1005))], 1002),
            ([dict(opcode=CLOSE, payload=struct.pack(">H", 1000) + b"\xff")], 1007),
            ([dict(opcode=TEXT, payload=b"4\xff\xfe")], 1007),
            ([dict(opcode=TEXT, payload=b"4\xed\xa0\x80")], 1007),
            ([dict(opcode=TEXT, payload=b"4" + b"x" * 1_000_000)], 1009),
            ([dict(opcode=TEXT, payload=b"4" + b"x" * 600_000, fin=False), dict(opcode=0, payload=b"x" * 600_000)], 1009),
        ],
    )
    def test_a_broken_rule_closes_with_its_status(self, raw, frames, status):
        for frame in frames:
            raw.send(**frame)
        assert raw.expect_close() == status

    @pytest.mark.parametrize("status", [1000, 1001, 3000, 4999])
    def test_a_closing_frame_is_answered_with_its_status(self, raw, status):
        raw.send(CLOSE, struct.pack(">H", status) + b"bye")
        assert raw.receive_skipping_pings() == (CLOSE, struct.pack(">H", status))
        assert raw.socket.recv(1) == b""

    def test_a_closing_frame_without_status_is_answered(self, raw):
        raw.send(CLOSE)
        assert raw.receive_skipping_pings()[0] == CLOSE
        assert raw.socket.recv(1) == b""

    def test_a_peer_that_does_not_answer_our_closing_frame_is_cut(self, raw):
        raw.send(TEXT, b"1")
        opcode, _ = raw.receive_skipping_pings()
        assert opcode == CLOSE
        started = time.monotonic()
        assert raw.socket.recv(1) == b""
        assert 3 < time.monotonic() - started < 8

    def test_a_client_that_hangs_up_frees_its_session(self, engine_server, echo):
        with RawWebSocket(engine_server) as socket:
            sid = socket.receive()[1][9:29].decode()
            assert echo.post(sid, "4x").body == '{"code":3,"message":"Bad request"}'
        eventually(lambda: echo.post(sid, "4x").body == '{"code":1,"message":"Session ID unknown"}')


class TestUpgradeRequests:
    @pytest.mark.parametrize(
        "version, key, status",
        [("12", "dGhlIHNhbXBsZSBub25jZQ==", 400), ("13", "short", 400), ("13", None, 400)],
    )
    def test_a_bad_handshake_is_refused(self, engine_server, version, key, status):
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            key_line = f"Sec-WebSocket-Key: {key}\r\n" if key else ""
            connection.sendall(
                "GET /engine.io/?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"
                f"Connection: Upgrade\r\nSec-WebSocket-Version: {version}\r\n{key_line}\r\n".encode()
            )
            answer = connection.makefile("rb").read()
            assert answer.startswith(f"HTTP/1.1 {status} ".encode())

    def test_on_a_connection_used_before(self, engine_server):
        connection = sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5)
        for target, status in [("/nowhere", b"404"), ("/engine.io/?EIO=4&transport=polling", b"200")]:
            connection.sendall(f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            assert connection.recv(65536)[9:12] == status
        with RawWebSocket(engine_server, connection=connection) as socket:
            assert socket.receive()[1].startswith(b"0{")
            for number in range(50):
                socket.send(TEXT, b"4%d" % number)
            assert [socket.receive_skipping_pings()[1] for _ in range(50)] == [b"4%d" % number for number in range(50)]
            socket.send(TEXT, b"1")
            assert socket.expect_close() == 1000

    @pytest.mark.parametrize("target", ["/nowhere", "/engine.io/?EIO=4&transport=polling"])
    def test_an_upgrade_to_something_else_is_the_last_request(self, engine_server, target):
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            request = f"GET {target} HTTP/1.1\r\nHost: x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n".encode()
            connection.sendall(request * 2)
            answer = connection.makefile("rb").read()
            assert answer.count(b"HTTP/1.1 ") == 1
            assert b"onnection: close" in answer


class TestConnections:
    def test_one_connection_serves_many_requests_of_both_kinds(self, engine_server, echo):
        sid = echo.open_polling()["sid"]
        target = f"/engine.io/?EIO=4&transport=polling&sid={sid}"
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            for _ in range(5):
                for request, status in [
                    (f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n4hi", b"200"),
                    (f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n", b"200"),
                    ("GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n", b"404"),
                ]:
                    connection.sendall(request.encode())
                    assert connection.recv(65536)[9:12] == status

    def test_requests_sent_ahead_are_answered_in_order(self, engine_server, echo):
        sid = echo.open_polling()["sid"]
        target = f"/engine.io/?EIO=4&transport=polling&sid={sid}"
        post = f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\n4hi"
        get = f"GET {target} HTTP/1.1\r\nHost: x\r\n\r\n"
        other = "GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n"
        last = "GET /nowhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            connection.sendall((post + get + other + post + get + other + other + post + last).encode())
            answer = connection.makefile("rb").read()
        statuses = [piece[:3] for piece in answer.split(b"HTTP/1.1 ")[1:]]
        assert statuses == [b"200", b"200", b"404", b"200", b"200", b"404", b"404", b"200", b"404"]
        assert answer.count(b"\r\n\r\n4hi") == 2

    def test_http_1_0_closes_after_the_answer(self, engine_server):
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            connection.sendall(b"GET /engine.io/?EIO=4&transport=polling HTTP/1.0\r\n\r\n")
            assert b"\r\n\r\n0{" in connection.makefile("rb").read()

    def test_what_is_no_http_is_refused(self, engine_server):
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            connection.sendall(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n")
            assert connection.makefile("rb").read().startswith(b"HTTP/1.1 400")

    def test_a_head_that_is_too_large_is_refused(self, engine_server):
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=5) as connection:
            connection.sendall(b"GET /engine.io/ HTTP/1.1\r\n")
            try:
                for number in range(200):
                    connection.sendall(b"X-Filler-%d: %s\r\n" % (number, b"x" * 500))
                assert connection.makefile("rb").read()[:12] in (b"HTTP/1.1 400", b"")
            except (ConnectionResetError, BrokenPipeError):
                pass

    def test_a_declared_large_body_is_refused_before_it_has_all_come(self, engine_server, echo):
        sid = echo.open_polling()["sid"]
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=10) as connection:
            connection.sendall(
                f"POST /engine.io/?EIO=4&transport=polling&sid={sid} HTTP/1.1\r\nHost: x\r\n"
                "Content-Length: 1000000000\r\n\r\n".encode() + b"4" + b"x" * 1_100_000
            )
            answer = connection.recv(65536)
            assert answer.startswith(b"HTTP/1.1 413") and b"onnection: close" in answer
        assert echo.post(sid, "4still here").body == "ok"

    def test_a_slow_head_is_cut(self, engine_server):
        with sockets.create_connection(("127.0.0.1", engine_server.port), timeout=15) as connection:
            connection.sendall(b"GET /engine.io/?EIO=4")
            started = time.monotonic()
            assert connection.recv(100) == b""
            assert 8 < time.monotonic() - started < 14


class TestLimits:
    def test_a_reader_that_does_not_read_is_cut(self):
        server = Server("socketio-echo", "--port", "0", "--engine")
        try:
            before = server.resident_kilobytes()
            with RawWebSocket(server) as socket:
                payload = b"4" + b"x" * 200_000
                with pytest.raises((BrokenPipeError, ConnectionResetError, TimeoutError)):
                    socket.socket.settimeout(10)
                    for _ in range(2000):
                        socket.send(TEXT, payload)
            assert server.resident_kilobytes() - before < 60_000
        finally:
            assert server.stop() == 0

    def test_a_poller_that_does_not_poll_is_cut(self):
        server = Server("socketio-echo", "--port", "0", "--engine")
        try:
            echo = Endpoint(server, "/engine.io/")
            sid = echo.open_polling()["sid"]
            # The first may wait, whatever its size; what waits then is more than may.
            statuses = [echo.post(sid, "4" + "x" * 900_000).status for _ in range(3)]
            assert statuses == [200, 400, 400]
        finally:
            assert server.stop() == 0

    def test_a_flood_of_events_keeps_its_order_and_bounds_memory(self, patient_server):
        endpoint = Endpoint(patient_server, "/socket.io/")
        socket, _ = endpoint.open_websocket()
        with socket:
            socket.send("40")
            assert socket.recv(timeout=5).startswith("40")
            assert socket.recv(timeout=5) == '42["auth",{}]'
            count = 20_000

            def flood():
                for number in range(count):
                    socket.send(f'42["message",{number}]')

            sender = threading.Thread(target=flood)
            sender.start()
            for number in range(count):
                assert socket.recv(timeout=10) == f'42["message-back",{number}]'
            sender.join()

    def test_a_post_of_many_events_is_taken(self, patient_server):
        endpoint = Endpoint(patient_server, "/socket.io/")
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "40").body == "ok"
        packets = []
        while len(packets) < 2:
            packets += endpoint.poll(sid).body.split("\x1e")
        assert endpoint.post(sid, "\x1e".join(f'42["message",{number}]' for number in range(2000))).body == "ok"
        packets = []
        while len(packets) < 2000:
            packets += endpoint.poll(sid).body.split("\x1e")
        assert packets == [f'42["message-back",{number}]' for number in range(2000)]

    def test_a_post_of_more_events_than_can_wait_ends_the_session(self, patient_server):
        endpoint = Endpoint(patient_server, "/socket.io/")
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "40").body == "ok"
        time.sleep(0.1)
        endpoint.post(sid, "\x1e".join(['42["message"]'] * 50_000))
        bodies = ""
        while (answer := endpoint.poll(sid)).status == 200:
            bodies += answer.body
        assert bodies.endswith("1")


class TestLife:
    def test_memory_and_descriptors_stay_after_many_clients(self):
        server = Server("socketio-echo", *SUITE_TIMES)
        endpoint = Endpoint(server, "/socket.io/")

        def come_and_go(count):
            for number in range(count):
                kind = number % 4
                if kind == 0:
                    sid = endpoint.open_polling()["sid"]
                    endpoint.post(sid, "40")
                    endpoint.post(sid, "1")
                    continue
                with RawWebSocket(server, "/socket.io/?EIO=4&transport=websocket") as socket:
                    socket.receive()
                    socket.send(TEXT, b"40")
                    socket.receive_skipping_pings()
                    socket.receive_skipping_pings()
                    if kind == 1:
                        socket.send(CLOSE, struct.pack(">H", 1000))
                    elif kind == 2:
                        socket.send(TEXT, b"1")

        try:
            come_and_go(600)
            time.sleep(1.5)
            memory, descriptors = server.resident_kilobytes(), server.descriptor_count()
            come_and_go(2000)
            eventually(lambda: server.descriptor_count() <= descriptors + 2, "the end of all")
            assert server.resident_kilobytes() - memory < 3_000
        finally:
            assert server.stop() == 0

    def test_noise_of_every_kind_leaves_the_server_as_it_was(self):
        server = Server("socketio-echo", *SUITE_TIMES)
        endpoint = Endpoint(server, "/socket.io/")
        seed = 20_261
        random = Random(seed)
        packets = [b"40", b"41", b'42["message",1]', b'451-["message",{"_placeholder":true,"num":0}]', b"2probe", b"3", b"5", b"1"]

        def noise(length):
            return bytes(random.randrange(256) for _ in range(length))

        def garble(packet):
            packet = bytearray(packet)
            for _ in range(random.randrange(3)):
                packet[random.randrange(len(packet))] = random.randrange(256)
            return bytes(packet[: random.randrange(len(packet) + 1)])

        def http():
            with sockets.create_connection(("127.0.0.1", server.port), timeout=5) as connection:
                connection.sendall(noise(random.randrange(1, 300)))

        def post():
            sid = endpoint.open_polling()["sid"]
            endpoint.post(sid, b"\x1e".join(garble(random.choice(packets)) for _ in range(5)))

        def frames():
            with RawWebSocket(server, "/socket.io/?EIO=4&transport=websocket") as socket:
                for _ in range(random.randrange(1, 8)):
                    if random.randrange(5) == 0:
                        socket.socket.sendall(noise(random.randrange(1, 60)))
                    else:
                        opcode = random.choice([TEXT, TEXT, TEXT, BINARY, 0, PING, PONG, CLOSE, 3])
                        socket.send(opcode, garble(random.choice(packets)), fin=random.randrange(6) > 0)

        try:
            for _ in range(50):
                post()
            time.sleep(1.2)
            descriptors = server.descriptor_count()
            for _ in range(900):
                try:
                    random.choice([http, post, frames])()
                except (ConnectionError, TimeoutError):
                    continue
            assert server.process.poll() is None, f"seed {seed}"
            eventually(lambda: server.descriptor_count() <= descriptors + 2, f"the end of all, seed {seed},")
            with endpoint.websocket() as socket:
                socket.recv(timeout=5)
                socket.send("40")
                assert receive_skipping_pings(socket).startswith("40")
        finally:
            assert server.stop() == 0

    def test_shutting_down_tells_everybody_and_is_quick(self):
        server = Server("socketio-echo", "--port", "0")
        endpoint = Endpoint(server, "/socket.io/")
        socket, _ = endpoint.open_websocket()
        socket.send("40")
        assert socket.recv(timeout=5).startswith("40")
        sid = endpoint.open_polling()["sid"]
        waiting = endpoint.poll_in_background(sid)
        idle = sockets.create_connection(("127.0.0.1", server.port), timeout=5)
        kept = sockets.create_connection(("127.0.0.1", server.port), timeout=5)
        kept.sendall(b"GET /nowhere HTTP/1.1\r\nHost: x\r\n\r\n")
        assert kept.recv(65536)[9:12] == b"404"
        time.sleep(0.1)
        started = time.monotonic()
        os.kill(server.process.pid, signal.SIGTERM)
        assert expect_close(socket) == 1001
        assert waiting.wait().body == "1"
        assert idle.recv(1) == b"" and kept.recv(1) == b""
        assert server.stop() == 0
        assert time.monotonic() - started < 3

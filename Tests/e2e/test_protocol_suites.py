"""The scenarios of the protocols' own test suites, 25 for Engine.IO and 32 for Socket.IO, in our words.

There is one test for each scenario, against servers set up as those suites assume: a ping every 300 ms, 200 ms to answer
it, 1 s to enter a namespace. The 16 scenarios that both suites have run under both paths.
"""

import json
import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engineio_wire import Endpoint, InBackground, abort, expect_close, receive_skipping_pings

pytestmark = pytest.mark.hurried

HANDSHAKE = re.compile(r'0\{"sid":".+","upgrades":\[.*\],"pingInterval":300,"pingTimeout":200,"maxPayload":1000000\}')


@pytest.fixture(params=["engine", "socket"])
def both(request):
    """Each of the two servers, for what both suites ask."""
    if request.param == "engine":
        return Endpoint(request.getfixturevalue("pinging_engine_server"), "/engine.io/")
    return Endpoint(request.getfixturevalue("hurried_echo_server"), "/socket.io/")


@pytest.fixture
def engine(pinging_engine_server):
    return Endpoint(pinging_engine_server, "/engine.io/")


@pytest.fixture
def raw(hurried_echo_server):
    """A WebSocket to the Socket.IO server after the Engine.IO handshake."""
    socket, _ = Endpoint(hurried_echo_server, "/socket.io/").open_websocket()
    with socket:
        yield socket


@pytest.fixture
def main(raw):
    """The same in the main namespace."""
    raw.send("40")
    assert receive_skipping_pings(raw).startswith("40{")
    assert receive_skipping_pings(raw) == '42["auth",{}]'
    return raw


def polled(endpoint, sid, count=1):
    """So many packets, in one answer unless a ping came between; pings are answered."""
    packets = []
    while not packets:
        answer = endpoint.poll(sid)
        assert answer.status == 200, answer
        packets = answer.body.split("\x1e")
        if "2" in packets:
            packets.remove("2")
            endpoint.post(sid, "3")
    assert len(packets) == count, packets
    return packets


class TestHandshakeOverPolling:
    def test_1_a_session_is_opened(self, both):
        answer = both.request("GET", "EIO=4&transport=polling")
        assert answer.status == 200
        assert HANDSHAKE.fullmatch(answer.body), answer.body
        assert json.loads(answer.body[1:])["upgrades"] == ["websocket"]

    def test_2_an_invalid_version_is_refused(self, both):
        for query in ("transport=polling", "EIO=abc&transport=polling"):
            assert both.request("GET", query).status == 400, query

    def test_3_an_invalid_transport_is_refused(self, both):
        for query in ("EIO=4", "EIO=4&transport=abc"):
            assert both.request("GET", query).status == 400, query

    def test_4_an_invalid_method_is_refused(self, both):
        for method in ("POST", "PUT"):
            assert both.request(method, "EIO=4&transport=polling").status == 400, method


class TestHandshakeOverWebSocket:
    def test_5_a_session_is_opened(self, both):
        with both.websocket() as socket:
            opening = socket.recv(timeout=5)
            assert HANDSHAKE.fullmatch(opening), opening
            assert json.loads(opening[1:])["upgrades"] == []

    @pytest.mark.parametrize("query", ["transport=websocket", "EIO=abc&transport=websocket"])
    def test_6_an_invalid_version_closes(self, both, query):
        with pytest.raises(InvalidStatus):
            both.websocket(query)

    @pytest.mark.parametrize("query", ["EIO=4", "EIO=4&transport=abc"])
    def test_7_an_invalid_transport_closes(self, both, query):
        with pytest.raises(InvalidStatus):
            both.websocket(query)


class TestMessagesOverPolling:
    def test_8_a_text_packet_comes_back(self, engine):
        sid = engine.open_polling()["sid"]
        assert engine.post(sid, "4hello").body == "ok"
        assert polled(engine, sid) == ["4hello"]

    def test_9_three_packets_of_one_body_come_back_in_one_answer(self, engine):
        sid = engine.open_polling()["sid"]
        assert engine.post(sid, "4test1\x1e4test2\x1e4test3").body == "ok"
        assert polled(engine, sid, 3) == ["4test1", "4test2", "4test3"]

    def test_10_text_and_binary_come_back(self, engine):
        sid = engine.open_polling()["sid"]
        assert engine.post(sid, "4hello\x1ebAQIDBA==").body == "ok"
        assert polled(engine, sid, 2) == ["4hello", "bAQIDBA=="]

    def test_11_an_invalid_packet_ends_the_session(self, engine):
        sid = engine.open_polling()["sid"]
        assert engine.post(sid, "abc").status == 400
        assert engine.poll(sid).status == 400

    def test_12_a_second_poll_beside_the_first_ends_the_session(self, engine):
        sid = engine.open_polling()["sid"]
        first = engine.poll_in_background(sid)
        time.sleep(0.005)
        second = engine.poll(sid)
        # Which of the two comes to the server first is theirs to settle.
        answers = sorted((answer.status, answer.body) for answer in (first.wait(), second))
        assert answers[0] == (200, "1") and answers[1][0] in (400, 500)
        assert engine.poll(sid).status == 400

    def test_13_a_poll_that_is_broken_off_ends_the_session(self, engine):
        sid = engine.open_polling()["sid"]
        broken = engine.begin("GET", f"EIO=4&transport=polling&sid={sid}")
        time.sleep(0.05)
        abort(broken)
        time.sleep(0.05)
        assert engine.poll(sid).status == 400


class TestMessagesOverWebSocket:
    @pytest.mark.parametrize("number, message", [(14, "4hello"), (15, b"\x01\x02\x03\x04")])
    def test_a_packet_comes_back(self, engine, number, message):
        socket, _ = engine.open_websocket()
        with socket:
            socket.send(message)
            assert receive_skipping_pings(socket) == message

    def test_16_an_invalid_packet_closes(self, engine):
        socket, _ = engine.open_websocket()
        with socket:
            socket.send("abc")
            expect_close(socket)


class TestHeartbeat:
    def test_17_three_rounds_over_polling_with_nothing_else(self, both):
        sid = both.open_polling()["sid"]
        if both.path == "/socket.io/":
            assert both.post(sid, "40").body == "ok"
            packets = []
            while len(packets) < 2:
                packets += [packet for packet in both.poll(sid).body.split("\x1e") if packet != "2"]
            assert both.post(sid, "3").body == "ok"
        for _ in range(3):
            assert both.poll(sid).body == "2"
            assert both.post(sid, "3").body == "ok"

    def test_18_silence_over_polling_ends_the_session(self, both):
        sid = both.open_polling()["sid"]
        time.sleep(0.6)
        assert both.poll(sid).status == 400

    def test_19_three_rounds_over_a_websocket(self, both):
        socket, _ = both.open_websocket()
        with socket:
            if both.path == "/socket.io/":
                socket.send("40")
                assert socket.recv(timeout=5).startswith("40{")
                assert socket.recv(timeout=5) == '42["auth",{}]'
            for _ in range(3):
                assert socket.recv(timeout=5) == "2"
                socket.send("3")

    def test_20_silence_over_a_websocket_closes(self, both):
        socket, _ = both.open_websocket()
        with socket:
            expect_close(socket)


class TestClosing:
    def test_21_over_polling_with_a_get_and_the_last_post_at_once(self, both):
        with ThreadPoolExecutor(2) as pool:
            sid = both.open_polling()["sid"]
            poll = pool.submit(both.poll, sid)
            post = pool.submit(both.post, sid, "1")
            assert (poll.result().status, poll.result().body) == (200, "6")
            assert post.result().body == "ok"
            assert both.poll(sid).status == 400

    def test_22_over_a_websocket(self, both):
        socket, _ = both.open_websocket()
        with socket:
            socket.send("1")
            expect_close(socket)


class TestUpgrade:
    def upgrade(self, endpoint):
        """Opens a session over polling and moves it; gives its id and the WebSocket."""
        sid = endpoint.open_polling()["sid"]
        socket = endpoint.websocket(f"EIO=4&transport=websocket&sid={sid}")
        socket.send("2probe")
        assert socket.recv(timeout=5) == "3probe"
        poll = InBackground(endpoint.ask("GET", f"EIO=4&transport=polling&sid={sid}"))
        assert poll.wait().body in ("6", "2")  # a ping of the same moment releases it as well
        socket.send("5")
        return sid, socket

    def check_alive(self, endpoint, socket):
        if endpoint.path == "/engine.io/":
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"
        else:
            socket.send("40")
            assert receive_skipping_pings(socket).startswith("40{")

    def test_23_from_polling_to_a_websocket(self, both):
        _, socket = self.upgrade(both)
        with socket:
            self.check_alive(both, socket)

    def test_24_requests_over_polling_are_refused_afterwards(self, both):
        sid, socket = self.upgrade(both)
        with socket:
            self.check_alive(both, socket)
            assert both.poll(sid).status == 400
            socket.send("3")
            if both.path == "/engine.io/":
                self.check_alive(both, socket)

    def test_25_a_second_websocket_is_accepted_and_closed_afterwards(self, both):
        sid, socket = self.upgrade(both)
        with socket:
            with both.websocket(f"EIO=4&transport=websocket&sid={sid}") as second:
                expect_close(second)
            self.check_alive(both, socket)


PLACEHOLDERS = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
SID = r'\{"sid":"[^"]+"\}'


class TestSocketIOConnect:
    """Scenarios 17 to 23 of the Socket.IO suite."""

    @pytest.mark.parametrize(
        "number, packet, answer, event",
        [
            (17, "40", f"40{SID}", '42["auth",{}]'),
            (18, '40{"token":"123"}', f"40{SID}", '42["auth",{"token":"123"}]'),
            (19, "40/custom", f"40/custom,{SID}", '42/custom,["auth",{}]'),
            (20, '40/custom,{"token":"abc"}', f"40/custom,{SID}", '42/custom,["auth",{"token":"abc"}]'),
        ],
    )
    def test_a_namespace_is_entered(self, raw, number, packet, answer, event):
        raw.send(packet)
        assert re.fullmatch(answer, receive_skipping_pings(raw))
        assert receive_skipping_pings(raw) == event

    def test_21_an_unknown_namespace_is_refused(self, raw):
        raw.send("40/random")
        assert receive_skipping_pings(raw) == '44/random,{"message":"Invalid namespace"}'

    def test_22_an_invalid_handshake_closes(self, raw):
        raw.send("4abc")
        expect_close(raw)

    def test_23_no_handshake_closes(self, raw):
        expect_close(raw, answers_pings=True)


class TestSocketIODisconnect:
    """Scenarios 24 and 25."""

    def test_24_leaving_the_namespace_leaves_the_connection(self, main):
        main.send("41")
        for _ in range(2):
            assert main.recv(timeout=5) == "2"
            main.send("3")

    def test_25_leaving_one_namespace_leaves_the_other(self, main):
        main.send("40/custom")
        assert receive_skipping_pings(main).startswith("40/custom,{")
        assert receive_skipping_pings(main) == '42/custom,["auth",{}]'
        main.send("41/custom")
        main.send('42["message","message to main namespace"]')
        assert receive_skipping_pings(main) == '42["message-back","message to main namespace"]'


class TestSocketIOMessages:
    """Scenarios 26 to 32."""

    def check(self, socket, sent, expected):
        for message in sent:
            socket.send(message)
        assert [receive_skipping_pings(socket) for _ in expected] == expected

    def test_26_plain_text(self, main):
        self.check(main, ['42["message",1,"2",{"3":[true]}]'], ['42["message-back",1,"2",{"3":[true]}]'])

    def test_27_two_binary_attachments(self, main):
        attachments = [b"\x01\x02\x03", b"\x04\x05\x06"]
        self.check(
            main,
            [f'452-["message",{PLACEHOLDERS}]', *attachments],
            [f'452-["message-back",{PLACEHOLDERS}]', *attachments],
        )

    def test_28_plain_text_with_an_acknowledgement(self, main):
        self.check(main, ['42456["message-with-ack",1,"2",{"3":[false]}]'], ['43456[1,"2",{"3":[false]}]'])

    def test_29_binary_with_an_acknowledgement(self, main):
        attachments = [b"\x01\x02\x03", b"\x04\x05\x06"]
        self.check(
            main,
            [f'452-789["message-with-ack",{PLACEHOLDERS}]', *attachments],
            [f"462-789[{PLACEHOLDERS}]", *attachments],
        )

    @pytest.mark.parametrize("number, packet", [(30, "4abc"), (31, "42{}"), (32, '42abc["message-with-ack",1]')])
    def test_what_is_no_packet_closes(self, main, number, packet):
        main.send(packet)
        with pytest.raises(ConnectionClosed):
            for _ in range(10):
                main.recv(timeout=5)

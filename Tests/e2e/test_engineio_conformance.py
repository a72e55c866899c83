"""Engine.IO protocol 4, rule by rule, against the bare echo server and, where the rule is common, under Socket.IO."""

import gzip
import json
import re
import socket as sockets
import time

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from engineio_wire import (
    PING_INTERVAL,
    PING_TIMEOUT,
    Endpoint,
    abort,
    expect_close,
    receive_skipping_pings,
)
from waiting import eventually


HANDSHAKE = re.compile(
    r'0\{"sid":"[A-Za-z0-9_-]{20}","upgrades":\[(?P<upgrades>.*)\],'
    r'"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000\}'
)
BAD_REQUEST = '{"code":3,"message":"Bad request"}'


@pytest.fixture(params=["engine", "socket"])
def endpoint(request):
    """Both kinds of server keep the rules of the handshake, the heartbeat, closing and the upgrade."""
    if request.param == "engine":
        return Endpoint(request.getfixturevalue("engine_server"), "/engine.io/")
    return Endpoint(request.getfixturevalue("echo_server"), "/socket.io/")


@pytest.fixture(params=["engine", "socket"])
def pinging(request):
    """Both kinds of server with short times between pings."""
    if request.param == "engine":
        return Endpoint(request.getfixturevalue("pinging_engine_server"), "/engine.io/")
    return Endpoint(request.getfixturevalue("pinging_echo_server"), "/socket.io/")


@pytest.fixture
def echo(engine_server):
    return Endpoint(engine_server, "/engine.io/")


def test_a_path_without_its_last_slash_is_not_ours(endpoint):
    endpoint.path = endpoint.path.rstrip("/")
    assert endpoint.request("GET", "EIO=4&transport=polling").status == 404


def test_what_follows_the_path_does_not_matter(endpoint):
    endpoint.path += "what/ever"
    sid = endpoint.open_polling()["sid"]
    with endpoint.websocket(f"EIO=4&transport=websocket&sid={sid}") as socket:
        socket.send("2probe")
        assert socket.recv(timeout=5) == "3probe"


def test_a_cache_buster_and_unknown_parameters_are_passed_over(echo):
    answer = echo.request("GET", "t=OPx1&EIO=4&transport=polling&x=y&&z")
    query = f"x=1&sid={json.loads(answer.body[1:])['sid']}&transport=polling&EIO=4&t="
    assert echo.request("POST", query + "OPx2", "4hello").body == "ok"
    assert echo.request("GET", query + "OPx3").body == "4hello"
    with echo.websocket(query.replace("polling", "websocket") + "OPx4") as socket:
        socket.send("2probe")
        assert socket.recv(timeout=5) == "3probe"


class TestHandshakeOverPolling:
    def test_it_opens_a_session(self, endpoint):
        answer = endpoint.request("GET", "EIO=4&transport=polling")
        assert answer.status == 200
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
        assert answer.headers["cache-control"] == "no-store"
        assert int(answer.headers["content-length"]) == len(answer.body)
        handshake = json.loads(answer.body[1:])
        assert list(handshake) == ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]
        assert len(handshake["sid"]) == 20
        assert handshake["upgrades"] == ["websocket"]
        assert answer.body.endswith('"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}')

    def test_its_body_to_the_byte(self, endpoint):
        body = endpoint.request("GET", "EIO=4&transport=polling").body
        assert HANDSHAKE.fullmatch(body)["upgrades"] == '"websocket"', body

    def test_ids_differ(self, endpoint):
        assert len({endpoint.open_polling()["sid"] for _ in range(20)}) == 20

    @pytest.mark.parametrize("query", ["transport=polling", "EIO=abc&transport=polling", "EIO=3&transport=polling"])
    def test_another_protocol_version_is_refused(self, endpoint, query):
        answer = endpoint.request("GET", query)
        assert (answer.status, answer.body) == (400, '{"code":5,"message":"Unsupported protocol version"}')
        assert answer.headers["content-type"] == "application/json"

    @pytest.mark.parametrize("query", ["EIO=4", "EIO=4&transport=abc", ""])
    def test_an_unknown_transport_is_refused(self, endpoint, query):
        answer = endpoint.request("GET", query)
        assert (answer.status, answer.body) == (400, '{"code":0,"message":"Transport unknown"}')

    def test_an_unknown_session_is_refused(self, endpoint):
        answer = endpoint.poll("AAAAAAAAAAAAAAAAAAAA")
        assert (answer.status, answer.body) == (400, '{"code":1,"message":"Session ID unknown"}')

    @pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
    def test_only_get_opens_a_session(self, endpoint, method):
        answer = endpoint.request(method, "EIO=4&transport=polling")
        assert (answer.status, answer.body) == (400, '{"code":2,"message":"Bad handshake method"}')

    def test_head_opens_no_session_either(self, endpoint):
        answer = endpoint.request("HEAD", "EIO=4&transport=polling")
        assert (answer.status, answer.body) == (400, "")

    def test_another_transport_than_the_sessions_needs_an_upgrade(self, echo):
        sid = echo.open_polling()["sid"]
        for method in ("GET", "POST", "PUT"):
            answer = echo.request(method, f"EIO=4&transport=websocket&sid={sid}")
            assert (answer.status, answer.body) == (400, BAD_REQUEST), method
        assert echo.post(sid, "4still here").body == "ok"
        assert echo.poll(sid).body == "4still here"

    def test_polling_is_no_way_into_the_session_of_a_websocket(self, echo):
        socket, handshake = echo.open_websocket()
        with socket:
            for method in ("GET", "POST", "PUT"):
                answer = echo.request(method, f"EIO=4&transport=polling&sid={handshake['sid']}", "4hello")
                assert (answer.status, answer.body) == (400, BAD_REQUEST), method
            socket.send("4still here")
            assert receive_skipping_pings(socket) == "4still here"

    @pytest.mark.parametrize("character", ["\x01", "\x1f", "\x7f"])
    def test_an_origin_with_control_characters_is_refused(self, endpoint, character):
        for query in ("EIO=4&transport=polling", "EIO=4&transport=polling&sid=x"):
            answer = endpoint.exchange("GET", query, f"Origin: http://a{character}b\r\n")
            assert answer.startswith(b"HTTP/1.1 400 "), answer
            # A parser that takes such a field for no HTTP at all has nothing to say; else it is a bad request.
            assert answer.partition(b"\r\n\r\n")[2] in (b"", BAD_REQUEST.encode()), answer

    def test_a_websocket_needs_an_upgrade(self, endpoint):
        answer = endpoint.request("GET", "EIO=4&transport=websocket")
        assert (answer.status, answer.body) == (400, '{"code":3,"message":"Bad request"}')

    def test_the_transport_is_checked_first_and_the_version_last(self, endpoint):
        assert json.loads(endpoint.request("POST", "EIO=3&transport=abc&sid=x").body)["code"] == 0
        assert json.loads(endpoint.request("POST", "EIO=3&transport=polling&sid=x").body)["code"] == 1
        assert json.loads(endpoint.request("POST", "EIO=3&transport=polling").body)["code"] == 2


class TestHandshakeOverWebSocket:
    def test_it_opens_a_session(self, endpoint):
        socket, handshake = endpoint.open_websocket()
        with socket:
            assert list(handshake) == ["sid", "upgrades", "pingInterval", "pingTimeout", "maxPayload"]
            assert handshake["upgrades"] == []
            assert len(handshake["sid"]) == 20

    def test_its_packet_to_the_byte(self, endpoint):
        with endpoint.websocket() as socket:
            packet = socket.recv(timeout=5)
            assert HANDSHAKE.fullmatch(packet)["upgrades"] == "", packet

    def test_the_connection_ends_with_a_refusal(self, endpoint):
        with endpoint.begin(
            "GET",
            "EIO=3&transport=websocket",
            "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n",
        ) as connection:
            head, _, body = connection.makefile("rb").read().partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 400 ") and b"\r\ncontent-type: text/html" in head.lower()
        assert body == b"Unsupported protocol version"

    @pytest.mark.parametrize(
        "query, words",
        [
            ("transport=websocket", b"Unsupported protocol version"),
            ("EIO=abc&transport=websocket", b"Unsupported protocol version"),
            ("EIO=4", b"Transport unknown"),
            ("EIO=4&transport=abc", b"Transport unknown"),
            ("EIO=4&transport=websocket&sid=abc", b"Session ID unknown"),
        ],
    )
    def test_a_bad_request_is_refused(self, endpoint, query, words):
        with pytest.raises(InvalidStatus) as refused:
            endpoint.websocket(query)
        assert refused.value.response.status_code == 400
        assert refused.value.response.headers["Content-Type"] == "text/html"
        assert refused.value.response.body == words

    def test_compression_is_not_accepted(self, endpoint):
        with endpoint.websocket(compression="deflate") as socket:
            assert socket.protocol.extensions == []


class TestMessagesOverPolling:
    def test_one_text_packet(self, echo):
        sid = echo.open_polling()["sid"]
        pushed = echo.post(sid, "4hello")
        assert (pushed.status, pushed.body) == (200, "ok")
        assert pushed.headers["content-type"] == "text/html"
        polled = echo.poll(sid)
        assert (polled.status, polled.body) == (200, "4hello")

    def test_several_packets_come_back_in_one_answer(self, echo):
        sid = echo.open_polling()["sid"]
        assert echo.post(sid, "4test1\x1e4test2\x1e4test3").body == "ok"
        assert echo.poll(sid).body == "4test1\x1e4test2\x1e4test3"

    def test_several_packets_come_back_in_one_answer_to_a_poll_that_waits(self, echo):
        sid = echo.open_polling()["sid"]
        waiting = echo.poll_in_background(sid)
        time.sleep(0.05)
        assert echo.post(sid, "4test1\x1e4test2").body == "ok"
        assert waiting.wait().body == "4test1\x1e4test2"

    def test_text_and_binary(self, echo):
        sid = echo.open_polling()["sid"]
        assert echo.post(sid, "4hello\x1ebAQIDBA==").body == "ok"
        answer = echo.poll(sid)
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
        assert answer.body == "4hello\x1ebAQIDBA=="

    def test_the_fields_of_an_answer(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "1").body == "ok"
        answer = endpoint.poll(sid)
        assert answer.headers["content-type"] == "text/plain; charset=UTF-8"
        assert answer.headers["cache-control"] == "no-store"
        assert (answer.headers["content-length"], answer.body) == ("1", "6")
        assert "transfer-encoding" not in answer.headers

    @pytest.mark.parametrize("accepts", [False, True])
    @pytest.mark.parametrize("size", [1, 1024, 100_000])
    def test_only_what_is_long_is_compressed_and_only_for_who_asks(self, echo, size, accepts):
        sid = echo.open_polling()["sid"]
        message = b"4" + b"x" * (size - 1)
        assert echo.post(sid, message).body == "ok"
        fields = "Accept-Encoding: gzip, deflate\r\n" if accepts else ""
        answer = echo.exchange("GET", f"EIO=4&transport=polling&sid={sid}", fields)
        head, _, body = answer.partition(b"\r\n\r\n")
        if is_compressed := b"content-encoding" in head.lower():
            body = gzip.decompress(body)
        assert body == message
        assert not is_compressed or (accepts and size > 1024)

    def test_a_body_in_chunks(self, echo):
        sid = echo.open_polling()["sid"]
        assert echo.post(sid, iter([b"4hel", b"lo\x1e", b"4again"])).body == "ok"
        assert echo.poll(sid).body == "4hello\x1e4again"

    def test_the_limit_counts_bytes_not_characters(self, echo):
        sid = echo.open_polling()["sid"]
        largest = "4" + "€" * 333_333
        assert echo.post(sid, largest.encode()).body == "ok"
        assert echo.poll(sid).body == largest
        assert echo.post(sid, (largest + "x").encode()).status == 413

    def test_text_of_many_languages(self, echo):
        sid = echo.open_polling()["sid"]
        text = "4€ Ω 日本語 🎈"
        assert echo.post(sid, text.encode()).body == "ok"
        answer = echo.poll(sid)
        assert answer.body == text
        assert int(answer.headers["content-length"]) == len(text.encode())

    @pytest.mark.parametrize("body", ["abc", "", "4ok\x1eabc", "7", "2", "bA", "4ok\x1eb%%%%"])
    def test_an_invalid_packet_ends_the_session(self, echo, body):
        sid = echo.open_polling()["sid"]
        assert echo.post(sid, body).status == 400
        assert echo.poll(sid).status == 400

    def test_a_body_that_is_not_utf8_ends_the_session(self, echo):
        sid = echo.open_polling()["sid"]
        assert echo.post(sid, b"4\xff\xfe").status == 400
        assert echo.poll(sid).status == 400

    def test_a_body_declared_as_raw_bytes_ends_the_session(self, echo):
        sid = echo.open_polling()["sid"]
        assert echo.post(sid, "4hello", {"Content-Type": "application/octet-stream"}).status == 400
        assert echo.poll(sid).status == 400

    def test_a_body_of_the_largest_size_is_taken(self, echo):
        sid = echo.open_polling()["sid"]
        body = "4" + "x" * 999_999
        assert echo.post(sid, body).body == "ok"
        assert echo.poll(sid).body == body

    def test_a_larger_body_is_refused_and_the_session_lives(self, echo):
        sid = echo.open_polling()["sid"]
        answer = echo.post(sid, "4" + "x" * 1_000_000)
        assert (answer.status, answer.body) == (413, "")
        assert echo.post(sid, "4still here").body == "ok"
        assert echo.poll(sid).body == "4still here"

    def test_a_second_poll_ends_the_session(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        first = endpoint.poll_in_background(sid)
        time.sleep(0.05)
        second = endpoint.poll(sid)
        assert (second.status, second.body) == (400, "")
        answer = first.wait()
        assert (answer.status, answer.body) == (200, "1")
        assert endpoint.poll(sid).status == 400

    def test_a_second_post_beside_the_first_ends_the_session(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        with sockets.create_connection(("127.0.0.1", endpoint.server.port), timeout=5) as slow:
            target = endpoint.target(f"EIO=4&transport=polling&sid={sid}")
            slow.sendall(f"POST {target} HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n4he".encode())
            time.sleep(0.05)
            answer = endpoint.post(sid, "4other")
            assert (answer.status, answer.body) == (400, "")
            assert slow.recv(100).startswith(b"HTTP/1.1 400")
        assert endpoint.poll(sid).status == 400

    @pytest.mark.parametrize("is_reset", [False, True])
    def test_a_poll_broken_off_ends_the_session(self, endpoint, is_reset):
        sid = endpoint.open_polling()["sid"]
        broken = endpoint.begin("GET", f"EIO=4&transport=polling&sid={sid}")
        time.sleep(0.05)
        if is_reset:
            abort(broken)
        else:
            broken.close()
        time.sleep(0.05)
        assert endpoint.poll(sid).status == 400
        answer = endpoint.poll(sid)
        assert (answer.status, json.loads(answer.body)["code"]) == (400, 1)

    @pytest.mark.parametrize("is_reset", [False, True])
    def test_a_post_broken_off_ends_the_session(self, endpoint, is_reset):
        sid = endpoint.open_polling()["sid"]
        waiting = endpoint.poll_in_background(sid)
        query = f"EIO=4&transport=polling&sid={sid}"
        broken = endpoint.begin("POST", query, "Content-Length: 10\r\n", b"4he")
        time.sleep(0.05)
        if is_reset:
            abort(broken)
        else:
            broken.close()
        answer = waiting.wait()
        assert (answer.status, answer.body) == (200, "1")
        assert endpoint.poll(sid).status == 400

    def test_a_poll_whose_client_says_no_more_ends_the_session(self, endpoint):
        """Half of a connection is none: nobody would hear of the end of a client that only reads."""
        sid = endpoint.open_polling()["sid"]
        with endpoint.begin("GET", f"EIO=4&transport=polling&sid={sid}") as halved:
            time.sleep(0.05)
            halved.shutdown(sockets.SHUT_WR)
            assert halved.makefile("rb").read() == b""
        assert endpoint.poll(sid).status == 400

    @pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
    def test_other_methods_are_not_supported(self, endpoint, method):
        sid = endpoint.open_polling()["sid"]
        answer = endpoint.request(method, f"EIO=4&transport=polling&sid={sid}")
        assert (answer.status, answer.body) == (500, "")


class TestMessagesOverWebSocket:
    def test_text(self, echo):
        socket, _ = echo.open_websocket()
        with socket:
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    def test_binary(self, echo):
        socket, _ = echo.open_websocket()
        with socket:
            socket.send(b"\x01\x02\x03\x04")
            assert receive_skipping_pings(socket) == b"\x01\x02\x03\x04"

    def test_binary_as_text_where_the_client_asks_for_it(self, echo):
        with echo.websocket("EIO=4&transport=websocket&b64=1") as socket:
            socket.recv(timeout=5)
            socket.send("bAQIDBA==")
            assert receive_skipping_pings(socket) == "bAQIDBA=="

    def test_many_messages_keep_their_order(self, echo):
        socket, _ = echo.open_websocket()
        with socket:
            for number in range(500):
                socket.send(f"4{number}")
            assert [receive_skipping_pings(socket) for _ in range(500)] == [f"4{number}" for number in range(500)]

    @pytest.mark.parametrize("packet", ["abc", "", "7", "2", "2probe"])
    def test_an_invalid_packet_closes(self, endpoint, packet):
        socket, _ = endpoint.open_websocket()
        with socket:
            socket.send(packet)
            assert expect_close(socket) == 1002


@pytest.mark.hurried
class TestHeartbeat:
    def test_the_handshake_tells_its_times(self, pinging):
        handshake = pinging.open_polling()
        assert handshake["pingInterval"] == PING_INTERVAL * 1000
        assert handshake["pingTimeout"] == PING_TIMEOUT * 1000

    def test_three_rounds_over_polling(self, pinging):
        sid = pinging.open_polling()["sid"]
        for _ in range(3):
            answer = pinging.poll(sid)
            assert (answer.status, answer.body) == (200, "2")
            assert pinging.post(sid, "3").body == "ok"

    # Well behind the end: just when it comes is tested under a virtual clock.
    def test_silence_over_polling_ends_the_session(self, pinging):
        sid = pinging.open_polling()["sid"]
        time.sleep(2 * (PING_INTERVAL + PING_TIMEOUT))
        assert pinging.poll(sid).status == 400

    def test_a_ping_that_nobody_answers_ends_the_session(self, pinging):
        sid = pinging.open_polling()["sid"]
        assert pinging.poll(sid).body == "2"
        assert pinging.poll(sid).body == "1"
        assert pinging.poll(sid).status == 400

    def test_three_rounds_over_a_websocket(self, pinging):
        socket, _ = pinging.open_websocket()
        with socket:
            for _ in range(3):
                started = time.monotonic()
                assert socket.recv(timeout=5) == "2"
                assert time.monotonic() - started > 0.2
                socket.send("3")

    def test_the_next_ping_is_counted_from_the_pong(self, pinging):
        socket, _ = pinging.open_websocket()
        with socket:
            assert socket.recv(timeout=5) == "2"
            time.sleep(PING_TIMEOUT / 2)
            answered = time.monotonic()
            socket.send("3")
            assert socket.recv(timeout=5) == "2"
            assert time.monotonic() - answered > PING_INTERVAL - 0.02

    def test_messages_are_no_pong(self, pinging_engine_server):
        socket, _ = Endpoint(pinging_engine_server, "/engine.io/").open_websocket()
        with socket, pytest.raises(ConnectionClosed):
            for _ in range(200):
                socket.send("4x")
                assert socket.recv(timeout=5) in ("4x", "2")
                time.sleep(0.02)

    def test_silence_over_a_websocket_closes(self, pinging):
        socket, _ = pinging.open_websocket()
        with socket:
            assert expect_close(socket) == 1000


class TestClosing:
    def test_over_polling_while_a_poll_waits(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        waiting = endpoint.poll_in_background(sid)
        time.sleep(0.05)
        assert endpoint.post(sid, "1").body == "ok"
        answer = waiting.wait()
        assert (answer.status, answer.body) == (200, "6")
        assert endpoint.poll(sid).status == 400

    def test_over_polling_with_a_poll_that_comes_late(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "1").body == "ok"
        assert endpoint.poll(sid).body == "6"
        assert endpoint.poll(sid).status == 400

    def test_over_polling_with_both_at_once(self, endpoint):
        for _ in range(25):
            sid = endpoint.open_polling()["sid"]
            waiting = endpoint.poll_in_background(sid)
            assert endpoint.post(sid, "1").body == "ok"
            answer = waiting.wait()
            assert (answer.status, answer.body) == (200, "6")
            assert endpoint.poll(sid).status == 400

    def test_by_the_server_while_a_poll_waits(self, echo_server):
        endpoint = Endpoint(echo_server, "/socket.io/")
        sid = endpoint.open_polling()["sid"]
        waiting = endpoint.poll_in_background(sid)
        time.sleep(0.05)
        assert endpoint.post(sid, '42["no namespace entered"]').status == 200
        answer = waiting.wait()
        assert (answer.status, answer.body) == (200, "1")
        assert endpoint.poll(sid).status == 400

    def test_by_the_server_while_none_waits_is_told_to_the_next(self, echo_server):
        endpoint = Endpoint(echo_server, "/socket.io/")
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, '42["no namespace entered"]').status == 200
        time.sleep(0.5)
        answer = endpoint.poll(sid)
        assert (answer.status, answer.body) == (200, "1")
        assert endpoint.poll(sid).body == '{"code":1,"message":"Session ID unknown"}'

    def test_over_a_websocket(self, endpoint):
        socket, _ = endpoint.open_websocket()
        with socket:
            socket.send("1")
            assert expect_close(socket) == 1000

    @pytest.mark.parametrize("is_reset", [False, True])
    def test_a_websocket_whose_connection_breaks_takes_the_session_along(self, endpoint, is_reset):
        socket, handshake = endpoint.open_websocket()
        if is_reset:
            abort(socket.socket)
        else:
            socket.socket.shutdown(sockets.SHUT_WR)
        eventually(lambda: json.loads(endpoint.poll(handshake["sid"]).body)["code"] == 1, "the session's end")
        with socket:
            pass


class TestUpgrade:
    def begin(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        return sid, endpoint.websocket(f"EIO=4&transport=websocket&sid={sid}")

    def upgraded(self, endpoint):
        sid, socket = self.begin(endpoint)
        socket.send("2probe")
        assert socket.recv(timeout=5) == "3probe"
        socket.send("5")
        return sid, socket

    def test_the_whole_way(self, echo):
        sid, socket = self.begin(echo)
        with socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            answer = echo.poll(sid)
            assert (answer.status, answer.body) == (200, "6")
            socket.send("5")
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    def test_a_poll_that_waits_is_released(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        waiting = endpoint.poll_in_background(sid)
        with endpoint.websocket(f"EIO=4&transport=websocket&sid={sid}") as socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            assert waiting.wait().body == "6"

    def test_polls_are_released_until_the_client_has_done(self, endpoint):
        sid, socket = self.begin(endpoint)
        with socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            for _ in range(3):
                answer = endpoint.poll(sid)
                assert (answer.status, answer.body) == (200, "6")

    def test_a_poll_in_flight_ends_with_the_upgrade(self, echo):
        sid, socket = self.begin(echo)
        with socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            waiting = echo.poll_in_background(sid)
            socket.send("5")
            answer = waiting.wait()
            # The poll may have come behind the upgrade.
            assert (answer.status, answer.body) in ((200, "6"), (400, BAD_REQUEST))
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    def test_a_session_that_ends_during_the_probe_ends_both(self, endpoint):
        sid, socket = self.begin(endpoint)
        with socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            assert endpoint.post(sid, "1").body == "ok"
            assert expect_close(socket) == 1000
        assert endpoint.poll(sid).status in (200, 400)
        assert endpoint.poll(sid).status == 400

    def test_a_session_on_a_websocket_takes_no_other(self, echo):
        socket, handshake = echo.open_websocket()
        with socket:
            with echo.websocket(f"EIO=4&transport=websocket&sid={handshake['sid']}") as second:
                assert expect_close(second) == 1000
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    def test_who_asked_for_text_alone_gets_it_after_the_upgrade_too(self, echo):
        sid = json.loads(echo.request("GET", "EIO=4&transport=polling&b64=1").body[1:])["sid"]
        with echo.websocket(f"EIO=4&transport=websocket&b64=1&sid={sid}") as socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            socket.send("5")
            socket.send("bAQIDBA==")
            assert receive_skipping_pings(socket) == "bAQIDBA=="

    def test_a_probe_that_leads_nowhere_is_given_up_after_ten_seconds(self, echo):
        silent_sid, silent = self.begin(echo)
        probed_sid, probed = self.begin(echo)
        with silent, probed:
            probed.send("2probe")
            assert probed.recv(timeout=5) == "3probe"
            started = time.monotonic()
            assert expect_close(silent, timeout=30) == 1000
            assert time.monotonic() - started > 9
            assert expect_close(probed, timeout=30) == 1000
        for sid in (silent_sid, probed_sid):
            assert echo.post(sid, "4still here").body == "ok"
            assert echo.poll(sid).body == "4still here"

    def test_polling_goes_on_during_the_probe_and_what_waits_crosses_over(self, echo):
        sid, socket = self.begin(echo)
        with socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            assert echo.post(sid, "4one").body == "ok"
            assert echo.poll(sid).body == "4one"
            assert echo.post(sid, "4two\x1e4three").body == "ok"
            socket.send("5")
            socket.send("4four")
            assert [receive_skipping_pings(socket) for _ in range(3)] == ["4two", "4three", "4four"]

    def test_requests_after_the_upgrade_are_refused(self, echo):
        sid, socket = self.upgraded(echo)
        with socket:
            time.sleep(0.05)
            answer = echo.poll(sid)
            assert (answer.status, answer.body) == (400, '{"code":3,"message":"Bad request"}')
            assert echo.post(sid, "4hello").status == 400
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    def test_a_second_websocket_is_accepted_and_closed(self, echo):
        sid, socket = self.upgraded(echo)
        with socket:
            with echo.websocket(f"EIO=4&transport=websocket&sid={sid}") as second:
                assert expect_close(second) == 1000
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    def test_a_second_websocket_during_the_probe_is_accepted_and_closed(self, echo):
        sid, socket = self.begin(echo)
        with socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            with echo.websocket(f"EIO=4&transport=websocket&sid={sid}") as second:
                assert expect_close(second) == 1000
            socket.send("5")
            socket.send("4hello")
            assert receive_skipping_pings(socket) == "4hello"

    @pytest.mark.parametrize(
        "packets", [["4hello"], ["5"], ["2"], ["2probe", "4hello"], ["abc"], [b"2probe"], ["2probe", "2probe"]]
    )
    def test_anything_else_during_the_probe_closes_the_new_socket_alone(self, echo, packets):
        sid, socket = self.begin(echo)
        with socket:
            for packet in packets:
                socket.send(packet)
            assert expect_close(socket) == 1000
        assert echo.post(sid, "4still here").body == "ok"
        assert echo.poll(sid).body == "4still here"

    def test_a_probe_broken_off_leaves_polling_alone(self, echo):
        sid, socket = self.begin(echo)
        socket.close()
        assert echo.post(sid, "4still here").body == "ok"
        assert echo.poll(sid).body == "4still here"
        with echo.websocket(f"EIO=4&transport=websocket&sid={sid}") as again:
            again.send("2probe")
            assert again.recv(timeout=5) == "3probe"

    @pytest.mark.hurried
    def test_the_session_goes_on_being_kept_alive(self, pinging):
        _, socket = self.upgraded(pinging)
        with socket:
            for _ in range(3):
                assert socket.recv(timeout=5) == "2"
                socket.send("3")


class TestForeignPages:
    def test_every_answer_is_readable(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        for answer in [
            endpoint.request("GET", "EIO=4&transport=polling", headers={"Origin": "https://other.example"}),
            endpoint.request("GET", "EIO=4&transport=abc"),
            endpoint.post(sid, "3"),
            endpoint.post(sid, "abc"),
        ]:
            assert answer.headers["access-control-allow-origin"] == "*", answer

    def test_a_preflight_is_answered(self, endpoint):
        answer = endpoint.request(
            "OPTIONS",
            "EIO=4&transport=polling",
            headers={
                "Origin": "https://other.example",
                "Access-Control-Request-Method": "POST",
                "Access-Control-Request-Headers": "x-one,x-two",
            },
        )
        assert (answer.status, answer.body) == (204, "")
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["access-control-allow-methods"] == "GET,HEAD,PUT,PATCH,POST,DELETE"
        assert answer.headers["access-control-allow-headers"] == "x-one,x-two"
        assert answer.headers["vary"] == "Access-Control-Request-Headers"
        # RFC 9110 §8.6 wants none with 204, the reference sends 0: both say that nothing follows.
        assert answer.headers.get("content-length", "0") == "0"

    def test_a_websocket_of_a_foreign_page_is_let_in_where_all_are(self, endpoint):
        with endpoint.websocket(origin="https://other.example") as socket:
            assert socket.recv(timeout=5)[0] == "0"

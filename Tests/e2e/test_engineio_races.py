"""Engine.IO where two things happen at once, many times over, with one event loop and with several: whichever comes
first, nothing is lost, doubled or disordered, and who is refused is told so."""

import contextlib
import re
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from websockets.exceptions import ConnectionClosed

from engineio_wire import Endpoint, InBackground, abort, expect_close, receive_skipping_pings
from waiting import eventually

ROUNDS = 20
BAD_REQUEST = '{"code":3,"message":"Bad request"}'
UNKNOWN_SESSION = '{"code":1,"message":"Session ID unknown"}'


@pytest.fixture(params=["one loop", "three loops"])
def echo(request):
    """A bare Engine.IO echo."""
    name = "engine_server" if request.param == "one loop" else "patient_engine_server"
    return Endpoint(request.getfixturevalue(name), "/engine.io/")


@pytest.fixture(params=["one loop", "three loops"])
def socketio(request):
    """A Socket.IO echo."""
    name = "echo_server" if request.param == "one loop" else "patient_server"
    return Endpoint(request.getfixturevalue(name), "/socket.io/")


def probed(endpoint, sid):
    """A WebSocket that may take over with its next packet."""
    socket = endpoint.websocket(f"EIO=4&transport=websocket&sid={sid}")
    socket.send("2probe")
    assert socket.recv(timeout=5) == "3probe"
    return socket


def poll_query(sid):
    return f"EIO=4&transport=polling&sid={sid}"


class TestClosing:
    @pytest.mark.parametrize("first", ["GET", "POST"])
    def test_the_last_get_and_the_last_post_in_either_order(self, echo, first):
        for _ in range(ROUNDS):
            sid = echo.open_polling()["sid"]
            if first == "GET":
                poll = echo.ask("GET", poll_query(sid))
                post = echo.ask("POST", poll_query(sid), "1")
            else:
                post = echo.ask("POST", poll_query(sid), "1")
                poll = echo.ask("GET", poll_query(sid))
            assert post().body == "ok"
            answer = poll()
            assert (answer.status, answer.body) == (200, "6")
            assert echo.poll(sid).body == UNKNOWN_SESSION

    def test_the_last_get_and_the_last_post_at_once(self, echo):
        with ThreadPoolExecutor(2) as pool:
            for _ in range(ROUNDS):
                sid = echo.open_polling()["sid"]
                start = threading.Barrier(2)

                def together(action, start=start):
                    start.wait()
                    return action()

                poll = pool.submit(together, lambda sid=sid: echo.poll(sid))
                post = pool.submit(together, lambda sid=sid: echo.post(sid, "1"))
                assert post.result().body == "ok"
                assert (poll.result().status, poll.result().body) == (200, "6")
                assert echo.poll(sid).body == UNKNOWN_SESSION

    def test_one_poll_alone_is_told_of_the_end(self, echo):
        """What is left of a session that its client has closed answers one poll, however many come."""
        with ThreadPoolExecutor(4) as pool:
            for _ in range(ROUNDS):
                sid = echo.open_polling()["sid"]
                assert echo.post(sid, "1").body == "ok"
                answers = list(pool.map(lambda _, sid=sid: echo.poll(sid), range(4)))
                assert sorted(answer.body for answer in answers) == sorted(["6"] + [UNKNOWN_SESSION] * 3)

    def test_closing_while_the_websocket_takes_over(self, echo):
        for _ in range(ROUNDS):
            sid = echo.open_polling()["sid"]
            with probed(echo, sid) as socket:
                post = echo.ask("POST", poll_query(sid), "1")
                with contextlib.suppress(ConnectionClosed):
                    socket.send("5")
                if post().body == "ok":
                    assert expect_close(socket) == 1000
                else:  # too late: the session is the WebSocket's
                    socket.send("4still here")
                    assert receive_skipping_pings(socket) == "4still here"

    def test_two_polls_at_once_end_the_session_and_each_is_told(self, echo):
        with ThreadPoolExecutor(2) as pool:
            for _ in range(ROUNDS):
                sid = echo.open_polling()["sid"]
                answers = list(pool.map(lambda _, sid=sid: echo.poll(sid), range(2)))
                assert sorted((answer.status, answer.body) for answer in answers) == [(200, "1"), (400, "")]
                assert echo.poll(sid).body == UNKNOWN_SESSION

    @pytest.mark.parametrize("end", [abort, lambda connection: connection.close()], ids=["reset", "closed"])
    def test_a_poll_broken_off_while_a_message_comes(self, echo, end):
        for _ in range(ROUNDS):
            sid = echo.open_polling()["sid"]
            broken = echo.begin("GET", poll_query(sid))
            post = echo.ask("POST", poll_query(sid), "4hello")
            end(broken)
            # The echo may have gone to the poll while that was still there; then nothing has been broken off.
            status = post().status
            assert status in (200, 400)
            following = echo.poll_in_background(sid)
            time.sleep(0.01)
            final = echo.poll(sid)
            assert final.status == 400 or following.wait().status == 400
            following.wait()
            assert echo.poll(sid).body == UNKNOWN_SESSION


class TestUpgrade:
    def test_a_message_posted_while_the_websocket_takes_over_is_taken_whole_or_refused(self, echo):
        for _ in range(ROUNDS):
            sid = echo.open_polling()["sid"]
            with probed(echo, sid) as socket:
                post = echo.ask("POST", poll_query(sid), "4posted")
                socket.send("5")
                socket.send("4after")
                answer = post()
                expected = ["4after"]
                if (answer.status, answer.body) == (200, "ok"):
                    expected = ["4after", "4posted"]
                else:
                    assert (answer.status, answer.body) == (400, BAD_REQUEST)
                received = [receive_skipping_pings(socket) for _ in expected]
                assert sorted(received) == expected
                socket.send("4last")
                assert receive_skipping_pings(socket) == "4last", "and nothing came twice"

    def test_a_body_of_which_half_has_come_when_the_websocket_takes_over_is_refused(self, echo):
        for _ in range(ROUNDS):
            sid = echo.open_polling()["sid"]
            halted = echo.begin("POST", poll_query(sid), "Content-Length: 7\r\n", b"4po")
            with halted, probed(echo, sid) as socket:
                time.sleep(0.01)
                socket.send("5")
                socket.send("4after")
                assert receive_skipping_pings(socket) == "4after"
                halted.sendall(b"sted")
                answer = halted.recv(65536)
                assert answer.startswith(b"HTTP/1.1 400 ") and answer.endswith(BAD_REQUEST.encode())
                socket.send("4last")
                assert receive_skipping_pings(socket) == "4last"

    @pytest.mark.parametrize("kind", ["text", "binary"])
    def test_a_client_that_upgrades_while_it_talks_hears_everything_once_and_in_order(self, echo, kind):
        """As the JavaScript client does it: posts go on during the probe, polls until one is released, then `5`."""
        count = 30

        def packet(number):
            return f"4{number}" if kind == "text" else f"bAAA{'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdef'[number]}"

        def on_websocket(number):
            return f"4{number}" if kind == "text" else bytes([0, 0, number])

        for _ in range(max(ROUNDS // 4, 1)):
            sid = echo.open_polling()["sid"]
            polled = []

            def keep_polling(sid=sid, polled=polled):
                while True:
                    answer = echo.poll(sid)
                    assert answer.status == 200, answer
                    if answer.body == "6":
                        return
                    polled.extend(p for p in answer.body.split("\x1e") if p not in ("2", "6"))

            polling = InBackground(keep_polling)
            half = count // 2
            for number in range(half // 2):
                assert echo.post(sid, packet(number)).body == "ok"
            with probed(echo, sid) as socket:
                for number in range(half // 2, half):
                    assert echo.post(sid, packet(number)).body == "ok"
                polling.wait()
                socket.send("5")
                for number in range(half, count):
                    socket.send(on_websocket(number))
                rest = [receive_skipping_pings(socket) for _ in range(count - len(polled))]
            assert polled == [packet(number) for number in range(len(polled))]
            assert rest == [on_websocket(number) for number in range(len(polled), count)]

    def test_of_websockets_that_compete_one_wins(self, echo):
        with ThreadPoolExecutor(4) as pool:
            for _ in range(max(ROUNDS // 4, 1)):
                sid = echo.open_polling()["sid"]

                def compete(_, sid=sid):
                    socket = echo.websocket(f"EIO=4&transport=websocket&sid={sid}")
                    try:
                        socket.send("2probe")
                        return socket, socket.recv(timeout=5)
                    except ConnectionClosed as closed:
                        return socket, closed.rcvd and closed.rcvd.code

                outcomes = list(pool.map(compete, range(4)))
                told = [answer for _, answer in outcomes]
                assert sorted(map(str, told)) == ["1000", "1000", "1000", "3probe"], told
                winner = next(socket for socket, answer in outcomes if answer == "3probe")
                winner.send("5")
                winner.send("4hello")
                assert receive_skipping_pings(winner) == "4hello"
                for socket, _ in outcomes:
                    socket.close()

    def test_a_websocket_that_breaks_while_it_takes_over_ends_the_session_or_leaves_it_to_polling(self, echo):
        for _ in range(ROUNDS):
            sid = echo.open_polling()["sid"]
            socket = probed(echo, sid)
            socket.send("5")
            abort(socket.socket)
            # Reset before it was read, the `5` may be lost: then the session is polling's and answers. It may also take
            # effect as late as between our post and our poll. What must not be is a session left to a dead WebSocket.
            eventually(lambda sid=sid: echo.post(sid, "4hello").body != BAD_REQUEST, "a session that answers")
            following = echo.poll(sid)
            assert following.body in ("4hello", "6", BAD_REQUEST, UNKNOWN_SESSION), following
            if following.body != "4hello":
                eventually(lambda sid=sid: echo.poll(sid).body == UNKNOWN_SESSION, "the session's end")
            with contextlib.suppress(Exception):
                socket.close()


def placeholders(count):
    return ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(count))


class TestAttachments:
    """A binary packet's header and attachments come one after the other on one connection."""

    def enter(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "40").body == "ok"
        packets = []
        while len(packets) < 2:
            packets += [packet for packet in endpoint.poll(sid).body.split("\x1e") if packet != "2"]
        return sid

    def check_whole(self, packets):
        """Gives the packets that are no attachments, after making sure that each has its own behind it."""
        headers = []
        position = 0
        while position < len(packets):
            packet = packets[position]
            assert isinstance(packet, str) and not packet.startswith("b"), f"an attachment without a header: {packets}"
            headers.append(packet)
            due = int(found[1]) if (found := re.match(r"45(\d+)-", packet)) else 0
            attachments = packets[position + 1 : position + 1 + due]
            assert len(attachments) == due, f"attachments are missing: {packets[position:]}"
            assert all(isinstance(a, bytes) or a.startswith("b") for a in attachments), packets
            position += 1 + due
        return headers

    @pytest.mark.parametrize("before", [0, 6, 14, 15, 16, 31])
    def test_a_poll_takes_a_packet_whole(self, socketio, before):
        sid = self.enter(socketio)
        events = [f'42["message",{number}]' for number in range(before)]
        binary = [f'453-["message",{placeholders(3)}]', "bAQ==", "bAg==", "bAw=="]
        assert socketio.post(sid, "\x1e".join(events + binary + ['42["message","last"]'])).body == "ok"
        headers = []
        while not headers or "last" not in headers[-1]:
            headers += self.check_whole([p for p in socketio.poll(sid).body.split("\x1e") if p != "2"])
        assert len(headers) == before + 2

    def test_they_stay_together_across_the_upgrade(self, socketio):
        count = 12
        for _ in range(max(ROUNDS // 4, 1)):
            sid = self.enter(socketio)
            polled = []

            def keep_polling(sid=sid, polled=polled):
                while (body := socketio.poll(sid).body) != "6":
                    polled.extend(packet for packet in body.split("\x1e") if packet not in ("2", "6"))

            polling = InBackground(keep_polling)
            with probed(socketio, sid) as socket:
                for number in range(count):
                    packet = f'452-["message",{number},{placeholders(2)}]\x1ebAQID\x1ebBAUG'
                    assert socketio.post(sid, packet).body == "ok"
                polling.wait()
                socket.send("5")
                socket.send('42["message","last"]')
                received = []
                while not received or "last" not in str(received[-1]):
                    received.append(receive_skipping_pings(socket))
            headers = self.check_whole(polled) + self.check_whole(received)
            expected = [f'452-["message-back",{number},{placeholders(2)}]' for number in range(count)]
            assert headers == [*expected, '42["message-back","last"]']

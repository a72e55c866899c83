"""Socket.IO protocol 5, rule by rule, against socketio-echo. What is common to every Engine.IO server is tested in
test_engineio_conformance.py, under this path too."""

import json
import re
import time

import pytest

from engineio_wire import Endpoint, expect_close, receive_skipping_pings


@pytest.fixture
def endpoint(echo_server):
    return Endpoint(echo_server, "/socket.io/")


@pytest.fixture
def raw(endpoint):
    """A WebSocket after the Engine.IO handshake, in no namespace."""
    yield from opened(endpoint)


@pytest.fixture
def hurried(hurried_echo_server):
    """The same, where a namespace has to be entered within a second."""
    yield from opened(Endpoint(hurried_echo_server, "/socket.io/"))


def opened(endpoint):
    socket, handshake = endpoint.open_websocket()
    socket.engine_id = handshake["sid"]
    with socket:
        yield socket


@pytest.fixture
def main(raw):
    """A WebSocket in the main namespace, greeted."""
    raw.send("40")
    assert raw.recv(timeout=5).startswith("40{")
    assert raw.recv(timeout=5) == '42["auth",{}]'
    return raw


def receive(socket):
    return receive_skipping_pings(socket)


class TestConnect:
    def test_main_namespace(self, raw):
        raw.send("40")
        packet = receive(raw)
        handshake = json.loads(packet[2:])
        assert packet[:2] == "40"
        assert list(handshake) == ["sid"]
        assert len(handshake["sid"]) == 20
        assert handshake["sid"] != raw.engine_id
        assert receive(raw) == '42["auth",{}]'

    def test_main_namespace_with_a_payload(self, raw):
        raw.send('40{"token":"123"}')
        assert list(json.loads(receive(raw)[2:])) == ["sid"]
        assert receive(raw) == '42["auth",{"token":"123"}]'

    @pytest.mark.parametrize("packet", ["40/custom,", "40/custom"])
    def test_custom_namespace(self, raw, packet):
        raw.send(packet)
        assert re.fullmatch(r'40/custom,\{"sid":"[\w-]{20}"\}', receive(raw))
        assert receive(raw) == '42/custom,["auth",{}]'

    def test_custom_namespace_with_a_payload(self, raw):
        raw.send('40/custom,{"token":"abc"}')
        assert re.fullmatch(r'40/custom,\{"sid":"[\w-]{20}"\}', receive(raw))
        assert receive(raw) == '42/custom,["auth",{"token":"abc"}]'

    @pytest.mark.parametrize("packet", ["40/random", "40/random,", '40/random,{"a":1}'])
    def test_unknown_namespace(self, raw, packet):
        raw.send(packet)
        assert receive(raw) == '44/random,{"message":"Invalid namespace"}'
        raw.send("40")
        assert receive(raw).startswith('40{"sid":')

    @pytest.mark.parametrize(
        "packet", ["4abc", "40[]", "40null", '40"a"', "40{", "40/custom,[]", "4", "40/" + "x" * 300]
    )
    def test_an_invalid_connect_closes(self, raw, packet):
        raw.send(packet)
        assert expect_close(raw) == 1002

    @pytest.mark.hurried
    def test_silence_closes(self, hurried):
        started = time.monotonic()
        assert expect_close(hurried, answers_pings=True) == 1000
        assert time.monotonic() - started > 0.8

    @pytest.mark.hurried
    def test_a_refusal_does_not_count_as_having_entered(self, hurried):
        hurried.send("40/random")
        assert receive(hurried).startswith("44/random")
        assert expect_close(hurried, answers_pings=True) == 1000

    def test_nothing_is_told_that_could_bring_a_session_back(self, raw):
        """Connection state recovery is off: no `pid` in the answer, and one that a client sends counts for nothing."""
        raw.send('40{"pid":"abc","offset":"def"}')
        assert list(json.loads(receive(raw)[2:])) == ["sid"]
        assert receive(raw) == '42["auth",{"pid":"abc","offset":"def"}]'
        raw.send('42["message"]')
        assert receive(raw) == '42["message-back"]', "and no argument more than were sent"

    def test_who_comes_back_comes_anew(self, endpoint):
        names = set()
        for _ in range(3):
            socket, _ = endpoint.open_websocket()
            with socket:
                socket.send(f'40{json.dumps({"sid": next(iter(names), "x")})}')
                names.add(json.loads(receive(socket)[2:])["sid"])
        assert len(names) == 3

    def test_namespaces_have_ids_of_their_own(self, main):
        main.send("40/custom")
        custom = json.loads(receive(main).removeprefix("40/custom,"))["sid"]
        assert receive(main) == '42/custom,["auth",{}]'
        main.send("41/custom")
        main.send("40/custom")
        assert json.loads(receive(main).removeprefix("40/custom,"))["sid"] != custom

    def test_a_refused_namespace_is_told_over_polling_too(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "40/random").body == "ok"
        assert endpoint.poll(sid).body == '44/random,{"message":"Invalid namespace"}'
        assert endpoint.post(sid, "40").body == "ok"
        assert endpoint.poll(sid).body.startswith('40{"sid":')

    def test_a_second_connect_to_the_same_namespace_closes(self, main):
        main.send("40")
        assert expect_close(main) == 1000

    @pytest.mark.parametrize("packet", ['42["message"]', "41", "43[1]", '42/custom,["message"]'])
    def test_a_packet_for_a_namespace_not_entered_closes(self, raw, packet):
        raw.send(packet)
        assert expect_close(raw) == 1000

    def test_over_polling(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, '40{"token":"123"}').body == "ok"
        packets = []
        while len(packets) < 2:
            packets += [packet for packet in endpoint.poll(sid).body.split("\x1e") if packet != "2"]
        assert packets[0].startswith('40{"sid":"')
        assert packets[1] == '42["auth",{"token":"123"}]'


class TestDisconnect:
    @pytest.mark.hurried
    def test_leaving_the_last_namespace_leaves_the_connection(self, hurried):
        hurried.send("40")
        assert receive(hurried).startswith("40{")
        assert receive(hurried) == '42["auth",{}]'
        hurried.send("41")
        # The first ping may have been on its way already.
        for _ in range(2):
            assert hurried.recv(timeout=5) == "2"
            hurried.send("3")

    @pytest.mark.parametrize("packet", ["41/custom", "41/custom,"])
    def test_leaving_one_of_two_namespaces(self, main, packet):
        main.send("40/custom")
        assert receive(main).startswith("40/custom,")
        assert receive(main) == '42/custom,["auth",{}]'
        main.send(packet)
        main.send('42["message","message to main namespace"]')
        assert receive(main) == '42["message-back","message to main namespace"]'

    def test_entering_again(self, main):
        main.send("41")
        main.send("40")
        assert receive(main).startswith("40{")
        assert receive(main) == '42["auth",{}]'

    def test_events_of_a_namespace_that_was_left_close(self, main):
        main.send("40/custom")
        assert receive(main).startswith("40/custom,")
        assert receive(main) == '42/custom,["auth",{}]'
        main.send("41/custom,")
        main.send('42/custom,["message"]')
        assert expect_close(main) == 1000

    @pytest.mark.parametrize("packet", ["41{}", '41"bye"', "41[]", "41/custom,{}"])
    def test_a_payload_closes(self, main, packet):
        main.send(packet)
        assert expect_close(main) == 1002


class TestMessages:
    def test_plain(self, main):
        main.send('42["message",1,"2",{"3":[true]}]')
        assert receive(main) == '42["message-back",1,"2",{"3":[true]}]'

    def test_the_text_of_the_arguments_stays_what_it_was(self, main):
        arguments = '{"z":1.0,"a":[1e2,-0,"\\u00e9\\/"],"":null}'
        main.send(f'42["message",{arguments}]')
        assert receive(main) == f'42["message-back",{arguments}]'

    def test_with_attachments(self, main):
        header = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        main.send(f'452-["message",{header}]')
        main.send(b"\x01\x02\x03")
        main.send(b"\x04\x05\x06")
        assert receive(main) == f'452-["message-back",{header}]'
        assert receive(main) == b"\x01\x02\x03"
        assert receive(main) == b"\x04\x05\x06"

    def test_with_acknowledgement(self, main):
        main.send('42456["message-with-ack",1,"2",{"3":[false]}]')
        assert receive(main) == '43456[1,"2",{"3":[false]}]'

    def test_with_attachments_and_acknowledgement(self, main):
        header = '{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}'
        main.send(f'452-789["message-with-ack",{header}]')
        main.send(b"\x01\x02\x03")
        main.send(b"\x04\x05\x06")
        assert receive(main) == f"462-789[{header}]"
        assert receive(main) == b"\x01\x02\x03"
        assert receive(main) == b"\x04\x05\x06"

    def test_with_attachments_over_polling(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "40").body == "ok"
        packets = []

        def collect(count):
            while len(packets) < count:
                packets.extend(packet for packet in endpoint.poll(sid).body.split("\x1e") if packet != "2")

        collect(2)
        header = '{"_placeholder":true,"num":0}'
        assert endpoint.post(sid, f'451-["message",{header}]\x1ebAQID').body == "ok"
        collect(4)
        assert packets[2:] == [f'451-["message-back",{header}]', "bAQID"]

    @pytest.mark.parametrize("number", ["0", "7", "18446744073709551615"])
    def test_the_number_of_an_acknowledgement_comes_back_as_it_was(self, main, number):
        main.send(f'42{number}["message-with-ack"]')
        assert receive(main) == f"43{number}[]"

    def test_an_acknowledgement_is_given_once_and_only_where_it_was_asked_for(self, main):
        main.send('421["message-with-ack","a"]')
        main.send('42["message-with-ack","b"]')
        main.send('421["message-with-ack","c"]')
        main.send('42["message","after"]')
        assert [receive(main) for _ in range(3)] == ['431["a"]', '431["c"]', '42["message-back","after"]']

    def test_an_event_that_nobody_hears_is_not_acknowledged(self, main):
        main.send('425["nobody listens"]')
        main.send('42["message","after"]')
        assert receive(main) == '42["message-back","after"]'

    def test_in_another_namespace_too(self, main):
        main.send("40/custom,")
        assert receive(main).startswith("40/custom,")
        assert receive(main) == '42/custom,["auth",{}]'
        main.send('42/custom,["message","not echoed there"]')
        main.send('42["message","in the main one"]')
        assert receive(main) == '42["message-back","in the main one"]'

    def test_an_event_named_by_a_number(self, main):
        main.send('421[7,"x"]')
        main.send('42["message","after"]')
        assert receive(main) == '42["message-back","after"]'

    def test_an_acknowledgement_nobody_asked_for_is_ignored(self, main):
        main.send("4312[1]")
        main.send('42["message","after"]')
        assert receive(main) == '42["message-back","after"]'

    @pytest.mark.parametrize(
        "packet",
        [
            "4abc",
            "42{}",
            "42abc[]",
            '42abc["message",1]',
            "42",
            "42[]",
            "42[null]",
            "42[{}]",
            '42["message",1',
            '42["message",01]',
            '42["message"] x',
            '42["connect"]',
            '42["disconnect",1]',
            '42["disconnecting"]',
            '42["connect_error",{}]',
            '42["newListener"]',
            '42["removeListener"]',
            "42[true]",
            "42[[]]",
            '42"message"',
            '431{"0":1}',
            '431"a"',
            '46["a"]',
            '461-1{"_placeholder":true,"num":0}',
            "43{}",
            "43",
            "44{}",
            '47["message"]',
            '45["message"]',
            '451["message"]',
            '45-["message"]',
            '45x-["message"]',
            '4211111111111111111111111["message"]',
            '42["message",' + "[" * 64 + "]" * 64 + "]",
            "42[" + ",".join(['"message"'] * 257) + "]",
        ],
    )
    def test_what_is_no_packet_closes(self, main, packet):
        main.send(packet)
        assert expect_close(main) in (1000, 1002)

    def test_ten_attachments_are_taken(self, main):
        header = ",".join(f'{{"_placeholder":true,"num":{number}}}' for number in range(10))
        main.send(f'4510-["message",{header}]')
        for number in range(10):
            main.send(bytes([number]))
        assert receive(main) == f'4510-["message-back",{header}]'
        assert [receive(main) for _ in range(10)] == [bytes([number]) for number in range(10)]

    def test_eleven_attachments_close(self, main):
        main.send('4511-["message",{"_placeholder":true,"num":0}]')
        assert expect_close(main) == 1002

    @pytest.mark.parametrize("number", ["1", "-1", '"0"', "0.5", "null"])
    def test_a_placeholder_for_no_attachment_closes(self, main, number):
        main.send(f'451-["message",{{"a":[{{"_placeholder":true,"num":{number}}}]}}]')
        assert expect_close(main) == 1002

    def test_text_where_an_attachment_is_due_closes(self, main):
        main.send('451-["message",{"_placeholder":true,"num":0}]')
        main.send('42["message"]')
        assert expect_close(main) == 1002

    def test_an_attachment_that_belongs_to_nothing_closes(self, main):
        main.send(b"\x01")
        assert expect_close(main) == 1002

    def test_what_looks_like_a_placeholder_in_a_plain_event_is_plain(self, main):
        main.send('42["message",{"_placeholder":true,"num":5}]')
        assert receive(main) == '42["message-back",{"_placeholder":true,"num":5}]'

    def test_order_is_kept_across_the_upgrade(self, endpoint):
        sid = endpoint.open_polling()["sid"]
        assert endpoint.post(sid, "40").body == "ok"
        packets = []
        while len(packets) < 2:
            packets += [packet for packet in endpoint.poll(sid).body.split("\x1e") if packet != "2"]
        with endpoint.websocket(f"EIO=4&transport=websocket&sid={sid}") as socket:
            socket.send("2probe")
            assert socket.recv(timeout=5) == "3probe"
            for number in range(20):
                assert endpoint.post(sid, f'42["message",{number}]').body == "ok"
            socket.send("5")
            for number in range(20, 40):
                socket.send(f'42["message",{number}]')
            assert [receive(socket) for _ in range(40)] == [f'42["message-back",{number}]' for number in range(40)]

"""The official Python client, sync and async, over each transport and across the upgrade."""

import asyncio
import queue

import pytest
import socketio

TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgraded": ["polling", "websocket"]}


@pytest.fixture(params=list(TRANSPORTS))
def transports(request):
    return request.param, TRANSPORTS[request.param]


def expected_transport(name):
    return "polling" if name == "polling" else "websocket"


class TestSyncClient:
    @pytest.fixture
    def client(self, patient_server, transports):
        name, allowed = transports
        client = socketio.Client(reconnection=False)
        client.received = queue.Queue()
        client.on("auth", lambda *arguments: client.received.put(("auth", *arguments)))
        client.on("message-back", lambda *arguments: client.received.put(arguments))
        client.connect(patient_server.url, transports=allowed, auth={"token": "abc"}, wait_timeout=10)
        assert client.received.get(timeout=5) == ("auth", {"token": "abc"})
        assert client.transport() == expected_transport(name)
        yield client
        client.disconnect()
        client.wait()

    def test_echo(self, client):
        for number in range(50):
            client.emit("message", (number, "two", {"three": [True, None, 1.5]}))
        for number in range(50):
            assert client.received.get(timeout=5) == (number, "two", {"three": [True, None, 1.5]})

    def test_acknowledgement(self, client):
        assert client.call("message-with-ack", (1, {"a": "ü"}), timeout=5) == (1, {"a": "ü"})

    def test_binary(self, client):
        client.emit("message", (b"\x00\x01\xff", {"inside": b"more"}))
        assert client.received.get(timeout=5) == (b"\x00\x01\xff", {"inside": b"more"})
        assert client.call("message-with-ack", b"bytes", timeout=5) == b"bytes"

    def test_a_namespace_that_does_not_exist(self, patient_server, transports):
        client = socketio.Client(reconnection=False)
        with pytest.raises(socketio.exceptions.ConnectionError):
            client.connect(patient_server.url, transports=transports[1], namespaces=["/random"], wait_timeout=5)
        client.disconnect()

    def test_two_namespaces(self, patient_server, transports):
        client = socketio.Client(reconnection=False)
        received = queue.Queue()
        client.on("auth", lambda payload: received.put("/"), namespace="/")
        client.on("auth", lambda payload: received.put("/custom"), namespace="/custom")
        client.connect(patient_server.url, transports=transports[1], namespaces=["/", "/custom"], wait_timeout=10)
        assert {received.get(timeout=5), received.get(timeout=5)} == {"/", "/custom"}
        client.disconnect()


class TestAsyncClient:
    def run(self, patient_server, transports, steps):
        async def scenario():
            client = socketio.AsyncClient(reconnection=False)
            client.received = asyncio.Queue()

            @client.on("auth")
            async def auth(*arguments):
                await client.received.put(("auth", *arguments))

            @client.on("message-back")
            async def message_back(*arguments):
                await client.received.put(arguments)

            await client.connect(patient_server.url, transports=transports[1], auth={"token": "abc"}, wait_timeout=10)
            try:
                assert await asyncio.wait_for(client.received.get(), 5) == ("auth", {"token": "abc"})
                assert client.transport() == expected_transport(transports[0])
                await steps(client)
            finally:
                await client.disconnect()

        asyncio.run(scenario())

    def test_echo(self, patient_server, transports):
        async def steps(client):
            for number in range(50):
                await client.emit("message", (number, {"three": [True]}))
            for number in range(50):
                assert await asyncio.wait_for(client.received.get(), 5) == (number, {"three": [True]})

        self.run(patient_server, transports, steps)

    def test_acknowledgement(self, patient_server, transports):
        async def steps(client):
            answers = await asyncio.gather(
                *(client.call("message-with-ack", (number, "x"), timeout=5) for number in range(20))
            )
            assert answers == [(number, "x") for number in range(20)]

        self.run(patient_server, transports, steps)

    def test_binary(self, patient_server, transports):
        async def steps(client):
            await client.emit("message", (b"\x00\x01\xff", {"inside": b"more"}))
            assert await asyncio.wait_for(client.received.get(), 5) == (b"\x00\x01\xff", {"inside": b"more"})

        self.run(patient_server, transports, steps)

    def test_many_clients_at_once(self, patient_server, transports):
        async def one(number):
            client = socketio.AsyncClient(reconnection=False)
            await client.connect(patient_server.url, transports=transports[1], wait_timeout=10)
            try:
                return await client.call("message-with-ack", number, timeout=10)
            finally:
                await client.disconnect()

        async def scenario():
            return await asyncio.gather(*(one(number) for number in range(30)))

        assert asyncio.run(scenario()) == list(range(30))

"""Engine.IO spoken by hand, one request or frame at a time, so that a test sees exactly what went over the wire."""

import http.client
import json
import socket
import threading
import time
from dataclasses import dataclass

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect as connect_websocket

PING_INTERVAL = 0.3
PING_TIMEOUT = 0.2


@dataclass
class Answer:
    status: int
    headers: dict
    body: str


class Endpoint:
    """A server's Engine.IO path."""

    def __init__(self, server, path):
        self.server = server
        self.path = path

    def request(self, method, query, body=None, headers=None):
        """One request on a connection of its own; `query` as text or as a dictionary."""
        return self.ask(method, query, body, headers)()

    def ask(self, method, query, body=None, headers=None):
        """Sends a request; gives a function that waits for the answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=10)
        connection.request(method, self.target(query), body=body, headers=headers or {})

        def answer():
            try:
                response = connection.getresponse()
                names = {name.lower(): value for name, value in response.getheaders()}
                return Answer(response.status, names, response.read().decode("utf-8"))
            finally:
                connection.close()

        return answer

    def connect(self):
        """A bare connection to the server."""
        return socket.create_connection(("127.0.0.1", self.server.port), timeout=10)

    def begin(self, method, query, fields="", body=b""):
        """A connection on which a request has been sent as far as it is given; nothing of the answer has been read."""
        connection = self.connect()
        connection.sendall(f"{method} {self.target(query)} HTTP/1.1\r\nHost: x\r\n{fields}\r\n".encode() + body)
        return connection

    def exchange(self, method, query, fields="", body=b""):
        """The whole answer to a request that no library would send, up to the end of the connection."""
        with self.begin(method, query, "Connection: close\r\n" + fields, body) as connection:
            return connection.makefile("rb").read()

    def target(self, query):
        return self.path + ("?" + query if query else "")

    def open_polling(self):
        """A new session over polling; gives its handshake."""
        answer = self.request("GET", "EIO=4&transport=polling")
        assert answer.status == 200, answer
        assert answer.body[0] == "0"
        return json.loads(answer.body[1:])

    def poll(self, sid):
        return self.request("GET", f"EIO=4&transport=polling&sid={sid}")

    def post(self, sid, body, headers=None):
        return self.request("POST", f"EIO=4&transport=polling&sid={sid}", body=body, headers=headers)

    def poll_in_background(self, sid):
        """A poll that is on its way when this returns; its answer is waited for later."""
        return InBackground(self.ask("GET", f"EIO=4&transport=polling&sid={sid}"))

    def websocket(self, query="EIO=4&transport=websocket", **options):
        """A WebSocket that does not ping by itself and offers no compression."""
        options.setdefault("compression", None)
        options.setdefault("ping_interval", None)
        options.setdefault("max_size", None)
        options.setdefault("legacy", True)
        options.setdefault("proxy", None)
        url = f"ws://127.0.0.1:{self.server.port}{self.target(query)}"
        return connect_websocket(url, **options)

    def open_websocket(self):
        """A new session over a WebSocket; gives it and its handshake."""
        socket = self.websocket()
        opening = socket.recv(timeout=5)
        assert opening[0] == "0"
        return socket, json.loads(opening[1:])


def abort(connection):
    """Ends a connection by RST, as a client does that has crashed."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\0\0\0\0\0\0\0")
    connection.close()


class InBackground:
    """Something that waits for the server while the test goes on."""

    def __init__(self, action):
        self.result = None
        self.error = None
        self.thread = threading.Thread(target=self._run, args=(action,), daemon=True)
        self.thread.start()

    def _run(self, action):
        try:
            self.result = action()
        except Exception as error:  # handed to whoever waits
            self.error = error

    def wait(self, timeout=10):
        self.thread.join(timeout)
        assert not self.thread.is_alive(), "still waiting"
        if self.error:
            raise self.error
        return self.result


def expect_close(socket, timeout=5, answers_pings=False):
    """Reads until the server closes; gives the status of its closing frame."""
    deadline = time.monotonic() + timeout
    try:
        while True:
            message = socket.recv(timeout=max(0, deadline - time.monotonic()))
            if answers_pings and message == "2":
                socket.send("3")
    except ConnectionClosed as closed:
        return closed.rcvd.code if closed.rcvd else None


def receive_skipping_pings(socket, timeout=5):
    """The next message that is no ping; pings are answered."""
    while True:
        message = socket.recv(timeout=timeout)
        if message != "2":
            return message
        socket.send("3")

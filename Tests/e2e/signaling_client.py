"""The official python-socketio clients, sync and async, behind one blocking face.

A test says what it waits for; what else comes meanwhile stays in the list, in the order of arrival.
"""

import asyncio
import threading
import time
from collections.abc import Callable

import socketio

from running_server import bearer

WAIT_SECONDS = 10

# What each name means to python-socketio's connect(); None lets the client begin with polling and upgrade.
TRANSPORTS = {"polling": ["polling"], "websocket": ["websocket"], "upgraded": None}
LIVE_TRANSPORT = {"polling": "polling", "websocket": "websocket", "upgraded": "websocket"}


class SignalingClient:
    """One socket of one user. Subclasses say which client carries it."""

    def __init__(
        self,
        url: str,
        user: str,
        transport: str = "websocket",
        rooms: list[str] | None = None,
        token: str | None = None,
    ):
        """With the dev mode's token of @user:localhost, if there is no other."""
        self.url, self.user, self.transports = url, user, TRANSPORTS[transport]
        self.auth: dict = {"token": bearer(user) if token is None else token}
        if rooms is not None:
            self.auth["rooms"] = rooms
        self.received: list[tuple[str, dict]] = []
        self.refusals: list[dict] = []
        self._changed = threading.Condition()

    def __enter__(self) -> "SignalingClient":
        return self.connect()

    def __exit__(self, *_: object) -> None:
        self.disconnect()

    def connect(self) -> "SignalingClient":
        raise NotImplementedError

    def call(self, event: str, payload: object) -> dict:
        """Emits and answers with the acknowledgement."""
        raise NotImplementedError

    def emit(self, event: str, payload: object) -> None:
        raise NotImplementedError

    def disconnect(self) -> None:
        raise NotImplementedError

    @property
    def is_connected(self) -> bool:
        return self.client.connected

    def _keep(self, event: str, *arguments: object) -> None:
        with self._changed:
            self.received.append((event, arguments[0] if len(arguments) == 1 else arguments))
            self._changed.notify_all()

    def wait(self, event: str, where: Callable[[dict], bool] = lambda _: True, seconds: float = WAIT_SECONDS) -> dict:
        """Takes the first payload of that event which fits; fails with what came instead."""
        deadline = time.monotonic() + seconds
        with self._changed:
            while True:
                for index, (name, payload) in enumerate(self.received):
                    if name == event and where(payload):
                        del self.received[index]
                        return payload
                left = deadline - time.monotonic()
                assert left > 0, f"{self.user} waited {seconds} s for {event}; there is {self.received}"
                self._changed.wait(left)

    def seen(self, event: str) -> list[dict]:
        with self._changed:
            return [payload for name, payload in self.received if name == event]

    def settle(self) -> None:
        """Returns when everything the server emitted to this socket so far has arrived: acks keep the order."""
        assert self.call("toggle-audio", {"callId": "none", "enabled": True})["ok"] is False
        time.sleep(0.05)  # python-socketio's sync client hands each packet to a thread of its own


class SyncClient(SignalingClient):
    def connect(self) -> "SyncClient":
        self.client = socketio.Client(reconnection=False, handle_sigint=False)
        self.client.on("*", self._keep)
        self.client.on("connect_error", lambda data=None: self.refusals.append(data))
        self.client.connect(self.url, auth=self.auth, transports=self.transports, wait_timeout=WAIT_SECONDS)
        return self

    def call(self, event: str, payload: object) -> dict:
        return self.client.call(event, payload, timeout=WAIT_SECONDS)

    def emit(self, event: str, payload: object) -> None:
        self.client.emit(event, payload)

    @property
    def transport(self) -> str:
        return self.client.transport()

    def disconnect(self) -> None:
        self.client.disconnect()


class AsyncClient(SignalingClient):
    """AsyncClient on an event loop in a thread of its own."""

    def connect(self) -> "AsyncClient":
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._run(self._connect())
        return self

    async def _connect(self) -> None:
        self.client = socketio.AsyncClient(reconnection=False, handle_sigint=False)
        self.client.on("*", self._keep)
        self.client.on("connect_error", lambda data=None: self.refusals.append(data))
        await self.client.connect(
            self.url, auth=self.auth, transports=self.transports, wait_timeout=WAIT_SECONDS
        )

    def _run(self, work: object) -> object:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(WAIT_SECONDS * 2)

    def call(self, event: str, payload: object) -> dict:
        return self._run(self.client.call(event, payload, timeout=WAIT_SECONDS))

    def emit(self, event: str, payload: object) -> None:
        self._run(self.client.emit(event, payload))

    @property
    def transport(self) -> str:
        return self.client.transport()

    def disconnect(self) -> None:
        if self._loop.is_closed():
            return
        self._run(self.client.disconnect())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(WAIT_SECONDS)
        self._loop.close()


CLIENTS = {"sync": SyncClient, "async": AsyncClient}

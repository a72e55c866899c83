"""Devices of accounts by matrix-nio, a Matrix client library that knows nothing of callrelay."""

import asyncio
import json
import threading
from collections import defaultdict
from collections.abc import Coroutine
from contextlib import suppress
from functools import cache

from nio import AsyncClient, BadEvent, Event, LoginResponse, RoomSendResponse, SyncResponse

from homeserver import CLIENT, Account

ANSWER_SECONDS = 60
LONG_POLL_MS = 30_000
# Unfiltered, a homeserver leaves out all but the last ten events of a room.
EVERYTHING = {"room": {"timeline": {"limit": 1000}}}

_open: list["Device"] = []


@cache
def _loop() -> asyncio.AbstractEventLoop:
    """The library's own, in a thread of its own: in the tests' thread is Playwright's."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="matrix-nio", daemon=True).start()
    return loop


def _run(coroutine: Coroutine) -> object:
    return asyncio.run_coroutine_threadsafe(coroutine, _loop()).result(ANSWER_SECONDS)


def sign_off() -> None:
    """No device listens any more."""
    while _open:
        _open.pop().close()


class Device:
    """What is said in the rooms of its account it hears while tests do something else, and keeps until it is asked."""

    def __init__(self, client: AsyncClient):
        self.client = client
        self._listening: asyncio.Task | None = None
        # Filled in the library's thread, emptied in the tests': each is one step for both.
        self._heard: dict[str, list[Event | BadEvent]] = defaultdict(list)
        _open.append(self)

    @classmethod
    def sign_in(cls, homeserver_url: str, user: str, password: str) -> "Device":
        """Another device of the account."""
        device = cls(AsyncClient(homeserver_url, user))
        answer = _run(device.client.login(password, device_name="matrix-nio"))
        assert isinstance(answer, LoginResponse), answer
        return device

    @classmethod
    def of(cls, account: Account) -> "Device":
        """The device that the account has signed in on."""
        device = cls(AsyncClient(account.homeserver.url, account.user_id))
        device.client.restore_login(account.user_id, account.device_id, account.access_token)
        return device

    @property
    def user_id(self) -> str:
        return self.client.user_id

    @property
    def access_token(self) -> str:
        return self.client.access_token

    def listen(self) -> None:
        """From now on; what was said before is not heard."""
        _run(self._begin())

    async def _begin(self) -> None:
        answer = await self.client.sync(sync_filter=EVERYTHING)
        assert isinstance(answer, SyncResponse), answer
        self.client.add_event_callback(self._hear, (Event, BadEvent))
        self._listening = asyncio.create_task(
            self.client.sync_forever(LONG_POLL_MS, EVERYTHING, first_sync_filter=EVERYTHING)
        )

    async def _hear(self, room: object, event: Event | BadEvent) -> None:
        self._heard[room.room_id].append(event)

    @property
    def is_listening(self) -> bool:
        return self._listening is not None

    def news(self, room: str) -> list[Event | BadEvent]:
        """What was said there since it was last asked, in the library's words; their `source` is what came."""
        assert not self._listening.done(), self._listening.exception()
        heard = self._heard[room]
        return [heard.pop(0) for _ in range(len(heard))]

    def send(self, room: str, event_type: str, content: dict) -> str:
        """Sends an event, whose id is the answer."""
        answer = _run(self.client.room_send(room, event_type, content))
        assert isinstance(answer, RoomSendResponse), answer
        return answer.event_id

    def turn_server(self) -> dict:
        """`username`, `password`, `ttl` and `uris`, as the homeserver hands them out."""
        return _run(self._turn_server())

    async def _turn_server(self) -> dict:
        # The library has no call of its own for it.
        headers = {"Authorization": f"Bearer {self.access_token}"}
        answer = await self.client.send("GET", f"{CLIENT}/voip/turnServer", headers=headers)
        text = await answer.text()
        assert answer.status == 200, text
        return json.loads(text)

    def close(self) -> None:
        _run(self._close())

    async def _close(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with suppress(asyncio.CancelledError):
                await self._listening
        await self.client.close()

"""What tests of the matrix mode begin with: the server beside a homeserver, and people with accounts there who call."""

import itertools
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import requests

from homeserver import Account, Homeserver
from running_server import RunningServer
from signaling_client import AsyncClient, SignalingClient

_numbers = itertools.count()

# Who asks: by name, or an account on one of its devices; None is nobody, who has no token.
Who = str | Account | None


class MatrixServer(RunningServer):
    """The server for the accounts of one homeserver: `with MatrixServer(folder, homeserver) as server:`.

    It ends in order, and its log holds none of the tokens that were used with it: that is part of every test.
    """

    def __init__(self, directory: Path, homeserver: Homeserver, settings: dict[str, str | None] | None = None):
        # Many tests, one address.
        generous = {"CALL_INITIATE_RATE": "user=1000/m,address=100000/m", "SOCKET_EVENT_RATE": "1000/s"}
        ours = {
            "MATRIX_HOMESERVER_URL": homeserver.url,
            "MATRIX_SERVER_NAME": homeserver.name,
            "TURN_LISTEN": "127.0.0.1",
            "CALL_RING_TIMEOUT": "10m",
        }
        super().__init__(directory, generous | ours | (settings or {}))
        self.tokens: set[str] = set()

    def __enter__(self) -> "MatrixServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        died = self.process.poll()
        status = self.stop()
        assert died is None, f"the server died, status {died}:\n{self.log[-8000:]}"
        assert status == 0, f"SIGTERM ended the server with {status}:\n{self.log[-8000:]}"
        self.assert_no_token_is_logged()

    def assert_no_token_is_logged(self) -> None:
        """Neither as a whole nor as it stands in a query, nor a good part of it."""
        log = self.log
        assert " debug " in log, "it says as much as it can"
        for token in self.tokens:
            for form in (token, quote(token, safe=""), token[-24:]):
                assert form not in log, f"a token stands in the log: {form}"


@dataclass
class MatrixCalls:
    """Accounts nobody else uses, so that tests can share one homeserver and one server; sockets close at the end."""

    homeserver: Homeserver
    server: MatrixServer
    number: int = field(default_factory=lambda: next(_numbers))
    accounts: dict[str, Account] = field(default_factory=dict)
    stack: ExitStack = field(default_factory=ExitStack)

    def __enter__(self) -> "MatrixCalls":
        return self

    def __exit__(self, *_: object) -> None:
        self.stack.close()

    # Accounts and rooms.

    def name(self, who: str) -> str:
        return f"{who}-m{self.number}"

    def id(self, who: Who) -> str:
        return who.user_id if isinstance(who, Account) else f"@{self.name(who)}:{self.homeserver.name}"

    def account(self, who: str) -> Account:
        """The account on its first device; made when it is asked for the first time."""
        if who not in self.accounts:
            self.homeserver.register(self.name(who))
            self.accounts[who] = self.login(who)
        return self.accounts[who]

    def login(self, who: str, **options: object) -> Account:
        """The account on another device, with the options of `Homeserver.login`; it must have been made before."""
        account = self.homeserver.login(self.name(who), **options)
        self._keep_tokens(account)
        return account

    def refresh(self, account: Account) -> str:
        """New tokens for the old ones; the answer is the new access token."""
        account.refresh()
        self._keep_tokens(account)
        return account.access_token

    def secret(self, token: str) -> str:
        """The token, which may not stand in the server's log."""
        self.server.tokens.add(token)
        return token

    def _keep_tokens(self, account: Account) -> None:
        self.server.tokens |= {token for token in (account.access_token, account.refresh_token) if token}

    def room(self, creator: str, *others: str, **options: object) -> str:
        """A room that all are in, private unless the options of `Account.create_room` say otherwise."""
        people = [self.account(other) for other in others]
        room = self.account(creator).create_room(invite=[person.user_id for person in people], **options)
        for person in people:
            person.join(room)
        return room

    # What they ask the server.

    def token(self, who: Who) -> str | None:
        if who is None:
            return None
        return (who if isinstance(who, Account) else self.account(who)).access_token

    def request(
        self, method: str, path: str, who: Who, body: object = None, token: str | None = None, **options: object
    ) -> requests.Response:
        """One REST request with the account's access token, or with the token given."""
        headers = dict(options.pop("headers", {}))
        if token := token or self.token(who):
            headers["Authorization"] = f"Bearer {token}"
        # A homeserver that does not answer is waited for.
        return self.server.request(method, path, json=body, headers=headers, **{"timeout": 30, **options})

    def post(self, path: str, who: Who, body: object = None, **options: object) -> requests.Response:
        return self.request("POST", path, who, {} if body is None else body, **options)

    def get(self, path: str, who: Who, **options: object) -> requests.Response:
        return self.request("GET", path, who, **options)

    def socket(self, who: Who, token: str | None = None, **options: object) -> SignalingClient:
        """A connected socket with the account's access token, or with the token given."""
        client = AsyncClient(self.server.url, str(self.id(who)), token=token or self.token(who), **options)
        return self.stack.enter_context(client)

    # Calls.

    def initiate(self, who: Who, room: str, invitees: list[str] | None = None, **body: object) -> str:
        """Starts a call for those named, else for all in the room; the answer is its id."""
        body = {"roomId": room, "callType": "video", **body}
        if invitees is not None:
            body["invitees"] = [self.id(other) for other in invitees]
        response = self.post("/api/calls/initiate", who, body)
        assert response.status_code == 201, response.text
        return response.json()["callId"]

    def answer(self, call_id: str, who: Who, **options: object) -> dict:
        response = self.post(f"/api/calls/{call_id}/answer", who, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def status(self, call_id: str, who: Who) -> dict:
        response = self.get(f"/api/calls/{call_id}/status", who)
        assert response.status_code == 200, response.text
        return response.json()

    def participant(self, call_id: str, who: Who, asking: Who = None) -> dict:
        """How `who` stands in the call, as told to whoever asks: the same one, if nobody else."""
        people = self.status(call_id, asking or who)["participants"]
        return next(person for person in people if person["userId"] == self.id(who))

    def active_call(self, room: str, *sockets: tuple[Who, SignalingClient], **body: object) -> str:
        """A call of the first for the others, all joined by their sockets, which have heard all of it."""
        (first, first_socket), *others = sockets
        call_id = self.initiate(first, room, **body)
        assert first_socket.call("join-call", {"callId": call_id})["ok"]
        for who, client in others:
            self.answer(call_id, who)
            joined = client.call("join-call", {"callId": call_id})
            assert joined["ok"], joined
        for _, client in sockets:
            client.settle()
            client.received.clear()
        return call_id

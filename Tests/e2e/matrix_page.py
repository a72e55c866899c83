"""The call page beside a homeserver: people who sign in with their accounts, and rooms that they are in."""

import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, urlsplit

import requests
from playwright.sync_api import Browser, ConsoleMessage, Error, expect

from call_page import WIDE, Person
from call_record import RECORDER
from homeserver import CLIENT, PASSWORD, Account, Homeserver
from running_server import RunningServer
from scenario import user_id

_numbers = itertools.count()

# What the browser itself writes to the console when an answer is a refusal.
REFUSAL = "Failed to load resource: the server responded with a status of"
OUTAGE = "net::ERR_"


class PageServer(RunningServer):
    """The server for the accounts of a homeserver; what must not be in its log is told to it by the tests."""

    def __init__(self, directory: Path, homeserver: Homeserver, settings: dict[str, str | None] | None = None):
        ours = {
            "MATRIX_HOMESERVER_URL": homeserver.url,
            "MATRIX_SERVER_NAME": homeserver.name,
            "TURN_LISTEN": "127.0.0.1",
            "CALL_INITIATE_RATE": "user=1000/m,address=100000/m",
            "CALL_RING_TIMEOUT": "10m",
            "SOCKET_EVENT_RATE": "1000/s",
        }
        super().__init__(directory, ours | (settings or {}))
        self.homeserver = homeserver
        self.secrets: set[str] = {PASSWORD, quote(PASSWORD)}

    def __enter__(self) -> "PageServer":
        return self.start()

    def __exit__(self, *_: object) -> None:
        died = self.process.poll()
        status = self.stop()
        assert died is None, f"the server died, status {died}:\n{self.log[-8000:]}"
        assert status == 0, f"SIGTERM ended the server with {status}:\n{self.log[-8000:]}"
        log = self.log
        assert " debug " in log, "it says as much as it can"
        for secret in self.secrets:
            assert secret not in log and secret[-24:] not in log, f"a secret stands in the log: {secret}"

    def homeserver_takes(self, token: str) -> bool:
        headers = {"Authorization": f"Bearer {token}"}
        answer = requests.get(f"{self.homeserver.url}{CLIENT}/account/whoami", headers=headers, timeout=10)
        assert answer.status_code in (200, 401), answer.text
        return answer.status_code == 200


@dataclass
class Member(Person):
    """Somebody with an account, on the page in a browser of their own."""

    server: PageServer | None = None
    # What may stand in the console because the test brings it about.
    expected: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    @classmethod
    def open(
        cls, browser: Browser, server: PageServer, name: str, path: str = "/", **context: object
    ) -> "Member":
        """Comes to the page, signed out."""
        page = browser.new_context(**{"viewport": WIDE, **context}).new_page()
        # On the homeserver's own pages there is nothing to be recorded.
        page.context.add_init_script(f"if (location.origin === '{server.url}') {{ {RECORDER} }}")
        member = cls.meet(server, name, page)
        page.goto(server.url + path)
        return member

    @classmethod
    def meet(cls, server: PageServer, name: str, page: object) -> "Member":
        member = cls(name, page, server=server)
        page.on("pageerror", lambda error: member.problems.append(str(error)))
        page.on("console", member._note)
        page.on("request", lambda request: member.requests.append(f"{request.method} {urlsplit(request.url).path}"))
        return member

    def sign_in(self, user: str | None = None, password: str = PASSWORD) -> None:
        self.see("user-input").fill(user or self.name)
        self.see("password-input").fill(password)
        self.see("sign-in-button").click()

    def signed_in(self) -> None:
        expect(self.see("connection-text")).to_have_text("Connected")
        expect(self.see("sign-in")).to_be_hidden()
        self.note_secrets()

    def signed_out(self, why: str) -> None:
        expect(self.see("sign-in-why")).to_have_text(why, timeout=60_000)
        expect(self.see("room")).to_be_hidden()
        expect(self.see("call-view")).to_be_hidden()

    @property
    def kept(self) -> dict | None:
        """What the browser keeps of the account."""
        return json.loads(self.page.evaluate("() => localStorage.getItem('callrelay.account')") or "null")

    @property
    def stored(self) -> str:
        """Everything that the browser keeps, but for what the tests record."""
        return self.page.evaluate(
            """() => JSON.stringify([{...localStorage}, Object.entries(sessionStorage).filter(([key]) =>
                 !key.startsWith("recorded-"))])"""
        )

    def note_secrets(self) -> None:
        """What the account has now is not to be read anywhere."""
        kept = self.kept
        self.server.secrets |= {kept[key] for key in ("accessToken", "refreshToken") if kept.get(key)}
        for secret in tuple(self.server.secrets):  # others may learn of more meanwhile
            assert secret not in self.page.url, f"a secret stands in the address: {self.page.url}"

    def choose(self, room: str) -> None:
        self.page.locator(f'.room-row[data-room="{room}"]').click()
        expect(self.see("members").get_by_role("listitem").first).to_be_visible()

    def rooms(self) -> dict[str, str]:
        """The names in the list, by room."""
        expect(self.see("rooms-hint")).not_to_have_text("Loading your rooms…")
        rows = self.see("room-row").all()
        return {row.get_attribute("data-room"): row.locator(".member-name > span").text_content() for row in rows}

    def answer(self, kind: str = "video") -> None:
        self.see(f"answer-{kind}").click()

    def leave(self) -> None:
        with suppress(Error):  # the tab may be gone with another one of its context
            if self.kept:
                self.note_secrets()
        super().leave()

    def _note(self, message: ConsoleMessage) -> None:
        if not any(text in message.text for text in self.expected):
            super()._note(message)


@dataclass
class Town:
    """Accounts nobody else uses, so that tests can share a homeserver and a server."""

    browser: Browser
    server: PageServer
    number: int = field(default_factory=lambda: next(_numbers))
    accounts: dict[str, Account] = field(default_factory=dict)
    members: list[Member] = field(default_factory=list)

    def name(self, who: str) -> str:
        return f"{who}-p{self.number}"

    def id(self, who: str) -> str:
        return user_id(self.name(who))

    def account(self, who: str, display_name: str | None = None) -> Account:
        """Somebody's account, on a device of the test's own."""
        if who not in self.accounts:
            homeserver = self.server.homeserver
            homeserver.register(self.name(who))
            account = self.accounts[who] = homeserver.login(self.name(who))
            self.server.secrets.add(account.access_token)
            path = f"{CLIENT}/profile/{quote(account.user_id, safe='')}/displayname"
            account.request("PUT", path, {"displayname": display_name or who.capitalize()})
        return self.accounts[who]

    def room(self, *people: str, name: str | None = None, encrypted: bool = False) -> str:
        """A room that all of them are in; the first one made it."""
        first, *others = [self.account(who) for who in people]
        state = [{"type": "m.room.name", "state_key": "", "content": {"name": name}}] if name else []
        if encrypted:
            content = {"algorithm": "m.megolm.v1.aes-sha2"}
            state.append({"type": "m.room.encryption", "state_key": "", "content": content})
        room = first.create_room(invite=[other.user_id for other in others], initial_state=state)
        for other in others:
            other.join(room)
        return room

    def direct(self, one: str, other: str) -> str:
        """A room of two that both keep as a direct chat."""
        room = self.room(one, other)
        for mine, theirs in ((one, other), (other, one)):
            account = self.account(mine)
            path = f"{CLIENT}/user/{quote(account.user_id, safe='')}/account_data/m.direct"
            account.request("PUT", path, {self.id(theirs): [room]})
        return room

    def open(self, who: str, path: str = "/", *, browser: Browser | None = None, **context: object) -> Member:
        """Somebody comes to the page."""
        self.account(who)
        member = Member.open(browser or self.browser, self.server, self.name(who), path, **context)
        self.members.append(member)
        return member

    def enter(self, who: str, room: str | None = None, **context: object) -> Member:
        """Somebody signs in, and looks at a room."""
        member = self.open(who, **context)
        member.sign_in()
        member.signed_in()
        if room is not None:
            member.choose(room)
        return member

    def another_tab(self, member: Member, path: str = "/") -> Member:
        tab = Member.meet(self.server, member.name, member.page.context.new_page())
        self.members.append(tab)
        tab.page.goto(self.server.url + path)
        return tab

    def close(self) -> None:
        for member in self.members:
            member.leave()


class _CasAnswers(BaseHTTPRequestHandler):
    """Lets everybody in as the one user there is."""

    user = "carol"

    def do_GET(self) -> None:
        asked = urlsplit(self.path)
        query = parse_qs(asked.query)
        if asked.path == "/login":
            service = query["service"][0]
            self.send_response(302)
            self.send_header("Location", f"{service}{'&' if '?' in service else '?'}ticket=ST-1")
            self.end_headers()
            return
        body = (
            "<cas:serviceResponse xmlns:cas='http://www.yale.edu/tp/cas'><cas:authenticationSuccess>"
            f"<cas:user>{self.user}</cas:user></cas:authenticationSuccess></cas:serviceResponse>"
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def cas_server() -> Iterator[str]:
    """A single sign-on service of the simplest kind, and its URL."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _CasAnswers) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()

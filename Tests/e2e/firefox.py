"""Debian's Firefox, driven over WebDriver BiDi, which it speaks itself: no driver program, no other build of it."""

import base64
import contextlib
import json
import re
import select
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from call_record import READ_RECORD, RECORDER, Listener
from media_flow import MEDIA
from network_path import NetworkPath
from running_server import RunningServer
from scenario import user_id

ARTIFACTS = Path(__file__).parent / "artifacts"
START_SECONDS, ANSWER_SECONDS, SEE_SECONDS = 60, 30, 20
CONNECT_SECONDS = 40

# A camera and a microphone that need no device and no question, and calls on the machine itself, which Firefox leaves
# out of ICE otherwise. The rest keeps the browser from doing anything that was not asked of it.
PREFERENCES = {
    "media.navigator.streams.fake": True,
    "media.navigator.permission.disabled": True,
    "media.peerconnection.ice.loopback": True,
    "media.peerconnection.ice.obfuscate_host_addresses": False,
    "media.autoplay.default": 0,
    "browser.aboutwelcome.enabled": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.homepage_override.mstone": "ignore",
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "app.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "toolkit.telemetry.enabled": False,
    # A codec that would have to be downloaded first.
    "media.gmp-gmpopenh264.enabled": False,
    "media.gmp-manager.updateEnabled": False,
}


class BiDiError(Exception):
    """What the browser answered to a command that it refused or a script that threw."""


class Firefox:
    """A browser process with a profile of its own."""

    def __init__(self, profile: Path, preferences: dict[str, object] | None = None):
        profile.mkdir(parents=True)
        chosen = PREFERENCES | (preferences or {})
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in chosen.items()]
        (profile / "user.js").write_text("".join(lines))
        executable = shutil.which("firefox-esr") or "/usr/bin/firefox-esr"
        self.process = subprocess.Popen(
            [executable, "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            # The sandbox wants namespaces that a container may not have; the pages are our own.
            env={"HOME": str(profile), "PATH": "/usr/bin:/bin", "MOZ_DISABLE_CONTENT_SANDBOX": "1", "LANG": "C.UTF-8"},
        )
        self.listeners: dict[str, Callable[[dict], None]] = {}
        self._answers: dict[int, dict] = {}
        self._changed = threading.Condition()
        self._next_id = 0
        self._socket: ClientConnection | None = None
        self._stack = contextlib.ExitStack()
        try:
            opened = connect(f"{self._await_address()}/session", max_size=None, open_timeout=START_SECONDS)
            self._socket = self._stack.enter_context(opened)
            threading.Thread(target=self._listen, daemon=True).start()
            self.command("session.new", capabilities={})
            self.command("session.subscribe", events=["log.entryAdded"])
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        if self._socket is not None:
            with contextlib.suppress(BiDiError, ConnectionClosed):
                self.command("browser.close")
        self._stack.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def command(self, method: str, **parameters: object) -> dict:
        """Sends a command and answers with its result."""
        with self._changed:
            self._next_id += 1
            number = self._next_id
            self._socket.send(json.dumps({"id": number, "method": method, "params": parameters}))
            if not self._changed.wait_for(lambda: number in self._answers, ANSWER_SECONDS):
                raise BiDiError(f"{method}: no answer within {ANSWER_SECONDS} s")
            answer = self._answers.pop(number)
        if answer.get("type") == "error":
            raise BiDiError(f"{method}: {answer['error']}: {answer['message']}")
        return answer["result"]

    def _await_address(self) -> str:
        """The address it prints when it listens; what it writes after that is thrown away."""
        deadline, heard = time.monotonic() + START_SECONDS, b""
        while time.monotonic() < deadline:
            if not select.select([self.process.stderr], [], [], 1)[0]:
                continue
            line = self.process.stderr.readline()
            heard += line
            if found := re.search(rb"WebDriver BiDi listening on (ws://\S+)", line):
                threading.Thread(target=self.process.stderr.read, daemon=True).start()
                return found[1].decode()
            if not line:
                break
        raise RuntimeError(f"Firefox does not listen:\n{heard.decode(errors='replace')}")

    def _listen(self) -> None:
        with contextlib.suppress(ConnectionClosed):
            for text in self._socket:
                message = json.loads(text)
                if message.get("type") == "event":
                    context = message["params"].get("source", {}).get("context")
                    if listener := self.listeners.get(context):
                        listener(message["params"])
                    continue
                with self._changed:
                    self._answers[message["id"]] = message
                    self._changed.notify_all()


@contextmanager
def firefox(profile: Path, preferences: dict[str, object] | None = None) -> Iterator[Firefox]:
    browser = Firefox(profile, preferences)
    try:
        yield browser
    finally:
        browser.close()


@dataclass
class FirefoxPerson(Listener):
    """One tab with one person in it, who shares no storage with another tab's."""

    browser: Firefox
    name: str
    user_context: str
    context: str
    problems: list[str] = field(default_factory=list)
    # As Chromium, it writes a failed connection to the console itself.
    expects_outage: bool = False

    @classmethod
    def enter(
        cls,
        browser: Firefox,
        server: RunningServer | NetworkPath,
        name: str,
        room: str,
        *,
        before: str | None = None,
    ) -> "FirefoxPerson":
        """Opens the page and joins the room; `before` is a script that runs before the page's own."""
        user_context = browser.command("browser.createUserContext")["userContext"]
        context = browser.command("browsingContext.create", type="tab", userContext=user_context)["context"]
        person = cls(browser, name, user_context, context)
        browser.listeners[context] = person._note
        script = f"() => {{ {RECORDER} {before or ''} }}"
        browser.command("script.addPreloadScript", functionDeclaration=script, contexts=[context])
        url = f"{server.url}/?name={name}&room={room}"
        browser.command("browsingContext.navigate", context=context, url=url, wait="complete")
        person.join()
        return person

    def join(self) -> None:
        self.press("join-button")
        self.sees("connection-text", "Connected")

    def reload(self) -> None:
        self.browser.command("browsingContext.reload", context=self.context, wait="complete")

    @property
    def title(self) -> str:
        """The name as the page shows it."""
        return self.name[0].upper() + self.name[1:]

    def evaluate(self, function: str, *arguments: object) -> object:
        """Calls a function of the page's language, as if the person had touched the page, and waits for what it promises."""
        result = self.browser.command(
            "script.callFunction",
            functionDeclaration=f"async (given) => JSON.stringify(await ({function})(...JSON.parse(given)) ?? null)",
            arguments=[{"type": "string", "value": json.dumps(arguments)}],
            target={"context": self.context},
            awaitPromise=True,
            userActivation=True,
        )
        if result["type"] == "exception":
            raise BiDiError(result["exceptionDetails"]["text"])
        return json.loads(result["result"]["value"])

    def press(self, test_id: str, within: str = "body") -> None:
        self._wait(f"{test_id} to be there", lambda: self._text(test_id, within) is not None)
        self.evaluate(
            "(within, id) => document.querySelector(`${within} [data-testid=${id}]`).click()", within, test_id
        )

    def sees(self, test_id: str, text: str, seconds: float = SEE_SECONDS) -> None:
        """Waits until an element is visible with exactly this text."""
        self._wait(f"{test_id} to say {text!r}", lambda: self._text(test_id) == text, seconds)

    def sees_attribute(self, test_id: str, attribute: str, value: str, seconds: float = SEE_SECONDS) -> None:
        read = "(id, name) => document.querySelector(`[data-testid=${id}]`)?.getAttribute(name)"
        self._wait(
            f"{test_id} to have {attribute}={value}", lambda: self.evaluate(read, test_id, attribute) == value, seconds
        )

    def call(self, other: str, kind: str) -> None:
        """Presses the button beside somebody."""
        self.press(f"call-{kind}", within=f'.member[data-user="{user_id(other)}"]')

    def insist_on_relay(self) -> None:
        self.press("relay-only-switch")

    def connected(self) -> None:
        self.sees("call-state", "Connected", CONNECT_SECONDS)

    def media(self) -> dict:
        return self.evaluate(MEDIA)

    def record(self) -> dict:
        return self.evaluate(READ_RECORD)

    def told(self, text: str) -> None:
        """Back in the room, with this said at the end."""
        self.sees("notice-text", text)
        self._wait("the room without a call", lambda: self._text("call-view") is None and self._text("room") is not None)

    def picture(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        data = self.browser.command("browsingContext.captureScreenshot", context=self.context)["data"]
        (ARTIFACTS / f"{name}.png").write_bytes(base64.b64decode(data))

    def leave(self) -> None:
        self.browser.listeners.pop(self.context, None)
        self.browser.command("browser.removeUserContext", userContext=self.user_context)
        assert not self.problems, f"the page of {self.name} complained: {self.problems}"

    def _text(self, test_id: str, within: str = "body") -> str | None:
        """The text of a visible element, None if there is none."""
        return self.evaluate(
            """(within, id) => {
              const element = document.querySelector(`${within} [data-testid=${id}]`);
              return element?.checkVisibility() ? element.textContent.trim() : null;
            }""",
            within,
            test_id,
        )

    def _wait(self, what: str, condition: Callable[[], bool], seconds: float = SEE_SECONDS) -> None:
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                self.picture(f"firefox-{self.name}-waited")
                page = self.evaluate("() => document.body.innerText")
                raise AssertionError(f"{self.name} waited {seconds} s for {what}; {self.problems}; the page:\n{page}")
            time.sleep(0.1)

    def _note(self, entry: dict) -> None:
        """A page that works complains of nothing."""
        failed_connection = "establish a connection" in entry["text"] or "was interrupted" in entry["text"]
        if entry["level"] in ("error", "warn") and not (self.expects_outage and failed_connection):
            self.problems.append(f"{entry['level']}: {entry['text']}")

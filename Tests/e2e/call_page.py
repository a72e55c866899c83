"""The call page in a real browser, as a person uses it: what is pressed, what is seen, what the media does."""

import re
import shutil
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Browser, BrowserType, Error, Locator, Page, expect, sync_playwright

from call_record import READ_RECORD, RECORDER, Listener
from media_flow import MEDIA
from network_path import NetworkPath
from running_server import RunningServer
from scenario import user_id

ARTIFACTS = Path(__file__).parent / "artifacts"
WIDE = {"width": 1280, "height": 800}
PHONE = {"width": 390, "height": 844}
CONNECT_MS = 40_000
# What a page is waited for, here and in the tests; the usual five seconds are few for two browsers on a busy machine.
expect.set_options(timeout=20_000)

# A camera and a microphone that need no device and no question. Nothing about addresses is changed: what connects
# here connects in the browser of a desktop as well.
CHROMIUM_ARGUMENTS = [
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
]


@contextmanager
def chromium() -> Iterator[Browser]:
    """Debian's browser; playwright brings none."""
    with sync_playwright() as playwright, _launched(playwright.chromium) as browser:
        yield browser


def another_chromium(browser: Browser) -> AbstractContextManager[Browser]:
    """A browser with processes of its own beside one that runs."""
    return _launched(browser.browser_type)


@contextmanager
def _launched(browser_type: BrowserType) -> Iterator[Browser]:
    executable = shutil.which("chromium") or "/usr/bin/chromium"
    browser = browser_type.launch(executable_path=executable, args=CHROMIUM_ARGUMENTS)
    yield browser
    browser.close()


@dataclass
class Person(Listener):
    """One tab with one person in it."""

    name: str
    page: Page
    problems: list[str] = field(default_factory=list)
    # Browsers write a failed connection to the console themselves; with a server that is away that is no complaint.
    expects_outage: bool = False

    @classmethod
    def enter(
        cls,
        browser: Browser,
        server: RunningServer | NetworkPath,
        name: str,
        room: str,
        *,
        before: str | None = None,
        **context: object,
    ) -> "Person":
        """Opens the page and joins the room; `before` is a script that runs before the page's own."""
        page = browser.new_context(**{"viewport": WIDE, **context}).new_page()
        page.context.add_init_script(RECORDER + (before or ""))
        person = cls.watch(name, page)
        page.goto(f"{server.url}/?name={name}&room={room}")
        person.join()
        return person

    @classmethod
    def watch(cls, name: str, page: Page) -> "Person":
        """Somebody in a tab that is there; from now on its complaints are noted."""
        person = cls(name, page)
        page.on("pageerror", lambda error: person.problems.append(str(error)))
        page.on("console", person._note)
        return person

    def duplicate(self) -> "Person":
        """The same tab again, as the browser's menu makes it: it shares what the tab had stored, its device with it."""
        with self.page.expect_popup() as opened:
            self.page.evaluate("() => void window.open(location.href)")
        twin = Person.watch(self.name, opened.value)
        twin.join()
        return twin

    def join(self) -> None:
        self.see("join-button").click()
        expect(self.see("connection-text")).to_have_text("Connected")

    @property
    def title(self) -> str:
        """The name as the page shows it."""
        return self.name[0].upper() + self.name[1:]

    def see(self, test_id: str) -> Locator:
        return self.page.get_by_test_id(test_id)

    def call(self, other: str, kind: str) -> str:
        """Presses the button beside somebody; the answer is the call's id."""
        with self.page.expect_response("**/api/calls/initiate") as answered:
            self.page.locator(f'.member[data-user="{user_id(other)}"]').get_by_test_id(f"call-{kind}").click()
        return answered.value.json()["callId"]

    def call_by_name(self, other: str, kind: str) -> str:
        self.see("invite-name").fill(other)
        with self.page.expect_response("**/api/calls/initiate") as answered:
            self.see(f"invite-{kind}").click()
        return answered.value.json()["callId"]

    def connected(self) -> None:
        expect(self.see("call-state")).to_have_text("Connected", timeout=CONNECT_MS)

    def media(self) -> dict:
        return self.page.evaluate(MEDIA)

    def record(self) -> dict:
        return self.page.evaluate(READ_RECORD)

    def told(self, text: str | re.Pattern) -> None:
        """Back in the room, with this said at the end."""
        expect(self.see("notice-text")).to_have_text(text)
        expect(self.see("call-view")).to_be_hidden()
        expect(self.see("room")).to_be_visible()

    def picture(self, name: str) -> None:
        ARTIFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTIFACTS / f"{name}.png")

    def leave(self) -> None:
        with suppress(Error):  # a tab that shares its context with another one's may be gone
            self.page.context.close()
        assert not self.problems, f"the page of {self.name} complained: {self.problems}"

    def _note(self, message: object) -> None:
        """A page that works complains of nothing; a blocked resource or a refused signal shows here."""
        failures = ("WebSocket connection", "net::ERR_", "status of 503")
        failed_connection = any(failure in message.text for failure in failures)
        if message.type in ("error", "warning") and not (self.expects_outage and failed_connection):
            self.problems.append(f"{message.type}: {message.text}")

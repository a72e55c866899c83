"""Firefox on our page, when the network breaks, is another one or lets nothing through, and when the page is reloaded."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing

import pytest

from firefox import CONNECT_SECONDS, Firefox, FirefoxPerson, firefox
from network_path import NetworkPath
from recovery import WATCHFUL, assert_recovered
from running_server import RunningServer
from scenario import user_id
from waiting import eventually


@pytest.fixture(scope="module")
def fox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Firefox]:
    with firefox(tmp_path_factory.mktemp("firefox") / "profile") as browser:
        yield browser


@pytest.fixture
def pair(fox: Firefox) -> Iterator[Callable[[RunningServer, str], tuple[FirefoxPerson, FirefoxPerson, NetworkPath]]]:
    """Two people in a room, the second one with a network that is in the test's hands."""
    with ExitStack() as stack:

        def come_in(server: RunningServer, room: str) -> tuple[FirefoxPerson, FirefoxPerson, NetworkPath]:
            path = stack.enter_context(closing(NetworkPath(server)))
            alice = FirefoxPerson.enter(fox, server, f"fay-{room}", room)
            stack.callback(alice.leave)
            bob = FirefoxPerson.enter(fox, path, f"rex-{room}", room, before=path.page_script)
            stack.callback(bob.leave)
            bob.expects_outage = True
            return alice, bob, path

        yield come_in


def place(caller: FirefoxPerson, callee: FirefoxPerson) -> str:
    caller.call(callee.name, "video")
    callee.press("answer-video")
    caller.sees_attribute("call-state", "data-phase", "active", CONNECT_SECONDS)
    return caller.evaluate("() => callrelay.session.call.callId")


def test_a_connection_that_breaks_in_mid_negotiation_in_firefox(pair, server: RunningServer) -> None:
    alice, bob, path = pair(server, "cut")
    cut = path.cut_at("webrtc-answer", delivered=True)
    call_id = place(alice, bob)
    assert cut.done.is_set()
    assert_recovered(server, call_id, alice, bob)
    bob.said("No connection. Reconnecting…")


def test_a_page_that_is_reloaded_in_a_call_in_firefox(pair, server: RunningServer) -> None:
    alice, bob, _ = pair(server, "reload")
    call_id = place(alice, bob)
    bob.connected()
    bob.reload()
    bob.join()
    bob.press("rejoin-button")
    assert_recovered(server, call_id, alice, bob)


def test_a_frozen_network_and_then_another_one_in_firefox(start_server, pair) -> None:
    """Nothing passes until the server has given the socket up; then the old addresses are worth nothing any more."""
    server = start_server(**WATCHFUL)
    alice, bob, path = pair(server, "change")
    call_id = place(alice, bob)
    bob.connected()
    before = bob.media()["localAddress"]
    path.freeze()

    def is_given_up() -> bool:
        people = server.request("GET", f"/api/calls/{call_id}/status", alice.name).json()["participants"]
        return (user_id(bob.name), "reconnecting") in [(one["userId"], one["state"]) for one in people]

    eventually(is_given_up, "notice of the silence")
    bob.sees("call-state", "Reconnecting…", CONNECT_SECONDS)
    path.cut()
    path.thaw()
    assert_recovered(server, call_id, alice, bob)
    assert bob.media()["localAddress"] != before, "another path is in use"
    bob.said(f"Restarting the connection to {alice.title}…")

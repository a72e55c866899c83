"""What tests of calls that break and mend share, in whichever browser."""

from typing import TYPE_CHECKING

from call_record import assert_heard_what_is_stored
from media_flow import assert_media_flows
from running_server import RunningServer

if TYPE_CHECKING:
    from call_page import Person
    from firefox import FirefoxPerson

# The server notices a silent client within five seconds and keeps its place for longer than any pause here.
WATCHFUL = {"SOCKET_PING_INTERVAL": "2s", "SOCKET_PING_TIMEOUT": "3s", "CALL_RECONNECT_GRACE": "60s"}


def assert_recovered(
    server: RunningServer, call_id: str, caller: "Person | FirefoxPerson", callee: "Person | FirefoxPerson"
) -> None:
    """The call is there again: media flows, and everybody was told what the store has for them, in order, once."""
    caller.connected()
    callee.connected()
    assert_media_flows(caller, callee, has_video=True, windows=1)
    assert_heard_what_is_stored(server, call_id, caller, caller, callee)

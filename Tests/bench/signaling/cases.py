"""What is measured of signaling: groups of cases, which are one section of the benchmark.

candidates   acknowledged candidates of 500 calls, by the clock and as fast as they are acknowledged
calls        whole calls
idle         clients that do nothing
storm        all clients lose their connections at once and come back at once
slow reader  clients that stop reading
"""

from cases import OURS, Case
from signaling.loads import POLLING, WEBSOCKET, CallLoad, EventLoad, IdleLoad, SignalingLoad, SlowReaderLoad, StormLoad

SECTION = "signaling"
PEER = "python-socketio"
BOTH = (OURS, PEER)

SOCKETS = 1_000
RATES_OF_BOTH = (250, 500, 1_000, 2_000)
RATES_OF_OURS = (5_000,)
IN_FLIGHT = 64
CALLS_A_SECOND = 10
PAIRS = 200
CROWD = 5_000
READERS = 20


def _candidates() -> list[Case[SignalingLoad]]:
    cases: list[Case[SignalingLoad]] = [
        Case(f"candidates-{rate}", f"{rate:,} candidates/s", EventLoad(SOCKETS, rate=rate), servers)
        for rates, servers in ((RATES_OF_BOTH, BOTH), (RATES_OF_OURS, (OURS,)))
        for rate in rates
    ]
    load = EventLoad(SOCKETS, in_flight=IN_FLIGHT)
    return [*cases, Case("candidates-most", f"{IN_FLIGHT} candidates under way", load, BOTH)]


CANDIDATES = _candidates()
CALLS: list[Case[SignalingLoad]] = [
    Case("calls", f"{CALLS_A_SECOND} calls/s", CallLoad(2 * PAIRS, CALLS_A_SECOND), (OURS,))
]
IDLE: list[Case[SignalingLoad]] = [
    Case(f"idle-{transport}", f"{CROWD:,} idle clients by {name}", IdleLoad(CROWD, transport), BOTH, is_slow=True)
    for transport, name in ((WEBSOCKET, "WebSocket"), (POLLING, "polling"))
]
STORM: list[Case[SignalingLoad]] = [
    Case("storm", f"{CROWD:,} clients back at once", StormLoad(CROWD), (OURS,), is_slow=True)
]
SLOW_READER: list[Case[SignalingLoad]] = [
    Case("slow-reader", f"{READERS} clients that stop reading", SlowReaderLoad(READERS), (OURS,), is_slow=True)
]

SECTIONS: dict[str, list[Case[SignalingLoad]]] = {SECTION: [*CANDIDATES, *CALLS, *IDLE, *STORM, *SLOW_READER]}

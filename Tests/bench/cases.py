"""What is measured: sections of cases. A case is one load, offered to several servers in turn.

    voice       160-byte packets of 200 calls at three loads
    peak        the most that coturn relays, what both lose at that load, and how long packets take at half of it
    video       bursts of 8 packets of 1,200 bytes
    video-veth  the same between two network namespaces, with an MTU of 1500 and of 1280
    idle        allocations that nothing is sent through
    many        10,000 allocations
    shards      one shard against two
    simulation  up to a million allocations in the relay's core, without sockets
"""

from dataclasses import dataclass
from typing import Generic, TypeVar

AnyLoad = TypeVar("AnyLoad")

OURS, COTURN, FLOOR = "callrelay", "coturn", "floor"
TWO_SHARDS, QUOTA_1 = "callrelay-two-shards", "callrelay-quota-1"
# No server, but the program that simulates one.
CORE = "core"

DIRECTIONS = ("up", "down")
VOICE_RATES = (25_000, 50_000, 100_000)
IDLE_ALLOCATIONS = (0, 1_000, 10_000)
SIMULATED_ALLOCATIONS = (1_000, 10_000, 100_000, 1_000_000)
VOICE_BYTES, VIDEO_BYTES = 160, 1_200
# Fits an MTU of 1280 with the headers of UDP and IPv4, and no longer with the four bytes of ChannelData.
LONG_BYTES = 1_250
VOICE_CALLS, VIDEO_CALLS, MANY_CALLS = 200, 50, 10_000
# 500 packets of 1,200 bytes a second and call: a picture of 1080 lines.
VIDEO_RATE = 25_000
MANY_RATE = SHARDS_RATE = 50_000
LATENCY_ROUNDS = 10


@dataclass(frozen=True)
class ShareOfPeak:
    """A rate that is known only when `case` has been measured: so much of what coturn delivered there."""

    case: str
    share: float


@dataclass(frozen=True)
class Load:
    """What the generator is told. Without a rate it sends as much as it can; idle allocations get nothing."""

    allocations: int
    payload: int = VOICE_BYTES
    direction: str = "up"
    rate: int | ShareOfPeak | None = None
    burst: int = 1
    gso: bool = False
    idle: bool = False


@dataclass(frozen=True)
class Case(Generic[AnyLoad]):
    """The title says in a table's row what was offered. A smoke test leaves out what is slow."""

    name: str
    title: str
    load: AnyLoad
    servers: tuple[str, ...]
    network: str = "loopback"
    least_rounds: int = 1
    is_slow: bool = False


def _voice() -> list[Case[Load]]:
    return [
        Case(
            f"voice-{direction}-{rate}",
            f"{direction}, {rate:,}/s",
            Load(VOICE_CALLS, direction=direction, rate=rate),
            (OURS, COTURN, FLOOR),
        )
        for direction in DIRECTIONS
        for rate in VOICE_RATES
    ]


def _peak() -> list[Case[Load]]:
    cases = []
    for direction in DIRECTIONS:
        most = f"peak-{direction}-most"
        full = Load(VOICE_CALLS, direction=direction, rate=ShareOfPeak(most, 1.0))
        half = Load(VOICE_CALLS, direction=direction, rate=ShareOfPeak(most, 0.5))
        both = (OURS, COTURN)
        cases += [
            Case(most, f"{direction}, as much as can be sent", Load(VOICE_CALLS, direction=direction), (COTURN,)),
            Case(f"peak-{direction}-full", f"{direction}, coturn's peak", full, both),
            Case(f"peak-{direction}-half", f"{direction}, half of it", half, both, least_rounds=LATENCY_ROUNDS),
        ]
    return cases


def _video() -> list[Case[Load]]:
    return [
        Case(f"video-{direction}{'-gso' if gso else ''}", _video_title(direction, gso), load, (OURS, COTURN, FLOOR))
        for direction, gso, load in _video_loads()
    ]


def _video_veth() -> list[Case[Load]]:
    cases = [
        Case(
            f"veth-{mtu}-{direction}{'-gso' if gso else ''}",
            f"MTU {mtu}, {_video_title(direction, gso)}",
            load,
            (OURS, COTURN),
            network=f"veth-{mtu}",
        )
        for mtu in (1500, 1280)
        for direction, gso, load in _video_loads()
        if gso or mtu == 1500  # the smaller MTU is about what gets lost, which single packets do not bring out
    ]
    # Towards the client the packets become longer, and these too long. A relay that lets the kernel cut its bursts is
    # refused there, and has to send them otherwise.
    for gso in (False, True):
        load = Load(VIDEO_CALLS, LONG_BYTES, "down", VIDEO_RATE, burst=8, gso=gso)
        title = f"MTU 1280, {LONG_BYTES:,} B {_video_title('down', gso)}"
        cases.append(Case(f"veth-1280-down-long{'-gso' if gso else ''}", title, load, (OURS, COTURN), "veth-1280"))
    return cases


def _video_loads() -> list[tuple[str, bool, Load]]:
    return [
        (direction, gso, Load(VIDEO_CALLS, VIDEO_BYTES, direction, VIDEO_RATE, burst=8, gso=gso))
        for gso in (False, True)
        for direction in DIRECTIONS
    ]


def _video_title(direction: str, gso: bool) -> str:
    return f"{direction}, bursts {'joined (GSO)' if gso else 'packet by packet'}"


def _idle() -> list[Case[Load]]:
    cases = [
        Case(f"idle-{count}", f"{count:,} allocations", Load(count, idle=True), (OURS, COTURN, FLOOR))
        for count in IDLE_ALLOCATIONS
    ]
    return [*cases, Case("idle-quota-1", "none, TURN_TOTAL_QUOTA=1", Load(0, idle=True), (QUOTA_1,))]


def _many() -> list[Case[Load]]:
    return [
        Case(
            f"many-{direction}",
            f"{direction}, {MANY_RATE:,}/s",
            Load(MANY_CALLS, direction=direction, rate=MANY_RATE),
            (OURS, FLOOR),
        )
        for direction in DIRECTIONS
    ]


def _shards() -> list[Case[Load]]:
    return [
        Case(
            f"shards-{direction}",
            f"{direction}, {SHARDS_RATE:,}/s",
            Load(VOICE_CALLS, direction=direction, rate=SHARDS_RATE),
            (OURS, TWO_SHARDS),
        )
        for direction in DIRECTIONS
    ]


def _simulation() -> list[Case[Load]]:
    return [
        Case(f"simulation-{count}", f"{count:,}", Load(count, idle=True), (CORE,), is_slow=count > 10_000)
        for count in SIMULATED_ALLOCATIONS
    ]


SECTIONS: dict[str, list[Case[Load]]] = {
    "voice": _voice(),
    "peak": _peak(),
    "video": _video(),
    "video-veth": _video_veth(),
    "idle": _idle(),
    "many": _many(),
    "shards": _shards(),
    "simulation": _simulation(),
}

"""The loads of signaling. Each is one run of `call-bench`: what that is told, and about how long it takes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from generator import Timing

WEBSOCKET, POLLING = "websocket", "polling"


@dataclass(frozen=True)
class SignalingLoad:
    """So many clients, each with a connection."""

    clients: int

    subcommand: ClassVar[str]
    # What callrelay needs beside what all its runs are given.
    settings: ClassVar[Mapping[str, str]] = {}
    # What a client takes until the load begins: to connect and, where there are calls, to place and join one.
    seconds_each: ClassVar[float] = 0.002
    # Seconds that a run may take longer than it does, by its own rules.
    patience: ClassVar[float] = 30

    def options(self, timing: Timing) -> list[str]:
        raise NotImplementedError

    def seconds(self, timing: Timing) -> float:
        raise NotImplementedError


@dataclass(frozen=True)
class EventLoad(SignalingLoad):
    """Acknowledged candidates in calls of two: so many a second by the clock or, without a rate, so many under way."""

    rate: int | None = None
    in_flight: int | None = None

    subcommand = "events"

    def options(self, timing: Timing) -> list[str]:
        load = ["--rate", str(self.rate)] if self.rate is not None else ["--in-flight", str(self.in_flight)]
        return ["--connections", str(self.clients), *load, *_by_the_clock(timing)]

    def seconds(self, timing: Timing) -> float:
        return self.seconds_each * self.clients + timing.warm_up + timing.seconds


@dataclass(frozen=True)
class CallLoad(SignalingLoad):
    """Whole calls by the clock, between pairs of clients that are connected all the time."""

    rate: int

    subcommand = "calls"

    def options(self, timing: Timing) -> list[str]:
        return ["--rate", str(self.rate), "--pairs", str(self.clients // 2), *_by_the_clock(timing)]

    def seconds(self, timing: Timing) -> float:
        return self.seconds_each * self.clients + timing.warm_up + timing.seconds


@dataclass(frozen=True)
class IdleLoad(SignalingLoad):
    """Clients that answer heartbeats and do nothing else."""

    transport: str

    subcommand = "idle"
    # The generator's own pauses, before the clients connect and after.
    settling: ClassVar[float] = 5.0

    def options(self, timing: Timing) -> list[str]:
        return [
            *("--connections", str(self.clients)),
            *("--transport", self.transport),
            *("--duration", f"{timing.seconds:g}"),
        ]

    def seconds(self, timing: Timing) -> float:
        return self.settling + self.seconds_each * self.clients + timing.seconds


@dataclass(frozen=True)
class StormLoad(SignalingLoad):
    """Clients in calls of two that lose their connections at once and come back at once."""

    subcommand = "storm"
    # On a slow machine some are away for longer than the usual 30 s, and their calls would be over.
    settings = {"CALL_RECONNECT_GRACE": "120s"}
    seconds_each = 0.006
    # Until a client gives up.
    patience = 60

    def options(self, timing: Timing) -> list[str]:
        return ["--connections", str(self.clients), "--patience", str(self.patience)]

    def seconds(self, timing: Timing) -> float:
        return self.seconds_each * self.clients


@dataclass(frozen=True)
class SlowReaderLoad(SignalingLoad):
    """Clients that stop reading and are sent events until the server cuts them."""

    subcommand = "slow-reader"
    # Until a client is given up that the server did not cut. The kernel's buffers are filled first.
    patience = 120

    def options(self, timing: Timing) -> list[str]:
        return ["--readers", str(self.clients), "--patience", str(self.patience)]

    def seconds(self, timing: Timing) -> float:
        return self.patience / 3


def _by_the_clock(timing: Timing) -> list[str]:
    return ["--duration", f"{timing.seconds:g}", "--warm-up", f"{timing.warm_up:g}"]

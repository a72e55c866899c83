"""Single figures out of the generator's report. None: the report does not have it."""

from collections.abc import Callable

from records import Result


def cpu(result: Result) -> float | None:
    """Nanoseconds of processor time of the server's process, by payload delivered."""
    # A server that delivered nothing has no cost per packet, though its report says 0.
    return _server(result, "cpuNanosecondsPerPacket") or None


def core(result: Result) -> float | None:
    """Of one processor, what the server used."""
    return _server(result, "cpuShare")


def idle(result: Result) -> float | None:
    share = core(result)
    return None if share is None else 1 - share


def memory(result: Result) -> float | None:
    """Bytes of the server's process that are in memory."""
    return _server(result, "memoryBytes")


def sent(result: Result) -> float | None:
    return _sum(result, "sent")


def lost(result: Result) -> float | None:
    return _sum(result, "lost")


def delivered(result: Result) -> float | None:
    """Packets a second."""
    return _sum(result, "receivedPerSecond")


def loss(result: Result) -> float | None:
    total = sent(result)
    return lost(result) / total if total else None


def latency(percentile: str) -> Callable[[Result], float | None]:
    """Microseconds, of the slower direction if there are two."""

    def value(result: Result) -> float | None:
        found = [direction["latencyMicroseconds"][percentile] for direction in _directions(result)]
        return max(found, default=None)

    return value


def setup_cpu(result: Result) -> float | None:
    """Microseconds of the server's processor time, by Allocate and ChannelBind."""
    return (result.get("setup") or {}).get("serverCPUMicrosecondsEach")


def setup_rate(result: Result) -> float | None:
    return (result.get("setup") or {}).get("perSecond")


def slab(result: Result) -> float | None:
    """Bytes of the kernel's slab, by allocation."""
    return (result.get("setup") or {}).get("slabBytesEach")


def simulated(name: str) -> Callable[[Result], float | None]:
    """A figure of a simulation."""
    return lambda result: result.get(name)


def _server(result: Result, name: str) -> float | None:
    return (result.get("server") or {}).get(name)


def _directions(result: Result) -> list[Result]:
    return [result[name] for name in ("up", "down") if result.get(name)]


def _sum(result: Result, name: str) -> float | None:
    found = [direction[name] for direction in _directions(result)]
    return sum(found) if found else None

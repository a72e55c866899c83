"""Single figures out of the reports of `call-bench`. None: the report does not have it."""

from collections.abc import Callable
from typing import Any

from records import Record, Result

# Below this part acknowledged, or above this p99, a server is behind what it is offered: what it did not do yet would
# be missing from its cost, and latency would say how long the run was.
LEAST_ACKNOWLEDGED, MOST_P99 = 0.99, 500.0  # milliseconds


def acknowledged_rate(result: Result) -> float | None:
    """Events a second."""
    return result["acknowledged"] / result["seconds"] if "acknowledged" in result else None


def acknowledged_share(result: Result) -> float | None:
    """Of what was sent."""
    sent = result.get("sent")
    return result["acknowledged"] / sent if sent else None


def keeps_up(result: Result) -> bool | None:
    """Whether a server could do what it was offered."""
    share, p99 = acknowledged_share(result), latency("acknowledgementLatency", "p99")(result)
    if share is None:
        return None
    return share >= LEAST_ACKNOWLEDGED and p99 is not None and p99 <= MOST_P99


def where_it_keeps_up(value: Callable[[Result], float | None]) -> Callable[[Result], float | None]:
    return lambda result: value(result) if keeps_up(result) else None


def kept_up(record: Record, case: str, server: str) -> tuple[int, int]:
    """In how many runs of those that count."""
    found = record.values(case, server, keeps_up).values()
    return sum(map(bool, found)), len(found)


def cpu(result: Result) -> float | None:
    """Microseconds of processor time of the server's process, by event, call or client."""
    # A server that did nothing has no cost for each, though its report says 0.
    return _server(result, "cpuMicrosecondsEach") or None


def core(result: Result) -> float | None:
    """Of one processor, what the server used."""
    return _server(result, "cpuShare")


def memory(result: Result) -> float | None:
    """Bytes of the server's process that are in memory."""
    return _server(result, "memoryBytes")


def latency(of_what: str, percentile: str) -> Callable[[Result], float | None]:
    """Milliseconds; None, if nothing came to be measured."""

    def value(result: Result) -> float | None:
        figures = result.get(of_what) or {}
        return figures.get(percentile) if figures.get("count") else None

    return value


def figure(*names: str) -> Callable[[Result], float | None]:
    """A member of the report, or of an object in it."""

    def value(result: Result) -> float | None:
        found: Any = result
        for name in names:
            found = (found or {}).get(name)
        return found

    return value


def lost(result: Result) -> float | None:
    """Events that did not come, came twice or came behind a later one."""
    return result["missing"] + result["misplaced"] if "missing" in result else None


def left(result: Result) -> float | None:
    """Clients that stopped reading and were not disconnected."""
    return result["readers"] - result["cut"] if "readers" in result else None


def connect_rate(result: Result) -> float | None:
    """Clients a second."""
    seconds = result.get("connectSeconds")
    return result["connections"] / seconds if seconds else None


def _server(result: Result, name: str) -> float | None:
    return (result.get("server") or {}).get(name)

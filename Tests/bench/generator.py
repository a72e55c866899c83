"""The load generator, pinned to the first processor. For a relay, `turn-bench`: clients' sockets and peers'."""

import json
import subprocess
from dataclasses import dataclass

from cases import Load
from networks import Network
from records import Result
from servers import Programs, Server

# Beside the seconds of the load itself: room for a start and an end on a slow machine, and for each client.
SPARE_SECONDS, SPARE_SECONDS_EACH = 30, 0.02


class GeneratorFailure(Exception):
    """It gave no report."""


@dataclass(frozen=True)
class Timing:
    """Seconds that count, and seconds of load before them."""

    seconds: float
    warm_up: float

    def of(self, load: Load) -> float:
        """What a run takes at least."""
        return 0 if load.idle else self.seconds + self.warm_up


def measure(
    load: Load, rate: int | None, server: Server, network: Network, programs: Programs, processor: int, timing: Timing
) -> Result:
    """Offers the load; the answer is the generator's report."""
    if load.allocations == 0:
        # Nothing to send through: the process as it has started.
        return {"allocations": 0, "server": {"memoryBytes": server.resident_bytes}, "void": []}
    command = [str(programs.turn_bench), *options(load, rate, server, network, timing)]
    return generate(command, processor, timing.of(load), load.allocations, network.client_prefix)


def generate(command: list[str], processor: int, seconds: float, clients: int, prefix: tuple[str, ...] = ()) -> Result:
    """Runs a generator, which takes `seconds` at least, and answers its report."""
    pinned = [*prefix, "taskset", "-c", str(processor), *command]
    patience = seconds + SPARE_SECONDS + SPARE_SECONDS_EACH * clients
    try:
        done = subprocess.run(pinned, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=patience)
    except subprocess.TimeoutExpired as error:
        raise GeneratorFailure(f"the generator had not ended after {patience:.0f} s") from error
    return report(done.stdout, done.stderr, done.returncode)


def options(load: Load, rate: int | None, server: Server, network: Network, timing: Timing) -> list[str]:
    given = ["--server", server.target, "--server-pid", str(server.process.pid), "--json", "--mode", "channel"]
    if server.secret is not None:
        given += ["--secret", server.secret]
    given += ["--allocations", str(load.allocations), "--payload", str(load.payload)]
    if load.idle:
        given += ["--duration", "0"]
    else:
        given += ["--max"] if rate is None else ["--pps", str(rate)]
        given += ["--direction", load.direction, "--burst", str(load.burst)]
        given += ["--duration", f"{timing.seconds:g}", "--warm-up", f"{timing.warm_up:g}"]
    if load.gso:
        given.append("--gso")
    if not network.is_loopback:
        given += ["--i-own-this-host", "--bind", network.client_address]
    return given


def report(output: str, errors: str, status: int) -> Result:
    """A report that calls itself void comes with a status that is not 0, and is a report all the same."""
    try:
        result = json.loads(output)
    except json.JSONDecodeError as error:
        said = errors.strip().splitlines() or ["it said nothing"]
        raise GeneratorFailure(f"the generator ended with {status}: {said[-1]}") from error
    if not isinstance(result, dict):
        raise GeneratorFailure("the generator's report is no object")
    return result

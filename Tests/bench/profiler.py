"""Shows where the time of a relayed packet goes, in callrelay, in coturn and in the bare forwarder.

    profiler.py [--load voice|video|video-gso] [--rate 100000] [--seconds 5] [--direction up|down] [--coturn PATH]

Samples each of them by perf under one load, and prints tables in Markdown. They stand as in bench.py, the generator on
the first processor and the server on the last. Sampling takes time itself, and work done while interrupts are off is
charged to where they come on again: this shows how time is shared out, and bench.py what a packet costs.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import machine
import stacks
from bench import say
from cases import COTURN, DIRECTIONS, FLOOR, OURS, VIDEO_BYTES, VIDEO_CALLS, VOICE_CALLS, Load
from generator import GeneratorFailure, Timing, measure
from launch import ServerFailure
from networks import network
from records import Result
from relay import find_programs
from servers import Programs, serve

SAMPLES_PER_SECOND = 5_000
# The load is there before the first sample is taken, and until after the last.
BEFORE_SECONDS, AFTER_SECONDS = 3.0, 1.0
# As in bench.py, whose video comes in bursts.
LOADS = {
    "voice": Load(VOICE_CALLS),
    "video": Load(VIDEO_CALLS, VIDEO_BYTES, burst=8),
    "video-gso": Load(VIDEO_CALLS, VIDEO_BYTES, burst=8, gso=True),
}


class ProfileFailure(Exception):
    """Perf took no samples."""


def main() -> None:
    arguments = parse()
    programs = find_programs(arguments.coturn)
    processors = machine.processors()
    if len(processors) < 2:
        sys.exit("error: needs two processors, one for the generator and one for the server")
    if shutil.which("perf") is None:
        sys.exit("error: no perf; Debian's package is linux-perf")
    machine.raise_descriptor_limit()
    for direction in [arguments.direction] if arguments.direction else DIRECTIONS:
        load = replace(LOADS[arguments.load], direction=direction, rate=arguments.rate)
        found = {}
        for kind in (OURS, COTURN, FLOOR):
            say(f"{direction}, {kind}")
            try:
                found[kind] = profile(kind, load, arguments.seconds, programs, processors)
            except (GeneratorFailure, ServerFailure, ProfileFailure) as error:
                sys.exit(f"error: {kind}: {error}")
        print(table(f"{arguments.load}, {direction}, {arguments.rate:,}/s", found))


def parse() -> argparse.Namespace:
    description = (__doc__ or "").split("\n", maxsplit=1)[0]
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--load", choices=list(LOADS), default="voice", help="default: voice")
    parser.add_argument("--rate", type=int, default=100_000, help="packets/s, default: 100000")
    parser.add_argument("--seconds", type=float, default=5, help="of sampling for each, default: 5")
    parser.add_argument("--direction", choices=DIRECTIONS, help="default: both, one after the other")
    parser.add_argument("--coturn", default="turnserver", metavar="PATH", help="another turnserver")
    arguments = parser.parse_args()
    if arguments.rate <= 0 or arguments.seconds <= 0:
        parser.error("--rate and --seconds must be above 0")
    return arguments


def profile(
    kind: str, load: Load, seconds: float, programs: Programs, processors: list[int]
) -> tuple[Result, dict[str, float]]:
    """The generator's report, and how the server's time is shared out."""
    timing = Timing(seconds=BEFORE_SECONDS + seconds + AFTER_SECONDS, warm_up=0)
    with (
        network("loopback") as place,
        serve(kind, place, programs, processors, load.allocations) as server,
        ThreadPoolExecutor(1) as pool,
    ):
        loaded = pool.submit(measure, load, load.rate, server, place, programs, processors[0], timing)
        time.sleep(BEFORE_SECONDS)
        shares = stacks.shares(sample(server.process.pid, seconds))
        result = loaded.result()
    if not shares:
        raise ProfileFailure("perf took no samples")
    return result, shares


def sample(process: int, seconds: float) -> str:
    """The stacks of a process, as perf prints them."""
    with tempfile.TemporaryDirectory() as directory:
        file = str(Path(directory) / "samples")
        # The clock of the processor's time: virtual machines seldom have counters of cycles.
        options = ["-q", "-e", "cpu-clock", "-F", str(SAMPLES_PER_SECOND), "-g", "-p", str(process), "-o", file]
        _perf("record", *options, "--", "sleep", str(seconds))
        return _perf("script", "-i", file, "-F", "ip,sym")


def _perf(*arguments: str) -> str:
    done = subprocess.run(["perf", *arguments], capture_output=True, text=True, stdin=subprocess.DEVNULL)
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise ProfileFailure(f"perf {arguments[0]} ended with {done.returncode}: {said[-1]}")
    return done.stdout


def table(title: str, found: dict[str, tuple[Result, dict[str, float]]]) -> str:
    """Nanoseconds a packet and shares, by part and server."""
    costs = {kind: result["server"]["cpuNanosecondsPerPacket"] for kind, (result, _) in found.items()}
    rows = [[title, *found], ["---", *("---:" for _ in found)]]
    rows.append(["CPU ns a packet, while sampled", *(f"{cost:,.0f}" for cost in costs.values())])
    for part in stacks.PARTS:
        values = [(shares[part] * costs[kind], shares[part]) for kind, (_, shares) in found.items()]
        rows.append([part, *(f"{cost:,.0f} ({share:.1%})" for cost, share in values)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


if __name__ == "__main__":
    main()

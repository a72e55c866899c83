"""Measures the relay beside coturn and a bare forwarder, and writes docs/benchmarks.md from what came out.

    bench.py [--quick] [--only SECTION ...] [--rounds 6] [--seconds 10] [--out docs] [--json FILE] [--coturn PATH]
    bench.py --from FILE ...

Needs two processors: the first is the load generator's, the last the server's. See cases.py for the sections.
"""

import argparse
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

import machine
import report
import rounds
import simulation
from cases import CORE, SECTIONS, Case, Load
from generator import GeneratorFailure, Timing, measure
from networks import Network
from records import Record, Result, load
from servers import Programs, ServerFailure, serve
from simulation import SimulationFailure

SCRATCH = machine.REPOSITORY / ".build/bench"


def main() -> None:
    arguments = parse()
    if arguments.recorded:
        record = load(arguments.recorded)
    else:
        # Servers and networks are ended on the way out.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        record = run(arguments)
    # A part, or a smoke test, does not take the place of the whole.
    whole = all(map(record.has, SECTIONS)) and not record.settings["quick"]
    out = arguments.out or (machine.REPOSITORY / "docs" if whole else SCRATCH)
    say(f"written: {report.write(record, out)}")


def parse() -> argparse.Namespace:
    description = (__doc__ or "").split("\n", maxsplit=1)[0]
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="a smoke test: 2 rounds of 2 seconds, which prove nothing")
    parser.add_argument("--only", action="append", choices=list(SECTIONS), metavar="SECTION", help=" ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="default: 6; latency has 10 at least")
    parser.add_argument("--seconds", type=float, help="of each run, default: 10")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: docs; for a part or --quick .build/bench")
    parser.add_argument(
        "--json", type=Path, default=SCRATCH / "runs.json", metavar="FILE", help="default: .build/bench/runs.json"
    )
    parser.add_argument(
        "--from", type=Path, action="append", dest="recorded", metavar="FILE", help="only report on these raw runs"
    )
    parser.add_argument("--coturn", default="turnserver", metavar="PATH", help="another turnserver")
    arguments = parser.parse_args()
    if any(value is not None and value <= 0 for value in (arguments.rounds, arguments.seconds)):
        parser.error("--rounds and --seconds must be above 0")
    return arguments


def run(arguments: argparse.Namespace) -> Record:
    programs = find_programs(arguments.coturn)
    processors = machine.processors()
    if len(processors) < 2:
        sys.exit("error: needs two processors, one for the generator and one for the server")
    machine.raise_descriptor_limit()
    count = arguments.rounds or (2 if arguments.quick else 6)
    timing = Timing(arguments.seconds or (2 if arguments.quick else 10), warm_up=1 if arguments.quick else 2)
    settings: dict[str, Any] = {"rounds": count, "seconds": timing.seconds, "warmUp": timing.warm_up}
    record = Record(machine.facts(programs.turnserver), settings | {"quick": arguments.quick})
    chosen = [name for name in SECTIONS if not arguments.only or name in arguments.only]
    planned = [
        (name, case, rounds.rounds_of(case, count, arguments.quick))
        for name in chosen
        for case in SECTIONS[name]
        if not (case.is_slow and arguments.quick)
    ]
    seconds = [expected(case, timing) for _, case, number in planned for _ in range(number * len(case.servers))]
    progress = rounds.Progress(say, seconds)

    def once(kind: str, offered: Load, rate: int | None, place: Network) -> Result:
        try:
            if kind == CORE:
                return simulation.measure(offered.allocations, programs.turn_simulation, processors[-1])
            with serve(kind, place, programs, processors, offered.allocations) as server:
                return measure(offered, rate, server, place, programs, processors[0], timing)
        except (GeneratorFailure, ServerFailure, SimulationFailure) as error:
            return {"void": [str(error)]}

    for name, case, number in planned:
        rounds.run_case(name, case, number, record, once, progress, lambda: record.save(arguments.json))
    say(f"raw runs: {arguments.json}")
    return record


def expected(case: Case, timing: Timing) -> float:
    """Seconds of a run, without what it takes beside its load."""
    return simulation.seconds(case.load.allocations) if case.servers == (CORE,) else timing.of(case.load)


def find_programs(turnserver: str) -> Programs:
    directory = Path(os.environ.get("CALLRELAY_BIN_DIR", machine.REPOSITORY / ".build/release")).resolve()
    names = ("callrelay", "turn-bench", "turn-simulation")
    for name in names:
        if not (directory / name).exists():
            sys.exit(f"error: {name} is not built in {directory}; scripts/bench.sh builds it")
    found = shutil.which(turnserver)
    if found is None:
        sys.exit(f"error: no program {turnserver}")
    return Programs(*(directory / name for name in names), str(Path(found).resolve()))


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

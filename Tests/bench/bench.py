"""Measures the relay beside coturn and a bare forwarder, signaling beside python-socketio, and calls on each database, and
writes docs/benchmarks.md, docs/benchmarks-signaling.md and docs/benchmarks-databases.md from what came out.

    bench.py [--quick] [--only SECTION ...] [--rounds 6] [--seconds 10] [--out docs] [--json FILE] [--coturn PATH]
    bench.py --from FILE ...

Needs two processors: the first is the load generator's, the last the server's. See cases.py and signaling/cases.py for
the sections.
"""

import argparse
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import cases
import databases.cases
import databases.report
import machine
import report
import rounds
import signaling.cases
import signaling.report
from cases import Case
from databases.rig import DatabasesRig
from generator import Timing
from networks import Network
from records import Record, Result, load
from relay import RelayRig, find_programs
from signaling.rig import SignalingRig

SCRATCH = machine.REPOSITORY / ".build/bench"


class Rig(Protocol):
    """What the sections of a part are measured with."""

    @property
    def facts(self) -> dict[str, Any]:
        """What stands in the record beside the machine's."""

    def seconds(self, case: Case) -> float:
        """What a run takes, without what it takes beside its load."""

    def measure(self, case: Case, record: Record, server: str, place: Network) -> Result:
        """One run. `record`: what was measured until now."""


@dataclass(frozen=True)
class Part:
    """Sections whose runs are kept in one file and make one document."""

    name: str
    sections: Mapping[str, list[Case]]
    raw_runs: str
    write: Callable[[Record, Path], Path]
    rig: Callable[[argparse.Namespace, list[int], Timing], Rig]

    def planned(self, arguments: argparse.Namespace) -> dict[str, list[Case]]:
        """What is to be measured, by section."""
        return {
            name: [case for case in found if not (case.is_slow and arguments.quick)]
            for name, found in self.sections.items()
            if not arguments.only or name in arguments.only
        }


PARTS = (
    Part(
        "relay",
        cases.SECTIONS,
        "runs.json",
        report.write,
        lambda arguments, processors, timing: RelayRig(find_programs(arguments.coturn), processors, timing),
    ),
    Part(
        "signaling",
        signaling.cases.SECTIONS,
        "signaling.json",
        signaling.report.write,
        lambda _, processors, timing: SignalingRig(processors, timing, SCRATCH),
    ),
    Part(
        "databases",
        databases.cases.SECTIONS,
        "databases.json",
        databases.report.write,
        lambda _, processors, timing: DatabasesRig(processors, timing, SCRATCH),
    ),
)
SECTIONS = [name for part in PARTS for name in part.sections]


def main() -> None:
    arguments = parse()
    if arguments.recorded:
        records = recorded(arguments.recorded)
    else:
        # Servers and networks are ended on the way out.
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
        records = run(arguments)
    for part, record in records:
        # A piece of a part, or a smoke test, does not take the place of the whole.
        whole = all(map(record.has, part.sections)) and not record.settings["quick"]
        out = arguments.out or (machine.REPOSITORY / "docs" if whole else SCRATCH)
        say(f"written: {part.write(record, out)}")


def parse() -> argparse.Namespace:
    description = (__doc__ or "").split("\n\n", maxsplit=1)[0]
    parser = argparse.ArgumentParser(description=description, allow_abbrev=False)
    parser.add_argument("--quick", action="store_true", help="a smoke test: 2 rounds of 2 seconds, which prove nothing")
    parser.add_argument("--only", action="append", choices=SECTIONS, metavar="SECTION", help=" ".join(SECTIONS))
    parser.add_argument("--rounds", type=int, help="default: 6; the relay's latency has 10 at least")
    parser.add_argument("--seconds", type=float, help="of each run, default: 10")
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: docs; for a part or --quick .build/bench")
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="default: runs.json, signaling.json and databases.json in .build/bench; of several parts FILE is the first's, and the others are FILE-signaling and so on",
    )
    parser.add_argument(
        "--from", type=Path, action="append", dest="recorded", metavar="FILE", help="only report on these raw runs"
    )
    parser.add_argument("--coturn", default="turnserver", metavar="PATH", help="another turnserver")
    arguments = parser.parse_args()
    if any(value is not None and value <= 0 for value in (arguments.rounds, arguments.seconds)):
        parser.error("--rounds and --seconds must be above 0")
    return arguments


def recorded(files: list[Path]) -> Iterator[tuple[Part, Record]]:
    """A record for each part that the files have runs of."""
    found = [(part, record) for part in PARTS if (record := load(files, part.sections))]
    if not found:
        sys.exit("error: no runs in " + ", ".join(map(str, files)))
    yield from found


def run(arguments: argparse.Namespace) -> Iterator[tuple[Part, Record]]:
    """Measures; a part is answered when it is done."""
    processors = machine.processors()
    if len(processors) < 2:
        sys.exit("error: needs two processors, one for the generator and one for the server")
    machine.raise_descriptor_limit()
    count = arguments.rounds or (2 if arguments.quick else 6)
    timing = Timing(arguments.seconds or (2 if arguments.quick else 10), warm_up=1 if arguments.quick else 2)
    settings: dict[str, Any] = {"rounds": count, "seconds": timing.seconds, "warmUp": timing.warm_up}
    SCRATCH.mkdir(parents=True, exist_ok=True)
    # All of them first: a program that is missing is noticed now and not when the others have been measured.
    rigs = [(part, part.rig(arguments, processors, timing)) for part in PARTS if part.planned(arguments)]
    progress = rounds.Progress(
        say,
        [
            rig.seconds(case)
            for part, rig in rigs
            for found in part.planned(arguments).values()
            for case in found
            for _ in range(rounds.rounds_of(case, count, arguments.quick) * len(case.servers))
        ],
    )
    for part, rig in rigs:
        record = Record(machine.facts() | rig.facts, settings | {"quick": arguments.quick})
        file = raw_runs_file(part, arguments.json, is_alone=len(rigs) == 1)
        for name, found in part.planned(arguments).items():
            for case in found:
                number = rounds.rounds_of(case, count, arguments.quick)
                once = partial(rig.measure, case, record)
                rounds.run_case(name, case, number, record, once, progress, partial(record.save, file))
        say(f"raw runs: {file}")
        yield part, record


def raw_runs_file(part: Part, file: Path | None, *, is_alone: bool) -> Path:
    """Where a part's raw runs go; `file` is what was asked for."""
    if file is None:
        return SCRATCH / part.raw_runs
    if is_alone or part is PARTS[0]:
        return file
    return file.with_name(f"{file.stem}-{part.name}{file.suffix}")


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()

"""The relay's part of the benchmark: what its sections are measured with, and how long a run takes."""

import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import machine
import ratios
import simulation
import values
from cases import CORE, COTURN, Case, Load, ShareOfPeak
from generator import GeneratorFailure, Timing, measure
from launch import ServerFailure, built
from networks import Network
from records import Record, Result
from rounds import Hopeless
from servers import Programs, serve
from simulation import SimulationFailure


def find_programs(turnserver: str) -> Programs:
    callrelay, turn_bench, turn_simulation = built("callrelay", "turn-bench", "turn-simulation")
    found = shutil.which(turnserver)
    if found is None:
        sys.exit(f"error: no program {turnserver}")
    return Programs(callrelay, turn_bench, turn_simulation, str(Path(found).resolve()))


@dataclass(frozen=True)
class RelayRig:
    programs: Programs
    processors: list[int]
    timing: Timing

    @property
    def facts(self) -> dict[str, Any]:
        return {"coturn": machine.coturn_version(self.programs.turnserver)}

    def seconds(self, case: Case[Load]) -> float:
        if case.servers == (CORE,):
            return simulation.seconds(case.load.allocations)
        return self.timing.of(case.load)

    def measure(self, case: Case[Load], record: Record, server: str, place: Network) -> Result:
        load = case.load
        rate = rate_of(load, record)
        try:
            if server == CORE:
                return simulation.measure(load.allocations, self.programs.turn_simulation, self.processors[-1])
            with serve(server, place, self.programs, self.processors, load.allocations) as started:
                return measure(load, rate, started, place, self.programs, self.processors[0], self.timing)
        except (GeneratorFailure, ServerFailure, SimulationFailure) as error:
            return {"void": [str(error)]}


def rate_of(load: Load, record: Record) -> int | None:
    """The load's own or, for a share of coturn's peak, what that came to."""
    if not isinstance(load.rate, ShareOfPeak):
        return load.rate
    known = ratios.summarize(record.values(load.rate.case, COTURN, values.delivered))
    if known is None:
        raise Hopeless("coturn's peak is not known: none of its runs counts")
    return max(1, round(known.median * load.rate.share))

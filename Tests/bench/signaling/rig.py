"""What the section of signaling is measured with: the load generator `call-bench`, and a server for each run."""

import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import machine
from cases import Case
from generator import GeneratorFailure, Timing, generate
from launch import ServerFailure, built
from networks import Network
from records import Record, Result
from signaling.cases import PEER
from signaling.loads import EventLoad, SignalingLoad
from signaling.servers import Programs, SignalingServer, environment_python, peer_versions, serve


def find_programs() -> Programs:
    callrelay, call_bench = built("callrelay", "call-bench")
    python = environment_python()
    if not python.exists():
        sys.exit(f"error: no Python environment at {python}; scripts/bench.sh makes it")
    return Programs(callrelay, call_bench, python)


@dataclass(frozen=True)
class SignalingRig:
    """`scratch`: where the servers' directories are made."""

    processors: list[int]
    timing: Timing
    scratch: Path
    programs: Programs = field(default_factory=find_programs)

    @property
    def facts(self) -> dict[str, Any]:
        return {
            "peer": peer_versions(self.programs.python),
            "fileSystem": machine.file_system(self.scratch),
        }

    def seconds(self, case: Case[SignalingLoad]) -> float:
        return case.load.seconds(self.timing)

    def measure(self, case: Case[SignalingLoad], _record: Record, kind: str, _place: Network) -> Result:
        load = case.load
        try:
            with serve(kind, self.programs, self.processors[-1], self.scratch, load.settings) as server:
                command = [str(self.programs.call_bench), *options(load, server, self.timing)]
                patience = load.seconds(self.timing) + load.patience
                return generate(command, self.processors[0], patience, load.clients)
        except (GeneratorFailure, ServerFailure) as error:
            return {"void": [str(error)]}


def options(load: SignalingLoad, server: SignalingServer, timing: Timing) -> list[str]:
    """What `call-bench` is told."""
    given = [load.subcommand, "--url", server.url, "--server-pid", str(server.process.pid), "--json"]
    if server.kind == PEER and isinstance(load, EventLoad):
        # It has no REST API to place calls by, which the other loads of it do not need.
        given.append("--peer")
    return given + load.options(timing)

"""What the part of the databases is measured with: `call-bench calls`, and nodes with their store for each run."""

import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import machine
from cases import Case
from databases.stores import serve
from generator import GeneratorFailure, Timing, generate
from launch import ServerFailure
from networks import Network
from records import Record, Result
from signaling.loads import CallLoad
from signaling.rig import find_programs
from signaling.servers import Programs


@dataclass(frozen=True)
class DatabasesRig:
    """`scratch`: where the nodes' directories are made."""

    processors: list[int]
    timing: Timing
    scratch: Path
    programs: Programs = field(default_factory=find_programs)

    @property
    def facts(self) -> dict[str, Any]:
        postgres = subprocess.run(["psql", "--version"], capture_output=True, text=True, check=True).stdout
        redis = subprocess.run(["redis-server", "--version"], capture_output=True, text=True, check=True).stdout
        return {
            "stores": {"PostgreSQL": _version(postgres), "Redis": _version(redis)},
            "fileSystem": machine.file_system(self.scratch),
        }

    def seconds(self, case: Case[CallLoad]) -> float:
        return case.load.seconds(self.timing)

    def measure(self, case: Case[CallLoad], _record: Record, kind: str, _place: Network) -> Result:
        load = case.load
        try:
            with serve(kind, self.programs, self.processors[-1], self.scratch) as served:
                command = [str(self.programs.call_bench), load.subcommand, *served.options, "--json"]
                command += load.options(self.timing)
                patience = load.seconds(self.timing) + load.patience
                before = served.log_position()
                result = generate(command, self.processors[0], patience, load.clients)
                return result | {"otherNames": list(served.others)} | served.written(before)
        except (GeneratorFailure, ServerFailure) as error:
            return {"void": [str(error)]}


def _version(text: str) -> str:
    found = re.search(r"\d+\.\d+[.\d]*", text)
    return found[0] if found else "of unknown version"

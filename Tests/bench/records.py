"""The raw runs and what they ran on, as they are kept in a JSON file."""

import json
import os
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

# The generator's report; or, if there was none, only why ("void").
Result = dict[str, Any]


@dataclass(frozen=True)
class Run:
    """One server under one load once. A void run was repeated; `attempts` counts, the result is the last one's."""

    section: str
    case: str
    round: int
    server: str
    network: str
    attempts: int
    result: Result

    @property
    def void(self) -> list[str]:
        """Why the run says nothing; empty, if it does."""
        return self.result.get("void", [])


@dataclass
class Record:
    machine: dict[str, Any]
    settings: dict[str, Any]
    runs: list[Run] = field(default_factory=list)

    def values(self, case: str, server: str, value: Callable[[Result], float | None]) -> dict[int, float]:
        """By round, of the runs that count and have the value."""
        counted = (run for run in self.runs if run.case == case and run.server == server and not run.void)
        known = ((run.round, value(run.result)) for run in counted)
        return {number: figure for number, figure in known if figure is not None}

    def rounds(self, case: str) -> int:
        """Rounds that were tried, whether they count or not."""
        return len({run.round for run in self.runs if run.case == case})

    def has(self, section: str) -> bool:
        return any(run.section == section for run in self.runs)

    def save(self, path: Path) -> None:
        """Whoever reads the file meanwhile finds the old or the new one whole."""
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_name(path.name + ".new")
        unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")
        os.replace(unfinished, path)


def load(paths: list[Path], sections: Collection[str]) -> Record | None:
    """Several files become one record of these sections: each is taken from the last file that has it, the machine from
    the last that has any. None, if no file has any."""
    records = []
    for path in paths:
        kept = json.loads(path.read_text(encoding="utf-8"))
        runs = [Run(**run) for run in kept["runs"] if run["section"] in sections]
        if runs:
            records.append(Record(kept["machine"], kept["settings"], runs))
    if not records:
        return None
    merged = Record(records[-1].machine, records[-1].settings)
    for record in records:
        known = {run.section for run in record.runs}
        merged.runs = [run for run in merged.runs if run.section not in known] + record.runs
    merged.settings = merged.settings | {"quick": any(record.settings.get("quick") for record in records)}
    return merged

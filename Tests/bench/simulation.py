"""The relay's core alone, by `turn-simulation`, pinned to the last processor: the one that servers have otherwise."""

import json
import subprocess
from pathlib import Path

from records import Result

# What a run takes by allocation, and beside that; a slow machine may take some times as long.
SECONDS_EACH, SECONDS = 120e-6, 3.0
PATIENCE = 20


class SimulationFailure(Exception):
    """It gave no figures."""


def seconds(allocations: int) -> float:
    """What a run takes, about."""
    return SECONDS + SECONDS_EACH * allocations


def measure(allocations: int, program: Path, processor: int) -> Result:
    """The figures of one simulation. Each has a process of its own, and so none another's memory."""
    command = ["taskset", "-c", str(processor), str(program), "--allocations", str(allocations), "--json"]
    patience = PATIENCE * seconds(allocations)
    try:
        done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=patience)
    except subprocess.TimeoutExpired as error:
        raise SimulationFailure(f"the simulation had not ended after {patience:.0f} s") from error
    if done.returncode != 0:
        said = done.stderr.strip().splitlines() or ["it said nothing"]
        raise SimulationFailure(f"the simulation ended with {done.returncode}: {said[-1]}")
    (figures,) = json.loads(done.stdout)["simulations"]
    return figures | {"void": []}

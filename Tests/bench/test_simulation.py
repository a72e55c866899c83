"""A simulation's figures become a run; why there are none is said."""

import json
from pathlib import Path

import pytest

import machine
import simulation
import synthetic

PROCESSOR = machine.processors()[0]


def program(directory: Path, script: str) -> Path:
    made = directory / "turn-simulation"
    made.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    made.chmod(0o755)
    return made


def test_figures_are_a_result_that_counts(tmp_path: Path) -> None:
    figures = {"allocations": 500, "routeUpNanoseconds": 41.5}
    script = f"echo \"$*\" >{tmp_path}/told; echo '{json.dumps({'simulations': [figures]})}'"
    assert simulation.measure(500, program(tmp_path, script), PROCESSOR) == figures | {"void": []}
    assert (tmp_path / "told").read_text(encoding="utf-8") == "--allocations 500 --json\n"


def test_a_failure_says_why(tmp_path: Path) -> None:
    script = "echo so far >&2; echo '3 of 9 were not relayed rightly' >&2; exit 1"
    with pytest.raises(simulation.SimulationFailure, match="ended with 1: 3 of 9 were not relayed rightly"):
        simulation.measure(500, program(tmp_path, script), PROCESSOR)


def test_whoever_does_not_end_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(simulation, "PATIENCE", 0.01)
    with pytest.raises(simulation.SimulationFailure, match="had not ended"):
        simulation.measure(1, program(tmp_path, "exec sleep 60"), PROCESSOR)


def test_the_synthetic_figures_are_those_that_the_program_prints() -> None:
    source = Path(__file__).parents[1] / "TURNSimulation/SimulationFigures.swift"
    declared = source.read_text(encoding="utf-8")
    for name in synthetic.simulated(1_000).keys() - {"void"}:
        assert f"let {name}: " in declared

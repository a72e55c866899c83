"""Each part is planned, measured and kept for itself, and makes its own document."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import bench
import synthetic
import synthetic_signaling
from cases import OURS, Case
from networks import Network
from records import Record, Result

QUICK = Case("quick", "quick", None, (OURS,))
SLOW = Case("slow", "slow", None, (OURS,), is_slow=True)


class FakeRig:
    """Measures nothing."""

    facts: dict[str, Any] = {"beside": "a fact"}

    def seconds(self, case: Case) -> float:
        return 1

    def measure(self, case: Case, record: Record, server: str, place: Network) -> Result:
        return {"case": case.name, "before": len(record.runs)}


@pytest.fixture
def written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[tuple[str, Path]]]:
    """What would have been written, where; the parts are two without programs."""
    found: list[tuple[str, Path]] = []

    def part(name: str, sections: dict[str, list[Case]], raw_runs: str) -> bench.Part:
        def write(_: Record, directory: Path) -> Path:
            found.append((name, directory))
            return directory / name

        return bench.Part(name, sections, raw_runs, write, lambda *_: FakeRig())

    parts = (
        part("relay", {"voice": [QUICK], "idle": [SLOW]}, "runs.json"),
        part("signaling", {"signaling": [QUICK, SLOW]}, "signaling.json"),
    )
    monkeypatch.setattr(bench, "PARTS", parts)
    monkeypatch.setattr(bench, "SECTIONS", ["voice", "idle", "signaling"])
    monkeypatch.setattr(bench, "SCRATCH", tmp_path / "scratch")
    monkeypatch.setattr(bench, "say", lambda _: None)
    monkeypatch.setattr(bench.machine, "processors", lambda: [0, 1])
    monkeypatch.setattr(bench.machine, "raise_descriptor_limit", lambda: None)
    monkeypatch.setattr(bench.signal, "signal", lambda *_: None)
    yield found


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(bench.sys, "argv", ["bench.py", *arguments])
    bench.main()


def kept(file: Path) -> list[tuple[str, str, int]]:
    record = json.loads(file.read_text(encoding="utf-8"))
    assert record["machine"]["beside"] == "a fact"
    return [(run["section"], run["case"], run["round"]) for run in record["runs"]]


def test_the_relay_is_measured_and_then_signaling(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: list[tuple[str, Path]]
) -> None:
    run(monkeypatch, "--rounds", "2")
    docs = bench.machine.REPOSITORY / "docs"
    assert written == [("relay", docs), ("signaling", docs)]
    assert kept(tmp_path / "scratch/runs.json") == [
        ("voice", "quick", 0),
        ("voice", "quick", 1),
        ("idle", "slow", 0),
        ("idle", "slow", 1),
    ]
    assert [case for _, case, _ in kept(tmp_path / "scratch/signaling.json")] == ["quick", "quick", "slow", "slow"]


def test_signaling_alone_is_the_whole_of_its_document(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: list[tuple[str, Path]]
) -> None:
    run(monkeypatch, "--only", "signaling", "--rounds", "1")
    assert written == [("signaling", bench.machine.REPOSITORY / "docs")]
    assert not (tmp_path / "scratch/runs.json").exists()


def test_a_piece_or_a_smoke_test_does_not_take_the_place_of_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: list[tuple[str, Path]]
) -> None:
    run(monkeypatch, "--only", "voice", "--rounds", "1")
    run(monkeypatch, "--only", "signaling", "--quick")
    assert written == [("relay", tmp_path / "scratch"), ("signaling", tmp_path / "scratch")]
    # What is slow is left out.
    assert {case for _, case, _ in kept(tmp_path / "scratch/signaling.json")} == {"quick"}


def test_a_part_alone_is_kept_in_the_file_and_two_beside_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: list[tuple[str, Path]]
) -> None:
    run(monkeypatch, "--rounds", "1", "--json", str(tmp_path / "alone.json"), "--only", "signaling")
    assert len(kept(tmp_path / "alone.json")) == 2
    run(monkeypatch, "--rounds", "1", "--json", str(tmp_path / "both.json"), "--out", str(tmp_path))
    assert len(kept(tmp_path / "both.json")) == len(kept(tmp_path / "both-signaling.json")) == 2
    assert written[-2:] == [("relay", tmp_path), ("signaling", tmp_path)]


def test_raw_runs_make_the_documents_that_they_are_runs_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []
    monkeypatch.setattr(bench, "say", said.append)
    signaling, relay = tmp_path / "signaling.json", tmp_path / "runs.json"
    synthetic_signaling.record(1).save(signaling)
    synthetic.record(1).save(relay)
    run(monkeypatch, "--from", str(signaling), "--out", str(tmp_path / "one"))
    assert [file.name for file in (tmp_path / "one").iterdir()] == ["benchmarks-signaling.md"]
    run(monkeypatch, "--from", str(signaling), "--from", str(relay), "--out", str(tmp_path / "two"))
    assert {file.name for file in (tmp_path / "two").iterdir()} == {
        "benchmarks.md",
        "benchmarks-signaling.md",
        "images",
    }
    assert said[-2:] == [f"written: {tmp_path / 'two' / name}" for name in ("benchmarks.md", "benchmarks-signaling.md")]


def test_files_without_runs_are_refused(tmp_path: Path) -> None:
    Record({}, {}).save(tmp_path / "none.json")
    with pytest.raises(SystemExit, match="no runs in"):
        next(bench.recorded([tmp_path / "none.json"]))


def test_the_sections_of_all_parts_have_names_of_their_own() -> None:
    assert len(bench.SECTIONS) == len(set(bench.SECTIONS))
    assert bench.SECTIONS[-2:] == ["signaling", "databases"]
    everything = argparse.Namespace(only=None, quick=False)
    assert [list(part.planned(everything)) for part in bench.PARTS][1:] == [["signaling"], ["databases"]]

"""The report says what the record says, above all where a requirement is missed."""

from pathlib import Path

import pytest

import charts
import report
import synthetic
from cases import COTURN, FLOOR, OURS, QUOTA_1, SECTIONS, Case
from finding import Finding
from records import Record, Result, load
from requirements import findings


def one(record: Record, beginning: str) -> Finding:
    (found,) = [finding for finding in findings(record) if finding.what.startswith(beginning)]
    return found


def with_changes(case_name: str, server: str, change: dict[str, object], rounds: int = 10) -> Record:
    """All is good but this one server's figures in this one case."""

    def make(case: Case, name: str, number: int) -> Result:
        made = synthetic.good_result(case, name, number)
        return made | change if (case.name, name) == (case_name, server) else made

    return synthetic.record(rounds, make)


def test_what_is_good_enough_is_met() -> None:
    found = list(findings(synthetic.record()))
    assert {finding.verdict for finding in found} == {"met"}
    assert len(found) == 36


def test_a_missed_requirement_is_shown_as_missed() -> None:
    slow = synthetic.result(1_200.0)
    record = with_changes("voice-up-50000", OURS, slow)
    found = one(record, "voice, up, 50,000/s, CPU per packet: callrelay to the forwarder")
    assert found.verdict == "**missed**"
    text = report.text(record, {})
    assert "| ≤ 1.10 | 1.209 |" in text
    assert "35 of 36 met, 1 missed, 0 not measured." in text
    # The rest of the section is as good as it was.
    assert one(record, "voice, up, 25,000/s, CPU per packet: callrelay to the forwarder").met


def test_a_bound_is_compared_before_it_is_rounded() -> None:
    record = with_changes("many-up", OURS, synthetic.result(950 * 1.15004), rounds=1)
    found = one(record, "10,000 allocations, up")
    assert (found.measured, found.met) == ("1.150", False)


def test_what_was_not_measured_is_in_the_table_all_the_same() -> None:
    record = synthetic.record()
    record.runs = [run for run in record.runs if run.section != "shards"]
    found = one(record, "two shards, up")
    assert (found.met, found.verdict) == (None, "not measured")
    text = report.text(record, {})
    assert "| two shards, up, CPU per packet: two to one | ≤ 1.11 | – | – | – | not measured |" in text
    assert "## Two shards" not in text


def test_a_void_run_is_listed_and_not_counted() -> None:
    def make(case: Case, server: str, number: int) -> Result:
        if (case.name, server, number) == ("voice-up-25000", OURS, 1):
            return synthetic.result(99_000.0, void=["the generator was | busy"])
        return synthetic.good_result(case, server, number)

    record = synthetic.record(3, make)
    found = one(record, "voice, up, 25,000/s, CPU per packet: callrelay to coturn")
    assert (found.rounds, found.spread) == ("2 of 3", "0.250–0.250")
    text = report.text(record, {})
    assert "## Runs that do not count" in text
    assert "| voice: up, 25,000/s, callrelay | 2 | the generator was \\| busy |" in text
    assert "99,000" not in text


def test_losses_at_the_peak() -> None:
    lossy = synthetic.result(share=0.85, up=synthetic.direction(lost=2))
    record = with_changes("peak-up-full", OURS, lossy)
    lost, idle = one(record, "coturn's peak load, up: packets"), one(record, "coturn's peak load, up: time")
    assert (lost.measured, lost.met) == ("0.200%", False)
    assert (idle.measured, idle.met) == ("15.0%", False)


@pytest.mark.parametrize("rounds, won, met", [(10, 8, True), (10, 7, False), (12, 9, False), (9, 9, None)])
def test_latency_is_to_win_most_rounds_of_ten(rounds: int, won: int, met: bool | None) -> None:
    def make(case: Case, server: str, number: int) -> Result:
        p99 = {OURS: 100.0, COTURN: 150.0 if number < won else 50.0}.get(server, 100.0)
        latency = {"p50": 40.0, "p99": p99, "p99_9": 300.0, "max": 900.0}
        return synthetic.result(up=synthetic.direction(latencyMicroseconds=latency))

    found = one(synthetic.record(rounds, make), "half of it, up")
    assert found.met is met
    assert found.measured.startswith(f"{won} of {rounds}")


def test_a_void_round_is_not_won() -> None:
    def make(case: Case, server: str, number: int) -> Result:
        made = synthetic.good_result(case, server, number)
        return made | {"void": ["busy"]} if number < 3 else made

    found = one(synthetic.record(10, make), "half of it, up")
    assert found.measured.startswith("7 of 10")
    assert (found.rounds, found.met) == ("7 of 10", False)


def test_with_a_small_mtu_we_lose_no_more_than_coturn() -> None:
    beginning = "video, veth, MTU 1280, 1,250 B down, bursts joined"
    lossy = synthetic.result(up=synthetic.direction(lost=1))
    assert one(with_changes("veth-1280-down-long-gso", OURS, lossy), beginning).met is False
    assert one(with_changes("veth-1280-down-long-gso", COTURN, lossy), beginning).met is True


def test_memory_is_counted_against_a_process_without_room() -> None:
    found = one(synthetic.record(), "memory of callrelay by idle allocation")
    assert (found.measured, found.met) == ("0.98 KiB", True)
    small = {"server": {"memoryBytes": 10 << 20}, "void": []}
    found = one(with_changes("idle-quota-1", QUOTA_1, small), "memory of callrelay by idle allocation")
    assert (found.measured, found.met) == ("2.00 KiB", False)


def test_the_core_has_a_row_for_each_figure() -> None:
    text = report.text(synthetic.record(3), {"bench-lookup.svg": "Look-ups", "bench-sweep.svg": "Sweeps"})
    section = text.split("## A million allocations in the core")[1].split("\n## ")[0]
    assert "![Look-ups](images/bench-lookup.svg)\n\n![Sweeps](images/bench-sweep.svg)" in section
    assert "| allocations | 1,000 | 10,000 | 100,000 | 1,000,000 |" in section
    row = "101 (100–102) | 121 (120–122) | 141 (140–143) | 162 (160–163) |"
    assert f"| ChannelData of a client, ns | {row}" in section
    assert "| resident memory, B each | 1,212 (1,200–1,224) |" in section
    assert "| runs | 3 | 3 | 3 | 3 |" in section


def test_a_smoke_test_of_the_core_leaves_columns_empty() -> None:
    record = synthetic.record(2)
    record.runs = [run for run in record.runs if run.section != "simulation" or run.case == "simulation-10000"]
    text = report.text(record, {})
    assert "| ChannelData of a client, ns | – | 121 (120–121) | – | – |" in text
    assert "| runs | 0 | 2 | 0 | 0 |" in text


def test_a_smoke_test_says_that_it_proves_nothing() -> None:
    record = synthetic.record(2)
    assert "smoke test:" not in report.text(record, {})
    record.settings = record.settings | {"quick": True}
    assert "**A smoke test:" in report.text(record, {})


def test_the_report_names_the_machine_and_every_chart(tmp_path: Path) -> None:
    path = report.write(synthetic.record(), tmp_path)
    text = path.read_text(encoding="utf-8")
    assert path == tmp_path / "benchmarks.md"
    assert "A Processor, 2 processors of a virtual machine, Linux 6.0" in text
    assert "beside coturn 4.6.1 and a bare forwarder, measured by `make bench` on 2026-01-02" in text
    for name, _ in charts.charts(synthetic.record()):
        assert f"(images/{name}.svg)" in text
        assert (tmp_path / f"images/{name}.svg").exists()


def test_a_kept_record_is_read_again(tmp_path: Path) -> None:
    whole, part = synthetic.record(2), synthetic.record(3)
    part.runs = [run for run in part.runs if run.section in ("voice", "simulation")]
    part.settings = part.settings | {"quick": True}
    whole.save(tmp_path / "whole.json")
    part.save(tmp_path / "part.json")
    assert load([tmp_path / "whole.json"], SECTIONS) == whole
    merged = load([tmp_path / "whole.json", tmp_path / "part.json"], SECTIONS)
    assert merged is not None
    assert merged.rounds("voice-up-25000") == merged.rounds("simulation-1000000") == 3
    assert merged.rounds("many-up") == 2
    assert merged.settings["quick"]
    assert len(merged.values("many-up", FLOOR, lambda result: 1.0)) == 2

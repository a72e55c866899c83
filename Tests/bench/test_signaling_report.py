"""The report on signaling says what the record says, above all where a requirement is missed or nothing is known."""

from collections.abc import Callable
from pathlib import Path

import pytest

import cases
import signaling.cases
import synthetic
import synthetic_signaling as synthetic_runs
from cases import OURS, Case
from finding import Finding
from records import Record, Result, load
from signaling.cases import PEER
from signaling.report import text, write
from signaling.requirements import findings

COST = ": CPU per acknowledged candidate"


def one(record: Record, beginning: str) -> Finding:
    (found,) = [finding for finding in findings(record) if finding.what.startswith(beginning)]
    return found


def with_runs(case_name: str, server: str, make: Callable[[int], Result], rounds: int = 3) -> Record:
    """All is good but this one server's runs in this one case; `make` is given the round."""

    def made(case: Case, name: str, number: int) -> Result:
        if (case.name, name) == (case_name, server):
            return make(number)
        return synthetic_runs.good_result(case, name, number)

    return synthetic_runs.record(rounds, made)


def rows(document: str, beginning: str) -> list[list[str]]:
    """The cells of the rows that begin so, but for the first."""
    found = [line for line in document.splitlines() if line.startswith(f"| {beginning} |")]
    return [[cell.strip() for cell in line.strip("|").split("|")[1:]] for line in found]


def test_what_is_good_enough_is_met() -> None:
    found = list(findings(synthetic_runs.record()))
    assert {finding.verdict for finding in found} == {"met"}
    loads = [finding.what.removesuffix(f"{COST}, callrelay to python-socketio") for finding in found[:5]]
    assert loads == [
        "250 candidates/s",
        "500 candidates/s",
        "1,000 candidates/s",
        "2,000 candidates/s",
        "64 candidates under way",
    ]
    assert len(found) == 11


def test_a_missed_requirement_is_shown_as_missed() -> None:
    record = with_runs("candidates-500", OURS, lambda _: synthetic_runs.events(300.0, 500))
    assert one(record, f"500 candidates/s{COST}").verdict == "**missed**"
    document = text(record)
    assert "10 of 11 met, 1 missed, 0 not measured." in document
    shown = rows(document, f"500 candidates/s{COST}, callrelay to python-socketio")
    assert shown == [["≤ 0.25", "0.297", "0.294–0.300", "3", "**missed**"]]
    assert one(record, f"250 candidates/s{COST}").met


def test_a_bound_is_compared_before_it_is_rounded() -> None:
    record = with_runs("candidates-250", OURS, lambda _: synthetic_runs.events(250.04, 250), rounds=1)
    found = one(record, f"250 candidates/s{COST}")
    assert (found.measured, found.met) == ("0.250", False)


def test_a_void_run_is_listed_and_not_counted() -> None:
    def make(number: int) -> Result:
        if number == 1:
            return synthetic_runs.events(99_999.0, 1_000, missing=7, void=["the generator was | busy"])
        return synthetic_runs.events(200.0, 1_000)

    record = with_runs("candidates-1000", OURS, make)
    found = one(record, f"1,000 candidates/s{COST}")
    assert (found.rounds, found.met) == ("2 of 3", True)
    lost = one(record, "candidates, all loads")
    assert (lost.measured.split()[0], lost.rounds, lost.met) == ("0", "17 of 18", True)
    document = text(record)
    assert "## Runs that do not count" in document
    assert "| signaling: 1,000 candidates/s, callrelay | 2 | the generator was \\| busy |" in document
    assert "99,999" not in document
    assert [cells[-1] for cells in rows(document, "1,000 candidates/s, callrelay")] == ["2 of 3", "2 of 3"]


def test_runs_that_are_all_void_say_nothing() -> None:
    record = with_runs("candidates-2000", PEER, lambda _: {"void": ["the server ended with -9"]})
    assert one(record, f"2,000 candidates/s{COST}").verdict == "not measured"


def test_a_load_that_the_peer_cannot_keep_up_with_is_not_compared() -> None:
    record = with_runs("candidates-2000", PEER, lambda _: synthetic_runs.behind(900.0, 2_000))
    assert not [finding for finding in findings(record) if finding.what.startswith("2,000 candidates/s")]
    document = text(record)
    assert "10 of 10 met, 0 missed, 0 not measured." in document
    assert "python-socketio did not keep up with 2,000 candidates/s: " in document
    assert rows(document, "2,000 candidates/s: CPU per candidate, callrelay to python-socketio") == [["–"] * 3]
    # It is recognisable: what it was sent and acknowledged, and how late; but not what that cost.
    costs, delays = rows(document, "2,000 candidates/s, python-socketio")
    assert costs[:4] == ["1,200", "60.0%", "0 of 3", "–"]
    assert costs[-3:] == ["24,000", "0", "3"]
    assert delays[:2] == ["4,000.0", "8,000.0"]


def test_everything_acknowledged_but_late_is_not_kept_up_with_either() -> None:
    late = synthetic_runs.latency(p99=501.0)
    record = with_runs(
        "candidates-2000", PEER, lambda _: synthetic_runs.events(900.0, 2_000, acknowledgementLatency=late)
    )
    assert not [finding for finding in findings(record) if finding.what.startswith("2,000 candidates/s")]


def test_rounds_in_which_one_does_not_keep_up_are_left_out() -> None:
    def make(number: int) -> Result:
        return synthetic_runs.behind(1.0, 2_000) if number == 0 else synthetic_runs.events(1_000.0, 2_000)

    found = one(with_runs("candidates-2000", PEER, make), f"2,000 candidates/s{COST}")
    assert (found.measured, found.spread, found.rounds) == ("0.203", "0.202–0.204", "2 of 3")


def test_not_to_keep_up_where_the_peer_does_is_missed() -> None:
    record = with_runs("candidates-1000", OURS, lambda _: synthetic_runs.behind(1.0, 1_000))
    found = one(record, f"1,000 candidates/s{COST}")
    assert (found.measured, found.rounds, found.met) == ("callrelay did not keep up", "0 of 3", False)


@pytest.mark.parametrize("what", ["missing", "misplaced"])
def test_one_event_lost_in_one_run_is_missed(what: str) -> None:
    def make(number: int) -> Result:
        return synthetic_runs.events(200.0, 5_000) | ({what: 1} if number == 2 else {})

    record = with_runs("candidates-5000", OURS, make)
    found = one(record, "candidates, all loads")
    assert (found.measured, found.met) == ("1 of 292,500", False)
    costs, _ = rows(text(record), "5,000 candidates/s, callrelay")
    assert costs[-3:-1] == (["1", "0"] if what == "missing" else ["0", "1"])


def test_what_the_peer_loses_is_not_our_requirement() -> None:
    record = with_runs("candidates-250", PEER, lambda _: synthetic_runs.events(1_000.0, 250, missing=5))
    assert one(record, "candidates, all loads").met


def test_memory_of_idle_clients_is_that_of_websockets() -> None:
    more = with_runs("idle-websocket", OURS, lambda _: synthetic_runs.idle(10.01))
    found = one(more, "memory of an idle client")
    assert (found.want, found.measured, found.met) == ("≤ 10 KiB", "10.01 KiB", False)
    assert one(with_runs("idle-polling", OURS, lambda _: synthetic_runs.idle(50)), "memory of an idle client").met


def test_all_are_back_in_time_in_every_round() -> None:
    record = with_runs("storm", OURS, lambda number: synthetic_runs.storm(15.5 if number == 0 else 3.0))
    found = one(record, "5,000 clients back at once: until all have resumed")
    assert (found.want, found.measured, found.spread, found.met) == ("≤ 15 s", "15.50 s", "3.00–15.50", False)
    # Who gave up did so after the generator's patience, which the time then is.
    gave_up = with_runs("storm", OURS, lambda _: synthetic_runs.storm(60.2, resumed=4_999, failed=1, missing=2))
    assert one(gave_up, "5,000 clients back at once: until all have resumed").met is False
    assert one(gave_up, "5,000 clients back at once: events").measured == "6 of 75,000"
    assert rows(text(gave_up), "clients that gave up") == [["1 (1–1)"]]


def test_who_stops_reading_is_cut_and_takes_little() -> None:
    record = with_runs("slow-reader", OURS, lambda number: synthetic_runs.slow_reader(1.01, cut=20 - number))
    memory, cut = one(record, "memory of a client that stops reading"), one(record, "clients that stop reading")
    assert (memory.want, memory.measured, memory.met) == ("≤ 1 MiB", "1.01 MiB", False)
    assert (cut.measured, cut.met) == ("3 of 60", False)


def test_calls_that_fail_are_shown() -> None:
    counts = {"started": 100, "completed": 98, "failed": 2, "skipped": 1, "failures": ["call-ended did not come"]}
    document = text(with_runs("calls", OURS, lambda _: synthetic_runs.calls(calls=counts)))
    assert rows(document, "calls that went all their way") == [["98 (98–98)"]]
    assert rows(document, "calls that failed") == [["2 (2–2)"]]
    assert rows(document, "CPU of the server, ms a call") == [["9.00 (9.00–9.00)"]]


def test_latencies_at_every_load_are_in_a_table() -> None:
    document = text(synthetic_runs.record())
    for load, server in ((2_000, OURS), (2_000, PEER), (5_000, OURS)):
        _, delays = rows(document, f"{load:,} candidates/s, {server}")
        assert delays == ["2.0", "8.1", "20.2", "2.2", "8.9", "22.2", "3"]


def test_a_smoke_test_leaves_out_what_is_slow() -> None:
    slow = {case.name for case in signaling.cases.SECTIONS["signaling"] if case.is_slow}
    record = synthetic_runs.record(2)
    record.runs = [run for run in record.runs if run.case not in slow]
    record.settings = record.settings | {"quick": True}
    document = text(record)
    assert "**A smoke test:" in document
    assert "6 of 11 met, 0 missed, 5 not measured." in document
    assert "| clients that stop reading: not cut by the server | none | – | – | – | not measured |" in document
    assert "## Whole calls" in document
    assert not any(title in document for title in ("## Idle clients", "## Everybody back", "## Clients that stop"))


def test_the_report_says_what_is_compared_and_where(tmp_path: Path) -> None:
    path = write(synthetic_runs.record(), tmp_path / "docs")
    document = path.read_text(encoding="utf-8")
    assert path == tmp_path / "docs/benchmarks-signaling.md"
    assert "signaling (commit abc1234) beside python-socketio 5.18.1, measured" in document
    assert "by `make bench` on 2026-01-02" in document
    assert "A Processor, 2 processors, Linux 6.0" in document
    assert "aiohttp 3.14.5" in document
    assert "it has no store, no checks and no REST API" in document
    assert "fresh database in a file, on ext4." in document
    assert "{" not in document


@pytest.mark.parametrize(
    ("kind", "said"), [("tmpfs", "on tmpfs, **which is in memory"), (None, "on a file system of unknown kind")]
)
def test_a_sync_that_reaches_no_disk_is_told(kind: str | None, said: str) -> None:
    record = synthetic_runs.record(1)
    record.machine = record.machine | {"fileSystem": kind}
    assert said in text(record)


def test_raw_runs_of_both_parts_are_told_apart(tmp_path: Path) -> None:
    ours, relay = synthetic_runs.record(2), synthetic.record(1)
    ours.save(tmp_path / "signaling.json")
    relay.save(tmp_path / "runs.json")
    files = [tmp_path / "signaling.json", tmp_path / "runs.json"]
    assert load(files, signaling.cases.SECTIONS) == ours
    assert load(files, cases.SECTIONS) == relay
    assert load(files[:1], cases.SECTIONS) is None


def test_the_synthetic_figures_are_those_that_the_program_prints() -> None:
    sources = Path(__file__).parents[2] / "Sources"
    files = [*(sources / "CallBench").glob("*.swift"), sources / "BenchCore/LatencyRecorder.swift"]
    declared = "\n".join(file.read_text(encoding="utf-8") for file in files)

    def names(value: object) -> set[str]:
        if not isinstance(value, dict):
            return set()
        return set(value).union(*map(names, value.values()))

    made = [synthetic_runs.events(inFlight=64), synthetic_runs.calls(), synthetic_runs.idle(1), synthetic_runs.storm()]
    for name in set().union(*map(names, [*made, synthetic_runs.slow_reader()])):
        assert f"var {name}:" in declared or f"var {name} =" in declared, name

"""Rounds alternate, void runs are repeated, and what the programs are told is what the case says."""

import subprocess
from functools import partial
from pathlib import Path

import pytest

import generator
import launch
import relay
import rounds
import servers
import synthetic
from cases import COTURN, FLOOR, OURS, SECTIONS, TWO_SHARDS, Case, Load, ShareOfPeak
from networks import Network
from records import Record, Result

LOOPBACK = Network("loopback", "127.0.0.1", "127.0.0.1")
CABLE = Network("veth", "198.18.0.1", "198.18.0.2", ("there",), ("here",))
THREE = Case("three", "three", Load(1, rate=10), (OURS, COTURN, FLOOR))


def run(case: Case, count: int, measure: rounds.Measure) -> Record:
    record = Record({}, {})
    progress = rounds.Progress(lambda _: None, [1.0] * 100)
    rounds.run_case("voice", case, count, record, measure, progress, lambda: None)
    return record


def test_every_other_round_is_reversed() -> None:
    asked = []

    def measure(server: str, *_: object) -> Result:
        asked.append(server)
        return synthetic.result()

    record = run(THREE, 3, measure)
    assert asked == [OURS, COTURN, FLOOR, FLOOR, COTURN, OURS, OURS, COTURN, FLOOR]
    assert [run.round for run in record.runs] == [0, 0, 0, 1, 1, 1, 2, 2, 2]


@pytest.mark.parametrize("bad, attempts, void", [(1, 2, False), (2, 3, False), (9, 3, True)])
def test_a_void_run_is_repeated_twice_and_then_recorded(bad: int, attempts: int, void: bool) -> None:
    asked = 0

    def measure(*_: object) -> Result:
        nonlocal asked
        asked += 1
        return {"void": ["busy"]} if asked <= bad else synthetic.result()

    (kept,) = run(Case("one", "one", Load(1, rate=10), (OURS,)), 1, measure).runs
    assert (kept.attempts, bool(kept.void)) == (attempts, void)


def test_a_share_of_the_peak_is_of_what_coturn_delivered() -> None:
    delivered = synthetic.result(up=synthetic.direction(receivedPerSecond=100_001.0))
    record = run(Case("most", "most", Load(1), (COTURN,)), 2, lambda *_: delivered)
    assert relay.rate_of(Load(1, rate=ShareOfPeak("most", 0.5)), record) == 50_000
    assert relay.rate_of(Load(1, rate=7), record) == 7
    assert relay.rate_of(Load(1), record) is None


def test_without_a_peak_its_share_is_void_and_not_tried_again() -> None:
    half = Case("half", "half", Load(1, rate=ShareOfPeak("most", 0.5)), (OURS,))
    program = Path("/nowhere")
    rig = relay.RelayRig(servers.Programs(program, program, program, "turnserver"), [0, 1], generator.Timing(10, 2))
    (kept,) = run(half, 1, partial(rig.measure, half, Record({}, {}))).runs
    assert (kept.attempts, kept.void) == (0, ["coturn's peak is not known: none of its runs counts"])


def test_without_a_network_its_runs_are_void(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    cable = Case("cable", "cable", Load(1, rate=10), (OURS, COTURN), network="veth-1500")
    kept = run(cable, 2, lambda *_: pytest.fail("there is nowhere to measure")).runs
    assert [(run.round, run.server) for run in kept] == [(0, OURS), (0, COTURN), (1, OURS), (1, COTURN)]
    assert kept[0].void == ["no such network here: needs the program ip"]


def test_the_time_left_follows_what_runs_take() -> None:
    said: list[str] = []
    clock = iter([0.0, 70.0, 70.0])
    progress = rounds.Progress(said.append, [60.0] * 4, now=lambda: next(clock), overhead=0)
    progress.begins("first")
    progress.ends()
    progress.begins("second")
    assert said == ["[1/4] first, about 4 min left", "[2/4] second, about 4 min left"]
    assert progress.overhead == 10


def test_latency_has_ten_rounds_but_in_a_smoke_test() -> None:
    (half, *_) = [case for case in SECTIONS["peak"] if case.name.endswith("half")]
    assert rounds.rounds_of(half, 6, quick=False) == 10
    assert rounds.rounds_of(half, 12, quick=False) == 12
    assert rounds.rounds_of(half, 2, quick=True) == 2


def test_names_of_cases_are_unique() -> None:
    names = [case.name for cases in SECTIONS.values() for case in cases]
    assert len(names) == len(set(names))


def options(load: Load, rate: int | None, network: Network = LOOPBACK, secret: str | None = "s") -> str:
    process = subprocess.Popen(["true"])
    process.wait()
    server = servers.Server("turn:127.0.0.1:5000", secret, process)
    return " ".join(generator.options(load, rate, server, network, generator.Timing(10, 2)))


def test_the_generator_is_told_the_load() -> None:
    told = options(Load(50, 1_200, "down", 25_000, burst=8, gso=True), 25_000)
    assert "--secret s --allocations 50 --payload 1200 --pps 25000 --direction down --burst 8" in told
    assert told.endswith("--duration 10 --warm-up 2 --gso")
    assert "--max" in options(Load(50), None)
    assert options(Load(50, idle=True), None).endswith("--allocations 50 --payload 160 --duration 0")
    assert "--secret" not in options(Load(50), 1, secret=None)
    assert options(Load(50), 1, CABLE).endswith("--i-own-this-host --bind 198.18.0.2")


def test_a_report_that_calls_itself_void_is_a_report() -> None:
    assert generator.report('{"void": ["busy"]}\n', "", 3) == {"void": ["busy"]}
    with pytest.raises(generator.GeneratorFailure, match="ended with 1: refused"):
        generator.report("", "what\nrefused\n", 1)


def test_servers_are_given_the_same() -> None:
    ours = servers.callrelay_settings(OURS, CABLE, 5000, "s")
    assert (ours["TURN_LISTEN"], ours["TURN_ALLOWED_PEERS"]) == ("198.18.0.1", "198.18.0.2/32")
    assert ours["TURN_WORKERS"] == "1"
    assert servers.callrelay_settings(TWO_SHARDS, LOOPBACK, 5000, "s")["TURN_WORKERS"] == "2"
    theirs = servers.coturn_options(LOOPBACK, 5000, "s", "--no-tls  Do not. --no-cli Turn OFF.")
    assert {"--listening-ip=127.0.0.1", "--static-auth-secret=s", "--allow-loopback-peers", "--no-tls"} <= set(theirs)
    assert "--no-dtls" not in theirs
    assert f"--min-port={ours['TURN_RELAY_MIN_PORT']}" in theirs
    assert "--allow-loopback-peers" not in servers.coturn_options(CABLE, 5000, "s", "")


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    program = tmp_path / "callrelay"
    program.write_text("#!/bin/sh\necho no port today\nexit 4\n", encoding="ascii")
    program.chmod(0o755)
    programs = servers.Programs(program, program, program, "turnserver")
    with pytest.raises(launch.ServerFailure, match="ended with 4 at its start: no port today"):
        with servers.serve(OURS, LOOPBACK, programs, [0], 1):
            pass

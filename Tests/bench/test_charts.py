"""Charts are XML, and hold every series they have figures for."""

from xml.etree import ElementTree as ET

import pytest

import charts
import svg
import synthetic
from cases import COTURN, FLOOR, Case
from records import Record, Result

SVG = "{http://www.w3.org/2000/svg}"
OF_SERVERS = ["bench-cpu-up", "bench-latency-up", "bench-cpu-down", "bench-latency-down", "bench-memory"]
OF_THE_CORE = ["bench-lookup", "bench-sweep"]


def drawn(record: Record) -> dict[str, ET.Element]:
    return {name: ET.fromstring(svg.draw(chart)) for name, chart in charts.charts(record)}


def series(chart: ET.Element) -> dict[str, int]:
    """How many points each line has."""
    lines = (group for group in chart.iter(f"{SVG}g") if "data-series" in group.attrib)
    return {line.attrib["data-series"]: len(line.find(f"{SVG}polyline").attrib["points"].split()) for line in lines}


def texts(chart: ET.Element) -> list[str]:
    return [element.text or "" for element in chart.iter(f"{SVG}text")]


def test_every_chart_holds_every_server() -> None:
    found = drawn(synthetic.record())
    assert list(found) == OF_SERVERS + OF_THE_CORE
    for chart in map(found.get, OF_SERVERS):
        assert series(chart) == {"callrelay": 3, "coturn": 3, "bare forwarder": 3}
        assert list(series(chart))[-1] == "callrelay"  # drawn last, it is not hidden


def test_the_core_is_drawn_against_powers_of_ten() -> None:
    found = drawn(synthetic.record())
    assert series(found["bench-lookup"]) == {"from clients, in ChannelData": 4, "from peers": 4}
    assert series(found["bench-sweep"]) == {"nothing has expired": 4}
    for chart in map(found.get, OF_THE_CORE):
        for text in ("1,000", "10,000", "100,000", "1,000,000", "allocations of one shard (logarithmic)"):
            assert text in texts(chart)
        line = chart.find(f".//{SVG}polyline").attrib["points"].split()
        across = [float(point.split(",")[0]) for point in line]
        third = (svg.RIGHT - svg.LEFT) / 3
        assert across == pytest.approx([svg.LEFT + third * number for number in range(4)], abs=0.1)


def test_a_chart_has_title_axes_with_units_and_a_legend() -> None:
    found = drawn(synthetic.record())
    said = texts(found["bench-cpu-up"])
    for text in ("load, packets per second", "CPU time of the server, ns per packet", "callrelay", "coturn"):
        assert text in said
    assert found["bench-cpu-up"].find(f"{SVG}title").text in said
    assert "resident memory of the server, MiB" in texts(found["bench-memory"])


def test_void_runs_are_not_drawn_and_a_chart_without_figures_is_left_out() -> None:
    def make(case: Case, server: str, number: int) -> Result:
        made = synthetic.good_result(case, server, number)
        no_figures = server == FLOOR or case.name.startswith(("idle", "simulation"))
        silent = server == COTURN and case.name == "voice-up-100000" or no_figures
        return made | {"void": ["busy"]} if silent else made

    found = drawn(synthetic.record(2, make))
    assert list(found) == OF_SERVERS[:-1]
    assert series(found["bench-cpu-up"]) == {"callrelay": 3, "coturn": 2}


def test_everything_lies_inside_the_picture() -> None:
    for chart in drawn(synthetic.record()).values():
        for polyline in chart.iter(f"{SVG}polyline"):
            for point in polyline.attrib["points"].split():
                x, y = map(float, point.split(","))
                assert svg.LEFT <= x <= svg.RIGHT and svg.TOP <= y <= svg.BOTTOM


def test_labels_are_escaped() -> None:
    line = svg.Line("a < b & c", "#000000", "circle", [svg.Point(1, 1, 1, 1)])
    chart = ET.fromstring(svg.draw(svg.Chart('"A" & <B>', "", "x", "y", [line])))
    assert series(chart) == {"a < b & c": 1}


@pytest.mark.parametrize("highest, last, step", [(100_000, 100_000, 20_000), (9.3, 10, 2), (0.004, 0.004, 0.001)])
def test_linear_ticks_begin_at_nothing_and_reach_the_highest(highest: float, last: float, step: float) -> None:
    ticks = svg.linear_ticks(highest)
    assert ticks[0] == 0
    assert ticks[-1] == pytest.approx(last)
    assert ticks[1] == pytest.approx(step)


def test_logarithmic_ticks_enclose_what_is_drawn() -> None:
    assert svg.logarithmic_ticks(33, 480) == pytest.approx([20, 50, 100, 200, 500])
    assert svg.logarithmic_ticks(20, 20) == pytest.approx([20])
    assert svg.powers_of_ten(1_000, 1_000_000) == [1_000, 10_000, 100_000, 1_000_000]
    assert svg.powers_of_ten(20, 2_000) == [10, 100, 1_000, 10_000]
    assert svg.logarithmic_ticks(3, 900_000) == pytest.approx([1, 10, 100, 1_000, 10_000, 100_000, 1_000_000])

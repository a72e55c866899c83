"""Draws a chart of lines as SVG: points are medians, the bars through them reach from the lowest to the highest."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree import ElementTree as ET

WIDTH, HEIGHT = 760, 460
LEFT, RIGHT, TOP, BOTTOM = 104, 728, 78, 350
INK, FAINT, GRID, PAPER = "#1d2733", "#5b6672", "#e3e7eb", "#ffffff"
TICKS = 6


@dataclass(frozen=True)
class Point:
    x: float
    y: float
    low: float
    high: float


@dataclass(frozen=True)
class Line:
    """Told apart by more than colour: `marker` is circle, square or diamond."""

    label: str
    colour: str
    marker: str
    points: Sequence[Point]


@dataclass(frozen=True)
class Chart:
    title: str
    note: str
    x_label: str
    y_label: str
    lines: Sequence[Line]
    logarithmic: bool = False
    logarithmic_x: bool = False


def linear_ticks(highest: float) -> list[float]:
    """From 0 to `highest` or a little above, in steps that are easy to read."""
    if highest <= 0:
        return [0.0, 1.0]
    rough = highest / TICKS
    power = 10 ** math.floor(math.log10(rough))
    step = next(step * power for step in (1, 2, 2.5, 5, 10) if step * power >= rough * 0.999)
    return [step * number for number in range(math.ceil(highest / step * 0.999) + 1)]


def powers_of_ten(lowest: float, highest: float) -> list[float]:
    """Those from below `lowest` to above `highest`."""
    return [10.0**power for power in range(math.floor(math.log10(lowest)), math.ceil(math.log10(highest)) + 1)]


def logarithmic_ticks(lowest: float, highest: float) -> list[float]:
    """1, 2 and 5 in every power of ten from below `lowest` to above `highest`; powers alone if there were too many."""
    powers = powers_of_ten(lowest, highest)
    steps = (1, 2, 5) if len(powers) <= 4 else (1,)
    ticks = [step * power for power in powers for step in steps]
    first = max((tick for tick in ticks if tick <= lowest), default=ticks[0])
    last = min((tick for tick in ticks if tick >= highest), default=ticks[-1])
    return [tick for tick in ticks if first <= tick <= last]


def draw(chart: Chart) -> str:
    points = [point for line in chart.lines for point in line.points]
    rightmost = max(point.x for point in points)
    xs = powers_of_ten(min(point.x for point in points), rightmost) if chart.logarithmic_x else linear_ticks(rightmost)
    tops = max(point.high for point in points)
    if chart.logarithmic:
        ys = logarithmic_ticks(min(point.low for point in points), tops)
    else:
        ys = linear_ticks(tops)

    def across(x: float) -> float:
        return LEFT + (RIGHT - LEFT) * _share(x, xs, chart.logarithmic_x)

    def up(y: float) -> float:
        return BOTTOM - (BOTTOM - TOP) * _share(y, ys, chart.logarithmic)

    root = _root(chart)
    _axes(root, chart, [(across(x), x) for x in xs], [(up(y), y) for y in ys])
    for line in reversed(chart.lines):  # the first is on top
        placed = [(across(point.x), up(point.y), up(point.low), up(point.high)) for point in line.points]
        _line(root, line, placed)
    _legend(root, chart.lines)
    ET.indent(root, " ")
    return ET.tostring(root, encoding="unicode") + "\n"


def _share(value: float, ticks: list[float], logarithmic: bool) -> float:
    """How far along an axis `value` lies, from 0 to 1."""
    if logarithmic:
        return math.log10(value / ticks[0]) / (math.log10(ticks[-1] / ticks[0]) or 1)
    return value / ticks[-1]


def _root(chart: Chart) -> ET.Element:
    root = ET.Element(
        "svg",
        {
            "xmlns": "http://www.w3.org/2000/svg",
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "width": str(WIDTH),
            "height": str(HEIGHT),
            "role": "img",
            "font-family": "system-ui, 'DejaVu Sans', Helvetica, Arial, sans-serif",
        },
    )
    ET.SubElement(root, "title").text = chart.title
    _add(root, "rect", width=WIDTH, height=HEIGHT, fill=PAPER)
    _text(root, LEFT, 32, chart.title, size=18, anchor="start", fill=INK, weight="600")
    _text(root, LEFT, 54, chart.note, size=13, anchor="start")
    return root


def _axes(root: ET.Element, chart: Chart, xs: list[tuple[float, float]], ys: list[tuple[float, float]]) -> None:
    for place, value in ys:
        _add(root, "line", x1=LEFT, x2=RIGHT, y1=place, y2=place, stroke=GRID)
        _text(root, LEFT - 10, place + 4, _number(value), anchor="end")
    for place, value in xs:
        _add(root, "line", x1=place, x2=place, y1=BOTTOM, y2=BOTTOM + 6, stroke=FAINT)
        _text(root, place, BOTTOM + 22, _number(value))
    _add(root, "line", x1=LEFT, x2=RIGHT, y1=BOTTOM, y2=BOTTOM, stroke=FAINT)
    _text(root, (LEFT + RIGHT) / 2, BOTTOM + 48, chart.x_label, size=14, fill=INK)
    middle = (TOP + BOTTOM) / 2
    label = _text(root, 22, middle, chart.y_label, size=14, fill=INK)
    label.set("transform", f"rotate(-90 22 {middle:g})")


def _line(root: ET.Element, line: Line, placed: list[tuple[float, float, float, float]]) -> None:
    group = ET.SubElement(root, "g", {"data-series": line.label, "stroke": line.colour, "fill": line.colour})
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _, _ in placed)
    stroke = {"fill": "none", "stroke-width": "2.5", "stroke-linejoin": "round"}
    ET.SubElement(group, "polyline", {"points": path, **stroke})
    for x, y, low, high in placed:
        for end in (low, high):
            _add(group, "line", x1=x - 4, x2=x + 4, y1=end, y2=end, stroke_width=1.5)
        _add(group, "line", x1=x, x2=x, y1=low, y2=high, stroke_width=1.5)
        _marker(group, line.marker, x, y)


def _legend(root: ET.Element, lines: Sequence[Line]) -> None:
    x, y = float(LEFT), HEIGHT - 26
    for line in lines:
        group = ET.SubElement(root, "g", {"stroke": line.colour, "fill": line.colour})
        _add(group, "line", x1=x, x2=x + 30, y1=y, y2=y, stroke_width=2.5)
        _marker(group, line.marker, x + 15, y)
        _text(root, x + 40, y + 5, line.label, size=14, anchor="start", fill=INK)
        x += 78 + 8.5 * len(line.label)


def _marker(group: ET.Element, marker: str, x: float, y: float) -> None:
    if marker == "circle":
        _add(group, "circle", cx=x, cy=y, r=5)
    elif marker == "square":
        _add(group, "rect", x=x - 4.5, y=y - 4.5, width=9, height=9)
    else:
        corners = [(x, y - 6.5), (x + 6.5, y), (x, y + 6.5), (x - 6.5, y)]
        points = " ".join(f"{across:.1f},{down:.1f}" for across, down in corners)
        ET.SubElement(group, "polygon", {"points": points})


def _text(
    root: ET.Element,
    x: float,
    y: float,
    text: str,
    *,
    size: int = 13,
    anchor: str = "middle",
    fill: str = FAINT,
    weight: str = "400",
) -> ET.Element:
    element = _add(root, "text", x=x, y=y, font_size=size, text_anchor=anchor, fill=fill, font_weight=weight)
    element.text = text
    return element


def _add(parent: ET.Element, tag: str, **attributes: float | str) -> ET.Element:
    written = {
        name.replace("_", "-"): value if isinstance(value, str) else f"{value:.1f}".removesuffix(".0")
        for name, value in attributes.items()
    }
    return ET.SubElement(parent, tag, written)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value == round(value) else f"{value:,.10g}"

"""Line charts as SVG by hand: small, readable on light and on dark pages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from math import ceil, log10
from typing import NamedTuple
from xml.sax.saxutils import escape

PANEL, HEIGHT, GAP = 340, 210, 40
LEFT, TOP = 46, 44
#: Of a line; each is told from its neighbours on white and on nearly black, and from one another without colours by its
#: marks.
COLOURS = ('#2f7fd6', '#c9662b', '#3d9a5f')
MARKS = ('circle', 'square', 'diamond')
#: A line of more points goes without them.
MARKED = 12
STYLE = """
text { font: 12px system-ui, sans-serif; fill: #24292f }
.title { font-weight: 600; font-size: 13px }
.quiet { fill: #57606a; font-size: 11px }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { fill: none; stroke-width: 2 }
.paper { fill: #ffffff }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .quiet { fill: #9da7b3 }
  .grid { stroke: #3d444d }
  .paper { fill: #0d1117 }
}
"""


class Line(NamedTuple):
    name: str
    #: (x, y); y is drawn from 0
    points: Sequence[tuple[float, float]]


class Panel(NamedTuple):
    title: str
    x_name: str
    lines: Sequence[Line]
    #: where an x is drawn
    scale: Callable[[float], float] = log10
    #: the x that are named; all where none is told
    ticks: Sequence[float] = ()


def draw(panels: Sequence[Panel], note: str) -> str:
    """The panels side by side, and the note below."""
    width, height = len(panels) * (PANEL + GAP) + GAP // 2, TOP + HEIGHT + 84
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' role="img"><title>{escape("; ".join(panel.title for panel in panels))}</title><style>{STYLE}</style>',
        f'<rect class="paper" width="{width}" height="{height}" rx="6"/>',
    ]
    for i, panel in enumerate(panels):
        parts.append(f'<g transform="translate({LEFT + i * (PANEL + GAP)} {TOP})">')
        parts += _panel(panel)
        parts.append('</g>')
    parts.append(f'<text class="quiet" x="{LEFT}" y="{height - 12}">{escape(note)}</text></svg>')
    return '\n'.join(parts) + '\n'


def _panel(panel: Panel) -> list[str]:
    width = PANEL - LEFT
    xs = sorted({x for line in panel.lines for x, _ in line.points})
    top = _round_up(max(y for line in panel.lines for _, y in line.points))
    low, high = panel.scale(xs[0]), panel.scale(xs[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        return width * (panel.scale(x) - low) / (high - low), HEIGHT * (1 - y / top)

    parts = [f'<text class="title" x="0" y="-24">{escape(panel.title)}</text>']
    for step in range(5):
        y = top * step / 4
        at = place(xs[0], y)[1]
        parts.append(f'<line class="grid" x1="0" x2="{width}" y1="{at:.1f}" y2="{at:.1f}"/>')
        parts.append(f'<text class="quiet" x="-6" y="{at + 4:.1f}" text-anchor="end">{_short(y)}</text>')
    for x in panel.ticks or xs:
        at = place(x, 0)[0]
        parts.append(f'<text class="quiet" x="{at:.1f}" y="{HEIGHT + 16}" text-anchor="middle">{x:,.0f}</text>')
    parts.append(f'<text class="quiet" x="{width / 2}" y="{HEIGHT + 32}" text-anchor="middle">{panel.x_name}</text>')
    for i, line in enumerate(panel.lines):
        parts += _line(line, i, [place(x, y) for x, y in line.points])
    return parts


def _line(line: Line, i: int, points: Sequence[tuple[float, float]]) -> list[str]:
    colour = COLOURS[i]
    path = ' '.join(f'{x:.1f},{y:.1f}' for x, y in points)
    marks = [_mark(MARKS[i], x, y, colour) for x, y in points if len(points) <= MARKED]
    name_at = f'x="{i * 150 + 14}" y="-6"'
    return [
        f'<polyline class="line" stroke="{colour}" points="{path}"/>',
        *marks,
        _mark(MARKS[i], i * 150 + 5, -10, colour),
        f'<text class="quiet" {name_at}>{escape(line.name)}</text>',
    ]


def _mark(shape: str, x: float, y: float, colour: str) -> str:
    if shape == 'circle':
        return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
    turn = f' transform="rotate(45 {x:.1f} {y:.1f})"' if shape == 'diamond' else ''
    return f'<rect x="{x - 3.5:.1f}" y="{y - 3.5:.1f}" width="7" height="7" fill="{colour}"{turn}/>'


def _round_up(value: float) -> float:
    """To a number that four steps divide well."""
    unit = 10 ** (len(str(int(value))) - 1)
    return ceil(value / unit * 2.5) / 2.5 * unit


def _short(value: float) -> str:
    return f'{value / 1000:,.1f}'.removesuffix('.0') + 'k' if value >= 1000 else f'{value:.0f}'

"""A plot as SVG text: lines over two axes, linear or logarithmic, and bands that name stretches of the x axis."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape

Point = tuple[float, float | None]
ROOM = 20  # between two names above the plot, which are slanted
COLOURS = ("#1f5fbf", "#c2410c", "#15803d", "#7e22ce", "#0e7490", "#a16207")


@dataclass(frozen=True)
class Line:
    """A named line; a point without a value interrupts it."""

    name: str
    points: Sequence[Point]
    colour: str
    width: float = 1.5
    markers: bool = False


@dataclass(frozen=True)
class Band:
    """A stretch of the x axis with a name above it."""

    name: str
    since: float
    until: float


@dataclass(frozen=True)
class Axis:
    """What is measured along it, and whether logarithmically; `least` is the smallest value that is shown then.

    A linear axis begins at `first`.
    """

    title: str
    logarithmic: bool = False
    least: float | None = None
    first: float = 0.0
    form: Callable[[float], str] = "{:g}".format


@dataclass(frozen=True)
class Plot:
    """`width` and `height` are the proportions of the drawing, which fills what room it is given."""

    x: Axis
    y: Axis
    lines: Sequence[Line]
    bands: Sequence[Band] = ()
    strips: Sequence[tuple[float, float]] = ()
    """Stretches of the x axis that are marked along its foot."""
    width: int = 900
    height: int = 380

    def svg(self) -> str:
        """The drawing, self-contained; it scales with the room that it has."""
        left, right, top, bottom = 58, 40 if self.bands else 24, 78 if self.bands else 14, 62
        across = _Scale(self.x, [x for line in self.lines for x, _ in line.points], left, self.width - right)
        values = [y for line in self.lines for _, y in line.points if y is not None]
        up = _Scale(self.y, values or [1.0], self.height - bottom, top)
        parts = [
            f'<svg viewBox="0 0 {self.width} {self.height}" xmlns="http://www.w3.org/2000/svg" role="img" '
            f'font-family="system-ui, sans-serif" font-size="12" fill="#1a1a1a">',
            f'<rect width="{self.width}" height="{self.height}" fill="#ffffff"/>',
        ]
        names = _apart([across.place((band.since + band.until) / 2) for band in self.bands], self.width - right)
        for number, (band, name) in enumerate(zip(self.bands, names, strict=True)):
            parts.append(_band(band, number, across, top, self.height - bottom, name))
        for tick in up.ticks():
            y = up.place(tick)
            parts.append(f'<path d="M{left} {y:.1f}H{self.width - right}" stroke="#d4d4d4" stroke-width="0.6"/>')
            parts.append(f'<text x="{left - 6}" y="{y + 4:.1f}" text-anchor="end">{escape(self.y.form(tick))}</text>')
        for tick in across.ticks():
            x = across.place(tick)
            parts.append(f'<path d="M{x:.1f} {self.height - bottom}v4" stroke="#1a1a1a"/>')
            label = escape(self.x.form(tick))
            parts.append(f'<text x="{x:.1f}" y="{self.height - bottom + 17}" text-anchor="middle">{label}</text>')
        parts.append(f'<path d="M{left} {self.height - bottom}H{self.width - right}" stroke="#1a1a1a" fill="none"/>')
        for since, until in self.strips:
            x, width = across.place(since), max(across.place(until) - across.place(since), 2)
            parts.append(f'<rect x="{x:.1f}" y="{self.height - bottom - 6}" width="{width:.1f}" height="6"/>')
        parts += [_line(line, across, up) for line in self.lines]
        parts.append(
            f'<text x="{self.width - right}" y="{self.height - bottom + 34}" text-anchor="end">'
            f"{escape(self.x.title)}</text>"
        )
        parts.append(
            f'<text transform="translate(13 {(top + self.height - bottom) / 2:.0f}) rotate(-90)" '
            f'text-anchor="middle">{escape(self.y.title)}</text>'
        )
        parts.append(self._legend(left))
        return "".join([*parts, "</svg>"])

    def _legend(self, left: int) -> str:
        parts, x = [], float(left)
        y = self.height - 10
        for line in self.lines:
            parts.append(f'<path d="M{x:.0f} {y - 4}h18" stroke="{line.colour}" stroke-width="3"/>')
            parts.append(f'<text x="{x + 23:.0f}" y="{y}">{escape(line.name)}</text>')
            x += 40 + 6.6 * len(line.name)
        return "".join(parts)


class _Scale:
    """From values to places in the drawing."""

    def __init__(self, axis: Axis, values: Sequence[float], begin: float, end: float) -> None:
        self.axis = axis
        if axis.logarithmic:
            least = axis.least or min(value for value in values if value > 0)
            self.lower = 10 ** math.floor(math.log10(least)) if axis.least is None else least
            self.upper = max(*values, self.lower * 10)
            self.upper = _round_up(self.upper)
        else:
            self.lower, self.upper = axis.first, max(*values, axis.first + 1e-9)
        self.begin, self.end = begin, end

    def place(self, value: float) -> float:
        if self.axis.logarithmic:
            share = math.log(max(value, self.lower) / self.lower) / math.log(self.upper / self.lower)
        else:
            share = (value - self.lower) / (self.upper - self.lower)
        return self.begin + share * (self.end - self.begin)

    def ticks(self) -> list[float]:
        if self.axis.logarithmic:
            first, last = math.floor(math.log10(self.lower)), math.ceil(math.log10(self.upper))
            steps = (1, 3) if last - first <= 4 else (1,)
            every = [step * 10.0**power for power in range(first, last + 1) for step in steps]
            return [tick for tick in every if self.lower * 0.999 <= tick <= self.upper * 1.001]
        rough = (self.upper - self.lower) / 8
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
        first = math.ceil(self.lower / step)
        return [step * number for number in range(first, int(self.upper / step * 1.0001) + 1)]


def _round_up(value: float) -> float:
    power = 10.0 ** math.floor(math.log10(value))
    return next(power * factor for factor in (1, 2, 5, 10) if power * factor >= value * 0.9999)


def _line(line: Line, across: _Scale, up: _Scale) -> str:
    path, drawing = [], False
    for x, y in line.points:
        if y is None:
            drawing = False
            continue
        path.append(f"{'L' if drawing else 'M'}{across.place(x):.1f} {up.place(y):.1f}")
        drawing = True
    drawn = f'<path d="{"".join(path)}" fill="none" stroke="{line.colour}" stroke-width="{line.width}"/>'
    if line.markers:
        drawn += "".join(
            f'<circle cx="{across.place(x):.1f}" cy="{up.place(y):.1f}" r="3.5" fill="{line.colour}"/>'
            for x, y in line.points
            if y is not None
        )
    return drawn


def _apart(places: Sequence[float], last: float) -> list[float]:
    """The places, moved to the right and then, where that is too far, to the left, until there is ROOM between them."""
    moved: list[float] = []
    for place in places:
        moved.append(max(place, moved[-1] + ROOM) if moved else place)
    for number in reversed(range(len(moved))):
        moved[number] = min(moved[number], last - (len(moved) - 1 - number) * ROOM)
    return moved


def _band(band: Band, number: int, across: _Scale, top: float, bottom: float, name: float) -> str:
    """The stretch, and its name at `name`, with a line to the stretch's middle."""
    x, end = across.place(band.since), across.place(band.until)
    shade = "#eef2f7" if number % 2 else "#ffffff"
    drawn = (
        f'<rect x="{x:.1f}" y="{top}" width="{max(end - x, 0.5):.1f}" height="{bottom - top:.0f}" fill="{shade}"/>'
        f'<path d="M{x:.1f} {bottom:.0f}V{top}" stroke="#a3a3a3" stroke-width="0.6"/>'
    )
    drawn += f'<path d="M{(x + end) / 2:.1f} {top}L{name:.1f} {top - 12}" stroke="#a3a3a3" stroke-width="0.6"/>'
    turned = f"translate({name:.1f} {top - 14}) rotate(-35)"
    drawn += f'<text transform="{turned}" font-size="11.5">{escape(band.name)}</text>'
    return drawn

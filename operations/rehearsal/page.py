"""The report: one self-contained page, and the same figures as JSON."""

import json
from pathlib import Path
from typing import Any

from alembic_online.quantities import size
from mako.template import Template

from operations import report
from operations.rehearsal.plot import COLOURS, Axis, Band, Line, Plot
from operations.rehearsal.run import Rehearsal

TEMPLATE = Path(__file__).with_suffix(".html.mako")
LEAST_MS = 0.1
NONE = "\N{EN DASH}"


def write(done: Rehearsal, directory: Path) -> Path:
    """Write ``rehearsal.html`` and ``rehearsal.json`` into the directory, made if need be; where the page is."""
    directory.mkdir(parents=True, exist_ok=True)
    text = report.to_json(done)
    (directory / "rehearsal.json").write_text(text + "\n", encoding="utf-8")
    page = directory / "rehearsal.html"
    page.write_text(render(json.loads(text)), encoding="utf-8")
    return page


def render(data: dict[str, Any]) -> str:
    """The page of what the JSON says; a number's cell names its place there: ``data-of="summary.before.p99_ms"``."""
    template = Template(filename=str(TEMPLATE), default_filters=["h"], strict_undefined=True)  # noqa: S702 - all is escaped
    forms = {"ms": _ms, "seconds": _seconds, "count": _count, "size": size, "clock": _clock}
    return str(template.render(data=data, pick=lambda path: pick(data, path), plots=_plots(data), **forms))


def pick(data: Any, path: str) -> Any:
    """What stands at a place: keys and numbers, divided by dots."""
    for part in path.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def _plots(data: dict[str, Any]) -> list[tuple[str, str]]:
    """The whole run with its acts, then each act that migrates with its steps: a name and a drawing."""
    summary = data["summary"]
    whole, *migrating = summary["timelines"]
    acts = [Band(act["name"], act["began"], act["began"] + act["seconds"]) for act in summary["acts"]]
    steps = [Band(step["revision"], step["began"], step["began"] + step["seconds"]) for step in summary["steps"]]
    minutes = Axis("min:s since the beginning; black strips: the nightly scorer", form=_clock)
    plots = [(whole["name"], _plot(whole, minutes, acts, summary["scorings"]))]
    for timeline in migrating:
        until = timeline["began"] + timeline["seconds"]
        its = [step for step in steps if timeline["began"] <= step.since <= until]
        seconds = Axis("seconds since the beginning; black strips: the nightly scorer", first=timeline["began"])
        plots.append((timeline["name"], _plot(timeline, seconds, its, summary["scorings"])))
    return plots


def _plot(timeline: dict[str, Any], x: Axis, bands: list[Band], scorings: list[dict[str, Any]]) -> str:
    began, until = timeline["began"], timeline["began"] + timeline["seconds"]
    lines = []
    for name, key, phase, colour, width in (
        ("longest, Phase 1", "longest_ms", "phase1", "#f0a58a", 1.0),
        ("p99, Phase 1", "p99_ms", "phase1", COLOURS[1], 1.6),
        ("median, Phase 1", "p50_ms", "phase1", COLOURS[0], 1.6),
        ("median, Phase 2", "p50_ms", "phase2", COLOURS[2], 1.2),
    ):
        points = [(began + bucket["at"], bucket[key]) for bucket in timeline[phase]]
        if any(value is not None for _, value in points):
            lines.append(Line(name, points, colour, width))
    strips = [
        (max(began, each["began"]), min(until, each["began"] + each["seconds"]))
        for each in scorings
        if each["began"] < until and each["began"] + each["seconds"] > began
    ]
    return Plot(x, Axis("milliseconds", logarithmic=True, least=LEAST_MS), lines, bands, strips).svg()


def _ms(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f} ms" if value >= 100 else f"{value:.3g} ms"


def _seconds(value: float | None) -> str:
    if value is None:
        return NONE
    return f"{value:,.0f} s" if value >= 100 else f"{value:.3g} s"


def _count(value: float | None) -> str:
    return NONE if value is None else f"{value:,.0f}"


def _clock(value: float) -> str:
    return f"{int(value) // 60}:{int(value) % 60:02d}"

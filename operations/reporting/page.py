"""The page: self-contained HTML, and the same figures as JSON; a rehearsal's has the traffic added."""

import json
import re
from datetime import datetime
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alembic_online.quantities import duration, size
from mako.lookup import TemplateLookup

from operations import output
from operations.reporting.plot import COLOURS, Axis, Band, Line, Plot

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

HERE = Path(__file__).parent
LEAST_MS = 0.1
NONE = "\N{EN DASH}"
FEW = 3
"""Samples of a step, below which there is nothing to plot."""


def write(done: "DataclassInstance", directory: Path, name: str) -> Path:
    """Write ``<name>.html`` and ``<name>.json`` into the directory, made if need be; where the page is."""
    directory.mkdir(parents=True, exist_ok=True)
    text = output.to_json(done)
    (directory / f"{name}.json").write_text(text + "\n", encoding="utf-8")
    page = directory / f"{name}.html"
    page.write_text(render(json.loads(text)), encoding="utf-8")
    return page


def render(data: dict[str, Any]) -> str:
    """The page of what the JSON says; a number's cell names its place there: ``data-of="traffic.before.p99_ms"``."""
    templates = TemplateLookup([str(HERE)], default_filters=["h"], strict_undefined=True)  # all is escaped
    forms = {"ms": _ms, "seconds": _seconds, "count": _count, "clock": _clock, "moment": _moment}
    steps = [step for step in data["rollout"]["steps"] if len(step["samples"].get("at", [])) >= FEW]
    page = templates.get_template("page.html.mako").render(
        data=data,
        r=data["rollout"],
        t=data.get("traffic"),
        parameters=data.get("parameters"),
        plots=_plots(data) if data.get("traffic") else [],
        loads=[(_name(step), _load(step)) for step in steps],
        style=(HERE / "page.css").read_text(encoding="utf-8"),
        pick=lambda path: pick(data, path),
        size=size,
        marked=_marked,
        duration=duration,
        **forms,
    )
    return str(page)


def pick(data: Any, path: str) -> Any:
    """What stands at a place: keys and numbers, divided by dots."""
    for part in path.split("."):
        data = data[int(part)] if isinstance(data, list) else data[part]
    return data


def _name(step: dict[str, Any]) -> str:
    return f"{step['revision']} {step['direction']}, {_moment(step['started'])}"


def _load(step: dict[str, Any]) -> str:
    """Connections, active sessions and blocked ones while a step ran."""
    samples = step["samples"]
    lines = [
        Line(name, list(zip(samples["at"], samples[key], strict=True)), colour)
        for name, key, colour in (
            ("connections", "connections", COLOURS[0]),
            ("active", "active", COLOURS[2]),
            ("blocked by the step", "blocked", COLOURS[1]),
        )
    ]
    return Plot(Axis("seconds since the step began"), Axis("sessions"), lines, width=460, height=230).svg()


def _plots(data: dict[str, Any]) -> list[tuple[str, str]]:
    """The whole run with its tasks, then each task that migrates with its steps: a name and a drawing."""
    traffic = data["traffic"]
    whole, *migrating = traffic["timelines"]
    tasks = [Band(task["name"], task["began"], task["began"] + task["seconds"]) for task in traffic["tasks"]]
    steps = []
    for step in data["rollout"]["steps"]:
        began = (datetime.fromisoformat(step["started"]) - datetime.fromisoformat(traffic["began"])).total_seconds()
        steps.append(Band(step["revision"], began, began + step["seconds"]))
    minutes = Axis("min:s since the beginning; black strips: the nightly scorer", form=_clock)
    plots = [(whole["name"], _latency(whole, minutes, tasks, traffic["scorings"]))]
    for timeline in migrating:
        until = timeline["began"] + timeline["seconds"]
        its = [step for step in steps if timeline["began"] <= step.since <= until]
        seconds = Axis("seconds since the beginning; black strips: the nightly scorer", first=timeline["began"])
        plots.append((timeline["name"], _latency(timeline, seconds, its, traffic["scorings"])))
    return plots


def _latency(timeline: dict[str, Any], x: Axis, bands: list[Band], scorings: list[dict[str, Any]]) -> str:
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


def _marked(text: str) -> str:
    """Text as HTML, with what stands between backticks as code."""
    return re.sub("`([^`]+)`", r"<code>\1</code>", escape(text))


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


def _moment(value: str | None) -> str:
    """An instant of the JSON, to the second."""
    return NONE if value is None else value[:19].replace("T", " ")

"""Pictures of the figures for the README, small and without decoration. Needs matplotlib."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import matplotlib as mpl
from matplotlib.figure import Figure

from benchmarks.harness import ROOT, median

IMAGES = ROOT / "docs/images"
OURS, OTHERS = "#1b7f5c", "#9aa5b1"

mpl.rcParams["svg.fonttype"] = "none"  # text stays text: smaller, and can be searched


@dataclass(frozen=True)
class Bar:
    """What was measured of one runner, a value a round, and a word beside the bar."""

    values: Sequence[float]
    note: str = ""


def bars(name: str, title: str, scenes: Mapping[str, Mapping[str, Bar]]) -> None:
    """A panel a scene, a bar a runner: the median, with a line from minimum to maximum, on a logarithmic axis.

    The first runner, and others whose name begins with its, are this project's.
    """
    heights = [len(found) for found in scenes.values()]
    figure = Figure(figsize=(7, 0.24 * sum(heights) + 0.35 * len(heights) + 0.3), layout="constrained")
    panels = figure.subplots(len(heights), 1, sharex=True, squeeze=False, height_ratios=heights)[:, 0]
    top = max(max(bar.values) for found in scenes.values() for bar in found.values())
    for panel, (scene, found) in zip(panels, scenes.items(), strict=True):
        ours = next(iter(found))
        places = range(len(found), 0, -1)
        middles = [median(bar.values) for bar in found.values()]
        panel.barh(places, middles, height=0.65, color=[OURS if each.startswith(ours) else OTHERS for each in found])
        for place, middle, bar in zip(places, middles, found.values(), strict=True):
            panel.plot([min(bar.values), max(bar.values)], [place, place], color="#222222", linewidth=1)
            panel.text(max(bar.values) * 1.15, place, f"{middle:,.0f}  {bar.note}", va="center", fontsize=8)
        panel.set_yticks(places, list(found))
        panel.set_title(scene, fontsize=9, loc="left")
        panel.tick_params(labelsize=8, left=False)
        panel.spines[["top", "right", "left"]].set_visible(False)
        panel.set_xscale("log")
        panel.set_xlim(1, top * 20)
        panel.xaxis.set_major_formatter("{x:,.0f}")
        panel.minorticks_off()
    figure.suptitle(title, fontsize=10, x=0.01, ha="left")
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None})

"""How a run is meant to behave: what the environment sets, and ``-x name=value`` for one run."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from alembic_online.errors import UsageError
from alembic_online.maintenance_window import Window, parse_window

ONE_RUN = ("discard-data", "now")
"""Options for one run only, which the environment cannot set."""

UNITS = {"ms": 0.001, "s": 1, "min": 60, "h": 3600}


@dataclass(frozen=True)
class Options:
    """The options of one run; `SIDB_…` variables set them for every run but for `discard_data` and `now`."""

    deadline: float = 600
    """Seconds for which a step, or the start of a run, tries to get its locks."""
    step_alert: float = 300
    """Seconds after which a running step is an alert."""
    on_alert: Literal["tell", "stop"] = "tell"
    alert_addresses: tuple[str, ...] = ()
    """Apprise addresses, to which alerts go besides the console and the log."""
    metrics_file: Path | None = None
    """Where Prometheus metrics are written, for the node exporter's textfile collector."""
    window: Window | None = None
    """When runs are allowed; None: always."""
    end_idle_after: float | None = None
    """Seconds after which a session that idles in a transaction and is in the way is ended; None: never."""
    discard_data: bool = False
    now: bool = False


KNOWN = tuple(name.replace("_", "-") for name in Options.__dataclass_fields__)


def parse(environment: Mapping[str, str], arguments: Mapping[str, str]) -> Options:
    """Options from what the environment sets (by name, as `deadline`) and the `-x` arguments, which win.

    Raises UsageError on a name or a value that is not understood.
    """
    for name in arguments:
        if name not in KNOWN:
            raise UsageError(f"-x {name}=… is not an option of this project.", f"use one of {', '.join(KNOWN)}.")
    given = {**environment, **arguments}
    found: dict[str, Any] = {}
    for name, text in given.items():
        where = f"-x {name}" if name in arguments else f"SIDB_{name.replace('-', '_').upper()}"
        found[name.replace("-", "_")] = _value(name, text, where)
    return Options(**found)


def _value(name: str, text: str, where: str) -> Any:
    match name:
        case "deadline" | "step-alert" | "end-idle-after":
            return _seconds(text, where)
        case "on-alert":
            return _one_of(text, ("tell", "stop"), where)
        case "discard-data" | "now":
            return _one_of(text, ("yes", "no"), where) == "yes"
        case "window":
            return parse_window(text, where)
        case "metrics-file":
            return Path(text)
        case _:
            return tuple(text.split())


def _one_of(text: str, words: tuple[str, ...], where: str) -> str:
    if text not in words:
        raise UsageError(f"{where} is {text!r}, which is not understood.", f"write {' or '.join(words)}.")
    return text


def _seconds(text: str, where: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)\s*(ms|s|min|h)", text)
    if not found:
        raise UsageError(f"{where} is {text!r}, which is not a time.", "write it as 90s, 10min or 2h.")
    return timedelta(seconds=float(found[1]) * UNITS[found[2]]).total_seconds()

"""How a run is meant to behave: an object that a program makes, or ``-x name=value`` on Alembic's command line."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from alembic_online.errors import UsageError
from alembic_online.maintenance_window import Window, parse_window
from alembic_online.quantities import parse_choice, parse_duration


@dataclass(frozen=True)
class Options:
    """The options of one run."""

    deadline: float = 600
    """Seconds for which a step, or the start of a run, tries to get its locks."""
    step_alert: float = 300
    """Seconds after which a running step is an alert."""
    on_alert: Literal["tell", "stop"] = "tell"
    """What an alert does: it is told, or it stops the step, too."""
    alert_addresses: tuple[str, ...] = ()
    """Apprise addresses, to which alerts go besides the console and the log."""
    metrics_file: Path | None = None
    """Where Prometheus metrics are written, for the node exporter's textfile collector."""
    window: Window | None = None
    """When runs are allowed; None: always."""
    end_idle_after: float | None = None
    """Seconds after which a session that idles in a transaction and blocks a step is ended; None: never."""
    replicas: tuple[URL, ...] = ()
    """Where the standbys are that readers use: they are waited for, before a lock that would hold up their readers and
    after each step."""
    replica_wait: float | None = None
    """Seconds that a step waits for long queries on replicas, and a run for replay there; None: the deadline; 0: it
    waits for neither."""
    discard_data: bool = False
    """Whether a step may drop what holds data."""
    now: bool = False
    """Whether to run outside the maintenance window."""
    prefix: Literal["-x ", "--"] = "-x "
    """How the person at the console writes an option."""

    @property
    def replica_limit(self) -> float:
        """Seconds for which replicas are waited for."""
        return self.deadline if self.replica_wait is None else self.replica_wait

    def written(self, name: str, value: str) -> str:
        """An option as the person at the console would type it: `-x deadline=1h`, `--deadline 1h`."""
        if self.prefix == "-x ":
            return f"-x {name}={value}"
        name = "replica" if name == "replicas" else name  # each has an option of its own there
        return f"--{name}" if value == "yes" else f"--{name} {value}"


KNOWN = tuple(name.replace("_", "-") for name in Options.__dataclass_fields__ if name != "prefix")


def read_options(texts: Mapping[str, str], where: Callable[[str], str], base: Options | None = None) -> Options:
    """`base` with what people wrote, by name, as `deadline`; `where` says how a name was written, for errors.

    Raises UsageError on a name or a value that is not understood.
    """
    found: dict[str, Any] = {}
    for name, text in texts.items():
        if name not in KNOWN:
            raise UsageError(f"{where(name)} is not an option.", f"use one of {', '.join(KNOWN)}.")
        found[name.replace("-", "_")] = _value(name, text, where(name))
    return replace(base or Options(), **found)


def _value(name: str, text: str, where: str) -> Any:
    match name:
        case "deadline" | "step-alert" | "end-idle-after" | "replica-wait":
            return parse_duration(text, where)
        case "on-alert":
            return parse_choice(text, ("tell", "stop"), where)
        case "discard-data" | "now":
            return parse_choice(text, ("yes", "no"), where) == "yes"
        case "window":
            return parse_window(text, where)
        case "metrics-file":
            return Path(text)
        case "replicas":
            named = [_address(each, number, where) for number, each in enumerate(text.split(), start=1)]
            return tuple(dict.fromkeys(named))
        case _:
            return tuple(text.split())


def _address(text: str, number: int, where: str) -> URL:
    """A server's address, never quoted: it may hold a password anywhere."""
    scheme, separator, rest = text.partition("://")
    try:
        url = make_url(f"postgresql+psycopg://{rest}")
    except (ArgumentError, ValueError):
        separator = ""
    several = "://" in rest or rest.count("@") > 1  # in a user name or password, @ is written %40
    if not separator or several or scheme not in ("postgresql", "postgres", "postgresql+psycopg"):
        raise UsageError(
            f"{where}: address {number} is malformed.",
            "write it as postgresql://user:password@host:5432/database; several with spaces between them.",
        )
    if (password := url.query.get("password")) is not None:  # libpq's other spelling, which SQLAlchemy would print
        url = url.difference_update_query(["password"]).set(password=str(url.password or password))
    return url

"""What a look at a database gives."""

from dataclasses import dataclass, field
from datetime import datetime

from operations.findings import Finding, exit_code
from operations.retention.due import Due
from operations.status.half_way import Amiss


@dataclass(frozen=True)
class Job:
    """A job of the backfill: `done` is the share of its rows, `seconds_left` None before its first batch."""

    job: str
    state: str
    done: float
    left: int
    set_aside: int
    seconds_left: float | None
    error: str | None


@dataclass(frozen=True)
class Backfill:
    """The backfill as it stands; `deadline` None: no command that moves rows was run yet."""

    deadline: datetime | None
    paused: bool
    half_loaded: list[str]
    jobs: list[Job]


@dataclass(frozen=True)
class Archive:
    """What a rollback put aside: how many of its tables are back, and the bytes that it takes."""

    archive: int
    target: str
    taken: datetime
    restored: int
    tables: int
    bytes: int


@dataclass
class Status:
    """All of it. `unknown`: what could not be looked at, and why. `found`: what is there and is not ours."""

    database: str
    at: datetime
    standby: bool
    phase1: bool
    revision: list[str]
    head: str
    amiss: list[Amiss]
    backfill: Backfill | None = None
    rights_missing: list[str] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    archives: list[Archive] = field(default_factory=list)
    retention: list[Due] = field(default_factory=list)
    found: list[str] = field(default_factory=list)
    replicas: list[Finding] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    next: str = ""

    @property
    def exit_code(self) -> int:
        """1: something is amiss. 3: not everything could be looked at."""
        if self.amiss or self.rights_missing:
            return 1
        return exit_code(self.replicas) or (3 if self.unknown else 0)

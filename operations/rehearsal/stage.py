"""The stage: what the acts share, and the notes they take for the report."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from alembic_online.errors import OnlineError
from sqlalchemy import Engine

from operations.findings import Finding
from operations.phase1 import Shape
from operations.rehearsal.place import Place
from operations.rehearsal.traffic import Traffic
from operations.rehearsal.volume import Size

Say = Callable[[str], None]


@dataclass(frozen=True)
class Script:
    """How large the rehearsal is."""

    niches: int = 200_000
    events: int = 2_000_000
    rate: float = 200.0
    shape: Shape = Shape.TABLE
    share: float = 0.5
    """What part of the time the backfill's batches take: more than in production, where there are nights enough."""

    @property
    def quiet_seconds(self) -> float:
        """For how long the application is measured with nothing else going on: longer in a large rehearsal."""
        return min(20.0, max(1.0, self.events / 100_000))

    @property
    def open_seconds(self) -> float:
        """For how long at a time the left-open report keeps its transaction."""
        return min(3.0, max(0.4, self.events / 500_000))


@dataclass(frozen=True)
class Growth:
    """The events in the table, and what they take with their indexes, in bytes."""

    events: int
    bytes: int


@dataclass(frozen=True)
class Held:
    """What the backfill held back for: how often, and for how many seconds in all."""

    reason: str
    times: int
    seconds: float


@dataclass(frozen=True)
class Backfilled:
    """What the backfill moved, and how fast: rows a second of the clock, pauses and rests included.

    `needed_hours` are what the plan's first month of history would take at that rate and production's `share`,
    `window_hours` what the off-peak windows until the deadline offer.
    """

    rows: int
    seconds: float
    events: int
    events_per_second: float
    pauses: list[Held]
    share: float
    needed_hours: float
    window_hours: float
    deadline_days: int


@dataclass(frozen=True)
class Answer:
    """A reader's query at this volume: milliseconds of the middle and of the 95th of a hundred runs, rows, plan."""

    reader: str
    niche: str
    budget_ms: int
    p50_ms: float
    p95_ms: float
    rows: int
    plan: str


@dataclass
class Notes:
    """What the acts found out, for the gates and the report."""

    sizes_before: list[Size] = field(default_factory=list)
    sizes_after: list[Size] = field(default_factory=list)
    growth: list[Growth] = field(default_factory=list)
    backfilled: Backfilled | None = None
    missing_rows: int | None = None
    missing: list[str] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    checks: list[Finding] = field(default_factory=list)


@dataclass(frozen=True)
class Stage:
    """Where it plays, under which traffic."""

    script: Script
    place: Place
    engine: Engine
    shape: Shape
    traffic: Traffic
    say: Say
    notes: Notes = field(default_factory=Notes)


@dataclass(frozen=True)
class Act:
    """A part of the play. `play` says what came of it, and raises OnlineError where it must end there.

    `closes`: applications are shut out for a part of it, as they are meant to be. `migrates`: it has migration steps.
    """

    name: str
    title: str
    play: Callable[[Stage], str]
    closes: bool = False
    migrates: bool = False


@dataclass(frozen=True)
class Played:
    """An act as it went, by ``time.monotonic``; `error` is why it did not end well."""

    act: Act
    began: float
    ended: float
    detail: str
    error: str | None = None


def play(acts: tuple[Act, ...], stage: Stage) -> list[Played]:
    """Act after act, until one fails."""
    played: list[Played] = []
    for act in acts:
        stage.say(f"{act.title} …")
        began = time.monotonic()
        try:
            detail = act.play(stage)
        except OnlineError as error:
            played.append(Played(act, began, time.monotonic(), error.what, str(error)))
            stage.say(f"  failed: {error.what}")
            break
        played.append(Played(act, began, time.monotonic(), detail))
        stage.say(f"  {played[-1].ended - began:6.1f} s  {detail}")
    return played

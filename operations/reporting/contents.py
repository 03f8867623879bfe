"""What a rollout's report holds; times are in seconds, sizes in bytes, and all of it has a JSON form."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from backfill.job_status import JobStatus
from operations.findings import Finding
from operations.status.state import Archive


@dataclass(frozen=True)
class Server:
    """What it ran on."""

    version: str
    settings: dict[str, str]


@dataclass(frozen=True)
class Step:
    """One attempt at a migration step, from the ledger.

    `locks` are the strongest held on each relation that existed before, `undeclared` those of them that are stronger
    than the revision's `locks` say. `blocked` counts the sessions that were seen waiting for the migrator. `samples`
    are the watcher's: `at` and the highest value of each measure in equal stretches of the attempt.
    """

    revision: str
    direction: str
    outcome: str
    started: datetime
    seconds: float
    seconds_waited: float
    attempts: int
    blocked: int
    longest_wait_ms: float
    connections: float | None
    active: float | None
    locks: dict[str, str]
    declared: dict[str, str]
    undeclared: dict[str, str]
    samples: dict[str, list[float]]
    alerts: list[str]
    message: str | None
    who: str
    client: str
    code_version: str


@dataclass(frozen=True)
class Run:
    """Who ran what, when, and from which host and process; `until` None: it was not finished."""

    what: str
    started: datetime
    until: datetime | None
    who: str
    client: str
    code_version: str | None = None


@dataclass(frozen=True)
class Preflight:
    """A recorded `sidb preflight`: `action` is prepare or finish."""

    action: str
    at: datetime
    who: str
    client: str
    findings: list[Finding]


@dataclass(frozen=True)
class Rollback:
    """A rollback as it is recorded; `phase` done: it reached its target."""

    rollback_id: int
    origin: str
    target: str
    phase: str
    started: datetime
    finished: datetime | None
    who: str
    client: str


@dataclass(frozen=True)
class Rows:
    """Phase 1's niches: when the upgrade left it, and now. None: not recorded, or not readable."""

    before: int | None = None
    before_at: datetime | None = None
    now: int | None = None


@dataclass(frozen=True)
class Pauses:
    """What the backfill held back for: how often, and for how many seconds in all."""

    reason: str
    times: int
    seconds: float


@dataclass(frozen=True)
class File:
    """A file of history that was loaded."""

    name: str
    records: int
    rejected: int
    started: datetime
    finished: datetime | None


@dataclass(frozen=True)
class Backfill:
    """The backfill as it stands; `late`: by how many seconds it will miss its deadline at the present rate."""

    as_of: datetime | None
    deadline: datetime | None
    late: float | None
    jobs: list[JobStatus]
    pauses: list[Pauses]
    files: list[File]


@dataclass(frozen=True)
class Size:
    """A relation on disk; TOAST counts as data, `rows` are PostgreSQL's estimate."""

    relation: str
    rows: int
    data_bytes: int
    index_bytes: int

    @property
    def total_bytes(self) -> int:
        return self.data_bytes + self.index_bytes


@dataclass(frozen=True)
class Growth:
    """The new tables, so many days after the upgrade, beside what the plan expects by then."""

    days: float
    rows: int
    bytes: int
    planned_rows: int
    planned_bytes: int


@dataclass(frozen=True)
class Looked:
    """What a command found while the report was made; `error`: why it could not look."""

    command: str
    findings: Sequence[Finding]
    error: str | None = None


@dataclass
class Rollout:
    """Everything that is known of a rollout. `unknown`: what could not be read, and why."""

    database: str
    at: datetime
    standby: bool
    revision: list[str]
    head: str
    amiss: list[str]
    server: Server | None = None
    steps: list[Step] = field(default_factory=list)
    preflights: list[Preflight] = field(default_factory=list)
    raised: list[str] = field(default_factory=list)
    rollbacks: list[Rollback] = field(default_factory=list)
    archives: list[Archive] = field(default_factory=list)
    rows: Rows = Rows()
    backfill: Backfill | None = None
    sizes: list[Size] = field(default_factory=list)
    growth: Growth | None = None
    found: list[str] = field(default_factory=list)
    runs: list[Run] = field(default_factory=list)
    looked: list[Looked] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    @property
    def rolled_back(self) -> Rollback | None:
        """The rollback to whose target the database still is; None: there is none, or it was upgraded since."""
        last = self.rollbacks[-1] if self.rollbacks else None
        return last if last and last.phase == "done" and self.revision == [last.target] else None

    def looked_by(self, command: str) -> Looked | None:
        return next((each for each in self.looked if each.command == command), None)


@dataclass(frozen=True)
class Report:
    """What the page shows: the verdict in a word, what it is made of, and the rollout."""

    verdict: str
    findings: list[Finding]
    next_step: str
    rollout: Rollout

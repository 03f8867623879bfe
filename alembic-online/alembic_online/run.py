"""One guarded run of Alembic: one migrator, its plan, each step until it is applied, and what is kept of it."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import psycopg
from alembic.runtime.migration import MigrationContext, RevisionStep
from alembic.script import ScriptDirectory
from alembic.util import to_tuple
from sqlalchemy import URL, Connection, Engine, event
from sqlalchemy.exc import DBAPIError

from alembic_online import sessions, validation
from alembic_online.acquisition import MISSED, Blockers, gave_up
from alembic_online.alerts import Alerts
from alembic_online.archiver import Archiver
from alembic_online.data_loss import refuse_loss
from alembic_online.database import shown
from alembic_online.errors import OnlineError
from alembic_online.ledger import Ledger
from alembic_online.maintenance_window import refuse_outside
from alembic_online.metrics import Metrics
from alembic_online.migrator_lock import sole_migrator
from alembic_online.options import Options
from alembic_online.retry import STEP_PAUSE, RetryPolicy
from alembic_online.step import Step
from alembic_online.watcher import Watcher
from operations import fingerprint

log = logging.getLogger("alembic.online")

PHASE1 = "1.0.0"
TOLD_AFTER = 2.0  # seconds that a fingerprint takes before the log mentions it

Migrations = Callable[[tuple[str, ...], MigrationContext], Iterable[RevisionStep]]
"""What Alembic's commands give the environment as `fn`: from the current heads to the steps to run."""


@contextmanager
def guarded(url: URL, options: Options, given: Engine | None = None, aside: Archiver | None = None) -> Iterator["Run"]:
    """Open the sessions of a run and make it the only one of this database. All failures are OnlineError.

    `given` is an engine of the caller's that reaches the same database; the migration then runs on one of its sessions.
    `aside` keeps what downgrades would drop.
    """
    with ExitStack() as stack:
        engine = sessions.engine(url)
        observer = stack.enter_context(sessions.session(engine, autocommit=True))
        migration = stack.enter_context(sessions.session(given or engine, autocommit=False))
        sessions.refuse_unfit(sessions.driver(observer), sessions.driver(migration), shown(url))
        stack.enter_context(sole_migrator(sessions.driver(observer), options.deadline))
        run = Run(migration, observer, options, stack, aside)
        for name, hook in (("do_execute", run.execute), ("commit", run.before_commit)):
            event.listen(migration.engine, name, hook)
            stack.callback(event.remove, migration.engine, name, hook)
        yield run


class Run:
    """Runs the steps that Alembic's command plans; `connection` is what the environment is to be configured with."""

    def __init__(
        self,
        connection: Connection,
        observing: Connection,
        options: Options,
        stack: ExitStack,
        aside: Archiver | None = None,
    ) -> None:
        self.connection = connection
        self.migration = sessions.driver(connection)
        self.observing = observing
        self.observer = sessions.driver(observing)
        self.options = options
        self.stack = stack
        self.aside = aside
        self.ledger = Ledger(self.observer)
        self.metrics = Metrics(options.metrics_file) if options.metrics_file else None
        self.in_the_way = Blockers(self.observer, self.migration.info.backend_pid, options.end_idle_after)
        self.watcher: Watcher | None = None
        self.alerts: Alerts | None = None
        self.pending: deque[RevisionStep] | None = None
        self.catalog: dict[str, str] | None = None
        self.step: Step | None = None
        self.fingerprinted = False
        self.running = False
        self.in_body = False
        self.body_done = False

    def guard(self, context: MigrationContext) -> None:
        """Have Alembic run the steps of its command one by one, guarded.

        They are planned once, however often Alembic has to be entered again: "-2" is not two more at each try.
        """
        migrations: Migrations = context.opts["fn"]
        is_stamp = "purge" in context.opts  # nothing else says whether to purge

        def steps(heads: tuple[str, ...], _context: MigrationContext) -> Iterator[RevisionStep]:
            if self.pending is None:
                assert context.script is not None
                _refuse_unknown(heads, context.script)
                self.pending = deque(migrations(heads, context))
                if is_stamp:  # whoever sets it answers for the state of the database
                    self._accept()
                else:
                    self._validate_last(heads, context.script)
                    self._prepare()
            while self.pending:
                step = self.pending[0]
                if is_stamp:
                    yield step
                else:
                    self._begin(step)
                    yield step  # Alembic runs it, stamps it and commits
                    self._finish()
                self.pending.popleft()

        context._migrations_fn = steps  # public only before `configure`, which needs our connection already

    def through(self, run_migrations: Callable[[], None]) -> None:
        """Enter Alembic until every step is applied or one fails for good; the teams are told of the end."""
        try:
            self._until_done(run_migrations)
        except BaseException as error:
            self._ended(failure=str(error).partition("\n")[0] or type(error).__name__)
            raise
        self._ended()

    def _until_done(self, run_migrations: Callable[[], None]) -> None:
        while True:
            try:
                run_migrations()
            except BaseException as error:
                if not self._try_again(error):
                    raise
            else:
                return

    def _ended(self, failure: str | None = None) -> None:
        if self.metrics:
            self.metrics.ended(well=failure is None)
        self._announce(f"failed: {failure}" if failure else "is done")

    def _announce(self, news: str) -> None:
        """Tell the teams, unless there is nothing to do."""
        if self.alerts:
            self.alerts.announce(f"Migration of {shown(self.observing.engine.url)} {news}")

    def execute(self, cursor: Any, statement: str, parameters: Any, _context: Any) -> bool:
        """SQLAlchemy's hook around each statement of a step; True where it was executed here."""
        if not self.in_body or self.step is None or cursor.connection is not self.migration:
            return False
        if cursor.connection.autocommit:
            self.step.alone(cursor, statement, parameters)
            return True
        self.step.before_statement(cursor.connection)
        return False

    def before_commit(self, connection: Connection) -> None:
        """SQLAlchemy's hook before each commit, a step's last one included."""
        ours = sessions.driver(connection)
        if self.step is None or not self.running or ours is not self.migration or ours.autocommit:
            return
        self.step.record(ours)
        if self.body_done:
            self.step.applied(ours)

    def _prepare(self) -> None:
        """Before the first step: refuse what must not be begun, open the books."""
        if not (steps := self.pending):
            return
        if self.options.window and not self.options.now:
            refuse_outside(self.observer, self.options.window)
        if not self.options.discard_data and self.aside is None:
            refuse_loss(self.observer, [step.revision for step in steps if step.is_downgrade])
        self.ledger.open()
        for step in steps:
            step.migration_fn = self._body(step.migration_fn)
        self.alerts = Alerts(self.options.step_alert, self.options.on_alert, self.options.alert_addresses)
        self.stack.callback(self.alerts.close)
        self._announce("begins: " + ", ".join(step.revision.revision for step in steps))
        watching = self.stack.enter_context(sessions.session(self.observing.engine, autocommit=True))
        self.watcher = Watcher(sessions.driver(watching), self.in_the_way.migrator, self.alerts)
        self.stack.callback(self.watcher.close)

    def _begin(self, step: RevisionStep) -> None:
        assert self.watcher is not None
        if self.step is None:
            patience = RetryPolicy(self.options.deadline, self.watcher.interrupt)
            self.step = Step(step, patience, self.in_the_way, self.aside, discard_data=self.options.discard_data)
        if self.catalog is None:
            self.catalog = self._catalog()
        revision, direction = self.step.script.revision, self.step.direction
        before = self.ledger.before(revision, direction) or self.catalog
        self.step.begin(self.ledger.start(revision, direction, sessions.client(), before), self.observer)
        self.running, self.body_done = True, False
        self.watcher.begin(self.step.name)
        if direction == "upgrade" and self.step.script.down_revision == PHASE1 and not self.fingerprinted:
            self._fingerprint()  # what it misses is tried again as the step is
            self.fingerprinted = True

    def _fingerprint(self) -> None:
        """Keep what Phase 1's rows are before anything touches them, for `sidb verify`."""
        began = time.monotonic()
        try:
            niches = fingerprint.take(self.observer, fingerprint.BEFORE_UPGRADE)
        except psycopg.errors.InsufficientPrivilege as error:
            log.warning("Phase 1's rows are not fingerprinted, and cannot be compared later: %s", error)
            return
        if (seconds := time.monotonic() - began) > TOLD_AFTER:
            log.info("Fingerprint of %d niches, for `sidb verify`: %.1f s", niches, seconds)

    def _body(self, body: Callable[..., None]) -> Callable[..., None]:
        @wraps(body)  # Alembic logs its name
        def watched(**arguments: Any) -> None:
            self.in_body = True
            try:
                body(**arguments)
                self.body_done = True
            finally:
                self.in_body = False

        return watched

    def _finish(self) -> None:
        """The step is committed: keep what was seen, validate what it left."""
        assert self.watcher is not None
        assert self.step is not None
        done, self.step, self.running = self.step, None, False
        seen = self.watcher.end()
        self.ledger.observed(done.entry, seen.victims, seen.longest_wait, dict(seen.measures))
        seconds = time.monotonic() - done.patience.began
        log.info(
            "%s: done in %.2f s; locks had after %.2f s in %d tries; %d victims%s",
            done.name,
            seconds,
            done.patience.waited,
            done.patience.tries,
            seen.victims,
            f", the longest waited {seen.longest_wait * 1000:.0f} ms" if seen.victims else "",
        )
        if self.metrics:
            self.metrics.step(
                done.script.revision,
                done.direction,
                seconds=seconds,
                lock_tries=done.patience.tries,
                lock_wait_seconds=done.patience.waited,
                victims=seen.victims,
                longest_victim_wait_seconds=seen.longest_wait,
                replication_lag_seconds=max(seen.measures.get("replication_lag", [0.0])),
                finished_timestamp_seconds=time.time(),
            )
        last, self.catalog = self.catalog, self._catalog()
        assert last is not None
        before = self.ledger.last_applied()
        assert before is not None
        self._validate(done.entry, done.script.revision, done.direction, [last, before.before], self.catalog)

    def _validate_last(self, heads: tuple[str, ...], script: ScriptDirectory) -> None:
        """A run that was killed, or stopped by its validation, left a step that is still to be validated."""
        if not self.ledger.exists() or (last := self.ledger.last_applied()) is None or last.validated:
            return
        revision = next((known for known in script.walk_revisions() if known.revision == last.revision), None)
        if revision is None or heads != to_tuple(
            revision.revision if last.direction == "upgrade" else revision.down_revision, ()
        ):
            return  # the database has been moved on since by other means
        self.catalog = self._catalog()
        self._validate(last.step_id, last.revision, last.direction, [last.before], self.catalog)

    def _validate(self, entry: int, revision: str, direction: str, befores: list[Any], after: dict[str, str]) -> None:
        try:
            starts = [start for before in befores for start in validation.starts(before, after)]
            changed = [validation.difference(start, after) for start in starts]
            validation.refuse_invalid(self.observer, revision, direction, changed)
        except OnlineError as error:
            self.ledger.validated(entry, valid=False, message=error.what)
            raise
        self.ledger.validated(entry, valid=True)

    def _accept(self) -> None:
        if self.ledger.exists() and (last := self.ledger.last_applied()) is not None and not last.validated:
            self.ledger.validated(last.step_id, valid=True, message="accepted by alembic stamp")

    def _catalog(self) -> dict[str, str]:
        return validation.catalog(self.observing)

    def _try_again(self, error: BaseException) -> bool:
        """Whether the step missed its locks and may be run again; keeps what happened."""
        if self.step is None or self.watcher is None:
            return False
        step = self.step
        self.running = False
        original = error.orig if isinstance(error, DBAPIError) else error
        missed = isinstance(original, MISSED)
        if self.watcher.stopped and isinstance(original, psycopg.errors.QueryCanceled):
            self._gave_up("failed", f"stopped: {self.watcher.stopped}")
            self.watcher.interrupt()
        if missed and step.patience.over:
            self._gave_up("failed", str(original))
            raise gave_up(step.name, step.patience, self.in_the_way.blockers(step.declared)) from None
        self._gave_up("missed" if missed else "failed", str(original) or type(original).__name__)
        if missed:
            self.in_the_way.missed(step.declared, step.name)
            step.patience.pause(STEP_PAUSE)
        return missed

    def _gave_up(self, outcome: str, message: str) -> None:
        assert self.step is not None
        assert self.watcher is not None
        patience = self.step.patience
        try:
            self.ledger.gave_up(self.step.entry, outcome, message, patience.tries, patience.waited)
        except psycopg.OperationalError:
            log.warning("The ledger could not be reached; the next run closes this attempt's entry.")


def _refuse_unknown(heads: tuple[str, ...], script: ScriptDirectory) -> None:
    known = {revision.revision for revision in script.walk_revisions()}
    for head in heads:
        if head not in known:
            raise OnlineError(
                f"alembic_version names revision {head!r}, which this code does not have; nothing was changed.",
                "use the version of this project that has it, or correct the entry with `alembic stamp --purge`.",
            )

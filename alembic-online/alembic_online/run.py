"""One run of Alembic: the only one at work, its plan, each step until it is applied, and what is kept of it."""

import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from functools import wraps
from typing import Any

import psycopg
from alembic.runtime.migration import MigrationContext, RevisionStep
from sqlalchemy import URL, Connection, Engine
from sqlalchemy.exc import DBAPIError

from alembic_online import version_table
from alembic_online.acquisition import MISSED
from alembic_online.alerts import Alerts
from alembic_online.data_loss import refuse_loss
from alembic_online.database import shown
from alembic_online.errors import ConnectionLostError, OnlineError, Stopped
from alembic_online.following import clear
from alembic_online.hooks import hooked
from alembic_online.interrupts import is_interrupt, noting
from alembic_online.keepers import Discard, Keeper, Refuse
from alembic_online.ledger import Ledger
from alembic_online.look import look
from alembic_online.maintenance_window import refuse_outside
from alembic_online.messages import AGAIN, FROM_THE_START, errors_for_people, reason
from alembic_online.metrics import open_metrics
from alembic_online.options import Options
from alembic_online.planned import planned
from alembic_online.replica_lag_limits import LAG
from alembic_online.report import report_step, so_far
from alembic_online.retry import STEP_PAUSE, RetryPolicy
from alembic_online.scope import Scope
from alembic_online.sessions import Session, client, driver, open_session, settled
from alembic_online.step import Step
from alembic_online.undeclared import Undeclared
from alembic_online.validation import Validator, refuse_unsaid
from alembic_online.watcher import Watcher

log = logging.getLogger("alembic.online")

Migrations = Callable[[tuple[str, ...], MigrationContext], Iterable[RevisionStep]]
"""What Alembic's commands give the environment as `fn`: from the current heads to the steps to run."""


@contextmanager
def open_run(
    url: URL, scope: Scope, options: Options, engine: Engine | None = None, keeper: Keeper | None = None
) -> Iterator["Run"]:
    """Open the sessions of a run and make it the only one of this database. All failures are OnlineError.

    `engine` is one of the caller's that reaches the same database; the migration then runs on one of its sessions.
    `keeper` keeps the data in what steps drop; without one, a step that would lose data is refused.
    """
    with ExitStack() as stack:
        stack.enter_context(noting())
        try:
            opened = open_session(url, scope, options, engine=engine, autocommit=False, sole=True)
            session = stack.enter_context(opened)
            version_table.refuse_elsewhere(session)
        except BaseException as error:
            if is_interrupt(error):
                what = "Interrupted before the first step; nothing was changed."
                raise Stopped(what, "run it again when you like, which is safe.") from None
            raise
        run = Run(session, stack, keeper)
        stack.enter_context(hooked(session.sqlalchemy.engine, run.execute, run.before_commit))
        yield run


class Run:
    """Runs the steps that Alembic's command plans."""

    def __init__(self, session: Session, stack: ExitStack, keeper: Keeper | None = None) -> None:
        self.session = session
        self.scope = session.scope
        self.options = session.options
        self.stack = stack
        self.is_way_back = keeper is not None
        self.keeper = keeper or (Discard() if self.options.discard_data else Refuse(session))
        stack.callback(self.keeper.close)
        self.ledger = Ledger(session.observer, self.scope)
        self.validator = Validator(session, self.ledger)
        self.watcher: Watcher | None = None
        self.alerts: Alerts | None = None
        self.pending: deque[RevisionStep] | None = None
        self.step: Step | None = None
        self.goes_forward = False
        self.left: set[str] = set()
        self.done: list[str] = []
        self.running = False
        self.in_body = False
        self.body_done = False
        self.is_applied: bool | None = False
        """Whether the step that failed is applied all the same; None: not known."""
        self.metrics = open_metrics(self.options, self.scope.plain_name, refuses=not self.is_way_back)

    def take_over(self, context: MigrationContext) -> None:
        """Have Alembic run its command's steps here, one by one; planned once: "-2" is not two more at each try."""
        migrations: Migrations = context.opts["fn"]
        is_stamp = "purge" in context.opts  # nothing else says whether to purge
        create_table = version_table.created_later(context)

        def steps(heads: tuple[str, ...], _context: MigrationContext) -> Iterator[RevisionStep]:
            if self.pending is None:
                assert context.script is not None
                refuse = version_table.refuse_unknown if is_stamp else version_table.refuse_unclear
                refuse(heads, context.script, self.ledger)
                self.pending = deque(migrations(heads, context))
                version_table.refuse_too_long(
                    self.session, [each for step in self.pending for each in step.to_revisions]
                )
                self.goes_forward = not is_stamp and all(step.is_upgrade for step in self.pending)
                if is_stamp:
                    self.scope.before_steps(self.session.observer)
                    if not context.opts["purge"]:
                        version_table.refuse_half_a_stamp(heads, self.pending)
                    self.validator.accept()
                else:
                    self.validator.finish_last(heads, context.script)
                    self._prepare(heads)
            create_table()
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
            with errors_for_people():
                self._until_done(run_migrations)
                if self.goes_forward:
                    self.scope.after_upgrade(self.session.observer)
        except BaseException as error:
            self._ended(failure=str(error).partition("\n")[0] or type(error).__name__)
            if is_interrupt(error):
                raise Stopped(f"Interrupted. {self._so_far(error)}.", AGAIN if self.done else FROM_THE_START) from None
            if isinstance(error, OnlineError) and self.step:
                error.what += f"\n{self._so_far(error)}."
            raise
        self._ended()

    def execute(self, connection: psycopg.Connection[Any], statement: str, work: Callable[[], object]) -> bool:
        """Around each statement of a step, which `work` executes; True where it was executed here."""
        if not self.in_body or self.step is None or connection is not self.session.connection:
            return False
        self.step.execute(connection, statement, work)
        return True

    def before_commit(self, connection: Connection) -> None:
        """SQLAlchemy's hook before each commit, a step's last one included."""
        ours = driver(connection)
        if self.step is None or not self.running or ours is not self.session.connection or ours.autocommit:
            return
        try:
            self.step.before_commit(last=self.body_done)
        except BaseException:
            ours.rollback()  # to SQLAlchemy the transaction is over by now, whatever becomes of the commit
            raise

    def _until_done(self, run_migrations: Callable[[], None]) -> None:
        while True:
            try:
                run_migrations()
            except BaseException as error:
                if not self._try_again(error):
                    raise
            else:
                return

    def _so_far(self, error: BaseException) -> str:
        lost = isinstance(error, ConnectionLostError)
        return so_far(self.done, self.step, goes_forward=self.goes_forward, lost=lost, is_applied=self.is_applied)

    def _ended(self, failure: str | None = None) -> None:
        if self.metrics:
            self.metrics.ended(well=failure is None)
        self._announce(f"failed: {failure}" if failure else "is done")

    def _announce(self, news: str) -> None:
        """Tell the teams, unless there is nothing to do."""
        if self.alerts:
            self.alerts.announce(f"Migration of {shown(self.session.url)} {news}")

    def _prepare(self, heads: tuple[str, ...]) -> None:
        """Before the first step: refuse what must not be begun, open the books."""
        observer, options = self.session.observer, self.options
        if not self.is_way_back:
            self.scope.before_steps(observer)
        if not (steps := self.pending):
            return
        if options.window and not options.now:
            refuse_outside(observer, options.window, options.written("now", "yes"))
        if isinstance(self.keeper, Refuse):
            refuse_loss(observer, steps, self.session)
        to_come = planned(steps)
        refuse_unsaid(to_come, self.scope)
        if not self.is_way_back:  # it looked before it closed anything
            self.validator.refuse_out_of_force(heads, to_come)
            look(self.session, to_come)
        self.ledger.open()
        clear(self.session)
        for step in steps:
            step.migration_fn = self._body(step.migration_fn)
        self.alerts = Alerts(options.step_alert, options.on_alert, options.alert_addresses)
        self.stack.callback(self.alerts.close)
        self._announce("begins: " + ", ".join(step.revision.revision for step in steps))
        watching = self.stack.enter_context(settled(self.session.observing.engine, self.scope, autocommit=True))
        self.watcher = Watcher(driver(watching), self.session.blockers.migrator, self.alerts)
        self.stack.callback(self.watcher.close)

    def _begin(self, step: RevisionStep) -> None:
        assert self.watcher is not None
        if self.step is None:
            policy = RetryPolicy(self.options.deadline, self.watcher.interrupt)
            self.step = Step(step, self.session, self.ledger, policy, self.keeper)
        script, direction = self.step.script, self.step.direction
        before = self.validator.before(script, direction)
        self.step.begin(self.ledger.start(script.revision, direction, client(), before))
        self.running, self.body_done = True, False
        self.watcher.begin(self.step.name)
        if direction == "upgrade":
            self._leave(script.down_revision)

    def _leave(self, revision: Any) -> None:
        """What the project wants done before the first upgrade that leaves a revision."""
        if revision in self.scope.before_leaving and revision not in self.left:
            self.scope.before_leaving[revision](self.session.observer)  # what it misses is tried again as the step is
            self.left.add(revision)

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
        self.done.append(done.name)
        seen = self.watcher.end()
        self.ledger.observed(done.entry, seen)
        report_step(done, seen, time.monotonic() - done.policy.began, self.metrics)
        self.validator.finish(done.entry, done.script, done.direction)
        behind = self.session.replicas.wait_until_replayed(done.name, self.watcher.interrupt)
        if self.alerts and behind > LAG:
            self.alerts.tell(f"{done.name}: it took {behind:.1f} s until the replicas had replayed it")

    def _try_again(self, error: BaseException) -> bool:
        """Whether the step missed its locks and may be run again; keeps what happened."""
        if self.step is None or self.watcher is None:
            return False
        step, self.running = self.step, False
        original = error.orig if isinstance(error, DBAPIError) else error
        missed, over = isinstance(original, MISSED) and not is_interrupt(error), step.policy.over
        if self.watcher.stopped and isinstance(original, psycopg.errors.QueryCanceled):
            self._gave_up(step, "failed", f"stopped: {self.watcher.stopped}")
            self.watcher.interrupt()
        if missed and over:
            self._gave_up(step, "failed", str(original))
            raise step.gave_up() from None
        if isinstance(original, Undeclared):
            self._gave_up(step, "failed" if over else "missed", str(original))
            self.session.sqlalchemy.rollback()  # a commit that was refused leaves its transaction behind
            step.drops.learn(original, again=not over)
            return True
        self._gave_up(step, "interrupted" if is_interrupt(error) else "missed" if missed else "failed", reason(error))
        if missed:
            self.session.blockers.missed(step.declared, step.name)
            step.policy.pause(STEP_PAUSE)
        return missed

    def _gave_up(self, step: Step, outcome: str, message: str) -> None:
        try:
            tries, waited = step.policy.tries, step.policy.waited
            self.is_applied = not self.ledger.gave_up(step.entry, outcome, message, tries, waited)
            if self.watcher:
                self.ledger.observed(step.entry, self.watcher.end())
        except psycopg.OperationalError:
            self.is_applied = None if self.body_done else False  # it may have been committing
            log.debug("The ledger's record of this attempt is not complete; the next run completes it.")

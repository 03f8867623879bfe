"""The application's clients, in processes of their own: each statement is sent on schedule, however long others take.

A session has a timetable. When a statement takes too long, the next ones are late, and their lateness counts as theirs:
it is what a user would have waited (what is measured from sending alone leaves that out, "coordinated omission").
"""

import os
import random
import signal
import time
from collections import defaultdict
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from multiprocessing.synchronize import Event
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import psycopg

from operations.queries import query

SKEW = 3.2  # as in the generated history: the first niches are asked for most often
REPORT_OPEN = 3.0
"""Seconds for which the left-open report keeps its transaction."""
REPORT_PAUSE = 1.0
HAND_OVER = 0.25


class Sample(NamedTuple):
    """A statement: when it was due (``time.monotonic``, which all processes share), what it took from then on, in
    seconds, its number, and the SQLSTATE with which it failed."""

    due: float
    seconds: float
    statement: int
    error: str | None


@dataclass(frozen=True)
class Statement:
    """What clients send: of a phase's statements so many in a hundred. `changes_type`: prepared, it would break by a
    new column, once a session; drivers then prepare it anew, and here it is never prepared."""

    name: str
    phase: int
    sql: str
    share: float
    changes_type: bool = False
    client: str = "phase 1"


@dataclass(frozen=True)
class Order:
    """What a process of clients is to do."""

    address: str
    statements: tuple[Statement, ...]
    numbers: tuple[int, ...]
    """By which the samples know them."""
    rate: float
    """Statements a second, all sessions together."""
    sessions: int
    niches: int
    name: str


def work(order: Order, on: Event, stop: Event, pipe: Pipe) -> None:
    """Send statements while `on` is set, until `stop` is; what was measured goes through the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then sets `stop`
    samples: SimpleQueue[Sample] = SimpleQueue()
    begin = time.monotonic()
    every = order.sessions / order.rate
    for number in range(order.sessions):
        first = begin + every * number / order.sessions
        Thread(target=_session, args=(order, on, stop, samples, first, every, number), daemon=True).start()
    _hand_over(samples, stop, pipe)


def score(address: str, statements: tuple[str, ...], wanted: Event, stop: Event, pipe: Pipe) -> None:
    """The nightly scorer: one transaction whenever it is wanted; says from when until when it ran."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while not stop.is_set():
        if wanted.wait(HAND_OVER):
            began = time.monotonic()
            failed = None
            try:
                with psycopg.connect(address, application_name="rehearsal scorer") as connection:
                    for statement in statements:
                        connection.execute(statement)
            except psycopg.Error as error:
                failed = error.sqlstate or "08006"
            wanted.clear()
            if not _send(pipe, (began, time.monotonic(), failed)):
                return
    os._exit(0)


def leave_open(address: str, stop: Event) -> None:
    """The left-open report: keeps `features` open for some seconds at a time."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while not stop.is_set():
        try:
            with psycopg.connect(address, application_name="rehearsal report") as connection:
                while not stop.is_set():
                    connection.execute(query("rehearsal/left_open"))
                    stop.wait(REPORT_OPEN)
                    connection.rollback()
                    stop.wait(REPORT_PAUSE)
        except psycopg.Error:  # shut out during a rollback, as it should be
            stop.wait(REPORT_PAUSE)
    os._exit(0)


def _session(
    order: Order, on: Event, stop: Event, samples: "SimpleQueue[Sample]", due: float, every: float, seed: int
) -> None:
    chance = random.Random(seed)  # noqa: S311 - which niche, not a secret
    shares = [statement.share for statement in order.statements]
    connection: psycopg.Connection[Any] | None = None
    while not stop.is_set():
        due += every
        if (early := due - time.monotonic()) > 0:
            time.sleep(early)
        if not on.is_set():
            continue
        chosen = chance.choices(range(len(shares)), shares)[0]
        statement = order.statements[chosen]
        failed = None
        try:
            if connection is None or connection.closed:
                connection = psycopg.connect(order.address, autocommit=True, application_name=order.name)
            prepare = False if statement.changes_type else None
            connection.execute(statement.sql, _arguments(chance, order.niches), prepare=prepare)
        except psycopg.Error as error:
            failed = error.sqlstate or "08006"
        samples.put(Sample(due, time.monotonic() - due, order.numbers[chosen], failed))


def _arguments(chance: random.Random, niches: int) -> dict[str, Any]:
    """By name; what is not given is NULL, for which the readers name a default."""
    return defaultdict(
        lambda: None,
        niche_id=1 + int(niches * chance.random() ** SKEW),
        phrase=f"rehearsal {chance.getrandbits(60)}",
        demand=round(chance.random(), 4),
        monetise=round(chance.random(), 4),
        supply=round(0.2 + 0.8 * chance.random(), 4),  # what the scorer makes of it fits numeric(6,5)
    )


def _hand_over(samples: "SimpleQueue[Sample]", stop: Event, pipe: Pipe) -> None:
    while True:
        over = stop.wait(HAND_OVER)
        ready: list[Sample] = []
        try:
            while True:
                ready.append(samples.get_nowait())
        except Empty:
            pass
        if not _send(pipe, ready) or over:
            os._exit(0)  # a session may still be in a statement: the server ends it


def _send(pipe: Pipe, what: object) -> bool:
    """False where nobody listens any more: the parent is gone."""
    try:
        pipe.send(what)
    except OSError:
        return False
    return True

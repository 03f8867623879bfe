"""The application's clients, in processes of their own: each statement is sent on schedule, however long others take.

A session has a timetable. When a statement takes too long, the next ones are late, and their lateness counts as theirs:
it is what a user would have waited (what is measured from sending alone leaves that out, "coordinated omission").
"""

import os
import random
import signal
import time
from collections import defaultdict
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection as Pipe
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NamedTuple

import psycopg
from alembic_online.database import plain

from operations.queries import query

SKEW = 3.2  # as in the generated history: the first niches are asked for most often
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
    """What clients send: of a phase's statements so many in a hundred; those of phase 0 on a replica.

    `changes_type`: prepared, it would break by a new column, once a session; drivers then prepare it anew, and here it
    is never prepared.
    """

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
    live: bool
    """Whether it is to send from the beginning."""


ON, OFF, STOP, SCORE = "on", "off", "stop", "score"
"""What the parent says through the pipe. No shared locks: a process that ends while one of its threads holds such a
lock takes it along, and everybody else waits for it for ever."""


@dataclass
class Told:
    """What the threads of a process have been told so far."""

    live: bool
    over: bool = False


def work(order: Order, pipe: Pipe) -> None:
    """Send statements while told to, until told to stop; what was measured goes back through the pipe."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then says stop
    samples: SimpleQueue[Sample] = SimpleQueue()
    told = Told(order.live)
    begin = time.monotonic()
    every = order.sessions / order.rate
    for number in range(order.sessions):
        first = begin + every * number / order.sessions
        Thread(target=_session, args=(order, told, samples, first, every, number), daemon=True).start()
    while not told.over:
        if (word := _heard(pipe, HAND_OVER)) is not None:
            told.live, told.over = word == ON, word == STOP
        _send(pipe, _all_of(samples))
    os._exit(0)  # a session may still be in a statement: the server ends it


def score(address: str, statements: tuple[str, ...], pipe: Pipe) -> None:
    """The nightly scorer: one transaction each time it is told; says from when until when it ran."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    while _heard(pipe, None) == SCORE:
        began = time.monotonic()
        failed = None
        try:
            with plain(address, application_name="rehearsal scorer") as connection:
                for statement in statements:
                    connection.execute(statement)
        except psycopg.Error as error:
            failed = error.sqlstate or "08006"
        _send(pipe, (began, time.monotonic(), failed))


def leave_open(address: str, seconds: float, pipe: Pipe) -> None:
    """The left-open report: keeps a transaction open on `features` for so many seconds of each four thirds of them."""
    pause = seconds / 3
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    over = False
    while not over:
        try:
            with plain(address, application_name="rehearsal report") as connection:
                while not over:
                    connection.execute(query("rehearsal/left_open"))
                    over = _heard(pipe, seconds) == STOP
                    connection.rollback()
                    over = over or _heard(pipe, pause) == STOP
        except psycopg.Error:  # shut out during a rollback, as it should be
            over = _heard(pipe, pause) == STOP


def _session(order: Order, told: Told, samples: "SimpleQueue[Sample]", due: float, every: float, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311 - which niche, not a secret
    shares = [statement.share for statement in order.statements]
    connection: psycopg.Connection[Any] | None = None
    while not told.over:
        due += every
        if (early := due - time.monotonic()) > 0:
            time.sleep(early)
        if not told.live:
            continue
        chosen = chance.choices(range(len(shares)), shares)[0]
        statement = order.statements[chosen]
        failed = None
        try:
            if connection is None or connection.closed:
                connection = plain(order.address, autocommit=True, application_name=order.name)
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


def _all_of(samples: "SimpleQueue[Sample]") -> list[Sample]:
    ready: list[Sample] = []
    with suppress(Empty):
        while True:
            ready.append(samples.get_nowait())
    return ready


def _heard(pipe: Pipe, seconds: float | None) -> str | None:
    """What the parent says within so many seconds; STOP where it is gone."""
    try:
        return str(pipe.recv()) if pipe.poll(seconds) else None
    except (EOFError, OSError):
        return STOP


def _send(pipe: Pipe, what: object) -> None:
    """Tell the parent; where it is gone, that is noticed when it is next listened to."""
    with suppress(OSError):
        pipe.send(what)

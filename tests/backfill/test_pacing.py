"""When a worker holds back, and how often it asks."""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, Engine

from backfill.bookkeeping import create
from backfill.jobs import EVENT_HISTORY
from backfill.pacing import BatchThrottle, Throttle, Trouble, pause, rest, resume
from backfill.windows import Window

LAG = Trouble("replica_lag", "a replica is behind")


class Patient:
    """Says what it is told to, question by question; the last answer stays."""

    def __init__(self, *answers: tuple[Trouble | None, float]) -> None:
        self.answers = list(answers)
        self.asked = 0

    def trouble(self, _connection: Connection, tables: Sequence[str]) -> Trouble | None:
        assert tables == EVENT_HISTORY.targets
        self.asked += 1
        return self.answers[0][0]

    def share(self, _connection: Connection) -> float:
        answer = self.answers[0]
        if len(self.answers) > 1:
            self.answers.pop(0)
        return answer[1]


@pytest.fixture
def connection(migrated: Engine) -> Iterator[Connection]:
    create(migrated)
    with migrated.connect() as connection:
        yield connection


def test_health_is_asked_now_and_then(connection: Connection) -> None:
    health = Patient((None, 0.5), (None, 0.25))
    throttle = BatchThrottle(health, None, every=timedelta(days=1))
    for _ in range(3):
        assert throttle.trouble(connection, EVENT_HISTORY) is None
        assert throttle.rest(2) == 2
    assert health.asked == 1


def test_after_that_time_it_is_asked_anew(connection: Connection) -> None:
    health = Patient((None, 0.5), (None, 0.25))
    throttle = BatchThrottle(health, None, every=timedelta(0))
    assert throttle.trouble(connection, EVENT_HISTORY) is None
    assert throttle.rest(2) == 2
    assert throttle.trouble(connection, EVENT_HISTORY) is None
    assert throttle.rest(2) == 6, "and so is the share"
    assert health.asked == 2


def test_trouble_is_asked_for_again_at_once(connection: Connection) -> None:
    health = Patient((LAG, 1.0))
    throttle = BatchThrottle(health, None, every=timedelta(days=1))
    assert throttle.trouble(connection, EVENT_HISTORY) == LAG
    assert throttle.trouble(connection, EVENT_HISTORY) == LAG
    health.answers = [(None, 1.0)]
    assert throttle.trouble(connection, EVENT_HISTORY) is None
    assert health.asked == 3


def test_a_pause_counts_at_once_and_before_all_else(connection: Connection) -> None:
    health = Patient((None, 1.0))
    throttle = BatchThrottle(health, closed(), every=timedelta(days=1))
    pause(connection)
    pause(connection)
    assert throttle.trouble(connection, EVENT_HISTORY) == Trouble("paused", "sidb backfill pause was called")
    resume(connection)
    found = throttle.trouble(connection, EVENT_HISTORY)
    assert found is not None
    assert (found.reason, health.asked) == ("window", 0)
    assert f"{closed()} opens at " in found.detail
    throttle.window = Window(time(0), time(0), ZoneInfo("UTC"))
    assert throttle.trouble(connection, EVENT_HISTORY) is None
    pause(connection)
    assert throttle.trouble(connection, EVENT_HISTORY) is not None, "though health was asked just now"


def closed() -> Window:
    """A window that opens in two hours."""
    now = datetime.now(UTC)
    opens, closes = ((now + timedelta(hours=hours)).time().replace(second=0, microsecond=0) for hours in (2, 3))
    return Window(opens, closes, ZoneInfo("UTC"))


@pytest.mark.parametrize(("seconds", "share", "expected"), [(3, 1.0, 0), (3, 0.5, 3), (3, 0.25, 9), (0, 0.25, 0)])
def test_a_rest_leaves_the_share(seconds: float, share: float, expected: float) -> None:
    assert rest(seconds, share) == expected


def test_without_a_share_nobody_rests() -> None:
    rests: list[float] = []
    throttle = Throttle(wait=rests.append)
    with throttle.piece():
        pass
    assert rests == []


def test_a_rest_comes_before_the_next_piece_and_not_after_the_last() -> None:
    rests: list[float] = []
    throttle = Throttle(lambda: 0.25, rests.append)
    with throttle.piece():
        done = monotonic() + 0.02
        while monotonic() < done:
            pass
    assert rests == []
    with throttle.piece():
        [rest] = rests
        assert rest >= 0.06
    with throttle.piece():
        pass
    assert rests[1] < rest, "what is rested for is paid"


def test_nobody_rests_from_having_waited_for_a_lock() -> None:
    rests: list[float] = []
    throttle = Throttle(lambda: 0.25, rests.append)
    began = monotonic()
    for _ in range(2):
        with suppress(TimeoutError), throttle.piece():
            while monotonic() < began + 0.06:
                pass
            raise TimeoutError
    with throttle.piece():
        pass
    assert sum(rests) < 0.02, "a rest is three times as long as the work"

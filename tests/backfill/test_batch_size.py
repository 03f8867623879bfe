"""How many rows a batch takes, learnt from those before it."""

import pytest

from backfill.batch_size import FIRST_ROWS, MOST_ROWS, BatchSize
from backfill.jobs import EVENT_HISTORY, NICHE_SCORES

TARGET = EVENT_HISTORY.seconds


@pytest.mark.parametrize(
    ("read", "seconds", "following"),
    [
        (500, TARGET, 500),
        (500, TARGET / 1.5, 750),
        (500, TARGET / 2.5, 1_000),
        (500, 0.0, 1_000),
        (500, TARGET * 2, 250),
        (500, TARGET * 5, 125),
        (250, TARGET / 1.5, 375),
        (249, TARGET / 1.5, 500),
        (1, TARGET, 500),
        (1, TARGET * 1.1, 125),
    ],
    ids=[
        "on target",
        "faster",
        "doubled at most",
        "in no time",
        "slower",
        "quartered at most",
        "half of what was asked for",
        "too little to learn from",
        "a row on target",
        "slow, whatever it read",
    ],
)
def test_the_next_batch_takes_what_this_one_shows(read: int, seconds: float, following: int) -> None:
    size = BatchSize()
    size.learn(EVENT_HISTORY, read, seconds)
    assert size.rows(EVENT_HISTORY) == following
    assert size.rows(NICHE_SCORES) == FIRST_ROWS, "each job learns for itself"


def test_it_is_bounded_on_both_sides() -> None:
    size = BatchSize()
    for _ in range(20):
        size.learn(EVENT_HISTORY, size.rows(EVENT_HISTORY), TARGET * 10)
    assert size.rows(EVENT_HISTORY) == 1
    for _ in range(20):
        size.learn(EVENT_HISTORY, size.rows(EVENT_HISTORY), TARGET / 10)
    assert size.rows(EVENT_HISTORY) == MOST_ROWS
    assert BatchSize(most=7).rows(EVENT_HISTORY) == 7


def test_of_many_rows_half_a_first_batch_is_enough_to_learn_from() -> None:
    size = BatchSize()
    size.learn(EVENT_HISTORY, 500, TARGET / 2)
    size.learn(EVENT_HISTORY, 250, TARGET)
    assert size.rows(EVENT_HISTORY) == 250


def test_of_few_rows_half_is_enough_to_learn_from() -> None:
    size = BatchSize(most=10)
    size.learn(EVENT_HISTORY, 5, TARGET / 0.8)
    assert size.rows(EVENT_HISTORY) == 4
    size.learn(EVENT_HISTORY, 1, TARGET / 2)
    assert size.rows(EVENT_HISTORY) == 4
    size.learn(EVENT_HISTORY, 2, TARGET / 3)
    assert size.rows(EVENT_HISTORY) == 6

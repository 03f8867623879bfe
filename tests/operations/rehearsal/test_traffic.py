"""The clients: what they measure is what a user would have waited, and who blocked them is reported."""

import time
from collections.abc import Callable

from sqlalchemy import Engine, text

from operations.phase1 import Shape
from operations.rehearsal.clients import Sample
from operations.rehearsal.latency import measured, series, within
from operations.rehearsal.traffic import running
from tests.fixtures.databases import Clone


def until(happened: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + 20
    while not happened():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.01)


def test_what_waits_behind_a_slow_statement_is_late_too(clone: Clone, connect: Callable[..., Engine]) -> None:
    url = clone("migrated_table")
    blocker = connect(url)
    with running(url, url, Shape.TABLE, 200, 200, 0.4) as traffic:
        with blocker.begin() as connection:
            connection.execute(text("LOCK TABLE features IN ACCESS EXCLUSIVE MODE"))
            since = time.monotonic()
            until(lambda: any(wait.behind == "the rollout" for wait in traffic.waits.values()), "a wait is seen")
            until(lambda: time.monotonic() > since + 0.8, "statements have fallen behind")
            ended = time.monotonic()
        until(lambda: traffic.ordered()[-1].due > ended + 0.2, "they have caught up")
    names = [statement.name for statement in traffic.statements]
    late = [s for s in within(traffic.ordered(), since, ended) if names[s.statement] in ("read niche", "update niche")]
    assert len(late) > 20  # more than there are sessions: those that were due meanwhile are not left out
    assert all(sample.due + sample.seconds >= ended for sample in late)
    assert {sample.error for sample in traffic.samples} == {None}


def test_phase2_is_sent_only_while_it_is_live(clone: Clone) -> None:
    url = clone("migrated_matview")
    with running(url, url, Shape.MATVIEW, 100, 200, 0.4) as traffic:

        def phases() -> set[int]:
            return {traffic.statements[sample.statement].phase for sample in traffic.samples}

        until(lambda: len(traffic.samples) > 50, "Phase 1 is sent")
        assert phases() == {1}
        traffic.phase2(on=True)
        until(lambda: phases() == {1, 2}, "Phase 2 is sent")
        traffic.score()
        traffic.wait_for_scorer()
    assert [scoring.error for scoring in traffic.scorings] == [None]
    assert {sample.error for sample in traffic.samples} == {None}


def test_where_niches_have_gaps_in_their_numbers(clone: Clone, connect: Callable[..., Engine]) -> None:
    """As after a sequence that was burnt by ON CONFLICT: an event is of one that is there."""
    url = clone("migrated_table")
    with connect(url).begin() as connection:
        connection.execute(text("INSERT INTO features (niche_id, phrase) VALUES (1000000, 'far off')"))
    with running(url, url, Shape.TABLE, 100, 1_000_000, 0.4) as traffic:
        names = [statement.name for statement in traffic.statements]
        traffic.phase2(on=True)
        until(lambda: any(names[each.statement] == "insert event" for each in traffic.samples), "an event is sent")
        until(lambda: len(traffic.samples) > 100, "and more")
    assert {sample.error for sample in traffic.samples} == {None}


def test_percentiles_errors_and_series() -> None:
    samples = [Sample(float(n), (n + 1) / 1000, 0, None) for n in range(100)]
    samples += [Sample(100.0, 9.0, 0, "42501"), Sample(101.0, 9.0, 0, "40P01")]
    opened, closed = measured(samples, 102), measured(samples, 102, closed=True)
    assert (opened.statements, opened.per_second) == (102, 1.0)
    assert (opened.p50_ms, opened.p95_ms, opened.p99_ms, opened.longest_ms) == (51.0, 96.0, 100.0, 100.0)
    assert (opened.turned_away, opened.errors) == (0, {"42501": 1, "40P01": 1})
    assert (closed.turned_away, closed.errors) == (1, {"40P01": 1})
    assert measured([], 1).p50_ms is None
    pieces = series(samples[:100], 0, 200, 4)
    assert [(each.at, each.statements, each.longest_ms) for each in pieces] == [
        (0.0, 50, 50.0),
        (50.0, 50, 100.0),
        (100.0, 0, None),
        (150.0, 0, None),
    ]

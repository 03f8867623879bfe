"""The real data set: YouTube's trending list of autumn 2017, an event for each video, tag and day."""

import csv
import gzip
import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import islice
from pathlib import Path
from threading import Event, Thread
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Engine

from backfill import finishing, job_status, verification
from backfill.batch_size import BatchSize
from backfill.job_status import Share
from backfill.jobs import JOBS
from backfill.progress import Scope
from backfill.tables import Control
from backfill.windows import Window
from tests.backfill.conftest import Sql, begin, day_begins_now, load_file, run, worker, write_csv
from tests.backfill.test_live_traffic import application
from tests.fixtures.databases import ROOT

DATA = ROOT.parent / "shared/data/youtube_trending_us_2017.csv.gz"
LAST_DAY = datetime(2017, 10, 23, tzinfo=UTC)


def events(path: Path) -> Iterator[tuple[str, ...]]:
    with gzip.open(path, "rt", encoding="utf-8-sig", newline="") as file:
        for video in csv.DictReader(file):
            day, month = video["date"].split(".")[:2]
            payload = {name: int(video[key]) for name, key in (("views", "views"), ("likes", "likes"))}
            payload["comments"] = int(video["comment_total"])
            at = f"2017-{month}-{day}T00:00:00+00:00"
            tags = sorted({tag.strip().lower() for tag in video["tags"].split("|")} - {"", "[none]"})
            for tag in tags:
                yield "trending", "youtube", at, json.dumps({"video": video["video_id"], **payload}), "", "", tag


here = pytest.mark.skipif(
    not DATA.exists(), reason="the data set ../shared/data/youtube_trending_us_2017.csv.gz is not here"
)


@here
def test_the_real_data_set_is_loaded_backfilled_and_verified(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    rows = list(events(DATA))
    loaded = load_file(migrated, write_csv(tmp_path / "youtube.csv", rows))
    assert (loaded.records, loaded.rejected) == (len(rows), 0)
    assert len(rows) > 100_000
    assert run(migrated, as_of=LAST_DAY).refused == 0
    assert sql(
        "SELECT count(*), count(DISTINCT niche_id) FROM analytics.analytics_events WHERE event_type = 'trending'"
    ) == [(len(rows), len({row[-1] for row in rows}))]
    assert [proof for proof in verification.verify(migrated, JOBS, LAST_DAY) if not proof.holds] == []
    assert sql("SELECT count(DISTINCT (analytics.trend_of(trend_vector)).direction) FROM features") == [(3,)]


@here
def test_seven_days_of_a_real_history_beside_traffic(migrated: Engine, sql: Sql, tmp_path: Path) -> None:
    """As in the runbook: a run on day 1, a share each day, a proof on day 7; of the trending list every 150th event."""
    rows = list(islice(events(DATA), 0, None, 150))
    as_of = datetime(2017, 12, 31, tzinfo=UTC)  # the older half of the 40 days is not recent
    assert load_file(migrated, write_csv(tmp_path / "youtube.csv", rows)).added == len(rows)
    control = begin(migrated, as_of)
    stop, failures, done = Event(), list[Exception](), list[tuple[str, int]]()
    traffic = [Thread(target=application, args=(migrated, stop, seed, done, failures)) for seed in range(2)]
    for thread in traffic:
        thread.start()
    try:
        worker(migrated).run(Scope(as_of, recent=True))
        shares = [a_day(migrated, control, day) for day in range(7)]
    finally:
        stop.set()
        for thread in traffic:
            thread.join(30)
    assert failures == []
    assert [share.days_left for share in shares] == [7, 6, 5, 4, 3, 2, 1]
    left = [share.left for share in shares]
    assert 0 < left[6] < left[0]
    assert left == sorted(left, reverse=True)
    run(migrated, as_of=as_of)  # niches that came meanwhile, and trends of what the days brought
    assert [proof for proof in verification.verify(migrated, JOBS, as_of) if not proof.holds] == []
    found = sql(
        "SELECT f.phrase, to_char(e.event_timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD'), e.event_data "
        "FROM analytics.analytics_events AS e JOIN features AS f USING (niche_id) WHERE e.event_type = 'trending'"
    )
    expected = Counter((row[-1], row[2][:10], json.dumps(json.loads(row[3]), sort_keys=True)) for row in rows)
    assert Counter((phrase, day, json.dumps(data, sort_keys=True)) for phrase, day, data in found) == expected
    assert sql("SELECT count(*) FROM analytics.analytics_events WHERE event_type = 'live'") == [
        (sum(name == "insert an event" for name, _ in done),)
    ]
    with migrated.connect() as connection:
        assert finishing.finish(connection, JOBS).rows == len(rows)


def a_day(engine: Engine, control: Control, day: int) -> Share:
    """What `sidb backfill daily` does on that day."""
    always = Window(time(0), time(0), ZoneInfo("UTC"))
    now = control.started_at + timedelta(days=day, seconds=1)
    with engine.connect() as connection:
        share = job_status.share(connection, JOBS, control, day_begins_now(always), now)
    worker(engine, pace=BatchSize(most=50)).run(Scope(control.as_of, recent=False), share=share.rows)
    return share

"""The real data set: YouTube's trending list of autumn 2017, an event for each video, tag and day."""

import csv
import gzip
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from backfill import verification
from backfill.jobs import JOBS
from tests.backfill.conftest import Sql, load_file, run, write_csv
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


@pytest.mark.skipif(not DATA.exists(), reason="the data set ../shared/data/youtube_trending_us_2017.csv.gz is not here")
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

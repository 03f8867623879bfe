"""What a rollback has copied out of rows of a user goes with them: a copy of columns knows only their keys."""

import pytest
from sqlalchemy import Engine

from tests.fixtures.revisions import HEAD
from tests.operations.erasure.conftest import ANN, EVENTS, erase, fill
from tests.operations.rollback.conftest import bring_back, execute, roll_back
from tests.operations.rollback.revising import Revise, add_column
from tests.operations.rollback.revising import revise as revise

COPIED = """
    SELECT split_part(remark, ' said', 1), count(*) FROM sidb_archive_1."columns of analytics_events" GROUP BY 1
"""
REMARKS = f"""
    SELECT user_id, count(remark) FROM analytics.analytics_events
    WHERE user_id IS NOT NULL AND user_id <> '{ANN}' GROUP BY user_id
"""  # noqa: S608
SAME_KEYS = f"""
    INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id)
    SELECT 'view', 'web', event_timestamp, '{{}}', '{ANN}' FROM sidb_archive_1.analytics_events ORDER BY event_id
"""  # noqa: S608
CHARTS = f"""
    INSERT INTO analytics.trend_cache (trend_type, trend_source, parameters, trend_data, valid_until, user_id)
    SELECT 'chart', 'test', jsonb_build_object('n', n), '{{}}', now() + interval '1 day',
        CASE WHEN n < 4 THEN '{ANN}' ELSE 'b' END
    FROM generate_series(1, 5) AS s (n)
"""  # noqa: S608


@pytest.mark.parametrize("target", [HEAD, "1.0.0"], ids=["of a table that stays", "of a table that moved"])
@pytest.mark.parametrize("is_upgraded", [False, True], ids=["back", "upgraded again"])
def test_copied_values_go_with_their_rows(migrated: Engine, revise: Revise, target: str, is_upgraded: bool) -> None:
    url = migrated.url
    migrated.dispose()
    fill(url)
    by_hand = add_column(revise, url, "analytics.analytics_events")
    execute(url, "UPDATE analytics.analytics_events SET remark = user_id || ' said ' || event_id")
    [(others, remarks)] = execute(url, REMARKS)
    roll_back(url, target)
    if is_upgraded:
        by_hand.upgrade()
        if target != HEAD:  # other events by now: what is in the archive is not theirs
            execute(url, SAME_KEYS)
    erase(url, ANN)
    assert execute(url, COPIED) == [(others, remarks)] == [(others, EVENTS)]
    if not is_upgraded:
        by_hand.upgrade()
    assert bring_back(url).exit_code == 0
    assert execute(url, REMARKS) == [(others, EVENTS)]


def test_ids_of_users_in_a_copy(migrated: Engine, revise: Revise) -> None:
    url = migrated.url
    migrated.dispose()
    add_column(revise, url, "analytics.trend_cache", "user_id text")
    execute(url, CHARTS)
    roll_back(url, HEAD)
    erase(url, ANN)
    found = execute(url, 'SELECT user_id, count(*) FROM sidb_archive_1."columns of trend_cache" GROUP BY user_id')
    assert found == [("b", 2)]

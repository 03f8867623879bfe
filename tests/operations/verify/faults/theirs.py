"""What others may do to rows of the backfill's: it is said, and no fault."""

from tests.operations.verify.faults.case import Fault

# An event of the loaded history that no trend vector reaches back to.
OLD_EVENT = """
    SELECT e.event_id FROM analytics.analytics_events AS e
    WHERE e.event_source = 'demo' AND e.event_timestamp < now() - interval '100 days'
    ORDER BY e.event_id LIMIT 1
"""

THEIR_RIGHT = (
    Fault("a doubled event", f"""
        INSERT INTO analytics.analytics_events
            (event_type, event_source, event_timestamp, event_data, user_id, niche_id, created_at)
        SELECT event_type, event_source, event_timestamp, event_data, user_id, niche_id, created_at
        FROM analytics.analytics_events WHERE event_id = ({OLD_EVENT})
    """, {  # noqa: S608
        "history": "1 rows of others equal a staged event: ",
    }),
    Fault("a lost event", f"DELETE FROM analytics.analytics_events WHERE event_id = ({OLD_EVENT})", {  # noqa: S608
        "history": "1 rows were deleted since, and stay so: ",
    }),
    Fault("a changed event", f"""
        UPDATE analytics.analytics_events SET event_data = '{{"views": -1}}' WHERE event_id = ({OLD_EVENT})
    """, {  # noqa: S608
        "history": "1 rows were changed since, and stay so: ",
    }),
    Fault("a lost feature vector", "DELETE FROM analytics.ml_features WHERE niche_id = 150", {
        "scores": "1 rows were deleted since, and stay so: 150",
    }),
    Fault("a doubled scoring", """
        INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, niche_id)
        SELECT event_type, event_source, event_timestamp, event_data, niche_id
        FROM analytics.analytics_events WHERE niche_id = 150 AND event_source = 'phase1'
    """, {
        "scores": "1 rows of others are further scorings of their niches: 150",
    }),
)  # fmt: skip

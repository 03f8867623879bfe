-- The months (UTC) before this one of which the DEFAULT partition holds events, each found by one look at its index.
WITH RECURSIVE past (month) AS (
    SELECT
        date_trunc('month', (
            SELECT min(d.event_timestamp)
            FROM analytics_partitions.analytics_events_default AS d
            WHERE d.event_timestamp > '-infinity' AND d.event_timestamp < date_trunc('month', now(), 'UTC')
        ) AT TIME ZONE 'UTC')
    UNION ALL
    SELECT
        date_trunc('month', (
            SELECT min(d.event_timestamp)
            FROM analytics_partitions.analytics_events_default AS d
            WHERE
                d.event_timestamp >= (p.month + interval '1 month') AT TIME ZONE 'UTC'
                AND d.event_timestamp < date_trunc('month', now(), 'UTC')
        ) AT TIME ZONE 'UTC')
    FROM past AS p
    WHERE p.month IS NOT NULL
)

SELECT p.month FROM past AS p WHERE p.month IS NOT NULL;

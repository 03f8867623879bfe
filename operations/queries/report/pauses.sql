-- What the backfill held back for: how often, and for how many seconds in all.
SELECT
    p.reason,
    count(*) AS times,
    sum(extract(epoch FROM coalesce(p.ended_at, clock_timestamp()) - p.started_at))::float AS seconds
FROM sidb.backfill_pauses AS p
GROUP BY p.reason
ORDER BY p.reason;

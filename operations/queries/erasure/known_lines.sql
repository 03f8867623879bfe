-- What was kept of staged rows goes with their events: a file that is loaded again lacks these lines. Goes on behind the
-- statement's CTE gone.
, lines AS (
    DELETE FROM sidb.backfill_lines AS k
    USING gone AS g
    WHERE k.event_timestamp = g.event_timestamp AND k.event_id = g.event_id
)

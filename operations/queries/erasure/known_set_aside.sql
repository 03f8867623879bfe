-- A row that was set aside is no longer listed as such. Goes on behind the statement's CTE gone.
, aside AS (
    DELETE FROM sidb.backfill_set_aside AS s
    USING gone AS g
    WHERE s.job = 'event_history' AND s.key = g.event_id
)

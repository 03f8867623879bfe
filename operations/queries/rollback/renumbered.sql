-- Events that got other ids are known by these from now on: to who loads, moves and proves history, and to who restores
-- another archive. Goes on behind the statement's CTEs chosen and written.
, moved AS (
    SELECT c.was, c.event_id, c.event_timestamp
    FROM chosen AS c
    INNER JOIN written AS w ON w.event_id = c.event_id
    WHERE c.was <> c.event_id
), staged AS (
    UPDATE sidb.backfill_events AS s
    SET event_id = m.event_id
    FROM moved AS m
    WHERE s.event_timestamp = m.event_timestamp AND s.event_id = m.was
), known AS (
    UPDATE sidb.backfill_lines AS k
    SET event_id = m.event_id
    FROM moved AS m
    WHERE k.event_timestamp = m.event_timestamp AND k.event_id = m.was
), noted AS (
    INSERT INTO sidb.backfill_renumbered (was, event_id)
    SELECT m.was, m.event_id FROM moved AS m
    ON CONFLICT DO NOTHING
)

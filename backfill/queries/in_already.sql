-- Lines that earlier loads staged are not staged again. Of a load during which the event table was replaced, two rows may
-- have one event_id, at different times.
DELETE FROM pg_temp.backfill_incoming AS i
USING pg_temp.backfill_compared AS c
WHERE c.mine = i.event_id AND c.event_timestamp = i.event_timestamp AND c.theirs IS NOT NULL

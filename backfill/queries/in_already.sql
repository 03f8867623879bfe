-- Lines that earlier loads staged are not staged again.
DELETE FROM pg_temp.backfill_incoming AS i
USING pg_temp.backfill_compared AS c
WHERE c.mine = i.event_id AND c.theirs IS NOT NULL

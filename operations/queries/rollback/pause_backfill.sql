-- Pauses the backfill; gives whether it was paused before.
UPDATE sidb.backfill_control AS control SET paused_at = coalesce(before.paused_at, now())
FROM (SELECT paused_at FROM sidb.backfill_control FOR UPDATE) AS before
RETURNING before.paused_at IS NOT NULL AS was_paused;

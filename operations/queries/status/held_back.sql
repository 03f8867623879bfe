-- When and why the backfill held back last.
SELECT p.started_at AS at, 'backfill held back: ' || p.detail AS line
FROM sidb.backfill_pauses AS p
ORDER BY p.pause_id DESC
LIMIT 3;

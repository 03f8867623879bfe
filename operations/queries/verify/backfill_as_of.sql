-- What "now" is to the backfill; no row: it has not begun.
SELECT c.as_of FROM sidb.backfill_control AS c;

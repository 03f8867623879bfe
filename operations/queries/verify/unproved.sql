-- Rows of a job's source that a finished backfill would have proved: it sets them to 0.
SELECT coalesce(sum(r.planned), 0)::bigint AS rows FROM sidb.backfill_ranges AS r WHERE r.job = %(job)s;

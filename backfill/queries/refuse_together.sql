-- Where all values of the chunk can be read: the records that are refused all the same.
INSERT INTO pg_temp.backfill_refused (number, reason)
SELECT
    v.number,
    coalesce(v.reason, 'no niche has the phrase ' || quote_literal(left(v.lacks, 80)))
FROM pg_temp.backfill_values AS v
WHERE v.reason IS NOT NULL OR v.lacks IS NOT NULL

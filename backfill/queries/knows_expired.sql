-- Whether files know how many of their records have expired.
SELECT EXISTS (
    SELECT FROM pg_attribute AS a
    WHERE a.attrelid = to_regclass('sidb.backfill_files') AND a.attname = 'expired' AND NOT a.attisdropped
)

-- The generated history as a file that was loaded.
INSERT INTO sidb.backfill_files (digest, name, records, finished_at)
VALUES (%(digest)s, 'generated history', %(records)s, clock_timestamp());

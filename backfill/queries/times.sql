-- From when to when the rows of the file are; never asked for by name, since Python has no such times as -infinity.
UPDATE sidb.backfill_files AS f
SET oldest = i.oldest, newest = i.newest
FROM (SELECT min(event_timestamp) AS oldest, max(event_timestamp) AS newest FROM pg_temp.backfill_incoming) AS i
WHERE f.file_id = :file_id

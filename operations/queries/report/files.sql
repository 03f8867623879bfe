SELECT f.name, f.records, f.rejected, f.started_at AS started, f.finished_at AS finished
FROM sidb.backfill_files AS f
ORDER BY f.file_id;

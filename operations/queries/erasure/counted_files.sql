-- Staged rows that went are counted with their files; those of 2.0.6 or older with the first file of that time. Goes on
-- behind the statement's CTE gone.
, files AS (
    UPDATE sidb.backfill_files AS f
    SET erased = f.erased + c.rows
    FROM (
        SELECT
            coalesce(g.file_id, (SELECT min(o.file_id) FROM sidb.backfill_files AS o WHERE o.series = 0)) AS file_id,
            count(*) AS rows
        FROM gone AS g
        GROUP BY 1
    ) AS c
    WHERE c.file_id = f.file_id
)

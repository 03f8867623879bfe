-- The old ones of the next rows of {table} in the order of its key, and where they end; what others hold is left. ONLY: rows
-- of tables that inherit are others'.
WITH piece AS MATERIALIZED (
    SELECT t.{key} AS key, t.{time} AS since FROM ONLY {table} AS t WHERE t.{key} > %(place)s ORDER BY t.{key} LIMIT %(rows)s
),

aged AS MATERIALIZED (
    SELECT t.{key} AS key
    FROM ONLY {table} AS t
    INNER JOIN piece ON piece.key = t.{key}
    WHERE t.{time} < %(kept_from)s::date::timestamp AT TIME ZONE 'UTC'
    FOR UPDATE OF t SKIP LOCKED
),

gone AS (
    DELETE FROM ONLY {table} AS t USING aged
    WHERE t.{key} = aged.key
    RETURNING {columns}
){kept}

SELECT
    (SELECT count(*) FROM gone) AS gone,
    (
        SELECT count(*) FROM piece
        WHERE piece.since < %(kept_from)s::date::timestamp AT TIME ZONE 'UTC'
    ) AS old,
    (SELECT max(piece.key) FROM piece) AS place;

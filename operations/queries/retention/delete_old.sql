-- The next old rows of {table}, that alone: the statement triggers of its parent do not fire. What others hold is left.
WITH aged AS MATERIALIZED (
    SELECT t.ctid, t.{time} AS since
    FROM ONLY {table} AS t
    WHERE t.{time} < %(kept_from)s::date::timestamp AT TIME ZONE 'UTC' AND t.{time} >= %(since)s::timestamptz
    ORDER BY t.{time}
    LIMIT %(rows)s
    FOR UPDATE SKIP LOCKED
),

gone AS (
    DELETE FROM ONLY {table} AS t USING aged
    WHERE t.ctid = aged.ctid
    RETURNING {columns}
){kept}

SELECT (SELECT count(*) FROM gone) AS gone, (SELECT max(aged.since)::text FROM aged) AS since;

-- The kept columns, into rows in which they still have their defaults; both sides of the join are bounded, so that no plan
-- reads whole tables. Rows of the archive, rows written, and those of them that hold something else in others' columns.
WITH batch AS MATERIALIZED (
    SELECT {keys}, {values}, {held} AS {others}
    FROM {here} AS f
    INNER JOIN {aside} AS b ON {same}
    WHERE {untouched}{ours}{theirs}{chosen}
    FOR NO KEY UPDATE OF f
),

written AS (
    UPDATE {here} AS f SET {set}
    FROM batch
    WHERE {met} AND {untouched}{ours}
    RETURNING {keys}, {held} AS {others}
)

SELECT
    (SELECT count(*) FROM {aside} AS b WHERE true{theirs}{chosen}) AS read,
    (SELECT count(*) FROM written) AS written,
    (
        SELECT count(*)
        FROM written AS w
        WHERE NOT EXISTS (SELECT FROM batch WHERE {known} AND batch.{others} = w.{others})
    ) AS changed;

-- Columns that were copied, stayed, and were copied again, as where a step commits a part: what the earlier copy holds of
-- them is out of date. Gives the copies of which nothing is left.
UPDATE sidb.rollback_archived AS a
SET kept_columns = r.kept_columns, numbers = r.numbers
FROM (
    SELECT
        e.kept_as,
        coalesce(array_agg(u.name ORDER BY u.place) FILTER (WHERE u.number <> ALL(%(numbers)s::smallint [])), '{}')
            AS kept_columns,
        coalesce(array_agg(u.number ORDER BY u.place) FILTER (WHERE u.number <> ALL(%(numbers)s::smallint [])), '{}')
            AS numbers
    FROM sidb.rollback_archived AS e
    CROSS JOIN LATERAL unnest(e.kept_columns, e.numbers) WITH ORDINALITY AS u (name, number, place)
    WHERE
        e.rollback_id = %(rollback_id)s
        AND e.source = %(source)s::oid
        AND e.numbers && %(numbers)s::smallint []
        AND e.kept_as <> %(kept_as)s
    GROUP BY e.kept_as
) AS r
WHERE a.rollback_id = %(rollback_id)s AND a.kept_as = r.kept_as
RETURNING a.kept_as, a.kept_columns = '{}' AS is_empty;

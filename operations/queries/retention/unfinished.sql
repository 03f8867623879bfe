-- Tables set aside that are still to be exported or dropped, the oldest first. One that somebody has attached again is a
-- partition like any other.
SELECT
    e.expiry_id,
    e.aside,
    e.kept_from,
    e.directory,
    e.rows,
    e.sha256,
    e.started_at,
    c.oid IS NOT NULL AS is_there,
    coalesce(c.relispartition, false) AS is_attached
FROM sidb.expiry AS e
LEFT JOIN pg_class AS c ON c.oid = to_regclass(e.aside)
WHERE e.relation = %(relation)s AND e.aside IS NOT NULL AND e.finished_at IS NULL
ORDER BY e.expiry_id;

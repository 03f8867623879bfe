-- When rows of each table went last, and what is set aside and still there.
SELECT
    e.relation,
    max(e.finished_at) AS last,
    array_agg(substring(e.aside FROM '[.](.*)$') ORDER BY e.expiry_id) FILTER (
        WHERE e.finished_at IS NULL AND e.aside IS NOT NULL AND NOT coalesce(c.relispartition, false)
    ) AS aside
FROM sidb.expiry AS e
LEFT JOIN pg_class AS c ON c.oid = to_regclass(e.aside)
GROUP BY e.relation;

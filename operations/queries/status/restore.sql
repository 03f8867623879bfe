-- Archives of which a part is back and a part is not.
SELECT
    a.rollback_id AS archive,
    count(*) FILTER (WHERE a.state IN ('swapped', 'restored')) AS back,
    count(*) AS tables
FROM sidb.rollback_archived AS a
INNER JOIN sidb.rollback AS r ON r.rollback_id = a.rollback_id
WHERE r.phase IN ('done', 'aborted')
GROUP BY a.rollback_id
HAVING bool_or(a.state IN ('swapped', 'merging'))
ORDER BY a.rollback_id;

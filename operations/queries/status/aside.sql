-- Objects of others that finished or aborted rollbacks put aside, and that are not back.
SELECT d.rollback_id AS archive, r.target, array_agg(d.name ORDER BY d.place) AS names
FROM sidb.rollback_dependant AS d
INNER JOIN sidb.rollback AS r ON r.rollback_id = d.rollback_id
WHERE d.state IN ('aside', 'created') AND r.phase IN ('done', 'aborted')
GROUP BY d.rollback_id, r.target
ORDER BY d.rollback_id;

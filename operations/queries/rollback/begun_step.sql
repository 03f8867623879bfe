-- The catalog before the first of a rollback's attempts at undoing a revision, none of which was applied.
SELECT s.before FROM sidb.step AS s
WHERE
    s.revision = %(revision)s
    AND s.direction = 'downgrade'
    AND s.started >= %(started)s
    AND NOT EXISTS (
        SELECT FROM sidb.step AS a
        WHERE a.revision = s.revision AND a.direction = s.direction AND a.outcome = 'applied' AND a.step_id >= s.step_id
    )
ORDER BY s.step_id
LIMIT 1;

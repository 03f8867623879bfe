-- Archives whose counts of days before the horizon are not back, and hold events of this table: those of the archive that it
-- is in, or, if it is in use or went into a later one, those that stood in it when an archive was made without its events;
-- `since`: events that came later are not among them.
SELECT
    format('sidb_archive_%%s', a.rollback_id) AS archive,
    CASE WHEN s.schema <> format('sidb_archive_%%s', a.rollback_id) THEN r.started END AS since
FROM (SELECT %(schema)s::text AS schema, substring(%(schema)s::text FROM '^sidb_archive_([0-9]+)$')::bigint AS number) AS s
CROSS JOIN sidb.rollback_archived AS a
INNER JOIN sidb.rollback AS r ON r.rollback_id = a.rollback_id
WHERE
    a.relation = 'analytics.niche_daily_activity_kept'
    AND a.state = 'archived'
    AND to_regclass(format('sidb_archive_%%s.niche_daily_activity_kept', a.rollback_id)) IS NOT NULL
    AND to_regclass(format('sidb_archive_%%s.retention', a.rollback_id)) IS NOT NULL
    AND (
        a.rollback_id = s.number
        OR (
            coalesce(a.rollback_id < s.number, true)
            AND NOT EXISTS (
                SELECT FROM sidb.rollback_archived AS e
                WHERE e.rollback_id = a.rollback_id AND e.relation = 'analytics.analytics_events'
            )
        )
    )
ORDER BY a.rollback_id;

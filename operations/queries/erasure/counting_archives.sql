-- The archives that still hold counts of days before the horizon, and count events of this table: the archive that the table
-- is in; where it is in use, or in a later archive, those that were made without the events. `since`: when such an archive was
-- made, as events that came later are not counted in it.
SELECT
    format('sidb_archive_%%s', a.rollback_id) AS archive,
    CASE WHEN s.schema <> format('sidb_archive_%%s', a.rollback_id) THEN r.started END AS since
FROM (SELECT %(schema)s::text AS schema, substring(%(schema)s::text FROM '^sidb_archive_([0-9]+)$')::bigint AS number) AS s
CROSS JOIN sidb.rollback_archived AS a
INNER JOIN sidb.rollback AS r ON r.rollback_id = a.rollback_id
WHERE
    a.relation = 'analytics.niche_daily_activity_kept'
    AND a.kept_columns IS NULL  -- not a copy of its columns
    AND a.state = 'archived'
    AND to_regclass(format('sidb_archive_%%s.niche_daily_activity_kept', a.rollback_id)) IS NOT NULL
    AND to_regclass(format('sidb_archive_%%s.retention', a.rollback_id)) IS NOT NULL
    AND (
        a.rollback_id = s.number
        OR (
            coalesce(a.rollback_id < s.number, true)
            AND NOT EXISTS (
                SELECT FROM sidb.rollback_archived AS e
                WHERE
                    e.rollback_id = a.rollback_id
                    AND e.relation = 'analytics.analytics_events'
                    AND e.kept_columns IS NULL
            )
        )
    )
ORDER BY a.rollback_id;

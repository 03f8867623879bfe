-- Whether no relation of an archive has one of these names, and no record says so.
SELECT
    NOT EXISTS (
        SELECT FROM pg_class AS c
        INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
        WHERE n.nspname = %(archive)s AND c.relname = ANY(%(names)s)
    )
    AND NOT EXISTS (
        SELECT FROM sidb.rollback_archived AS a
        WHERE a.rollback_id = %(rollback_id)s AND a.kept_as = ANY(%(names)s)
    );

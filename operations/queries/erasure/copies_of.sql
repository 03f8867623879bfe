-- Copies of columns of these tables in archives, as far as they are there. Records of older code do not say under which
-- name: that was the table's own.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM sidb.rollback_archived AS a
INNER JOIN pg_namespace AS n ON n.nspname = format('sidb_archive_%%s', a.rollback_id)
INNER JOIN pg_class AS c
    ON c.relnamespace = n.oid AND c.relname = coalesce(to_jsonb(a) ->> 'kept_as', (parse_ident(a.relation))[2])
WHERE a.kept_columns IS NOT NULL AND a.relation = ANY(%(relations)s)
ORDER BY 1;

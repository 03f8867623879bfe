-- What an interrupted copy left: the tables with its triggers, and the functions and tables of it in the archive.
SELECT
    'table' AS kind,
    format('%%I.%%I', n.nspname, c.relname) AS name,
    string_agg(format('DROP TRIGGER %%I ON %%I.%%I', t.tgname, n.nspname, c.relname), '; ') AS removal
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON c.oid = t.tgrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgname = ANY(%(triggers)s) AND NOT t.tgisinternal AND t.tgparentid = 0
GROUP BY n.nspname, c.relname
UNION ALL
SELECT 'function', p.proname::text, format('DROP FUNCTION %%s', p.oid::regprocedure)
FROM pg_proc AS p
INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE n.nspname = %(archive)s AND p.prorettype = 'trigger'::regtype
UNION ALL
SELECT 'changes', c.relname::text, format('DROP TABLE %%I.%%I', n.nspname, c.relname)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    n.nspname = %(archive)s
    AND c.relkind = 'r'
    AND NOT c.relispartition
    AND (c.relname LIKE 'changed %%' OR c.relname = 'changed_niches' OR c.relname LIKE 'columns of %%')
    AND NOT EXISTS (  -- a copy that is finished; or a table that is called so, and is kept
        SELECT FROM sidb.rollback_archived AS a
        WHERE a.kept_as = c.relname AND format('sidb_archive_%%s', a.rollback_id) = n.nspname
    );

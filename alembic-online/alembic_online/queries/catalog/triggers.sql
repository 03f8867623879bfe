SELECT
    'trigger' AS kind,
    n.nspname AS schema,
    c.relname AS name,
    t.tgname AS part,
    concat(
        pg_get_triggerdef(t.oid),
        CASE
            WHEN t.tgenabled <> 'O' THEN format(
                E';\nALTER TABLE %s %s TRIGGER %I',
                c.oid::regclass,
                CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END,
                t.tgname
            )
        END
    ) AS definition,
    format('DROP TRIGGER %I ON %s', t.tgname, c.oid::regclass) AS removal,
    'pg_trigger'::regclass::oid AS classid,
    t.oid AS objid,
    0 AS objsubid
FROM pg_trigger AS t
INNER JOIN pg_class AS c ON c.oid = t.tgrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE t.tgrelid = ANY(:relations) AND NOT t.tgisinternal

-- One of these tables that is there: by name, as who may not use a schema may not look into it by to_regclass.
SELECT format('%%I.%%I', n.nspname, c.relname) AS name
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE format('%%s.%%s', n.nspname, c.relname) = ANY(%(names)s) AND c.relkind IN ('r', 'p')
ORDER BY name
LIMIT 1;

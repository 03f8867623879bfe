-- Which of these relations there are, by name: to_regclass refuses a role that may not use the schema.
SELECT format('%%s.%%s', n.nspname, c.relname) AS name
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE format('%%s.%%s', n.nspname, c.relname) = ANY(%(names)s::text []);

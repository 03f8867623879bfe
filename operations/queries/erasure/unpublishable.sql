-- Of these tables and their leaves, those of which a publication takes part that have nothing by which a deleted row
-- is told: PostgreSQL would refuse the DELETE.
SELECT format('%%I.%%I', n.nspname, c.relname)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_publication_tables AS p ON p.schemaname = n.nspname AND p.tablename = c.relname
WHERE
    c.oid = ANY(SELECT to_regclass(w.relation) FROM unnest(%(relations)s::text []) AS w (relation))
    AND c.relreplident = 'd'
    AND NOT EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = c.oid AND i.indisprimary)
GROUP BY 1;

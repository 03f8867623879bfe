-- Indexes, as the catalog calls them, that others have made on relations of which an earlier one is kept to take their
-- place again: the kept one has none of that name.
SELECT format('index %%s.%%s.%%s', n.nspname, c.relname, x.relname)
FROM unnest(%(relations)s::text []) AS named
INNER JOIN pg_class AS c ON c.oid = to_regclass(named)
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_class AS kept ON kept.relname = c.relname
INNER JOIN pg_namespace AS k ON k.oid = kept.relnamespace AND k.nspname = ANY(%(retained)s::text [])
INNER JOIN pg_index AS i ON i.indrelid = c.oid
INNER JOIN pg_class AS x ON x.oid = i.indexrelid
WHERE NOT EXISTS (
    SELECT FROM pg_index AS its
    INNER JOIN pg_class AS its_class ON its_class.oid = its.indexrelid
    WHERE its.indrelid = kept.oid AND its_class.relname = x.relname
);

-- Tables that are there, and the sequences that their columns own, by kind and name as the catalog calls them.
WITH tables AS (
    SELECT to_regclass(r.named)::oid AS oid FROM unnest(%(relations)s::text []) AS r (named)
)

SELECT 'table' AS kind, format('%%s.%%s', n.nspname, c.relname) AS name
FROM tables AS t
INNER JOIN pg_class AS c ON c.oid = t.oid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
UNION
SELECT 'sequence', format('%%s.%%s', n.nspname, s.relname)
FROM tables AS t
INNER JOIN pg_depend AS d
    ON d.refobjid = t.oid
    AND d.refclassid = 'pg_class'::regclass
    AND d.classid = 'pg_class'::regclass
    AND d.deptype IN ('a', 'i')
INNER JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
INNER JOIN pg_namespace AS n ON n.oid = s.relnamespace;

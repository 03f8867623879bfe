-- The sequences that give values to columns of our tables, counting upwards.
SELECT
    format('%%s.%%s', n.nspname, c.relname) AS relation,
    ARRAY[n.nspname, c.relname] AS counted,
    c.relkind = 'p' AS is_partitioned,
    a.attname AS column,
    ARRAY[sn.nspname, sc.relname] AS sequence,
    format('%%I.%%I', sn.nspname, sc.relname) AS name
FROM pg_sequence AS s
INNER JOIN pg_class AS sc ON sc.oid = s.seqrelid
INNER JOIN pg_namespace AS sn ON sn.oid = sc.relnamespace
INNER JOIN pg_depend AS d
    ON
        d.classid = 'pg_class'::regclass
        AND d.objid = s.seqrelid
        AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')
INNER JOIN pg_class AS c ON c.oid = d.refobjid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.refobjsubid
WHERE s.seqincrement > 0 AND c.oid = ANY(%(ours)s::oid [])
ORDER BY n.nspname, c.relname, a.attname;

-- The sequences that give values to columns of our tables, counting upwards: those that a column owns, and those that the
-- default of a unique column names.
WITH given AS (
    SELECT d.objid AS sequence, d.refobjid AS relation, d.refobjsubid::smallint AS attnum
    FROM pg_depend AS d
    WHERE
        d.classid = 'pg_class'::regclass
        AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')
        AND d.refobjsubid > 0
    UNION
    SELECT d.refobjid, e.adrelid, e.adnum
    FROM pg_attrdef AS e
    INNER JOIN pg_depend AS d
        ON d.classid = 'pg_attrdef'::regclass AND d.objid = e.oid AND d.refclassid = 'pg_class'::regclass
    INNER JOIN pg_class AS c ON c.oid = e.adrelid AND NOT c.relispartition -- a partition's rows are its table's
    WHERE
        d.refobjid <> e.adrelid
        AND EXISTS (SELECT FROM pg_index AS i WHERE i.indrelid = e.adrelid AND i.indisunique AND e.adnum = ANY(i.indkey))
)

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
INNER JOIN given AS g ON g.sequence = s.seqrelid
INNER JOIN pg_class AS c ON c.oid = g.relation
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = g.attnum
WHERE s.seqincrement > 0 AND c.oid = ANY(%(ours)s::oid [])
ORDER BY n.nspname, c.relname, a.attname;

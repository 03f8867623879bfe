-- Of these relations, the tables with their written columns, as this session sees them; attnum 0 is the table itself.
-- Columns that are inherited are told by their numbers at the table, and listed where that is asked for.
SELECT
    c.oid::bigint AS oid,
    coalesce(a.attnum, 0)::integer AS attnum,
    n.nspname::text AS schema,
    c.relname::text AS relation,
    a.attname::text AS column_name,
    format('%%I.%%I', n.nspname, c.relname) AS table_name,
    concat(format('%%I.%%I', n.nspname, c.relname), '.' || quote_ident(a.attname)) AS name,
    format_type(a.atttypid, a.atttypmod) AS type,
    c.relfilenode::bigint AS file,
    CASE
        WHEN a.attnum = 0 THEN (
            SELECT array_agg(p.attnum::integer)
            FROM pg_attribute AS p
            WHERE p.attrelid = c.oid AND p.attnum > 0 AND NOT p.attisdropped AND p.attgenerated = ''
                AND NOT p.attislocal AND p.attinhcount > 0
        )
    END AS inherited,
    CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END::bigint AS rows
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT 0 AS attnum, NULL::name AS attname, NULL::oid AS atttypid, NULL::integer AS atttypmod
    UNION ALL
    SELECT p.attnum, p.attname, p.atttypid, p.atttypmod
    FROM pg_attribute AS p
    WHERE p.attrelid = c.oid AND p.attnum > 0 AND NOT p.attisdropped AND p.attgenerated = ''
        AND (p.attislocal OR p.attinhcount = 0 OR %(inherited)s)
) AS a ON true
WHERE
    c.oid = ANY(%(oids)s)
    AND c.relkind IN ('r', 'p')
    AND c.relpersistence <> 't'
    AND n.nspname <> %(bookkeeping)s
    AND c.relname <> %(version_table)s
ORDER BY c.oid, a.attnum;

-- Of these relations, the tables with their written columns, as this session sees them; attnum 0 is the table itself.
-- A column that is inherited goes with its parent's, or by itself once its table is detached.
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
    a.inherited AS inherited,
    CASE WHEN c.reltuples > 0 THEN c.reltuples ELSE pg_stat_get_live_tuples(c.oid) END::bigint AS rows
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT 0 AS attnum, NULL::name AS attname, NULL::oid AS atttypid, NULL::integer AS atttypmod, false AS inherited
    UNION ALL
    SELECT p.attnum, p.attname, p.atttypid, p.atttypmod, NOT p.attislocal AND p.attinhcount > 0 AS inherited
    FROM pg_attribute AS p
    WHERE p.attrelid = c.oid AND p.attnum > 0 AND NOT p.attisdropped AND p.attgenerated = ''
) AS a ON true
WHERE
    c.oid = ANY(%(oids)s)
    AND c.relkind IN ('r', 'p')
    AND c.relpersistence <> 't'
    AND n.nspname <> %(bookkeeping)s
    AND c.relname <> %(version_table)s
ORDER BY c.oid, a.attnum;

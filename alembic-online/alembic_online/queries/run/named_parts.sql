-- Of the names, schema.relation or schema.relation.column, what is there of tables and columns.
SELECT
    c.oid::bigint AS oid,
    coalesce(a.attnum, 0)::integer AS attnum,
    n.nspname::text AS schema,
    c.relname::text AS relation,
    a.attname::text AS column_name,
    format('%%I.%%I', n.nspname, c.relname) AS table_name,
    concat(format('%%I.%%I', n.nspname, c.relname), '.' || quote_ident(a.attname)) AS name
FROM unnest(%(names)s::text []) AS given (name)
CROSS JOIN LATERAL (SELECT parse_ident(given.name) AS words) AS split
INNER JOIN pg_namespace AS n ON n.nspname = split.words[1]
INNER JOIN pg_class AS c ON c.relnamespace = n.oid AND c.relname = split.words[2]
LEFT JOIN pg_attribute AS a
    ON a.attrelid = c.oid AND a.attname = split.words[3] AND a.attnum > 0 AND NOT a.attisdropped
    AND a.attgenerated = ''
WHERE c.relkind IN ('r', 'p') AND (cardinality(split.words) = 2 OR a.attnum IS NOT NULL)
ORDER BY n.nspname, c.relname, a.attnum NULLS FIRST;

-- The index of this name on this table, as SQL writes them, if it is there and not valid.
SELECT format('%%I.%%I', n.nspname, c.relname) AS name
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indexrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE
    i.indrelid = to_regclass(%(table)s)
    AND c.relname = (parse_ident(%(index)s))[1]::name
    AND NOT i.indisvalid;

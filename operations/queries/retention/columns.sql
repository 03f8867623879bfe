-- The columns of a table in their order, but that which says who somebody is.
SELECT quote_ident(a.attname)
FROM pg_attribute AS a
WHERE a.attrelid = to_regclass(%(relation)s) AND a.attnum > 0 AND NOT a.attisdropped AND a.attname <> 'user_id'
ORDER BY a.attnum;

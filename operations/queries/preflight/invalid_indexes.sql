-- Indexes of this database that are not in force; ours: on tables that the migration works on.
SELECT
    i.indexrelid::regclass::text AS name,
    i.indrelid::regclass::text AS relation,
    coalesce(
        i.indrelid IN (to_regclass('public.features'), to_regclass('public.hot_niches_today'))
        OR c.relnamespace = to_regnamespace('analytics'),
        false
    ) AS ours
FROM pg_index AS i
INNER JOIN pg_class AS c ON c.oid = i.indrelid
WHERE NOT (i.indisvalid AND i.indisready AND i.indislive)
ORDER BY ours DESC, name;

-- The triggers of one relation.
SELECT
    t.tgname AS name,
    regexp_replace(pg_get_triggerdef(t.oid), '^CREATE TRIGGER \S+ ', '') AS definition,
    obj_description(t.oid, 'pg_trigger') AS meaning
FROM pg_trigger AS t
WHERE t.tgrelid = %(relation)s::regclass AND NOT t.tgisinternal
ORDER BY t.tgname

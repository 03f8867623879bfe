-- Triggers of others that fire when rows are inserted into a table or its partitions: those that fire before each row may
-- change it, the others may change it afterwards.
WITH RECURSIVE tree (oid) AS (
    SELECT to_regclass(%(relation)s)::oid
    UNION ALL
    SELECT i.inhrelid
    FROM tree
    INNER JOIN pg_inherits AS i ON i.inhparent = tree.oid
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
)

SELECT
    quote_ident(t.tgname) AS name,
    format('ALTER TABLE %%s DISABLE TRIGGER %%I', t.tgrelid::regclass, t.tgname) AS disabled
FROM tree
INNER JOIN pg_trigger AS t ON t.tgrelid = tree.oid
INNER JOIN pg_proc AS p ON p.oid = t.tgfoid
INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
WHERE
    NOT t.tgisinternal
    AND t.tgparentid = 0
    AND t.tgenabled IN ('O', 'A')
    AND t.tgtype & 4 > 0 -- INSERT
    AND (t.tgtype & 3 = 3) = %(before)s -- BEFORE, and FOR EACH ROW
    AND n.nspname <> 'analytics'
ORDER BY t.tgname, t.tgrelid

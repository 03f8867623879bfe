-- Transactions that have written to these tables, or to partitions or children of theirs, and have not ended.
WITH RECURSIVE tree AS (
    SELECT to_regclass(w.name)::oid AS oid FROM unnest(%(tables)s::text []) AS w (name)
    UNION
    SELECT i.inhrelid FROM pg_inherits AS i INNER JOIN tree AS t ON t.oid = i.inhparent
)

SELECT DISTINCT l.virtualtransaction AS transaction, coalesce('pid ' || l.pid, 'a prepared transaction') AS who
FROM pg_locks AS l
INNER JOIN tree AS t ON t.oid = l.relation
INNER JOIN pg_locks AS x
    ON x.virtualtransaction = l.virtualtransaction
    AND x.pid IS NOT DISTINCT FROM l.pid
    AND x.locktype = 'transactionid'
    AND x.granted
WHERE
    l.locktype = 'relation'
    AND l.mode = 'RowExclusiveLock'
    AND l.granted
    AND l.database = (SELECT d.oid FROM pg_database AS d WHERE d.datname = current_database())
    AND l.pid IS DISTINCT FROM pg_backend_pid();

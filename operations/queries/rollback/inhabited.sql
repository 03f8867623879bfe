-- Of our schemas, those that hold something of others: an extension's objects, a partition of a table elsewhere.
SELECT n.nspname
FROM pg_namespace AS n
WHERE
    n.nspname = ANY(%(schemas)s)
    AND (
        EXISTS (SELECT FROM pg_extension AS e WHERE e.extnamespace = n.oid)
        OR EXISTS (
            SELECT FROM pg_class AS c
            INNER JOIN pg_inherits AS i ON i.inhrelid = c.oid
            INNER JOIN pg_class AS parent ON parent.oid = i.inhparent
            INNER JOIN pg_namespace AS theirs ON theirs.oid = parent.relnamespace
            WHERE c.relispartition AND c.relnamespace = n.oid AND theirs.nspname <> ALL(%(schemas)s)
        )
    );

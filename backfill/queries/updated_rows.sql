-- Rows of a table, and of its partitions, that this session has updated. Names in full: the path is the application's.
WITH RECURSIVE tree (oid) AS (
    SELECT CAST(pg_catalog.to_regclass(:relation) AS pg_catalog.oid)
    UNION ALL
    SELECT i.inhrelid
    FROM tree
    INNER JOIN pg_catalog.pg_inherits AS i ON i.inhparent = tree.oid
    INNER JOIN pg_catalog.pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
)

SELECT CAST(pg_catalog.sum(pg_catalog.pg_stat_get_xact_tuples_updated(tree.oid)) AS pg_catalog.int8) FROM tree

-- What goes with these tables (attnum 0) and columns: their partitions, and the columns that are inherited from them.
WITH RECURSIVE tree AS (
    SELECT given.oid, given.attnum, a.attname, false AS is_within
    FROM unnest(%(oids)s::bigint [], %(attnums)s::integer []) AS given (oid, attnum)
    LEFT JOIN pg_attribute AS a ON a.attrelid = given.oid::oid AND a.attnum = given.attnum AND given.attnum > 0
    UNION
    SELECT c.oid::bigint AS oid, coalesce(a.attnum, 0)::integer AS attnum, a.attname, true AS is_within
    FROM tree AS t
    INNER JOIN pg_inherits AS i ON i.inhparent = t.oid::oid AND NOT i.inhdetachpending
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid
    LEFT JOIN pg_attribute AS a
        ON a.attrelid = c.oid AND a.attname = t.attname AND t.attnum > 0 AND NOT a.attislocal AND a.attinhcount > 0
    WHERE (t.attnum = 0 AND c.relispartition) OR a.attnum IS NOT NULL
)
SELECT DISTINCT t.oid, t.attnum
FROM tree AS t
WHERE t.is_within;

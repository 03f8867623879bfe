-- What gives a partitioned table a key while writers go on: each partition builds the index and has the key by itself;
-- the table then takes theirs over, in the place of what has its name, and reads no row. A primary key that is
-- exchanged is in the way of the partitions' until then.
WITH wanted AS (
    SELECT
        CAST(:table AS regclass) AS relation,
        CAST(:name AS text) AS name,
        CAST(:kind AS text) AS kind,
        CAST(:definition AS text) AS definition, -- as PostgreSQL prints it
        CAST(:options AS text) AS options, -- of the index
        CAST(:columns AS text) AS columns, -- of the index, and what follows them
        CAST(:timing AS text) AS timing,
        CAST(:addition AS text) AS addition -- to the table, with all of it
),

leaves AS (
    SELECT
        t.relid,
        format('%I.%I', n.nspname, named.name) AS index_name,
        format('CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS %I ON %s USING btree %s', named.name, t.relid::regclass, w.columns)
            AS build,
        format('ALTER TABLE %s ADD CONSTRAINT %I %s USING INDEX %I%s', t.relid::regclass, named.name, w.kind, named.name, w.timing)
            AS addition,
        w.kind = 'PRIMARY KEY' AND EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = t.relid AND k.contype = 'p') AS waits
    FROM wanted AS w
    CROSS JOIN pg_partition_tree(w.relation) AS t
    INNER JOIN pg_class AS c ON c.oid = t.relid
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    CROSS JOIN LATERAL (
        SELECT concat_ws('_', c.relname, w.name, left(md5(concat(w.definition, w.options)), 8)) AS whole
    ) AS long
    CROSS JOIN LATERAL (
        SELECT CASE WHEN octet_length(long.whole) < 64 THEN long.whole ELSE 'key_' || md5(long.whole) END AS name
    ) AS named
    WHERE
        t.isleaf
        AND NOT EXISTS (
            SELECT FROM pg_constraint AS own
            WHERE
                own.conrelid = t.relid
                AND own.contype IN ('p', 'u')
                AND own.conparentid = 0
                AND pg_get_constraintdef(own.oid) = w.definition
        )
),

here AS (
    SELECT
        format('ALTER TABLE %s DROP CONSTRAINT %I; ', w.relation, w.name) AS removal,
        pg_get_constraintdef(k.oid) = w.definition
        AND i.indisvalid
        AND concat(array_to_string(x.reloptions, ', ')) = w.options AS is_as_wanted
    FROM wanted AS w
    INNER JOIN pg_constraint AS k ON k.conrelid = w.relation AND k.conname = w.name
    INNER JOIN pg_index AS i ON i.indexrelid = k.conindid
    INNER JOIN pg_class AS x ON x.oid = i.indexrelid
),

todo AS (
    SELECT l.relid, s.number, s.statement
    FROM leaves AS l
    LEFT JOIN pg_index AS i ON i.indexrelid = to_regclass(l.index_name)
    CROSS JOIN LATERAL (
        VALUES
        (1, CASE WHEN NOT i.indisvalid THEN 'DROP INDEX CONCURRENTLY IF EXISTS ' || l.index_name END),
        (2, l.build),
        (3, CASE WHEN NOT l.waits THEN l.addition END)
    ) AS s (number, statement)
    UNION ALL
    SELECT
        NULL,
        4,
        concat(
            (SELECT h.removal FROM here AS h),
            (SELECT string_agg(l.addition || '; ', '' ORDER BY l.relid) FROM leaves AS l WHERE l.waits),
            format('ALTER TABLE %s ADD CONSTRAINT %I %s', w.relation, w.name, w.addition)
        )
    FROM wanted AS w
)

SELECT t.statement
FROM todo AS t
WHERE t.statement IS NOT NULL AND NOT coalesce((SELECT h.is_as_wanted FROM here AS h), false)
ORDER BY t.relid NULLS LAST, t.number

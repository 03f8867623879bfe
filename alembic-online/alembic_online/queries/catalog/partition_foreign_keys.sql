-- What gives a partitioned table a foreign key while writers go on: each partition has it by itself, NOT VALID and then
-- validated; the table then takes theirs over, in the place of what has its name, and reads no row.
WITH wanted AS MATERIALIZED (
    SELECT
        CAST(:table AS regclass) AS relation,
        CAST(:name AS text) AS name,
        CAST(:definition AS text) AS definition, -- as PostgreSQL prints it
        set_config('search_path', '', true) AS path -- for as long: every name is printed with its schema
),

keys AS MATERIALIZED (
    SELECT
        k.conrelid,
        k.conname,
        k.conparentid,
        k.convalidated,
        CASE WHEN w.path = '' THEN pg_get_constraintdef(k.oid) END AS definition,
        EXISTS (SELECT FROM pg_trigger AS t WHERE t.tgconstraint = k.oid AND t.tgisinternal AND t.tgenabled <> 'O') AS is_off
    FROM wanted AS w
    CROSS JOIN pg_partition_tree(w.relation) AS p
    INNER JOIN pg_constraint AS k ON k.conrelid = p.relid
),

leaves AS (
    SELECT
        t.relid,
        own.conname IS NULL AS lacks,
        coalesce(own.convalidated, false) AS is_validated,
        w.definition,
        coalesce(
            own.conname,
            CASE
                WHEN EXISTS (SELECT FROM keys AS k WHERE k.conrelid = t.relid AND k.conname = w.name)
                    THEN concat(left(w.name, 54), '_', left(md5(w.definition), 8))
                ELSE w.name
            END
        ) AS name
    FROM wanted AS w
    CROSS JOIN pg_partition_tree(w.relation) AS t
    LEFT JOIN keys AS own
        ON own.conrelid = t.relid
        AND own.conparentid = 0
        AND own.definition IN (w.definition, w.definition || ' NOT VALID')
        AND NOT own.is_off
    WHERE t.isleaf
),

here AS (
    SELECT format(' DROP CONSTRAINT %I,', w.name) AS removal, k.definition = w.definition AND NOT k.is_off AS is_as_wanted
    FROM wanted AS w
    INNER JOIN keys AS k ON k.conrelid = w.relation AND k.conname = w.name
),

todo AS (
    SELECT l.relid, s.number, s.statement
    FROM leaves AS l
    CROSS JOIN LATERAL (
        VALUES
        (1, CASE
            WHEN l.lacks THEN format('ALTER TABLE %s ADD CONSTRAINT %I %s NOT VALID', l.relid::regclass, l.name, l.definition)
        END),
        (2, CASE
            WHEN NOT l.is_validated THEN format('ALTER TABLE %s VALIDATE CONSTRAINT %I', l.relid::regclass, l.name)
        END)
    ) AS s (number, statement)
    UNION ALL
    SELECT
        NULL,
        3,
        format(
            'ALTER TABLE %s%s ADD CONSTRAINT %I %s', w.relation, (SELECT h.removal FROM here AS h), w.name, w.definition
        )
    FROM wanted AS w
)

SELECT t.statement
FROM todo AS t
WHERE t.statement IS NOT NULL AND NOT coalesce((SELECT h.is_as_wanted FROM here AS h), false)
ORDER BY t.relid NULLS LAST, t.number

-- Who uses what of ours: views and rules through their rewrite rule, columns through their default or expression.
-- A sequence uses the column that owns it; a table's row type stands for the table, an array for its elements, the
-- index of a key for the key, what checks a domain for the domain, a multirange for its range.
WITH partitions AS MATERIALIZED (
    SELECT c.oid
    FROM pg_inherits AS i
    INNER JOIN pg_class AS c ON c.oid = i.inhrelid AND c.relispartition
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace AND n.nspname = ANY(:schemas)
    INNER JOIN pg_class AS parent ON parent.oid = i.inhparent
    INNER JOIN pg_namespace AS pn ON pn.oid = parent.relnamespace AND pn.nspname = ANY(:schemas)
),

edges AS (
    SELECT
        CASE
            WHEN r.oid IS NOT NULL AND r.rulename = '_RETURN' THEN 'pg_class'::regclass
            WHEN e.oid IS NOT NULL THEN 'pg_class'::regclass
            WHEN indexed.oid IS NOT NULL THEN 'pg_constraint'::regclass
            WHEN composite.oid IS NOT NULL OR checked.oid IS NOT NULL THEN 'pg_type'::regclass
            ELSE d.classid
        END::oid AS classid,
        CASE
            WHEN r.rulename = '_RETURN' THEN r.ev_class
            ELSE coalesce(e.adrelid, indexed.oid, composite.reltype, checked.contypid, d.objid)
        END AS objid,
        CASE
            WHEN e.oid IS NOT NULL THEN e.adnum::integer
            WHEN composite.oid IS NOT NULL THEN 0
            ELSE d.objsubid
        END AS objsubid,
        CASE
            WHEN t.typrelid IS NOT NULL THEN 'pg_class'::regclass
            WHEN key.oid IS NOT NULL THEN 'pg_constraint'::regclass
            ELSE d.refclassid
        END::oid AS refclassid,
        coalesce(t.typrelid, key.oid, span.rngtypid, nullif(element.typelem, 0), d.refobjid) AS refobjid,
        d.refobjsubid
    FROM pg_depend AS d
    LEFT JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid
    LEFT JOIN pg_attrdef AS e ON d.classid = 'pg_attrdef'::regclass AND e.oid = d.objid
    LEFT JOIN pg_type AS element ON d.refclassid = 'pg_type'::regclass AND element.oid = d.refobjid
    LEFT JOIN pg_type AS t
        ON t.oid = CASE WHEN element.typelem <> 0 THEN element.typelem ELSE element.oid END
        AND t.typrelid <> 0
        AND NOT EXISTS (SELECT FROM pg_class AS own WHERE own.oid = t.typrelid AND own.relkind = 'c') -- a type by itself
    LEFT JOIN pg_range AS span ON span.rngmultitypid = coalesce(nullif(element.typelem, 0), element.oid)
    LEFT JOIN pg_class AS composite
        ON d.classid = 'pg_class'::regclass AND composite.oid = d.objid AND composite.relkind = 'c'
    LEFT JOIN pg_constraint AS checked
        ON d.classid = 'pg_constraint'::regclass AND checked.oid = d.objid AND checked.contypid <> 0
    LEFT JOIN pg_constraint AS key
        ON d.refclassid = 'pg_class'::regclass AND key.conindid = d.refobjid AND key.contype IN ('p', 'u', 'x')
    LEFT JOIN pg_constraint AS indexed
        ON d.classid = 'pg_class'::regclass AND indexed.conindid = d.objid AND indexed.contype IN ('p', 'u', 'x')
    LEFT JOIN pg_sequence AS s ON d.classid = 'pg_class'::regclass AND s.seqrelid = d.objid
    WHERE (d.deptype IN ('n', 'a') OR (d.deptype = 'i' AND s.seqrelid IS NOT NULL)) AND d.refobjid >= 16384
)

SELECT DISTINCT
    e.classid,
    e.objid,
    e.objsubid,
    e.refclassid,
    e.refobjid,
    e.refobjsubid,
    pg_describe_object(e.classid, e.objid, e.objsubid) AS described
FROM edges AS e
WHERE
    (e.classid, e.objid, e.objsubid) <> (e.refclassid, e.refobjid, e.refobjsubid)
    AND e.refobjid = ANY(:objects)
    AND e.classid <> 'pg_attrdef'::regclass
    -- what a table has by itself: its TOAST table, internal triggers, NOT NULL
    AND NOT EXISTS (
        SELECT FROM pg_class AS c
        WHERE e.classid = 'pg_class'::regclass AND c.oid = e.objid AND c.relkind = 't'
    )
    AND NOT EXISTS (
        SELECT FROM pg_trigger AS t
        WHERE e.classid = 'pg_trigger'::regclass AND t.oid = e.objid AND t.tgisinternal
    )
    AND NOT EXISTS (
        SELECT FROM pg_constraint AS k
        WHERE e.classid = 'pg_constraint'::regclass AND k.oid = e.objid AND k.contype = 'n'
    )
    -- and what a range type has by itself: its constructors, which depend on it in more than one way
    AND NOT EXISTS (
        SELECT FROM pg_depend AS i
        WHERE
            e.classid = 'pg_proc'::regclass
            AND i.classid = e.classid
            AND i.objid = e.objid
            AND i.deptype = 'i'
            AND i.refclassid = 'pg_type'::regclass
    )
    -- and our partitions, which come and go with their table
    AND (e.classid, e.objid) NOT IN (
        SELECT 'pg_class'::regclass::oid, p.oid FROM partitions AS p
        UNION ALL
        SELECT 'pg_constraint'::regclass, k.oid FROM pg_constraint AS k INNER JOIN partitions AS p ON p.oid = k.conrelid
        UNION ALL
        SELECT 'pg_trigger'::regclass, t.oid FROM pg_trigger AS t INNER JOIN partitions AS p ON p.oid = t.tgrelid
    )

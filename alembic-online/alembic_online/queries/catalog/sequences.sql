-- Sequences of the schema, but for those that an extension or a column of others owns, and those of our columns.
SELECT
    'sequence' AS kind,
    n.nspname AS schema,
    c.relname AS name,
    '' AS part,
    concat(
        format(
            'CREATE SEQUENCE %s AS %s INCREMENT BY %s MINVALUE %s MAXVALUE %s START WITH %s CACHE %s%s',
            c.oid::regclass, format_type(s.seqtypid, NULL), s.seqincrement, s.seqmin, s.seqmax, s.seqstart, s.seqcache,
            CASE WHEN s.seqcycle THEN ' CYCLE' END
        ),
        CASE
            WHEN owner.attrelid IS NOT NULL
                THEN format(E';\nALTER SEQUENCE %s OWNED BY %s.%I', c.oid::regclass, owner.table_name, owner.attname)
        END
    ) AS definition,
    format('DROP SEQUENCE %s', c.oid::regclass) AS removal,
    'pg_class'::regclass::oid AS classid,
    c.oid AS objid,
    0 AS objsubid
FROM pg_sequence AS s
INNER JOIN pg_class AS c ON c.oid = s.seqrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN LATERAL (
    SELECT a.attrelid, a.attrelid::regclass AS table_name, a.attname
    FROM pg_depend AS d
    INNER JOIN pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
    WHERE
        d.classid = 'pg_class'::regclass
        AND d.objid = c.oid
        AND d.refclassid = 'pg_class'::regclass
        AND d.deptype IN ('a', 'i')
) AS owner ON TRUE
WHERE
    owner.attrelid = ANY(:relations)
    OR (
        n.nspname = ANY(:schemas)
        AND owner.attrelid IS NULL
        AND NOT EXISTS (
            SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e'
        )
    )

-- What relations, indexes and routines have beyond what creates them, with the statement that sets it again; or, without
-- one, what no statement does. `part` is a column of a table; empty, of the object.
WITH relations AS (
    SELECT named.name, c.oid, c.oid::regclass AS called, c.relkind, c.reltablespace
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN unnest(CAST(:relations AS text [])) AS named (name) ON named.name = format('%s.%s', n.nspname, c.relname)
),

routines AS (
    SELECT named.name, p.oid
    FROM pg_proc AS p
    INNER JOIN unnest(CAST(:routines AS text [])) AS named (name) ON named.name = p.oid::regprocedure::text
),

objects AS (
    SELECT r.name, 'pg_class'::regclass AS classid, r.oid FROM relations AS r
    UNION ALL
    SELECT p.name, 'pg_proc'::regclass, p.oid FROM routines AS p
)

SELECT
    r.name,
    CASE WHEN r.relkind IN ('r', 'p', 'f') THEN a.attname ELSE '' END AS part,
    format(
        'ALTER %s %s ALTER COLUMN %s SET STATISTICS %s',
        CASE r.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'i' THEN 'INDEX' ELSE 'TABLE' END,
        r.called,
        CASE r.relkind WHEN 'i' THEN a.attnum::text ELSE quote_ident(a.attname) END,
        a.attstattarget
    ) AS statement,
    NULL AS obstacle
FROM relations AS r
INNER JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE coalesce(a.attstattarget, -1) >= 0 AND r.relkind <> 'v'
UNION ALL
SELECT r.name, '', NULL, format('it lies in tablespace %I', t.spcname)
FROM relations AS r
INNER JOIN pg_tablespace AS t ON t.oid = r.reltablespace
WHERE r.relkind IN ('i', 'm')
UNION ALL
SELECT o.name, coalesce(a.attname, ''), NULL, format('it has a security label of %s', s.provider)
FROM objects AS o
INNER JOIN pg_seclabel AS s ON s.classoid = o.classid AND s.objoid = o.oid
LEFT JOIN pg_attribute AS a
    ON s.objsubid > 0 AND a.attrelid = s.objoid AND a.attnum = s.objsubid
    AND EXISTS (SELECT FROM relations AS r WHERE r.oid = s.objoid AND r.relkind IN ('r', 'p', 'f'))
UNION ALL
SELECT o.name, '', NULL, format('it depends on extension %I', e.extname)
FROM objects AS o
INNER JOIN pg_depend AS d ON d.classid = o.classid AND d.objid = o.oid AND d.deptype = 'x'
INNER JOIN pg_extension AS e ON d.refclassid = 'pg_extension'::regclass AND e.oid = d.refobjid
UNION ALL
SELECT r.name, 'statistics ' || s.stxname, set_again.statement, NULL
FROM relations AS r
INNER JOIN pg_statistic_ext AS s ON s.stxrelid = r.oid
CROSS JOIN LATERAL (SELECT format('%I.%I', s.stxnamespace::regnamespace, s.stxname) AS name) AS called
CROSS JOIN LATERAL (
    VALUES
    (format('ALTER STATISTICS %s OWNER TO %I', called.name, pg_get_userbyid(s.stxowner))),
    (format('COMMENT ON STATISTICS %s IS %L', called.name, nullif(obj_description(s.oid, 'pg_statistic_ext'), ''))),
    (format('ALTER STATISTICS %s SET STATISTICS %s', called.name, nullif(s.stxstattarget, -1)))
) AS set_again (statement)
WHERE set_again.statement NOT LIKE '%IS NULL' AND set_again.statement NOT LIKE '%SET STATISTICS '

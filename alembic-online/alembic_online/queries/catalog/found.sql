-- Of others, beside what is ours: extensions' objects and partitions in our schemas, children of what we share; what
-- concerns whole schemas or the database.
WITH ours AS (
    SELECT c.oid, c.relnamespace, c.oid::regclass AS name
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE
        c.relkind IN ('r', 'p', 'v', 'm', 'f')
        AND (n.nspname = ANY(:schemas) OR format('%s.%s', n.nspname, c.relname) = ANY(:shared))
)

SELECT format('objects of extension %I in schema %I', e.extname, n.nspname)
FROM pg_extension AS e
INNER JOIN pg_depend AS d ON d.refclassid = 'pg_extension'::regclass AND d.refobjid = e.oid AND d.deptype = 'e'
LEFT JOIN pg_class AS c ON d.classid = 'pg_class'::regclass AND c.oid = d.objid
LEFT JOIN pg_proc AS p ON d.classid = 'pg_proc'::regclass AND p.oid = d.objid
LEFT JOIN pg_type AS t ON d.classid = 'pg_type'::regclass AND t.oid = d.objid
INNER JOIN pg_namespace AS n ON n.oid = coalesce(c.relnamespace, p.pronamespace, t.typnamespace)
WHERE n.nspname = ANY(:schemas)
UNION
SELECT format('partition %s of %s', c.oid::regclass, i.inhparent::regclass)
FROM pg_class AS c
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN pg_inherits AS i ON i.inhrelid = c.oid
WHERE
    c.relispartition
    AND c.relkind IN ('r', 'p', 'f')
    -- those of our tables that are in our schemas are ours
    AND (n.nspname = ANY(:schemas)) <> (i.inhparent IN (SELECT o.oid FROM ours AS o))
UNION
SELECT format('table %s, which inherits from %s', c.oid::regclass, i.inhparent::regclass)
FROM pg_inherits AS i
INNER JOIN pg_class AS c ON c.oid = i.inhrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
INNER JOIN ours AS o ON o.oid = i.inhparent
WHERE NOT c.relispartition AND c.relkind IN ('r', 'f') AND n.nspname <> ALL(:schemas)
UNION
SELECT format('publication %I', p.pubname)
FROM pg_publication AS p
WHERE
    p.puballtables
    OR EXISTS (SELECT FROM pg_publication_rel AS r INNER JOIN ours AS o ON o.oid = r.prrelid WHERE r.prpubid = p.oid)
    OR EXISTS (
        SELECT FROM pg_publication_namespace AS s
        INNER JOIN pg_namespace AS n ON n.oid = s.pnnspid
        WHERE
            s.pnpubid = p.oid
            AND (n.nspname = :bookkeeping OR n.oid IN (SELECT o.relnamespace FROM ours AS o))
    )
UNION
SELECT format('event trigger %I', e.evtname)
FROM pg_event_trigger AS e
WHERE e.evtenabled <> 'D'
UNION
SELECT format(
    'default privileges of %s%s', pg_get_userbyid(a.defaclrole), ' in schema ' || quote_ident(n.nspname)
)
FROM pg_default_acl AS a
LEFT JOIN pg_namespace AS n ON n.oid = a.defaclnamespace
WHERE n.oid IS NULL OR n.oid IN (SELECT o.relnamespace FROM ours AS o)
UNION
SELECT format('statistics target of column %s.%I', o.name, a.attname)
FROM pg_attribute AS a
INNER JOIN ours AS o ON o.oid = a.attrelid
WHERE a.attnum > 0 AND NOT a.attisdropped AND coalesce(a.attstattarget, -1) >= 0
UNION
SELECT format('statistics target of column %s of index %s', a.attnum, a.attrelid::regclass)
FROM pg_attribute AS a
INNER JOIN pg_index AS i ON i.indexrelid = a.attrelid
INNER JOIN ours AS o ON o.oid = i.indrelid
WHERE coalesce(a.attstattarget, -1) >= 0
UNION
SELECT format('statistics target of statistics %s.%I', s.stxnamespace::regnamespace, s.stxname)
FROM pg_statistic_ext AS s
INNER JOIN ours AS o ON o.oid = s.stxrelid
WHERE coalesce(s.stxstattarget, -1) >= 0

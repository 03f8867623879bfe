-- Everything that PostgreSQL stores about what is not its own: one row an object, with all that could differ.
WITH schemas AS (
    SELECT n.oid, n.nspname, n.nspowner, n.nspacl
    FROM pg_namespace AS n
    WHERE n.nspname NOT IN ('information_schema', 'sidb') AND n.nspname NOT LIKE 'pg\_%'
),

relations AS (
    SELECT c.*
    FROM pg_class AS c
    INNER JOIN schemas AS s ON s.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S', 'f')
),

objects (classid, objid, objsubid, definition) AS (
    SELECT 'pg_namespace'::regclass, s.oid, 0, jsonb_build_object(
        'owner', s.nspowner::regrole, 'privileges', coalesce(s.nspacl, acldefault('n', s.nspowner))
    )
    FROM schemas AS s
    UNION ALL
    SELECT 'pg_class'::regclass, r.oid, 0, jsonb_build_object(
        'kind', r.relkind,
        'owner', r.relowner::regrole,
        'privileges', coalesce(r.relacl, acldefault(CASE r.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", r.relowner)),
        'options', r.reloptions,
        'persistence', r.relpersistence,
        'populated', r.relispopulated,
        'row security', ARRAY[r.relrowsecurity, r.relforcerowsecurity],
        'replica identity', r.relreplident,
        'query', CASE WHEN r.relkind IN ('v', 'm') THEN pg_get_viewdef(r.oid) END,
        'sequence', (
            SELECT to_jsonb(q) - 'seqrelid' || jsonb_build_object('of', pg_get_serial_sequence_owner.owner)
            FROM pg_sequence AS q
            CROSS JOIN LATERAL (
                SELECT max(pg_describe_object(d.refclassid, d.refobjid, d.refobjsubid)) AS owner
                FROM pg_depend AS d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = q.seqrelid AND d.deptype IN ('a', 'i')
            ) AS pg_get_serial_sequence_owner
            WHERE q.seqrelid = r.oid
        )
    )
    FROM relations AS r
    UNION ALL
    SELECT 'pg_class'::regclass, a.attrelid, a.attnum, jsonb_build_object(
        'place', row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum),
        'type', format_type(a.atttypid, a.atttypmod),
        'not null', a.attnotnull,
        'identity', a.attidentity,
        'generated', a.attgenerated,
        'collation', a.attcollation::regcollation,
        'default', pg_get_expr(d.adbin, d.adrelid),
        'privileges', a.attacl
    )
    FROM relations AS r
    INNER JOIN pg_attribute AS a ON a.attrelid = r.oid AND a.attnum > 0 AND NOT a.attisdropped
    LEFT JOIN pg_attrdef AS d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
    WHERE r.relkind <> 'S'
    UNION ALL
    SELECT 'pg_class'::regclass, i.indexrelid, 0, jsonb_build_object(
        'index', pg_get_indexdef(i.indexrelid), 'valid', i.indisvalid, 'ready', i.indisready, 'clustered', i.indisclustered,
        'replica identity', i.indisreplident
    )
    FROM pg_index AS i
    INNER JOIN relations AS r ON r.oid = i.indrelid
    UNION ALL
    SELECT 'pg_constraint'::regclass, k.oid, 0, jsonb_build_object(
        'constraint', pg_get_constraintdef(k.oid), 'validated', k.convalidated
    )
    FROM pg_constraint AS k
    INNER JOIN schemas AS s ON s.oid = k.connamespace
    UNION ALL
    SELECT 'pg_trigger'::regclass, t.oid, 0, jsonb_build_object('trigger', pg_get_triggerdef(t.oid), 'on', t.tgenabled)
    FROM pg_trigger AS t
    INNER JOIN relations AS r ON r.oid = t.tgrelid
    WHERE NOT t.tgisinternal
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, jsonb_build_object(
        'function', pg_get_functiondef(p.oid),
        'owner', p.proowner::regrole,
        'privileges', coalesce(p.proacl, acldefault('f', p.proowner))
    )
    FROM pg_proc AS p
    INNER JOIN schemas AS s ON s.oid = p.pronamespace
    WHERE p.prokind <> 'a'
    UNION ALL
    SELECT 'pg_policy'::regclass, p.oid, 0, jsonb_build_object(
        'command', p.polcmd, 'using', pg_get_expr(p.polqual, p.polrelid), 'check', pg_get_expr(p.polwithcheck, p.polrelid)
    )
    FROM pg_policy AS p
    UNION ALL
    SELECT 'pg_default_acl'::regclass, a.oid, 0, jsonb_build_object('privileges', a.defaclacl)
    FROM pg_default_acl AS a
)

SELECT
    pg_describe_object(classid, objid, objsubid) AS object,
    definition || jsonb_build_object(
        'comment', (
            SELECT c.description
            FROM pg_description AS c
            WHERE c.classoid = objects.classid AND c.objoid = objects.objid AND c.objsubid = objects.objsubid
        )
    ) AS definition
FROM objects;

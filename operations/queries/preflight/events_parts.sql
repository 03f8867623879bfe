-- What others have on the table of events, or changed of it, that another table in its place would not have: in the way of
-- partitioning it, and of the way back. How it is taken off, and what makes it again afterwards ('': nothing need be);
-- what is missing, as the catalog calls it, which an earlier step may make.
WITH events AS (
    SELECT c.oid, c.relkind, c.oid::regclass AS name, c.relreplident, c.relpersistence
    FROM pg_class AS c
    WHERE c.oid = to_regclass('analytics.analytics_events') AND c.relkind IN ('r', 'p')
),

ours (name, definition) AS (
    VALUES
    ('idx_analytics_events_timestamp', '(event_timestamp)'),
    ('idx_analytics_events_type_source', '(event_type, event_source)'),
    ('idx_analytics_events_niche_id', '(niche_id)'),
    ('idx_analytics_events_user_id', '(user_id)'),
    ('idx_analytics_events_niche_history', '(niche_id, event_type, event_timestamp)')
),

indexes AS (
    SELECT
        i.indrelid, i.indexrelid, i.indisvalid, i.indexrelid::regclass AS called, x.relname::text AS name,
        replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ') AS definition,
        EXISTS (
            SELECT FROM pg_constraint AS k WHERE k.conindid = i.indexrelid AND k.contype IN ('p', 'u', 'x')
        ) AS of_constraint
    FROM events AS e
    INNER JOIN pg_index AS i ON i.indrelid = e.oid
    INNER JOIN pg_class AS x ON x.oid = i.indexrelid
),

parts AS (
    SELECT
        format('index %s on events is not ours', i.called) AS what,
        format('DROP INDEX %s%s', CASE e.relkind WHEN 'r' THEN 'CONCURRENTLY ' END, i.called) AS remedy,
        i.definition AS afterwards
    FROM events AS e
    INNER JOIN indexes AS i ON i.indrelid = e.oid
    WHERE
        NOT i.of_constraint
        AND i.name NOT IN (SELECT o.name FROM ours AS o)
        -- what an interrupted run left
        AND NOT (i.name = 'analytics_events_key' AND i.definition ~ '^CREATE UNIQUE INDEX \S+ ON \S+ USING btree \(event_id, event_timestamp\)$')
    UNION ALL
    SELECT
        format('constraint %I on events is not ours, or not as another table may have it', k.conname),
        format('ALTER TABLE %s DROP CONSTRAINT %I', e.name, k.conname),
        format('ALTER TABLE %s ADD CONSTRAINT %I %s', e.name, k.conname, pg_get_constraintdef(k.oid))
    FROM events AS e
    INNER JOIN pg_constraint AS k ON k.conrelid = e.oid AND k.conparentid = 0
    WHERE
        k.conname NOT IN ('analytics_events_pkey', 'analytics_events_niche_id_fkey', 'analytics_events_bound')
        AND (k.contype IN ('f', 'p', 'u', 'x') OR (k.contype IN ('c', 'n') AND e.relkind = 'r' AND (k.connoinherit OR NOT k.convalidated)))
    UNION ALL
    SELECT
        format('constraint %s on events is not there', named.name),
        '`alembic check` names it; make it again',
        ''
    FROM events AS e
    CROSS JOIN (VALUES ('analytics_events_pkey'), ('analytics_events_niche_id_fkey')) AS named (name)
    WHERE NOT EXISTS (SELECT FROM pg_constraint AS k WHERE k.conrelid = e.oid AND k.conname = named.name)
    UNION ALL
    SELECT
        format('trigger %I on events is not ours', t.tgname),
        format('DROP TRIGGER %I ON %s', t.tgname, e.name),
        concat(
            pg_get_triggerdef(t.oid),
            CASE WHEN t.tgenabled <> 'O' THEN format(
                '; ALTER TABLE %s %s TRIGGER %I',
                e.name,
                CASE t.tgenabled WHEN 'D' THEN 'DISABLE' WHEN 'R' THEN 'ENABLE REPLICA' ELSE 'ENABLE ALWAYS' END,
                t.tgname
            ) END
        )
    FROM events AS e
    INNER JOIN pg_trigger AS t ON t.tgrelid = e.oid AND NOT t.tgisinternal
    WHERE t.tgfoid IS DISTINCT FROM to_regprocedure('analytics.record_event_activity()')::oid
    UNION ALL
    SELECT
        format('rule %I on events is not ours', r.rulename),
        format('DROP RULE %I ON %s', r.rulename, e.name),
        rtrim(pg_get_ruledef(r.oid), ';')
    FROM events AS e
    INNER JOIN pg_rewrite AS r ON r.ev_class = e.oid
    UNION ALL
    SELECT
        format('policy %I on events is not ours', p.polname),
        format('DROP POLICY %I ON %s', p.polname, e.name),
        concat(
            format('CREATE POLICY %I ON %s', p.polname, e.name),
            CASE WHEN NOT p.polpermissive THEN ' AS RESTRICTIVE' END,
            CASE p.polcmd
                WHEN 'r' THEN ' FOR SELECT' WHEN 'a' THEN ' FOR INSERT' WHEN 'w' THEN ' FOR UPDATE' WHEN 'd' THEN ' FOR DELETE'
            END,
            (
                SELECT ' TO ' || string_agg(CASE r WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(r)) END, ', ' ORDER BY r)
                FROM unnest(p.polroles) AS r
            ),
            ' USING (' || pg_get_expr(p.polqual, p.polrelid) || ')',
            ' WITH CHECK (' || pg_get_expr(p.polwithcheck, p.polrelid) || ')'
        )
    FROM events AS e
    INNER JOIN pg_policy AS p ON p.polrelid = e.oid
    UNION ALL
    SELECT
        'row security of events is not as that of the first partition, which is to be the table again',
        format('ALTER TABLE %s %s', e.name, switched.off),
        format('ALTER TABLE %s %s', e.name, switched.again)
    FROM events AS e
    INNER JOIN pg_class AS c ON c.oid = e.oid
    INNER JOIN pg_class AS p ON p.oid = to_regclass('analytics_partitions.analytics_events_first')
    CROSS JOIN LATERAL (
        VALUES
        (c.relrowsecurity, p.relrowsecurity, 'DISABLE ROW LEVEL SECURITY', 'ENABLE ROW LEVEL SECURITY'),
        (c.relforcerowsecurity, p.relforcerowsecurity, 'NO FORCE ROW LEVEL SECURITY', 'FORCE ROW LEVEL SECURITY')
    ) AS switched (is_on, was_on, off, again)
    WHERE e.relkind = 'p' AND switched.is_on AND NOT switched.was_on
    UNION ALL
    SELECT
        format('statistics %s of events are not ours', called.name),
        format('DROP STATISTICS %s', called.name),
        pg_get_statisticsobjdef(s.oid)
    FROM events AS e
    INNER JOIN pg_statistic_ext AS s ON s.stxrelid = e.oid
    CROSS JOIN LATERAL (SELECT format('%I.%I', s.stxnamespace::regnamespace, s.stxname) AS name) AS called
    UNION ALL
    SELECT
        format('column %I of events is an identity', a.attname),
        format('ALTER TABLE %s ALTER COLUMN %I DROP IDENTITY', e.name, a.attname),
        ''
    FROM events AS e
    INNER JOIN pg_attribute AS a ON a.attrelid = e.oid AND a.attidentity <> '' AND NOT a.attisdropped
    UNION ALL
    SELECT
        format('sequence %s belongs to a column of events that is not ours', d.objid::regclass),
        format('ALTER SEQUENCE %s OWNED BY NONE', d.objid::regclass),
        format('ALTER SEQUENCE %s OWNED BY %s.%I', d.objid::regclass, e.name, a.attname)
    FROM events AS e
    INNER JOIN pg_depend AS d ON d.refobjid = e.oid AND d.classid = 'pg_class'::regclass AND d.deptype = 'a' AND d.refobjsubid > 0
    INNER JOIN pg_class AS s ON s.oid = d.objid AND s.relkind = 'S'
    INNER JOIN pg_attribute AS a ON a.attrelid = e.oid AND a.attnum = d.refobjsubid AND a.attname <> 'event_id'
    UNION ALL
    SELECT
        'sequence analytics.analytics_events_event_id_seq of events is not there',
        '`alembic check` names what is different; make it again',
        ''
    FROM events AS e
    WHERE to_regclass('analytics.analytics_events_event_id_seq') IS NULL
    UNION ALL
    SELECT
        'events are UNLOGGED',
        format('ALTER TABLE %s SET LOGGED, which writes it anew', e.name),
        ''
    FROM events AS e
    WHERE e.relpersistence = 'u'
    UNION ALL
    SELECT
        format('the replica identity of events is index %s', i.called),
        format('ALTER TABLE %s REPLICA IDENTITY DEFAULT, which is the key', e.name),
        ''
    FROM events AS e
    INNER JOIN indexes AS i ON i.indrelid = e.oid
    INNER JOIN pg_index AS x ON x.indexrelid = i.indexrelid
    WHERE x.indisreplident AND e.relkind = 'r' AND e.relreplident = 'i'
    UNION ALL
    SELECT
        format('the comment on index %s of events would not go over', i.called),
        format('COMMENT ON INDEX %s IS NULL', i.called),
        format('COMMENT ON INDEX %s IS %L', i.called, obj_description(i.indexrelid, 'pg_class'))
    FROM events AS e
    INNER JOIN indexes AS i ON i.indrelid = e.oid
    WHERE obj_description(i.indexrelid, 'pg_class') IS NOT NULL
    UNION ALL
    SELECT
        format('the comment on constraint %I of events would not go over', k.conname),
        format('COMMENT ON CONSTRAINT %I ON %s IS NULL', k.conname, e.name),
        format('COMMENT ON CONSTRAINT %I ON %s IS %L', k.conname, e.name, obj_description(k.oid, 'pg_constraint'))
    FROM events AS e
    INNER JOIN pg_constraint AS k ON k.conrelid = e.oid AND k.contype <> 'c'
    WHERE obj_description(k.oid, 'pg_constraint') IS NOT NULL
    UNION ALL
    SELECT
        format('the name of %s is needed for a partition of events', c.oid::regclass),
        format('ALTER %s %s RENAME TO …', CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'i' THEN 'INDEX' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, c.oid::regclass),
        ''
    FROM events AS e
    INNER JOIN pg_class AS c ON c.relnamespace = to_regnamespace('analytics_partitions') AND c.relname ~ '^analytics_events(_first|_default|_\d{4}_\d\d)?$'
    LEFT JOIN pg_inherits AS h ON h.inhrelid = c.oid
    -- what an interrupted run left is dropped by the next one
    WHERE
        e.relkind = 'r'
        AND NOT (c.relname = 'analytics_events' AND c.relkind = 'p')
        AND (h.inhparent IS NULL OR h.inhparent IS DISTINCT FROM to_regclass('analytics_partitions.analytics_events'))
    UNION ALL
    SELECT
        format('schema analytics_partitions belongs to %s', pg_get_userbyid(n.nspowner)),
        'rename it; or have its owner give it to the role that migrates',
        ''
    FROM events AS e
    INNER JOIN pg_namespace AS n ON n.nspname = 'analytics_partitions' AND NOT pg_has_role(n.nspowner, 'USAGE')
    WHERE e.relkind = 'r'
    UNION ALL
    SELECT
        format('partition %s of events lies in another schema', c.oid::regclass),
        format('ALTER TABLE %s SET SCHEMA analytics_partitions', c.oid::regclass),
        ''
    FROM events AS e
    INNER JOIN pg_inherits AS h ON h.inhparent = e.oid
    INNER JOIN pg_class AS c ON c.oid = h.inhrelid AND c.relispartition
    WHERE c.relnamespace IS DISTINCT FROM to_regnamespace('analytics_partitions')
    UNION ALL
    SELECT
        format('table %s inherits from events', h.inhrelid::regclass),
        format('ALTER TABLE %s NO INHERIT %s', h.inhrelid::regclass, e.name),
        ''
    FROM events AS e
    INNER JOIN pg_inherits AS h ON h.inhparent = e.oid
    WHERE e.relkind = 'r'
),

-- the partition of the rows that are there keeps these
settings (what, set_on) AS (
    SELECT 'storage parameters', r.oid FROM pg_class AS r WHERE r.reloptions IS NOT NULL
    UNION ALL
    SELECT 'storage parameters of TOAST', r.oid
    FROM pg_class AS r
    INNER JOIN pg_class AS t ON t.oid = r.reltoastrelid AND t.reloptions IS NOT NULL
    UNION ALL
    SELECT format('options of column %I', a.attname), a.attrelid FROM pg_attribute AS a WHERE a.attoptions IS NOT NULL
    UNION ALL
    SELECT format('the statistics target of column %I', a.attname), a.attrelid
    FROM pg_attribute AS a
    WHERE a.attnum > 0 AND NOT a.attisdropped AND coalesce(a.attstattarget, -1) >= 0
    UNION ALL
    SELECT 'the replica identity', r.oid FROM pg_class AS r WHERE r.relreplident IN ('f', 'n')
    UNION ALL
    SELECT 'the index of CLUSTER', i.indrelid FROM pg_index AS i WHERE i.indisclustered
    UNION ALL
    SELECT format('tablespace %I', t.spcname), r.oid
    FROM pg_class AS r
    INNER JOIN pg_tablespace AS t ON t.oid = r.reltablespace
)

SELECT p.what, p.remedy, p.afterwards, true AS stops, '' AS missing
FROM parts AS p
UNION ALL
SELECT
    format('index analytics.%I on events is not there, is another one, or is invalid', o.name),
    concat(
        'DROP INDEX CONCURRENTLY ' || i.called || '; ',
        format('CREATE INDEX CONCURRENTLY %I ON %s %s', o.name, e.name, o.definition)
    ),
    '',
    true,
    format('index analytics.analytics_events.%s', o.name)
FROM events AS e
CROSS JOIN ours AS o
LEFT JOIN indexes AS i ON i.name = o.name
WHERE e.relkind = 'r' AND (i.indisvalid AND i.definition LIKE '% USING btree ' || o.definition) IS NOT true
UNION ALL
SELECT
    format('%s of events: months to come get none of it', string_agg(s.what, ', ' ORDER BY s.what)),
    'the partition with the rows of today keeps it; set it on the others in schema analytics_partitions afterwards',
    '',
    false,
    ''
FROM events AS e
INNER JOIN settings AS s ON s.set_on = e.oid
WHERE e.relkind = 'r'
HAVING count(*) > 0
ORDER BY stops DESC, what;

    -- What others have on the table, which another one in its place would not have.
    SELECT string_agg(DISTINCT named.what, ', ' ORDER BY named.what)
    INTO found
    FROM (
        SELECT pg_describe_object('pg_class'::regclass, i.indexrelid, 0) AS what
        FROM pg_index AS i
        INNER JOIN pg_class AS x ON x.oid = i.indexrelid
        WHERE
            i.indrelid = to_regclass('analytics.analytics_events')
            AND x.relname NOT IN (
                'idx_analytics_events_timestamp', 'idx_analytics_events_type_source', 'idx_analytics_events_niche_id',
                'idx_analytics_events_user_id', 'idx_analytics_events_niche_history', 'analytics_events_pkey'
            )
            -- what an interrupted run left
            AND NOT (
                x.relname = 'analytics_events_key'
                AND pg_get_indexdef(i.indexrelid) ~ '^CREATE UNIQUE INDEX \S+ ON \S+ USING btree \(event_id, event_timestamp\)$'
            )
        UNION ALL
        SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0)
        FROM pg_constraint AS k
        INNER JOIN pg_class AS c ON c.oid = k.conrelid
        WHERE
            k.conrelid = to_regclass('analytics.analytics_events')
            AND k.conparentid = 0
            AND k.conname NOT IN ('analytics_events_pkey', 'analytics_events_niche_id_fkey', 'analytics_events_bound')
            AND (
                k.contype IN ('f', 'p', 'u', 'x')
                OR (k.contype IN ('c', 'n') AND c.relkind = 'r' AND (k.connoinherit OR NOT k.convalidated))
            )
        UNION ALL
        SELECT pg_describe_object('pg_trigger'::regclass, t.oid, 0)
        FROM pg_trigger AS t
        WHERE
            t.tgrelid = to_regclass('analytics.analytics_events')
            AND NOT t.tgisinternal
            AND t.tgname NOT IN (
                'analytics_events_inserted', 'analytics_events_updated', 'analytics_events_deleted',
                'analytics_events_truncated'
            )
        UNION ALL
        SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0)
        FROM pg_rewrite AS r
        WHERE r.ev_class = to_regclass('analytics.analytics_events')
        UNION ALL
        SELECT pg_describe_object('pg_class'::regclass, r.ev_class, 0)
        FROM pg_depend AS d
        INNER JOIN pg_rewrite AS r ON d.classid = 'pg_rewrite'::regclass AND r.oid = d.objid AND r.ev_class <> d.refobjid
        WHERE d.refobjid = to_regclass('analytics.analytics_events')
        UNION ALL
        SELECT pg_describe_object(d.classid, d.objid, 0)
        FROM pg_depend AS d
        LEFT JOIN pg_type AS t ON t.typrelid = to_regclass('analytics.analytics_events')
        WHERE
            d.classid IN ('pg_proc'::regclass, 'pg_policy'::regclass, 'pg_statistic_ext'::regclass)
            AND (
                d.refobjid = to_regclass('analytics.analytics_events')
                OR (d.refclassid = 'pg_type'::regclass AND d.refobjid IN (t.oid, t.typarray))
            )
        UNION ALL
        SELECT pg_describe_object('pg_constraint'::regclass, k.oid, 0)
        FROM pg_constraint AS k
        WHERE k.contype = 'f' AND k.confrelid = to_regclass('analytics.analytics_events') AND k.conparentid = 0
        UNION ALL
        SELECT pg_describe_object('pg_class'::regclass, i.inhrelid, 0)
        FROM pg_inherits AS i
        INNER JOIN pg_class AS c ON c.oid = i.inhparent AND c.relkind = 'r'
        WHERE i.inhparent = to_regclass('analytics.analytics_events')
        UNION ALL
        SELECT format('identity of %s', pg_describe_object('pg_class'::regclass, a.attrelid, a.attnum))
        FROM pg_attribute AS a
        WHERE a.attrelid = to_regclass('analytics.analytics_events') AND a.attidentity <> '' AND NOT a.attisdropped
        UNION ALL
        SELECT pg_describe_object(d.classid, d.objid, 0)
        FROM pg_depend AS d
        INNER JOIN pg_class AS s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid AND s.relkind = 'S'
        WHERE
            d.refobjid = to_regclass('analytics.analytics_events')
            AND d.deptype = 'a'
            AND d.objid IS DISTINCT FROM to_regclass('analytics.analytics_events_event_id_seq')::oid
        UNION ALL
        SELECT format('replica identity by %s', pg_describe_object('pg_class'::regclass, i.indexrelid, 0))
        FROM pg_index AS i
        WHERE i.indrelid = to_regclass('analytics.analytics_events') AND i.indisreplident
    ) AS named;

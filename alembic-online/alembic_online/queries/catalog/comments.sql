-- Comments on everything that is ours, which schema public itself is not; part names what of the object is commented, as
-- in "column order_id".
WITH noted AS MATERIALIZED (
    -- by its index: PostgreSQL's own are thousands
    SELECT d.classoid, d.objoid, d.objsubid, d.description FROM pg_description AS d WHERE d.objoid >= 16384
),

described AS (
    SELECT d.classoid, d.objoid, d.objsubid, d.description, c.oid AS relation, a.attname AS part, 'column' AS kind
    FROM noted AS d
    INNER JOIN pg_class AS c ON c.oid = d.objoid
    LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    WHERE d.classoid = 'pg_class'::regclass AND c.oid = ANY(:relations)
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, i.indrelid, c.relname, 'index'
    FROM noted AS d
    INNER JOIN pg_index AS i ON i.indexrelid = d.objoid
    INNER JOIN pg_class AS c ON c.oid = d.objoid
    WHERE d.classoid = 'pg_class'::regclass AND i.indrelid = ANY(:relations)
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, k.conrelid, k.conname, 'constraint'
    FROM noted AS d
    INNER JOIN pg_constraint AS k ON k.oid = d.objoid
    WHERE d.classoid = 'pg_constraint'::regclass AND k.conrelid = ANY(:relations)
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, t.tgrelid, t.tgname, 'trigger'
    FROM noted AS d
    INNER JOIN pg_trigger AS t ON t.oid = d.objoid
    WHERE d.classoid = 'pg_trigger'::regclass AND t.tgrelid = ANY(:relations)
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, p.polrelid, p.polname, 'policy'
    FROM noted AS d
    INNER JOIN pg_policy AS p ON p.oid = d.objoid
    WHERE d.classoid = 'pg_policy'::regclass AND p.polrelid = ANY(:relations)
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, r.ev_class, r.rulename, 'rule'
    FROM noted AS d
    INNER JOIN pg_rewrite AS r ON r.oid = d.objoid
    WHERE d.classoid = 'pg_rewrite'::regclass AND r.ev_class = ANY(:relations)
    UNION ALL
    SELECT d.classoid, d.objoid, d.objsubid, d.description, s.stxrelid, s.stxname, 'statistics'
    FROM noted AS d
    INNER JOIN pg_statistic_ext AS s ON s.oid = d.objoid
    WHERE d.classoid = 'pg_statistic_ext'::regclass AND s.stxrelid = ANY(:relations)
),

named AS (
    SELECT
        n.nspname AS schema,
        c.relname::text AS name, -- as name, it would cut off what is longer below
        CASE
            WHEN s.part IS NOT NULL THEN s.kind || ' ' || s.part
            WHEN c.relkind = 'v' THEN 'view'
            WHEN c.relkind = 'm' THEN 'materialized_view'
            ELSE 'table'
        END AS part,
        CASE
            WHEN s.part IS NULL THEN
                format(
                    '%s %s',
                    CASE c.relkind
                        WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'f' THEN 'FOREIGN TABLE' ELSE 'TABLE'
                    END,
                    s.relation::regclass
                )
            WHEN s.kind = 'column' THEN format('COLUMN %s.%I', s.relation::regclass, s.part)
            WHEN s.kind = 'index' THEN format('INDEX %s', s.objoid::regclass)
            WHEN s.kind = 'statistics' THEN (
                SELECT format('STATISTICS %s.%I', e.stxnamespace::regnamespace, e.stxname)
                FROM pg_statistic_ext AS e
                WHERE e.oid = s.objoid
            )
            ELSE format('%s %I ON %s', upper(s.kind), s.part, s.relation::regclass)
        END AS object,
        s.description
    FROM described AS s
    INNER JOIN pg_class AS c ON c.oid = s.relation
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    UNION ALL
    SELECT n.nspname, c.relname, 'sequence', format('SEQUENCE %s', c.oid::regclass), d.description
    FROM noted AS d
    INNER JOIN pg_class AS c ON c.oid = d.objoid AND c.relkind = 'S'
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE d.classoid = 'pg_class'::regclass AND n.nspname = ANY(:schemas)
    UNION ALL
    SELECT
        n.nspname,
        format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)),
        'function',
        format('ROUTINE %s', p.oid::regprocedure),
        d.description
    FROM noted AS d
    INNER JOIN pg_proc AS p ON p.oid = d.objoid
    INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
    WHERE d.classoid = 'pg_proc'::regclass AND n.nspname = ANY(:schemas)
    UNION ALL
    SELECT
        n.nspname,
        t.typname,
        'type',
        format('%s %s', CASE t.typtype WHEN 'd' THEN 'DOMAIN' ELSE 'TYPE' END, t.oid::regtype),
        d.description
    FROM noted AS d
    INNER JOIN pg_type AS t ON t.oid = d.objoid
    INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE d.classoid = 'pg_type'::regclass AND n.nspname = ANY(:schemas)
    UNION ALL
    SELECT
        n.nspname, c.relname, 'column ' || a.attname, format('COLUMN %s.%I', c.oid::regclass, a.attname), d.description
    FROM noted AS d
    INNER JOIN pg_class AS c ON c.oid = d.objoid AND c.relkind = 'c'
    INNER JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = d.objsubid AND d.objsubid > 0
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE d.classoid = 'pg_class'::regclass AND n.nspname = ANY(:schemas)
    UNION ALL
    SELECT
        n.nspname,
        t.typname,
        'constraint ' || k.conname,
        format('CONSTRAINT %I ON DOMAIN %s', k.conname, t.oid::regtype),
        d.description
    FROM noted AS d
    INNER JOIN pg_constraint AS k ON k.oid = d.objoid
    INNER JOIN pg_type AS t ON t.oid = k.contypid
    INNER JOIN pg_namespace AS n ON n.oid = t.typnamespace
    WHERE d.classoid = 'pg_constraint'::regclass AND n.nspname = ANY(:schemas)
    UNION ALL
    SELECT
        n.nspname,
        format('%s(%s, %s)', o.oprname, nullif(o.oprleft, 0)::regtype, nullif(o.oprright, 0)::regtype),
        'operator',
        format('OPERATOR %s', o.oid::regoperator),
        d.description
    FROM noted AS d
    INNER JOIN pg_operator AS o ON o.oid = d.objoid
    INNER JOIN pg_namespace AS n ON n.oid = o.oprnamespace
    WHERE d.classoid = 'pg_operator'::regclass AND n.nspname = ANY(:schemas)
    UNION ALL
    SELECT n.nspname, '', 'schema', format('SCHEMA %I', n.nspname), d.description
    FROM noted AS d
    INNER JOIN pg_namespace AS n ON n.oid = d.objoid
    WHERE d.classoid = 'pg_namespace'::regclass AND n.nspname = ANY(:schemas) AND n.nspname <> 'public'
)

SELECT
    'comment' AS kind,
    schema,
    name,
    part,
    format('COMMENT ON %s IS %L', object, description) AS definition,
    format('COMMENT ON %s IS NULL', object) AS removal,
    0 AS classid,
    0 AS objid,
    0 AS objsubid
FROM named

-- What Alembic knows nothing of: rules, extended statistics, operators; and, by name only, what is rarer still.
SELECT
    'rule' AS kind,
    n.nspname AS schema,
    c.relname::text AS name, -- as name, it would cut off what is longer below
    r.rulename::text AS part,
    concat(
        rtrim(pg_get_ruledef(r.oid), ';'),
        CASE
            WHEN r.ev_enabled <> 'O' THEN format(
                E';\nALTER TABLE %s %s RULE %I',
                c.oid::regclass,
                CASE r.ev_enabled WHEN 'D' THEN 'DISABLE' WHEN 'A' THEN 'ENABLE ALWAYS' ELSE 'ENABLE REPLICA' END,
                r.rulename
            )
        END
    ) AS definition,
    format('DROP RULE %I ON %s', r.rulename, c.oid::regclass) AS removal,
    'pg_rewrite'::regclass::oid AS classid,
    r.oid AS objid,
    0 AS objsubid
FROM pg_rewrite AS r
INNER JOIN pg_class AS c ON c.oid = r.ev_class
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE r.ev_class = ANY(:relations) AND r.rulename <> '_RETURN'
UNION ALL
SELECT
    'statistics',
    n.nspname,
    c.relname,
    s.stxname,
    pg_get_statisticsobjdef(s.oid),
    format('DROP STATISTICS %I.%I', s.stxnamespace::regnamespace, s.stxname),
    'pg_statistic_ext'::regclass::oid,
    s.oid,
    0
FROM pg_statistic_ext AS s
INNER JOIN pg_class AS c ON c.oid = s.stxrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE s.stxrelid = ANY(:relations)
UNION ALL
SELECT
    'operator',
    n.nspname,
    format('%s(%s, %s)', o.oprname, nullif(o.oprleft, 0)::regtype, nullif(o.oprright, 0)::regtype),
    '',
    concat(
        format('CREATE OPERATOR %I.%s (FUNCTION = %s', n.nspname, o.oprname, o.oprcode),
        ', LEFTARG = ' || nullif(o.oprleft, 0)::regtype,
        ', RIGHTARG = ' || nullif(o.oprright, 0)::regtype,
        ', COMMUTATOR = OPERATOR(' || replace(split_part(nullif(o.oprcom, 0)::regoperator::text, '(', 1), '"', '') || ')',
        ', NEGATOR = OPERATOR(' || replace(split_part(nullif(o.oprnegate, 0)::regoperator::text, '(', 1), '"', '') || ')',
        ', RESTRICT = ' || nullif(o.oprrest, 0)::regproc,
        ', JOIN = ' || nullif(o.oprjoin, 0)::regproc,
        CASE WHEN o.oprcanmerge THEN ', MERGES' END,
        CASE WHEN o.oprcanhash THEN ', HASHES' END,
        ')'
    ),
    format('DROP OPERATOR %s', o.oid::regoperator),
    'pg_operator'::regclass::oid,
    o.oid,
    0
FROM pg_operator AS o
INNER JOIN pg_namespace AS n ON n.oid = o.oprnamespace
WHERE
    n.nspname = ANY(:schemas)
    AND o.oprcode <> 0  -- a shell, which another operator names as its own
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = 'pg_operator'::regclass AND d.objid = o.oid AND d.deptype = 'e'
    )
UNION ALL
SELECT
    'other',
    n.nspname,
    named.identity,
    '',
    format('%s %s', named.type, named.identity),
    format('DROP %s %s', upper(named.type), named.identity),
    0,
    0,
    0
FROM (
    SELECT 'pg_opclass'::regclass, o.oid, o.opcnamespace FROM pg_opclass AS o
    UNION ALL
    SELECT 'pg_opfamily'::regclass, o.oid, o.opfnamespace FROM pg_opfamily AS o
    UNION ALL
    SELECT 'pg_collation'::regclass, o.oid, o.collnamespace FROM pg_collation AS o
    UNION ALL
    SELECT 'pg_conversion'::regclass, o.oid, o.connamespace FROM pg_conversion AS o
    UNION ALL
    SELECT 'pg_ts_config'::regclass, o.oid, o.cfgnamespace FROM pg_ts_config AS o
    UNION ALL
    SELECT 'pg_ts_dict'::regclass, o.oid, o.dictnamespace FROM pg_ts_dict AS o
    UNION ALL
    SELECT 'pg_ts_parser'::regclass, o.oid, o.prsnamespace FROM pg_ts_parser AS o
    UNION ALL
    SELECT 'pg_ts_template'::regclass, o.oid, o.tmplnamespace FROM pg_ts_template AS o
) AS rare (classid, objid, namespace)
INNER JOIN pg_namespace AS n ON n.oid = rare.namespace
CROSS JOIN LATERAL pg_identify_object(rare.classid, rare.objid, 0) AS named
WHERE
    n.nspname = ANY(:schemas)
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d WHERE d.classid = rare.classid AND d.objid = rare.objid AND d.deptype = 'e'
    )

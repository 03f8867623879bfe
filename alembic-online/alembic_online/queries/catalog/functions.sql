SELECT
    'function' AS kind,
    n.nspname AS schema,
    -- the signature without its schema
    format('%I(%s)', p.proname, oidvectortypes(p.proargtypes)) AS name,
    '' AS part,
    CASE
        WHEN p.prokind = 'a' THEN concat(
            format('CREATE AGGREGATE %I.%I(%s) (', n.nspname, p.proname, pg_get_function_arguments(p.oid)),
            format('SFUNC = %s, STYPE = %s', a.aggtransfn, a.aggtranstype::regtype),
            ', SSPACE = ' || nullif(a.aggtransspace, 0),
            ', FINALFUNC = ' || nullif(a.aggfinalfn, 0)::regproc,
            CASE WHEN a.aggfinalextra THEN ', FINALFUNC_EXTRA' END,
            CASE
                WHEN a.aggfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END
                    THEN ', FINALFUNC_MODIFY = '
                        || CASE a.aggfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END
            END,
            ', COMBINEFUNC = ' || nullif(a.aggcombinefn, 0)::regproc,
            ', SERIALFUNC = ' || nullif(a.aggserialfn, 0)::regproc,
            ', DESERIALFUNC = ' || nullif(a.aggdeserialfn, 0)::regproc,
            ', INITCOND = ' || quote_literal(a.agginitval),
            ', MSFUNC = ' || nullif(a.aggmtransfn, 0)::regproc,
            ', MINVFUNC = ' || nullif(a.aggminvtransfn, 0)::regproc,
            ', MSTYPE = ' || nullif(a.aggmtranstype, 0)::regtype,
            ', MSSPACE = ' || nullif(a.aggmtransspace, 0),
            ', MFINALFUNC = ' || nullif(a.aggmfinalfn, 0)::regproc,
            CASE WHEN a.aggmfinalextra THEN ', MFINALFUNC_EXTRA' END,
            CASE
                WHEN a.aggmfinalmodify <> CASE a.aggkind WHEN 'n' THEN 'r' ELSE 'w' END
                    THEN ', MFINALFUNC_MODIFY = '
                        || CASE a.aggmfinalmodify WHEN 'r' THEN 'READ_ONLY' WHEN 's' THEN 'SHAREABLE' ELSE 'READ_WRITE' END
            END,
            ', MINITCOND = ' || quote_literal(a.aggminitval),
            ', SORTOP = OPERATOR('
            || replace(split_part(nullif(a.aggsortop, 0)::regoperator::text, '(', 1), '"', '') || ')',
            CASE p.proparallel WHEN 's' THEN ', PARALLEL = SAFE' WHEN 'r' THEN ', PARALLEL = RESTRICTED' END,
            CASE WHEN a.aggkind = 'h' THEN ', HYPOTHETICAL' END,
            ')'
        )
        ELSE rtrim(pg_get_functiondef(p.oid), E'\n')
    END AS definition,
    format('DROP ROUTINE %s', p.oid::regprocedure) AS removal,
    'pg_proc'::regclass::oid AS classid,
    p.oid AS objid,
    0 AS objsubid
FROM pg_proc AS p
INNER JOIN pg_namespace AS n ON n.oid = p.pronamespace
LEFT JOIN pg_aggregate AS a ON a.aggfnoid = p.oid
WHERE
    n.nspname = ANY(:schemas)
    -- an extension's, or a range type's constructors
    AND NOT EXISTS (
        SELECT FROM pg_depend AS d
        WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND (d.deptype = 'e' OR (d.deptype = 'i' AND d.refclassid = 'pg_type'::regclass))
    )

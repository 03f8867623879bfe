-- What publications publish by name: tables, and schemas whole.
SELECT
    pg_describe_object('pg_publication_rel'::regclass, r.oid, 0) AS described,
    format(
        'ALTER PUBLICATION %I ADD TABLE ONLY %s%s%s',
        p.pubname,
        r.prrelid::regclass,
        (
            SELECT format(' (%s)', string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum))
            FROM pg_attribute AS a
            WHERE a.attrelid = r.prrelid AND a.attnum = ANY(r.prattrs::smallint [])
            HAVING count(*) > 0
        ),
        ' WHERE (' || pg_get_expr(r.prqual, r.prrelid) || ')'
    ) AS definition,
    format('ALTER PUBLICATION %I DROP TABLE ONLY %s', p.pubname, r.prrelid::regclass) AS removal,
    format('%s.%s', n.nspname, c.relname) AS locked,
    pg_get_userbyid(p.pubowner)::text AS owner,
    pg_has_role(p.pubowner, 'USAGE') AS ours
FROM pg_publication_rel AS r
INNER JOIN pg_publication AS p ON p.oid = r.prpubid
INNER JOIN pg_class AS c ON c.oid = r.prrelid
INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
UNION ALL
SELECT
    pg_describe_object('pg_publication_namespace'::regclass, s.oid, 0),
    format('ALTER PUBLICATION %I ADD TABLES IN SCHEMA %s', p.pubname, s.pnnspid::regnamespace),
    format('ALTER PUBLICATION %I DROP TABLES IN SCHEMA %s', p.pubname, s.pnnspid::regnamespace),
    NULL,
    pg_get_userbyid(p.pubowner)::text,
    pg_has_role(p.pubowner, 'USAGE')
FROM pg_publication_namespace AS s
INNER JOIN pg_publication AS p ON p.oid = s.pnpubid

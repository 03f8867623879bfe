-- What this role may not do and the steps do, each with the statement that allows it. Who is a member WITH INHERIT FALSE
-- has nothing of the role by itself; before PostgreSQL 16 that is an attribute of the member, or of a role in between.
WITH me AS (
    SELECT
        quote_ident(current_user) AS name,
        (SELECT r.rolinherit FROM pg_roles AS r WHERE r.rolname = current_user) AS inherits,
        quote_ident(current_database()) AS database,
        quote_ident(:default_schema) AS default_schema,
        format('%I.%I', CAST(:default_schema AS text), CAST(:version_table AS text)) AS version_table
),

-- Found by name: who may not use a schema may not look into it by to_regclass.
relations AS (
    SELECT c.oid, c.relnamespace, c.relname, c.relkind, c.relowner, format('%s.%s', n.nspname, c.relname) AS name
    FROM pg_class AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f')
),

belongings AS (
    SELECT format('schema %s', quote_ident(n.nspname)) AS called, format('SCHEMA %I', n.nspname) AS object, n.nspowner AS owner
    FROM pg_namespace AS n
    WHERE n.nspname = ANY(:schemas)
    UNION ALL
    SELECT
        wanted.name,
        format(
            '%s %I.%I', CASE c.relkind WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, n.nspname, c.relname
        ),
        c.relowner
    FROM relations AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    INNER JOIN unnest(CAST(:owned AS text [])) AS wanted (name) ON wanted.name = c.name
),

created_in AS (
    SELECT n.oid, n.nspname AS schema
    FROM pg_namespace AS n
    WHERE n.nspname = ANY(:created_in)
    UNION
    SELECT n.oid, n.nspname
    FROM relations AS c
    INNER JOIN pg_namespace AS n ON n.oid = c.relnamespace
    WHERE c.name = ANY(:replaced) AND c.relkind = 'm'
),

others AS (
    SELECT
        b.called, b.object, pg_get_userbyid(b.owner) AS owner, r.rolsuper,
        pg_has_role(b.owner, 'MEMBER') AS is_member
    FROM belongings AS b
    LEFT JOIN pg_roles AS r ON r.oid = b.owner
    WHERE NOT pg_has_role(b.owner, 'USAGE')
)

SELECT
    format('not allowed: creating schemas in database %s', m.database) AS lacks,
    format('GRANT CREATE ON DATABASE %s TO %s', m.database, m.name) AS statement
FROM me AS m
WHERE
    (:creates_schemas OR to_regnamespace(quote_ident(:bookkeeping)) IS NULL)
    AND NOT has_database_privilege(current_database(), 'CREATE')
UNION ALL
SELECT
    format('not allowed: creating Alembic''s table in schema %s', m.default_schema),
    format('GRANT USAGE, CREATE ON SCHEMA %s TO %s', m.default_schema, m.name)
FROM me AS m
WHERE
    to_regclass(m.version_table) IS NULL
    AND NOT coalesce(has_schema_privilege(to_regnamespace(m.default_schema), 'CREATE'), false)
UNION ALL
SELECT
    format('not allowed: writing Alembic''s table %s', m.version_table),
    format('GRANT SELECT, INSERT, UPDATE, DELETE ON %s TO %s', m.version_table, m.name)
FROM me AS m
CROSS JOIN LATERAL to_regclass(m.version_table) AS v (oid)
WHERE
    v.oid IS NOT NULL
    AND NOT (
        has_table_privilege(v.oid, 'SELECT') AND has_table_privilege(v.oid, 'INSERT')
        AND has_table_privilege(v.oid, 'UPDATE') AND has_table_privilege(v.oid, 'DELETE')
    )
UNION ALL
SELECT
    format('not allowed: creating in schema %I', i.schema),
    format('GRANT USAGE, CREATE ON SCHEMA %I TO %s', i.schema, m.name)
FROM created_in AS i
CROSS JOIN me AS m
WHERE i.schema <> ALL(:schemas) AND NOT has_schema_privilege(i.oid, 'CREATE')
UNION ALL
SELECT
    format('not allowed: locking %s', c.oid::regclass),
    format('GRANT UPDATE ON %s TO %s', c.oid::regclass, m.name)
FROM relations AS c
CROSS JOIN me AS m
WHERE c.name = ANY(:locked) AND c.relkind IN ('r', 'p') AND NOT has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')
UNION ALL
SELECT
    CASE
        WHEN o.is_member THEN
            format('%s belongs to %s, of which %s is a member WITH INHERIT FALSE', o.called, o.owner, m.name)
        ELSE format('%s belongs to %s', o.called, o.owner)
    END,
    CASE
        WHEN o.is_member AND current_setting('server_version_num')::integer >= 160000
            THEN format('GRANT %I TO %s WITH INHERIT TRUE', o.owner, m.name)
        WHEN o.is_member AND NOT m.inherits THEN format('ALTER ROLE %s INHERIT', m.name)
        WHEN o.rolsuper THEN format('ALTER %s OWNER TO %s', o.object, m.name)
        ELSE format('GRANT %I TO %s', o.owner, m.name)
    END
FROM others AS o
CROSS JOIN me AS m
ORDER BY lacks

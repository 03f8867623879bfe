-- Defaults that are gone, and row security that shows less than it did when these were written down.
SELECT
    m.relation,
    m.column_name,
    m.setting,
    format(
        'ALTER TABLE %s %s',
        m.relation,
        CASE WHEN m.column_name = '' THEN m.value ELSE format('ALTER COLUMN %I %s', m.column_name, m.value) END
    ) AS statement
FROM sidb.phase1_setting AS m
LEFT JOIN now_set AS s ON s.relation = m.relation AND s.column_name = m.column_name AND s.setting = m.setting
INNER JOIN pg_class AS c ON c.oid = to_regclass(m.relation) AND c.relkind = 'r'
CROSS JOIN (
    SELECT ARRAY['DISABLE ROW LEVEL SECURITY', 'NO FORCE ROW LEVEL SECURITY', 'FORCE ROW LEVEL SECURITY'] AS less_and_less
) AS shown
WHERE
    CASE
        WHEN m.setting = 'default'
            THEN
                s.value IS NULL
                AND EXISTS (
                    SELECT FROM pg_attribute AS a
                    WHERE a.attrelid = c.oid AND a.attname = m.column_name AND NOT a.attisdropped AND a.attgenerated = ''
                )
        ELSE
            array_position(shown.less_and_less, s.value) > array_position(shown.less_and_less, m.value)
    END
ORDER BY m.relation, m.column_name, m.setting

-- Whether row security is on for an archived table, and off for the live one.
SELECT a.relrowsecurity AND NOT c.relrowsecurity
FROM pg_class AS a
CROSS JOIN pg_class AS c
WHERE a.oid = to_regclass(%(archived)s) AND c.oid = to_regclass(%(relation)s);

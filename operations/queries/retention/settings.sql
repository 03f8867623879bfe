-- For how many months rows are kept, by table, and the UTC day from which on they are: the first of a month.
SELECT
    r.relation,
    r.months,
    (date_trunc('month', now() AT TIME ZONE 'UTC') - make_interval(months => r.months))::date AS kept_from
FROM sidb.retention AS r
ORDER BY r.relation;

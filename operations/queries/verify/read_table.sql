-- From here on to the end of the transaction, tables are read themselves.
SELECT set_config(s.name, s.value, true) AS value
FROM (
    VALUES
    ('enable_seqscan', 'on'),
    ('enable_sort', 'on'),
    ('enable_incremental_sort', 'on'),
    ('enable_tidscan', 'on'),
    ('enable_hashjoin', 'on'),
    ('enable_mergejoin', 'on'),
    ('enable_indexscan', 'off'),
    ('enable_indexonlyscan', 'off'),
    ('enable_bitmapscan', 'off'),
    ('max_parallel_workers_per_gather', '0')
) AS s (name, value);

-- The partitions of analytics_events: all up to a bound, the first of a month (UTC) at least one month ahead, the three
-- months that follow, and what is dated elsewhere. `sidb maintain` makes the months that come.
DO $$
DECLARE
    bound timestamp := date_trunc('month', now() AT TIME ZONE 'UTC') + interval '2 months';
    month timestamp;
BEGIN
    EXECUTE format(
        'CREATE TABLE analytics_partitions.analytics_events_first PARTITION OF analytics.analytics_events'
        ' FOR VALUES FROM (MINVALUE) TO (%L)',
        bound AT TIME ZONE 'UTC'
    );
    CREATE TABLE analytics_partitions.analytics_events_default PARTITION OF analytics.analytics_events DEFAULT;
    FOR month IN SELECT bound + number * interval '1 month' FROM generate_series(0, 2) AS ahead (number) LOOP
        EXECUTE format(
            'CREATE TABLE analytics_partitions.%I PARTITION OF analytics.analytics_events FOR VALUES FROM (%L) TO (%L)',
            to_char(month, '"analytics_events_"YYYY"_"MM'),
            month AT TIME ZONE 'UTC',
            (month + interval '1 month') AT TIME ZONE 'UTC'
        );
    END LOOP;
END
$$;

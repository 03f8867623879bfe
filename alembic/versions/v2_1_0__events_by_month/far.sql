    -- They would have to lie before the bound: no month could begin before then.
    SELECT string_agg(format('%s (%s)', e.event_id, e.event_timestamp), ', ')
    INTO far
    FROM (
        SELECT event_id, event_timestamp
        FROM analytics.analytics_events
        WHERE event_timestamp > now() + interval '1 year'
        ORDER BY event_timestamp DESC, event_id
        LIMIT 5
    ) AS e;
    IF far IS NOT NULL THEN
        RAISE EXCEPTION 'analytics.analytics_events cannot be partitioned: rows are dated more than a year ahead: %', far
            USING HINT = 'correct their dates, or delete them, and run the upgrade again';
    END IF;

-- Events number `first` to `last` of `total`, the oldest first, into staging as `sidb backfill load` leaves them. All is
-- taken from hashes of the event's number. Denser towards `until`; quiet at night and at weekends; a few niches and
-- users have most events; most payloads are short, a few have kilobytes.
WITH drawn AS (
    SELECT
        n,
        floor(%(days)s * power(1 - (n - 0.5) / %(total)s, 1.4))::integer AS days_ago,
        (hashint8extended(n, 1) & 2147483647) / 2147483648.0::float8 AS hour,
        (hashint8extended(n, 2) & 2147483647) / 2147483648.0::float8 AS second,
        (hashint8extended(n, 3) & 2147483647) / 2147483648.0::float8 AS niche,
        (hashint8extended(n, 4) & 2147483647) / 2147483648.0::float8 AS kind,
        (hashint8extended(n, 5) & 2147483647) / 2147483648.0::float8 AS who,
        (hashint8extended(n, 6) & 2147483647) / 2147483648.0::float8 AS size,
        hashint8extended(n, 7) & 1048575 AS amount
    FROM generate_series(%(first)s::bigint, %(last)s::bigint) AS numbers (n)
),

placed AS (
    SELECT
        drawn.*,
        1 + floor(%(niches)s * power(drawn.niche, 3.2))::bigint AS rank,
        -- The share of a day's events before each full hour.
        width_bucket(drawn.hour, ARRAY[
            0, 0.012, 0.02, 0.026, 0.031, 0.036, 0.045, 0.06, 0.085, 0.12, 0.165, 0.215,
            0.27, 0.325, 0.375, 0.425, 0.48, 0.54, 0.61, 0.69, 0.775, 0.855, 0.925, 0.975
        ]) - 1 AS full_hours,
        %(until)s::timestamptz - make_interval(days => drawn.days_ago + 1) AS day
    FROM drawn
)

INSERT INTO sidb.backfill_events (event_timestamp, event_type, event_source, event_data, user_id, niche_id)
SELECT
    -- A third of a weekend's events happen on the working days before.
    placed.day
    - CASE
        WHEN extract(isodow FROM placed.day) >= 6 AND placed.amount %% 3 = 0
            THEN make_interval(days => extract(isodow FROM placed.day)::integer - 5 + (placed.amount / 3 %% 5)::integer)
        ELSE '0'
    END
    + make_interval(hours => placed.full_hours, secs => 3600 * placed.second) AS event_timestamp,
    CASE
        WHEN placed.kind < 0.05 THEN 'niche_scored'
        WHEN placed.kind < 0.30 THEN 'search'
        WHEN placed.kind < 0.45 THEN 'like'
        WHEN placed.kind < 0.50 THEN 'share'
        ELSE 'view'
    END AS event_type,
    CASE
        WHEN placed.kind < 0.05 THEN 'scorer'
        WHEN placed.amount %% 3 = 0 THEN 'app'
        ELSE 'web'
    END AS event_source,
    CASE
        WHEN placed.kind < 0.05 THEN jsonb_build_object(
            'demand_score', round(placed.who::numeric, 4),
            'monetise_score', round(placed.size::numeric, 4),
            'supply_score', round((0.1 + 0.9 * placed.second)::numeric, 4),
            'opportunity', round((placed.who * placed.size / (0.1 + 0.9 * placed.second))::numeric, 5)
        )
        ELSE jsonb_build_object(
            'session', md5(placed.n::text),
            'duration_ms', placed.amount,
            'views', placed.amount %% 10007,
            'referrer', 'https://example.com/' || placed.amount %% 499,
            'text', (
                SELECT string_agg(md5(placed.n::text || part), '')
                FROM generate_series(1, least(250, floor(0.5 * power(1 - placed.size, -0.8))::integer)) AS parts (part)
            )
        )
    END AS event_data,
    CASE
        WHEN placed.kind >= 0.05 AND placed.amount %% 5 < 3 THEN 'user ' || floor(100000 * power(placed.who, 3))::integer
    END AS user_id,
    ranked.niche_id
FROM placed
LEFT JOIN ranked_niches AS ranked ON ranked.rank = placed.rank AND placed.amount %% 32 > 0
ORDER BY event_timestamp;

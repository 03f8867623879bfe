-- What features.opportunity has to stay below: 10 for numeric(6,5). No row where its type sets no limit, or where a
-- column of the formula is missing.
SELECT power(10::numeric, ((a.atttypmod - 4) >> 16) - ((a.atttypmod - 4) & 65535)) AS "limit"
FROM pg_attribute AS a
WHERE
    a.attrelid = to_regclass('public.features')
    AND a.attname = 'opportunity'
    AND NOT a.attisdropped
    AND a.atttypid = 'numeric'::regtype
    AND a.atttypmod <> -1
    AND (
        SELECT count(*) FROM pg_attribute AS b
        WHERE
            b.attrelid = a.attrelid
            AND b.attname IN ('niche_id', 'demand_score', 'monetise_score', 'supply_score')
            AND NOT b.attisdropped
    ) = 4;

-- Realistic niches, the same at every run: everything is taken from a hash of the row's number. Supply is 0.1 at least,
-- which keeps the scorer's formula within numeric(6,5). Every 25th niche was updated within the last day, the others over
-- two years, denser towards today.
INSERT INTO public.features (phrase, demand_score, monetise_score, supply_score, opportunity, updated_at)
SELECT
    scored.phrase,
    scored.demand,
    scored.monetise,
    scored.supply,
    scored.demand * scored.monetise / scored.supply,
    now() - CASE
        WHEN scored.n % 25 = 0 THEN scored.age * interval '23 hours'
        ELSE interval '1 day' + scored.age * scored.age * interval '729 days'
    END
FROM (
    SELECT
        n,
        concat_ws(
            ' ',
            (ARRAY['beginner', 'budget', 'diy', 'easy', 'fast', 'healthy', 'home', 'ai', 'mini', 'modern', 'outdoor',
                'pro', 'quick', 'retro', 'silent', 'smart', 'solo', 'urban', 'vegan', 'weekend'])[1 + n % 20],
            (ARRAY['baking', 'bikes', 'budgeting', 'camping', 'cats', 'chess', 'coding', 'coffee', 'dogs', 'drones',
                'excel', 'fishing', 'gardening', 'guitar', 'hiking', 'investing', 'italian', 'keto', 'knitting',
                'lego', 'makeup', 'meditation', 'minecraft', 'painting', 'photography', 'piano', 'pilates', 'podcasts',
                'pottery', 'recipes', 'running', 'sewing', 'skincare', 'sourdough', 'stocks', 'tea', 'travel',
                'vlogging', 'woodworking', 'yoga'])[1 + n / 20 % 40],
            (ARRAY['basics', 'challenge', 'course', 'deals', 'for kids', 'for seniors', 'guide', 'hacks', 'ideas',
                'kit', 'mistakes', 'myths', 'news', 'on a boat', 'planner', 'reviews', 'routine', 'secrets', 'setup',
                'stories', 'tips', 'tools', 'trends', 'under 10 minutes', 'vs'])[1 + n / 800 % 25],
            nullif(n / 20000, 0)
        ) AS phrase,
        (('x' || substr(h, 1, 6))::bit(24)::integer / 16777216.0)::numeric(5, 4) AS demand,
        (('x' || substr(h, 7, 6))::bit(24)::integer / 16777216.0)::numeric(5, 4) AS monetise,
        (0.1 + 0.9 * ('x' || substr(h, 13, 6))::bit(24)::integer / 16777216.0)::numeric(5, 4) AS supply,
        ('x' || substr(h, 19, 6))::bit(24)::integer / 16777216.0 AS age
    FROM generate_series(0, :niches - 1) AS numbers (n)
    CROSS JOIN LATERAL md5('niche ' || n) AS h
) AS scored
ORDER BY scored.n;

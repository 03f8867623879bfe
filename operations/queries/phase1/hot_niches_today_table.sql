-- Phase 1's hot_niches_today where it is a table.
CREATE TABLE public.hot_niches_today (
    niche_id bigint,
    phrase text,
    demand_score numeric(5, 4),
    monetise_score numeric(5, 4),
    supply_score numeric(5, 4),
    opportunity numeric(6, 5),
    updated_at timestamptz
);

CREATE INDEX hot_niches_today_opportunity_idx ON public.hot_niches_today (opportunity DESC);

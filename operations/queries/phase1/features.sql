-- Phase 1's features, as its own code creates it.
CREATE TABLE public.features (
    niche_id bigserial PRIMARY KEY,
    phrase text UNIQUE,
    demand_score numeric(5, 4),
    monetise_score numeric(5, 4),
    supply_score numeric(5, 4),
    opportunity numeric(6, 5),
    updated_at timestamptz DEFAULT now()
);

CREATE INDEX features_phrase_idx ON public.features (phrase);

CREATE INDEX features_opportunity_idx ON public.features (opportunity DESC);

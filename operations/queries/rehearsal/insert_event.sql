-- Phase 2: an event as it happens, of the niche drawn or, where there is none of that number, of the next one.
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
SELECT 'view', 'rehearsal', now(), jsonb_build_object('session', %(phrase)s::text), 'user 1', f.niche_id
FROM ONLY features AS f
WHERE f.niche_id >= %(niche_id)s
ORDER BY f.niche_id
LIMIT 1;

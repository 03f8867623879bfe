-- Phase 2: an event as it happens.
INSERT INTO analytics.analytics_events (event_type, event_source, event_timestamp, event_data, user_id, niche_id)
VALUES ('view', 'rehearsal', now(), jsonb_build_object('session', %(phrase)s::text), 'user 1', %(niche_id)s);

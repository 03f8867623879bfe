-- Where a value of the chunk cannot be read: which records it is, and why. A sub-transaction a record; what is refused
-- is taken out of the chunk. With `only_new_phrases`, those records alone that would make a niche.
CREATE FUNCTION pg_temp.backfill_refuse_one_by_one(only_new_phrases boolean) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    each record;
    read record;
    detail text;
BEGIN
    FOR each IN
        SELECT r.ctid AS place, r.number
        FROM pg_temp.backfill_records AS r
        WHERE NOT only_new_phrases OR r.record IS NOT NULL OR (
            r.niche_id IS NULL
            AND EXISTS (SELECT FROM pg_temp.backfill_niches AS p WHERE p.phrase = r.phrase AND p.niche_id IS NULL)
        )
    LOOP
        BEGIN
            SELECT v.* INTO read FROM pg_temp.backfill_values AS v WHERE v.place = each.place;
            IF read.reason IS NOT NULL THEN
                INSERT INTO pg_temp.backfill_refused (number, reason) VALUES (each.number, read.reason);
            END IF;
        EXCEPTION WHEN data_exception OR program_limit_exceeded THEN
            GET STACKED DIAGNOSTICS detail = PG_EXCEPTION_DETAIL;
            INSERT INTO pg_temp.backfill_refused (number, reason)
            VALUES (each.number, concat_ws(': ', SQLERRM, nullif(detail, '')));
        END;
    END LOOP;
    DELETE FROM pg_temp.backfill_records AS r USING pg_temp.backfill_refused AS f WHERE f.number = r.number;
END
$$

-- Notes of values written while a step is about to drop their columns. The function runs for whoever writes: as its
-- owner, with nothing of theirs in its search path.
CREATE TABLE {bookkeeping}.written_value (
    written_value_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    relation oid NOT NULL
);
COMMENT ON TABLE {bookkeeping}.written_value IS 'Values written into columns that a migration step was about to drop';

CREATE FUNCTION {bookkeeping}.note_written_value() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO {bookkeeping}.written_value (relation) VALUES (TG_RELID);
    RETURN NULL;
END
$$;

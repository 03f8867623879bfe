-- While columns are copied: every row whose columns change is named, so that it is copied again. Whoever writes to the
-- table needs no right here, hence SECURITY DEFINER. The braces are names of an archive.
CREATE OR REPLACE FUNCTION {function}()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO {changes} (niche_id) VALUES (new.niche_id);
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;

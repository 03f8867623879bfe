-- While columns are copied: the key of every row in which they are written, so that it is copied again. Whoever writes
-- to the table needs no right here, hence SECURITY DEFINER. The braces are names of an archive.
CREATE OR REPLACE FUNCTION {function}()
RETURNS trigger
LANGUAGE plpgsql
SECURITY DEFINER
SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
    INSERT INTO {changes} ({keys}) VALUES ({new_keys});
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION {function}() FROM PUBLIC;

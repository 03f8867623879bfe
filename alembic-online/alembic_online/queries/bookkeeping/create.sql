-- Which version each component's tables have.
CREATE TABLE IF NOT EXISTS {bookkeeping}.component (
    component text PRIMARY KEY,
    version integer NOT NULL
);
COMMENT ON TABLE {bookkeeping}.component IS 'The version of the tables of each component';

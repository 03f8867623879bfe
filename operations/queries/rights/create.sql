-- Who might do what with Phase 1's relations at a moment; like the ledger created at first use, and dropped by no downgrade.
CREATE TABLE IF NOT EXISTS sidb.phase1_rights (
    only_one boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    taken_at timestamptz NOT NULL,
    before_upgrade boolean NOT NULL
);

CREATE TABLE IF NOT EXISTS sidb.phase1_right (
    relation text NOT NULL,
    column_name text NOT NULL,
    grantee text NOT NULL,
    privilege text NOT NULL,
    is_grantable boolean NOT NULL,
    PRIMARY KEY (relation, column_name, grantee, privilege)
);

COMMENT ON TABLE sidb.phase1_rights IS 'When the rights on Phase 1''s relations were written down';
COMMENT ON COLUMN sidb.phase1_rights.before_upgrade IS
'Whether before the upgrade that left 1.0.0; false: somebody accepted them as they were then';
COMMENT ON TABLE sidb.phase1_right IS 'One row for each owner and each privilege of another role';
COMMENT ON COLUMN sidb.phase1_right.column_name IS 'Empty: of the whole relation';
COMMENT ON COLUMN sidb.phase1_right.grantee IS 'Empty: PUBLIC';
COMMENT ON COLUMN sidb.phase1_right.privilege IS 'OWNER, or as GRANT spells it';

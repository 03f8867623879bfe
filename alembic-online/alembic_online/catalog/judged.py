"""Every column of the server's catalogs, judged: it is compared, or there is a reason why not.

A test fails at a column of a supported server that stands in neither. What users can set and is left out is in the
documentation, too.
"""

COMPARED = "in a definition, or in who has which privilege"
ADDRESS = "an address within one database: what it points to is compared by name"
DERIVED = "follows from what is compared"
PHYSICAL = "how it is stored, or what was counted"
OWNER = "compared with the owner of the rest, not with the models"
BASE_TYPE = "of a type written in C, which comes with an extension"
ADMINISTRATOR = "set by whoever looks after the server, for this server: found where it matters, and left as it is"
FOREIGN = "of a foreign table, whose server differs from database to database"

JUDGED: dict[str, dict[str, str]] = {
    "pg_class": {
        COMPARED: "relname relnamespace reloftype relam relpersistence relkind relrowsecurity relforcerowsecurity"
        " relispopulated relreplident relacl reloptions",
        ADDRESS: "oid reltype relfilenode reltoastrelid",
        DERIVED: "relhasindex relisshared relnatts relchecks relhasrules relhastriggers relhassubclass relrewrite",
        PHYSICAL: "relpages reltuples relallvisible relallfrozen relfrozenxid relminmxid",
        OWNER: "relowner",
        ADMINISTRATOR: "reltablespace relispartition relpartbound",
    },
    "pg_attribute": {
        COMPARED: "attname atttypid atttypmod attstorage attcompression attnotnull atthasdef attidentity attgenerated"
        " attcollation attacl attoptions",
        ADDRESS: "attrelid",
        DERIVED: "attlen attbyval attalign attndims attisdropped attislocal attinhcount",
        PHYSICAL: "attnum attcacheoff atthasmissing attmissingval",
        ADMINISTRATOR: "attstattarget",
        FOREIGN: "attfdwoptions",
    },
    "pg_attrdef": {COMPARED: "adbin", ADDRESS: "oid adrelid adnum"},
    "pg_constraint": {
        COMPARED: "conname contype condeferrable condeferred convalidated confrelid confupdtype confdeltype"
        " confmatchtype"
        " connoinherit conkey confkey confdelsetcols conexclop conbin conenforced conperiod",
        ADDRESS: "oid connamespace conrelid contypid conindid",
        DERIVED: "conparentid conislocal coninhcount conpfeqop conppeqop conffeqop",
    },
    "pg_index": {
        COMPARED: "indisunique indnullsnotdistinct indisclustered indisvalid indisreplident indkey indcollation"
        " indclass"
        " indoption indexprs indpred",
        ADDRESS: "indexrelid indrelid",
        DERIVED: "indnatts indnkeyatts indisprimary indisexclusion indimmediate",
        PHYSICAL: "indcheckxmin indisready indislive",
    },
    "pg_proc": {
        COMPARED: "proname pronamespace prolang procost prorows provariadic prosupport prokind prosecdef proleakproof"
        " proisstrict proretset provolatile proparallel prorettype proargtypes proallargtypes proargmodes proargnames"
        " proargdefaults protrftypes prosrc probin prosqlbody proconfig proacl",
        ADDRESS: "oid",
        DERIVED: "pronargs pronargdefaults",
        OWNER: "proowner",
    },
    "pg_aggregate": {
        COMPARED: "aggkind aggtransfn aggfinalfn aggcombinefn aggserialfn aggdeserialfn aggmtransfn aggminvtransfn"
        " aggmfinalfn aggfinalextra aggmfinalextra aggfinalmodify aggmfinalmodify aggsortop aggtranstype aggtransspace"
        " aggmtranstype aggmtransspace agginitval aggminitval",
        ADDRESS: "aggfnoid",
        DERIVED: "aggnumdirectargs",
    },
    "pg_type": {
        COMPARED: "typname typnamespace typtype typnotnull typbasetype typtypmod typcollation typdefault",
        ADDRESS: "oid typrelid typelem typarray",
        DERIVED: "typisdefined typdefaultbin typndims",
        OWNER: "typowner",
        BASE_TYPE: "typlen typbyval typcategory typispreferred typdelim typsubscript typinput typoutput"
        " typreceive typsend"
        " typmodin typmodout typanalyze typalign typstorage",
        ADMINISTRATOR: "typacl",
    },
    "pg_enum": {COMPARED: "enumsortorder enumlabel", ADDRESS: "oid enumtypid"},
    "pg_range": {
        COMPARED: "rngsubtype rngmultitypid rngcollation rngsubopc rngcanonical rngsubdiff",
        ADDRESS: "rngtypid",
    },
    "pg_trigger": {
        COMPARED: "tgname tgfoid tgtype tgenabled tgconstrrelid tgdeferrable tginitdeferred tgnargs tgattr"
        " tgargs tgqual"
        " tgoldtable tgnewtable",
        ADDRESS: "oid tgrelid tgparentid tgconstrindid tgconstraint",
        DERIVED: "tgisinternal",
    },
    "pg_sequence": {
        COMPARED: "seqtypid seqstart seqincrement seqmax seqmin seqcache seqcycle",
        ADDRESS: "seqrelid",
    },
    "pg_policy": {
        COMPARED: "polname polcmd polpermissive polroles polqual polwithcheck",
        ADDRESS: "oid polrelid",
    },
    "pg_rewrite": {
        COMPARED: "rulename ev_type ev_enabled is_instead ev_qual ev_action",
        ADDRESS: "oid ev_class",
    },
    "pg_statistic_ext": {
        COMPARED: "stxname stxnamespace stxkeys stxkind stxexprs",
        ADDRESS: "oid stxrelid",
        OWNER: "stxowner",
        ADMINISTRATOR: "stxstattarget",
    },
    "pg_operator": {
        COMPARED: "oprname oprnamespace oprcanmerge oprcanhash oprleft oprright oprcom oprnegate"
        " oprcode oprrest"
        " oprjoin",
        ADDRESS: "oid",
        DERIVED: "oprkind oprresult",
        OWNER: "oprowner",
    },
    "pg_namespace": {COMPARED: "nspname nspacl", ADDRESS: "oid", OWNER: "nspowner"},
    "pg_inherits": {COMPARED: "inhparent inhseqno", ADDRESS: "inhrelid", ADMINISTRATOR: "inhdetachpending"},
    "pg_partitioned_table": {
        COMPARED: "partstrat partattrs partclass partcollation partexprs",
        ADDRESS: "partrelid partdefid",
        DERIVED: "partnatts",
    },
    "pg_description": {COMPARED: "description", ADDRESS: "objoid classoid objsubid"},
    "pg_foreign_table": {ADDRESS: "ftrelid", FOREIGN: "ftserver ftoptions"},
}

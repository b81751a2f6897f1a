-- Health systems and plans.  endpoints and locations are JSON as in
-- docs/directory.md; sort_key and search_text are folded (directory/text.c).
CREATE TABLE system(
    id          BIGINT NOT NULL PRIMARY KEY,
    name        TEXT NOT NULL,
    kind        TEXT NOT NULL,      -- health_system, health_plan
    vendor      TEXT NOT NULL,
    status      TEXT NOT NULL,
    logo        TEXT NOT NULL,
    brand       TEXT NOT NULL,
    aliases     TEXT NOT NULL,      -- other names, ';' between
    tenant      TEXT NOT NULL,      -- a practice of a shared base URL
    source      TEXT NOT NULL,
    overrides   TEXT NOT NULL,      -- JSON, '' for none
    endpoints   TEXT NOT NULL,      -- JSON
    locations   TEXT NOT NULL,      -- JSON
    sort_key    TEXT NOT NULL,
    search_text TEXT NOT NULL,
    zips        TEXT NOT NULL       -- five digits each, blank between
);

-- What an entry of a list is known by: hashes of URL and name, of URL, of name
-- and postal code ... (directory/take.c).  The first system keeps the key.
CREATE TABLE system_key(
    key       BIGINT NOT NULL PRIMARY KEY,
    system_id BIGINT NOT NULL
);
CREATE INDEX system_key_system ON system_key(system_id);

-- One row: a random number that changes with every change, so that a search
-- index in memory knows what it was made of.
CREATE TABLE directory_state(
    id      INTEGER NOT NULL PRIMARY KEY,
    version BIGINT NOT NULL
);
INSERT INTO directory_state(id, version) VALUES (1, 0);

-- A person's tie to a health system.  ids are random, so that no sequence
-- crosses users; the same person at the same system in the same release keeps
-- the row, and with it the ids of what was ingested.
CREATE TABLE connection(
    user_id        BIGINT NOT NULL,
    id             BIGINT NOT NULL,
    app_id         BIGINT NOT NULL,
    system_id      BIGINT NOT NULL,
    fhir_version   TEXT NOT NULL,
    base_url       TEXT NOT NULL,
    token_url      TEXT NOT NULL,
    patient_id     TEXT NOT NULL,   -- the system's own
    local_patient  TEXT NOT NULL,
    scope          TEXT NOT NULL,
    status         TEXT NOT NULL,   -- active, needs_login, revoked, failed
    created_ms     BIGINT NOT NULL,
    last_ingest_ms BIGINT NOT NULL,
    expires_ms     BIGINT NOT NULL,
    tokens_of      BIGINT NOT NULL, -- another connection's tokens; 0: its own
    refreshed_ms   BIGINT NOT NULL,
    refresh_lease_ms BIGINT NOT NULL, -- until when a refresh is in flight
    PRIMARY KEY (user_id, id)
);
CREATE UNIQUE INDEX connection_same
    ON connection(user_id, system_id, fhir_version, patient_id);

-- Connects under way.  Only the hash of state is here; what belongs to it
-- (PKCE verifier, where to go back to) is sealed.
CREATE TABLE connect_state(
    hash       BLOB NOT NULL PRIMARY KEY,
    user_id    BIGINT NOT NULL,
    app_id     BIGINT NOT NULL,
    system_id  BIGINT NOT NULL,
    sealed     BLOB NOT NULL,
    browser    BLOB NOT NULL,     -- SHA-256 of the cookie; empty: none
    expires_ms BIGINT NOT NULL
);
CREATE INDEX connect_state_user ON connect_state(user_id);
CREATE INDEX connect_state_expires ON connect_state(expires_ms);

-- What systems say about their sign-in.
CREATE TABLE discovery(
    base_url   TEXT NOT NULL PRIMARY KEY,
    document   TEXT NOT NULL,     -- JSON in the shape of smart-configuration
    expires_ms BIGINT NOT NULL
);

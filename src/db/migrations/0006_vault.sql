-- Secrets of others, sealed (AES-256-GCM, bound to their row).
CREATE TABLE vault_token(
    user_id           BIGINT NOT NULL,
    connection_id     BIGINT NOT NULL,
    generation        BIGINT NOT NULL,
    access_expires_ms BIGINT NOT NULL,   -- 0: unknown
    sealed            BLOB NOT NULL,     -- access, refresh, id token
    PRIMARY KEY (user_id, connection_id)
) WITHOUT ROWID;

-- Our client credentials; vendor '' with a system, system_id 0 with a vendor.
CREATE TABLE vault_client(
    vendor    TEXT NOT NULL,
    system_id BIGINT NOT NULL,
    client_id TEXT NOT NULL,
    auth      TEXT NOT NULL,
    sealed    BLOB NOT NULL,             -- client secret, private JWK
    PRIMARY KEY (vendor, system_id)
) WITHOUT ROWID;

-- How the last ingest of a connection went, or goes.
CREATE TABLE ingest_run(
    user_id       BIGINT NOT NULL,
    connection_id BIGINT NOT NULL,
    status        TEXT NOT NULL,   -- waiting, running, done, failed
    started_ms    BIGINT NOT NULL,
    ended_ms      BIGINT NOT NULL,
    detail        TEXT NOT NULL,
    PRIMARY KEY (user_id, connection_id)
) WITHOUT ROWID;

-- The same by resource type (decision 20).
CREATE TABLE ingest_type(
    user_id        BIGINT NOT NULL,
    connection_id  BIGINT NOT NULL,
    type           TEXT NOT NULL,
    status         TEXT NOT NULL,  -- waiting, running, done, denied, ...
    http_status    INTEGER NOT NULL,
    asked          BIGINT NOT NULL,
    got            BIGINT NOT NULL,
    written        BIGINT NOT NULL,
    same           BIGINT NOT NULL,
    warnings       BIGINT NOT NULL,
    upstream_total BIGINT NOT NULL, -- -1: not said
    detail         TEXT NOT NULL,
    PRIMARY KEY (user_id, connection_id, type)
) WITHOUT ROWID;

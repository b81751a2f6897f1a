-- Who looked at or changed whose record: one row for all of the same kind in a
-- minute.  The steps of connections are AuditEvents in the record (kind 3).
CREATE TABLE access_audit(
    user_id     BIGINT NOT NULL,    -- 0: the app looked at all of its users
    minute      BIGINT NOT NULL,    -- since 1970
    app_id      BIGINT NOT NULL,
    interaction TEXT NOT NULL,      -- R S C U D E X
    kind        INTEGER NOT NULL,   -- of record
    type        INTEGER NOT NULL,   -- of resource, in its release; 65535 any
    status      INTEGER NOT NULL,   -- of HTTP
    peer        TEXT NOT NULL,
    calls       BIGINT NOT NULL,
    first_ms    BIGINT NOT NULL,
    last_ms     BIGINT NOT NULL,
    PRIMARY KEY (user_id, minute, app_id, interaction, kind, type, status, peer)
) WITHOUT ROWID;

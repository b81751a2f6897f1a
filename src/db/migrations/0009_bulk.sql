-- Exports that were asked for (Bulk Data Access IG).  No resources are here:
-- files are read from the record as it was at the export's moment.
-- user_id 0: of all of the app's users.
CREATE TABLE bulk_export(
    user_id    BIGINT NOT NULL,
    id         TEXT NOT NULL,   -- 32 hex digits of the CSPRNG
    app_id     BIGINT NOT NULL,
    request    TEXT NOT NULL,   -- the URL that asked
    ask        TEXT NOT NULL,   -- JSON
    status     TEXT NOT NULL,   -- running, done, failed
    progress   TEXT NOT NULL,
    result     TEXT NOT NULL,   -- JSON: how many of each type
    expires_ms BIGINT NOT NULL,
    PRIMARY KEY (user_id, id)
) WITHOUT ROWID;
CREATE INDEX bulk_export_expires ON bulk_export(expires_ms);

-- What a user lets another user of the same app read (contract 7.8).
-- patient_id '': all of the record, in that release.
CREATE TABLE share(
    user_id    BIGINT NOT NULL,   -- whose record
    grantee_id BIGINT NOT NULL,   -- who may read
    kind       INTEGER NOT NULL,  -- release: 0 DSTU2, 1 STU3, 2 R4
    patient_id TEXT NOT NULL,
    made_ms    BIGINT NOT NULL,
    PRIMARY KEY (user_id, grantee_id, kind, patient_id)
) WITHOUT ROWID;
CREATE INDEX share_grantee ON share(grantee_id, kind);

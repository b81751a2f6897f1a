-- Work that one stage left for the next.  due_ms: when a worker may take it;
-- for a job that is being worked, when its lease runs out.
CREATE TABLE job(
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    user_id  BIGINT NOT NULL,
    kind     TEXT NOT NULL,
    key      TEXT NOT NULL,    -- '': any number of them
    payload  TEXT NOT NULL,    -- JSON, no secrets
    state    TEXT NOT NULL,    -- JSON that the worker keeps between attempts
    failures BIGINT NOT NULL,  -- attempts that failed
    due_ms   BIGINT NOT NULL,
    lease    BIGINT NOT NULL,  -- who works it: a random number; 0 nobody
    made_ms  BIGINT NOT NULL
);
CREATE INDEX job_due ON job(kind, due_ms);
CREATE INDEX job_user ON job(user_id);
CREATE UNIQUE INDEX job_key ON job(kind, key) WHERE key <> '';

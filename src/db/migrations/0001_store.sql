-- What one user has in one release (or in the progress feed) is a record.
-- kind: 0 DSTU2, 1 STU3, 2 R4, 3 audit feed.
CREATE TABLE record(
    user_id   BIGINT NOT NULL,
    kind      INTEGER NOT NULL,
    seq       BIGINT NOT NULL,   -- counts commits
    stamp     BIGINT NOT NULL,   -- random, new with each commit
    born      BIGINT NOT NULL,   -- random, of the record's first commit
    next_slot BIGINT NOT NULL,
    PRIMARY KEY (user_id, kind)
) WITHOUT ROWID;

-- The record's index: append-only segments, one a commit, merged when many.
-- key = user_id << 32 | kind << 30 | number: the seq of its newest commit.
CREATE TABLE segment(
    key    INTEGER PRIMARY KEY,  --sqlite
--postgres     user_id BIGINT NOT NULL, key BIGINT NOT NULL,
--postgres     PRIMARY KEY (user_id, key),
    format BIGINT NOT NULL,      -- of segment and search parameters
    data   BLOB NOT NULL
);
-- What is packed already is not packed again.
--postgres ALTER TABLE segment ALTER COLUMN data SET STORAGE EXTERNAL;

-- Every version of every resource.  key = user_id << 32 | kind << 30 | slot,
-- so that a user's bodies stand together.  Type and id stand in the text.
-- PostgreSQL has user_id as a column, too, to distribute by (Citus).
CREATE TABLE body(
    key        INTEGER PRIMARY KEY, --sqlite
--postgres     user_id BIGINT NOT NULL, key BIGINT NOT NULL,
--postgres     PRIMARY KEY (user_id, key),
    version    BIGINT NOT NULL,  -- 1, 2, ...
    updated_ms BIGINT NOT NULL,
    prev_slot  BIGINT NOT NULL,  -- of the version before; -1: none
    dictionary INTEGER NOT NULL, -- zstd dictionary; 0: none; -1: a deletion
    data       BLOB NOT NULL     -- a deletion's: Type/id
);
--postgres ALTER TABLE body ALTER COLUMN data SET STORAGE EXTERNAL;

-- Dictionaries that bodies were packed with; part of every backup.
CREATE TABLE dictionary(
    id   INTEGER PRIMARY KEY,
    data BLOB NOT NULL
);

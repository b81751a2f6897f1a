-- Developers' apps, their users, and what we issued to them: hashes only.
CREATE TABLE app(
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    client_id   TEXT NOT NULL UNIQUE,
    secret_hash BLOB NOT NULL,     -- SHA-256
    name        TEXT NOT NULL,
    is_disabled INTEGER NOT NULL,
    made_ms     BIGINT NOT NULL
);
CREATE TABLE app_redirect(
    app_id BIGINT NOT NULL REFERENCES app(id),
    place  BIGINT NOT NULL,
    uri    TEXT NOT NULL,
    PRIMARY KEY (app_id, place)
) WITHOUT ROWID;

-- A number is never given twice, not even after a user was deleted.
CREATE TABLE app_user(
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    app_id      BIGINT NOT NULL REFERENCES app(id),
    app_user_id TEXT NOT NULL,
    is_active   INTEGER NOT NULL,
    made_ms     BIGINT NOT NULL,
    UNIQUE (app_id, app_user_id)
);
CREATE INDEX app_user_of ON app_user(app_id, id);

-- family: all that came of one code; it is revoked together.
CREATE TABLE auth_code(
    hash       BLOB PRIMARY KEY,
    app_id     BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    scope      TEXT NOT NULL,
    family     BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT NOT NULL     -- 0: not yet
) WITHOUT ROWID;
CREATE INDEX auth_code_user ON auth_code(user_id);
CREATE INDEX auth_code_expires ON auth_code(expires_ms);

CREATE TABLE access_token(
    hash       BLOB PRIMARY KEY,
    app_id     BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,    -- 0: the app itself
    scope      TEXT NOT NULL,
    family     BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL
) WITHOUT ROWID;
CREATE INDEX access_token_user ON access_token(user_id);
CREATE INDEX access_token_family ON access_token(family);
CREATE INDEX access_token_expires ON access_token(expires_ms);

-- nonce: with the token itself (which we do not have) it makes the successor.
CREATE TABLE refresh_token(
    hash       BLOB PRIMARY KEY,
    app_id     BIGINT NOT NULL,
    user_id    BIGINT NOT NULL,
    scope      TEXT NOT NULL,
    family     BIGINT NOT NULL,
    expires_ms BIGINT NOT NULL,
    used_ms    BIGINT NOT NULL,    -- 0: not yet
    nonce      BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX refresh_token_user ON refresh_token(user_id);
CREATE INDEX refresh_token_family ON refresh_token(family);
CREATE INDEX refresh_token_expires ON refresh_token(expires_ms);

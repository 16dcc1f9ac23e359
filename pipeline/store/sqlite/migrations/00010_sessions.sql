-- Sessions of browsers. One is known by the hash of its cookie alone.

-- +goose Up
CREATE TABLE sessions (
    digest     TEXT    PRIMARY KEY,
    data       BLOB    NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_expired ON sessions (expires_at);

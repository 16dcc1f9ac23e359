-- Sessions of browsers. One is known by the hash of its cookie alone.

-- +goose Up
CREATE TABLE sessions (
    digest     text   COLLATE "C" PRIMARY KEY,
    data       bytea  NOT NULL,
    expires_at bigint NOT NULL
);
CREATE INDEX sessions_expired ON sessions (expires_at);

-- Access to the service. A token is known by its digest alone. A request that is repeated with the same key
-- finds the import that the first one made.

-- +goose Up
CREATE TABLE tokens (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    organization INTEGER NOT NULL REFERENCES organizations,
    name         TEXT    NOT NULL,
    role         TEXT    NOT NULL, -- viewer, operator or admin
    digest       BLOB    NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    created_by   TEXT    NOT NULL,
    expires_at   INTEGER, -- NULL: never
    last_used_at INTEGER, -- NULL: never
    UNIQUE (organization, name)
) STRICT;

-- Of the request that made the import; NULL: it had no key, or the key is free again.
ALTER TABLE imports ADD COLUMN request_key TEXT;
ALTER TABLE imports ADD COLUMN request_digest BLOB;
CREATE UNIQUE INDEX imports_request ON imports (organization, request_key) WHERE request_key IS NOT NULL;

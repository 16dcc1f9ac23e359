-- Access to the service. A token is known by its digest alone. A request that is repeated with the same key
-- finds the import that the first one made.

-- +goose Up
CREATE TABLE tokens (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    organization bigint NOT NULL REFERENCES organizations,
    name         text    NOT NULL,
    role         text    NOT NULL, -- viewer, operator or admin
    digest       bytea    NOT NULL UNIQUE,
    created_at   bigint NOT NULL,
    created_by   text    NOT NULL,
    expires_at   bigint, -- NULL: never
    last_used_at bigint, -- NULL: never
    UNIQUE (organization, name)
);

-- Of the request that made the import; NULL: it had no key, or the key is free again.
ALTER TABLE imports ADD COLUMN request_key text;
ALTER TABLE imports ADD COLUMN request_digest bytea;
CREATE UNIQUE INDEX imports_request ON imports (organization, request_key) WHERE request_key IS NOT NULL;

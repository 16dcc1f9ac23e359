-- The first schema. Times are seconds since 1970, NULL where there is none; lists and profiles are JSON.

-- +goose Up
PRAGMA application_id = 1131171180; -- "Clml", which marks the file as ours

CREATE TABLE organizations (
    id                  INTEGER PRIMARY KEY, -- ours, short; rows elsewhere refer to it
    external_id         TEXT    NOT NULL UNIQUE,
    name                TEXT    NOT NULL,
    kind                TEXT    NOT NULL,
    created             INTEGER,
    sso                 INTEGER NOT NULL,
    directory_sync      INTEGER NOT NULL,
    bring_conversations INTEGER NOT NULL,
    activation_emails   INTEGER NOT NULL,
    retention_days      INTEGER NOT NULL
) STRICT;

-- Counts changes, so that what was read can be known to be still true.
CREATE TABLE versions (
    settings INTEGER NOT NULL, -- changes of organizations, kept by triggers
    facts    INTEGER NOT NULL  -- transactions that changed anything a rule looks at
) STRICT;
INSERT INTO versions VALUES (1, 1);

-- +goose StatementBegin
CREATE TRIGGER organization_added AFTER INSERT ON organizations BEGIN UPDATE versions SET settings = settings + 1; END;
-- +goose StatementEnd
-- +goose StatementBegin
CREATE TRIGGER organization_changed AFTER UPDATE ON organizations BEGIN UPDATE versions SET settings = settings + 1; END;
-- +goose StatementEnd

CREATE TABLE licenses (
    organization INTEGER NOT NULL REFERENCES organizations,
    service      TEXT    NOT NULL,
    quantity     INTEGER NOT NULL, -- negative: unlimited
    auto_assign  INTEGER NOT NULL,
    held         INTEGER NOT NULL DEFAULT 0, -- kept by whoever changes users.services or an immediate claim
    PRIMARY KEY (organization, service)
) STRICT, WITHOUT ROWID;

CREATE TABLE domains (
    domain       TEXT    NOT NULL,
    organization INTEGER NOT NULL REFERENCES organizations,
    status       TEXT    NOT NULL,
    token        TEXT    NOT NULL DEFAULT '',
    PRIMARY KEY (domain, organization)
) STRICT, WITHOUT ROWID;
CREATE INDEX domains_organization ON domains (organization);

-- An account as its organization has it; an open claim does not touch it. A number is never used again
-- (AUTOINCREMENT): closed claims go on naming accounts that are gone.
CREATE TABLE users (
    id                 INTEGER PRIMARY KEY AUTOINCREMENT,
    external_id        TEXT    NOT NULL,
    key                TEXT    NOT NULL, -- the address key
    email              TEXT    NOT NULL,
    organization       INTEGER NOT NULL REFERENCES organizations,
    status             TEXT    NOT NULL,
    inactive_since     INTEGER,
    last_sign_in       INTEGER,
    conversations      INTEGER, -- NULL: unknown
    first_name         TEXT    NOT NULL,
    last_name          TEXT    NOT NULL,
    display_name       TEXT    NOT NULL,
    title              TEXT    NOT NULL,
    department         TEXT    NOT NULL,
    phone              TEXT    NOT NULL,
    preferred_language TEXT    NOT NULL,
    services           TEXT, -- NULL: none
    former_status      TEXT, -- before a directory run made it inactive; NULL: unknown
    pinned             INTEGER NOT NULL DEFAULT 0 -- a closed claim changed it: a snapshot leaves it where it is
) STRICT;
CREATE UNIQUE INDEX users_key ON users (key);
CREATE UNIQUE INDEX users_external_id ON users (external_id);
CREATE INDEX users_inactive ON users (inactive_since) WHERE inactive_since IS NOT NULL;

CREATE TABLE removed_users (
    external_id TEXT NOT NULL PRIMARY KEY
) STRICT, WITHOUT ROWID;

-- Claims are added at the end, and so are their entries in the indexes by time. Only claims_open is in another order, that
-- of the users: a second such index would be rewritten again and again by a file that is not sorted.
CREATE TABLE claims (
    id             INTEGER PRIMARY KEY,
    user           INTEGER NOT NULL, -- users.id, also after the user is gone
    organization   INTEGER NOT NULL, -- the claiming one
    delayed        INTEGER NOT NULL,
    claimed_at     INTEGER NOT NULL,
    signed_in_at   INTEGER,
    status_before  TEXT    NOT NULL,
    status         TEXT, -- NULL: as before
    inactive_since INTEGER,
    edits          TEXT, -- NULL: none
    services       TEXT, -- NULL: none
    import         INTEGER, -- NULL: from a snapshot
    line           INTEGER,
    closed_at      INTEGER, -- NULL: open
    closed_by      TEXT
) STRICT;
CREATE UNIQUE INDEX claims_open ON claims (user) WHERE closed_at IS NULL;
CREATE INDEX claims_closed ON claims (user) WHERE closed_at IS NOT NULL;
CREATE INDEX claims_delayed ON claims (claimed_at) WHERE delayed AND closed_at IS NULL;
CREATE INDEX claims_inactive ON claims (inactive_since) WHERE inactive_since IS NOT NULL AND closed_at IS NULL;

CREATE TABLE outbox (
    id    INTEGER PRIMARY KEY,
    claim INTEGER NOT NULL,
    kind  TEXT    NOT NULL -- claim, activation or reminder
) STRICT;

CREATE TABLE imports (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    organization      INTEGER NOT NULL REFERENCES organizations,
    file              TEXT    NOT NULL,
    sha256            TEXT    NOT NULL DEFAULT '',
    state             TEXT    NOT NULL,
    reason            TEXT    NOT NULL DEFAULT '',
    all_or_nothing    INTEGER NOT NULL,
    activation_emails INTEGER NOT NULL,
    plan              BLOB, -- NULL: not planned to its end
    consented_at      INTEGER,
    cancel_requested  INTEGER NOT NULL DEFAULT 0,
    started_at        INTEGER NOT NULL,
    finished_at       INTEGER,
    runner            TEXT    NOT NULL,
    epoch             INTEGER NOT NULL DEFAULT 1,
    lease_until       INTEGER, -- NULL: nobody owns it
    rows_removed      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX imports_organization ON imports (organization);

-- What is counted, what was kept and what became of it stand apart: a chunk that is applied rewrites no kept row.
CREATE TABLE import_chunks (
    import  INTEGER NOT NULL REFERENCES imports ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    done    INTEGER NOT NULL,
    planned TEXT    NOT NULL,
    applied TEXT, -- NULL: as planned, or not done
    PRIMARY KEY (import, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE chunk_rows (
    import   INTEGER NOT NULL REFERENCES imports ON DELETE CASCADE,
    number   INTEGER NOT NULL,
    data     BLOB    NOT NULL,
    verdicts BLOB    NOT NULL,
    prepared BLOB, -- NULL: nobody is ready
    PRIMARY KEY (import, number)
) STRICT;
CREATE TABLE chunk_results (
    import  INTEGER NOT NULL REFERENCES imports ON DELETE CASCADE,
    number  INTEGER NOT NULL,
    results BLOB    NOT NULL,
    PRIMARY KEY (import, number)
) STRICT;

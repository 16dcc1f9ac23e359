-- What falls due is found by organization, in the order in which it was claimed. A closed claim remembers
-- whose address it was on. An import says who did what with which program. No licence is held less than 0
-- times.

-- +goose Up

-- One name for a service, whatever its case: of names that differ in case the first stays.
CREATE TABLE licenses_2 (
    organization INTEGER NOT NULL REFERENCES organizations,
    service      TEXT    NOT NULL,
    quantity     INTEGER NOT NULL, -- negative: unlimited
    auto_assign  INTEGER NOT NULL,
    held         INTEGER NOT NULL DEFAULT 0 CHECK (held >= 0), -- by members and open immediate claims
    PRIMARY KEY (organization, service)
) STRICT, WITHOUT ROWID;
INSERT INTO licenses_2 (organization, service, quantity, auto_assign)
    SELECT organization, service, quantity, auto_assign FROM licenses l
    WHERE NOT EXISTS (SELECT 1 FROM licenses o WHERE o.organization = l.organization AND lower(o.service) = lower(l.service) AND o.service < l.service);
DROP TABLE licenses;
ALTER TABLE licenses_2 RENAME TO licenses;
UPDATE licenses SET held =
    (SELECT count(*) FROM users u WHERE u.organization = licenses.organization
        AND EXISTS (SELECT 1 FROM json_each(u.services) j WHERE lower(j.value) = lower(licenses.service)))
    + (SELECT count(*) FROM claims c WHERE c.organization = licenses.organization AND c.closed_at IS NULL AND NOT c.delayed
        AND EXISTS (SELECT 1 FROM json_each(c.services) j WHERE lower(j.value) = lower(licenses.service)));

-- Only who is inactive is so since some time.
UPDATE users SET inactive_since = NULL WHERE status <> 'inactive' AND inactive_since IS NOT NULL;
UPDATE claims SET inactive_since = NULL WHERE inactive_since IS NOT NULL AND (delayed OR ifnull(status, status_before) <> 'inactive');
DROP INDEX users_inactive;
CREATE INDEX users_inactive ON users (organization, inactive_since) WHERE inactive_since IS NOT NULL;
DROP INDEX claims_inactive;
CREATE INDEX claims_inactive ON claims (organization, inactive_since, user) WHERE inactive_since IS NOT NULL AND closed_at IS NULL;
DROP INDEX claims_delayed;
CREATE INDEX claims_delayed ON claims (organization, claimed_at, import, line) WHERE delayed AND closed_at IS NULL;

-- Of an open delayed claim: the organization whose licences its account gives back when it moves. NULL: it
-- has none there.
ALTER TABLE claims ADD COLUMN source INTEGER;
UPDATE claims SET source = (SELECT u.organization FROM users u WHERE u.id = claims.user AND u.services IS NOT NULL)
    WHERE delayed AND closed_at IS NULL;
CREATE INDEX claims_leaving ON claims (source, claimed_at, import, line) WHERE source IS NOT NULL AND closed_at IS NULL;

-- Of a closed claim: the address key of the account it was on.
ALTER TABLE claims ADD COLUMN key TEXT;
UPDATE claims SET key = (SELECT u.key FROM users u WHERE u.id = claims.user) WHERE closed_at IS NOT NULL;
CREATE INDEX claims_key ON claims (key) WHERE key IS NOT NULL;

-- When an account joined by a claim, in place of another.
ALTER TABLE users ADD COLUMN joined_at INTEGER;
UPDATE users SET joined_at = (SELECT max(c.closed_at) FROM claims c WHERE c.user = users.id) WHERE external_id LIKE 'joined-%';

ALTER TABLE imports ADD COLUMN created_by TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN consented_by TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN version TEXT NOT NULL DEFAULT '';
ALTER TABLE imports ADD COLUMN options TEXT; -- JSON; NULL: nothing was said

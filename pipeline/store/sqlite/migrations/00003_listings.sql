-- A listing starts at once, however many accounts there are. Every index here is narrow, and all but users_domain grow at their end
-- while an import or a load runs: none is in the order of addresses, which a file that is not sorted would rewrite again and again.

-- +goose Up

-- The members of a small organization among many accounts, and their number in any.
CREATE INDEX users_organization ON users (organization);

-- The accounts in a small domain, and how many there are by domain and organization, which is all that tells most candidates apart.
CREATE INDEX users_domain ON users (substr(key, instr(key, '@') + 1), organization);

-- The open claims of an organization, and their number; what is due of them, the first due first. It takes the place of claims_delayed.
DROP INDEX claims_delayed;
CREATE INDEX claims_made ON claims (organization, delayed, claimed_at, import, line) WHERE closed_at IS NULL;

-- The claims that an import made, in the order of its file.
CREATE INDEX claims_import ON claims (import, line) WHERE import IS NOT NULL;

-- The mails about a claim, and when each was written. NULL: when the claim was made.
ALTER TABLE outbox ADD COLUMN written_at INTEGER;
CREATE INDEX outbox_claim ON outbox (claim);
